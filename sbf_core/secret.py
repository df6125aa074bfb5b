"""Keys that never show: a value that prints as ``***``, and texts without any key that this process has used or learnt."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Callable, Collection
from typing import NoReturn
from urllib.parse import quote, quote_plus

_SHOWN = "***"
#: Shorter values would take ordinary words out of messages.
_CHARACTERS_MIN = 4
#: Base64 of a part of a key; shorter pieces are likely to be something else.
_BASE64_CHARACTERS_MIN = 8
_ENTITIES = {'"': "quot", "&": "amp", "<": "lt", ">": "gt", "'": "apos"}
#: What is known of every key, the longest value first.
_known: tuple[_Shapes, ...] = ()
#: The keys of each name that they were asked for by.
_named: dict[str, frozenset[str]] = {}


class Secret:
    """A key. It is used with ``reveal()`` where it must be sent, and nowhere else.

    Args:
        value: the key. From now on ``redacted`` takes it out of texts.
        name: what it is called by whoever declares that it is needed.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str, *, name: str = "") -> None:
        self._value = value
        _remember(value)
        if name:
            _named[name] = _named.get(name, frozenset()) | {value}

    def reveal(self) -> str:
        """The key itself."""
        return self._value

    def __repr__(self) -> str:
        return _SHOWN

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not pickled")


class _Shapes:
    r"""A key in every usual form.

    ``forms`` are texts as they stand. ``pattern`` finds the key with any of its marks escaped, in whatever mixture: as in
    addresses (``%2F``, in small or large digits, also twice), JSON (``\u002f``, ``\/``, also in a text within a text) and
    HTML (``&amp;``, ``&#x2F;``). ``probes`` are pieces of which every form has one: where there is none of them, which is
    almost always, no form is looked for.
    """

    __slots__ = ("forms", "forms_bytes", "pattern", "pattern_bytes", "probes", "probes_bytes", "value", "wide")

    def __init__(self, value: str) -> None:
        self.value = value
        self.forms = tuple(sorted(_forms_of(value), key=len, reverse=True))
        self.forms_bytes = tuple(form.encode(errors="surrogatepass") for form in self.forms)
        pattern = "".join(map(_escapes, value))
        self.pattern = re.compile(pattern)
        self.pattern_bytes = re.compile(pattern.encode(errors="surrogatepass"))
        core = max(re.findall(r"[A-Za-z0-9]*", value), key=len)  # no escape changes it
        self.probes = tuple(_probes_of(value) | {core})
        self.probes_bytes = (*(probe.encode() for probe in self.probes), core.encode("utf-16-le")[:-1])
        self.wide = tuple((value.encode(coding, errors="surrogatepass"), coding) for coding in ("utf-16-le", "utf-16-be"))

    def text_without(self, text: str) -> str:
        """A text without the key; the same object where it is not in it."""
        for probe in self.probes:
            if probe in text:
                break
        else:
            return text
        for form in self.forms:
            text = text.replace(form, _SHOWN)
        return self.pattern.sub(_SHOWN, text)

    def bytes_without(self, content: bytes) -> bytes:
        """The same for bytes."""
        for probe in self.probes_bytes:
            if probe in content:
                break
        else:
            return content
        given = content
        for form in self.forms_bytes:
            content = content.replace(form, _SHOWN.encode())
        content = self.pattern_bytes.sub(_SHOWN.encode(), content)
        for form, coding in self.wide:
            content = content.replace(form, _SHOWN.encode(coding))
        return given if content == given else content


def _probes_of(value: str) -> set[str]:
    """Of base64 and hexadecimal digits, those that hold bits of the key alone."""
    raw = value.encode(errors="surrogatepass")
    found = {raw.hex(), raw.hex().upper()}
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        whole = encode(raw).decode().rstrip("=")
        found.add(whole[: len(raw) // 3 * 4] or whole)
        for before in (1, 2):
            found.add(_behind_others(encode, raw, before) or whole)
    return found


def _behind_others(encode: Callable[[bytes], bytes], raw: bytes, before: int) -> str:
    """The digits of base64 that hold bits of a key alone, behind so many other bytes, as in ``user:key``; none if they are few."""
    part = encode(b"\0" * before + raw).decode().rstrip("=")[before + 1 :]
    part = part[: len(part) - ((before + len(raw)) % 3 != 0)]
    return part if len(part) >= _BASE64_CHARACTERS_MIN else ""


def _forms_of(value: str) -> set[str]:
    raw = value.encode(errors="surrogatepass")
    within = json.dumps(value)[1:-1]
    found = {value, within, json.dumps(within)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1], repr(value)[1:-1], html.escape(value), html.escape(value, quote=False)}
    found |= {quote(raw), quote(raw, safe=""), quote_plus(raw), raw.hex(), raw.hex().upper()}
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        whole = encode(raw).decode()
        found |= {whole, whole.rstrip("=")}
        inner = whole.rstrip("=")[: len(raw) // 3 * 4]
        found |= {inner if len(inner) >= _BASE64_CHARACTERS_MIN else "", *(_behind_others(encode, raw, before) for before in (1, 2))}
    return found - {""}


def _escapes(char: str) -> str:
    """A regular expression for one character, in any of its forms; for Python's ``re`` and for RE2."""
    if char.isascii() and char.isalnum():
        return char
    raw, units = char.encode(errors="surrogatepass"), char.encode("utf-16-be", errors="surrogatepass")
    ways = [
        rf"\\*{re.escape(char)}" + (f"{char}?" if char in "\"'" else ""),  # CSV and SQL write a mark of their own twice
        "(?i:" + "".join(f"%(?:25)*{byte:02x}" for byte in raw) + ")",
        "(?i:" + "".join(rf"\\+u{units[at : at + 2].hex()}" for at in range(0, len(units), 2)) + ")",
        f"(?i:&(?:amp;)*#(?:0*{ord(char)}|x0*{ord(char):x});)",
    ]
    ways += [f"&(?:amp;)*{_ENTITIES[char]};"] if char in _ENTITIES else []
    ways += [r"\+"] if char == " " else []
    ways += [rf"(?i:\\+x{ord(char):02x})"] if ord(char) < 256 else []
    return f"(?:{'|'.join(ways)})"


def _remember(value: str) -> None:
    global _known
    if len(value) < _CHARACTERS_MIN or any(shapes.value == value for shapes in _known):
        return
    _known = tuple(sorted((*_known, _Shapes(value)), key=lambda shapes: len(shapes.value), reverse=True))


def redacted(text: str) -> str:
    """``text`` without any key that this process has used or learnt, in whatever usual form."""
    for shapes in _known:
        text = shapes.text_without(text)
    return text


def redacted_bytes(content: bytes) -> bytes:
    """The same for bytes, whatever they hold; also for UTF-16. The same object where there is no key in them."""
    for shapes in _known:
        content = shapes.bytes_without(content)
    return content


def holds_key(content: bytes, names: Collection[str]) -> bool:
    """Whether bytes hold a key of one of these names, in whatever usual form, as far as this process has used or learnt it."""
    values = frozenset().union(*(_named.get(name, frozenset()) for name in names))
    return any(shapes.value in values and shapes.bytes_without(content) is not content for shapes in _known)


def redacted_in_sql(expression: str) -> tuple[str, list[str]]:
    """An SQL expression for the text of another without keys, and the values that it binds, in their order.

    Args:
        expression: of the type VARCHAR; trusted SQL without parameters.
    """
    values: list[str] = []
    for shapes in _known:
        for form in shapes.forms:
            expression = f"replace({expression}, ?, '{_SHOWN}')"
            values.append(form)
        expression = f"regexp_replace({expression}, ?, '{_SHOWN}', 'g')"
        values.append(shapes.pattern.pattern)
    return expression, values

"""Keys that never show: a value that prints as ``***``, and texts without any key that this process has used or learnt."""

from __future__ import annotations

import base64
import html
import json
import re
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


class Secret:
    """A key. It is used with ``reveal()`` where it must be sent, and nowhere else.

    Args:
        value: the key. From now on ``redacted`` takes it out of texts.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value
        _remember(value)

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
    HTML (``&amp;``, ``&#x2F;``). ``core`` is a part of it that no such escape changes, so that a look for it is enough
    almost always.
    """

    __slots__ = ("core", "core_bytes", "forms", "forms_bytes", "pattern", "pattern_bytes", "value")

    def __init__(self, value: str) -> None:
        self.value = value
        self.forms = tuple(sorted(_forms_of(value), key=len, reverse=True))
        self.forms_bytes = tuple(form.encode(errors="surrogatepass") for form in self.forms)
        pattern = "".join(map(_escapes, value))
        self.pattern = re.compile(pattern)
        self.pattern_bytes = re.compile(pattern.encode(errors="surrogatepass"))
        self.core = max(re.findall(r"[A-Za-z0-9]*", value), key=len)
        self.core_bytes = self.core.encode()


def _forms_of(value: str) -> set[str]:
    raw = value.encode(errors="surrogatepass")
    within = json.dumps(value)[1:-1]
    found = {value, within, json.dumps(within)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1], repr(value)[1:-1], html.escape(value), html.escape(value, quote=False)}
    found |= {quote(raw), quote(raw, safe=""), quote_plus(raw), raw.hex(), raw.hex().upper()}
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        whole = encode(raw).decode()
        found |= {whole, whole.rstrip("=")}
        for before in (1, 2):  # behind other bytes, as in ``user:key``: all digits that hold bits of the key alone
            part = encode(b"\0" * before + raw).decode().rstrip("=")[before + 1 :]
            part = part[: len(part) - ((before + len(raw)) % 3 != 0)]
            found |= {part} if len(part) >= _BASE64_CHARACTERS_MIN else set()
        inner = whole.rstrip("=")[: len(raw) // 3 * 4]
        found |= {inner} if len(inner) >= _BASE64_CHARACTERS_MIN else set()
    return found


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
        for form in shapes.forms:
            if form in text:
                text = text.replace(form, _SHOWN)
        if shapes.core in text:
            text = shapes.pattern.sub(_SHOWN, text)
    return text


def redacted_bytes(content: bytes) -> bytes:
    """The same for bytes, whatever they hold; also for UTF-16. The same object where there is no key in them."""
    for shapes in _known:
        for form in shapes.forms_bytes:
            if form in content:
                content = content.replace(form, _SHOWN.encode())
        if shapes.core_bytes in content:
            content = shapes.pattern_bytes.sub(_SHOWN.encode(), content)
        for coding in ("utf-16-le", "utf-16-be"):
            wide = shapes.value.encode(coding, errors="surrogatepass")
            if wide in content:
                content = content.replace(wide, _SHOWN.encode(coding))
    return content


def holds_key(content: bytes) -> bool:
    """Whether bytes hold a key that this process has used or learnt, in whatever usual form."""
    return redacted_bytes(content) is not content


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

"""Keys that never show: a value that prints as ``***``,
and texts without any key that this process has used or learnt.
"""

from __future__ import annotations

import base64
import html
import json
import re
import threading
from collections.abc import Callable, Collection, Sequence
from typing import AnyStr, NoReturn
from urllib.parse import quote, quote_plus

_SHOWN = "***"
#: Shorter values would take ordinary words out of messages.
_CHARACTERS_MIN = 4
#: Longer ones are keys in small and large letters alike, as hexadecimal digits and UUIDs are; shorter ones may be
#: words.
_ANY_CASE_CHARACTERS_MIN = 8
#: Base64 of a part of a key; shorter pieces are likely to be something else.
_BASE64_CHARACTERS_MIN = 8
#: So many are taken out in one expression of SQL; one expression for all takes the engine several times as long.
_KEYS_IN_EXPRESSION = 8
#: What stands between bytes that are told as hexadecimal digits.
_BETWEEN = (" ", ":", "-")
_ENTITIES = {'"': "quot", "&": "amp", "<": "lt", ">": "gt", "'": "apos"}
#: What is known of every key, the longest value first.
_known: tuple[_Shapes, ...] = ()
#: The keys of each name that they were asked for by.
_named: dict[str, frozenset[str]] = {}
_learning = threading.Lock()


class Secret:
    """A key. It is used with ``reveal()`` where it must be sent, and nowhere else.

    Args:
        value: the key. From now on ``redacted`` takes it out of texts.
        name: what it is called by whoever declares that it is needed.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str, *, name: str = "") -> None:
        self._value = value
        with _learning:  # of two that are learnt at once none may be lost
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

    ``forms`` are texts as they stand. ``pattern`` finds the key with any of its marks escaped, in whatever mixture, or
    all that it consists of: as in addresses (``%2F``, in small or large digits, also twice), JSON (``\u002f``, ``\/``,
    also in a text within a text) and HTML (``&amp;``, ``&#x2F;``), and as hexadecimal digits, with marks between the
    bytes or without. ``probes`` are pieces of which every form has one, ``escapes`` those of escaped ones, in small
    letters, by the mark that they begin with: where there is none of them, which is almost always, no form is looked
    for.
    """

    __slots__ = (
        "_compiled",
        "escapes",
        "escapes_bytes",
        "forms",
        "forms_bytes",
        "pattern",
        "probes",
        "probes_bytes",
        "value",
        "wide",
    )

    def __init__(self, value: str) -> None:
        self.value = value
        self.forms = tuple(sorted(_forms_of(value), key=len, reverse=True))
        self.forms_bytes = tuple(form.encode(errors="surrogatepass") for form in self.forms)
        self.pattern = _pattern_of(value)
        self._compiled: tuple[re.Pattern[str], re.Pattern[bytes]] | None = None
        core = max(re.findall(r"[A-Za-z0-9]*", value), key=len)  # only who escapes every letter changes it
        self.probes = tuple(_probes_of(value))
        self.probes_bytes = tuple(probe.encode() for probe in self.probes)
        self.escapes = (("", (core.lower(), *_digits_of(value))), *_escapes_of(value))
        self.escapes_bytes = (
            *((mark.encode(), tuple(probe.encode() for probe in probes)) for mark, probes in self.escapes),
            (b"\0", (core.lower().encode("utf-16-le")[:-1],)),
        )
        self.wide = tuple(
            (value.encode(coding, errors="surrogatepass"), coding) for coding in ("utf-16-le", "utf-16-be")
        )

    @property
    def compiled(self) -> tuple[re.Pattern[str], re.Pattern[bytes]]:
        """The pattern for texts and for bytes. Made when a probe was found: for a token of 5 KB that takes a second."""
        if self._compiled is None:
            pattern = self.pattern
            self._compiled = re.compile(pattern), re.compile(pattern.encode(errors="surrogatepass"))
        return self._compiled

    def text_without(self, text: str, in_small: str) -> str:
        """A text without the key; the same object where it is not in it. ``in_small`` is the text in small letters."""
        if not _has_escape(in_small, self.escapes) and not any(probe in text for probe in self.probes):
            return text
        for form in self.forms:
            text = text.replace(form, _SHOWN)
        return self.compiled[0].sub(_SHOWN, text)

    def bytes_without(self, content: bytes, in_small: bytes) -> bytes:
        """The same for bytes."""
        if not _has_escape(in_small, self.escapes_bytes) and not any(probe in content for probe in self.probes_bytes):
            return content
        given = content
        for form in self.forms_bytes:
            content = content.replace(form, _SHOWN.encode())
        content = self.compiled[1].sub(_SHOWN.encode(), content)
        for form, coding in self.wide:
            content = content.replace(form, _SHOWN.encode(coding))
        return given if content == given else content


def _probes_of(value: str) -> set[str]:
    """Of the digits of base64, those that hold bits of the key alone."""
    raw = value.encode(errors="surrogatepass")
    probes = set()
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        whole = encode(raw).decode().rstrip("=")
        probes.add(whole[: len(raw) // 3 * 4] or whole)
        for before in (1, 2):
            probes.add(_behind_others(encode, raw, before) or whole)
    return probes


def _has_escape(in_small: AnyStr, escapes: Sequence[tuple[AnyStr, Sequence[AnyStr]]]) -> bool:
    """Whether a text in small letters holds one of the probes; where a mark is not there,
    none that begins with it is.
    """
    for mark, probes in escapes:
        if mark in in_small:
            for probe in probes:
                if probe in in_small:
                    return True
    return False


def _digits_of(value: str) -> set[str]:
    """A key as hexadecimal digits, whole: the longer a text is, the quicker it is looked for."""
    digits = [f"{byte:02x}" for byte in value.encode(errors="surrogatepass")]
    return {between.join(digits) for between in ("", *_BETWEEN)}


def _escapes_of(value: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """How the first letter of a key looks to whoever escapes letters, by the mark before it; in small letters."""
    code = next((ord(char) for char in value if char.isascii() and char.isalnum()), None)
    if code is None:
        return ()
    numbers = (f"{code};", f"0{code};", *(f"x{zeros}{code:x};" for zeros in ("", "0", "00")))
    return (
        ("%", tuple(f"{before}{code:02x}" for before in ("%", "%25", "%2525"))),
        ("\\", (f"\\u00{code:02x}", f"\\x{code:02x}")),
        ("#", tuple(f"#{number}" for number in numbers)),
    )


def _behind_others(encode: Callable[[bytes], bytes], raw: bytes, before: int) -> str:
    """The digits of base64 that hold bits of a key alone, behind so many other bytes, as in ``user:key``;
    none if they are few.
    """
    part = encode(b"\0" * before + raw).decode().rstrip("=")[before + 1 :]
    part = part[: len(part) - ((before + len(raw)) % 3 != 0)]
    return part if len(part) >= _BASE64_CHARACTERS_MIN else ""


def _forms_of(value: str) -> set[str]:
    raw = value.encode(errors="surrogatepass")
    within = json.dumps(value)[1:-1]
    forms = {
        value,
        within,
        json.dumps(within)[1:-1],
        json.dumps(value, ensure_ascii=False)[1:-1],
        repr(value)[1:-1],
        html.escape(value),
        html.escape(value, quote=False),
    }
    forms |= {quote(raw), quote(raw, safe=""), quote_plus(raw)}
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        whole = encode(raw).decode()
        forms |= {whole, whole.rstrip("=")}
        inner = whole.rstrip("=")[: len(raw) // 3 * 4]
        forms |= {
            inner if len(inner) >= _BASE64_CHARACTERS_MIN else "",
            *(_behind_others(encode, raw, before) for before in (1, 2)),
        }
    return forms - {""}


def _pattern_of(value: str) -> str:
    """A regular expression for a key, escaped or as hexadecimal digits; for Python's ``re`` and for RE2."""
    raw, units = value.encode(errors="surrogatepass"), value.encode("utf-16-be", errors="surrogatepass")
    whole = [
        f"[{''.join(map(re.escape, _BETWEEN))}]?".join(f"{byte:02x}" for byte in raw),
        "".join(f"%(?:25)*{byte:02x}" for byte in raw),
        "".join(rf"\\+x{byte:02x}" for byte in raw),
        "".join(rf"\\+u{units[at : at + 2].hex()}" for at in range(0, len(units), 2)),
        "".join(f"&(?:amp;)*#0*{ord(char)};" for char in value),
        "".join(f"&(?:amp;)*#x0*{ord(char):x};" for char in value),
    ]
    marks = "".join(map(_escapes, value))
    marks = f"(?i:{marks})" if len(value) >= _ANY_CASE_CHARACTERS_MIN else marks
    return f"(?:{marks}|(?i:{'|'.join(whole)}))"


def _escapes(char: str) -> str:
    """A regular expression for one character, in any of its forms; a letter or digit stands for itself there."""
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
    in_small = text.lower() if _known else ""
    for shapes in _known:
        text = shapes.text_without(text, in_small)
    return text


def redacted_bytes(content: bytes) -> bytes:
    """The same for bytes, whatever they hold; also for UTF-16. The same object where there is no key in them."""
    in_small = content.lower() if _known else b""
    for shapes in _known:
        content = shapes.bytes_without(content, in_small)
    return content


def holds_key(content: bytes, names: Collection[str]) -> bool:
    """Whether bytes hold a key of one of these names, in whatever usual form,
    as far as this process has used or learnt it.
    """
    values = frozenset().union(*(_named.get(name, frozenset()) for name in names))
    asked = [shapes for shapes in _known if shapes.value in values]
    in_small = content.lower() if asked else b""
    return any(shapes.bytes_without(content, in_small) is not content for shapes in asked)


def redacted_in_sql(select: str, column: str) -> tuple[str, list[str]]:
    """SQL that selects the same with a column of texts without keys, and the values that it binds, in their order.

    A run may learn hundreds of tokens, and the engine takes no expression of more than 1,000 calls within calls.

    Args:
        select: trusted SQL without parameters.
        column: which of its columns; trusted SQL.
    """
    values: list[str] = []
    for at in range(0, len(_known), _KEYS_IN_EXPRESSION):
        expression, bound = column, list[str]()
        for shapes in _known[at : at + _KEYS_IN_EXPRESSION]:
            for form in shapes.forms:
                expression = f"replace({expression}, ?, '{_SHOWN}')"
                bound.append(form)
            expression = f"regexp_replace({expression}, ?, '{_SHOWN}', 'g')"
            bound.append(shapes.pattern)
        select = f"SELECT * REPLACE ({expression} AS {column}) FROM ({select})"
        values = bound + values  # what is written around comes first
    return select, values

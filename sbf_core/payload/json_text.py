"""JSON (RFC 8259) read with nothing lost: the digits of its numbers, and that an object holds a name twice.

Two things that RFC 8259 forbids are borne, because the engine bears them and both ways of reading must agree: a comma
before a closing bracket, and ``nan``, ``inf`` and ``infinity`` in the place of a number, which no column takes as a
value.
"""

from __future__ import annotations

import codecs
import collections
import json
import re
from json.encoder import encode_basestring
from typing import Any

from sbf_core.errors import PayloadRefused, excerpt
from sbf_core.payload.model import Digits

BLANKS = " \t\n\r"
_LAX = re.compile(
    r'"(?:[^"\\]|\\.)*"?|(,)(?=[ \t\n\r]*[\]}])|([+-]?)\b(?:(nan)|inf(?:inity)?)\b', re.IGNORECASE | re.DOTALL
)
#: So much of the start of a payload is enough for ``check_start``.
HEAD_BYTES = 64
_FIX_UTF8 = "JSON is UTF-8 (RFC 8259); other bytes can be parsed by the hook promote"
#: Python's own limit on nesting is higher or lower from version to version; said is only that there is one.
TOO_DEEP = "is nested too deeply to be read"


class Number(Digits):
    """The digits of a number, as they are written."""

    __slots__ = ()


class NoNumber(Number):
    """``NaN``, ``Infinity`` or ``-Infinity``: no JSON, and no value."""

    __slots__ = ()


class Unwritable(Exception):
    """A value that has no JSON text; the argument is the fault, as a record has it."""


class Twice(dict[str, Any]):
    """An object that holds a name twice; the last value is in it, and nothing may take it."""

    __slots__ = ("names",)
    names: frozenset[str]


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) == len(pairs):
        return made
    names = [name for name, _ in pairs]
    twice = Twice(made)
    twice.names = frozenset(name for name, count in collections.Counter(names).items() if count > 1)
    return twice


#: Numbers and texts can be told apart, so that a nested value can be written again.
EXACT = json.JSONDecoder(object_pairs_hook=_object, parse_int=Number, parse_float=Number, parse_constant=NoNumber)
#: The same, faster, where only texts are wanted: a number is its digits, and ``NaN`` no text.
FLAT = json.JSONDecoder(object_pairs_hook=_object, parse_int=str, parse_float=str, parse_constant=str.encode)


def minified(value: Any) -> str:
    """JSON text of a value that ``EXACT`` read, without blanks and with the digits of its numbers.

    Raises:
        Unwritable: it holds an object with a name twice, or ``NaN``.
    """
    if isinstance(value, Number):
        if isinstance(value, NoNumber):
            raise Unwritable("no_json")
        return str(value)
    if isinstance(value, str):
        return str(encode_basestring(value))
    if isinstance(value, dict):
        if isinstance(value, Twice):
            raise Unwritable("key_twice")
        return "{" + ",".join(f"{encode_basestring(name)}:{minified(inner)}" for name, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join([minified(inner) for inner in value]) + "]"
    return "null" if value is None else "true" if value else "false"


def check_start(head: bytes) -> None:
    """Raise ``PayloadRefused`` for what cannot be the start of JSON in UTF-8.

    Args:
        head: the first bytes of a payload, some tens of them, or all.
    """
    if head.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in head[:4]:
        raise PayloadRefused("is not UTF-8 but UTF-16 or UTF-32", fix=_FIX_UTF8)
    start = head.removeprefix(codecs.BOM_UTF8).lstrip(BLANKS.encode())
    if not start:
        raise PayloadRefused("is empty")
    if start[:1] not in b'{["-0123456789tfn':
        what = "is no JSON but a page" if start[:1] == b"<" else "is no JSON"
        raise PayloadRefused(f"{what}: it starts with {excerpt(start.decode('utf-8', 'replace'), 40)!r}")


def no_json(error: ValueError, text: str, before: int = 0) -> PayloadRefused:
    """What is wrong with ``text``, which ``before`` characters stand before, in plain words."""
    at = error.pos if isinstance(error, json.JSONDecodeError) else 0
    if at >= len(text.rstrip(BLANKS)) or (
        isinstance(error, json.JSONDecodeError) and error.msg.startswith("Unterminated string")
    ):
        return PayloadRefused(f"is cut short: it ends after {before + len(text)} characters, within a value")
    return PayloadRefused(f"is no JSON at character {before + at + 1}: {text[at : at + 40]!r}")


def mended(text: str, at: int) -> str:
    """``text`` from ``at`` on, which is the start of a value or between two, with what the engine bears as JSON has it;
    as long as before.
    """

    def mend(match: re.Match[str]) -> str:
        if match[1]:
            return " "
        if match[0][:1] == '"':
            return match[0]
        return "NaN" if match[3] else match[2].replace("+", "") + "Infinity"

    return text[:at] + _LAX.sub(mend, text[at:])


def document_of(payload: bytes) -> Any:
    """The document of bytes that are at hand, as ``EXACT`` reads it. Raises ``PayloadRefused``."""
    check_start(payload[:HEAD_BYTES])
    try:
        text = payload.removeprefix(codecs.BOM_UTF8).decode("utf-8")
    except UnicodeDecodeError as error:
        raise not_utf8(error.start) from None
    return decoded(text)


def decoded(text: str) -> Any:
    """The one value that ``text`` is, as ``EXACT`` reads it. Raises ``PayloadRefused``."""
    try:
        try:
            return EXACT.decode(text)
        except json.JSONDecodeError as error:
            if error.msg == "Extra data":
                raise PayloadRefused(f"has more behind its end: {text[error.pos : error.pos + 40]!r}") from None
            mendable = mended(text, 0)
            return EXACT.decode(mendable)
    except json.JSONDecodeError as error:
        raise no_json(error, text) from None
    except RecursionError:
        raise PayloadRefused(TOO_DEEP) from None


def not_utf8(at: int) -> PayloadRefused:
    """A byte that is no UTF-8, the first being 0."""
    return PayloadRefused(f"is not UTF-8: byte {at + 1} begins no character", fix=_FIX_UTF8)

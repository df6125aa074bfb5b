"""The first look at a JSON payload: is it JSON, where do its rows begin, and can the engine read it exactly?

What the look costs (2 cores, Python 3.11, milliseconds for each megabyte of a payload; the engine takes 10 to 20 to
load it): 0.5 to count the rows, up to 1.4 to look for ``true`` and ``false`` where there are DOUBLE columns (0.1 where
a letter of each is nowhere), 1.5 to look for long numbers where there are DECIMAL columns.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import attrs

from sbf_core.dataset.json_path import rows_path, source_path
from sbf_core.dataset.json_steps import Index, Name, RowsPath, Wildcard
from sbf_core.errors import PayloadRefused, excerpt
from sbf_core.payload.by_identity import by_identity
from sbf_core.payload.json_records import is_required, row_kind
from sbf_core.payload.json_shape import Layout, compiled, reads_doubles
from sbf_core.payload.json_text import BLANKS, EXACT, check_start
from sbf_core.payload.json_values import Getter, getter, is_absent
from sbf_core.payload.json_walk import Row, Unreachable
from sbf_core.payload.model import Look, PayloadFile, Reading
from sbf_core.payload.text import holds
from sbf_core.value import Value

#: Smaller payloads are joined into one file before the engine reads them: a file costs it more than its rows.
SMALL_BYTES = 65_536
HEAD_BYTES = 65_536
_CHUNK_BYTES = 1 << 20
#: More than any of the texts that are looked for is long, so that none is cut in two.
_OVERLAP_BYTES = 128
#: A double holds every number of this many digits, and its shortest text has them again.
_DIGITS_SAFE = 15
_DIGITS = bytes.maketrans(b"0123456789E", b"dddddddddde")
_DIGITS_AND_POINT = bytes.maketrans(b"0123456789.", b"ddddddddddd")
_STRIDE = 4
_SAMPLED = b"d" * ((_DIGITS_SAFE + 1) // _STRIDE)
_LONG = b"d" * (_DIGITS_SAFE + 1)
#: With a point taken out: a number as JSON writes it, and no text.
_LONG_NUMBER = re.compile(rb"[:,\[\s]-?" + _LONG)
#: Numbers below the least that a double holds with all its digits.
_TINY = b"de-ddd"
_TINY_NUMBER = re.compile(rb"[:,\[\s]-?d+e-ddd")
_BLANK = re.compile(r"[ \t\n\r]*")
_OPENING = re.compile(r"[\[{][ \t\n\r]*")
_NAME = re.compile(r'"(?:[^"\\]|\\.)*"[ \t\n\r]*:[ \t\n\r]*')
_COMMA = re.compile(r"[ \t\n\r]*,[ \t\n\r]*")


@attrs.frozen
class _Start(Value):
    """Where the rows begin in the head of a payload.

    Attributes:
        kinds: as ``Layout`` has them.
        at: where the first row begins; None where there is none.
    """

    kinds: str
    at: int | None


def look(reading: Reading, file: PayloadFile, payload: bytes | None) -> Look:
    """See ``FormatReader.look``."""
    if payload is None and file.byte_count < SMALL_BYTES:
        payload = file.path.read_bytes()
    if payload is not None:
        head = payload[:HEAD_BYTES]
    else:
        with file.path.open("rb") as stream:
            head = stream.read(HEAD_BYTES)
    check_start(head[:64] if head[:64].strip() else head)
    path = rows_path(reading.rows_at)
    text = head.decode("utf-8", "ignore").removeprefix("\ufeff")
    _check_first(path, text)
    kept = payload if file.byte_count < SMALL_BYTES else None
    start = _start(path, text)
    if start is None:
        return Look(file=file, is_regular=False, payload=kept)
    rows = _Sample(reading, path, text, start)
    if not rows.has_all or not _is_readable(reading, start.kinds):
        return Look(file=file, is_regular=False, payload=kept, fields=rows.fields)
    marks = _Marks(reading, rows.mark)
    for chunk in [payload] if payload is not None else _chunks(file):
        marks.look_at(chunk)
    if marks.has_long:
        return Look(file=file, is_regular=False, payload=kept, fields=rows.fields)
    layout = Layout(start.kinds, marks.has_boolean)
    return Look(
        file=file,
        is_regular=True,
        layout=layout,
        record_count=rows.count(marks.opened, marks.tail),
        fields=rows.fields,
        payload=kept,
    )


@by_identity
def _is_readable(reading: Reading, kinds: str) -> bool:
    """Whether the engine can follow the paths, and reads numbers in texts as they are declared: it gives numbers as
    texts, too.
    """
    return compiled(reading, Layout(kinds)) is not None and reading.format.decimal == "."


def _check_first(path: RowsPath, text: str) -> None:
    """The first letter must be that of a list or an object, as the first step of ``rows_at`` asks."""
    first = path.segments[0] if path.segments else None
    start = text.lstrip(BLANKS)
    wanted = (
        "{"
        if isinstance(first, Name)
        else "["
        if isinstance(first, Index) or (isinstance(first, Wildcard) and first.list_only)
        else "{["
    )
    if start[:1] not in wanted:
        shown = {"{": "object", "[": "list"}.get(wanted, "object or list")
        what = f"is no JSON {shown} but starts with {excerpt(start, 60)!r}"
        fix = "declare rows_at, where the rows are" if start[:1] in ("{", "[") else ""
        raise PayloadRefused(what, fix=fix)


def _start(path: RowsPath, text: str) -> _Start | None:
    """Where the rows begin; None where the head does not tell, which a name that stands in another object before can
    cause, too.
    """
    at = _BLANK.match(text).end()  # type: ignore[union-attr] # matches the empty text as well
    kinds = ""
    for number, segment in enumerate(path.segments):
        letter = text[at : at + 1]
        if isinstance(segment, Name):
            match = re.compile(
                re.escape(json.dumps(segment.name, ensure_ascii=False)) + r"[ \t\n\r]*:[ \t\n\r]*"
            ).search(text, at)
            if letter != "{" or match is None:
                return None
            at = match.end()
        elif isinstance(segment, Index) and segment.index == 0 and letter == "[":
            at = _BLANK.match(text, at + 1).end()  # type: ignore[union-attr]
        elif isinstance(segment, Wildcard) and letter and letter in "[{":
            kinds += letter
            match = _OPENING.match(text, at)
            assert match is not None
            at = match.end()
            if text[at : at + 1] in ("]", "}"):
                return _Start(kinds, None) if number == len(path.segments) - 1 else None
            if letter == "{":
                match = _NAME.match(text, at)
                if match is None:
                    return None
                at = match.end()
        else:
            return None
    return _Start(kinds, at)


class _Sample:
    """The first rows: their fields, whether every declared field is in one of them, and how rows could be counted."""

    def __init__(self, reading: Reading, path: RowsPath, text: str, start: _Start) -> None:
        self.fields: tuple[str, ...] = ()
        self.mark = b""
        self.has_all = start.at is None
        self._path = path
        self._before = 0
        if start.at is None:
            return
        names, missing, kind = _wanted(reading)
        for number, (row, first, end) in enumerate(_rows(text, start)):
            if kind is not None and not isinstance(row, kind):
                return
            if number == 0:
                self._first(row, text, first, end)
            if type(row) is dict:  # an object with no name twice
                names = names - row.keys()
            missing = [choices for choices in missing if not _is_there(choices, row)]
            if not names and not missing:
                self.has_all = True
                return

    def _first(self, row: Any, text: str, first: int, end: int) -> None:
        if isinstance(row, dict):
            self.fields = tuple(row)
        opening = text[first : first + 1]
        is_flat = opening in ("{", "[") and text.count(opening, first, end) == 1
        *names, last = self._path.segments or (None,)
        if is_flat and isinstance(last, Wildcard) and all(isinstance(name, Name) for name in names):
            self.mark = opening.encode()
            self._before = text.count(opening, 0, first)

    def count(self, opened: int, tail: bytes) -> int | None:
        """The number of rows, from that of all opening brackets, where the rows end the payload and the first of them
        is flat; else None.
        """
        if not self.mark:
            return None
        ending = _ending(self.mark, len(self._path.segments) - 1)
        return opened - self._before if ending.search(tail) else None


@cache
def _ending(mark: bytes, depth: int) -> re.Pattern[bytes]:
    """How a payload ends whose rows, of that opening bracket, are the last in it."""
    closing = b"}" if mark == b"{" else rb"\]"
    return re.compile(closing + rb"\s*[\]}]" + rb"\s*\}" * depth + rb"\s*\Z")


@by_identity
def _wanted(reading: Reading) -> tuple[frozenset[str], list[list[Getter]], type | None]:
    """What some row must have: names of fields, and what takes other values from a row; and what rows must be."""
    names: set[str] = set()
    others: list[list[Getter]] = []
    for slot in reading.slots:
        sources = [source_path(source) for source in slot.sources]
        if not is_required(slot.column) or any(source.from_root or source.up or source.is_key for source in sources):
            continue
        name = sources[0].field
        if name is not None and len(sources) == 1:
            names.add(name)
        else:
            others.append([getter(source) for source in sources])
    kind = row_kind([[source_path(source) for source in slot.sources] for slot in reading.slots])
    return frozenset(names), others, kind


def _is_there(choices: list[Getter], row: Any) -> bool:
    try:
        return any(not is_absent(get(None, Row("", row, ()))) for get in choices)
    except Unreachable:
        return False


def _rows(text: str, start: _Start) -> Iterator[tuple[Any, int, int]]:
    """The rows that are whole in the head, each with where it begins and ends; of an object of rows the first one."""
    assert start.at is not None
    at = start.at
    while True:
        try:
            row, end = EXACT.raw_decode(text, at)
        except (json.JSONDecodeError, RecursionError):
            return
        if end == len(text) and start.kinds:
            return  # a number may go on
        yield row, at, end
        comma = _COMMA.match(text, end)
        if comma is None or start.kinds[-1:] != "[":
            return
        at = comma.end()


def _chunks(file: PayloadFile) -> Iterator[bytes]:
    with file.path.open("rb") as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            yield chunk


@by_identity
def _looked_for(reading: Reading) -> tuple[bool, bool]:
    """Whether ``true`` and ``false`` matter, and long numbers."""
    return reads_doubles(reading), any(slot.column.decimal_shape for slot in reading.slots)


class _Marks:
    """What is looked for in all bytes of a payload, chunk by chunk."""

    def __init__(self, reading: Reading, mark: bytes) -> None:
        self._wants_boolean, self._wants_long = _looked_for(reading)
        self._mark = mark
        self.opened = 0
        self.has_boolean = False
        self.has_long = False
        self.tail = b""

    def look_at(self, chunk: bytes) -> None:
        if self._mark:
            self.opened += chunk.count(self._mark)
        for seen in (self.tail + chunk[:_OVERLAP_BYTES], chunk) if self.tail else (chunk,):
            if self._wants_boolean and not self.has_boolean:
                self.has_boolean = holds(seen, b"true") or holds(seen, b"false")
            if self._wants_long and not self.has_long:
                self.has_long = _has_long(seen)
        self.tail = (self.tail + chunk[-_OVERLAP_BYTES:])[-_OVERLAP_BYTES:]


def _has_long(seen: bytes) -> bool:
    """Whether there is a number with more digits than every double holds, or one that is too small for a double."""
    # Of sixteen digits, with a point or without, every fourth letter shows four in a row: a quarter of the work.
    may_be_long = _SAMPLED in seen[::_STRIDE].translate(_DIGITS_AND_POINT)
    may_be_tiny = b"e-" in seen or (b"E" in seen and b"E-" in seen)
    if not may_be_long and not may_be_tiny:
        return False
    digits = seen.translate(_DIGITS, b".")
    return (_LONG in digits and _LONG_NUMBER.search(digits) is not None) or (
        _TINY in digits and _TINY_NUMBER.search(digits) is not None
    )

"""Sectioned text: several tables one under the other, or rows that stand under headings.

What is in it, as seen: Ken French's data library (prose, then tables, each with a title, a header whose first field has
no name, rows, blank lines; a copyright line at the end), metadata of Statistics Canada (tables of other fields with a
blank line between), the daily NAV file of AMFI (one header, then headings of two levels between the rows, and lines of
one blank). There is no standard; each line is written as ``Csv`` says.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import chain

import attrs

from sbf_core.dataset.formats import Csv
from sbf_core.dataset.formats_of_tables import Sections
from sbf_core.errors import PayloadRefused
from sbf_core.payload.model import PayloadFile, Reading, Record, Slot
from sbf_core.payload.records_only import RecordsOnly, lines_of, places_of, short
from sbf_core.value import Value

_POSITION = re.compile(r"@\[(\d+)\]")


class SectionsReader(RecordsOnly):
    """See ``FormatReader``."""

    def records(self, reading: Reading, file: PayloadFile) -> Iterator[Record]:
        """One record a line of the wanted table that is no heading, blank or comment.

        A line with more or fewer fields than the header is ``ragged``, one whose quotes cannot be read ``quotes``.

        Raises:
            PayloadRefused: the title, the header or an end is not there, or the title twice; a declared field is
                missing; a quote is never closed; a heading fits no pattern; rows go on behind a blank line.
        """
        declared = reading.format
        assert isinstance(declared, Sections)
        lines = _Lines(lines_of(file.path, declared.csv.encoding))
        header = _header(reading, declared, lines)
        levels = [name for name, _ in declared.section_fields]
        named = [*levels, *header]
        # fields by position stand behind those by name, and lead to the same values
        places = places_of(reading.slots, [*named, *(f"@[{place}]" for place in range(len(header)))])
        places = [place if place is None or place < len(named) else place - len(header) for place in places]
        headings: list[str | None] = [None] * len(levels)
        for number, row in _rows(declared, lines, len(header)):
            if isinstance(row, _Heading):
                headings[row.level] = row.text
                if declared.nested:
                    headings[row.level + 1 :] = [None] * (len(levels) - row.level - 1)
            elif isinstance(row, str):
                yield Record(f"line {number}", (None,) * len(places), row, short(lines.raw()))
            else:
                values = [*headings, *(None if not text or text in declared.csv.null else text for text in row)]
                yield Record(f"line {number}", [None if place is None else values[place] for place in places])


@attrs.frozen
class _Heading(Value):
    """A line whose text belongs to the rows below it."""

    level: int
    text: str


class _Lines:
    """The lines of a payload, which knows how many it gave, and which since it was last asked."""

    def __init__(self, source: Iterator[str]) -> None:
        self._source = source
        self._taken: list[str] = []
        self.number = 0
        self.is_at_end = False

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        try:
            line = next(self._source)
        except StopIteration:
            self.is_at_end = True
            raise
        self.number += 1
        self._taken.append(line)
        return line

    def raw(self) -> str:
        """What was read since it was last asked."""
        text = "".join(self._taken)
        self._taken.clear()
        return text


def _header(reading: Reading, declared: Sections, lines: _Lines) -> tuple[str, ...]:
    """Go to the first row of the wanted table; the names of its fields."""
    for _ in range(declared.csv.skip_rows):
        next(lines, None)
    if declared.title and not any(_fits(line, declared.title) for line in lines):
        fix = "declare title= as the line above the header is"
        raise PayloadRefused(f"has no line like {declared.title!r}", fix=fix)
    if isinstance(declared.csv.header, tuple):
        return declared.csv.header
    wanted = [slot for slot in reading.slots if not slot.column.optional and not _is_heading(slot, declared)]
    for line in lines:
        if not line.strip() or _is_comment(declared.csv, line):
            continue
        names = tuple(name.strip() for name in _fields(declared.csv, line) or ())
        if declared.title or (names and all(_names(slot, names) for slot in wanted)):
            return names
    known = ", ".join(repr(slot.sources[0]) for slot in wanted)
    fix = "declare source= as the header names the fields now, or title= as the line above it"
    raise PayloadRefused(f"has no line that names the fields {known}", fix=fix)


def _is_heading(slot: Slot, declared: Sections) -> bool:
    return any(name in slot.sources for name, _ in declared.section_fields)


def _names(slot: Slot, names: Sequence[str]) -> bool:
    """Whether a header has a field that a slot asks for, by name or by position."""
    positions = (_POSITION.fullmatch(source) for source in slot.sources)
    return any(source in names for source in slot.sources) or any(at and int(at[1]) < len(names) for at in positions)


def _rows(declared: Sections, lines: _Lines, width: int) -> Iterator[tuple[int, list[str] | _Heading | str]]:
    """Number and fields of each row, or what else a line is: a heading, or a fault."""
    for line in lines:
        number = lines.number
        if any(_fits(line, end) for end in declared.ends):
            _check_rest(declared, lines, width=0)
            return
        if not line.strip():
            if not declared.ends and not declared.section_fields:
                _check_rest(declared, lines, width=width)
                return
        elif not _is_comment(declared.csv, line):
            yield number, _heading(declared, line, width) or _row(declared, line, lines, width)
        lines.raw()
    if declared.ends:
        fix = "it may have been cut; else declare ends= as the line behind the last row is"
        raise PayloadRefused(f"has no line like {' or '.join(map(repr, declared.ends))} behind its rows", fix=fix)


def _row(declared: Sections, line: str, lines: _Lines, width: int) -> list[str] | str:
    """The fields of a row that begins with a line, or what is wrong with it."""
    number = lines.number
    try:
        fields = next(_reader(declared.csv, chain((line,), lines)))
    except csv.Error as error:
        if lines.is_at_end:
            raise PayloadRefused(f"has a quote on line {number} that is never closed") from error
        return "quotes"
    if len(fields) == width:
        return fields
    if declared.section_fields and len(fields) == 1:
        fix = "declare its pattern in section_fields: rows below it would stand under a wrong heading"
        raise PayloadRefused(f"line {number} is no row and no heading that is known: {short(line)!r}", fix=fix)
    return "ragged"


def _heading(declared: Sections, line: str, width: int) -> _Heading | None:
    """The heading that a line is. What can be read as a row is one."""
    for level, (_, patterns) in enumerate(declared.section_fields):
        if any(_fits(line, pattern) for pattern in patterns):
            return None if len(_fields(declared.csv, line) or ()) == width else _Heading(level, line.strip())
    return None


def _check_rest(declared: Sections, lines: _Lines, *, width: int) -> None:
    """Nothing behind the table may belong to it: no row behind the blank line that ends it, no second title."""
    is_first = bool(width)
    for line in lines:
        if declared.title and _fits(line, declared.title):
            what = f"has the title {declared.title!r} again on line {lines.number}"
            raise PayloadRefused(what, fix="declare title= so that one line fits")
        if is_first and line.strip():
            is_first = False
            if len(_fields(declared.csv, line) or ()) == width:
                what = f"goes on behind a blank line with as many fields, on line {lines.number}: {short(line)!r}"
                raise PayloadRefused(what, fix="declare ends= as the line behind the last row is")


def _fields(dialect: Csv, line: str) -> list[str] | None:
    """The fields of one line; None where its quotes do not end on it."""
    try:
        return next(_reader(dialect, iter((line,))))
    except csv.Error:
        return None


def _reader(dialect: Csv, lines: Iterator[str]) -> Iterator[list[str]]:
    return csv.reader(
        lines,
        delimiter=dialect.delimiter,
        quotechar=dialect.quote or None,
        quoting=csv.QUOTE_MINIMAL if dialect.quote else csv.QUOTE_NONE,
        doublequote=dialect.escape == dialect.quote,
        escapechar="\\" if dialect.escape == "\\" else None,
        strict=True,
    )


def _is_comment(dialect: Csv, line: str) -> bool:
    return bool(dialect.comment) and line.startswith(dialect.comment)


def _fits(line: str, pattern: str) -> bool:
    return _expression(pattern.strip()).fullmatch(line.strip()) is not None


@cache
def _expression(pattern: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(part) for part in pattern.split("*")), flags=re.DOTALL)


READER = SectionsReader()

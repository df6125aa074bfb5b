"""Formats of tables beside CSV and Parquet, as declared on a dataset: fixed width, sheets, texts of several tables.

``DatasetKeymapEntry(format=FixedWidth(fields=(("station", 0, 11), ("year", 11, 15))))``. How each is read is told in
``sbf_core/payload``, one module a format.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import attrs

from sbf_core.dataset.formats import Csv, check_encoding, check_marks
from sbf_core.errors import UsageError
from sbf_core.value import Value
from sbf_core.vocabulary import texts

_CELLS = re.compile(r"\$?([A-Z]{1,3})\$?([1-9]\d{0,6})(?::\$?([A-Z]{1,3})(?:\$?([1-9]\d{0,6}))?)?")


def _spans(value: Iterable[Iterable[Any]]) -> tuple[tuple[str, int, int | None], ...]:
    spans = tuple(tuple(each) for each in value)
    if any(len(each) not in (2, 3) for each in spans):
        raise UsageError(
            "a field of fixed width is a name, a start and an end",
            fix='fields=(("station", 0, 11), ("year", 11, 15))',
            code="FORMAT",
        )
    return tuple((each[0], each[1], each[2] if len(each) == 3 else None) for each in spans)


def _header(value: int | Iterable[str]) -> int | tuple[str, ...]:
    return value if isinstance(value, int) else texts(value)


def _sheet(value: str | int) -> str | int:
    """As it is: from TOML, too, where a union has no other way in."""
    return value


def _levels(
    value: Mapping[str, str | Iterable[str]] | Iterable[tuple[str, str | Iterable[str]]],
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    pairs = value.items() if isinstance(value, Mapping) else value
    return tuple((name, (patterns,) if isinstance(patterns, str) else tuple(patterns)) for name, patterns in pairs)


def _patterns(value: str | Iterable[str]) -> tuple[str, ...]:
    return ((value,) if value else ()) if isinstance(value, str) else tuple(value)


@attrs.frozen(kw_only=True)
class FixedWidth(Value):
    """Lines whose fields stand at declared places, as in GHCN-Daily (readme.txt, section III) or EDGAR's form index.

    Widths are never inferred. Blanks that pad a field mean nothing, and a field of only blanks has no value. Characters
    that no field covers are gaps and must be blank:
    a text that reaches into one has shifted all fields behind it, and its row is rejected.

    Attributes:
        fields: name, start and end of each field in order, counted in characters (not bytes) from 0, the end not
            included; the last may go without an end: to the end of the line.
        after: the rows begin behind the first line that begins with this text, e.g. a rule ``-----``; empty: there is
            no such line.
        skip_rows: lines above the first row, or below ``after``.
        footer_rows: lines below the last row, blank ones not counted.
        encoding: name of the encoding; a byte order mark of UTF-8 is taken off.
        null: texts that mean "no value" in every field, beside each column's own ``missing``.
        decimal, thousands: marks in numbers.
    """

    kind: ClassVar[str] = "fixed_width"
    fields: tuple[tuple[str, int, int | None], ...] = attrs.field(converter=_spans)
    after: str = ""
    skip_rows: int = 0
    footer_rows: int = 0
    encoding: str = "utf-8"
    null: tuple[str, ...] = attrs.field(default=(), converter=texts)
    decimal: str = "."
    thousands: str = ""

    def __attrs_post_init__(self) -> None:
        names = [name for name, _, _ in self.fields]
        if not names or len(set(names)) != len(names) or "" in names:
            raise UsageError(
                f"fields of fixed width need names of their own: {names}",
                fix='fields=(("station", 0, 11), ("year", 11, 15))',
                code="FORMAT",
            )
        reached = 0
        for place, (name, start, end) in enumerate(self.fields):
            is_last = place == len(self.fields) - 1
            if start < reached or (end is None and not is_last) or (end is not None and end <= start):
                raise UsageError(
                    f"field {name!r} stands at {start} to {end}, before or across the one before it, or holds nothing",
                    fix="write them from left to right",
                    code="FORMAT",
                )
            reached = start if end is None else end
        _check_rows(self.skip_rows, self.footer_rows)
        check_encoding(self.encoding)
        check_marks(self.decimal, self.thousands)


@attrs.frozen(kw_only=True)
class Excel(Value):
    """One sheet of a workbook: ``.xlsx``, ``.xls``, ``.xlsb`` (ECMA-376, MS-XLS, MS-XLSB) or ``.ods``
    (OpenDocument 1.3). Needs ``pip install 'sbf[excel]'``.

    Unnamed fields are called by their place: ``@[0]`` is the first.

    Attributes:
        sheet: its name, or its number from 1; empty: the only one that the workbook has.
        header: number of the row, as the sheet counts it, that names the fields; or the names, where there is no such
            row.
        cells: the area that holds header and rows, e.g. ``B4:H200`` or ``B4:H`` (to the last row); empty: the whole
            sheet.
        footer_rows: rows below the last one, blank ones not counted.
        null: texts that mean "no value" in every field, beside each column's own ``missing``.
        decimal, thousands: marks of numbers that stand as texts; cells that are numbers have none.
    """

    kind: ClassVar[str] = "excel"
    sheet: str | int = attrs.field(default="", converter=_sheet)
    header: int | tuple[str, ...] = attrs.field(default=1, converter=_header)
    cells: str = ""
    footer_rows: int = 0
    null: tuple[str, ...] = attrs.field(default=(), converter=texts)
    decimal: str = "."
    thousands: str = ""

    def __attrs_post_init__(self) -> None:
        if isinstance(self.sheet, bool) or (isinstance(self.sheet, int) and self.sheet < 1):
            raise UsageError(
                f"sheet {self.sheet!r} is no name and no number from 1", fix='sheet="Data" or sheet=1', code="FORMAT"
            )
        if isinstance(self.header, int) and (isinstance(self.header, bool) or self.header < 1):
            raise UsageError(
                f"header {self.header!r} is no number of a row",
                fix='header=4, or header=("date", "rate") where no row names the fields',
                code="FORMAT",
            )
        first_row, first_column, last_row, last_column = self.area
        if (
            last_row < first_row
            or last_column < first_column
            or (isinstance(self.header, int) and not first_row <= self.header - 1 <= last_row)
        ):
            raise UsageError(
                f"cells {self.cells!r} end before they begin, or do not hold row {self.header} with the header",
                fix='cells="B4:H200", header=4',
                code="FORMAT",
            )
        _check_rows(0, self.footer_rows)
        check_marks(self.decimal, self.thousands)

    @property
    def area(self) -> tuple[int, int, int, int]:
        """First row, first column, last row and last column of the wanted cells, from 0; what is open is far away."""
        if not self.cells:
            return 0, 0, _FAR, _FAR
        match = _CELLS.fullmatch(self.cells.upper())
        if match is None:
            raise UsageError(
                f"cells {self.cells!r} are no area",
                fix='write cells="B4:H200", or cells="B4:H" for all rows from 4 on',
                code="FORMAT",
            )
        last_row = int(match[4]) - 1 if match[4] else _FAR
        return int(match[2]) - 1, _column_number(match[1]), last_row, _column_number(match[3]) if match[3] else _FAR


#: More rows and columns than a sheet can have.
_FAR = 1 << 30


def _column_number(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1


@attrs.frozen(kw_only=True)
class Sections(Value):
    """One table of a text that holds several one under the other, or one whose rows stand under headings.

    Patterns are whole lines, blanks at both ends not counted, in which ``*`` stands for anything. The header is the
    line behind ``title``; without a title it is the
    first line that names every declared field. Fields without a name are called by their place: ``@[0]`` is the first.

    Attributes:
        csv: how its lines are written; ``header`` names the fields where no line does, then the rows begin behind
            ``title``.
        title: the line above the table's header.
        ends: the lines behind which nothing belongs to the table, e.g. the next title; one of them must be there. Where
            none is declared the table ends at the first blank
            line, or with ``section_fields`` at the end of the payload.
        section_fields: names of fields that stand once above the rows that they belong to, outermost first, with the
            patterns of their lines:
            ``{"category": "Open Ended*", "fund_house": "*Mutual Fund"}``.
        nested: a section field clears those behind it; else each stands until the next line of its own patterns.
    """

    kind: ClassVar[str] = "sections"
    csv: Csv = attrs.Factory(Csv)
    title: str = ""
    ends: tuple[str, ...] = attrs.field(default=(), converter=_patterns)
    section_fields: tuple[tuple[str, tuple[str, ...]], ...] = attrs.field(default=(), converter=_levels)
    nested: bool = True

    def __attrs_post_init__(self) -> None:
        if self.csv.footer_rows:
            raise UsageError(
                "a section ends at a line, not at a number of lines from the end of the payload",
                fix='ends="Copyright*"',
                code="FORMAT",
            )
        names = [name for name, _ in self.section_fields]
        if len(set(names)) != len(names) or "" in names or not all(patterns for _, patterns in self.section_fields):
            raise UsageError(
                f"section fields need names of their own, and patterns: {names}",
                fix='section_fields={"fund_house": "*Mutual Fund"}',
                code="FORMAT",
            )

    @property
    def decimal(self) -> str:
        """The mark in numbers."""
        return self.csv.decimal

    @property
    def thousands(self) -> str:
        """The mark in long numbers."""
        return self.csv.thousands


def _check_rows(skip_rows: int, footer_rows: int) -> None:
    if skip_rows < 0 or footer_rows < 0:
        raise UsageError("skip_rows and footer_rows cannot be negative", code="FORMAT")

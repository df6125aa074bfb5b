"""Sheets of workbooks, read by python-calamine: ``.xlsx`` (ECMA-376 part 1), ``.xls`` (MS-XLS), ``.xlsb`` (MS-XLSB) and
``.ods`` (OpenDocument 1.3).

What is in it: cells that hold a double, a text, a truth value or an error; a date is a double whose number format shows
days, counted from 1900 or 1904 as the workbook says (ECMA-376 part 1, 18.17.4.1). So a number becomes the shortest text
that is that double again (``0.3`` for 0.299999999999999988), not what the screen shows, and a moment is exact to the
millisecond. An empty cell has no value. In ``.xlsx`` an error is its text (``#N/A``), and a formula that was never
calculated is told; in the other forms both are empty cells to the library. In ``.ods`` a duration from 24 hours on is
its ISO 8601 text, and tabs and line breaks within a cell are lost.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree.ElementTree import ParseError
from zipfile import BadZipFile

import attrs

from sbf_core.dataset.columns import MOMENTS
from sbf_core.dataset.formats_of_tables import Excel
from sbf_core.errors import PayloadRefused, UsageError
from sbf_core.payload.excel_xlsx import NOT_CALCULATED, Unseen, look_into, without_false_dates
from sbf_core.payload.model import Digits, Look, PayloadFile, Reading, Record, Slot
from sbf_core.payload.records_only import RecordsOnly, places_of, short, without_last
from sbf_core.value import Entity, Value

if TYPE_CHECKING:
    from python_calamine import CalamineSheet, CalamineWorkbook

_ZIP, _COMPOUND = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
#: From here on a double cannot tell each whole number from the next.
_EXACT_END = 2**53
#: Days 59 and 60 of 1900 are both read as this one, and only the first exists.
_DOUBTFUL_DAY = dt.date(1900, 2, 28)


class ExcelReader(RecordsOnly):
    """See ``FormatReader``."""

    def look(self, reading: Reading, file: PayloadFile, payload: bytes | None, *, staging: Path) -> Look:
        """A workbook is a zip or a compound file; pages and CSV that are only named so are refused."""
        with file.path.open("rb") as stream:
            head = stream.read(8)
        if not head.startswith((_ZIP, _COMPOUND)):
            raise PayloadRefused(f"is no workbook but starts with {head!r}")
        return super().look(reading, file, payload, staging=staging)

    def records(self, reading: Reading, file: PayloadFile) -> Iterator[Record]:
        """One record a row that is not blank. A merged cell's value is that of all cells that it covers.

        A row is ``beyond_exact`` where a wanted cell is a whole number of 2**53 or more and the column is no DOUBLE,
        ``not_calculated`` where it is a formula without a result, ``no_such_day`` where it is day 59 or 60 of 1900,
        ``no_text`` where it holds a zero character (the library misread an old ``.xls``), each with the column's name,
        and ``ragged`` where it has cells behind the declared names.

        Raises:
            PayloadRefused: it is no workbook that can be read, the sheet is not there, or a declared field is missing.
            UsageError: python-calamine is not installed.
        """
        declared = reading.format
        assert isinstance(declared, Excel)
        try:
            from python_calamine import CalamineError, CalamineWorkbook
        except ImportError as error:
            raise UsageError(
                "workbooks cannot be read here", fix="pip install 'sbf[excel]'", code="NO_EXCEL"
            ) from error
        try:
            with CalamineWorkbook.from_object(without_false_dates(file.path) or str(file.path)) as book:
                name = _sheet_name(declared, book)
                unseen = look_into(file.path, name)
                sheet = _Sheet(reading, declared, book.get_sheet_by_name(name), unseen)
        except (CalamineError, BadZipFile, ParseError, KeyError, EOFError) as error:
            raise PayloadRefused(f"is no workbook that can be read: {error}") from error
        yield from sheet.records()


def _sheet_name(declared: Excel, book: CalamineWorkbook) -> str:
    from python_calamine import SheetTypeEnum

    names = [sheet.name for sheet in book.sheets_metadata if sheet.typ == SheetTypeEnum.WorkSheet]
    known = ", ".join(repr(name) for name in names) or "none"
    if isinstance(declared.sheet, int):
        if declared.sheet > len(names):
            raise PayloadRefused(f"has no sheet {declared.sheet}; it has {known}", fix="declare sheet= as one of them")
        return names[declared.sheet - 1]
    if declared.sheet and declared.sheet not in names:
        raise PayloadRefused(f"has no sheet {declared.sheet!r}; it has {known}", fix="declare sheet= as one of them")
    if not declared.sheet and len(names) != 1:
        raise PayloadRefused(f"has {len(names)} sheets: {known}", fix="declare sheet= as one of them")
    return declared.sheet or names[0]


@attrs.frozen
class _Row(Value):
    """A row of the wanted area: its number in the sheet, from 0, and its cells."""

    number: int
    cells: list[Any]


class _Sheet:
    """The rows of one sheet within the declared area."""

    def __init__(self, reading: Reading, declared: Excel, sheet: CalamineSheet, unseen: Unseen) -> None:
        self._slots, self._declared, self._name = reading.slots, declared, sheet.name
        self._top, self._left, self._bottom, self._right = declared.area
        self._sheet, self._unseen = sheet, unseen
        self._merged = _merged(sheet)

    def records(self) -> Iterator[Record]:
        """Every row below the header."""
        rows = self._rows()
        header = self._header(rows)
        width = len(header)
        # fields by position stand behind those by name
        places = places_of(self._slots, [*header, *(f"@[{place}]" for place in range(width))])
        places = [place if place is None or place < width else place - width for place in places]
        is_named_here = isinstance(self._declared.header, tuple)
        for row in without_last((row for row in rows if not _is_blank(row.cells)), self._declared.footer_rows):
            if is_named_here and not _is_blank(row.cells[width:]):
                yield self._faulty(row, "ragged")
            else:
                yield self._record(row, places)

    def _rows(self) -> Iterator[_Row]:
        """The rows of the area, merged cells filled, in full width."""
        start = self._sheet.start
        if start is None:
            return
        before = [""] * start[1]
        for number, cells in enumerate(self._sheet.iter_rows()):
            if number > self._bottom:
                return
            full = [*before, *cells]
            for column, text in self._unseen.get(number, {}).items():
                full.extend([""] * (column + 1 - len(full)))
                full[column] = text
            self._fill(number, full)
            if number >= self._top:
                yield _Row(number, full[self._left : self._right + 1])

    def _fill(self, number: int, cells: list[Any]) -> None:
        """Give the value of each merged cell to all that it covers in a row."""
        for area in self._merged.get(number, ()):
            cells.extend([""] * (area.right + 1 - len(cells)))
            if number == area.top:
                area.value = cells[area.left]
            cells[area.left : area.right + 1] = [area.value] * (area.right + 1 - area.left)

    def _header(self, rows: Iterator[_Row]) -> list[str]:
        if isinstance(self._declared.header, tuple):
            return list(self._declared.header)
        wanted = self._declared.header - 1
        row = next((row for row in rows if row.number == wanted), None)
        if row is None or _is_blank(row.cells):
            fix = "declare header= as the number of the row that names the fields"
            raise PayloadRefused(f"has nothing in row {wanted + 1} of sheet {self._name!r}", fix=fix)
        return [_text(cell, is_moment=False).strip() for cell in row.cells]

    def _record(self, row: _Row, places: Sequence[int | None]) -> Record:
        values: list[str | None] = []
        for slot, place in zip(self._slots, places, strict=True):
            cell = "" if place is None or place >= len(row.cells) else row.cells[place]
            fault = _fault(cell, slot)
            if fault:
                return self._faulty(row, f"{fault}:{slot.column.name}")
            text = _text(cell, is_moment=slot.column.type in MOMENTS)
            values.append(None if not text or text in self._declared.null else text)
        return Record(self._place(row), values)

    def _faulty(self, row: _Row, fault: str) -> Record:
        raw = " | ".join(_text(cell, is_moment=False) for cell in row.cells)
        return Record(self._place(row), (None,) * len(self._slots), fault, short(raw))

    def _place(self, row: _Row) -> str:
        return f"sheet {self._name!r} row {row.number + 1}"


@attrs.define(eq=False)
class _Merged(Entity):
    """A merged cell: where it is, and the value of its first cell."""

    top: int
    left: int
    right: int
    value: Any = ""


def _merged(sheet: CalamineSheet) -> dict[int, list[_Merged]]:
    """The merged cells by the rows that they cover; none where the form does not tell."""
    areas_by_row: dict[int, list[_Merged]] = {}
    for (top, left), (bottom, right) in sheet.merged_cell_ranges or ():
        area = _Merged(top, left, right)
        for number in range(top, min(bottom, sheet.total_height) + 1):
            areas_by_row.setdefault(number, []).append(area)
    return areas_by_row


def _is_blank(cells: Sequence[Any]) -> bool:
    return all(isinstance(cell, str) and not cell.strip() for cell in cells)


def _fault(cell: Any, slot: Slot) -> str:
    if cell is NOT_CALCULATED:
        return "not_calculated"
    if isinstance(cell, str):
        return "no_text" if "\0" in cell else ""
    if isinstance(cell, bool):
        return ""
    if isinstance(cell, (int, float)) and abs(cell) >= _EXACT_END and slot.column.type != "DOUBLE":
        return "beyond_exact"
    day = cell.date() if isinstance(cell, dt.datetime) else cell
    return "no_such_day" if day == _DOUBTFUL_DAY else ""


def _text(cell: Any, *, is_moment: bool) -> str:
    """A cell as text: what is a date stays one, but for a moment its midnight is written out."""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, (int, float)):
        return Digits(_number(cell))
    if isinstance(cell, dt.datetime):
        return cell.isoformat()
    if isinstance(cell, dt.date):
        return f"{cell.isoformat()}T00:00:00" if is_moment else cell.isoformat()
    if isinstance(cell, dt.timedelta):
        return _duration(cell)
    return cell.isoformat() if isinstance(cell, dt.time) else str(cell)


def _number(cell: float) -> str:
    """The shortest digits that are this double again; without an exponent where they are few."""
    digits = repr(float(cell)) if abs(cell) < _EXACT_END else repr(cell)
    exact = Decimal(digits)
    if not exact:
        return "0"
    text = format(exact, "f") if -20 < exact.adjusted() < 22 else digits
    return text.rstrip("0").rstrip(".") if "." in text and "e" not in text else text


def _duration(cell: dt.timedelta) -> str:
    """Hours beyond 24, minutes and seconds, as a format such as ``[h]:mm:ss`` shows them."""
    milliseconds = round(cell / dt.timedelta(milliseconds=1))
    sign, milliseconds = ("-", -milliseconds) if milliseconds < 0 else ("", milliseconds)
    seconds, rest = divmod(milliseconds, 1000)
    text = f"{sign}{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return f"{text}.{rest:03}" if rest else text


READER = ExcelReader()

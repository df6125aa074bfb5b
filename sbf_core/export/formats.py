"""Files of each format, written whole: Parquet and CSV by the engine, Arrow by nanoarrow, workbooks by XlsxWriter."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import duckdb

from sbf_core.duck.identifiers import literal
from sbf_core.errors import UsageError
from sbf_core.export.columns import Column
from sbf_core.value import Value

_ROWS_AT_ONCE = 10_000
_NUMBER = re.compile(r"DOUBLE|FLOAT|U?(TINY|SMALL|BIG)?INT(EGER)?|DECIMAL\(\d+,\d+\)")
#: What a sheet holds, see "Excel specifications and limits" of Microsoft.
_SHEET_ROWS_MAX, _CELL_CHARACTERS_MAX, _DIGITS_MAX = 1_048_576, 32_767, 15
#: Before this day a workbook counts a 29 February 1900 that never was.
_FIRST_DAY = dt.date(1900, 3, 1)


@attrs.frozen(kw_only=True)
class Written(Value):
    """What was written.

    Attributes:
        rows: how many.
        notes: what a reader has to know of the values.
    """

    rows: int
    notes: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class Wanted(Value):
    """What is to be written.

    Attributes:
        select: the rows, as SQL without parameters.
        columns: of them.
        metadata: what is said of them, for formats that keep it, by its name.
    """

    select: str
    columns: Sequence[Column]
    metadata: Mapping[str, str]


def parquet(conn: duckdb.DuckDBPyConnection, wanted: Wanted, file: Path) -> Written:
    """Parquet, compressed by zstd; what is said of the rows stands in its metadata."""
    said = ", ".join(f"{literal(name)}: {literal(text)}" for name, text in wanted.metadata.items())
    options = (
        f"FORMAT parquet, COMPRESSION zstd, KV_METADATA {{{said}}}" if said else "FORMAT parquet, COMPRESSION zstd"
    )
    return _copied(conn, wanted, file, options)


def csv(conn: duckdb.DuckDBPyConnection, wanted: Wanted, file: Path) -> Written:
    """CSV as RFC 4180 has it, in UTF-8, moments in UTC. Nothing between two commas is NULL, ``""`` an empty text."""
    return _copied(conn, wanted, file, "FORMAT csv, HEADER true, DELIMITER ',', QUOTE '\"', ESCAPE '\"', NULLSTR ''")


def _copied(conn: duckdb.DuckDBPyConnection, wanted: Wanted, file: Path, options: str) -> Written:
    ((rows,),) = conn.execute(f"COPY ({wanted.select}) TO {literal(str(file))} ({options})").fetchall()
    return Written(rows=rows)


def arrow(conn: duckdb.DuckDBPyConnection, wanted: Wanted, file: Path) -> Written:
    """Arrow's IPC stream: ``pyarrow.ipc.open_stream`` and ``polars.read_ipc_stream`` read it.

    Raises:
        UsageError: nanoarrow is not installed.
    """
    try:
        import nanoarrow
        from nanoarrow import ipc
    except ImportError:
        fix = 'pip install "sbf[arrow]"'
        raise UsageError("Arrow files need a library", fix=fix, code="LIBRARY_MISSING") from None
    ((rows,),) = conn.execute(f"SELECT count(*) FROM ({wanted.select}) AS r").fetchall()
    stream = nanoarrow.c_array_stream(conn.sql(wanted.select))
    with ipc.StreamWriter.from_path(str(file)) as writer:
        writer.write_stream(stream)
    return Written(rows=rows)


def xlsx(conn: duckdb.DuckDBPyConnection, wanted: Wanted, file: Path) -> Written:
    """A workbook of one sheet.

    Raises:
        UsageError: XlsxWriter is not installed, or a cell cannot hold a value as it is.
    """
    try:
        import xlsxwriter
    except ImportError:
        fix = 'pip install "sbf[excel]"'
        raise UsageError("workbooks need a library", fix=fix, code="LIBRARY_MISSING") from None
    options: dict[str, Any] = {"constant_memory": True, "strings_to_numbers": False, "strings_to_formulas": False}
    options |= {"strings_to_urls": False, "tmpdir": str(file.parent), "remove_timezone": True}
    rows = 0
    with xlsxwriter.Workbook(str(file), options) as book:
        sheet = book.add_worksheet("rows")
        day, moment = (book.add_format({"num_format": shape}) for shape in ("yyyy-mm-dd", "yyyy-mm-dd hh:mm:ss.000"))
        sheet.write_row(0, 0, [column.name for column in wanted.columns])
        writers = [_cell_writer(sheet, column, day, moment) for column in wanted.columns]
        result = conn.execute(wanted.select)
        while batch := result.fetchmany(_ROWS_AT_ONCE):
            for row in batch:
                rows += 1
                if rows >= _SHEET_ROWS_MAX:
                    raise UsageError(
                        f"a sheet holds {_SHEET_ROWS_MAX - 1:,} rows and a header, and there are more",
                        fix="give a SELECT of fewer, or use --format parquet", code="EXPORT",
                    )  # fmt: skip
                for place, value in enumerate(row):
                    if value is not None:
                        writers[place](rows, place, value)
    has_floats = any(column.type in ("DOUBLE", "FLOAT") for column in wanted.columns)
    zoned = any(column.type == "TIMESTAMP WITH TIME ZONE" for column in wanted.columns)
    notes = ["numbers of DOUBLE and FLOAT columns have 16 digits in the workbook"] if has_floats else []
    notes += ["moments are in UTC"] if zoned else []
    return Written(rows=rows, notes=tuple(notes))


def _cell_writer(sheet: Any, column: Column, day: Any, moment: Any) -> Callable[[int, int, Any], None]:
    """Writes values of a column, or refuses the first that a cell would change."""

    def refuse(what: str) -> UsageError:
        cast = f"CAST({column.name} AS VARCHAR) AS {column.name}"
        return UsageError(f"column {column.name!r}: {what}", fix=f"give a SELECT with {cast}", code="EXPORT")

    def text(row: int, place: int, value: Any) -> None:
        if len(str(value)) > _CELL_CHARACTERS_MAX:
            raise refuse(f"a cell holds {_CELL_CHARACTERS_MAX:,} characters, and a text has more")
        sheet.write_string(row, place, str(value))

    def number(row: int, place: int, value: Any) -> None:
        if isinstance(value, float) and not math.isfinite(value):
            raise refuse(f"a cell holds no {value}")
        if not isinstance(value, float) and len(Decimal(value).normalize().as_tuple().digits) > _DIGITS_MAX:
            raise refuse(f"a cell holds {_DIGITS_MAX} digits, and {value} has more")
        sheet.write_number(row, place, value)

    def of_day(row: int, place: int, value: Any) -> None:
        first = _FIRST_DAY if type(value) is dt.date else dt.datetime.combine(_FIRST_DAY, dt.time(), value.tzinfo)
        if value < first:
            raise refuse(f"a workbook counts days from {_FIRST_DAY} on, and {value} is before")
        if type(value) is dt.datetime and value.microsecond % 1000:
            raise refuse(f"a workbook shows milliseconds, and {value} has more")
        sheet.write_datetime(row, place, value, day if type(value) is dt.date else moment)

    if column.type == "BOOLEAN":
        return lambda row, place, value: sheet.write_boolean(row, place, value) and None
    if column.type in ("DATE", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE"):
        return of_day
    if column.type in ("VARCHAR", "JSON", "UUID") or column.type.startswith("ENUM("):
        return text
    if _NUMBER.fullmatch(column.type):
        return number
    raise refuse(f"a cell holds no {column.type}")


#: The formats that there are.
FORMATS: Mapping[str, Callable[[duckdb.DuckDBPyConnection, Wanted, Path], Written]] = {
    "parquet": parquet, "csv": csv, "arrow": arrow, "xlsx": xlsx,
}  # fmt: skip
#: How their files end.
ENDINGS = {"parquet": ".parquet", "csv": ".csv", "arrow": ".arrows", "xlsx": ".xlsx"}

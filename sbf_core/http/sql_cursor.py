"""Whether the column that a cursor goes by can be compared with what the cursor is written as."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from pathlib import Path

import attrs

from sbf_core.dataset.columns import EPOCH_UNITS, Column
from sbf_core.dataset.cursor import Cursor
from sbf_core.duck.parquet_writer import Field, texts_of
from sbf_core.failures import FailureKind
from sbf_core.http.sql_query import QueryFailure

_MOMENTS = ("TIMESTAMP", "TIMESTAMP_NS", "TIMESTAMP WITH TIME ZONE")
_WHOLE = ("INTEGER", "BIGINT", "UINTEGER", "UBIGINT")
_SHORT = ("TINYINT", "SMALLINT", "UTINYINT", "USMALLINT")
_DECIMAL = re.compile(r"DECIMAL\(\d+,0\)")
_ISO = str(attrs.fields_dict(Cursor)["format"].default)


def check_moments(cursor: Cursor, column: Column, fields: Sequence[Field], file: Path) -> None:
    """Raise ``QueryFailure`` unless the query compares like with like: else rows were missed in silence.

    Args:
        cursor: as it is declared.
        column: the column that it goes by.
        fields: of the answer.
        file: the answer.
    """
    field = _field(column, fields)
    if field is None:  # what a payload lacks is said when it is read
        return
    if field.type not in (*_MOMENTS, *_WHOLE, "VARCHAR"):
        raise _wrong(f"is a {field.type}, which is no moment", "name a column with the moment of a change")
    if field.type in _MOMENTS and cursor.format != _ISO:
        raise _wrong(f"is a {field.type}", "leave the format of the cursor out")
    if field.type in _WHOLE and cursor.format not in EPOCH_UNITS:
        raise _wrong(f"is a {field.type}", 'say what it counts: Cursor(by="moment", format="s", ...)')
    if field.type in ("TIMESTAMP", "TIMESTAMP_NS", "VARCHAR") and column.zone not in ("", "UTC"):
        fix = f'give it in UTC, in the SELECT and beside {{cursor}}, and declare zone="UTC" for {column.name}'
        raise _wrong(f"is of {column.zone}, and a cursor is in UTC", fix)
    for text in texts_of(file, field.name) if field.type == "VARCHAR" else ():
        if not _is_written(text, cursor.format):
            fix = "write its format into the cursor, or convert the texts in the query, so that both are alike"
            raise _wrong(f"holds {text!r:.60}, and the cursor is written as {cursor.format}", fix)


def check_numbers(kind: str, column: Column, fields: Sequence[Field]) -> None:
    """Raise ``QueryFailure`` unless the column of a cursor that is a number holds whole numbers: texts have another
    order, and databases compare them with numbers each in their own way.

    Args:
        kind: which database; the values of SQLite have a type each, and are looked at when they come.
        column: the column that the cursor goes by.
        fields: of the answer.
    """
    field = _field(column, fields)
    if field is None or kind == "sqlite" or field.type in (*_WHOLE, *_SHORT) or _DECIMAL.fullmatch(field.type):
        return
    raise no_number(column.name, f"is a {field.type}, which is no whole number")


def no_number(name: str, what: str) -> QueryFailure:
    """The failure where the column of a cursor that is a number holds something else."""
    fix = f"give numbers, in the SELECT and beside {{cursor}}: CAST({name} AS BIGINT) AS {name}"
    return _wrong(what, fix)


def names_of(column: Column) -> frozenset[str]:
    """The names, in small letters, that a column may have in an answer."""
    return frozenset(name.lower() for name in column.source_names)


def _field(column: Column, fields: Sequence[Field]) -> Field | None:
    sources = names_of(column)
    return next((one for one in fields if one.name.lower() in sources), None)


def _is_written(text: str, form: str) -> bool:
    """Texts sort as moments do only where all are written alike."""
    if form in EPOCH_UNITS:
        return text.isascii() and text.isdigit()
    try:
        return dt.datetime.strptime(text, form).strftime(form) == text  # noqa: DTZ007 - a text is looked at
    except ValueError:
        return False


def _wrong(what: str, fix: str) -> QueryFailure:
    return QueryFailure(FailureKind.QUERY, f"the column of the cursor {what}", fix=fix)

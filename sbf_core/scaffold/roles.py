"""Which columns of rows are the key, and which one is the date of a row."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from sbf_core.errors import UsageError, nearest
from sbf_core.scaffold.guess import ENOUGH, GuessedColumn

_ROW_DATES = (
    "date",
    "day",
    "time",
    "timestamp",
    "datum",
    "fecha",
    "data",
    "as_of",
    "asof",
    "observation_date",
    "valid_for",
    "exchangedate",
    "end_of_day",
    "trade_date",
)
#: Words of columns that name what a row is about, the surest first.
_CODES = re.compile(r"(?:^|_)(?:id|code|codigo|symbol|ticker|currency|ccy|cc|cur|isin|cusip|cik|series|key|iso)(?:_|$)")
_IDENTIFIERS = re.compile(
    r"(?:^|_)(?:country|name|no|nr|station|account|maturity|tenor|place|region|city|state|devise|moneda|"
    r"date|day|year|month|quarter|period|type|kind)(?:_|$)"
)


def with_roles(
    columns: list[GuessedColumn],
    rows: Sequence[Mapping[str, Any]],
    *,
    key: Sequence[str] = (),
    row_date: str = "",
    where: str,
    needs_day: bool = False,
) -> list[GuessedColumn]:
    """The columns with their key and the date of a row.

    Args:
        columns: as guessed.
        rows: the rows.
        key: names of the key columns, where they are known; in silver or the vendor's.
        row_date: the same of the date.
        where: the address or file.
        needs_day: the address asks for days, so that a row should have one.

    Raises:
        UsageError: a name is not known, the key is not unique, or none can be found.
    """
    named = [_named(columns, name, "--key", where) for name in key]
    day, sure = (_named(columns, row_date, "--row-date", where), True) if row_date else _row_date(columns)
    if day is not None and not day.is_time:
        raise UsageError(
            f"{day.name} is no date: {day.example!r}", where=where, fix="name another with --row-date", code="ROW_DATE"
        )
    if named:
        _check_key(named, rows, where)
        chosen = named
    else:
        chosen = _key(columns, rows, day if sure else None) or (
            _key(columns, rows, day) if day is not None and not sure else []
        )
        if not chosen:
            fix = "name the columns with --key a,b, or --kind custom"
            raise UsageError(
                "no key can be found: no one to three columns make a row unique", where=where, fix=fix, code="NO_KEY"
            )
        if day is not None and not sure and day not in chosen:
            # a date among others, such as that of a listing; one that tells rows apart is likelier
            timed = [column for column in chosen if column.is_time]
            day = timed[0] if len(timed) == 1 else None
    doubts = {} if named else _key_doubts(chosen, len(rows), day)
    marked = []
    for column in columns:
        is_key, is_day = column in chosen, day is not None and column.name == day.name
        more = [
            *([doubts[column.name]] if column.name in doubts else []),
            *(["the date of the row?"] if is_day and not sure else []),
        ]
        marked.append(
            attrs.evolve(
                column,
                key=is_key,
                row_date=is_day,
                nullable=column.nullable and not is_key,
                doubts=(*column.doubts, *more),
            )
        )
    return marked


def _check_key(named: Sequence[GuessedColumn], rows: Sequence[Mapping[str, Any]], where: str) -> None:
    """Raise ``UsageError`` where columns that were named as the key do not make a row unique."""
    double = _double(rows, [column.source for column in named])
    if double is not None:
        what = f"{', '.join(column.name for column in named)} does not make a row unique: {double} comes twice"
        raise UsageError(what, where=where, fix="name more columns with --key", code="KEY")


def _key_doubts(chosen: Sequence[GuessedColumn], count: int, day: GuessedColumn | None) -> dict[str, str]:
    """Why the key may be another, by column."""
    if count < ENOUGH:
        return {chosen[-1].name: f"the key is unique in the {count} rows of the sample"}
    odd = [column for column in chosen if column is not day and _rank(column) == _ODD]
    return {column.name: "part of the key because nothing else makes a row unique?" for column in odd}


def _named(columns: list[GuessedColumn], name: str, option: str, where: str) -> GuessedColumn:
    column = next((column for column in columns if name in (column.name, column.source)), None)
    if column is None:
        known = [column.name for column in columns]
        raise UsageError(
            f"{option}: there is no column {name!r}",
            where=where,
            fix=nearest(name, known) or "columns are " + ", ".join(known),
            code="COLUMN",
        )
    return column


def _row_date(columns: list[GuessedColumn]) -> tuple[GuessedColumn | None, bool]:
    days = [column for column in columns if column.is_time]
    for column in days:
        if column.name in _ROW_DATES:
            return column, True
    return (days[0], False) if days else (None, False)


def _key(
    columns: list[GuessedColumn], rows: Sequence[Mapping[str, Any]], day: GuessedColumn | None
) -> list[GuessedColumn]:
    """The fewest columns that make a row unique, with the date of the row among them; none if three more are not
    enough.
    """
    complete = {
        column.name
        for column in columns
        if not column.missing and all(_is_given(row.get(column.source)) for row in rows)
    }
    able = [
        column
        for column in columns
        if column.name in complete and column.python in ("str", "int", "dt.date", "dt.datetime") and column is not day
    ]
    able.sort(key=lambda column: (_rank(column), column.python == "int", columns.index(column)))
    asked = [
        column for column in able if column.source == "request.ticker"
    ]  # the sample has one ticker, the table will have many
    able = [column for column in able if column not in asked]
    surer = [column for column in able if _rank(column) != _ODD]
    base = [*asked, *([day] if day is not None and day.name in complete else [])]
    sizes = range(3 if base else 4)
    tried = [*((surer, size) for size in sizes), *((able, size) for size in sizes)]
    for chosen_of, size in tried:
        for more in itertools.combinations(chosen_of[:12], size):
            chosen = [*base, *more]
            if chosen and _double(rows, [column.source for column in chosen]) is None:
                return chosen
    return []


_ODD = 2


def _rank(column: GuessedColumn) -> int:
    """How surely a column names what a row is about, by its name; the lower the surer."""
    return 0 if _CODES.search(column.name) else 1 if _IDENTIFIERS.search(column.name) else _ODD


def _double(rows: Sequence[Mapping[str, Any]], sources: list[str]) -> str | None:
    """A key that two different rows share."""
    seen: dict[tuple[str, ...], str] = {}
    for row in rows:
        values = tuple(str(row.get(source)).strip() for source in sources)
        whole = repr(sorted((name, str(value)) for name, value in row.items()))
        if seen.setdefault(values, whole) != whole:
            return "/".join(values)
    return None


def _is_given(value: Any) -> bool:
    return value is not None and bool(str(value).strip())

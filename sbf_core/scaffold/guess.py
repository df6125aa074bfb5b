"""What the columns of rows are: types, a key, the date of a row. What was decided without being sure is said."""

from __future__ import annotations

import datetime as dt
import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import attrs

from sbf_core.errors import UsageError, nearest
from sbf_core.scaffold.naming import as_name

#: From so many rows on, what holds for all of them is likely to hold for the next.
ENOUGH = 20
_MISSING = ("N/A", "n/a", "NA", "#N/A", "ND", "null", "NULL", "None", "NaN", "nan", ".", "-", "--", "")
_INTEGER = re.compile(r"[+-]?\d{1,18}")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_WITH_COMMA = re.compile(r"[+-]?(?:\d{1,3}(?:[ .,']\d{3})*|\d+)(?:[.,]\d+)?")
_CODE = re.compile(r"0\d+")
_ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_ISO_TIME = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?")
#: ``strptime`` formats of days that vendors write, those that cannot be mistaken first.
_FORMATS = ("%Y%m%d", "%Y/%m/%d", "%d.%m.%Y", "%d %b %Y", "%d %B %Y", "%d-%b-%Y", "%b %d, %Y", "%B %d, %Y", "%d-%m-%Y", "%m/%d/%Y", "%d/%m/%Y", "%m-%d-%Y")
_MISTAKABLE = {"%m/%d/%Y": "%d/%m/%Y", "%d/%m/%Y": "%m/%d/%Y", "%d-%m-%Y": "%m-%d-%Y", "%m-%d-%Y": "%d-%m-%Y"}
_ROW_DATES = ("date", "day", "time", "timestamp", "datum", "fecha", "data", "as_of", "asof", "observation_date", "valid_for", "exchangedate", "end_of_day", "trade_date")
#: Words of columns that name what a row is about, the surest first.
_CODES = re.compile(r"(?:^|_)(?:id|code|codigo|symbol|ticker|currency|ccy|cc|cur|isin|cusip|cik|series|key|iso)(?:_|$)")
_IDENTIFIERS = re.compile(r"(?:^|_)(?:country|name|no|nr|station|account|maturity|tenor|place|region|city|state|devise|moneda|year|month|quarter|period|type|kind)(?:_|$)")
_DECIMALS_MAX = 10


@attrs.frozen(kw_only=True)
class GuessedColumn:
    """One column, as far as the rows tell.

    Attributes:
        name: in silver.
        source: the vendor's name.
        python: the type in the attrs class: ``str``, ``int``, ``float``, ``bool``, ``Decimal``, ``dt.date`` or ``dt.datetime``.
        nullable: whether rows lack a value.
        precision, scale: of a ``Decimal``.
        date_format: of a day that is not ISO 8601.
        missing: what is written for "no value".
        key, row_date: its roles.
        example: a value.
        doubts: what was decided without being sure.
    """

    name: str
    source: str
    python: str
    nullable: bool
    precision: int = 0
    scale: int = 0
    date_format: str = ""
    missing: tuple[str, ...] = ()
    key: bool = False
    row_date: bool = False
    example: str = ""
    doubts: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether no row has a value: it is written as a comment, because nothing can be said of it."""
        return not self.example

    @property
    def is_number(self) -> bool:
        """Whether it has a unit."""
        return self.python in ("int", "float", "Decimal")

    @property
    def hint(self) -> str:
        """The type as it stands in the class."""
        return f"{self.python} | None" if self.nullable else self.python


def guess_columns(rows: Sequence[Mapping[str, Any]], *, empty_is_missing: bool) -> list[GuessedColumn]:
    """The columns of rows, in the order in which they first appear.

    Args:
        rows: as mappings from the vendor's names to values.
        empty_is_missing: an empty text is no value without being declared so, as in CSV.
    """
    sources = list(dict.fromkeys(name for row in rows for name in row))
    found: list[GuessedColumn] = []
    for source in sources:
        name = as_name(source, taken={column.name for column in found})
        values = [row.get(source) for row in rows]
        found.append(_guess(name, source, values, empty_is_missing=empty_is_missing))
    return found


def _guess(name: str, source: str, values: list[Any], *, empty_is_missing: bool) -> GuessedColumn:
    present = [value for value in values if value is not None]
    texts = [value for value in present if isinstance(value, str)]
    example = next((f"{value:f}" if isinstance(value, Decimal) else str(value) for value in present if value != ""), "")[:40]
    few = len(present) < ENOUGH
    usual: dict[str, Any] = {"name": name, "source": source, "example": example}
    if not any(value != "" for value in present):
        return GuessedColumn(**usual, python="str", nullable=True, doubts=("no value in the sample",))
    lacking = len(present) < len(values)
    if not texts:
        return _guess_json(usual, present, lacking=lacking or few)
    if len(texts) < len(present):
        return GuessedColumn(**usual, python="str", nullable=lacking, doubts=("texts and numbers are mixed",))
    missing = tuple(sorted({text for text in texts if text in _MISSING}))
    told = [text for text in texts if text not in _MISSING]
    guessed = _guess_text(told)
    if guessed is None:
        blank = "" in missing
        python = {**usual, "python": "str", "nullable": lacking or (blank and empty_is_missing) or few}
        if any("," in text for text in told) and all(_WITH_COMMA.fullmatch(text) for text in told):
            return GuessedColumn(**python, doubts=("numbers with a comma: a text as it is; make numbers of them in promote",))
        return GuessedColumn(**python)
    declared = tuple(text for text in missing if text or not empty_is_missing)
    doubts = [*guessed.pop("doubts", ())]
    if declared and declared != ("",):
        doubts.append(f"{', '.join(map(repr, declared))} taken as no value")
    return GuessedColumn(**usual, **guessed, nullable=lacking or bool(missing) or few, missing=declared, doubts=tuple(doubts))


def _guess_json(usual: dict[str, Any], present: list[Any], *, lacking: bool) -> GuessedColumn:
    if all(isinstance(value, bool) for value in present):
        return GuessedColumn(**usual, python="bool", nullable=lacking)
    if any(isinstance(value, bool) for value in present):
        return GuessedColumn(**usual, python="str", nullable=lacking, doubts=("true, false and numbers are mixed",))
    guessed = _guess_numbers([f"{Decimal(value):f}" for value in present])
    return GuessedColumn(**usual, **guessed, nullable=lacking)


def _guess_text(told: list[str]) -> dict[str, Any] | None:
    """Type of texts that are all numbers, days or moments; None for others."""
    if all(_ISO_DAY.fullmatch(text) for text in told) and _all_days(told, "%Y-%m-%d"):
        return {"python": "dt.date"}
    moments = [_ISO_TIME.fullmatch(text) for text in told]
    if all(moments):
        zoned = all(found is not None and found[1] for found in moments)
        return {"python": "dt.datetime", "doubts": () if zoned else ("no time zone is written: taken as UTC",)}
    for date_format in _FORMATS:
        if _all_days(told, date_format):
            other = _MISTAKABLE.get(date_format)
            doubts = (f"{other} would fit, too",) if other and _all_days(told, other) else ()
            return {"python": "dt.date", "date_format": date_format, "doubts": doubts}
    if {text.lower() for text in told} <= {"true", "false"}:
        return {"python": "bool"}
    if any(_CODE.fullmatch(text) for text in told) or not all(_NUMBER.fullmatch(text) for text in told):
        return None
    return _guess_numbers(told)


def _all_days(texts: Iterable[str], date_format: str) -> bool:
    try:
        days = [dt.datetime.strptime(text, date_format).date() for text in texts]  # noqa: DTZ007 - days have no zone
    except ValueError:
        return False
    if date_format == "%Y%m%d" and not all(len(text) == 8 for text in texts):
        return False
    return all(1800 <= day.year <= 2200 for day in days)


def _guess_numbers(texts: list[str]) -> dict[str, Any]:
    few = len(set(texts)) < ENOUGH
    if all(_INTEGER.fullmatch(text) for text in texts):
        return {"python": "int", "doubts": ("whole numbers only, and few different ones",) if few else ()}
    scale = max(-int(Decimal(text).as_tuple().exponent) for text in texts)
    whole = max(len(str(abs(int(Decimal(text))))) for text in texts)
    if scale > _DECIMALS_MAX or any("e" in text.lower() for text in texts) or whole + scale > 30:
        return {"python": "float", "doubts": ("many digits: a double, which does not keep each of them",)}
    roomy = max(scale, 0) + 2
    doubts = (f"at most {scale} decimals in few different values; more than {roomy} would be rejected",) if few else ()
    return {"python": "Decimal", "precision": max(18, whole + 4 + roomy), "scale": roomy, "doubts": doubts}


def with_roles(
    columns: list[GuessedColumn], rows: Sequence[Mapping[str, Any]], *, key: Sequence[str] = (), row_date: str = "", where: str, needs_day: bool = False
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
    if day is not None and day.python not in ("dt.date", "dt.datetime"):
        raise UsageError(f"{day.name} is no date: {day.example!r}", where=where, fix="name another with --row-date", code="ROW_DATE")
    if named:
        double = _double(rows, [column.source for column in named])
        if double is not None:
            raise UsageError(f"{', '.join(key)} does not make a row unique: {double} comes twice", where=where, fix="name more columns with --key", code="KEY")
        chosen = named
    else:
        chosen = _key(columns, rows, day if sure else None) or (_key(columns, rows, day) if day is not None and not sure else [])
        if not chosen:
            fix = "name the columns with --key a,b, or --kind custom"
            raise UsageError("no key can be found: no one to three columns make a row unique", where=where, fix=fix, code="NO_KEY")
        if day is not None and not sure and day not in chosen:
            day = None  # a date among others, such as that of a listing
    doubts = {} if named else _key_doubts(chosen, len(rows), day)
    found = []
    for column in columns:
        is_key, is_day = column in chosen, day is not None and column.name == day.name
        more = [*([doubts[column.name]] if column.name in doubts else []), *(["the date of the row?"] if is_day and not sure else [])]
        found.append(attrs.evolve(column, key=is_key, row_date=is_day, nullable=column.nullable and not is_key, doubts=(*column.doubts, *more)))
    return found


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
        raise UsageError(f"{option}: there is no column {name!r}", where=where, fix=nearest(name, known) or "columns are " + ", ".join(known), code="COLUMN")
    return column


def _row_date(columns: list[GuessedColumn]) -> tuple[GuessedColumn | None, bool]:
    days = [column for column in columns if column.python in ("dt.date", "dt.datetime")]
    for column in days:
        if column.name in _ROW_DATES:
            return column, True
    return (days[0], False) if days else (None, False)


def _key(columns: list[GuessedColumn], rows: Sequence[Mapping[str, Any]], day: GuessedColumn | None) -> list[GuessedColumn]:
    """The fewest columns that make a row unique, with the date of the row among them; none if three more are not enough."""
    complete = {column.name for column in columns if all(row.get(column.source) not in (None, "") for row in rows)}
    able = [column for column in columns if column.name in complete and column.python in ("str", "int", "dt.date", "dt.datetime") and column is not day]
    able.sort(key=lambda column: (_rank(column), column.python == "int", columns.index(column)))
    asked = [column for column in able if column.source == "request.ticker"]  # the sample has one ticker, the table will have many
    able = [column for column in able if column not in asked]
    base = [*asked, *([day] if day is not None and day.name in complete else [])]
    for size in range(3 if base else 4):
        for more in itertools.combinations(able[:12], size):
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
        values = tuple(str(row.get(source)) for source in sources)
        whole = repr(sorted((name, str(value)) for name, value in row.items()))
        if seen.setdefault(values, whole) != whole:
            return "/".join(values)
    return None

"""Tables with a column for each year, day or ticker: which columns those are, and their rows with one value each."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from sbf_core.scaffold.guess import GuessedColumn
from sbf_core.scaffold.json_places import MEASURES
from sbf_core.scaffold.naming import as_name
from sbf_core.value import Value

#: Names of columns that are periods: what they are called, how they are read as days, and their pattern.
_PERIODS = (
    ("year", "%Y", r"(?:19|20)\d\d"),
    ("date", "", r"(?:19|20)\d\d-\d\d-\d\d"),
    ("month", "%Y-%m", r"(?:19|20)\d\d-\d\d"),
    ("month", "%b-%Y", r"[A-Z][a-z]{2}-(?:19|20)\d\d"),
    ("month", "%Y%m", r"(?:19|20)\d\d(?:0[1-9]|1[0-2])"),
    ("period", None, r"(?:19|20)\d\d[- ]?Q[1-4]|Q[1-4][- ](?:19|20)\d\d"),
    ("year", None, r"(?:19|20)\d\d \[YR(?:19|20)\d\d\]"),
)
_CODE = re.compile(r"(?=[^a-z]*[A-Z])[A-Z0-9^][A-Z0-9._/^=-]{1,9}")
_PERIODS_MIN, _CODES_MIN = 3, 4
_NUMBERS = ("int", "float", "Decimal")


@attrs.frozen(kw_only=True)
class Wide(Value):
    """Columns that are values of one and the same.

    Attributes:
        name: what the columns are called by: ``year``, ``symbol``.
        pattern: what their names look like; empty: all columns but the kept ones.
        kept: the others: the vendor's names, by those in silver.
        doubt: why it may be otherwise.
    """

    name: str
    pattern: str
    kept: Mapping[str, str]
    doubt: str


def wide_of(
    columns: Sequence[GuessedColumn], rows: Sequence[Mapping[str, Any]]
) -> tuple[Wide, list[GuessedColumn], list[dict[str, Any]]] | None:
    """A wide table as it is declared: what it is, its columns and its rows, one a value; None for any other."""
    found = _periods(columns) or _codes(columns)
    if found is None:
        return None
    name, date_format, pattern, spread = found
    names = {column.source for column in spread}
    kept = [column for column in columns if column.source not in names]
    taken = {column.name for column in kept}
    across = name if name not in taken else as_name(f"{name}_of_column", taken=taken)
    value = "value" if "value" not in taken | {across} else as_name("value_of_column", taken=taken | {across})
    doubt = (
        f"wide: a row for each of {len(spread)} columns, {spread[0].source} to {spread[-1].source}: are they values of "
        "one and the same?"
    )
    wide = Wide(name=across, pattern=pattern, kept={column.name: column.source for column in kept}, doubt=doubt)
    is_day = date_format is not None
    named = GuessedColumn(
        name=across, source=across, python="dt.date" if is_day else "str", nullable=False,
        date_format=date_format or "", example=spread[0].source,
    )  # fmt: skip
    held = [*(attrs.evolve(column, source=column.name) for column in kept), named, _value(value, spread)]
    long = [
        {**{column.name: row.get(column.source) for column in kept}, across: each.source, value: row.get(each.source)}
        for row in rows
        for each in spread
    ]
    return wide, held, long


def _periods(columns: Sequence[GuessedColumn]) -> tuple[str, str | None, str, list[GuessedColumn]] | None:
    for name, date_format, pattern in _PERIODS:
        spread = [column for column in columns if re.fullmatch(pattern, column.source)]
        if len(spread) >= _PERIODS_MIN and len(spread) < len(columns) and _are_alike(spread):
            return name, date_format, pattern, spread
    return None


def _codes(columns: Sequence[GuessedColumn]) -> tuple[str, str | None, str, list[GuessedColumn]] | None:
    """Columns that are called by codes, beside nothing but one date."""
    given = [column for column in columns if not column.is_empty]
    days = [column for column in given if column.is_time]
    spread = [column for column in columns if not column.is_time and column.source.strip()]
    if len(days) != 1 or len(spread) < _CODES_MIN or not _are_alike(spread):
        return None
    if any(not _CODE.fullmatch(column.source) or column.source in MEASURES for column in spread):
        return None
    return "symbol", None, "", spread


def _are_alike(spread: Sequence[GuessedColumn]) -> bool:
    given = [column for column in spread if not column.is_empty]
    return bool(given) and all(column.python in _NUMBERS for column in given)


def _value(name: str, spread: Sequence[GuessedColumn]) -> GuessedColumn:
    """One column for the values of all: the widest type, and all words for "no value"."""
    given = [column for column in spread if not column.is_empty]
    kinds = {column.python for column in given}
    python = "float" if "float" in kinds else "Decimal" if "Decimal" in kinds else "int"
    scale = max(column.scale for column in given)
    whole = max((column.precision - column.scale for column in given if column.python == "Decimal"), default=18)
    doubts = dict.fromkeys(doubt for column in given for doubt in column.doubts if "taken as no value" in doubt)
    is_decimal = python == "Decimal"
    return GuessedColumn(
        name=name, source=name, python=python, nullable=True,
        precision=min(38, max(18, whole + scale)) if is_decimal else 0, scale=scale if is_decimal else 0,
        missing=tuple(dict.fromkeys(word for column in spread for word in column.missing)), example=given[0].example,
        doubts=tuple(doubts),
    )  # fmt: skip

"""Cubes of the data portal of the Swiss National Bank: interest rates, yields, exchange rates, prices."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from sbf_core.api import (
    Column,
    Csv,
    DatasetKeymapEntry,
    PayloadRefused,
    PromotionBatch,
    RestRecipe,
    SelectRows,
    UsageError,
    checked_options,
    hookimpl,
)

#: What is asked for where the settings choose nothing.
CUBES = {
    "devkum": "Exchange rates by month: M0 is the mean, M1 the end; JPY100 is for a hundred",
    "plkopr": "Consumer prices",
    "rendoblid": "Yields of bonds by term, daily",
    "snbgwdzid": "SNB policy rate and SARON, daily",
    "zimoma": "Rates of the money market",
}
_FREQUENCIES = {"devkum": "month", "plkopr": "month", "rendoblid": "day", "snbgwdzid": "day", "zimoma": "month"}
_CUBE = r"[a-z][a-z0-9]{2,30}"
_DATE, _VALUE = "Date", "Value"
_CELL = (
    Column(name="period", type="VARCHAR", key=True, source=_DATE, doc="as written: 2024, 2024-Q1, 2024-01, 2024-01-31"),
    Column(name="member", type="VARCHAR", key=True, doc="codes of all dimensions, in their order: M0/EUR1"),
    Column(name="dimensions", type="VARCHAR", doc="JSON: each dimension with its code"),
    Column(name="value", type="DECIMAL(28,12)", nullable=True, source=_VALUE, unit="that of the cube", missing=("",)),
)


@hookimpl
def datasets(options: Mapping[str, Any]) -> Sequence[DatasetKeymapEntry]:
    """A dataset for each cube."""
    cubes = checked_options(options, cubes=tuple(CUBES))["cubes"]
    wrong = next((cube for cube in cubes if not re.fullmatch(_CUBE, cube)), None)
    if wrong is not None:
        raise UsageError(
            f"{wrong!r} is no cube",
            where="[options.snb] cubes",
            fix='write the name in its address: cubes = ["devkum", "rendoblid"]',
            code="OPTION",
        )
    return [_entry(cube) for cube in dict.fromkeys(cubes)]


def _entry(cube: str) -> DatasetKeymapEntry:
    return DatasetKeymapEntry(
        domain="macro",
        source="snb",
        dataset=cube,
        silver_table=f"snb_{cube}",
        columns=_CELL,
        format=Csv(delimiter=";", skip_rows=3),
        recipe=RestRecipe(
            url=f"https://data.snb.ch/api/cube/{cube}/data/csv/en", extension="csv", limits=("1/second",), connections=1
        ),
        semantics="snapshot",
        refresh_after_hours=24,
        opt_in=True,
        tags=("macro",),
        region="CH",
        frequency=_FREQUENCIES.get(cube, ()),
        cost="free",
        title=f"Cube {cube}: {CUBES.get(cube, 'as the bank publishes it')}",
        terms="Swiss National Bank, free to use with the source named, see its terms. No key.",
        source_url=f"https://data.snb.ch/en/topics/snb/cube/{cube}",
    )


@hookimpl
def promote(batch: PromotionBatch) -> SelectRows:
    """Each cube has dimensions of its own: D0, D1 and so on go together.

    Raises:
        PayloadRefused: it has no dimension, or other columns.
    """
    fields = [name for name in batch.fields if name != "_file"]
    own = [name for name in fields if re.fullmatch("D[0-9]{1,2}", name)]
    if not own or set(fields) != {_DATE, _VALUE, *own}:
        raise PayloadRefused(f"its columns are {', '.join(fields)}, expected Date, D0 and so on, Value")
    pairs = ", ".join(f"'{name}': \"{name}\"" for name in own)
    codes = " || '/' || ".join(f'"{name}"' for name in own)
    return SelectRows(
        f'SELECT _file, "{_DATE}", {codes} AS member, CAST(to_json({{{pairs}}}) AS VARCHAR) AS dimensions, "{_VALUE}" '
        "FROM batch"
    )

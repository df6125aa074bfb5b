"""How a table is asked for, what a cell of one is, and the gold table over them."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import attrs

from sbf_core.api import Chart, DatasetKeymapEntry, GoldModel, GoldSource, NotNull, PayloadRefused, RestRecipe, column

TERMS = "Statistics Canada Open Licence, with the source named. No key."


@attrs.frozen
class Cell:
    """One value of a table: of one period, at one place in its dimensions."""

    ref_date: str = column(key=True, source="REF_DATE", doc="the period as it is written: 2018, 2018-10, 2018-10-31")
    coordinate: str = column(key=True, source="COORDINATE", doc="places in the dimensions, a text: 1.1 is not 1.10")
    vector: str | None = column(source="VECTOR", missing=("",), doc="number of the series, e.g. v107792869")
    geo: str = column(source="GEO")
    geo_id: str | None = column(source="DGUID", missing=("",))
    dimensions: str = column(doc="JSON: each further dimension with the member that the value is for")
    value: Decimal | None = column(
        precision=28, scale=10, source="VALUE", unit="uom, times ten to the power of scalar",
        doc="as it is written; NULL: not there, see status",
    )  # fmt: skip
    uom: str = column(source="UOM", trim=True, doc="unit of measure")
    scalar: int = column(source="SCALAR_ID", unit="power of ten", doc="0 is units, 3 thousands, 6 millions")
    scalar_factor: str = column(source="SCALAR_FACTOR", trim=True, doc="the same in words, whose blanks mean nothing")
    decimals: int = column(source="DECIMALS", unit="digits", doc="how many of the value mean something")
    status: str | None = column(
        source="STATUS", missing=("",), doc="why there is no value, or how good it is: x is suppressed, .. not there"
    )
    symbol: str | None = column(source="SYMBOL", missing=("",), doc="p is preliminary, r is revised")
    terminated: str | None = column(source="TERMINATED", missing=("",), doc="t: the series has ended")


def entry(table: str) -> DatasetKeymapEntry:
    """The dataset of a table. The whole of it comes each time, so what it lacks is gone."""
    return DatasetKeymapEntry(
        domain="macro",
        source="statcan",
        dataset=f"table_{table}",
        silver_table=f"statcan_{table}",
        columns=Cell,
        recipe=RestRecipe(
            url=f"https://www150.statcan.gc.ca/n1/tbl/csv/{table}-eng.zip",
            extension="zip",
            limits=("2/second",),
            connections=1,
            deadline_seconds=600,
        ),
        member=f"{table}.csv",
        semantics="snapshot",
        refresh_after_hours=24,
        tags=("macro",),
        title=f"Table {table}",
        region="CA",
        frequency=("day", "week", "month", "quarter", "year"),
        cost="free",
        terms=TERMS,
        source_url=f"https://www150.statcan.gc.ca/t1/tbl1/en/tv.action?pid={table}01",
    )


_KNOWN = tuple(each.source_name for each in entry("00000000").columns if each.name != "dimensions")
#: Beside those that are declared.
_LEFT = "UOM_ID"


def selected(fields: Sequence[str]) -> str:
    """The SELECT over tables with these fields.

    Raises:
        PayloadRefused: a table without any dimension but the place.
    """
    own = [name for name in fields if name not in _KNOWN and name != _LEFT and name != "_file"]
    if not own:
        raise PayloadRefused("it has no dimension beside GEO")
    pairs = ", ".join(f"{_text(name)}: {_name(name)}" for name in own)
    known = ", ".join(_name(name) for name in _KNOWN)
    return f"SELECT _file, {known}, CAST(to_json({{{pairs}}}) AS VARCHAR) AS dimensions FROM batch"


def _name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def fact(tables: Sequence[str]) -> GoldModel:
    """Values in their units: thousands and millions are multiplied out. The first day of a period is given where the
    period is a year, a month or a day, and nowhere else.
    """
    sql = """
SELECT table_id, ref_date, coordinate, vector, geo, dimensions,
    CASE
        WHEN regexp_full_match(ref_date, '[0-9]{4}') THEN TRY_CAST(ref_date || '-01-01' AS DATE)
        WHEN regexp_full_match(ref_date, '[0-9]{4}-[0-9]{2}') THEN TRY_CAST(ref_date || '-01' AS DATE)
        WHEN regexp_full_match(ref_date, '[0-9]{4}-[0-9]{2}-[0-9]{2}') THEN TRY_CAST(ref_date AS DATE)
    END AS period_begin,
    CAST(value AS DECIMAL(28, 10)) * CAST(10 ** scalar AS DECIMAL(10, 0)) AS value,
    uom, decimals, status, symbol, coalesce(vector, coordinate) AS series
FROM cells
WHERE value IS NOT NULL
"""
    sources = [
        GoldSource(table=f"silver.statcan_{table}", sql=f"SELECT '{table}' AS table_id, * FROM silver.statcan_{table}")
        for table in tables
    ]
    return GoldModel(
        name="fact_statcan",
        key=("table_id", "ref_date", "coordinate"),
        date_column="period_begin",
        sql=sql,
        sources={"cells": sources},
        tests=(NotNull(column="value"),),
        charts=(Chart(name="values", title="Values", x="period_begin", y="value", series="series"),),
        doc="One row a value that there is, in units of uom.",
    )

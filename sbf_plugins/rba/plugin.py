"""Statistical tables of the Reserve Bank of Australia: exchange rates, interest rates, yields, prices, decisions."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from sbf_core.api import (
    Chart,
    Column,
    DatasetKeymapEntry,
    ParseRows,
    RestRecipe,
    UsageError,
    checked_options,
    hookimpl,
)

#: What is asked for where the settings choose nothing.
TABLES = {
    "a2": "Changes in monetary policy", "f1": "Interest rates and yields of the money market, daily",
    "f2": "Yields of government bonds, daily", "f11": "Exchange rates, monthly", "f11.1": "Exchange rates, daily",
    "g1": "Consumer price inflation, quarterly",
}  # fmt: skip
_FREQUENCIES = {"a2": "irregular", "f1": "day", "f2": "day", "f11": "month", "f11.1": "day", "g1": "quarter"}
_TABLE = r"[a-j][0-9]{1,2}(\.[0-9]{1,2})?"
_CELL = (
    Column(name="series", type="VARCHAR", key=True, doc="the bank's code, e.g. FXRUSD"),
    Column(name="date", type="DATE", key=True, row_date=True, doc="day, or last day of the period"),
    Column(name="value", type="DECIMAL(28,10)", nullable=True, unit="unit", doc="NULL where quoted is no number"),
    Column(name="quoted", type="VARCHAR", doc="as the bank wrote it, e.g. 17.00 to 17.50"),
    Column(name="title", type="VARCHAR", doc="e.g. A$1=USD"),
    Column(name="description", type="VARCHAR", nullable=True),
    Column(name="frequency", type="VARCHAR", nullable=True, doc="e.g. Daily, As announced"),
    Column(name="kind", type="VARCHAR", nullable=True, doc="e.g. Indicative, Original, Seasonally adjusted"),
    Column(name="unit", type="VARCHAR", nullable=True, doc="e.g. USD, Per cent"),
    Column(name="source", type="VARCHAR", nullable=True, doc="whose figures they are, e.g. WM/Reuters"),
    Column(name="published", type="DATE", nullable=True, date_format="%d-%b-%Y", doc="of the table"),
)


@hookimpl
def datasets(options: Mapping[str, Any]) -> Sequence[DatasetKeymapEntry]:
    """A dataset for each table."""
    tables = checked_options(options, tables=tuple(TABLES))["tables"]
    wrong = next((table for table in tables if not re.fullmatch(_TABLE, table)), None)
    if wrong is not None:
        raise UsageError(
            f"{wrong!r} is no table",
            where="[options.rba] tables",
            fix='write its letter and numbers: tables = ["f1", "f11.1"]',
            code="OPTION",
        )
    return [_entry(table) for table in dict.fromkeys(tables)]


def _entry(table: str) -> DatasetKeymapEntry:
    name = table.replace(".", "_")
    return DatasetKeymapEntry(
        domain="fx" if table.startswith("f11") else "macro",
        source="rba",
        dataset=name,
        silver_table=f"rba_{name}",
        columns=_CELL,
        recipe=RestRecipe(
            url=f"https://www.rba.gov.au/statistics/tables/csv/{table}-data.csv", extension="csv",
            limits=("1/second",), connections=1,
        ),
        refresh_after_hours=24,
        opt_in=True,
        tags=("fx",) if table.startswith("f11") else ("macro",),
        region="AU", frequency=_FREQUENCIES.get(table, ()), cost="free",
        charts=(Chart(name="values", title="Values", x="date", y="value", series="series"),),
        title=f"Table {table.upper()}: {TABLES.get(table, 'as the bank publishes it')}",
        terms="Reserve Bank of Australia, CC BY 4.0 but for figures of others, which source names. No key.",
        source_url="https://www.rba.gov.au/statistics/tables/",
    )  # fmt: skip


@hookimpl
def promote() -> ParseRows:
    """A table has facts of its series in lines above the values."""
    from sbf_plugins.rba.tables import parse

    return ParseRows(parse)

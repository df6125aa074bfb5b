"""Which charts there are: those that plugins declare, and one made up for each table that has a shape for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import attrs
import duckdb

from sbf_core.dataset.chart import Chart, ChartKind
from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.errors import UsageError, nearest
from sbf_core.gold.model import GoldModel
from sbf_core.reports.stale_tables import as_they_are
from sbf_core.value import Value

_USUAL = "usual"
_NUMBERS = ("DOUBLE", "FLOAT", "DECIMAL", "BIGINT", "INTEGER", "HUGEINT", "SMALLINT")
_TIMES = ("DATE", "TIMESTAMP")
_CANDLES = ("open", "high", "low", "close")
#: Numbers that name or order something, and measure nothing.
_NO_MEASURES = ("_key", "_id", "_rank", "year", "month", "quarter", "cik")


@attrs.frozen(kw_only=True)
class TableChart(Value):
    """A chart and the table that it shows.

    Attributes:
        table: with its schema.
        chart: what is drawn.
        types: DuckDB type of each column of the table.
        table_title: what the table holds, for readers.
        fault: why it cannot be drawn; empty: it can.
    """

    table: str
    chart: Chart
    types: Mapping[str, str]
    table_title: str = ""
    fault: str = ""

    @property
    def id(self) -> str:
        """How a user names it: ``gold.fact_price_eod/price``."""
        return f"{self.table}/{self.chart.name}"

    @property
    def title(self) -> str:
        """What it shows."""
        return self.chart.title or self.table_title or self.table

    @property
    def is_over_time(self) -> bool:
        """Whether a stretch of time of it can be asked for."""
        return self.types.get(self.chart.x, "").startswith(_TIMES)


def charts_of_tables(
    cursor: duckdb.DuckDBPyConnection, entries: Iterable[DatasetKeymapEntry], models: Iterable[GoldModel]
) -> list[TableChart]:
    """The charts of all tables that are there, gold first."""
    types = _tables(cursor)
    charts = []
    for model in models:
        usual = model.kind == "fact"
        charts += _of_table(f"gold.{model.name}", model.charts, model.key, types, title=model.doc, usual=usual)
    for entry in as_they_are(cursor, entries):
        charts += _of_table(
            f"silver.{entry.silver_table}",
            entry.charts,
            entry.key_columns,
            types,
            title=entry.title or entry.id,
            usual=True,
        )
    return charts


def chart_named(name: str, known: Iterable[TableChart]) -> TableChart:
    """A chart by its id, or by its name where no other has it; gold goes before silver.

    Raises:
        UsageError: none is meant, or several.
    """
    charts = list(known)
    called = [one for one in charts if name in (one.id, one.id.partition(".")[2])] or [
        one for one in charts if one.chart.name == name
    ]
    matches = [one for one in called if one.table.startswith("gold.")] or called
    if len(matches) == 1:
        return matches[0]
    if matches:
        raise UsageError(
            f"{name!r} means {len(matches)} charts",
            fix="write one of " + ", ".join(one.id for one in matches),
            code="UNKNOWN_CHART",
        )
    raise UsageError(
        f"there is no chart {name!r}",
        fix=nearest(name, [one.id for one in charts]) or "see `sbf chart`",
        code="UNKNOWN_CHART",
    )


def _tables(cursor: duckdb.DuckDBPyConnection) -> dict[str, dict[str, str]]:
    columns_by_table: dict[str, dict[str, str]] = {}
    query = (
        "SELECT schema_name || '.' || table_name, column_name, data_type FROM duckdb_columns() "
        "WHERE database_name = current_database() AND schema_name IN ('silver', 'gold') ORDER BY 1, column_index"
    )
    for table, column, kind in cursor.execute(query).fetchall():
        columns_by_table.setdefault(table, {})[column] = kind
    return columns_by_table


def _of_table(
    table: str,
    declared: tuple[Chart, ...],
    key: tuple[str, ...],
    types: Mapping[str, Mapping[str, str]],
    *,
    title: str,
    usual: bool,
) -> list[TableChart]:
    columns = types.get(table)
    if columns is None:
        return []
    charts = declared
    if not declared and usual:
        made_up = _usual_chart(table, columns, key)
        charts = () if made_up is None else (made_up,)
    return [
        TableChart(table=table, chart=chart, types=columns, table_title=title, fault=_fault(chart, columns))
        for chart in charts
    ]


def _fault(chart: Chart, columns: Mapping[str, str]) -> str:
    """The columns of a gold table are known when it is built, and not when its charts are declared."""
    unknown = next((name for name in chart.columns_read if name not in columns), None)
    return (
        ""
        if unknown is None
        else f"it reads {unknown!r}, which is no column of the table; "
        f"{nearest(unknown, columns) or 'columns are ' + ', '.join(columns)}"
    )


def _usual_chart(table: str, columns: Mapping[str, str], key: tuple[str, ...]) -> Chart | None:
    """Candles where the columns have their names, else a line of the first measure over the day of the key."""
    x = next((name for name in key if columns.get(name, "").startswith(_TIMES)), None)
    others = [name for name in key if name != x]
    if x is None or len(others) > 1:
        return None
    series = others[0] if others else ""
    measures = [
        name
        for name, kind in columns.items()
        if kind.startswith(_NUMBERS) and name not in key and not name.endswith(_NO_MEASURES)
    ]
    if set(_CANDLES) <= set(measures):
        return Chart(
            name=_USUAL, kind=ChartKind.CANDLES, title=f"Prices in {table}", x=x, series=series, sessions=True, days=365
        )
    return (
        Chart(name=_USUAL, title=f"{measures[0]} in {table}", x=x, y=measures[0], series=series) if measures else None
    )

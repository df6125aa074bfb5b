"""What a chart shows does not depend on how the columns of its table are called."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any

import duckdb
import pytest

from sbf_core.api import Chart
from sbf_core.charts.catalog import TableChart
from sbf_core.charts.plotted_rows import POINTS_MAX, plotted
from sbf_core.charts.table import all_rows_of_chart, table_of_chart
from sbf_core.charts.vega import specification
from sbf_core.charts.view import View

KINDS = ("DATE", "VARCHAR", "DOUBLE", "BIGINT", "DOUBLE", "DECIMAL(18,4)")
PLAIN = tuple(f"col_{place}" for place in range(len(KINDS)))
#: Each is in each place once: the day, the series, the values.
WORDS = (
    "x", "s", "y", "x_1", "t", "e", "columns", "open", "close", "high", "low", "value", "place", "n", "p", "q", "r",
    "point", "points", "placed", "row", "first", "last", "smallest", "begins", "ts",
)  # fmt: skip


@pytest.fixture
def cursor() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("CREATE SCHEMA gold; CREATE SCHEMA silver")
        yield connection


def charts(names: Sequence[str]) -> list[Chart]:
    x, series, *values = names
    return [
        Chart(name="line", x=x, y=values[0], series=series),
        Chart(name="lines", x=x, y=tuple(values)),
        Chart(name="numbers", x=values[1], y=tuple(reversed(values))),
        Chart(name="bars", kind="bar", x=series, y=values[1]),
        Chart(name="candles", kind="candles", x=x, open=values[0], high=values[1], low=values[2], close=values[3]),
        Chart(name="heat", kind="heatmap", x=x, y=series, value=values[3]),
        Chart(name="own", kind="own", x=x, series=series, columns=tuple(values), spec={"mark": "point"}),
    ]


def shown(cursor: duckdb.DuckDBPyConnection, names: Sequence[str], days: int) -> dict[str, Any]:
    """All that charts over a table with these names show, with the places of the names."""
    columns = ", ".join(f'"{name}" {kind}' for name, kind in zip(names, KINDS, strict=True))
    rows = (
        "SELECT DATE '2020-01-01' + CAST(i AS INTEGER) // 2, 'k' || (i % 2), nullif(i % 7, 3) + 0.5, "
        "i * i % 11, i % 5, CAST(i % 13 AS DECIMAL(18,4)) FROM range(?) AS g(i)"
    )
    cursor.execute(f"CREATE OR REPLACE TABLE silver.px ({columns})")
    cursor.execute(f"INSERT INTO silver.px {rows}", [2 * days])
    cursor.execute("CREATE OR REPLACE MACRO silver.px_as_of(ts) AS TABLE (SELECT t.* FROM silver.px AS t)")
    found: dict[str, Any] = {}
    for chart in charts(names):
        known = TableChart(table="silver.px", chart=chart, types=dict(zip(names, KINDS, strict=True)))
        for view in (View(), View(as_of=dt.datetime(2024, 1, 1))):
            drawn = plotted(cursor, known, view, with_values=True)
            page, total = table_of_chart(cursor, drawn, limit=5)
            _, parts = all_rows_of_chart(cursor, drawn)
            marks = sorted(
                ([names.index(value) if value in names else value for value in mark.values()] for mark in drawn.marks),
                key=str,
            )
            series = [names.index(name) if name in names else name for name in drawn.series]
            found[f"{chart.name} {view.as_of}"] = (
                marks,
                len(drawn.values),
                series,
                drawn.axis,
                drawn.notes,
                drawn.first,
                drawn.last,
                page.rows,
                total,
                list(parts),
            )
            assert specification(drawn)
    return found


@pytest.mark.parametrize("days", [5, POINTS_MAX])
def test_columns_may_be_called_as_those_of_the_drawing(cursor: duckdb.DuckDBPyConnection, days: int) -> None:
    plain = shown(cursor, PLAIN, days)
    assert all(marks for marks, *_ in plain.values())
    for turn in range(len(WORDS)) if days < POINTS_MAX else (0, 1, 2):
        names = (WORDS[turn:] + WORDS[:turn])[: len(KINDS)]
        named = shown(cursor, names, days)
        for what, value in plain.items():
            assert named[what] == value, (what, names)

"""The rows behind a chart as a table: every one of the stretch, not thinned."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import duckdb

from sbf_core.charts.hover_points import label_of
from sbf_core.charts.plotted_rows import Plotted
from sbf_core.dataset.chart import ChartKind
from sbf_core.duck.identifiers import quoted
from sbf_core.reports.table import FactTable

_ROWS_AT_ONCE = 2000


def table_of_chart(
    cursor: duckdb.DuckDBPyConnection, drawing: Plotted, *, limit: int, offset: int = 0
) -> tuple[FactTable, int]:
    """A page of the rows behind a chart, the last first, and how many there are.

    Args:
        cursor: the one on which ``plotted`` put the rows, just before.
        drawing: what it gave.
        limit: so many rows at most.
        offset: so many are left out before.
    """
    if drawing.chart.kind is ChartKind.OWN:
        rows = tuple(tuple(mark.values()) for mark in drawing.marks)
        return FactTable(drawing.chart.columns_read, rows[offset : offset + limit]), len(rows)
    query, parameters, headers = _query(drawing)
    counted = cursor.execute(f"SELECT count(*) FROM ({query})", parameters).fetchone()
    ordered = cursor.execute(f"SELECT * FROM ({query}) ORDER BY 1 DESC, 2 LIMIT {limit} OFFSET {offset}", parameters)
    return FactTable(headers, tuple((label_of(drawing, row[0]), *row[1:]) for row in ordered.fetchall())), counted[
        0
    ] if counted else 0


def all_rows_of_chart(
    cursor: duckdb.DuckDBPyConnection, drawing: Plotted
) -> tuple[tuple[str, ...], Iterator[list[tuple[Any, ...]]]]:
    """Names of the columns, and all rows behind a chart in parts, the first first."""
    if drawing.chart.kind is ChartKind.OWN:
        return drawing.chart.columns_read, iter([[tuple(mark.values()) for mark in drawing.marks]])
    query, parameters, headers = _query(drawing)
    cursor.execute(f"SELECT * FROM ({query}) ORDER BY 1, 2", parameters)
    return headers, iter(lambda: cursor.fetchmany(_ROWS_AT_ONCE), [])


def _query(drawing: Plotted) -> tuple[str, list[Any], tuple[str, ...]]:
    x = drawing.chart.x
    if drawing.chart.kind is ChartKind.CANDLES:
        return "SELECT x, open, high, low, close FROM placed", [], (x, "open", "high", "low", "close")
    if drawing.chart.kind is ChartKind.HEATMAP:
        return "SELECT x, s, y FROM placed", [], (x, drawing.chart.y[0], drawing.chart.value)
    names = [name or drawing.chart.y[0] for name in drawing.series]
    columns = ", ".join(f"max(y) FILTER (s = ?) AS {quoted(f'v{number}')}" for number in range(len(names)))
    return f"SELECT x, {columns} FROM placed GROUP BY x", list(drawing.series), (x, *names)

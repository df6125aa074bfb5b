"""The rows that a view of a chart chooses, as SQL."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import attrs
import duckdb

from sbf_core.charts.catalog import TableChart
from sbf_core.charts.view import SERIES_MAX, View
from sbf_core.dataset.chart import ChartKind
from sbf_core.duck.identifiers import literal_list, quoted
from sbf_core.errors import UsageError, nearest
from sbf_core.shell_words import typed
from sbf_core.value import Value

SERIES_SHOWN = 5
SERIES_LISTED = 500
#: Of those that there are where one is asked for that is not.
SERIES_NAMED = 10


@attrs.frozen
class Source(Value):
    """The rows of a view as SQL, with the values that it binds."""

    sql: str
    parameters: list[Any]


def all_rows(known: TableChart, view: View) -> Source:
    """Columns ``x``, ``s`` and ``y``, or ``open``, ``high``, ``low`` and ``close``, of all rows.

    Of a chart with a specification of its own ``x``, ``s`` and ``columns``: those of the table, which may have any
    name, as one value.
    """
    chart, schema_table = known.chart, known.table.partition(".")
    table = f"{schema_table[0]}.{quoted(schema_table[2])}"
    parameters: list[Any] = []
    if view.as_of is not None:
        table = f"{schema_table[0]}.{quoted(schema_table[2] + '_as_of')}(CAST(? AS TIMESTAMP))"
        parameters.append(view.as_of)
    table = f"{table} AS t"
    x = f"t.{quoted(chart.x)}"
    if known.types[chart.x].startswith("TIMESTAMP"):
        x = f"CAST({x} AS TIMESTAMP)"
    series = f"CAST(t.{quoted(chart.series)} AS VARCHAR)" if chart.series else "''"
    if chart.kind is ChartKind.CANDLES:
        parts = {name: getattr(chart, name) for name in ("open", "high", "low", "close")}
        values = ", ".join(f"CAST(t.{quoted(column)} AS DOUBLE) AS {name}" for name, column in parts.items())
        there = " AND ".join(f"t.{quoted(column)} IS NOT NULL" for column in parts.values())
        return Source(f"SELECT {x} AS x, {series} AS s, {values} FROM {table} WHERE {there}", parameters)
    if chart.kind is ChartKind.HEATMAP:
        y, value = f"t.{quoted(chart.y[0])}", f"t.{quoted(chart.value)}"
        return Source(
            f"SELECT {x} AS x, CAST({y} AS VARCHAR) AS s, CAST({value} AS DOUBLE) AS y "
            f"FROM {table} WHERE {value} IS NOT NULL",
            parameters,
        )
    if chart.kind is ChartKind.OWN:
        columns = ", ".join(f"{quoted(name)} := t.{quoted(name)}" for name in chart.columns_read)
        return Source(f"SELECT {x} AS x, {series} AS s, struct_pack({columns}) AS columns FROM {table}", parameters)
    if len(chart.y) > 1:
        values = ", ".join(f"CAST(t.{quoted(name)} AS DOUBLE)" for name in chart.y)
        each = f"SELECT {x} AS x, unnest({literal_list(chart.y)}) AS s, unnest([{values}]) AS y FROM {table}"
        return Source(f"SELECT e.* FROM ({each}) AS e WHERE e.y IS NOT NULL", parameters)
    y = f"t.{quoted(chart.y[0])}"
    return Source(
        f"SELECT {x} AS x, {series} AS s, CAST({y} AS DOUBLE) AS y FROM {table} WHERE {y} IS NOT NULL", parameters
    )


def series_of(
    cursor: duckdb.DuckDBPyConnection, known: TableChart, view: View, everything: Source
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """All series, and those that are drawn."""
    chart = known.chart
    if len(chart.y) > 1:
        counted = list(chart.y)
    elif chart.series or chart.kind is ChartKind.HEATMAP:
        query = (
            f"SELECT s FROM ({everything.sql}) WHERE s IS NOT NULL "
            f"GROUP BY s ORDER BY count(*) DESC, s LIMIT {SERIES_LISTED}"
        )
        counted = [name for (name,) in cursor.execute(query, everything.parameters).fetchall()]
    else:
        if view.series:
            raise UsageError(f"chart {known.id} has one series", fix="ask without naming any", code="SERIES")
        return (), ("",)
    unknown = next(
        (name for name in view.series if name not in counted and not _is_there(cursor, everything, name)), None
    )
    if unknown is not None:
        raise UsageError(
            f"chart {known.id} has no series {unknown!r}",
            fix="; ".join(
                part for part in (nearest(unknown, counted), _those_there(cursor, known, everything)) if part
            ),
            code="UNKNOWN_SERIES",
        )
    if view.series:
        return tuple(counted), view.series
    if not counted:  # there is no row yet, or was none then
        return (), ("",)
    several = (
        1 if chart.kind in (ChartKind.CANDLES, ChartKind.BAR) else SERIES_MAX if len(chart.y) > 1 else SERIES_SHOWN
    )
    declared = [name for name in chart.shown if name in counted]
    return tuple(counted), tuple(declared[:SERIES_MAX] or counted[:several])


def _those_there(cursor: duckdb.DuckDBPyConnection, known: TableChart, everything: Source) -> str:
    """Some of the series that a chart has, those with the most rows first, and how all of them are listed."""
    if len(known.chart.y) > 1 and known.chart.kind is not ChartKind.HEATMAP:
        return f"it has {', '.join(known.chart.y)}"
    query = (
        f"SELECT s, count(*) OVER () FROM ({everything.sql}) WHERE s IS NOT NULL "
        f"GROUP BY s ORDER BY count(*) DESC, s LIMIT {SERIES_NAMED}"
    )
    rows = cursor.execute(query, everything.parameters).fetchall()
    if not rows:
        return "it has no rows"
    more = rows[0][1] - len(rows)
    told = f"it has {', '.join(name for name, _ in rows)}"
    schema, _, table = known.table.partition(".")
    column = known.chart.y[0] if known.chart.kind is ChartKind.HEATMAP else known.chart.series
    listed = typed(f"SELECT DISTINCT {quoted(column)} FROM {schema}.{quoted(table)} ORDER BY 1")
    return f"{told} and {more:,} more, see `sbf sql {listed}`" if more else told


def _is_there(cursor: duckdb.DuckDBPyConnection, everything: Source, name: str) -> bool:
    return (
        cursor.execute(
            f"SELECT 1 FROM ({everything.sql}) WHERE s = ? LIMIT 1", [*everything.parameters, name]
        ).fetchone()
        is not None
    )


def of_series(known: TableChart, everything: Source, series: Sequence[str]) -> Source:
    """Those of some series; of all where none is named."""
    if (
        series
        and series != ("",)
        and (known.chart.series or known.chart.kind is ChartKind.HEATMAP or len(known.chart.y) > 1)
    ):
        marks = ", ".join("?" for _ in series)
        return Source(
            f"SELECT * FROM ({everything.sql}) WHERE x IS NOT NULL AND s IN ({marks})",
            [*everything.parameters, *series],
        )
    return Source(f"SELECT * FROM ({everything.sql}) WHERE x IS NOT NULL", everything.parameters)


def ends_of(cursor: duckdb.DuckDBPyConnection, chosen: Source, known: TableChart) -> tuple[Any, Any]:
    """The first and the last moment; None where the chart is not over time."""
    if not known.is_over_time:
        return None, None
    row = cursor.execute(f"SELECT min(x), max(x) FROM ({chosen.sql})", chosen.parameters).fetchone()
    return row if row is not None else (None, None)


def with_declared_days(known: TableChart, view: View, last: Any) -> View:
    """The view, with the stretch that the chart declares where none was asked for."""
    if not known.chart.days or view.since or view.until or last is None:
        return view
    return attrs.evolve(view, since=_day(last) - dt.timedelta(days=known.chart.days))


def _day(moment: dt.date) -> dt.date:
    return moment.date() if isinstance(moment, dt.datetime) else moment


def in_stretch(chosen: Source, view: View) -> Source:
    """Those of the stretch that was asked for."""
    conditions, parameters = [], list(chosen.parameters)
    if view.since is not None:
        conditions.append("x >= CAST(? AS DATE)")
        parameters.append(view.since)
    if view.until is not None:
        conditions.append("x < CAST(? AS DATE) + INTERVAL 1 DAY")
        parameters.append(view.until)
    return (
        Source(f"SELECT * FROM ({chosen.sql}) WHERE {' AND '.join(conditions)}", parameters) if conditions else chosen
    )

"""The rows that a chart draws: chosen, thinned and put in their places by SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import duckdb

from sbf_core.charts.axis import Period, XAxis, XKind
from sbf_core.charts.catalog import TableChart
from sbf_core.charts.layout import axis_of, lay_out, one_row, records, x_kind
from sbf_core.charts.row_query import Source, all_rows, ends_of, in_stretch, of_series, series_of, with_declared_days
from sbf_core.charts.view import View
from sbf_core.dataset.chart import Chart, ChartKind, Total
from sbf_core.errors import UsageError
from sbf_core.value import Value

#: More points than these tell an eye nothing more, and make a file that a browser draws slowly.
POINTS_MAX = 2000
#: A year of sessions fits.
BARS_MAX = 270
TEXTS_MAX = 60
#: Columns and rows of a heat map.
COLUMNS_MAX = 48
ROWS_MAX = 40
_TOTALS = {Total.SUM: "sum(y)", Total.MEAN: "avg(y)", Total.LAST: "arg_max(y, x)", Total.LARGEST: "max(y)"}
_FINITE = "isfinite(y)"
_PERIODS = (Period.ROW, Period.HOUR, Period.DAY, Period.WEEK, Period.MONTH, Period.QUARTER, Period.YEAR)


@attrs.frozen(kw_only=True)
class Plotted(Value):
    """What is drawn of a chart.

    Attributes:
        known: the chart and its table.
        view: what was asked for.
        marks: what is drawn, from left to right. Each has ``p`` (its position), ``x`` (the day, moment, number or text;
            of a period its beginning), ``s`` (its series) and ``y``, or ``open``, ``high``, ``low`` and ``close``;
            those of a heat map have ``q`` (their row), too. For a chart of a specification of its own: rows with the
            table's columns.
        values: of lines that were thinned: what each line is wherever one of them has a mark; else the marks. Only
            where it was asked for.
        axis: from left to right.
        series: those that are drawn, in order; for a heat map its rows from top to bottom.
        series_known: all of them, those with the most rows first, 500 at most.
        points: how many there were before they were thinned.
        period: what became one bar, candle or column.
        first, last: the ends of what the chart could show, of the series that are drawn.
        notes: what a reader must know of the way from rows to marks.
    """

    known: TableChart
    view: View
    marks: Sequence[Mapping[str, Any]]
    axis: XAxis
    values: Sequence[Mapping[str, Any]] = ()
    series: tuple[str, ...] = ()
    series_known: tuple[str, ...] = ()
    points: int = 0
    period: Period = Period.ROW
    first: Any = None
    last: Any = None
    notes: tuple[str, ...] = ()

    @property
    def chart(self) -> Chart:
        """What is drawn."""
        return self.known.chart


def plotted(
    cursor: duckdb.DuckDBPyConnection, known: TableChart, view: View | None = None, *, with_values: bool = False
) -> Plotted:
    """The rows that a chart draws.

    Args:
        cursor: reads; temporary tables are made on it.
        known: the chart.
        view: which part of it.
        with_values: tell the value of each line at each place, too.

    Raises:
        UsageError: the chart reads a column that is not there, there is no such series, or it has no time to choose
            from.
    """
    view = view or View()
    if known.fault:
        raise UsageError(f"chart {known.id} cannot be drawn: {known.fault}", code="CHART")
    if (view.since or view.until) and not known.is_over_time:
        raise UsageError(f"chart {known.id} is not over time", fix="ask without from and to", code="STRETCH")
    if view.as_of is not None and not known.table.startswith("silver."):
        raise UsageError(f"{known.table} keeps no revisions", fix="ask a chart of a silver table", code="AS_OF")
    if view.indexed and known.chart.kind is not ChartKind.LINE:
        raise UsageError(
            f"chart {known.id} has no lines that could begin with 100", fix="ask without as=index", code="INDEX"
        )
    everything = all_rows(known, view)
    series_known, series = series_of(cursor, known, view, everything)
    chosen = of_series(known, everything, series if known.chart.kind is not ChartKind.HEATMAP else view.series)
    first, last = ends_of(cursor, chosen, known)
    view = with_declared_days(known, view, last)
    stretch = in_stretch(chosen, view)
    draw = {
        ChartKind.LINE: _lines,
        ChartKind.BAR: _bars,
        ChartKind.CANDLES: _candles,
        ChartKind.HEATMAP: _heat,
        ChartKind.OWN: _own,
    }[known.chart.kind]
    drawing = draw(cursor, known, stretch, series, view)
    if with_values:
        drawing = attrs.evolve(
            drawing, values=drawing.marks if len(drawing.marks) == drawing.points else _values_at(cursor, drawing)
        )
    return attrs.evolve(drawing, series_known=series_known, first=first, last=last)


def _lines(
    cursor: duckdb.DuckDBPyConnection, known: TableChart, stretch: Source, series: tuple[str, ...], view: View
) -> Plotted:
    """Each point; above so many, of each stretch of a line its first, smallest, largest and last."""
    _collect(cursor, stretch, Period.ROW, "avg(y) AS y", _FINITE)
    notes = _doubles(cursor, "their mean is") + _not_finite(cursor, stretch)
    if view.indexed:
        notes += _index(cursor)
    kind = x_kind(known)
    lay_out(cursor, kind)
    axis = axis_of(cursor, kind)
    (count,) = one_row(cursor, "SELECT count(*) FROM placed")
    if count <= POINTS_MAX:
        marks = records(cursor, "SELECT p, x, s, y FROM placed ORDER BY p, s")
    else:
        buckets = max(1, POINTS_MAX // (4 * len(series)))
        width = (axis.high - axis.low) / buckets or 1.0
        # of equal values the first: the same rows always give the same points
        query = """
        WITH b AS (SELECT s, least(floor((p - $low) / $width), $buckets - 1) AS bucket,
            min_by(point, p) AS first, max_by(point, p) AS last,
            min_by(point, {y: y, p: p}) AS smallest, max_by(point, {y: y, p: -p}) AS largest
            FROM (SELECT *, {p: p, x: x, y: y} AS point FROM placed) GROUP BY 1, 2)
        SELECT DISTINCT point.p AS p, point.x AS x, s, point.y AS y
        FROM (SELECT s, unnest([first, smallest, largest, last]) AS point FROM b) ORDER BY 1, 3
        """
        result = cursor.execute(query, {"low": axis.low, "width": width, "buckets": buckets})
        marks = [dict(zip(("p", "x", "s", "y"), row, strict=True)) for row in result.fetchall()]
        notes.append(
            f"The picture has {len(marks):,} of {count:,} points: "
            "of each stretch of a line its first, smallest, largest and last."
        )
    return Plotted(known=known, view=view, marks=marks, axis=axis, series=series, points=count, notes=tuple(notes))


def _values_at(cursor: duckdb.DuckDBPyConnection, drawing: Plotted) -> Sequence[Mapping[str, Any]]:
    if drawing.chart.kind is not ChartKind.LINE:
        return drawing.marks
    places = sorted({mark["p"] for mark in drawing.marks})
    return records(
        cursor, "SELECT p, x, s, y FROM placed SEMI JOIN (SELECT unnest(?) AS p) USING (p) ORDER BY p, s", [places]
    )


def _index(cursor: duckdb.DuckDBPyConnection) -> list[str]:
    """Make each line begin with 100; one that begins with nothing, or below, cannot."""
    cursor.execute("CREATE OR REPLACE TEMP TABLE begins AS SELECT s, arg_min(y, x) AS first FROM points GROUP BY s")
    left_out = [name for (name,) in cursor.execute("SELECT s FROM begins WHERE first <= 0 ORDER BY s").fetchall()]
    cursor.execute(
        "CREATE OR REPLACE TEMP TABLE points AS SELECT x, s, y / first * 100 AS y, n "
        "FROM points JOIN begins USING (s) WHERE first > 0"
    )
    return [f"{', '.join(left_out)}: begins with zero or less, and is left out."] if left_out else []


def _doubles(cursor: duckdb.DuckDBPyConnection, what: str) -> list[str]:
    (several,) = one_row(cursor, "SELECT count(*) FROM points WHERE n > 1")
    return [f"{several:,} places have several rows; {what} drawn."] if several else []


def _not_finite(cursor: duckdb.DuckDBPyConnection, stretch: Source, condition: str = _FINITE) -> list[str]:
    (left_out,) = one_row(cursor, f"SELECT count(*) FROM ({stretch.sql}) WHERE NOT ({condition})", stretch.parameters)
    return [f"{left_out:,} values are infinite or no number and are not drawn."] if left_out else []


def _period(cursor: duckdb.DuckDBPyConnection, stretch: Source, most: int, condition: str = "true") -> Period:
    """The shortest period of which there are few enough."""
    parts = ", ".join(f"count(DISTINCT {_began('x', period)})" for period in _PERIODS)
    counts = one_row(cursor, f"SELECT {parts} FROM ({stretch.sql}) WHERE {condition}", stretch.parameters)
    return next((period for period, count in zip(_PERIODS, counts, strict=True) if count <= most), Period.YEAR)


def _began(x: str, period: Period) -> str:
    if period is Period.ROW:
        return x
    return f"date_trunc('{period}', {x})" if period is Period.HOUR else f"CAST(date_trunc('{period}', {x}) AS DATE)"


def _collect(cursor: duckdb.DuckDBPyConnection, stretch: Source, period: Period, values: str, condition: str) -> None:
    """One row for each period and series, in the temporary table ``points``; ``n`` says of how many rows it is made."""
    query = (
        f"SELECT {_began('x', period)} AS x, s, {values}, count(*) AS n "
        f"FROM ({stretch.sql}) WHERE {condition} GROUP BY ALL"
    )
    cursor.execute(f"CREATE OR REPLACE TEMP TABLE points AS {query}", stretch.parameters)


def _bars(
    cursor: duckdb.DuckDBPyConnection, known: TableChart, stretch: Source, series: tuple[str, ...], view: View
) -> Plotted:
    """A bar for each place; above so many over time, one for each week, month, quarter or year."""
    kind = x_kind(known, by_text=True)
    period = _period(cursor, stretch, BARS_MAX // len(series), _FINITE) if known.is_over_time else Period.ROW
    notes = _add_up(cursor, stretch, period, known.chart.total, what="bar")
    (count,) = one_row(cursor, "SELECT count(*) FROM points")
    if kind is XKind.TEXT:
        notes += _keep_first_texts(cursor, TEXTS_MAX)
    lay_out(cursor, kind)
    axis = axis_of(cursor, kind, period=period, has_width=True)
    marks = records(cursor, "SELECT p, x, s, y FROM placed ORDER BY p, s")
    return Plotted(
        known=known, view=view, marks=marks, axis=axis, series=series, points=count, period=period, notes=tuple(notes)
    )


def _add_up(
    cursor: duckdb.DuckDBPyConnection, stretch: Source, period: Period, total: Total, *, what: str
) -> list[str]:
    """One value for each period and series in ``points``; returns what a reader must know of it."""
    _collect(cursor, stretch, period, f"{_TOTALS[total]} AS y", _FINITE)
    the = {
        Total.SUM: "the sum",
        Total.MEAN: "the mean",
        Total.LAST: "the last value",
        Total.LARGEST: "the largest value",
    }[total]
    how = _doubles(cursor, f"{the} is") if period is Period.ROW else [f"Each {what} is {the} of a {period}."]
    return _not_finite(cursor, stretch) + how


def _keep_first_texts(cursor: duckdb.DuckDBPyConnection, most: int) -> list[str]:
    (texts,) = one_row(cursor, "SELECT count(DISTINCT x) FROM points")
    if texts <= most:
        return []
    cursor.execute(f"DELETE FROM points WHERE x NOT IN (SELECT DISTINCT x FROM points ORDER BY x LIMIT {most})")
    return [f"The first {most} of {texts:,} are drawn."]


def _candles(
    cursor: duckdb.DuckDBPyConnection, known: TableChart, stretch: Source, series: tuple[str, ...], view: View
) -> Plotted:
    """A candle for each day of one series; above so many, one for each week, month, quarter or year."""
    if len(series) > 1:
        raise UsageError("candles are of one series", fix="name one", code="SERIES")
    kind = x_kind(known, by_text=True)
    period = _period(cursor, stretch, BARS_MAX) if known.is_over_time else Period.ROW
    values = "arg_min(open, x) AS open, max(high) AS high, min(low) AS low, arg_max(close, x) AS close"
    finite = " AND ".join(f"isfinite({name})" for name in ("open", "high", "low", "close"))
    _collect(cursor, stretch, period, values, finite)
    notes = _not_finite(cursor, stretch, finite)
    notes += (
        [f"Each candle is a {period}: its first, highest, lowest and last price."] if period is not Period.ROW else []
    )
    lay_out(cursor, kind)
    axis = axis_of(cursor, kind, period=period, has_width=True)
    (count,) = one_row(cursor, "SELECT coalesce(sum(n), 0) FROM points")
    marks = records(cursor, "SELECT p, x, s, open, high, low, close FROM placed ORDER BY p")
    return Plotted(
        known=known,
        view=view,
        marks=marks,
        axis=axis,
        series=series,
        points=int(count),
        period=period,
        notes=tuple(notes),
    )


def _heat(
    cursor: duckdb.DuckDBPyConnection, known: TableChart, stretch: Source, series: tuple[str, ...], view: View
) -> Plotted:
    """A cell for each place; over time one column for each period."""
    del series  # its rows are chosen here: as many as have room, by their names
    names = [
        name
        for (name,) in cursor.execute(
            f"SELECT DISTINCT s FROM ({stretch.sql}) WHERE isfinite(y) AND s IS NOT NULL ORDER BY s", stretch.parameters
        ).fetchall()
    ]
    kept = names[:ROWS_MAX]
    if len(kept) < len(names):
        marks_of = ", ".join("?" for _ in kept)
        stretch = Source(f"SELECT * FROM ({stretch.sql}) WHERE s IN ({marks_of})", [*stretch.parameters, *kept])
    period = _period(cursor, stretch, COLUMNS_MAX, _FINITE) if known.is_over_time else Period.ROW
    notes = _add_up(cursor, stretch, period, known.chart.total, what="cell")
    notes += [] if known.is_over_time else _keep_first_texts(cursor, COLUMNS_MAX)
    if len(kept) < len(names):
        notes.append(f"The first {len(kept)} of {len(names):,} rows are drawn; name others.")
    lay_out(cursor, XKind.TEXT)
    (count,) = one_row(cursor, "SELECT count(*) FROM placed")
    marks = records(cursor, "SELECT p, list_position(?, s) - 1 AS q, x, s, y FROM placed ORDER BY q, p", [kept])
    axis = axis_of(cursor, XKind.SESSIONS if known.is_over_time else XKind.TEXT, period=period)
    return Plotted(
        known=known,
        view=view,
        marks=marks,
        axis=axis,
        series=tuple(kept),
        points=count,
        period=period,
        notes=tuple(notes),
    )


def _own(
    cursor: duckdb.DuckDBPyConnection, known: TableChart, stretch: Source, series: tuple[str, ...], view: View
) -> Plotted:
    """Rows for a specification of its own; above so many, every second, third and so on."""
    (count,) = one_row(cursor, f"SELECT count(*) FROM ({stretch.sql})", stretch.parameters)
    step = -(-count // POINTS_MAX) or 1
    query = (
        "SELECT unnest(n.columns) "
        "FROM (SELECT r.columns, row_number() OVER (ORDER BY r.x, r.s, r.columns) AS place "
        f"FROM ({stretch.sql}) AS r) AS n "
        f"WHERE (n.place - 1) % {step} = 0 ORDER BY n.place"
    )
    marks = records(cursor, query, stretch.parameters)
    notes = (f"The picture has one of {step} of the {count:,} rows.",) if step > 1 else ()
    return Plotted(
        known=known,
        view=view,
        marks=marks,
        axis=XAxis(kind=x_kind(known), low=0, high=1),
        series=series,
        points=count,
        notes=notes,
    )

"""Where rows stand in a chart: positions and axes,
worked out by SQL over the temporary tables ``points`` and ``placed``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import duckdb

from sbf_core.charts.axis import DAYS_OF, Period, XAxis, XKind, position_of, ticks_between
from sbf_core.charts.catalog import TableChart


def one_row(cursor: duckdb.DuckDBPyConnection, query: str, parameters: Sequence[Any] = ()) -> tuple[Any, ...]:
    """The row of a query that has one."""
    row = cursor.execute(query, list(parameters)).fetchone()
    assert row is not None
    return row


def records(cursor: duckdb.DuckDBPyConnection, query: str, parameters: Sequence[Any] = ()) -> list[dict[str, Any]]:
    """The rows of a query as mappings."""
    result = cursor.execute(query, list(parameters))
    names = [column[0] for column in result.description]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def x_kind(known: TableChart, *, by_text: bool = False) -> XKind:
    """What the x axis of a chart measures; ``by_text``: numbers stand side by side, as texts do."""
    if known.is_over_time:
        return XKind.SESSIONS if known.chart.sessions else XKind.TIME
    is_text = known.types[known.chart.x] in ("VARCHAR", "BOOLEAN", "UUID")
    return XKind.TEXT if is_text or by_text else XKind.NUMBER


def lay_out(cursor: duckdb.DuckDBPyConnection, kind: XKind) -> None:
    """Give each row of the temporary table ``points`` its position, in ``placed``."""
    position = {
        XKind.TIME: "epoch(x) / 86400",
        XKind.NUMBER: "CAST(x AS DOUBLE)",
        XKind.SESSIONS: "CAST(dense_rank() OVER (ORDER BY x) - 1 AS DOUBLE)",
        XKind.TEXT: "CAST(dense_rank() OVER (ORDER BY x) - 1 AS DOUBLE)",
    }[kind]
    cursor.execute(f"CREATE OR REPLACE TEMP TABLE placed AS SELECT {position} AS p, * FROM points")


def axis_of(
    cursor: duckdb.DuckDBPyConnection, kind: XKind, *, period: Period = Period.ROW, has_width: bool = False
) -> XAxis:
    """The axis that the rows of ``placed`` need."""
    count, low, high, first, last = one_row(cursor, "SELECT count(*), min(p), max(p), min(x), max(x) FROM placed")
    if not count:
        return XAxis(kind=kind, low=0.0, high=1.0)
    if kind is XKind.NUMBER:
        return XAxis(kind=kind, low=low, high=high)
    if kind is XKind.TEXT:
        names = cursor.execute("SELECT DISTINCT p, CAST(x AS VARCHAR) FROM placed ORDER BY p").fetchall()
        return XAxis(kind=kind, low=-0.5, high=high + 0.5, ticks=tuple(names))
    wanted = ticks_between(first, last)
    if kind is XKind.SESSIONS:
        moments = [moment for moment, _ in wanted]
        places = (
            cursor.execute(
                "SELECT (SELECT count(DISTINCT x) FROM placed WHERE x < t) FROM unnest(?) AS u(t) ORDER BY t", [moments]
            ).fetchall()
            if moments
            else []
        )
        return XAxis(
            kind=kind,
            low=-0.5,
            high=high + 0.5,
            ticks=tuple(
                (float(place), text) for (place,), (_, text) in zip(places, wanted, strict=True) if place <= high
            ),
        )
    span = DAYS_OF[period] if has_width else 0.0
    edge = 0.5 if low == high and not has_width else 0.0
    return XAxis(
        kind=kind,
        low=low - edge,
        high=high + span + edge,
        ticks=tuple((position_of(moment), text) for moment, text in wanted),
        span=span or 1.0,
    )

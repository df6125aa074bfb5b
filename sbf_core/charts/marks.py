"""The layers of a chart in Vega-Lite's words:
axes, and one function for each kind, which gives the rows that its layers share.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sbf_core.charts.axis import XKind
from sbf_core.charts.frame import (
    LEGEND_LINE,
    UNIT_LINE,
    Frame,
    is_slanted,
    legend_columns,
    legend_lines,
    unit_of,
    y_axis_of,
)
from sbf_core.charts.plotted_rows import Plotted
from sbf_core.charts.theme import DASHES, Palette
from sbf_core.errors import printable

#: With fewer points than these, each is marked.
_POINTS_MARKED_MAX = 60
_CELLS_LABELLED_MAX = 240
#: From this share of the range on a cell is so dark that light text is read on it.
_DARK = 0.55
_LARGE = 1_000_000


# axes


def _x(drawing: Plotted, frame: Frame, field: str = "p") -> dict[str, Any]:
    axis: dict[str, Any] = {"title": None, "grid": False}
    if drawing.axis.kind is not XKind.NUMBER:
        # every n-th where there is no room for all
        ticks = drawing.axis.ticks
        room = max(1, frame.width // 62) if drawing.axis.kind is not XKind.TEXT else max(1, frame.width // 14)
        ticks = ticks[:: -(-len(ticks) // room)] if len(ticks) > room else ticks
        axis |= {
            "values": [position for position, _ in ticks],
            "labelExpr": f"{_as_object(ticks)}[datum.value]",
            "labelOverlap": False,
        }
        if drawing.axis.kind is XKind.TEXT and is_slanted(drawing.axis, frame.width):
            axis |= {"labelAngle": -40, "labelAlign": "right"}
    else:
        axis |= {"title": drawing.chart.x, "labelOverlap": True}
    return {
        "field": field,
        "type": "quantitative",
        "scale": {"domain": [drawing.axis.low, drawing.axis.high], "nice": False, "zero": False},
        "axis": axis,
    }


def _as_object(ticks: Sequence[tuple[float, str]]) -> str:
    """Positions and their texts as an expression of Vega; a number is written as it will be looked up."""
    return json.dumps({repr(position).removesuffix(".0"): printable(str(text)) for position, text in ticks})


def _y(drawing: Plotted, frame: Frame, field: str) -> dict[str, Any]:
    axis_of = y_axis_of(drawing)
    scale: dict[str, Any] = {"domain": [axis_of.low, axis_of.high], "nice": False, "zero": False}
    if axis_of.log:
        scale["type"] = "log"
    axis: dict[str, Any] = {
        "title": None,
        "grid": True,
        "tickCount": 6,
        "domain": False,
        "ticks": False,
        "labelPadding": 6,
    }
    if max(abs(axis_of.low), abs(axis_of.high)) >= _LARGE:
        axis["format"] = "~s"
    elif axis_of.log:
        axis["format"] = ",~g"
    if unit_of(drawing):
        axis |= {
            "title": unit_of(drawing),
            "titleAngle": 0,
            "titleAnchor": "end",
            "titleAlign": "left",
            "titleBaseline": "bottom",
            "titleX": 14 - frame.left,
            "titleY": -8,
        }
    return {"field": field, "type": "quantitative", "scale": scale, "axis": axis}


def _by_series(drawing: Plotted, frame: Frame, palette: Palette, *, channel: str, is_line: bool) -> dict[str, Any]:
    """Colour and dashes of each series, with a legend above where there are several."""
    legend: dict[str, Any] | None = None
    if len(drawing.series) > 1:
        up = LEGEND_LINE * legend_lines(drawing, frame.width) + 6 + (UNIT_LINE if unit_of(drawing) else 0)
        legend = {
            "orient": "none",
            "legendX": 0,
            "legendY": -up,
            "direction": "horizontal",
            "columns": legend_columns(drawing, frame.width),
            "title": None,
        }
        legend["symbolType"] = "stroke" if is_line else "square"
    domain = list(drawing.series)
    colour = {
        "field": "s",
        "type": "nominal",
        "scale": {"domain": domain, "range": list(palette.series[: len(domain)])},
        "legend": legend,
    }
    if not is_line:
        return {channel: colour}
    dash = {
        "field": "s",
        "type": "nominal",
        "scale": {"domain": domain, "range": [list(one) for one in DASHES[: len(domain)]]},
        "legend": legend,
    }
    return {channel: colour, "strokeDash": dash}


# kinds


Layers = tuple[list[dict[str, Any]], list[dict[str, Any]]]


def lines(drawing: Plotted, frame: Frame, palette: Palette) -> Layers:
    """A line for each series; few points are marked, each series in a shape of its own."""
    encoding = {
        "x": _x(drawing, frame),
        "y": _y(drawing, frame, "y"),
        **_by_series(drawing, frame, palette, channel="color", is_line=True),
    }
    mark = {"type": "line", "strokeWidth": 1.6, "strokeJoin": "round", "clip": True}
    rows = [{"p": one["p"], "s": one["s"], "y": one["y"]} for one in drawing.marks]
    layers: list[dict[str, Any]] = [{"mark": mark, "encoding": encoding}]
    if len(drawing.marks) <= _POINTS_MARKED_MAX:
        points = {key: encoding[key] for key in ("x", "y", "color")}
        shape = {"shape": {"field": "s", "type": "nominal", "legend": None}, **points}
        layers.append({"mark": {"type": "point", "size": 34, "filled": True}, "encoding": shape})
    return rows, layers


def bars(drawing: Plotted, frame: Frame, palette: Palette) -> Layers:
    """A bar for each place and series, side by side."""
    places = {name: place for place, name in enumerate(drawing.series)}
    each = drawing.axis.span * 0.8 / len(drawing.series)
    begin = 0.1 if drawing.axis.kind is XKind.TIME else -0.4
    rows = []
    for mark in drawing.marks:
        left = mark["p"] + begin * drawing.axis.span + each * places[mark["s"]]
        rows.append({"l": left, "r": left + each, "s": mark["s"], "y": mark["y"]})
    colour = _by_series(drawing, frame, palette, channel="color", is_line=False)
    encoding = {
        "x": _x(drawing, frame, "l"),
        "x2": {"field": "r"},
        "y": _y(drawing, frame, "y"),
        "y2": {"datum": 0},
        **colour,
    }
    zero = {
        "data": {"values": [{}]},
        "mark": {"type": "rule", "color": palette.soft},
        "encoding": {"y": {"datum": 0, "type": "quantitative"}},
    }
    return rows, [{"mark": {"type": "rect", "clip": True}, "encoding": encoding}, zero]


def candles(drawing: Plotted, frame: Frame, palette: Palette) -> Layers:
    """A rising candle is hollow and a falling one filled, so that they differ without colour, too."""
    half = 0.34 * drawing.axis.span
    middle = 0.5 * drawing.axis.span if drawing.axis.kind is XKind.TIME else 0.0
    rows = []
    for mark in drawing.marks:
        rises, centre = mark["close"] >= mark["open"], mark["p"] + middle
        rows.append({
            "c": centre, "l": centre - half, "r": centre + half, "high": mark["high"], "low": mark["low"],
            "top": max(mark["open"], mark["close"]), "bottom": min(mark["open"], mark["close"]),
            "line": palette.up if rises else palette.down, "fill": palette.ground if rises else palette.down,
        })  # fmt: skip
    stroke = {"field": "line", "type": "nominal", "scale": None}
    x, y = _x(drawing, frame, "c"), _y(drawing, frame, "top")
    wicks = [
        {
            "mark": {"type": "rule", "clip": True},
            "encoding": {"x": x, "y": _y(drawing, frame, one), "y2": {"field": other}, "stroke": stroke},
        }
        for one, other in (("high", "top"), ("low", "bottom"))
    ]
    body = {
        "x": _x(drawing, frame, "l"),
        "x2": {"field": "r"},
        "y": y,
        "y2": {"field": "bottom"},
        "stroke": stroke,
        "fill": {"field": "fill", "type": "nominal", "scale": None},
    }
    return rows, [*wicks, {"mark": {"type": "rect", "strokeWidth": 1, "clip": True}, "encoding": body}]


def heat(drawing: Plotted, frame: Frame, palette: Palette) -> Layers:
    """Light cells are near zero or the smallest value; where there is room the number stands in each."""
    values = [mark["y"] for mark in drawing.marks]
    domain, colours, strong = _shades(values, palette)
    rows = [
        _cell(mark, palette.ground if dark else palette.ink) for mark, dark in zip(drawing.marks, strong, strict=True)
    ]
    names = [(-place, name) for place, name in enumerate(drawing.series)]
    scale = {"domain": [-len(names) + 0.5, 0.5], "nice": False, "zero": False}
    axis: dict[str, Any] = {
        "title": None,
        "grid": False,
        "domain": False,
        "ticks": False,
        "values": [place for place, _ in names],
    }
    axis["labelExpr"] = f"{_as_object([(float(place), name) for place, name in names])}[datum.value]"
    y = {"type": "quantitative", "scale": scale, "axis": axis}
    legend = {
        "orient": "none",
        "legendX": frame.width + 12,
        "legendY": 0,
        "title": None,
        "gradientLength": max(40, min(180, frame.height)),
        "format": ".3~g",
    }
    colour = {
        "field": "y",
        "type": "quantitative",
        "scale": {"domain": domain, "range": colours, "interpolate": "rgb"},
        "legend": legend,
    }
    cells = {
        "x": _x(drawing, frame, "l"),
        "x2": {"field": "r"},
        "y": {"field": "t", **y},
        "y2": {"field": "b"},
        "color": colour,
    }
    layers: list[dict[str, Any]] = [
        {"mark": {"type": "rect", "stroke": palette.ground, "strokeWidth": 1}, "encoding": cells}
    ]
    room = frame.width / max(1.0, drawing.axis.high - drawing.axis.low) >= 34
    if room and len(rows) <= _CELLS_LABELLED_MAX:
        texts = {
            "x": _x(drawing, frame, "c"),
            "y": {"field": "m", **y},
            "text": {"field": "text"},
            "color": {"field": "ink", "type": "nominal", "scale": None},
        }
        layers.append({"mark": {"type": "text", "fontSize": 10.5}, "encoding": texts})
    return rows, layers


def _shades(values: Sequence[float], palette: Palette) -> tuple[list[float], list[str], list[bool]]:
    """The numbers between which colours change, the colours, and which values get a dark one."""
    low, high = min(values, default=0.0), max(values, default=1.0)
    if low < 0 < high:
        edge = max(-low, high)
        colours = [palette.cold, palette.middle, palette.warm]
        return [-edge, 0, edge], colours, [abs(value) / edge > _DARK for value in values]
    span = (high - low) or 1
    return [low, low + span], [palette.middle, palette.warm], [(value - low) / span > _DARK for value in values]


def _cell(mark: Mapping[str, Any], ink: str) -> dict[str, Any]:
    """A cell by its edges, its middle, and what stands in it."""
    p, q, value = mark["p"], -mark["q"], mark["y"]
    edges = {"l": p - 0.5, "r": p + 0.5, "t": q + 0.5, "b": q - 0.5}
    return {**edges, "c": p, "m": q, "y": value, "ink": ink, "text": short(value)}


def short(value: float) -> str:
    """A number with three digits that count, for a narrow place."""
    if value and (abs(value) >= _LARGE or abs(value) < 0.001):
        return f"{value:.2g}"
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"

"""Where a pointer or an arrow key stops in a chart, and what is said there."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any

from sbf_core.charts.axis import XKind, period_label
from sbf_core.charts.frame import Frame, frame_of, y_axis_of
from sbf_core.charts.plotted_rows import Plotted
from sbf_core.charts.theme import Size
from sbf_core.dataset.chart import ChartKind
from sbf_core.errors import printable

#: Marks of a specification of its own that say more would make a page slow.
_STOPS_MAX = 2000
_PRICES = ("open", "high", "low", "close")


def stops_of(drawing: Plotted, size: Size) -> dict[str, Any]:
    """The stops of a chart, from left to right, as a page reads them.

    Args:
        drawing: the rows, with their values.
        size: of the picture.

    Returns:
        ``names`` of the series, whether they have ``colours``, and ``stops``. Each has ``x``, and for single marks
        ``y``, as shares of the picture (0 is left and above), a ``label``, and ``values``: the number of its name, a
        text, and for points of lines how far down it is.
    """
    frame = frame_of(drawing, size, titled=False)
    if drawing.chart.kind is ChartKind.HEATMAP:
        return {
            "names": [printable(name) for name in drawing.series],
            "colours": False,
            "stops": [_cell(drawing, mark, frame) for mark in drawing.marks],
        }
    axis_of = y_axis_of(drawing)
    is_line, is_candle = drawing.chart.kind is ChartKind.LINE, drawing.chart.kind is ChartKind.CANDLES
    middle = drawing.axis.span / 2 if drawing.axis.kind is XKind.TIME and not is_line else 0.0
    number_of = {name: number for number, name in enumerate(drawing.series)}
    stops: dict[float, dict[str, Any]] = {}
    for mark in drawing.values or drawing.marks:
        stop = stops.get(mark["p"])
        if stop is None:
            share = drawing.axis.share(mark["p"] + middle)
            stop = stops[mark["p"]] = {
                "x": _round((frame.left + share * frame.width) / frame.whole_width),
                "label": label_of(drawing, mark["x"]),
                "values": [],
            }
        if is_candle:
            stop["values"] = [[number, text_of(mark[name])] for number, name in enumerate(_PRICES)]
        elif is_line:
            height = frame.top + (1 - axis_of.share(mark["y"])) * frame.height
            stop["values"].append([number_of[mark["s"]], text_of(mark["y"]), _round(height / frame.whole_height)])
        else:
            stop["values"].append([number_of[mark["s"]], text_of(mark["y"])])
    for stop in stops.values():
        stop["values"].sort(key=lambda value: value[0])
    return {
        "names": list(_PRICES) if is_candle else [printable(name) for name in drawing.series],
        "colours": len(drawing.series) > 1,
        "stops": list(stops.values()),
    }


def _cell(drawing: Plotted, mark: Mapping[str, Any], frame: Frame) -> dict[str, Any]:
    rows = max(1, len(drawing.series))
    x = frame.left + drawing.axis.share(mark["p"]) * frame.width
    y = frame.top + (mark["q"] + 0.5) / rows * frame.height
    return {
        "x": _round(x / frame.whole_width),
        "y": _round(y / frame.whole_height),
        "label": label_of(drawing, mark["x"]),
        "values": [[mark["q"], text_of(mark["y"])]],
    }


def _round(share: float) -> float:
    return round(share, 5)


def label_of(drawing: Plotted, x: Any) -> str:
    """What a place on the x axis is called."""
    if isinstance(x, dt.date):
        return period_label(x, drawing.period)
    return text_of(x) if isinstance(x, float) else printable(str(x))


def text_of(value: float) -> str:
    """A number with six digits that count; thousands apart where it is large."""
    return f"{value:,.0f}" if abs(value) >= 1_000_000 else f"{value:,.6g}" if abs(value) >= 1000 else f"{value:.6g}"


def stops_of_scene(scene: Mapping[str, Any]) -> dict[str, Any]:
    """The stops of a specification of its own: each mark that Vega describes, where it stands.

    Args:
        scene: what Vega would put on the screen.
    """
    width, height = float(scene["width"]), float(scene["height"])
    left, top = (float(part) for part in scene["origin"])
    stops: list[dict[str, Any]] = []
    for x, y, text in _described(scene["scenegraph"], left, top):
        if 0 <= x <= width and 0 <= y <= height and len(stops) < _STOPS_MAX:
            stops.append({"x": _round(x / width), "y": _round(y / height), "label": "", "values": [[0, text]]})
    return {"names": [""], "colours": False, "stops": sorted(stops, key=lambda stop: (stop["x"], stop["y"]))}


def _described(part: Mapping[str, Any], left: float, top: float) -> Iterator[tuple[float, float, str]]:
    """Marks with their middle; axes and legends describe themselves and are no marks."""
    if part.get("role", "").startswith(("axis", "legend", "title")):
        return
    is_group = part.get("marktype") == "group"
    for item in part.get("items", ()):
        x, y = left + float(item.get("x", 0)), top + float(item.get("y", 0))
        if is_group:
            for inner in item.get("items", ()):
                yield from _described(inner, x, y)
        elif item.get("description"):
            yield (
                x + float(item.get("width") or 0) / 2,
                y + float(item.get("height") or 0) / 2,
                str(item["description"]),
            )

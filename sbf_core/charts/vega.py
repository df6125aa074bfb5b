"""What is drawn, as a Vega-Lite specification (https://vega.github.io/vega-lite/docs/)."""

from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal
from typing import Any

from sbf_core.charts import marks
from sbf_core.charts.frame import Frame, frame_of
from sbf_core.charts.plotted_rows import Plotted
from sbf_core.charts.theme import PALETTES, Size, Theme, config_of
from sbf_core.dataset.chart import ChartKind
from sbf_core.errors import printable

_SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
_LAYERS = {
    ChartKind.LINE: marks.lines,
    ChartKind.BAR: marks.bars,
    ChartKind.CANDLES: marks.candles,
    ChartKind.HEATMAP: marks.heat,
}


def specification(
    drawing: Plotted, *, theme: Theme = Theme.LIGHT, size: Size = Size.WIDE, titled: bool = False
) -> dict[str, Any]:
    """The chart as a Vega-Lite specification with its data.

    Args:
        drawing: the rows.
        theme: light or dark.
        size: for a wide or a narrow window.
        titled: with its title and notes in the picture, for one that leaves the page.
    """
    frame, palette = frame_of(drawing, size, titled=titled), PALETTES[theme]
    head: dict[str, Any] = {
        "$schema": _SCHEMA, "description": described(drawing),
        "width": frame.width, "height": frame.height, "autosize": {"type": "none"},
        "padding": {"left": frame.left, "top": frame.top, "right": frame.right, "bottom": frame.bottom},
        "config": config_of(palette, size),
    }  # fmt: skip
    if titled:
        head["title"] = {
            "text": drawing.known.title,
            "subtitle": _subtitle(drawing),
            "frame": "group",
            "offset": 16,
            "dx": -frame.left + 14,
            "limit": frame.whole_width - 28,
        }
    if drawing.chart.kind is ChartKind.OWN:
        spec = _own(drawing, frame, head)
    else:
        rows, layers = _LAYERS[drawing.chart.kind](drawing, frame, palette)
        # the page says what a picture shows; a description of each mark would make it four times as large
        spec = {**head, "config": {**head["config"], "aria": False}, "data": {"values": rows}, "layer": layers}
    safe: dict[str, Any] = _printable(spec, {})
    return safe


def _printable(part: Any, known: dict[str, str]) -> Any:
    """Texts of vendors as they may be shown: control and bidirectional characters as escapes.

    A name of a series comes 2,000 times.
    """
    if isinstance(part, str):
        if part not in known:
            known[part] = printable(part)
        return known[part]
    if isinstance(part, dict):
        return {name: _printable(inner, known) for name, inner in part.items()}
    return [_printable(inner, known) for inner in part] if isinstance(part, (list, tuple)) else part


def _own(drawing: Plotted, frame: Frame, head: dict[str, Any]) -> dict[str, Any]:
    """A specification of its own, with the rows, in the room and the colours of the others."""
    given = dict(drawing.chart.spec)
    rows = [{name: plain(value) for name, value in mark.items()} for mark in drawing.marks]
    spec = {
        "autosize": {"type": "fit", "contains": "padding"},
        "padding": 12,
        **given,
        "width": frame.whole_width,
        "height": frame.whole_height,
        "data": {"values": rows},
    }
    spec |= {
        "$schema": head["$schema"],
        "description": head["description"],
        "config": {**head["config"], **given.get("config", {})},
    }
    if "title" in head:
        spec["title"] = {**head["title"], "frame": "bounds", "dx": 0}
    return spec


def described(drawing: Plotted) -> str:
    """One sentence for those who do not see the picture."""
    kind = {
        ChartKind.LINE: "Line chart",
        ChartKind.BAR: "Bar chart",
        ChartKind.CANDLES: "Candle chart",
        ChartKind.HEATMAP: "Heat map",
        ChartKind.OWN: "Chart",
    }[drawing.chart.kind]
    names = [name for name in drawing.series if name]
    of = f" of {', '.join(names)}" if names and drawing.chart.kind is not ChartKind.HEATMAP else ""
    stretch = (
        f" from {drawing.marks[0]['x']} to {drawing.marks[-1]['x']}"
        if drawing.marks and drawing.chart.kind is not ChartKind.OWN and drawing.known.is_over_time
        else ""
    )
    return (
        f"{kind}: {drawing.known.title.rstrip('.')}{of}{stretch}."
        if drawing.marks
        else f"{kind}: {drawing.known.title.rstrip('.')}. There is nothing to draw."
    )


def _subtitle(drawing: Plotted) -> str:
    as_of = f"as known on {drawing.view.as_of:%Y-%m-%d}" if drawing.view.as_of else ""
    parts = (drawing.known.id, drawing.series[0] if len(drawing.series) == 1 else "", as_of)
    return " · ".join(part for part in parts if part)


def plain(value: Any) -> Any:
    """A value as JSON has it."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, (dt.date, dt.datetime)):
        return value.isoformat() + ("Z" if isinstance(value, dt.datetime) else "")
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if isinstance(value, (int, float, str, bool)) or value is None else str(value)

"""The measures of a picture: where the plot stands in it, and which values it spans."""

from __future__ import annotations

import math

import attrs

from sbf_core.charts.axis import XAxis, XKind
from sbf_core.charts.plotted_rows import Plotted
from sbf_core.charts.theme import PLOTS, Size
from sbf_core.dataset.chart import ChartKind
from sbf_core.value import Value

LEGEND_LINE = 20
UNIT_LINE = 14
TITLE_HEIGHT = 56
#: The width of a letter of small text, about.
LETTER = 6.6


@attrs.frozen(kw_only=True)
class Frame(Value):
    """Where the plot is within the picture, in pixels.

    Attributes:
        left, top: where it begins.
        width, height: of the plot.
        right, bottom: ground behind it.
    """

    left: int
    top: int
    width: int
    height: int
    right: int
    bottom: int

    @property
    def whole_width(self) -> int:
        """Of the picture."""
        return self.left + self.width + self.right

    @property
    def whole_height(self) -> int:
        """Of the picture."""
        return self.top + self.height + self.bottom


@attrs.frozen(kw_only=True)
class YAxis(Value):
    """The axis from bottom to top.

    Attributes:
        low, high: values at its ends.
        log: whether it is logarithmic.
    """

    low: float
    high: float
    log: bool = False

    def share(self, value: float) -> float:
        """Where a value is between the ends, 0 to 1."""
        low, high, at = (
            (math.log(one) for one in (self.low, self.high, value)) if self.log else (self.low, self.high, value)
        )
        return (at - low) / (high - low) if high > low else 0.5


def y_axis_of(drawing: Plotted) -> YAxis:
    """The values that have to fit, with a little room."""
    names = ("low", "high") if drawing.chart.kind is ChartKind.CANDLES else ("y",)
    values = [float(mark[name]) for mark in drawing.marks for name in names]
    low, high = min(values, default=0.0), max(values, default=1.0)
    if drawing.chart.kind is ChartKind.BAR:
        low, high = min(low, 0.0), max(high, 0.0)
    if drawing.chart.log and low > 0 and drawing.chart.kind is not ChartKind.BAR:
        return YAxis(
            low=low / (high / low) ** 0.04 if high > low else low / 2,
            high=high * (high / low) ** 0.04 if high > low else high * 2,
            log=True,
        )
    room = (high - low) * 0.04 or abs(high) * 0.1 or 1.0
    is_bar = drawing.chart.kind is ChartKind.BAR
    return YAxis(
        low=low if is_bar and low == 0 else low - room, high=high if is_bar and high == 0 and low < 0 else high + room
    )


def frame_of(drawing: Plotted, size: Size, *, titled: bool) -> Frame:
    """The measures of a picture."""
    width, height, left, bottom, right = PLOTS[size]
    top = 16 + LEGEND_LINE * legend_lines(drawing, width)
    if unit_of(drawing) and drawing.chart.kind is not ChartKind.HEATMAP:
        top += UNIT_LINE
    if drawing.axis.kind is XKind.TEXT and is_slanted(drawing.axis, width):
        bottom = 24 + min(120, int(LETTER * 0.75 * max((len(str(text)) for _, text in drawing.axis.ticks), default=0)))
    if drawing.chart.kind is ChartKind.HEATMAP:
        left = 14 + min(160, int(LETTER * max((len(name) for name in drawing.series), default=1)))
        height = max(60, min(height * 2, 26 * max(1, len(drawing.series))))
        right = 76
        width = PLOTS[size][0] + PLOTS[size][2] + PLOTS[size][4] - left - right
    return Frame(
        left=left, top=top + (TITLE_HEIGHT if titled else 0), width=width, height=height, right=right, bottom=bottom
    )


def unit_of(drawing: Plotted) -> str:
    """What the values are measured in."""
    return "first value = 100" if drawing.view.indexed else drawing.chart.unit


def is_slanted(axis: XAxis, width: int) -> bool:
    """Whether texts below the axis have no room side by side."""
    return len(axis.ticks) * LETTER * max((len(str(text)) + 2 for _, text in axis.ticks), default=0) > width


def legend_columns(drawing: Plotted, width: int) -> int:
    """How many series have room in one line of the legend."""
    longest = max((len(name) for name in drawing.series), default=0)
    return max(1, int(width // (44 + LETTER * min(longest, 22))))


def legend_lines(drawing: Plotted, width: int) -> int:
    """How many lines the legend has; none for a single series."""
    if len(drawing.series) < 2 or drawing.chart.kind in (ChartKind.HEATMAP, ChartKind.CANDLES, ChartKind.OWN):
        return 0
    return -(-len(drawing.series) // legend_columns(drawing, width))

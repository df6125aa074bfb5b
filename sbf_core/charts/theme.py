"""Colours and measures of charts, light and dark; the same grounds and inks as the pages."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import attrs

from sbf_core.value import Value


class Theme(StrEnum):
    """For whom a chart is coloured."""

    LIGHT = "light"
    DARK = "dark"


class Size(StrEnum):
    """For which room a chart is drawn."""

    WIDE = "wide"
    MEDIUM = "medium"
    NARROW = "narrow"


#: Width and height of the plot itself and of the ground left of it, below and right of it, in pixels.
PLOTS = {Size.WIDE: (1000, 340, 62, 30, 18), Size.MEDIUM: (640, 300, 60, 30, 14), Size.NARROW: (340, 240, 54, 30, 10)}
_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif"
#: Series differ in dashes as well as in colour.
DASHES = ((1, 0), (7, 3), (2, 2), (9, 3, 2, 3), (4, 4), (12, 4), (1, 3), (6, 2, 2, 2, 2, 2))


@attrs.frozen(kw_only=True)
class Palette(Value):
    """The colours of a theme.

    Attributes:
        ground, ink, soft, line: behind, texts, quiet texts, grid.
        series: one for each series; each stands out from the ground by 3:1 at least.
        up, down: of candles.
        cold, middle, warm: of a heat map: below zero, zero, above.
    """

    ground: str
    ink: str
    soft: str
    line: str
    series: tuple[str, ...]
    up: str
    down: str
    cold: str
    middle: str
    warm: str


PALETTES = {
    Theme.LIGHT: Palette(
        ground="#ffffff", ink="#1d2126", soft="#59616b", line="#e6e3db",
        series=("#1a4f8b", "#b3541e", "#1d6b3a", "#7b3fa0", "#7d5c06", "#a01c54", "#0f7285", "#59616b"),
        up="#1d6b3a", down="#a01c1c", cold="#b3541e", middle="#f6f4ee", warm="#1a4f8b",
    ),
    Theme.DARK: Palette(
        ground="#1b1f24", ink="#e6e4df", soft="#a3abb4", line="#2c3239",
        series=("#8ebcf0", "#f0a070", "#86d3a0", "#cfa3ee", "#e0b548", "#f49ac1", "#6fd0e0", "#c3c9cf"),
        up="#86d3a0", down="#f4a09a", cold="#f0a070", middle="#252a30", warm="#8ebcf0",
    ),
}  # fmt: skip


def config_of(palette: Palette, size: Size) -> dict[str, Any]:
    """The part of a specification that says how everything looks."""
    small = 10 if size is Size.NARROW else 11
    lines = dict.fromkeys(("gridColor", "domainColor", "tickColor"), palette.line)
    axis = {
        "labelColor": palette.soft,
        "titleColor": palette.soft,
        "labelFontSize": small,
        "titleFontSize": small,
        "titleFontWeight": "normal",
        "labelLimit": 150,
        **lines,
    }
    return {
        "background": palette.ground, "font": _FONT, "view": {"stroke": None}, "axis": axis,
        "range": {"category": list(palette.series), "ramp": [palette.middle, palette.warm]},
        "legend": {
            "labelColor": palette.ink, "titleColor": palette.soft, "labelFontSize": small + 1,
            "symbolStrokeWidth": 2.4, "symbolSize": 260, "labelLimit": 150,
        },
        "title": {
            "color": palette.ink, "subtitleColor": palette.soft, "fontSize": 17, "subtitleFontSize": 12,
            "anchor": "start", "offset": 12, "subtitlePadding": 5,
        },
        "mark": {"color": palette.series[0]}, "text": {"color": palette.ink},
        "style": {"guide-label": {"font": _FONT}, "guide-title": {"font": _FONT}},
    }  # fmt: skip

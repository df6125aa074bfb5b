"""Pictures as Vega draws them: where marks stand, what tells them apart, and that nothing in them acts or fetches."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from xml.etree import ElementTree

import pytest
from hang import HANG_SECONDS

from sbf_core.api import Chart, UsageError
from sbf_core.charts.axis import XAxis, XKind, position_of
from sbf_core.charts.catalog import TableChart
from sbf_core.charts.draw import draw
from sbf_core.charts.frame import frame_of
from sbf_core.charts.hover_points import stops_of, stops_of_scene
from sbf_core.charts.plotted_rows import Plotted
from sbf_core.charts.renderer import ChartRenderer
from sbf_core.charts.theme import DASHES, PALETTES, Size, Theme
from sbf_core.charts.vega import described, specification
from sbf_core.charts.view import SERIES_MAX, View
from sbf_core.dataset.from_toml import entry_from_mapping
from sbf_core.errors import DatasetFailure

TYPES = {"date": "DATE", "ticker": "VARCHAR", "close": "DOUBLE"}
DAYS = [dt.date(2024, 1, 1) + dt.timedelta(days=number) for number in range(6)]


def of(
    marks: list[dict[str, Any]], *, axis: XAxis | None = None, series: tuple[str, ...] = ("",), **chart: Any
) -> Plotted:
    usual: dict[str, Any] = {"name": "c", "title": "A title", "x": "date", "y": "close", "series": "ticker"}
    known = TableChart(table="gold.t", chart=Chart(**{**usual, **chart}), types=TYPES)
    ticks = tuple((float(number), day.isoformat()) for number, day in enumerate(DAYS))
    return Plotted(
        known=known,
        view=View(),
        marks=marks,
        axis=axis or XAxis(kind=XKind.SESSIONS, low=-0.5, high=5.5, ticks=ticks),
        series=series,
        points=len(marks),
    )


def line(*names: str) -> Plotted:
    return of(
        [
            {"p": float(number), "x": day, "s": name, "y": number * 1.5 + place}
            for number, day in enumerate(DAYS)
            for place, name in enumerate(names)
        ],
        series=names,
    )


def candles() -> Plotted:
    prices = [(10.0, 12.0, 9.0, 11.0), (11.0, 11.5, 8.0, 8.5), (8.5, 9.0, 8.0, 8.5)]
    return of(
        [
            {"p": float(n), "x": DAYS[n], "s": "A", "open": o, "high": h, "low": low, "close": c}
            for n, (o, h, low, c) in enumerate(prices)
        ],
        series=("A",),
        kind="candles",
    )


def bars() -> Plotted:
    return of(
        [{"p": float(n), "x": DAYS[n], "s": name, "y": n - 1.0} for n in range(4) for name in ("A", "B")],
        series=("A", "B"),
        kind="bar",
    )


def heat() -> Plotted:
    marks = [
        {"p": float(n), "q": q, "x": DAYS[n], "s": name, "y": n - 2.5 + q}
        for q, name in enumerate(("A", "B"))
        for n in range(6)
    ]
    return of(marks, series=("A", "B"), kind="heatmap", y="ticker", value="close")


KINDS = {"line": line("A", "B"), "candles": candles(), "bars": bars(), "heat": heat()}


def items(
    part: Mapping[str, Any], kind: str, left: float, top: float
) -> Iterator[tuple[float, float, Mapping[str, Any]]]:
    """Items of a kind of mark in what Vega would draw, with where they stand; axes and legends left out."""
    if part.get("role", "").startswith(("axis", "legend", "title")):
        return
    for item in part.get("items", ()):
        x, y = left + item.get("x", 0), top + item.get("y", 0)
        if part.get("marktype") == "group":
            for inner in item.get("items", ()):
                yield from items(inner, kind, x, y)
        elif part.get("marktype") == kind:
            yield x, y, item


def scene_of(
    found: Plotted, kind: str, size: Size = Size.WIDE
) -> tuple[float, float, list[tuple[float, float, Mapping[str, Any]]]]:
    scene = json.loads(draw(specification(found, size=size), "scene"))
    left, top = scene["origin"]
    return scene["width"], scene["height"], list(items(scene["scenegraph"], kind, left, top))


# where marks stand


@pytest.mark.parametrize("size", list(Size))
def test_a_pointer_stops_where_vega_puts_the_points_of_a_line(size: Size) -> None:
    found = line("A", "B", "C")
    width, height, points = scene_of(found, "symbol", size)
    drawn = sorted((round(x / width, 3), round(y / height, 3)) for x, y, _ in points)
    stops = stops_of(found, size)
    told = sorted((round(stop["x"], 3), round(value[2], 3)) for stop in stops["stops"] for value in stop["values"])
    assert len(drawn) == 18
    assert [share for place in told for share in place] == pytest.approx(
        [share for place in drawn for share in place], abs=0.002
    )
    frame = frame_of(found, size, titled=False)
    assert (frame.whole_width, frame.whole_height) == (width, height)


def test_a_pointer_stops_in_the_middle_of_candles_and_cells() -> None:
    for found in (KINDS["candles"], KINDS["heat"]):
        width, height, rects = scene_of(found, "rect")
        middles = sorted((x + item["width"] / 2) / width for x, _, item in rects)
        assert sorted(stop["x"] for stop in stops_of(found, Size.WIDE)["stops"]) == pytest.approx(middles, abs=0.002)
    rows = sorted((y + item["height"] / 2) / height for _, y, item in rects)
    assert sorted(stop["y"] for stop in stops_of(KINDS["heat"], Size.WIDE)["stops"]) == pytest.approx(rows, abs=0.004)


def test_a_logarithmic_axis_is_followed() -> None:
    found = of([{"p": float(n), "x": DAYS[n], "s": "", "y": 10.0**n} for n in range(5)], log=True)
    _, height, points = scene_of(found, "symbol")
    told = [stop["values"][0][2] for stop in stops_of(found, Size.WIDE)["stops"]]
    assert told == pytest.approx([y / height for _, y, _ in points], abs=0.002)
    steps = [later - earlier for earlier, later in zip(told, told[1:], strict=False)]
    assert max(steps) - min(steps) < 0.001


def test_stops_say_what_they_are() -> None:
    assert stops_of(KINDS["candles"], Size.WIDE)["stops"][1]["values"] == [[0, "11"], [1, "11.5"], [2, "8"], [3, "8.5"]]
    first = stops_of(KINDS["line"], Size.WIDE)
    assert (first["names"], first["stops"][0]["label"], [value[:2] for value in first["stops"][0]["values"]]) == (
        ["A", "B"],
        "2024-01-01",
        [[0, "0"], [1, "1"]],
    )


def test_the_marks_of_a_specification_of_its_own_say_what_they_are() -> None:
    spec = {
        "mark": "bar",
        "encoding": {"x": {"field": "ticker", "type": "nominal"}, "y": {"field": "close", "type": "quantitative"}},
    }
    found = of(
        [{"date": DAYS[0], "ticker": name, "close": value} for name, value in (("A", 1.0), ("B", 2.0))],
        kind="own",
        spec=spec,
    )
    stops = stops_of_scene(json.loads(draw(specification(found), "scene")))["stops"]
    assert [stop["values"][0][1] for stop in stops] == ["ticker: A; close: 1", "ticker: B; close: 2"]
    assert 0 < stops[0]["x"] < stops[1]["x"] < 1


# what tells marks apart


def test_series_differ_in_dashes_and_shapes_as_well_as_in_colour() -> None:
    names = tuple("ABCDEFGH")
    svg = draw(specification(line(*names)), "svg").decode()
    groups = [
        element
        for element in ElementTree.fromstring(svg).iter()
        if element.get("class") == "mark-line role-mark layer_0_marks"
    ]
    paths = [path for group in groups for path in group]
    assert len(paths) == SERIES_MAX
    assert len({path.get("stroke-dasharray") for path in paths}) == SERIES_MAX
    assert len({path.get("stroke") for path in paths}) == SERIES_MAX
    assert len(DASHES) == SERIES_MAX == len(PALETTES[Theme.LIGHT].series) == len(PALETTES[Theme.DARK].series)


def test_a_rising_candle_is_hollow_and_a_falling_one_filled() -> None:
    for theme in Theme:
        palette = PALETTES[theme]
        scene = json.loads(draw(specification(KINDS["candles"], theme=theme), "scene"))
        rects = sorted(items(scene["scenegraph"], "rect", 0, 0), key=lambda one: one[0])
        assert [item["fill"] for _, _, item in rects] == [palette.ground, palette.down, palette.ground]
        assert [item["stroke"] for _, _, item in rects] == [palette.up, palette.down, palette.up]


def test_cells_have_their_number_where_there_is_room() -> None:
    assert re.findall(r">(-?[\d.]+)</text>", draw(specification(KINDS["heat"]), "svg").decode())[:12].count("-2.5") == 1
    wide = of(
        [{"p": float(n), "q": 0, "x": DAYS[0], "s": "A", "y": float(n)} for n in range(48)],
        axis=XAxis(kind=XKind.TEXT, low=-0.5, high=47.5),
        series=("A",),
        kind="heatmap",
        y="ticker",
        value="close",
    )
    assert "mark-text role-mark" not in draw(specification(wide), "svg").decode()


def _luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: str, other: str) -> float:
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", list(Theme))
def test_what_is_drawn_stands_out_from_the_ground(theme: Theme) -> None:
    """WCAG 2.2: 3:1 for what is drawn, 4.5:1 for texts."""
    palette = PALETTES[theme]
    assert min(_contrast(colour, palette.ground) for colour in (*palette.series, palette.up, palette.down)) >= 3
    assert min(_contrast(colour, palette.ground) for colour in (palette.ink, palette.soft)) >= 4.5


def test_the_pages_and_their_charts_have_the_same_colours() -> None:
    from pathlib import Path

    import sbf_core.web

    style = (Path(sbf_core.web.__file__).parent / "static" / "sbf.css").read_text(encoding="utf-8")
    for theme in Theme:
        for number, colour in enumerate(PALETTES[theme].series):
            assert f".s{number} {{ --series: {colour}; }}" in style
        assert f"--card: {PALETTES[theme].ground}" in style


# what a picture may not do


HOSTILE = "</text><script>alert(1)</script><image href='https://example.com/x'/>\" onload=\"alert(1)"


@pytest.mark.parametrize("kind", list(KINDS))
@pytest.mark.parametrize("theme", list(Theme))
def test_a_picture_has_nothing_in_it_that_acts(kind: str, theme: Theme) -> None:
    found = KINDS[kind]
    names = [f"{name}{HOSTILE}" for name in found.series]
    marks = [{**mark, "s": mark["s"] + HOSTILE} for mark in found.marks]
    known = TableChart(
        table="gold.t",
        chart=Chart(
            name="c",
            kind=found.chart.kind,
            title=HOSTILE,
            x="date",
            y="close",
            value="close",
            series="ticker",
            unit=HOSTILE,
        ),
        types=TYPES,
    )
    hostile = Plotted(
        known=known,
        view=View(),
        marks=marks,
        axis=XAxis(kind=XKind.TEXT, low=-0.5, high=5.5, ticks=((0.0, HOSTILE),)),
        series=tuple(names),
        points=len(marks),
    )
    picture = draw(specification(hostile, theme=theme, titled=True), "svg").decode()
    for element in ElementTree.fromstring(picture).iter():
        assert element.tag.rpartition("}")[2] in {
            "svg",
            "g",
            "path",
            "rect",
            "line",
            "text",
            "tspan",
            "defs",
            "clipPath",
            "linearGradient",
            "stop",
            "circle",
        }
        assert not [
            name for name in element.attrib if name.startswith("on") or name.endswith("href") or name == "style"
        ], element.attrib
    assert "alert(1)" in picture


@pytest.mark.parametrize(
    "spec",
    [
        {"mark": "image", "encoding": {"x": {"field": "date"}}}, {"mark": {"type": "image"}},
        {"layer": [{"data": {"url": "https://example.com"}, "mark": "bar"}]},
        {"mark": "bar", "encoding": {"url": {"field": "ticker"}}},
        {"mark": "bar", "encoding": {"href": {"field": "ticker"}}},
        {"mark": "bar", "data": {"values": []}}, {"mark": "bar", "datasets": {}},
        {"mark": "geoshape", "transform": [{"lookup": "a", "from": {"data": {"url": "file:///etc/passwd"}}}]},
    ],
)  # fmt: skip
def test_a_specification_that_fetches_is_refused(spec: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=r"fetches something|data of its own"):
        Chart(name="c", kind="own", x="date", spec=spec)


@pytest.mark.parametrize(
    ("chart", "said"),
    [
        ({"kind": "pie", "y": "close"}, "not known"), ({"y": ()}, "lacks what it draws"),
        ({"kind": "heatmap", "y": "a"}, "lacks what it draws"), ({"kind": "own"}, "lacks what it draws"),
        ({"y": ("a", "b"), "series": "ticker"}, "several columns"), ({"y": "a", "spec": {"mark": "bar"}}, "kind own"),
        ({"y": "a", "days": -1}, "negative"), ({"y": "a", "total": "product"}, "not known"),
        ({"y": "a", "name": "A b"}, "not a name"), ({"y": "a", "shown": "AAPL"}, "one text"),
    ],
)  # fmt: skip
def test_a_declaration_that_makes_no_sense_is_refused(chart: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        Chart(**{"name": "c", "x": "date", **chart})


def test_charts_are_read_from_toml_and_checked_with_the_columns() -> None:
    columns = [{"name": "day", "type": "DATE", "key": True}, {"name": "rate", "type": "DOUBLE"}]
    base = {"domain": "a", "source": "b", "dataset": "c", "silver_table": "t", "columns": columns}
    entry = entry_from_mapping({**base, "charts": [{"name": "rates", "x": "day", "y": "rate"}]})
    assert entry.charts[0].y == ("rate",)
    with pytest.raises(UsageError, match="did you mean 'rate'"):
        entry_from_mapping({**base, "charts": [{"name": "rates", "x": "day", "y": "rates"}]})
    with pytest.raises(UsageError, match="declared twice"):
        entry_from_mapping({**base, "charts": [{"name": "rates", "x": "day", "y": "rate"}] * 2})


# drawing


@pytest.mark.parametrize("kind", list(KINDS))
def test_pictures_of_all_kinds_and_sizes(kind: str) -> None:
    for size in Size:
        picture = ElementTree.fromstring(draw(specification(KINDS[kind], size=size), "svg"))
        frame = frame_of(KINDS[kind], size, titled=False)
        assert (picture.get("width"), picture.get("height")) == (str(frame.whole_width), str(frame.whole_height))
    assert draw(specification(KINDS[kind], titled=True), "png").startswith(b"\x89PNG")


def test_a_picture_that_leaves_the_page_has_its_title() -> None:
    assert "A title" not in draw(specification(KINDS["line"]), "svg").decode().replace('aria-label="A title', "")
    assert ">A title</text>" in draw(specification(KINDS["line"], titled=True), "svg").decode()


def test_ticks_between_days_have_their_texts() -> None:
    moments = [dt.datetime(2024, 1, 1) + dt.timedelta(hours=hour) for hour in range(30)]
    axis = XAxis(
        kind=XKind.TIME,
        low=position_of(moments[0]),
        high=position_of(moments[-1]),
        ticks=tuple((position_of(moment), f"at {moment:%H:%M}") for moment in moments[::7]),
    )
    found = of([{"p": position_of(moment), "x": moment, "s": "", "y": 1.0} for moment in moments], axis=axis)
    assert re.findall(r">(at \d\d:\d\d)</text>", draw(specification(found), "svg").decode()) == [
        "at 00:00",
        "at 07:00",
        "at 14:00",
        "at 21:00",
        "at 04:00",
    ]


def test_a_chart_is_described_in_a_sentence() -> None:
    assert described(KINDS["line"]) == "Line chart: A title of A, B from 2024-01-01 to 2024-01-06."
    assert described(of([])) == "Line chart: A title. There is nothing to draw."


def test_a_specification_that_cannot_be_drawn_says_so() -> None:
    with pytest.raises(DatasetFailure, match="cannot be drawn"):
        draw({"mark": "nosuch", "data": {"values": []}}, "svg")


@pytest.fixture
def renderer() -> Iterator[ChartRenderer]:
    import os

    found = ChartRenderer(
        {name: value for name, value in os.environ.items() if name in ("PATH", "PYTHONPATH", "HOME", "SYSTEMROOT")},
        seconds_max=HANG_SECONDS,
    )
    yield found
    found.close()


def test_the_renderer_draws_as_the_library_does_and_goes_on_after_a_fault(renderer: ChartRenderer) -> None:
    spec = specification(KINDS["line"])
    own, other = (re.sub(rb"clip\d+", b"clip", picture) for picture in (renderer.draw(spec, "svg"), draw(spec, "svg")))
    assert own == other
    with pytest.raises(DatasetFailure, match="cannot be drawn"):
        renderer.draw({"mark": "nosuch", "data": {"values": []}}, "svg")
    assert renderer.draw(spec, "png").startswith(b"\x89PNG")


def test_a_chart_that_never_ends_is_stopped_and_costs_no_other(renderer: ChartRenderer) -> None:
    endless = {
        "data": {"sequence": {"start": 0, "stop": 1_500_000}},
        "mark": "line",
        "encoding": {name: {"field": "data", "type": "quantitative"} for name in "xy"},
    }
    slow = ChartRenderer(renderer._environment, seconds_max=1.0)
    with pytest.raises(DatasetFailure, match="not drawn within 1 s"):
        slow.draw(endless, "svg")
    slow._seconds_max = HANG_SECONDS
    assert slow.draw(specification(KINDS["line"]), "svg").startswith(b"<svg")
    slow.close()


def test_a_process_that_dies_while_it_draws_is_told(renderer: ChartRenderer, monkeypatch: pytest.MonkeyPatch) -> None:
    renderer.draw(specification(KINDS["line"]), "svg")
    process = renderer._process
    assert process is not None
    monkeypatch.setattr(renderer, "_running", lambda: process)
    process.end()
    with pytest.raises(DatasetFailure, match="ended the process that draws"):
        renderer.draw(specification(KINDS["bars"]), "svg")


def test_a_picture_is_drawn_once(renderer: ChartRenderer, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = specification(KINDS["bars"])
    first = renderer.draw(spec, "svg")
    monkeypatch.setattr(renderer, "_ask", lambda wanted: pytest.fail("it was drawn again"))
    assert renderer.draw(spec, "svg") is first


def test_a_process_that_has_grown_is_replaced_behind_the_answer(
    renderer: ChartRenderer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sbf_core.charts.renderer.RESIDENT_BYTES_MAX", 1)
    monkeypatch.setattr("sbf_core.charts.renderer._CHARTS_A_PROCESS", 1)
    renderer.draw(specification(KINDS["line"]), "svg")
    first = renderer._process
    assert first is not None
    renderer.draw(specification(KINDS["bars"]), "svg")
    assert first.has_ended()
    assert renderer.draw(specification(KINDS["heat"]), "svg").startswith(b"<svg")


def test_a_process_that_died_is_begun_anew(renderer: ChartRenderer) -> None:
    renderer.draw(specification(KINDS["line"]), "svg")
    assert renderer._process is not None
    renderer._process.end()

    assert renderer.draw(specification(KINDS["bars"]), "svg").startswith(b"<svg")

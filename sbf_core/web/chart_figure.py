"""A chart as a page shows it: its pictures, what to say of it, and the ways to see another part of it."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Mapping, Sequence
from urllib.parse import quote, urlencode

import attrs
from starlette.datastructures import QueryParams

from sbf_core.charts.catalog import TableChart
from sbf_core.charts.frame import frame_of, unit_of
from sbf_core.charts.plotted_rows import Plotted
from sbf_core.charts.theme import Size
from sbf_core.charts.vega import described
from sbf_core.charts.view import View
from sbf_core.dataset.chart import ChartKind
from sbf_core.reports.form_days import day_of, moment_of
from sbf_core.value import Value

#: More than these are not ticked but written.
_SERIES_TICKED_MAX = 60
#: Up to which width of a window each picture is for, in pixels: its letters stay readable. 0: any.
_WINDOWS = {Size.NARROW: 520, Size.MEDIUM: 900, Size.WIDE: 0}
_STRETCHES = (
    ("1 month", 31),
    ("3 months", 92),
    ("6 months", 183),
    ("1 year", 365),
    ("5 years", 1827),
    ("10 years", 3653),
)
#: What of an address says which part of a chart is looked at.
_PARTS = ("from", "to", "series", "names", "as_of", "as")


@attrs.frozen(kw_only=True)
class Figure(Value):
    """A chart as a page shows it.

    Attributes:
        known: the chart.
        address: of its page, without a question.
        query: which part of it is looked at, as it stands in addresses behind a question mark.
        alt: for those who do not see it.
        unit: of the values.
        sizes: its pictures from narrow to wide: name, width and height, and up to which window one is for; 0: any.
        notes: what a reader must know.
        stretches: links to other stretches of time: name, address, whether it is this one.
        scales: links to values and to lines that begin with 100; empty where there is no choice.
        since, until, as_of: what stands in the form.
        ticked: series with whether each is drawn; empty where they are too many.
        names: those that are drawn, where they are written.
        picks_one: whether one series is drawn at a time.
        listed: all of them, where one is picked.
        is_silver: whether it can be seen as it was known on a day.
    """

    known: TableChart
    address: str
    query: str
    alt: str
    unit: str
    sizes: tuple[tuple[str, int, int, int], ...]
    notes: tuple[str, ...]
    stretches: tuple[tuple[str, str, bool], ...]
    scales: tuple[tuple[str, str, bool], ...]
    since: str
    until: str
    as_of: str
    ticked: tuple[tuple[str, bool], ...]
    names: str
    picks_one: bool
    listed: tuple[str, ...]
    is_silver: bool

    def picture(self, kind: str, **more: str) -> str:
        """The address of a picture or of its data."""
        return f"{self.address}.{kind}?" + "&".join(part for part in (self.query, urlencode(more)) if part)


def chart_address(known: TableChart) -> str:
    """The page of a chart."""
    return f"/charts/{quote(known.table)}/{known.chart.name}"


def view_of(asked: QueryParams) -> View:
    """What an address asks for. Raises ``UsageError`` where it makes no sense."""
    written = [name.strip() for name in asked.get("names", "").split(",")]
    series = dict.fromkeys(name for name in (*asked.getlist("series"), *written) if name)
    return View(
        since=day_of(asked.get("from", "")), until=day_of(asked.get("to", "")), series=tuple(series),
        as_of=moment_of(asked.get("as_of", "")), indexed=asked.get("as") == "index"
    )  # fmt: skip


def query_of(asked: QueryParams) -> str:
    """The part of an address that says which part of a chart is looked at."""
    return urlencode([(name, value) for name, value in asked.multi_items() if name in _PARTS and value])


def figure_of(drawing: Plotted, query: str) -> Figure:
    """A chart that was plotted, as a page shows it."""
    address, view = chart_address(drawing.known), drawing.view
    frames = [(size, frame_of(drawing, size, titled=False)) for size in _WINDOWS]
    picks_one = drawing.chart.kind is ChartKind.CANDLES
    is_ticked = bool(drawing.series_known) and not picks_one and len(drawing.series_known) <= _SERIES_TICKED_MAX
    drawn = set(drawing.series) if drawing.chart.kind is not ChartKind.HEATMAP or view.series else set()
    several = drawing.chart.kind is ChartKind.LINE and len(drawing.series) > 1
    page = functools.partial(_page, address, query)
    scales = (
        (("Values", page({"as": ""}), not view.indexed), ("First value = 100", page({"as": "index"}), view.indexed))
        if several
        else ()
    )
    return Figure(
        known=drawing.known, address=address, query=query, alt=described(drawing), unit=unit_of(drawing),
        sizes=tuple((str(size), frame.whole_width, frame.whole_height, _WINDOWS[size]) for size, frame in frames),
        notes=drawing.notes,
        stretches=tuple(_stretches(drawing, address, query)),
        scales=scales,
        since="" if view.since is None else view.since.isoformat(),
        until="" if view.until is None else view.until.isoformat(),
        as_of="" if view.as_of is None else view.as_of.date().isoformat(),
        ticked=tuple((name, name in drawn) for name in sorted(drawing.series_known)) if is_ticked else (),
        names=", ".join(name for name in drawing.series if name in drawn)
        if drawing.series_known and not is_ticked else "",
        picks_one=picks_one,
        listed=tuple(sorted({*drawing.series_known, *drawing.series})) if picks_one and drawing.series_known else (),
        is_silver=drawing.known.table.startswith("silver."),
    )  # fmt: skip


def _stretches(drawing: Plotted, address: str, query: str) -> list[tuple[str, str, bool]]:
    """Links to the last month, year and so on, as far as there is more than that."""
    if not isinstance(drawing.last, dt.date) or not isinstance(drawing.first, dt.date):
        return []
    first, last = (
        moment.date() if isinstance(moment, dt.datetime) else moment for moment in (drawing.first, drawing.last)
    )
    links = []
    for name, days in _STRETCHES:
        begin = last - dt.timedelta(days=days)
        if begin > first:
            links.append(
                (
                    name,
                    _page(address, query, {"from": begin.isoformat(), "to": ""}),
                    drawing.view.since == begin and drawing.view.until is None,
                )
            )
    everything = drawing.view.since is None or drawing.view.since <= first
    return [
        *links,
        (
            "Everything",
            _page(address, query, {"from": first.isoformat(), "to": ""}),
            everything and drawing.view.until is None,
        ),
    ]


def _page(address: str, query: str, changes: Mapping[str, str]) -> str:
    kept: Sequence[tuple[str, str]] = [
        (name, value) for name, value in QueryParams(query).multi_items() if name not in changes
    ]
    asked = urlencode([*kept, *((name, value) for name, value in changes.items() if value)])
    return f"{address}?{asked}" if asked else address

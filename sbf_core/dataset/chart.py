"""``Chart``: how rows of a table look as a picture, described as data."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Any

import attrs

from sbf_core.errors import UsageError, nearest
from sbf_core.value import Value
from sbf_core.vocabulary import check_name, texts

#: What would make a specification fetch something; a chart shows rows of the warehouse and nothing else.
_FETCHES = frozenset({"url", "href"})


class ChartKind(StrEnum):
    """The kinds of chart."""

    LINE = "line"
    BAR = "bar"
    CANDLES = "candles"
    HEATMAP = "heatmap"
    OWN = "own"


class Total(StrEnum):
    """How several values become one."""

    SUM = "sum"
    MEAN = "mean"
    LAST = "last"
    LARGEST = "largest"


def _kind(value: str) -> ChartKind:
    if value not in set(ChartKind):
        raise UsageError(
            f"chart kind {value!r} is not known",
            fix=nearest(value, ChartKind) or "use " + ", ".join(ChartKind),
            code="CHART",
        )
    return ChartKind(value)


def _total(value: str) -> Total:
    if value not in set(Total):
        raise UsageError(
            f"total {value!r} is not known", fix=nearest(value, Total) or "use " + ", ".join(Total), code="CHART"
        )
    return Total(value)


def _columns(value: str | Iterable[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


@attrs.frozen(kw_only=True)
class Chart(Value):
    """A chart of one table.

    Attributes:
        name: its name within its table; with the table it makes its address, e.g. ``gold.fact_price_eod/price``.
        kind: ``line``, ``bar``, ``candles``, ``heatmap``, or ``own`` for a specification in ``spec``.
        title: what it shows, for readers.
        x: the column from left to right: a date, a moment, a number or a text.
        y: the column of the values; a tuple of several makes a line of each. For a heat map: the column from top to
            bottom. Candles need none.
        series: a column by which lines, groups of bars or candles are told apart.
        shown: series that are drawn until a reader asks for others; the five with the most rows if empty.
        open, high, low, close: the columns of candles.
        value: the column of a heat map's colour.
        total: how values become one where there are more than can be drawn: ``sum``, ``mean``, ``last`` or ``largest``.
            Lines keep the smallest and the largest of each stretch, candles the first, highest, lowest and last.
        unit: of the values, for readers.
        sessions: the x axis has the days that have rows and no others, so that a weekend leaves no gap.
        log: the values are on a logarithmic axis.
        days: the stretch before the last row that is drawn until a reader asks for another; 0: everything.
        spec: for ``own``: a Vega-Lite specification without data. It gets the columns that are named here as its data,
            at most 2,000 rows; sizes and colours come from sbf. It may not fetch anything.
        columns: for ``own``: further columns that the specification reads.
    """

    name: str
    kind: ChartKind = attrs.field(default=ChartKind.LINE, converter=_kind)
    title: str = ""
    x: str
    y: tuple[str, ...] = attrs.field(default=(), converter=_columns)
    series: str = ""
    shown: tuple[str, ...] = attrs.field(default=(), converter=texts)
    open: str = "open"
    high: str = "high"
    low: str = "low"
    close: str = "close"
    value: str = ""
    total: Total = attrs.field(default=Total.SUM, converter=_total)
    unit: str = ""
    sessions: bool = False
    log: bool = False
    days: int = 0
    spec: Mapping[str, Any] = attrs.field(factory=dict)
    columns: tuple[str, ...] = attrs.field(default=(), converter=texts)

    def __attrs_post_init__(self) -> None:
        check_name(self.name, what="chart")
        where = f"chart {self.name}"
        needed = {
            ChartKind.LINE: self.y,
            ChartKind.BAR: self.y,
            ChartKind.HEATMAP: self.y and self.value,
            ChartKind.CANDLES: True,
            ChartKind.OWN: self.spec,
        }
        if not needed[self.kind]:
            fix = {
                ChartKind.HEATMAP: "name the columns y and value",
                ChartKind.OWN: "give a Vega-Lite specification in spec",
            }.get(self.kind, "name the column y")
            raise UsageError(f"a chart of the kind {self.kind} lacks what it draws", where=where, fix=fix, code="CHART")
        if len(self.y) > 1 and (self.kind is not ChartKind.LINE or self.series):
            raise UsageError(
                "several columns y belong to a line chart without a series",
                where=where,
                fix="name one column y",
                code="CHART",
            )
        if self.spec and self.kind is not ChartKind.OWN:
            raise UsageError("a specification belongs to the kind own", where=where, fix='kind="own"', code="CHART")
        if self.days < 0:
            raise UsageError("days cannot be negative", where=where, code="CHART")
        fetching = next((name for name in _fetching(self.spec)), None)
        if fetching is not None:
            raise UsageError(
                f"its specification fetches something: {fetching}",
                where=where,
                fix="a chart shows rows of its table and nothing else",
                code="CHART",
            )
        if "data" in self.spec or "datasets" in self.spec:
            raise UsageError(
                "its specification brings data of its own",
                where=where,
                fix="name the columns x, y, series and columns",
                code="CHART",
            )

    @property
    def columns_read(self) -> tuple[str, ...]:
        """Names of the columns that it needs, each once."""
        named: tuple[str, ...] = (self.x, *self.y, self.series)
        if self.kind is ChartKind.CANDLES:
            named = (self.x, self.series, self.open, self.high, self.low, self.close)
        elif self.kind is ChartKind.HEATMAP:
            named = (self.x, *self.y, self.value)
        elif self.kind is ChartKind.OWN:
            named = (*named, *self.columns)
        return tuple(dict.fromkeys(name for name in named if name))


def _fetching(part: Any, path: str = "$") -> Iterator[str]:
    """Places in a specification that would make it fetch something."""
    if isinstance(part, Mapping):
        for name, inner in part.items():
            if name in _FETCHES or (name in ("mark", "type") and inner == "image"):
                yield f"{path}.{name}"
            yield from _fetching(inner, f"{path}.{name}")
    elif isinstance(part, (list, tuple)):
        for place, inner in enumerate(part):
            yield from _fetching(inner, f"{path}[{place}]")


def charts(declared: Iterable[Chart]) -> tuple[Chart, ...]:
    """Charts of one table as a tuple. Raises ``UsageError`` where two have one name."""
    as_tuple = tuple(declared)
    names = [chart.name for chart in as_tuple]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise UsageError(f"chart {twice!r} is declared twice", fix="give one of them another name", code="CHART")
    return as_tuple


def check_charts(declared: Iterable[Chart], columns: Collection[str], *, where: str) -> None:
    """Raise ``UsageError`` unless the charts of a dataset read its columns, or the times of its rows."""
    for chart in declared:
        unknown = next(
            (name for name in chart.columns_read if name not in (*columns, "known_from", "recorded_at")), None
        )
        if unknown is not None:
            what = f"chart {chart.name!r} reads {unknown!r}, which is no column"
            raise UsageError(what, where=where, fix=nearest(unknown, columns), code="CHART")

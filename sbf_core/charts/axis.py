"""Where things stand from left to right: days on a line of time, or one beside the other."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from enum import StrEnum

import attrs

from sbf_core.value import Value

TICKS_MAX = 9
_SECONDS_A_DAY = 86_400


class XKind(StrEnum):
    """What the x axis measures."""

    TIME = "time"
    SESSIONS = "sessions"
    NUMBER = "number"
    TEXT = "text"


class Period(StrEnum):
    """A stretch of time whose rows become one bar, candle or column; ``row``: each row is its own."""

    ROW = "row"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


#: How wide a period is drawn, in days; the gaps between bars swallow that months differ.
DAYS_OF = {
    Period.ROW: 1.0,
    Period.HOUR: 1 / 24,
    Period.DAY: 1.0,
    Period.WEEK: 7.0,
    Period.MONTH: 30.4,
    Period.QUARTER: 91.3,
    Period.YEAR: 365.25,
}


@attrs.frozen(kw_only=True)
class XAxis(Value):
    """An x axis.

    Attributes:
        kind: what it measures.
        low, high: positions of its ends. Time: days since 1970; sessions and texts: 0 for the first; numbers:
            themselves.
        ticks: marked positions with what stands at them; empty for numbers, whose ticks are the drawing library's.
        span: how wide a bar is.
    """

    kind: XKind
    low: float
    high: float
    ticks: tuple[tuple[float, str], ...] = ()
    span: float = 1.0

    def share(self, position: float) -> float:
        """Where a position is between the ends, 0 to 1."""
        return (position - self.low) / (self.high - self.low) if self.high > self.low else 0.5


def position_of(moment: dt.date) -> float:
    """Days since 1970, with their fraction for a moment (naive UTC)."""
    if isinstance(moment, dt.datetime):
        return moment.replace(tzinfo=dt.UTC).timestamp() / _SECONDS_A_DAY
    return float((moment - dt.date(1970, 1, 1)).days)


def ticks_between(first: dt.date, last: dt.date) -> list[tuple[dt.date, str]]:
    """Round moments between two days or moments, both included, at most nine, each with its text."""
    one_day = dt.timedelta(days=1)
    if isinstance(first, dt.datetime) and isinstance(last, dt.datetime) and last - first < 3 * one_day:
        for hours in (1, 3, 6, 12):
            moments: list[dt.date] = list(_hours(first, last, hours))
            if len(moments) <= TICKS_MAX:
                return [(moment, moment.strftime("%d %b %H:%M").lstrip("0")) for moment in moments]
    begin, end = _day(first), _day(last)
    days = (end - begin).days
    for step in (1, 2, 7):
        if days // step < TICKS_MAX:
            start = begin + one_day * ((7 - begin.weekday()) % 7) if step == 7 else begin
            count = (end - start).days // step + 1
            return [
                (day, day.strftime("%d %b").lstrip("0"))
                for day in (start + one_day * step * place for place in range(count))
            ]
    for months in (1, 3, 6, 12, 24, 60, 120, 300, 600):
        moments = list(_months(begin, end, months))
        if len(moments) <= TICKS_MAX:
            return [
                (day, day.strftime("%Y" if months >= 12 or (day.month == 1 and months > 1) else "%b %Y"))
                for day in moments
            ]
    return []


def _day(moment: dt.date) -> dt.date:
    return moment.date() if isinstance(moment, dt.datetime) else moment


def _hours(first: dt.datetime, last: dt.datetime, hours: int) -> Iterator[dt.datetime]:
    moment = dt.datetime.combine(first.date(), dt.time())
    while moment <= last:
        if moment >= first:
            yield moment
        moment += dt.timedelta(hours=hours)


def _months(first: dt.date, last: dt.date, months: int) -> Iterator[dt.date]:
    """First days of every so many months, counted from the year 0 so that they are round."""
    count = first.year * 12 + first.month - 1 + (first.day > 1)
    count = -(-count // months) * months
    while count // 12 <= dt.MAXYEAR and dt.date(count // 12, count % 12 + 1, 1) <= last:
        yield dt.date(count // 12, count % 12 + 1, 1)
        count += months


def period_label(moment: dt.date, period: Period) -> str:
    """What a period is called by the day that it begins on."""
    if period is Period.YEAR:
        return f"{moment.year:04d}"
    if period is Period.QUARTER:
        return f"{moment.year:04d}-Q{(moment.month + 2) // 3}"
    if period is Period.MONTH:
        return f"{moment.year:04d}-{moment.month:02d}"
    if period is Period.WEEK:
        return f"week of {_day(moment).isoformat()}"
    if isinstance(moment, dt.datetime) and (period is Period.HOUR or moment.time() != dt.time()):
        return moment.strftime("%Y-%m-%d %H:%M")
    return _day(moment).isoformat()

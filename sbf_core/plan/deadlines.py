"""Of which days rows must be there by now, as a dataset declares it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from zoneinfo import ZoneInfo

import attrs

from sbf_core.dataset.cadence import Cadence
from sbf_core.dataset.expected_by import Every, ExpectedBy
from sbf_core.plan.sessions import session_test
from sbf_core.value import Value

#: No exchange was closed for longer in living memory; see ``sessions``.
_CLOSED_DAYS_MAX = 60
#: Since when something is late is told no further back: two years are as bad as three.
_LOOKED_BACK_DAYS = 2 * 366
_DAY = dt.timedelta(days=1)
_MONTHS = {Every.MONTH: 1, Every.QUARTER: 3, Every.YEAR: 12}


@attrs.frozen(kw_only=True)
class Deadline(Value):
    """A stretch of days, and when its rows are there at the latest.

    Attributes:
        first, last: the days of the stretch; one of the calendar, or a week, month, quarter or year.
        at: the moment.
    """

    first: dt.date
    last: dt.date
    at: dt.datetime


def passed_deadline(expected: ExpectedBy, cadence: Cadence, now: dt.datetime) -> Deadline | None:
    """The newest stretch whose rows must be there by now; None where no day of the calendar was for months.

    Args:
        expected: what is declared, with an hour.
        cadence: of the dataset; its calendar and age hold where ``expected`` says none.
        now: the present moment.

    Raises:
        UsageError: the calendar is that of an exchange, and unknown, or its library is not installed.
    """
    deadline = _maker(expected, cadence)
    today = now.astimezone(ZoneInfo(expected.zone)).date()
    return next((one for one in map(deadline, _backwards(expected, cadence, today)) if one.at <= now), None)


def missed_since(expected: ExpectedBy, cadence: Cadence, newest: dt.date | None, passed: Deadline) -> Deadline:
    """The first stretch without rows whose deadline has passed.

    Args:
        expected: as above.
        cadence: as above.
        newest: the last day of which there are rows, before ``passed.first``; None for none.
        passed: as ``passed_deadline`` says.
    """
    if newest is None:
        return passed
    deadline, first = _maker(expected, cadence), passed
    for stretch in _backwards(expected, cadence, passed.first - _DAY):
        if newest >= stretch[0] or (passed.first - stretch[0]).days > _LOOKED_BACK_DAYS:
            break
        first = deadline(stretch)
    return first


def _maker(expected: ExpectedBy, cadence: Cadence) -> Callable[[tuple[dt.date, dt.date]], Deadline]:
    later = cadence.min_age_days if expected.days_later is None else expected.days_later
    zone = ZoneInfo(expected.zone)

    def deadline(stretch: tuple[dt.date, dt.date]) -> Deadline:
        first, last = stretch
        local = dt.datetime.combine(last + dt.timedelta(days=later), expected.time, zone)
        return Deadline(first=first, last=last, at=local.astimezone(dt.UTC))

    return deadline


def _backwards(expected: ExpectedBy, cadence: Cadence, day: dt.date) -> Iterator[tuple[dt.date, dt.date]]:
    """Stretches, the one with ``day`` first, then those before it; an end where an exchange seems closed for good."""
    if expected.every == Every.DAY:
        yield from _days(session_test(expected.calendar or cadence.calendar), day)
        return
    while day.year > 1:
        first = _first_of(expected.every, day)
        yield first, _last_of(expected.every, first)
        day = first - _DAY


def _days(is_session: Callable[[dt.date], bool], day: dt.date) -> Iterator[tuple[dt.date, dt.date]]:
    closed = 0
    while closed < _CLOSED_DAYS_MAX and day.year > 1:
        if is_session(day):
            closed = 0
            yield day, day
        else:
            closed += 1
        day -= _DAY


def _first_of(every: Every, day: dt.date) -> dt.date:
    if every == Every.WEEK:
        return day - dt.timedelta(days=day.weekday())
    months = _MONTHS[every]
    return dt.date(day.year, (day.month - 1) // months * months + 1, 1)


def _last_of(every: Every, first: dt.date) -> dt.date:
    if every == Every.WEEK:
        return first + dt.timedelta(days=6)
    months = first.year * 12 + first.month - 1 + _MONTHS[every]
    return dt.date(months // 12, months % 12 + 1, 1) - _DAY

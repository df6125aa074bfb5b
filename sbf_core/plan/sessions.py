"""Days on which rows come to be, by the calendar of a dataset."""

from __future__ import annotations

import datetime as dt
import functools
import importlib
from collections.abc import Callable, Iterable
from typing import Any

from sbf_core.dataset.cadence import WEEKDAYS, Cadence
from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.errors import UsageError

#: No exchange was closed for longer in living memory.
_CLOSED_DAYS_MAX = 60
#: Until noon of the day behind a session its rows may still appear, or be of a place west of Greenwich.
_AFTERWARDS = dt.timedelta(days=1, hours=12)


def last_news(cadence: Cadence, now: dt.datetime) -> tuple[dt.date, dt.datetime] | None:
    """The last day whose rows can be there, and the moment after which no more of them come; None where that is unknown.

    Raises:
        UsageError: the calendar is that of an exchange, and unknown, or its library is not installed.
    """
    is_session = session_test(cadence.calendar)
    newest = now.date() - dt.timedelta(days=cadence.min_age_days)
    for age in range(_CLOSED_DAYS_MAX):
        day = newest - dt.timedelta(days=age)
        if is_session(day):
            published = dt.datetime.combine(day + dt.timedelta(days=cadence.min_age_days), dt.time(), dt.UTC)
            return day, published + _AFTERWARDS
    return None


def check_calendars(entries: Iterable[DatasetKeymapEntry]) -> None:
    """Raise ``UsageError``, before anything is written, unless each exchange is known and its library there."""
    for exchange in {entry.cadence.exchange for entry in entries}:
        session_test(exchange)


def session_test(calendar: str) -> Callable[[dt.date], bool]:
    """Whether a day is one of a calendar. Raises ``UsageError`` as ``last_news`` does."""
    if not calendar:
        return lambda day: True
    if calendar == WEEKDAYS:
        return lambda day: day.isoweekday() <= 5
    exchange = _exchange(calendar)
    return lambda day: bool(exchange.is_session(f"{day}")) if exchange.first_session.date() <= day <= exchange.last_session.date() else day.isoweekday() <= 5


@functools.cache
def _exchange(code: str) -> Any:
    try:
        library: Any = importlib.import_module("exchange_calendars")  # an extra: it brings pandas, 100 MB and 0.3 s
    except ImportError:
        raise UsageError(f"the calendar {code} needs a library", where="cadence", fix='pip install "sbf[calendars]", or use weekdays', code="CADENCE") from None
    try:
        return library.get_calendar(code)
    except library.errors.InvalidCalendarName:
        raise UsageError(f"there is no exchange {code!r}", where="cadence", fix="use its ISO 10383 code, e.g. XNYS", code="CADENCE") from None

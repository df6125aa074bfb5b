"""Days on which rows come to be, by the calendar of a dataset."""

from __future__ import annotations

import datetime as dt
import functools
import importlib
from collections.abc import Callable
from typing import Any

from sbf_core.dataset.cadence import TARGET, WEEKDAYS, Cadence
from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.errors import UsageError, told_by
from sbf_core.plan.target_days import is_target_day

#: No exchange was closed for longer in living memory.
_CLOSED_DAYS_MAX = 60
#: Of what the library says: its list of days may have 48,000 characters.
_REASON_CHARACTERS_MAX = 200
#: Until noon of the day behind a session its rows may still appear, or be of a place west of Greenwich.
_AFTERWARDS = dt.timedelta(days=1, hours=12)


def last_news(cadence: Cadence, now: dt.datetime) -> tuple[dt.date, dt.datetime] | None:
    """The last day whose rows can be there, and the moment after which no more of them come; None where that is
    unknown.

    Raises:
        UsageError: the calendar is that of an exchange, and unknown, its library is not installed, or does not make it
            as it should.
    """
    is_session = session_test(cadence.calendar)
    newest = now.date() - dt.timedelta(days=cadence.min_age_days)
    for age in range(_CLOSED_DAYS_MAX):
        day = newest - dt.timedelta(days=age)
        if is_session(day):
            published = dt.datetime.combine(day + dt.timedelta(days=cadence.min_age_days), dt.time(), dt.UTC)
            return day, published + _AFTERWARDS
    return None


def check_calendar(entry: DatasetKeymapEntry) -> None:
    """Raise ``UsageError`` unless the exchange of a dataset is known, its library there, and what that makes right."""
    session_test(entry.cadence.exchange)


def session_test(calendar: str) -> Callable[[dt.date], bool]:
    """Whether a day is one of a calendar. Raises ``UsageError`` as ``last_news`` does."""
    if not calendar:
        return lambda day: True
    if calendar == WEEKDAYS:
        return lambda day: day.isoweekday() <= 5
    if calendar == TARGET:
        return is_target_day
    exchange = _exchange(calendar)
    return lambda day: (
        bool(exchange.is_session(f"{day}"))
        if exchange.first_session.date() <= day <= exchange.last_session.date()
        else day.isoweekday() <= 5
    )


def _exchange(code: str) -> Any:
    exchange = _made(code)
    if isinstance(exchange, UsageError):
        raise UsageError(exchange.what, where=exchange.where, fix=exchange.fix, code=exchange.code)
    return exchange


@functools.cache
def _made(code: str) -> Any:
    """The calendar of an exchange, or why there is none: to fail takes as long as to succeed."""
    try:
        library: Any = importlib.import_module("exchange_calendars")  # an extra: it brings pandas, 100 MB and 0.3 s
    except ImportError:
        return _unusable(f"the calendar {code} needs a library", fix='pip install "sbf[calendars]", or use weekdays')
    except Exception as error:  # its own libraries do not fit it
        return _unusable(f"the library of the calendar {code} cannot be loaded: {_briefly(error)}")
    try:
        calendar = library.get_calendar(code)
        lost = _lost_sessions(calendar)
    except library.errors.InvalidCalendarName:
        return _unusable(f"there is no exchange {code!r}", fix="use its ISO 10383 code, e.g. XNYS")
    except Exception as error:  # with pandas 3 it raises four kinds of them
        return _unusable(f"the library cannot make the calendar {code}: {_briefly(error)}")
    if lost:
        return _unusable(f"the library makes the calendar {code} without its sessions on weekends, such as {lost}")
    return calendar


def _unusable(what: str, *, fix: str = "") -> UsageError:
    usual = 'pip install "sbf[calendars]" brings versions that fit (pandas below 3), or use weekdays'
    return UsageError(what, where="cadence", fix=fix or usual, code="CADENCE")


def _briefly(error: Exception) -> str:
    return told_by(error)[:_REASON_CHARACTERS_MAX]


def _lost_sessions(calendar: Any) -> str:
    """The first day that the library declares to be a session although its weekday usually is none, where it has made
    none of all such days; empty where it has. (Single ones of them may be holidays.)

    So it is with pandas 3 for the Saturdays and Sundays on which Moscow, Bombay and, before 1998, Korea traded.
    """
    first, last = calendar.first_session.date(), calendar.last_session.date()
    lost = ""
    for since, until, mask in getattr(calendar, "special_weekmasks", None) or ():
        begin = first if since is None else max(first, since.date())
        end = last if until is None else min(last, until.date())
        for number in range((end - begin).days + 1):
            day = begin + dt.timedelta(days=number)
            if mask[day.weekday()] == "1" and calendar.weekmask[day.weekday()] != "1":
                if calendar.is_session(f"{day}"):
                    return ""
                lost = lost or f"{day}"
    return lost

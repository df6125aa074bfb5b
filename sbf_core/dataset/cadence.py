"""When a dataset can have something new: days of trading, days until publication, seasons of the year."""

from __future__ import annotations

import datetime as dt
import re

import attrs

from sbf_core.errors import UsageError
from sbf_core.value import Value
from sbf_core.vocabulary import texts

#: Monday to Friday, with no holidays.
WEEKDAYS = "weekdays"
#: Monday to Friday but the days on which T2, formerly TARGET, is closed.
TARGET = "TARGET"
#: Calendars that need no library.
OWN_CALENDARS = (WEEKDAYS, TARGET)
_SEASON = re.compile(r"(\d\d)-(\d\d)/(\d\d)-(\d\d)")
_CALENDAR = re.compile(r"[A-Z0-9_]{3,12}")
_LEAP_YEAR = 2024


@attrs.frozen(kw_only=True)
class Cadence(Value):
    """When there can be something new. How often to look is ``refresh_after_hours`` of the dataset.

    Attributes:
        calendar: days on which rows come to be: empty for all, ``weekdays``, ``TARGET`` for those of euro payments and
            of the ECB's reference rates, or the code of an exchange such as ``XNYS`` or ``XLON``, for which the extra
            ``calendars`` must be installed. After the last such day, and noon (UTC) of the day behind it, nothing is
            asked until the next.
        min_age_days: rows of a day are published so many days later, so that younger days are not asked for.
        seasons: parts of the year in which the usual interval holds, as ``MM-DD/MM-DD``, both included, e.g.
            ``("01-01/03-31",)`` for annual reports; empty: all of it.
        off_season_hours: the interval in the rest of the year.
    """

    calendar: str = ""
    min_age_days: int = 0
    seasons: tuple[str, ...] = attrs.field(default=(), converter=texts)
    off_season_hours: float = 24.0 * 30

    def __attrs_post_init__(self) -> None:
        if self.calendar and self.calendar not in OWN_CALENDARS and not _CALENDAR.fullmatch(self.calendar):
            raise UsageError(
                f"{self.calendar!r} is no calendar",
                where="cadence",
                fix="use weekdays, TARGET, or the code of an exchange such as XNYS",
                code="CADENCE",
            )
        if self.min_age_days < 0 or self.off_season_hours < 0:
            raise UsageError("min_age_days and off_season_hours cannot be negative", where="cadence", code="CADENCE")
        for season in self.seasons:
            _bounds(season)

    @property
    def exchange(self) -> str:
        """The code of the exchange whose calendar it needs; empty for none."""
        return "" if self.calendar in OWN_CALENDARS else self.calendar

    def in_season(self, day: dt.date) -> bool:
        """Whether the usual interval holds on a day. A season may go over the end of the year."""
        here = (day.month, day.day)
        bounds = [_bounds(season) for season in self.seasons]
        return not bounds or any(
            first <= here <= last if first <= last else here >= first or here <= last for first, last in bounds
        )


def _bounds(season: str) -> tuple[tuple[int, int], tuple[int, int]]:
    match = _SEASON.fullmatch(season)
    try:
        first, last = (
            (dt.date(_LEAP_YEAR, int(month), int(day)) for month, day in ((match[1], match[2]), (match[3], match[4])))
            if match
            else (None, None)
        )
    except ValueError:
        first = last = None
    if first is None or last is None:
        raise UsageError(
            f"{season!r} is no season", where="cadence", fix="write MM-DD/MM-DD, e.g. 01-01/03-31", code="CADENCE"
        )
    return (first.month, first.day), (last.month, last.day)

"""Days on which T2, formerly TARGET, is open: those of which there are euro reference rates.

Source: the ECB's "Long-term calendar for TARGET closing days", press release of 14 December 2000, for 2002 and
later; for the years before it, the days of which there are euro foreign exchange reference rates, as in each year
since.
"""

from __future__ import annotations

import datetime as dt
import functools

_FRIDAY = 5
_FIRST_YEAR = 1999
_CLOSED = ((1, 1), (5, 1), (12, 25), (12, 26))
_CLOSED_IN_1999 = ((1, 1), (12, 25))
#: Closed once, for the change of the year 2000 and that of the cash.
_CLOSED_ONCE = (dt.date(1999, 12, 31), dt.date(2001, 12, 31))


def is_target_day(day: dt.date) -> bool:
    """Whether payments are settled on a day; before 1999 each Monday to Friday counts."""
    if day.isoweekday() > _FRIDAY or day in _CLOSED_ONCE:
        return False
    if day.year <= _FIRST_YEAR:
        return day.year < _FIRST_YEAR or (day.month, day.day) not in _CLOSED_IN_1999
    return (day.month, day.day) not in _CLOSED and day not in _easter(day.year)


@functools.cache
def _easter(year: int) -> tuple[dt.date, dt.date]:
    """Good Friday and Easter Monday.

    Source of the formula: "Nature", 20 April 1876, p. 487, as in Meeus, "Astronomical Algorithms", chapter 8; for every
    year of the Gregorian calendar.
    """
    golden = year % 19
    century, of_century = divmod(year, 100)
    leaps, rest = divmod(century, 4)
    shift = (century - (century + 8) // 25 + 1) // 3
    epact = (19 * golden + century - leaps - shift + 15) % 30
    fours, ones = divmod(of_century, 4)
    weekday = (32 + 2 * rest + 2 * fours - epact - ones) % 7
    late = (golden + 11 * epact + 22 * weekday) // 451
    month, before = divmod(epact + weekday - 7 * late + 114, 31)
    sunday = dt.date(year, month, before + 1)
    return sunday - dt.timedelta(days=2), sunday + dt.timedelta(days=1)

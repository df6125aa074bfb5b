"""How a day stands in an address or a body."""

from __future__ import annotations

import datetime as dt

_EPOCH = dt.date(1970, 1, 1)
_DAY_SECONDS = 86400
#: How many of a unit a second has.
_UNITS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


def day_text(day: dt.date, date_format: str, *, is_last: bool) -> str:
    """A day by a ``strftime`` format; or, where that is ``s``, ``ms``, ``us`` or ``ns``, as a moment since 1970 in UTC:
    the first of the day, and of the last day that is asked for the last.

    A format of one of these words alone would have been that word in every address.
    """
    units = _UNITS.get(date_format)
    if units is None:
        return day.strftime(date_format)
    days = (day - _EPOCH).days + is_last
    return str(days * _DAY_SECONDS * units - is_last)

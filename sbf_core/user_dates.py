"""Days and moments as people write them: one grammar for every command, page, setting and file of a user.

A day is ``2024-01-31`` and nothing else that ISO 8601 allows: ``20240131`` and ``2024-W05-3`` are read by some programs
and not by others. A moment is a day, which means its end in UTC, or a day and a time with the offset from UTC: a time
without one would be guessed.
"""

from __future__ import annotations

import datetime as dt
import re

from sbf_core.errors import UsageError

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_TIME = re.compile(
    r"[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?(?P<offset>Z|[+-][0-9]{2}:[0-9]{2})?", re.ASCII
)


def day(text: str, *, what: str = "", where: str = "") -> dt.date:
    """A day written ``YYYY-MM-DD``. Raises ``UsageError`` for anything else.

    Args:
        text: the day.
        what: what it is given for, e.g. ``--since``.
        where: the file that it stands in.
    """
    try:
        if not _DAY.fullmatch(text):
            raise ValueError
        return dt.date.fromisoformat(text)
    except ValueError:
        raise UsageError(
            f"{what} {text!r} is no day".lstrip(), where=where, fix="write YYYY-MM-DD", code="DATE"
        ) from None


def moment(text: str, *, what: str = "") -> dt.datetime:
    """A moment with its offset, or a day, which means its end in UTC; aware, UTC.

    Raises ``UsageError`` for anything else.
    """
    time = _TIME.fullmatch(text, 10)
    try:
        if _DAY.fullmatch(text):
            return dt.datetime.combine(dt.date.fromisoformat(text), dt.time.max, dt.UTC)
        if not _DAY.match(text) or time is None:
            raise ValueError
        if time["offset"] is None:
            dt.datetime.fromisoformat(text)
            raise UsageError(
                f"{what} {text!r} has no time zone".lstrip(), fix="write 2026-01-31T18:00:00Z", code="DATE"
            )
        return dt.datetime.fromisoformat(text).astimezone(dt.UTC)
    except (ValueError, OverflowError):
        fix = "write 2026-01-31 or 2026-01-31T18:00:00Z"
        raise UsageError(f"{what} {text!r} is no moment".lstrip(), fix=fix, code="DATE") from None

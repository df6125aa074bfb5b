"""Days and moments as a form of a page, or an option, gives them: an empty text is none."""

from __future__ import annotations

import datetime as dt

from sbf_core import user_dates as days


def day_of(text: str) -> dt.date | None:
    """A day, see ``sbf_core.user_dates``; None for an empty text. Raises ``UsageError`` where it is none."""
    return days.day(text.strip()) if text.strip() else None


def moment_of(text: str) -> dt.datetime | None:
    """A moment, naive UTC, see ``user_dates``; None for an empty text. Raises ``UsageError`` where it is none."""
    return days.moment(text.strip()).replace(tzinfo=None) if text.strip() else None

"""Days and moments as users write them."""

from __future__ import annotations

import datetime as dt

from sbf_core.errors import UsageError


def day_of(text: str) -> dt.date | None:
    """A day; None for an empty text. Raises ``UsageError`` where it is none."""
    try:
        return dt.date.fromisoformat(text.strip()) if text.strip() else None
    except ValueError as error:
        raise UsageError(f"{text!r} is no day", fix="write 2024-01-31", code="DAY") from error


def moment_of(text: str) -> dt.datetime | None:
    """A day or a moment as a user writes it, naive UTC; the end of a day where no time is given; None for an empty text.

    Raises:
        UsageError: it is neither.
    """
    if not text.strip():
        return None
    try:
        found = dt.datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise UsageError(f"{text!r} is no moment", fix="write 2024-01-31 or 2024-01-31T18:00", code="MOMENT") from error
    if found.tzinfo is not None:
        return found.astimezone(dt.UTC).replace(tzinfo=None)
    return dt.datetime.combine(found.date(), dt.time(23, 59, 59, 999_999)) if len(text.strip()) == 10 else found

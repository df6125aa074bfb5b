"""The one source of the present moment. UTC only."""

from __future__ import annotations

import datetime as dt
import os
from typing import Protocol


class Clock(Protocol):
    """Anything that can say what time it is."""

    def now(self) -> dt.datetime:
        """The present moment, aware, in UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> dt.datetime:
        """The present moment, aware, in UTC."""
        return dt.datetime.now(dt.UTC)


class FixedClock:
    """A clock that stands still until it is told to move; for tests."""

    def __init__(self, start: dt.datetime) -> None:
        self._now = start.astimezone(dt.UTC)

    def now(self) -> dt.datetime:
        """The moment the clock was set to."""
        return self._now

    def advance(self, **duration: float) -> None:
        """Move on by a ``timedelta`` given in its own keywords, e.g. ``advance(days=1)``."""
        self._now += dt.timedelta(**duration)


def clock_of_process() -> Clock:
    """The machine's clock; where ``SBF_TESTING=1``, one that stands at ``SBF_NOW``."""
    moment = os.environ.get("SBF_NOW") if os.environ.get("SBF_TESTING") == "1" else None
    return FixedClock(dt.datetime.fromisoformat(moment)) if moment else SystemClock()


def to_naive_utc(moment: dt.datetime) -> dt.datetime:
    """``moment`` as the naive UTC value that a DuckDB ``TIMESTAMP`` holds."""
    return moment.astimezone(dt.UTC).replace(tzinfo=None)


def from_naive_utc(moment: dt.datetime) -> dt.datetime:
    """A DuckDB ``TIMESTAMP`` value as an aware moment."""
    return moment.replace(tzinfo=dt.UTC)

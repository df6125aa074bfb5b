"""How often a schedule takes a turn: every so many minutes, in UTC."""

from __future__ import annotations

import attrs

from sbf_core.errors import UsageError
from sbf_core.value import Value

_HOUR = 60
_DAY = 24 * _HOUR


@attrs.frozen(kw_only=True)
class Rhythm(Value):
    """Every so many minutes: what divides an hour, or whole hours that divide a day.

    A turn where nothing is due takes half a second and asks nobody, so the rhythm says no more than how soon something
    that has become due is asked for. A time of day would have to name a zone, and summer time skips and repeats hours.
    """

    minutes: int

    def __attrs_post_init__(self) -> None:
        if not 1 <= self.minutes <= _DAY or (_HOUR % self.minutes and (self.minutes % _HOUR or _DAY % self.minutes)):
            raise UsageError(
                f"every {self.minutes} minutes is no even part of an hour or of a day",
                fix="use 5, 10, 15, 20, 30, 60, 120, 180, 240, 360, 720 or 1440",
                code="SCHEDULE",
            )

    @property
    def on_calendar(self) -> str:
        """As systemd writes it, see systemd.time(7)."""
        if self.minutes < _HOUR:
            return f"*-*-* *:00/{self.minutes}:00 UTC"
        return "*-*-* 00:00:00 UTC" if self.minutes == _DAY else f"*-*-* 00/{self.minutes // _HOUR}:00:00 UTC"

    @property
    def cron(self) -> str:
        """As crontab(5) writes it. In local time: an hour that summer time repeats has its turns twice, and none is
        lost.
        """
        if self.minutes < _HOUR:
            return f"*/{self.minutes} * * * *"
        return "0 0 * * *" if self.minutes == _DAY else f"0 */{self.minutes // _HOUR} * * *"

    @property
    def iso_duration(self) -> str:
        """As Windows' task scheduler writes it."""
        return f"PT{self.minutes}M"

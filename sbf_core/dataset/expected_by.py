"""When the rows of a dataset are there at the latest: what is later than that is late, and told."""

from __future__ import annotations

import datetime as dt
import math
import re
from enum import StrEnum

import attrs

from sbf_core.dataset.cadence import Cadence
from sbf_core.dataset.column_checks import is_zone
from sbf_core.errors import UsageError
from sbf_core.value import Value
from sbf_core.vocabulary import word

_HOUR = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")
_DAYS_LATER_MAX = 400


class Every(StrEnum):
    """The stretches of time of each of which there are rows."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


def _every(value: str) -> Every:
    return word(value, Every, what="every")


@attrs.frozen(kw_only=True)
class ExpectedBy(Value):
    """When rows are there at the latest. Later than that a dataset is *late*: ``sbf status --check`` ends with 1.

    Attributes:
        hour: the time of day, e.g. ``18:30``, by which rows are there.
        zone: the zone of ``hour``, and of the days, e.g. ``America/New_York``.
        every: of each of what there are rows: ``day``, ``week`` (from Monday), ``month``, ``quarter`` or ``year``.
        calendar: for days, those of which there are rows: ``weekdays``, ``TARGET``, or the code of an exchange such as
            ``XNYS``; that of the cadence when absent, else all.
        days_later: so many days after the last of the stretch; ``min_age_days`` of the cadence when absent.
        within_hours: and the last answer is not older than that, whatever rows it had; ``inf`` for never late.
    """

    hour: str = ""
    zone: str = ""
    every: Every = attrs.field(default=Every.DAY, converter=_every)
    calendar: str = ""
    days_later: int | None = None
    within_hours: float | None = None

    def __attrs_post_init__(self) -> None:
        if not self.hour and self.within_hours is None:
            _refuse("it says neither an hour nor within how many hours", 'hour="18:30", zone="UTC", or within_hours=48')
        if self.hour and not _HOUR.fullmatch(self.hour):
            _refuse(f"{self.hour!r} is no hour", "write HH:MM, e.g. 18:30")
        if self.hour and not self.zone:
            _refuse("an hour without a zone is another moment everywhere", 'zone="America/New_York", or zone="UTC"')
        if self.zone and not is_zone(self.zone):
            _refuse(f"{self.zone!r} is no time zone", "use a name such as America/New_York")
        if not self.hour and (self.zone or self.calendar or self.days_later is not None or self.every != Every.DAY):
            _refuse("zone, every, calendar and days_later say nothing without an hour", 'hour="18:30"')
        if self.calendar and self.every != Every.DAY:
            _refuse(f"a calendar has days, and rows are of each {self.every}", "leave the calendar out")
        Cadence(calendar=self.calendar)
        if self.days_later is not None and not 0 <= self.days_later <= _DAYS_LATER_MAX:
            _refuse(f"days_later is {self.days_later}", f"use 0 to {_DAYS_LATER_MAX}")
        if self.within_hours is not None and not self.within_hours > 0:
            _refuse(f"within_hours is {self.within_hours}", "use more than 0, or inf for never late")

    @property
    def time(self) -> dt.time:
        """``hour`` as a time. Only where there is one."""
        return dt.time.fromisoformat(self.hour)

    @property
    def is_never_late(self) -> bool:
        """Whether nothing can make it late."""
        return not self.hour and self.within_hours == math.inf


def _refuse(what: str, fix: str) -> None:
    raise UsageError(what, where="expected_by", fix=fix, code="EXPECTED_BY")

"""Which part of a chart is looked at."""

from __future__ import annotations

import datetime as dt

import attrs

from sbf_core.errors import UsageError
from sbf_core.value import Value

SERIES_MAX = 8


@attrs.frozen(kw_only=True)
class View(Value):
    """A part of a chart.

    Attributes:
        since, until: first and last day, both included; None: as declared.
        series: those that are drawn; none: as declared.
        as_of: of silver, as it was known then, UTC; None: as it is known now.
        indexed: each line begins with 100, so that lines of different sizes can be compared.
    """

    since: dt.date | None = None
    until: dt.date | None = None
    series: tuple[str, ...] = ()
    as_of: dt.datetime | None = None
    indexed: bool = False

    def __attrs_post_init__(self) -> None:
        if self.since is not None and self.until is not None and self.since > self.until:
            raise UsageError(
                f"the stretch begins on {self.since} and ends before, on {self.until}",
                fix="change the two",
                code="STRETCH",
            )
        if len(self.series) > SERIES_MAX:
            raise UsageError(
                f"{len(self.series)} series cannot be told apart in one chart",
                fix=f"name {SERIES_MAX} at most",
                code="SERIES",
            )

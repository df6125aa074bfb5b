"""A file that a pattern finds, as the plan sees it."""

from __future__ import annotations

import datetime as dt

import attrs

from sbf_core.value import Value

#: Some disks know times to two seconds: what was read sooner after a change may have changed once more, and look alike.
COARSE = dt.timedelta(seconds=2)
FIRST = dt.datetime.min.replace(tzinfo=dt.UTC)


@attrs.frozen(kw_only=True)
class FoundFile(Value):
    """A file that a pattern finds.

    Attributes:
        name: below the folder in which the pattern begins.
        mark: what tells that it may have changed.
        changed_at: when it changed last, aware.
        sure_at: who read it later than that knows that it did not change since, if the mark is the same.
    """

    name: str
    mark: str
    changed_at: dt.datetime
    sure_at: dt.datetime

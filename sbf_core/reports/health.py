"""How a warehouse is: what is late, and what fails."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import attrs

from sbf_core.counted import counted
from sbf_core.value import Value


class FaultKind(StrEnum):
    """What can be wrong with a warehouse."""

    #: Rows that ``expected_by`` declares are not there.
    LATE = "late"
    #: The vendor has not answered for longer than it may.
    SILENT = "silent"
    #: Requests of the last run that asked failed.
    NOT_FETCHED = "not_fetched"
    #: Payloads could not be promoted, wait for their user, or a table waits to be made again.
    NOT_PROMOTED = "not_promoted"
    #: A gold table could not be built.
    NOT_BUILT = "not_built"
    #: The last run failed, or was interrupted.
    RUN_FAILED = "run_failed"
    #: When rows are expected cannot be told, e.g. because the library of its calendar is not installed.
    CANNOT_TELL = "cannot_tell"
    #: A plugin was refused.
    PLUGIN_REFUSED = "plugin_refused"
    #: Little room is left where the home lies.
    DISK_LOW = "disk_low"
    #: The warehouse cannot be read, so that nothing else is known of it.
    UNREADABLE = "unreadable"


#: What is a matter of time; all else is failing.
LATE_KINDS = frozenset((FaultKind.LATE, FaultKind.SILENT))


@attrs.frozen(kw_only=True)
class Fault(Value):
    """One thing that is wrong.

    Attributes:
        kind: what.
        subject: the dataset, the gold table as ``gold.NAME``, the run, or the plugin.
        since: from when on, where that is known.
        newest: the last day of which there are rows.
        wanted: the day, or the first of the stretch, whose rows must be there.
        answered_at: when the vendor last answered.
        within_hours: within how many hours it has to.
        is_declared: whether somebody said when it is expected; else it is late by what holds for all.
        reason: what the ledger says of it.
        fix: a command that mends it, or that says more.
    """

    kind: FaultKind
    subject: str
    since: dt.datetime | None = None
    newest: dt.date | None = None
    wanted: dt.date | None = None
    answered_at: dt.datetime | None = None
    within_hours: float | None = None
    is_declared: bool = True
    reason: str = ""
    fix: str = ""

    @property
    def key(self) -> str:
        """What it is, whenever and however often it is seen: of a run that fails night by night it is the same."""
        return str(self.kind) if self.kind is FaultKind.RUN_FAILED else f"{self.kind} {self.subject}"

    @property
    def is_late(self) -> bool:
        """Whether it is a matter of time."""
        return self.kind in LATE_KINDS

    @property
    def told(self) -> str:
        """What is wrong, in one line, for a reader."""
        if self.kind is FaultKind.LATE:
            there = "there are none" if self.newest is None else f"the newest are of {self.newest}"
            return f"rows of {self.wanted} are not there; {there}"
        if self.kind is FaultKind.SILENT:
            last = "never answered" if self.answered_at is None else f"last answered {self.answered_at:%Y-%m-%d %H:%M}Z"
            return f"{last}; that may be {self.within_hours:g} h ago at most"
        return self.reason


@attrs.frozen(kw_only=True)
class Health(Value):
    """How a warehouse is.

    Attributes:
        at: when that was looked at.
        datasets: how many datasets were looked at.
        faults: what is wrong, what fails first; empty where it is well.
        newest: the last day of which there are rows, of datasets that declare when rows are expected.
        last_run: id, status, start and end of the last run; None where none was.
    """

    at: dt.datetime
    datasets: int
    faults: tuple[Fault, ...]
    newest: Mapping[str, dt.date | None] = attrs.field(factory=dict)
    last_run: tuple[str, str, dt.datetime, dt.datetime | None] | None = None

    @property
    def is_well(self) -> bool:
        """Whether nothing is wrong."""
        return not self.faults

    @property
    def late(self) -> tuple[Fault, ...]:
        """What is a matter of time."""
        return tuple(one for one in self.faults if one.is_late)

    @property
    def failing(self) -> tuple[Fault, ...]:
        """All else."""
        return tuple(one for one in self.faults if not one.is_late)

    @property
    def told(self) -> str:
        """One line, for a reader and for tools that show the first one."""
        if self.is_well:
            return f"WELL: {counted(self.datasets, 'dataset')}, none late, none failing"
        return f"NOT WELL: {len(self.late)} late, {len(self.failing)} failing, of {counted(self.datasets, 'dataset')}"


def record_of(health: Health) -> dict[str, Any]:
    """How a warehouse is, for a program."""
    faults = [
        {
            "kind": str(one.kind), "subject": one.subject, "since": one.since, "newest": one.newest,
            "wanted": one.wanted, "answered_at": one.answered_at, "within_hours": one.within_hours,
            "reason": one.reason, "fix": one.fix,
        }
        for one in health.faults
    ]  # fmt: skip
    return {
        "is_well": health.is_well, "datasets": health.datasets, "late": len(health.late),
        "failing": len(health.failing), "faults": faults,
    }  # fmt: skip

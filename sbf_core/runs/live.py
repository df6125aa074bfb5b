"""What a run says of itself while it works: a small file, replaced every second, for pages and other programs.

It tells how far the work is; what is in the tables, the ledger tells. A run that was killed leaves the file as it was:
then ``updated_at`` stands still.
"""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import attrs

from sbf_core.atomic_file import state_of, write_whole
from sbf_core.secret import redacted
from sbf_core.value import Entity

SCHEMA = "sbf.live/1"
#: A run writes every second; one that has not for so long is dead, or its machine sleeps.
SILENT_SECONDS_MAX = 10.0


@attrs.define(kw_only=True)
class LiveDataset(Entity):
    """How far one dataset is.

    Attributes:
        dataset: its identity.
        requests: those that are due.
        answered, failed: how many came back, and how many of them without data.
        files: payloads promoted so far.
        rows, rejected: rows seen and rejected so far; committed.
    """

    dataset: str
    requests: int = 0
    answered: int = 0
    failed: int = 0
    files: int = 0
    rows: int = 0
    rejected: int = 0


@attrs.define(kw_only=True)
class LiveLimit(Entity):
    """One limit of a vendor and what is used of it.

    Attributes:
        source: the vendor.
        limit: as it is declared, e.g. ``250/day``.
        used, allowed: requests in the last such period, of this run and of others.
    """

    source: str
    limit: str
    used: int
    allowed: int


@attrs.define(kw_only=True)
class LiveRun(Entity):
    """How far a run is.

    Attributes:
        run_id: the run.
        pid: its process.
        started_at, updated_at: ISO texts, UTC.
        status: ``running`` until the end.
        stage: what it does: ``fetch``, ``promote``, ``gold``, ``publish``; empty before and after.
        done, total: steps of the stage.
        seconds_left: of the stage, as it went so far; None where it cannot be told.
        files, rows, rejected, gold_tables: what is committed so far.
        datasets: those that it works on.
        limits: of the vendors that it asks.
        errors: the last ones.
    """

    run_id: str
    pid: int
    started_at: str
    updated_at: str = ""
    status: str = "running"
    stage: str = ""
    done: int = 0
    total: int = 0
    seconds_left: float | None = None
    files: int = 0
    rows: int = 0
    rejected: int = 0
    gold_tables: int = 0
    datasets: list[LiveDataset] = attrs.field(factory=list)
    limits: list[LiveLimit] = attrs.field(factory=list)
    errors: list[str] = attrs.field(factory=list)

    def is_silent(self, now: dt.datetime) -> bool:
        """Whether it says that it runs, and has said nothing new for a while."""
        return (
            self.status == "running"
            and (now - dt.datetime.fromisoformat(self.updated_at)).total_seconds() > SILENT_SECONDS_MAX
        )

    @property
    def share(self) -> float:
        """How much of the stage is done, 0 to 1."""
        return min(1.0, self.done / self.total) if self.total else 0.0


def write_live(path: Path, live: LiveRun) -> None:
    """Put the file in its place. Raises ``OSError``; whoever writes may do without."""
    write_whole(path, redacted(json.dumps({"schema": SCHEMA, **attrs.asdict(live)})).encode(), durable=False)


def read_live(path: Path) -> LiveRun | None:
    """What the last run said of itself; None where none did, or an sbf that says it in another way."""
    import cattrs  # a run writes only

    try:
        facts: dict[str, Any] = state_of(path)
        if facts.pop("schema", "") != SCHEMA:
            return None
        return cattrs.structure(facts, LiveRun)
    except (OSError, ValueError, TypeError, AttributeError, cattrs.BaseValidationError):
        return None

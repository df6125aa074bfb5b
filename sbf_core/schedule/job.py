"""What a schedule of any kind starts, and under which name."""

from __future__ import annotations

import hashlib
from pathlib import Path

import attrs

from sbf_core.child.own_command import own_command
from sbf_core.home.home import Home
from sbf_core.schedule.rhythm import Rhythm
from sbf_core.value import Value

LOG = Path("logs") / "schedule.log"


@attrs.frozen(kw_only=True)
class Job(Value):
    """What a schedule starts.

    Attributes:
        name: of the job, one for each home.
        home: the folder of the warehouse.
        command: one turn, as words.
        rhythm: how often.
    """

    name: str
    home: Path
    command: tuple[str, ...]
    rhythm: Rhythm


def job_of(home: Home, rhythm: Rhythm) -> Job:
    """The job of a home."""
    folder = home.folder.resolve()
    log = str(folder / LOG)
    return Job(
        name=f"sbf-{hashlib.sha256(str(folder).encode(errors='surrogateescape')).hexdigest()[:8]}",
        home=folder,
        command=tuple(own_command(["watch", "--once", "--log", log], folder)),
        rhythm=rhythm,
    )

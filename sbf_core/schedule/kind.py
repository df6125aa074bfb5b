"""A kind of schedule: what it writes, and the programs of the system that take it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from sbf_core.child.system_program import ask_program
from sbf_core.errors import EnvironmentFault
from sbf_core.schedule.job import Job


class ScheduleKind(Protocol):
    """A kind of schedule."""

    name: str

    def texts(self, job: Job) -> dict[str, str]:
        """What is written, by where."""
        ...

    def installed(self, job: Job) -> str:
        """What is there of the job; empty where nothing is. Raises ``EnvironmentFault``."""
        ...

    def install(self, job: Job) -> None:
        """Put the job in the place of what is there of it. Raises ``EnvironmentFault``."""
        ...

    def remove(self, job: Job) -> None:
        """Take the job away; nothing happens where it is not there. Raises ``EnvironmentFault``."""
        ...


def asked(command: Sequence[str], *, given: str = "", absent: Sequence[str] | None = None) -> str:
    """What a program of the system says, see ``ask_program``."""
    return ask_program(command, given=given, absent=absent, fix="use another --with, or `sbf watch`")


def file_text(path: Path) -> str:
    """What a file holds; empty where there is none. Raises ``EnvironmentFault``."""
    try:
        return path.read_text(encoding="utf-8", errors="surrogateescape")
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise EnvironmentFault(f"a file cannot be read: {error.strerror}", where=str(path)) from error

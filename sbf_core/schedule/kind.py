"""A kind of schedule: what it writes, and the programs of the system that take it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from sbf_core.errors import EnvironmentFault
from sbf_core.schedule.job import Job
from sbf_core.shell_words import typed

_SECONDS_MAX = 60


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
    """What a program of the system prints.

    Args:
        command: its words.
        given: what it reads.
        absent: where it fails and says one of these, there is nothing, and the answer is empty; so it is where there is
            no such program. With none of them every failure means that.

    Raises:
        EnvironmentFault: it is not there, or says that it failed.
    """
    try:
        done = subprocess.run(  # noqa: S603 - programs of the system, named here
            command, input=given, capture_output=True, text=True, encoding="utf-8", errors="surrogateescape",
            timeout=_SECONDS_MAX, check=False, env=os.environ | {"LC_ALL": "C"},
        )  # fmt: skip
    except FileNotFoundError as error:
        if absent is not None:
            return ""
        raise EnvironmentFault(f"there is no program {command[0]}", fix="use another --with, or `sbf watch`") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EnvironmentFault(f"{command[0]} cannot be asked: {error}") from error
    if not done.returncode:
        return done.stdout
    said = " ".join((done.stderr or done.stdout).split())
    if absent is not None and (not absent or any(words in said for words in absent)):
        return ""
    raise EnvironmentFault(f"{' '.join(map(typed, command))}: {said or f'exit code {done.returncode}'}")


def file_text(path: Path) -> str:
    """What a file holds; empty where there is none. Raises ``EnvironmentFault``."""
    try:
        return path.read_text(encoding="utf-8", errors="surrogateescape")
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise EnvironmentFault(f"a file cannot be read: {error.strerror}", where=str(path)) from error

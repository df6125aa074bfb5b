"""Who has the home: the lock of a home, the note in it, and the mark that outlives a process which died with it.

One process or thread at a time changes a home. It holds ``sbf.lock``; DuckDB's own lock of the database stays beside
it, for programs that are not sbf, but it cannot be the lock of the home: it ends when anything in the process closes
another handle of the database. Readers of the database share the lock; readers of a copy need none.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

from sbf_core.atomic_file import state_of
from sbf_core.clock import Clock
from sbf_core.duck.config import DuckDbConfig
from sbf_core.errors import HomeLocked, environment_fault
from sbf_core.faults import fault_point
from sbf_core.file_lock import FileLock

_PID = re.compile(r"PID (\d+)")
_LOOK_AGAIN_SECONDS = 0.1

#: `sbf run` alone has an option for it.
WAIT_FOR_IT = "wait for it, or let each command wait: set SBF_WAIT_SECONDS, or wait_seconds in [run] of sbf.toml"


class HomeLock:
    """The lock of a home.

    Args:
        config: of the home.
        clock: since when it is held.
        shared: for who only reads the database.
    """

    def __init__(self, config: DuckDbConfig, clock: Clock, *, shared: bool) -> None:
        self._path = config.lock
        self._clock = clock
        self._shared = shared
        self._lock = FileLock(config.lock, shared=shared)

    @property
    def is_held(self) -> bool:
        """Whether this object holds it."""
        return self._lock.is_held

    def acquire(self, *, wait_seconds: float = 0.0) -> None:
        """Take it. Calling it again does nothing. The folder of the home must be there.

        Raises:
            HomeLocked: somebody else has it, for longer than ``wait_seconds``.
            EnvironmentFault: the lock cannot be written, or the file system knows none.
        """
        deadline = time.monotonic() + wait_seconds
        try:
            while not self._lock.acquire():
                if time.monotonic() >= deadline:
                    raise HomeLocked(_who(self._path), where=str(self._path.parent), fix=WAIT_FOR_IT)
                fault_point("home.in_use")
                threading.Event().wait(_LOOK_AGAIN_SECONDS)
            if not self._shared:
                self._lock.note(_note(self._clock.now()))
        except OSError as error:
            self._lock.release()
            raise environment_fault(error, doing="the home cannot be locked", where=str(self._path)) from error

    def release(self) -> None:
        """Give it back. Calling it again does nothing."""
        if self._lock.is_held and not self._shared:
            with suppress(OSError):
                self._lock.note(b"")
        self._lock.release()


def write_holder(path: Path, *, since: dt.datetime) -> None:
    """Mark that this process has the database open; it stays if the process dies. Raises ``EnvironmentFault``."""
    try:
        path.write_bytes(_note(since))
    except OSError as error:
        raise environment_fault(error, doing="the home cannot be written", where=str(path)) from error


def drop_holder(path: Path) -> None:
    """Take the mark away, unless the next process has written its own by now."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        if state_of(path)["pid"] == os.getpid():
            path.unlink()


def foreign_holder(duckdb_text: str) -> str:
    """Who has the database open, as DuckDB's refusal says: no run of sbf, which would hold the lock of the home."""
    match = _PID.search(duckdb_text)
    return f"the database is in use by process {match[1] if match else '?'}"


def _note(since: dt.datetime) -> bytes:
    command = " ".join([Path(sys.argv[0]).name, *sys.argv[1:2]]) if sys.argv else "python"
    note = {"pid": os.getpid(), "since": since.isoformat(timespec="seconds"), "command": command}
    return json.dumps(note).encode()


def _who(path: Path) -> str:
    """Who holds a lock, as far as its note tells."""
    try:
        note = state_of(path)
        pid, told = int(note["pid"]), f"({note['command']}, since {note['since']})"
    except (OSError, ValueError, KeyError, TypeError):
        return "the home is in use by a process that reads it"  # or one that just takes it
    if pid == os.getpid():
        return f"this process is at work in the home {told}"
    return (
        f"the home is in use by process {pid} {told}"
        if _lives(pid)
        else "the home is in use by a process that reads it"
    )


def _lives(pid: int) -> bool:
    """Whether a process is there; True where that cannot be told without harm: on Windows signal 0 is Ctrl-C."""
    if os.name != "posix":
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True

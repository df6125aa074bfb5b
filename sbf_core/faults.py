"""Named points at which a test may kill, break or hold the process. Off unless ``SBF_TESTING=1``.

``SBF_FAULT`` holds ``NAME:N:KIND``: at the N-th time (from 1) that point NAME is reached, KIND happens.
``NAME@THING:N:KIND`` counts
only the times that it is reached with that thing, such as a file: how often others get there may depend on the
    clock. Kinds are:

* ``kill``, ``term``, ``int``: the process sends itself that signal;
* ``raise``: a ``RuntimeError``, as a bug would; ``full``, ``io``, ``denied``, ``descriptors``: the ``OSError`` of a
full disk, a broken one, a missing permission, too many open files;
* ``MemoryError``, or the name of one of DuckDB's errors: that error; ``engine-full``, ``engine-damage``: what DuckDB
says of a full disk, and of a block whose checksum is wrong;
* ``hold``: the file ``SBF_FAULT_MARK`` is made, and the process waits until it is gone, or whoever started the process
is.

``SBF_FAULT=count:FILE`` writes at exit how often each point was reached, and each with each thing (``NAME@THING``), as
JSON, so that
a test can go through all.
"""

from __future__ import annotations

import atexit
import errno
import json
import os
import signal
import threading
import time
from collections import Counter
from pathlib import Path

#: Every point on the path of a run, in the order in which a run reaches them first.
FAULT_POINTS = (
    "home.check",  # before the folders of the home are made
    "replace.copied", "replace.moved", "replace.done",  # a damaged database gives way to another
    "home.filled", "home.made",  # a new database has its schema, and its name
    "home.in_use",  # another process has the database open; before the next try
    "home.locked",  # the database is open, and with it the home is ours
    "migrate.before", "migrate.backed_up", "migrate.applied", "migrate.done",
    "home.open",  # migrated and hardened
    "recover.start", "recover.mended", "recover.moved", "recover.quarantined", "recover.adopted", "recover.done",
    "run.started",  # the run's row is committed
    "fetch.asked", "fetch.answered",
    "bronze.created", "bronze.half", "bronze.written", "bronze.synced", "bronze.renamed", "bronze.folders_synced",
    "pack.created", "pack.half", "pack.written", "pack.synced",
    "journal.half", "journal.written", "journal.synced",
    "manifest.begun", "manifest.recorded",
    "remake.begun", "remake.promoted", "remake.swapping", "remake.swapped",  # a stale silver table is made again
    "promote.preparing", "promote.prepared", "promote.staged", "promote.begun", "promote.merged", "promote.recorded",
    "promote.committed",
    "gold.begun", "gold.applied", "gold.recorded", "gold.committed", "gold.remembered",
    "rebuild.kept", "rebuild.replaced",  # the old database has its second name, and its place is taken
    "run.finishing", "run.finished",
    "publish.table", "publish.views", "publish.checkpointed", "publish.half", "publish.copied", "publish.named",
    "backup.journals", "backup.database", "backup.named", "backup.done",  # a backup, whole once it is named
    "restore.begun", "restore.journals", "restore.database",  # a backup is copied into a new home, database last
    # any file that is written whole, with its name; a run writes live.json as the clock says
    "whole.half", "whole.written",
    "publish.done",
    "clean.dropped", "clean.removed",  # what is left over: tables, then files
    "home.closed",
)  # fmt: skip
_ERRORS = {"full": errno.ENOSPC, "io": errno.EIO, "denied": errno.EACCES, "descriptors": errno.EMFILE}
_OF_ENGINE = {
    "engine-full": "Could not write file: No space left on device",
    "engine-damage": "Corrupt database file: computed checksum 1 does not match stored checksum 2",
}
_SIGNALS = {"kill": getattr(signal, "SIGKILL", signal.SIGTERM), "term": signal.SIGTERM, "int": signal.SIGINT}
#: Where the system does not say that the parent is gone; no test holds a process for so long.
_HOLD_SECONDS_MAX = 3600.0


class _Armed:
    """What ``SBF_FAULT`` asks for."""

    def __init__(self, spec: str) -> None:
        self._name, _, rest = spec.partition(":")
        self._counts: Counter[str] = Counter()
        self._lock = threading.Lock()
        if self._name == "count":
            atexit.register(lambda: Path(rest).write_text(json.dumps(self._counts), encoding="utf-8"))
            return
        number, _, self._kind = rest.partition(":")
        self._number = int(number)
        is_error = self._kind.endswith(("Error", "Exception"))
        is_kind = is_error or self._kind in {*_ERRORS, *_OF_ENGINE, *_SIGNALS, "raise", "hold"}
        if self._name.partition("@")[0] not in FAULT_POINTS or not is_kind:
            raise ValueError(f"SBF_FAULT={spec!r}: there is no such point or kind")

    def reach(self, name: str, of: str) -> None:
        """Count, and strike where it was asked for."""
        names = (name, f"{name}@{of}") if of else (name,)
        with self._lock:
            self._counts.update(names)
            hit = self._name in names and self._counts[self._name] == self._number
        if hit:
            self._strike(self._name)

    def _strike(self, name: str) -> None:
        if self._kind in _SIGNALS:
            os.kill(os.getpid(), _SIGNALS[self._kind])
            time.sleep(0.001)  # lets the main thread see a signal that another thread has sent
        elif self._kind in _ERRORS:
            number = _ERRORS[self._kind]
            raise OSError(number, os.strerror(number), name)
        elif self._kind == "MemoryError":
            raise MemoryError
        elif self._kind in _OF_ENGINE or self._kind.endswith(("Error", "Exception")):
            import duckdb

            kind = "IOException" if self._kind in _OF_ENGINE else self._kind
            raise getattr(duckdb, kind)(_OF_ENGINE.get(self._kind, f"{self._kind} at {name}"))
        elif self._kind == "raise":
            raise RuntimeError(f"fault at {name}")
        else:
            mark = Path(os.environ["SBF_FAULT_MARK"])
            mark.touch()
            end, parent = time.monotonic() + _HOLD_SECONDS_MAX, os.getppid()
            while mark.exists() and os.getppid() == parent and time.monotonic() < end:
                time.sleep(0.005)


_armed: _Armed | None = None
if os.environ.get("SBF_TESTING") == "1" and os.environ.get("SBF_FAULT"):
    _armed = _Armed(os.environ["SBF_FAULT"])


def fault_point(name: str, *, of: str = "") -> None:
    """Say that the point ``name`` is reached, with the thing ``of`` where several pass it. Costs a comparison when no
    fault is asked for.
    """
    if _armed is not None:
        _armed.reach(name, of)


def is_armed() -> bool:
    """Whether any fault was asked for; then files are written in two steps, so that one can be half written."""
    return _armed is not None


def arm(spec: str) -> None:
    """Ask for a fault in this process, as ``SBF_FAULT`` does; an empty text takes it back. For tests."""
    global _armed
    _armed = _Armed(spec) if spec else None

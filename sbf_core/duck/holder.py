"""Who has the home open: a note beside the database. DuckDB's own lock is the lock; the note only says more than a process number."""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import sys
from contextlib import suppress
from pathlib import Path

from sbf_core.errors import environment_fault

_PID = re.compile(r"PID (\d+)")


def write_holder(path: Path, *, since: dt.datetime) -> None:
    """Note that this process has the home open. Raises ``EnvironmentFault`` if the home cannot be written."""
    command = " ".join([Path(sys.argv[0]).name, *sys.argv[1:2]]) if sys.argv else "python"
    facts = {"pid": os.getpid(), "since": since.isoformat(timespec="seconds"), "command": command}
    try:
        path.write_text(json.dumps(facts), encoding="utf-8")
    except OSError as error:
        raise environment_fault(error, doing="the home cannot be written", where=str(path)) from error


def drop_holder(path: Path) -> None:
    """Take the note away, unless the next process has written its own by now."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        if json.loads(path.read_text(encoding="utf-8"))["pid"] == os.getpid():
            path.unlink()


def holder_text(path: Path, duckdb_text: str) -> str:
    """Who holds the home, as far as DuckDB's refusal and the note tell."""
    found = _PID.search(duckdb_text)
    pid = found[1] if found else "?"
    since = ""
    try:
        holder = json.loads(path.read_text(encoding="utf-8"))
        if found is None or str(holder["pid"]) == pid:
            pid, since = str(holder["pid"]), f" ({holder['command']}, since {holder['since']})"
    except (OSError, ValueError, KeyError):
        pass  # a reader holds it, or it is just being opened: the pid must do
    return f"the home is in use by process {pid}{since}"

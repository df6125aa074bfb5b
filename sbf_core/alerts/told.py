"""What was told to whom: a small file of the home.

It stands beside the database and not in it: what matters most is told where the database cannot be written or read. If
it is lost, what is wrong is told once more.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs

from sbf_core.atomic_file import state_of, write_whole
from sbf_core.value import Value

FILE_NAME = "alerts.json"
#: The file keeps this length, so that it can be written in place on a disk that has no room left.
_LENGTH_MIN = 1 << 16


@attrs.frozen(kw_only=True)
class Known(Value):
    """A fault that a rule knows of.

    Attributes:
        since: when it began, or was seen first.
        told_at: when it was told; None: not yet.
        line: how it was told, for the line that says that it is over.
    """

    since: dt.datetime
    told_at: dt.datetime | None
    line: str


#: What each rule knows, by the key of the fault.
Told = Mapping[str, Mapping[str, Known]]


def read_told(path: Path) -> dict[str, dict[str, Known]]:
    """What was told, by rule; nothing where there is no such file, or one that nobody understands.

    Raises:
        OSError: it cannot be read.
    """
    try:
        written = state_of(path)
        return {
            rule: {key: _known(facts) for key, facts in faults.items()} for rule, faults in written["rules"].items()
        }
    except FileNotFoundError:
        return {}
    except (ValueError, KeyError, TypeError, AttributeError):  # a power cut in the middle of it, or somebody's hand
        return {}


def write_told(path: Path, told: Told) -> None:
    """Keep what was told. On a full disk it is written in place.

    Raises:
        OSError: that, too, cannot be done.
    """
    rules = {
        rule: {
            key: {
                "since": known.since.isoformat(),
                "told_at": None if known.told_at is None else known.told_at.isoformat(),
                "line": known.line,
            }
            for key, known in faults.items()
        }
        for rule, faults in told.items()
        if faults
    }
    content = json.dumps({"rules": rules}, indent=1).encode()
    content += b" " * (_LENGTH_MIN - len(content) - 1) + b"\n"
    try:
        write_whole(path, content)
    except OSError:
        if not path.is_file() or path.stat().st_size < len(content):
            raise
        with path.open("r+b") as file:
            file.write(content + b" " * (path.stat().st_size - len(content)))


def _known(facts: Mapping[str, Any]) -> Known:
    told_at = facts["told_at"]
    return Known(
        since=dt.datetime.fromisoformat(facts["since"]),
        told_at=None if told_at is None else dt.datetime.fromisoformat(told_at),
        line=str(facts["line"]),
    )

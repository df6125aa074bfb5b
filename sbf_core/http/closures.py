"""Datasets whose vendor said to come back later than a run can wait: not asked again before, in this run or the next
ones.
"""

from __future__ import annotations

import threading
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from sbf_core.clock import Clock

if TYPE_CHECKING:
    import sqlite3

#: A vendor that says "next year" is asked once a day.
_SECONDS_MAX = 86400.0
#: No source can have this name, which the file of the limits uses for its own tables.
_TABLE = '"-closed"'


class Closures:
    """Until when each dataset is closed.

    Args:
        path: the file of the limits; None keeps it in memory.
        clock: the present moment.
        ignored: ask although a dataset is closed; what comes is kept all the same.
    """

    def __init__(self, path: Path | None, clock: Clock, *, ignored: bool = False) -> None:
        self._path = path
        self._clock = clock
        self._lock = threading.Lock()
        self._until: dict[str, float] = {}
        if path is not None and path.exists() and not ignored:
            with closing(self._connected(path)) as connection:
                self._until = dict(connection.execute(f"SELECT dataset, until FROM {_TABLE}").fetchall())

    def seconds_left(self, dataset_id: str) -> float:
        """How long a dataset is closed; 0: it is open."""
        until = self._until.get(dataset_id)
        return 0.0 if until is None else max(0.0, until - self._clock.now().timestamp())

    def close(self, dataset_id: str, seconds: float) -> None:
        """A vendor wants to be left alone for so long; a day is the most that is kept to."""
        until = self._clock.now().timestamp() + min(seconds, _SECONDS_MAX)
        with self._lock:
            self._until[dataset_id] = until
            if self._path is not None:
                with closing(self._connected(self._path)) as connection:
                    connection.execute(f"INSERT OR REPLACE INTO {_TABLE} VALUES (?, ?)", (dataset_id, until))

    @staticmethod
    def _connected(path: Path) -> sqlite3.Connection:
        import sqlite3  # only a home whose vendors have limits

        connection = sqlite3.connect(path, isolation_level=None, timeout=30.0)
        connection.execute(f"CREATE TABLE IF NOT EXISTS {_TABLE} (dataset VARCHAR PRIMARY KEY, until REAL)")
        return connection

"""How often each vendor may be asked: several limits at once,
kept over runs and shared by every process of the home.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from pyrate_limiter import Rate, RateItem, SQLiteBucket, validate_rate_list

from sbf_core.dataset.recipe import limit_parts
from sbf_core.errors import UsageError

_BUSY_SECONDS_MAX = 30.0


class RateBook:
    """Counts the requests to each vendor in an SQLite file, because limits outlive a run.

    A period is a sliding one: 250 a day means in any 24 hours, which keeps the limit whenever the vendor's day begins.

    Args:
        path: the file; None keeps the counts in memory.
    """

    def __init__(self, path: Path | None) -> None:
        self._connection = sqlite3.connect(
            path or ":memory:", isolation_level=None, check_same_thread=False, timeout=_BUSY_SECONDS_MAX
        )
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._buckets: dict[str, SQLiteBucket] = {}
        self._limits: dict[str, list[str]] = {}
        self._lock = threading.Lock()

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    def declare(self, source: str, limits: Sequence[str]) -> None:
        """The limits of a vendor. Raises ``UsageError`` where one of them makes another meaningless."""
        chosen = sorted(dict.fromkeys(limits), key=lambda limit: limit_parts(limit)[1])
        rates = [Rate(allowed, seconds * 1000) for allowed, seconds in map(limit_parts, chosen)]
        if not rates:
            return
        if not validate_rate_list(rates):
            what = f"limits {', '.join(chosen)} contradict each other"
            raise UsageError(
                what,
                where=f"vendor {source}",
                fix="a longer period must allow more, but less per second",
                code="RECIPE",
            )
        with self._lock:
            self._connection.execute(f'CREATE TABLE IF NOT EXISTS "{source}" (name VARCHAR, item_timestamp INTEGER)')
            self._connection.execute(f'CREATE INDEX IF NOT EXISTS "{source}_at" ON "{source}" (item_timestamp)')
            self._limits[source] = chosen
            self._buckets[source] = SQLiteBucket(rates, self._connection, source)
            self._buckets[source].leak(_now())

    def take(self, source: str) -> float:
        """Count one request; returns 0, or the seconds to wait if it may not be made yet (then it is not counted)."""
        bucket = self._buckets.get(source)
        if bucket is None:
            return 0.0
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")  # another process counts before or after, not between
            try:
                now = _now()
                # A clock that was set back leaves requests in the future: they count as made now, or all would wait for
                # it.
                self._connection.execute(
                    f'UPDATE "{source}" SET item_timestamp = ? WHERE item_timestamp > ?', (now, now + 1000)
                )
                item = RateItem(source, now)
                if bucket.put(item):  # commits
                    return 0.0
                wait = bucket.waiting(item)
                assert isinstance(wait, int)
                return max(0.001, wait / 1000)
            finally:
                if self._connection.in_transaction:
                    self._connection.commit()


def _now() -> int:
    return time.time_ns() // 1_000_000

"""Series whose vendor restated all of their past: marked in the promotion that saw it, cleared when all of it was
fetched again.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection

import duckdb

_Write = Callable[[Callable[[duckdb.DuckDBPyConnection], None]], None]


class RestatedSeries:
    """The marks in ops.data_dates. Got from ``OpsService.restated``.

    Args:
        cursor: gives this thread's cursor.
        write: runs some work in one transaction.
    """

    def __init__(self, cursor: Callable[[], duckdb.DuckDBPyConnection], write: _Write) -> None:
        self._cursor = cursor
        self._write = write

    def marked(self) -> frozenset[str]:
        """The series that are to be fetched again."""
        return frozenset(
            key
            for (key,) in self._cursor()
            .execute("SELECT key FROM ops.data_dates WHERE again_from IS NOT NULL")
            .fetchall()
        )

    def mark(self, conn: duckdb.DuckDBPyConnection, keys: Collection[str], *, again_from: dt.date) -> None:
        """Have series fetched again from a day on. Writes ops.data_dates in the caller's transaction. Idempotent."""
        if keys:
            conn.execute(
                "UPDATE ops.data_dates SET again_from = ? WHERE list_contains(?, key)", [again_from, sorted(keys)]
            )

    def clear(self, keys: Collection[str]) -> None:
        """All of these series was fetched again. Writes ops.data_dates. Idempotent."""
        if keys:
            self._write(lambda conn: _clear(conn, keys))


def _clear(conn: duckdb.DuckDBPyConnection, keys: Collection[str]) -> None:
    conn.execute("UPDATE ops.data_dates SET again_from = NULL WHERE list_contains(?, key)", [sorted(keys)])

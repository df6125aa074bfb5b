"""A second database in the same instance, for work that must not touch the first before it is whole.

It is attached, so that both share one limit of memory, and a statement may read one and write the other. Statements
that name no database mean the second one: the same SQL works on both.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import duckdb

from sbf_core.duck.config import STORAGE_VERSION
from sbf_core.duck.empty import keep_empty, lay_out_empty
from sbf_core.duck.identifiers import literal, quoted
from sbf_core.duck.migrate import make_schema

#: The name of the second database in SQL.
BESIDE = "beside"


class BesideDatabase:
    """Hands out one cursor per thread on the second database, as ``DuckDbBootstrap`` does on the first.

    Args:
        new_cursor: a cursor on the first database.
    """

    def __init__(self, new_cursor: Callable[[], duckdb.DuckDBPyConnection]) -> None:
        self._new_cursor = new_cursor
        self._cursors = threading.local()
        self._all_cursors: list[duckdb.DuckDBPyConnection] = []

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """This thread's own cursor."""
        cursor: duckdb.DuckDBPyConnection | None = getattr(self._cursors, "cursor", None)
        if cursor is None:
            cursor = self._new_cursor()
            cursor.execute(f"USE {BESIDE}")
            self._cursors.cursor = cursor
            self._all_cursors.append(cursor)
        return cursor

    def close(self) -> None:
        """Close every cursor."""
        for cursor in self._all_cursors:
            cursor.close()
        self._all_cursors.clear()
        self._cursors = threading.local()


@contextmanager
def beside(
    new_cursor: Callable[[], duckdb.DuckDBPyConnection], path: Path, *, now: dt.datetime
) -> Iterator[BesideDatabase]:
    """A second database with an empty ledger, gone when the block ends; one at a time.

    Args:
        new_cursor: a cursor on the first database.
        path: where its file may be, in a folder that the first database may write.
        now: the present moment.

    Raises:
        duckdb.IOException: the disk does not let it be written.
    """
    _remove(path)
    is_made = lay_out_empty(path, now=now, durable=False)
    owner = new_cursor()
    try:
        owner.execute(
            f"ATTACH {literal(str(path))} AS {quoted(BESIDE)} (READ_WRITE, STORAGE_VERSION '{STORAGE_VERSION}')"
        )
        try:
            database = BesideDatabase(new_cursor)
            try:
                if not is_made:
                    make_schema(database.cursor(), now=now)
                    keep_empty(path, now=now)
                yield database
            finally:
                database.close()
                with suppress(duckdb.Error):  # else to detach it writes a checkpoint of what nobody will read
                    owner.execute(f"DROP SCHEMA IF EXISTS {BESIDE}.silver CASCADE")
        finally:
            owner.execute(f"DETACH {quoted(BESIDE)}")
    finally:
        owner.close()
        _remove(path)


@contextmanager
def attached(conn: duckdb.DuckDBPyConnection, path: Path) -> Iterator[None]:
    """A second database that is there already, for reading; it is detached when the block ends."""
    conn.execute(f"ATTACH {literal(str(path))} AS {quoted(BESIDE)} (READ_ONLY)")
    try:
        yield
    finally:
        conn.execute(f"DETACH {quoted(BESIDE)}")


def _remove(path: Path) -> None:
    for one in (path, path.with_name(f"{path.name}.wal")):
        with suppress(FileNotFoundError):
            one.unlink()

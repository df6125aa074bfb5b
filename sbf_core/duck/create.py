"""A new database, whole or not at all:
a disk that is full, or a crash, while DuckDB lays its file out leaves one that it cannot open.
"""

from __future__ import annotations

import datetime as dt
import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import duckdb

from sbf_core.duck.empty import keep_empty, lay_out_empty
from sbf_core.duck.migrate import make_schema
from sbf_core.faults import fault_point


def create_database(database: Path, settings: Mapping[str, Any], *, now: dt.datetime) -> None:
    """Make a database with the schema beside its place, and put it there. One that is there is never replaced.

    Call it while holding the home.

    Args:
        database: the place; nothing is there.
        settings: for opening it.
        now: the present moment.

    Raises:
        duckdb.IOException: the disk does not let it be written.
        OSError: the same, from the system.
    """
    fresh = database.with_name(f".{database.name}.{os.getpid()}-{secrets.token_hex(4)}.new")
    try:
        if not lay_out_empty(fresh, now=now, durable=True):
            connection = duckdb.connect(str(fresh), config=dict(settings))
            try:
                make_schema(connection, now=now)
            finally:
                connection.close()
            keep_empty(fresh, now=now)
        fault_point("home.filled")
        put_in_place(fresh, database)
        fault_point("home.made")
    finally:
        _remove(fresh)


def discard_left_overs(database: Path) -> None:
    """Remove what processes that died have left beside a database. Call it only while holding the home."""
    for path in database.parent.glob(f".{database.name}.*.new*"):
        _remove(path)


def put_in_place(fresh: Path, database: Path) -> None:
    """Give a database its name unless another has that name by now.

    A rename would replace the other, except on Windows.
    """
    if os.name == "posix":
        try:
            os.link(fresh, database)
            return
        except FileExistsError:
            return
        except OSError:
            if database.exists() or not fresh.exists():
                return
            # A file system without hard links, such as exFAT: below.
    with suppress(FileExistsError):
        fresh.rename(database)


def _remove(fresh: Path) -> None:
    for path in (fresh, fresh.with_name(f"{fresh.name}.wal")):
        with suppress(FileNotFoundError, PermissionError):  # Windows: somebody still makes it, and will remove it
            path.unlink()

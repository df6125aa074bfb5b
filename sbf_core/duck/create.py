"""A new database, whole or not at all: a disk that is full, or a crash, while DuckDB lays its file out leaves one that it cannot open."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import duckdb

from sbf_core.duck.disk import is_locked
from sbf_core.faults import fault_point


def create_database(database: Path, settings: Mapping[str, Any], fill: Callable[[duckdb.DuckDBPyConnection], None]) -> None:
    """Make a database beside its place, fill it, and rename it. Does nothing if somebody else was quicker.

    Args:
        database: the place; nothing is there.
        settings: for opening it.
        fill: makes the schema; the file must need no log afterwards.

    Raises:
        duckdb.IOException: another process is doing the same, or the disk does not let it be written.
    """
    fresh = database.with_name(f".{database.name}.new")
    if fresh.exists():
        _discard_left_over(fresh, settings)
    connection = duckdb.connect(str(fresh), config=dict(settings))
    try:
        if not database.exists():
            fill(connection)
            fault_point("home.filled")
    finally:
        connection.close()
    if not database.exists():
        fresh.rename(database)
        fault_point("home.made")
    _discard(fresh)


def _discard_left_over(fresh: Path, settings: Mapping[str, Any]) -> None:
    """Remove what a crash left, whatever state it is in, unless a living process is at work on it."""
    try:
        duckdb.connect(str(fresh), config=dict(settings)).close()
    except duckdb.Error as error:
        if is_locked(error):
            raise
    _discard(fresh)


def _discard(fresh: Path) -> None:
    for path in (fresh, fresh.with_name(f"{fresh.name}.wal")):
        with suppress(FileNotFoundError):
            path.unlink()

"""Which database files this process has open.

DuckDB locks a database with a POSIX record lock, which ends when any descriptor of the file is closed in the process.
So a file that is open here must not be looked at by another way.
"""

from __future__ import annotations

import weakref
from pathlib import Path

import duckdb

_open: dict[Path, weakref.WeakSet[duckdb.DuckDBPyConnection]] = {}


def note_open(database: Path, connection: duckdb.DuckDBPyConnection) -> None:
    """Remember that a database is open for as long as somebody keeps ``connection``."""
    _open.setdefault(database.absolute(), weakref.WeakSet()).add(connection)


def is_open_here(database: Path) -> bool:
    """Whether somebody in this process may have it open."""
    return bool(_open.get(database.absolute()))

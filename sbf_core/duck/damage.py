"""Damage to the database file, as DuckDB tells of it.

A process killed in the middle of a write of 256 KB leaves a block whose checksum is wrong. Blocks of rows are written
to new places, so that nobody reads such a block. Blocks of metadata are written again where they are; DuckDB reads all
of these when it opens the file, so that a crash cannot leave damage that shows later.
"""

from __future__ import annotations

import duckdb

_SIGNS = ("Corrupt database", "checksum", "Could not read enough bytes", "Failure while replaying WAL")


def tells_of_damage(error: duckdb.Error | str) -> bool:
    """Whether the engine found, or a message says that it found, bytes that are not what it once wrote."""
    return any(sign in str(error) for sign in _SIGNS)

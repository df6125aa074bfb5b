"""Whether one database holds less than another, before it takes its place."""

from __future__ import annotations

from collections.abc import Iterable

import duckdb

from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.duck.identifiers import quoted

_HISTORY = "_history"


def shrunk_tables(
    old: duckdb.DuckDBPyConnection, new: duckdb.DuckDBPyConnection, entries: Iterable[DatasetKeymapEntry]
) -> list[str]:
    """The silver tables of which the new database holds fewer rows, with their history.

    Args:
        old: the database that is there.
        new: the one that is to take its place.
        entries: the datasets; a table may have another name in the old one.

    Returns:
        A line a table, e.g. ``silver.eod_bar: 3 of 120 rows, with their history, would go``.
    """
    there, made, found = _tables(old), _tables(new), []
    for entry in entries:
        name = next((each for each in (entry.silver_table, *entry.former_tables) if each in there), None)
        if name is None:
            continue
        before, after = _count(old, name, there), _count(new, entry.silver_table, made)
        if after < before:
            gone = f"{before - after:,} of {before:,} rows, with their history, would go"
            found.append(f"silver.{entry.silver_table}: {gone}")
    return found


def _tables(conn: duckdb.DuckDBPyConnection) -> frozenset[str]:
    query = "SELECT table_name FROM duckdb_tables() WHERE database_name = current_database() AND schema_name = 'silver'"
    return frozenset(name for (name,) in conn.execute(query).fetchall())


def _count(conn: duckdb.DuckDBPyConnection, name: str, there: frozenset[str]) -> int:
    """Rows of a table and its history; 0 where there is no table. Rows that payloads close go from the one to the other."""
    count = 0
    for table in (name, f"{name}{_HISTORY}"):
        row = conn.execute(f"SELECT count(*) FROM silver.{quoted(table)}").fetchone() if table in there else None
        count += row[0] if row else 0
    return count

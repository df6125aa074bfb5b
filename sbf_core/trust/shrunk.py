"""Whether one database holds less than another, before it takes its place."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import duckdb

from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.duck.identifiers import quoted

_HISTORY = "_history"


def shrunk_tables(
    old: duckdb.DuckDBPyConnection, new: duckdb.DuckDBPyConnection, entries: Iterable[DatasetKeymapEntry]
) -> list[str]:
    """The silver tables of which the new database holds fewer current rows, or fewer rows with their history.

    Args:
        old: the database that is there.
        new: the one that is to take its place.
        entries: the datasets; a table may have another name in the old one.

    Returns:
        A line a table, e.g. ``silver.eod_bar: 3 of 120 current rows would go``.
    """
    there, made, found = _tables(old), _tables(new), []
    for entry in entries:
        name = next((each for each in (entry.silver_table, *entry.former_tables) if each in there), None)
        if name is None:
            continue
        before, after = _counts(old, name, there), _counts(new, entry.silver_table, made)
        for number, what in enumerate(("current rows", "rows, with their history")):
            if after[number] < before[number]:
                gone = f"{before[number] - after[number]:,} of {before[number]:,} {what} would go"
                found.append(f"silver.{entry.silver_table}: {gone}")
                break
    return found


def _tables(conn: duckdb.DuckDBPyConnection) -> frozenset[str]:
    query = (
        "SELECT table_name FROM duckdb_tables() WHERE database_name = current_database() AND schema_name = 'silver'"
    )
    return frozenset(name for (name,) in conn.execute(query).fetchall())


def _counts(conn: duckdb.DuckDBPyConnection, name: str, there: frozenset[str]) -> Sequence[int]:
    """Current rows, and those with the history; 0 where there is no table."""
    counts = []
    for table in (name, f"{name}{_HISTORY}"):
        row = conn.execute(f"SELECT count(*) FROM silver.{quoted(table)}").fetchone() if table in there else (0,)
        counts.append(row[0] if row else 0)
    return counts[0], sum(counts)

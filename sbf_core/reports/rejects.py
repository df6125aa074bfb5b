"""Rows that were rejected of a dataset: how many and why, the rows themselves, and a file of all of them."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import duckdb

from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.duck.identifiers import literal, literal_list
from sbf_core.errors import UsageError, environment_fault
from sbf_core.reports.table import FactTable, table_of

#: What the name of an exported file may end with, and how DuckDB calls that.
EXPORTS: Mapping[str, str] = MappingProxyType(
    {
        ".csv": "FORMAT csv, HEADER true",
        ".json": "FORMAT json, ARRAY true",
        ".parquet": "FORMAT parquet, COMPRESSION zstd",
    }
)
_COUNTS = """
SELECT r.reason, r.column_name AS "column", count(*) AS rows, count(DISTINCT r.bronze_file_id) AS payloads,
    max(r.rejected_at) AS last_at
FROM ops.rejects AS r WHERE list_contains({tables}, r.silver_table) GROUP BY ALL ORDER BY rows DESC, 1, 2
"""
#: The place and the raw text of a row stand last in it, under names of our own. They are cut off as text: a JSON
#: function would round numbers.
_OURS = r"""(,?"_place":"([^"\\]|\\.)*")?(,?"_raw":"([^"\\]|\\.)*")?\}$"""
_ROWS = """
SELECT r.reason, r.column_name AS "column",
    CAST(regexp_replace(r.row_json, '{ours}', '}}') AS {row}) AS "row", r.row_json->>'_place' AS place,
    r.row_json->>'_raw' AS raw, m.rel_path AS payload, m.fetched_at, r.run_id, r.rejected_at
FROM ops.rejects AS r LEFT JOIN ops.bronze_manifest AS m USING (bronze_file_id)
WHERE list_contains({tables}, r.silver_table) ORDER BY m.fetched_at DESC, m.rel_path DESC, r.rowid {limit}
"""


def reject_counts(cursor: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry) -> FactTable:
    """How many rows were rejected, by reason and column, the most frequent first."""
    return table_of(cursor, _COUNTS.format(tables=_tables(entry)))


def rejected_rows(cursor: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry, *, limit: int) -> FactTable:
    """Rejected rows, those of the newest payload first: each with reason, column, row as JSON text, place in the
    payload where it is known, the raw text where it is no row, payload, run and times.

    Args:
        cursor: reads.
        entry: the dataset.
        limit: so many rows at most; 0 for all.
    """
    return table_of(cursor, _select(entry, limit, row="VARCHAR"))


def check_export(target: Path) -> None:
    """Raise ``UsageError`` where rejects cannot be exported into a file of that name."""
    if target.suffix.lower() not in EXPORTS:
        raise UsageError(
            f"{target.name!r} is of no kind that can be written",
            fix="end its name with " + ", ".join(EXPORTS),
            code="USAGE",
        )
    if not target.parent.is_dir():
        raise UsageError(
            "there is no such folder", where=str(target.parent), fix="make it, or name another", code="USAGE"
        )
    if target.is_dir():
        raise UsageError("this is a folder", where=str(target), fix="name a file", code="USAGE")


def export_rejects(
    cursor: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry, target: Path, *, scratch: Path, limit: int
) -> int:
    """Write rejected rows into a file, which is there whole or not at all; returns how many.

    Args:
        cursor: reads, and may write the folder ``scratch``.
        entry: the dataset.
        target: what ``check_export`` takes; a file that is there is replaced.
        scratch: where it is written before it goes to its place, which may be on another disk.
        limit: so many rows at most; 0 for all.

    Raises:
        EnvironmentFault: the disk does not take it.
    """
    kind = target.suffix.lower()
    fresh, near = scratch / f"rejects{kind}", target.with_name(f".{target.name}.sbf-tmp")
    select = _select(entry, limit, row="JSON" if kind == ".json" else "VARCHAR")
    try:
        counted = cursor.execute(
            f"COPY ({select}) TO {literal(str(fresh))} ({EXPORTS[kind]}, USE_TMP_FILE false)"
        ).fetchone()
        shutil.move(fresh, near)
        near.replace(target)
    except (OSError, duckdb.IOException) as error:
        near.unlink(missing_ok=True)
        raise environment_fault(error, doing="the rejects cannot be written", where=str(target)) from error
    return int(counted[0]) if counted else 0


def _select(entry: DatasetKeymapEntry, limit: int, *, row: str) -> str:
    return _ROWS.format(tables=_tables(entry), ours=_OURS, row=row, limit=f"LIMIT {limit}" if limit else "")


def _tables(entry: DatasetKeymapEntry) -> str:
    """A table that was renamed, and not made again yet, has its rejects under its old name."""
    return literal_list((entry.silver_table, *entry.former_tables))

"""Whether one database holds less than another, before it takes its place."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from sbf_core.counted import counted
from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.duck.beside import BESIDE
from sbf_core.duck.identifiers import quoted
from sbf_core.ops.made_tables import made_tables
from sbf_core.ops.promotions import promotions_of
from sbf_core.silver.remaking import compared, why_held
from sbf_core.silver.stale import stale_tables
from sbf_core.vocabulary import IngestionKind

_HISTORY = "_history"
_NAMED_MAX = 3


def shrunk_tables(conn: duckdb.DuckDBPyConnection, entries: Sequence[DatasetKeymapEntry]) -> list[str]:
    """The silver tables of which a new database holds less than the one that is there.

    A table whose declaration has changed is judged as where it alone is made again: some rows may go, with a reject for
    each. One whose declaration is the same must hold as many rows as before, with their history. Neither may lack what
    a payload brought: where its values came again later as many rows are there, and the past is another one.

    Args:
        conn: on the database that is there, with the new one attached beside it.
        entries: the datasets; a table may have another name in the old one.

    Returns:
        Lines, e.g. ``silver.eod_bar: 3 of 120 rows, with their history, would go``.
    """
    old, new = _tables(conn, "current_database()"), _tables(conn, f"'{BESIDE}'")
    changed, lines = {stale.entry.id for stale in stale_tables(conn, entries)}, []
    for entry in entries:
        name = next((each for each in (entry.silver_table, *entry.former_tables) if each in old), None)
        if name is None:
            continue
        if entry.id in changed and entry.silver_table in new:
            both = compared(conn, entry, made_tables(conn))
            reason = why_held(entry, *both) if both is not None else ""
        else:
            before, after = _count(conn, "", name, old), _count(conn, f"{BESIDE}.", entry.silver_table, new)
            gone = f"{before - after:,} of {counted(before, 'row')}, with their history, would go"
            reason = gone if after < before else ""
        if reason:
            lines.append(f"silver.{entry.silver_table}: {reason}")
        lost = _lost_payloads(conn, entry, is_changed=entry.id in changed)
        if lost:
            payloads = "a payload" if len(lost) == 1 else counted(len(lost), "payload")
            lines.append(
                f"silver.{entry.silver_table}: what {payloads} brought would go: {', '.join(lost[:_NAMED_MAX])}"
            )
    return lines


def _lost_payloads(conn: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry, *, is_changed: bool) -> list[str]:
    """Paths of the payloads that were promoted into the old database, and not into the new one. Where the declaration
    has changed only those that are gone, or not what was recorded: others are judged by their rows.
    """
    taken = "f.error_kind IS DISTINCT FROM 'damage'" if is_changed else "f.status = 'ok'"
    of_it: list[str] = [IngestionKind.FILE]
    if entry.payloads_of:
        taken, of_it = f"{taken} AND f.dataset_id = ?", [IngestionKind.READING, entry.id]
    rows = conn.execute(
        "SELECT m.rel_path FROM ops.bronze_manifest AS m "
        f"SEMI JOIN (FROM {promotions_of(entry)} WHERE status = 'ok') AS p USING (bronze_file_id) "
        f"ANTI JOIN (FROM {BESIDE}.ops.file_ingestions AS f WHERE f.kind = ? AND {taken}) AS n "
        "USING (bronze_file_id) WHERE list_contains(?, m.dataset_id) ORDER BY m.fetched_at, 1",
        [*of_it, list(entry.payload_ids)],
    ).fetchall()
    return [path for (path,) in rows]


def _tables(conn: duckdb.DuckDBPyConnection, database: str) -> frozenset[str]:
    query = f"SELECT table_name FROM duckdb_tables() WHERE database_name = {database} AND schema_name = 'silver'"
    return frozenset(name for (name,) in conn.execute(query).fetchall())


def _count(conn: duckdb.DuckDBPyConnection, where: str, name: str, there: frozenset[str]) -> int:
    """Rows of a table and its history; 0 where there is no table. Rows that payloads close go from one to the other."""
    count = 0
    for table in (name, f"{name}{_HISTORY}"):
        query = f"SELECT count(*) FROM {where}silver.{quoted(table)}"
        row = conn.execute(query).fetchone() if table in there else None
        count += row[0] if row else 0
    return count

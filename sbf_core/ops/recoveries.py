"""SQL of recovery: what a run left that did not end well, and what became of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import attrs
import duckdb

from sbf_core.clock import to_naive_utc
from sbf_core.ops.bulk import insert_rows, merge_rows
from sbf_core.ops.coverage_index import forget_coverage
from sbf_core.ops.promotions import ALL_PROMOTIONS
from sbf_core.value import Value

_QUARANTINE_TYPES = {
    "quarantine_path": "VARCHAR", "original_path": "VARCHAR", "reason": "VARCHAR",
    "payload_hash": "VARCHAR", "content_length_bytes": "BIGINT", "quarantined_at": "TIMESTAMP",
}  # fmt: skip
_RECOVERY_TYPES = {
    "run_id": "VARCHAR",
    "payloads_adopted": "BIGINT",
    "files_quarantined": "BIGINT",
    "recovered_at": "TIMESTAMP",
}
_RUN_TYPES = {
    "run_id": "VARCHAR", "kind": "VARCHAR", "subject": "VARCHAR", "started_at": "TIMESTAMP",
    "finished_at": "TIMESTAMP", "status": "VARCHAR",
}  # fmt: skip


def promoted_files_sql(database: str = "") -> str:
    """A SELECT of the ids of the payloads whose rows silver holds; ``database`` is a quoted name and a point."""
    return (
        f"SELECT bronze_file_id FROM {database}ops.promotion_manifest WHERE status = 'ok' UNION "
        f"SELECT bronze_file_id FROM {database}ops.file_ingestions "
        "WHERE kind = 'file' AND status = 'ok' AND bronze_file_id IS NOT NULL"
    )


@attrs.frozen(kw_only=True)
class RecoveredRun(Value):
    """A run that recovery looked after.

    Attributes:
        run_id: the run.
        payloads_adopted: journalled payloads that the ledger did not know.
        unknown: the ledger did not know the run at all.
        started_at, finished_at: for an unknown run, from its journal.
    """

    run_id: str
    payloads_adopted: int = 0
    unknown: bool = False
    started_at: dt.datetime | None = None
    finished_at: dt.datetime | None = None


def _texts(conn: duckdb.DuckDBPyConnection, sql: str) -> frozenset[str]:
    return frozenset(text for (text,) in conn.execute(sql).fetchall())


def unclean_runs(conn: duckdb.DuckDBPyConnection) -> frozenset[str]:
    """Runs that did not end well and were not looked after yet; dead ones, for whoever holds the home. One that failed
    in order, because no vendor answered, left nothing to look after: its bytes are counted.
    """
    return _texts(
        conn,
        "SELECT run_id FROM ops.file_ingestions ANTI JOIN ops.recoveries USING (run_id) WHERE kind = 'run' AND "
        "(status IN ('running', 'interrupted') OR (status = 'failed' AND content_length_bytes IS NULL))",
    )


def known_runs(conn: duckdb.DuckDBPyConnection) -> frozenset[str]:
    """Every run that the ledger knows."""
    return _texts(conn, "SELECT run_id FROM ops.file_ingestions WHERE kind = 'run'")


def known_paths(conn: duckdb.DuckDBPyConnection) -> frozenset[str]:
    """Every payload that the ledger knows, by its path below Bronze."""
    return _texts(conn, "SELECT rel_path FROM ops.bronze_manifest")


def known_packs(conn: duckdb.DuckDBPyConnection) -> frozenset[str]:
    """Every pack that the ledger knows, by its path below Bronze."""
    return _texts(conn, "SELECT DISTINCT pack FROM ops.bronze_manifest WHERE pack <> ''")


def known_quarantine(conn: duckdb.DuckDBPyConnection) -> frozenset[str]:
    """Every file in quarantine that the ledger knows, by its path there."""
    return _texts(conn, "SELECT quarantine_path FROM ops.quarantine")


def damaged_paths(conn: duckdb.DuckDBPyConnection) -> frozenset[str]:
    """Payloads whose damaged bytes were moved to quarantine, by their path below Bronze."""
    return _texts(conn, "SELECT original_path FROM ops.quarantine WHERE reason = 'damaged'")


def promoted_files(conn: duckdb.DuckDBPyConnection) -> frozenset[str]:
    """Ids of the payloads whose rows silver holds, even where the record of the promotion is lost."""
    return _texts(conn, promoted_files_sql())


def tables_of(conn: duckdb.DuckDBPyConnection, subjects: Sequence[str]) -> frozenset[str]:
    """The silver tables that some payloads, by id or path, were promoted into."""
    rows = conn.execute(
        f"SELECT DISTINCT p.silver_table FROM {ALL_PROMOTIONS} AS p "
        "LEFT JOIN ops.bronze_manifest AS m USING (bronze_file_id) "
        "WHERE list_contains(?, p.bronze_file_id) OR list_contains(?, m.rel_path)",
        [list(subjects), list(subjects)],
    ).fetchall()
    return frozenset(table for (table,) in rows)


def insert_quarantine(conn: duckdb.DuckDBPyConnection, files: Sequence[Mapping[str, Any]], *, now: dt.datetime) -> None:
    """Record files that were moved to quarantine. Writes ops.quarantine."""
    insert_rows(conn, "ops.quarantine", _QUARANTINE_TYPES, [{**file, "quarantined_at": now} for file in files])


def insert_recoveries(
    conn: duckdb.DuckDBPyConnection,
    runs: Iterable[RecoveredRun],
    *,
    files_quarantined: int,
    alive: str,
    now: dt.datetime,
) -> None:
    """Close what dead runs left open, and record that they were looked after.

    Writes ops.file_ingestions, ops.gold_manifest, ops.recoveries and ops.coverage: a dead run may not have come to tell
    what its answers without a payload cover, and an adopted payload may be what an answer still lacks.
    """
    runs = list(runs)
    if runs:
        forget_coverage(conn)
    lost = [
        {
            "run_id": run.run_id,
            "kind": "run",
            "subject": "",
            "started_at": run.started_at or now,
            "finished_at": run.finished_at,
            "status": "rebuilt",
        }
        for run in runs
        if run.unknown
    ]
    merge_rows(conn, "ops.file_ingestions", _RUN_TYPES, ("run_id", "kind", "subject"), lost)
    conn.execute(
        "UPDATE ops.file_ingestions SET status = 'interrupted', finished_at = ? "
        "WHERE kind = 'run' AND status = 'running' AND run_id <> ?",
        [to_naive_utc(now), alive],
    )
    conn.execute(
        "UPDATE ops.gold_manifest SET status = 'failed', error_message = 'interrupted', finished_at = ? "
        "WHERE status = 'started'",
        [to_naive_utc(now)],
    )
    rows = [
        {
            "run_id": run.run_id,
            "payloads_adopted": run.payloads_adopted,
            "files_quarantined": files_quarantined,
            "recovered_at": now,
        }
        for run in runs
    ]
    insert_rows(conn, "ops.recoveries", _RECOVERY_TYPES, rows)

"""SQL of recovery: what a run left that did not end well, and what became of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import attrs
import duckdb

from sbf_core.clock import to_naive_utc
from sbf_core.ops.bulk import insert_rows, merge_rows

_QUARANTINE_TYPES = {
    "quarantine_path": "VARCHAR", "original_path": "VARCHAR", "reason": "VARCHAR",
    "payload_hash": "VARCHAR", "content_length_bytes": "BIGINT", "quarantined_at": "TIMESTAMP",
}  # fmt: skip
_RECOVERY_TYPES = {"run_id": "VARCHAR", "payloads_adopted": "BIGINT", "files_quarantined": "BIGINT", "recovered_at": "TIMESTAMP"}
_RUN_TYPES = {
    "run_id": "VARCHAR", "kind": "VARCHAR", "subject": "VARCHAR", "started_at": "TIMESTAMP", "finished_at": "TIMESTAMP", "status": "VARCHAR",
}  # fmt: skip


@attrs.frozen(kw_only=True)
class RecoveredRun:
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
    """Runs that did not end well and were not looked after yet; dead ones, for whoever holds the home."""
    return _texts(
        conn,
        "SELECT run_id FROM ops.file_ingestions ANTI JOIN ops.recoveries USING (run_id) WHERE kind = 'run' AND status IN ('running', 'interrupted', 'failed')",
    )


def known_runs(conn: duckdb.DuckDBPyConnection) -> frozenset[str]:
    """Every run that the ledger knows."""
    return _texts(conn, "SELECT run_id FROM ops.file_ingestions WHERE kind = 'run'")


def known_paths(conn: duckdb.DuckDBPyConnection) -> frozenset[str]:
    """Every payload that the ledger knows, by its path below Bronze."""
    return _texts(conn, "SELECT rel_path FROM ops.bronze_manifest")


def known_quarantine(conn: duckdb.DuckDBPyConnection) -> frozenset[str]:
    """Every file in quarantine that the ledger knows, by its path there."""
    return _texts(conn, "SELECT quarantine_path FROM ops.quarantine")


def insert_quarantine(conn: duckdb.DuckDBPyConnection, files: Sequence[Mapping[str, Any]], *, now: dt.datetime) -> None:
    """Record files that were moved to quarantine. Writes ops.quarantine."""
    insert_rows(conn, "ops.quarantine", _QUARANTINE_TYPES, [{**file, "quarantined_at": now} for file in files])


def insert_recoveries(conn: duckdb.DuckDBPyConnection, runs: Iterable[RecoveredRun], *, files_quarantined: int, now: dt.datetime) -> None:
    """Close what dead runs left open, and record that they were looked after. Writes ops.file_ingestions, ops.gold_manifest, ops.recoveries."""
    runs = list(runs)
    lost = [
        {"run_id": run.run_id, "kind": "run", "subject": "", "started_at": run.started_at or now, "finished_at": run.finished_at, "status": "rebuilt"}
        for run in runs
        if run.unknown
    ]
    merge_rows(conn, "ops.file_ingestions", _RUN_TYPES, ("run_id", "kind", "subject"), lost)
    conn.execute("UPDATE ops.file_ingestions SET status = 'interrupted', finished_at = ? WHERE kind = 'run' AND status = 'running'", [to_naive_utc(now)])
    conn.execute("UPDATE ops.gold_manifest SET status = 'failed', error_message = 'interrupted', finished_at = ? WHERE status = 'started'", [to_naive_utc(now)])
    rows = [{"run_id": run.run_id, "payloads_adopted": run.payloads_adopted, "files_quarantined": files_quarantined, "recovered_at": now} for run in runs]
    insert_rows(conn, "ops.recoveries", _RECOVERY_TYPES, rows)

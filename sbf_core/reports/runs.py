"""Runs, and what one run did in each layer. All of it out of ``ops.file_ingestions`` and its sister tables."""

from __future__ import annotations

import datetime as dt

import attrs
import duckdb

from sbf_core.errors import UsageError, nearest
from sbf_core.ops.promotions import ALL_PROMOTIONS
from sbf_core.reports.table import FactTable, table_of
from sbf_core.value import Value

#: The runs are chosen first: counting the files of 5,000 runs to show ten of them takes 130 ms.
_RUNS = """
WITH r AS (SELECT * FROM ops.file_ingestions WHERE kind = 'run' AND {chosen}
    ORDER BY started_at DESC LIMIT {limit} OFFSET {offset})
SELECT r.run_id, r.status, r.started_at, date_diff('millisecond', r.started_at, r.finished_at) / 1000 AS seconds,
    count(f.subject) FILTER (f.bronze_rows IS NOT NULL) AS files, r.rows_inserted AS inserted,
    r.rows_updated AS updated, r.rows_unchanged AS unchanged, r.rows_rejected AS rejected, r.error
FROM r LEFT JOIN (SELECT * FROM ops.file_ingestions WHERE kind = 'file' AND run_id IN (SELECT run_id FROM r)) AS f
    USING (run_id) GROUP BY ALL ORDER BY r.started_at DESC
"""
#: The path of a payload names dataset, ticker, time and hash; a request without a payload has none.
_FILES = """
SELECT f.dataset_id AS dataset, f.ticker, f.status,
    f.bronze_rows AS rows, f.content_length_bytes AS bytes, m.status_code AS http, m.elapsed_seconds AS seconds,
    f.rows_rejected AS rejected, left(f.payload_hash, 12) AS hash,
    coalesce(f.rel_path, f.subject) AS payload, f.error_kind AS kind, f.error, f.bronze_file_id
FROM ops.file_ingestions AS f LEFT JOIN ops.bronze_manifest AS m USING (bronze_file_id)
WHERE f.run_id = ? AND (f.kind = 'file' OR (f.kind = 'reading' AND f.status <> 'ok')) AND (? = '' OR f.status = ?)
ORDER BY f.status <> 'failed', 1, 2, payload LIMIT ? OFFSET ?
"""
_PROMOTIONS = f"""
SELECT p.silver_table AS table_name, count(*) AS files, count(*) FILTER (p.status = 'failed') AS failed,
    sum(p.rows_seen) AS seen, sum(p.rows_inserted) AS inserted, sum(p.rows_updated) AS updated,
    sum(p.rows_unchanged) AS unchanged, sum(p.rows_rejected) AS rejected, sum(p.rows_closed) AS closed,
    min(p.coverage_from) AS first_day, max(p.coverage_to) AS last_day,
    date_diff('millisecond', min(p.started_at), max(p.finished_at)) / 1000 AS seconds
FROM {ALL_PROMOTIONS} AS p WHERE p.run_id = ? GROUP BY 1 ORDER BY 1
"""
_REJECTS = """
SELECT r.silver_table AS table_name, r.reason, r.column_name, count(*) AS rows, min(r.row_json) AS example
FROM ops.rejects AS r WHERE r.run_id = ? GROUP BY ALL ORDER BY ALL
"""
#: A build is of the run within whose time it began: there is never a second one at work.
_GOLD = """
SELECT f.table_name, f.status, g.rows_seen AS rows, g.rows_written AS written, count(t.test) AS tests,
    count(*) FILTER (t.failing_rows > 0) AS failed_tests,
    date_diff('millisecond', g.started_at, g.finished_at) / 1000 AS seconds, f.error
FROM ops.file_ingestions AS f JOIN ops.file_ingestions AS r ON r.run_id = f.run_id AND r.kind = 'run'
LEFT JOIN ops.gold_manifest AS g ON g.table_name = f.table_name AND g.started_at >= r.started_at
    AND (r.finished_at IS NULL OR g.started_at <= r.finished_at)
LEFT JOIN ops.gold_tests AS t ON t.gold_build_id = g.gold_build_id AND t.table_name = g.table_name
WHERE f.run_id = ? AND f.kind = 'gold' GROUP BY ALL ORDER BY 1
"""

_NOTHING = FactTable((), ())


@attrs.frozen(kw_only=True)
class RunFacts(Value):
    """What one run did.

    Attributes:
        run: one row: when, how long, how it ended, its counts.
        bronze: its payloads, and the requests that brought none; failures first.
        silver: its promotions by table.
        rejects: the rows that it rejected, by reason.
        gold: the tables that it built, with their tests.
        files: how many payloads and requests have the status that was asked for.
        files_in_all: how many there are.
    """

    run: FactTable
    bronze: FactTable
    silver: FactTable
    rejects: FactTable
    gold: FactTable
    files: int
    files_in_all: int


def latest_runs(cursor: duckdb.DuckDBPyConnection, *, limit: int) -> FactTable:
    """The runs that began last, newest first."""
    return table_of(cursor, _RUNS.format(chosen="true", limit=limit, offset=0))


def runs_between(
    cursor: duckdb.DuckDBPyConnection, *, status: str, day: dt.date | None, limit: int, offset: int
) -> tuple[FactTable, int]:
    """Some of the runs, newest first, and how many there are.

    Args:
        cursor: reads.
        status: only those that ended so; empty for all.
        day: only those that began on this day; None for all.
        limit: so many at most.
        offset: so many are left out before.
    """
    chosen = "(? = '' OR status = ?) AND (? IS NULL OR CAST(started_at AS DATE) = ?)"
    parameters = [status, status, day, day]
    counted = cursor.execute(
        f"SELECT count(*) FROM ops.file_ingestions WHERE kind = 'run' AND {chosen}", parameters
    ).fetchone()
    return table_of(cursor, _RUNS.format(chosen=chosen, limit=limit, offset=offset), parameters), counted[
        0
    ] if counted else 0


def one_run(
    cursor: duckdb.DuckDBPyConnection, run_id: str, *, limit: int, offset: int = 0, status: str = "", only: str = ""
) -> RunFacts:
    """One run in all its layers.

    Args:
        cursor: reads.
        run_id: its id, the beginning of one that fits no other, or ``last``.
        limit: payloads at most.
        offset: so many are left out before.
        status: only payloads that stand so; empty for all.
        only: look at one layer, and leave the tables of the others empty; empty for all.

    Raises:
        UsageError: there is no such run, or several begin so.
    """
    known = [
        name
        for (name,) in cursor.execute(
            "SELECT run_id FROM ops.file_ingestions WHERE kind = 'run' ORDER BY started_at DESC"
        ).fetchall()
    ]
    fits = known[:1] if run_id == "last" else [name for name in known if name.startswith(run_id)]
    if len(fits) != 1:
        what = f"{len(fits)} runs begin with {run_id!r}" if fits else f"there is no run {run_id!r}"
        raise UsageError(
            what,
            fix=(nearest(run_id, known) if not fits else "") or "see `sbf runs`, or write last",
            code="UNKNOWN_RUN",
        )
    (full_id,) = fits
    counts = dict(
        cursor.execute(
            "SELECT status, count(*) FROM ops.file_ingestions WHERE run_id = ? AND "
            "(kind = 'file' OR (kind = 'reading' AND status <> 'ok')) GROUP BY 1",
            [full_id],
        ).fetchall()
    )
    page = [full_id, status, status, limit, offset]
    return RunFacts(
        run=table_of(cursor, _RUNS.format(chosen="run_id = ?", limit=1, offset=0), [full_id]),
        bronze=table_of(cursor, _FILES, page) if only in ("", "bronze") else _NOTHING,
        silver=table_of(cursor, _PROMOTIONS, [full_id]) if only in ("", "silver") else _NOTHING,
        rejects=table_of(cursor, _REJECTS, [full_id]) if only in ("", "silver") else _NOTHING,
        gold=table_of(cursor, _GOLD, [full_id]) if only in ("", "gold") else _NOTHING,
        files=sum(times for name, times in counts.items() if status in ("", name)),
        files_in_all=sum(counts.values()),
    )

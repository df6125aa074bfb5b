"""Ten years of daily runs as the ledger sees them: how large ``ops.coverage`` becomes, what each run pays for it, and
what planning reads. ``python tests/benchmarks/coverage.py [SERIES] [YEARS]``

Each weekday every series is asked for the last fourteen days, at ten in the evening; every tenth run of a series fails.
No payload and no vendor has a part in it.
"""

from __future__ import annotations

import datetime as dt
import statistics
import sys
import time
from collections.abc import Callable

import duckdb

from sbf_core.api import Column, RestRecipe
from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.duck.migrate import migration_texts
from sbf_core.ops.coverage import final_stretches
from sbf_core.ops.coverage_index import cover_promoted, forget_coverage, join_coverage, known_final

FIRST = dt.date(2016, 1, 1)
DECLARED = DatasetKeymapEntry(
    domain="prices", source="bench", dataset="eod", silver_table="eod", scope="per_ticker", first_date=FIRST,
    columns=(Column(name="date", type="DATE", key=True, row_date=True), Column(name="close", type="DOUBLE")),
    recipe=RestRecipe(url="https://bench.example/{ticker}?f={from_date}&t={to_date}"),
)  # fmt: skip
_ANSWERED = """
INSERT INTO ops.bronze_manifest (bronze_file_id, run_id, domain, source, dataset, discriminator, ticker, from_date,
    to_date, address, rel_path, payload_hash, content_length_bytes, extension, fetched_at, elapsed_seconds, dataset_id)
SELECT 'f' || $run || '-' || i, 'r' || $run, 'prices', 'bench', 'eod', '', 'T' || i, greatest($first, $day::DATE - 13),
    $day, '', '', '', 1, 'json', $day::DATE + INTERVAL 22 HOURS, 0, 'prices/bench/eod'
FROM range($series) AS r (i)
"""
_PROMOTED = """
CREATE OR REPLACE TEMP TABLE promoted AS
SELECT *, 'ok' AS status FROM ops.bronze_manifest
WHERE run_id = 'r' || $run AND hash(bronze_file_id) % 10 <> 0
"""
_RECORDED = """
INSERT INTO ops.promotion_manifest (bronze_file_id, run_id, silver_table, status, rows_seen, started_at)
SELECT bronze_file_id, 'r' || $run, 'eod', status, 5, now()::TIMESTAMP FROM promoted
"""


def ledger() -> duckdb.DuckDBPyConnection:
    """An empty one, in memory."""
    conn = duckdb.connect(":memory:")
    conn.execute("SET timezone = 'UTC'; SET threads = 2")
    for text in migration_texts():
        conn.execute(text)
    return conn


def taken_in(conn: duckdb.DuckDBPyConnection) -> None:
    """What a run does."""
    cover_promoted(conn, DECLARED)
    join_coverage(conn)


def seconds(work: Callable[[], object]) -> float:
    """What it takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def main(series: int = 200, years: int = 10) -> None:
    """Run and print."""
    conn, took, rows = ledger(), [], []
    days = [FIRST + dt.timedelta(days=number) for number in range(365 * years)]
    for run, day in enumerate(day for day in days if day.weekday() < 5):
        conn.execute(_ANSWERED, {"run": run, "series": series, "first": FIRST, "day": day})
        conn.execute(_PROMOTED, {"run": run})
        conn.execute(_RECORDED, {"run": run})
        took.append(seconds(lambda: taken_in(conn)))
        rows.append(conn.execute("SELECT count(*) FROM ops.coverage").fetchall()[0][0])
    (answers,) = conn.execute("SELECT count(*) FROM ops.bronze_manifest").fetchone() or (0,)
    mean = statistics.mean(rows) / series
    print(f"{series} series, {len(took)} runs, {answers} answers")
    print(f"rows of the table: {mean:.2f} a series on average, {max(rows) / series:.2f} at most")
    first, last = statistics.median(took[:100]), statistics.median(took[-100:])
    print(f"taking a run in: {first * 1000:.1f} ms in the first 100 runs, {last * 1000:.1f} ms in the last 100")
    assert known_final(conn, DECLARED) == final_stretches(conn, DECLARED)
    read = seconds(lambda: known_final(conn, DECLARED))
    looked_up = seconds(lambda: final_stretches(conn, DECLARED))
    print(f"what planning reads: {read * 1000:.1f} ms; looked up in the manifests: {looked_up * 1000:.0f} ms")
    forget_coverage(conn)
    print(f"writing all of it anew: {seconds(lambda: cover_promoted(conn, DECLARED)) * 1000:.0f} ms")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))

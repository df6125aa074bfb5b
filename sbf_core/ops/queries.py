"""What the ledger is asked: reads that are no part of the repo's contract."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import duckdb

from sbf_core.clock import from_naive_utc, to_naive_utc
from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.ops.promotions import ALL_PROMOTIONS, promotions_of
from sbf_core.ops.rows import RowCounts, SeriesState


def latest_promoted(
    conn: duckdb.DuckDBPyConnection, silver_tables: Sequence[str]
) -> dict[str, dict[str | None, dt.datetime]]:
    """See ``OpsService.latest_promoted``."""
    rows = conn.execute(
        f"SELECT p.silver_table, m.ticker, max(m.fetched_at) FROM ops.bronze_manifest m JOIN {ALL_PROMOTIONS} p "
        "USING (bronze_file_id) WHERE p.silver_table IN (SELECT unnest(?)) AND p.status = 'ok' GROUP BY ALL",
        [list(silver_tables)],
    ).fetchall()
    by_table: dict[str, dict[str | None, dt.datetime]] = {}
    for table, ticker, moment in rows:
        by_table.setdefault(table, {})[ticker] = from_naive_utc(moment)
    return by_table


def latest_answer_parts(conn: duckdb.DuckDBPyConnection, dataset_ids: Sequence[str]) -> dict[tuple[str, str], int]:
    """See ``OpsService.latest_answer_parts``."""
    rows = conn.execute(
        "SELECT series_key, arg_max(parts, fetched_at) FROM ops.bronze_manifest "
        "WHERE list_contains(?, dataset_id) GROUP BY 1",
        [list(dataset_ids)],
    ).fetchall()
    return {(key, ""): parts for key, parts in rows}


def latest_marks(conn: duckdb.DuckDBPyConnection, dataset_ids: Sequence[str]) -> dict[str, str]:
    """By ticker, what the newest payload came with to tell whether there is another: its ETag."""
    rows = conn.execute(
        "SELECT ticker, arg_max(etag, fetched_at) FROM ops.bronze_manifest "
        "WHERE list_contains(?, dataset_id) AND ticker IS NOT NULL AND etag IS NOT NULL GROUP BY 1",
        [list(dataset_ids)],
    ).fetchall()
    return dict(rows)


def failed_tickers(conn: duckdb.DuckDBPyConnection, dataset_ids: Sequence[str]) -> list[str]:
    """The tickers of datasets of which the newest payload that was looked at could not be promoted."""
    rows = conn.execute(
        "SELECT m.ticker FROM ops.bronze_manifest AS m JOIN ops.promotion_manifest AS p USING (bronze_file_id) "
        "WHERE list_contains(?, m.dataset_id) AND m.ticker IS NOT NULL GROUP BY 1 "
        "HAVING max(m.fetched_at) FILTER (p.status = 'failed') "
        ">= coalesce(max(m.fetched_at) FILTER (p.status = 'ok'), '-infinity')",
        [list(dataset_ids)],
    ).fetchall()
    return [ticker for (ticker,) in rows]


def load_stretches(
    conn: duckdb.DuckDBPyConnection, since: dt.datetime
) -> frozenset[tuple[str, dt.date | None, dt.date | None]]:
    """Series, first and last day of everything that was asked for with success since a moment."""
    rows = conn.execute(
        "SELECT DISTINCT series_key, from_date, to_date FROM ops.file_ingestions "
        "WHERE kind = 'file' AND started_at >= ? AND status IN ('fetched', 'unchanged', 'none', 'ok')",
        [to_naive_utc(since)],
    ).fetchall()
    return frozenset((key, first, last) for key, first, last in rows)


def answer_seconds(conn: duckdb.DuckDBPyConnection) -> dict[str, float]:
    """How long an answer of each source took on average; only of those that were asked over the network."""
    return dict(
        conn.execute(
            "SELECT source, avg(elapsed_seconds) FROM ops.bronze_manifest WHERE status_code IS NOT NULL GROUP BY source"
        ).fetchall()
    )


def load_series_states(conn: duckdb.DuckDBPyConnection) -> dict[str, SeriesState]:
    """What is known of every series that was ever fetched."""
    rows = conn.execute(
        "SELECT coalesce(d.key, w.series_key), d.checked_at, d.to_date, w.coverage_from, w.coverage_to, d.again_from, "
        "d.unknown_since FROM ops.data_dates AS d FULL JOIN ops.watermarks AS w ON w.series_key = d.key"
    ).fetchall()
    return {
        key: SeriesState(
            checked_at=None if checked is None else from_naive_utc(checked),
            to_date=to_date,
            coverage_from=first,
            coverage_to=last,
            again_from=again,
            unknown_since=None if unknown is None else from_naive_utc(unknown),
        )
        for key, checked, to_date, first, last, again, unknown in rows
    }


def known_drift(conn: duckdb.DuckDBPyConnection, silver_table: str) -> frozenset[tuple[str, str]]:
    """Fields of a table that were recorded, each with how it changed."""
    rows = conn.execute("SELECT field, change FROM ops.schema_drift WHERE silver_table = ?", [silver_table]).fetchall()
    return frozenset((field, change) for field, change in rows)


def promoted_counts(conn: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry, file_ids: Sequence[str]) -> RowCounts:
    """What the promotion of some payloads into the table of a dataset came to."""
    row = conn.execute(
        "SELECT sum(rows_seen), sum(rows_inserted), sum(rows_updated), sum(rows_unchanged), sum(rows_rejected), "
        f"sum(rows_closed) FROM {promotions_of(entry)} WHERE list_contains(?, bronze_file_id)",
        [list(file_ids)],
    ).fetchone()
    assert row is not None
    names = ("seen", "inserted", "updated", "unchanged", "rejected", "closed")
    return RowCounts(**{name: int(number or 0) for name, number in zip(names, row, strict=True)})


def load_table_versions(conn: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """A text per silver and gold table that changes whenever rows of it do; names with their schema.

    A view under a former name of a silver table has the text of its table.
    """
    rows = conn.execute(
        "SELECT 'silver.' || silver_table, sum(rows_written) || '@' || max(finished_at) "
        f"FROM {ALL_PROMOTIONS} WHERE rows_written > 0 GROUP BY 1 "
        "UNION ALL SELECT 'gold.' || table_name, sum(rows_written) || '@' || max(finished_at) "
        "FROM ops.gold_manifest WHERE status = 'ok' AND rows_written > 0 GROUP BY 1"
    ).fetchall()
    versions = {name: str(version) for name, version in rows}
    views = conn.execute(
        "SELECT view_name, sql FROM duckdb_views() WHERE database_name = current_database() AND schema_name = 'silver'"
    ).fetchall()
    for view, sql in views:
        table = sql.rpartition(" FROM silver.")[2].rstrip("; \n").strip('"')
        if f"silver.{table}" in versions:
            versions[f"silver.{view}"] = versions[f"silver.{table}"]
    return versions


#: The version of a table before any row of it was written.
_NO_ROWS = "0@-infinity"


def list_promoted_since(conn: duckdb.DuckDBPyConnection, silver_table: str, *, version: str, now: str) -> int | None:
    """Make the temporary table ``promoted_since``: the payloads (bronze_file_id) that wrote rows to a silver table
    after it had some version.

    Args:
        conn: reads ops.promotion_manifest and ops.readings.
        silver_table: its name, without schema.
        version: a text of ``load_table_versions``, from then.
        now: the same, from now.

    Returns:
        How many rows they wrote; None where more has happened than that payloads were added.
    """
    (before, finished_at), (after, _) = ((text or _NO_ROWS).split("@") for text in (version, now))
    conn.execute(
        "CREATE OR REPLACE TEMP TABLE promoted_since AS SELECT bronze_file_id, rows_written "
        f"FROM {ALL_PROMOTIONS} "
        "WHERE silver_table = ? AND rows_written > 0 AND finished_at > CAST(? AS TIMESTAMP)",
        [silver_table, finished_at],
    )
    row = conn.execute("SELECT coalesce(sum(rows_written), 0) FROM promoted_since").fetchone()
    assert row is not None
    return int(row[0]) if int(before) + int(row[0]) == int(after) else None


def load_gold_inputs(conn: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """What each gold table was built from, by its name."""
    rows = conn.execute("SELECT table_name, inputs FROM ops.gold_watermarks WHERE inputs IS NOT NULL").fetchall()
    return dict(rows)


def run_overview(conn: duckdb.DuckDBPyConnection, run_id: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """What a run did, from ops.file_ingestions: per dataset, and per gold table."""
    datasets = conn.execute(
        "SELECT dataset_id AS dataset, "
        "max(table_name) AS silver_table, count(*) FILTER (bronze_rows IS NOT NULL) AS files, "
        "sum(rows_inserted) AS rows_inserted, sum(rows_updated) AS rows_updated, "
        "sum(rows_unchanged) AS rows_unchanged, sum(rows_rejected) AS rows_rejected, "
        "count(*) FILTER (status = 'failed') AS failed "
        "FROM ops.file_ingestions WHERE run_id = ? AND kind IN ('file', 'reading') GROUP BY 1 ORDER BY 1",
        [run_id],
    )
    names = [column[0] for column in datasets.description]
    per_dataset = [
        dict(zip(names, (int(value) if isinstance(value, int) else value for value in row), strict=True))
        for row in datasets.fetchall()
    ]
    gold = conn.execute(
        "SELECT table_name, rows_inserted FROM ops.file_ingestions "
        "WHERE run_id = ? AND kind = 'gold' AND status = 'ok' ORDER BY finished_at, 1",
        [run_id],
    )
    return per_dataset, [{"table": name, "rows_written": written} for name, written in gold.fetchall()]

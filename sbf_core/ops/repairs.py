"""SQL of repair: bring one part of the ledger in line with another that is known to be right."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import duckdb

from sbf_core.clock import to_naive_utc
from sbf_core.dataset_id import DatasetId
from sbf_core.duck.identity import DATASET_ID, IDENTITY_DIFFERS, SERIES_KEY
from sbf_core.ops.bulk import insert_rows
from sbf_core.ops.coverage_index import forget_coverage
from sbf_core.ops.promotions import ALL_PROMOTIONS
from sbf_core.ops.rows import BronzeManifestRow

WATERMARK_TYPES = {
    "domain": "VARCHAR", "source": "VARCHAR", "dataset": "VARCHAR", "discriminator": "VARCHAR", "ticker": "VARCHAR",
    "silver_table": "VARCHAR", "coverage_from": "DATE", "coverage_to": "DATE", "updated_at": "TIMESTAMP",
    "dataset_id": "VARCHAR", "series_key": "VARCHAR",
}  # fmt: skip


def forget_manifest(conn: duckdb.DuckDBPyConnection, paths: Sequence[str]) -> None:
    """Take payloads out of the manifest and out of ops.file_ingestions, to be recorded anew from their journal.

    Writes ops.coverage, too.
    """
    forget_coverage(conn)
    conn.execute("CREATE OR REPLACE TEMP TABLE wrong_path AS SELECT unnest(?) AS rel_path", [list(paths)])
    conn.execute(
        "DELETE FROM ops.file_ingestions USING wrong_path AS w, ops.bronze_manifest AS m WHERE m.rel_path = w.rel_path "
        "AND file_ingestions.kind IN ('file', 'reading') AND file_ingestions.bronze_file_id = m.bronze_file_id"
    )
    conn.execute("DELETE FROM ops.bronze_manifest USING wrong_path AS w WHERE bronze_manifest.rel_path = w.rel_path")


def forget_unknown_promotions(conn: duckdb.DuckDBPyConnection) -> None:
    """Take promotions out that no manifest row stands for, and keep one of those that stand there twice.

    Writes ops.promotion_manifest, ops.readings and ops.coverage.
    """
    forget_coverage(conn)
    for table, key in (("promotion_manifest", "bronze_file_id"), ("readings", "bronze_file_id, silver_table")):
        conn.execute(
            f"DELETE FROM ops.{table} WHERE NOT EXISTS ("
            f"FROM ops.bronze_manifest AS m WHERE m.bronze_file_id = {table}.bronze_file_id)"
        )
        conn.execute(
            f"CREATE OR REPLACE TEMP TABLE once AS SELECT * FROM ops.{table} "
            f"QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY finished_at DESC) = 1"
        )
        conn.execute(f"DELETE FROM ops.{table}")
        conn.execute(f"INSERT INTO ops.{table} FROM once")


def recorded_before(conn: duckdb.DuckDBPyConnection, rows: Sequence[BronzeManifestRow]) -> frozenset[str]:
    """Ids of the payloads that another run recorded before."""
    if not rows:
        return frozenset()
    runs = {row.bronze_file_id: row.run_id for row in rows}
    recorded = conn.execute(
        "SELECT bronze_file_id, run_id FROM ops.bronze_manifest SEMI JOIN (SELECT unnest(?) AS bronze_file_id) "
        "USING (bronze_file_id)",
        [list(runs)],
    ).fetchall()
    return frozenset(file_id for file_id, run_id in recorded if run_id != runs[file_id])


def forget_failures(conn: duckdb.DuckDBPyConnection, paths: Sequence[str]) -> None:
    """Let payloads be promoted again whose promotion failed. Writes ops.promotion_manifest and ops.readings."""
    if not paths:
        return
    for table in ("promotion_manifest", "readings"):
        conn.execute(
            f"DELETE FROM ops.{table} USING ops.bronze_manifest AS m WHERE {table}.status = 'failed' "
            f"AND m.bronze_file_id = {table}.bronze_file_id AND list_contains(?, m.rel_path)",
            [list(paths)],
        )
    conn.execute(
        "DELETE FROM ops.file_ingestions WHERE kind = 'reading' AND status = 'failed' AND list_contains(?, rel_path)",
        [list(paths)],
    )


def align_ingestions(conn: duckdb.DuckDBPyConnection, *, now: dt.datetime) -> None:
    """Make ops.file_ingestions say of each payload what manifest and promotions say."""
    moment = to_naive_utc(now)
    conn.execute(
        "DELETE FROM ops.file_ingestions WHERE kind = 'file' AND bronze_file_id IS NOT NULL "
        "AND NOT EXISTS (FROM ops.bronze_manifest AS m "
        "WHERE m.bronze_file_id = file_ingestions.bronze_file_id AND m.run_id = file_ingestions.run_id)"
    )
    conn.execute(
        "INSERT INTO ops.file_ingestions (run_id, kind, subject, started_at, finished_at, status, domain, source, "
        "dataset, discriminator, ticker, dataset_id, series_key, bronze_file_id, rel_path, payload_hash, "
        "content_length_bytes, bronze_rows, "
        "from_date, to_date) "
        "SELECT m.run_id, 'file', m.bronze_file_id, ?, ?, 'fetched', m.domain, m.source, "
        "m.dataset, m.discriminator, m.ticker, m.dataset_id, m.series_key, m.bronze_file_id, m.rel_path, "
        "m.payload_hash, m.content_length_bytes, "
        "0, m.from_date, m.to_date FROM ops.bronze_manifest AS m "
        "ANTI JOIN (FROM ops.file_ingestions WHERE kind = 'file') AS f USING (bronze_file_id)",
        [moment, moment],
    )
    conn.execute(
        "UPDATE ops.file_ingestions AS f SET payload_hash = m.payload_hash, "
        "content_length_bytes = m.content_length_bytes, rel_path = m.rel_path "
        "FROM ops.bronze_manifest AS m WHERE f.kind = 'file' AND f.bronze_file_id = m.bronze_file_id "
        "AND (f.payload_hash <> m.payload_hash OR f.content_length_bytes <> m.content_length_bytes "
        "OR f.rel_path <> m.rel_path)"
    )
    conn.execute(
        "UPDATE ops.file_ingestions AS f SET status = p.status, table_name = p.silver_table, "
        "bronze_rows = p.rows_seen, rows_inserted = p.rows_inserted, rows_updated = p.rows_updated, "
        "rows_unchanged = p.rows_unchanged, rows_rejected = p.rows_rejected, error = p.error "
        "FROM ops.promotion_manifest AS p WHERE f.kind = 'file' AND f.bronze_file_id = p.bronze_file_id "
        "AND p.status IN ('ok', 'failed', 'held')"
    )
    _align_readings(conn)


def _align_readings(conn: duckdb.DuckDBPyConnection) -> None:
    """The same of payloads that datasets have read which did not fetch them: one row is that of one reading, or gone,
    so that it is read again.
    """
    conn.execute(
        "DELETE FROM ops.file_ingestions WHERE kind = 'reading' AND NOT EXISTS (FROM ops.readings AS p WHERE "
        "p.bronze_file_id = file_ingestions.bronze_file_id AND p.silver_table = file_ingestions.table_name)"
    )
    conn.execute(
        "DELETE FROM ops.readings WHERE NOT EXISTS (FROM ops.file_ingestions AS f WHERE f.kind = 'reading' AND "
        "f.bronze_file_id = readings.bronze_file_id AND f.table_name = readings.silver_table)"
    )
    conn.execute(
        "UPDATE ops.file_ingestions AS f SET status = p.status, rows_inserted = p.rows_inserted, "
        "rows_updated = p.rows_updated, rows_unchanged = p.rows_unchanged, rows_rejected = p.rows_rejected, "
        "error = p.error FROM ops.readings AS p WHERE f.kind = 'reading' AND f.bronze_file_id = p.bronze_file_id "
        "AND f.table_name = p.silver_table"
    )


def align_identities(conn: duckdb.DuckDBPyConnection) -> None:
    """Make dataset and series of each row of ops.file_ingestions those of its other columns."""
    conn.execute(
        f"UPDATE ops.file_ingestions SET dataset_id = {DATASET_ID}, series_key = {SERIES_KEY} WHERE {IDENTITY_DIFFERS}"
    )


def align_watermarks(conn: duckdb.DuckDBPyConnection, *, now: dt.datetime) -> None:
    """Make ops.watermarks say what the promotions say, under the identity that fills the table now: payloads may be of
    a former one.
    """
    series = conn.execute(
        "SELECT coalesce(max(d.owner), max(r.reader), arg_max(m.dataset_id, m.fetched_at)), m.ticker, p.silver_table, "
        "min(p.coverage_from), max(p.coverage_to) "
        f"FROM ops.bronze_manifest AS m JOIN {ALL_PROMOTIONS} AS p USING (bronze_file_id) "
        "LEFT JOIN (SELECT table_name, dataset AS owner FROM ops.table_declarations) AS d "
        "ON d.table_name = p.silver_table "
        "LEFT JOIN (SELECT table_name, max(dataset_id) AS reader FROM ops.file_ingestions WHERE kind = 'reading' "
        "GROUP BY 1) AS r ON r.table_name = p.silver_table WHERE p.status = 'ok' GROUP BY m.ticker, p.silver_table"
    ).fetchall()
    rows = []
    for name, ticker, table, first, last in series:
        identity = DatasetId.parse(name)
        rows.append({
            "domain": identity.domain, "source": identity.source, "dataset": identity.dataset,
            "discriminator": identity.discriminator, "ticker": ticker, "silver_table": table, "coverage_from": first,
            "coverage_to": last, "updated_at": to_naive_utc(now), "dataset_id": name,
            "series_key": identity.series(ticker),
        })  # fmt: skip
    conn.execute("DELETE FROM ops.watermarks")
    insert_rows(conn, "ops.watermarks", WATERMARK_TYPES, rows)

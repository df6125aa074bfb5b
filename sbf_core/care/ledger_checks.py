"""The ledger against itself: each check must find nothing."""

from __future__ import annotations

from collections.abc import Iterable

import duckdb

from sbf_core.care.findings import Finding, FindingKind
from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.duck.identity import IDENTITY_DIFFERS, SERIES_KEY
from sbf_core.ops.coverage_index import unproven_days
from sbf_core.ops.promotions import ALL_PROMOTIONS

#: Per kind a SELECT of (subject, detail). The rules are those of docs/explanation/guarantees.md.
_CHECKS: tuple[tuple[FindingKind, str], ...] = (
    (
        FindingKind.NOT_RECOVERED,
        (
            "SELECT run_id, 'is ' || status || '; the next run puts that right' "
            "FROM ops.file_ingestions ANTI JOIN ops.recoveries USING (run_id) "
            "WHERE kind = 'run' AND status IN ('running', 'interrupted')"
        ),
    ),
    (
        FindingKind.NOT_RECOVERED,
        "SELECT 'gold.' || table_name, 'its build is still started' FROM ops.gold_manifest WHERE status = 'started'",
    ),
    (
        FindingKind.PROMOTION_UNKNOWN,
        (
            "SELECT bronze_file_id, 'was promoted, but the manifest does not know it' "
            f"FROM {ALL_PROMOTIONS} ANTI JOIN ops.bronze_manifest USING (bronze_file_id)"
        ),
    ),
    (
        FindingKind.RECORD_TWICE,
        (
            "SELECT bronze_file_id, 'was promoted ' || count(*) || ' times' FROM ops.promotion_manifest "
            "GROUP BY 1 HAVING count(*) > 1 UNION ALL "
            "SELECT bronze_file_id, 'was promoted ' || count(*) || ' times into silver.' || silver_table "
            "FROM ops.readings GROUP BY bronze_file_id, silver_table HAVING count(*) > 1"
        ),
    ),
    (
        FindingKind.PROMOTION_MISSING,
        (
            "SELECT rel_path, 'was promoted, but its promotion is not on record' "
            "FROM ops.file_ingestions ANTI JOIN ops.promotion_manifest USING (bronze_file_id) "
            "WHERE kind = 'file' AND bronze_file_id IS NOT NULL AND status IN ('ok', 'failed') UNION ALL "
            "SELECT rel_path, 'was promoted into silver.' || table_name || ', but that is not on record' "
            "FROM ops.file_ingestions AS f ANTI JOIN ops.readings AS p ON p.bronze_file_id = f.bronze_file_id "
            "AND p.silver_table = f.table_name WHERE f.kind = 'reading' AND f.status IN ('ok', 'failed')"
        ),
    ),
    (
        FindingKind.RECORD_DIFFERS,
        (
            f"SELECT rel_path, 'dataset and series are not those of its columns' FROM ops.bronze_manifest "
            f"WHERE {IDENTITY_DIFFERS}"
        ),
    ),
    (
        FindingKind.INGESTION_DIFFERS,
        (
            f"SELECT coalesce(rel_path, subject), 'dataset and series are not those of its columns' "
            f"FROM ops.file_ingestions WHERE {IDENTITY_DIFFERS}"
        ),
    ),
    (
        FindingKind.WATERMARK_DIFFERS,
        (
            f"SELECT {SERIES_KEY}, 'dataset and series are not those of its columns' FROM ops.watermarks "
            f"WHERE {IDENTITY_DIFFERS}"
        ),
    ),
    (
        FindingKind.INGESTION_DIFFERS,
        (
            "SELECT coalesce(m.rel_path, f.rel_path), 'file_ingestions and bronze_manifest differ' "
            "FROM ops.bronze_manifest AS m FULL JOIN "
            "(FROM ops.file_ingestions WHERE kind = 'file' AND bronze_file_id IS NOT NULL) AS f USING (bronze_file_id) "
            "WHERE m.bronze_file_id IS NULL OR f.bronze_file_id IS NULL OR m.run_id <> f.run_id "
            "OR m.payload_hash <> f.payload_hash OR m.content_length_bytes <> f.content_length_bytes"
        ),
    ),
    (
        FindingKind.INGESTION_DIFFERS,
        (
            "SELECT f.rel_path, 'file_ingestions and promotion_manifest differ' "
            "FROM ops.file_ingestions AS f JOIN ops.promotion_manifest AS p USING (bronze_file_id) "
            "WHERE f.kind = 'file' AND p.status IN ('ok', 'failed') AND (f.status <> p.status "
            "OR f.bronze_rows <> p.rows_seen OR f.rows_inserted <> p.rows_inserted OR f.rows_updated <> p.rows_updated "
            "OR f.rows_unchanged <> p.rows_unchanged OR f.rows_rejected <> p.rows_rejected) UNION ALL "
            "SELECT coalesce(f.rel_path, p.bronze_file_id), 'file_ingestions and readings differ' "
            "FROM (FROM ops.file_ingestions WHERE kind = 'reading') AS f FULL JOIN ops.readings AS p "
            "ON p.bronze_file_id = f.bronze_file_id AND p.silver_table = f.table_name "
            "WHERE p.bronze_file_id IS NOT NULL AND (f.status IS DISTINCT FROM p.status "
            "OR f.rows_inserted IS DISTINCT FROM p.rows_inserted OR f.rows_updated IS DISTINCT FROM p.rows_updated "
            "OR f.rows_unchanged IS DISTINCT FROM p.rows_unchanged "
            "OR f.rows_rejected IS DISTINCT FROM p.rows_rejected)"
        ),
    ),
    (
        FindingKind.COUNTS_DIFFER,
        (
            f"SELECT bronze_file_id, 'rows seen are not the sum of the others' FROM {ALL_PROMOTIONS} "
            "WHERE rows_seen <> rows_inserted + rows_updated + rows_unchanged + rows_rejected"
        ),
    ),
    (
        FindingKind.COUNTS_DIFFER,
        (
            "SELECT bronze_file_id, coalesce(r.n, 0) || ' rejects are kept, ' || p.rows_rejected || ' were counted' "
            f"FROM (FROM {ALL_PROMOTIONS} WHERE status IN ('ok', 'failed')) AS p "
            "FULL JOIN (SELECT bronze_file_id, silver_table, count(*) AS n FROM ops.rejects GROUP BY ALL) AS r "
            "USING (bronze_file_id, silver_table) "
            "WHERE p.rows_rejected IS NOT NULL AND coalesce(p.rows_rejected, 0) <> coalesce(r.n, 0)"
        ),
    ),
    (
        FindingKind.WATERMARK_DIFFERS,  # by table, for a dataset that was renamed has payloads under its former names
        (
            "WITH series AS (SELECT p.silver_table, coalesce(m.ticker, '') AS series_ticker, "
            "max(m.series_key) AS key, "
            "min(p.coverage_from) AS coverage_from, max(p.coverage_to) AS coverage_to "
            f"FROM ops.bronze_manifest AS m JOIN {ALL_PROMOTIONS} AS p USING (bronze_file_id) "
            "WHERE p.status = 'ok' GROUP BY ALL), "
            "lacking AS (SELECT DISTINCT f.table_name AS silver_table, coalesce(f.ticker, '') AS series_ticker "
            "FROM ops.file_ingestions AS f ANTI JOIN ops.promotion_manifest USING (bronze_file_id) "
            "WHERE f.kind = 'file' AND f.bronze_file_id IS NOT NULL AND f.status = 'ok'), "
            "marks AS (SELECT silver_table, coalesce(ticker, '') AS series_ticker, series_key AS key, "
            "coverage_from, coverage_to FROM ops.watermarks) "
            "SELECT coalesce(w.key, s.key), "
            "'is ' || coalesce(CAST(w.coverage_to AS VARCHAR), 'none') || "
            "', promotions say ' || coalesce(CAST(s.coverage_to AS VARCHAR), 'none') "
            "FROM (FROM series ANTI JOIN lacking USING (silver_table, series_ticker)) AS s "
            "FULL JOIN (FROM marks ANTI JOIN lacking USING (silver_table, series_ticker)) AS w "
            "USING (silver_table, series_ticker) "
            "WHERE s.coverage_to IS DISTINCT FROM w.coverage_to OR s.coverage_from IS DISTINCT FROM w.coverage_from"
        ),
    ),
)


def check_ledger(conn: duckdb.DuckDBPyConnection) -> list[Finding]:
    """Everything that the ledger says twice, or owes to another of its tables."""
    findings = []
    for kind, query in _CHECKS:
        findings += [
            Finding(kind=kind, subject=str(subject), detail=detail)
            for subject, detail in conn.execute(query).fetchall()
        ]
    return findings


def check_coverage(conn: duckdb.DuckDBPyConnection, entries: Iterable[DatasetKeymapEntry]) -> list[Finding]:
    """Days that ops.coverage holds final without an answer: they would never be asked for."""
    return [
        Finding(
            kind=FindingKind.COVERAGE_UNPROVEN,
            subject=entry.key(ticker),
            detail=f"holds {left.first} to {left.last} final, and no answer on record says so",
        )
        for entry in entries
        if not entry.payloads_of
        for ticker, left in unproven_days(conn, entry)
    ]

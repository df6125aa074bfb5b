"""What became of each payload of a batch: the temporary table ``promoted``, from which the ledger is written."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import duckdb

from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.duck.identifiers import quoted
from sbf_core.failures import Failure, FailureKind
from sbf_core.ops.bulk import insert_columns
from sbf_core.ops.rows import BronzeManifestRow, RowCounts
from sbf_core.silver.cut import asked_since
from sbf_core.vocabulary import WorkStatus

#: What a payload says of the answer that it is.
_ANSWER = {"from_date": "DATE", "to_date": "DATE", "fetched_at": "TIMESTAMP", "parts": "INTEGER"}


def make_promoted(
    conn: duckdb.DuckDBPyConnection,
    entry: DatasetKeymapEntry,
    rows: Sequence[BronzeManifestRow],
    *,
    failed: Mapping[str, Failure],
    held: Mapping[str, str],
) -> None:
    """Make the table: one row a payload, with its request, its status and counts.

    Args:
        conn: with the temporary tables ``stage``, ``written`` and ``closed`` of the batch.
        entry: the dataset.
        rows: the payloads.
        failed: why some failed, by id.
        held: why some wait, by id.
    """
    conn.execute(
        "CREATE OR REPLACE TEMP TABLE promoting (bronze_file_id VARCHAR, run_id VARCHAR, ticker VARCHAR, series_key "
        "VARCHAR, status VARCHAR, error VARCHAR, error_kind VARCHAR, "
        "from_date DATE, to_date DATE, fetched_at TIMESTAMP, parts INTEGER)"
    )
    names = ("bronze_file_id", "run_id", "ticker", "series_key", "status", "error", "error_kind")
    types = dict.fromkeys(names, "VARCHAR") | _ANSWER
    columns = {name: [getattr(row, name) for row in rows] for name in ("bronze_file_id", "run_id", "ticker", *_ANSWER)}
    columns["series_key"] = [entry.key(row.ticker) for row in rows]  # as the dataset is called now
    ids = columns["bronze_file_id"]
    columns["status"] = [_status(file_id, failed, held) for file_id in ids]
    columns["error"] = [failed[file_id].what if file_id in failed else held.get(file_id) for file_id in ids]
    kinds = {**dict.fromkeys(held, FailureKind.HELD), **{file_id: one.kind for file_id, one in failed.items()}}
    columns["error_kind"] = [kinds.get(file_id) for file_id in ids]
    insert_columns(conn, "promoting", types, columns)
    day, whole = _row_date(entry), "(s._reason IS NULL)"
    conn.execute(
        "CREATE OR REPLACE TEMP TABLE promoted AS SELECT p.bronze_file_id, p.run_id, p.ticker, p.series_key, p.status, "
        "p.from_date, p.to_date, p.fetched_at, p.parts, "
        "coalesce(s.seen, 0) AS rows_seen, coalesce(w.inserted, 0) AS rows_inserted, coalesce(w.updated, 0) AS "
        "rows_updated, "
        "coalesce(s.seen - s.rejected, 0) - coalesce(w.inserted, 0) - coalesce(w.updated, 0) AS rows_unchanged, "
        "coalesce(s.rejected, 0) AS rows_rejected, "
        f"coalesce(c.n, 0) AS rows_closed, s.coverage_from, s.coverage_to, s.asked_since, p.error, p.error_kind "
        "FROM promoting AS p "
        f"LEFT JOIN (SELECT s._bronze_file_id AS id, count(*) AS seen, count(s._reason) AS rejected, min({day}) "
        f"FILTER {whole} AS coverage_from, max({day}) FILTER {whole} AS coverage_to, max({asked_since(entry)}) "
        f"FILTER {whole} AS asked_since FROM stage AS s WHERE NOT s._context GROUP BY "
        f"s._bronze_file_id) AS s ON s.id = p.bronze_file_id "
        "LEFT JOIN (SELECT w.bronze_file_id AS id, sum(w.n) FILTER (NOT w.is_update) AS inserted, sum(w.n) FILTER "
        "(w.is_update) AS updated FROM written AS w "
        "GROUP BY w.bronze_file_id) AS w ON w.id = p.bronze_file_id "
        "LEFT JOIN closed AS c ON c.bronze_file_id = p.bronze_file_id"
    )


def _row_date(entry: DatasetKeymapEntry) -> str:
    name = entry.row_date_column
    return f"CAST(s.{quoted(name)} AS DATE)" if name else "CAST(NULL AS DATE)"


def _status(file_id: str, failed: Collection[str], held: Mapping[str, str]) -> str:
    if file_id in failed:
        return WorkStatus.FAILED
    return WorkStatus.HELD if file_id in held else WorkStatus.OK


def totals(conn: duckdb.DuckDBPyConnection) -> RowCounts:
    """The sums over the payloads of the table."""
    row = conn.execute(
        "SELECT sum(rows_seen), sum(rows_inserted), sum(rows_updated), sum(rows_unchanged), sum(rows_rejected), "
        "sum(rows_closed) FROM promoted"
    ).fetchone()
    assert row is not None
    seen, inserted, updated, unchanged, rejected, closed = (int(number or 0) for number in row)
    return RowCounts(
        seen=seen, inserted=inserted, updated=updated, unchanged=unchanged, rejected=rejected, closed=closed
    )

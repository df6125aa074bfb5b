"""What became of payloads that were promoted, and what the ledger keeps of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import attrs
import duckdb

from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.dataset.fingerprint import declaration_text, fingerprint_of
from sbf_core.ops.bulk import as_kept, insert_columns
from sbf_core.ops.coverage_index import cover_promoted
from sbf_core.ops.rows import RowCounts
from sbf_core.value import Value
from sbf_core.vocabulary import IngestionKind, WorkStatus

_TYPES = {
    **dict.fromkeys(("bronze_file_id", "run_id", "ticker", "series_key", "status"), "VARCHAR"),
    **dict.fromkeys(("from_date", "to_date"), "DATE"), "fetched_at": "TIMESTAMP", "parts": "INTEGER",
    **dict.fromkeys(
        ("rows_seen", "rows_inserted", "rows_updated", "rows_unchanged", "rows_rejected", "rows_closed"), "BIGINT"
    ),
    **dict.fromkeys(("coverage_from", "coverage_to"), "DATE"), "asked_since": "TIMESTAMP",
    **dict.fromkeys(("error", "error_kind"), "VARCHAR"),
}  # fmt: skip
#: The columns of ops.watermarks, in the order of ``parts_of`` and the rest.
WATERMARK = (
    "domain, source, dataset, discriminator, ticker, silver_table, coverage_from, coverage_to, updated_at, dataset_id, "
    "series_key"
)
_OUTCOME = (
    "bronze_file_id, run_id, silver_table, status, rows_seen, rows_inserted, rows_updated, rows_unchanged, "
    "rows_rejected, rows_closed, rows_written, coverage_from, coverage_to, declaration, error, started_at, "
    "finished_at, asked_since"
)

#: What ops.file_ingestions says of a payload that a dataset has read which did not fetch it: each column, and what
#: stands in it.
READING = {
    "run_id": "p.run_id", "kind": f"'{IngestionKind.READING}'", "subject": "concat(p.bronze_file_id, ' ', $table)",
    "started_at": "CAST($started_at AS TIMESTAMP)", "finished_at": "CAST($ended_at AS TIMESTAMP)",
    "status": "p.status", "domain": "$domain", "source": "$source", "dataset": "$dataset",
    "discriminator": "$discriminator", "ticker": "p.ticker", "dataset_id": "$dataset_id",
    "series_key": "p.series_key", "bronze_file_id": "p.bronze_file_id", "rel_path": "m.rel_path",
    "table_name": "$table", "rows_inserted": "p.rows_inserted", "rows_updated": "p.rows_updated",
    "rows_unchanged": "p.rows_unchanged", "rows_rejected": "p.rows_rejected", "error": "p.error",
    "error_kind": "p.error_kind",
}  # fmt: skip


@attrs.frozen(kw_only=True)
class Promoted(Value):
    """What became of a payload.

    Attributes:
        bronze_file_id, run_id, ticker, from_date, to_date, fetched_at, parts: see ``BronzeManifestRow``.
        series_key: of its series, as the dataset is called now.
        status: a ``WorkStatus``.
        counts: what became of its rows.
        coverage_from, coverage_to: the first and the last day of rows that were taken in, as the engine writes them:
            its days go beyond those of Python.
        asked_since: the latest moment since which they were asked for; the same.
        error, error_kind: why it was not taken in.
    """

    bronze_file_id: str
    run_id: str
    ticker: str | None
    series_key: str
    status: str
    from_date: dt.date | None
    to_date: dt.date | None
    fetched_at: dt.datetime
    parts: int
    counts: RowCounts
    coverage_from: str | None = None
    coverage_to: str | None = None
    asked_since: str | None = None
    error: str | None = None
    error_kind: str | None = None


def record_promoted(
    conn: duckdb.DuckDBPyConnection,
    entry: DatasetKeymapEntry,
    rows: Sequence[Promoted],
    *,
    started_at: dt.datetime,
    ended_at: dt.datetime,
) -> None:
    """Keep the outcome of a batch. Makes the temporary table ``promoted`` of it, a row a payload, where somebody else
    reads that: for one payload alone it would take longer than what is kept of it.

    Writes ops.promotion_manifest, or ops.readings, and ops.file_ingestions, ops.watermarks and ops.coverage in the
    caller's transaction. Idempotent.

    Args:
        conn: inside a transaction.
        entry: the dataset.
        rows: what became of its payloads.
        started_at: when the work on them began; UTC, naive.
        ended_at: when it ended.
    """
    fingerprint = fingerprint_of(declaration_text(entry))
    if entry.payloads_of:
        _make_promoted(conn, rows)
        _record_readings(conn, entry, fingerprint, started_at, ended_at)
        return  # what was asked for, and answered, the other dataset covers
    is_alone = len(rows) == 1 and rows[0].error is None
    if not is_alone or entry.is_asked_by_days or entry.is_restated:
        _make_promoted(conn, rows)
    if is_alone:
        _record_one(conn, entry, rows[0], fingerprint, started_at, ended_at)
    else:
        _record_many(conn, entry, fingerprint, started_at, ended_at)
    cover_promoted(conn, entry)


def _make_promoted(conn: duckdb.DuckDBPyConnection, rows: Sequence[Promoted]) -> None:
    columns = ", ".join(f"{name} {sql_type}" for name, sql_type in _TYPES.items())
    conn.execute(f"CREATE OR REPLACE TEMP TABLE promoted ({columns})")
    values = {name: [getattr(row, name) for row in rows] for name in _TYPES if not name.startswith("rows_")}
    for name in _TYPES.keys() - values.keys():
        values[name] = [getattr(row.counts, name.removeprefix("rows_")) for row in rows]
    insert_columns(conn, "promoted", _TYPES, values)


def _record_one(
    conn: duckdb.DuckDBPyConnection,
    entry: DatasetKeymapEntry,
    row: Promoted,
    fingerprint: str,
    started_at: dt.datetime,
    ended_at: dt.datetime,
) -> None:
    counts, table = row.counts, entry.silver_table
    ticker, series_key, days = as_kept(row.ticker), as_kept(row.series_key), [row.coverage_from, row.coverage_to]
    seen = [counts.seen, counts.inserted, counts.updated, counts.unchanged, counts.rejected]
    conn.execute("DELETE FROM ops.promotion_manifest WHERE bronze_file_id = ?", [row.bronze_file_id])
    conn.execute(
        f"INSERT INTO ops.promotion_manifest ({_OUTCOME}) VALUES ({', '.join(['?'] * (_OUTCOME.count(',') + 1))})",
        [
            row.bronze_file_id, row.run_id, table, row.status, *seen, counts.closed, counts.written, *days,
            fingerprint, None, started_at, ended_at, row.asked_since,
        ],
    )  # fmt: skip
    conn.execute(
        "UPDATE ops.file_ingestions SET status = ?, finished_at = ?, table_name = ?, bronze_rows = ?, rows_inserted = "
        "?, rows_updated = ?, rows_unchanged = ?, rows_rejected = ?, error = NULL, error_kind = NULL "
        "WHERE kind = 'file' AND bronze_file_id = ?",
        [row.status, ended_at, table, *seen, row.bronze_file_id],
    )
    if row.status != WorkStatus.OK:
        return
    known = conn.execute(
        "UPDATE ops.watermarks SET coverage_from = least(coverage_from, CAST(? AS DATE)), coverage_to = "
        "greatest(coverage_to, CAST(? AS DATE)), updated_at = ? WHERE series_key = ?",
        [*days, ended_at, series_key],
    ).fetchone()
    if known == (0,):
        conn.execute(
            f"INSERT INTO ops.watermarks ({WATERMARK}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [*parts_of(entry), ticker, table, *days, ended_at, entry.id, series_key],
        )


def _record_many(
    conn: duckdb.DuckDBPyConnection,
    entry: DatasetKeymapEntry,
    fingerprint: str,
    started_at: dt.datetime,
    ended_at: dt.datetime,
) -> None:
    conn.execute(
        "DELETE FROM ops.promotion_manifest USING promoted "
        "WHERE promotion_manifest.bronze_file_id = promoted.bronze_file_id"
    )
    _insert_outcomes(conn, "promotion_manifest", [entry.silver_table, fingerprint, started_at, ended_at])
    conn.execute(
        "UPDATE ops.file_ingestions AS f SET status = p.status, finished_at = ?, table_name = ?, "
        "bronze_rows = p.rows_seen, rows_inserted = p.rows_inserted, rows_updated = p.rows_updated, "
        "rows_unchanged = p.rows_unchanged, rows_rejected = p.rows_rejected, error = p.error, "
        "error_kind = p.error_kind FROM promoted AS p "
        "WHERE f.kind = 'file' AND f.bronze_file_id = p.bronze_file_id",
        [ended_at, entry.silver_table],
    )
    _move_watermarks(conn, entry, ended_at)


def _record_readings(
    conn: duckdb.DuckDBPyConnection,
    entry: DatasetKeymapEntry,
    fingerprint: str,
    started_at: dt.datetime,
    ended_at: dt.datetime,
) -> None:
    """The same of payloads that another dataset fetched. Whoever counts payloads counts theirs, so ``bronze_rows`` and
    the bytes stand there alone.
    """
    table = entry.silver_table
    conn.execute(
        "DELETE FROM ops.readings USING promoted WHERE readings.bronze_file_id = promoted.bronze_file_id AND "
        "readings.silver_table = ?",
        [table],
    )
    _insert_outcomes(conn, "readings", [table, fingerprint, started_at, ended_at])
    conn.execute(
        "DELETE FROM ops.file_ingestions USING promoted WHERE file_ingestions.kind = 'reading' AND "
        "file_ingestions.bronze_file_id = promoted.bronze_file_id AND file_ingestions.table_name = ?",
        [table],
    )
    conn.execute(
        f"INSERT INTO ops.file_ingestions ({', '.join(READING)}) SELECT {', '.join(READING.values())} "
        "FROM promoted AS p JOIN ops.bronze_manifest AS m USING (bronze_file_id)",
        {
            **dict(zip(("domain", "source", "dataset", "discriminator"), parts_of(entry), strict=True)),
            "dataset_id": entry.id, "table": table, "started_at": started_at, "ended_at": ended_at,
        },
    )  # fmt: skip
    _move_watermarks(conn, entry, ended_at)


def _insert_outcomes(conn: duckdb.DuckDBPyConnection, ledger: str, values: Sequence[object]) -> None:
    conn.execute(
        f"INSERT INTO ops.{ledger} ({_OUTCOME}) SELECT bronze_file_id, run_id, ?, status, rows_seen, "
        "rows_inserted, rows_updated, rows_unchanged, rows_rejected, rows_closed, "
        "rows_inserted + rows_updated + rows_closed, coverage_from, coverage_to, ?, error, ?, ?, asked_since "
        "FROM promoted",
        list(values),
    )


def _move_watermarks(conn: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry, ended_at: dt.datetime) -> None:
    conn.execute(
        "MERGE INTO ops.watermarks AS w USING (SELECT series_key, ticker, min(coverage_from) AS coverage_from, "
        "max(coverage_to) AS coverage_to FROM promoted WHERE status = 'ok' GROUP BY ALL) AS p "
        "USING (series_key) "
        "WHEN MATCHED THEN UPDATE SET coverage_from = least(w.coverage_from, p.coverage_from), "
        "coverage_to = greatest(w.coverage_to, p.coverage_to), updated_at = ? "
        f"WHEN NOT MATCHED THEN INSERT ({WATERMARK}) "
        "VALUES (?, ?, ?, ?, p.ticker, ?, p.coverage_from, p.coverage_to, ?, ?, p.series_key)",
        [ended_at, *parts_of(entry), entry.silver_table, ended_at, entry.id],
    )


def parts_of(entry: DatasetKeymapEntry) -> tuple[str, str, str, str]:
    """The parts of a dataset's name."""
    return entry.domain, entry.source, entry.dataset, entry.discriminator

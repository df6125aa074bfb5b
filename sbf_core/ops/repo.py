"""``DuckDbOpsRepo``: the SQL of the ledger, and nothing else. Only ``OpsService`` uses it."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb

from sbf_core.clock import Clock, SystemClock, to_naive_utc
from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.duck.bootstrap import DuckDbBootstrap, OpenDatabase
from sbf_core.duck.config import DuckDbConfig
from sbf_core.duck.transaction import transaction
from sbf_core.ops import manifest
from sbf_core.ops.bulk import merge_rows
from sbf_core.ops.coverage_index import forget_coverage, join_coverage
from sbf_core.ops.promoted import WATERMARK, Promoted, parts_of, record_promoted
from sbf_core.ops.promotions import promotions_of
from sbf_core.ops.rows import BronzeManifestRow
from sbf_core.runs.context import RunContext
from sbf_core.runs.result import RunResult
from sbf_core.secret import redacted, redacted_in_sql
from sbf_core.vocabulary import WorkStatus

_INGESTION_TYPES = {
    "run_id": "VARCHAR", "kind": "VARCHAR", "subject": "VARCHAR", "started_at": "TIMESTAMP", "finished_at": "TIMESTAMP",
    "status": "VARCHAR", "domain": "VARCHAR", "source": "VARCHAR", "dataset": "VARCHAR", "discriminator": "VARCHAR",
    "ticker": "VARCHAR", "dataset_id": "VARCHAR", "series_key": "VARCHAR", "bronze_file_id": "VARCHAR",
    "rel_path": "VARCHAR", "payload_hash": "VARCHAR",
    "content_length_bytes": "BIGINT", "table_name": "VARCHAR", "bronze_rows": "BIGINT", "rows_inserted": "BIGINT",
    "rows_updated": "BIGINT", "rows_unchanged": "BIGINT", "rows_rejected": "BIGINT", "error": "VARCHAR",
    "error_kind": "VARCHAR",
    "from_date": "DATE", "to_date": "DATE",
}  # fmt: skip
_INGESTION_KEY = ("run_id", "kind", "subject")
_DATE_TYPES = {"key": "VARCHAR", "to_date": "DATE", "checked_at": "TIMESTAMP"}
#: Statuses that end a promotion; anything else is work still to do.
_SETTLED = "('ok', 'failed', 'held')"


class DuckDbOpsRepo:
    """Reads and writes ``ops.*``. Methods with ``conn`` work inside the caller's transaction; the others in their own.

    Args:
        config: where the home is; ignored when ``bootstrap`` is given.
        logger: for debugging.
        bootstrap: the open database; made from ``config`` when absent.
    """

    def __init__(
        self,
        config: DuckDbConfig | None = None,
        logger: logging.Logger | None = None,
        bootstrap: DuckDbBootstrap | None = None,
    ) -> None:
        self._logger = logger or logging.getLogger("sbf.ops")
        self._bootstrap: OpenDatabase = bootstrap or DuckDbBootstrap(config, logger=self._logger)
        self._clock: Clock = SystemClock()

    def use_database(self, database: OpenDatabase) -> None:
        """Take the ledger of another database."""
        self._bootstrap = database

    def use_clock(self, clock: Clock) -> None:
        """Take the present moment from ``clock``."""
        self._clock = clock

    @property
    def clock(self) -> Clock:
        """Where the times in the ledger come from."""
        return self._clock

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """This thread's cursor."""
        return self._bootstrap.cursor()

    def close(self) -> None:
        """Close the database."""
        self._bootstrap.close()

    # Bronze

    def insert_bronze_manifest(
        self, *, result: RunResult, rel_path: Path, payload_hash: str, content_length_bytes: int
    ) -> None:
        """Record one payload. Writes ops.bronze_manifest. Idempotent: a known file is not recorded twice."""
        row = BronzeManifestRow.of(
            result, rel_path=rel_path.as_posix(), payload_hash=payload_hash, content_length_bytes=content_length_bytes
        )
        with transaction(self.cursor()) as conn:
            manifest.take_in(conn, [row], now=None, keys=_INGESTION_KEY)

    def record_payloads(
        self, conn: duckdb.DuckDBPyConnection, rows: Sequence[BronzeManifestRow], *, now: dt.datetime
    ) -> None:
        """Record many payloads that came.

        Writes ops.bronze_manifest and ops.file_ingestions. Idempotent: a known file is not recorded twice.
        """
        manifest.take_in(conn, rows, now=now, keys=_INGESTION_KEY)

    def load_promotable_rows(self) -> list[BronzeManifestRow]:
        """Payloads whose promotion is still to be done, oldest first."""
        return self._manifest_rows(
            f"ANTI JOIN (SELECT bronze_file_id FROM ops.promotion_manifest WHERE status IN {_SETTLED}) "
            "USING (bronze_file_id)"
        )

    def load_manifest_rows(self) -> list[BronzeManifestRow]:
        """Every payload on record, oldest first."""
        return self._manifest_rows("")

    def load_promoted_since(
        self, entry: DatasetKeymapEntry, ticker: str | None, since: dt.datetime, *, any_ticker: bool
    ) -> list[BronzeManifestRow]:
        """Payloads of one series, or one dataset, that were promoted and fetched after ``since``."""
        return self._manifest_rows(
            f"SEMI JOIN (SELECT bronze_file_id FROM {promotions_of(entry)} WHERE status = 'ok') USING (bronze_file_id) "
            "WHERE list_contains(?, dataset_id) AND (? OR ticker IS NOT DISTINCT FROM ?) AND fetched_at > ?",
            [list(entry.payload_ids), any_ticker, ticker, to_naive_utc(since)],
        )

    def _manifest_rows(self, condition: str, parameters: Sequence[Any] = ()) -> list[BronzeManifestRow]:
        return list(manifest.each_row(self.cursor(), condition, parameters))

    # dates that steer fetching

    def get_data_date(self, key: str) -> dt.date | None:
        """The last day that was asked for in a series, or None."""
        row = self.cursor().execute("SELECT to_date FROM ops.data_dates WHERE key = ?", [key]).fetchone()
        return None if row is None else row[0]

    def upsert_data_date(self, *, key: str, to_date: dt.date) -> None:
        """Record the last day that was asked for in a series. Writes ops.data_dates. Idempotent."""
        with transaction(self.cursor()) as conn:
            row = {"key": key, "to_date": to_date, "checked_at": self._clock.now()}
            merge_rows(conn, "ops.data_dates", _DATE_TYPES, ("key",), [row])

    def upsert_data_dates(
        self, conn: duckdb.DuckDBPyConnection, dates: Sequence[tuple[str, str, dt.date | None, dt.datetime]]
    ) -> None:
        """Record dataset, last day and moment of many fetches, by series; of several of one the latest counts.

        Writes ops.data_dates. Idempotent.
        """
        in_order = sorted(dates, key=lambda one: one[3])  # answers come in any order, as the vintages of a replay
        latest = {
            key: {"key": key, "dataset_id": dataset, "to_date": to_date, "checked_at": checked_at}
            for key, dataset, to_date, checked_at in in_order
        }
        merge_rows(conn, "ops.data_dates", _DATE_TYPES | {"dataset_id": "VARCHAR"}, ("key",), list(latest.values()))

    # promotion

    def start_promotion_manifest(self, row: BronzeManifestRow) -> None:
        """Record that a payload is being promoted. Writes ops.promotion_manifest and ops.coverage. Idempotent."""
        with transaction(self.cursor()) as conn:
            conn.execute("DELETE FROM ops.promotion_manifest WHERE bronze_file_id = ?", [row.bronze_file_id])
            forget_coverage(conn)
            conn.execute(
                "INSERT INTO ops.promotion_manifest (bronze_file_id, run_id, silver_table, status, started_at) "
                "VALUES (?, ?, '', 'started', ?)",
                [row.bronze_file_id, row.run_id, to_naive_utc(self._clock.now())],
            )

    def finish_promotion_manifest(
        self, row: BronzeManifestRow, *, status: str, rows_seen: int, rows_written: int, error: str | None
    ) -> None:
        """Record how a promotion ended. Writes ops.promotion_manifest. Idempotent."""
        with transaction(self.cursor()) as conn:
            conn.execute(
                "UPDATE ops.promotion_manifest SET status = ?, rows_seen = ?, rows_written = ?, error = ?, "
                "finished_at = ? WHERE bronze_file_id = ?",
                [
                    status,
                    rows_seen,
                    rows_written,
                    None if error is None else redacted(error),
                    to_naive_utc(self._clock.now()),
                    row.bronze_file_id,
                ],
            )

    def record_promoted(
        self,
        conn: duckdb.DuckDBPyConnection,
        entry: DatasetKeymapEntry,
        rows: Sequence[Promoted],
        *,
        started_at: dt.datetime,
    ) -> None:
        """Take the outcome of a batch, see ``promoted.record_promoted``.

        Writes ops.promotion_manifest, ops.file_ingestions, ops.watermarks and ops.coverage in the caller's transaction.
        Idempotent.
        """
        began, ended = to_naive_utc(started_at), to_naive_utc(self._clock.now())
        record_promoted(conn, entry, rows, started_at=began, ended_at=ended)

    def insert_rejects(self, conn: duckdb.DuckDBPyConnection, silver_table: str, select: str) -> None:
        """Record rejected rows from a SELECT of (bronze_file_id, run_id, reason, column_name, row_json), without keys.

        Writes ops.rejects.
        """
        redacted_select, keys = redacted_in_sql(select, "row_json")
        conn.execute(
            "INSERT INTO ops.rejects "
            f"SELECT bronze_file_id, run_id, ?, reason, column_name, row_json, ? FROM ({redacted_select})",
            [silver_table, to_naive_utc(self._clock.now()), *keys],
        )

    def forget_rejects(self, conn: duckdb.DuckDBPyConnection, silver_table: str, rows: Sequence[Promoted]) -> None:
        """Drop the rejects in a table of the files in the temporary table ``batch_file``, which are promoted again: all
        of those in ``rows`` that could be read.

        Writes ops.rejects.
        """
        if len(rows) == 1 and rows[0].status == WorkStatus.OK:
            conn.execute(
                "DELETE FROM ops.rejects WHERE bronze_file_id = ? AND silver_table = ?",
                [rows[0].bronze_file_id, silver_table],
            )
        else:
            conn.execute(
                "DELETE FROM ops.rejects USING batch_file AS b WHERE rejects.bronze_file_id = b.bronze_file_id "
                "AND NOT b.is_context AND rejects.silver_table = ?",
                [silver_table],
            )

    def insert_drift(
        self, conn: duckdb.DuckDBPyConnection, silver_table: str, fields: Mapping[str, tuple[str, str, str]]
    ) -> None:
        """Record fields that came or went, once each. Writes ops.schema_drift. Idempotent."""
        now = to_naive_utc(self._clock.now())
        for name, (change, file_id, examples) in fields.items():
            field = redacted(name)
            conn.execute(
                "INSERT INTO ops.schema_drift SELECT ?, ?, ?, ?, ?, ? WHERE NOT EXISTS (FROM ops.schema_drift WHERE "
                "silver_table = ? AND field = ? AND change = ?)",
                [silver_table, field, change, file_id, now, redacted(examples), silver_table, field, change],
            )

    def get_watermark(
        self, conn: duckdb.DuckDBPyConnection, row: BronzeManifestRow, entry: DatasetKeymapEntry
    ) -> dt.date | None:
        """The last row date that silver holds for the row's dataset and ticker, or None."""
        watermark = conn.execute(
            "SELECT coverage_to FROM ops.watermarks WHERE series_key = ?", [entry.key(row.ticker)]
        ).fetchone()
        return None if watermark is None else watermark[0]

    def upsert_watermark(
        self,
        conn: duckdb.DuckDBPyConnection,
        row: BronzeManifestRow,
        entry: DatasetKeymapEntry,
        *,
        coverage_from: dt.date | None,
        coverage_to: dt.date | None,
    ) -> None:
        """Set what silver covers for the row's dataset and ticker. Writes ops.watermarks. Idempotent."""
        key = entry.key(row.ticker)
        conn.execute("DELETE FROM ops.watermarks WHERE series_key = ?", [key])
        moment = to_naive_utc(self._clock.now())
        conn.execute(
            f"INSERT INTO ops.watermarks ({WATERMARK}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [*parts_of(entry), row.ticker, entry.silver_table, coverage_from, coverage_to, moment, entry.id, key],
        )

    # gold

    def next_gold_build_id(self) -> int:
        """A number greater than that of every build so far."""
        row = self.cursor().execute("SELECT coalesce(max(gold_build_id), 0) + 1 FROM ops.gold_manifest").fetchone()
        assert row is not None
        return int(row[0])

    def start_gold_manifest(self, conn: duckdb.DuckDBPyConnection, *, gold_build_id: int, table_name: str) -> None:
        """Record that a gold table is being built. Writes ops.gold_manifest. Idempotent."""
        conn.execute(
            "DELETE FROM ops.gold_manifest WHERE gold_build_id = ? AND table_name = ?", [gold_build_id, table_name]
        )
        conn.execute(
            "INSERT INTO ops.gold_manifest (gold_build_id, table_name, status, started_at) VALUES (?, ?, 'started', ?)",
            [gold_build_id, table_name, to_naive_utc(self._clock.now())],
        )

    def finish_gold_manifest(
        self,
        conn: duckdb.DuckDBPyConnection,
        *,
        gold_build_id: int,
        table_name: str,
        status: str,
        rows_seen: int,
        rows_written: int,
        error_message: str | None,
    ) -> None:
        """Record how the build of a gold table ended. Writes ops.gold_manifest. Idempotent."""
        conn.execute(
            "UPDATE ops.gold_manifest SET status = ?, rows_seen = ?, rows_written = ?, error_message = ?, "
            "finished_at = ? WHERE gold_build_id = ? AND table_name = ?",
            [
                status,
                rows_seen,
                rows_written,
                None if error_message is None else redacted(error_message),
                to_naive_utc(self._clock.now()),
                gold_build_id,
                table_name,
            ],
        )

    def insert_gold_tests(
        self, conn: duckdb.DuckDBPyConnection, *, gold_build_id: int, table_name: str, outcomes: Mapping[str, int]
    ) -> None:
        """Record tests of a gold table: name to number of failing rows. Writes ops.gold_tests."""
        conn.execute(
            "DELETE FROM ops.gold_tests WHERE gold_build_id = ? AND table_name = ?", [gold_build_id, table_name]
        )
        now = to_naive_utc(self._clock.now())
        for test, failing in outcomes.items():
            conn.execute(
                "INSERT INTO ops.gold_tests VALUES (?, ?, ?, ?, ?, ?)",
                [gold_build_id, table_name, test, "failed" if failing else "ok", failing, now],
            )

    def get_gold_watermark(self, conn: duckdb.DuckDBPyConnection, *, table_name: str) -> dt.date | None:
        """The last date that a gold table covers, or None."""
        row = conn.execute(
            "SELECT watermark_date FROM ops.gold_watermarks WHERE table_name = ?", [table_name]
        ).fetchone()
        return None if row is None else row[0]

    def upsert_gold_watermark(
        self, conn: duckdb.DuckDBPyConnection, *, table_name: str, watermark_date: dt.date | None
    ) -> None:
        """Set the last date that a gold table covers. Writes ops.gold_watermarks. Idempotent."""
        inputs = self.gold_inputs(conn, table_name=table_name)
        conn.execute("DELETE FROM ops.gold_watermarks WHERE table_name = ?", [table_name])
        conn.execute(
            "INSERT INTO ops.gold_watermarks VALUES (?, ?, ?, ?)",
            [table_name, watermark_date, inputs, to_naive_utc(self._clock.now())],
        )

    def gold_inputs(self, conn: duckdb.DuckDBPyConnection, *, table_name: str) -> str | None:
        """What the last build of a gold table was made from, or None."""
        row = conn.execute("SELECT inputs FROM ops.gold_watermarks WHERE table_name = ?", [table_name]).fetchone()
        return None if row is None else row[0]

    def set_gold_inputs(self, conn: duckdb.DuckDBPyConnection, *, table_name: str, inputs: str) -> None:
        """Set what the last build of a gold table was made from. Writes ops.gold_watermarks. Idempotent."""
        conn.execute("UPDATE ops.gold_watermarks SET inputs = ? WHERE table_name = ?", [inputs, table_name])

    # runs

    def upsert_ingestions(self, conn: duckdb.DuckDBPyConnection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert or update rows of ops.file_ingestions by (run_id, kind, subject); every row names the same columns."""
        if rows:
            types = {name: _INGESTION_TYPES[name] for name in rows[0]}
            merge_rows(conn, "ops.file_ingestions", types, _INGESTION_KEY, rows)

    def insert_run(self, conn: duckdb.DuckDBPyConnection, *, run_id: str, started_at: dt.datetime) -> None:
        """Open a run. Writes ops.file_ingestions."""
        conn.execute(
            "INSERT INTO ops.file_ingestions (run_id, kind, subject, started_at, status) "
            "VALUES (?, 'run', '', ?, 'running')",
            [run_id, to_naive_utc(started_at)],
        )

    def close_run(self, conn: duckdb.DuckDBPyConnection, summary: RunContext, *, in_order: bool) -> None:
        """Close a run; one that ended in order has its bytes counted. Writes ops.file_ingestions and ops.coverage.
        Idempotent.
        """
        if summary.files:
            join_coverage(conn)
        counts = [summary.rows_inserted, summary.rows_updated, summary.rows_unchanged, summary.rows_rejected]
        conn.execute(
            "UPDATE ops.file_ingestions SET finished_at = ?, status = ?, rows_inserted = ?, rows_updated = ?, "
            "rows_unchanged = ?, rows_rejected = ?, error = ?, "
            "content_length_bytes = CASE WHEN ? THEN (SELECT coalesce(sum(m.content_length_bytes), 0) "
            "FROM ops.bronze_manifest AS m WHERE m.run_id = file_ingestions.run_id) END "
            "WHERE run_id = ? AND kind = 'run'",
            [
                to_naive_utc(self._clock.now()),
                str(summary.status),
                *counts,
                redacted("\n".join(summary.errors)) or None,
                in_order,
                summary.run_id,
            ],
        )

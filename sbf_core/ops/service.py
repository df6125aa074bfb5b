"""``OpsService``: the facade, the only writer of the ledger."""

from __future__ import annotations

import datetime as dt
import logging
import secrets
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb

from sbf_core.clock import Clock
from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.duck.bootstrap import OpenDatabase
from sbf_core.duck.transaction import transaction
from sbf_core.ops import queries
from sbf_core.ops.coverage_index import cover_without_payload
from sbf_core.ops.cursors import Move, move_cursors
from sbf_core.ops.ingestion_rows import of_known, of_other
from sbf_core.ops.latest_payloads import LatestPayload, latest_payloads
from sbf_core.ops.made_tables import MadeTables
from sbf_core.ops.payloads_of import PayloadsOf
from sbf_core.ops.promoted import Promoted
from sbf_core.ops.recorded import RecordedPayloads
from sbf_core.ops.recovery_ledger import RecoveryLedger
from sbf_core.ops.repairs import forget_failures, recorded_before
from sbf_core.ops.repo import DuckDbOpsRepo
from sbf_core.ops.restated import RestatedSeries
from sbf_core.ops.rows import BronzeManifestRow, FailedFetch, SeriesState
from sbf_core.ops.unknown import remember_unknown
from sbf_core.runs.context import RunContext
from sbf_core.runs.result import RunResult
from sbf_core.universe.service import UniverseService
from sbf_core.vocabulary import IngestionKind, RunStatus

_ATTEMPTS_MAX = 5


class OpsService:
    """The facade: every write to ``ops.*`` goes through here, and a failed one fails the work that it records.

    Args:
        ops_repo: the SQL; made with the default home when absent.
        universe: who ``start_run`` asks for tickers; an empty universe when absent.
        logger: told when runs start and end.
    """

    def __init__(
        self,
        ops_repo: DuckDbOpsRepo | None = None,
        universe: UniverseService | None = None,
        logger: logging.Logger | None = None,
    ) -> None:
        self._repo = ops_repo or DuckDbOpsRepo()
        self._universe = universe or UniverseService()
        self._logger = logger or logging.getLogger("sbf.ops")

    @classmethod
    def over(
        cls,
        database: OpenDatabase,
        *,
        universe: UniverseService | None = None,
        clock: Clock | None = None,
        logger: logging.Logger | None = None,
    ) -> OpsService:
        """The facade over an open database; times come from ``clock``."""
        repo = DuckDbOpsRepo(logger=logger)
        repo.use_database(database)
        if clock is not None:
            repo.use_clock(clock)
        return cls(repo, universe, logger)

    @property
    def clock(self) -> Clock:
        """Where the times in the ledger come from."""
        return self._repo.clock

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """This thread's cursor, for readers and for the writers of silver and gold."""
        return self._repo.cursor()

    def close(self) -> None:
        """Close the database."""
        self._repo.close()

    def _write(self, work: Callable[[duckdb.DuckDBPyConnection], None]) -> None:
        """Run ``work`` in one transaction; try again, a few times, if another one got in the way."""

        def attempt() -> None:
            with transaction(self._repo.cursor()) as conn:
                work(conn)

        try:
            attempt()
        except duckdb.TransactionException:
            import stamina  # 80 ms that only a conflict has to pay

            for again in stamina.retry_context(
                on=duckdb.TransactionException, attempts=_ATTEMPTS_MAX, wait_initial=0.05, wait_max=1.0
            ):
                with again:
                    attempt()

    # runs

    def start_run(self, *, ticker_limit: int) -> RunContext:
        """Open a run over the first ``ticker_limit`` tickers of the universe (0: all). Writes ops.file_ingestions."""
        started_at = self.clock.now()
        context = RunContext(
            run_id=f"{started_at:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}",
            started_at=started_at,
            tickers=self._universe.tickers(ticker_limit=ticker_limit),
        )
        self._write(lambda conn: self._repo.insert_run(conn, run_id=context.run_id, started_at=started_at))
        return context

    def finish_run(self, summary: RunContext) -> None:
        """Close a run; one that is still ``running`` ended in order, ok, partial or failed.

        Writes ops.file_ingestions and ops.coverage. Idempotent.
        """
        in_order = summary.status not in (RunStatus.FAILED, RunStatus.INTERRUPTED)
        if summary.status is RunStatus.RUNNING:
            done = summary.files, summary.unchanged_files, summary.rows_seen, summary.gold_tables, summary.remade_tables
            did_something = any(done)
            summary.status = (
                RunStatus.OK if not summary.failures else RunStatus.PARTIAL if did_something else RunStatus.FAILED
            )
        self._write(lambda conn: self._repo.close_run(conn, summary, in_order=in_order))

    def run_overview(self, run_id: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """What a run did, from ops.file_ingestions: per dataset, and per gold table."""
        return queries.run_overview(self._repo.cursor(), run_id)

    @property
    def recovery(self) -> RecoveryLedger:
        """The part of the facade that recovery, verification and repair use."""
        return RecoveryLedger(self._repo.cursor, self._write, self.clock)

    def payloads_of(self, entry: DatasetKeymapEntry) -> PayloadsOf:
        """The part of the facade that tells of the payloads of one dataset."""
        return PayloadsOf(self._repo.cursor, self._write, entry)

    @property
    def recorded(self) -> RecordedPayloads:
        """The part of the facade that tells of every payload on record."""
        return RecordedPayloads(self._repo.cursor, self._write)

    @property
    def restated(self) -> RestatedSeries:
        """The part of the facade that knows series whose past was restated."""
        return RestatedSeries(self._repo.cursor, self._write)

    @property
    def tables(self) -> MadeTables:
        """The part of the facade that knows what made each silver table, and what waits."""
        return MadeTables(self._repo.cursor, self._write, self.clock)

    def move_cursors(self, conn: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry, moves: Sequence[Move]) -> None:
        """Take in where the next requests go on. Writes ops.cursors in the caller's transaction. Idempotent."""
        move_cursors(conn, entry, moves)

    def cover_without_payload(self, entries: Sequence[DatasetKeymapEntry], run_id: str) -> None:
        """Take in which days the answers of a run without a payload cover. Writes ops.coverage. Idempotent."""
        self._write(lambda conn: cover_without_payload(conn, entries, run_id))

    # Bronze

    def insert_bronze_manifest(
        self, *, result: RunResult, rel_path: Path, payload_hash: str, content_length_bytes: int
    ) -> None:
        """Record one payload that was written, as ``record_fetched`` does for many. Idempotent."""
        row = BronzeManifestRow.of(
            result, rel_path=rel_path.as_posix(), payload_hash=payload_hash, content_length_bytes=content_length_bytes
        )
        self.record_fetched([row], [])

    def record_fetched(self, kept: Sequence[BronzeManifestRow], other: Sequence[FailedFetch]) -> None:
        """Record a batch of answers: payloads kept, payloads that were there already, failures.

        One transaction. A payload has one record, of the run that kept it first; one that comes again is promoted again
        where that failed.

        Writes ops.bronze_manifest, ops.file_ingestions, ops.data_dates and ops.promotion_manifest. Idempotent.

        Args:
            kept: payloads that are safe on disk.
            other: requests that brought nothing new.
        """
        now = self.clock.now()
        others = [of_other(fetch, now) for fetch in other]
        asked = [(row.request, row.fetched_at) for row in kept]
        asked += [(fetch.request, fetch.fetched_at) for fetch in other if fetch.error is None]
        dates = [(request.key, request.dataset_id, request.to_date, moment) for request, moment in asked]

        def work(conn: duckdb.DuckDBPyConnection) -> None:
            known = recorded_before(conn, kept)
            fresh, again = ([row for row in kept if (row.bronze_file_id in known) is there] for there in (False, True))
            if fresh:
                self._repo.record_payloads(conn, fresh, now=now)
            forget_failures(conn, [row.rel_path for row in again])
            self._repo.upsert_ingestions(conn, [*(of_known(row, now) for row in again), *others])
            self._repo.upsert_data_dates(conn, dates)
            remember_unknown(conn, kept, other)

        self._write(work)

    def get_data_date(self, key: str) -> dt.date | None:
        """The last day that was asked for in a series, or None."""
        return self._repo.get_data_date(key)

    def upsert_data_date(self, *, key: str, to_date: dt.date) -> None:
        """Record the last day that was asked for in a series. Writes ops.data_dates. Idempotent."""
        self._repo.upsert_data_date(key=key, to_date=to_date)

    def load_series_states(self) -> dict[str, SeriesState]:
        """What the ledger knows of every series of fetches."""
        return queries.load_series_states(self._repo.cursor())

    def latest_payloads(
        self, dataset_ids: Sequence[str], *, documents: Sequence[str] = ()
    ) -> dict[tuple[str, str], LatestPayload]:
        """The newest payload of each series, see ``latest_payloads``."""
        return latest_payloads(self._repo.cursor(), dataset_ids, documents=documents)

    def latest_answer_parts(self, dataset_ids: Sequence[str]) -> dict[tuple[str, str], int]:
        """In how many parts the newest answer of each series came, 0 for one, under (series, "")."""
        return queries.latest_answer_parts(self._repo.cursor(), dataset_ids)

    def load_stretches(self, since: dt.datetime) -> frozenset[tuple[str, dt.date | None, dt.date | None]]:
        """Series, first and last day of everything that was asked for with success since a moment."""
        return queries.load_stretches(self._repo.cursor(), since)

    def answer_seconds(self) -> dict[str, float]:
        """How long an answer of each source took on average."""
        return queries.answer_seconds(self._repo.cursor())

    # promotion

    def load_promotable_rows(self) -> list[BronzeManifestRow]:
        """Payloads whose promotion is still to be done, oldest first."""
        return self._repo.load_promotable_rows()

    def load_manifest_rows(self) -> list[BronzeManifestRow]:
        """Every payload on record, oldest first."""
        return self._repo.load_manifest_rows()

    def load_promoted_since(
        self, row: BronzeManifestRow, entry: DatasetKeymapEntry, *, any_ticker: bool = False
    ) -> list[BronzeManifestRow]:
        """Payloads of the row's series, or of its whole dataset, that are promoted although they were fetched later."""
        return self._repo.load_promoted_since(entry, row.ticker, row.fetched_at, any_ticker=any_ticker)

    def latest_promoted(self, silver_tables: Sequence[str]) -> dict[str, dict[str | None, dt.datetime]]:
        """Of each of some tables that has any: per ticker the fetch time of the newest payload promoted into it."""
        return queries.latest_promoted(self._repo.cursor(), silver_tables)

    def start_promotion_manifest(self, row: BronzeManifestRow) -> None:
        """Record that a payload is being promoted. Writes ops.promotion_manifest. Idempotent."""
        self._repo.start_promotion_manifest(row)

    def finish_promotion_manifest(
        self, row: BronzeManifestRow, *, status: str, rows_seen: int, rows_written: int, error: str | None
    ) -> None:
        """Record how a promotion ended. Writes ops.promotion_manifest. Idempotent."""
        self._repo.finish_promotion_manifest(
            row, status=status, rows_seen=rows_seen, rows_written=rows_written, error=error
        )

    def record_promoted(
        self,
        conn: duckdb.DuckDBPyConnection,
        entry: DatasetKeymapEntry,
        rows: Sequence[Promoted],
        *,
        started_at: dt.datetime,
        rejects: str,
    ) -> None:
        """Take the outcome of a batch, and its rejects from a SELECT, if any, in the transaction that writes silver."""
        self._repo.forget_rejects(conn, entry.silver_table, rows)
        if rejects:
            self._repo.insert_rejects(conn, entry.silver_table, rejects)
        self._repo.record_promoted(conn, entry, rows, started_at=started_at)

    def known_drift(self, conn: duckdb.DuckDBPyConnection, silver_table: str) -> frozenset[tuple[str, str]]:
        """Fields of a table that were recorded, each with how it changed."""
        return queries.known_drift(conn, silver_table)

    def record_drift(
        self, conn: duckdb.DuckDBPyConnection, silver_table: str, fields: Mapping[str, tuple[str, str, str]]
    ) -> None:
        """Record fields that a vendor added or dropped: field to (change, bronze_file_id, examples of values). Writes
        ops.schema_drift. Idempotent.
        """
        self._repo.insert_drift(conn, silver_table, fields)

    def get_watermark(
        self, conn: duckdb.DuckDBPyConnection, row: BronzeManifestRow, entry: DatasetKeymapEntry
    ) -> dt.date | None:
        """The last row date that silver holds for the row's dataset and ticker, or None."""
        return self._repo.get_watermark(conn, row, entry)

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
        self._repo.upsert_watermark(conn, row, entry, coverage_from=coverage_from, coverage_to=coverage_to)

    # gold

    def next_gold_build_id(self) -> int:
        """A number greater than that of every build so far."""
        return self._repo.next_gold_build_id()

    def start_gold_manifest(self, conn: duckdb.DuckDBPyConnection, *, gold_build_id: int, table_name: str) -> None:
        """Record that a gold table is being built. Writes ops.gold_manifest. Idempotent."""
        self._repo.start_gold_manifest(conn, gold_build_id=gold_build_id, table_name=table_name)

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
        self._repo.finish_gold_manifest(
            conn,
            gold_build_id=gold_build_id,
            table_name=table_name,
            status=status,
            rows_seen=rows_seen,
            rows_written=rows_written,
            error_message=error_message,
        )

    def record_gold_tests(
        self, conn: duckdb.DuckDBPyConnection, *, gold_build_id: int, table_name: str, outcomes: Mapping[str, int]
    ) -> None:
        """Record tests of a gold table: name to number of failing rows. Writes ops.gold_tests. Idempotent."""
        self._repo.insert_gold_tests(conn, gold_build_id=gold_build_id, table_name=table_name, outcomes=outcomes)

    def record_gold_ingestion(
        self, conn: duckdb.DuckDBPyConnection, run_id: str, table_name: str, *, started_at: dt.datetime, **facts: Any
    ) -> None:
        """Record a gold table of a run. Writes ops.file_ingestions. Idempotent."""
        row = {
            "run_id": run_id,
            "kind": IngestionKind.GOLD,
            "subject": table_name,
            "table_name": table_name,
            "started_at": started_at,
            "finished_at": self.clock.now(),
        }
        self._repo.upsert_ingestions(conn, [{**row, **facts}])

    def get_gold_watermark(self, conn: duckdb.DuckDBPyConnection, *, table_name: str) -> dt.date | None:
        """The last date that a gold table covers, or None."""
        return self._repo.get_gold_watermark(conn, table_name=table_name)

    def upsert_gold_watermark(
        self, conn: duckdb.DuckDBPyConnection, *, table_name: str, watermark_date: dt.date | None
    ) -> None:
        """Set the last date that a gold table covers. Writes ops.gold_watermarks. Idempotent."""
        self._repo.upsert_gold_watermark(conn, table_name=table_name, watermark_date=watermark_date)

    def gold_inputs(self, conn: duckdb.DuckDBPyConnection, *, table_name: str) -> str | None:
        """What the last build of a gold table was made from, or None."""
        return self._repo.gold_inputs(conn, table_name=table_name)

    def set_gold_inputs(self, conn: duckdb.DuckDBPyConnection, *, table_name: str, inputs: str) -> None:
        """Set what the last build of a gold table was made from. Writes ops.gold_watermarks. Idempotent."""
        self._repo.set_gold_inputs(conn, table_name=table_name, inputs=inputs)

    def load_table_versions(self, conn: duckdb.DuckDBPyConnection) -> dict[str, str]:
        """A text per silver and gold table that changes whenever rows of it do."""
        return queries.load_table_versions(conn)

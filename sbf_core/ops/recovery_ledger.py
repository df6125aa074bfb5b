"""The part of the facade that recovery, verification and repair use."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import duckdb

from sbf_core.clock import Clock
from sbf_core.ops import recoveries, repairs
from sbf_core.ops.recoveries import RecoveredRun


class RecoveryLedger:
    """What the ledger knows of runs that ended badly, and how it is put right. Got from ``OpsService.recovery``.

    Args:
        cursor: gives this thread's cursor.
        write: runs some work in one transaction.
        clock: the present moment.
    """

    def __init__(
        self,
        cursor: Callable[[], duckdb.DuckDBPyConnection],
        write: Callable[[Callable[[duckdb.DuckDBPyConnection], None]], None],
        clock: Clock,
    ) -> None:
        self._cursor = cursor
        self._write = write
        self._clock = clock

    def unclean_runs(self) -> frozenset[str]:
        """Runs that did not end well and were not looked after yet; dead ones, for whoever holds the home."""
        return recoveries.unclean_runs(self._cursor())

    def known_runs(self) -> frozenset[str]:
        """Every run that the ledger knows."""
        return recoveries.known_runs(self._cursor())

    def known_paths(self) -> frozenset[str]:
        """Every payload that the ledger knows, by its path below Bronze."""
        return recoveries.known_paths(self._cursor())

    def known_packs(self) -> frozenset[str]:
        """Every pack that the ledger knows, by its path below Bronze."""
        return recoveries.known_packs(self._cursor())

    def known_quarantine(self) -> frozenset[str]:
        """Every file in quarantine that the ledger knows, by its path there."""
        return recoveries.known_quarantine(self._cursor())

    def damaged_paths(self) -> frozenset[str]:
        """Payloads whose damaged bytes were moved to quarantine, by their path below Bronze."""
        return recoveries.damaged_paths(self._cursor())

    def promoted_files(self) -> frozenset[str]:
        """Ids of the payloads whose rows silver holds, even where the record of the promotion is lost."""
        return recoveries.promoted_files(self._cursor())

    def record_quarantine(self, files: Sequence[Mapping[str, Any]]) -> None:
        """Record files that were moved to quarantine. Writes ops.quarantine."""
        if files:
            self._write(lambda conn: recoveries.insert_quarantine(conn, files, now=self._clock.now()))

    def forget_manifest(self, paths: Sequence[str]) -> None:
        """Take payloads out of the ledger, to be recorded anew from their journal.

        Writes ops.bronze_manifest and ops.file_ingestions.
        """
        if paths:
            self._write(lambda conn: repairs.forget_manifest(conn, paths))

    def forget_failures(self, paths: Sequence[str]) -> None:
        """Let payloads be promoted again whose promotion failed. Writes ops.promotion_manifest."""
        if paths:
            self._write(lambda conn: repairs.forget_failures(conn, paths))

    def align_ledger(self) -> None:
        """Make ops.file_ingestions and ops.watermarks say what manifest and promotions say, and ops.coverage nothing.

        Writes these and ops.promotion_manifest. Idempotent.
        """
        now = self._clock.now()

        def work(conn: duckdb.DuckDBPyConnection) -> None:
            repairs.forget_unknown_promotions(conn)
            repairs.align_ingestions(conn, now=now)
            repairs.align_identities(conn)
            repairs.align_watermarks(conn, now=now)

        self._write(work)

    def tables_of(self, file_ids: Sequence[str]) -> frozenset[str]:
        """The silver tables that some payloads, by id or path, were promoted into."""
        return recoveries.tables_of(self._cursor(), file_ids)

    def record_recovery(self, runs: Sequence[RecoveredRun], *, files_quarantined: int, alive: str = "") -> None:
        """Close what dead runs left open, and record that they were looked after.

        Call it only while holding the home, as the last step; ``alive`` is the run that does it.

        Writes ops.file_ingestions, ops.gold_manifest and ops.recoveries.
        """
        self._write(
            lambda conn: recoveries.insert_recoveries(
                conn, runs, files_quarantined=files_quarantined, alive=alive, now=self._clock.now()
            )
        )

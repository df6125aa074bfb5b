"""``RunContext``: one execution and what it counted."""

from __future__ import annotations

import datetime as dt

import attrs

from sbf_core.failures import Failure
from sbf_core.value import Entity
from sbf_core.vocabulary import RunStatus


@attrs.define(eq=False, kw_only=True)
class RunContext(Entity):
    """One execution. Made by ``OpsService.start_run``, filled by the runner, closed by ``finish_run``.

    Attributes:
        run_id: unique, sorts by time.
        started_at: aware, UTC.
        tickers: the universe of this run.
        status: ``running`` until the end.
        requests, files, unchanged_files, failed_requests: what fetching did.
        skipped_requests: those of datasets that the vendor's plan does not cover; no failure.
        deferred_requests: those that the vendor allows later only.
        rows_seen, rows_inserted, rows_updated, rows_unchanged, rows_rejected: what promotion did; the first
            is the sum of the others.
        gold_tables: gold tables that were built.
        remade_tables: silver tables that were made again.
        failures: what failed: datasets, series, payloads, tables.
        notes: what a user should know although nothing failed.
        lacking: what the machine lacked for some datasets or tables, of which nothing was recorded; the others went on,
            and the first of these errors is raised in the end.
    """

    run_id: str
    started_at: dt.datetime
    tickers: tuple[str, ...] = ()
    status: RunStatus = RunStatus.RUNNING
    requests: int = 0
    files: int = 0
    unchanged_files: int = 0
    failed_requests: int = 0
    skipped_requests: int = 0
    deferred_requests: int = 0
    rows_seen: int = 0
    rows_inserted: int = 0
    rows_updated: int = 0
    rows_unchanged: int = 0
    rows_rejected: int = 0
    gold_tables: int = 0
    remade_tables: int = 0
    failures: list[Failure] = attrs.field(factory=list)
    notes: list[str] = attrs.field(factory=list)
    lacking: list[Exception] = attrs.field(factory=list)

    @property
    def errors(self) -> list[str]:
        """The lines of the failures, for a person to read."""
        return [str(failure) for failure in self.failures]

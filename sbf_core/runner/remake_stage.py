"""Stale silver tables are made again, from Bronze, before anything new is promoted."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sbf_core.counted import counted
from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.dataset.fingerprint import declaration_text, fingerprint_of, told_shortly
from sbf_core.duck.bootstrap import DuckDbBootstrap
from sbf_core.duck.config import DuckDbConfig
from sbf_core.duck.engine_errors import ENGINE_ERRORS, costs_only_its_own, first_line, is_inputs_fault, kind_of_fault
from sbf_core.errors import DamageFound, DatasetFailure, EnvironmentFault, UsageError
from sbf_core.failures import Failure, failure_of
from sbf_core.faults import fault_point
from sbf_core.fetching.run_progress import RunProgress
from sbf_core.ops.made_tables import HeldTable, held_payloads
from sbf_core.ops.rows import BronzeManifestRow
from sbf_core.ops.service import OpsService
from sbf_core.plugin.hook_call import HookCalls
from sbf_core.plugin.registry import OwnedDataset
from sbf_core.runner.promote_stage import PromoteStage, lack
from sbf_core.runs.context import RunContext
from sbf_core.silver.stale import (
    PUT_BACK,
    StaleTable,
    cost_of,
    held_failure,
    payloads_failure,
    stale_tables,
    what_becomes,
)
from sbf_core.vocabulary import Drift

_FILE = "remade.duckdb"


class RemakeStage:
    """Makes tables again, each beside the database, and swaps it in in one transaction.

    Args:
        ops: the facade.
        bootstrap: the open database.
        config: where the home is.
        hooks: for the hook ``promote``.
        progress: told what goes on.
        drift: see ``PromoteStage``.
    """

    def __init__(
        self,
        ops: OpsService,
        bootstrap: DuckDbBootstrap,
        config: DuckDbConfig,
        hooks: HookCalls,
        *,
        progress: RunProgress,
        drift: Drift,
    ) -> None:
        self._drift = drift
        self._ops = ops
        self._bootstrap = bootstrap
        self._config = config
        self._hooks = hooks
        self._progress = progress

    def run(self, context: RunContext, datasets: Sequence[OwnedDataset], *, wait: bool = False) -> frozenset[str]:
        """Make the stale tables of some datasets again.

        Args:
            context: the run; a table that is held, or cannot be made again, is one of its errors.
            datasets: whose tables.
            wait: make none again, and only say which are stale.

        Returns:
            Identities of the datasets whose table is still stale: nothing of theirs must be promoted.
        """
        owned_by_id = {owned.entry.id: owned for owned in datasets}
        left: set[str] = set()
        for stale in stale_tables(self._ops.cursor(), [owned.entry for owned in datasets]):
            if wait:
                context.notes.append(f"{_named(stale)}, and waits: {told_shortly(stale.why)}")
                left.add(stale.entry.id)
            elif stale.hold is not None:
                context.failures.append(held_failure(stale.hold))
                left.add(stale.entry.id)
            elif not self._tried(
                context, owned_by_id[stale.entry.id], told_shortly(stale.why), stale.fingerprint, accept=False
            ):
                left.add(stale.entry.id)
        return frozenset(left)

    def promote(self, context: RunContext, datasets: Sequence[OwnedDataset], *, again: bool = False) -> None:
        """Promote what is pending, see ``PromoteStage.run``; a table for which a payload came too late is made again.

        A dataset with payloads that wait for their user is one of the run's errors.
        """
        for owned in datasets:
            if (owned.entry.drift or self._drift) is not Drift.HOLD:
                payloads = self._ops.payloads_of(owned.entry)
                payloads.release([file_id for file_id, _ in payloads.held()])
        stage = PromoteStage(self._ops, self._config, self._hooks, progress=self._progress, drift=self._drift)
        for owned, why in stage.run(context, datasets, again=again):
            try:
                self.again(context, owned, why=why)
            except (DatasetFailure, UsageError) as error:
                context.failures.append(failure_of(error, dataset=owned.entry.id))
            except (*ENGINE_ERRORS, EnvironmentFault) as error:
                if not costs_only_its_own(error):
                    raise
                lack(context, owned.entry.id, error)
        tables = {owned.entry.silver_table: owned.entry.id for owned in datasets}
        for held in held_payloads(self._ops.cursor()):
            if held.table in tables:
                context.failures.append(payloads_failure(tables[held.table], held))

    def again(self, context: RunContext, owned: OwnedDataset, *, why: str) -> None:
        """Make a table again from all payloads, whatever becomes of its rows.

        Raises:
            DatasetFailure: a payload is lost, so that its rows could not come back; the table is as it was.
        """
        pending = self._ops.payloads_of(owned.entry).pending()
        self._remake(context, owned, why=why, accepted=True, pending=pending)
        counts = self._ops.tables.promoted_counts(owned.entry, [row.bronze_file_id for row in pending])
        context.rows_seen += counts.seen
        context.rows_inserted += counts.inserted
        context.rows_updated += counts.updated
        context.rows_unchanged += counts.unchanged
        context.rows_rejected += counts.rejected

    def asked(self, context: RunContext, owned: OwnedDataset, *, accept: bool) -> bool:
        """Make a table again because the user asked for it; whether it was done.

        Args:
            context: the run; what goes wrong is one of its errors.
            owned: whose table.
            accept: whatever becomes of its rows; else one that would lose some is held.
        """
        fingerprint = fingerprint_of(declaration_text(owned.entry))
        return self._tried(context, owned, "as was asked", fingerprint, accept=accept)

    def _tried(self, context: RunContext, owned: OwnedDataset, why: str, fingerprint: str, *, accept: bool) -> bool:
        try:
            return self._remake(context, owned, why=why, accepted=accept, fingerprint=fingerprint)
        except (DatasetFailure, UsageError) as error:
            context.failures.append(failure_of(error, dataset=owned.entry.id))
            return False
        except (*ENGINE_ERRORS, EnvironmentFault) as error:
            if costs_only_its_own(error):
                lack(context, owned.entry.id, error)
                return False
            if not is_inputs_fault(error):
                raise
            what = f"its table cannot be made again, and is as it was: {first_line(error)}"
            context.failures.append(Failure(kind=kind_of_fault(error), what=what, dataset=owned.entry.id))
            return False

    def _remake(
        self,
        context: RunContext,
        owned: OwnedDataset,
        *,
        why: str,
        accepted: bool,
        fingerprint: str = "",
        pending: Sequence[BronzeManifestRow] = (),
    ) -> bool:
        """Whether the table was made again; else it is held."""
        from sbf_core.duck.beside import beside  # as few runs make a table again, few load what it needs
        from sbf_core.silver.remaking import compared, swap, why_held

        entry, ops = owned.entry, self._ops
        rows = self._payloads(owned, pending)
        fault_point("remake.begun")
        with beside(self._bootstrap.new_cursor, self._config.staging / _FILE, now=ops.clock.now()) as database:
            other = OpsService.over(database, clock=ops.clock)
            made = RunContext(run_id=context.run_id, started_at=context.started_at)
            stage = PromoteStage(other, self._config, self._hooks, progress=self._progress, drift=self._drift)
            try:
                stage.prepare(owned)
                _promote_all(stage, made, owned, rows)
                fault_point("remake.promoted")
                if not fingerprint:
                    _check_all_came(ops, other, entry, made)
                both = compared(ops.cursor(), entry, ops.tables.made())
                reason = "" if accepted or both is None else why_held(entry, *both)
                if reason:
                    held = HeldTable(dataset=entry.id, table=entry.silver_table, fingerprint=fingerprint, reason=reason)
                    ops.tables.hold(held, ids=entry.ids)
                    context.failures.append(held_failure(held))
                    return False
                swap(ops, entry, restated=stage.restated)
            finally:
                other.close()
        context.remade_tables += 1
        files = counted(len(rows), "payload")
        context.notes.append(f"silver.{entry.silver_table} was made again from {files}: {why}")
        context.notes.extend(made.notes)
        context.failures.extend(made.failures)
        return True

    def _payloads(self, owned: OwnedDataset, pending: Sequence[BronzeManifestRow]) -> list[BronzeManifestRow]:
        """What was promoted before, and some payloads more. A table that reads what others fetched may have read
        another dataset before: it takes all.
        """
        payloads = self._ops.payloads_of(owned.entry)
        if owned.entry.payloads_of:
            return payloads.all()
        others = {row.bronze_file_id for row in payloads.pending()} - {row.bronze_file_id for row in pending}
        others -= payloads.read_before()
        return [row for row in payloads.all() if row.bronze_file_id not in others]


def _promote_all(stage: PromoteStage, made: RunContext, owned: OwnedDataset, rows: Sequence[BronzeManifestRow]) -> None:
    try:
        stage.promote_payloads(made, owned, rows, needs_all=True)
    except DamageFound as error:
        raise DatasetFailure(
            "its table cannot be made again", where=f"{error.what}; {error.where}", fix=PUT_BACK
        ) from error


def _check_all_came(ops: OpsService, other: OpsService, entry: DatasetKeymapEntry, made: RunContext) -> None:
    """Payloads that gave rows before give them again: else a table would take the place of one that holds more."""
    failed = {row.bronze_file_id for row in other.payloads_of(entry).failed()}
    failed &= ops.payloads_of(entry).promoted_files()
    if failed:
        raise DatasetFailure(
            f"its table is as it was: {len(failed)} of its payloads, which were promoted before, cannot be now",
            where=str(made.failures[0]) if made.failures else "",
            fix="mend that, or accept it with `sbf rebuild DATASET --accept`",
        )


def planned(stale: StaleTable) -> str:
    """What a run would do about a stale table."""
    if stale.hold is not None:
        return str(held_failure(stale.hold))
    if stale.lost:
        return f"silver.{stale.entry.silver_table} is stale: {told_shortly(stale.why)}; {what_becomes(stale)}"
    return f"silver.{stale.entry.silver_table} would be made again ({cost_of(stale)}): {told_shortly(stale.why)}"


def _named(stale: StaleTable) -> str:
    return f"silver.{stale.entry.silver_table} of {stale.entry.id} is stale"


def without(datasets: Sequence[OwnedDataset], left: Collection[str]) -> list[OwnedDataset]:
    """The datasets whose payloads may be promoted."""
    return [owned for owned in datasets if owned.entry.id not in left]

"""Bronze to Silver for everything that is still to be promoted, dataset by dataset, batch by batch."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING

import attrs

from sbf_core.bronze.accepted import accepted_payloads
from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.duck.config import DuckDbConfig
from sbf_core.duck.engine_errors import ENGINE_ERRORS, costs_only_its_own, first_line, is_inputs_fault, kind_of_fault
from sbf_core.errors import DatasetFailure, EnvironmentFault, UsageError, said_by, shortened
from sbf_core.failures import Failure, FailureKind, failure_of
from sbf_core.fetching.run_progress import RunProgress
from sbf_core.ops.rows import BronzeManifestRow, RowCounts
from sbf_core.ops.service import OpsService
from sbf_core.plugin.hook_call import HookCalls
from sbf_core.plugin.registry import OwnedDataset
from sbf_core.plugin.watch import watched
from sbf_core.runner.promote_ahead import Newest, prepared, prepared_alone
from sbf_core.runner.promotion_batches import answers, cut, lacks_parts
from sbf_core.runs.context import RunContext
from sbf_core.silver.reading import AskPlan, PromotionBatch, PromotionPlan
from sbf_core.silver.tables import prepare_tables
from sbf_core.vocabulary import Drift, Semantics

if TYPE_CHECKING:
    from sbf_core.silver.outcome import BatchOutcome
    from sbf_core.silver.promotion import Looked, Promotion

_LACKING = "nothing was recorded of its payloads, silver is as it was; the next run goes on there"
_SAFE = "Bronze holds the payloads, silver is as it was; go on with `sbf run` once the plugin is mended"


class PromoteStage:
    """Promotes payloads.

    Args:
        ops: the facade.
        config: where the home is.
        hooks: for the hook ``promote``.
        progress: told what goes on.
        drift: what to do with payloads that lack a field which came until then, where the dataset does not say it; None
            where that was settled before.
    """

    def __init__(
        self,
        ops: OpsService,
        config: DuckDbConfig,
        hooks: HookCalls,
        *,
        progress: RunProgress,
        drift: Drift | None = None,
    ) -> None:
        self._ops = ops
        self._config = config
        self._hooks = hooks
        self._progress = progress
        self._drift = drift
        #: Series whose vendor restated their past, by what was promoted.
        self.restated: set[str] = set()

    def run(
        self, context: RunContext, datasets: Sequence[OwnedDataset], *, again: bool = False
    ) -> list[tuple[OwnedDataset, str]]:
        """Promote what is pending of these datasets; counts go to ``context``. A dataset that fails does not stop the
        others.

        Args:
            context: the run.
            datasets: whose payloads.
            again: promote again what failed before.

        Returns:
            Datasets of which nothing was promoted, because a payload came after younger ones, and why: their table has
            to be made again from all of their payloads.

        Raises:
            duckdb.Error, OSError: the engine, or the system, failed through no fault of a payload. Of a dataset that
                wanted more memory than there is nothing is recorded; the others are promoted, and ``context.lacking``
                has what is to be raised.
        """
        too_late: list[tuple[OwnedDataset, str]] = []
        work = self._pending(datasets, again=again)
        if not work:
            return too_late
        self._progress.start("promote", sum(len(rows) for _, rows in work))
        for owned, rows, newest in prepared(self._ops, work):
            try:
                before = prepared_alone(self._ops, owned.entry) if newest is None else newest
                why = self._promote_dataset(context, owned, rows, before)
                too_late += [(owned, why)] if why else []
            except (DatasetFailure, UsageError) as error:
                context.failures.append(failure_of(error, dataset=owned.entry.id))
            except (*ENGINE_ERRORS, EnvironmentFault) as error:
                if costs_only_its_own(error):
                    lack(context, owned.entry.id, error)
                elif is_inputs_fault(error):
                    what = shortened(first_line(error))
                    context.failures.append(
                        Failure(kind=FailureKind.PAYLOAD, what=what, dataset=owned.entry.id, fix=_SAFE)
                    )
                else:
                    raise
        self._progress.finish()
        return too_late

    def _pending(
        self, datasets: Sequence[OwnedDataset], *, again: bool
    ) -> list[tuple[OwnedDataset, list[BronzeManifestRow]]]:
        """What is to be promoted, by dataset, in the order of these."""
        fetching = [owned.entry for owned in datasets if not owned.entry.payloads_of]
        now_called = {name: entry.id for entry in fetching for name in entry.ids}
        by_dataset: dict[str, list[BronzeManifestRow]] = {}
        for row in self._ops.load_promotable_rows():  # once for all: of thousands of datasets few have news
            by_dataset.setdefault(now_called.get(row.dataset_id, ""), []).append(row)
        reading = [owned.entry for owned in datasets if owned.entry.payloads_of]
        unread = self._ops.recorded.with_unread(reading) if reading else frozenset()
        work = []
        for owned in datasets:
            entry = owned.entry
            payloads = self._ops.payloads_of(entry)
            rows = by_dataset.get(entry.id, []) if not entry.payloads_of else []
            rows = payloads.pending() if entry.id in unread else rows
            rows = rows + (payloads.failed() if again else [])
            work += [(owned, rows)] if rows else []
        return work

    def prepare(self, owned: OwnedDataset) -> None:
        """Make the silver tables of a dataset, although nothing may come to stand in them."""
        prepare_tables(self._ops, [owned.entry])

    def promote_payloads(
        self, context: RunContext, owned: OwnedDataset, rows: Sequence[BronzeManifestRow], *, needs_all: bool = False
    ) -> None:
        """Promote payloads of a dataset into an empty table, whatever the ledger says of them.

        Raises:
            DamageFound: with ``needs_all``: a payload is not what was recorded.
        """
        self._ops.record_fetched(rows, [])
        self._progress.start("remake", len(rows))
        self._promote_batches(context, owned, answers(owned.entry, rows), newest={}, needs_all=needs_all)
        self._progress.finish()

    def promote_again(
        self, context: RunContext, owned: OwnedDataset, in_order: Iterable[Sequence[BronzeManifestRow]], *, count: int
    ) -> None:
        """Promote payloads of a dataset into an empty table, for the sake of its rows alone: the ledger is told of
        none.

        Args:
            context: the run.
            owned: the dataset.
            in_order: its payloads, see ``promotion_batches.answers``; they are taken as they are wanted.
            count: how many they are, for the progress.
        """
        self._progress.start("remake", count)
        self._promote_batches(context, owned, in_order, newest={})
        self._progress.finish()

    def _promote_dataset(
        self, context: RunContext, owned: OwnedDataset, rows: Sequence[BronzeManifestRow], newest: Newest
    ) -> str:
        """Promote payloads, or say why the whole table has to be made again."""
        entry = owned.entry
        if entry.tickers_at_once > 1 and newest:  # a ticker may have been in any of them
            newest = dict.fromkeys({*newest, *(row.ticker for row in rows)}, max(newest.values()))
        late = [row for row in rows if row.ticker in newest and row.fetched_at < newest[row.ticker]]
        if late and (entry.closes_rows or entry.semantics is not Semantics.UPSERT):
            return f"{late[0].rel_path} came after younger payloads"
        if entry.closes_rows and (lacking := lacks_parts(rows)):
            return f"{lacking[0].rel_path} is part of an answer of which others were promoted before"
        self._promote_batches(context, owned, answers(entry, rows), newest=newest)
        return ""

    def _promote_batches(
        self,
        context: RunContext,
        owned: OwnedDataset,
        in_order: Iterable[Sequence[BronzeManifestRow]],
        *,
        newest: Mapping[str | None, dt.datetime],
        needs_all: bool = False,
    ) -> None:
        from concurrent.futures import Future, ThreadPoolExecutor

        entry, accepted = owned.entry, accepted_payloads(self._config, owned.entry)
        batched = entry.tickers_at_once > 1

        @cache
        def promotion(is_accepted: bool) -> Promotion:
            return self._promotion(owned, context.run_id, is_accepted=is_accepted, needs_all=needs_all)

        def promotion_of(batch: Sequence[BronzeManifestRow]) -> Promotion:
            return promotion(batch[0].rel_path in accepted)

        def late_of(batch: Sequence[BronzeManifestRow]) -> list[BronzeManifestRow]:
            return [row for row in batch if row.ticker in newest and row.fetched_at < newest[row.ticker]]

        with ThreadPoolExecutor(1) as pool:  # the next payloads are hashed and looked at while the engine is at work
            ahead: Future[Looked] | None = None
            work = cut(entry, in_order, accepted=accepted)
            following = next(work, None)
            while (batch := following) is not None:
                looked = None if ahead is None else ahead.result()
                ahead = None
                following = next(work, None)
                if following is not None and not late_of(following):
                    ahead = pool.submit(promotion_of(following).look, following)
                younger = {
                    row.bronze_file_id: row
                    for old in late_of(batch)
                    for row in self._ops.load_promoted_since(old, entry, any_ticker=batched)
                }
                outcome = promotion_of(batch).promote(batch, context=list(younger.values()), looked=looked)
                self._tell(context, entry, batch, outcome)

    def _tell(
        self,
        context: RunContext,
        entry: DatasetKeymapEntry,
        batch: Sequence[BronzeManifestRow],
        outcome: BatchOutcome,
    ) -> None:
        _count(context, outcome.counts)
        context.failures.extend(outcome.failures)
        context.notes.extend(f"{entry.key(each.ticker)}: {each}" for each in outcome.restated)
        self.restated |= {entry.key(each.ticker) for each in outcome.restated}
        context.notes.extend(f"{entry.id}: {text}" for text in outcome.notes)
        self._progress.promoted(entry.id, files=len(batch), rows=outcome.counts.seen, rejected=outcome.counts.rejected)
        self._progress.advance(len(batch))

    def _promotion(
        self, owned: OwnedDataset, run_id: str, *, is_accepted: bool = False, needs_all: bool = False
    ) -> Promotion:
        from sbf_core.silver.promotion import Promotion  # 15 ms that a run with nothing to promote need not pay

        return Promotion(
            self._ops,
            owned.entry,
            bronze=self._config.bronze,
            staging=self._config.staging,
            ask_plan=self._plan_asker(owned),
            fresh_run_id=run_id,
            drift=self._drift and (owned.entry.drift or self._drift),
            is_accepted=is_accepted,
            needs_all=needs_all,
        )

    def _plan_asker(self, owned: OwnedDataset) -> AskPlan:
        if not self._hooks.has(owned, "promote"):
            return None

        def ask(batch: PromotionBatch) -> PromotionPlan | None:
            with watched(
                self._ops.cursor, where=f"dataset {owned.entry.id}, plugin {owned.plugin.label}, hook promote"
            ) as allowed:
                told = attrs.evolve(batch, describe=lambda: allowed(batch.describe))
                return self._hooks.promote(owned, told, staging=self._config.staging, safe=_SAFE)

        return ask


def lack(context: RunContext, dataset_id: str, error: Exception) -> None:
    """A dataset that the machine had too little for; the others go on."""
    context.lacking.append(error)
    kind = kind_of_fault(error)
    context.failures.append(Failure(kind=kind, what=said_by(error), dataset=dataset_id, fix=_LACKING))


def _count(context: RunContext, counts: RowCounts) -> None:
    context.rows_seen += counts.seen
    context.rows_inserted += counts.inserted
    context.rows_updated += counts.updated
    context.rows_unchanged += counts.unchanged
    context.rows_rejected += counts.rejected

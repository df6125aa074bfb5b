"""The runner: plan, fetch, promote, build, finish."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import attrs

from sbf_core.duck.bootstrap import DuckDbBootstrap
from sbf_core.duck.config import DuckDbConfig
from sbf_core.duck.disk import FREE_BYTES_FLOOR, machine_faults
from sbf_core.duck.holder import HomeLock
from sbf_core.failures import Failure, FailureKind
from sbf_core.faults import fault_point
from sbf_core.fetching.progress import Progress
from sbf_core.fetching.run_progress import RunProgress
from sbf_core.home.home import Home, WrittenDatabase
from sbf_core.ops.service import OpsService
from sbf_core.plan.planner import within_budget
from sbf_core.plugin.hook_call import HookCalls
from sbf_core.plugin.registry import OwnedDataset
from sbf_core.recovery.dead_runs import recover
from sbf_core.runner.gold_stage import run_gold
from sbf_core.runner.options import RunOptions
from sbf_core.runner.planning import Planning
from sbf_core.runner.promote_stage import lack
from sbf_core.runner.publish_stage import publish_changed_tables, wants_copy
from sbf_core.runner.release_held import accept_held
from sbf_core.runner.remake_stage import RemakeStage, planned, without
from sbf_core.runner.run_end import closed_by, raise_lacking
from sbf_core.runner.run_plan import RunPlan
from sbf_core.runner.selection import ChosenWork, chosen_work
from sbf_core.runner.waves import in_waves
from sbf_core.runs.context import RunContext
from sbf_core.silver.stale import stale_tables
from sbf_core.silver.tables import renew_macros
from sbf_core.vocabulary import Drift, Layer

if TYPE_CHECKING:
    from sbf_core.runner.asked_questions import Asks
    from sbf_core.runner.fetch_due import FetchDue

#: A command that only reads holds the home for a moment; a run waits for that, and no longer.
WAIT_FOR_READERS_SECONDS = 1.0


class Runner:
    """One execution over a home: ``plan`` it, or ``run`` it.

    Every usage error is raised before anything is written.

    Args:
        home: the home.
        options: what was asked for.
        progress: told what goes on.
        config: another place for the database than the home says.
        lock: the caller's, who holds the home.
        publish: leave a copy for readers, as the settings say.
    """

    def __init__(
        self,
        home: Home,
        options: RunOptions | None = None,
        *,
        progress: Progress | None = None,
        config: DuckDbConfig | None = None,
        lock: HomeLock | None = None,
        publish: bool = True,
    ) -> None:
        self.home = home
        self._settings = home.settings
        self._options = options or RunOptions()
        self._clock = home.clock
        self._logger = home.logger
        self._config = config or home.config
        self._lock = lock
        self._publish: str = home.settings["run.publish"] if publish else "no"
        self._progress = RunProgress(progress)
        #: The run once it is closed, also where ``run`` then raises what the machine lacked.
        self.closed: RunContext | None = None
        self.overview: list[dict[str, Any]] = []
        self.gold_overview: list[dict[str, Any]] = []

    @cached_property
    def chosen(self) -> ChosenWork:
        """What the run works on. Raises ``UsageError`` where nothing is left, or what was asked for makes no sense."""
        return chosen_work(self.home, self._options)

    @property
    def fills_back(self) -> bool:
        """Whether vendors are asked for days that the user named, less those that came lately."""
        options = self._options
        return bool(options.since or options.until) and not options.force and not options.replay

    @cached_property
    def _planning(self) -> Planning:
        chosen = self.chosen
        return Planning(
            self._settings, self._options, clock=self._clock, manager=self.home.plugins, datasets=chosen.datasets,
            plugins=chosen.plugins, left_out=chosen.left_out, archive=chosen.archive, bronze=self._config.bronze,
        )  # fmt: skip

    @cached_property
    def _fetch_due(self) -> FetchDue:
        from sbf_core.runner.fetch_due import FetchDue  # a run with nothing due need not load what writes payloads

        return FetchDue(
            self.home, self._config, self.chosen.datasets, progress=self._progress, ask_anyway=self._options.force
        )

    # planning

    def plan(self) -> RunPlan:
        """What a run would do now. Writes nothing."""
        if not self._config.database.exists():
            limit = self._settings["universe.ticker_limit"]
            tickers = self._planning.universe.service(None).tickers(ticker_limit=limit)
            plan = self._planning.plan(None, None, tickers, "")
            more = self._planning.more_rows(plan, self.chosen.sources)
            plan = attrs.evolve(plan, notes=(*plan.notes, *map(str, self.chosen.faults), *more))
            return plan if self.chosen.archive is not None else plan.with_forecast(self._config.rates, {})
        bootstrap = DuckDbBootstrap(self._config, clock=self._clock, read_only=True).open(
            wait_seconds=self._settings["run.wait_seconds"]
        )
        try:
            universe = self._planning.universe.service(bootstrap)
            ops = OpsService.over(bootstrap, universe=universe, clock=self._clock)
            tickers = universe.tickers(ticker_limit=self._settings["universe.ticker_limit"])
            plan = self._planning.plan(ops, bootstrap, tickers, "")
            told = (*plan.notes, *map(str, (*self.chosen.faults, *plan.faults)), *self._remade(bootstrap))
            plan = attrs.evolve(plan, notes=(*told, *self._planning.more_rows(plan, self.chosen.sources)))
            is_replay = self.chosen.archive is not None
            return plan if is_replay else plan.with_forecast(self._config.rates, ops.answer_seconds())
        finally:
            bootstrap.close()

    @cached_property
    def asks(self) -> Asks:
        """Gives what a planned request asks, for readers; made only where somebody looks at it."""
        from sbf_core.runner.asked_questions import asked_questions  # a run shows none

        return partial(asked_questions, registry=self.home.registry, hooks=self.home.hooks())

    def _remade(self, bootstrap: DuckDbBootstrap) -> list[str]:
        """What the run would make again, before anything else."""
        if not self._options.remake or self._options.only not in (None, Layer.SILVER):
            return []
        return [
            planned(stale)
            for stale in stale_tables(
                bootstrap.cursor(), [owned.entry for owned in self.chosen.datasets], bronze=self._config.bronze
            )
        ]

    # running

    def run(self) -> RunContext:
        """Do it, and close the run whatever happens.

        Raises:
            HomeLocked, VersionRefused, EnvironmentFault, UsageError: see ``DuckDbBootstrap.open``.
            EnvironmentFault: the machine lacked something for some datasets, too; the others went on.
        """
        began = time.monotonic()
        self._planning.check()  # before anything is written
        hooks = self.home.hooks()
        try:
            with self.home.writing(
                config=self._config, lock=self._lock, wait_seconds=WAIT_FOR_READERS_SECONDS
            ) as database:
                self._warn_of_little_space()
                try:
                    context = self._run(database, hooks, began)
                finally:
                    hooks.close()
        finally:
            self._progress.end()
        with machine_faults(self._config.database):
            raise_lacking(context, self._logger)
        self._logger.info("Orchestration complete. Elapsed time: %.2f s", time.monotonic() - began)
        return context

    def _run(self, database: WrittenDatabase, hooks: HookCalls, began: float) -> RunContext:
        bootstrap, replaced = database.bootstrap, database.replaced
        universe = self._planning.universe.service(bootstrap)
        ops = OpsService.over(bootstrap, universe=universe, clock=self._clock, logger=self._logger)
        recovered = recover(ops, self._config, everything=bool(replaced), logger=self._logger)
        renew_macros(ops)
        universe.tickers()
        context = ops.start_run(ticker_limit=self._settings["universe.ticker_limit"])
        self._progress.begin(context, self._config.live, self._clock)
        fault_point("run.started")
        context.notes.extend([replaced] if replaced else [])
        context.failures.extend(self.chosen.faults)
        context.lacking.extend(self.chosen.lacking)
        context.failures.extend(
            Failure(kind=FailureKind.DAMAGE, what=damage, fix="run `sbf verify`") for damage in recovered.damages
        )
        with closed_by(ops, context):
            self._work(ops, bootstrap, hooks, context, began, notes=universe.notes)
        fault_point("run.finishing")
        ops.finish_run(context)
        fault_point("run.finished")
        changed = bool(context.rows_seen or context.gold_tables or context.remade_tables)
        is_behind = changed or not bootstrap.copy_had_all_rows  # a run before was stopped while it published
        if is_behind and wants_copy(self._config, how=self._publish, rows_changed=True):
            publish_changed_tables(ops, self._config, context.run_id, how=self._publish)
        if context.requests or context.rows_seen or context.gold_tables:
            self.overview, self.gold_overview = ops.run_overview(context.run_id)
        self.closed = context
        database.rows_changed = changed or bool(context.files)
        is_behind = is_behind or database.rows_changed
        if wants_copy(self._config, how=self._publish, rows_changed=is_behind):
            database.publish_as = context.run_id
        return context

    def _warn_of_little_space(self) -> None:
        free = shutil.disk_usage(self._config.home).free
        if free < FREE_BYTES_FLOOR:
            self._progress.note(f"only {free / 1024**2:,.0f} MiB are free at {self._config.home}")

    def _work(
        self,
        ops: OpsService,
        bootstrap: DuckDbBootstrap,
        hooks: HookCalls,
        context: RunContext,
        began: float,
        *,
        notes: Sequence[str],
    ) -> None:
        only = self._options.only
        drift = Drift(self._settings["run.drift"])
        remake = RemakeStage(ops, bootstrap, self._config, hooks, progress=self._progress, drift=drift)
        if self._options.accept:
            accept_held(ops, self._config, self.chosen.datasets)
        datasets = self.chosen.datasets
        if only in (None, Layer.SILVER):  # before it is planned: what a table holds says what to ask for
            datasets = without(datasets, remake.run(context, datasets, wait=not self._options.remake))
        left: Sequence[OwnedDataset] = datasets
        if only in (None, Layer.BRONZE) and self._options.fetch:
            left = self._ingest(ops, bootstrap, hooks, context, remake, datasets, notes)
            self._logger.info(
                "Ingestion complete. run_id=%s | elapsed_seconds=%.2f", context.run_id, time.monotonic() - began
            )
        if only in (None, Layer.SILVER):
            remake.promote(context, left, again=self._options.force)
            if only is None and self._options.fetch and self.chosen.archive is None and context.rows_updated:
                self._fetch_restated(ops, bootstrap, hooks, context, datasets, remake)
        if only in (None, Layer.GOLD):
            seconds = self._settings["gold.select_seconds_max"]
            run_gold(
                ops,
                self.home.plugins,
                context,
                self.chosen.plugins,
                force=self._options.force,
                progress=self._progress,
                hooks=hooks,
                select_seconds_max=seconds,
            )

    def _ingest(
        self,
        ops: OpsService,
        bootstrap: DuckDbBootstrap,
        hooks: HookCalls,
        context: RunContext,
        remake: RemakeStage,
        datasets: Sequence[OwnedDataset],
        notes: Sequence[str],
    ) -> Sequence[OwnedDataset]:
        """Fetch what is due; where a dataset is asked for each row of others, these are promoted before.

        Returns:
            Those of the datasets that are not promoted yet.
        """
        sources = self.chosen.sources if self._options.only is None else {}
        waves = in_waves(self.chosen.datasets, sources)
        for note in notes:
            self._progress.note(note)
        for number, wave in enumerate(waves):
            plan = self._planning.plan(
                ops, bootstrap, context.tickers, context.run_id, only_due=True, wave=wave, is_first=number == 0
            )
            for note in plan.notes:
                self._progress.note(note)
            context.failures.extend(plan.faults)
            for dataset_id, error in plan.lacking.items():
                lack(context, dataset_id, error)
            if plan.due:
                self._fetch_due.run(ops, hooks, context, plan.due, replay=self._planning.replay)
                self._planning.again_left -= sum(item.again for item in plan.due)
            if number < len(waves) - 1:
                ready = {owned.entry.id for owned in wave}
                remake.promote(context, [one for one in datasets if one.entry.id in ready], again=self._options.force)
                datasets = without(datasets, ready)
        return datasets

    def _fetch_restated(
        self,
        ops: OpsService,
        bootstrap: DuckDbBootstrap,
        hooks: HookCalls,
        context: RunContext,
        datasets: Sequence[OwnedDataset],
        remake: RemakeStage,
    ) -> None:
        """Series whose vendor restated their past, once more and from the first day: their rows are of two measures
        now.
        """
        if not ops.restated.marked():
            return
        planning = self._planning
        context.notes += planning.waiting(within_budget(ops.load_series_states(), planning.again_left)[1])
        plan = planning.plan(ops, bootstrap, context.tickers, context.run_id, only_due=True)
        due = [item for item in plan.due if item.again]
        if due:
            self._fetch_due.run(ops, hooks, context, due, replay=self._planning.replay)
            remake.promote(context, datasets)

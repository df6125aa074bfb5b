"""The runner: plan, fetch, promote, build, finish."""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Iterable, Sequence
from importlib.metadata import EntryPoint
from typing import Any

import attrs

from sbf_core.clock import Clock, clock_of_process
from sbf_core.duck.bootstrap import DuckDbBootstrap
from sbf_core.duck.config import DuckDbConfig
from sbf_core.duck.disk import FREE_BYTES_FLOOR, machine_faults
from sbf_core.duck.holder import HomeLock
from sbf_core.failures import Failure, FailureKind
from sbf_core.faults import fault_point
from sbf_core.ops.service import OpsService
from sbf_core.plan.planned import PlannedRequest
from sbf_core.plan.planner import within_budget
from sbf_core.plugin.hook_call import HookCalls
from sbf_core.plugin.installed import limits_of
from sbf_core.plugin.manager import PluginManager
from sbf_core.plugin.registry import DatasetRegistry, OwnedDataset
from sbf_core.runner.accept import accept_held
from sbf_core.runner.configured import check_sources, configured, with_ticker_names
from sbf_core.runner.gold_stage import run_gold
from sbf_core.runner.live_sessions import LiveSessions
from sbf_core.runner.options import RunOptions, isolation_of
from sbf_core.runner.planning import Planning
from sbf_core.runner.progress import Progress
from sbf_core.runner.publish_stage import publish_changed_tables, wants_copy
from sbf_core.runner.remake_stage import RemakeStage, planned, without
from sbf_core.runner.replay import archive_of
from sbf_core.runner.run_end import closed_by, raise_lacking
from sbf_core.runner.run_plan import RunPlan
from sbf_core.runner.run_progress import RunProgress
from sbf_core.runner.selection import check_something_is_left, selected_datasets, selected_plugins
from sbf_core.runner.sound import sound_datasets
from sbf_core.runs.context import RunContext
from sbf_core.settings.keys import Keys
from sbf_core.settings.settings import Settings
from sbf_core.silver.stale import stale_of_home
from sbf_core.trust.recovery import recover
from sbf_core.trust.replacing import open_replacing
from sbf_core.vocabulary import Drift, Layer

#: A command that only reads holds the home for a moment; a run waits for that, and no longer.
WAIT_FOR_READERS_SECONDS = 1.0


class Runner:
    """One execution over a home: ``plan`` it, or ``run`` it.

    Every usage error is raised before anything is written.

    Args:
        settings: of the home.
        options: what was asked for.
        clock: the present moment.
        progress: told what goes on.
        logger: told how a run ended.
        points: entry points of the plugins; those installed when absent.
        config: another place for the database than the home says.
        lock: the caller's, who holds the home.
        publish: leave a copy for readers, as the settings say.
    """

    def __init__(
        self,
        settings: Settings,
        options: RunOptions | None = None,
        *,
        clock: Clock | None = None,
        progress: Progress | None = None,
        logger: logging.Logger | None = None,
        manager: PluginManager | None = None,
        points: Iterable[EntryPoint] | None = None,
        config: DuckDbConfig | None = None,
        lock: HomeLock | None = None,
        publish: bool = True,
    ) -> None:
        self._lock = lock
        self._publish: str = settings["run.publish"] if publish else "no"
        self._settings = settings
        self._options = options or RunOptions()
        self._clock = clock or clock_of_process()
        self._progress = RunProgress(progress)
        self._logger = logger or logging.getLogger("sbf")
        self._config = config or settings.config
        self._options.check(self._clock.now().date())
        self.manager = manager or PluginManager(
            points, block=settings["plugins.block"], options=settings.options, limits=limits_of(settings)
        )
        self.registry = DatasetRegistry(self.manager)
        self._hooks = HookCalls(self.manager, isolation_of(settings, self.registry))
        self._archive = archive_of(self._options, self.manager)
        wanted = self._options.plugins or settings["run.plugins"] or None
        by = "--plugins" if self._options.plugins else settings.resolved["run.plugins"].origin
        self._faults: list[Failure] = []
        self._lacking: list[Exception] = []
        self.plugins = selected_plugins(
            self.manager, self.registry, wanted=wanted, wanted_by=by, excluded=self._options.exclude,
            archive=self._archive, faults=self._faults, lacking=self._lacking,
        )  # fmt: skip
        chosen = selected_datasets(self.registry.of(self.plugins), self._options.select)
        chosen = [owned for owned in chosen if not self._options.ids or owned.entry.id in self._options.ids]
        installed = list(self.registry.datasets.values())
        check_sources(settings.universes, known=installed, what="tickers", table="universe")
        chosen = with_ticker_names(chosen, settings.ticker_names, known=installed)
        named = wanted is not None or self._archive is not None
        self.datasets, self._left_out = (chosen, []) if named else configured(chosen, Keys(self._config.home))
        check_something_is_left(self.datasets, self._options.select, self._left_out)
        #: The run once it is closed, also where ``run`` then raises what the machine lacked.
        self.closed: RunContext | None = None
        self.overview: list[dict[str, Any]] = []
        self.gold_overview: list[dict[str, Any]] = []
        self.datasets = sound_datasets(self.datasets, self._faults)
        self._planning = Planning(
            settings, self._options, clock=self._clock, manager=self.manager, datasets=self.datasets,
            plugins=self.plugins, left_out=self._left_out, archive=self._archive, bronze=self._config.bronze,
        )  # fmt: skip

    # planning

    def plan(self) -> RunPlan:
        """What a run would do now. Writes nothing."""
        if not self._config.database.exists():
            limit = self._settings["universe.ticker_limit"]
            tickers = self._planning.universe.service(None).tickers(ticker_limit=limit)
            plan = self._planning.plan(None, None, tickers, "")
            plan = attrs.evolve(plan, notes=(*plan.notes, *map(str, self._faults)))
            return plan if self._archive is not None else plan.with_forecast(self._config.rates, {})
        bootstrap = DuckDbBootstrap(self._config, clock=self._clock, read_only=True).open(
            wait_seconds=self._settings["run.wait_seconds"]
        )
        try:
            universe = self._planning.universe.service(bootstrap)
            ops = OpsService.over(bootstrap, universe=universe, clock=self._clock)
            tickers = universe.tickers(ticker_limit=self._settings["universe.ticker_limit"])
            plan = self._planning.plan(ops, bootstrap, tickers, "")
            plan = attrs.evolve(plan, notes=(*plan.notes, *map(str, self._faults), *self._remade(bootstrap)))
            return plan if self._archive is not None else plan.with_forecast(self._config.rates, ops.answer_seconds())
        finally:
            bootstrap.close()

    def _remade(self, bootstrap: DuckDbBootstrap) -> list[str]:
        """What the run would make again, before anything else."""
        if not self._options.remake or self._options.only not in (None, Layer.SILVER):
            return []
        return [planned(stale) for stale in stale_of_home(bootstrap.cursor(), [owned.entry for owned in self.datasets])]

    # running

    def run(self) -> RunContext:
        """Do it, and close the run whatever happens.

        Raises:
            HomeLocked, VersionRefused, EnvironmentFault, UsageError: see ``DuckDbBootstrap.open``.
            EnvironmentFault: the machine lacked something for some datasets, too; the others went on.
        """
        began = time.monotonic()
        self._planning.check()  # before anything is written
        bootstrap = DuckDbBootstrap(self._config, clock=self._clock, logger=self._logger, lock=self._lock)
        with machine_faults(self._config.database):
            replaced = open_replacing(
                bootstrap,
                wait_seconds=self._settings["run.wait_seconds"] or WAIT_FOR_READERS_SECONDS,
                logger=self._logger,
            )
            self._warn_of_little_space()
            publish_as, changed = "", True
            try:
                context = self._run(bootstrap, began, replaced)
                changed = bool(context.files or context.rows_seen or context.gold_tables or context.remade_tables)
                is_behind = changed or not bootstrap.copy_had_all_rows
                publish_as = (
                    context.run_id if wants_copy(self._config, how=self._publish, rows_changed=is_behind) else ""
                )
            finally:
                self._hooks.close()
                bootstrap.close(publish_as=publish_as, rows_changed=changed)
                self._progress.end()
            raise_lacking(context, self._logger)
        self._logger.info("Orchestration complete. Elapsed time: %.2f s", time.monotonic() - began)
        return context

    def _run(self, bootstrap: DuckDbBootstrap, began: float, replaced: str) -> RunContext:
        universe = self._planning.universe.service(bootstrap)
        ops = OpsService.over(bootstrap, universe=universe, clock=self._clock, logger=self._logger)
        recovered = recover(ops, self._config, everything=bool(replaced), logger=self._logger)
        universe.tickers()
        context = ops.start_run(ticker_limit=self._settings["universe.ticker_limit"])
        self._progress.begin(context, self._config.live, self._clock)
        fault_point("run.started")
        context.notes.extend([replaced] if replaced else [])
        context.failures.extend(self._faults)
        context.lacking.extend(self._lacking)
        context.failures.extend(
            Failure(kind=FailureKind.DAMAGE, what=damage, fix="run `sbf verify`") for damage in recovered.damages
        )
        with closed_by(ops, context):
            self._work(ops, bootstrap, context, began, notes=universe.notes)
        fault_point("run.finishing")
        ops.finish_run(context)
        fault_point("run.finished")
        changed = context.rows_seen or context.gold_tables or context.remade_tables
        is_behind = changed or not bootstrap.copy_had_all_rows  # a run before was stopped while it published
        if is_behind and wants_copy(self._config, how=self._publish, rows_changed=True):
            publish_changed_tables(ops, self._config, context.run_id, how=self._publish)
        if context.requests or context.rows_seen or context.gold_tables:
            self.overview, self.gold_overview = ops.run_overview(context.run_id)
        self.closed = context
        return context

    def _warn_of_little_space(self) -> None:
        free = shutil.disk_usage(self._config.home).free
        if free < FREE_BYTES_FLOOR:
            self._progress.note(f"only {free / 1024**2:,.0f} MiB are free at {self._config.home}")

    def _work(
        self, ops: OpsService, bootstrap: DuckDbBootstrap, context: RunContext, began: float, *, notes: Sequence[str]
    ) -> None:
        only = self._options.only
        drift = Drift(self._settings["run.drift"])
        remake = RemakeStage(ops, bootstrap, self._config, self._hooks, progress=self._progress, drift=drift)
        if self._options.accept:
            accept_held(ops, self._config, self.datasets)
        datasets = self.datasets
        if only in (None, Layer.SILVER):  # before it is planned: what a table holds says what to ask for
            datasets = without(datasets, remake.run(context, datasets, wait=not self._options.remake))
        if only in (None, Layer.BRONZE) and self._options.fetch:
            plan = self._planning.plan(ops, bootstrap, context.tickers, context.run_id, only_due=True)
            for note in (*notes, *plan.notes):
                self._progress.note(note)
            if plan.due:
                self._fetch(ops, context, plan.due)
                self._planning.again_left -= sum(item.again for item in plan.due)
            self._logger.info(
                "Ingestion complete. run_id=%s | elapsed_seconds=%.2f", context.run_id, time.monotonic() - began
            )
        if only in (None, Layer.SILVER):
            remake.promote(context, datasets, again=self._options.force)
            if only is None and self._options.fetch and self._archive is None and context.rows_updated:
                self._fetch_restated(ops, bootstrap, context, datasets, remake)
        if only in (None, Layer.GOLD):
            seconds = self._settings["gold.select_seconds_max"]
            run_gold(
                ops,
                self.manager,
                context,
                self.plugins,
                force=self._options.force,
                progress=self._progress,
                hooks=self._hooks,
                select_seconds_max=seconds,
            )

    def _fetch_restated(
        self,
        ops: OpsService,
        bootstrap: DuckDbBootstrap,
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
            self._fetch(ops, context, due)
            remake.promote(context, datasets)

    def _fetch(self, ops: OpsService, context: RunContext, due: Sequence[PlannedRequest]) -> None:
        from sbf_core.bronze.file_writer import BronzeFileWriter  # a run with nothing due need not load them
        from sbf_core.runner.fetch_stage import FetchStage

        writer = BronzeFileWriter(self._config, logger=self._logger)
        live = (
            LiveSessions(
                ops, self._config, self._hooks, self.registry, due, ask_anyway=self._options.force, logger=self._logger
            )
            if self._archive is None
            else None
        )
        if live is not None:
            self._progress.limited(live.limits, self._config.rates)
        sessions = live if live is not None else self._planning.replay
        assert sessions is not None
        stage = FetchStage(
            ops, writer, self._hooks, self.registry, config=self._config, sessions=sessions,
            workers=self._settings["run.workers"], progress=self._progress,
        )  # fmt: skip
        try:
            stage.run(context, due, keep_unchanged=self._archive is not None)
            ops.restated.clear({item.request.key for item in due if item.again} & stage.whole)
        finally:
            writer.close()
            if live is not None:
                live.close()

"""``sbf rebuild DATASET``: some silver tables again, and what hangs on them, while the others stay as they are."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import attrs

from sbf_core.clock import Clock, clock_of_process
from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.duck.bootstrap import DuckDbBootstrap
from sbf_core.duck.disk import machine_faults
from sbf_core.ops.rows import BronzeManifestRow
from sbf_core.ops.service import OpsService
from sbf_core.plugin.hook_call import HookCalls
from sbf_core.plugin.installed import installed_plugins
from sbf_core.plugin.manager import PluginManager
from sbf_core.plugin.registry import DatasetRegistry
from sbf_core.runner.gold_stage import run_gold
from sbf_core.runner.options import isolation_of
from sbf_core.runner.progress import Progress
from sbf_core.runner.publish_stage import publish_changed_tables
from sbf_core.runner.remake_stage import RemakeStage
from sbf_core.runner.run_end import closed_by, raise_lacking
from sbf_core.runner.run_progress import RunProgress
from sbf_core.runs.context import RunContext
from sbf_core.settings.settings import Settings
from sbf_core.trust.recovery import recover
from sbf_core.trust.replacing import open_replacing
from sbf_core.vocabulary import Drift


@attrs.frozen(kw_only=True)
class TableCost:
    """A table that would be made again, and from how much.

    Attributes:
        dataset: its identity.
        table: the table, with its schema.
        payloads: how many payloads are read.
        byte_count: their size.
    """

    dataset: str
    table: str
    payloads: int
    byte_count: int


class TableRebuild:
    """Makes the tables of some datasets again, as one run.

    Args:
        settings: of the home.
        ids: the datasets; each is declared.
        gold: build every gold table again, although it has no new input.
        clock: the present moment.
        manager: the plugins.
        progress: told what goes on.
        logger: told how it ended.
    """

    def __init__(
        self,
        settings: Settings,
        ids: Sequence[str],
        *,
        gold: bool = False,
        clock: Clock | None = None,
        manager: PluginManager | None = None,
        progress: Progress | None = None,
        logger: logging.Logger | None = None,
    ) -> None:
        self._settings = settings
        self._config = settings.config
        self._clock = clock or clock_of_process()
        self._manager = manager or installed_plugins(settings)
        self._registry = DatasetRegistry(self._manager, whole=True)
        self._hooks = HookCalls(self._manager, isolation_of(settings, self._registry))
        self._progress = RunProgress(progress)
        self._logger = logger or logging.getLogger("sbf.rebuild")
        self._gold = gold
        self._datasets = [self._registry.datasets[name] for name in dict.fromkeys(ids)]

    def costs(self) -> list[TableCost]:
        """What ``run`` would make again. Writes nothing."""
        bootstrap = DuckDbBootstrap(self._config, clock=self._clock, read_only=True)
        bootstrap.open(wait_seconds=self._settings["run.wait_seconds"])
        try:
            manifest = OpsService.over(bootstrap, clock=self._clock).load_manifest_rows()
        finally:
            bootstrap.close()
        return [_cost(owned.entry, manifest) for owned in self._datasets if _rows_of(owned.entry, manifest)]

    def run(self, *, accept: bool) -> RunContext:
        """Make the tables again, and build the gold tables that have new input.

        Args:
            accept: whatever becomes of their rows; else a table that would lose some is held, as in a run.

        Raises:
            HomeLocked, VersionRefused, EnvironmentFault, UsageError: see ``DuckDbBootstrap.open``.
        """
        bootstrap = DuckDbBootstrap(self._config, clock=self._clock, logger=self._logger)
        publish_as = ""
        with machine_faults(self._config.database):
            replaced = open_replacing(bootstrap, wait_seconds=self._settings["run.wait_seconds"], logger=self._logger)
            try:
                ops = OpsService.over(bootstrap, clock=self._clock, logger=self._logger)
                recover(ops, self._config, everything=bool(replaced), logger=self._logger)
                context = ops.start_run(ticker_limit=0)
                self._progress.begin(context, self._config.live, self._clock)
                context.notes.extend([replaced] if replaced else [])
                with closed_by(ops, context):
                    self._work(ops, bootstrap, context, accept=accept)
                ops.finish_run(context)
                publish_as = context.run_id if self._settings["run.publish"] != "no" else ""
                if publish_as:
                    publish_changed_tables(ops, self._config, context.run_id, how=self._settings["run.publish"])
            finally:
                self._hooks.close()
                bootstrap.close(publish_as=publish_as)
                self._progress.end()
            raise_lacking(context, self._logger)
        return context

    def _work(self, ops: OpsService, bootstrap: DuckDbBootstrap, context: RunContext, *, accept: bool) -> None:
        drift = Drift(self._settings["run.drift"])
        remake = RemakeStage(ops, bootstrap, self._config, self._hooks, progress=self._progress, drift=drift)
        manifest = ops.load_manifest_rows()
        for owned in self._datasets:
            if _rows_of(owned.entry, manifest):
                remake.asked(context, owned, accept=accept)
        run_gold(
            ops, self._manager, context, self._manager.selected(None), force=self._gold, progress=self._progress,
            hooks=self._hooks, select_seconds_max=self._settings["gold.select_seconds_max"],
        )  # fmt: skip


def _rows_of(entry: DatasetKeymapEntry, manifest: Sequence[BronzeManifestRow]) -> list[BronzeManifestRow]:
    return [row for row in manifest if row.dataset_id in entry.ids]


def _cost(entry: DatasetKeymapEntry, manifest: Sequence[BronzeManifestRow]) -> TableCost:
    rows = _rows_of(entry, manifest)
    size = sum(row.content_length_bytes for row in rows)
    return TableCost(dataset=entry.id, table=f"silver.{entry.silver_table}", payloads=len(rows), byte_count=size)

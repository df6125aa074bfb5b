"""``sbf rebuild DATASET``: some silver tables again, and what hangs on them, while the others stay as they are."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.duck.bootstrap import DuckDbBootstrap
from sbf_core.duck.disk import machine_faults
from sbf_core.fetching.progress import Progress
from sbf_core.fetching.run_progress import RunProgress
from sbf_core.gold.tables import table_exists
from sbf_core.home.home import Home, WrittenDatabase
from sbf_core.ops.rows import BronzeManifestRow
from sbf_core.ops.service import OpsService
from sbf_core.plugin.hook_call import HookCalls
from sbf_core.plugin.registry import OwnedDataset
from sbf_core.recovery.dead_runs import recover
from sbf_core.runner.gold_stage import run_gold
from sbf_core.runner.publish_stage import publish_changed_tables
from sbf_core.runner.remake_stage import RemakeStage
from sbf_core.runner.run_end import closed_by, raise_lacking
from sbf_core.runs.context import RunContext
from sbf_core.value import Value
from sbf_core.vocabulary import Drift


@attrs.frozen(kw_only=True)
class TableCost(Value):
    """A table that would be made again, and from how much.

    Attributes:
        dataset: its identity; empty for a gold table, which is built from others.
        table: the table, with its schema.
        payloads: how many payloads are read; None for a gold table.
        byte_count: their size; None for a gold table.
    """

    table: str
    dataset: str = ""
    payloads: int | None = None
    byte_count: int | None = None


class TableRebuild:
    """Makes the tables of some datasets again, as one run.

    Args:
        home: the home.
        ids: the datasets; each is declared.
        gold: build every gold table again, although it has no new input.
        progress: told what goes on.
    """

    def __init__(
        self,
        home: Home,
        ids: Sequence[str],
        *,
        gold: bool = False,
        progress: Progress | None = None,
    ) -> None:
        self._home = home
        self._settings = home.settings
        self._config = home.config
        self._clock = home.clock
        self._progress = RunProgress(progress)
        self._logger = home.logger
        self._gold = gold
        self._ids = tuple(dict.fromkeys(ids))

    @property
    def _datasets(self) -> list[OwnedDataset]:
        return [self._home.registry.datasets[name] for name in self._ids]

    def costs(self) -> list[TableCost]:
        """What ``run`` would make again. Writes nothing."""
        self._home.registry.check_whole()
        bootstrap = DuckDbBootstrap(self._config, clock=self._clock, read_only=True)
        bootstrap.open(wait_seconds=self._settings["run.wait_seconds"])
        try:
            manifest = OpsService.over(bootstrap, clock=self._clock).load_manifest_rows()
            cursor = bootstrap.cursor()
            models = self._home.gold_models(cursor).models if self._gold else ()
            built = [model.name for model in models if table_exists(cursor, f"gold.{model.name}")]
        finally:
            bootstrap.close()
        silver = [_cost(owned.entry, manifest) for owned in self._datasets if _rows_of(owned.entry, manifest)]
        return silver + [TableCost(table=f"gold.{name}") for name in built]

    def run(self, *, accept: bool) -> RunContext:
        """Make the tables again, and build the gold tables that have new input.

        Args:
            accept: whatever becomes of their rows; else a table that would lose some is held, as in a run.

        Raises:
            HomeLocked, VersionRefused, EnvironmentFault, UsageError: see ``DuckDbBootstrap.open``.
        """
        self._home.registry.check_whole()
        hooks = self._home.hooks()
        try:
            with self._home.writing() as database:
                try:
                    context = self._run(database, hooks, accept=accept)
                finally:
                    hooks.close()
        finally:
            self._progress.end()
        with machine_faults(self._config.database):
            raise_lacking(context, self._logger)
        return context

    def _run(self, database: WrittenDatabase, hooks: HookCalls, *, accept: bool) -> RunContext:
        ops = OpsService.over(database.bootstrap, clock=self._clock, logger=self._logger)
        recover(ops, self._config, everything=bool(database.replaced), logger=self._logger)
        context = ops.start_run(ticker_limit=0)
        self._progress.begin(context, self._config.live, self._clock)
        context.notes.extend([database.replaced] if database.replaced else [])
        with closed_by(ops, context):
            self._work(ops, database.bootstrap, hooks, context, accept=accept)
        ops.finish_run(context)
        how = self._settings["run.publish"]
        if how != "no":
            database.publish_as = context.run_id
            publish_changed_tables(ops, self._config, context.run_id, how=how)
        return context

    def _work(
        self, ops: OpsService, bootstrap: DuckDbBootstrap, hooks: HookCalls, context: RunContext, *, accept: bool
    ) -> None:
        drift = Drift(self._settings["run.drift"])
        remake = RemakeStage(ops, bootstrap, self._config, hooks, progress=self._progress, drift=drift)
        manifest = ops.load_manifest_rows()
        plugins = self._home.plugins
        for owned in self._datasets:
            if _rows_of(owned.entry, manifest):
                remake.asked(context, owned, accept=accept)
        run_gold(
            ops, plugins, context, plugins.selected(None), force=self._gold, progress=self._progress, hooks=hooks,
            select_seconds_max=self._settings["gold.select_seconds_max"],
        )  # fmt: skip


def _rows_of(entry: DatasetKeymapEntry, manifest: Sequence[BronzeManifestRow]) -> list[BronzeManifestRow]:
    return [row for row in manifest if row.dataset_id in entry.payload_ids]


def _cost(entry: DatasetKeymapEntry, manifest: Sequence[BronzeManifestRow]) -> TableCost:
    rows = _rows_of(entry, manifest)
    size = sum(row.content_length_bytes for row in rows)
    return TableCost(dataset=entry.id, table=f"silver.{entry.silver_table}", payloads=len(rows), byte_count=size)

"""Silver to Gold: ask the plugins for models, build what has new input."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sbf_core.errors import DatasetFailure, EnvironmentFault, UsageError
from sbf_core.failures import Failure, FailureKind, failure_of
from sbf_core.fetching.run_progress import RunProgress
from sbf_core.gold.build import SELECT_SECONDS_MAX, GoldBuild
from sbf_core.gold.model import GoldModel
from sbf_core.ops.service import OpsService
from sbf_core.plugin.hook_call import HookCalls
from sbf_core.plugin.manager import PluginManager
from sbf_core.plugin.record import PluginRecord
from sbf_core.plugin.watch import watched
from sbf_core.runs.context import RunContext
from sbf_core.vocabulary import WorkStatus

_OTHERS = "the others are built; mend it, and go on with `sbf run --only gold`"
_SAFE = "gold is as it was; go on with `sbf run --only gold`"


def gold_models(
    ops: OpsService,
    manager: PluginManager,
    plugins: Sequence[PluginRecord],
    failures: list[Failure],
    *,
    hooks: HookCalls | None = None,
    owners: dict[str, list[str]] | None = None,
    versions: Mapping[str, str] | None = None,
    lacking: list[Exception] | None = None,
) -> list[GoldModel]:
    """The models of some plugins, over the sources that are there.

    Args:
        ops: the ledger.
        manager: calls the plugins.
        plugins: which.
        failures: what goes wrong with a plugin is added.
        hooks: calls ``build_gold`` in a process of the plugin's own where the settings want one; None: here.
        owners: who brings each table is added.
        versions: of the tables that are there, as ``OpsService.load_table_versions`` gives them; asked for if None.
        lacking: what the machine lacked for a plugin is added; None: it is raised.
    """
    models: list[GoldModel] = []
    for record in plugins:
        if not manager.has(record, "build_gold"):
            continue
        try:
            with watched(ops.cursor, where=f"gold models, plugin {record.label}, hook build_gold"):
                built, wrong = (hooks or HookCalls(manager)).build_gold(record, safe=_SAFE)
            failures.extend(
                Failure(kind=FailureKind.PLUGIN, what=f"plugin {record.label}: {text}", fix=_OTHERS) for text in wrong
            )
            models.extend(built)
            if owners is not None:
                for model in built:
                    owners.setdefault(model.name, []).append(f"plugin {record.label}")
        except EnvironmentFault as error:
            if lacking is None:
                raise
            lacking.append(error)
            failures.append(failure_of(error))
        except (DatasetFailure, UsageError) as error:
            failures.append(failure_of(error))
    if any(model.sources for model in models):
        filled = (ops.load_table_versions(ops.cursor()) if versions is None else versions).keys()
        models = [model.over(filled) for model in models]
    return models


def run_gold(
    ops: OpsService,
    manager: PluginManager,
    context: RunContext,
    plugins: Sequence[PluginRecord],
    *,
    force: bool,
    progress: RunProgress,
    hooks: HookCalls | None = None,
    select_seconds_max: float = SELECT_SECONDS_MAX,
) -> None:
    """Build the gold tables of some plugins; counts go to ``context``. A table that fails does not stop the others.

    Args:
        ops: the ledger.
        manager: the plugins.
        context: the run.
        plugins: which.
        force: build tables whose inputs have not changed, too.
        progress: told what goes on.
        hooks: see ``gold_models``.
        select_seconds_max: see ``GoldBuild``.
    """
    owners: dict[str, list[str]] = {}
    versions = ops.load_table_versions(ops.cursor())
    models = gold_models(
        ops, manager, plugins, context.failures, hooks=hooks, owners=owners, versions=versions, lacking=context.lacking
    )
    if not models:
        return
    progress.start("gold", len(models))
    build = GoldBuild(ops, run_id=context.run_id, force=force, select_seconds_max=select_seconds_max)
    outcomes = build.build(models, owners=owners, versions=versions, done=progress.advance)
    context.lacking.extend(build.lacking)
    waiting = [outcome for outcome in outcomes if outcome.is_half]  # of others nothing is there: nobody wants them
    if waiting and (context.rows_seen or context.gold_tables):
        progress.note(f"gold tables {', '.join(outcome.table for outcome in waiting)} wait: {waiting[0].note}")
    for outcome in outcomes:
        if outcome.status is WorkStatus.OK:
            context.gold_tables += 1
        elif outcome.status is WorkStatus.FAILED:
            kind = outcome.kind or FailureKind.GOLD
            context.failures.append(Failure(kind=kind, what=outcome.note, table=f"gold.{outcome.table}"))
    progress.finish()

"""Silver to Gold: ask the plugins for models, build what has new input."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sbf_core.errors import DatasetFailure, UsageError
from sbf_core.gold.build import NOT_THERE, GoldBuild
from sbf_core.gold.model import GoldModel
from sbf_core.ops.service import OpsService
from sbf_core.plugin.manager import PluginManager, PluginRecord
from sbf_core.plugin.watch import watched
from sbf_core.runner.run_progress import RunProgress
from sbf_core.runs.context import RunContext
from sbf_core.vocabulary import WorkStatus

_OTHERS = "the others are built; mend it, and go on with `sbf run --only gold`"
_SAFE = "gold is as it was; go on with `sbf run --only gold`"


def gold_models(
    ops: OpsService,
    manager: PluginManager,
    plugins: Sequence[PluginRecord],
    errors: list[str],
    *,
    owners: dict[str, list[str]] | None = None,
    versions: Mapping[str, str] | None = None,
) -> list[GoldModel]:
    """The models of some plugins, over the sources that are there.

    Args:
        ops: the ledger.
        manager: calls the plugins.
        plugins: which.
        errors: what goes wrong with a plugin is added.
        owners: who brings each table is added.
        versions: of the tables that are there, as ``OpsService.load_table_versions`` gives them; asked for if None.
    """
    models: list[GoldModel] = []
    for record in plugins:
        if not manager.has(record, "build_gold"):
            continue
        try:
            with watched(ops.cursor, where=f"gold models, plugin {record.label}, hook build_gold"):
                answer = manager.call(record, "build_gold", doing="gold models", safe=_SAFE, options=record.options)
            found, wrong = sorted_out(answer)
            errors.extend(f"plugin {record.label}: {text}; {_OTHERS}" for text in wrong)
            models.extend(found)
            if owners is not None:
                for model in found:
                    owners.setdefault(model.name, []).append(f"plugin {record.label}")
        except (DatasetFailure, UsageError) as error:
            errors.append(str(error))
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
) -> None:
    """Build the gold tables of some plugins; counts go to ``context``. A table that fails does not stop the others."""
    owners: dict[str, list[str]] = {}
    versions = ops.load_table_versions(ops.cursor())
    models = gold_models(ops, manager, plugins, context.errors, owners=owners, versions=versions)
    if not models:
        return
    progress.start("gold", len(models))
    build = GoldBuild(ops, run_id=context.run_id, force=force)
    outcomes = build.build(models, owners=owners, versions=versions, done=progress.advance)
    waiting = [outcome for outcome in outcomes if outcome.note.endswith(NOT_THERE)]
    if waiting and (context.rows_seen or context.gold_tables):
        progress.note(f"gold tables {', '.join(outcome.table for outcome in waiting)} wait: {waiting[0].note}")
    for outcome in outcomes:
        if outcome.status is WorkStatus.OK:
            context.gold_tables += 1
        elif outcome.status is WorkStatus.FAILED:
            context.errors.append(f"gold.{outcome.table}: {outcome.note}")
    progress.finish()


def sorted_out(answer: object) -> tuple[list[GoldModel], list[str]]:
    """The models in what the hook ``build_gold`` answered, and what is wrong with the rest."""
    given = list(answer) if isinstance(answer, (list, tuple)) else [answer]
    wrong = [
        f"build_gold answered {type(one).__name__} instead of GoldModel"
        + (f" at place {place} of {len(given)}" if len(given) > 1 else "")
        for place, one in enumerate(given, start=1)
        if not isinstance(one, GoldModel)
    ]
    return [model for model in given if isinstance(model, GoldModel)], wrong

"""Silver to Gold: ask the plugins for models, build what has new input."""

from __future__ import annotations

from collections.abc import Sequence

from sbf_core.errors import DatasetFailure, UsageError
from sbf_core.gold.build import NOT_THERE, GoldBuild
from sbf_core.gold.model import GoldModel
from sbf_core.ops.service import OpsService
from sbf_core.plugin.manager import PluginManager, PluginRecord
from sbf_core.plugin.watch import watched
from sbf_core.runner.run_progress import RunProgress
from sbf_core.runs.context import RunContext
from sbf_core.vocabulary import WorkStatus

_SAFE = "gold is as it was; go on with `sbf run --only gold`"


def gold_models(ops: OpsService, manager: PluginManager, plugins: Sequence[PluginRecord], errors: list[str]) -> list[GoldModel]:
    """The models of some plugins, over the sources that are there; what goes wrong with a plugin is added to ``errors``."""
    models: list[GoldModel] = []
    for record in plugins:
        if not manager.has(record, "build_gold"):
            continue
        try:
            with watched(ops.cursor, where=f"gold models, plugin {record.label}, hook build_gold"):
                answer = manager.call(record, "build_gold", doing="gold models", safe=_SAFE, options=record.options)
            models.extend(_checked(answer, record))
        except (DatasetFailure, UsageError) as error:
            errors.append(str(error))
    if any(model.sources for model in models):
        filled = ops.load_table_versions(ops.cursor()).keys()
        models = [model.over(filled) for model in models]
    return models


def run_gold(
    ops: OpsService, manager: PluginManager, context: RunContext, plugins: Sequence[PluginRecord], *, force: bool, progress: RunProgress
) -> None:
    """Build the gold tables of some plugins; counts go to ``context``. A table that fails does not stop the others."""
    models = gold_models(ops, manager, plugins, context.errors)
    if not models:
        return
    progress.start("gold", len(models))
    try:
        outcomes = GoldBuild(ops, run_id=context.run_id, force=force).build(models, done=progress.advance)
    except UsageError as error:
        context.errors.append(str(error))
        progress.finish()
        return
    waiting = [outcome for outcome in outcomes if outcome.note.endswith(NOT_THERE)]
    if waiting and (context.rows_seen or context.gold_tables):
        progress.note(f"gold tables {', '.join(outcome.table for outcome in waiting)} wait: {waiting[0].note}")
    for outcome in outcomes:
        if outcome.status is WorkStatus.OK:
            context.gold_tables += 1
        elif outcome.status is WorkStatus.FAILED:
            context.errors.append(f"gold.{outcome.table}: {outcome.note}")
    progress.finish()


def _checked(answer: object, record: PluginRecord) -> list[GoldModel]:
    models = list(answer) if isinstance(answer, (list, tuple)) else [answer]
    wrong = next((model for model in models if not isinstance(model, GoldModel)), None)
    if wrong is not None:
        raise DatasetFailure(f"build_gold answered {type(wrong).__name__} instead of GoldModel", where=f"plugin {record.label}", fix=_SAFE)
    return [model for model in models if isinstance(model, GoldModel)]

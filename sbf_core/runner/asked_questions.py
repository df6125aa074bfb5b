"""What planned requests ask, for readers: by the recipe of their dataset, or by a hook, which alone knows."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sbf_core.errors import SbfError
from sbf_core.http.shown_questions import ShownQuestion, shown_questions
from sbf_core.plan.planned import PlannedRequest
from sbf_core.plugin.hook_call import HookCalls
from sbf_core.plugin.registry import DatasetRegistry

#: Gives what a planned request asks.
Asks = Callable[[PlannedRequest], Iterator[ShownQuestion]]


def asked_questions(item: PlannedRequest, registry: DatasetRegistry, hooks: HookCalls) -> Iterator[ShownQuestion]:
    """What a planned request asks, with all its steps, in their order."""
    owned = registry.get(item.entry.id)
    if owned is not None and hooks.has(owned, "fetch"):
        yield ShownQuestion(method="HOOK", address=f"what the hook fetch of plugin {owned.plugin.label} asks")
        return
    for step in item.steps:
        try:
            yield from shown_questions(item.entry, step)
        except SbfError as error:
            yield ShownQuestion(method="NONE", address=f"it cannot be asked: {error.what}")

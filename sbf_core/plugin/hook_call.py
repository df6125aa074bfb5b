"""The hooks that a run asks, in this process or in one of the plugin's own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.dataset.fingerprint import format_facts
from sbf_core.errors import DatasetFailure, EnvironmentFault, PluginFault, UsageError
from sbf_core.gold.answer import as_values, sorted_out
from sbf_core.gold.model import GoldModel
from sbf_core.http.session import FetchSession
from sbf_core.plugin.limits import Isolation
from sbf_core.plugin.manager import PluginManager, placed
from sbf_core.plugin.record import PluginRecord
from sbf_core.plugin.registry import OwnedDataset
from sbf_core.runs.request import RunRequest
from sbf_core.silver.reading import PromotionBatch, PromotionPlan, SelectRows, WrittenRows

if TYPE_CHECKING:
    from sbf_core.plugin.isolation import IsolatedPlugin


class HookCalls:
    """Calls ``fetch``, ``promote`` and ``build_gold`` of plugins.

    Args:
        manager: the plugins.
        isolation: which of them get a process of their own.
    """

    def __init__(self, manager: PluginManager, isolation: Isolation | None = None) -> None:
        self._manager = manager
        self._isolation = isolation or Isolation(which="none")
        self._isolated: dict[str, IsolatedPlugin] = {}
        self._lock = threading.Lock()

    def has(self, owned: OwnedDataset, hook: str) -> bool:
        """Whether the plugin of a dataset implements a hook."""
        return self._manager.has(owned.plugin, hook)

    def runs_here(self, owned: OwnedDataset, hook: str) -> bool:
        """Whether a hook of the plugin of a dataset is called in this process."""
        return self.has(owned, hook) and not self._isolation.applies_to(owned.plugin)

    def fetch(self, owned: OwnedDataset, request: RunRequest, session: FetchSession, *, safe: str) -> Any:
        """What the hook ``fetch`` answers. Raises what ``PluginManager.call`` raises."""
        doing = f"dataset {request.key}"
        if self.runs_here(owned, "fetch"):
            return self._manager.call(
                owned.plugin, "fetch", doing=doing, safe=safe, entry=owned.entry, request=request, http=session
            )
        return self._ask(
            owned.plugin, ("fetch", owned.entry.id, request), "fetch", doing=doing, safe=safe, session=session
        )[1]

    def promote(self, owned: OwnedDataset, batch: PromotionBatch, *, staging: Path, safe: str) -> PromotionPlan | None:
        """What the hook ``promote`` answers, None for "as declared"; a plugin of its own process has written its rows
        by then.
        """
        doing = f"dataset {owned.entry.id}"
        if self.runs_here(owned, "promote"):
            plan: PromotionPlan | None = self._manager.call(
                owned.plugin, "promote", doing=doing, safe=safe, may_be_none=True, entry=owned.entry, batch=batch
            )
            return plan
        target = staging / "parsed.ndjson"
        question = ("promote", owned.entry.id, batch.files, batch.extension, str(target), _how_read(owned.entry))
        kind, content = self._ask(
            owned.plugin, question, "promote", doing=doing, safe=safe, answers={"fields": batch.describe}
        )
        if kind == "declared":
            return None
        if kind == "select":
            return SelectRows(content)
        if kind == "parsed":
            return WrittenRows(path=target, errors=content)
        raise PluginFault(
            f"promote answered {content}",
            where=f"{doing}, plugin {owned.plugin.label}",
            fix="answer SelectRows(...) or ParseRows(...)",
        )

    def build_gold(self, record: PluginRecord, *, safe: str) -> tuple[list[GoldModel], list[str]]:
        """The models that the hook ``build_gold`` answers, and what is wrong with the rest of its answer.

        Models from a process of the plugin's own have no charts.
        """
        doing = "gold models"
        if not self._isolation.applies_to(record):
            options = record.options
            return sorted_out(self._manager.call(record, "build_gold", doing=doing, safe=safe, options=options))
        _, models, wrong = self._ask(record, ("build_gold",), "build_gold", doing=doing, safe=safe)
        return [as_values(model) for model in models], list(wrong)

    def _ask(
        self,
        record: PluginRecord,
        question: tuple[Any, ...],
        hook: str,
        *,
        doing: str,
        safe: str,
        session: FetchSession | None = None,
        answers: Mapping[str, Callable[[], Any]] | None = None,
    ) -> tuple[Any, ...]:
        from sbf_core.plugin.isolation import IsolatedPlugin  # only plugins with such hooks pay for it

        with self._lock:
            isolated = self._isolated.setdefault(record.name, IsolatedPlugin(record, self._isolation))
        try:
            return isolated.ask(question, session, answers or {})
        except (DatasetFailure, UsageError, EnvironmentFault) as error:
            raise placed(error, record, hook, doing=doing, safe=safe) from error

    def close(self) -> None:
        """End the processes of the plugins."""
        for isolated in self._isolated.values():
            isolated.close()
        self._isolated.clear()


def _how_read(entry: DatasetKeymapEntry) -> dict[str, Any]:
    """How the payloads of another dataset are, which the process of a plugin may not know; nothing of its own."""
    if not entry.payloads_of:
        return {}
    form = None if entry.format is None else format_facts(entry.format)
    return {"scope": str(entry.scope), "member": entry.member, "format": form}

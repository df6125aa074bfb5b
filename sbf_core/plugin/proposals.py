"""Plugins that propose datasets: found by the entry-point group ``sbf.proposals``, asked only where one is named."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from sbf_core import signals
from sbf_core.dataset.proposed import ProposedDataset
from sbf_core.errors import PluginFault, SbfError, UsageError, nearest, raised_at, said_by
from sbf_core.plugin.guard import HookLimits, bounded
from sbf_core.plugin.patterns import is_blocked
from sbf_core.plugin.record import PluginRecord

GROUP = "sbf.proposals"
_USUAL_LIMITS = HookLimits()


def proposers() -> dict[str, EntryPoint]:
    """The plugins that propose datasets, by their names; none of them is imported.

    Raises:
        UsageError: two packages bring one of the same name.
    """
    found: dict[str, EntryPoint] = {}
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        other = found.setdefault(point.name, point)
        packages = [PluginRecord(name=point.name, point=one).distribution for one in (other, point)]
        if packages[0] != packages[1]:
            what = f"two packages propose datasets as {point.name!r}: {' and '.join(packages)}"
            raise UsageError(what, fix="uninstall one", code="PLUGIN")
    return found


def proposed(
    name: str, text: str, *, options: Mapping[str, Any], today: dt.date, block: Sequence[str] = (),
    limits: HookLimits = _USUAL_LIMITS,
) -> ProposedDataset:  # fmt: skip
    """What one plugin proposes for a text.

    Args:
        name: of the plugin.
        text: what is wanted, as the plugin has it, e.g. ``ECB/EXR``.
        options: what the settings say to the plugin.
        today: for what begins some time ago.
        block: plugins that must not be loaded, as in the settings.
        limits: how long its import and its answer may take.

    Raises:
        UsageError: there is no such plugin, it is blocked, or it refuses the text and says what to write.
        PluginFault: it raised something else, or gave something else than a ``ProposedDataset``.
    """
    known = proposers()
    if name not in known:
        fix = nearest(name, known) or f"plugins that propose datasets: {', '.join(known) or 'none is installed'}"
        raise UsageError(f"no plugin {name!r} proposes datasets", fix=fix, code="UNKNOWN_PLUGIN")
    if is_blocked(PluginRecord(name=name, point=known[name]), block):
        raise UsageError(f"plugin {name!r} is blocked in the settings", fix="unblock it: plugins.block", code="PLUGIN")

    def ask() -> Any:
        function: Callable[..., Any] = known[name].load()
        return function(text, options=options, today=today)

    try:
        answer = bounded(
            ask, owner=name, what="its proposal", seconds_max=limits.answer_seconds_max, fix="mend or uninstall it"
        )
    except SbfError:
        raise
    except BaseException as error:  # a plugin may raise anything
        if signals.is_from_user(error):
            raise
        told = "; ".join(part for part in (said_by(error), raised_at(error)) if part)
        raise PluginFault(told, where=f"plugin {name}, its proposal", fix="nothing was written") from error
    if not isinstance(answer, ProposedDataset):
        what = f"its proposal is {type(answer).__name__}, and no ProposedDataset"
        raise PluginFault(what, where=f"plugin {name}", fix="nothing was written")
    return answer

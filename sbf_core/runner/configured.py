"""What a run does that names no plugins: all that is configured, and a word on what is not."""

from __future__ import annotations

from collections.abc import Sequence

from sbf_core.plugin.registry import OwnedDataset
from sbf_core.settings.keys import Keys


def configured(datasets: Sequence[OwnedDataset], keys: Keys) -> tuple[list[OwnedDataset], list[str]]:
    """The datasets whose keys are there and that need not be asked for by name, and notes on the others.

    Args:
        datasets: of all installed plugins.
        keys: the keys of the home. One that is set in a wrong way counts as set, so that its fault is told.
    """
    kept, lacking, unasked = [], {}, []
    for owned in datasets:
        missing = [name for name in owned.entry.key_names if not keys.is_set(name)]
        if owned.entry.opt_in:
            unasked.append(owned.plugin.name)
        elif missing:
            lacking[owned.plugin.name] = missing[0]
        else:
            kept.append(owned)
    notes = []
    if lacking:
        told = ", ".join(f"{plugin} ({name})" for plugin, name in lacking.items())
        notes.append(f"left out, because their keys are not set: {told}")
    if unasked:
        notes.append(f"left out, because they must be named with --plugins: {', '.join(dict.fromkeys(unasked))}")
    return kept, notes

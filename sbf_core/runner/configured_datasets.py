"""What a run does that names no plugins: all that is configured, and a word on what is not; and what the user says of
tickers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import attrs

from sbf_core.dataset.recipe import RestRecipe
from sbf_core.errors import UsageError, nearest
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
        missing = "" if owned.entry.reads else _missing(owned.entry.key_sets, keys)
        if owned.entry.opt_in:
            unasked.append(owned.plugin.name)
        elif missing:
            lacking[owned.plugin.name] = missing
        else:
            kept.append(owned)
    notes = []
    if lacking:
        told = ", ".join(f"{plugin} ({name})" for plugin, name in lacking.items())
        notes.append(f"left out, because their keys are not set: {told}")
    if unasked:
        named = ", ".join(dict.fromkeys(unasked))
        notes.append(f"left out, because they must be named with --plugins: {named}")
    return kept, notes


def _missing(key_sets: Sequence[Sequence[str]], keys: Keys) -> str:
    """The first key that is lacking, where no account has all of its own; else an empty text."""
    missing = [next((name for name in names if not keys.is_set(name)), "") for names in key_sets]
    return missing[0] if all(missing) and missing else ""


def check_sources(named: Iterable[str], *, known: Sequence[OwnedDataset], what: str, table: str) -> None:
    """Raise ``UsageError`` for a table of the settings, such as ``[tickers.SOURCE]``, of a source that there is not."""
    sources = sorted({owned.entry.source for owned in known})
    stray = next((source for source in named if source not in sources), None)
    if stray is not None:
        fix = nearest(stray, sources) or f"sources: {', '.join(sources)}"
        message = f"there are {what} for {stray!r}, and no such source"
        raise UsageError(message, where=f"[{table}.{stray}]", fix=fix, code="SETTING")


def with_ticker_names(
    datasets: Sequence[OwnedDataset], names: Mapping[str, Mapping[str, str]], *, known: Sequence[OwnedDataset]
) -> list[OwnedDataset]:
    """The datasets with the user's names of tickers in their recipes.

    Args:
        datasets: of the run.
        names: by source: the universe's ticker to the source's.
        known: all that are installed.

    Raises:
        UsageError: there is no such source.
    """
    check_sources(names, known=known, what="names of tickers", table="tickers")
    return [_named(owned, names.get(owned.entry.source)) for owned in datasets]


def _named(owned: OwnedDataset, names: Mapping[str, str] | None) -> OwnedDataset:
    recipe = owned.entry.recipe
    if not names or not isinstance(recipe, RestRecipe):
        return owned
    return attrs.evolve(
        owned,
        entry=attrs.evolve(owned.entry, recipe=attrs.evolve(recipe, ticker_names={**recipe.ticker_names, **names})),
    )

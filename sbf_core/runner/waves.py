"""Datasets in waves: one that is asked for each row of a query comes after those whose silver the query reads."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from graphlib import TopologicalSorter

from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.errors import UsageError
from sbf_core.plugin.registry import OwnedDataset


def row_sources(entry: DatasetKeymapEntry, installed: Mapping[str, DatasetKeymapEntry]) -> frozenset[str]:
    """The identities of all datasets that must be there before a dataset can be asked: those that its query reads,
    those that their queries read, and so on; of one that reads another's payloads that one, too.

    Args:
        entry: a dataset with ``for_each``.
        installed: every dataset by its silver table.

    Raises:
        UsageError: a query is none, see ``sources_of``, or the datasets wait for each other in a circle.
    """
    from sbf_core.plan.row_queries import sources_of  # few runs have such a dataset, and it loads the engine

    by_id = {one.id: one for one in installed.values()}
    read: dict[str, frozenset[str]] = {}
    waiting = [entry]
    while waiting:
        one = waiting.pop()
        if one.id in read:
            continue
        sources = sources_of(one, installed)
        read[one.id] = sources | {owner for name in sources for owner in by_id[name].payloads_of if owner in by_id}
        waiting += [by_id[name] for name in read[one.id] if by_id[name].for_each is not None]
    reached: set[str] = set()
    fresh = set(read[entry.id])
    while fresh:
        reached |= fresh
        fresh = {name for one in fresh for name in read.get(one, ())} - reached
    if entry.id in reached:
        circle = ", ".join(sorted(name for name in reached if name in read))
        raise UsageError(
            f"for_each reads what is asked for each of its own rows: {circle} wait for each other",
            where=f"dataset {entry.id}",
            fix="let one of them read another table",
            code="FOR_EACH",
        )
    return frozenset(reached)


def in_waves(datasets: Sequence[OwnedDataset], sources: Mapping[str, frozenset[str]]) -> list[list[OwnedDataset]]:
    """The datasets of a run so that each comes in a later wave than those that it reads; in their order within each.

    One that reads another's payloads comes with that one, which brings them.
    """
    ids = {owned.entry.id for owned in datasets}
    comes_with = {owned.entry.id: _fetching(owned, ids) for owned in datasets}
    fetching = set(comes_with.values())
    sorter = TopologicalSorter({name: sources.get(name, frozenset()) & fetching for name in fetching})
    sorter.prepare()
    waves = []
    while sorter.is_active():
        names = set(sorter.get_ready())
        waves.append([owned for owned in datasets if comes_with[owned.entry.id] in names])
        sorter.done(*names)
    return waves or [[]]


def _fetching(owned: OwnedDataset, ids: Collection[str]) -> str:
    """The dataset of a run that brings the payloads of one; itself where none does."""
    return next((name for name in owned.entry.payloads_of if name in ids), owned.entry.id)

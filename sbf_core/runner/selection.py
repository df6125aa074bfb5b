"""What a run works on: which plugins, and which of their datasets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase

import attrs

from sbf_core.bronze.archive import BronzeArchive
from sbf_core.dataset_id import DatasetId
from sbf_core.duck.engine_errors import kind_of_fault
from sbf_core.errors import UsageError, nearest
from sbf_core.failures import Failure, FailureKind
from sbf_core.fetching.replay import archive_of
from sbf_core.home.home import Home
from sbf_core.plugin.manager import PluginManager
from sbf_core.plugin.patterns import chosen_by, is_pattern, matches
from sbf_core.plugin.record import PluginRecord
from sbf_core.plugin.registry import DatasetRegistry, OwnedDataset
from sbf_core.runner.configured_datasets import check_sources, configured, with_ticker_names
from sbf_core.runner.dataset_checks import sound_datasets
from sbf_core.runner.options import RunOptions
from sbf_core.value import Value


@attrs.frozen(kw_only=True)
class ChosenWork(Value):
    """What a run works on.

    Attributes:
        plugins: those that were named, and those that only build gold from what others fill.
        datasets: those of them that can be asked for.
        left_out: notes on datasets that are not configured.
        archive: the recording that answers in the vendors' place; None: vendors are asked.
        sources: of each dataset that is asked for each row of a query, the datasets whose silver the query reads.
        faults: why plugins and datasets are left out.
        lacking: what the machine lacked for them.
    """

    plugins: list[PluginRecord]
    datasets: list[OwnedDataset]
    left_out: list[str]
    archive: BronzeArchive | None
    sources: Mapping[str, frozenset[str]]
    faults: list[Failure]
    lacking: list[Exception]


_FORMS = "write PLUGIN:DATASET, DOMAIN/SOURCE/DATASET or tag:TAG, each with * if you like; several with commas"


def chosen_work(home: Home, options: RunOptions) -> ChosenWork:
    """What a run over a home works on.

    Raises:
        UsageError: the options make no sense together, mean nothing that is there, or nothing is left.
    """
    options.check(home.clock.now().date())
    settings, manager = home.settings, home.plugins
    wanted = options.plugins or settings["run.plugins"] or None
    home.wake(wanted or ())
    archive = archive_of(options.replay, manager, plugins=options.plugins, until=options.replay_until)
    home.wake(() if archive is None else {DatasetId.parse(name).source for name in archive.dataset_ids})
    registry = home.registry
    home.learn_keys()
    by = "--plugins" if options.plugins else settings.resolved["run.plugins"].origin
    faults: list[Failure] = []
    lacking: list[Exception] = []
    plugins = selected_plugins(
        manager, registry, wanted=wanted, wanted_by=by, excluded=options.exclude, archive=archive, faults=faults,
        lacking=lacking,
    )  # fmt: skip
    chosen = selected_datasets(registry.of(plugins), options.select)
    chosen = [owned for owned in chosen if not options.ids or owned.entry.id in options.ids]
    installed = list(registry.datasets.values())
    check_sources(settings.universes, known=installed, what="tickers", table="universe")
    chosen = with_ticker_names(chosen, settings.ticker_names, known=installed)
    is_named = wanted is not None or archive is not None
    datasets, left_out = (chosen, []) if is_named else configured(chosen, home.keys)
    check_something_is_left(datasets, options.select, left_out)
    asks = options.fetch and archive is None
    faults += registry.unread_of(plugins)
    datasets, sources = sound_datasets(datasets, faults, installed=installed if asks else None)
    left_out = [*left_out, *(_readers_alone(datasets) if asks else ())]
    left_out += _without_datasets(manager, registry, plugins) if wanted is not None else ()
    return ChosenWork(
        plugins=plugins,
        datasets=datasets,
        left_out=left_out,
        archive=archive,
        sources=sources,
        faults=faults,
        lacking=lacking,
    )


def _without_datasets(manager: PluginManager, registry: DatasetRegistry, plugins: Sequence[PluginRecord]) -> list[str]:
    """Notes on plugins that were named, and declare nothing unless they are told what."""
    empty = [one for one in plugins if manager.has(one, "datasets") and one.loaded and not registry.of([one])]
    return [
        f"{one.name} declares no dataset: [options.{one.name}] in sbf.toml says which it has, see its README"
        for one in empty
        if not any(owned.plugin is one for owned, _ in registry.unread.values())
    ]


def _readers_alone(datasets: Sequence[OwnedDataset]) -> list[str]:
    """Notes on datasets that read payloads which this run does not fetch."""
    asked = {owned.entry.id for owned in datasets}
    alone = [owned.entry for owned in datasets if owned.entry.reads and owned.entry.payload_ids[0] not in asked]
    return [f"{entry.id} reads what is there: {entry.payload_ids[0]} is not part of this run" for entry in alone]


def selected_plugins(
    manager: PluginManager,
    registry: DatasetRegistry,
    *,
    wanted: Sequence[str] | None,
    wanted_by: str,
    excluded: Sequence[str],
    archive: BronzeArchive | None,
    faults: list[Failure],
    lacking: list[Exception],
) -> list[PluginRecord]:
    """The plugins of a run, and those that only build gold from what others fill: they run whenever one of the others
    does.

    Args:
        manager: all that are installed.
        registry: whose datasets are whose.
        wanted: names, packages or patterns; None for all, or for those that a recording holds something of.
        wanted_by: who wants them, e.g. ``--plugins``.
        excluded: names, packages or patterns that are left out.
        archive: the recording that is replayed.
        faults: why plugins are left out that cannot be used is added; they cost no other plugin.
        lacking: what the machine lacked for them is added.

    Raises:
        UsageError: one of them means no plugin that is installed, or nothing sound is left.
    """
    names = None if wanted is None else [name for pattern in wanted for name in _meant(manager, pattern, wanted_by)]
    if names is None and archive is not None:
        held = archive.dataset_ids
        owned_by = registry.datasets.values()
        names = [owned.plugin.name for owned in owned_by if held.intersection(owned.entry.payload_ids)]
        if not names:
            raise UsageError(
                "no installed plugin knows what this recording holds", where=str(archive.folder), code="REPLAY"
            )
    out = {name for pattern in excluded for name in chosen_by(pattern, manager.records.values(), what="--exclude")}
    names = _sound(manager, names, out=out, is_replay=archive is not None, faults=faults, lacking=lacking)
    chosen = [record for record in manager.selected(names) if record.name not in out]
    if not chosen:
        raise UsageError(
            "no plugin is left",
            where="--exclude " + ",".join(excluded) if excluded else "",
            fix="see `sbf plugins list`",
            code="UNKNOWN_PLUGIN",
        )
    downstream = (
        record
        for record in manager.selected(None)
        if manager.has(record, "build_gold") and not manager.has(record, "datasets")
    )
    return [*chosen, *(record for record in downstream if record not in chosen and record.name not in out)]


def _sound(
    manager: PluginManager,
    names: list[str] | None,
    *,
    out: set[str],
    is_replay: bool,
    faults: list[Failure],
    lacking: list[Exception],
) -> list[str] | None:
    """The names without those of plugins that are not loaded, unless none would be left:
    then it is told of them alone.
    """
    refused = [] if is_replay else [name for name, record in manager.records.items() if record.state == "refused"]
    wanted = refused if names is None else names  # who names none wants all but those that are blocked
    broken = [name for name in wanted if name in manager.records and not manager.records[name].loaded]
    left = [name for name in names or () if name not in broken]
    if names is not None and not left:
        return names
    for name in dict.fromkeys(name for name in broken if name not in out):
        record = manager.records[name]
        lacking.extend([record.lacked] if record.lacked is not None else [])
        fix = record.way_on if record.lacked is None else "run again once that is mended"
        kind = FailureKind.PLUGIN if record.lacked is None else kind_of_fault(record.lacked)
        what = f"plugin {record.label} is {record.state}: {record.reason}"
        faults.append(Failure(kind=kind, what=what, fix=f"{fix}; the others go on"))
    return None if names is None else left


def _meant(manager: PluginManager, pattern: str, wanted_by: str) -> list[str]:
    """What is meant by a word: a pattern means only plugins that work,
    a name may mean one that does not and is told.
    """
    names = chosen_by(pattern, manager.records.values(), what=wanted_by)
    if not is_pattern(pattern):
        return names
    loaded = [name for name in names if manager.records[name].loaded]
    return loaded or names


def selected_datasets(datasets: Sequence[OwnedDataset], terms: Sequence[str]) -> list[OwnedDataset]:
    """The datasets that one of the terms means; all where there are none.

    Args:
        datasets: of the plugins of a run.
        terms: ``PLUGIN:DATASET``, ``DOMAIN/SOURCE/DATASET`` or ``tag:TAG``, with patterns.

    Raises:
        UsageError: a term is none of these, or means no dataset.
    """
    if not terms:
        return list(datasets)
    chosen_ids: set[str] = set()
    for term in terms:
        meant = {owned.entry.id for owned in datasets if _means(term, owned)}
        if not meant:
            known = [f"{owned.plugin.name}:{owned.entry.dataset}" for owned in datasets]
            name = term.partition(":")[2]
            tags = sorted({tag for owned in datasets for tag in owned.entry.tags})
            hint = nearest(name, tags) if term.startswith("tag:") else nearest(term, known)
            there = hint or (f"tags: {', '.join(tags) or 'none'}" if term.startswith("tag:") else "see `sbf datasets`")
            raise UsageError(f"no dataset is {term!r}", where="--select", fix=there, code="SELECT")
        chosen_ids |= meant
    return [owned for owned in datasets if owned.entry.id in chosen_ids]


def _means(term: str, owned: OwnedDataset) -> bool:
    kind, colon, name = term.partition(":")
    if kind == "tag" and colon:
        return any(fnmatchcase(tag, name) for tag in owned.entry.tags)
    if colon:
        entry = owned.entry
        full = f"{entry.dataset}@{entry.discriminator}" if entry.discriminator else entry.dataset
        return matches(owned.plugin, kind) and (fnmatchcase(entry.dataset, name) or fnmatchcase(full, name))
    if "/" in term:
        return fnmatchcase(owned.entry.id, term)
    raise UsageError(f"{term!r} selects nothing", where="--select", fix=_FORMS, code="SELECT")


def check_something_is_left(datasets: Sequence[OwnedDataset], terms: Sequence[str], notes: Sequence[str]) -> None:
    """Raise ``UsageError`` where terms name datasets, and each of them is left out for a reason that ``notes`` tell."""
    if terms and not datasets:
        raise UsageError(
            "none of the selected datasets can be run",
            where=f"--select {','.join(terms)}",
            fix="; ".join(notes),
            code="SELECT",
        )

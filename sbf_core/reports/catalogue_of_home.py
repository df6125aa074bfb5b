"""What a home could know: the datasets of all installed plugins, be they asleep, and what these offer beyond."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs

from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.failures import Failure, FailureKind
from sbf_core.home.home import Home
from sbf_core.plugin.offer import Offer, VendorSearch
from sbf_core.plugin.offers import Offered, offers_of
from sbf_core.plugin.patterns import chosen_by, matches
from sbf_core.plugin.record import PluginRecord
from sbf_core.plugin.registry import OwnedDataset
from sbf_core.reports.catalogue import Item, State
from sbf_core.reports.how_to_have import HowTo, how_to_have, is_had, lacking_keys
from sbf_core.settings.keys import Keys
from sbf_core.value import Value


@attrs.frozen(kw_only=True)
class Catalogue(Value):
    """All that can be found.

    Attributes:
        home: the home with all plugins awake.
        items: datasets and offers.
        searches: vendors that can be asked for more, by name.
        faults: why plugins are left out.
    """

    home: Home
    items: Sequence[Item]
    searches: Mapping[str, tuple[PluginRecord, VendorSearch]]
    faults: Sequence[Failure]

    def with_answers(self, found: Sequence[Offered], faults: Sequence[Failure]) -> Catalogue:
        """The catalogue with what vendors answered, and without what was offered in their place until now."""
        fresh = as_items(found, self.items)
        answered = {(item.plugin.name, item.id) for item in fresh if not _asks(item)}
        kept = [item for item in self.items if not (_asks(item) and (item.plugin.name, item.id) in answered)]
        known = [(item.plugin.name, item.id, _options(item)) for item in kept]
        named = {each[:2] for each in known}
        new = [
            item
            for item in fresh
            if (item.plugin.name, item.id) not in named
            or not (_asks(item) or (item.plugin.name, item.id, _options(item)) in known)
        ]
        return attrs.evolve(self, items=[*kept, *new], faults=[*self.faults, *faults])

    def how(self, item: Item) -> HowTo:
        """How to have one of them."""
        return how_to_have(item, self.home.plugins, self.home.keys)


def catalogue_of(home: Home, words: str = "", *, named: Sequence[str] | None = None) -> Catalogue:
    """The catalogue of a home; no vendor is asked, and the home itself is left as it is.

    Args:
        home: the home.
        words: what is looked for; a plugin may offer something for it.
        named: only plugins of these names, or patterns; all when absent.

    Raises:
        UsageError: there is no plugin of a name, or two contradict each other; see ``DatasetRegistry``.
    """
    awake = home.awake()
    records = awake.plugins.records
    usual = frozenset(home.settings["run.plugins"] or ())
    names = None
    if named is not None:
        names = [name for word in named for name in chosen_by(word, records.values(), what="--plugins")]
    chosen = awake.plugins.selected(names)
    datasets = [
        Item(plugin=one.plugin, state=_state(one, usual, home.keys), what=one.entry)
        for one in awake.registry.of(chosen)
    ]
    given = offers_of(awake.plugins, chosen, words)
    items = [*datasets, *as_items(given.offers, datasets)]
    return Catalogue(home=awake, items=items, searches=given.searches, faults=[*given.faults, *_refused(awake)])


def _asks(item: Item) -> bool:
    """Whether it says whom to ask how it can be had."""
    return isinstance(item.what, Offer) and bool(item.what.asked_by)


def _options(item: Item) -> dict[str, object]:
    return dict(item.what.options) if isinstance(item.what, Offer) else {}


def as_items(offers: Sequence[Offered], known: Sequence[Item]) -> list[Item]:
    """Offers as items. What the settings have taken up stands as the datasets of its plugin do; what is a dataset of
    its own by then is one of ``known``.
    """
    states: dict[str, State] = {}
    names: set[tuple[str, str]] = set()
    for item in known:
        if isinstance(item.what, DatasetKeymapEntry):
            states.setdefault(item.plugin.name, item.state)
            names |= {(item.plugin.name, item.what.id), (item.plugin.name, item.what.dataset)}
    items = []
    for one in offers:
        plugin = one.plugin
        is_there = plugin.name in states and is_had(plugin.options, one.offer)
        if not is_there:
            items.append(Item(plugin=plugin, state=State.OFFERED, what=one.offer))
        elif (plugin.name, one.offer.id) not in names:
            items.append(Item(plugin=plugin, state=states[plugin.name], what=one.offer))
    return items


def _refused(home: Home) -> list[Failure]:
    """Why plugins are left out that could not be loaded, or do not say what they have."""
    return [
        Failure(kind=FailureKind.DECLARATION, what=record.reason, where=f"plugin {record.label}", fix=record.way_on)
        for record in home.plugins.records.values()
        if record.state == "refused"
    ]


def _state(owned: OwnedDataset, usual: frozenset[str], keys: Keys) -> State:
    record = owned.plugin
    is_awake = not record.wants_name or bool(record.options)
    if not any(matches(record, each) for each in usual) and (owned.entry.opt_in or not is_awake):
        return State.NAMED
    return State.KEYED if not owned.entry.reads and lacking_keys([owned.entry], keys) else State.READY

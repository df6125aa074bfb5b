"""``sbf datasets --search``: what was found, how to have it, and what to try where nothing was."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sbf_core.cli.render import print_json, print_table, say, tell
from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.errors import printable
from sbf_core.plugin.offer import Offer
from sbf_core.reports.catalogue import Found, Item, State, Wanted, advice, search
from sbf_core.reports.catalogue_of_home import Catalogue
from sbf_core.reports.catalogue_words import advice_lines, how_text, terms_of
from sbf_core.secret import redacted
from sbf_core.shell_words import typed

#: Of so many offers the lines are shown: they fill a screen.
_LINES_SHOWN = 3
_PLACES_SHOWN = 2


def show_found(catalogue: Catalogue, wanted: Wanted, *, limit: int, as_json: bool) -> None:
    """All that was found, the best first, ``limit`` at most."""
    found = search(catalogue.items, wanted)
    shown = found[:limit]
    if as_json:
        numbered = list(enumerate(shown, start=1))
        print_json(
            "datasets",
            datasets=[
                {"place": place, **dataset_json(one.item.what, one.item.plugin.name), **_found_json(catalogue, one)}
                for place, one in numbered
                if isinstance(one.item.what, DatasetKeymapEntry)
            ],
            offers=[
                {"place": place, **_offer_json(one.item.what, one.item.plugin.name), **_found_json(catalogue, one)}
                for place, one in numbered
                if isinstance(one.item.what, Offer)
            ],
            total=len(found),
            can_be_asked=sorted(catalogue.searches),
            faults=[fault.as_dict() for fault in catalogue.faults],
        )
        return
    for fault in catalogue.faults:
        tell(f"sbf: note: left out: {fault}")
    if not found:
        _advise(catalogue, wanted)
        return
    print_table(
        ("dataset", "plugin", "state", "title", "region", "frequency", "cost", "found in"),
        [
            (
                one.item.id, one.item.plugin.name, one.item.state, one.item.title, *one.item.what.about.values(),
                ", ".join(one.places[:_PLACES_SHOWN]),
            )
            for one in shown
        ],
    )  # fmt: skip
    if len(found) > len(shown):
        print(f"\nThe first {len(shown)} of {len(found):,}; --limit shows more.")
    _show_how(catalogue, [one.item for one in shown])
    show_terms((one.item.plugin.name, one.item.id, terms_of(one.item.what)) for one in shown)
    _show_searches(catalogue)


def _show_how(catalogue: Catalogue, items: Sequence[Item]) -> None:
    """What to write and to type for what a plain run does not fetch."""
    named = list(dict.fromkeys(item.plugin.name for item in items if item.state is State.NAMED))
    if named:
        print()
        say(f"{State.NAMED}: `sbf run --plugins {','.join(named)}`, or name it in run.plugins of sbf.toml")
    keyed = [item for item in items if item.state is State.KEYED]
    wanted = dict.fromkeys(key for item in keyed for key in catalogue.how(item).keys)
    if wanted:
        print()
        say(f"{State.KEYED}: set {', '.join(wanted)} in the environment, or in secrets.toml of the home")
    offers = [item for item in items if item.state is State.OFFERED]
    for item in offers[:_LINES_SHOWN]:
        how = catalogue.how(item)
        print()
        say(printable(f"{item.id}: {how_text(how)}"))
        for line in how.lines:
            print(redacted(f"    {line}"))  # a vendor may repeat a key
    if len(offers) > _LINES_SHOWN:
        print()
        another = typed(offers[_LINES_SHOWN].id)
        say(printable(f"Lines for another that is {State.OFFERED}: `sbf datasets --search {another}`"))


def _advise(catalogue: Catalogue, wanted: Wanted) -> None:
    tell("sbf: note: nothing in the catalogue is as you say" if not wanted.words.strip() else _nowhere(wanted))
    tried = advice(catalogue.items, wanted)
    for line in advice_lines(tried, wanted):
        tell(f"sbf: note: {line}")
    _show_searches(catalogue)


def _nowhere(wanted: Wanted) -> str:
    return f"sbf: note: in no dataset stand all of these words: {wanted.words}"


def _show_searches(catalogue: Catalogue) -> None:
    """Who could be asked for more."""
    if catalogue.searches:
        tell(f"sbf: note: vendors that can be asked, with --ask: {', '.join(sorted(catalogue.searches))}")


def show_terms(of: Iterable[tuple[str, str, str]]) -> None:
    """Terms, each once, with the plugins or datasets that have them.

    Args:
        of: plugin, identity and terms of each dataset.
    """
    given = [each for each in of if each[2]]
    plugins: dict[str, set[str]] = {}
    for plugin, _, terms in given:
        plugins.setdefault(plugin, set()).add(terms)
    by_terms: dict[str, list[str]] = {}
    for plugin, name, terms in given:
        by_terms.setdefault(terms, []).append(plugin if len(plugins[plugin]) == 1 else name)
    if by_terms:
        lines = (f"{', '.join(dict.fromkeys(names))}: {terms}" for terms, names in by_terms.items())
        print("", *lines, sep="\n")


def dataset_json(entry: DatasetKeymapEntry, plugin: str) -> dict[str, Any]:
    """A dataset for a program."""
    return {
        "dataset": entry.id, "plugin": plugin, "scope": entry.scope, "semantics": entry.semantics,
        "silver_table": entry.silver_table, "key": entry.key_columns, "title": entry.title, "terms": entry.terms,
        "source_url": entry.source_url, "region": entry.region, "frequency": entry.frequency, "cost": entry.cost,
        "tags": entry.tags, "reads": entry.reads,
        "columns": [
            {
                "name": column.name, "type": column.type, "nullable": column.nullable,
                "unit": column.unit, "doc": column.doc,
            }
            for column in entry.columns
        ],
    }  # fmt: skip


def _offer_json(offer: Offer, plugin: str) -> dict[str, Any]:
    return {
        "id": offer.id, "plugin": plugin, "title": offer.title, "words": offer.words, "terms": offer.terms,
        "source_url": offer.source_url, "region": offer.region, "frequency": offer.frequency, "cost": offer.cost,
    }  # fmt: skip


def _found_json(catalogue: Catalogue, one: Found) -> dict[str, Any]:
    how = catalogue.how(one.item)
    return {
        "state": one.item.state, "found_in": one.places, "lines": how.lines, "replaces": how.replaces,
        "keys": how.keys, "command": how.command, "note": how.note,
        "fault": None if how.fault is None else how.fault.as_dict(),
    }  # fmt: skip

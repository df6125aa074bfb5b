"""Vendors asked for what they have: with their own limits and keys, and nothing of the answer is kept.

A list of flows is no data: nobody would ask for it as of a day, and it is out of date with the next one. What is kept
is the count of requests, in the same file as that of runs, so that both together stay within a vendor's limits.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from sbf_core.dataset.columns import Column
from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.errors import PluginFault, SbfError, UsageError, nearest, said_by
from sbf_core.failures import Failure, FailureKind, failure_of
from sbf_core.home.home import Home
from sbf_core.http.recipe_walk import fetch_by_recipe
from sbf_core.plugin.guard import bounded
from sbf_core.plugin.installed import limits_of
from sbf_core.plugin.offer import Offer, VendorSearch
from sbf_core.plugin.offers import Offered, checked_offers
from sbf_core.plugin.record import PluginRecord
from sbf_core.runs.request import RunRequest
from sbf_core.vocabulary import Scope

if TYPE_CHECKING:
    from sbf_core.http.live import LiveSession

Searches = Mapping[str, tuple[PluginRecord, VendorSearch]]
_AT_ONCE = 8
_LINE = (Column(name="line", type="VARCHAR", key=True),)


def chosen_searches(searches: Searches, names: Sequence[str]) -> list[tuple[PluginRecord, VendorSearch]]:
    """The searches that somebody names: by their names, or all of a plugin by its.

    Raises:
        UsageError: there is none of a name; it says which there are.
    """
    chosen: dict[str, tuple[PluginRecord, VendorSearch]] = {}
    for name in names:
        found = {key: one for key, one in searches.items() if name in (key, one[0].name)}
        if not found:
            what = f"there is no vendor {name!r} that can be asked what it has"
            known = sorted({*searches, *(record.name for record, _ in searches.values())})
            fix = nearest(name, known) or (f"use some of {', '.join(known)}" if known else "leave --ask out")
            raise UsageError(what, where="--ask", fix=fix, code="FILTER")
        chosen |= found
    return list(chosen.values())


def ask_vendors(
    home: Home, chosen: Sequence[tuple[PluginRecord, VendorSearch]], words: str
) -> tuple[list[Offered], list[Failure]]:
    """What vendors have for some words, several asked at once, and why some gave no answer.

    Args:
        home: its keys and limits hold.
        chosen: whom to ask.
        words: what is looked for.
    """
    from sbf_core.http.live import LiveSession  # 0.14 s that only this pays

    if chosen and not words.strip():
        raise UsageError("a vendor is asked for words", where="--ask", fix="add --search WORDS", code="FILTER")
    home.keys.learn(sorted({name for _, one in chosen for names in one.recipe.key_sets for name in names}))
    rates = home.config.rates if home.folder.is_dir() else None
    with tempfile.TemporaryDirectory() as folder:
        live = LiveSession(home.clock, files=Path(folder), keys=home.keys, rates=rates)
        try:
            with ThreadPoolExecutor(_AT_ONCE) as pool:
                answers = list(pool.map(lambda each: _answer(live, each[1], words), chosen))
        finally:
            live.close()
    found: list[Offered] = []
    faults: list[Failure] = []
    for (record, search), answer in zip(chosen, answers, strict=True):
        try:
            if isinstance(answer, Failure):
                faults.append(answer)
            else:
                found += [Offered(offer=offer, plugin=record) for offer in _read(home, record, search, answer, words)]
        except SbfError as error:
            faults.append(failure_of(error))
    return found, faults


def _answer(live: LiveSession, search: VendorSearch, words: str) -> list[bytes] | Failure:
    """The payloads of all pages of an answer, or why there is none."""
    from sbf_core.http.vendor_session import VendorSession

    entry = _entry_of(search)
    request = RunRequest(
        run_id="catalogue", domain=entry.domain, source=entry.source, dataset=entry.dataset,
        ticker=words if entry.scope is Scope.PER_TICKER else None,
    )  # fmt: skip
    try:
        results = fetch_by_recipe(entry, request, VendorSession(live, entry, as_declared=False))
    except SbfError as error:
        return attrs.evolve(failure_of(error), where=f"{search.name}: {error.where}".rstrip(": "))
    failed = next((one for one in results if not one.ok), None)
    if failed is None:
        return [one.payload for one in results if one.payload]
    kind = failed.kind if isinstance(failed.kind, FailureKind) else FailureKind.OTHER
    return Failure(kind=kind, what=failed.error or "gave no answer", where=f"{search.name}: {failed.address}")


def _entry_of(search: VendorSearch) -> DatasetKeymapEntry:
    """A search as a dataset, which is what can be asked for."""
    is_asked_words = "ticker" in search.recipe.named
    return DatasetKeymapEntry(
        domain="catalogue",
        source=search.name,
        dataset="search",
        silver_table="search",
        scope="per_ticker" if is_asked_words else "global",
        columns=_LINE,
        recipe=search.recipe,
        is_data=search.is_data,
    )


def _read(
    home: Home, record: PluginRecord, search: VendorSearch, payloads: Sequence[bytes], words: str
) -> Iterator[Offer]:
    """The offers in an answer. Raises ``PayloadRefused`` or ``PluginFault``."""
    where = f"plugin {record.label}, search {search.name}"
    for payload in payloads:
        limit = limits_of(home.settings).answer_seconds_max
        try:
            given = bounded(
                partial(search.read, payload), owner=record.name, what=f"reading the answer of {search.name}",
                seconds_max=limit, fix="raise plugins.answer_seconds_max if it needs longer",
            )  # fmt: skip
        except SbfError as error:
            place = ", ".join(part for part in (error.where, where) if part)
            raise type(error)(error.what, where=place, fix=error.fix, code=error.code) from error
        except Exception as error:  # a plugin may raise anything
            raise PluginFault(said_by(error), where=where) from error
        for offer in checked_offers(given, where=where):
            if isinstance(offer, Offer):
                yield attrs.evolve(offer, words=f"{offer.words} {words}") if search.judges else offer

"""The catalogue: what is installed and what plugins could fetch, found by words, region, frequency, price and terms."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from typing import Any

import attrs

from sbf_core.dataset.about import About, Cost, Frequency
from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.dataset.regions import WORLD, code_of, covers, groups, names, spellings
from sbf_core.errors import UsageError, nearest
from sbf_core.plugin.offer import Offer
from sbf_core.plugin.record import PluginRecord
from sbf_core.reports.search_words import Asked, asked_of, similar, stems_of
from sbf_core.value import Value

#: Places of a text by what they say of it. A word in a title counts more than one in the doc of a column.
_TITLE, _NAME, _TAGS, _ABOUT, _MORE, _LAST = range(6)


class State(StrEnum):
    """What it takes to have something."""

    #: A plain ``sbf run`` fetches it.
    READY = "ready"
    #: It would, if a key were set.
    KEYED = "wants key"
    #: A run fetches it where its plugin is named.
    NAMED = "when named"
    #: The settings have to say so first.
    OFFERED = "offered"


@attrs.frozen(kw_only=True)
class Item(Value):
    """Something that can be found: a dataset, or an offer of a plugin."""

    plugin: PluginRecord
    state: State
    what: DatasetKeymapEntry | Offer

    @property
    def id(self) -> str:
        """The identity of the dataset, or the vendor's name of what is offered."""
        return self.what.id

    @property
    def title(self) -> str:
        """What it is."""
        return self.what.title


@attrs.frozen(kw_only=True)
class Wanted(Value):
    """What is looked for; what is empty is left open.

    Attributes:
        words: each has to be found.
        regions: codes; what lies in one of them, or covers one, is found, too.
        frequencies, costs: one of them.
        terms: words that the terms of use have.
    """

    words: str = ""
    regions: tuple[str, ...] = ()
    frequencies: tuple[Frequency, ...] = ()
    costs: tuple[Cost, ...] = ()
    terms: str = ""

    @property
    def is_open(self) -> bool:
        """Whether nothing is looked for."""
        return not (self.words.strip() or self.regions or self.frequencies or self.costs or self.terms.strip())


@attrs.frozen(kw_only=True)
class Found(Value):
    """What was found, and where.

    Attributes:
        item: it.
        places: where the words stand, what says most of it first, e.g. ``title`` or ``column yield_10y``.
    """

    item: Item
    places: tuple[str, ...]


def wanted_of(
    words: str, *, region: Sequence[str] = (), frequency: Sequence[str] = (), cost: Sequence[str] = (), terms: str = ""
) -> Wanted:
    """What somebody looks for. Hyphens and blanks are one, and a region may be written by its name.

    Raises:
        UsageError: there is no such region, frequency or price; it says which there are.
    """
    return Wanted(
        words=words,
        regions=tuple(dict.fromkeys(_region(each) for each in region if each.strip())),
        frequencies=tuple(Frequency(_word(each, list(Frequency), "--frequency")) for each in frequency if each.strip()),
        costs=tuple(Cost(_word(each, list(Cost), "--cost")) for each in cost if each.strip()),
        terms=terms,
    )


def _region(text: str) -> str:
    code = code_of(text)
    if not code:
        known = f"write a code of ISO 3166, or {', '.join(name for name in names() if not name.isupper())}, EU or EZ"
        what = f"there is no region {text.strip()!r}"
        raise UsageError(what, where="--region", fix=nearest(text.casefold(), spellings()) or known, code="FILTER")
    return code


def _word(text: str, known: Sequence[str], option: str) -> str:
    plain = " ".join(text.casefold().replace("-", " ").split())
    found = next((word for word in known if word.replace("-", " ") == plain), "")
    if not found:
        hint = nearest(plain, known) or f"use {', '.join(known[:-1])} or {known[-1]}"
        raise UsageError(f"there is no {option[2:]} {text.strip()!r}", where=option, fix=hint, code="FILTER")
    return found


def search(items: Iterable[Item], wanted: Wanted) -> list[Found]:
    """What fits: nearest to the region first, then by where the words stand, then by identity."""
    asked, terms = asked_of(wanted.words), asked_of(wanted.terms)
    found: list[tuple[Any, Found]] = []
    for item in items:
        distance = _distance(item.what, wanted)
        if distance is None or not all(word.fit(stems_of(item.what.terms)) for word in terms):
            continue
        placed = _placed(item, asked)
        if placed is None:
            continue
        score, places = placed
        order = distance, score, item.state is State.OFFERED, item.id, item.plugin.name
        found.append((order, Found(item=item, places=places)))
    return [one for _, one in sorted(found, key=lambda each: each[0])]


def _distance(about: About, wanted: Wanted) -> int | None:
    """How far it is from the regions that are asked for: 0 is one of them, 1 in one, 2 around one, 3 the world; None:
    it does not fit, or does not say.
    """
    if wanted.frequencies and not set(wanted.frequencies) & set(about.frequency):
        return None
    if wanted.costs and about.cost not in wanted.costs:
        return None
    if not wanted.regions:
        return 0
    distances = [_apart(region, own) for region in wanted.regions for own in about.region]
    return min((each for each in distances if each is not None), default=None)


def _apart(region: str, own: str) -> int | None:
    if region == own:
        return 0
    if region != WORLD and region in groups() and covers(region, own):
        return 1
    return (3 if own == WORLD else 2) if covers(own, region) else None


def _placed(item: Item, asked: Sequence[Asked]) -> tuple[int, tuple[str, ...]] | None:
    """How far down the words stand, and where; None where one stands nowhere."""
    best: list[tuple[int, int, str]] = []
    for word in asked:
        found = _best_place(item, word)
        if found is None:
            return None
        best.append(found)
    return sum(score for score, _, _ in best), tuple(dict.fromkeys(name for _, _, name in sorted(best)))


def _best_place(item: Item, word: Asked) -> tuple[int, int, str] | None:
    """Where a word says most: its score, the place and what that is called. A whole word counts more than a
    beginning, and less than a place that says more.
    """
    best: tuple[int, int, str] | None = None
    for place, (rank, name, text) in enumerate(_texts(item)):
        if best is not None and 2 * rank >= best[0]:
            return best  # what follows says no more
        fit = word.fit(stems_of(text)) if text else 0
        score = 2 * rank + (fit == 1)
        if fit and (best is None or score < best[0]):
            best = score, place, name
    return best


def _texts(item: Item) -> Iterator[tuple[int, str, str]]:
    """What is said of something: how much that says, where it stands, and the text."""
    what = item.what
    yield _TITLE, "title", what.title
    yield _NAME, "id", what.id
    yield _NAME, "plugin", item.plugin.name
    if isinstance(what, DatasetKeymapEntry):
        yield _TAGS, "tags", " ".join(what.tags)
        yield _TAGS, "silver table", what.silver_table
    yield _ABOUT, "region", " ".join(f"{code} {names()[code]}" for code in what.region)
    yield _ABOUT, "frequency", " ".join(what.frequency)
    if isinstance(what, DatasetKeymapEntry):
        for column in what.columns:
            yield _MORE, f"column {column.name}", f"{column.name} {column.doc} {column.unit}"
        yield _MORE, "members", " ".join(what.members)
    else:
        yield _MORE, "words", what.words
    yield _LAST, "terms", what.terms
    yield _LAST, "source", what.source_url


@attrs.frozen(kw_only=True)
class Advice(Value):
    """What to try where nothing was found.

    Attributes:
        instead: the question with words that are known in the place of those that are not; empty: none is near.
        unknown: words that stand nowhere.
        alone: how many each of the others finds, by itself and without filters.
        without: how many the words find without the filters.
    """

    instead: str
    unknown: tuple[str, ...]
    alone: dict[str, int]
    without: int


def advice(items: Sequence[Item], wanted: Wanted) -> Advice:
    """What to try in the place of a question that found nothing."""
    asked = asked_of(wanted.words)
    counts = {word.text: len(search(items, Wanted(words=word.text))) for word in asked}
    unknown = tuple(word for word, count in counts.items() if not count)
    known = {word for item in items for _, _, text in _texts(item) for word in stems_of(text)} if unknown else set()
    meant = {word: similar(word, known) for word in unknown}
    instead = " ".join(meant.get(word.text, word.text) for word in asked) if all(meant.values()) and meant else ""
    return Advice(
        instead=instead,
        unknown=unknown,
        alone={word: count for word, count in counts.items() if count},
        without=len(search(items, Wanted(words=wanted.words))),
    )

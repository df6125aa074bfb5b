"""Datasets by words: what is installed, found by what stands in its declaration."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import attrs

from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.value import Value


@attrs.frozen(kw_only=True)
class Found(Value):
    """A dataset in which all words were found.

    Attributes:
        entry: the dataset.
        places: where the words stand, what says most of it first, e.g. ``title`` or ``column yield_10y``.
    """

    entry: DatasetKeymapEntry
    places: tuple[str, ...]


def search(entries: Iterable[DatasetKeymapEntry], words: str) -> list[Found]:
    """The datasets in whose declaration each word stands, in capitals or not, those first whose names have them.

    Args:
        entries: the datasets.
        words: with blanks between them; a word may be a part of one, as ``curr`` of ``currency``. No word finds all.
    """
    wanted = words.casefold().split()
    found: list[tuple[int, str, Found]] = []
    for entry in entries:
        texts = [(place, text.casefold()) for place, text in _texts(entry) if text]
        ranks = [next((rank for rank, (_, text) in enumerate(texts) if word in text), -1) for word in wanted]
        if -1 in ranks:
            continue
        places = tuple(dict.fromkeys(texts[rank][0] for rank in sorted(ranks)))
        found.append((sum(ranks), entry.id, Found(entry=entry, places=places)))
    return [each for _, _, each in sorted(found, key=lambda one: one[:2])]


def _texts(entry: DatasetKeymapEntry) -> Iterator[tuple[str, str]]:
    """What stands in a declaration for readers, and where, what says most first."""
    yield "title", entry.title
    yield "dataset", entry.id
    yield "tags", " ".join(entry.tags)
    yield "silver table", entry.silver_table
    for column in entry.columns:
        yield f"column {column.name}", f"{column.name} {column.doc} {column.unit}"
    yield "members", " ".join(entry.members)
    yield "terms", entry.terms
    yield "source", entry.source_url

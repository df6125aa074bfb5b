"""Words that are looked for, and those of a text: small letters, stems, beginnings, and short forms of the field."""

from __future__ import annotations

import difflib
import functools
import re
import unicodedata
from collections.abc import Collection, Sequence

import attrs

from sbf_core.value import Value

_WORD = re.compile(r"[^\W_]+")
_INITIALS = re.compile(r"(?<=\b\w)\.(?=\w\b)")
#: Words that say nothing by themselves; a question is as good without them.
_EMPTY = frozenset({"a", "an", "and", "by", "for", "in", "of", "on", "or", "the", "to"})
#: What has a short form that people write in its place, and publishers do not.
_SHORT_FORMS = {
    "bop": "balance payments",
    "cot": "commitments traders",
    "cpi": "consumer price",
    "fx": "exchange rate",
    "gdp": "gross domestic product",
    "hicp": "harmonised consumer prices",
    "isin": "international securities identification",
    "lei": "legal entity identifier",
    "mic": "market identifier code",
    "nav": "net asset value",
    "ppi": "producer price",
    "vix": "volatility index",
}
#: A shorter word is only found whole: the beginning "us" would find "use".
_PREFIX_LETTERS_MIN = 3
_SIMILAR = 0.75


def words_of(text: str) -> list[str]:
    """The words of a text, without capitals, accents and the dots of initials."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(each for each in plain if not unicodedata.combining(each)) if not plain.isascii() else plain
    return _WORD.findall(_INITIALS.sub("", plain) if "." in plain else plain)


@functools.lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """A word without the ending of its plural: ``currencies`` is ``currency``, and ``prices`` ``price``."""
    if len(word) <= _PREFIX_LETTERS_MIN or not word.isalpha():
        return word
    if word.endswith("ies"):
        return word[:-3] + "y"
    if word.endswith(("sses", "xes", "ches", "shes")):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith(("ss", "us", "is")) else word


@attrs.frozen
class Asked(Value):
    """One thing that is looked for: a word, or what it is short for."""

    forms: tuple[tuple[str, ...], ...]

    @property
    def text(self) -> str:
        """The word as it was asked for."""
        return " ".join(self.forms[0])

    def fit(self, words: Collection[str]) -> int:
        """How well it fits the stems of a text: 2 whole words, 1 beginnings of words, 0 not at all."""
        return max(min(_fit(each, words) for each in form) for form in self.forms)


def _fit(word: str, words: Collection[str]) -> int:
    if word in words:
        return 2
    return int(len(word) >= _PREFIX_LETTERS_MIN and any(each.startswith(word) for each in words))


@functools.lru_cache(maxsize=65536)
def stems_of(text: str) -> frozenset[str]:
    """The stems of the words of a text."""
    return frozenset(map(stem, words_of(text)))


def asked_of(text: str) -> list[Asked]:
    """What a question looks for. All of it has to be found."""
    given = words_of(text)
    words = [stem(each) for each in given if each not in _EMPTY] or [stem(each) for each in given]
    for short, long in _SHORT_FORMS.items():
        words = _shortened(words, [stem(each) for each in long.split()], short)
    longs = {short: tuple(stem(each) for each in long.split()) for short, long in _SHORT_FORMS.items()}
    return [Asked(((word,), longs[word]) if word in longs else ((word,),)) for word in dict.fromkeys(words)]


def _shortened(words: list[str], long: Sequence[str], short: str) -> list[str]:
    """Words with a short form in the place of the words that it is short for, where all of them stand together."""
    size = len(long)
    for place in range(len(words) - size + 1):
        if words[place : place + size] == list(long):
            return [*words[:place], short, *words[place + size :]]
    return words


def similar(word: str, known: Collection[str]) -> str:
    """The known word that is spelled most like another; empty where none is."""
    swapped = sorted(each for each in known if len(each) == len(word) and sorted(each) == sorted(word))
    near = swapped[:1] or difflib.get_close_matches(word, sorted(known), n=1, cutoff=_SIMILAR)
    return near[0] if near else ""

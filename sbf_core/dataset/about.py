"""What a dataset is about, in words that can be asked for: where, how often, and what it costs."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

import attrs

from sbf_core.errors import UsageError, nearest
from sbf_core.value import Value
from sbf_core.vocabulary import word


class Frequency(StrEnum):
    """How far the periods of rows are from each other, in the words of SDMX (code list CL_FREQ)."""

    SECOND = "second"
    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    HALF_YEAR = "half-year"
    YEAR = "year"
    #: Events, and lists that change when they change.
    IRREGULAR = "irregular"


class Cost(StrEnum):
    """What who asks has to pay."""

    FREE = "free"
    #: Free, for those who register.
    KEY = "free with key"
    PAID = "paid"


class PassingOn(StrEnum):
    """Whether the terms of use let rows be passed on to others."""

    YES = "yes"
    #: Those who pass rows on name the source.
    NAMED = "with source"
    NO = "no"


#: Codes of ISO 3166-1, by their first letter, and what it keeps for the European Union and the euro area.
_SECOND_LETTERS = {
    "A": "DEFGILMOQRSTUWXZ", "B": "ABDEFGHIJLMNOQRSTVWYZ", "C": "ACDFGHIKLMNORUVWXYZ", "D": "EJKMOZ", "E": "CEGHRSTUZ",
    "F": "IJKMOR", "G": "ABDEFGHILMNPQRSTUWY", "H": "KMNRTU", "I": "DELMNOQRST", "J": "EMOP", "K": "EGHIMNPRWYZ",
    "L": "ABCIKRSTUVY", "M": "ACDEFGHKLMNOPQRSTUVWXYZ", "N": "ACEFGILOPRUZ", "O": "M", "P": "AEFGHKLMNRSTWY", "Q": "A",
    "R": "EOSUW", "S": "ABCDEGHIJKLMNORSTVXYZ", "T": "CDFGHJKLMNORTVWZ", "U": "AGMSYZ", "V": "ACEGINU", "W": "FS",
    "Y": "ET", "Z": "AMW",
}  # fmt: skip
_WORDS = frozenset({"world", "africa", "americas", "asia", "europe", "oceania"})


def _several(value: str | Iterable[str], what: str) -> tuple[str, ...]:
    given = (value,) if isinstance(value, str) else tuple(value) if isinstance(value, Iterable) else (value,)
    for each in given:
        if not isinstance(each, str):
            raise UsageError(f"{what} {each!r} is no text", fix="write a text, or several in a tuple", code="DATASET")
    return tuple(dict.fromkeys(each for each in given if each))


def _regions(value: str | Iterable[str]) -> tuple[str, ...]:
    given = _several(value, "region")
    for code in given:
        if code not in _WORDS and not (len(code) == 2 and code[1] in _SECOND_LETTERS.get(code[0], "")):
            from sbf_core.dataset.regions import code_of, names  # only a mistake has to pay for it

            meant = code_of(code)
            hint = f"write {meant!r}" if meant else nearest(code, names())
            known = (
                f"a code of ISO 3166 such as 'US', 'EU', 'EZ' (the euro area), or one of {', '.join(sorted(_WORDS))}"
            )
            raise UsageError(f"region {code!r} is not known", fix=hint or f"write {known}", code="DATASET")
    return given


def _frequencies(value: str | Iterable[str]) -> tuple[Frequency, ...]:
    return tuple(word(each, Frequency, what="frequency") for each in _several(value, "frequency"))


def _cost(value: str) -> Cost | None:
    return word(value, Cost, what="cost") if value else None


def _passing_on(value: str) -> PassingOn | None:
    return word(value, PassingOn, what="passing_on") if value else None


@attrs.frozen(kw_only=True)
class About(Value):
    """What a dataset is about, for those who look for data.

    Attributes:
        region: which part of the world it is about: a code of ISO 3166 such as ``US``, ``EU``, ``EZ`` for the euro
            area, or ``world`` or a continent; several in a tuple.
        frequency: how far the periods of its rows are from each other: ``minute``, ``hour``, ``day``, ``week``,
            ``month``, ``quarter``, ``half-year``, ``year``, or ``irregular`` for events and lists; several in a tuple.
        cost: ``free``, ``free with key`` for those who register, or ``paid``.
        passing_on: whether its terms let rows be passed on: ``yes``, ``with source`` where that must be named, or
            ``no``; nobody knows when absent. What is exported says so.
    """

    region: tuple[str, ...] = attrs.field(default=(), converter=_regions)
    frequency: tuple[Frequency, ...] = attrs.field(default=(), converter=_frequencies)
    cost: Cost | None = attrs.field(default=None, converter=attrs.converters.optional(_cost))
    passing_on: PassingOn | None = attrs.field(default=None, converter=attrs.converters.optional(_passing_on))

    @property
    def about(self) -> dict[str, str]:
        """Each of them as one text."""
        return {
            "region": ", ".join(self.region),
            "frequency": ", ".join(self.frequency),
            "cost": self.cost or "",
        }

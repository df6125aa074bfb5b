"""``Cells``: vendors that limit how many cells one request may ask for, and how such a request is cut."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import permutations, product

import attrs

from sbf_core.dataset.body_names import DIMENSION
from sbf_core.dataset.json_path import value_path
from sbf_core.errors import UsageError
from sbf_core.value import Value
from sbf_core.vocabulary import texts

#: What an answer may have one value for, of the days that are asked for.
PERIODS = ("day", "week", "month", "quarter", "year")
#: Statuses that speak of the key, the plan, the proxy or of time (RFC 9110, section 15.5; RFC 6585).
_SAY_OTHERWISE = (401, 402, 407, 408, 425, 429)
#: Of so many dimensions every order is tried; 720 of them take a millisecond, once.
_TRIED_MAX = 6
_MONTHS = {"month": 1, "quarter": 3, "year": 12}

#: Values of each dimension, by ``dim.NAME``.
Lists = Mapping[str, tuple[str, ...]]


def _statuses(values: Iterable[int]) -> tuple[int, ...]:
    """As a tuple; see ``DataRules``."""
    return tuple(values)


def _dimensions(declared: Mapping[str, Iterable[str]]) -> dict[str, tuple[str, ...]]:
    return {name: texts(values) for name, values in declared.items()}


@attrs.frozen(kw_only=True)
class Cells(Value):
    """How many cells one request may ask for: the product of the numbers of values of its dimensions, of its tickers,
    and of the periods in its days. A request for more is cut into as few as can be, which belong together: all count,
    or none. The values of a dimension stay in their order, so that one added at its end changes the last piece alone.

    Attributes:
        cells_max: the most of one request; 0: only the vendor knows.
        dimensions: the values of each dimension by its name, e.g. ``{"region": ("01", "02")}``. In a list of ``json``
            an element that holds ``{dim.region}`` stands once for each value; elsewhere it stands for all, with the
            separator between them.
        separator: what stands between the values of a dimension, in addresses as it is: ``,`` or ``+``; where a vendor
            wants a parameter for each, as in ``geo={dim.geo}``, it is ``&geo=``.
        per: what an answer has one value for, of the days that are asked for: ``day``, ``week``, ``month``, ``quarter``
            or ``year``; empty: days do not count.
        too_large_status: HTTP statuses that mean that a request asks for too much, such as ``(403, 413)``. It is then
            asked for again in halves of its largest dimension, in the same run.
        too_large_fields: paths in a JSON answer that hold anything only then, e.g. ``error.tooManyCells``.
        too_large_texts: texts that a short answer holds only then; small and capital letters are the same.
    """

    cells_max: int = 0
    dimensions: Mapping[str, tuple[str, ...]] = attrs.field(factory=dict, converter=_dimensions)
    separator: str = ","
    per: str = ""
    too_large_status: tuple[int, ...] = attrs.field(default=(), converter=_statuses)
    too_large_fields: tuple[str, ...] = attrs.field(default=(), converter=texts)
    too_large_texts: tuple[str, ...] = attrs.field(default=(), converter=texts)

    def __attrs_post_init__(self) -> None:
        what = fix = ""
        odd = next((one for one in self.too_large_status if not _may_mean_too_large(one)), None)
        if self.cells_max < 0 or (not self.cells_max and not self.may_be_halved):
            what, fix = "say neither how many there may be nor how the vendor refuses more", "cells_max=100_000"
        elif self.per not in ("", *PERIODS):
            what, fix = f"per {self.per!r} is not known", f"use {', '.join(PERIODS)}"
        elif odd is not None:
            what, fix = f"too_large_status {odd!r} cannot mean that a request asks for too much", "(403, 413)"
        for name, values in self.dimensions.items():
            if not name.isascii() or not name.replace("_", "a").isalnum() or name[0].isdigit():
                what, fix = f"dimension {name!r} has a name that cannot stand in braces", "use letters, digits and _"
            elif not values:
                what, fix = f"dimension {name!r} has no values", "name those that are to be asked for"
            elif not all(isinstance(value, str) and value for value in values):
                what, fix = f"dimension {name!r} has a value that is no text, or empty", "write codes as texts: '2020'"
            elif len({*values}) < len(values):
                what, fix = f"dimension {name!r} has a value twice", "name each once"
        for path in self.too_large_fields:
            value_path(path)
        if what:
            raise UsageError(f"cells: {what}", fix=fix, code="RECIPE")

    @property
    def may_be_halved(self) -> bool:
        """Whether it is known how the vendor says that a request asks for too much."""
        return bool(self.too_large_status or self.too_large_fields or self.too_large_texts)

    @property
    def makes_sets(self) -> bool:
        """Whether one request may have several answers."""
        return self.may_be_halved or bool(self.per) or self._number > self.cells_max

    @property
    def lists(self) -> Lists:
        """All values of each dimension."""
        return {DIMENSION + name: values for name, values in self.dimensions.items()}

    @property
    def _number(self) -> int:
        return math.prod(map(len, self.dimensions.values()))

    def periods(self, first: dt.date | None, last: dt.date | None) -> int:
        """How many values an answer has for days, at least 1."""
        if not self.per or first is None or last is None or first > last:
            return 1
        return _period(last, self.per) - _period(first, self.per) + 1

    def tickers_at_once(self, most: int, periods: int) -> int:
        """How many tickers one request may name, up to ``most``, with all dimensions whole; 1 at least."""
        return most if not self.cells_max else min(most, max(1, self.cells_max // (self._number * periods)))

    def pieces(self, *, tickers: int, periods: int) -> Iterator[Lists]:
        """What is asked for one after the other: values of each dimension."""
        if not self.cells_max:
            yield self.lists
            return
        most = max(1, self.cells_max // (max(tickers, 1) * periods))
        lengths = cut(tuple(map(len, self.dimensions.values())), most)
        slices = [
            [(DIMENSION + name, values[at : at + length]) for at in range(0, len(values), length)]
            for (name, values), length in zip(self.dimensions.items(), lengths, strict=True)
        ]
        yield from (dict(chosen) for chosen in product(*slices))

    def stretches(self, first: dt.date, last: dt.date) -> list[tuple[dt.date, dt.date]]:
        """Days in as many pieces as the limit wants, of whole periods, oldest first."""
        periods = self.periods(first, last)
        if not self.cells_max or periods == 1:
            return [(first, last)]
        *_, length = cut((*map(len, self.dimensions.values()), periods), self.cells_max)
        found = []
        while self.periods(first, last) > length:
            after = _begin(_period(first, self.per) + length, self.per)
            found.append((first, after - dt.timedelta(days=1)))
            first = after
        return [*found, (first, last)]

    def middle(self, first: dt.date, last: dt.date) -> dt.date:
        """The last day of the first half of some days, which end with a period where periods count."""
        if self.periods(first, last) == 1:
            return first + (last - first) // 2
        return _begin((_period(first, self.per) + _period(last, self.per) + 1) // 2, self.per) - dt.timedelta(days=1)


def halves(lists: Lists, name: str) -> tuple[Lists, Lists]:
    """The same with each half of the values of one dimension."""
    values = lists[name]
    middle = (len(values) + 1) // 2
    return {**lists, name: values[:middle]}, {**lists, name: values[middle:]}


@lru_cache(maxsize=256)
def cut(lengths: tuple[int, ...], most: int) -> tuple[int, ...]:
    """How long the pieces of each dimension are, so that the product is ``most`` at most, and the pieces are few: some
    dimensions stay whole, one is cut, and the others are taken value by value.
    """
    if math.prod(lengths) <= most:
        return lengths
    short_first = sorted(range(len(lengths)), key=lambda place: lengths[place])
    orders = permutations(short_first) if len(lengths) <= _TRIED_MAX else iter([tuple(short_first)])
    return min((_filled(lengths, most, order) for order in orders), key=lambda pieces: _count(lengths, pieces))


def _filled(lengths: tuple[int, ...], most: int, order: tuple[int, ...]) -> tuple[int, ...]:
    pieces = [1] * len(lengths)
    for place in order:
        pieces[place] = max(1, min(lengths[place], most))
        most //= pieces[place]
    return tuple(pieces)


def _count(lengths: tuple[int, ...], pieces: tuple[int, ...]) -> int:
    return math.prod(-(-length // piece) for length, piece in zip(lengths, pieces, strict=True))


def _period(day: dt.date, per: str) -> int:
    """The number of the period that a day is in."""
    if per == "day":
        return day.toordinal()
    if per == "week":
        return (day.toordinal() - 1) // 7  # weeks begin on Mondays, as 0001-01-01 was
    return (day.year * 12 + day.month - 1) // _MONTHS[per]


def _begin(number: int, per: str) -> dt.date:
    """The first day of a period."""
    if per in ("day", "week"):
        return dt.date.fromordinal(number if per == "day" else number * 7 + 1)
    months = number * _MONTHS[per]
    return dt.date(months // 12, months % 12 + 1, 1)


def _may_mean_too_large(status: object) -> bool:
    return type(status) is int and 400 <= status < 500 and status not in _SAY_OTHERWISE

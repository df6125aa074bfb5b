"""A request as the planner sees it: whether it is due, and in which pieces."""

from __future__ import annotations

import datetime as dt

import attrs

from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.dataset.recipe import RestRecipe
from sbf_core.payload.by_identity import by_identity
from sbf_core.runs.request import RunRequest
from sbf_core.value import Value


@attrs.frozen(kw_only=True)
class PlannedRequest(Value):
    """A request and whether it is due.

    Attributes:
        entry: its dataset.
        request: what would be asked.
        due: whether it is asked in this run.
        why: why it is due or not, for readers.
        again: all of the series, because its vendor restated the past.
        chain: the request in pieces, oldest first, where its days are too many for one; empty: it is one.
    """

    entry: DatasetKeymapEntry
    request: RunRequest
    due: bool
    why: str
    again: bool = False
    chain: tuple[RunRequest, ...] = ()

    @property
    def steps(self) -> tuple[RunRequest, ...]:
        """What is asked, in this order, up to the first that fails."""
        return self.chain or (self.request,)

    @property
    def asked_days(self) -> tuple[dt.date | None, dt.date | None]:
        """The first and the last day that it asks for; None where the question says none. A hook asks as it likes."""
        has_first, has_last = _asks_for_days(self.entry)
        return self.request.from_date if has_first else None, self.request.to_date if has_last else None


@by_identity
def _asks_for_days(entry: DatasetKeymapEntry) -> tuple[bool, bool]:
    """Whether a question says the first day, and the last: looked up once for each dataset."""
    named = entry.placeholders
    if entry.recipe is None:
        return True, True
    return bool(named & {"from_date", "year"}), bool(named & {"to_date", "year"})


def chunks(entry: DatasetKeymapEntry, request: RunRequest) -> tuple[RunRequest, ...]:
    """A request in pieces of ``chunk_days``, or of as many days as its cells allow, cut at calendar years where the
    address names a year; oldest first; empty for one piece.
    """
    recipe, first, last = entry.recipe, request.from_date, request.to_date
    if not isinstance(recipe, RestRecipe) or first is None or last is None or first > last:
        return ()
    by_year, cells = "year" in recipe.named, recipe.cells
    if not (recipe.chunk_days or by_year or cells is not None):
        return ()
    pieces = []
    while first <= last:
        end = min(last, first + dt.timedelta(days=recipe.chunk_days - 1)) if recipe.chunk_days else last
        if by_year:
            end = min(end, dt.date(first.year, 12, 31))
        stretches = [(first, end)] if cells is None else cells.stretches(first, end)
        pieces += [request.of_days(*stretch) for stretch in stretches]
        first = end + dt.timedelta(days=1)
    return tuple(pieces)


def tickers_at_once(item: PlannedRequest) -> int:
    """How many tickers one request may name for the days of a planned one."""
    most, recipe = item.entry.tickers_at_once, item.entry.recipe
    if most == 1 or not isinstance(recipe, RestRecipe) or recipe.cells is None:
        return most
    periods = max(recipe.cells.periods(step.from_date, step.to_date) for step in item.steps)
    return recipe.cells.tickers_at_once(most, periods)

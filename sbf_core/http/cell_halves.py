"""A request that asks for too many cells is asked for in halves of its largest dimension."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable

import attrs

from sbf_core.dataset.cells import halves
from sbf_core.dataset.recipe import RestRecipe
from sbf_core.failures import FailureKind
from sbf_core.http.questions import Part, halves_at, tickers_of
from sbf_core.runs.request import RunRequest
from sbf_core.runs.result import RunResult
from sbf_core.value import Value

_DAYS = ""


@attrs.frozen
class CellHalves(Value):
    """Asks for parts, and for halves of those that the vendor says ask for too much.

    A list of tickers that is longer than every dimension is no business of this: whoever planned it halves it.

    Attributes:
        recipe: how it is asked.
        ask: gives the answers for a part.
        refused: how many cells were refused in this request, the fewest last: what has as many is not asked for whole.
    """

    recipe: RestRecipe
    ask: Callable[[RunRequest, Part], Awaitable[list[RunResult]]]
    refused: list[int]

    async def answers(self, request: RunRequest, part: Part) -> list[RunResult]:
        """The answers for a part, or one that says why they are not whole."""
        number, pieces = self._number(request, part), self._halves(request, part)
        if pieces and self.refused and number >= self.refused[-1]:
            return await self._of(request, pieces)
        results = await self.ask(request, part)
        kind = results[-1].kind
        if kind == FailureKind.QUERY_TOO_LARGE:
            self.refused.append(number)
            return await self._of(request, pieces) if pieces else results
        if kind == FailureKind.NOT_RECORDED and pieces:  # a recording lacks the whole, where that was too much
            found = await self._of(request, pieces)
            return found if found[-1].ok else results
        return results

    async def _of(self, request: RunRequest, pieces: tuple[Part, ...]) -> list[RunResult]:
        answers: list[RunResult] = []
        for piece in pieces:
            found = await self.answers(request, piece)
            if not found[-1].ok:
                return [found[-1]]
            answers += found
        return answers

    def _number(self, request: RunRequest, part: Part) -> int:
        return math.prod([tickers_of(self.recipe, request), self._periods(part), *map(len, part.lists.values())])

    def _periods(self, part: Part) -> int:
        assert self.recipe.cells is not None
        return self.recipe.cells.periods(part.days.from_date, part.days.to_date)

    def _halves(self, request: RunRequest, part: Part) -> tuple[Part, ...]:
        """Of the largest dimension, the first of several; of days where nothing else is left."""
        cells, first, last = self.recipe.cells, part.days.from_date, part.days.to_date
        assert cells is not None
        lengths = {name: len(values) for name, values in part.lists.items()}
        may_cut_days = {"from_date", "to_date"} <= self.recipe.named and first is not None and last is not None
        periods = self._periods(part) if may_cut_days else 1
        longest = max([periods, *lengths.values()])
        if longest < tickers_of(self.recipe, request):
            return ()
        name = next((name for name, length in lengths.items() if length == longest > 1), _DAYS)
        if name:
            return tuple(attrs.evolve(part, lists=lists) for lists in halves(part.lists, name))
        if first is None or last is None or not may_cut_days or first >= last or (cells.per and periods == 1):
            return ()
        return halves_at(part, cells.middle(first, last))

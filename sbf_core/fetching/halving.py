"""What is asked one after the other for a planned request: its steps, and halves of lists that were refused, until the
ticker that is wrong costs itself.
"""

from __future__ import annotations

from collections import deque

import attrs

from sbf_core.fetching.answers import FetchAnswer
from sbf_core.plan.planned import PlannedRequest
from sbf_core.runs.request import TICKER_SEPARATOR, RunRequest

#: A vendor who refuses whatever is asked is not asked for each ticker of a long list: two wrong ones of 500 are found.
_MORE_MAX = 40


class Halving:
    """The steps of a planned request, and the halves that become of them. A step is asked for those tickers of which
    the steps before it came: after one that failed the later ones would leave a gap.

    Args:
        planned: the planned request.
        vain: datasets of which halves brought nothing, shared by all requests of a run: a quota that is used up is
            told in a note by many vendors, and each list would cost it more.
    """

    def __init__(self, planned: PlannedRequest, vain: set[str]) -> None:
        self._may = planned.entry.tickers_at_once > 1
        self._dataset = planned.entry.id
        self._vain = vain
        self._steps = deque(planned.steps)
        self._waiting: deque[RunRequest] = deque()
        self._left = _MORE_MAX
        self._answered: list[str] = []
        #: Whether all that was asked came.
        self.came = True

    def next(self) -> RunRequest | None:
        """What is to be asked now; None where nothing is left."""
        if not self._waiting and self._steps and (self.came or self._answered):
            step, tickers = self._steps.popleft(), TICKER_SEPARATOR.join(self._answered)
            self._waiting.append(step if self.came else attrs.evolve(step, ticker=tickers))
            self._left, self._answered = _MORE_MAX, []
        return self._waiting.popleft() if self._waiting else None

    def counts(self, answer: FetchAnswer) -> bool:
        """Whether an answer is the last word; else its halves wait."""
        tickers = answer.request.tickers
        is_vain = self._left < 2 or self._dataset in self._vain
        if not self._may or not answer.is_refused or len(tickers) < 2 or is_vain:
            self.came = self.came and answer.came
            self._answered += tickers if answer.came else ()
            if self._left < 2 and not self._waiting and not self._answered:
                self._vain.add(self._dataset)
            return True
        self._left -= 2
        middle = len(tickers) // 2
        halves = (tickers[:middle], tickers[middle:])
        self._waiting.extendleft(
            attrs.evolve(answer.request, ticker=TICKER_SEPARATOR.join(half)) for half in reversed(halves)
        )
        return False

"""Several tickers that were refused together are asked for in halves, until the one that is wrong costs itself."""

from __future__ import annotations

from collections import deque

import attrs

from sbf_core.fetching.fetch_answer import FetchAnswer
from sbf_core.plan.planned import PlannedRequest
from sbf_core.runs.request import TICKER_SEPARATOR, RunRequest

#: A vendor who refuses whatever is asked is not asked for each ticker of a long list: two wrong ones of 500 are found.
_MORE_MAX = 40


class Halving:
    """One step of a planned request, and the halves that become of it.

    Args:
        planned: the planned request.
        request: the step.
    """

    def __init__(self, planned: PlannedRequest, request: RunRequest) -> None:
        self._may = planned.entry.tickers_at_once > 1
        self._waiting = deque([request])
        self._left = _MORE_MAX
        #: Whether all that was asked came.
        self.came = True

    def next(self) -> RunRequest | None:
        """What is to be asked now; None where nothing is left."""
        return self._waiting.popleft() if self._waiting else None

    def counts(self, answer: FetchAnswer) -> bool:
        """Whether an answer is the last word; else its halves wait."""
        tickers = answer.request.tickers
        if not self._may or not answer.is_refused or len(tickers) < 2 or self._left < 2:
            self.came = self.came and answer.came
            return True
        self._left -= 2
        middle = len(tickers) // 2
        halves = (tickers[:middle], tickers[middle:])
        self._waiting.extendleft(
            attrs.evolve(answer.request, ticker=TICKER_SEPARATOR.join(half)) for half in reversed(halves)
        )
        return False

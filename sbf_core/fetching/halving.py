"""Several tickers that were refused together are asked for in halves, until the one that is wrong costs itself."""

from __future__ import annotations

from collections import deque

import attrs

from sbf_core.fetching.fetch_answer import FetchAnswer
from sbf_core.plan.planned import PlannedRequest
from sbf_core.runs.request import TICKER_SEPARATOR, RunRequest

#: Two wrong ones of 500 are found.
_MORE_MAX = 40
#: Where these were refused alone before anything came, it is the question that is wrong, and not a ticker in it.
_REFUSED_ALONE_MAX = 2


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
        self._whole: FetchAnswer | None = None
        self._held: list[FetchAnswer] = []
        #: Whether all that was asked came.
        self.came = True

    def next(self) -> RunRequest | None:
        """What is to be asked now; None where nothing is left."""
        return self._waiting.popleft() if self._waiting else None

    def told(self, answer: FetchAnswer) -> list[FetchAnswer]:
        """The answers that are the last word, after one came; none while its halves wait."""
        tickers = answer.request.tickers
        if self._may and answer.is_refused and len(tickers) > 1 and self._left >= 2:
            self._whole = self._whole or answer
            self._left -= 2
            middle = len(tickers) // 2
            halves = (tickers[:middle], tickers[middle:])
            self._waiting.extendleft(
                attrs.evolve(answer.request, ticker=TICKER_SEPARATOR.join(half)) for half in reversed(halves)
            )
            return []
        self.came = self.came and answer.came
        if not answer.is_refused:  # the others are worth asking for
            told, self._whole, self._held = [*self._held, answer], None, []
            return told
        if self._whole is None:
            return [answer]
        self._held.append(answer)
        if len(self._held) < _REFUSED_ALONE_MAX:
            return []
        self._waiting.clear()
        return [self._whole]

"""What is asked one after the other for a planned request: its steps, and halves of lists that were refused, until the
ticker that is wrong costs itself, or the list is short enough.
"""

from __future__ import annotations

from collections import deque

import attrs

from sbf_core.fetching.fetch_answer import FetchAnswer
from sbf_core.plan.planned import PlannedRequest
from sbf_core.runs.request import TICKER_SEPARATOR, RunRequest

#: So many requests more are spent on a list: two wrong ones of 500 are found.
_MORE_MAX = 40
#: Halves, quarters and eighths are asked level by level: where few tickers are wrong, something comes at once.
_LEVELS_MAX = 2 + 4 + 8
#: Then one eighth down to a single ticker, for there may be many wrong ones. Where nothing came by then, it is no
#: ticker that is wrong, but the question.
_REFUSED_MAX = _LEVELS_MAX + 10


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
        self._answered: set[str] = set()
        self._begin()
        #: Whether all that was asked came.
        self.came = True

    def _begin(self) -> None:
        self._left, self._refused, self._has_come = _MORE_MAX, 0, False
        self._whole: FetchAnswer | None = None
        self._too_long: FetchAnswer | None = None
        self._held: list[FetchAnswer] = []

    def next(self) -> RunRequest | None:
        """What is to be asked now; None where nothing is left."""
        if not self._waiting and self._steps and (self.came or self._answered):
            step = self._steps.popleft()
            left = TICKER_SEPARATOR.join(ticker for ticker in step.tickers if ticker in self._answered)
            self._waiting.append(step if self.came else attrs.evolve(step, ticker=left))
            self._answered = set()
            self._begin()
        return self._waiting.popleft() if self._waiting else None

    def told(self, answer: FetchAnswer) -> list[FetchAnswer]:
        """The answers that are the last word, after one came; none while its halves wait."""
        if answer.asks_too_much and self._may and self._dataset not in self._vain:
            if len(answer.request.tickers) > 1:
                self._too_long = self._too_long or answer
                self._waiting.extendleft(reversed(_halves(answer.request)))
                return []
            if self._too_long is not None and not self._has_come:  # it is not the number of tickers
                self._waiting.clear()
                self._vain.add(self._dataset)
                self.came = False
                return [self._too_long]
        if self._whole is not None and answer.is_refused:
            self._refused += 1
            if not self._has_come and self._refused >= _REFUSED_MAX:
                self._waiting.clear()
                self._vain.add(self._dataset)
                return self._in_vain()
        if self._splits(answer):
            return []
        self.came = self.came and answer.came
        if answer.came:
            self._answered.update(answer.request.tickers)
        if self._whole is not None and answer.is_refused and not self._has_come:
            self._held.append(answer)
            return [] if self._waiting else self._in_vain()
        told, self._held, self._has_come = [*self._held, answer], [], True
        return told

    def _in_vain(self) -> list[FetchAnswer]:
        """Nothing came of any half: the list is told once."""
        assert self._whole is not None
        self.came = False
        return [self._whole]

    def _splits(self, answer: FetchAnswer) -> bool:
        """Whether a list was refused that is worth asking for in halves, which wait now."""
        tickers = answer.request.tickers
        is_list = self._may and answer.is_refused and len(tickers) > 1
        if not is_list or self._left < 2 or self._dataset in self._vain:
            return False
        self._whole = self._whole or answer
        self._left -= 2
        halves = _halves(answer.request)
        if self._refused < _LEVELS_MAX:
            self._waiting.extend(halves)
        else:
            self._waiting.extendleft(reversed(halves))
        return True


def _halves(request: RunRequest) -> list[RunRequest]:
    tickers = request.tickers
    middle = len(tickers) // 2
    return [attrs.evolve(request, ticker=TICKER_SEPARATOR.join(half)) for half in (tickers[:middle], tickers[middle:])]

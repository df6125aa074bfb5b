"""Who asks: for each vendor as many requests at once as it allows,
so that a slow one does not keep the others waiting.
"""

from __future__ import annotations

import asyncio
import queue
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from sbf_core.fetching.answers import Fetcher
from sbf_core.fetching.fetch_answer import FetchAnswer
from sbf_core.fetching.halving import Halving
from sbf_core.http.loop import RequestLoop
from sbf_core.plan.planned import PlannedRequest


class FetchWorkers:
    """Asks what was planned, in the order of the plan for each vendor.

    What a recipe asks of the network is asked by tasks of one loop. A plugin's own hook and the reading of files have
    threads, for they would keep a loop waiting.

    Args:
        fetcher: asks one request.
        loop: where tasks run; None: everything has threads.
        workers: the most requests at once for each vendor.
        connections: how many each vendor takes.
    """

    def __init__(
        self, fetcher: Fetcher, loop: RequestLoop | None, *, workers: int, connections: Mapping[str, int]
    ) -> None:
        self._fetcher = fetcher
        self._loop = loop
        self._workers = workers
        self._connections = connections
        self._told: queue.SimpleQueue[FetchAnswer | PlannedRequest | BaseException] = queue.SimpleQueue()
        self._pools: list[ThreadPoolExecutor] = []
        self._tasks: list[Future[None]] = []
        self._vain: set[str] = set()
        #: Series of which every step came.
        self.whole: set[str] = set()

    def answers(self, planned: Sequence[PlannedRequest]) -> Iterator[FetchAnswer | None]:
        """What comes, as it comes; None after the last step of each planned request.

        Raises:
            EnvironmentFault: no further request would fare better.
        """
        self._start(planned)
        unfinished = len(planned)
        while unfinished:
            told = self._told.get()
            if isinstance(told, BaseException):
                raise told
            if isinstance(told, PlannedRequest):
                unfinished -= 1
                yield None
            else:
                yield told

    def stop(self) -> None:
        """Begin nothing more; what is under way is not waited for."""
        for task in self._tasks:
            task.cancel()
        for pool in self._pools:
            pool.shutdown(wait=False, cancel_futures=True)

    def close(self) -> None:
        """Wait until the threads are gone; they have nothing to do any more."""
        for pool in self._pools:
            pool.shutdown()

    def _start(self, planned: Sequence[PlannedRequest]) -> None:
        by_vendor: dict[str, list[PlannedRequest]] = defaultdict(list)
        allowed: dict[str, int] = defaultdict(lambda: self._workers)
        for item in planned:
            source = item.entry.source
            by_vendor[source].append(item)
            allowed[source] = min(allowed[source], self._connections.get(source, self._workers))
            if item.entry.each_file is not None:  # of two files with one key the later name counts
                allowed[source] = 1
        for source, items in by_vendor.items():
            if self._loop is not None and all(self._fetcher.asks_in_loop(item) for item in items):
                left = iter(items)
                self._tasks += [
                    self._loop.start(self._ask_in_loop(left)) for _ in range(min(allowed[source], len(items)))
                ]
                continue
            pool = ThreadPoolExecutor(allowed[source], thread_name_prefix=f"sbf-{source}")
            self._pools.append(pool)
            for item in items:
                pool.submit(self._ask, item)

    def _ask(self, planned: PlannedRequest) -> None:
        """All steps of a request, in a thread."""
        try:
            halving = Halving(planned, self._vain)
            while (request := halving.next()) is not None:
                answer = self._fetcher.fetch(planned, request)
                for last in halving.told(answer):
                    self._told.put(last)
            if halving.came:
                self.whole.add(planned.request.key)
            self._told.put(planned)
        except BaseException as error:  # the thread that records must see it
            self._told.put(error)

    async def _ask_in_loop(self, left: Iterator[PlannedRequest]) -> None:
        """One request after the other, with all their steps, as ``_ask``."""
        try:
            for planned in left:
                halving = Halving(planned, self._vain)
                while (request := halving.next()) is not None:
                    answer = await self._fetcher.fetch_in_loop(planned, request)
                    for last in halving.told(answer):
                        self._told.put(last)
                if halving.came:
                    self.whole.add(planned.request.key)
                self._told.put(planned)
        except asyncio.CancelledError:
            raise
        except BaseException as error:
            self._told.put(error)

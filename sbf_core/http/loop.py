"""The thread in which all requests of a run wait for their vendors at once.

One thread that waits for many sockets costs half of what a thread for each request does: those take Python's lock from
each other at every step (decision 19). Whoever is not in the loop asks through ``result``.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Coroutine
from concurrent.futures import CancelledError, Future
from typing import Any, TypeVar

_T = TypeVar("_T")
_CLOSING_SECONDS_MAX = 5.0
#: A payload of more bytes is looked at, hashed and written in another thread: the others must not wait for it.
LOOP_BYTES_MAX = 1024**2


class LoopClosed(Exception):
    """The loop has ended, and what it was asked to do with it."""


class RequestLoop:
    """An event loop in a thread of its own, which ends with the process if nobody closes it."""

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger
        self._loop = asyncio.new_event_loop()
        self._loop.set_exception_handler(self._noted)
        self._thread = threading.Thread(target=self._loop.run_forever, name="sbf-requests", daemon=True)
        self._lock = threading.Lock()
        self._closed = False
        try:
            self._thread.start()
        except RuntimeError:  # the system gives no thread
            self._loop.close()
            raise

    def start(self, steps: Coroutine[Any, Any, _T]) -> Future[_T]:
        """Let the loop do this. May be called from any other thread.

        Raises:
            LoopClosed: it does nothing any more.
        """
        with self._lock:
            if self._closed:
                steps.close()
                raise LoopClosed
            return asyncio.run_coroutine_threadsafe(steps, self._loop)

    def result(self, steps: Coroutine[Any, Any, _T]) -> _T:
        """Let the loop do this, and wait for it. Never call it in the loop. Raises ``LoopClosed``."""
        try:
            return self.start(steps).result()
        except CancelledError:
            raise LoopClosed from None

    def close(self, last: Coroutine[Any, Any, None]) -> None:
        """End what is under way, do one last thing, and end."""
        with self._lock:
            if self._closed:
                last.close()
                return
            self._closed = True
        try:
            asyncio.run_coroutine_threadsafe(_ended(last), self._loop).result(timeout=_CLOSING_SECONDS_MAX)
        except TimeoutError:
            self._logger.debug("connections were not closed in time")
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=_CLOSING_SECONDS_MAX)
        if not self._thread.is_alive():
            self._loop.close()

    def _noted(self, _loop: asyncio.AbstractEventLoop, told: dict[str, Any]) -> None:
        """What goes wrong beside a request, as a connection that breaks while it is idle.

        Without its texts: they may hold addresses, and those keys.
        """
        error = told.get("exception")
        self._logger.debug("beside the requests: %s", type(error).__name__ if error is not None else "trouble")


async def _ended(last: Coroutine[Any, Any, None]) -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    await last

"""What is known of a vendor during a run: whether it answers, and which of its datasets are closed to us."""

from __future__ import annotations

import threading
import time

FAILURES_MAX = 5
PAUSE_SECONDS = 60.0


class Breaker:
    """Stops asking a vendor that has failed several times in a row, so that the others finish.

    After a pause one request is let through; if that one works, all are.

    Args:
        failures_max: failed requests in a row that open it.
        pause_seconds: how long it stays open.
    """

    def __init__(self, *, failures_max: int = FAILURES_MAX, pause_seconds: float = PAUSE_SECONDS) -> None:
        self._failures_max = failures_max
        self._pause_seconds = pause_seconds
        self._failures = 0
        self._open_until = 0.0
        self._reason = ""
        self._lock = threading.Lock()

    def refusal(self) -> str:
        """Why the vendor is not asked now; empty: it is."""
        with self._lock:
            if self._failures < self._failures_max:
                return ""
            if time.monotonic() >= self._open_until:
                self._open_until = (
                    time.monotonic() + self._pause_seconds
                )  # this request is the trial; the others wait for its end
                return ""
            return self._reason

    def succeeded(self) -> None:
        """The vendor answered, be it with a refusal of this one request."""
        with self._lock:
            self._failures = 0

    def failed(self, reason: str, *, for_good: bool = False) -> None:
        """A request came to nothing; ``for_good``: so will all others, as a wrong key."""
        with self._lock:
            self._failures = max(self._failures + 1, self._failures_max if for_good else 0)
            self._reason = reason
            self._open_until = float("inf") if for_good else time.monotonic() + self._pause_seconds

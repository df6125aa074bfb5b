"""What is worth another attempt, and how long to wait for it."""

from __future__ import annotations

import datetime as dt
import email.utils
import time
from collections.abc import Awaitable, Callable

from sbf_core.http.wire_answer import WireAnswer, WireFault

ATTEMPTS_MAX = 5
#: The longest that a vendor may make us wait; what it wants beyond that is put off to another run.
RETRY_AFTER_SECONDS_MAX = 60.0
AGAIN_STATUSES = frozenset({408, 425, 429, 500, 502, 503, 504})
_WAIT_SECONDS_MAX = 20.0
_WAIT_SECONDS_FIRST = 0.5


class Deferred(Exception):
    """The next request must come later than a run can wait.

    Args:
        seconds: how much later.
        by_vendor: the vendor said so; else one of its declared limits is used up.
    """

    def __init__(self, seconds: float, *, by_vendor: bool = False) -> None:
        super().__init__(seconds)
        self.seconds = seconds
        self.by_vendor = by_vendor


class _TryAgain(Exception):
    """This attempt brought nothing, another may. Its text holds no address, because addresses hold keys."""

    def __init__(self, cause: WireAnswer | WireFault, wait_seconds: float | None) -> None:
        super().__init__("no answer")
        self.cause = cause
        self.wait_seconds = wait_seconds


def retry_after_seconds(value: str, *, now: dt.datetime) -> float | None:
    """What the header ``Retry-After`` asks for, in seconds from now, at least 1; None where it says nothing sensible.

    Args:
        value: seconds, or an HTTP date (RFC 9110, section 10.2.3).
        now: aware.
    """
    text = value.strip()
    if text.isdigit() and text.isascii():
        return max(1.0, float(text[:9]))
    try:
        moment = email.utils.parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=dt.UTC)
    return max(1.0, (moment - now).total_seconds())


async def with_attempts(
    once: Callable[[], Awaitable[WireAnswer]], *, deadline: float, now: Callable[[], dt.datetime]
) -> WireAnswer | WireFault:
    """Ask up to five times, with growing and jittered waits, or as long as the vendor says; returns the last that came.

    Args:
        once: asks once; may raise ``WireFault``.
        deadline: moment of ``time.monotonic()`` after which no attempt begins.
        now: the present moment, for dates in ``Retry-After``.

    Raises:
        Deferred: the vendor wants a longer wait than a run has.
    """

    async def attempt() -> WireAnswer | WireFault:
        try:
            answer = await once()
        except WireFault as fault:
            if fault.again:
                raise _TryAgain(fault, None) from None
            return fault
        if answer.status_code not in AGAIN_STATUSES:
            return answer
        wait = (
            retry_after_seconds(answer.headers.get("retry-after", ""), now=now())
            if answer.status_code in (429, 503)
            else None
        )
        if wait is not None and wait > min(RETRY_AFTER_SECONDS_MAX, deadline - time.monotonic()):
            raise Deferred(wait, by_vendor=True)
        raise _TryAgain(answer, wait)

    try:
        return await attempt()
    except _TryAgain as first:
        return await _further_attempts(attempt, first, deadline)


async def _further_attempts(
    attempt: Callable[[], Awaitable[WireAnswer | WireFault]], first: _TryAgain, deadline: float
) -> WireAnswer | WireFault:
    import stamina  # 60 ms that only a fault has to pay

    stamina.instrumentation.set_on_retry_hooks([])  # the default hook logs exceptions
    waiting: list[_TryAgain] = [first]

    def wait_of(error: Exception) -> bool | float:
        if not isinstance(error, _TryAgain):
            return False
        return True if error.wait_seconds is None else error.wait_seconds

    left = deadline - time.monotonic()
    try:
        async for each in stamina.retry_context(
            on=wait_of,
            attempts=ATTEMPTS_MAX,
            timeout=max(0.001, left),
            wait_initial=_WAIT_SECONDS_FIRST,
            wait_max=_WAIT_SECONDS_MAX,
        ):
            with each:
                if waiting:  # the attempt that failed already: it counts, and its wait is kept
                    raise waiting.pop()
                return await attempt()
    except _TryAgain as last:
        return last.cause
    return first.cause

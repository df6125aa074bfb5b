"""An answer that a vendor makes ready first is asked for until it is there. Only what is ready is kept."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import time
from collections.abc import Awaitable, Callable, Collection
from typing import Any
from urllib.parse import urljoin, urlsplit

from sbf_core.dataset.poll import Poll
from sbf_core.errors import PayloadRefused, printable
from sbf_core.failures import FailureKind
from sbf_core.http.attempts import retry_after_seconds
from sbf_core.http.wire_answer import WireAnswer, WireFault
from sbf_core.payload.json_walk import Unreachable, value_at

Ask = Callable[[str], Awaitable[WireAnswer | WireFault]]
_ON_THE_WAY = (200, 201, 202)
_SHOWN = 60


async def polled(
    first: WireAnswer, poll: Poll, url: str, ask: Ask, *, hosts: Collection[str], now: Callable[[], dt.datetime]
) -> WireAnswer | WireFault:
    """The answer once it is ready, or why there will be none.

    Args:
        first: what came to the request itself.
        poll: how it is waited for.
        url: the address of the request.
        ask: asks another address by GET.
        hosts: hosts to which the vendor may send us, besides its own.
        now: the present moment, for ``Retry-After``.
    """
    hosts = {urlsplit(url).hostname or "", *hosts}
    ends, answer, here = time.monotonic() + poll.most_seconds, first, url
    place = ""
    try:
        while answer.status_code in _ON_THE_WAY and not _is_ready(answer, poll):
            place = _next(answer, poll, here, hosts) or place
            if not place:
                raise _fault("the answer is not ready, and says no address to ask again")
            told = retry_after_seconds(answer.headers.get("retry-after", ""), now=now())
            wait = poll.every_seconds if told is None else max(told, 0.0)
            if time.monotonic() + wait > ends:
                raise _fault(f"it was not ready within {poll.most_seconds:g} s", FailureKind.TIMEOUT)
            await asyncio.sleep(wait)
            came = await ask(place)
            if isinstance(came, WireFault):
                return came
            answer, here = came, place
        if not poll.result_at or answer.status_code not in _ON_THE_WAY:
            return answer
        result = _address(_value(answer, poll.result_at), here, hosts)
        if not result:
            raise _fault(f"it is ready, and there is no address of the data at {poll.result_at}")
        return await ask(result)
    except WireFault as fault:
        return fault


def _is_ready(answer: WireAnswer, poll: Poll) -> bool:
    if not poll.status_at:
        return answer.status_code == 200
    state = _value(answer, poll.status_at)
    shown = printable(str(state))[:_SHOWN]
    if str(state) in poll.failed:
        raise _fault(f"the vendor says that it is {shown!r}", FailureKind.ERROR_NOTE)
    return str(state) in poll.done


def _next(answer: WireAnswer, poll: Poll, here: str, hosts: Collection[str]) -> str:
    """The address that an answer says; empty where it says none."""
    said = answer.headers.get(poll.header.lower(), "") if poll.header else _value(answer, poll.at)
    return _address(said, here, hosts)


def _value(answer: WireAnswer, path: str) -> Any:
    try:
        return value_at(json.loads(answer.body), path)
    except (ValueError, RecursionError, Unreachable, PayloadRefused):
        raise _fault(f"an answer on the way holds nothing that could be read at {path}") from None


def _address(said: Any, here: str, hosts: Collection[str]) -> str:
    if not isinstance(said, str) or not said:
        return ""
    place = urljoin(here, said)
    parts = urlsplit(place)
    if parts.scheme not in ("http", "https") or (parts.scheme == "http" and here.startswith("https:")):
        raise _fault("it leads to an address without https", FailureKind.REDIRECT)
    if (parts.hostname or "") not in hosts:
        what = f"it leads to {printable(parts.hostname or '')[:_SHOWN]!r}, which is none of redirect_hosts"
        raise _fault(what, FailureKind.REDIRECT)
    return place


def _fault(what: str, kind: FailureKind = FailureKind.NOT_DATA) -> WireFault:
    return WireFault(kind, what, again=False)

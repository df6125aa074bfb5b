"""What all the datasets of a run share when they ask vendors.

Only this room imports aiohttp, stamina and pyrate-limiter.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Sequence
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sbf_core.clock import Clock
from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.http.accounts import Account, Accounts, Ready
from sbf_core.http.attempts import Deferred
from sbf_core.http.closures import Closures
from sbf_core.http.loop import RequestLoop
from sbf_core.http.vendor import Breaker
from sbf_core.runs.request import RunRequest
from sbf_core.settings.keys import Keys

if TYPE_CHECKING:
    from sbf_core.dataset.sign_in import SignIn
    from sbf_core.http.rates import RateBook
    from sbf_core.http.signer import Signer
    from sbf_core.http.wire import Wire

_SKEW_SECONDS_MAX = 3600
#: Limits of seconds and minutes are waited for; a budget of hours or days that is used up puts the rest off.
TURN_SECONDS_MAX = 90.0


class LiveSession:
    """Connections, keys, limits, breakers and what is known of earlier answers.

    ``VendorSession`` asks with it for one dataset.

    All asking happens in ``loop``.

    Args:
        clock: for the fetch times.
        files: where relative paths of file recipes start.
        keys: gives keys by name; those of the environment when absent.
        rates: the file that counts requests; None counts them in memory.
        ask_anyway: ask vendors who said to come back later.
        validators: gives what an address came with last, as (ETag, Last-Modified), each empty where it came without,
            or where the news that nothing changed would not be enough.
        logger: told what a user should know.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        files: Path,
        keys: Keys | None = None,
        rates: Path | None = None,
        ask_anyway: bool = False,
        validators: Callable[[RunRequest, str], tuple[str, str]] | None = None,
        logger: logging.Logger | None = None,
    ) -> None:
        self.clock = clock
        self.files = files
        self.keys = keys or Keys(files.parent)
        self._wire: Wire | None = None
        self.closures = Closures(rates, clock, ignored=ask_anyway)
        self._validators = validators
        self._rates_path = rates
        self._rates: RateBook | None = None
        self._limits: dict[str, list[str]] = {}
        self._turns: dict[str, list[str]] = {}
        self._breakers: dict[str, Breaker] = {}
        self._plan_refused: dict[str, str] = {}
        self._skewed: set[str] = set()
        self._signers: dict[str, list[tuple[SignIn, Signer]]] = {}
        self._lock = threading.Lock()
        self.logger = logger or logging.getLogger("sbf.http")
        self.rotating: dict[str, asyncio.Lock] = {}
        self.nonces: dict[str, int] = {}
        self.accounts = Accounts(clock, self.keys, self.logger)
        self.loop = RequestLoop(self.logger)

    def close(self) -> None:
        """Close the connections; requests under way give up."""
        self.loop.close(self._close_wire())
        if self._rates is not None:
            self._rates.close()

    @property
    def wire(self) -> Wire:
        """The connections. Ask for them in ``loop`` alone."""
        if self._wire is None:
            from sbf_core.http.wire import Wire  # 150 ms that a run which only reads files need not pay

            self._wire = Wire()
        return self._wire

    async def _close_wire(self) -> None:
        if self._wire is not None:
            await self._wire.close()

    def breaker(self, source: str) -> Breaker:
        """The breaker of a vendor."""
        with self._lock:
            return self._breakers.setdefault(source, Breaker())

    def signer(self, source: str, sign_in: SignIn) -> Signer:
        """Who signs in with a vendor; the same one for all its datasets that declare it so."""
        with self._lock:
            known = self._signers.setdefault(source, [])
            found = next((signer for declared, signer in known if declared == sign_in), None)
            if found is None:
                from sbf_core.http.sign_ins import signer_of  # few vendors want more than a key

                found = signer_of(self, source, sign_in)
                known.append((sign_in, found))
            return found

    def plan_refusal(self, entry: DatasetKeymapEntry) -> str:
        """Why the plan does not cover a dataset, once the vendor said so."""
        return self._plan_refused.get(entry.id, "")

    def refuse_plan(self, entry: DatasetKeymapEntry, reason: str) -> None:
        """Ask no more for a dataset that the plan does not cover."""
        with self._lock:
            self._plan_refused[entry.id] = reason

    def conditions(self, request: RunRequest, address: str) -> dict[str, str]:
        """Headers that ask for a payload only if it is another than the last one of this address."""
        etag, modified = ("", "") if self._validators is None else self._validators(request, address)
        return {name: value for name, value in (("if-none-match", etag), ("if-modified-since", modified)) if value}

    def add_limits(self, source: str, limits: Sequence[str], accounts: Sequence[Account] = ()) -> None:
        """Limits of a vendor; those of all its datasets hold together, and for each of its accounts alone.

        Raises ``UsageError`` where they contradict each other.
        """
        with self._lock:
            known, turns = self._limits.setdefault(source, []), self._turns.setdefault(source, [source])
            fresh = [limit for limit in limits if limit not in known]
            more = [account.turn for account in accounts if account.turn not in turns]
            known.extend(fresh)
            turns.extend(more)
            if not known or not (fresh or more):
                return
            if self._rates is None:
                from sbf_core.http.rates import RateBook  # 100 ms that only a vendor with a limit has to pay

                self._rates = RateBook(self._rates_path)
            for turn in turns if fresh else more:
                self._rates.declare(turn, known)

    async def wait_for_turn(self, source: str) -> None:
        """Wait until the vendor's limits allow one more request.

        Raises ``Deferred`` where a budget for hours or days is used up.
        """
        if self._rates is None:
            return
        while wait := self._rates.take(source):
            if wait > TURN_SECONDS_MAX:
                raise Deferred(wait)
            await asyncio.sleep(wait)

    async def next_of(self, ready: Sequence[Ready]) -> Ready:
        """The account to ask with, when its limits allow one more request. Raises ``Deferred`` as ``wait_for_turn``."""
        if len(ready) == 1:
            await self.wait_for_turn(ready[0].account.turn)
            return ready[0]
        while True:
            waits = []
            for one in self.accounts.usable(ready):
                wait = self._rates.take(one.account.turn) if self._rates is not None else 0.0
                if not wait:
                    return one
                if wait > TURN_SECONDS_MAX:
                    self.accounts.used_up(one.account)
                waits.append(wait)
            if min(waits) > TURN_SECONDS_MAX:
                raise Deferred(min(waits))
            await asyncio.sleep(min(waits))

    def look_at_clock(self, source: str, told: str) -> None:
        """Say once for each vendor that its clock and ours are far apart."""
        try:
            theirs = parsedate_to_datetime(told)
        except (ValueError, TypeError, IndexError):
            return
        if theirs.tzinfo is None or source in self._skewed:
            return
        seconds = (theirs - self.clock.now()).total_seconds()
        if abs(seconds) > _SKEW_SECONDS_MAX:
            self._skewed.add(source)
            self.logger.warning(
                "The clock of %s is %.1f h %s ours; is the clock of this machine right?",
                source,
                abs(seconds) / 3600,
                "ahead of" if seconds > 0 else "behind",
            )

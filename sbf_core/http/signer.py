"""What it is to sign in: a request goes in, and one that the vendor knows comes out."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Protocol

from sbf_core.clock import Clock
from sbf_core.failures import FailureKind
from sbf_core.http.redirects import Hop
from sbf_core.http.wire_answer import WireAnswer, WireFault
from sbf_core.settings.keys import Keys

if TYPE_CHECKING:
    from sbf_core.http.wire import Wire


class Shared(Protocol):
    """What signing in needs of the session of a run."""

    clock: Clock
    keys: Keys
    logger: logging.Logger
    #: By the name of a refresh token that rotates: two requests with one of them would lock each other out.
    rotating: dict[str, asyncio.Lock]
    #: The last nonce that a key has signed, by its name: however several datasets declare it, it is one row of numbers.
    nonces: dict[str, int]

    @property
    def wire(self) -> Wire:
        """The connections."""
        ...

    async def wait_for_turn(self, source: str) -> None:
        """Wait until the limits allow one more request."""
        ...


class Signer(Protocol):
    """Makes requests known to the vendor. Ask it in the loop."""

    @property
    def key_names(self) -> tuple[str, ...]:
        """Names of the keys."""
        ...

    async def signed(self, hop: Hop, *, deadline: float) -> tuple[Hop, float]:
        """The request as it is sent, and the seconds that were spent waiting for one's turn.

        Raises ``UsageError``, ``WireFault`` and ``Deferred``.
        """
        ...

    def renews(self, sent: Hop) -> bool:
        """The vendor refused a request with 401: whether another may fare better."""
        ...


def behind_redirect(answer: WireAnswer) -> WireFault:
    """Of a refusal by whom the vendor sent us to: nothing is said there of who asks."""
    what = "the vendor redirects, where neither token nor signature goes along"
    fix = "declare the address that it leads to"
    return WireFault(FailureKind.REDIRECT, f"{what}, and then answers HTTP {answer.status_code}; {fix}", again=False)

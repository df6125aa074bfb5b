"""From a request to its answer: whose turn it is, who signs, what is asked again, and where a redirect leads."""

from __future__ import annotations

import time
from collections.abc import Sequence

import attrs

from sbf_core.dataset.recipe import RestRecipe
from sbf_core.http.accounts import Ready
from sbf_core.http.attempts import with_attempts
from sbf_core.http.coding import SizeCaps
from sbf_core.http.live import LiveSession
from sbf_core.http.redirects import Hop, next_hop
from sbf_core.http.signer import behind_redirect
from sbf_core.http.wire_answer import WireAnswer, WireFault
from sbf_core.value import Entity


@attrs.define
class Asker(Entity):
    """Asks one request.

    Attributes:
        live: what all datasets share.
        recipe: how it wants to be asked.
        caps: the most that an answer may have.
        ready: the request, as each account sends it.
        deadline: moment of ``time.monotonic()`` at which the answer must be whole; waiting for one's turn puts it off,
            for that is no fault of the vendor.
    """

    live: LiveSession
    recipe: RestRecipe
    caps: SizeCaps
    ready: Sequence[Ready]
    deadline: float
    renewed: set[str] = attrs.Factory(set)

    async def answer(self) -> WireAnswer | WireFault:
        """What came, after all attempts. Raises ``Deferred`` and ``UsageError``."""
        try:
            return await with_attempts(self._once, deadline=self.deadline, now=self.live.clock.now)
        except WireFault as fault:
            return fault

    async def _once(self) -> WireAnswer:
        while True:
            asked = time.monotonic()
            one = await self.live.next_of(self.ready)
            self.deadline += time.monotonic() - asked
            sent = one.hop
            if one.signer is not None:
                try:
                    sent, waited = await one.signer.signed(one.hop, deadline=self.deadline)
                except WireFault as fault:
                    if fault.for_good and self.live.accounts.leaves(one, self.ready, fault.what):
                        continue
                    later = self.live.accounts.later(self.ready) if fault.for_good else None
                    if later is None:
                        raise
                    return later
                self.deadline += waited
            answer = await self._sent(sent, foreign=False)
            if answer.status_code == 401 and one.signer is not None and one.account.turn not in self.renewed:
                self.renewed.add(one.account.turn)
                if one.signer.renews(sent):
                    continue
            if self.live.accounts.sets_aside(one, self.ready, answer):
                continue
            return await self._led_on(one, self.live.accounts.soonest(self.ready, answer))

    async def _led_on(self, one: Ready, answer: WireAnswer) -> WireAnswer:
        """Where redirects lead to. What signs in goes along with none."""
        here = one.hop
        while (onward := next_hop(here, answer, hosts=self.recipe.redirect_hosts)) is not None:
            here = onward
            asked = time.monotonic()
            await self.live.wait_for_turn(one.account.turn)
            self.deadline += time.monotonic() - asked
            answer = await self._sent(here, foreign=here.foreign)
        if here.number and answer.status_code == 401 and one.signer is not None:
            raise behind_redirect(answer)
        return answer

    async def _sent(self, hop: Hop, *, foreign: bool) -> WireAnswer:
        return await self.live.wire.get(
            hop.url, hop.headers, deadline=self.deadline, caps=self.caps, public_only=foreign, body=hop.body
        )

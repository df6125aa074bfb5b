"""The accounts that one has with a vendor: each has keys and limits of its own, and they are used in turn."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Mapping, Sequence

import attrs

from sbf_core.clock import Clock
from sbf_core.dataset.recipe import RestRecipe
from sbf_core.http.attempts import retry_after_seconds
from sbf_core.http.redirects import Hop
from sbf_core.http.signer import Signer
from sbf_core.http.wire_answer import WireAnswer
from sbf_core.settings.keys import Keys
from sbf_core.value import Value

#: How long an account that is used up is left alone, where the vendor does not say.
_REST_SECONDS = 60.0
_NEVER = dt.datetime.max.replace(tzinfo=dt.UTC)


@attrs.frozen(kw_only=True)
class Account(Value):
    """One set of keys.

    Attributes:
        turn: under which name its requests are counted.
        label: the names of the keys that are its own, for messages; empty for a vendor's only account.
        names: which of them stand in the place of which.
    """

    turn: str
    label: str = ""
    names: Mapping[str, str] = attrs.field(factory=dict)

    def of(self, declared: Mapping[str, str]) -> dict[str, str]:
        """Fields and the names of their keys, as they are for this account."""
        return {field: self.names.get(name, name) for field, name in declared.items()}


@attrs.frozen(kw_only=True)
class Ready(Value):
    """A request as one account sends it."""

    account: Account
    hop: Hop
    signer: Signer | None = None


def accounts_of(source: str, recipe: RestRecipe) -> tuple[Account, ...]:
    """All accounts that a recipe declares. What was counted before there were several stays with the first."""
    if not recipe.further_keys:
        return (Account(turn=source),)
    replaced = dict.fromkeys(name for names in recipe.further_keys for name in names)
    further = (
        Account(turn=f"{source}-{next(iter(names.values()))}", label=", ".join(names.values()), names=names)
        for names in recipe.further_keys
    )
    return Account(turn=source, label=", ".join(replaced)), *further


class Accounts:
    """Which accounts of all vendors are set, used up or refused, in one run. Everything but ``are_set`` belongs to the
    loop.

    Args:
        clock: the present moment.
        keys: of the home.
        logger: told which keys are not used any more, by their names.
    """

    def __init__(self, clock: Clock, keys: Keys, logger: logging.Logger) -> None:
        self._clock = clock
        self._keys = keys
        self._logger = logger
        self._until: dict[str, dt.datetime] = {}
        self._told: set[tuple[str, str]] = set()
        self._turns: dict[str, int] = {}

    def that_are_set(self, recipe: RestRecipe, accounts: Sequence[Account]) -> tuple[Account, ...]:
        """Those whose keys are all there; the first where none is, so that its key is named."""
        if len(accounts) == 1:
            return tuple(accounts)
        found = []
        for account, names in zip(accounts, recipe.key_sets, strict=True):
            missing = next((name for name in names if not self._keys.is_set(name)), "")
            if not missing:
                found.append(account)
            elif self._is_new(account, "unset"):
                self._logger.info("The key %s is not set; the others of its vendor are used.", missing)
        return tuple(found) or (accounts[0],)

    def usable(self, ready: Sequence[Ready]) -> list[Ready]:
        """Those to ask with, the next first; where all are used up, the one that is free soonest."""
        now = self._clock.now()
        free = [one for one in ready if self._rest(one, now) <= 0]
        if not free:
            return [min(ready, key=lambda one: self._rest(one, now))]
        source = ready[0].account.turn
        at = self._turns[source] = self._turns.get(source, -1) + 1
        return free[at % len(free) :] + free[: at % len(free)]

    def leaves(self, one: Ready, ready: Sequence[Ready], why: str) -> bool:
        """Ask no more with an account that gets no token; whether another is there to be asked with at once."""
        if len(ready) == 1:
            return False
        self._until[one.account.turn] = _NEVER
        if self._is_new(one.account, "no token"):
            self._logger.warning("The key %s is not used any more: %s", one.account.label, why)
        now = self._clock.now()
        return any(self._rest(other, now) <= 0 for other in ready)

    def sets_aside(self, one: Ready, ready: Sequence[Ready], answer: WireAnswer) -> bool:
        """Leave an account alone that a vendor refuses; whether another is there to be asked with at once."""
        now, status = self._clock.now(), answer.status_code
        if len(ready) == 1 or status not in (401, 429):
            return False
        if status == 401:
            self._until[one.account.turn] = _NEVER
            told = "is refused"
        else:
            wait = retry_after_seconds(answer.headers.get("retry-after", ""), now=now) or _REST_SECONDS
            self._until[one.account.turn] = now + dt.timedelta(seconds=min(wait, 86400.0))
            told = "is used up"
        others = any(self._rest(other, now) <= 0 for other in ready)
        if self._is_new(one.account, told):
            rest = "the others of its vendor are used" if others else "so are the others of its vendor"
            self._logger.warning("The key %s %s (HTTP %d); %s.", one.account.label, told, status, rest)
        return others

    def used_up(self, account: Account) -> None:
        """Say that the declared limits allow no request with an account, while they do with another."""
        if self._is_new(account, "limits"):
            self._logger.warning("The limits of the key %s are used up; the others are used.", account.label)

    def soonest(self, ready: Sequence[Ready], answer: WireAnswer) -> WireAnswer:
        """The refusal of the last account, which says when the first of them is free again: also where the last one is
        refused, and another only used up.
        """
        later = self.later(ready) if answer.status_code in (401, 429) else None
        return answer if later is None else attrs.evolve(later, headers={**answer.headers, **later.headers})

    def later(self, ready: Sequence[Ready]) -> WireAnswer | None:
        """What an account that is only used up would answer, with when it is free again; None where there is none."""
        now = self._clock.now()
        waits = [self._rest(one, now) for one in ready if self._until.get(one.account.turn) != _NEVER]
        if len(ready) == 1 or not waits:
            return None
        headers = {"retry-after": f"{max(1, min(waits)):.0f}"}
        return WireAnswer(status_code=429, headers=headers, body=b"", wire_bytes=0)

    def _rest(self, one: Ready, now: dt.datetime) -> float:
        until = self._until.get(one.account.turn)
        return 0.0 if until is None else (until - now).total_seconds()

    def _is_new(self, account: Account, what: str) -> bool:
        is_new = (account.turn, what) not in self._told
        self._told.add((account.turn, what))
        return is_new

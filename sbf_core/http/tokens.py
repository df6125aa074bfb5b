"""Tokens: got once for all requests that want one, held in memory, and got anew when they are over.

One request for a token is under way at a time, however many wait for it, and all of them share what comes of it: a
server of tokens that is down would else be waited for by one request after the other.
"""

from __future__ import annotations

import asyncio
import base64
import datetime as dt
import time
from urllib.parse import quote_plus, urlsplit

import attrs

from sbf_core.dataset.request_body import RequestBody
from sbf_core.dataset.sign_in import Login, RefreshToken
from sbf_core.errors import EnvironmentFault, SbfError
from sbf_core.failures import FailureKind
from sbf_core.http.addresses import with_hidden
from sbf_core.http.attempts import Deferred, with_attempts
from sbf_core.http.coding import SizeCaps
from sbf_core.http.redirects import Hop
from sbf_core.http.signer import Shared
from sbf_core.http.token_answer import TokenAnswer, TokenSource, new_refresh_token, read_token
from sbf_core.http.wire_answer import WireAnswer, WireFault
from sbf_core.secret import Secret
from sbf_core.value import Value

_CAPS = SizeCaps(wire_bytes=256 * 1024, decoded_bytes=1024**2)
#: Of one request among many these say nothing of the vendor; of the one for a token, that there will be none.
_ODD = frozenset({FailureKind.TOO_LARGE, FailureKind.CODING, FailureKind.EXTRA_BYTES, FailureKind.REQUEST})
#: A token is got anew so long before its end, that it does not end on the way; of a short life, a tenth of it.
_MARGIN_SECONDS_MAX = 30.0


@attrs.frozen(kw_only=True)
class _Token(Value):
    """A token, and from when on it is not used any more; None: until the vendor refuses it."""

    value: str = attrs.field(repr=False)
    over_at: dt.datetime | None


class Tokens:
    """The tokens of one vendor and declaration. Everything in it belongs to the loop.

    Args:
        shared: what all datasets share.
        source: the vendor, whose limits requests for tokens count to.
        declared: how a token is got.
    """

    def __init__(self, shared: Shared, source: str, declared: TokenSource) -> None:
        self._shared = shared
        self._source = source
        self._declared = declared
        self._token: _Token | None = None
        self._refused: WireFault | None = None
        self._asked: asyncio.Task[_Token | WireFault | Deferred | SbfError] | None = None
        self._waited = 0.0
        self._has_warned = False

    @property
    def key_names(self) -> tuple[str, ...]:
        """Names of the keys."""
        return self._declared.key_names

    async def signed(self, hop: Hop, *, deadline: float) -> tuple[Hop, float]:
        """A request with the token, and the seconds that were spent waiting for one's turn.

        Raises:
            UsageError: a key is not set.
            WireFault: there is no token.
            Deferred: the vendor wants a longer wait than a run has.
        """
        token, waited = await self._current(deadline)
        return with_token(hop, self._declared, token), waited

    def renews(self, sent: Hop) -> bool:
        """The vendor refused a request: whether another may fare better, with another token."""
        if self._token is not None and sent == with_token(sent, self._declared, self._token.value):
            self._token = None  # else another request was quicker
        return True

    async def _current(self, deadline: float) -> tuple[str, float]:
        if self._refused is not None:
            raise self._refused.with_traceback(None)
        token = self._token
        if token is not None and (token.over_at is None or self._shared.clock.now() < token.over_at):
            return token.value, 0.0
        if self._asked is None or self._asked.done():
            self._asked = asyncio.ensure_future(self._got(deadline))
        outcome = await asyncio.shield(self._asked)
        if isinstance(outcome, Exception):
            raise outcome.with_traceback(None)
        return outcome.value, self._waited

    async def _got(self, deadline: float) -> _Token | WireFault | Deferred | SbfError:
        """Ask for a token. Raises nothing: those who wait are told."""
        declared, began = self._declared, self._shared.clock.now()
        try:
            if isinstance(declared, RefreshToken) and declared.rotates:
                async with self._shared.rotating.setdefault(declared.refresh_token, asyncio.Lock()):
                    came = await self._asked_for(deadline)
            else:
                came = await self._asked_for(deadline)
        except EnvironmentFault as error:  # the keyring: other vendors fare no worse
            self._refused = WireFault(FailureKind.SIGN_IN, str(error), again=False, for_good=True)
            return self._refused
        except WireFault as fault:
            self._refused = fault if fault.for_good else None
            return fault
        except (Deferred, SbfError) as error:
            return error
        self._token = _Token(value=came.token, over_at=_over_at(began, came.lives_seconds))
        return self._token

    async def _asked_for(self, deadline: float) -> TokenAnswer:
        """A token, with what must be kept of its answer put away."""
        hop = await asyncio.to_thread(self._request)  # a keyring may take its time
        host, self._waited = urlsplit(hop.url).netloc, 0.0

        async def once() -> WireAnswer:
            asked = time.monotonic()
            await self._shared.wait_for_turn(self._source)
            self._waited += time.monotonic() - asked
            return await self._shared.wire.get(
                hop.url, hop.headers, deadline=deadline + self._waited, caps=_CAPS, body=hop.body
            )

        answer = await with_attempts(once, deadline=deadline, now=self._shared.clock.now)
        if isinstance(answer, WireFault):  # without its evidence: that is no payload
            kind = FailureKind.SIGN_IN if answer.kind in _ODD else answer.kind
            raise WireFault(kind, f"no token from {host}: {answer.what}", again=False)
        await self._keep(new_refresh_token(answer))
        return read_token(answer, self._declared, host=host, now=self._shared.clock.now())

    async def _keep(self, fresh: str) -> None:
        """Put away a new refresh token, before anything else of the answer is looked at."""
        declared = self._declared
        if not isinstance(declared, RefreshToken) or not fresh:
            return
        if declared.rotates:
            await asyncio.to_thread(self._shared.keys.keep, declared.refresh_token, fresh)
        elif not self._has_warned and fresh != self._value(declared.refresh_token):
            self._has_warned = True
            self._shared.logger.warning(
                "%s gives a new refresh token for %s each time: if the old one is void then, declare rotates=True",
                self._source,
                declared.refresh_token,
            )

    def _request(self) -> Hop:
        """The request for a token. Raises ``UsageError`` where a key is not set, or cannot be kept."""
        declared = self._declared
        headers = {"user-agent": "sbf", "accept-encoding": "gzip", "accept": "application/json"}
        if isinstance(declared, Login):
            body = declared.body
            sent = body.sent({field: self._value(name) for field, name in declared.secrets.items()})
            return Hop(url=declared.url, headers={**headers, "content-type": body.content_type}, body=sent)
        fields = {"grant_type": declared.kind, **declared.extra}
        if isinstance(declared, RefreshToken):
            fields["refresh_token"] = refresh = self._value(declared.refresh_token)
            if declared.rotates:
                self._shared.keys.keep(declared.refresh_token, refresh)  # if it cannot, nothing is lost yet
        elif declared.audience:
            fields["audience"] = declared.audience
        if declared.scope:
            fields["scope"] = declared.scope
        client = self._value(declared.client_id)
        secret = self._value(declared.client_secret) if declared.client_secret else ""
        if declared.client_in == "body" or not secret:
            fields |= {"client_id": client} | ({"client_secret": secret} if secret else {})
        else:
            headers["authorization"] = self._basic(client, secret)
        body = RequestBody.of_form(fields)
        return Hop(url=declared.token_url, headers={**headers, "content-type": body.content_type}, body=body.sent({}))

    def _basic(self, client: str, secret: str) -> str:
        """RFC 6749, section 2.3.1: both are form-encoded before they are joined; many vendors do not undo that."""
        declared = self._declared
        assert not isinstance(declared, Login)
        if declared.client_in == "basic":
            client, secret = quote_plus(client), quote_plus(secret)
        coded = base64.b64encode(f"{client}:{secret}".encode()).decode()
        return f"Basic {Secret(coded, name=declared.client_secret).reveal()}"

    def _value(self, name: str) -> str:
        return self._shared.keys.get(name, blanks=True).reveal()


def with_token(hop: Hop, declared: TokenSource, token: str) -> Hop:
    """A request with a token where the vendor wants it; as it is where that is there already."""
    if isinstance(declared, Login) and declared.parameter:
        return attrs.evolve(hop, url=with_hidden(hop.url, {declared.parameter: token}))
    name, value = declared.header.lower(), f"{declared.scheme} {token}".lstrip()
    if isinstance(declared, Login) and declared.given_in == "cookie":
        others = hop.headers.get("cookie", "").split("; ")
        kept = [one for one in others if one and not one.startswith(f"{declared.token_at}=")]
        name, value = "cookie", "; ".join([*kept, f"{declared.token_at}={token}"])
    return attrs.evolve(hop, headers={**hop.headers, name: value}, secret_headers=hop.secret_headers | {name})


def _over_at(began: dt.datetime, lives_seconds: float | None) -> dt.datetime | None:
    if lives_seconds is None:
        return None
    return began + dt.timedelta(seconds=lives_seconds - min(_MARGIN_SECONDS_MAX, lives_seconds / 10))

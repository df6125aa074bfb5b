"""The session of one dataset: how its vendor wants to be asked, and what an answer is worth."""

from __future__ import annotations

import asyncio
import datetime as dt
import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Unpack

import attrs

from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.dataset.recipe import RestRecipe
from sbf_core.dataset.request_body import RequestBody
from sbf_core.failures import FailureKind
from sbf_core.http.accounts import Account, Ready, accounts_of
from sbf_core.http.addresses import is_same_place
from sbf_core.http.asker import Asker
from sbf_core.http.attempts import AGAIN_STATUSES, Deferred
from sbf_core.http.coding import SizeCaps
from sbf_core.http.content import EVIDENCE_BYTES_MAX, short_note, speaks_of_plan, too_large, why_no_data
from sbf_core.http.files import files_of
from sbf_core.http.first_hop import first_hop
from sbf_core.http.http_mark import vendor_conditions
from sbf_core.http.live import LiveSession
from sbf_core.http.loop import LOOP_BYTES_MAX, LoopClosed
from sbf_core.http.session import Asking
from sbf_core.http.vendor import Breaker
from sbf_core.http.wire_answer import WireAnswer, WireFault
from sbf_core.runs.request import RunRequest
from sbf_core.runs.result import NOTHING, RunResult, check_length
from sbf_core.value import Value

_KEPT_HEADERS = ("content-type", "content-encoding", "last-modified", "etag", "date")
_DEFAULTS = RestRecipe(url="https://localhost/")
#: What says nothing of how the vendor fares.
_OF_ONE_REQUEST = frozenset(
    {
        FailureKind.REDIRECT,
        FailureKind.REQUEST,
        FailureKind.TOO_LARGE,
        FailureKind.CODING,
        FailureKind.EXTRA_BYTES,
        FailureKind.CLOSED,
    }
)


class VendorSession:
    """What the fetcher of one dataset gets: ``get`` and ``read``; ``ask`` is ``get`` in the loop.

    Args:
        live: what all datasets share.
        entry: the dataset.
        as_declared: its payloads are read as the declaration says.
        may_ask_for_changes: a request has one answer, so that the news that nothing changed is enough. Of a set of
            pages all must come.
        also_kept: headers that answers keep beside those that every answer keeps, in small letters.
    """

    def __init__(
        self, live: LiveSession, entry: DatasetKeymapEntry, *, as_declared: bool = True,
        may_ask_for_changes: bool = True, also_kept: Sequence[str] = (),
    ) -> None:  # fmt: skip
        self._live = live
        self._entry = entry
        self._as_declared = as_declared
        self._recipe = entry.recipe if isinstance(entry.recipe, RestRecipe) else _DEFAULTS
        self._may_ask_for_changes = may_ask_for_changes and not self._recipe.makes_sets and self._recipe.poll is None
        self._kept_headers = (
            *_KEPT_HEADERS,
            *also_kept,
            *(self._recipe.pages.kept_headers if self._recipe.pages else ()),
        )
        self._accounts = accounts_of(entry.source, self._recipe)
        self._set: tuple[Account, ...] | None = None
        live.add_limits(entry.source, self._recipe.limits, self._accounts)
        bytes_max = self._recipe.mebibytes_max * 1024**2
        self._caps = SizeCaps(wire_bytes=bytes_max, decoded_bytes=bytes_max)
        self.files = files_of(entry, live, as_declared=as_declared, session=self)

    def get(self, request: RunRequest, url: str, **asking: Unpack[Asking]) -> RunResult:
        """See ``FetchSession.get``; not for the loop itself. Raises ``UsageError`` where a key is not set."""
        try:
            return self._live.loop.result(self.ask(request, url, **asking))
        except LoopClosed:
            called, extension = _called(url, asking.get("body")), asking.get("extension", "json")
            asked = _Asked(request=request, address=called, extension=extension)
            return self._failed(asked, FailureKind.CLOSED, "the session is closed")

    async def ask(
        self,
        request: RunRequest,
        url: str,
        *,
        extension: str = "json",
        headers: Mapping[str, str] | None = None,
        secrets: Mapping[str, str] | None = None,
        secret_headers: Mapping[str, str] | None = None,
        mirrors: tuple[str, ...] = (),
        body: RequestBody | None = None,
    ) -> RunResult:
        """See ``FetchSession.get``. Raises ``UsageError`` where a key is not set, or too much is asked at once."""
        del mirrors  # they are for replays
        check_length(request, _called(url, body))  # an answer that no journal can hold is not asked for
        ready = [
            self._ready(account, url, headers or {}, secrets or {}, secret_headers or {}, body)
            for account in self._accounts_set()
        ]
        keys = (secrets or {}, secret_headers or {}, {} if body is None else body.secrets)
        named = [name for one in ready for each in keys for name in one.account.of(each).values()]
        named += [name for one in ready if one.signer is not None for name in one.signer.key_names]
        key_names = tuple(dict.fromkeys(named))
        if not key_names:  # a place that gets no key says nothing of one
            ready = ready[:1]
        asked = _Asked(request=request, address=_called(url, body), extension=extension, key_names=key_names)
        refusal = self._live.plan_refusal(self._entry)
        if refusal:
            return self._failed(asked, FailureKind.PLAN, refusal)
        breaker = self._live.breaker(self._entry.source)
        refusal = breaker.refusal()
        if refusal:
            return self._failed(asked, FailureKind.NOT_ASKED, f"{self._entry.source} was not asked: {refusal}")
        closed = self._live.closures.seconds_left(self._entry.id)
        if closed:
            return self._deferred(asked, closed)
        asks_for_changes = self._may_ask_for_changes and body is None  # RFC 9110 knows that of GET alone
        conditions = self._live.conditions(request, url) if asks_for_changes else {}
        if conditions and self._entry.each_file is not None:
            conditions = vendor_conditions(conditions)
        if conditions:
            ready = [_with_headers(one, conditions) for one in ready]
        asker = Asker(
            live=self._live,
            recipe=self._recipe,
            caps=self._caps,
            ready=ready,
            deadline=time.monotonic() + self._recipe.deadline_seconds,
        )
        try:
            answer = await asker.answer()
        except Deferred as error:
            if error.by_vendor:
                self._live.closures.close(self._entry.id, error.seconds)
            return self._deferred(asked, error.seconds)
        if self._recipe.poll is not None and isinstance(answer, WireAnswer):
            answer = await self._polled(answer, url, headers or {}, secrets or {}, secret_headers or {})
        if isinstance(answer, WireFault):
            if answer.kind not in _OF_ONE_REQUEST:
                breaker.failed(answer.what, for_good=answer.for_good)
            return self._failed(asked, answer.kind, answer.what, evidence=b"" if answer.again else answer.evidence)
        return await self._judged(asked, answer, breaker, conditional=bool(conditions))

    async def _polled(
        self, first: WireAnswer, url: str, headers: Mapping[str, str], secrets: Mapping[str, str],
        secret_headers: Mapping[str, str],
    ) -> WireAnswer | WireFault:  # fmt: skip
        """What the vendor makes ready. Keys go to the recipe's own place only."""
        from sbf_core.http.polling import polled  # few recipes wait so

        assert self._recipe.poll is not None

        async def ask(place: str) -> WireAnswer | WireFault:
            keys = (secrets, secret_headers) if is_same_place(place, url) else ({}, {})
            ready = [self._ready(account, place, headers, *keys, None) for account in self._accounts_set()]
            deadline = time.monotonic() + self._recipe.deadline_seconds
            asker = Asker(live=self._live, recipe=self._recipe, caps=self._caps, ready=ready, deadline=deadline)
            return await asker.answer()

        hosts = self._recipe.redirect_hosts
        return await polled(first, self._recipe.poll, url, ask, hosts=hosts, now=self._live.clock.now)

    def read(
        self, request: RunRequest, path: str, *, extension: str = "csv", mirrors: tuple[str, ...] = ()
    ) -> RunResult:
        """See ``FetchSession.read``."""
        del mirrors
        return self.files.read(request, path, extension=extension)

    def recorded(self, request: RunRequest, address: str, *, extension: str) -> RunResult | None:
        """See ``FetchSession.recorded``."""
        return None

    def read_in_place(self, request: RunRequest, path: str, *, extension: str) -> RunResult:
        """As ``read``; of a large file the result names it, see ``RunResult.payload_file``."""
        return self.files.read(request, path, extension=extension, in_place=True)

    def _accounts_set(self) -> tuple[Account, ...]:
        """Those whose keys are there, looked for once."""
        if self._set is None:
            self._set = self._live.accounts.that_are_set(self._recipe, self._accounts)
        return self._set

    def _ready(
        self, account: Account, url: str, headers: Mapping[str, str], secrets: Mapping[str, str],
        secret_headers: Mapping[str, str], body: RequestBody | None,
    ) -> Ready:  # fmt: skip
        """A request as one account sends it. Who signs in does so at the recipe's own place only."""
        sign_in = self._recipe.sign_in
        signer = None
        if sign_in is not None and is_same_place(url, self._recipe.url):
            signer = self._live.signer(account.turn, sign_in.renamed(account.names))
        if body is not None and body.secrets:
            body = attrs.evolve(body, secrets=account.of(body.secrets))
        hop = first_hop(self._live.keys, url, headers, account.of(secrets), account.of(secret_headers), body)
        return Ready(account=account, hop=hop, signer=signer)

    async def _judged(self, asked: _Asked, answer: WireAnswer, breaker: Breaker, *, conditional: bool) -> RunResult:
        """What an answer is: a payload, the news that nothing changed, or no data."""
        status = answer.status_code
        if "date" in answer.headers:
            self._live.look_at_clock(self._entry.source, answer.headers["date"])
        if status == 304 and conditional:
            breaker.succeeded()
            return self._result(asked, answer, not_modified=True)
        said = too_large(self._entry, self._recipe.cells, status, answer.body) if self._recipe.cells else ""
        if said:
            breaker.succeeded()  # whatever its status: the vendor read the question
            return self._failed(asked, FailureKind.QUERY_TOO_LARGE, said, status_code=status)
        if status in self._entry.is_data.none_status:
            breaker.succeeded()
            return attrs.evolve(self._result(asked, answer), kind=NOTHING)
        if status != 200:
            return self._refused(asked, answer, breaker)
        breaker.succeeded()
        fields: tuple[str, ...] = ()
        unreadable = None
        if self._recipe.secret_fields and answer.body:
            from sbf_core.http.masking import masked_answer  # most datasets declare none

            answer, fields, unreadable = await masked_answer(answer, self._recipe.secret_fields)
        cut = "content-length" not in answer.headers and "transfer-encoding" not in answer.headers
        looked_at = partial(
            why_no_data, self._entry, answer.body, asked.extension, as_declared=self._as_declared, may_be_cut=cut
        )
        why = looked_at() if len(answer.body) <= LOOP_BYTES_MAX else await asyncio.to_thread(looked_at)
        why = why or unreadable
        if why is None:
            return attrs.evolve(self._result(asked, answer, payload=answer.body), masked=fields)
        kind, text = why
        if kind is FailureKind.PLAN:
            self._live.refuse_plan(self._entry, text)
        return self._failed(asked, kind, text + self._time_note(answer), status_code=status, evidence=answer.body)

    def _time_note(self, answer: WireAnswer) -> str:
        """What to add where the vendor refuses a signed request for the time that it was signed at."""
        if self._recipe.sign_in is None or self._recipe.sign_in.kind != "signature":
            return ""
        from sbf_core.http.signing import clock_note

        return clock_note(answer.headers.get("date", ""), answer.body, self._live.clock.now())

    def _refused(self, asked: _Asked, answer: WireAnswer, breaker: Breaker) -> RunResult:
        """A status that is no success."""
        status, names = answer.status_code, ", ".join(asked.key_names)
        text = f"HTTP {status}"
        if status == 402 or (status in (401, 403) and speaks_of_plan(self._entry, answer.body)):
            text = f"the plan does not cover it (HTTP {status})"
            self._live.refuse_plan(self._entry, text)
            breaker.succeeded()
            return self._failed(asked, FailureKind.PLAN, text, status_code=status)
        if status == 401:
            text = (
                f"HTTP 401: the vendor does not accept the key {names}" if names else "HTTP 401: the vendor wants a key"
            )
            breaker.failed(text, for_good=bool(names))
        elif status in AGAIN_STATUSES or status >= 500 or status == 403:
            breaker.failed(text)
        else:
            breaker.succeeded()
            said = short_note(answer.body)
            text = f"{text}: the vendor says {said}" if said else text
        text += self._time_note(answer) if status < 500 else ""
        return self._failed(asked, FailureKind.HTTP_STATUS, text, status_code=status)

    def _result(
        self, asked: _Asked, answer: WireAnswer, *, payload: bytes = b"", not_modified: bool = False
    ) -> RunResult:
        return RunResult(
            request=asked.request,
            address=asked.address,
            payload=payload,
            extension=asked.extension,
            fetched_at=self._live.clock.now(),
            status_code=answer.status_code,
            headers={name: answer.headers[name] for name in self._kept_headers if name in answer.headers},
            elapsed_seconds=time.monotonic() - asked.began,
            not_modified=not_modified,
        )

    def _deferred(self, asked: _Asked, seconds: float) -> RunResult:
        return self._failed(
            asked,
            FailureKind.DEFERRED,
            f"{self._entry.source} allows the next request in {_duration(seconds)} only; "
            "a run after that goes on, --force asks now",
        )

    def _failed(
        self, asked: _Asked, kind: FailureKind, error: str, *, status_code: int | None = None, evidence: bytes = b""
    ) -> RunResult:
        return RunResult(
            request=asked.request,
            address=asked.address,
            extension=asked.extension,
            fetched_at=self._live.clock.now(),
            status_code=status_code,
            elapsed_seconds=time.monotonic() - asked.began,
            error=error,
            kind=kind,
            evidence=evidence[:EVIDENCE_BYTES_MAX],
        )


@attrs.frozen(kw_only=True)
class _Asked(Value):
    """What was asked, and since when."""

    request: RunRequest
    address: str
    extension: str
    key_names: tuple[str, ...] = ()
    began: float = attrs.field(factory=time.monotonic)


def _with_headers(ready: Ready, headers: Mapping[str, str]) -> Ready:
    return attrs.evolve(ready, hop=attrs.evolve(ready.hop, headers={**ready.hop.headers, **headers}))


def _called(url: str, body: RequestBody | None) -> str:
    """The address by which a request is known."""
    return url if body is None else body.address(url)


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else str(dt.timedelta(seconds=round(seconds)))

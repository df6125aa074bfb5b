"""The session of one dataset: how its vendor wants to be asked, and what an answer is worth."""

from __future__ import annotations

import asyncio
import datetime as dt
import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Unpack
from urllib.parse import parse_qsl, urlencode, urlsplit

import attrs

from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.dataset.recipe import RestRecipe
from sbf_core.dataset.request_body import RequestBody
from sbf_core.errors import UsageError
from sbf_core.failures import FailureKind
from sbf_core.http.attempts import AGAIN_STATUSES, Deferred, with_attempts
from sbf_core.http.coding import SizeCaps
from sbf_core.http.content import EVIDENCE_BYTES_MAX, short_note, speaks_of_plan, why_no_data
from sbf_core.http.files import files_of
from sbf_core.http.live import LiveSession
from sbf_core.http.loop import LOOP_BYTES_MAX, LoopClosed
from sbf_core.http.redirects import Hop, next_hop
from sbf_core.http.session import Asking
from sbf_core.http.vendor import Breaker
from sbf_core.http.wire_answer import WireAnswer, WireFault
from sbf_core.runs.request import RunRequest
from sbf_core.runs.result import NOTHING, RunResult, check_length
from sbf_core.value import Value

_KEPT_HEADERS = ("content-type", "content-encoding", "last-modified", "etag", "date")
_DEFAULTS = RestRecipe(url="https://localhost/")
_USER_AGENT = "sbf"
#: Headers whose value is several words: a name and a contact, a scheme and a token.
_WORDY_HEADERS = ("user-agent", "authorization")
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
        self._may_ask_for_changes = may_ask_for_changes and not self._recipe.makes_sets
        self._kept_headers = (
            *_KEPT_HEADERS,
            *also_kept,
            *(self._recipe.pages.kept_headers if self._recipe.pages else ()),
        )
        live.add_limits(entry.source, self._recipe.limits)
        bytes_max = self._recipe.mebibytes_max * 1024**2
        self._caps = SizeCaps(wire_bytes=bytes_max, decoded_bytes=bytes_max)
        self.files = files_of(entry, live, as_declared=as_declared)

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
        keys = (secrets or {}, secret_headers or {}, {} if body is None else body.secrets)
        key_names = tuple(name for each in keys for name in each.values())
        asked = _Asked(request=request, address=_called(url, body), extension=extension, key_names=key_names)
        check_length(request, asked.address)  # an answer that no journal can hold is not asked for
        hop = self._first_hop(url, headers or {}, keys[0], keys[1], body)
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
        try:
            answer = await self._answer(attrs.evolve(hop, headers={**hop.headers, **conditions}))
        except Deferred as error:
            if error.by_vendor:
                self._live.closures.close(self._entry.id, error.seconds)
            return self._deferred(asked, error.seconds)
        if isinstance(answer, WireFault):
            if answer.kind not in _OF_ONE_REQUEST:
                breaker.failed(answer.what)
            return self._failed(asked, answer.kind, answer.what, evidence=b"" if answer.again else answer.evidence)
        return await self._judged(asked, answer, breaker, conditional=bool(conditions))

    def read(
        self, request: RunRequest, path: str, *, extension: str = "csv", mirrors: tuple[str, ...] = ()
    ) -> RunResult:
        """See ``FetchSession.read``."""
        del mirrors
        return self.files.read(request, path, extension=extension)

    def read_in_place(self, request: RunRequest, path: str, *, extension: str) -> RunResult:
        """As ``read``; of a large file the result names it, see ``RunResult.payload_file``."""
        return self.files.read(request, path, extension=extension, in_place=True)

    def _first_hop(
        self, url: str, headers: Mapping[str, str], secrets: Mapping[str, str], secret_headers: Mapping[str, str],
        body: RequestBody | None,
    ) -> Hop:  # fmt: skip
        hidden = self._revealed(secret_headers)
        usual = {"user-agent": _USER_AGENT, "accept-encoding": "gzip", "accept": "*/*"}
        if body is not None and body.content_type:
            usual["content-type"] = body.content_type
        sent = {**usual, **{name.lower(): value for name, value in {**headers, **hidden}.items()}}
        wrong = next((name for name, value in sent.items() if not value.isascii() or not value.isprintable()), None)
        if wrong is not None:
            raise UsageError(
                f"header {wrong} holds a character that a header cannot",
                where=url,
                fix="set that key again",
                code="KEY",
            )
        return Hop(
            url=_with_parameters(url, self._revealed(secrets)),
            headers=sent,
            secret_headers=frozenset(name.lower() for name in hidden),
            body=None if body is None else body.sent(self._revealed(body.secrets)),
        )

    def _revealed(self, names: Mapping[str, str]) -> dict[str, str]:
        return {
            name: self._live.keys.get(key, blanks=name.lower() in _WORDY_HEADERS).reveal()
            for name, key in names.items()
        }

    async def _answer(self, hop: Hop) -> WireAnswer | WireFault:
        deadline = time.monotonic() + self._recipe.deadline_seconds

        async def once() -> WireAnswer:
            nonlocal deadline
            here = hop
            while True:
                asked = time.monotonic()
                await self._live.wait_for_turn(self._entry.source)
                deadline += time.monotonic() - asked  # waiting for one's turn is no fault of the vendor
                answer = await self._live.wire.get(
                    here.url, here.headers, deadline=deadline, caps=self._caps, public_only=here.foreign, body=here.body
                )
                onward = next_hop(here, answer, hosts=self._recipe.redirect_hosts)
                if onward is None:
                    return answer
                here = onward

        try:
            return await with_attempts(once, deadline=deadline, now=self._live.clock.now)
        except WireFault as fault:
            return fault

    async def _judged(self, asked: _Asked, answer: WireAnswer, breaker: Breaker, *, conditional: bool) -> RunResult:
        """What an answer is: a payload, the news that nothing changed, or no data."""
        status = answer.status_code
        if "date" in answer.headers:
            self._live.look_at_clock(self._entry.source, answer.headers["date"])
        if status == 304 and conditional:
            breaker.succeeded()
            return self._result(asked, answer, not_modified=True)
        if status in self._entry.is_data.none_status:
            breaker.succeeded()
            return attrs.evolve(self._result(asked, answer), kind=NOTHING)
        if status != 200:
            return self._refused(asked, answer, breaker)
        breaker.succeeded()
        answer, fields, unreadable = await self._masked(answer)
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
        return self._failed(asked, kind, text, status_code=status, evidence=answer.body)

    async def _masked(self, answer: WireAnswer) -> tuple[WireAnswer, tuple[str, ...], tuple[FailureKind, str] | None]:
        """An answer without its declared secrets, which fields they were in, and why it cannot be told."""
        fields = self._recipe.secret_fields
        if not fields or not answer.body:
            return answer, (), None
        from sbf_core.http.masking import masked  # most datasets declare none

        try:
            body, masked_fields = (
                masked(answer.body, fields)
                if len(answer.body) <= LOOP_BYTES_MAX
                else await asyncio.to_thread(masked, answer.body, fields)
            )
        except ValueError as error:
            return (
                answer,
                (),
                (FailureKind.NOT_DATA, f"its secret fields cannot be taken out, because it is no JSON: {error}"),
            )
        return attrs.evolve(answer, body=body), masked_fields, None

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


def _called(url: str, body: RequestBody | None) -> str:
    """The address by which a request is known."""
    return url if body is None else body.address(url)


def _with_parameters(url: str, parameters: Mapping[str, str]) -> str:
    if not parameters:
        return url
    parts = urlsplit(url)
    kept = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] not in parameters]
    query = parts.query if len(kept) == len(parse_qsl(parts.query, keep_blank_values=True)) else urlencode(kept)
    return parts._replace(query="&".join(part for part in (query, urlencode(parameters)) if part)).geturl()


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else str(dt.timedelta(seconds=round(seconds)))

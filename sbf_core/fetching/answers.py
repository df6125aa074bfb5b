"""What one request of a run comes to: payloads in temporary files, or the reason why there are none."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

import attrs

from sbf_core.bronze.file_writer import BronzeFileWriter
from sbf_core.bronze.large_payload import SourceRefused, hash_source
from sbf_core.dataset.recipe import RestRecipe
from sbf_core.duck.engine_errors import EngineFault, fault_of, kind_of_fault
from sbf_core.errors import EnvironmentFault, PayloadRefused, PluginFault, SbfError, said_by
from sbf_core.failures import FailureKind
from sbf_core.faults import fault_point
from sbf_core.fetching.fetch_answer import FetchAnswer
from sbf_core.fetching.key_notes import where_key_is
from sbf_core.fetching.known import Known
from sbf_core.fetching.tally import outcome_of
from sbf_core.http.local_files import CHANGED, mark_now
from sbf_core.http.loop import LOOP_BYTES_MAX, RequestLoop
from sbf_core.http.recipe_walk import RecipeWalk, fetch_by_recipe
from sbf_core.http.session import AskingSession, FetchSession
from sbf_core.ops.rows import FailedFetch
from sbf_core.plan.planned import PlannedRequest
from sbf_core.plugin.hook_call import HookCalls
from sbf_core.plugin.registry import DatasetRegistry
from sbf_core.runs.request import RunRequest
from sbf_core.runs.result import RunResult
from sbf_core.vocabulary import WorkStatus

_SAFE = "Bronze keeps what was fetched before; go on with `sbf run`"
_NOT_RECORDED = "nothing was recorded of it; the next run asks again"


class Sessions(Protocol):
    """Who answers the requests of a run."""

    @property
    def loop(self) -> RequestLoop | None:
        """Where answers are waited for; None where they do not come over the network."""
        ...

    @property
    def connections(self) -> Mapping[str, int]:
        """How many requests each vendor takes at once."""
        ...

    def session_for(self, planned: PlannedRequest) -> FetchSession:
        """For a thread that asks and waits."""
        ...

    def asking_session_for(self, planned: PlannedRequest) -> AskingSession | None:
        """For ``loop``; None without one."""
        ...

    def read_in_place(self, planned: PlannedRequest, request: RunRequest) -> RunResult | None:
        """What the recipe of a file means, a large one named and not read; None for others, and without files."""
        ...


#: Statuses that say that the question is wrong, perhaps one ticker in it (RFC 9110, section 15.5).
_WRONG_QUESTION = (400, 404, 410, 413, 414, 422)


class Fetcher:
    """Asks, and writes what came to temporary files.

    Args:
        writer: writes payloads.
        hooks, registry: for the hook ``fetch``.
        sessions: who answers.
        known: the payloads that series ended with, by series and address; empty: each is written.
        parts: in how many parts the last answer of a series came, 0 for one, under (series, ""); asked where rows are
            closed.
    """

    def __init__(
        self,
        writer: BronzeFileWriter,
        hooks: HookCalls,
        registry: DatasetRegistry,
        sessions: Sessions,
        *,
        known: Known,
        parts: Mapping[tuple[str, str], int],
    ) -> None:
        self._writer = writer
        self._hooks = hooks
        self._registry = registry
        self._sessions = sessions
        self._known = known
        self._parts = parts

    def asks_in_loop(self, planned: PlannedRequest) -> bool:
        """Whether a request needs neither a plugin's own code nor the disk to be answered."""
        return (
            isinstance(planned.entry.recipe, RestRecipe)
            and not self._has_hook(planned)
            and self._sessions.asking_session_for(planned) is not None
        )

    def fetch(self, planned: PlannedRequest, request: RunRequest) -> FetchAnswer:
        """Ask in this thread. Raises ``EnvironmentFault`` for what no other request survives, such as a full disk."""
        try:
            return self._asked(planned, request)
        except Exception as error:
            if fault_of(error) is not EngineFault.MEMORY:
                raise
            return _lacking(request, error)

    def _asked(self, planned: PlannedRequest, request: RunRequest) -> FetchAnswer:
        fault_point("fetch.asked")
        try:
            results = self._fetched(planned, request)
        except EnvironmentFault as error:
            if not self._has_hook(planned):
                raise  # the disk, or open files: no other request fares better
            return _lacking(request, error)
        except SbfError as error:
            return FetchAnswer(request=request, fault=error)
        return self._kept(planned, request, results)

    async def fetch_in_loop(self, planned: PlannedRequest, request: RunRequest) -> FetchAnswer:
        """Ask in a loop. Raises ``EnvironmentFault``, too."""
        try:
            return await self._asked_in_loop(planned, request)
        except Exception as error:
            if fault_of(error) is not EngineFault.MEMORY:
                raise
            return _lacking(request, error)

    async def _asked_in_loop(self, planned: PlannedRequest, request: RunRequest) -> FetchAnswer:
        recipe, session = planned.entry.recipe, self._sessions.asking_session_for(planned)
        assert isinstance(recipe, RestRecipe) and session is not None
        fault_point("fetch.asked")
        try:
            results = await RecipeWalk(planned.entry, recipe, session).results(request)
        except EnvironmentFault:
            raise
        except SbfError as error:
            return FetchAnswer(request=request, fault=error)
        if self._writer.waits_for_disk or sum(len(result.payload) for result in results) > LOOP_BYTES_MAX:
            return await asyncio.to_thread(self._kept, planned, request, results)
        return self._kept(planned, request, results)

    def _kept(self, planned: PlannedRequest, request: RunRequest, results: Sequence[RunResult]) -> FetchAnswer:
        fault_point("fetch.answered")
        has_documents = self._gives_documents(planned)
        if has_documents and any(result.ok for result in results):  # one that had not changed was not recorded
            results = [result for result in results if result.kind != FailureKind.NOT_RECORDED]
        failed = next((result for result in results if not result.ok), None)
        if failed is not None:
            return _failed(request, failed)
        nothing = outcome_of(results[0]) if all(result.is_none for result in results) else None
        if nothing is not None:
            return FetchAnswer(request=request, other=(nothing,))
        results = [result for result in results if not result.is_none]
        try:
            hashes = [self._hash_of(request, result) for result in results]
            _check_marks(planned, results)
        except SourceRefused as error:
            return _unread(request, results[0], error)
        known = [
            result.not_modified or self._is_known(planned, request, result, payload_hash, parts=len(results))
            for result, payload_hash in zip(results, hashes, strict=True)
        ]
        key_at = where_key_is(results, planned.entry.key_names)
        if all(known):
            return FetchAnswer(request=request, other=tuple(_unchanged(result) for result in results), key_at=key_at)
        if has_documents:
            fresh = [number for number, is_known in enumerate(known) if not is_known]
            results, hashes = [results[number] for number in fresh], [hashes[number] for number in fresh]
        if any(result.not_modified for result in results):
            mixed = "some of its answers changed, others were not sent again"
            return FetchAnswer(
                request=request,
                other=(
                    FailedFetch(
                        request=request,
                        address="",
                        fetched_at=results[0].fetched_at,
                        status=WorkStatus.FAILED,
                        error=mixed,
                        kind=FailureKind.INCOMPLETE,
                    ),
                ),
            )
        try:
            staged = [
                self._writer.stage(result, payload_hash=payload_hash)
                for result, payload_hash in zip(_numbered(results), hashes, strict=True)
            ]
        except SourceRefused as error:
            return _unread(request, results[0], error)
        except PayloadRefused as error:
            return FetchAnswer(request=request, fault=error)
        return FetchAnswer(request=request, staged=tuple(staged), key_at=key_at)

    def _hash_of(self, request: RunRequest, result: RunResult) -> str:
        """The hash of a payload; empty for a file that is hashed while it is copied, because nothing can equal it."""
        if result.payload_file is None:
            return hashlib.sha256(result.payload).hexdigest()
        places = ((request.key, result.address), (request.key, ""))
        return hash_source(result.payload_file) if any(place in self._known for place in places) else ""

    def _is_known(
        self, planned: PlannedRequest, request: RunRequest, result: RunResult, payload_hash: str, *, parts: int
    ) -> bool:
        """Whether the series ended with the same bytes.

        Where an answer says by what it lacks that rows are gone, the same bytes of other days, or of an answer in more
        parts, say something else.
        """
        entry, is_document = planned.entry, parts > 1 and self._gives_documents(planned)

        def is_same(place: str) -> bool:
            one = self._known.get((request.key, place))
            if one is None or one.payload_hash != payload_hash:
                return False
            return one.stands(entry, request, is_document=is_document)

        if entry.closes_rows:
            return is_same(result.address) and max(self._parts.get((request.key, ""), 0), 1) == parts
        return is_same(result.address) or is_same("")

    def _gives_documents(self, planned: PlannedRequest) -> bool:
        """Whether each of several results for a request is one of its own."""
        return self._has_hook(planned) and not planned.entry.closes_rows

    def _has_hook(self, planned: PlannedRequest) -> bool:
        owned = self._registry.get(planned.entry.id)
        return owned is not None and self._hooks.has(owned, "fetch")

    def _fetched(self, planned: PlannedRequest, request: RunRequest) -> list[RunResult]:
        large = None if self._has_hook(planned) else self._sessions.read_in_place(planned, request)
        if large is not None:
            return [large]
        session = self._sessions.session_for(planned)
        owned = self._registry.get(planned.entry.id)
        if owned is None or not self._has_hook(planned):
            return fetch_by_recipe(planned.entry, request, session)
        answer = self._hooks.fetch(owned, request, session, safe=_SAFE)
        results = _checked_results(answer, planned, request, owned.plugin.label)
        if planned.entry.reads_items:
            from sbf_core.http.items import judged_items  # few answers have them

            results = judged_items(planned.entry, results)
        return results


def _failed(request: RunRequest, failed: RunResult) -> FetchAnswer:
    """What a request comes to of which a result failed."""
    outcome = outcome_of(failed)
    if outcome is None:
        return FetchAnswer(request=request, not_asked=failed.error or "it was not asked")
    asks_too_much = failed.kind == FailureKind.QUERY_TOO_LARGE
    is_refused = failed.kind == FailureKind.ERROR_NOTE or failed.status_code in _WRONG_QUESTION
    return FetchAnswer(
        request=request,
        other=(outcome,),
        evidence=failed if failed.evidence else None,
        is_refused=is_refused and not asks_too_much,
        asks_too_much=asks_too_much,
    )


def _numbered(results: Sequence[RunResult]) -> list[RunResult]:
    """Results with their places among those that are kept:
    whatever a hook said of them, a journal must hold them all.
    """
    if len(results) == 1:
        if not results[0].parts:
            return list(results)
        return [attrs.evolve(results[0], part=0, parts=0)]
    return [attrs.evolve(result, part=number, parts=len(results)) for number, result in enumerate(results, start=1)]


def _lacking(request: RunRequest, error: Exception) -> FetchAnswer:
    """For a request that the machine could not do; another may need less."""
    said = f"{said_by(error)}; {_NOT_RECORDED}"
    return FetchAnswer(request=request, not_asked=said, not_asked_kind=kind_of_fault(error), lacking=error)


def _check_marks(planned: PlannedRequest, results: Sequence[RunResult]) -> None:
    """Refuse a large file that changed after it was looked at: it would be kept with the mark of what it was."""
    for result in results if planned.entry.each_file is not None else ():
        file, mark = result.payload_file, result.headers.get("etag")
        if file is not None and mark and mark != mark_now(file):
            raise SourceRefused(f"file {file}: {CHANGED}")


def _unread(request: RunRequest, result: RunResult, error: SourceRefused) -> FetchAnswer:
    unread = attrs.evolve(result, payload=b"", payload_file=None, error=error.what, kind=FailureKind.FILE)
    outcome = outcome_of(unread)
    return FetchAnswer(request=request, other=() if outcome is None else (outcome,))


def _unchanged(result: RunResult) -> FailedFetch:
    return FailedFetch(
        request=result.request, address=result.address, fetched_at=result.fetched_at, status=WorkStatus.UNCHANGED
    )


def _checked_results(answer: object, planned: PlannedRequest, request: RunRequest, label: str) -> list[RunResult]:
    where = f"dataset {planned.entry.id}, plugin {label}, hook fetch"
    results = [answer] if isinstance(answer, RunResult) else list(answer) if isinstance(answer, (list, tuple)) else None
    if not results or not all(isinstance(result, RunResult) for result in results):
        fix = (
            "give RunResult, or a list of them; of a generator say `return list(...)`"
            if isinstance(answer, Iterator)
            else _SAFE
        )
        raise PluginFault(f"answered {type(answer).__name__} instead of RunResult", where=where, fix=fix)
    if any(result.request != request for result in results):
        raise PluginFault(
            "answered a request that nobody made",
            where=where,
            fix="give the request that the hook was given to RunResult",
        )
    return results

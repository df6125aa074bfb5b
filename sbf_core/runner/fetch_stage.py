"""Fetch to Bronze to manifest: workers fetch and write, one thread publishes and records in batches."""

from __future__ import annotations

import hashlib
import queue
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import attrs

from sbf_core.bronze.file_writer import BronzeFileWriter, StagedPayload
from sbf_core.bronze.paths import evidence_path
from sbf_core.bronze.quarantine import QuarantineReason, put_in_quarantine
from sbf_core.dataset.recipe import RestRecipe
from sbf_core.duck.config import DuckDbConfig
from sbf_core.errors import EnvironmentFault, PluginFault, SbfError, is_interrupt
from sbf_core.faults import fault_point
from sbf_core.http.recipe_walk import fetch_by_recipe
from sbf_core.http.session import FetchSession
from sbf_core.ops.rows import FailedFetch
from sbf_core.ops.service import OpsService
from sbf_core.plan.planner import PlannedRequest
from sbf_core.plugin.hook_call import HookCalls
from sbf_core.plugin.registry import DatasetRegistry
from sbf_core.plugin.watch import DatabaseWatch, used_the_database
from sbf_core.run.context import RunContext
from sbf_core.run.request import RunRequest
from sbf_core.run.result import RunResult
from sbf_core.runner.fetch_tally import FetchTally, outcome_of
from sbf_core.runner.progress import Progress
from sbf_core.trust.recovery import record_quarantined
from sbf_core.vocabulary import WorkStatus

#: Payloads that are made durable and recorded together.
BATCH_FILES = 256
#: Answers that are no data, kept in a run for each dataset.
_EVIDENCE_MAX = 20
_SAFE = "Bronze keeps what was fetched before; go on with `sbf run`"

SessionFor = Callable[[PlannedRequest], FetchSession]


@attrs.frozen(kw_only=True)
class _Answer:
    """What one request came to."""

    request: RunRequest
    staged: tuple[StagedPayload, ...] = ()
    other: tuple[FailedFetch, ...] = ()
    fault: SbfError | None = None
    not_asked: str = ""
    evidence: RunResult | None = None

    @property
    def came(self) -> bool:
        """Whether it is an answer of the vendor's that counts."""
        return self.fault is None and not self.not_asked and all(fetch.status == WorkStatus.UNCHANGED for fetch in self.other)


class FetchStage:
    """Fetches what is due.

    Args:
        ops: the facade.
        writer: writes payloads.
        hooks, registry: for the hook ``fetch``.
        config: where the quarantine is.
        session_for: the session that answers a request.
        workers: requests at once.
        progress: told what goes on.
    """

    def __init__(
        self,
        ops: OpsService,
        writer: BronzeFileWriter,
        hooks: HookCalls,
        registry: DatasetRegistry,
        *,
        config: DuckDbConfig,
        session_for: SessionFor,
        workers: int,
        progress: Progress,
    ) -> None:
        self._ops = ops
        self._writer = writer
        self._hooks = hooks
        self._registry = registry
        self._session_for = session_for
        self._workers = workers
        self._progress = progress
        self._config = config
        self._known: Mapping[tuple[str, str], str] = {}
        self._evidence: dict[str, int] = {}
        self._watch: DatabaseWatch | None = None
        self._watched: Sequence[str] = ()
        #: Series of which every step came.
        self.whole: set[str] = set()

    def run(self, context: RunContext, planned: Sequence[PlannedRequest], *, keep_unchanged: bool = False) -> None:
        """Fetch, write and record; counts go to ``context``.

        A request that fails is on record and does not stop the others. A disk that fails stops all.

        Args:
            context: the run.
            planned: requests that are due.
            keep_unchanged: write a payload although its series ended with the same bytes (a replay gives each vintage).
        """
        if not planned:
            return
        if not keep_unchanged:
            self._known = self._ops.latest_payload_hashes(sorted({item.entry.id for item in planned}))
        self._watched = self._hooks_here(planned)
        self._watch = DatabaseWatch(self._ops.cursor) if self._watched else None
        self._progress.start("fetch", len(planned))
        self._tally = FetchTally(context)
        waiting: list[_Answer] = []
        pools = _pools(planned, self._workers)
        answers: queue.SimpleQueue[_Answer | BaseException | None] = queue.SimpleQueue()
        try:
            for item in planned:
                pools[item.entry.source].submit(self._answers_to, item, answers)
            unfinished = len(planned)
            while unfinished:
                answer = answers.get()
                if isinstance(answer, BaseException):
                    raise answer
                if answer is None:
                    unfinished -= 1
                    self._progress.advance()
                    continue
                waiting.append(answer)
                if len(waiting) >= BATCH_FILES:
                    batch, waiting = waiting, []
                    self._record(context, batch)
        except BaseException as error:
            for pool in pools.values():
                pool.shutdown(wait=False, cancel_futures=True)  # what is under way is not waited for
            if is_interrupt(error) and waiting:
                self._record(context, waiting)  # what came is kept
            raise
        for pool in pools.values():
            pool.shutdown()
        self._record(context, waiting)
        self._tally.tell()
        if self._evidence:
            record_quarantined(self._ops, self._config)
        self._progress.finish()

    def _answers_to(self, planned: PlannedRequest, answers: queue.SimpleQueue[_Answer | BaseException | None]) -> None:
        """All steps of a request, in a worker thread; after one that failed the later ones would leave a gap. None ends them."""
        try:
            for request in planned.steps:
                answer = self._answer(planned, request)
                answers.put(answer)
                if not answer.came:
                    break
            else:
                self.whole.add(planned.request.key)
            answers.put(None)
        except BaseException as error:  # the thread that records must see it
            answers.put(error)

    def _hooks_here(self, planned: Sequence[PlannedRequest]) -> list[str]:
        """The plugins whose hook ``fetch`` is called in this process."""
        owned = [self._registry.get(dataset_id) for dataset_id in {item.entry.id for item in planned}]
        return sorted({one.plugin.label for one in owned if one is not None and self._hooks.runs_here(one, "fetch")})

    def _answer(self, planned: PlannedRequest, request: RunRequest) -> _Answer:
        fault_point("fetch.asked")
        try:
            results = self._fetched(planned, request)
        except EnvironmentFault:
            raise  # the disk, or open files: no other request fares better
        except SbfError as error:
            return _Answer(request=request, fault=error)
        fault_point("fetch.answered")
        failed = next((result for result in results if not result.ok), None)
        if failed is not None:
            outcome = outcome_of(failed)
            evidence = failed if failed.evidence else None
            if outcome is None:
                return _Answer(request=request, not_asked=failed.error or "it was not asked")
            return _Answer(request=request, other=(outcome,), evidence=evidence)
        hashes = [hashlib.sha256(result.payload).hexdigest() for result in results]
        known = [result.not_modified or self._is_known(request, result, payload_hash) for result, payload_hash in zip(results, hashes, strict=True)]
        if all(known):
            return _Answer(request=request, other=tuple(_unchanged(result) for result in results))
        if any(result.not_modified for result in results):
            mixed = "incomplete: some of its answers changed, others were not sent again"
            return _Answer(request=request, other=(FailedFetch(request=request, address="", fetched_at=results[0].fetched_at, status=WorkStatus.FAILED, error=mixed),))
        numbered = results if len(results) == 1 else [attrs.evolve(result, part=number, parts=len(results)) for number, result in enumerate(results, start=1)]
        staged = (self._writer.stage(result, payload_hash=payload_hash) for result, payload_hash in zip(numbered, hashes, strict=True))
        return _Answer(request=request, staged=tuple(staged))

    def _is_known(self, request: RunRequest, result: RunResult, payload_hash: str) -> bool:
        return payload_hash in (self._known.get((request.key, result.address)), self._known.get((request.key, "")))

    def _fetched(self, planned: PlannedRequest, request: RunRequest) -> list[RunResult]:
        session = self._session_for(planned)
        owned = self._registry.get(planned.entry.id)
        if owned is None or not self._hooks.has(owned, "fetch"):
            return fetch_by_recipe(planned.entry, request, session)
        answer = self._hooks.fetch(owned, request, session, safe=_SAFE)
        return _checked_results(answer, planned, request, owned.plugin.label)

    def _record(self, context: RunContext, answers: Sequence[_Answer]) -> None:
        staged = [item for answer in answers for item in answer.staged]
        rows = self._writer.publish(staged) if staged else []
        if self._watch is not None and self._watch.used():
            context.errors.append(str(used_the_database(where=f"{' or '.join(f'plugin {label}' for label in self._watched)}, hook fetch")))
        now = self._ops.clock.now()
        other = [fetch for answer in answers for fetch in answer.other]
        other += [
            FailedFetch(request=answer.request, address="", fetched_at=now, status=WorkStatus.FAILED, error=str(answer.fault))
            for answer in answers
            if answer.fault is not None
        ]
        fault_point("manifest.begun")
        self._ops.record_fetched(rows, other)
        fault_point("manifest.recorded")
        if self._watch is not None:
            self._watch.start()
        context.requests += len(answers)
        context.files += len(rows)
        for fetch in other:
            self._tally.add(fetch.request, fetch.status, fetch.error)
        for answer in answers:
            if answer.not_asked:
                self._tally.add(answer.request, WorkStatus.FAILED, answer.not_asked)
            if answer.evidence is not None:
                self._keep_evidence(answer.evidence)

    def _keep_evidence(self, result: RunResult) -> None:
        """What came instead of data goes to quarantine; a vendor that is down sends thousands of pages alike, so not all of them."""
        kept = self._evidence.get(result.request.dataset_id, 0)
        if kept < _EVIDENCE_MAX:
            self._evidence[result.request.dataset_id] = kept + 1
            original = evidence_path(result.request, payload_hash=hashlib.sha256(result.evidence).hexdigest(), extension=result.extension)
            put_in_quarantine(self._config.quarantine, result.evidence, original=original, reason=QuarantineReason.NO_DATA)


def _pools(planned: Sequence[PlannedRequest], workers: int) -> dict[str, ThreadPoolExecutor]:
    """Threads for each vendor: a slow one does not keep the others waiting."""
    most: dict[str, int] = {}
    for item in planned:
        allowed = item.entry.recipe.connections if isinstance(item.entry.recipe, RestRecipe) else workers
        most[item.entry.source] = min(most.get(item.entry.source, workers), allowed)
    return {source: ThreadPoolExecutor(number, thread_name_prefix=f"sbf-{source}") for source, number in most.items()}


def _unchanged(result: RunResult) -> FailedFetch:
    return FailedFetch(request=result.request, address=result.address, fetched_at=result.fetched_at, status=WorkStatus.UNCHANGED)


def _checked_results(answer: object, planned: PlannedRequest, request: RunRequest, label: str) -> list[RunResult]:
    where = f"dataset {planned.entry.id}, plugin {label}, hook fetch"
    results = [answer] if isinstance(answer, RunResult) else list(answer) if isinstance(answer, (list, tuple)) else None
    if not results or not all(isinstance(result, RunResult) for result in results):
        raise PluginFault(f"answered {type(answer).__name__} instead of RunResult", where=where, fix=_SAFE)
    if any(result.request != request for result in results):
        raise PluginFault("answered a request that nobody made", where=where, fix="give the request that the hook was given to RunResult")
    return results

"""Fetch to Bronze to manifest: workers fetch and write, one thread publishes and records in batches."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import attrs

from sbf_core.bronze.file_writer import BronzeFileWriter, StagedPayload
from sbf_core.errors import EnvironmentFault, PluginFault, SbfError, is_interrupt
from sbf_core.faults import fault_point
from sbf_core.http.session import FetchSession, fetch_by_recipe
from sbf_core.ops.rows import FailedFetch
from sbf_core.ops.service import OpsService
from sbf_core.plan.planner import PlannedRequest
from sbf_core.plugin.hook_call import HookCalls
from sbf_core.plugin.registry import DatasetRegistry
from sbf_core.plugin.watch import DatabaseWatch, used_the_database
from sbf_core.run.context import RunContext
from sbf_core.run.request import RunRequest
from sbf_core.run.result import RunResult
from sbf_core.runner.progress import Progress
from sbf_core.vocabulary import WorkStatus

#: Payloads that are made durable and recorded together.
BATCH_FILES = 256
_SAFE = "Bronze keeps what was fetched before; go on with `sbf run`"

SessionFor = Callable[[PlannedRequest], FetchSession]


@attrs.frozen(kw_only=True)
class _Answer:
    """What one request came to."""

    request: RunRequest
    staged: tuple[StagedPayload, ...] = ()
    other: tuple[FailedFetch, ...] = ()
    fault: SbfError | None = None


class FetchStage:
    """Fetches what is due.

    Args:
        ops: the facade.
        writer: writes payloads.
        hooks, registry: for the hook ``fetch``.
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
        self._known: Mapping[tuple[str, str], str] = {}
        self._watch: DatabaseWatch | None = None
        self._watched: Sequence[str] = ()

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
        waiting: list[_Answer] = []
        pool = ThreadPoolExecutor(self._workers, thread_name_prefix="sbf-fetch")
        try:
            for answer in pool.map(self._answer, planned):
                waiting.append(answer)
                self._progress.advance()
                if len(waiting) >= BATCH_FILES:
                    batch, waiting = waiting, []
                    self._record(context, batch)
        except BaseException as error:
            pool.shutdown(wait=False, cancel_futures=True)  # what is under way is not waited for
            if is_interrupt(error) and waiting:
                self._record(context, waiting)  # what came is kept
            raise
        pool.shutdown()
        self._record(context, waiting)
        self._progress.finish()

    def _hooks_here(self, planned: Sequence[PlannedRequest]) -> list[str]:
        """The plugins whose hook ``fetch`` is called in this process."""
        owned = [self._registry.get(dataset_id) for dataset_id in {item.entry.id for item in planned}]
        return sorted({one.plugin.label for one in owned if one is not None and self._hooks.runs_here(one, "fetch")})

    def _answer(self, planned: PlannedRequest) -> _Answer:
        """One request, in a worker thread."""
        request = planned.request
        fault_point("fetch.asked")
        try:
            results = self._fetched(planned)
        except EnvironmentFault:
            raise  # the disk, or open files: no other request fares better
        except SbfError as error:
            return _Answer(request=request, fault=error)
        fault_point("fetch.answered")
        failed = next((result for result in results if not result.ok), None)
        if failed is not None:
            return _Answer(request=request, other=(_other(failed, WorkStatus.FAILED, failed.error),))
        staged, other = [], []
        for result in results:
            payload_hash = hashlib.sha256(result.payload).hexdigest()
            if payload_hash in (self._known.get((request.key, result.address)), self._known.get((request.key, ""))):
                other.append(_other(result, WorkStatus.UNCHANGED, None))
            else:
                staged.append(self._writer.stage(result, payload_hash=payload_hash))
        return _Answer(request=request, staged=tuple(staged), other=tuple(other))

    def _fetched(self, planned: PlannedRequest) -> list[RunResult]:
        session = self._session_for(planned)
        owned = self._registry.get(planned.entry.id)
        if owned is None or not self._hooks.has(owned, "fetch"):
            return [fetch_by_recipe(planned.entry, planned.request, session)]
        answer = self._hooks.fetch(owned, planned.request, session, safe=_SAFE)
        return _checked_results(answer, planned, owned.plugin.label)

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
            if fetch.error is None:
                context.unchanged_files += 1
            else:
                context.failed_requests += 1
                context.errors.append(f"{fetch.request.key}: {fetch.error}")


def _other(result: RunResult, status: WorkStatus, error: str | None) -> FailedFetch:
    return FailedFetch(request=result.request, address=result.address, fetched_at=result.fetched_at, status=status, error=error)


def _checked_results(answer: object, planned: PlannedRequest, label: str) -> list[RunResult]:
    where = f"dataset {planned.entry.id}, plugin {label}, hook fetch"
    results = [answer] if isinstance(answer, RunResult) else list(answer) if isinstance(answer, (list, tuple)) else None
    if not results or not all(isinstance(result, RunResult) for result in results):
        raise PluginFault(f"answered {type(answer).__name__} instead of RunResult", where=where, fix=_SAFE)
    if any(result.request != planned.request for result in results):
        raise PluginFault("answered a request that nobody made", where=where, fix="give the request that the hook was given to RunResult")
    return results

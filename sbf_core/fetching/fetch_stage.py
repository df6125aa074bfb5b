"""Fetch to Bronze to manifest: workers ask and write, one thread publishes and records in batches."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence

from sbf_core.bronze.file_writer import BronzeFileWriter
from sbf_core.bronze.paths import evidence_path
from sbf_core.bronze.quarantine import QuarantineReason, put_in_quarantine
from sbf_core.bronze.staged_payload import StagedPayload
from sbf_core.dataset.former_names import under_present_names
from sbf_core.duck.config import DuckDbConfig
from sbf_core.errors import is_interrupt
from sbf_core.failures import failure_of, kind_of
from sbf_core.faults import fault_point
from sbf_core.fetching.answers import Fetcher, Sessions
from sbf_core.fetching.fetch_answer import FetchAnswer
from sbf_core.fetching.key_notes import notes_of_keys
from sbf_core.fetching.known import Known
from sbf_core.fetching.run_progress import RunProgress
from sbf_core.fetching.tally import FetchTally, notes_of_the_clock, notes_of_unknown
from sbf_core.fetching.workers import FetchWorkers
from sbf_core.ops.rows import BronzeManifestRow, FailedFetch
from sbf_core.ops.service import OpsService
from sbf_core.ops.unknown import unknown_since
from sbf_core.plan.planned import PlannedRequest
from sbf_core.plugin.hook_call import HookCalls
from sbf_core.plugin.registry import DatasetRegistry
from sbf_core.plugin.watch import DatabaseWatch, used_the_database
from sbf_core.recovery.dead_runs import record_quarantined
from sbf_core.runs.context import RunContext
from sbf_core.runs.result import RunResult
from sbf_core.secret import redacted_bytes
from sbf_core.vocabulary import WorkStatus

#: Payloads that are made durable and recorded together.
BATCH_FILES = 256
#: Answers that are no data, kept in a run for each dataset.
_EVIDENCE_MAX = 20
#: A clock that is set by the network goes back by less.
_CLOCK_SLACK = dt.timedelta(minutes=1)


class FetchStage:
    """Fetches what is due.

    Args:
        ops: the facade.
        writer: writes payloads.
        hooks, registry: for the hook ``fetch``.
        config: where the quarantine is.
        sessions: who answers.
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
        sessions: Sessions,
        workers: int,
        progress: RunProgress,
    ) -> None:
        self._ops = ops
        self._writer = writer
        self._hooks = hooks
        self._registry = registry
        self._sessions = sessions
        self._workers = workers
        self._progress = progress
        self._config = config
        self._evidence: dict[str, int] = {}
        self._keys_at: dict[str, str] = {}
        self._watch: DatabaseWatch | None = None
        self._watched: Sequence[str] = ()
        self._replays = False
        self._hooked: set[str] = set()
        self._packs_there: bool | None = None
        #: Series of which every step came.
        self.whole: set[str] = set()

    def run(self, context: RunContext, planned: Sequence[PlannedRequest], *, known: Known | None) -> None:
        """Fetch, write and record; counts go to ``context``.

        A request that fails is on record and does not stop the others. A disk that fails stops all.

        Args:
            context: the run.
            planned: requests that are due.
            known: the payloads that series ended with; None: write each, whatever was there (a replay gives each
                vintage).
        """
        if not planned:
            return
        ids = {item.entry.id: item.entry.ids for item in planned}.values()
        closing = [name for item in planned if item.entry.closes_rows for name in item.entry.ids]
        parts = self._ops.latest_answer_parts(sorted({*closing})) if closing and known is not None else {}
        parts = under_present_names(parts, ids)
        if known is not None:  # a replay gives what others said, and when
            later = self._ops.recorded.later_than(context.started_at + _CLOCK_SLACK)
            context.notes += notes_of_the_clock(planned, later, now=context.started_at)
        self._replays = known is None
        asked = {item.entry.id: self._registry.get(item.entry.id) for item in planned}
        self._hooked = {name for name, owned in asked.items() if owned is not None and self._hooks.has(owned, "fetch")}
        self._watched = self._hooks_here(planned)
        self._watch = DatabaseWatch(self._ops.cursor) if self._watched else None
        self._progress.start("fetch", len(planned))
        self._progress.asks(item.entry.id for item in planned)
        self._tally = FetchTally(context)
        waiting: list[FetchAnswer] = []
        fetcher = Fetcher(self._writer, self._hooks, self._registry, self._sessions, known=known or {}, parts=parts)
        workers = FetchWorkers(
            fetcher, self._sessions.loop, workers=self._workers, connections=self._sessions.connections
        )
        try:
            for answer in workers.answers(planned):
                if answer is None:
                    self._progress.advance()
                    continue
                waiting.append(answer)
                self._progress.answered(answer.request.dataset_id, failed=not answer.came)
                if len(waiting) >= BATCH_FILES:
                    batch, waiting = waiting, []
                    self._record(context, batch)
        except BaseException as error:
            workers.stop()
            if is_interrupt(error) and waiting:
                self._record(context, waiting)  # what came is kept
            raise
        workers.close()
        self.whole |= workers.whole
        self._record(context, waiting)
        self._tally.tell()
        context.notes += notes_of_unknown(planned, unknown_since(self._ops.cursor(), context.started_at))
        context.notes += notes_of_keys({item.entry.id: item.entry for item in planned}, self._keys_at)
        if self._evidence:
            record_quarantined(self._ops, self._config)
        self._progress.finish()

    def _hooks_here(self, planned: Sequence[PlannedRequest]) -> list[str]:
        """The plugins whose hook ``fetch`` is called in this process."""
        owned = [self._registry.get(dataset_id) for dataset_id in {item.entry.id for item in planned}]
        return sorted({one.plugin.label for one in owned if one is not None and self._hooks.runs_here(one, "fetch")})

    def _record(self, context: RunContext, answers: Sequence[FetchAnswer]) -> None:
        staged = [item for answer in answers for item in answer.staged]
        is_used = self._watch is not None and self._watch.used()  # before we use it ourselves
        rows = self._writer.publish(staged, recorded=self._recorded_before(context, staged)) if staged else []
        if is_used:
            where = f"{' or '.join(f'plugin {label}' for label in self._watched)}, hook fetch"
            context.failures.append(failure_of(used_the_database(where=where)))
        now = self._ops.clock.now()
        other = [fetch for answer in answers for fetch in answer.other]
        other += [
            FailedFetch(
                request=answer.request,
                address="",
                fetched_at=now,
                status=WorkStatus.FAILED,
                error=str(answer.fault),
                kind=kind_of(answer.fault),
            )
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
            self._tally.add(fetch.request, fetch.status, fetch.error, fetch.kind)
        for answer in answers:
            context.lacking.extend([answer.lacking] if answer.lacking is not None else [])
            if answer.not_asked:
                self._tally.add(answer.request, WorkStatus.FAILED, answer.not_asked, answer.not_asked_kind)
            if answer.key_at:
                self._keys_at.setdefault(answer.request.dataset_id, answer.key_at)
            if answer.evidence is not None:
                self._keep_evidence(answer.evidence)

    def _recorded_before(self, context: RunContext, staged: Sequence[StagedPayload]) -> Mapping[str, BronzeManifestRow]:
        """What the ledger knows of payloads that may have come before, because not we said when: those of a recording
        and of hooks. Where nothing is packed, the files say it themselves.
        """
        rows = [item.line.row for item in staged]
        if self._config.small != "packs" and not self._has_packs():
            return {}
        now = self._ops.clock.now()
        paths = [
            row.rel_path
            for row in rows
            if self._replays or row.dataset_id in self._hooked or not context.started_at < row.fetched_at <= now
        ]
        return {row.rel_path: row for row in self._ops.recorded.rows(paths)} if paths else {}

    def _has_packs(self) -> bool:
        if self._packs_there is None:
            self._packs_there = (self._replays or bool(self._hooked)) and bool(self._ops.recovery.known_packs())
        return self._packs_there

    def _keep_evidence(self, result: RunResult) -> None:
        """What came instead of data goes to quarantine; a vendor that is down sends thousands of pages alike, so not
        all of them.
        """
        kept = self._evidence.get(result.request.dataset_id, 0)
        if kept < _EVIDENCE_MAX:
            self._evidence[result.request.dataset_id] = kept + 1
            content = redacted_bytes(result.evidence)  # no payload, so that nothing promises its exact bytes
            original = evidence_path(
                result.request, payload_hash=hashlib.sha256(content).hexdigest(), extension=result.extension
            )
            put_in_quarantine(self._config.quarantine, content, original=original, reason=QuarantineReason.NO_DATA)

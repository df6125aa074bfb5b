"""What came of the requests of a run, told by dataset and reason: two thousand tickers that fail alike are one line."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

import attrs

from sbf_core.counted import counted
from sbf_core.errors import shortened
from sbf_core.failures import Failure, FailureKind
from sbf_core.ops.rows import FailedFetch
from sbf_core.plan.planned import PlannedRequest
from sbf_core.runs.context import RunContext
from sbf_core.runs.request import RunRequest
from sbf_core.runs.result import RunResult
from sbf_core.value import Entity
from sbf_core.vocabulary import WorkStatus

#: Requests that failed for reasons of their own are told one by one up to here.
_ALONE_MAX = 10
_NAMED_MAX = 5
_KINDS = frozenset(FailureKind)
#: Of requests that failed and yet are no failures.
_STATUS_OF: Mapping[str, WorkStatus] = {
    FailureKind.PLAN: WorkStatus.SKIPPED,
    FailureKind.DEFERRED: WorkStatus.DEFERRED,
}


def outcome_of(result: RunResult) -> FailedFetch | None:
    """The record of a result that holds no payload; None for a request that was not even made."""
    if result.not_modified:
        status = WorkStatus.UNCHANGED
    elif result.is_none:
        status = WorkStatus.NONE
    elif result.kind == FailureKind.NOT_ASKED:
        return None
    else:
        status = _STATUS_OF.get(result.kind, WorkStatus.FAILED)
    error = None if result.error is None else shortened(result.error)
    kind = None if error is None else FailureKind(result.kind) if result.kind in _KINDS else FailureKind.OTHER
    return FailedFetch(
        request=result.request,
        address=result.address,
        fetched_at=result.fetched_at,
        status=status,
        error=error,
        kind=kind,
    )


@attrs.define(eq=False)
class FetchTally(Entity):
    """Counts requests without a payload, and says so at the end.

    Args:
        context: the run, whose counters grow.
    """

    context: RunContext
    _failed: dict[Failure, list[RunRequest]] = attrs.field(factory=dict, init=False)
    _skipped: dict[Failure, list[RunRequest]] = attrs.field(factory=dict, init=False)

    def add(self, request: RunRequest, status: str, error: str | None, kind: FailureKind | None) -> None:
        """One request that brought no payload."""
        if status == WorkStatus.UNCHANGED:
            self.context.unchanged_files += 1
        if status in (WorkStatus.UNCHANGED, WorkStatus.NONE):
            return
        alike = self._failed
        if status == WorkStatus.SKIPPED:
            self.context.skipped_requests += 1
            alike = self._skipped
        elif status == WorkStatus.DEFERRED:
            self.context.deferred_requests += 1
        else:
            self.context.failed_requests += 1
        failure = Failure(kind=kind or FailureKind.OTHER, what=error or "", dataset=request.dataset_id)
        alike.setdefault(failure, []).append(request)

    def tell(self) -> None:
        """Hand them to the run: what failed as its failures, the rest as notes."""
        self.context.failures.extend(_together(self._failed))
        self.context.notes.extend(str(failure) for failure in _together(self._skipped))
        self._failed, self._skipped = {}, {}


def notes_of_unknown(planned: Sequence[PlannedRequest], keys: Sequence[str]) -> list[str]:
    """What a run says of the series of which a vendor has nothing: one line a dataset, in the run that found it out."""
    notes = []
    for entry in {item.entry.id: item.entry for item in planned}.values():
        own = [key.removeprefix(f"{entry.id}/") for key in keys if key.startswith(f"{entry.id}/")]
        if own:
            more = f" and {len(own) - _NAMED_MAX} more" if len(own) > _NAMED_MAX else ""
            what = f"{entry.source} has nothing of {', '.join(own[:_NAMED_MAX])}{more}"
            after = counted(entry.unknown_after_days, "day")
            notes.append(f"{entry.id}: {what}; asked again after {after}")
    return notes


def notes_of_the_clock(
    planned: Sequence[PlannedRequest], later: Mapping[str, dt.datetime], *, now: dt.datetime
) -> list[str]:
    """What a run says of datasets that were fetched after what the clock says now: of two values the older one is
    current.
    """
    notes = []
    for entry in {item.entry.id: item.entry for item in planned}.values():
        at = max((later[name] for name in entry.ids if name in later), default=None)
        if at is not None:
            what = f"its newest payload is of {at:%Y-%m-%d %H:%M}Z, and the clock here says {now:%Y-%m-%d %H:%M}Z"
            notes.append(f"{entry.id}: {what}: what is fetched now counts as older; is the clock right?")
    return notes


def _together(alike: Mapping[Failure, list[RunRequest]]) -> list[Failure]:
    """One failure for all requests of a dataset that failed alike; of those that did not, the first few."""
    failures: list[Failure] = []
    alone: dict[str, int] = {}
    for failure, requests in alike.items():
        if len(requests) > 1:
            first = requests[0].tickers[0] if requests[0].ticker else ""
            failures.append(attrs.evolve(failure, ticker=first, count=len(requests)))
            continue
        alone[failure.dataset] = alone.get(failure.dataset, 0) + 1
        if alone[failure.dataset] <= _ALONE_MAX:
            failures.append(attrs.evolve(failure, ticker=requests[0].shown_ticker or ""))
    failures += [
        Failure(
            kind=FailureKind.OTHER,
            what=f"{counted(count - _ALONE_MAX, 'more request')} failed, each in its own way; see `sbf runs`",
            dataset=dataset_id,
        )
        for dataset_id, count in alone.items()
        if count > _ALONE_MAX
    ]
    return failures

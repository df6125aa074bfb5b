"""What came of the requests of a run, told by dataset and reason: two thousand tickers that fail alike are one line."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

import attrs

from sbf_core.errors import shortened
from sbf_core.ops.rows import FailedFetch
from sbf_core.plan.planned import PlannedRequest
from sbf_core.runs.context import RunContext
from sbf_core.runs.request import RunRequest
from sbf_core.runs.result import RunResult
from sbf_core.vocabulary import WorkStatus

#: Requests that failed for reasons of their own are told one by one up to here.
_ALONE_MAX = 10
_NAMED_MAX = 5


def outcome_of(result: RunResult) -> FailedFetch | None:
    """The record of a result that holds no payload; None for a request that was not even made."""
    if result.not_modified:
        status = WorkStatus.UNCHANGED
    elif result.is_none:
        status = WorkStatus.NONE
    elif result.kind == "not_asked":
        return None
    elif result.kind == "plan":
        status = WorkStatus.SKIPPED
    elif result.kind == "deferred":
        status = WorkStatus.DEFERRED
    else:
        status = WorkStatus.FAILED
    error = f"{result.kind}: {result.error}" if result.kind and result.error else result.error
    kept = None if error is None else shortened(error)
    return FailedFetch(
        request=result.request, address=result.address, fetched_at=result.fetched_at, status=status, error=kept
    )


@attrs.define(eq=False)
class FetchTally:
    """Counts requests without a payload, and says so at the end.

    Args:
        context: the run, whose counters grow.
    """

    context: RunContext
    _failed: dict[tuple[str, str], list[RunRequest]] = attrs.field(factory=dict, init=False)
    _skipped: dict[tuple[str, str], list[RunRequest]] = attrs.field(factory=dict, init=False)

    def add(self, request: RunRequest, status: str, error: str | None) -> None:
        """One request that brought no payload."""
        if status == WorkStatus.UNCHANGED:
            self.context.unchanged_files += 1
        if status in (WorkStatus.UNCHANGED, WorkStatus.NONE):
            return
        lines = self._failed
        if status == WorkStatus.SKIPPED:
            self.context.skipped_requests += 1
            lines = self._skipped
        elif status == WorkStatus.DEFERRED:
            self.context.deferred_requests += 1
        else:
            self.context.failed_requests += 1
        lines.setdefault((request.dataset_id, error or ""), []).append(request)

    def tell(self) -> None:
        """Write the lines to the run: failures to its errors, the rest to its notes."""
        self.context.errors.extend(_told(self._failed))
        self.context.notes.extend(_told(self._skipped))
        self._failed, self._skipped = {}, {}


def notes_of_unknown(planned: Sequence[PlannedRequest], keys: Sequence[str]) -> list[str]:
    """What a run says of the series of which a vendor has nothing: one line a dataset, in the run that found it out."""
    notes = []
    for entry in {item.entry.id: item.entry for item in planned}.values():
        own = [key.removeprefix(f"{entry.id}/") for key in keys if key.startswith(f"{entry.id}/")]
        if own:
            more = f" and {len(own) - _NAMED_MAX} more" if len(own) > _NAMED_MAX else ""
            what = f"{entry.source} has nothing of {', '.join(own[:_NAMED_MAX])}{more}"
            notes.append(f"{entry.id}: {what}; asked again after {entry.unknown_after_days:g} days")
    return notes


def notes_of_the_clock(
    planned: Sequence[PlannedRequest], later: Mapping[str, dt.datetime], *, now: dt.datetime
) -> list[str]:
    """What a run says of datasets that were fetched after what the clock says now: of two values the older one is current."""
    notes = []
    for entry in {item.entry.id: item.entry for item in planned}.values():
        at = max((later[name] for name in entry.ids if name in later), default=None)
        if at is not None:
            what = f"its newest payload is of {at:%Y-%m-%d %H:%M}Z, and the clock here says {now:%Y-%m-%d %H:%M}Z"
            notes.append(f"{entry.id}: {what}: what is fetched now counts as older; is the clock right?")
    return notes


def _told(lines: dict[tuple[str, str], list[RunRequest]]) -> list[str]:
    told: list[str] = []
    alone: dict[str, int] = {}
    for (dataset_id, error), requests in lines.items():
        if len(requests) > 1:
            told.append(
                f"{dataset_id}: {error} ({len(requests)} requests, the first for {requests[0].tickers[0] if requests[0].ticker else 'all'})"
            )
            continue
        alone[dataset_id] = alone.get(dataset_id, 0) + 1
        if alone[dataset_id] <= _ALONE_MAX:
            told.append("/".join(filter(None, (dataset_id, requests[0].shown_ticker))) + f": {error}")
    told += [
        f"{dataset_id}: {count - _ALONE_MAX} more requests failed, each in its own way; see `sbf runs`"
        for dataset_id, count in alone.items()
        if count > _ALONE_MAX
    ]
    return told

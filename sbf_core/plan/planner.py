"""The planner: which requests are due, for which days, and why."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence

import attrs

from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.ops.rows import SeriesState
from sbf_core.plan.batches import in_batches, known_of_tickers, known_series
from sbf_core.plan.planned import PlannedRequest, chunks
from sbf_core.plan.sessions import last_news
from sbf_core.runs.request import RunRequest
from sbf_core.vocabulary import Scope

_NEVER = SeriesState()
#: A back-fill that is asked for again so soon goes on where it was stopped.
RESUME_WITHIN = dt.timedelta(hours=20)


@attrs.frozen(kw_only=True)
class PlanWishes:
    """What the user wants to be different from the usual.

    Attributes:
        since, until: fetch these days whatever the watermark says.
        force: fetch although nothing is due.
        done: series, first and last day of what was fetched lately: a back-fill that was stopped goes on behind it.
    """

    since: dt.date | None = None
    until: dt.date | None = None
    force: bool = False
    done: frozenset[tuple[str, dt.date | None, dt.date | None]] = frozenset()


def plan_requests(
    entries: Iterable[DatasetKeymapEntry],
    *,
    tickers: Sequence[str],
    states: Mapping[str, SeriesState],
    now: dt.datetime,
    run_id: str,
    wishes: PlanWishes | None = None,
    only_due: bool = False,
) -> list[PlannedRequest]:
    """The requests of the datasets, datasets in their order and tickers in theirs.

    Args:
        entries: the datasets.
        tickers: the universe, for datasets with the scope ``per_ticker`` and without members of their own.
        states: what the ledger knows of each series.
        now: the present moment, aware.
        run_id: the run that asks; may be empty for a mere plan.
        wishes: back-fill days and force.
        only_due: leave out what is not due; a run needs no more, and most series of a large universe are not.
    """
    entries = list(entries)
    wishes = wishes or PlanWishes()
    states, done = known_of_tickers(entries, states), known_series(entries, wishes.done)
    planned = []
    for entry in entries:
        series: Sequence[str | None] = (entry.members or tickers) if entry.scope is Scope.PER_TICKER else (None,)
        base = entry.key(None)
        news = _news(entry, now)
        for ticker in series:
            state = states.get(base if ticker is None else f"{base}/{ticker}", _NEVER)
            due, why = _due(entry, state, now, wishes, news)
            if only_due and not due:
                continue
            request = RunRequest(
                run_id=run_id,
                domain=entry.domain,
                source=entry.source,
                dataset=entry.dataset,
                discriminator=entry.discriminator,
                ticker=ticker,
                from_date=_from_date(entry, state, wishes),
                to_date=wishes.until or now.date() - dt.timedelta(days=entry.cadence.min_age_days),
            )
            item = PlannedRequest(entry=entry, request=request, due=due, why=why, again=_is_again(state, wishes), chain=chunks(entry, request))
            item = _without_done(item, done) if done and not wishes.force else item
            if item.due or not only_due:
                planned.append(item)
    return in_batches(planned)


def _without_done(item: PlannedRequest, done: frozenset[tuple[str, dt.date | None, dt.date | None]]) -> PlannedRequest:
    """A back-fill without the pieces that were fetched lately."""
    left = tuple(step for step in item.steps if (step.key, step.from_date, step.to_date) not in done)
    if len(left) == len(item.steps):
        return item
    if not left:
        return attrs.evolve(item, due=False, why="fetched lately; --force fetches it again")
    return attrs.evolve(item, request=left[0], chain=left, why=f"back-fill goes on: {len(left)} of {len(item.steps)} pieces are left")


def _is_again(state: SeriesState, wishes: PlanWishes) -> bool:
    return state.again_from is not None and wishes.since is None and wishes.until is None


def _news(entry: DatasetKeymapEntry, now: dt.datetime) -> tuple[dt.date, dt.datetime] | None:
    """See ``last_news``; None for a dataset that can have something new at any time."""
    return last_news(entry.cadence, now) if entry.cadence.calendar or entry.cadence.min_age_days else None


def dataset_due(entry: DatasetKeymapEntry, checked_at: dt.datetime | None, now: dt.datetime) -> tuple[bool, str]:
    """Whether a dataset that was last asked for at a moment is due, and why.

    Raises:
        UsageError: its calendar is not installed.
    """
    return _due(entry, SeriesState(checked_at=checked_at), now, PlanWishes(), _news(entry, now))


def _due(entry: DatasetKeymapEntry, state: SeriesState, now: dt.datetime, wishes: PlanWishes, news: tuple[dt.date, dt.datetime] | None) -> tuple[bool, str]:
    if wishes.since is not None or wishes.until is not None:
        return True, "back-fill was asked for"
    if state.again_from is not None:
        return True, "the vendor restated its past: all of it is fetched again"
    if wishes.force:
        return True, "forced"
    if state.checked_at is None:
        return True, "never fetched"
    hours = (now - state.checked_at).total_seconds() / 3600
    in_season = entry.cadence.in_season(now.date())
    interval = entry.refresh_after_hours if in_season else max(entry.refresh_after_hours, entry.cadence.off_season_hours)
    after = f"due after {interval:g} h" if in_season else f"due after {interval:g} h out of season"
    if hours < 0:
        return True, "last fetched in the future; is the clock right?"
    if hours < interval:
        return False, f"fetched {_ago(hours)}, {after}"
    if news is not None and state.checked_at >= news[1]:
        return False, f"fetched {_ago(hours)}; nothing came after {news[0]} ({entry.cadence.calendar or 'by its age'})"
    return True, f"last fetched {_ago(hours)}, {after}"


def _ago(hours: float) -> str:
    return f"{hours:.1f} h ago" if hours < 48 else f"{hours / 24:.0f} days ago"


def _from_date(entry: DatasetKeymapEntry, state: SeriesState, wishes: PlanWishes) -> dt.date:
    """The day after what silver covers, less the look-back; never before the dataset's first date."""
    if wishes.since is not None:
        return max(wishes.since, entry.first_date)
    if state.again_from is not None:
        return max(state.again_from, entry.first_date)
    covered = state.coverage_to
    if covered is None:
        return entry.first_date
    return max(entry.first_date, covered + dt.timedelta(days=1 - entry.lookback_days))

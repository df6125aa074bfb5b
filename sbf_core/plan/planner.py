"""The planner: which requests are due, for which days, and why."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

import attrs

from sbf_core.counted import counted
from sbf_core.dataset.cursor import CursorBy, moment_text
from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.ops.coverage import Stretch, left_of, with_tail
from sbf_core.ops.rows import SeriesState
from sbf_core.plan.batches import in_batches, known_of_tickers, known_series
from sbf_core.plan.planned import PlannedRequest, chunks
from sbf_core.plan.sessions import last_news
from sbf_core.runs.request import RunRequest
from sbf_core.universe.members import EVER, Membership
from sbf_core.value import Value
from sbf_core.vocabulary import Scope


class AskedBefore(Protocol):
    """What was asked for before, of one dataset at a time."""

    def final(self, entry: DatasetKeymapEntry) -> Mapping[str | None, Sequence[Stretch]]:
        """Per ticker the final days."""
        ...

    def cursors(self, entry: DatasetKeymapEntry) -> Mapping[str | None, str]:
        """Per ticker where the next request goes on."""
        ...


#: First and last day on which a ticker belongs, see ``Membership``.
Spans = Sequence[tuple[dt.date, dt.date]]
_NEVER = SeriesState()
#: A back-fill that is asked for again so soon goes on where it was stopped.
RESUME_WITHIN = dt.timedelta(hours=20)


@attrs.frozen(kw_only=True)
class PlanWishes(Value):
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


def within_budget(states: Mapping[str, SeriesState], most: int) -> tuple[Mapping[str, SeriesState], int]:
    """Series of which ``most`` at most are fetched again whole, and how many wait for another run."""
    marked = sorted(key for key, state in states.items() if state.again_from is not None)
    later = {key: attrs.evolve(states[key], again_from=None) for key in marked[max(most, 0) :]}
    return ({**states, **later} if later else states), len(later)


def plan_requests(
    entries: Iterable[DatasetKeymapEntry],
    *,
    tickers: Sequence[str],
    states: Mapping[str, SeriesState],
    now: dt.datetime,
    run_id: str,
    wishes: PlanWishes | None = None,
    only_due: bool = False,
    known: AskedBefore | None = None,
    universe: Mapping[str, Membership] | None = None,
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
        universe: by source the tickers and the days on which they belong, under an empty name those of all other
            sources; it goes before ``tickers``. None: ``tickers``, always. By dataset the rows of its ``for_each``, or
            the files of its folder.
        known: what was asked for before; looked up once for each dataset of which anything is due. None: nothing was.
    """
    entries = list(entries)
    wishes = wishes or PlanWishes()
    states, done = known_of_tickers(entries, states), known_series(entries, wishes.done)
    planned = []
    for entry in entries:
        belonging = membership(entry, tickers, universe)
        series: Sequence[str | None] = belonging.tickers if entry.scope is Scope.PER_TICKER else (None,)
        base = entry.key(None)
        news = news_of(entry, now)
        last_change = now if entry.for_each is not None else EVER
        finals: Mapping[str | None, Sequence[Stretch]] | None = None
        places: Mapping[str | None, str] = {}
        for ticker in series:
            state = states.get(base if ticker is None else f"{base}/{ticker}", _NEVER)
            due, why = _due(entry, state, now, wishes, news)
            changed = not due and belonging.has_changed(ticker, state.checked_at, last_change)
            if changed:
                what = "file" if entry.each_file is not None else "row"
                due, why = True, f"its {what} changed since it was fetched"
            spans = belonging.spans.get(ticker) if ticker is not None else None
            if only_due and not due:
                continue
            if finals is None:
                finals = known.final(entry) if known is not None and entry.is_asked_by_days else {}
                places = known.cursors(entry) if known is not None and entry.cursor is not None else {}
            request = RunRequest(
                run_id=run_id,
                domain=entry.domain,
                source=entry.source,
                dataset=entry.dataset,
                discriminator=entry.discriminator,
                ticker=ticker,
                cursor=_cursor(entry, places.get(ticker, ""), wishes),
            )
            asks = attrs.evolve(wishes, force=True) if changed else wishes
            item = _planned(entry, request, state, asks, now, finals.get(ticker, ()), due=due, why=why, spans=spans)
            item = _without_done(item, done) if done and not wishes.force and entry.cursor is None else item
            if item.due or not only_due:
                planned.append(item)
    return in_batches(planned)


def _cursor(entry: DatasetKeymapEntry, place: str, wishes: PlanWishes) -> str:
    """Where a request goes on: from the last answer, from the day that the user wishes, or from the beginning."""
    if entry.cursor is None:
        return ""
    if entry.cursor.by is not CursorBy.MOMENT:
        return place if wishes.since is None else ""
    first = entry.first_date if wishes.since is None else max(wishes.since, entry.first_date)
    begin = moment_text(dt.datetime.combine(first, dt.time(), dt.UTC))
    return place or begin if wishes.since is None else begin


def _planned(
    entry: DatasetKeymapEntry,
    request: RunRequest,
    state: SeriesState,
    wishes: PlanWishes,
    now: dt.datetime,
    final: Sequence[Stretch],
    *,
    due: bool,
    why: str,
    spans: Spans | None = None,
) -> PlannedRequest:
    """A request for the days that are wanted and not final, in pieces where these do not hang together."""
    last = wishes.until or now.date() - dt.timedelta(days=entry.cadence.min_age_days)
    stretches = _stretches(entry, state, wishes, final, last)
    if not stretches and wishes.force:
        stretches = [Stretch(last, last)]
    if spans is not None and stretches:
        stretches = _of_members(entry, state, stretches, spans, last)
        if not stretches:
            whole = request.of_days(last, last)
            what = "what is to be asked for lies outside the days on which it belongs to the universe"
            return PlannedRequest(entry=entry, request=whole, due=False, why=what if due else why)
    if not stretches:
        whole = request.of_days(last, last)
        what = f"all days up to {last} are final" if last >= entry.first_date else f"it starts on {entry.first_date}"
        return PlannedRequest(entry=entry, request=whole, due=False, why=what if due else why)
    steps = [request.of_days(each.first, each.last) for each in stretches]
    chain = tuple(piece for step in steps for piece in chunks(entry, step) or (step,))
    if due and entry.cursor is not None:
        since = f"the number {request.cursor}" if entry.cursor.by is CursorBy.NUMBER else request.cursor
        why += f"; what changed since {since}" if request.cursor else "; from the beginning"
    if due and len(steps) > 1:
        why += f"; {counted(len(steps), 'stretch of days is', 'stretches of days are')} not final"
    return PlannedRequest(
        entry=entry,
        request=steps[0] if len(steps) == 1 else request.of_days(stretches[0].first, stretches[-1].last),
        due=due,
        why=why,
        again=_is_again(state, wishes),
        chain=chain if len(chain) > 1 else (),
    )


def _stretches(
    entry: DatasetKeymapEntry, state: SeriesState, wishes: PlanWishes, final: Sequence[Stretch], last: dt.date
) -> list[Stretch]:
    """The days to ask for, in order; none where all are final, or the first comes after the last."""
    first = _from_date(entry, state, wishes, last)
    is_wish = wishes.since is not None or state.again_from is not None
    if is_wish or not entry.is_asked_by_days:
        return [Stretch(first, last)] if first <= last else []
    left = left_of(Stretch(entry.first_date, last), final) if entry.first_date <= last else []
    return with_tail(left, Stretch(first, last)) if first <= last else left


def membership(
    entry: DatasetKeymapEntry, tickers: Sequence[str], universe: Mapping[str, Membership] | None
) -> Membership:
    """The series of a dataset with tickers: its own members, always, the rows of its query, or those of the universe of
    its source.
    """
    universe = universe or {}
    if entry.parts:
        return universe.get(entry.id) or Membership(tickers=())
    if entry.members or "" not in universe:
        return Membership(tickers=entry.members or tuple(tickers))
    return universe.get(entry.source) or universe[""]


def _of_members(
    entry: DatasetKeymapEntry, state: SeriesState, stretches: Sequence[Stretch], spans: Spans, last: dt.date
) -> list[Stretch]:
    """The days to ask for on which a ticker belongs to the universe. An answer that is the same whatever days are asked
    for is asked for while it belongs, and once if it belonged before.
    """
    bounds = [Stretch(first, end) for first, end in spans]
    if not entry.is_asked_by_days:
        belongs = any(each.first <= last <= each.last for each in bounds)
        belonged = state.checked_at is None and any(each.first <= last for each in bounds)
        return list(stretches) if belongs or belonged else []
    return [
        Stretch(max(each.first, bound.first), min(each.last, bound.last))
        for each in stretches
        for bound in bounds
        if each.first <= bound.last and bound.first <= each.last
    ]


def _without_done(item: PlannedRequest, done: frozenset[tuple[str, dt.date | None, dt.date | None]]) -> PlannedRequest:
    """A back-fill without the pieces that were fetched lately."""
    left = tuple(step for step in item.steps if (step.key, step.from_date, step.to_date) not in done)
    if len(left) == len(item.steps):
        return item
    if not left:
        return attrs.evolve(item, due=False, why="fetched lately; --force fetches it again")
    return attrs.evolve(
        item, request=left[0], chain=left, why=f"back-fill goes on: {len(left)} of {len(item.steps)} pieces are left"
    )


def _is_again(state: SeriesState, wishes: PlanWishes) -> bool:
    return state.again_from is not None and wishes.since is None and wishes.until is None


def news_of(entry: DatasetKeymapEntry, now: dt.datetime) -> tuple[dt.date, dt.datetime] | None:
    """See ``last_news``; None for a dataset that can have something new at any time."""
    return last_news(entry.cadence, now) if entry.cadence.calendar or entry.cadence.min_age_days else None


def dataset_due(entry: DatasetKeymapEntry, checked_at: dt.datetime | None, now: dt.datetime) -> tuple[bool, str]:
    """Whether a dataset that was last asked for at a moment is due, and why.

    Raises:
        UsageError: its calendar is not installed.
    """
    return _due(entry, SeriesState(checked_at=checked_at), now, PlanWishes(), news_of(entry, now))


def _due(
    entry: DatasetKeymapEntry,
    state: SeriesState,
    now: dt.datetime,
    wishes: PlanWishes,
    news: tuple[dt.date, dt.datetime] | None,
) -> tuple[bool, str]:
    if wishes.since is not None or wishes.until is not None:
        return True, "back-fill was asked for"
    if state.again_from is not None:
        return True, "the vendor restated its past: all of it is fetched again"
    if wishes.force:
        return True, "forced"
    if state.checked_at is None:
        return True, "never fetched"
    hours = (now - state.checked_at).total_seconds() / 3600
    if state.unknown_since is not None and 0 <= hours < entry.unknown_after_days * 24:
        since = f"{entry.source} has never had anything of it, asked {_ago(hours)}"
        return (
            False,
            f"{since}; due after {counted(entry.unknown_after_days, 'day')}",
        )
    is_settled = state.unknown_since is None and not state.has_failed
    interval = interval_hours(entry, now) if is_settled else _usual_hours(entry, now)
    if interval == math.inf:
        again = "it did not change" if entry.each_file is not None else "asked for once"
        return False, f"fetched {_ago(hours)}; {again}"
    after = f"due after {interval:g} h" + ("" if entry.cadence.in_season(now.date()) else " out of season")
    if hours < 0:
        return True, "last fetched in the future; is the clock right?"
    if hours < interval:
        return False, f"fetched {_ago(hours)}, {after}"
    if news is not None and state.checked_at >= news[1]:
        return False, f"fetched {_ago(hours)}; nothing came after {news[0]} ({entry.cadence.calendar or 'by its age'})"
    return True, f"last fetched {_ago(hours)}, {after}"


def interval_hours(entry: DatasetKeymapEntry, now: dt.datetime) -> float:
    """How old an answer may be until a series is due again; infinite where one is enough."""
    return math.inf if entry.asks_once else _usual_hours(entry, now)


def _usual_hours(entry: DatasetKeymapEntry, now: dt.datetime) -> float:
    if entry.cadence.in_season(now.date()):
        return entry.refresh_after_hours
    return max(entry.refresh_after_hours, entry.cadence.off_season_hours)


def _ago(hours: float) -> str:
    return f"{hours:.1f} h ago" if hours < 48 else f"{hours / 24:.0f} days ago"


def _from_date(entry: DatasetKeymapEntry, state: SeriesState, wishes: PlanWishes, last: dt.date) -> dt.date:
    """The day after the newest row that silver has, less the look-back; never before the dataset's first date.

    Days without rows behind the newest row are asked for again, final or not: rows may be late. What a row says of days
    to come means nothing. Where an answer is the same whatever days are asked for, it is the last day at the latest.
    """
    if wishes.since is not None:
        return max(wishes.since, entry.first_date)
    if state.again_from is not None:
        return max(state.again_from, entry.first_date)
    if state.coverage_to is None:
        return entry.first_date
    newest = min(state.coverage_to, last)
    first = max(entry.first_date, newest + dt.timedelta(days=1 - entry.lookback_days))
    return first if entry.is_asked_by_days else min(first, last)

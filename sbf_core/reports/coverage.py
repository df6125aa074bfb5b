"""What was asked of a dataset, what was answered, and what is final, day by day in stretches."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum

import attrs
import duckdb

from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.ops.coverage import Stretch, answered_stretches, failed_stretches, final_stretches, left_of
from sbf_core.plan.planner import membership
from sbf_core.reports.table import FactTable
from sbf_core.universe.members import Membership
from sbf_core.value import Value
from sbf_core.vocabulary import Scope


class Covered(StrEnum):
    """How a day of a series stands."""

    #: Answered after it was over and had settled; it is not asked for again, but for the look-back.
    FINAL = "final"
    #: As final, but no answer with that day brought a row.
    EMPTY = "empty"
    #: Answered, too early to be final: it is asked for again.
    NOT_FINAL = "not final"
    #: Asked for, never answered.
    FAILED = "failed"
    #: Wanted: of a ticker only days on which it belongs to the universe.
    NEVER_ASKED = "never asked"


@attrs.frozen(kw_only=True)
class CoveredStretch(Value):
    """Days of one series that stand alike.

    Attributes:
        ticker: whose; None for a dataset without tickers.
        first, last: the days, both among them.
        state: how they stand.
    """

    ticker: str | None
    first: dt.date
    last: dt.date
    state: Covered

    @property
    def days(self) -> int:
        """How many days."""
        return (self.last - self.first).days + 1


def coverage_of(
    cursor: duckdb.DuckDBPyConnection,
    entry: DatasetKeymapEntry,
    *,
    belonging: Membership | None,
    today: dt.date,
    ticker: str | None = None,
) -> list[CoveredStretch]:
    """The days of each series, from ``first_date`` on, in stretches; series in order, days in theirs. Days that were
    asked for stand there whatever is wanted now, others where the series belongs.

    Args:
        cursor: reads.
        entry: a dataset that is asked for by days.
        belonging: the tickers that are wanted, asked for or not, and when; members of the dataset's own go before
            them. None: nobody says so, and those that were asked for are.
        today: the last day that is wanted, less the ``min_age_days`` of the dataset.
        ticker: only this one; where it neither belongs nor was asked for, it is wanted always.
    """
    wanted = Stretch(entry.first_date, today - dt.timedelta(days=entry.cadence.min_age_days))
    if wanted.first > wanted.last:
        return []
    final, answered = final_stretches(cursor, entry), answered_stretches(cursor, entry)
    rows, failed = answered_stretches(cursor, entry, with_rows=True), failed_stretches(cursor, entry)
    bounds: dict[str | None, Sequence[Stretch]] = {None: [wanted]}
    if entry.scope is Scope.PER_TICKER:
        seen = {one for by_ticker in (answered, failed) for one in by_ticker if one is not None}
        bounds = _bounds(seen, membership(entry, (), None) if entry.members else belonging, wanted)
    if ticker is not None:
        is_wanted = ticker in bounds or (entry.scope is Scope.PER_TICKER and not entry.has_own_series)
        bounds = {ticker: bounds.get(ticker, [wanted])} if is_wanted else {}
    covered = []
    for one, belongs in bounds.items():
        of = [each.get(one, ()) for each in (final, answered, rows, failed)]
        states = _states(wanted, *of, bounds=belongs)
        stretches = [CoveredStretch(ticker=one, first=a, last=z, state=state) for a, z, state in states]
        covered += sorted(stretches, key=lambda each: each.first)
    return covered


def _bounds(seen: Iterable[str], belonging: Membership | None, wanted: Stretch) -> dict[str | None, Sequence[Stretch]]:
    """By ticker, in order, the stretches in which it belongs, cut or not to what is wanted; none of one that left."""
    if belonging is None:
        return {one: [wanted] for one in sorted(seen)}
    bounds: dict[str | None, Sequence[Stretch]] = dict.fromkeys(sorted({*seen, *belonging.tickers}), ())
    for one in belonging.tickers:
        spans = belonging.spans.get(one)
        bounds[one] = [wanted] if spans is None else [Stretch(first, last) for first, last in spans]
    return bounds


def _states(
    wanted: Stretch,
    final: Sequence[Stretch],
    answered: Sequence[Stretch],
    rows: Sequence[Stretch],
    failed: Sequence[Stretch],
    *,
    bounds: Sequence[Stretch],
) -> Iterator[tuple[dt.date, dt.date, Covered]]:
    for each in _within(wanted, final):
        yield from _each(_within(each, rows), Covered.FINAL)
        yield from _each(left_of(each, rows), Covered.EMPTY)
    for each in _within(wanted, answered):
        yield from _each(left_of(each, final), Covered.NOT_FINAL)
    for open_days in left_of(wanted, answered):
        yield from _each(_within(open_days, failed), Covered.FAILED)
        for each in left_of(open_days, failed):
            yield from _each(_within(each, bounds), Covered.NEVER_ASKED)


def _each(stretches: Sequence[Stretch], state: Covered) -> Iterator[tuple[dt.date, dt.date, Covered]]:
    return ((each.first, each.last, state) for each in stretches)


def _within(wanted: Stretch, stretches: Sequence[Stretch]) -> list[Stretch]:
    """What of some stretches lies in one."""
    cut = (Stretch(max(each.first, wanted.first), min(each.last, wanted.last)) for each in stretches)
    return [each for each in cut if each.first <= each.last]


def day_counts(stretches: Sequence[CoveredStretch]) -> Mapping[Covered, int]:
    """How many days stand in each state, all series together."""
    counts = dict.fromkeys(Covered, 0)
    for each in stretches:
        counts[each.state] += each.days
    return counts


def coverage_table(stretches: Sequence[CoveredStretch]) -> FactTable:
    """Stretches as a table, with a column of tickers where there are any."""
    has_ticker = any(each.ticker is not None for each in stretches)
    rows = [
        (*([each.ticker] if has_ticker else []), each.first, each.last, each.days, each.state) for each in stretches
    ]
    return FactTable((*(["ticker"] if has_ticker else []), "first", "last", "days", "state"), tuple(rows))

"""What was asked of a dataset, what was answered, and what is final, day by day in stretches."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum

import attrs
import duckdb

from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.ops.coverage import Stretch, answered_stretches, failed_stretches, final_stretches, left_of
from sbf_core.reports.table import FactTable
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
    NEVER_ASKED = "never asked"


@attrs.frozen(kw_only=True)
class CoveredStretch:
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
    cursor: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry, *, tickers: Sequence[str], today: dt.date
) -> list[CoveredStretch]:
    """The wanted days of each series, from ``first_date`` on, in stretches; series in order, days in theirs.

    Args:
        cursor: reads.
        entry: a dataset that is asked for by days.
        tickers: those that are wanted, asked for or not.
        today: the last day that is wanted, less the ``min_age_days`` of the dataset.
    """
    wanted = Stretch(entry.first_date, today - dt.timedelta(days=entry.cadence.min_age_days))
    if wanted.first > wanted.last:
        return []
    final, answered = final_stretches(cursor, entry), answered_stretches(cursor, entry)
    rows, failed = answered_stretches(cursor, entry, with_rows=True), failed_stretches(cursor, entry)
    series: Sequence[str | None] = [None]
    if entry.scope is Scope.PER_TICKER:
        seen = {ticker for by_ticker in (answered, failed) for ticker in by_ticker if ticker is not None}
        series = sorted({*seen, *(entry.members or tickers)})
    covered = []
    for ticker in series:
        of = [each.get(ticker, ()) for each in (final, answered, rows, failed)]
        stretches = [
            CoveredStretch(ticker=ticker, first=a, last=z, state=state) for a, z, state in _states(wanted, *of)
        ]
        covered += sorted(stretches, key=lambda each: each.first)
    return covered


def _states(
    wanted: Stretch,
    final: Sequence[Stretch],
    answered: Sequence[Stretch],
    rows: Sequence[Stretch],
    failed: Sequence[Stretch],
) -> Iterator[tuple[dt.date, dt.date, Covered]]:
    for each in _within(wanted, final):
        yield from _each(_within(each, rows), Covered.FINAL)
        yield from _each(left_of(each, rows), Covered.EMPTY)
    for each in _within(wanted, answered):
        yield from _each(left_of(each, final), Covered.NOT_FINAL)
    for open_days in left_of(wanted, answered):
        yield from _each(_within(open_days, failed), Covered.FAILED)
        yield from _each(left_of(open_days, failed), Covered.NEVER_ASKED)


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

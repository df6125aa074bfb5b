"""Several tickers in one request, for vendors who take a list of them.

A batch is planned anew each time, of tickers that want the same days. What is known of a ticker is what is known of the
batches that it was in, so a universe that grows or shrinks fetches nothing twice.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

import attrs

from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.ops.rows import SeriesState
from sbf_core.plan.planned import PlannedRequest, tickers_at_once
from sbf_core.runs.request import TICKER_SEPARATOR

#: Series, first and last day of what was fetched.
Done = frozenset[tuple[str, dt.date | None, dt.date | None]]


def known_of_tickers(
    entries: Sequence[DatasetKeymapEntry], states: Mapping[str, SeriesState]
) -> Mapping[str, SeriesState]:
    """What the ledger knows of each series, that of a batch told of each of its tickers."""
    bases = _bases(entries)
    if not bases:
        return states
    known: dict[str, SeriesState] = {}
    for key, state in states.items():
        for series in _series(key, bases):
            known[series] = _both(known[series], state) if series in known else state
    return known


def known_series(entries: Sequence[DatasetKeymapEntry], done: Done) -> Done:
    """Stretches of series that were fetched, that of a batch told of each of its tickers."""
    bases = _bases(entries)
    return (
        frozenset((series, first, last) for key, first, last in done for series in _series(key, bases))
        if bases
        else done
    )


def _bases(entries: Sequence[DatasetKeymapEntry]) -> tuple[str, ...]:
    return tuple(f"{entry.key(None)}/" for entry in entries if entry.tickers_at_once > 1)


def _series(key: str, bases: tuple[str, ...]) -> list[str]:
    base = next((base for base in bases if key.startswith(base)), "")
    return [base + ticker for ticker in key.removeprefix(base).split(TICKER_SEPARATOR)] if base else [key]


def _both(one: SeriesState, other: SeriesState) -> SeriesState:
    """The later of what two batches say of a ticker that was in both."""
    checked = max(filter(None, (one.checked_at, other.checked_at)), default=None)
    asked = max(filter(None, (one.to_date, other.to_date)), default=None)
    covered = max(filter(None, (one.coverage_to, other.coverage_to)), default=None)
    later = one if one.checked_at == checked else other
    return attrs.evolve(
        one,
        checked_at=checked,
        to_date=asked,
        coverage_to=covered,
        unknown_since=later.unknown_since,
        has_failed=later.has_failed,
    )


def in_batches(planned: Sequence[PlannedRequest]) -> list[PlannedRequest]:
    """Requests for one ticker each, put together where their dataset allows it and they are due for the same days; in
    the order of the first of each.
    """
    result: list[PlannedRequest] = []
    open_batches: dict[tuple[object, ...], tuple[int, list[str]]] = {}
    for item in planned:
        most, ticker = tickers_at_once(item), item.request.ticker
        if most == 1 or not item.due or ticker is None:
            result.append(item)
            continue
        alike = item.entry.id, tuple((step.from_date, step.to_date) for step in item.steps)
        place, tickers = open_batches.get(alike, (-1, []))
        if not tickers or len(tickers) == most:
            place, tickers = len(result), []
            open_batches[alike] = place, tickers
            result.append(item)
        tickers.append(ticker)
        if len(tickers) > 1:
            result[place] = _together(result[place], tickers)
    return result


def _together(first: PlannedRequest, tickers: Sequence[str]) -> PlannedRequest:
    names = TICKER_SEPARATOR.join(tickers)
    chain = tuple(attrs.evolve(step, ticker=names) for step in first.chain)
    return attrs.evolve(first, request=attrs.evolve(first.request, ticker=names), chain=chain)

"""Datasets of which nothing is due, told for all series at once: most runs of a large universe ask for nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.ops.asked import Fresh
from sbf_core.plan.planner import interval_hours, membership, news_of
from sbf_core.universe.members import Membership
from sbf_core.vocabulary import Scope


def fresh_of(
    entry: DatasetKeymapEntry,
    *,
    tickers: Sequence[str],
    universe: Mapping[str, Membership] | None,
    now: dt.datetime,
) -> Fresh | None:
    """When the series of a dataset are not due, as the planner would find one by one; None where only that can tell.

    Raises:
        UsageError: its calendar is not installed.
    """
    belonging = membership(entry, tickers, universe)
    if entry.tickers_at_once > 1 or belonging.changed:
        return None
    since = before(now, hours=interval_hours(entry, now))
    news = news_of(entry, now)
    of_tickers = entry.scope is Scope.PER_TICKER
    return Fresh(
        base=entry.key(None),
        since=since if news is None else min(since, news[1]),
        unknown_since=now - dt.timedelta(days=entry.unknown_after_days),
        tickers=belonging.tickers if of_tickers else None,
    )


def before(now: dt.datetime, *, hours: float) -> dt.datetime:
    """A moment so many hours ago; the first that there is, where that is before all times."""
    try:
        return now - dt.timedelta(hours=hours)
    except OverflowError:
        return dt.datetime.min.replace(tzinfo=dt.UTC)

"""Prices and facts of Polygon, for the tickers of the universe; without a plan in the settings it has no datasets."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import attrs

from sbf_core.api import (
    DatasetKeymapEntry,
    FetchSession,
    RunRequest,
    RunResult,
    UsageError,
    checked_options,
    checked_words,
    fetch_by_recipe,
    hookimpl,
)

if TYPE_CHECKING:
    from sbf_core.api import Offer


#: Plans, and how often each may ask. Those that are paid for have no bound of their own; it asks to stay below 100.
PLANS = {"free": ("5/minute",), "paid": ("50/second",)}


@hookimpl
def datasets(options: Mapping[str, Any]) -> Sequence[DatasetKeymapEntry]:
    """The daily bars, and what else the settings name."""
    chosen = checked_options(options, plan="", since=dt.date(2003, 9, 10), datasets=("eod",))
    plan = chosen["plan"]
    if not plan:
        return ()
    if plan not in PLANS:
        raise UsageError(
            f"plan {plan!r} is not known",
            where="[options.polygon]",
            fix=f"use one of {', '.join(PLANS)}",
            code="OPTION",
        )
    from sbf_plugins.polygon import bars, reference  # without a plan nobody has to pay for it

    names = checked_words(chosen["datasets"], reference.NAMES, what="dataset", where="[options.polygon] datasets")
    return [
        bars.entry(plan, PLANS[plan], chosen["since"])
        if name == "eod"
        else reference.entry(name, plan, PLANS[plan], chosen["since"])
        for name in names
    ]


@hookimpl
def fetch(entry: DatasetKeymapEntry, request: RunRequest, http: FetchSession) -> Sequence[RunResult]:
    """As declared; but where there is nothing, Polygon leaves out the list of rows, and says that it counted none."""
    found = fetch_by_recipe(entry, request, http)
    last = found[-1]
    is_first = "cursor=" not in last.address  # of a later page nothing would be the loss of those before it
    if not last.ok and is_first and _counts_none(last.evidence):
        return [attrs.evolve(last, payload=b"", error=None, kind="none", evidence=b"")]
    return found


def _counts_none(answer: bytes) -> bool:
    """Whether an answer that was taken for no data is a good one about nothing."""
    try:
        said = json.loads(answer)
    except ValueError:
        return False
    if not isinstance(said, dict) or "results" in said or said.get("status") not in ("OK", "DELAYED"):
        return False
    return said.get("resultsCount") == 0


@hookimpl
def offers(options: Mapping[str, Any]) -> Sequence[Offer]:
    """The daily bars, by the free plan, where none is chosen."""
    if "plan" in options:
        return ()
    from sbf_core.api import Offer

    return (
        Offer(
            id="prices/polygon/eod",
            title="Daily prices, adjusted for splits",
            words="stocks shares OHLC bars equities eod",
            options={"plan": "free"},
            region="US",
            frequency="day",
            cost="free with key",
            terms="Polygon's terms; the data may not be passed on. Key: POLYGON_API_KEY.",
            passing_on="no",
            source_url="https://polygon.io/docs/rest/stocks/aggregates/custom-bars",
        ),
    )

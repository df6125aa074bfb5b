"""Prices and figures of Alpha Vantage, for the tickers of the universe; without a plan in the settings no datasets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sbf_core.api import (
    DatasetKeymapEntry,
    PromotionBatch,
    SelectRows,
    UsageError,
    checked_options,
    checked_words,
    hookimpl,
)

if TYPE_CHECKING:
    from sbf_core.api import Offer


#: Plans by their requests a minute, and how often each may ask.
PLANS = {
    "free": ("1/second", "25/day"),
    **{str(calls): (f"{calls}/minute",) for calls in (75, 150, 300, 600, 1200)},
}


@hookimpl
def datasets(options: Mapping[str, Any]) -> Sequence[DatasetKeymapEntry]:
    """The daily bars, and what else the settings name."""
    chosen = checked_options(options, plan="", whole=False, datasets=("eod",))
    plan = chosen["plan"]
    if not plan:
        return ()
    if plan not in PLANS or (chosen["whole"] and plan == "free"):
        known = plan in PLANS
        raise UsageError(
            "the free plan gives the last 100 days only" if known else f"plan {plan!r} is not known",
            where="[options.alphavantage]",
            fix="whole = false" if known else f"use one of {', '.join(PLANS)}, as texts",
            code="OPTION",
        )
    from sbf_plugins.alphavantage import bars, fundamentals  # without a plan nobody has to pay for it

    names = checked_words(
        chosen["datasets"], fundamentals.NAMES, what="dataset", where="[options.alphavantage] datasets"
    )
    return [
        bars.entry(plan, PLANS[plan], is_whole=chosen["whole"])
        if name == "eod"
        else fundamentals.entry(name, plan, PLANS[plan])
        for name in names
    ]


@hookimpl
def promote(entry: DatasetKeymapEntry, batch: PromotionBatch) -> SelectRows | None:
    """Of a statement each figure becomes a row; all else is read as declared."""
    from sbf_plugins.alphavantage import fundamentals

    return SelectRows(fundamentals.STATEMENT_SQL) if entry.dataset in fundamentals.STATEMENTS else None


@hookimpl
def offers(options: Mapping[str, Any]) -> Sequence[Offer]:
    """The daily bars, by the free plan, where none is chosen."""
    if "plan" in options:
        return ()
    from sbf_core.api import Offer

    return (
        Offer(
            id="prices/alphavantage/eod",
            title="Daily prices as traded",
            words="stocks shares OHLC bars equities eod",
            options={"plan": "free"},
            region="world",
            frequency="day",
            cost="free with key",
            terms="Alpha Vantage's terms; the data may not be passed on. Key: ALPHAVANTAGE_API_KEY.",
            passing_on="no",
            source_url="https://www.alphavantage.co/documentation/#daily",
        ),
    )

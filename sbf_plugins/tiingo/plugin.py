"""Prices and facts of Tiingo, for the tickers of the universe; without a plan in the settings it has no datasets."""

from __future__ import annotations

import datetime as dt
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


#: Plans, and how often each may ask.
PLANS = {"free": ("50/hour", "1000/day"), "power": ("10000/hour", "100000/day")}


@hookimpl
def datasets(options: Mapping[str, Any]) -> Sequence[DatasetKeymapEntry]:
    """The daily bars, and what else the settings name."""
    chosen = checked_options(
        options, plan="", since=dt.date(1962, 1, 2), datasets=("eod",), pairs=("eurusd", "gbpusd", "usdjpy")
    )
    plan = chosen["plan"]
    if not plan:
        return ()
    if plan not in PLANS:
        raise UsageError(
            f"plan {plan!r} is not known",
            where="[options.tiingo]",
            fix=f"use one of {', '.join(PLANS)}",
            code="OPTION",
        )
    from sbf_plugins.tiingo import bars, reference  # without a plan nobody has to pay for it

    names = checked_words(chosen["datasets"], reference.NAMES, what="dataset", where="[options.tiingo] datasets")
    since = chosen["since"]
    return [
        bars.entry(plan, PLANS[plan], since)
        if name == "eod"
        else reference.entry(name, plan, PLANS[plan], since, chosen["pairs"])
        for name in names
    ]


@hookimpl
def promote(entry: DatasetKeymapEntry, batch: PromotionBatch) -> SelectRows | None:
    """The list of tickers has some that never traded: without an exchange or a first day, which a key wants."""
    if entry.dataset != "supported":
        return None
    from sbf_plugins.tiingo.reference import SUPPORTED_SQL

    return SelectRows(SUPPORTED_SQL)


@hookimpl
def offers(options: Mapping[str, Any]) -> Sequence[Offer]:
    """The daily bars, by the free plan, where none is chosen."""
    if "plan" in options:
        return ()
    from sbf_core.api import Offer

    return (
        Offer(
            id="prices/tiingo/eod",
            title="Daily prices, as traded and adjusted",
            words="stocks shares OHLC bars equities eod",
            options={"plan": "free"},
            region=("US", "CN"),
            frequency="day",
            cost="free with key",
            terms="Tiingo's terms; the data may not be passed on. Key: TIINGO_API_TOKEN.",
            passing_on="no",
            source_url="https://www.tiingo.com/documentation/end-of-day",
        ),
    )

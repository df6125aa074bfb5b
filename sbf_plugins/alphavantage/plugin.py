"""Daily prices of Alpha Vantage, for the tickers of the universe; without a plan in the settings it has no datasets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sbf_core.api import DatasetKeymapEntry, UsageError, checked_options, hookimpl

#: Plans by their requests a minute, and how often each may ask.
PLANS = {
    "free": ("1/second", "25/day"),
    **{str(calls): (f"{calls}/minute",) for calls in (75, 150, 300, 600, 1200)},
}


@hookimpl
def datasets(options: Mapping[str, Any]) -> Sequence[DatasetKeymapEntry]:
    """The daily bars."""
    chosen = checked_options(options, plan="", whole=False)
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
    from sbf_plugins.alphavantage.bars import entry  # without a plan nobody has to pay for it

    return (entry(plan, PLANS[plan], is_whole=chosen["whole"]),)

"""Daily prices of Tiingo, for the tickers of the universe; without a plan in the settings it has no datasets."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from sbf_core.api import DatasetKeymapEntry, UsageError, checked_options, hookimpl

#: Plans, and how often each may ask.
PLANS = {"free": ("50/hour", "1000/day"), "power": ("10000/hour", "100000/day")}


@hookimpl
def datasets(options: Mapping[str, Any]) -> Sequence[DatasetKeymapEntry]:
    """The daily bars."""
    chosen = checked_options(options, plan="", since=dt.date(1962, 1, 2))
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
    from sbf_plugins.tiingo.bars import entry  # without a plan nobody has to pay for it

    return (entry(plan, PLANS[plan], chosen["since"]),)

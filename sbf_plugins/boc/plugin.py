"""Daily rates of the Bank of Canada, by the groups and series that the settings name; without any it has no
datasets.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sbf_core.api import DatasetKeymapEntry, UsageError, checked_options, hookimpl

if TYPE_CHECKING:
    from sbf_core.api import Offer


_NAME = r"[A-Za-z0-9][A-Za-z0-9_.-]*"


@hookimpl
def datasets(options: Mapping[str, Any]) -> Sequence[DatasetKeymapEntry]:
    """A dataset of the groups, and one of the series."""
    chosen = checked_options(options, groups=(), series=(), since=dt.date(2017, 1, 3))
    for what in ("groups", "series"):
        wrong = next((name for name in chosen[what] if not re.fullmatch(_NAME, name)), None)
        if wrong is not None:
            raise UsageError(
                f"{wrong!r} is no name",
                where=f"[options.boc] {what}",
                fix='write groups = ["FX_RATES_DAILY"], series = ["V39079"]',
                code="OPTION",
            )
    if not (chosen["groups"] or chosen["series"]):
        return ()
    from sbf_plugins.boc.rates import entries  # without names nobody has to pay for it

    return entries(chosen["groups"], chosen["series"], chosen["since"])


@hookimpl
def offers() -> Sequence[Offer]:
    """Groups and series that most want."""
    from sbf_core.api import offers_of_table
    from sbf_plugins.boc.rates import TERMS

    return offers_of_table(
        Path(__file__).with_name("offers.tsv"),
        cost="free",
        terms=TERMS,
        source_url="https://www.bankofcanada.ca/valet/docs",
    )

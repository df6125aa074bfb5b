"""Rates of Banco Central do Brasil, by the series and currencies that the settings name; without any it has no
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


_CODES = {"series": r"[1-9][0-9]{0,7}", "currencies": r"[A-Z]{3}"}


@hookimpl
def datasets(options: Mapping[str, Any]) -> Sequence[DatasetKeymapEntry]:
    """A dataset of the time series, and one of the closing rates."""
    chosen = checked_options(options, series=(), currencies=(), since=dt.date(2000, 1, 1))
    for what, pattern in _CODES.items():
        wrong = next((code for code in chosen[what] if not re.fullmatch(pattern, code)), None)
        if wrong is not None:
            raise UsageError(
                f"{wrong!r} is no code",
                where=f"[options.bcb] {what}",
                fix='write series = ["1", "432"], currencies = ["USD", "EUR"]',
                code="OPTION",
            )
    if not (chosen["series"] or chosen["currencies"]):
        return ()
    from sbf_plugins.bcb.rates import entries  # without codes nobody has to pay for it

    return entries(chosen["series"], chosen["currencies"], chosen["since"])


@hookimpl
def offers() -> Sequence[Offer]:
    """Series that most want."""
    from sbf_core.api import offers_of_table
    from sbf_plugins.bcb.rates import TERMS

    return offers_of_table(
        Path(__file__).with_name("offers.tsv"), cost="free", terms=TERMS, source_url="https://dadosabertos.bcb.gov.br/"
    )

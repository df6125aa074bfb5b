"""Daily exchange rates of the Bank of Japan, by the series that the settings name; without any it has no datasets."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sbf_core.api import DatasetKeymapEntry, UsageError, checked_options, hookimpl

if TYPE_CHECKING:
    from sbf_core.api import Offer


_CODE = r"[A-Z0-9]+"


@hookimpl
def datasets(options: Mapping[str, Any]) -> Sequence[DatasetKeymapEntry]:
    """The dataset of the series of the database FM08."""
    chosen = checked_options(options, series=(), since=dt.date(1998, 1, 1))
    wrong = next((code for code in chosen["series"] if not re.fullmatch(_CODE, code)), None)
    if wrong is not None:
        raise UsageError(
            f"{wrong!r} is no code of a series",
            where="[options.boj] series",
            fix='write series = ["FXERD04", "FXERD34"]',
            code="OPTION",
        )
    if not chosen["series"]:
        return ()
    from sbf_plugins.boj.rates import entry  # without series nobody has to pay for it

    return (entry(chosen["series"], chosen["since"]),)


@hookimpl
def offers() -> Sequence[Offer]:
    """Series that most want."""
    from sbf_core.api import offers_of_table
    from sbf_plugins.boj.rates import TERMS

    return offers_of_table(
        Path(__file__).with_name("offers.tsv"),
        cost="free",
        terms=TERMS,
        source_url="https://www.stat-search.boj.or.jp/",
    )

"""Commitments of traders: who holds which futures and options in the U.S., by week and group of traders."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sbf_core.api import (
    Cadence,
    Column,
    Csv,
    DataRules,
    DatasetKeymapEntry,
    RestRecipe,
    UsageError,
    checked_options,
    checked_words,
    hookimpl,
)
from sbf_plugins.cftc.columns import DISAGGREGATED, FINANCIAL, later, legacy, supplemental

if TYPE_CHECKING:
    from sbf_core.api import Offer


_HISTORY = "https://www.cftc.gov/files/dea/history/"
_ABOUT = "https://www.cftc.gov/MarketReports/CommitmentsofTraders/index.htm"
_TERMS = "U.S. government work, public domain."
#: What is fetched where the settings choose nothing.
USUAL = ("legacy_futures",)


_Columns = tuple[Column, ...]


def _disaggregated() -> _Columns:
    return later(DISAGGREGATED, ("All", "Old", "Other"))


def _financial() -> _Columns:
    return later(FINANCIAL, ("All",))


#: Each report: the file of a year, the year of the first one, its columns, and what it is called.
_REPORTS: dict[str, tuple[str, int, Callable[[], _Columns], str]] = {
    "legacy_futures": ("deacot{year}.zip", 1986, legacy, "legacy, futures only"),
    "legacy_combined": ("deahistfo{year}.zip", 1995, legacy, "legacy, with options"),
    "disaggregated_futures": ("fut_disagg_txt_{year}.zip", 2006, _disaggregated, "disaggregated, futures only"),
    "disaggregated_combined": ("com_disagg_txt_{year}.zip", 2006, _disaggregated, "disaggregated, with options"),
    "financial_futures": ("fut_fin_txt_{year}.zip", 2006, _financial, "financial, futures only"),
    "financial_combined": ("com_fin_txt_{year}.zip", 2006, _financial, "financial, with options"),
    "supplemental_combined": ("dea_cit_txt_{year}.zip", 2006, supplemental, "index traders, with options"),
}


@hookimpl
def datasets(options: Mapping[str, Any]) -> Sequence[DatasetKeymapEntry]:
    """The reports that the settings choose, in files of a year each."""
    chosen = checked_options(options, reports=USUAL, since=2017)
    names = checked_words(chosen["reports"], _REPORTS, what="report", where="[options.cftc] reports")
    if not 1986 <= chosen["since"] <= 2100:
        raise UsageError(
            f"since = {chosen['since']} is no year of the reports",
            where="[options.cftc] since",
            fix="write a year, e.g. since = 2017; the first reports are of 1986",
            code="OPTION",
        )
    return [_entry(name, chosen["since"]) for name in names]


def _entry(name: str, since: int) -> DatasetKeymapEntry:
    file, first_year, columns, words = _REPORTS[name]
    return DatasetKeymapEntry(
        domain="positions",
        source="cftc",
        dataset=name,
        silver_table=f"cftc_{name}",
        columns=columns(),
        format=Csv(),
        recipe=RestRecipe(url=_HISTORY + file, extension="zip", limits=("1/second",), connections=1),
        # The file of a year is there once its first week is out.
        is_data=DataRules(none_status=(404,)),
        first_date=dt.date(max(since, first_year), 1, 1),
        lookback_days=21,
        refresh_after_hours=24,
        # Positions of a Tuesday are published on the Friday behind it.
        cadence=Cadence(min_age_days=3),
        opt_in=True,
        tags=("weekly", "positions"),
        title=f"Commitments of traders: {words}",
        region="US",
        frequency="week",
        cost="free",
        terms=_TERMS,
        source_url=_ABOUT,
    )


@hookimpl
def offers() -> Sequence[Offer]:
    """All reports."""
    from sbf_core.api import offers_of_table

    return offers_of_table(
        Path(__file__).with_name("offers.tsv"), usual={"reports": USUAL}, cost="free", terms=_TERMS, source_url=_ABOUT
    )

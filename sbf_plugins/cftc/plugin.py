"""Commitments of traders: who holds which futures and options in the U.S., by week and group of traders."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs

from sbf_core.api import (
    Cadence,
    Column,
    Csv,
    DataRules,
    DatasetKeymapEntry,
    RestRecipe,
    UsageError,
    checked_options,
    hookimpl,
)
from sbf_plugins.cftc.columns import DISAGGREGATED, FINANCIAL, later, legacy

_HISTORY = "https://www.cftc.gov/files/dea/history/"
_ABOUT = "https://www.cftc.gov/MarketReports/CommitmentsofTraders/index.htm"
#: What is fetched where the settings choose nothing.
USUAL = ("legacy_futures", "disaggregated_futures", "financial_futures")


@attrs.frozen
class _Report:
    """One report: the yearly file, the year of the first one, and its columns."""

    file: str
    first_year: int
    columns: Callable[[], tuple[Column, ...]]
    title: str


_CROPS = ("All", "Old", "Other")
_REPORTS = {
    "legacy_futures": _Report("deacot{year}.zip", 1986, legacy, "Commitments of traders: legacy, futures only"),
    "legacy_combined": _Report("deahistfo{year}.zip", 1995, legacy, "Commitments of traders: legacy, with options"),
    "disaggregated_futures": _Report(
        "fut_disagg_txt_{year}.zip", 2006, lambda: later(DISAGGREGATED, _CROPS),
        "Commitments of traders: disaggregated, futures only",
    ),
    "disaggregated_combined": _Report(
        "com_disagg_txt_{year}.zip", 2006, lambda: later(DISAGGREGATED, _CROPS),
        "Commitments of traders: disaggregated, with options",
    ),
    "financial_futures": _Report(
        "fut_fin_txt_{year}.zip", 2006, lambda: later(FINANCIAL, ("All",)),
        "Commitments of traders: financial futures, futures only",
    ),
    "financial_combined": _Report(
        "com_fin_txt_{year}.zip", 2006, lambda: later(FINANCIAL, ("All",)),
        "Commitments of traders: financial futures, with options",
    ),
}  # fmt: skip


@hookimpl
def datasets(options: Mapping[str, Any]) -> Sequence[DatasetKeymapEntry]:
    """The reports that the settings choose, in files of a year each."""
    chosen = checked_options(options, reports=USUAL, since=2017)
    unknown = next((name for name in chosen["reports"] if name not in _REPORTS), None)
    if unknown is not None:
        raise UsageError(
            f"there is no report {unknown!r}",
            where="[options.cftc] reports",
            fix=f"use some of {', '.join(_REPORTS)}",
            code="OPTION",
        )
    if not 1986 <= chosen["since"] <= 2100:
        raise UsageError(
            f"since = {chosen['since']} is no year of the reports",
            where="[options.cftc] since",
            fix="write a year, e.g. since = 2017; the first reports are of 1986",
            code="OPTION",
        )
    return [_entry(name, _REPORTS[name], chosen["since"]) for name in dict.fromkeys(chosen["reports"])]


def _entry(name: str, report: _Report, since: int) -> DatasetKeymapEntry:
    return DatasetKeymapEntry(
        domain="positions",
        source="cftc",
        dataset=name,
        silver_table=f"cftc_{name}",
        columns=report.columns(),
        format=Csv(),
        recipe=RestRecipe(url=_HISTORY + report.file, extension="zip", limits=("1/second",), connections=1),
        # The file of a year is there once its first week is out.
        is_data=DataRules(none_status=(404,)),
        first_date=dt.date(max(since, report.first_year), 1, 1),
        lookback_days=21,
        refresh_after_hours=24,
        # Positions of a Tuesday are published on the Friday behind it.
        cadence=Cadence(min_age_days=3),
        opt_in=True,
        tags=("weekly", "positions"),
        title=report.title,
        terms="U.S. government work, public domain.",
        source_url=_ABOUT,
    )

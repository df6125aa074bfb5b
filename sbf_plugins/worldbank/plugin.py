"""Indicators of the World Bank, for the countries and indicators that the settings name; without any it has no
datasets.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sbf_core.api import DatasetKeymapEntry, GoldModel, UsageError, checked_options, hookimpl

if TYPE_CHECKING:
    from sbf_core.api import Offer


_COUNTRY = r"[A-Za-z0-9]{2,3}"
_INDICATOR = r"[A-Za-z0-9][A-Za-z0-9._-]*"


@hookimpl
def datasets(options: Mapping[str, Any]) -> Sequence[DatasetKeymapEntry]:
    """One dataset, with a series for each indicator."""
    countries, indicators = _chosen(options)
    if not indicators:
        return ()
    from sbf_plugins.worldbank.indicators import entry  # without indicators nobody has to pay for it

    return (entry(countries, indicators),)


@hookimpl
def build_gold(options: Mapping[str, Any]) -> Sequence[GoldModel]:
    """The values, with the day on which their period begins."""
    if not _chosen(options)[1]:
        return ()
    from sbf_plugins.worldbank.indicators import fact

    return (fact(),)


def _chosen(options: Mapping[str, Any]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Countries and indicators."""
    chosen = checked_options(options, countries=("all",), indicators=())
    for what, pattern, example in (
        ("countries", _COUNTRY, "all, US or USA"),
        ("indicators", _INDICATOR, "SP.POP.TOTL"),
    ):
        wrong = next((code for code in chosen[what] if not re.fullmatch(pattern, code)), None)
        if wrong is not None or (what == "countries" and not chosen[what]):
            raise UsageError(
                f"{wrong!r} is no code" if wrong is not None else "no country is named",
                where=f"[options.worldbank] {what}",
                fix=f"write {example}",
                code="OPTION",
            )
    return tuple(dict.fromkeys(chosen["countries"])), tuple(dict.fromkeys(chosen["indicators"]))


@hookimpl
def offers() -> Sequence[Offer]:
    """Well-known indicators."""
    from sbf_core.api import offers_of_table
    from sbf_plugins.worldbank.indicators import TERMS

    return offers_of_table(
        Path(__file__).with_name("offers.tsv"),
        cost="free",
        terms=TERMS,
        source_url="https://data.worldbank.org/indicator",
    )

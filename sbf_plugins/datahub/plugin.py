"""Core data sets of DataHub: tidy tables in the public domain, each a file that is replaced whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sbf_core.api import Column, DatasetKeymapEntry, RestRecipe, checked_options, checked_words, hookimpl


def _date(written: str = "") -> Column:
    doc = "the first day of the month" if written else ""
    return Column(name="date", type="DATE", key=True, row_date=True, source="Date", date_format=written, doc=doc)


def _number(name: str, source: str, unit: str, doc: str = "", kind: str = "DECIMAL(18,6)", **more: Any) -> Column:
    return Column(name=name, type=kind, source=source, unit=unit, doc=doc, **more)


def _price(unit: str) -> tuple[Column, ...]:
    return (_date(), _number("price", "Price", unit, nullable=True))


#: What is not known yet, or not any more, is written as 0.0 in the file of Shiller's figures.
_UNKNOWN: dict[str, Any] = {"nullable": True, "missing": ("0.0",)}


def _double(name: str, source: str, unit: str, doc: str = "", **more: Any) -> Column:
    return _number(name, source, unit, doc, "DOUBLE", **more)


_SHILLER = (
    _date(),
    _double("sp500", "SP500", "index points", "mean of the month's days"),
    _double("dividend", "Dividend", "USD an index unit", "of twelve months", **_UNKNOWN),
    _double("earnings", "Earnings", "USD an index unit", "of twelve months", **_UNKNOWN),
    _double("cpi", "Consumer Price Index", "index", **_UNKNOWN),
    _double("long_rate", "Long Interest Rate", "percent", "of ten-year bonds of the Treasury", **_UNKNOWN),
    _double("real_price", "Real Price", "of today's USD", **_UNKNOWN),
    _double("real_dividend", "Real Dividend", "of today's USD", **_UNKNOWN),
    _double("real_earnings", "Real Earnings", "of today's USD", **_UNKNOWN),
    _double("pe10", "PE10", "ratio", "by the mean of real earnings of ten years: none in the first ten", **_UNKNOWN),
)
_MEMBER = (
    Column(name="symbol", type="VARCHAR", key=True, source="Symbol"),
    Column(name="name", type="VARCHAR", source="Security"),
    Column(name="sector", type="VARCHAR", source="GICS Sector"),
    Column(name="industry", type="VARCHAR", source="GICS Sub-Industry"),
    Column(name="headquarters", type="VARCHAR", source="Headquarters Location"),
    Column(name="added", type="DATE", nullable=True, source="Date added", doc="the day on which it became a member"),
    Column(name="cik", type="BIGINT", source="CIK", doc="Central Index Key with the SEC"),
    Column(name="founded", type="VARCHAR", source="Founded", doc="as Wikipedia has it: 1902, 2013 (1888)"),
)
_GDP = (
    Column(name="country", type="VARCHAR", key=True, source="Country Code", doc="ISO 3166-1, or a group of countries"),
    Column(name="year", type="DATE", key=True, row_date=True, source="Year", date_format="%Y", doc="its first day"),
    Column(name="name", type="VARCHAR", source="Country Name"),
    _number("gdp", "Value", "USD of the year", "the double that the World Bank prints", "DOUBLE"),
)
_RATE = (
    _date(),
    Column(name="country", type="VARCHAR", key=True, source="Country", doc="by name, e.g. Australia, Euro"),
    _number("rate", "Exchange rate", "of the country's money for a USD", nullable=True),
)
#: By name: the file, its columns, whether it is the whole truth, its tag, and its title.
_FILES: dict[str, tuple[str, tuple[Column, ...], bool, str, str]] = {
    "sp500_constituents": (
        "s-and-p-500-companies/_r/-/data/constituents.csv", _MEMBER, True, "reference", "Members of the S&P 500",
    ),
    "sp500_month": ("s-and-p-500/_r/-/data/data.csv", _SHILLER, False, "monthly", "S&P 500 since 1871, after Shiller"),
    "gdp": ("gdp/_r/-/data/gdp.csv", _GDP, True, "annual", "Gross domestic product by country"),
    "exchange_rates_month": (
        "exchange-rates/_r/-/data/monthly.csv", _RATE, False, "monthly", "Exchange rates of the Federal Reserve",
    ),
    "brent_day": ("oil-prices/_r/-/data/brent-daily.csv", _price("USD a barrel"), False, "daily", "Brent, spot"),
    "wti_day": ("oil-prices/_r/-/data/wti-daily.csv", _price("USD a barrel"), False, "daily", "WTI at Cushing, spot"),
    "natural_gas_day": (
        "natural-gas/_r/-/data/daily.csv", _price("USD a million BTU"), False, "daily", "Henry Hub natural gas, spot",
    ),
    "gold_month": (
        "gold-prices/_r/-/data/monthly.csv", (_date("%Y-%m"), _number("price", "Price", "USD a troy ounce")), False,
        "monthly", "Gold since 1833",
    ),
    "us10y_month": (
        "bond-yields-us-10y/_r/-/data/monthly.csv", (_date(), _number("rate", "Rate", "percent a year")), False,
        "monthly", "Yield of ten-year bonds of the U.S. Treasury",
    ),
}  # fmt: skip


@hookimpl
def datasets(options: Mapping[str, Any]) -> Sequence[DatasetKeymapEntry]:
    """The files that the settings choose; all of them where they are silent."""
    chosen = checked_options(options, datasets=tuple(_FILES))["datasets"]
    names = checked_words(chosen, _FILES, what="dataset", where="[options.datahub] datasets")
    return [_entry(name) for name in names]


_REGIONS = {**dict.fromkeys(("sp500_constituents", "sp500_month", "us10y_month", "natural_gas_day", "wti_day"), "US")}
_FREQUENCIES = {"day": "day", "month": "month", "gdp": "year"}


def _entry(name: str) -> DatasetKeymapEntry:
    file, columns, is_whole, tag, title = _FILES[name]
    facts: dict[str, Any] = {"semantics": "snapshot", "shrink_share_max": 0.2} if is_whole else {}
    return DatasetKeymapEntry(
        **facts,
        domain="reference" if tag == "reference" else "macro",
        source="datahub",
        dataset=name,
        silver_table=f"datahub_{name}",
        columns=columns,
        recipe=RestRecipe(
            url=f"https://datahub.io/core/{file}",
            extension="csv",
            limits=("1/second",),
            connections=1,
            redirect_hosts=("r2.datahub.io", "pkgstore.datahub.io", "raw.githubusercontent.com"),
        ),
        refresh_after_hours=24,
        opt_in=True,
        tags=(tag,),
        region=_REGIONS.get(name, "world"),
        frequency=_FREQUENCIES.get(name.rpartition("_")[2], "irregular"),
        cost="free",
        title=title,
        terms="Public domain (ODC-PDDL 1.0); the sources that it names have terms of their own.",
        source_url=f"https://datahub.io/core/{file.partition('/')[0]}",
    )

"""Dividends and splits out of Yahoo's charts, and figures of companies."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from sbf_core.api import Column, DataRules, DatasetKeymapEntry, PayloadRefused, RestRecipe

_SYMBOL = Column(name="symbol", type="VARCHAR", key=True, doc="as Yahoo writes it")
_DIVIDEND = (
    _SYMBOL,
    Column(name="ex_date", type="DATE", key=True, row_date=True, doc="day at the exchange"),
    Column(
        name="amount",
        type="DECIMAL(24,12)",
        unit="currency",
        doc="a share, adjusted for later splits: each changes the past",
    ),
    Column(name="currency", type="VARCHAR", nullable=True, doc="GBp are pence"),
)
_SPLIT = (
    _SYMBOL,
    Column(name="date", type="DATE", key=True, row_date=True, doc="day at the exchange"),
    Column(name="new_shares", type="DECIMAL(18,8)", source="numerator", unit="shares", doc="for old_shares"),
    Column(name="old_shares", type="DECIMAL(18,8)", source="denominator", unit="shares"),
)
_FIGURE = (
    _SYMBOL,
    Column(name="concept", type="VARCHAR", key=True, doc="e.g. TotalRevenue"),
    Column(name="period", type="VARCHAR", key=True, doc="annual, quarterly"),
    Column(name="ends", type="DATE", key=True, row_date=True, doc="last day of the period"),
    Column(name="value", type="DECIMAL(38,8)", unit="currency, or shares"),
    Column(name="currency", type="VARCHAR", nullable=True),
)
#: What is asked for, by year and by quarter.
_CONCEPTS = (
    "TotalRevenue", "CostOfRevenue", "GrossProfit", "OperatingIncome", "EBITDA", "NetIncome", "BasicEPS", "DilutedEPS",
    "TotalAssets", "TotalLiabilitiesNetMinorityInterest", "StockholdersEquity", "TotalDebt", "CashAndCashEquivalents",
    "OrdinarySharesNumber", "OperatingCashFlow", "CapitalExpenditure", "FreeCashFlow",
)  # fmt: skip
_TYPES = "%2C".join(f"{period}{concept}" for period in ("annual", "quarterly") for concept in _CONCEPTS)


def entries(terms: str) -> list[DatasetKeymapEntry]:
    """Dividends and splits: they stand in the charts, and cost no request."""
    shared: dict[str, Any] = {
        "domain": "prices", "source": "yahoo", "reads": "prices/yahoo/eod", "is_data": DataRules(may_be_empty=True),
        "terms": terms, "source_url": "https://finance.yahoo.com", "region": "world", "frequency": "irregular",
        "cost": "free",
    }  # fmt: skip
    return [
        DatasetKeymapEntry(
            **shared,
            dataset="dividends",
            silver_table="yahoo_dividend",
            columns=_DIVIDEND,
            title="Dividends (unofficial)",
        ),
        DatasetKeymapEntry(
            **shared, dataset="splits", silver_table="yahoo_split", columns=_SPLIT, title="Splits (unofficial)"
        ),
    ]


def fundamentals(terms: str) -> DatasetKeymapEntry:
    """Figures by year and quarter, as far back as Yahoo gives them: four years and five quarters, mostly."""
    return DatasetKeymapEntry(
        domain="fundamentals",
        source="yahoo",
        dataset="fundamentals",
        scope="per_ticker",
        silver_table="yahoo_fundamental",
        columns=_FIGURE,
        recipe=RestRecipe(
            url=(
                "https://query1.finance.yahoo.com/ws/fundamentals-timeseries/v1/finance/timeseries/{ticker}"
                f"?period1=0&period2=9999999999&type={_TYPES}"
            ),
            class_mark="-",
            limits=("1/second",),
            connections=1,
        ),
        is_data=DataRules(error_fields=("timeseries.error", "finance.error"), may_be_empty=True),
        rows_at="$.timeseries.result[*]",
        refresh_after_hours=24 * 7,
        opt_in=True,
        region="world",
        frequency=("quarter", "year"),
        cost="free",
        title="Figures of companies (unofficial)",
        terms=terms,
        source_url="https://finance.yahoo.com",
    )


def _chart(payload: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    chart = json.loads(payload, parse_float=str).get("chart") or {}
    found = (chart.get("result") or [None])[0]
    if found is None:
        raise PayloadRefused(f"Yahoo says {json.dumps(chart.get('error'))[:200]}")
    return found["meta"], found.get("events") or {}


def parse_dividends(payload: bytes) -> Iterator[dict[str, object]]:
    """A row for each dividend. Raises ``PayloadRefused`` for an answer that is no chart."""
    from sbf_plugins.yahoo.plugin import day_of, zone_of

    meta, events = _chart(payload)
    zone = zone_of(meta)
    for event in (events.get("dividends") or {}).values():
        yield {
            "symbol": meta["symbol"],
            "ex_date": day_of(event["date"], zone),
            "amount": event["amount"],
            "currency": event.get("currency") or meta.get("currency"),
        }


def parse_splits(payload: bytes) -> Iterator[dict[str, object]]:
    """A row for each split. Raises ``PayloadRefused`` for an answer that is no chart."""
    from sbf_plugins.yahoo.plugin import day_of, zone_of

    meta, events = _chart(payload)
    zone = zone_of(meta)
    for event in (events.get("splits") or {}).values():
        yield {
            "symbol": meta["symbol"],
            "date": day_of(event["date"], zone),
            "numerator": event["numerator"],
            "denominator": event["denominator"],
        }


def parse_fundamentals(payload: bytes) -> Iterator[dict[str, object]]:
    """A row for each figure. Yahoo writes null for a period of which it has none.

    Raises:
        PayloadRefused: a series that is neither of years nor of quarters.
    """
    series = (json.loads(payload, parse_float=str).get("timeseries") or {}).get("result") or []
    for each in series:
        (symbol,), (name,) = each["meta"]["symbol"], each["meta"]["type"]
        period = next((word for word in ("annual", "quarterly", "trailing") if name.startswith(word)), None)
        if period is None:
            raise PayloadRefused(f"has a series {name!r}, which is neither of years nor of quarters")
        for figure in each.get(name) or []:
            if figure is not None:
                yield {
                    "symbol": symbol,
                    "concept": name.removeprefix(period),
                    "period": period,
                    "ends": figure["asOfDate"],
                    "value": figure["reportedValue"]["raw"],
                    "currency": figure.get("currencyCode"),
                }


PARSERS: dict[str, Callable[[bytes], Iterator[dict[str, object]]]] = {
    "dividends": parse_dividends, "splits": parse_splits, "fundamentals": parse_fundamentals
}  # fmt: skip

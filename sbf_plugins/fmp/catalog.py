"""The datasets of FMP in short."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from sbf_core.api import Cadence, Column, DataRules, Pages
from sbf_plugins.fmp import columns as c

API = "https://financialmodelingprep.com/stable"
RULES = DataRules(
    error_fields=("Error Message",),
    error_texts=("Limit Reach",),
    plan_texts=(
        "Exclusive Endpoint",
        "Special Endpoint",
        "Premium Query Parameter",
        "not available under your current subscription",
    ),
)
#: Plans, cheapest first, and how often each may ask.
PLANS = {
    "free": ("5/second", "250/day"),
    "starter": ("300/minute",),
    "premium": ("750/minute",),
    "ultimate": ("3000/minute",),
}
_PERIODS = ("annual", "quarter")


@attrs.frozen(kw_only=True)
class Spec:
    """One dataset in short; ``ask`` is its address behind the API's."""

    name: str
    domain: str
    columns: Sequence[Column]
    ask: str
    plan: str = "free"
    per: str = "ticker"
    hours: float = 20.0
    first: dt.date = dt.date(1985, 1, 1)
    lookback: int = 0
    title: str = ""
    region: str = "world"
    frequency: str | tuple[str, ...] = "irregular"
    recipe: Mapping[str, Any] = attrs.field(factory=dict)
    entry: Mapping[str, Any] = attrs.field(factory=dict)


_DATED = "symbol={ticker}&from={from_date}&to={to_date}"
SPECS = (
    Spec(
        name="stock_list",
        domain="reference",
        columns=c.STOCK,
        ask="stock-list",
        per="all",
        hours=24 * 7,
        title="Every symbol that FMP knows",
        entry={"semantics": "snapshot"},
    ),
    Spec(
        name="profile",
        domain="reference",
        columns=c.PROFILE,
        ask="profile?symbol={ticker}",
        hours=24 * 7,
        title="Company profile",
    ),
    Spec(
        name="profile_bulk",
        domain="reference",
        columns=c.PROFILE,
        ask="profile-bulk",
        per="all",
        plan="ultimate",
        hours=24 * 7,
        title="Company profiles of all symbols",
        recipe={"extension": "csv", "pages": Pages(by="page", parameter="part", first=0)},
    ),
    Spec(
        name="eod",
        frequency="day",
        domain="prices",
        columns=c.EOD,
        ask=f"historical-price-eod/full?{_DATED}",
        lookback=7,
        hours=12,
        title="Daily prices",
        recipe={"chunk_days": 5 * 366},
        entry={
            "is_data": attrs.evolve(RULES, may_be_empty=True),
            "restated_column": "close",
            "cadence": Cadence(calendar="weekdays"),
        },
    ),
    Spec(
        name="eod_bulk",
        frequency="day",
        domain="prices",
        columns=c.EOD,
        ask="eod-bulk?date={from_date}",
        per="all",
        plan="ultimate",
        hours=12,
        lookback=1,
        first=dt.date(2024, 1, 1),
        title="Daily prices of all symbols, a file a day",
        recipe={"extension": "csv", "chunk_days": 1},
        entry={"is_data": attrs.evolve(RULES, may_be_empty=True)},
    ),
    Spec(
        name="fx_eod",
        frequency="day",
        domain="fx",
        columns=c.EOD,
        ask=f"historical-price-eod/full?{_DATED}",
        per="fx",
        lookback=5,
        hours=12,
        title="Daily exchange rates",
        recipe={"chunk_days": 5 * 366},
    ),
    Spec(
        name="crypto_eod",
        frequency="day",
        domain="crypto",
        columns=c.EOD,
        ask=f"historical-price-eod/full?{_DATED}",
        per="crypto",
        lookback=5,
        hours=12,
        title="Daily prices of coins",
        recipe={"chunk_days": 5 * 366},
    ),
    Spec(
        name="dividends",
        domain="prices",
        columns=c.DIVIDEND,
        ask="dividends?symbol={ticker}",
        hours=24,
        title="Dividends",
        entry={"is_data": attrs.evolve(RULES, may_be_empty=True)},
    ),
    Spec(
        name="splits",
        domain="prices",
        columns=c.SPLIT,
        ask="splits?symbol={ticker}",
        hours=24,
        title="Splits",
        entry={"is_data": attrs.evolve(RULES, may_be_empty=True)},
    ),
    *(
        Spec(
            name=name,
            domain="fundamentals",
            columns=columns,
            ask=f"{path}?symbol={{ticker}}&period={{period}}&limit=200",
            hours=24 * 7,
            title=title,
            frequency=("quarter", "year"),
            recipe={"periods": _PERIODS},
            entry={"is_data": attrs.evolve(RULES, may_be_empty=True)},  # who reports by half-years has no quarters
        )
        for name, path, columns, title in (
            ("income_statement", "income-statement", c.INCOME, "Income statements, years and quarters"),
            ("balance_sheet", "balance-sheet-statement", c.BALANCE, "Balance sheets, years and quarters"),
            ("cash_flow", "cash-flow-statement", c.CASH_FLOW, "Cash flow statements, years and quarters"),
            ("key_metrics", "key-metrics", c.KEY_METRICS, "Key metrics, years and quarters"),
            ("financial_growth", "financial-growth", c.GROWTH, "Growth since the period before, years and quarters"),
            ("ratios", "ratios", c.RATIOS, "Ratios, years and quarters"),
            ("enterprise_values", "enterprise-values", c.ENTERPRISE_VALUE, "Enterprise values, years and quarters"),
        )
    ),
    *(
        Spec(
            name=f"{name}_bulk",
            domain="fundamentals",
            columns=columns,
            ask=f"{path}-bulk?year={{year}}&period={{period}}",
            per="all",
            plan="ultimate",
            hours=24 * 7,
            lookback=400,
            first=dt.date(2010, 1, 1),
            title=f"{title} of all companies",
            frequency=("quarter", "year"),
            recipe={"extension": "csv", "periods": ("FY", "Q1", "Q2", "Q3", "Q4")},
        )
        for name, path, columns, title in (
            ("income_statement", "income-statement", c.INCOME, "Income statements"),
            ("balance_sheet", "balance-sheet-statement", c.BALANCE, "Balance sheets"),
            ("cash_flow", "cash-flow-statement", c.CASH_FLOW, "Cash flow statements"),
        )
    ),
    Spec(
        name="earnings_calendar",
        domain="fundamentals",
        columns=c.EARNINGS,
        ask="earnings-calendar?from={from_date}&to={to_date}",
        per="all",
        plan="starter",
        lookback=30,
        hours=12,
        first=dt.date(2020, 1, 1),
        title="Earnings, estimated and actual",
        recipe={"chunk_days": 30, "rows_max": 4000},
        entry={"is_data": attrs.evolve(RULES, may_be_empty=True)},
    ),
    Spec(
        name="shares_float",
        domain="reference",
        columns=c.SHARES_FLOAT,
        ask="shares-float?symbol={ticker}",
        plan="starter",
        hours=24 * 7,
        title="Free float",
    ),
    Spec(
        name="economic_indicators",
        frequency=("day", "month", "quarter", "year"),
        region="US",
        domain="macro",
        columns=c.INDICATOR,
        ask="economic-indicators?name={ticker}&from={from_date}&to={to_date}",
        per="indicators",
        plan="starter",
        lookback=400,
        hours=24,
        title="Economic indicators by name",
    ),
    Spec(
        name="treasury_rates",
        frequency="day",
        region="US",
        domain="rates",
        columns=c.TREASURY,
        ask="treasury-rates?from={from_date}&to={to_date}",
        per="all",
        lookback=7,
        hours=12,
        first=dt.date(1990, 1, 1),
        title="Treasury rates",
        recipe={"chunk_days": 89},
    ),
    Spec(
        name="market_risk_premium",
        domain="rates",
        columns=c.RISK_PREMIUM,
        ask="market-risk-premium",
        per="all",
        plan="starter",
        hours=24 * 7,
        title="Equity risk premium by country",
        entry={"semantics": "snapshot"},
    ),
    Spec(
        name="company_screener",
        domain="reference",
        columns=c.SCREENED,
        ask="company-screener?limit=10000",
        per="all",
        plan="starter",
        hours=24 * 7,
        title="Companies with size, sector and country",
        recipe={"rows_max": 10000},
    ),
    *(
        Spec(
            name=f"{index}_constituents",
            domain="reference",
            columns=c.CONSTITUENT,
            ask=f"{index}-constituent",
            per="all",
            plan="premium",
            hours=24,
            title=f"Members of the index ({index})",
            region="US",
            entry={"semantics": "snapshot"},
        )
        for index in ("sp500", "nasdaq", "dowjones")
    ),
)

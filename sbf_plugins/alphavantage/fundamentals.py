"""What else Alpha Vantage tells of a company: what it is, its statements, earnings, dividends and splits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sbf_core.api import Column, DataRules, DatasetKeymapEntry, RestRecipe

#: What it writes where there is nothing.
_NONE = ("None", "-", "null", "0000-00-00")
_SYMBOL = Column(name="symbol", type="VARCHAR", key=True, source="request.ticker")


def _maybe(name: str, source: str, kind: str = "VARCHAR", unit: str = "", doc: str = "") -> Column:
    return Column(name=name, type=kind, nullable=True, optional=True, source=source, missing=_NONE, unit=unit, doc=doc)


_OVERVIEW = (
    _SYMBOL,
    _maybe("name", "Name"),
    _maybe("kind", "AssetType"),
    _maybe("exchange", "Exchange"),
    _maybe("currency", "Currency"),
    _maybe("country", "Country"),
    _maybe("sector", "Sector"),
    _maybe("industry", "Industry"),
    _maybe("fiscal_year_ends", "FiscalYearEnd", doc="month, e.g. December"),
    _maybe("latest_quarter", "LatestQuarter", "DATE"),
    _maybe("market_cap", "MarketCapitalization", "DECIMAL(24,0)", "currency of the listing"),
    _maybe("shares", "SharesOutstanding", "DECIMAL(24,0)", "shares"),
    _maybe("book_value", "BookValue", "DECIMAL(18,6)", "a share"),
    _maybe("dividend", "DividendPerShare", "DECIMAL(18,6)", "a share", "of a year"),
    _maybe("eps", "EPS", "DECIMAL(18,6)", "a share", "of twelve months"),
    _maybe("pe", "PERatio", "DOUBLE", "ratio"),
    _maybe("ex_date", "ExDividendDate", "DATE"),
    _maybe("paid", "DividendDate", "DATE"),
)
_STATEMENT = (
    _SYMBOL,
    Column(name="period", type="VARCHAR", key=True, doc="annual, quarterly"),
    Column(name="ends", type="DATE", key=True, row_date=True, doc="last day of the fiscal period"),
    Column(name="concept", type="VARCHAR", key=True, doc="as Alpha Vantage calls it, e.g. totalRevenue"),
    Column(name="value", type="DECIMAL(38,4)", nullable=True, missing=_NONE, unit="currency", doc="NULL: none is told"),
    Column(name="currency", type="VARCHAR", nullable=True, missing=_NONE),
)
_EARNING = (
    _SYMBOL,
    Column(name="ends", type="DATE", key=True, row_date=True, source="fiscalDateEnding"),
    _maybe("reported", "reportedDate", "DATE", doc="the day on which they were told"),
    _maybe("eps", "reportedEPS", "DECIMAL(18,6)", "a share"),
    _maybe("eps_expected", "estimatedEPS", "DECIMAL(18,6)", "a share"),
    _maybe("surprise", "surprise", "DECIMAL(18,6)", "a share"),
    _maybe("surprise_percent", "surprisePercentage", "DOUBLE", "percent"),
    _maybe("time_of_day", "reportTime", doc="pre-market, post-market"),
)
_DIVIDEND = (
    _SYMBOL,
    Column(name="ex_date", type="DATE", key=True, row_date=True, source="ex_dividend_date"),
    Column(name="amount", type="DECIMAL(18,8)", unit="currency of the listing", doc="a share"),
    _maybe("declared", "declaration_date", "DATE"),
    _maybe("recorded", "record_date", "DATE"),
    _maybe("paid", "payment_date", "DATE"),
)
_SPLIT = (
    _SYMBOL,
    Column(name="date", type="DATE", key=True, row_date=True, source="effective_date"),
    Column(name="factor", type="DECIMAL(18,8)", source="split_factor", unit="new shares for an old one"),
)
_LISTED = (
    Column(name="symbol", type="VARCHAR", key=True),
    Column(name="exchange", type="VARCHAR", key=True),
    Column(name="name", type="VARCHAR", nullable=True, missing=("null",)),
    Column(name="kind", type="VARCHAR", source="assetType", doc="Stock, ETF"),
    Column(name="began", type="DATE", nullable=True, source="ipoDate", missing=("null",), doc="first day of trading"),
    Column(name="ended", type="DATE", nullable=True, source="delistingDate", missing=("null",)),
    Column(name="status", type="VARCHAR", doc="Active"),
)
#: A statement is an object of which all but two fields are figures; each becomes a row.
STATEMENT_SQL = """
WITH reports AS (
    SELECT _file, 'annual' AS period, unnest(from_json(document->'annualReports', '["JSON"]')) AS report FROM batch
    UNION ALL
    SELECT _file, 'quarterly', unnest(from_json(document->'quarterlyReports', '["JSON"]')) FROM batch
), figures AS (
    SELECT _file, period, report->>'fiscalDateEnding' AS ends, report->>'reportedCurrency' AS currency,
        unnest(map_entries(from_json(report, '"MAP(VARCHAR, VARCHAR)"'))) AS figure
    FROM reports
)
SELECT _file, period, ends, currency, figure.key AS concept, figure.value AS value
FROM figures WHERE figure.key NOT IN ('fiscalDateEnding', 'reportedCurrency')
"""
STATEMENTS = ("income_statement", "balance_sheet", "cash_flow")
#: By name: domain, function, columns, where the rows are, and title.
_DATASETS: dict[str, tuple[str, str, tuple[Column, ...], str, str]] = {
    "overview": ("fundamentals", "OVERVIEW", _OVERVIEW, "$", "What a company is"),
    "income_statement": ("fundamentals", "INCOME_STATEMENT", _STATEMENT, "", "Income statements"),
    "balance_sheet": ("fundamentals", "BALANCE_SHEET", _STATEMENT, "", "Balance sheets"),
    "cash_flow": ("fundamentals", "CASH_FLOW", _STATEMENT, "", "Cash flow statements"),
    "earnings": ("fundamentals", "EARNINGS", _EARNING, "quarterlyEarnings", "Quarterly earnings and what was expected"),
    "dividends": ("prices", "DIVIDENDS", _DIVIDEND, "data", "Dividends"),
    "splits": ("prices", "SPLITS", _SPLIT, "data", "Splits"),
    "listed": ("reference", "LISTING_STATUS", _LISTED, "", "Tickers that are listed"),
}
NAMES = ("eod", *_DATASETS)


def entry(name: str, plan: str, limits: Sequence[str]) -> DatasetKeymapEntry:
    """One of the datasets beside the daily bars."""
    domain, function, columns, rows_at, title = _DATASETS[name]
    is_list = name == "listed"
    facts: dict[str, Any] = {"semantics": "snapshot"} if is_list else {"scope": "per_ticker"}
    address = f"https://www.alphavantage.co/query?function={function}"
    return DatasetKeymapEntry(
        **facts,
        domain=domain,
        source="alphavantage",
        dataset=name,
        silver_table=f"alphavantage_{name}",
        columns=columns,
        rows_at=rows_at,
        recipe=RestRecipe(
            url=address if is_list else address + "&symbol={ticker}",
            extension="csv" if is_list else "json",
            secrets={"apikey": "ALPHAVANTAGE_API_KEY"},
            class_mark="-",
            plan=plan,
            limits=tuple(limits),
            connections=1 if plan == "free" else 4,
        ),
        is_data=DataRules(
            error_fields=("Error Message", "Note", "Information"),
            plan_texts=("This is a premium endpoint",),
            may_be_empty=name in ("dividends", "splits", "earnings"),
        ),
        refresh_after_hours=24 * 7,
        title=title,
        terms="Alpha Vantage's terms; the data may not be passed on. Key: ALPHAVANTAGE_API_KEY.",
        passing_on="no",
        source_url="https://www.alphavantage.co/documentation/#fundamentals",
    )

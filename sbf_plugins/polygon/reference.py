"""What else Polygon tells: tickers, all bars of a day, dividends, splits, options, figures, holidays and conditions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from sbf_core.api import Cadence, Column, DataRules, DatasetKeymapEntry, Pages, RestRecipe

_API = "https://api.polygon.io/"
_RULES: dict[str, Any] = {"error_fields": ("error", "message"), "plan_texts": ("NOT_AUTHORIZED",)}


def _text(name: str, source: str = "", *, key: bool = False, doc: str = "") -> Column:
    return Column(name=name, type="VARCHAR", source=source, key=key, nullable=not key, optional=not key, doc=doc)


def _day(name: str, source: str = "", *, key: bool = False, row_date: bool = False, doc: str = "") -> Column:
    return Column(
        name=name, type="DATE", source=source, key=key, row_date=row_date, nullable=not (key or row_date),
        optional=not (key or row_date), doc=doc,
    )  # fmt: skip


def _number(name: str, source: str, kind: str, unit: str, doc: str = "", *, nullable: bool = False) -> Column:
    return Column(name=name, type=kind, source=source, unit=unit, doc=doc, nullable=nullable, optional=nullable)


_TICKER = (
    _text("symbol", "ticker", key=True),
    _text("market", key=True, doc="stocks, otc, indices, fx, crypto"),
    _text("name"),
    _text("kind", "type", doc="CS: common stock; ETF, ADRC, PFD, WARRANT ..."),
    _text("exchange", "primary_exchange", doc="ISO 10383, e.g. XNYS"),
    _text("currency", "currency_name"),
    _text("cik", doc="Central Index Key with the SEC, ten digits"),
    _text("composite_figi"),
    _text("share_class_figi"),
    Column(name="is_active", type="BOOLEAN", source="active"),
    Column(name="updated", type="TIMESTAMP", nullable=True, optional=True, source="last_updated_utc"),
)
_PRICE = "DECIMAL(24,10)"
_GROUPED = (
    _text("symbol", "T", key=True),
    Column(name="date", type="DATE", key=True, row_date=True, source="request.from_date", doc="the day in New York"),
    *(
        _number(name, source, _PRICE, "USD", "as traded")
        for name, source in (("open", "o"), ("high", "h"), ("low", "l"), ("close", "c"))
    ),
    _number("volume", "v", "DECIMAL(24,4)", "shares"),
    _number("vwap", "vw", _PRICE, "USD", "mean price, weighted by volume", nullable=True),
    _number("trades", "n", "BIGINT", "trades", nullable=True),
)
_DIVIDEND = (
    _text("symbol", "ticker", key=True),
    _text("id", key=True, doc="Polygon's own"),
    _day("ex_date", "ex_dividend_date", row_date=True),
    _number("amount", "cash_amount", _PRICE, "currency of the dividend", "a share, as declared"),
    _text("currency"),
    _text("kind", "dividend_type", doc="CD: consistent; SC: special; LT, ST: gains"),
    _number("frequency", "frequency", "BIGINT", "times a year", "0: once", nullable=True),
    _day("declared", "declaration_date"),
    _day("recorded", "record_date"),
    _day("paid", "pay_date"),
)
_SPLIT = (
    _text("symbol", "ticker", key=True),
    _text("id", key=True, doc="Polygon's own"),
    _day("date", "execution_date", row_date=True),
    _number("old_shares", "split_from", "DECIMAL(18,8)", "shares"),
    _number("new_shares", "split_to", "DECIMAL(18,8)", "shares", "for old_shares"),
)
_CONTRACT = (
    _text("symbol", "ticker", key=True, doc="e.g. O:A220520C00065000"),
    _text("underlying", "underlying_ticker"),
    _text("kind", "contract_type", doc="call, put, other"),
    _text("style", "exercise_style", doc="american, european, bermudan"),
    _day("expiry", "expiration_date"),
    _number("strike", "strike_price", "DECIMAL(18,6)", "USD"),
    _number("shares", "shares_per_contract", "DECIMAL(18,4)", "shares a contract", "not 100 after some splits"),
    _text("exchange", "primary_exchange", doc="ISO 10383"),
    _text("cfi", doc="ISO 10962"),
)
#: A figure stands in a statement, and that in a filing.
_FIGURE = (
    _text("symbol", "request.ticker", key=True),
    _text("filing", "@^^.source_filing_url", key=True),
    _text("statement", "@^~", key=True, doc="balance_sheet, income_statement, cash_flow_statement ..."),
    _text("concept", "@~", key=True, doc="e.g. assets, net_cash_flow"),
    _number("value", "value", "DECIMAL(30,6)", "as the column unit says"),
    _text("unit", doc="USD, shares, USD / shares"),
    _text("label"),
    _text("cik", "@^^.cik"),
    _text("fiscal_period", "@^^.fiscal_period", doc="Q1 to Q4, FY, TTM"),
    _text("fiscal_year", "@^^.fiscal_year"),
    _day("starts", "@^^.start_date"),
    _day("ends", "@^^.end_date", row_date=True),
    _day("filed", "@^^.filing_date", doc="NULL of sums that Polygon made up"),
)
_HOLIDAY = (
    _text("exchange", key=True, doc="NYSE, NASDAQ"),
    _day("date", key=True, row_date=True),
    _text("name", key=True),
    _text("status", doc="closed, early-close"),
    Column(name="opens", type="TIMESTAMP", nullable=True, optional=True, source="open", doc="of a short day, UTC"),
    Column(name="closes", type="TIMESTAMP", nullable=True, optional=True, source="close", doc="of a short day, UTC"),
)
_CONDITION = (
    Column(name="id", type="BIGINT", key=True, doc="as trades and quotes name it"),
    _text("kind", "type", key=True, doc="sale_condition, quote_condition ..."),
    _text("asset_class", key=True),
    _text("name"),
    *(
        Column(
            name=f"updates_{what}", type="BOOLEAN", nullable=True, optional=True,
            source=f"@.update_rules.consolidated.updates_{what}", doc="of the consolidated tape",
        )
        for what in ("high_low", "open_close", "volume")
    ),
)  # fmt: skip
#: A list that is the whole truth comes at once: one that goes on is no data.
_SNAPSHOT: dict[str, Any] = {
    "semantics": "snapshot",
    "is_data": DataRules(error_fields=("error", "message", "next_url"), plan_texts=("NOT_AUTHORIZED",)),
}
_BY_TICKER: dict[str, Any] = {"scope": "per_ticker"}
_MAY_LACK: dict[str, Any] = {"is_data": DataRules(**_RULES, may_be_empty=True, none_status=(404,))}
#: By name: domain, address, where the rows are, columns, whether it has pages, further facts, title, description.
_DATASETS: dict[str, tuple[str, str, str, tuple[Column, ...], bool, dict[str, Any], str, str]] = {
    "tickers": (
        "reference", "v3/reference/tickers?market=stocks&active=true&limit=1000", "results", _TICKER, True, {},
        "Tickers that are listed", "stocks/tickers/all-tickers",
    ),
    "grouped": (
        "prices", "v2/aggs/grouped/locale/us/market/stocks/{from_date}?adjusted=false", "results", _GROUPED, False,
        {"horizon": 0, "cadence": Cadence(calendar="weekdays", min_age_days=1)}, "Bars of all tickers, as traded",
        "stocks/aggregates/daily-market-summary",
    ),
    "dividends": (
        "prices", "v3/reference/dividends?ticker={ticker}&limit=1000", "results", _DIVIDEND, True,
        {**_BY_TICKER, **_MAY_LACK}, "Dividends", "stocks/corporate-actions/dividends",
    ),
    "splits": (
        "prices", "v3/reference/splits?ticker={ticker}&limit=1000", "results", _SPLIT, True,
        {**_BY_TICKER, **_MAY_LACK}, "Splits", "stocks/corporate-actions/splits",
    ),
    "option_contracts": (
        "options", "v3/reference/options/contracts?underlying_ticker={ticker}&limit=1000", "results", _CONTRACT, True,
        {**_BY_TICKER, **_MAY_LACK}, "Contracts of options that can be traded",
        "options/contracts/all-contracts",
    ),
    "financials": (
        "fundamentals", "vX/reference/financials?ticker={ticker}&limit=100", "$.results[*].financials.*.*", _FIGURE,
        True, {**_BY_TICKER, **_MAY_LACK}, "Figures of filings", "stocks/fundamentals/financials",
    ),
    "holidays": (
        "reference", "v1/marketstatus/upcoming", "", _HOLIDAY, False, {"horizon": "any"}, "Days without a session",
        "stocks/market-operations/market-holidays",
    ),
    "conditions": (
        "reference", "v3/reference/conditions?asset_class=stocks&limit=1000", "results", _CONDITION, False, _SNAPSHOT,
        "Conditions of trades and quotes", "stocks/market-operations/condition-codes",
    ),
}  # fmt: skip
NAMES = ("eod", *_DATASETS)


def entry(name: str, plan: str, limits: Sequence[str], since: dt.date) -> DatasetKeymapEntry:
    """One of the datasets beside the daily bars."""
    domain, address, rows_at, columns, has_pages, facts, title, described = _DATASETS[name]
    asked: dict[str, Any] = {"chunk_days": 1} if name == "grouped" else {}
    # Figures are counted by filings, and their pages end where no address follows.
    pages = Pages(by="next_url", next_at="next_url", items_at="results") if has_pages else None
    usual: dict[str, Any] = {"is_data": DataRules(**_RULES, may_be_empty=name == "grouped")}
    return DatasetKeymapEntry(
        **{**usual, **facts},
        domain=domain,
        source="polygon",
        dataset=name,
        silver_table=f"polygon_{name}",
        columns=columns,
        rows_at=rows_at,
        recipe=RestRecipe(
            url=_API + address,
            secrets={"apiKey": "POLYGON_API_KEY"},
            class_mark=".",
            pages=pages,
            plan=plan,
            limits=tuple(limits),
            redirect_hosts=("api.massive.com",),
            **asked,
        ),
        first_date=since,
        refresh_after_hours=12 if name == "grouped" else 24 * 7,
        title=title,
        terms="Polygon's terms; the data may not be passed on. Key: POLYGON_API_KEY.",
        passing_on="no",
        source_url=f"https://polygon.io/docs/rest/{described}",
    )

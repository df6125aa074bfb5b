"""What else Tiingo tells: what a ticker is, which there are, daily measures, and rates of exchange."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from sbf_core.api import Cadence, Column, DataRules, DatasetKeymapEntry, RestRecipe

_SYMBOL = Column(name="symbol", type="VARCHAR", key=True, source="request.ticker")


def _maybe(name: str, source: str, kind: str = "VARCHAR", unit: str = "", doc: str = "") -> Column:
    return Column(name=name, type=kind, nullable=True, source=source, unit=unit, doc=doc)


_META = (
    _SYMBOL,
    _maybe("name", "name"),
    _maybe("exchange", "exchangeCode"),
    _maybe("began", "startDate", "DATE", doc="the first day of prices"),
    _maybe("ended", "endDate", "DATE", doc="the last day of prices"),
    _maybe("description", "description"),
)
_SUPPORTED = (
    Column(name="symbol", type="VARCHAR", key=True, source="ticker"),
    Column(name="exchange", type="VARCHAR", key=True),
    Column(name="kind", type="VARCHAR", key=True, source="assetType", doc="Stock, ETF, Mutual Fund"),
    Column(
        name="began",
        type="VARCHAR",
        key=True,
        source="startDate",
        doc="the first day of prices, - without any: a ticker that was given anew has a row for each company",
    ),
    _maybe("ended", "endDate", "DATE", doc="the last day of prices"),
    _maybe("currency", "priceCurrency"),
)
SUPPORTED_SQL = """
SELECT _file, ticker, coalesce(exchange, '-') AS exchange, "assetType", coalesce("startDate", '-') AS "startDate",
    "endDate", "priceCurrency"
FROM batch
"""
_MEASURE = (
    _SYMBOL,
    Column(name="date", type="DATE", key=True, row_date=True, date_format="%Y-%m-%dT%H:%M:%S.%fZ"),
    _maybe("market_cap", "marketCap", "DOUBLE", "USD", "the double that Tiingo prints"),
    _maybe("enterprise_value", "enterpriseVal", "DOUBLE", "USD"),
    _maybe("pe", "peRatio", "DOUBLE", "ratio"),
    _maybe("pb", "pbRatio", "DOUBLE", "ratio"),
    _maybe("peg", "trailingPEG1Y", "DOUBLE", "ratio"),
)
_RATE = (
    Column(name="pair", type="VARCHAR", key=True, source="request.ticker", doc="base and currency: eurusd"),
    Column(name="date", type="DATE", key=True, row_date=True, date_format="%Y-%m-%dT%H:%M:%S.%fZ"),
    *(
        Column(name=name, type="DECIMAL(24,12)", unit="the second of the pair for one of the first")
        for name in ("open", "high", "low", "close")
    ),
)
_DAYS: dict[str, Any] = {"horizon": 0, "lookback_days": 7, "cadence": Cadence(calendar="weekdays", min_age_days=1)}
_API = "https://api.tiingo.com/tiingo/"
_SPAN = "startDate={from_date}&endDate={to_date}&format=json"
#: By name: domain, address, extension, where the rows are, columns, further facts, title, description.
_DATASETS: dict[str, tuple[str, str, str, str, tuple[Column, ...], dict[str, Any], str, str]] = {
    "meta": (
        "reference", _API + "daily/{ticker}", "json", "$", _META, {"scope": "per_ticker"}, "What a ticker is",
        "end-of-day",
    ),
    "supported": (
        "reference", "https://apimedia.tiingo.com/docs/tiingo/daily/supported_tickers.zip", "zip", "", _SUPPORTED,
        {"semantics": "snapshot"}, "Tickers that there are, and were", "general/overview",
    ),
    "measures": (
        "fundamentals", _API + "fundamentals/{ticker}/daily?" + _SPAN, "json", "", _MEASURE,
        {"scope": "per_ticker", **_DAYS}, "Daily measures", "fundamentals",
    ),
    "fx": (
        "fx", _API + "fx/{ticker}/prices?resampleFreq=1day&" + _SPAN, "json", "", _RATE,
        {"scope": "per_ticker", **_DAYS}, "Rates of exchange, by day", "forex",
    ),
}  # fmt: skip
NAMES = ("eod", *_DATASETS)


def entry(name: str, plan: str, limits: Sequence[str], since: dt.date, pairs: Sequence[str]) -> DatasetKeymapEntry:
    """One of the datasets beside the daily bars."""
    domain, url, extension, rows_at, columns, facts, title, described = _DATASETS[name]
    more: dict[str, Any] = {"members": tuple(pairs)} if name == "fx" else {}
    secrets = {} if name == "supported" else {"token": "TIINGO_API_TOKEN"}
    return DatasetKeymapEntry(
        **facts,
        **more,
        domain=domain,
        source="tiingo",
        dataset=name,
        silver_table=f"tiingo_{name}",
        columns=columns,
        rows_at=rows_at,
        recipe=RestRecipe(
            url=url,
            extension=extension,
            secrets=secrets,
            class_mark="-",
            plan=plan,
            limits=tuple(limits),
            connections=2,
        ),
        is_data=DataRules(
            error_fields=("detail",),
            error_texts=("Error: ",),
            may_be_empty=name in ("measures", "fx"),
            none_status=(404,),
        ),
        first_date=since,
        refresh_after_hours=12 if name in ("measures", "fx") else 24 * 7,
        title=title,
        terms="Tiingo's terms; the data may not be passed on. Key: TIINGO_API_TOKEN.",
        passing_on="no",
        source_url=f"https://www.tiingo.com/documentation/{described}",
    )

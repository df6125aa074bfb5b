"""How Tiingo is asked for daily bars, and what one is."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal

import attrs

from sbf_core.api import Cadence, Chart, DataRules, DatasetKeymapEntry, RestRecipe, column


def _price(source: str) -> Decimal:
    price: Decimal = column(precision=24, scale=10, source=source, unit="currency of the listing", doc="as traded")
    return price


def _adjusted(source: str) -> float:
    price: float = column(
        source=source, unit="currency of the listing", doc="adjusted for splits and dividends; each changes the past"
    )
    return price


@attrs.frozen
class Bar:
    """One day of one ticker, as traded and adjusted."""

    symbol: str = column(key=True, source="request.ticker")
    date: dt.date = column(
        key=True, row_date=True, date_format="%Y-%m-%dT%H:%M:%S.%fZ", doc="the day, which Tiingo writes as its midnight"
    )
    open: Decimal = _price("open")
    high: Decimal = _price("high")
    low: Decimal = _price("low")
    close: Decimal = _price("close")
    volume: int = column(unit="shares")
    open_adjusted: float = _adjusted("adjOpen")
    high_adjusted: float = _adjusted("adjHigh")
    low_adjusted: float = _adjusted("adjLow")
    close_adjusted: float = _adjusted("adjClose")
    volume_adjusted: float = column(source="adjVolume", unit="shares", doc="adjusted for splits")
    dividend: Decimal = column(
        precision=18, scale=8, source="divCash", unit="currency of the listing a share", doc="on its ex-day, else 0"
    )
    split_factor: Decimal = column(
        precision=18, scale=10, source="splitFactor", unit="new shares for an old one", doc="1 without a split"
    )


def entry(plan: str, limits: Sequence[str], since: dt.date) -> DatasetKeymapEntry:
    """The dataset. Only days that are over are asked for, so that no session is still open."""
    return DatasetKeymapEntry(
        domain="prices",
        source="tiingo",
        dataset="eod",
        scope="per_ticker",
        silver_table="tiingo_eod",
        columns=Bar,
        recipe=RestRecipe(
            url=(
                "https://api.tiingo.com/tiingo/daily/{ticker}/prices"
                "?startDate={from_date}&endDate={to_date}&format=json&resampleFreq=daily"
            ),
            secrets={"token": "TIINGO_API_TOKEN"},
            class_mark="-",
            plan=plan,
            limits=tuple(limits),
            connections=2,
        ),
        is_data=DataRules(error_fields=("detail",), error_texts=("Error: ",), may_be_empty=True, none_status=(404,)),
        first_date=since,
        horizon=0,
        lookback_days=7,
        refresh_after_hours=12,
        restated_column="close_adjusted",
        cadence=Cadence(calendar="weekdays", min_age_days=1),
        tags=("daily", "prices"),
        charts=(
            Chart(name="price", kind="candles", title="Prices", x="date", series="symbol", sessions=True, days=365),
        ),
        title="Daily prices, as traded and adjusted",
        region=("US", "CN"),
        frequency="day",
        cost="free with key",
        terms="Tiingo's terms; the data may not be passed on. Key: TIINGO_API_TOKEN.",
        passing_on="no",
        source_url="https://www.tiingo.com/documentation/end-of-day",
    )

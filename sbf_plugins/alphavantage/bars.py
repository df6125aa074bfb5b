"""How Alpha Vantage is asked for daily bars, and what one is."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal

import attrs

from sbf_core.api import Cadence, Chart, DataRules, DatasetKeymapEntry, RestRecipe, column


def _price(source: str) -> Decimal:
    price: Decimal = column(precision=24, scale=8, source=source, unit="currency of the listing", doc="as traded")
    return price


@attrs.frozen
class Bar:
    """One day of one ticker, as traded."""

    symbol: str = column(key=True, source="request.ticker")
    date: dt.date = column(
        key=True, row_date=True, source="@~", doc="day at the exchange; the newest may still be open"
    )
    open: Decimal = _price("1. open")
    high: Decimal = _price("2. high")
    low: Decimal = _price("3. low")
    close: Decimal = _price("4. close")
    volume: int = column(source="5. volume", unit="shares")


def entry(plan: str, limits: Sequence[str], *, is_whole: bool) -> DatasetKeymapEntry:
    """The dataset. It cannot be asked for days: the last 100 come each time, or all."""
    size = "full" if is_whole else "compact"
    return DatasetKeymapEntry(
        domain="prices",
        source="alphavantage",
        dataset="eod",
        scope="per_ticker",
        silver_table="alphavantage_eod",
        columns=Bar,
        rows_at="$['Time Series (Daily)'].*",
        recipe=RestRecipe(
            url=(
                "https://www.alphavantage.co/query?function=TIME_SERIES_DAILY&symbol={ticker}"
                f"&outputsize={size}&datatype=json"
            ),
            secrets={"apikey": "ALPHAVANTAGE_API_KEY"},
            class_mark="-",
            plan=plan,
            limits=tuple(limits),
            connections=1 if plan == "free" else 4,
        ),
        is_data=DataRules(
            error_fields=("Error Message", "Note", "Information"), plan_texts=("This is a premium endpoint",)
        ),
        refresh_after_hours=20,
        cadence=Cadence(calendar="weekdays"),
        tags=("daily", "prices"),
        charts=(
            Chart(name="price", kind="candles", title="Prices", x="date", series="symbol", sessions=True, days=365),
        ),
        title="Daily prices as traded",
        region="world",
        frequency="day",
        cost="free with key",
        terms="Alpha Vantage's terms; the data may not be passed on. Key: ALPHAVANTAGE_API_KEY.",
        passing_on="no",
        source_url="https://www.alphavantage.co/documentation/#daily",
    )

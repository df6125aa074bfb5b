"""End-of-day prices from files, in the form of the former Quandl WIKI table (public domain)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal

import attrs

from sbf_core.api import DatasetKeymapEntry, FileRecipe, column, hookimpl


@attrs.frozen
class Bar:
    """One trading day of one ticker."""

    ticker: str = column(key=True, source="Ticker")
    date: dt.date = column(key=True, row_date=True, source="Date")
    open: Decimal = column(source="Open", precision=18, scale=4, unit="USD", doc="as traded, before splits")
    high: Decimal = column(source="High", precision=18, scale=4, unit="USD")
    low: Decimal = column(source="Low", precision=18, scale=4, unit="USD")
    close: Decimal = column(source="Close", precision=18, scale=4, unit="USD")
    volume: int = column(source="Volume", unit="shares")
    adj_close: float = column(
        source="Adj Close", unit="USD", doc="adjusted for splits and dividends up to the end of the file"
    )


@hookimpl
def datasets() -> Sequence[DatasetKeymapEntry]:
    """One CSV file a ticker, in ``<home>/files/eod``. The vendor is gone; its last data live on in the sample."""
    return [
        DatasetKeymapEntry(
            domain="prices",
            source="wiki",
            dataset="eod",
            scope="per_ticker",
            silver_table="eod_bar",
            columns=Bar,
            recipe=FileRecipe(path="eod/{ticker}.csv"),
            first_date=dt.date(1962, 1, 2),
            tags=("daily", "prices"),
            title="Daily bars of US shares",
            region="US",
            frequency="day",
            cost="free",
            terms="Quandl WIKI, public domain.",
            source_url="https://data.nasdaq.com/databases/WIKIP",
        )
    ]

"""Daily prices of stooq.com, by the symbols of Stooq."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import attrs

from sbf_core.api import DataRules, DatasetKeymapEntry, RestRecipe, checked_options, column, hookimpl


@attrs.frozen
class Bar:
    """One day of one symbol.

    All prices and volumes are adjusted for splits and dividends: each of those changes the past.
    """

    symbol: str = column(key=True, source="request.ticker", doc="as Stooq writes it, e.g. aapl.us, ^nkx, eurusd")
    date: dt.date = column(key=True, row_date=True, source="Date")
    open: Decimal | None = column(precision=24, scale=10, source="Open", doc="adjusted")
    high: Decimal | None = column(precision=24, scale=10, source="High", doc="adjusted")
    low: Decimal | None = column(precision=24, scale=10, source="Low", doc="adjusted")
    close: Decimal = column(precision=24, scale=10, source="Close", doc="adjusted")
    volume: Decimal | None = column(
        precision=24, scale=4, source="Volume", optional=True, doc="adjusted; NULL for currencies"
    )


@hookimpl
def datasets(options: Mapping[str, Any]) -> Sequence[DatasetKeymapEntry]:
    """The whole history of a symbol each time: adjusted prices of the past change."""
    symbols = checked_options(options, symbols=("aapl.us", "^spx", "eurusd"))["symbols"]
    return [
        DatasetKeymapEntry(
            domain="prices",
            source="stooq",
            dataset="eod_adjusted",
            scope="per_ticker",
            members=symbols,
            silver_table="stooq_eod_adjusted",
            columns=Bar,
            recipe=RestRecipe(
                url="https://stooq.com/q/d/l/?s={ticker}&i=d", extension="csv", limits=("1/second",), connections=1
            ),
            is_data=DataRules(error_texts=("Exceeded the daily hits limit", "No data", "Brak danych")),
            first_date=dt.date(1900, 1, 1),
            opt_in=True,
            tags=("daily", "prices"),
            title="Daily prices, adjusted (unofficial download)",
            region="world",
            frequency="day",
            cost="free",
            terms="Stooq's own; personal use. No official API: it may change or stop without notice.",
            source_url="https://stooq.com",
        )
    ]

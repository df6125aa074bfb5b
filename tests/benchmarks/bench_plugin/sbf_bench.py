"""End-of-day prices of the benchmark's loopback server; its address is in SBF_BENCH_URL."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Sequence

import attrs

from sbf_core.api import DatasetKeymapEntry, RestRecipe, column, hookimpl


@attrs.frozen
class Bar:
    """One day of one symbol; floats, as the limit program keeps them."""

    symbol: str = column(key=True)
    date: dt.date = column(key=True, row_date=True)
    open: float = column()
    high: float = column()
    low: float = column()
    close: float = column()
    adj_close: float = column(source="adjClose")
    volume: int = column()
    change: float = column()
    change_percent: float = column(source="changePercent")
    vwap: float = column()


@hookimpl
def datasets() -> Sequence[DatasetKeymapEntry]:
    """One payload a ticker."""
    return [
        DatasetKeymapEntry(
            domain="prices",
            source="bench",
            dataset="eod",
            scope="per_ticker",
            silver_table="prices",
            columns=Bar,
            recipe=RestRecipe(
                url=os.environ.get("SBF_BENCH_URL", "http://127.0.0.1:9") + "/eod/{ticker}?from={from_date}"
            ),
            first_date=dt.date(2000, 1, 1),
        )
    ]

"""How Polygon is asked for daily bars, and what one is."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal

import attrs

from sbf_core.api import Cadence, Chart, DataRules, DatasetKeymapEntry, Pages, RestRecipe, column


def _price(source: str) -> Decimal:
    price: Decimal = column(precision=24, scale=10, source=source, unit="USD", doc="adjusted for splits")
    return price


@attrs.frozen
class Bar:
    """One day of one ticker."""

    symbol: str = column(key=True, source="request.ticker")
    date: dt.date = column(
        key=True,
        row_date=True,
        source="t",
        epoch="ms",
        zone="America/New_York",
        doc="the day in New York: Polygon counts to its midnight, which is 4 or 5 hours into the day of UTC",
    )
    open: Decimal = _price("o")
    high: Decimal = _price("h")
    low: Decimal = _price("l")
    close: Decimal = _price("c")
    volume: Decimal = column(precision=24, scale=4, source="v", unit="shares", doc="adjusted for splits")
    vwap: Decimal | None = column(
        precision=24, scale=10, source="vw", optional=True, unit="USD", doc="mean price, weighted by volume"
    )
    trades: int | None = column(source="n", optional=True, unit="trades")
    is_adjusted: bool = column(source="$.adjusted", doc="whether for splits, as Polygon says of its answer")


def entry(plan: str, limits: Sequence[str], since: dt.date) -> DatasetKeymapEntry:
    """The dataset. Only days that are over are asked for, so that no session is still open."""
    return DatasetKeymapEntry(
        domain="prices",
        source="polygon",
        dataset="eod",
        scope="per_ticker",
        silver_table="polygon_eod",
        columns=Bar,
        rows_at="results",
        recipe=RestRecipe(
            url=(
                "https://api.polygon.io/v2/aggs/ticker/{ticker}/range/1/day/{from_date}/{to_date}"
                "?adjusted=true&sort=asc&limit=50000"
            ),
            secrets={"apiKey": "POLYGON_API_KEY"},
            class_mark=".",
            pages=Pages(by="next_url", next_at="next_url"),
            plan=plan,
            limits=tuple(limits),
        ),
        is_data=DataRules(
            error_fields=("error", "message"), plan_texts=("NOT_AUTHORIZED",), may_be_empty=True, none_status=(404,)
        ),
        first_date=since,
        horizon=0,
        lookback_days=7,
        refresh_after_hours=12,
        restated_column="close",
        cadence=Cadence(calendar="weekdays", min_age_days=1),
        tags=("daily", "prices"),
        charts=(
            Chart(name="price", kind="candles", title="Prices", x="date", series="symbol", sessions=True, days=365),
        ),
        title="Daily prices, adjusted for splits",
        region="US",
        frequency="day",
        cost="free with key",
        terms="Polygon's terms; the data may not be passed on. Key: POLYGON_API_KEY.",
        passing_on="no",
        source_url="https://polygon.io/docs/rest/stocks/aggregates/custom-bars",
    )

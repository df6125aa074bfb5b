"""Cboe: histories of its indices, such as the VIX, what the indices are, and chains of options as of today."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import attrs

from sbf_core.api import (
    DatasetKeymapEntry,
    GoldModel,
    ParseRows,
    PromotionBatch,
    RestRecipe,
    UsageError,
    checked_options,
    column,
    hookimpl,
)
from sbf_plugins.cboe.index_history import parse

_CDN = "https://cdn.cboe.com/api/global/"
_SYMBOL = re.compile(r"[A-Z0-9._]+")
#: What is fetched where the settings choose nothing.
USUAL = ("VIX", "VIX9D", "VIX3M", "VVIX", "SKEW")


@attrs.frozen
class IndexDay:
    """One day of one index."""

    symbol: str = column(key=True, source="request.ticker")
    date: dt.date = column(key=True, row_date=True, date_format="%m/%d/%Y")
    open: Decimal | None = column(precision=18, scale=6, doc="NULL where Cboe gives one value a day")
    high: Decimal | None = column(precision=18, scale=6, doc="NULL where Cboe gives one value a day")
    low: Decimal | None = column(precision=18, scale=6, doc="NULL where Cboe gives one value a day")
    close: Decimal = column(precision=18, scale=6, unit="index points", doc="or the one value of the day")


@attrs.frozen
class Index:
    """What an index is."""

    symbol: str = column(key=True, source="index_symbol")
    name: str = column()
    description: str | None = column(missing=("",))
    currency: str | None = column(missing=("",), doc="as Cboe writes it: USD, and dollar")
    begins: str | None = column(source="calc_start_time", missing=("",), doc="time of day of the first value")
    ends: str | None = column(source="calc_end_time", missing=("",), doc="time of day of the last value")
    zone: str | None = column(source="time_zone", missing=("",), doc="of both times, e.g. America/Chicago")
    days: str | None = column(source="tick_days", missing=("",), doc="on which it is computed, e.g. MonToFri")
    delay: int | None = column(source="mkt_data_delay", unit="minutes")
    is_shown: bool = column(source="display", doc="on Cboe's pages")


@attrs.frozen
class Option:
    """One option of a chain, delayed. Cboe sends doubles."""

    symbol: str = column(key=True, source="$.symbol", doc="of the underlying; ^SPX is asked for as _SPX")
    option: str = column(key=True, doc="root, day of expiry, C or P, strike in thousandths: AAPL260724C00110000")
    quoted: dt.datetime = column(
        source="$.timestamp", zone="UTC", known_from=True, doc="moment of the chain; Cboe writes no zone, it is UTC"
    )
    bid: float = column(unit="USD")
    bid_size: float = column(unit="contracts")
    ask: float = column(unit="USD")
    ask_size: float = column(unit="contracts")
    last: float = column(source="last_trade_price", unit="USD", doc="0: no trade")
    last_trade: dt.datetime | None = column(
        source="last_trade_time", zone="America/New_York", doc="NULL: no trade; in UTC here"
    )
    open: float = column(unit="USD", doc="0: no trade on the day")
    high: float = column(unit="USD", doc="0: no trade on the day")
    low: float = column(unit="USD", doc="0: no trade on the day")
    previous_close: float = column(source="prev_day_close", unit="USD")
    volume: float = column(unit="contracts")
    open_interest: float = column(unit="contracts", doc="as of the morning")
    implied_volatility: float = column(source="iv", unit="a year, 1 is 100 percent", doc="0: none is told")
    theoretical: float = column(source="theo", unit="USD", doc="by Cboe's model")
    delta: float = column(unit="USD a USD", doc="by Cboe's model")
    gamma: float = column(unit="delta a USD", doc="by Cboe's model")
    vega: float = column(unit="USD a point of volatility", doc="by Cboe's model")
    theta: float = column(unit="USD a day", doc="by Cboe's model")
    rho: float = column(unit="USD a point of interest", doc="by Cboe's model")


@hookimpl
def datasets(options: Mapping[str, Any]) -> Sequence[DatasetKeymapEntry]:
    """Indices; and chains of options where the settings name an underlying."""
    chosen = checked_options(options, indices=USUAL, chains=())
    for name in ("indices", "chains"):
        wrong = next((symbol for symbol in chosen[name] if not _SYMBOL.fullmatch(symbol)), None)
        if wrong is not None:
            raise UsageError(
                f"{wrong!r} is no symbol of Cboe",
                where=f"[options.cboe] {name}",
                fix='write it as Cboe does in its addresses, e.g. "VIX", or "_SPX" for options on an index',
                code="OPTION",
            )
    return [_history(chosen["indices"]), _INDICES, *([_chains(chosen["chains"])] if chosen["chains"] else [])]


_SHARED: dict[str, Any] = {
    "source": "cboe",
    "opt_in": True,
    "terms": "Cboe's terms of use, personal use. No documented API: it may change or stop without notice.",
}
_INDICES = DatasetKeymapEntry(
    **_SHARED,
    domain="reference",
    dataset="indices",
    silver_table="cboe_index",
    columns=Index,
    semantics="snapshot",
    recipe=RestRecipe(url=_CDN + "us_indices/definitions/all_indices.json", limits=("1/second",), connections=1),
    refresh_after_hours=24 * 7,
    shrink_share_max=0.1,
    title="Indices of Cboe: names, currencies and hours",
    source_url="https://www.cboe.com/us/indices/indicesproducts/",
)


def _history(symbols: tuple[str, ...]) -> DatasetKeymapEntry:
    return DatasetKeymapEntry(
        **_SHARED,
        domain="prices",
        dataset="index_history",
        scope="per_ticker",
        members=symbols,
        silver_table="cboe_index_day",
        columns=IndexDay,
        recipe=RestRecipe(
            url=_CDN + "us_indices/daily_prices/{ticker}_History.csv",
            extension="csv",
            limits=("1/second",),
            connections=1,
        ),
        tags=("daily", "prices"),
        title="Histories of the indices of Cboe, such as the VIX",
        source_url="https://www.cboe.com/tradable_products/vix/vix_historical_data/",
    )


def _chains(symbols: tuple[str, ...]) -> DatasetKeymapEntry:
    return DatasetKeymapEntry(
        **_SHARED,
        domain="options",
        dataset="chains",
        scope="per_ticker",
        members=symbols,
        silver_table="cboe_option",
        columns=Option,
        semantics="snapshot",
        rows_at="$.data.options[*]",
        recipe=RestRecipe(
            url=_CDN + "delayed_quotes/options/{ticker}.json", limits=("1/second",), connections=1, mebibytes_max=64
        ),
        tags=("daily",),
        title="Chains of options, delayed (unofficial)",
        source_url="https://www.cboe.com/delayed_quotes/",
    )


@hookimpl
def promote(entry: DatasetKeymapEntry, batch: PromotionBatch) -> ParseRows | None:
    """A history has four prices a day, or one whose column is called as the index."""
    return ParseRows(parse) if entry.dataset == "index_history" else None


@hookimpl
def build_gold(options: Mapping[str, Any]) -> Sequence[GoldModel]:
    """The chains of options with what their names say; only where the settings name an underlying."""
    if not checked_options(options, indices=USUAL, chains=())["chains"]:
        return []
    tail = r"([0-9]{6})([CP])([0-9]{8})$"
    sql = f"""
SELECT o.symbol, o.option, o.quoted, regexp_extract(o.option, '^(.+?){tail}', 1) AS root,
    CAST(strptime('20' || regexp_extract(o.option, '{tail}', 1), '%Y%m%d') AS DATE) AS expiry,
    regexp_extract(o.option, '{tail}', 2) AS kind,
    CAST(CAST(regexp_extract(o.option, '{tail}', 3) AS DECIMAL(11, 3)) * 0.001 AS DECIMAL(11, 3)) AS strike,
    o.bid, o.ask, o.last, o.volume, o.open_interest, o.implied_volatility, o.delta, o.gamma, o.vega, o.theta, o.rho
FROM silver.cboe_option AS o
WHERE regexp_matches(o.option, '{tail}')
"""
    return [
        GoldModel(
            name="option_chain",
            key=("symbol", "option"),
            sql=sql,
            doc="One row an option of the last chain of each underlying, with root, expiry, kind (C or P) and strike.",
        )
    ]

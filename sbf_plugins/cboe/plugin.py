"""Cboe: histories of its indices, such as the VIX, what the indices are, and chains of options as of today."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sbf_core.api import (
    Column,
    DatasetKeymapEntry,
    GoldModel,
    ParseRows,
    PromotionBatch,
    RestRecipe,
    UsageError,
    checked_options,
    hookimpl,
)
from sbf_plugins.cboe.index_history import parse

if TYPE_CHECKING:
    from sbf_core.api import Offer


_CDN = "https://cdn.cboe.com/api/global/"
_SYMBOL = re.compile(r"[A-Z0-9._]+")
#: What is fetched where the settings choose nothing.
USUAL = ("VIX", "VIX9D", "VIX3M", "VVIX", "SKEW")


#: One day of one index.
INDEX_DAY = (
    Column(name="symbol", type="VARCHAR", key=True, source="request.ticker"),
    Column(name="date", type="DATE", key=True, row_date=True, date_format="%m/%d/%Y"),
    Column(name="open", type="DECIMAL(18,6)", nullable=True, doc="NULL where Cboe gives one value a day"),
    Column(name="high", type="DECIMAL(18,6)", nullable=True, doc="NULL where Cboe gives one value a day"),
    Column(name="low", type="DECIMAL(18,6)", nullable=True, doc="NULL where Cboe gives one value a day"),
    Column(name="close", type="DECIMAL(18,6)", unit="index points", doc="or the one value of the day"),
)


#: What an index is.
INDEX = (
    Column(name="symbol", type="VARCHAR", key=True, source="index_symbol"),
    Column(name="name", type="VARCHAR"),
    Column(name="description", type="VARCHAR", nullable=True, missing=("",)),
    Column(name="currency", type="VARCHAR", nullable=True, missing=("",), doc="as Cboe writes it: USD, and dollar"),
    Column(
        name="begins",
        type="VARCHAR",
        nullable=True,
        source="calc_start_time",
        missing=("",),
        doc="time of day of the first value",
    ),
    Column(
        name="ends",
        type="VARCHAR",
        nullable=True,
        source="calc_end_time",
        missing=("",),
        doc="time of day of the last value",
    ),
    Column(
        name="zone",
        type="VARCHAR",
        nullable=True,
        source="time_zone",
        missing=("",),
        doc="of both times, e.g. America/Chicago",
    ),
    Column(
        name="days",
        type="VARCHAR",
        nullable=True,
        source="tick_days",
        missing=("",),
        doc="on which it is computed, e.g. MonToFri",
    ),
    Column(name="delay", type="BIGINT", nullable=True, source="mkt_data_delay", unit="minutes"),
    Column(name="is_shown", type="BOOLEAN", source="display", doc="on Cboe's pages"),
)


#: One option of a chain, delayed. Cboe sends doubles.
OPTION = (
    Column(
        name="symbol", type="VARCHAR", key=True, source="$.symbol", doc="of the underlying; ^SPX is asked for as _SPX"
    ),
    Column(
        name="option",
        type="VARCHAR",
        key=True,
        doc="root, day of expiry, C or P, strike in thousandths: AAPL260724C00110000",
    ),
    Column(
        name="quoted",
        type="TIMESTAMP",
        known_from=True,
        source="$.timestamp",
        zone="UTC",
        doc="moment of the chain; Cboe writes no zone, it is UTC",
    ),
    Column(name="bid", type="DOUBLE", unit="USD"),
    Column(name="bid_size", type="DOUBLE", unit="contracts"),
    Column(name="ask", type="DOUBLE", unit="USD"),
    Column(name="ask_size", type="DOUBLE", unit="contracts"),
    Column(name="last", type="DOUBLE", source="last_trade_price", unit="USD", doc="0: no trade"),
    Column(
        name="last_trade",
        type="TIMESTAMP",
        nullable=True,
        source="last_trade_time",
        zone="America/New_York",
        doc="NULL: no trade; in UTC here",
    ),
    Column(name="open", type="DOUBLE", unit="USD", doc="0: no trade on the day"),
    Column(name="high", type="DOUBLE", unit="USD", doc="0: no trade on the day"),
    Column(name="low", type="DOUBLE", unit="USD", doc="0: no trade on the day"),
    Column(name="previous_close", type="DOUBLE", source="prev_day_close", unit="USD"),
    Column(name="volume", type="DOUBLE", unit="contracts"),
    Column(name="open_interest", type="DOUBLE", unit="contracts", doc="as of the morning"),
    Column(
        name="implied_volatility", type="DOUBLE", source="iv", unit="a year, 1 is 100 percent", doc="0: none is told"
    ),
    Column(name="theoretical", type="DOUBLE", source="theo", unit="USD", doc="by Cboe's model"),
    Column(name="delta", type="DOUBLE", unit="USD a USD", doc="by Cboe's model"),
    Column(name="gamma", type="DOUBLE", unit="delta a USD", doc="by Cboe's model"),
    Column(name="vega", type="DOUBLE", unit="USD a point of volatility", doc="by Cboe's model"),
    Column(name="theta", type="DOUBLE", unit="USD a day", doc="by Cboe's model"),
    Column(name="rho", type="DOUBLE", unit="USD a point of interest", doc="by Cboe's model"),
)


@hookimpl
def datasets(options: Mapping[str, Any]) -> Sequence[DatasetKeymapEntry]:
    """Indices; and chains of options, and days of shares, where the settings name a symbol."""
    chosen = checked_options(options, indices=USUAL, chains=(), quotes=())
    for name in ("indices", "chains", "quotes"):
        wrong = next((symbol for symbol in chosen[name] if not _SYMBOL.fullmatch(symbol)), None)
        if wrong is not None:
            raise UsageError(
                f"{wrong!r} is no symbol of Cboe",
                where=f"[options.cboe] {name}",
                fix='write it as Cboe does in its addresses, e.g. "VIX", or "_SPX" for options on an index',
                code="OPTION",
            )
    found = [_history(chosen["indices"]), _INDICES]
    found += [_chains(chosen["chains"])] if chosen["chains"] else []
    return [*found, *([_quotes(chosen["quotes"])] if chosen["quotes"] else [])]


_SHARED: dict[str, Any] = {
    "source": "cboe",
    "opt_in": True,
    "terms": "Cboe's terms of use, personal use. No documented API: it may change or stop without notice.",
    "region": "US",
    "cost": "free",
}
_INDICES = DatasetKeymapEntry(
    **_SHARED,
    domain="reference",
    dataset="indices",
    silver_table="cboe_index",
    columns=INDEX,
    semantics="snapshot",
    recipe=RestRecipe(url=_CDN + "us_indices/definitions/all_indices.json", limits=("1/second",), connections=1),
    refresh_after_hours=24 * 7,
    shrink_share_max=0.1,
    title="Indices of Cboe: names, currencies and hours",
    frequency="irregular",
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
        columns=INDEX_DAY,
        recipe=RestRecipe(
            url=_CDN + "us_indices/daily_prices/{ticker}_History.csv",
            extension="csv",
            limits=("1/second",),
            connections=1,
        ),
        tags=("daily", "prices"),
        title="Histories of the indices of Cboe, such as the VIX",
        frequency="day",
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
        columns=OPTION,
        semantics="snapshot",
        rows_at="$.data.options[*]",
        recipe=RestRecipe(
            url=_CDN + "delayed_quotes/options/{ticker}.json", limits=("1/second",), connections=1, mebibytes_max=64
        ),
        tags=("daily",),
        title="Chains of options, delayed (unofficial)",
        frequency="irregular",
        source_url="https://www.cboe.com/delayed_quotes/",
    )


#: One day of one share or index, as Cboe draws it. It sends doubles.
QUOTE_DAY = (
    Column(name="symbol", type="VARCHAR", key=True, source="request.ticker"),
    Column(name="date", type="DATE", key=True, row_date=True),
    *(
        Column(name=name, type="DOUBLE", unit="USD", doc="adjusted for splits, to two decimals")
        for name in ("open", "high", "low", "close")
    ),
    Column(name="volume", type="DOUBLE", unit="shares", doc="adjusted for splits"),
)


def _quotes(symbols: tuple[str, ...]) -> DatasetKeymapEntry:
    return DatasetKeymapEntry(
        **_SHARED,
        domain="prices",
        dataset="quote_history",
        scope="per_ticker",
        members=symbols,
        silver_table="cboe_quote_day",
        columns=QUOTE_DAY,
        rows_at="data",
        recipe=RestRecipe(
            url=_CDN + "delayed_quotes/charts/historical/{ticker}.json", limits=("1/second",), connections=1
        ),
        tags=("daily", "prices"),
        title="Days of shares and indices since 2004, as Cboe draws them (unofficial)",
        source_url="https://www.cboe.com/delayed_quotes/",
    )


@hookimpl
def promote(entry: DatasetKeymapEntry, batch: PromotionBatch) -> ParseRows | None:
    """A history has four prices a day, or one whose column is called as the index."""
    return ParseRows(parse) if entry.dataset == "index_history" else None


@hookimpl
def build_gold(options: Mapping[str, Any]) -> Sequence[GoldModel]:
    """The chains of options with what their names say; only where the settings name an underlying."""
    if not checked_options(options, indices=USUAL, chains=(), quotes=())["chains"]:
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


@hookimpl
def offers() -> Sequence[Offer]:
    """Indices, and chains of options."""
    from sbf_core.api import offers_of_table

    return offers_of_table(
        Path(__file__).with_name("offers.tsv"),
        usual={"indices": USUAL},
        cost="free",
        terms=_SHARED["terms"],
        source_url="https://www.cboe.com/us/indices/indicesproducts/",
    )

"""How each exchange is asked, and what a bar of it holds."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import attrs

from sbf_core.api import Cadence, DataRules, DatasetKeymapEntry, RestRecipe, column
from sbf_plugins.crypto import further

TERMS = "The exchange's own terms of its public API; look whether they allow what you do with it. No key."

#: What a bar is called where it is asked for, by its length.
_SPELT = {
    "kraken": {"1d": "1440", "1h": "60"},
    "coinbase": {"1d": "86400", "1h": "3600"},
    "binance": {"1d": "1d", "1h": "1h"},
    "hitbtc": {"1d": "D1", "1h": "H1"},
}
#: Kraken's own names of coins, in the names of pairs that it takes.
_KRAKEN = {"BTC": "XBT", "DOGE": "XDG"}


def _pair() -> str:
    name: str = column(key=True, source="request.ticker", doc="what is priced, and in what: BTC-USD")
    return name


def _price(source: str, doc: str = "") -> Decimal:
    price: Decimal = column(precision=28, scale=12, source=source, unit="the second of the pair", doc=doc)
    return price


def _amount(source: str, of: str, **more: Any) -> Decimal:
    amount: Decimal = column(precision=32, scale=12, source=source, unit=f"the {of} of the pair", **more)
    return amount


@attrs.frozen
class KrakenBar:
    """One bar of Kraken."""

    pair: str = _pair()
    begin: dt.datetime = column(key=True, row_date=True, epoch="s")
    open: Decimal = _price("open")
    high: Decimal = _price("high")
    low: Decimal = _price("low")
    close: Decimal = _price("close")
    vwap: Decimal = _price("vwap", "mean price, weighted by volume; 0 where nothing was traded")
    volume: Decimal = _amount("volume", "first")
    trades: int = column(unit="trades")
    is_final: bool = column(doc="false: the bar was still running; the next run replaces it")


@attrs.frozen
class CoinbaseBar:
    """One bar of Coinbase. Bars without a trade are left out by the exchange. Low stands before high in its lists."""

    pair: str = _pair()
    begin: dt.datetime = column(key=True, row_date=True, source="@[0]", epoch="s")
    open: Decimal = _price("@[3]")
    high: Decimal = _price("@[2]")
    low: Decimal = _price("@[1]")
    close: Decimal = _price("@[4]")
    volume: float = column(source="@[5]", unit="the first of the pair", doc="the double that Coinbase prints")


@attrs.frozen
class BinanceBar:
    """One bar of Binance or Binance.US."""

    pair: str = _pair()
    begin: dt.datetime = column(key=True, row_date=True, source="@[0]", epoch="ms")
    open: Decimal = _price("@[1]")
    high: Decimal = _price("@[2]")
    low: Decimal = _price("@[3]")
    close: Decimal = _price("@[4]")
    volume: Decimal = _amount("@[5]", "first")
    end: dt.datetime = column(source="@[6]", epoch="ms", doc="the last millisecond of the bar")
    volume_quote: Decimal = _amount("@[7]", "second")
    trades: int = column(source="@[8]", unit="trades")
    taker_volume: Decimal = _amount("@[9]", "first", doc="of it bought by takers")
    taker_volume_quote: Decimal = _amount("@[10]", "second", doc="of it bought by takers")


@attrs.frozen
class HitbtcBar:
    """One bar of HitBTC. Bars without a trade are left out by the exchange."""

    pair: str = _pair()
    begin: dt.datetime = column(key=True, row_date=True, source="timestamp")
    open: Decimal = _price("open")
    high: Decimal = _price("max")
    low: Decimal = _price("min")
    close: Decimal = _price("close")
    volume: Decimal = _amount("volume", "first")
    volume_quote: Decimal = _amount("volume_quote", "second", also=("volumeQuote",), doc="volumeQuote in version 2")


_COLUMNS: Mapping[str, Any] = {
    "kraken": KrakenBar, "coinbase": CoinbaseBar, "binance": BinanceBar, "binance_us": BinanceBar, "hitbtc": HitbtcBar,
    **further.COLUMNS,
}  # fmt: skip
_SOURCES = {
    "kraken": "https://docs.kraken.com/api/docs/rest-api/get-ohlc-data",
    "coinbase": "https://docs.cdp.coinbase.com/exchange/reference/exchangerestapi_getproductcandles",
    "binance": "https://developers.binance.com/docs/binance-spot-api-docs/rest-api/market-data-endpoints",
    "binance_us": "https://docs.binance.us/#get-candlestick-data",
    "hitbtc": "https://api.hitbtc.com/#candles",
    **further.SOURCES,
}


TERMS = "The exchange's own terms of its public API; look whether they allow what you do with it. No key."


def entries(pairs: Mapping[str, Sequence[str]], lengths: Sequence[str], since: dt.date) -> Sequence[DatasetKeymapEntry]:
    """The datasets of the exchanges that have pairs. Exchanges that can be asked for days are asked for days that are
    over, so that no bar is still running; Kraken gives its last 720 bars, and says which are over.
    """
    return [_entry(exchange, pairs[exchange], length, since) for exchange in pairs for length in lengths]


def _entry(exchange: str, pairs: Sequence[str], length: str, since: dt.date) -> DatasetKeymapEntry:
    facts: dict[str, Any] = {"is_data": DataRules(error_fields=("error", "message", "msg"), may_be_empty=True)}
    if exchange == "kraken":
        facts = {"is_data": DataRules(error_fields=("error",)), "rows_at": "$.result.*[*]"}
    else:
        facts |= {"cadence": Cadence(min_age_days=1), "horizon": 0, "first_date": since}
    if exchange in further.COLUMNS:
        facts["is_data"] = DataRules(error_fields=further.ERRORS[exchange], may_be_empty=True)
        facts["rows_at"] = further.ROWS_AT.get(exchange, "")
    return DatasetKeymapEntry(
        domain="crypto",
        source=exchange,
        dataset=f"bars_{length}",
        scope="per_ticker",
        members=tuple(pairs),
        silver_table=f"{exchange}_bar_{length}",
        columns=_COLUMNS[exchange],
        recipe=_recipe(exchange, pairs, length),
        refresh_after_hours=12,
        tags=("crypto", "daily" if length == "1d" else "hourly"),
        title=f"Bars of {length} of {exchange}",
        region="US" if exchange == "binance_us" else "world",
        frequency="day" if length == "1d" else "hour",
        cost="free",
        terms=TERMS,
        source_url=_SOURCES[exchange],
        **facts,
    )


def _recipe(exchange: str, pairs: Sequence[str], length: str) -> RestRecipe:
    if exchange in further.COLUMNS:
        names = {pair: further.spelt(exchange, pair) for pair in pairs if further.spelt(exchange, pair) != pair}
        return RestRecipe(ticker_names=names, **further.recipe_facts(exchange, length))
    is_day = length == "1d"
    spelt = _SPELT[exchange.removesuffix("_us")][length]
    asked: dict[str, Any] = {"ticker_names": _names(exchange, pairs)}
    if exchange == "kraken":
        address = f"https://api.kraken.com/0/public/OHLC?pair={{ticker}}&interval={spelt}"
        return RestRecipe(url=address, limits=("1/second",), connections=1, **asked)
    if exchange == "coinbase":
        address = (
            f"https://api.exchange.coinbase.com/products/{{ticker}}/candles?granularity={spelt}"
            "&start={from_date}T00:00:00Z&end={to_date}T23:59:59Z"
        )
        # More than 300 bars are refused.
        return RestRecipe(url=address, chunk_days=290 if is_day else 12, limits=("5/second",), **asked)
    asked["chunk_days"] = 990 if is_day else 41  # 1,000 bars at most, the rest is cut without a word
    if exchange == "hitbtc":
        address = (
            f"https://api.hitbtc.com/api/3/public/candles/{{ticker}}?period={spelt}&sort=ASC&limit=1000"
            "&from={from_date}T00:00:00Z&till={to_date}T23:59:59Z"
        )
        return RestRecipe(url=address, rows_max=1000, limits=("10/second",), **asked)
    host = "api.binance.us" if exchange == "binance_us" else "api.binance.com"
    address = (
        f"https://{host}/api/v3/klines?symbol={{ticker}}&interval={spelt}&limit=1000"
        "&startTime={from_date}&endTime={to_date}"
    )
    return RestRecipe(url=address, date_format="ms", rows_max=1000, limits=("10/second",), **asked)


def _names(exchange: str, pairs: Sequence[str]) -> dict[str, str]:
    """How the exchange writes the pairs: Coinbase as we do, the others without a mark between."""
    if exchange == "coinbase":
        return {}
    named = _KRAKEN if exchange == "kraken" else {}
    return {pair: "".join(named.get(coin, coin) for coin in pair.split("-")) for pair in pairs}

"""Exchanges by their documentation alone: no candles of them are recorded. A list of columns and an address each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sbf_core.api import Column

_DECIMAL = "DECIMAL(28,12)"
_PAIR = Column(
    name="pair",
    type="VARCHAR",
    key=True,
    source="request.ticker",
    doc="what is priced, and in what: BTC-USD; of futures the name of the contract",
)


def _prices(low_to_close: Mapping[str, str]) -> tuple[Column, ...]:
    return tuple(
        Column(name=name, type=_DECIMAL, source=source, unit="the second of the pair")
        for name, source in low_to_close.items()
    )


def _listed(places: str) -> tuple[Column, ...]:
    """Prices of a bar that is a list: the places of open, high, low and close in it."""
    return _prices({name: f"@[{place}]" for name, place in zip(("open", "high", "low", "close"), places, strict=True)})


def _begin(source: str, **more: Any) -> Column:
    return Column(name="begin", type="TIMESTAMP", key=True, row_date=True, source=source, **more)


def _number(name: str, source: str, unit: str, doc: str = "", kind: str = "DECIMAL(32,12)") -> Column:
    return Column(name=name, type=kind, source=source, unit=unit, doc=doc)


_FIRST, _SECOND = "the first of the pair", "the second of the pair"
_NAMED = {name: name for name in ("open", "high", "low", "close")}
_AS_SENT = "the double that the exchange prints"
_MAYBE: dict[str, Any] = {"nullable": True, "optional": True}

COLUMNS: Mapping[str, tuple[Column, ...]] = {
    # Close stands before high and low.
    "bitfinex": (
        _PAIR, _begin("@[0]", epoch="ms"), *_listed("1342"),
        _number("volume", "@[5]", _FIRST, _AS_SENT, "DOUBLE"),
    ),
    "bitstamp": (
        _PAIR, _begin("timestamp", epoch="s"), *_prices(_NAMED), _number("volume", "volume", _FIRST),
    ),
    # Newest first.
    "bybit": (
        _PAIR, _begin("@[0]", epoch="ms"), *_listed("1234"),
        _number("volume", "@[5]", _FIRST), _number("volume_quote", "@[6]", _SECOND),
    ),
    # Volume in the second of the pair stands first, then close, high, low and open.
    "gateio": (
        _PAIR, _begin("@[0]", epoch="s"), *_listed("5342"),
        _number("volume", "@[6]", _FIRST), _number("volume_quote", "@[1]", _SECOND),
        Column(name="is_final", type="BOOLEAN", source="@[7]", doc="false: the bar was still running"),
    ),
    # Newest first; close stands before high and low.
    "kucoin": (
        _PAIR, _begin("@[0]", epoch="s"), *_listed("1342"),
        _number("volume", "@[5]", _FIRST), _number("volume_quote", "@[6]", _SECOND),
    ),
    # The time is written in UTC, without saying so, and in Korean time beside it.
    "upbit": (
        _PAIR, _begin("candle_date_time_utc", zone="UTC"),
        *_prices({"open": "opening_price", "high": "high_price", "low": "low_price", "close": "trade_price"}),
        _number("volume", "candle_acc_trade_volume", _FIRST, _AS_SENT, "DOUBLE"),
        _number("volume_quote", "candle_acc_trade_price", _SECOND, _AS_SENT, "DOUBLE"),
    ),
    # The moment of a bar is its end, and its open the close of the bar before, so that it may lie outside low and high.
    "bitmex": (
        _PAIR,
        Column(name="end", type="TIMESTAMP", key=True, row_date=True, source="timestamp", doc="the END of the bar"),
        *_prices(_NAMED),
        Column(name="trades", type="BIGINT", unit="trades"),
        _number("contracts", "volume", "contracts"),
        Column(name="vwap", type="DOUBLE", doc="mean price, weighted by volume; NULL without a trade", **_MAYBE),
        Column(
            name="volume", type="DOUBLE", source="homeNotional", unit=_FIRST, doc=f"homeNotional, {_AS_SENT}", **_MAYBE
        ),
        Column(
            name="volume_quote", type="DOUBLE", source="foreignNotional", unit=_SECOND, doc="foreignNotional", **_MAYBE
        ),
    ),
    "kraken_futures": (
        _PAIR, _begin("time", epoch="ms"), *_prices(_NAMED),
        _number("contracts", "volume", "contracts", "what one is worth, silver.kraken_futures_instrument says"),
    ),
    "dydx": (
        _PAIR, _begin("startedAt"), *_prices(_NAMED),
        _number("volume", "baseTokenVolume", _FIRST), _number("volume_quote", "usdVolume", "USD"),
        Column(name="trades", type="BIGINT", unit="trades"),
        _number("open_interest", "startingOpenInterest", _FIRST, "as the bar began"),
    ),
}  # fmt: skip
#: Those whose members are contracts of their own names, and no pairs.
CONTRACTS = ("bitmex", "kraken_futures")
#: What a bar is called where it is asked for, by its length.
_SPELT = {
    "bitfinex": {"1d": "1D", "1h": "1h"},
    "bitstamp": {"1d": "86400", "1h": "3600"},
    "bybit": {"1d": "D", "1h": "60"},
    "gateio": {"1d": "1d", "1h": "1h"},
    "kucoin": {"1d": "1day", "1h": "1hour"},
    "upbit": {"1d": "days", "1h": "minutes/60"},
    "bitmex": {"1d": "1d", "1h": "1h"},
    "kraken_futures": {"1d": "1d", "1h": "1h"},
    "dydx": {"1d": "1DAY", "1h": "1HOUR"},
}
_ADDRESSES = {
    "bitfinex": (
        "https://api-pub.bitfinex.com/v2/candles/trade:{length}:{ticker}/hist"
        "?start={from_date}&end={to_date}&limit=10000&sort=1"
    ),
    "bitstamp": (
        "https://www.bitstamp.net/api/v2/ohlc/{ticker}/?step={length}&limit=1000&start={from_date}&end={to_date}"
    ),
    "bybit": (
        "https://api.bybit.com/v5/market/kline?category=spot&symbol={ticker}&interval={length}&limit=1000"
        "&start={from_date}&end={to_date}"
    ),
    "gateio": (
        "https://api.gateio.ws/api/v4/spot/candlesticks?currency_pair={ticker}&interval={length}"
        "&from={from_date}&to={to_date}"
    ),
    "kucoin": (
        "https://api.kucoin.com/api/v1/market/candles?type={length}&symbol={ticker}&startAt={from_date}&endAt={to_date}"
    ),
    "upbit": "https://api.upbit.com/v1/candles/{length}?market={ticker}&count=200&to={to_date}T23:59:59Z",
    "bitmex": (
        "https://www.bitmex.com/api/v1/trade/bucketed?binSize={length}&partial=false&symbol={ticker}&count=1000"
        "&startTime={from_date}T00:00:00Z&endTime={to_date}T23:59:59Z"
    ),
    "kraken_futures": (
        "https://futures.kraken.com/api/charts/v1/trade/{ticker}/{length}?from={from_date}&to={to_date}"
    ),
    "dydx": (
        "https://indexer.dydx.trade/v4/candles/perpetualMarkets/{ticker}?resolution={length}&limit=100"
        "&fromISO={from_date}T00:00:00Z&toISO={to_date}T23:59:59Z"
    ),
}
#: How days are written in the address, where not as ISO 8601.
_DATES = {
    "bitfinex": "ms", "bitstamp": "s", "bybit": "ms", "gateio": "s", "kucoin": "s", "kraken_futures": "s"
}  # fmt: skip
#: The most bars of an answer; what is beyond is cut without a word, or refused.
_MOST = {
    "bitfinex": 10_000, "bitstamp": 1000, "bybit": 1000, "gateio": 1000, "kucoin": 1500, "upbit": 200, "bitmex": 1000,
    "kraken_futures": 2000, "dydx": 100,
}  # fmt: skip
ROWS_AT = {
    "bitstamp": "$.data.ohlc[*]", "bybit": "$.result.list[*]", "kucoin": "$.data[*]", "kraken_futures": "candles",
    "dydx": "candles",
}  # fmt: skip
#: Where an exchange says that something is wrong. That of Kraken's futures says, too, that the answer was cut.
ERRORS = {
    "bitfinex": (),
    "bitstamp": ("errors", "reason", "error"),
    "bybit": ("retCode",),
    "gateio": ("label", "message"),
    "kucoin": ("msg",),
    "upbit": ("error",),
    "bitmex": ("error",),
    "kraken_futures": ("errors", "error", "more_candles"),
    "dydx": ("errors",),
}
LIMITS = {
    "bitfinex": "20/minute", "bitstamp": "8/second", "bybit": "10/second", "gateio": "10/second", "kucoin": "10/second",
    "upbit": "8/second", "bitmex": "25/minute", "kraken_futures": "5/second", "dydx": "5/second",
}  # fmt: skip
SOURCES = {
    "bitfinex": "https://docs.bitfinex.com/reference/rest-public-candles",
    "bitstamp": "https://www.bitstamp.net/api/#tag/Market-info/operation/GetOHLCData",
    "bybit": "https://bybit-exchange.github.io/docs/v5/market/kline",
    "gateio": "https://www.gate.io/docs/developers/apiv4/en/#market-candlesticks",
    "kucoin": "https://www.kucoin.com/docs/rest/spot-trading/market-data/get-klines",
    "upbit": "https://docs.upbit.com/reference",
    "bitmex": "https://www.bitmex.com/api/explorer/#!/Trade/Trade_getBucketed",
    "kraken_futures": "https://docs.kraken.com/api/docs/futures-api/charts/candles",
    "dydx": "https://docs.dydx.xyz/indexer-client/http",
}


def recipe_facts(exchange: str, length: str) -> dict[str, Any]:
    """The address, how days are written in it, and how many days fit into an answer, with some to spare."""
    url = _ADDRESSES[exchange].replace("{length}", _SPELT[exchange][length])
    most = _MOST[exchange]
    days = most - 1 if length == "1d" else most // 24 - 1
    facts: dict[str, Any] = {"url": url, "chunk_days": max(1, min(days, 3650)), "limits": (LIMITS[exchange],)}
    if exchange in _DATES:
        facts["date_format"] = _DATES[exchange]
    return facts


def spelt(exchange: str, pair: str) -> str:
    """How the exchange writes a pair.

    Bitfinex has a colon where a name is longer than three letters (``tDUSK:USD``), and calls the tether UST; Upbit
    writes what is paid first (``KRW-BTC``).
    """
    if exchange in CONTRACTS:
        return pair
    base, _, quote = pair.partition("-")
    if exchange == "bitfinex":
        base, quote = ("UST" if coin == "USDT" else coin for coin in (base, quote))
        return f"t{base}{':' if max(len(base), len(quote)) > 3 else ''}{quote}"
    if exchange == "upbit":
        return f"{quote}-{base}"
    written = {"bitstamp": f"{base}{quote}".lower(), "bybit": base + quote, "gateio": f"{base}_{quote}"}
    return written.get(exchange, pair)

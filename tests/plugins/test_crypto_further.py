"""Exchanges of which no bars are recorded, on the forms that they document; and their lists, on what they sent."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from kit_of import kit_of
from recorded import Recording, payload, second_entries

from sbf_core.api import DatasetKeymapEntry, UsageError
from sbf_core.dataset.recipe import RestRecipe
from sbf_core.http.content import why_no_data
from sbf_plugins.crypto import further, plugin

DAY = dt.date(2025, 11, 27)
MIDNIGHT = int(dt.datetime(2025, 11, 27, tzinfo=dt.UTC).timestamp())
BEFORE = MIDNIGHT - 86400
#: Open, high, low, close and volume of two days, written by each exchange in its own way. The numbers are made up.
OPEN, HIGH, LOW, CLOSE, VOLUME = "100.5", "120.25", "90.125", "110", "12.5"
FIRST = ("1", "4", "0.5", "2", "3")
NAMED = {"open": OPEN, "high": HIGH, "low": LOW, "close": CLOSE}
EARLIER = dict(zip(("open", "high", "low", "close"), FIRST, strict=False))


def number(text: str) -> Any:
    return json.loads(text)


def bars() -> dict[str, Any]:
    """What each exchange answers, newest first where it does so."""
    iso = "2025-11-{}T00:00:00.000Z"
    return {
        "bitfinex": [
            [BEFORE * 1000, *(number(text) for text in (FIRST[0], FIRST[3], FIRST[1], FIRST[2], FIRST[4]))],
            [MIDNIGHT * 1000, *(number(text) for text in (OPEN, CLOSE, HIGH, LOW, VOLUME))],
        ],
        "bitstamp": {
            "data": {
                "pair": "BTC/USD",
                "ohlc": [
                    {**EARLIER, "timestamp": str(BEFORE), "volume": FIRST[4]},
                    {**NAMED, "timestamp": str(MIDNIGHT), "volume": VOLUME},
                ],
            }
        },
        "bybit": {
            "retCode": 0,
            "retMsg": "OK",
            "result": {
                "symbol": "BTCUSD",
                "category": "spot",
                "list": [
                    [str(MIDNIGHT * 1000), OPEN, HIGH, LOW, CLOSE, VOLUME, "7.5"],
                    [str(BEFORE * 1000), *FIRST, "7"],
                ],
            },
            "retExtInfo": {},
            "time": 1764374399999,
        },
        "gateio": [
            [str(BEFORE), "7", FIRST[3], FIRST[1], FIRST[2], FIRST[0], FIRST[4], "true"],
            [str(MIDNIGHT), "7.5", CLOSE, HIGH, LOW, OPEN, VOLUME, "false"],
        ],
        "kucoin": {
            "code": "200000",
            "data": [
                [str(MIDNIGHT), OPEN, CLOSE, HIGH, LOW, VOLUME, "7.5"],
                [str(BEFORE), FIRST[0], FIRST[3], FIRST[1], FIRST[2], FIRST[4], "7"],
            ],
        },
        "upbit": [
            {
                "market": "USD-BTC",
                "candle_date_time_utc": f"2025-11-{day}T00:00:00",
                "candle_date_time_kst": f"2025-11-{day}T09:00:00",
                "opening_price": number(told[0]),
                "high_price": number(told[1]),
                "low_price": number(told[2]),
                "trade_price": number(told[3]),
                "timestamp": 1764374399999,
                "candle_acc_trade_price": 7.5,
                "candle_acc_trade_volume": number(told[4]),
                "prev_closing_price": 1,
            }
            for day, told in (("27", (OPEN, HIGH, LOW, CLOSE, VOLUME)), ("26", FIRST))
        ],
        # A bar is called by its end: that of 26 November by the midnight behind it.
        "bitmex": [
            {
                "timestamp": iso.format(day),
                "symbol": "XBTUSD",
                "open": number(told[0]),
                "high": number(told[1]),
                "low": number(told[2]),
                "close": number(told[3]),
                "trades": 5,
                "volume": 1000,
                "vwap": 105.5,
                "lastSize": 100,
                "turnover": 950000000,
                "homeNotional": number(told[4]),
                "foreignNotional": 7.5,
            }
            for day, told in (("27", FIRST), ("28", (OPEN, HIGH, LOW, CLOSE, VOLUME)))
        ],
        "kraken_futures": {
            "candles": [
                {"time": BEFORE * 1000, **EARLIER, "volume": FIRST[4]},
                {"time": MIDNIGHT * 1000, **NAMED, "volume": VOLUME},
            ],
            "more_candles": False,
        },
        "dydx": {
            "candles": [
                {
                    "startedAt": iso.format(day),
                    "ticker": "BTC-USD",
                    "resolution": "1DAY",
                    **told,
                    "baseTokenVolume": volume,
                    "usdVolume": "7.5",
                    "trades": 5,
                    "startingOpenInterest": "3.25",
                    "orderbookMidPriceOpen": None,
                }
                for day, told, volume in (("27", NAMED, VOLUME), ("26", EARLIER, FIRST[4]))
            ]
        },
    }


FUNDING: dict[str, Any] = {
    "bitmex": [
        {
            "timestamp": "2025-11-27T04:00:00.000Z",
            "symbol": "XBTUSD",
            "fundingInterval": "2000-01-01T08:00:00.000Z",
            "fundingRate": -0.000025,
            "fundingRateDaily": -0.000075,
        }
    ],
    "binance_futures": [
        {"symbol": "BTCUSDT", "fundingRate": "0.00010000", "fundingTime": MIDNIGHT * 1000, "markPrice": "91000.5"}
    ],
    "bybit": {
        "retCode": 0,
        "retMsg": "OK",
        "result": {
            "category": "linear",
            "list": [{"symbol": "BTCUSDT", "fundingRate": "0.0001", "fundingRateTimestamp": str(MIDNIGHT * 1000)}],
        },
    },
    "kraken_futures": {
        "rates": [
            {
                "timestamp": "2025-11-27T01:00:00Z",
                "fundingRate": -8.15861558e-10,
                "relativeFundingRate": -0.000016898883333333,
            }
        ]
    },
}
CONTRACTS = {
    "bitmex": "XBTUSD", "binance_futures": "BTCUSDT", "bybit": "BTCUSDT", "kraken_futures": "PF_XBTUSD"
}  # fmt: skip
#: Lists of instruments, by the endpoint that is recorded.
LISTED = {
    "bitmex": "bitmex.instrument.active", "kraken_futures": "kraken-futures.derivatives.api.v3.instruments",
    "upbit": "upbit.v1.market.all", "bitflyer": "bitflyer.v1.getmarkets.eu",
    "bitfinex": "bitfinex.v2.conf.pub:list:pair:exchange",
}  # fmt: skip
PAIRS = {name: [CONTRACTS[name] if name in further.CONTRACTS else "BTC-USD"] for name in further.COLUMNS}


def toml(options: dict[str, Any]) -> str:
    """Options as a user writes them."""
    lines = [f"{name} = {value}" for name, value in options.items() if name != "since"]
    return "\n".join(["[options.crypto]", "since = 2025-11-20", *lines, ""])


def recorded_bars(folder: Path, options: dict[str, Any]) -> Recording:
    recording = Recording(folder, options=toml(options))
    for exchange, answer in bars().items():
        # Bars of BitMEX are of the day on which they end.
        days = {"first": dt.date(2025, 11, 26), "moment": dt.datetime(2025, 11, 28, tzinfo=dt.UTC)}
        content = json.dumps(answer).encode()
        recording.add(f"crypto/{exchange}/bars_1d", content, ticker=PAIRS[exchange][0], **days)
    return recording


def test_each_order_of_fields_gives_the_same_bar(tmp_path: Path) -> None:
    """Close before high, volume in front, newest first, ends for beginnings, seconds and milliseconds: all are one."""
    recording = recorded_bars(tmp_path, PAIRS)
    context = recording.run()
    assert (context.errors, context.rows_rejected) == ([], 0)
    found = recording.ask(
        "SELECT exchange, bar_begin, open, high, low, close, volume, kind, base FROM gold.fact_crypto_bar "
        "ORDER BY exchange, bar_begin"
    )
    older, newer = ([Decimal(text) for text in told] for told in (FIRST, (OPEN, HIGH, LOW, CLOSE, VOLUME)))
    wanted = []
    for exchange in sorted(further.COLUMNS):
        kind = "contract" if exchange in further.CONTRACTS else "perpetual" if exchange == "dydx" else "spot"
        base = None if kind == "contract" else "BTC"
        for day, told in ((26, older), (27, newer)):
            if exchange == "gateio" and day == 27:
                continue  # it says of itself that it still runs
            volume = None if exchange == "kraken_futures" else float(told[4])
            wanted.append((exchange, dt.datetime(2025, 11, day), *told[:4], volume, kind, base))
    assert found == wanted
    assert recording.ask("SELECT count(*) FROM silver.gateio_bar_1d WHERE NOT is_final") == [(1,)]


def test_funding_rates_of_all_exchanges(tmp_path: Path) -> None:
    named = [f"{exchange}:{contract}" for exchange, contract in CONTRACTS.items()]
    recording = Recording(tmp_path, options=toml({"funding": named}))
    days = {"first": DAY, "moment": dt.datetime(2025, 11, 27, tzinfo=dt.UTC)}
    for exchange, answer in FUNDING.items():
        content = json.dumps(answer).encode()
        recording.add(f"crypto/{exchange}/funding", content, ticker=CONTRACTS[exchange], **days)
    context = recording.run()
    assert (context.errors, context.rows_rejected) == ([], 0)
    assert recording.ask("SELECT exchange, rate FROM gold.fact_crypto_funding ORDER BY exchange") == [
        ("binance_futures", 0.0001), ("bitmex", -0.000025), ("bybit", 0.0001),
        ("kraken_futures", -0.000016898883333333),
    ]  # fmt: skip
    assert recording.ask("SELECT rate FROM silver.bitmex_funding") == [(Decimal("-0.0000250000000000"),)]


def recorded_lists(folder: Path) -> Recording:
    options = {"instruments": list(LISTED), "gemini": ["BTC-USD"], "bitstamp_trades": ["BTC-USD"]}
    recording = Recording(folder, options=toml(options))
    for exchange, endpoint in LISTED.items():
        recording.add(f"crypto/{exchange}/instruments", payload(second_entries(endpoint=endpoint)[0]))
    for dataset, endpoint in (
        ("gemini/instruments", "gemini.v1.symbols.details.btcusd"),
        ("bitstamp/trades", "bitstamp.transactions"),
    ):
        recording.add(f"crypto/{dataset}", payload(second_entries(endpoint=endpoint)[0]), ticker="BTC-USD")
    return recording


def test_lists_of_what_is_traded(tmp_path: Path) -> None:
    """Real answers: every instrument is there, also an index without a size, and a pair with a colon."""
    recording = recorded_lists(tmp_path)
    context = recording.run()
    assert (context.errors, context.rows_rejected) == ([], 0)
    for exchange, endpoint in LISTED.items():
        told = json.loads(payload(second_entries(endpoint=endpoint)[0]))
        rows = told["instruments"] if exchange == "kraken_futures" else told[0] if exchange == "bitfinex" else told
        assert recording.ask(f"SELECT count(*) FROM silver.{exchange}_instrument") == [(len(rows),)], exchange
    assert recording.ask("SELECT symbol FROM silver.bitfinex_instrument WHERE symbol LIKE 'DUSK:U%'") == [("DUSK:USD",)]
    assert recording.ask("SELECT kind, tick_size FROM silver.kraken_futures_instrument WHERE symbol = 'in_xbtusd'") == [
        ("spot index", None)
    ]
    assert recording.ask("SELECT tick_size, quote_increment FROM silver.gemini_instrument") == [
        (Decimal("0.000000010000"), Decimal("0.010000000000"))
    ]
    told = json.loads(payload(second_entries(endpoint="bitstamp.transactions")[0]))
    assert recording.ask("SELECT count(*), sum(amount) FROM silver.bitstamp_trade") == [
        (len(told), sum(Decimal(trade["amount"]) for trade in told))
    ]


@pytest.mark.parametrize(
    ("exchange", "pair", "spelt"),
    [
        ("bitfinex", "BTC-USD", "tBTCUSD"), ("bitfinex", "DUSK-USD", "tDUSK:USD"), ("bitfinex", "BTC-USDT", "tBTCUST"),
        ("upbit", "BTC-KRW", "KRW-BTC"), ("gateio", "BTC-USDT", "BTC_USDT"), ("bitstamp", "BTC-USD", "btcusd"),
        ("kucoin", "BTC-USDT", "BTC-USDT"), ("bitmex", "XBTUSD", "XBTUSD"),
    ],
)  # fmt: skip
def test_pairs_as_each_exchange_writes_them(exchange: str, pair: str, spelt: str) -> None:
    assert further.spelt(exchange, pair) == spelt


def entry(exchange: str, length: str = "1d") -> DatasetKeymapEntry:
    (found,) = plugin.datasets({exchange: PAIRS[exchange], "lengths": [length]})
    return found


@pytest.mark.parametrize("exchange", sorted(further.COLUMNS))
def test_no_answer_is_longer_than_the_exchange_gives(exchange: str) -> None:
    most = {"bitfinex": 10_000, "kucoin": 1500, "upbit": 200, "kraken_futures": 2000, "dydx": 100}.get(exchange, 1000)
    for length, bars_a_day in (("1d", 1), ("1h", 24)):
        recipe = entry(exchange, length).recipe
        assert isinstance(recipe, RestRecipe)
        assert 0 < recipe.chunk_days * bars_a_day <= most
    assert (entry(exchange).cadence.min_age_days, entry(exchange).horizon) == (1, 0)


@pytest.mark.parametrize(
    ("exchange", "note"),
    [
        ("bybit", '{"retCode":10001,"retMsg":"params error: Symbol Invalid","result":{}}'),
        ("kucoin", '{"code":"400100","msg":"This pair is not provided at present"}'),
        ("bitstamp", '{"errors":[{"field":"step","message":"unsupported"}]}'),
        ("gateio", '{"label":"INVALID_CURRENCY_PAIR","message":"Invalid currency pair"}'),
        ("bitmex", '{"error":{"message":"Invalid symbol","name":"HTTPError"}}'),
        ("upbit", '{"error":{"name":404,"message":"Code not found"}}'),
        ("kraken_futures", '{"candles":[{"time":1}],"more_candles":true}'),
        ("dydx", '{"errors":[{"msg":"Invalid ticker"}]}'),
    ],
)
def test_a_note_or_half_an_answer_is_no_data(exchange: str, note: str) -> None:
    assert why_no_data(entry(exchange), note.encode(), "json") is not None
    whole = bars()[exchange]
    assert why_no_data(entry(exchange), json.dumps(whole).encode(), "json") is None


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"bitmex": ["XBT/USD"]}, "no contract"),
        ({"funding": ["XBTUSD"]}, "no contract of an exchange"),
        ({"funding": ["kraken:XBTUSD"]}, "no contract of an exchange"),
        ({"instruments": ["kraken"]}, "no list of 'kraken'"),
        ({"gemini": ["btcusd"]}, "no pair"),
    ],
)
def test_options_that_say_nothing(options: dict[str, Any], reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        plugin.datasets(options)


KIT = {**PAIRS, "since": dt.date(2025, 11, 20)}
LISTS = {"instruments": list(LISTED), "gemini": ["BTC-USD"], "bitstamp_trades": ["BTC-USD"]}
UNSEEN = {"columns_are_filled": "no perpetual of a coin, future of bitFlyer or new trade of Bitstamp is recorded"}
test_bars_conform, test_bars_conform_wholly = kit_of("crypto", lambda folder: recorded_bars(folder, KIT).folder, KIT)
test_lists_conform, test_lists_conform_wholly = kit_of(
    "crypto", lambda folder: recorded_lists(folder).folder, LISTS, UNSEEN
)

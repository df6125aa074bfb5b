"""Bars of exchanges on what they really sent, and on the forms that they document where nothing is recorded."""

from __future__ import annotations

import datetime as dt
import json
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from recorded import NOW, Recording, payload, second_entries

from sbf_core.api import DatasetKeymapEntry, RunRequest, UsageError
from sbf_core.dataset.recipe import RestRecipe
from sbf_core.http.content import why_no_data
from sbf_core.http.questions import filled
from sbf_core.testing.suite import conformance
from sbf_plugins.crypto import plugin

#: As of the days of what is recorded. The recorded bars are of minutes and half hours; their form is that of all.
OPTIONS = '[options.crypto]\nlengths = ["1h"]\nsince = 2017-01-01\n'
#: One day of Binance, as its documentation writes a bar.
KLINES = [
    [1764288000000, "0.01634790", "0.80000000", "0.01575800", "0.01577100", "148976.11427815", 1764374399999,
     "2434.19055334", 308, "1756.87402397", "28.46694368", "0"],
]  # fmt: skip


def first_of(endpoint: str) -> bytes:
    return payload(second_entries(endpoint=endpoint)[0])


def minutes(*bars: tuple[int, str], last: int) -> bytes:
    """An answer of Kraken with bars of these closes."""
    told = [[at, close, close, close, close, close, "1.00000000", 3] for at, close in bars]
    return json.dumps({"error": [], "result": {"XXBTZUSD": told, "last": last}}).encode()


def test_each_bar_of_kraken_but_the_running_one_is_final(tmp_path: Path) -> None:
    """The list stands under a name that nobody asked for; 720 bars, and the last of them runs."""
    recording = Recording(tmp_path, options=OPTIONS + 'kraken = ["BTC-USD"]\n')
    content = first_of("kraken.public.OHLC")
    recording.add("crypto/kraken/bars_1h", content, ticker="BTC-USD")
    context = recording.run()
    assert context.errors == []
    told = json.loads(content)["result"]["XXBTZUSD"]
    assert (context.rows_seen, context.rows_inserted, context.rows_rejected) == (len(told), len(told), 0)
    fields = "epoch(begin)::BIGINT, open, high, low, close, vwap, volume, trades"
    found = recording.ask(f"SELECT {fields} FROM silver.kraken_bar_1h ORDER BY begin")
    assert found == [(at, *(Decimal(text) for text in texts), trades) for at, *texts, trades in told]
    assert recording.ask("SELECT DISTINCT pair FROM silver.kraken_bar_1h") == [("BTC-USD",)]
    assert recording.ask("SELECT epoch(begin)::BIGINT FROM silver.kraken_bar_1h WHERE NOT is_final") == [(told[-1][0],)]
    gold = "SELECT count(*), max(epoch(bar_begin)::BIGINT), any_value(base), any_value(quote) FROM gold.fact_crypto_bar"
    assert recording.ask(gold) == [(len(told) - 1, told[-2][0], "BTC", "USD")]


def test_a_running_bar_is_replaced_by_the_next_run(tmp_path: Path) -> None:
    """Also where it ends as it was when it ran; one behind a gap of more than 720 bars stays out of gold."""
    recording = Recording(tmp_path, options=OPTIONS + 'kraken = ["BTC-USD"]\n')
    days = [1_700_000_000 + 60 * place for place in range(6)]
    answers = [
        minutes((days[0], "10"), (days[1], "11"), last=days[0]),
        minutes((days[1], "11"), (days[2], "12"), (days[3], "13"), last=days[2]),
        minutes((days[4], "14"), (days[5], "15"), last=days[4]),  # the gap: what became of days[3] nobody can ask
    ]
    for hour, answer in enumerate(answers):
        moment = NOW + dt.timedelta(hours=hour)
        recording.add("crypto/kraken/bars_1h", answer, ticker="BTC-USD", moment=moment)
    assert recording.run().errors == []
    final = "SELECT epoch(begin)::BIGINT FROM silver.kraken_bar_1h WHERE is_final ORDER BY 1"
    assert recording.ask(final) == [(days[place],) for place in (0, 1, 2, 4)]
    assert recording.ask("SELECT count(*) FROM gold.fact_crypto_bar") == [(4,)]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b'{"error":["EQuery:Unknown asset pair"]}', "EQuery:Unknown asset pair"),
        (b'{"error":[],"result":{"A":[[1,"1","1","1","1","1","1",1]]}}', "'last' None"),
        (b'{"error":[],"result":{"A":[],"B":[],"last":1}}', "2 lists"),
        (b'{"error":[],"result":{"A":[[1,"1","1","1","1","1",1]],"last":1}}', "a bar of 7 values"),
    ],
)
def test_what_kraken_says_with_status_200_is_no_bar(tmp_path: Path, content: bytes, why: str) -> None:
    recording = Recording(tmp_path, options=OPTIONS + 'kraken = ["BTC-USD"]\n')
    recording.add("crypto/kraken/bars_1h", content, ticker="BTC-USD")
    assert why in " ".join(recording.run().errors)


def test_coinbase_puts_low_before_high(tmp_path: Path) -> None:
    """Newest first; time, low, high, open, close; volumes are doubles, some of them with 16 decimals."""
    recording = Recording(tmp_path, options=OPTIONS + 'coinbase = ["BTC-USD"]\n')
    content = first_of("coinbase.candles")
    day = {"ticker": "BTC-USD", "first": dt.date(2018, 2, 1), "moment": dt.datetime(2018, 2, 1, 12, tzinfo=dt.UTC)}
    recording.add("crypto/coinbase/bars_1h", content, **day)
    context = recording.run()
    assert context.errors == []
    told = json.loads(content, parse_float=Decimal, parse_int=Decimal)
    assert context.rows_inserted == len(told) == 10
    found = recording.ask(
        "SELECT epoch(begin)::BIGINT, low, high, open, close, volume FROM silver.coinbase_bar_1h ORDER BY begin DESC"
    )
    assert [row[:5] for row in found] == [tuple(row[:5]) for row in told]
    assert [row[5] for row in found] == [float(row[5]) for row in told]
    assert recording.ask(
        "SELECT count(*) FROM gold.fact_crypto_bar WHERE low <= least(open, close) AND high >= greatest(open, close)"
    ) == [(10,)]


def test_hitbtc_writes_min_and_max(tmp_path: Path) -> None:
    """Version 2, which is recorded, writes volumeQuote; version 3, which is asked, volume_quote."""
    recording = Recording(tmp_path, options=OPTIONS + 'hitbtc = ["BTC-USD"]\n')
    content = first_of("hitbtc.public.candles")
    moment = dt.datetime(2017, 10, 13, 18, tzinfo=dt.UTC)
    recording.add("crypto/hitbtc/bars_1h", content, ticker="BTC-USD", first=dt.date(2017, 2, 28), moment=moment)
    context = recording.run()
    assert context.errors == []
    told = json.loads(content)
    assert (context.rows_inserted, context.rows_rejected) == (len(told), 0)
    found = recording.ask(
        "SELECT strftime(begin, '%Y-%m-%dT%H:%M:%S.000Z'), open, close, low, high, volume, volume_quote "
        "FROM silver.hitbtc_bar_1h ORDER BY begin"
    )
    assert found == [(bar["timestamp"], *(Decimal(bar[name]) for name in list(bar)[1:])) for bar in told]


def test_binance_as_it_documents_its_bars(tmp_path: Path) -> None:
    """No bars of it are recorded: this is the form of its documentation."""
    recording = Recording(tmp_path, options='[options.crypto]\nbinance = ["BTC-USDT"]\nbinance_us = ["BTC-USDT"]\n')
    for exchange in ("binance", "binance_us"):
        asked = {
            "ticker": "BTC-USDT",
            "first": dt.date(2025, 11, 28),
            "moment": dt.datetime(2025, 11, 28, tzinfo=dt.UTC),
        }
        recording.add(f"crypto/{exchange}/bars_1d", json.dumps(KLINES).encode(), **asked)
    assert recording.run().errors == []
    found = recording.ask(
        'SELECT begin, open, high, low, close, volume, "end", volume_quote, trades, taker_volume, taker_volume_quote '
        "FROM silver.binance_bar_1d"
    )
    numbers = [Decimal(text) for text in KLINES[0][1:6]]  # type: ignore[arg-type]
    end = dt.datetime(2025, 11, 28, 23, 59, 59, 999000)
    takers = (Decimal("1756.87402397"), Decimal("28.46694368"))
    assert found == [(dt.datetime(2025, 11, 28), *numbers, end, Decimal("2434.19055334"), 308, *takers)]
    gold = "SELECT exchange, market, bar_end, trades FROM gold.fact_crypto_bar ORDER BY 1"
    end_of_day = dt.datetime(2025, 11, 29)
    assert recording.ask(gold) == [
        ("binance", "binance BTC-USDT 1d", end_of_day, 308), ("binance_us", "binance_us BTC-USDT 1d", end_of_day, 308),
    ]  # fmt: skip


def entries_of(**options: Any) -> dict[str, DatasetKeymapEntry]:
    return {f"{entry.source}/{entry.dataset}": entry for entry in plugin.datasets(options)}


def address(entry: DatasetKeymapEntry, pair: str) -> str:
    assert isinstance(entry.recipe, RestRecipe)
    days = {"from_date": dt.date(2025, 1, 1), "to_date": dt.date(2025, 1, 31)}
    request = RunRequest(
        run_id="r", domain=entry.domain, source=entry.source, dataset=entry.dataset, ticker=pair, **days
    )
    return filled(entry.recipe.url, request, quoting=True, recipe=entry.recipe)


def test_pairs_are_asked_for_as_each_exchange_writes_them() -> None:
    pairs = {name: ["BTC-USD", "DOGE-EUR"] for name in plugin.EXCHANGES[:5]}
    found = entries_of(**pairs, lengths=["1d", "1h"])
    assert len(found) == 10
    for exchange, wanted in {
        "kraken/bars_1d": ("pair=XBTUSD&interval=1440", "pair=XDGEUR&interval=1440"),
        "kraken/bars_1h": ("pair=XBTUSD&interval=60", "pair=XDGEUR&interval=60"),
        "coinbase/bars_1d": ("/BTC-USD/candles?granularity=86400", "/DOGE-EUR/candles?granularity=86400"),
        "binance/bars_1h": ("symbol=BTCUSD&interval=1h", "symbol=DOGEEUR&interval=1h"),
        "hitbtc/bars_1d": ("/BTCUSD?period=D1", "/DOGEEUR?period=D1"),
    }.items():
        assert all(
            part in address(found[exchange], pair) for part, pair in zip(wanted, ("BTC-USD", "DOGE-EUR"), strict=True)
        )
    assert "&startTime=1735689600000&endTime=1738367999999" in address(found["binance_us/bars_1d"], "BTC-USD")
    assert "&start=2025-01-01T00:00:00Z&end=2025-01-31T23:59:59Z" in address(found["coinbase/bars_1d"], "BTC-USD")


def test_days_that_are_not_over_are_not_asked_for_and_not_taken(tmp_path: Path) -> None:
    """But of Kraken, which cannot be asked for days, and says which bars run."""
    found = entries_of(**{name: ["BTC-USD"] for name in plugin.EXCHANGES[:5]}, lengths=["1d", "1h"])
    bounded = {name: (entry.cadence.min_age_days, entry.horizon) for name, entry in found.items()}
    assert {name for name, facts in bounded.items() if facts != (1, 0)} == {"kraken/bars_1d", "kraken/bars_1h"}
    for name, entry in found.items():
        assert isinstance(entry.recipe, RestRecipe)
        hours = 24 if name.endswith("1h") else 1
        most = {"kraken": 0, "coinbase": 300}.get(entry.source, 999)
        assert entry.recipe.chunk_days * hours <= most, name
    recording = Recording(tmp_path, options='[options.crypto]\ncoinbase = ["BTC-USD"]\n')
    moment = dt.datetime(2025, 11, 27, tzinfo=dt.UTC)
    midnight = int(moment.timestamp())
    days = [[midnight + 86400 * day, 1, 2, 1, 2, 5] for day in range(1, -30, -1)]  # a day more than was asked for
    asked = {"ticker": "BTC-USD", "first": moment.date() - dt.timedelta(days=30), "moment": moment}
    recording.add("crypto/coinbase/bars_1d", json.dumps(days).encode(), **asked)
    context = recording.run()
    assert (context.rows_inserted, context.rows_rejected) == (30, 1)
    assert recording.ask("SELECT reason FROM ops.rejects") == [("after_horizon",)]
    assert recording.ask("SELECT max(begin) FROM silver.coinbase_bar_1d") == [(dt.datetime(2025, 11, 27),)]


@pytest.mark.parametrize("note", ['{"message":"NotFound"}', '{"code":-1121,"msg":"Invalid symbol."}'])
def test_a_note_of_an_exchange_is_no_data(note: str) -> None:
    for entry in entries_of(coinbase=["A-B"], binance=["A-B"], hitbtc=["A-B"]).values():
        assert why_no_data(entry, note.encode(), "json") is not None
        assert why_no_data(entry, b"[]", "json") is None, "a stretch without a trade"


def test_nothing_is_declared_before_pairs_are_named() -> None:
    assert not plugin.datasets({})
    assert not plugin.build_gold({})
    assert [entry.id for entry in plugin.datasets({"kraken": ["BTC-USD"]})] == ["crypto/kraken/bars_1d"]
    for wrong, message in (
        ({"kraken": ["XBTUSD"]}, "'XBTUSD' is no pair"),
        ({"kraken": ["btc-usd"]}, "'btc-usd' is no pair"),
        ({"kraken": ["BTC-USD"], "lengths": ["1m"]}, "no bars of '1m'"),
        ({"kraken": ["BTC-USD"], "lengths": []}, "no length"),
        ({"okx": ["BTC-USD"]}, "no option 'okx'"),
    ):
        with pytest.raises(UsageError, match=message):
            plugin.datasets(wrong)


PAIRS = {
    "kraken": ["BTC-USD"],
    "coinbase": ["BTC-USD"],
    "hitbtc": ["BTC-USD"],
    "lengths": ["1h"],
    "since": dt.date(2017, 1, 1),
}


def _recording(folder: Path) -> Path:
    recording = Recording(
        folder, options=OPTIONS + 'kraken = ["BTC-USD"]\ncoinbase = ["BTC-USD"]\nhitbtc = ["BTC-USD"]\n'
    )
    recording.add("crypto/kraken/bars_1h", first_of("kraken.public.OHLC"), ticker="BTC-USD")
    for exchange, endpoint, first, last in (
        ("coinbase", "coinbase.candles", dt.date(2018, 2, 1), dt.datetime(2018, 2, 1, 12, tzinfo=dt.UTC)),
        ("hitbtc", "hitbtc.public.candles", dt.date(2017, 2, 28), dt.datetime(2017, 10, 13, 18, tzinfo=dt.UTC)),
    ):
        recording.add(f"crypto/{exchange}/bars_1h", first_of(endpoint), ticker="BTC-USD", first=first, moment=last)
    return recording.folder


test_crypto_conforms = conformance("crypto", recording=_recording, options=PAIRS)

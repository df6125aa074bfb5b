"""The star schema over whatever sources the user has, with payloads in the vendors' shapes."""

from __future__ import annotations

import datetime as dt
import io
import json
import sys
import zipfile
from decimal import Decimal
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from recorded import NOW, Recording

from sbf_core.care.verify import Verification
from sbf_core.errors import UsageError
from sbf_core.home.home import Home
from sbf_core.settings.settings import Settings
from sbf_plugins.star import plugin as star

MONDAY, TUESDAY = dt.date(2025, 3, 24), dt.date(2025, 3, 25)


def chart(symbol: str, currency: str, *closes: float, is_open: bool = False) -> bytes:
    """Yahoo's bars of Monday and Tuesday."""
    times = [1742823000, 1742909400][: len(closes)]
    session = {"start": times[-1], "end": times[-1] + 23400}
    meta = {
        "symbol": symbol, "currency": currency, "dataGranularity": "1d", "exchangeTimezoneName": "America/New_York",
        "regularMarketTime": times[-1] + (60 if is_open else 23400), "currentTradingPeriod": {"regular": session},
    }  # fmt: skip
    quote = {name: list(closes) for name in ("open", "high", "low", "close")} | {"volume": [10] * len(closes)}
    result = {
        "meta": meta,
        "timestamp": times,
        "indicators": {"quote": [quote], "adjclose": [{"adjclose": [close / 2 for close in closes]}]},
    }
    return json.dumps({"chart": {"result": [result], "error": None}}).encode()


def fmp_bars(symbol: str, *closes: float) -> bytes:
    days = (MONDAY, TUESDAY)
    return json.dumps(
        [
            {
                "symbol": symbol,
                "date": f"{day}",
                "open": close,
                "high": close,
                "low": close,
                "close": close,
                "volume": 5,
                "change": 0,
                "changePercent": 0,
                "vwap": close,
            }
            for day, close in zip(days, closes, strict=False)
        ]
    ).encode()


def fixings(**rates: str) -> bytes:
    """The ECB's archive with the fixings of Monday."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("eurofxref-hist.csv", f"Date,{','.join(rates)},\n{MONDAY},{','.join(rates.values())},\n")
    return file.getvalue()


PRICES = (
    "SELECT ticker, date, source, currency, close, adj_close, "
    "round(adj_close_usd, 6), round(adj_close_eur, 6) "
    "FROM gold.fact_price_eod ORDER BY 1, 2"
)


def test_prices_of_yahoo_alone_make_facts(tmp_path: Path) -> None:
    """No rates, no list of the SEC, no profile: dollars stay dollars, and nothing is made up."""
    recording = Recording(tmp_path)
    recording.add("prices/yahoo/eod", chart("AAPL", "USD", 200.0, 220.0), ticker="AAPL")
    recording.add("prices/yahoo/eod", chart("VOD.L", "GBp", 7000.0), ticker="VOD.L")
    context = recording.run()
    assert context.errors == []
    assert recording.ask(PRICES) == [
        ("AAPL", MONDAY, "yahoo", "USD", Decimal(200), 100.0, 100.0, None),
        ("AAPL", TUESDAY, "yahoo", "USD", Decimal(220), 110.0, 110.0, None),
        ("VOD.L", MONDAY, "yahoo", "GBP", Decimal(70), 35.0, None, None),
    ]
    assert recording.ask(
        "SELECT ticker, price_source, first_bar, last_bar, is_listed FROM gold.dim_instrument ORDER BY 1"
    ) == [
        ("AAPL", "yahoo", MONDAY, TUESDAY, False), ("VOD.L", "yahoo", MONDAY, MONDAY, False),
    ]  # fmt: skip


def test_the_ranked_source_wins_whole_series_and_currencies_come_from_profiles(tmp_path: Path) -> None:
    recording = Recording(tmp_path, options='[options.star]\nprices = ["fmp", "yahoo"]\n')
    recording.add("fx/ecb/reference_rates", fixings(USD="1.10", GBP="0.80"), extension="zip")
    recording.add("prices/yahoo/eod", chart("AAPL", "USD", 200.0, 220.0), ticker="AAPL")
    recording.add("prices/yahoo/eod", chart("VOD.L", "GBp", 7000.0), ticker="VOD.L")
    recording.add("prices/fmp/eod", fmp_bars("AAPL", 201.5), ticker="AAPL", first=MONDAY)
    profile = {
        "symbol": "AAPL",
        "companyName": "Apple Inc.",
        "currency": "USD",
        "cik": "0000320193",
        "sector": "Technology",
        "isin": "US0378331005",
    }
    recording.add("reference/fmp/profile", json.dumps([profile]).encode(), ticker="AAPL")
    assert recording.run().errors == []
    assert recording.ask(PRICES) == [
        (
            "AAPL",
            MONDAY,
            "fmp",
            "USD",
            Decimal("201.5"),
            201.5,
            201.5,
            round(201.5 / 1.1, 6),
        ),  # Yahoo's Tuesday is not mixed in
        ("VOD.L", MONDAY, "yahoo", "GBP", Decimal(70), 35.0, round(35 / 0.8 * 1.1, 6), round(35 / 0.8, 6)),
    ]
    assert recording.ask(
        "SELECT name, cik, sector, isin, price_source FROM gold.dim_instrument WHERE ticker = 'AAPL'"
    ) == [("Apple Inc.", 320193, "Technology", "US0378331005", "fmp")]
    found = Verification(Home(Settings(recording.home, environment={}))).run().findings
    assert found == []


def test_a_source_that_comes_later_takes_over(tmp_path: Path) -> None:
    recording = Recording(tmp_path)
    recording.add("prices/yahoo/eod", chart("AAPL", "USD", 200.0), ticker="AAPL")
    recording.run()
    assert [row[2] for row in recording.ask(PRICES)] == ["yahoo"]
    recording.add(
        "prices/fmp/eod", fmp_bars("AAPL", 201.5), ticker="AAPL", first=MONDAY, moment=NOW + dt.timedelta(days=1)
    )
    assert recording.run().errors == []
    assert [row[2] for row in recording.ask(PRICES)] == ["fmp"]


def test_a_session_that_is_open_is_not_in_gold(tmp_path: Path) -> None:
    recording = Recording(tmp_path)
    recording.add("prices/yahoo/eod", chart("AAPL", "USD", 200.0, 220.0, is_open=True), ticker="AAPL")
    assert recording.run().errors == []
    assert [row[1] for row in recording.ask(PRICES)] == [MONDAY]


@pytest.mark.parametrize(
    ("prices", "told"), [(["yaho"], "no source of prices 'yaho'"), ([], "no source of prices is named")]
)
def test_ranks_that_name_nothing(prices: list[str], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        star.build_gold({"prices": prices})


KEYED = '[options.polygon]\nplan = "free"\n[options.tiingo]\nplan = "free"\n[options.alphavantage]\nplan = "free"\n'


def polygon_bars(*closes: str) -> bytes:
    """Polygon's bars of Monday and Tuesday: midnight of New York is 04:00 UTC."""
    rows = [
        dict.fromkeys("ohlc", close) | {"v": 5, "t": (1742788800 + 86400 * place) * 1000}
        for place, close in enumerate(closes)
    ]
    return json.dumps({"adjusted": True, "status": "OK", "resultsCount": len(rows), "results": rows}).encode()


def tiingo_bars(close: float, adjusted: float) -> bytes:
    prices = dict.fromkeys(("open", "high", "low", "close"), close)
    adjusted_prices = dict.fromkeys(("adjOpen", "adjHigh", "adjLow", "adjClose"), adjusted)
    rest = {"volume": 5, "adjVolume": 5, "divCash": 0, "splitFactor": 1}
    return json.dumps([{"date": f"{MONDAY}T00:00:00.000Z", **prices, **adjusted_prices, **rest}]).encode()


def alphavantage_bars(day: dt.date, close: str, volume: int = 5) -> bytes:
    names = ("1. open", "2. high", "3. low", "4. close")
    return json.dumps(
        {"Meta Data": {}, "Time Series (Daily)": {str(day): {**dict.fromkeys(names, close), "5. volume": str(volume)}}}
    ).encode()


def keyed(tmp_path: Path, options: str = "") -> Recording:
    """A recording in which each vendor with a key has AAPL on Monday."""
    recording = Recording(tmp_path, options=KEYED + options)
    over = dt.datetime(2025, 3, 25, tzinfo=dt.UTC)
    recording.add("prices/polygon/eod", polygon_bars("100.5"), ticker="AAPL", first=MONDAY, moment=over)
    recording.add("prices/tiingo/eod", tiingo_bars(100.49, 50.2), ticker="AAPL", first=MONDAY, moment=over)
    recording.add("prices/alphavantage/eod", alphavantage_bars(MONDAY, "100.4700"), ticker="AAPL", moment=over)
    return recording


@pytest.mark.parametrize(
    ("ranks", "wanted"),
    [
        ('["polygon", "tiingo"]', ("polygon", "USD", Decimal("100.5"), "splits", 100.5, "splits")),
        ('["tiingo", "polygon"]', ("tiingo", None, Decimal("100.49"), "nothing", 50.2, "splits and dividends")),
        ('["alphavantage"]', ("alphavantage", None, Decimal("100.47"), "nothing", 100.47, "nothing")),
    ],
)
def test_vendors_with_keys_are_ranked(tmp_path: Path, ranks: str, wanted: tuple[object, ...]) -> None:
    recording = keyed(tmp_path, f"[options.star]\nprices = {ranks}\n")
    assert recording.run().errors == []
    assert recording.ask(
        "SELECT source, currency, close, close_adjusted_for, adj_close, adj_close_adjusted_for FROM gold.fact_price_eod"
    ) == [wanted]


def test_a_bar_of_alphavantage_counts_once_new_york_has_closed(tmp_path: Path) -> None:
    """It says of no bar whether its session is over: 19:59 UTC on that Monday is a minute too early."""
    recording = Recording(tmp_path, options=KEYED)
    early = dt.datetime(2025, 3, 24, 19, 59, tzinfo=dt.UTC)
    recording.add("prices/alphavantage/eod", alphavantage_bars(MONDAY, "99", 4), ticker="AAPL", moment=early)
    assert recording.run().errors == []
    assert recording.ask(PRICES) == []
    later = early + dt.timedelta(minutes=1)
    recording.add("prices/alphavantage/eod", alphavantage_bars(MONDAY, "100"), ticker="AAPL", moment=later)
    assert recording.run().errors == []
    assert [row[1:5] for row in recording.ask(PRICES)] == [(MONDAY, "alphavantage", None, Decimal(100))]


DIFFERENCES = (
    "SELECT measure, source, other_source, adjusted_for, price, other_price, difference "
    "FROM gold.price_disagreement ORDER BY ALL"
)


def test_where_vendors_differ_by_more_than_a_tick(tmp_path: Path) -> None:
    """100.49 and 100.47 as traded; just a tick is none; a price for splits is not held against one as traded."""
    compare = 'compare = ["alphavantage", "tiingo", "polygon", "fmp"]\n'
    recording = keyed(tmp_path, f'[options.star]\n{compare}tick = "0.01"\n')
    recording.add("prices/fmp/eod", fmp_bars("AAPL", 100.51), ticker="AAPL", first=MONDAY)
    assert recording.run().errors == []
    pair = ("alphavantage", "tiingo", "nothing", Decimal("100.47"), Decimal("100.49"), Decimal("0.02"))
    assert recording.ask(DIFFERENCES) == [(measure, *pair) for measure in ("close", "high", "low", "open")]


def test_prices_of_two_currencies_are_not_compared(tmp_path: Path) -> None:
    """Yahoo's pence against dollars is no disagreement; its dollars against dollars are one."""
    recording = Recording(tmp_path, options=KEYED + '[options.star]\ncompare = ["polygon", "yahoo"]\ntick = "0.05"\n')
    recording.add("prices/yahoo/eod", chart("AAPL", "USD", 100.0, 110.0), ticker="AAPL")
    recording.add("prices/yahoo/eod", chart("VOD.L", "GBp", 7000.0), ticker="VOD.L")
    for ticker in ("AAPL", "VOD.L"):
        over = dt.datetime(2025, 3, 26, tzinfo=dt.UTC)
        recording.add("prices/polygon/eod", polygon_bars("100", "110.06"), ticker=ticker, first=MONDAY, moment=over)
    assert recording.run().errors == []
    found = recording.ask("SELECT DISTINCT ticker, date, difference, currency, tick FROM gold.price_disagreement")
    assert found == [("AAPL", TUESDAY, Decimal("0.06"), "USD", Decimal("0.05"))]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"compare": ["fmp"], "tick": "0.01"}, "two sources at least"),
        ({"compare": ["fmp", "fmp"], "tick": "0.01"}, "two sources at least"),
        ({"tick": "0.01"}, "two sources at least"),
        ({"compare": ["fmp", "yahoo"]}, "nothing says what difference counts"),
        ({"compare": ["fmp", "yahoo"], "tick": "a cent"}, "tick 'a cent' is no number"),
        ({"compare": ["fmp", "yahoo"], "tick": "-1"}, "tick '-1' is no number"),
        ({"compare": ["fmp", "yaho"], "tick": "1"}, "no source of prices 'yaho'"),
    ],
)
def test_what_cannot_be_compared_is_told(options: dict[str, object], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        star.build_gold(options)


def test_nothing_is_compared_unless_it_is_asked_for() -> None:
    assert "price_disagreement" not in {model.name for model in star.build_gold({})}

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

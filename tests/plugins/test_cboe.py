"""Cboe as it answered in July 2026: an index, the list of indices, and a chain of 3,576 options."""

from __future__ import annotations

import datetime as dt
import json
import re
from decimal import Decimal
from pathlib import Path

import pytest
from recorded import NOW, Recording, later

from sbf_core.api import PayloadRefused, UsageError
from sbf_core.testing.suite import conformance
from sbf_plugins.cboe import plugin as cboe
from sbf_plugins.cboe.index_history import parse

HISTORY, INDICES, CHAIN, DRAWN = "cboe-0116", "cboe-0094", "cboe-0118", "cboe-0097"
CHOSEN = {"indices": ["AAVE10RP", "VIX"], "chains": ["AAPL"]}
OPTIONS = '[options.cboe]\nindices = ["AAVE10RP", "VIX"]\nchains = ["AAPL"]\n'
#: The layout of the history of the VIX, with its first days as Cboe has them.
VIX = b"DATE,OPEN,HIGH,LOW,CLOSE\n01/02/1990,17.24,17.24,17.24,17.24\n03/27/2026,27.54,31.65,27.54,31.05\n"


def recorded(folder: Path) -> Path:
    recording = Recording(folder, options=OPTIONS)
    recording.add("prices/cboe/index_history", later(HISTORY), ticker="AAVE10RP", extension="csv")
    recording.add("prices/cboe/index_history", VIX, ticker="VIX", extension="csv")
    recording.add("reference/cboe/indices", later(INDICES))
    recording.add("options/cboe/chains", later(CHAIN), ticker="AAPL")
    return recording.folder


test_conformance = conformance("cboe", recording=recorded, options=CHOSEN)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    folder = tmp_path_factory.mktemp("cboe")
    recording = Recording(folder, options=OPTIONS)
    recording.folder = recorded(folder / "payloads")
    context = recording.run(plugins=("cboe",))
    assert (context.errors, context.rows_rejected) == ([], 0)
    return recording


def test_an_index_whose_column_is_called_as_it_is(filled: Recording) -> None:
    _, *lines = later(HISTORY).decode().splitlines()
    wanted = [
        (dt.datetime.strptime(day, "%m/%d/%Y").date(), Decimal(value))
        for day, value in (line.split(",") for line in lines)
    ]
    rows = filled.ask("SELECT date, close FROM silver.cboe_index_day WHERE symbol = 'AAVE10RP' ORDER BY 1")
    assert rows == wanted
    assert len(wanted) == 1644
    assert filled.ask(
        "SELECT count(open), count(high), count(low) FROM silver.cboe_index_day WHERE symbol <> 'VIX'"
    ) == [(0, 0, 0)]
    vix = filled.ask("SELECT open, high, low, close FROM silver.cboe_index_day WHERE symbol = 'VIX' ORDER BY date")
    assert vix == [(Decimal("17.24"),) * 4, tuple(map(Decimal, ("27.54", "31.65", "27.54", "31.05")))]


def test_days_as_cboe_draws_them(tmp_path: Path) -> None:
    recording = Recording(tmp_path, options='[options.cboe]\nindices = []\nquotes = ["AAPL"]\n')
    recording.add("prices/cboe/quote_history", later(DRAWN), ticker="AAPL")
    context = recording.run(plugins=("cboe",), select=("cboe:quote_history",))
    assert (context.errors, context.rows_rejected) == ([], 0)
    wanted = [(day["date"], *(day[name] for name in ("open", "high", "low", "close", "volume")))
              for day in json.loads(later(DRAWN))["data"]]  # fmt: skip
    found = recording.ask(
        "SELECT CAST(date AS VARCHAR), open, high, low, close, volume FROM silver.cboe_quote_day ORDER BY date"
    )
    assert found == wanted
    assert len(wanted) > 5000


def test_every_index(filled: Recording) -> None:
    told = json.loads(later(INDICES))
    found = filled.ask("SELECT symbol, name, description, currency, zone, delay, is_shown FROM silver.cboe_index")
    assert sorted(found) == sorted(
        (
            each["index_symbol"], each["name"],
            *(each[name] or None for name in ("description", "currency", "time_zone")),
            each["mkt_data_delay"], str(each["display"]).lower() == "true",  # some say it in words
        )
        for each in told
    )  # fmt: skip
    assert len(found) == 2286


def test_every_option_of_a_chain(filled: Recording) -> None:
    document = json.loads(later(CHAIN))
    numbers = (
        "bid", "bid_size", "ask", "ask_size", "last_trade_price", "open", "high", "low", "prev_day_close", "volume",
        "open_interest", "iv", "theo", "delta", "gamma", "vega", "theta", "rho",
    )  # fmt: skip
    found = filled.ask(
        "SELECT option, bid, bid_size, ask, ask_size, last, open, high, low, previous_close, volume, open_interest, "
        "implied_volatility, theoretical, delta, gamma, vega, theta, rho FROM silver.cboe_option"
    )
    assert sorted(found) == sorted(
        (each["option"], *(each[name] for name in numbers)) for each in document["data"]["options"]
    )
    at = dt.datetime.fromisoformat(document["timestamp"])
    assert filled.ask("SELECT DISTINCT symbol, quoted, known_from FROM silver.cboe_option") == [("AAPL", at, at)]
    # A quarter past three in the afternoon of New York, in summer.
    assert filled.ask("SELECT last_trade FROM silver.cboe_option WHERE option = 'AAPL260724C00110000'") == [
        (dt.datetime(2026, 7, 24, 19, 13, 49),)
    ]
    never = sum(each["last_trade_time"] is None for each in document["data"]["options"])
    assert filled.ask("SELECT count(*) FROM silver.cboe_option WHERE last_trade IS NULL") == [(never,)]


def test_the_chain_with_what_the_names_say(filled: Recording) -> None:
    wanted = []
    for each in json.loads(later(CHAIN))["data"]["options"]:
        root, expiry, kind, strike = re.fullmatch(r"(.+?)(\d{6})([CP])(\d{8})", each["option"]).groups()  # type: ignore[union-attr]
        day = dt.datetime.strptime(expiry, "%y%m%d").date()
        wanted.append((each["option"], root, day, kind, Decimal(strike) / 1000))
    assert filled.ask("SELECT option, root, expiry, kind, strike FROM gold.option_chain ORDER BY 1") == sorted(wanted)


def test_an_option_that_expired_is_closed(tmp_path: Path) -> None:
    document = json.loads(later(CHAIN))
    expired = [each["option"] for each in document["data"]["options"] if each["option"].startswith("AAPL260724")]
    document["data"]["options"] = [each for each in document["data"]["options"] if each["option"] not in set(expired)]
    document["timestamp"] = "2026-07-28 03:44:38"
    recording = Recording(tmp_path, options='[options.cboe]\nchains = ["AAPL"]\n')
    recording.add("options/cboe/chains", later(CHAIN), ticker="AAPL")
    tomorrow = NOW + dt.timedelta(hours=1)
    recording.add("options/cboe/chains", json.dumps(document).encode(), ticker="AAPL", moment=tomorrow)
    assert recording.run(plugins=("cboe",)).errors == []
    left = len(document["data"]["options"])
    assert recording.ask("SELECT count(*) FROM silver.cboe_option") == [(left,)]
    assert recording.ask("SELECT count(*) FROM silver.cboe_option_as_of(TIMESTAMP '2026-07-26')") == [(3576,)]
    assert len(expired) > 20


REFUSED = [
    (b"", "begins with ''"),
    (b"<html></html>", "begins with '<html></html>'"),
    (b"DATE,OPEN,HIGH,LOW\n", "begins with 'DATE,OPEN,HIGH,LOW'"),
    (b"DATE,OPEN\n", "begins with 'DATE,OPEN'"),
    (b"DATE,\n", "begins with 'DATE,'"),
    (b"Date,VIX\n", "begins with 'Date,VIX'"),
    (b"DATE,VVIX\n01/02/1990,17\n01/03/1990\n", "1 fields on line 3, and 2"),
    (b"DATE,VVIX\n01/02/1990,1,234.5\n", "3 fields on line 2, and 2"),
    ("DATE,VVIX\n01/02/1990,\u0661\n".encode(), "is no history"),
]


@pytest.mark.parametrize(("payload", "reason"), REFUSED, ids=[reason for _, reason in REFUSED])
def test_what_is_no_history_is_refused(payload: bytes, reason: str) -> None:
    with pytest.raises(PayloadRefused, match=re.escape(reason)):
        list(parse(payload))


@pytest.mark.parametrize("name", ["indices", "chains"])
def test_a_symbol_that_would_lead_elsewhere(name: str) -> None:
    with pytest.raises(UsageError, match="is no symbol of Cboe"):
        cboe.datasets({name: ["../x"]})


def test_chains_only_where_they_are_named() -> None:
    assert [entry.dataset for entry in cboe.datasets({})] == ["index_history", "indices"]
    assert all(entry.opt_in for entry in cboe.datasets(CHOSEN))
    assert cboe.build_gold({}) == []

"""Nasdaq Data Link: a recorded part of WIKI/PRICES, and the forms of its documentation."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import zipfile
from decimal import Decimal
from pathlib import Path

import pytest
from kit_of import kit_of
from recorded import Recording, entries, payload

from sbf_core.api import PayloadRefused, UsageError
from sbf_core.http.content import why_no_data
from sbf_plugins.nasdaqdatalink import plugin

ALL = {"tables": list(plugin._TABLES), "series": ["LBMA/GOLD"]}
OPTIONS = (
    f'[universe]\ntickers = ["AAPL"]\n[options.nasdaqdatalink]\ntables = {ALL["tables"]}\nseries = ["LBMA/GOLD"]\n'
)
#: In the form that Sharadar documents, with numbers that are made up.
DOCUMENTED = {
    "sharadar_sep": "ticker,date,open,high,low,close,volume,closeadj,closeunadj,lastupdated\n"
    "AAPL,2020-08-28,126.01,126.44,124.57,124.81,187629916.0,122.4,499.23,2024-11-08\n",
    "sharadar_sfp": "ticker,date,open,high,low,close,volume,closeadj,closeunadj,lastupdated\n"
    "AAPL,2020-08-28,349.44,350.72,348.15,350.58,48588900.0,331.2,350.58,2024-11-08\n",
    "sharadar_daily": "ticker,date,lastupdated,ev,evebit,evebitda,marketcap,pb,pe,ps\n"
    "AAPL,2020-08-28,2020-10-01,2151040.9,32.1,27.2,2134558.6,29.5,36.6,7.8\n",
    "sharadar_actions": "date,action,ticker,name,value,contraticker,contraname\n"
    "2020-08-31,split,AAPL,APPLE INC,4.0,N/A,N/A\n2020-08-07,dividend,AAPL,APPLE INC,0.205,N/A,N/A\n",
}
SERIES = {
    "dataset": {
        "id": 11304240,
        "dataset_code": "GOLD",
        "database_code": "LBMA",
        "name": "Gold Price: London Fixing",
        "frequency": "daily",
        "column_names": ["Date", "USD (AM)", "USD (PM)"],
        "data": [["2020-08-27", 1942.05, 1923.85], ["2020-08-28", 1953.4, None]],
    }
}


def wiki() -> str:
    with zipfile.ZipFile(io.BytesIO(payload(entries(endpoint="quandl.WIKI_PRICES.zip")[0]))) as archive:
        return archive.read(archive.namelist()[0]).decode()


def of_apple() -> bytes:
    header, *lines = wiki().splitlines(keepends=True)
    return "".join([header, *(line for line in lines if line.startswith("AAPL,"))]).encode()


def recorded(folder: Path) -> Recording:
    recording = Recording(folder, options=OPTIONS)
    moment = dt.datetime(2020, 8, 31, tzinfo=dt.UTC)
    for name, content in {"wiki_prices": of_apple(), **{n: t.encode() for n, t in DOCUMENTED.items()}}.items():
        first = plugin._TABLES[name][2]
        recording.add(
            f"prices/nasdaqdatalink/{name}", content, ticker="AAPL", extension="csv", first=first, moment=moment
        )
    return recording


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    recording = recorded(tmp_path_factory.mktemp("nasdaqdatalink"))
    context = recording.run(plugins=("nasdaqdatalink",), select=tuple(f"nasdaqdatalink:{n}" for n in plugin._TABLES))
    assert (context.errors, context.rows_rejected) == ([], 0)
    return recording


def test_prices_as_traded_are_exact(filled: Recording) -> None:
    """A split of 7 for 1 on 9 June 2014, and dividends on their days."""
    told = list(csv.DictReader(io.StringIO(of_apple().decode())))
    found = filled.ask(
        "SELECT CAST(date AS VARCHAR), close, adj_close, volume FROM silver.nasdaqdatalink_wiki_prices ORDER BY date"
    )
    assert [(day, float(close), adjusted, volume) for day, close, adjusted, volume in found] == [
        (row["date"], float(row["close"]), float(row["adj_close"]), float(row["volume"])) for row in told
    ]
    assert filled.ask("SELECT date, split_ratio FROM silver.nasdaqdatalink_wiki_prices WHERE split_ratio <> 1") == [
        (dt.date(2014, 6, 9), 7)
    ]
    assert filled.ask("SELECT count(*) FROM silver.nasdaqdatalink_wiki_prices WHERE dividend > 0") == [(4,)]


def test_three_prices_of_one_close(filled: Recording) -> None:
    assert filled.ask("SELECT close, close_adjusted, close_traded FROM silver.nasdaqdatalink_sharadar_sep") == [
        (Decimal("124.81"), 122.4, Decimal("499.23"))
    ]
    assert filled.ask("SELECT action, value, contra_ticker FROM silver.nasdaqdatalink_sharadar_actions ORDER BY 1") == [
        ("dividend", 0.205, None), ("split", 4.0, None),
    ]  # fmt: skip


def test_columns_of_a_series_become_rows() -> None:
    rows = list(plugin.parse_series(json.dumps(SERIES).encode()))
    assert [(row["date"], row["field"], row["value"]) for row in rows] == [
        ("2020-08-27", "USD (AM)", "1942.05"), ("2020-08-27", "USD (PM)", "1923.85"),
        ("2020-08-28", "USD (AM)", "1953.4"), ("2020-08-28", "USD (PM)", None),
    ]  # fmt: skip
    for wrong, reason in (
        ({"dataset": {**SERIES["dataset"], "column_names": ["Date", "A", "A"]}}, "others once each"),
        ({"dataset": {**SERIES["dataset"], "column_names": ["Date", "A"]}}, "3 values under 2 names"),
        ({"datatable": {}}, "no time series"),
    ):
        with pytest.raises(PayloadRefused, match=reason):
            list(plugin.parse_series(json.dumps(wrong).encode()))


def test_series_have_a_dataset_a_database() -> None:
    """A slash in an address may not be escaped, so the database stands in it, and the series is the ticker."""
    found = plugin.datasets({"tables": [], "series": ["LBMA/GOLD", "LBMA/SILVER", "FRED/GDP"]})
    assert [(entry.discriminator, entry.members) for entry in found] == [
        ("lbma", ("GOLD", "SILVER")),
        ("fred", ("GDP",)),
    ]
    note = b'{"quandl_error":{"code":"QECx02","message":"You have submitted an incorrect Quandl code."}}'
    assert why_no_data(found[0], note, "json") is not None
    assert why_no_data(found[0], json.dumps(SERIES).encode(), "json") is None


@pytest.mark.parametrize(
    ("options", "reason"), [({"tables": ["sf1"]}, "no table 'sf1'"), ({"series": ["GOLD"]}, "no code of a series")]
)
def test_options_that_say_nothing(options: dict[str, object], reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        plugin.datasets(options)


UNSEEN = {"columns_are_filled": "contra tickers stand in mergers only"}
test_nasdaqdatalink_conforms, test_nasdaqdatalink_conforms_wholly = kit_of(
    "nasdaqdatalink", lambda folder: recorded(folder).folder, {"tables": ALL["tables"]}, UNSEEN
)

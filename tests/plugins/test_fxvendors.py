"""Exchange rates of vendors with keys, on recorded answers, which may not be shipped."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from pathlib import Path

import pytest
from kit_of import kit_of
from recorded import Recording, entries, payload

from sbf_core.api import UsageError
from sbf_core.http.content import why_no_data
from sbf_plugins.fxvendors import plugin

ALL = {"vendors": ["fixer", "exchangeratesapi", "currencylayer", "openexchangerates"], "since": dt.date(2000, 1, 1)}
OPTIONS = f"[options.fxvendors]\nvendors = {ALL['vendors']}\nsince = 2000-01-01\n"
#: By vendor: the recorded endpoint and the day of its answer.
RECORDED = {
    "fixer": ("fx.Fixer.historical.json", dt.date(2000, 1, 3)),
    "exchangeratesapi": ("fx.ExchangeRatesApi.historical.json", dt.date(2021, 4, 15)),
    "currencylayer": ("fx.CurrencyLayer.historical_success.json", dt.date(2015, 5, 5)),
    "openexchangerates": ("fx.OpenExchangeRates.historical_success.json", dt.date(2001, 2, 16)),
}


def answer(vendor: str) -> bytes:
    return payload(entries(endpoint=RECORDED[vendor][0])[0])


def recorded(folder: Path) -> Recording:
    recording = Recording(folder, options=OPTIONS)
    for vendor, (_, day) in RECORDED.items():
        moment = dt.datetime(day.year, day.month, day.day, tzinfo=dt.UTC)
        recording.add(f"fx/{vendor}/rates", answer(vendor), first=day, moment=moment)
    return recording


def test_four_forms_are_one_table(tmp_path: Path) -> None:
    """Pairs in one word, a day that only the request knows, and rates of a currency that is 18,110 a dollar."""
    recording = recorded(tmp_path)
    context = recording.run(plugins=("fxvendors",))
    assert (context.errors, context.rows_rejected) == ([], 0)
    for vendor, (_, day) in RECORDED.items():
        told = json.loads(answer(vendor), parse_float=Decimal, parse_int=Decimal)
        quotes = {name.removeprefix("USD") if vendor == "currencylayer" else name: rate
                  for name, rate in (told.get("rates") or told["quotes"]).items() if name != "USDUSD"}  # fmt: skip
        found = recording.ask(
            f"SELECT currency, rate FROM gold.fact_fx_vendor_rate WHERE vendor = '{vendor}' AND date = '{day}' "
            "AND currency <> base"
        )
        assert dict(found) == {name: rate for name, rate in quotes.items() if name != told.get("base")}, vendor
        base = told.get("base") or told["source"]
        assert recording.ask(f"SELECT DISTINCT base FROM gold.fact_fx_vendor_rate WHERE vendor = '{vendor}'") == [
            (base,)
        ]


#: In the forms of the recorded answers, with numbers that are made up.
MADE_UP: dict[str, dict[str, object]] = {
    "fixer": {"success": True, "timestamp": 946943999, "historical": True, "base": "EUR", "date": "2000-01-03",
              "rates": {"USD": 1.0095, "JPY": 102.5}},
    "exchangeratesapi": {"success": True, "timestamp": 946943999, "historical": True, "base": "EUR",
                         "date": "2000-01-03", "rates": {"USD": 1.0095}},
    "currencylayer": {"success": True, "historical": True, "date": "2000-01-03", "timestamp": 946943999,
                      "source": "USD", "quotes": {"USDEUR": 0.990589, "USDBTC": 1.5e-05}},
    "openexchangerates": {"disclaimer": "x", "license": "x", "timestamp": 946926000, "base": "USD",
                          "rates": {"EUR": 0.990589}},
}  # fmt: skip


def test_four_forms_of_one_day(tmp_path: Path) -> None:
    recording = Recording(tmp_path, options=OPTIONS)
    day = {"first": dt.date(2000, 1, 3), "moment": dt.datetime(2000, 1, 3, tzinfo=dt.UTC)}
    for vendor, answer in MADE_UP.items():
        recording.add(f"fx/{vendor}/rates", json.dumps(answer).encode(), **day)  # type: ignore[arg-type]
    context = recording.run(plugins=("fxvendors",))
    assert (context.errors, context.rows_rejected) == ([], 0)
    assert recording.ask("SELECT vendor, date, base, currency, rate FROM gold.fact_fx_vendor_rate ORDER BY ALL") == [
        ("currencylayer", dt.date(2000, 1, 3), "USD", "BTC", Decimal("0.000015")),
        ("currencylayer", dt.date(2000, 1, 3), "USD", "EUR", Decimal("0.990589")),
        ("exchangeratesapi", dt.date(2000, 1, 3), "EUR", "USD", Decimal("1.0095")),
        ("fixer", dt.date(2000, 1, 3), "EUR", "JPY", Decimal("102.5")),
        ("fixer", dt.date(2000, 1, 3), "EUR", "USD", Decimal("1.0095")),
        ("openexchangerates", dt.date(2000, 1, 3), "USD", "EUR", Decimal("0.990589")),
    ]


def test_what_stands_beside_a_code_is_no_rate() -> None:
    (entry,) = plugin.datasets({"vendors": ["fixer"]})
    note = b'{"success":false,"error":{"code":104,"info":"Your monthly API request volume has been reached."}}'
    assert why_no_data(entry, note, "json") is not None
    beside = json.dumps({**MADE_UP["fixer"], "error": {"code": 104}}).encode()
    assert why_no_data(entry, beside, "json") is not None, "rates are there, and the vendor says that they are none"
    assert why_no_data(entry, json.dumps(MADE_UP["fixer"]).encode(), "json") is None


def test_moments_of_the_rates(tmp_path: Path) -> None:
    recording = recorded(tmp_path)
    recording.run(plugins=("fxvendors",))
    assert recording.ask("SELECT DISTINCT date, told FROM silver.openexchangerates_rate") == [
        (dt.date(2001, 2, 16), dt.datetime(2001, 2, 16, 17))
    ]
    assert recording.ask("SELECT DISTINCT told FROM silver.fixer_rate") == [(None,)]


@pytest.mark.parametrize(
    ("vendor", "endpoint"),
    [
        ("fixer", "fx.Fixer.error.json"),
        ("currencylayer", "fx.CurrencyLayer.error.json"),
        ("openexchangerates", "fx.OpenExchangeRates.error.json"),
        ("openexchangerates", "fx.OpenExchangeRates.historical_error.json"),
        *(("exchangeratesapi", f"fx.ExchangeRatesApi.{name}.json") for name in (
            "base_currency_access_restricted", "invalid_access_key", "invalid_date", "no_rates_available",
        )),
    ],
)  # fmt: skip
def test_notes_are_no_rates(vendor: str, endpoint: str) -> None:
    (entry,) = plugin.datasets({"vendors": [vendor]})
    assert why_no_data(entry, payload(entries(endpoint=endpoint)[0]), "json") is not None


def test_without_a_vendor_there_is_nothing() -> None:
    assert (list(plugin.datasets({})), list(plugin.build_gold({}))) == ([], [])
    with pytest.raises(UsageError, match="no vendor 'xe'"):
        plugin.datasets({"vendors": ["xe"]})


UNSEEN = {"columns_are_filled": "the recorded answer of fixer is of before it told the moment"}
test_fxvendors_conform, test_fxvendors_conform_wholly = kit_of(
    "fxvendors", lambda folder: recorded(folder).folder, ALL, UNSEEN
)

"""Further rates of the Treasury, in the form of its XML feeds; the numbers are its own where a comment says so."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest
from kit_of import kit_of
from recorded import Recording

from sbf_core.api import PayloadRefused, UsageError
from sbf_plugins.treasury import plugin, rates

ALL = {"further": list(rates.PARSERS)}
OPTIONS = f"[options.treasury]\nfurther = {ALL['further']}\n"
HEAD = (
    '<?xml version="1.0" encoding="utf-8" standalone="yes" ?>\n'
    '<feed xml:base="http://data.treasury.gov/Feed.svc/" xmlns="http://www.w3.org/2005/Atom" '
    'xmlns:d="http://schemas.microsoft.com/ado/2007/08/dataservices" '
    'xmlns:m="http://schemas.microsoft.com/ado/2007/08/dataservices/metadata">\n'
)


def feed(*entries: dict[str, str | None]) -> bytes:
    told = []
    for entry in entries:
        fields = "".join(
            f'<d:{name} m:type="Edm.Double">{text}</d:{name}>' if text is not None else f'<d:{name} m:null="true" />'
            for name, text in entry.items()
        )
        told.append(f'<entry><content type="application/xml"><m:properties>{fields}</m:properties></content></entry>')
    return (HEAD + "\n".join(told) + "\n</feed>\n").encode()


FEEDS = {
    # 1 May 2020, as the Treasury had it; the rest is made up.
    "real_yield_curve": feed(
        {"NEW_DATE": "2020-05-01T00:00:00", "TC_5YEAR": "-0.315825", "TC_7YEAR": "-0.399095", "TC_10YEAR": "-0.420718",
         "TC_20YEAR": "-0.262226", "TC_30YEAR": "-0.121836"},
        {"NEW_DATE": "2020-05-04T00:00:00", "TC_5YEAR": "-0.31", "TC_30YEAR": None},
    ),
    "bill_rates": feed(
        {"INDEX_DATE": "2020-05-01T00:00:00", "ROUND_B1_CLOSE_4WK_2": "0.10", "ROUND_B1_YIELD_4WK_2": "0.11",
         "CS_4WK_CLOSE_AVG": "0.105", "CUSIP_4WK": "912796TG3", "ROUND_B1_CLOSE_52WK_2": "0.16",
         "ROUND_B1_YIELD_52WK_2": "0.17", "ROUND_B1_CLOSE_17WK_2": None},
    ),
    "long_term_rates": feed(
        {"QUOTE_DATE": "2020-05-01T00:00:00", "EXTRAPOLATION_FACTOR": "N/A", "RATE_TYPE": "BC_20year", "RATE": "1.04"},
        {"QUOTE_DATE": "2020-05-01T00:00:00", "EXTRAPOLATION_FACTOR": "0.23", "RATE_TYPE": "Over_10_Years",
         "RATE": "1.11"},
    ),
    "real_long_term_rates": feed({"QUOTE_DATE": "2020-05-01T00:00:00", "RATE": "-0.16"}),
}  # fmt: skip


def recorded(folder: Path) -> Recording:
    recording = Recording(folder, options=OPTIONS)
    moment = dt.datetime(2020, 5, 5, tzinfo=dt.UTC)
    for name, content in FEEDS.items():
        recording.add(f"rates/treasury/{name}", content, extension="xml", first=dt.date(2020, 1, 1), moment=moment)
    return recording


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    recording = recorded(tmp_path_factory.mktemp("treasury"))
    context = recording.run(plugins=("treasury",), select=tuple(f"treasury:{name}" for name in FEEDS))
    assert (context.errors, context.rows_rejected) == ([], 0)
    return recording


def test_real_yields_keep_their_six_decimals(filled: Recording) -> None:
    assert filled.ask(
        "SELECT CAST(date AS VARCHAR), maturity, real_yield FROM silver.treasury_real_yield "
        "ORDER BY date, maturity_months"
    ) == [
        ("2020-05-01", "5Y", Decimal("-0.315825")), ("2020-05-01", "7Y", Decimal("-0.399095")),
        ("2020-05-01", "10Y", Decimal("-0.420718")), ("2020-05-01", "20Y", Decimal("-0.262226")),
        ("2020-05-01", "30Y", Decimal("-0.121836")), ("2020-05-04", "5Y", Decimal("-0.310000")),
        ("2020-05-04", "30Y", None),
    ]  # fmt: skip


def test_bills_have_two_rates(filled: Recording) -> None:
    """Of weeks of which there was no bill on a day there is no row."""
    assert filled.ask("SELECT weeks, discount, coupon_equivalent FROM silver.treasury_bill_rate ORDER BY 1") == [
        (4, Decimal("0.10"), Decimal("0.11")), (52, Decimal("0.16"), Decimal("0.17")),
    ]  # fmt: skip


def test_kinds_of_long_term_rates(filled: Recording) -> None:
    assert filled.ask("SELECT kind, rate, extrapolation FROM silver.treasury_long_term_rate ORDER BY 1") == [
        ("BC_20year", Decimal("1.04"), None), ("Over_10_Years", Decimal("1.11"), Decimal("0.23")),
    ]  # fmt: skip
    assert filled.ask("SELECT rate FROM silver.treasury_real_long_term_rate") == [(Decimal("-0.16"),)]


@pytest.mark.parametrize("name", list(FEEDS))
def test_one_feed_in_the_place_of_another_is_refused(name: str) -> None:
    other = "bill_rates" if name != "bill_rates" else "real_yield_curve"
    with pytest.raises(PayloadRefused, match="another feed"):
        list(rates.PARSERS[name](FEEDS[other]))
    with pytest.raises(PayloadRefused, match="entities"):
        list(rates.PARSERS[name](b'<!DOCTYPE x [<!ENTITY a "b">]>' + FEEDS[name]))


def test_rates_that_there_are_not() -> None:
    with pytest.raises(UsageError, match="no rates 'mortgages'"):
        plugin.datasets({"further": ["mortgages"]})
    assert [entry.dataset for entry in plugin.datasets({})] == ["par_yield_curve"]


#: Lines of the curve of September 2024, as the Treasury has them.
CURVE = b"""Date,"1 Mo","2 Mo","3 Mo","4 Mo","6 Mo","1 Yr","2 Yr","3 Yr","5 Yr","7 Yr","10 Yr","20 Yr","30 Yr"
09/20/2024,4.87,4.88,4.75,4.70,4.43,3.92,3.55,3.46,3.48,3.59,3.73,4.10,4.07
09/19/2024,4.89,4.91,4.80,4.73,4.46,3.93,3.59,3.47,3.49,3.60,3.73,4.11,4.06
"""


def with_curve(folder: Path) -> Path:
    recording = recorded(folder)
    days = {"first": dt.date(2024, 1, 1), "moment": dt.datetime(2024, 9, 21, tzinfo=dt.UTC)}
    recording.add("rates/treasury/par_yield_curve", CURVE, extension="csv", **days)
    return recording.folder


test_treasury_conforms, test_treasury_conforms_wholly = kit_of("treasury", with_curve, ALL)

"""Tables of the Reserve Bank of Australia: the shapes of answers that were seen, with values that are made up."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest
from recorded import Recording

from sbf_core.api import UsageError
from sbf_core.testing.suite import conformance
from sbf_plugins.rba import plugin

RATES = """\ufeffF11.1  EXCHANGE RATES
Title,A$1=USD,Trade-weighted Index May 1970 = 100,A$1=JPY
Description,AUD/USD Exchange Rate; see notes.,Australian Dollar Trade-weighted Index,AUD/JPY Exchange Rate
Frequency,Daily,Daily,Daily
Type,Indicative,Indicative,Indicative
Units,USD,Index,JPY


Source,WM/Reuters,RBA,RBA
Publication date,20-Mar-2026,20-Mar-2026,20-Mar-2026
Series ID,FXRUSD,FXRTWI,FXRJY
03-Jan-2023,0.7128,61.10,90.48
04-Jan-2023,0.7109,,91.08
"""
DECISIONS = """\ufeffA2 RESERVE BANK OF AUSTRALIA \u2013 CHANGES IN MONETARY POLICY AND ADMINISTERED RATES
Title,Change in Cash Rate Target,New Cash Rate Target
Description,Change in Cash Rate Target (in percentage points),The Cash Rate Target As Announced
Frequency,As announced,As announced
Type,Original,Original
Units,Per cent,Per cent


Source,RBA,RBA
Publication date,17-Mar-2026,17-Mar-2026
Series ID,ARBAMPCCCR,ARBAMPCNCRT
23-Jan-1990,-0.50 to -1.00,17.00 to 17.50
31-Jul-1996,-0.50,7.00
"""
PRICES = RATES.replace("03-Jan-2023", "30/06/1922").replace("04-Jan-2023,0.7109", "30/09/1922, -0.1")
OPTIONS = '[options.rba]\ntables = ["f11.1", "a2", "g1"]\n'


def filled(folder: Path, **contents: str) -> Recording:
    recording = Recording(folder, options=OPTIONS)
    for name, content in contents.items():
        dataset = f"{'fx' if name.startswith('f11') else 'macro'}/rba/{name}"
        recording.add(dataset, content.replace("\n", "\r\n").encode(), extension="csv")
    return recording


test_rba_conforms = conformance(
    "rba",
    recording=lambda folder: filled(folder, a2=DECISIONS).folder,
    options={"tables": ["a2"]},
)


def test_rates_with_what_the_table_says_of_them(tmp_path: Path) -> None:
    recording = filled(tmp_path, f11_1=RATES)
    assert recording.run(plugins=("rba", "centralbanks")).errors == []
    query = (
        "SELECT series, CAST(date AS VARCHAR), value, unit, source, title FROM silver.rba_f11_1 ORDER BY ALL LIMIT 2"
    )
    assert recording.ask(query) == [
        ("FXRJY", "2023-01-03", Decimal("90.48"), "JPY", "RBA", "A$1=JPY"),
        ("FXRJY", "2023-01-04", Decimal("91.08"), "JPY", "RBA", "A$1=JPY"),
    ]
    gold = "SELECT currency || base, rate FROM gold.fx_reference_rate WHERE date = '2023-01-03' ORDER BY 1"
    assert recording.ask(gold) == [("AUDJPY", Decimal("90.48")), ("AUDUSD", Decimal("0.7128"))]


def test_a_range_is_no_number(tmp_path: Path) -> None:
    recording = filled(tmp_path, a2=DECISIONS)
    assert recording.run(plugins=("rba",)).errors == []
    found = recording.ask("SELECT quoted, value FROM silver.rba_a2 WHERE series = 'ARBAMPCNCRT' ORDER BY date")
    assert found == [("17.00 to 17.50", None), ("7.00", Decimal("7.00"))]


def test_days_in_two_forms_and_a_blank_before_a_number(tmp_path: Path) -> None:
    recording = filled(tmp_path, g1=PRICES)
    assert recording.run(plugins=("rba",)).errors == []
    found = recording.ask("SELECT date, value FROM silver.rba_g1 WHERE series = 'FXRUSD' ORDER BY date")
    assert found == [(dt.date(1922, 6, 30), Decimal("0.7128")), (dt.date(1922, 9, 30), Decimal("-0.1"))]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (RATES.replace("Units,", "Unit,"), "no line says Units"),
        (RATES.replace("Series ID", "Series"), "no line begins with Series ID"),
        (RATES.replace("03-Jan-2023", "2023-01-03"), "line 12 begins with '2023-01-03', which is no day"),
        (RATES.replace("03-Jan-2023", "31/02/2023"), "which is no day"),
        (RATES.replace("90.48", "90.48,1"), "line 12 has 5 cells, and 4 are named"),
    ],
)
def test_another_table_is_refused(tmp_path: Path, content: str, reason: str) -> None:
    assert reason in " ".join(filled(tmp_path, f11_1=content).run(plugins=("rba",)).errors)


def test_the_settings_choose() -> None:
    assert [entry.id for entry in plugin.datasets({"tables": ["d1", "d1"]})] == ["macro/rba/d1"]
    assert all(entry.opt_in for entry in plugin.datasets({}))
    with pytest.raises(UsageError, match=r"'F11\.1' is no table"):
        plugin.datasets({"tables": ["F11.1"]})

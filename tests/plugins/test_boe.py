"""The Bank of England on what it really sent; values in SHAPES are made up."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from decimal import Decimal
from pathlib import Path

import pytest
from recorded import NOW, Recording, entries, later, payload, second_entries

from sbf_core.api import UsageError
from sbf_core.testing.suite import conformance
from sbf_plugins.boe import plugin

OPTIONS = "[options.boe]\nsince = 2012-01-01\n"
SINCE = dt.date(2012, 1, 1)
XML = """<?xml version="1.0" encoding="UTF-8"?>
<Envelope xmlns="http://www.gesmes.org/xml/2002-08-01">
  <Cube xmlns="https://www.bankofenglan.co.uk/website/agg_series" SCODE="LPMVWYR" DESC="Notes and coin">
    <Cube FREQ_NAME="Monthly" FREQ_CODE="M" FREQ_ORD="7"/>
    <Cube CAT_NAME="OUTPUT IN" CAT_VAL="£" VAL_DESC="Sterling" CAT_ORD="3"/>
    <Cube FIRST_OBS="2025-04-30" LAST_OBS="2025-05-31"/>
    <Cube TIME="2025-04-30" OBS_VALUE="1234" OBS_CONF="N" LAST_UPDATED="2025-06-30 09:30:00"></Cube>
    <Cube TIME="2025-05-31" OBS_VALUE="1235.5" OBS_CONF="N" LAST_UPDATED="2025-06-30 09:30:00"></Cube>
  </Cube>
</Envelope>"""
SHAPES = {
    "fx/boe/exchange_rates": b"DATE,XUDLUSS,XUDLJYS\r\n17 Mar 2026,1.5,201.25\r\n18 Mar 2026,1.25,\r\n",
    "rates/boe/interest_rates": b"DATE,IUDBEDR,IUDSOIA\r\n17 Mar 2026,4.0000,3.9675\r\n",
    "macro/boe/series": XML.encode(),
}


def add(recording: Recording, dataset: str, content: bytes) -> None:
    is_xml = dataset.endswith("series")
    facts = {"ticker": "LPMVWYR", "extension": "xml"} if is_xml else {"extension": "csv"}
    recording.add(dataset, content, first=SINCE, moment=NOW, **facts)  # type: ignore[arg-type]


def filled(folder: Path) -> Recording:
    recording = Recording(folder, options=OPTIONS)
    for dataset, content in SHAPES.items():
        add(recording, dataset, content)
    return recording


test_boe_conforms = conformance("boe", recording=lambda folder: filled(folder).folder, options={"since": SINCE})


def test_each_rate_of_four_days(tmp_path: Path) -> None:
    content = payload(entries(vendor="cb-boe")[0])
    recording = Recording(tmp_path, options=OPTIONS)
    add(recording, "fx/boe/exchange_rates", content)
    assert recording.run(plugins=("boe", "centralbanks")).errors == []
    told = {
        (name, dt.datetime.strptime(row["DATE"], "%d %b %Y").date()): value
        for row in csv.DictReader(io.StringIO(content.decode()))
        for name, value in row.items()
        if name != "DATE"
    }
    found = recording.ask("SELECT series, date, quoted, value FROM silver.boe_exchange_rate")
    assert {row[:2]: row[2] for row in found} == told
    assert all(value == Decimal(quoted) for *_, quoted, value in found)
    assert len(found) == 4 * 26
    gold = "SELECT rate FROM gold.fx_reference_rate WHERE bank = 'boe' AND date = '2026-03-17' AND base = 'JPY'"
    assert recording.ask(gold + " AND currency = 'GBP'") == [(Decimal("212.1937"),)]
    # of one series nobody told us the currency
    assert recording.ask("SELECT count(DISTINCT base) FROM gold.fx_reference_rate") == [(25,)]


def test_a_series_whose_namespaces_are_misspelt(tmp_path: Path) -> None:
    """Two answers to one question stand in one recorded envelope, in two spellings of a namespace."""
    (row,) = second_entries(vendor="cb-boe")
    content = later(row["id"])
    recording = Recording(tmp_path, options=OPTIONS)
    add(recording, "macro/boe/series", content)
    assert recording.run(plugins=("boe",)).errors == []
    told = set(re.findall(r'TIME="(.*?)" OBS_VALUE="(.*?)"', content.decode()))
    found = recording.ask("SELECT CAST(date AS VARCHAR), quoted FROM silver.boe_series")
    assert set(found) == told
    moment = "SELECT DISTINCT updated, frequency FROM silver.boe_series WHERE date = '2012-01-31'"
    assert recording.ask(moment) == [(dt.datetime(2025, 6, 30, 8, 30), "Monthly")]  # summer time in London


def test_what_was_not_quoted_has_no_value(tmp_path: Path) -> None:
    recording = filled(tmp_path)
    assert recording.run(plugins=("boe",)).errors == []
    found = recording.ask("SELECT date, value FROM silver.boe_exchange_rate WHERE series = 'XUDLJYS' ORDER BY 1")
    assert found == [(dt.date(2026, 3, 17), Decimal("201.25")), (dt.date(2026, 3, 18), None)]


def test_a_moment_of_the_bank_is_one_of_london(tmp_path: Path) -> None:
    recording = filled(tmp_path)
    assert recording.run(plugins=("boe",)).errors == []
    assert recording.ask("SELECT DISTINCT updated FROM silver.boe_series") == [(dt.datetime(2025, 6, 30, 8, 30),)]


def test_a_series_of_which_nobody_told_the_currency(tmp_path: Path) -> None:
    recording = Recording(tmp_path, options=OPTIONS)
    add(recording, "fx/boe/exchange_rates", b"DATE,XUDLUSS,XUDLZOS4\r\n17 Mar 2026,1.5,5.5\r\n")
    assert recording.run(plugins=("boe",)).errors == []
    found = recording.ask("SELECT series, currency FROM silver.boe_exchange_rate ORDER BY ALL")
    assert found == [("XUDLUSS", "USD"), ("XUDLZOS4", None)]


def test_what_is_no_envelope_is_refused(tmp_path: Path) -> None:
    for number, content in enumerate((b"<html/>", b"<!DOCTYPE x [<!ENTITY a 'b'>]><Envelope/>")):
        recording = Recording(tmp_path / str(number), options=OPTIONS)
        add(recording, "macro/boe/series", content)
        assert recording.run(plugins=("boe",)).errors


def test_the_settings_choose() -> None:
    assert [entry.id for entry in plugin.datasets({"currencies": [], "series": []})] == ["rates/boe/interest_rates"]
    assert all(entry.opt_in for entry in plugin.datasets({}))
    with pytest.raises(UsageError, match="'xudluss' is no code"):
        plugin.datasets({"currencies": ["xudluss"]})

"""The bundled plugins on payloads as they come live today, shortened: other shapes than the sample's."""

from __future__ import annotations

import json
from pathlib import Path

from warehouse import FakeVendor, Warehouse

import sbf_plugins.bls.plugin as bls
import sbf_plugins.iso4217.plugin as iso4217
import sbf_plugins.sec.plugin as sec
from sbf_core.api import hookimpl


def test_sec_live_json(tmp_path: Path) -> None:
    class Live(FakeVendor):
        @hookimpl
        def promote(self, entry: object, batch: object) -> object:
            return sec.promote(entry, batch)

    vendor = Live(*sec.datasets({}))
    warehouse = Warehouse(tmp_path / "home", vendor)
    rows = [[1045810, "NVIDIA CORP", "NVDA", "Nasdaq"], [1067983, "BERKSHIRE HATHAWAY INC", "BRK-B", None]]
    vendor.says(json.dumps({"fields": ["cik", "name", "ticker", "exchange"], "data": rows}), dataset="company_tickers")
    assert warehouse.run(run__plugins=("fake",)).errors == []
    found = warehouse.ask("SELECT ticker, cik, exchange, name FROM silver.sec_company_ticker ORDER BY 1")
    assert found == [("BRK-B", 1067983, None, "BERKSHIRE HATHAWAY INC"), ("NVDA", 1045810, "Nasdaq", "NVIDIA CORP")]
    vendor.says(
        json.dumps({"fields": ["cik", "name", "ticker", "exchange"], "data": rows[:1]}), dataset="company_tickers"
    )
    warehouse.run(hours_later=24, run__plugins=("fake",))
    assert warehouse.ask("SELECT ticker FROM silver.sec_company_ticker") == [("NVDA",)]


def test_bls_live_text(tmp_path: Path) -> None:
    vendor = FakeVendor(*bls.datasets())
    vendor.extension = "tsv"
    warehouse = Warehouse(tmp_path / "home", vendor)
    header = "series_id        \tyear\tperiod\t       value\tfootnote_codes\r\n"
    vendor.says(
        header + "CUSR0000SA0      \t1997\tM01\t     159.400\t\r\nCUSR0000SA0      \t2025\tM10\t           -\tX\r\n",
        dataset="cpi",
    )
    assert warehouse.run(run__plugins=("fake",)).errors == []
    assert warehouse.ask(
        "SELECT series_id, year, period, CAST(value AS VARCHAR) FROM silver.bls_cpi ORDER BY year"
    ) == [
        ("CUSR0000SA0", 1997, "M01", "159.400"),
        ("CUSR0000SA0", 2025, "M10", None),
    ]


def test_iso_refuses_what_is_no_list(tmp_path: Path) -> None:
    class Live(FakeVendor):
        @hookimpl
        def promote(self) -> object:
            return iso4217.promote()

    vendor = Live(*iso4217.datasets())
    vendor.extension = "xml"
    warehouse = Warehouse(tmp_path / "home", vendor)
    for payload, reason in (
        ("<html/>", "root is 'html'"),
        ("<!DOCTYPE x [<!ENTITY a 'b'>]><ISO_4217/>", "entities"),
        ("<ISO", "ParseError"),
    ):
        vendor.says(payload, dataset="currencies")
        context = warehouse.run(hours_later=24 * 40)
        assert reason in context.errors[0]
    assert warehouse.ask("SELECT count(*) FROM silver.iso4217_currency") == [(0,)]

"""Commitments of traders: every number of a year of the legacy report, and real lines of the other reports.

cftc-*.txt are lines of annualof.txt, f_year.txt and FinFutYY.txt of 2026 as the CFTC publishes them: works of the U.S.
government, in the public domain.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import zipfile
from decimal import Decimal
from pathlib import Path

import attrs
import pytest
from pytest_httpserver import HTTPServer
from recorded import Recording, later
from warehouse import Warehouse

from sbf_core.api import DatasetKeymapEntry, RestRecipe, UsageError, hookimpl
from sbf_core.testing.suite import conformance
from sbf_plugins.cftc import plugin as cftc

ANNUAL = "cftc-cot-text-r2-001"
SMALL = {"legacy_combined": "combined", "disaggregated_futures": "disaggregated", "financial_futures": "financial"}
#: Files of the reports that no column holds, because another one says the same.
REPEATED = {
    "As of Date in Form YYMMDD",
    "CFTC Contract Market Code (Quotes)",
    "CFTC Market Code in Initials (Quotes)",
    "CFTC Commodity Code (Quotes)",
    "As_of_Date_In_Form_YYMMDD",
    "CFTC_Contract_Market_Code_Quotes",
    "CFTC_Market_Code_Quotes",
    "CFTC_Commodity_Code_Quotes",
}
#: The header of annualci.txt, as the CFTC spells it: "Postions" and "Spead" are its own.
SUPPLEMENTAL = (
    "Market_and_Exchange_Names,As_of_Date_In_Form_YYMMDD,As_of_Date_In_Form_YYYY-MM-DD,CFTC_Contract_Market_Code,"
    "CFTC_Market_Code,CFTC_Region_Code,CFTC_Commodity_Code,Open_Interest_All,NComm_Positions_Long_All_NoCIT,"
    "NComm_Positions_Short_All_NoCIT,NComm_Postions_Spread_All_NoCIT,Comm_Positions_Long_All_NoCIT,"
    "Comm_Positions_Short_All_NoCIT,Tot_Rept_Positions_Long_All,Tot_Rept_Positions_Short_All,"
    "NonRept_Positions_Long_All,NonRept_Positions_Short_All,CIT_Positions_Long_All,CIT_Positions_Short_All,"
    "Change_Open_Interest_All,Change_NonComm_Long_All_NoCIT,Change_NonComm_Short_All_NoCIT,"
    "Change_NonComm_Spead_All_NoCIT,Change_Comm_Long_All_NoCIT,Change_Comm_Short_All_NoCIT,"
    "Change_Tot_Rept_Long_All,Change_Tot_Rept_Short_All,Change_NonRept_Long_All,Change_NonRept_Short_All,"
    "Change_CIT_Long_All,Change_CIT_Short_All,Pct_Open_Interest_All,Pct_OI_NonComm_Long_All_NoCIT,"
    "Pct_OI_NonComm_Short_All_NoCIT,Pct_OI_NonComm_Spread_All_NoCIT,Pct_OI_Comm_Long_All_NoCIT,"
    "Pct_OI_Comm_Short_All_NoCIT,Pct_OI_Tot_Rept_Long_All_NoCIT,Pct_OI_Tot_Rept_Short_All_NoCIT,"
    "Pct_OI_NonRept_Long_All_NoCIT,Pct_OI_NonRept_Short_All_NoCIT,Pct_OI_CIT_Long_All,Pct_OI_CIT_Short_All,"
    "Traders_Tot_All,Traders_NonComm_Long_All_NoCIT,Traders_NonComm_Short_All_NoCIT,"
    "Traders_NonComm_Spread_All_NoCIT,Traders_Comm_Long_All_NoCIT,Traders_Comm_Short_All_NoCIT,"
    "Traders_Tot_Rept_Long_All_NoCIT,Traders_Tot_Rept_Short_All_NoCIT,Traders_CIT_Long_All,Traders_CIT_Short_All"
)  # fmt: skip


def small(report: str) -> bytes:
    return Path(__file__).with_name(f"cftc-{SMALL[report]}.txt").read_bytes()


def packed(name: str, content: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return stream.getvalue()


def recorded(folder: Path) -> Path:
    recording = Recording(folder, options=f"[options.cftc]\nreports = {list(SMALL)}\n")
    for report in SMALL:
        recording.add(
            f"positions/cftc/{report}", packed("annual.txt", small(report)), extension="zip", first=dt.date(2026, 1, 1)
        )
    return recording.folder


test_conformance = conformance("cftc", recording=recorded, options={"reports": list(SMALL)})


def cell(text: str) -> str | Decimal | None:
    """What a cell of the file says: a number, nothing, or a text."""
    stripped = text.strip()
    try:
        return None if stripped == "." else Decimal(stripped)
    except ArithmeticError:
        return stripped


def agrees(recording: Recording, report: str, content: bytes) -> int:
    """Each cell of the file is in silver, and each column of silver in the file; how many rows there are."""
    header, *lines = csv.reader(io.StringIO(content.decode("ascii"), newline=""))
    names = [name.strip() for name in header]
    (entry,) = cftc.datasets({"reports": [report]})
    columns = {column.source_name: column for column in entry.columns}
    assert set(names) - REPEATED == set(columns)
    picked = [(names.index(source), column) for source, column in columns.items()]
    wanted = sorted(
        tuple(
            line[place].strip() if column.type in ("VARCHAR", "DATE") else cell(line[place]) for place, column in picked
        )
        for line in lines
    )
    shown = ", ".join(
        f"CAST({column.name} AS VARCHAR)" if column.type in ("VARCHAR", "DATE") else column.name for _, column in picked
    )
    assert sorted(recording.ask(f"SELECT {shown} FROM silver.cftc_{report}")) == wanted
    return len(wanted)


def test_every_cell_of_a_year(tmp_path: Path) -> None:
    content = later(ANNUAL)
    recording = Recording(tmp_path, options='[options.cftc]\nreports = ["legacy_futures"]\n')
    archive = packed("annual.txt", content)
    recording.add("positions/cftc/legacy_futures", archive, extension="zip", first=dt.date(2025, 1, 1))
    context = recording.run(plugins=("cftc",))
    assert (context.errors, context.rows_seen, context.rows_rejected) == ([], 3190, 0)
    assert agrees(recording, "legacy_futures", content) == 3190
    assert recording.ask(
        "SELECT contract, exchange, commodity, change_open_interest, open_interest, percent_open_interest "
        "FROM silver.cftc_legacy_futures WHERE contract = '001602' AND date = '2025-03-11'"
    ) == [("001602", "CBT", "001", 9611, 437310, Decimal("100.00"))]
    changes = [
        column.name for column in cftc.datasets({"reports": ["legacy_futures"]})[0].columns if "change_" in column.name
    ]
    none = " + ".join(f"count(*) FILTER ({name} IS NULL)" for name in changes)
    assert recording.ask(f"SELECT {none} FROM silver.cftc_legacy_futures") == [(780,)]


@pytest.mark.parametrize("report", SMALL)
def test_real_lines_of_the_other_reports(tmp_path: Path, report: str) -> None:
    recording = Recording(tmp_path, options=f'[options.cftc]\nreports = ["{report}"]\n')
    recording.add(
        f"positions/cftc/{report}", packed("annual.txt", small(report)), extension="zip", first=dt.date(2026, 1, 1)
    )
    context = recording.run(plugins=("cftc",))
    assert (context.errors, context.rows_rejected) == ([], 0)
    assert agrees(recording, report, small(report)) == small(report).count(b"\n") - 1


def test_index_traders_in_the_layout_of_the_documentation(tmp_path: Path) -> None:
    """No file of it was at hand: numbers that are made up, each another one, so that none takes another's place."""
    recording = Recording(tmp_path, options='[options.cftc]\nreports = ["supplemental_combined"]\n')
    names = SUPPLEMENTAL.split(",")
    numbers = [f"{place}.5" if name.startswith("Pct") else str(place) for place, name in enumerate(names)]
    lines = [[*('"WHEAT-SRW - CHICAGO BOARD OF TRADE"', "260106", "2026-01-06", "001602", "CBT ", "00", "001 ")]]
    content = "\n".join([SUPPLEMENTAL, *(",".join([*line, *numbers[7:]]) for line in lines), ""]).encode()
    archive = packed("annualci.txt", content)
    recording.add("positions/cftc/supplemental_combined", archive, extension="zip", first=dt.date(2026, 1, 1))
    context = recording.run(plugins=("cftc",))
    assert (context.errors, context.rows_rejected) == ([], 0)
    assert agrees(recording, "supplemental_combined", content) == 1
    assert recording.ask(
        "SELECT noncommercial_spreading, change_noncommercial_spreading, index_trader_long, percent_index_trader_short "
        "FROM silver.cftc_supplemental_combined"
    ) == [(10, 22, 17, Decimal("42.50"))]


def test_a_report_in_the_place_of_another_is_refused(tmp_path: Path) -> None:
    recording = Recording(tmp_path, options='[options.cftc]\nreports = ["financial_futures"]\n')
    archive = packed("FinFutYY.txt", small("disaggregated_futures"))
    recording.add("positions/cftc/financial_futures", archive, extension="zip", first=dt.date(2026, 1, 1))
    assert "Dealer_Positions_Long_All" in recording.run(plugins=("cftc",)).errors[0]


@pytest.mark.parametrize(
    ("options", "reason"),
    [({"reports": ["legacy"]}, "there is no report 'legacy'"), ({"since": 1970}, "no year of the reports")],
)
def test_options_that_say_nothing(options: dict[str, object], reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        cftc.datasets(options)


def test_the_first_years(tmp_path: Path) -> None:
    names = ["legacy_futures", "legacy_combined", "disaggregated_combined", "financial_combined"]
    for since, years in ((1986, [1986, 1995, 2006, 2006]), (2017, [2017] * 4)):
        declared = cftc.datasets({"reports": names, "since": since})
        assert [entry.first_date.year for entry in declared] == years
        assert all(entry.opt_in for entry in declared)


class Cftc:
    """The bundled plugin at an address of our own, without limits."""

    def __init__(self, server: HTTPServer) -> None:
        self.server = server

    @hookimpl
    def datasets(self) -> list[DatasetKeymapEntry]:
        (entry,) = cftc.datasets({"reports": ["legacy_combined"], "since": 2023})
        assert isinstance(entry.recipe, RestRecipe)
        url = self.server.url_for("/") + entry.recipe.url.rpartition("/")[2]
        return [attrs.evolve(entry, recipe=attrs.evolve(entry.recipe, url=url, limits=()))]


def test_a_year_whose_file_is_not_there_yet(tmp_path: Path, httpserver: HTTPServer) -> None:
    """In the first days of a year nothing has failed, and the file is asked for until it is there."""
    lines = small("legacy_combined").replace(b",2026-", b",2023-")
    httpserver.expect_request("/deahistfo2023.zip").respond_with_data(packed("annualof.txt", lines))
    httpserver.expect_request("/deahistfo2024.zip").respond_with_data(b"<html>Not found</html>", status=404)
    warehouse = Warehouse(tmp_path / "home", Cftc(httpserver))
    warehouse.clock.advance(hours=24 * 3)  # 5 January 2024
    named = {"run__plugins": ("fake",)}
    context = warehouse.run(**named)
    assert (context.errors, context.rows_inserted) == ([], 4)
    httpserver.clear()
    httpserver.expect_request("/deahistfo2023.zip").respond_with_data(packed("annualof.txt", lines))
    lines = small("legacy_combined").replace(b",2026-", b",2024-")
    httpserver.expect_request("/deahistfo2024.zip").respond_with_data(packed("annualof.txt", lines))
    context = warehouse.run(hours_later=24 * 4, **named)
    assert (context.errors, context.rows_inserted) == ([], 4)

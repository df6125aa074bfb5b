"""Rejected rows: counted, listed, exported, and gone when a mended declaration takes them."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from pathlib import Path

import attrs
import duckdb
import pytest
from terminal import Terminal
from warehouse import FakeVendor, Warehouse, counts_add_up, entry, price
from web.pages import client_of, seen, site_of

from sbf_core.api import column
from sbf_core.care.verify import Verification
from sbf_core.plugin.manager import PluginManager

CSV = "symbol,date,close,volume\nA,2024-01-01,x,1\nA,2024-01-02,1,1\nA,2024-01-03,1,1,,5\n"
LATER = "symbol,date,close,volume\nA,2024-01-01,y,1\nA,2024-01-02,1,1\nA,2024-01-03,1,1\n"


@pytest.fixture
def bad(tmp_path: Path) -> Warehouse:
    """Two payloads of which rows were rejected."""
    vendor = FakeVendor(entry(reject_share_max=1.0))
    warehouse = Warehouse(tmp_path / "home", vendor)
    vendor.extension = "csv"
    vendor.says(CSV)
    warehouse.run()
    vendor.says(LATER)
    warehouse.run(hours_later=24)
    return warehouse


@pytest.fixture
def sbf(bad: Warehouse, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    return Terminal(bad, monkeypatch)


def test_rejects_are_counted_and_shown_newest_first(sbf: Terminal, bad: Warehouse) -> None:
    said = sbf("rejects", "eod").out
    lines = [line.split() for line in said.splitlines()]
    assert lines[0] == ["3", "rejected", "rows", "of", "prices/fake/eod", "(silver.px):"]
    assert ["unparsable", "close", "2", "2", "2024-01-03", "12:00:00"] in lines
    assert "what helps" in said, "a ragged row: look at the line"
    shown = [line for line in said.splitlines() if ".csv" in line]
    payloads = bad.bronze_files()
    assert [next(path for path in payloads if path in line) for line in shown] == [
        payloads[1],
        payloads[0],
        payloads[0],
    ]
    assert "line 4" in shown[2] and "A,2024-01-03,1,1,,5" in shown[2]
    runs = [
        run for (run,) in bad.ask("SELECT run_id FROM ops.file_ingestions WHERE kind = 'run' ORDER BY started_at DESC")
    ]
    assert runs[0] in shown[0] and runs[1] in shown[1]
    assert "1 of 3 rows" in sbf("rejects", "px", "--limit", "1").out


def test_a_program_is_told_the_same(sbf: Terminal, bad: Warehouse) -> None:
    told = sbf.told("rejects", "px")
    assert (told["schema"], told["dataset"], told["total"]) == ("sbf.rejects/1", "prices/fake/eod", 3)
    assert [(one["reason"], one["column"], one["rows"]) for one in told["counts"]] == [
        ("unparsable", "close", 2),
        ("ragged", None, 1),
    ]
    first, second, third = told["rejects"]
    assert first["row"] == {"symbol": "A", "date": "2024-01-01", "close": "y", "volume": "1"}
    assert (first["place"], first["payload"], first["rejected_at"]) == (
        None,
        bad.bronze_files()[1],
        "2024-01-03T12:00:00Z",
    ), "read all at once"
    assert (second["place"], second["row"]) == (
        "line 2",
        {"symbol": "A", "date": "2024-01-01", "close": "x", "volume": "1"},
    )
    assert (third["reason"], third["place"], third["raw"]) == ("ragged", "line 4", "A,2024-01-03,1,1,,5")
    assert len(sbf.told("rejects", "px", "--limit", "2")["rejects"]) == 2


@pytest.mark.parametrize("kind", ["csv", "json", "parquet"])
def test_rejects_are_exported_whole(sbf: Terminal, tmp_path: Path, kind: str) -> None:
    target = tmp_path / f"it's.{kind}"
    target.write_text("old")
    said = sbf("rejects", "px", "--out", str(target))
    assert (said.code, said.out) == (0, f"3 rejected rows of prices/fake/eod written to {target}\n")
    reader = {"csv": "read_csv", "json": "read_json", "parquet": "read_parquet"}[kind]
    with duckdb.connect() as conn:
        rows = conn.execute(
            f'SELECT reason, "column", place, payload, run_id IS NULL, CAST("row" AS VARCHAR) FROM {reader}(?)',
            [str(target)],
        ).fetchall()
    assert [row[:3] for row in rows] == [
        ("unparsable", "close", None),
        ("unparsable", "close", "line 2"),
        ("ragged", None, "line 4"),
    ]
    assert not any(row[4] for row in rows)
    if kind == "json":
        assert json.loads(target.read_text())[0]["row"] == {
            "symbol": "A",
            "date": "2024-01-01",
            "close": "y",
            "volume": "1",
        }
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home", target.name], "nothing else is left"
    assert sbf.told("rejects", "px", "--limit", "1", "--out", str(target))["written"] == 1


@pytest.mark.parametrize(
    ("name", "words"), [("x.xlsx", "is of no kind that can be written"), ("no/x.csv", "there is no such folder")]
)
def test_what_cannot_be_exported_is_refused_first(sbf: Terminal, tmp_path: Path, name: str, words: str) -> None:
    said = sbf("rejects", "px", "--out", str(tmp_path / name))
    assert said.code == 2 and words in said.err


def test_numbers_of_a_row_keep_their_digits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    @attrs.frozen
    class Exact:
        symbol: str = column(key=True)
        close: Decimal = column(precision=38, scale=20)

    vendor = FakeVendor(entry(columns=Exact, reject_share_max=1.0))
    warehouse = Warehouse(tmp_path / "home", vendor)
    vendor.says('[{"symbol": "A", "close": 123456789012345678.00000000000000000001}, {"symbol": "A", "close": 1.5}]')
    warehouse.run()
    rejects = Terminal(warehouse, monkeypatch).told("rejects", "px")["rejects"]
    assert [one["row"]["close"] for one in rejects] == ["123456789012345678.00000000000000000001", 1.5]


def test_nothing_rejected_is_said(warehouse: Warehouse, vendor: FakeVendor, monkeypatch: pytest.MonkeyPatch) -> None:
    vendor.says([price("A", "2024-01-01")])
    warehouse.run()
    sbf = Terminal(warehouse, monkeypatch)
    assert sbf("rejects", "px").out == "No row of prices/fake/eod is rejected.\n"
    assert sbf.told("rejects", "px")["rejects"] == []


def test_status_and_pages_lead_there(sbf: Terminal, bad: Warehouse) -> None:
    assert "sbf rejects px" in [one["fix"] for one in sbf.told("status")["problems"]]
    page = seen(client_of(site_of(bad)).get("/datasets/px").text).text
    assert "Rejected rows" in page and "sbf rejects px" in page and "unparsable close 2 2" in page


@attrs.frozen
class Days:
    """The vendor writes the day first, as nobody had declared."""

    symbol: str = column(key=True)
    date: dt.date = column(key=True, row_date=True)
    close: float | None = column()


@attrs.frozen
class DaysFirst(Days):
    date: dt.date = column(key=True, row_date=True, date_format="%d/%m/%Y")


def test_rejects_come_back_with_a_mended_declaration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows that a wrong date format rejected are in the table,
    with the times of their payloads, as if it had always been right.
    """
    vendor = FakeVendor(entry(columns=Days, reject_share_max=1.0))
    warehouse = Warehouse(tmp_path / "home", vendor)
    vendor.says(
        [{"symbol": "A", "date": "13/01/2024", "close": 1}, {"symbol": "A", "date": "14/01/2024", "close": "two"}]
    )
    assert warehouse.run().rows_rejected == 2
    vendor.says(
        [{"symbol": "A", "date": "13/01/2024", "close": 1.5}, {"symbol": "A", "date": "15/01/2024", "close": 3}]
    )
    assert warehouse.run(hours_later=24).rows_rejected == 2
    sbf = Terminal(warehouse, monkeypatch)
    assert sbf.told("rejects", "px")["total"] == 4

    vendor.entries[0] = entry(columns=DaysFirst, reject_share_max=1.0)
    context = warehouse.run(hours_later=1)
    assert (context.errors, context.remade_tables) == ([], 1)
    current = "SELECT date, close, known_from FROM silver.px ORDER BY 1"
    monday, tuesday = dt.datetime(2024, 1, 2, 12), dt.datetime(2024, 1, 3, 12)
    assert warehouse.ask(current) == [(dt.date(2024, 1, 13), 1.5, tuesday), (dt.date(2024, 1, 15), 3.0, tuesday)]
    assert warehouse.ask("SELECT date, close, known_from, known_to FROM silver.px_history") == [
        (dt.date(2024, 1, 13), 1.0, monday, tuesday)
    ]
    told = sbf.told("rejects", "px")
    assert (told["total"], told["rejects"][0]["row"]["close"]) == (1, "two"), "what is wrong otherwise still is"
    counts_add_up(warehouse)
    manager = PluginManager(())
    manager.register(vendor, name="fake")
    assert Verification(warehouse.opened(manager)).run().findings == []

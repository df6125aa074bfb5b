"""What happened and what there is, in the terminal and for programs:
of a filled home, an empty one, and one with failures.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hang import HANG_SECONDS
from older_release import back_to_schema_1
from warehouse import FakeVendor, Warehouse, entry, price
from warm_sbf import WARM

from sbf_core.api import GoldModel, NotNull
from sbf_core.errors import UsageError
from sbf_core.reports import datasets as facts
from sbf_core.reports.overview import dataset_states
from sbf_core.reports.runs import latest_runs, one_run
from sbf_core.runs.live import LiveRun, write_live


class Shell:
    """``sbf`` in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("SBF_")}
        return WARM.run(arguments, cwd=self.folder, env=environment, timeout=HANG_SECONDS)

    def told(self, *arguments: str) -> Any:
        done = self(*arguments, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


@pytest.fixture(scope="module")
def sbf(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    shell = Shell(tmp_path_factory.mktemp("facts"))
    assert shell("run", "--replay", "sample").returncode == 0
    return shell


def test_one_run_in_all_its_layers(sbf: Shell) -> None:
    told = sbf.told("runs", "last")
    assert [row["status"] for row in told["run"]] == ["ok"]
    assert len(told["bronze"]) == 10
    assert sum(row["rows"] for row in told["bronze"]) == 411_994
    bls = next(row for row in told["silver"] if row["table_name"] == "bls_cpi")
    assert (bls["files"], bls["seen"], bls["inserted"], bls["updated"], bls["unchanged"], bls["rejected"]) == (
        2,
        97029,
        48905,
        3793,
        44331,
        0,
    )
    rates = next(row for row in told["gold"] if row["table_name"] == "fact_fx_rate")
    assert (rates["status"], rates["failed_tests"], rates["tests"] >= 5, rates["rows"] > 0) == ("ok", 0, True, True)
    assert told["rejects"] == []
    shown = sbf("runs", told["run"][0]["run_id"][:12]).stdout
    assert "\nbronze:\n" in shown and "\nsilver:\n" in shown and "\ngold:\n" in shown
    assert "rejects:" not in shown


def test_one_dataset(sbf: Shell) -> None:
    told = sbf.told("datasets", "macro/bls/cpi")
    columns = {row["column"]: row for row in told["columns"]}
    assert (
        columns["year"]["role"],
        columns["year"]["smallest"],
        columns["year"]["largest"],
        columns["value"]["nulls"],
    ) == ("key", "1947", "2026", 0)
    assert [row["inserted"] for row in told["payloads"]] == [781, 48124]
    shown = sbf("datasets", "silver.bls_cpi").stdout
    assert shown.startswith("macro/bls/cpi: U.S. consumer price index (CPI-U), in silver.bls_cpi (upsert)\n")


def test_coverage_shows_what_is_missing(sbf: Shell) -> None:
    rows = {row["ticker"]: row for row in sbf.told("coverage", "eod_bar")["rows"]}
    assert (rows["FB"]["2011"], rows["FB"]["2012"], rows["AAPL"]["2011"], rows["GOOG"]["2004"]) == (0, 155, 252, 94)
    months = sbf("coverage", "eod_bar", "--by", "month", "--ticker", "FB").stdout.splitlines()
    assert months[0].split()[-3:] == ["2013-01", "2013-02", "2013-03"]
    assert months[1].split()[-3:] == ["21", "19", "1"]
    shown = sbf("coverage", "eod_bar", "--by", "quarter").stdout
    assert "The last 15 of 53 periods, since 2000-Q1" in shown


def test_revisions_of_a_key(sbf: Shell) -> None:
    told = sbf.told("revisions", "bls_cpi", "series_id=CUSR0000SA0,year=2024,period=M02")
    assert [(row["value"], row["state"]) for row in told["versions"]] == [
        ("311.022", "superseded"),
        ("310.967", "current"),
    ]
    assert told["versions"][0]["known_to"] == told["versions"][1]["known_from"]
    assert told["versions"][0]["payload"] == "macro/bls/cpi/_global/20250930T000000000000Z-21a8cac82ae2.zip"
    assert (
        sbf("revisions", "bls_cpi", "CUSR0000SA0,2024,M02").stdout
        == sbf("revisions", "cpi", "year=2024, period=M02, series_id=CUSR0000SA0").stdout
    )


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("runs 1999", "there is no run '1999'"),
        ("datasets bls_cpj", "did you mean 'bls_cpi'?"),
        ("coverage eod", "'eod' means 3 datasets; write one of "),
        ("coverage bls_cpi", "has no date of a row"),
        ("coverage eod_bar --by week", "--by 'week' is no period"),
        ("coverage eod_bar --ticker FBB", "did you mean 'FB'?"),
        ("coverage fmp_eod", "there is nothing of prices/fmp/eod yet"),
        ("revisions bls_cpi a=1", "'a' is no column of the key of macro/bls/cpi"),
        ("revisions bls_cpi CUSR0000SA0,2024", "this is no key of macro/bls/cpi"),
        ("revisions bls_cpi CUSR0000SA0,zwei,M02", "a value of the key does not fit"),
        ("revisions bls_cpi CUSR0000SA0,2024,M99", "has no row with the key"),
        ("revisions ecb_reference_rate currency=USD,dat=2024-01-02", "did you mean 'date'?"),
    ],
)
def test_what_is_not_there_is_one_line(sbf: Shell, command: str, words: str) -> None:
    done = sbf(*command.split())
    assert done.returncode == 2, done.stdout
    (line,) = done.stderr.splitlines()
    assert words in line


def test_an_empty_home_is_told(tmp_path: Path) -> None:
    done = Shell(tmp_path)("runs", "last")
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1


def test_failures_and_rejects_come_first(tmp_path: Path) -> None:
    vendor = FakeVendor(
        entry(),
        entry(dataset="other", silver_table="other"),
        entry(dataset="third", silver_table="third", reject_share_max=1.0),
    )
    vendor.models = [
        GoldModel(
            name="late", key=("symbol",), sql="SELECT symbol, NULL AS x FROM silver.px", tests=(NotNull(column="x"),)
        )
    ]
    warehouse = Warehouse(tmp_path / "home", vendor)
    vendor.says([price("A", "2024-01-01")])
    vendor.says(ValueError("the vendor is down"), dataset="other")
    vendor.says([price("A", "2024-01-01"), price("B", "never")], dataset="third")
    warehouse.run()
    with warehouse.open() as cursor:
        found = one_run(cursor, "last", limit=10)
        assert latest_runs(cursor, limit=5).records[0]["status"] == "partial"
    first = found.bronze.records[0]
    assert (first["status"], first["dataset"]) == ("failed", "prices/fake/other")
    assert "the vendor is down" in first["error"]
    assert first["kind"] == "plugin"
    assert [row["kind"] for row in found.bronze.records[1:]] == [None, None]
    assert [(row["table_name"], row["reason"], row["column_name"], row["rows"]) for row in found.rejects.records] == [
        ("third", "unparsable", "date", 1)
    ]
    assert [(row["table_name"], row["status"], row["failed_tests"]) for row in found.gold.records] == [
        ("late", "failed", 1)
    ]
    assert "not_null:x" in found.gold.records[0]["error"]


def test_a_ledger_of_an_older_sbf_has_no_kinds(tmp_path: Path) -> None:
    vendor = FakeVendor(entry())
    vendor.says(ValueError("the vendor is down"))
    warehouse = Warehouse(tmp_path / "home", vendor)
    warehouse.run(run__publish="no")
    with warehouse.open(read_only=False) as cursor:
        back_to_schema_1(cursor)
    with warehouse.open() as cursor:
        (first,) = one_run(cursor, "last", limit=10).bronze.records
    assert (first["status"], first["kind"]) == ("failed", None)


def test_two_runs_that_begin_alike_are_told(tmp_path: Path) -> None:
    vendor = FakeVendor(entry())
    warehouse = Warehouse(tmp_path / "home", vendor)
    for hours in (0, 30):
        vendor.says([price("A", "2024-01-01", str(1 + hours))])
        warehouse.run(hours_later=hours)
    with warehouse.open() as cursor:
        with pytest.raises(UsageError, match="2 runs begin with '2024'"):
            one_run(cursor, "2024", limit=10)
        first = one_run(cursor, "20240102", limit=10)
        assert first.run.records[0]["inserted"] == 1
        assert [
            row["state"]
            for row in facts.revisions(cursor, vendor.entries[0], {"symbol": "A", "date": "2024-01-01"}).records
        ] == ["superseded", "current"]


def test_a_row_that_vanished_and_came_back(tmp_path: Path) -> None:
    vendor = FakeVendor(entry(semantics="snapshot"))
    warehouse = Warehouse(tmp_path / "home", vendor)
    for hours, symbols in ((0, "AB"), (30, "A"), (30, "AB")):
        vendor.says([price(symbol, "2024-01-01") for symbol in symbols])
        warehouse.run(hours_later=hours)
    with warehouse.open() as cursor:
        found = facts.revisions(cursor, vendor.entries[0], {"symbol": "B", "date": "2024-01-01"}).records
        assert [(row["state"], row["close"]) for row in found] == [
            ("superseded", Decimal("1.5")),
            ("gone", None),
            ("current", Decimal("1.5")),
        ]
        assert facts.coverage(cursor, vendor.entries[0], by="year", ticker_column="symbol").rows == (("A", 1), ("B", 1))
        assert facts.columns_of_table(cursor, vendor.entries[0]).records[1]["smallest"] == str(dt.date(2024, 1, 1))


def test_a_number_and_a_payload_are_explained_to_programs(sbf: Shell) -> None:
    silver = sbf.told("explain", "ecb_reference_rate", "2020-01-02,USD", "rate")
    assert (silver["value"], silver["place"]["where"], silver["place"]["raw"]) == (
        "1.119300",
        "line 1752, column USD",
        "1.1193",
    )
    gold = sbf.told("explain", "gold.fact_fx_rate", "date=2020-01-02,currency=USD", "units_per_eur")
    assert [(one["table"], one["by"], one["count"]) for one in gold["inputs"]] == [
        ("gold.dim_currency", ["currency"], 1),
        ("silver.ecb_reference_rate", ["date", "currency"], 1),
    ]
    changed = sbf.told("impact", silver["payload"]["payload"])
    assert (changed["silver_table"], changed["rows"]["superseded"]) == ("ecb_reference_rate", 0)
    assert "gold.fact_fx_rate" in changed["gold"]


def test_a_dataset_whose_plugin_is_gone_is_still_told(tmp_path: Path) -> None:
    vendor = FakeVendor(entry(), entry(dataset="other", discriminator="x", silver_table="other"))
    warehouse = Warehouse(tmp_path / "home", vendor)
    vendor.says([price("A", "2024-01-01"), price("B", "2024-01-01")])
    vendor.says([price("A", "2024-01-01")], dataset="other")
    warehouse.run()
    with warehouse.open() as cursor:
        both = {
            one.id: one
            for one in dataset_states(
                cursor, vendor.entries, bronze=warehouse.home / "bronze", now=warehouse.clock.now()
            )
        }
        one_left = {
            one.id: one
            for one in dataset_states(
                cursor, vendor.entries[:1], bronze=warehouse.home / "bronze", now=warehouse.clock.now()
            )
        }
    assert {name: (one.state, one.rows) for name, one in both.items()} == {
        "prices/fake/eod": ("fresh", 2),
        "prices/fake/other@x": ("fresh", 1),
    }
    left = one_left["prices/fake/other@x"]
    assert (left.state, left.rows, left.silver_table, left.is_declared) == ("left", 1, "other", False)


def test_status_tells_what_the_overview_tells(sbf: Shell) -> None:
    status = sbf.told("status")
    assert {one["dataset"]: (one["state"], one["rows"]) for one in status["datasets"]}["macro/bls/cpi"][1] == 48905
    assert [one["table_name"] for one in status["gold"]][:2] == ["dim_currency", "dim_date"]
    assert (status["problems"], status["at_work"]) == ([], None)
    shown = sbf("status").stdout
    assert "fx/ecb/reference_rates" in shown
    assert "days ago, due after" in shown
    assert "to look at" not in shown


def test_status_tells_problems_with_what_goes_on(tmp_path: Path) -> None:
    home = tmp_path / "sbf-data"
    vendor = FakeVendor(entry(), entry(dataset="other", silver_table="other"))
    warehouse = Warehouse(home, vendor)
    vendor.says([price("A", "2024-01-01")])
    vendor.says(ValueError("the vendor is down"), dataset="other")
    warehouse.run()
    now = dt.datetime.now(dt.UTC)
    never_silent = (now + dt.timedelta(hours=1)).isoformat()
    write_live(
        home / "live.json",
        LiveRun(
            run_id="r9", pid=1, started_at=now.isoformat(), updated_at=never_silent, stage="fetch", done=3, total=4
        ),
    )
    done = Shell(tmp_path)("status")
    assert done.returncode == 0, done.stderr
    assert "Run r9 is at work: fetch, 3 of 4 steps" in done.stdout
    assert "sbf run --select prices/fake/other" in done.stdout
    with duckdb.connect(home / "sbf.duckdb") as conn:
        conn.execute("UPDATE ops.file_ingestions SET status = 'failed', error = 'px: no; `sbf run`' WHERE kind = 'run'")
    told = Shell(tmp_path)("status", "--home", "sbf-data").stdout
    assert "The last run failed" in told
    assert "px: no; `sbf run --home sbf-data`; the next one goes on there" in told
    assert "no installed plugin declares it" in done.stdout

"""Datasets that read what others fetch, against whoever takes away, renames, misspells or swaps."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import attrs
import pytest
from reading import BIDS, answer, bid_with_note, bids, bonds, is_sound, two
from warehouse import FakeVendor, Warehouse

from sbf_core.api import column
from sbf_core.care.clean import remove_left_over_tables
from sbf_core.care.rebuild import rebuild
from sbf_core.care.repair import Repair
from sbf_core.care.verify import Verification
from sbf_core.duck.bootstrap import DuckDbBootstrap
from sbf_core.failures import FailureKind
from sbf_core.ops.service import OpsService
from sbf_core.plugin.manager import PluginManager
from sbf_core.plugin.registry import DatasetRegistry
from sbf_core.reports import overview
from sbf_core.runner.options import RunOptions

SILVER = RunOptions(fetch=False)


def held(tmp_path: Path) -> tuple[Warehouse, FakeVendor]:
    """A payload waits for its user, in the table that reads it."""
    warehouse, vendor = two(tmp_path, columns=bid_with_note())
    rows = json.loads(answer("1.5"))
    rows["bids"] = [{"isin": "X0", "bidder": "ann", "amount": 1, "note": "good"}]
    vendor.says(json.dumps(rows), dataset="auctions")
    assert warehouse.run().errors == []
    del rows["bids"][0]["note"]
    rows["bids"][0]["amount"] = 2
    vendor.says(json.dumps(rows), dataset="auctions")
    assert [one.kind for one in warehouse.run(hours_later=24).failures] == [FailureKind.HELD]
    return warehouse, vendor


def states(warehouse: Warehouse) -> dict[str, str]:
    home = warehouse.opened()
    with warehouse.open() as cursor:
        told = overview.dataset_states(
            cursor, home.entries, bronze=warehouse.home / "bronze", now=warehouse.clock.now()
        )
    return {one.id: one.state for one in told}


def test_the_table_of_a_plugin_that_is_gone_stays(tmp_path: Path) -> None:
    owner, reader = FakeVendor(bonds()), FakeVendor(bids(source="mine"))
    owner.says(answer("1.5", bid=BIDS), dataset="auctions")
    warehouse = Warehouse(tmp_path / "home", owner, reader)
    assert warehouse.run().errors == []
    del warehouse.plugins["fake1"]
    done = rebuild(warehouse.opened())
    assert done.in_place
    assert any("bonds/mine/bids cannot be made again" in note for note in done.context.notes)
    assert warehouse.ask("SELECT count(*) FROM silver.bids") == [(3,)]
    assert states(warehouse)["bonds/mine/bids"] == "left"
    report = Verification(warehouse.opened()).run()
    assert report.findings == []
    assert any("bonds/mine/bids" in note for note in report.notes)


@pytest.mark.parametrize("reads", ["bonds/odd/auction", "bonds/odd/sales"])
def test_the_table_stays_where_nobody_knows_what_it_reads(tmp_path: Path, reads: str) -> None:
    warehouse, vendor = two(tmp_path)
    assert warehouse.run().errors == []
    vendor.entries[1] = bids(reads=reads)
    done = rebuild(warehouse.opened())
    assert done.in_place
    assert warehouse.ask("SELECT count(*) FROM silver.bids") == [(3,)]


def test_what_was_accepted_is_so_under_another_name(tmp_path: Path) -> None:
    warehouse, vendor = held(tmp_path)
    warehouse.run(options=RunOptions(fetch=False, accept=True, ids=("bonds/odd/bids",)))
    vendor.entries[1] = bids(columns=bid_with_note(), dataset="offers", renamed_from=("bonds/odd/bids",))
    assert warehouse.run(options=SILVER).errors == []
    assert warehouse.ask("SELECT amount, note FROM silver.bids") == [(2, None)]
    is_sound(warehouse)


def test_what_was_released_and_not_read_yet_is_no_damage(tmp_path: Path) -> None:
    warehouse, vendor = held(tmp_path)

    @attrs.frozen
    class Other:
        isin: str = column(key=True)
        bidder: str = column(key=True)
        amount: int = column(source="nothing")
        note: str | None = column()

    vendor.entries[1] = bids(columns=Other)
    warehouse.run(options=SILVER)
    warehouse.run(options=RunOptions(fetch=False, accept=True, ids=("bonds/odd/bids",)))
    assert Verification(warehouse.opened()).run().findings == []


@pytest.mark.parametrize("odd", [{"is_data": None}, {"format": "csv"}])
def test_an_odd_declaration_costs_itself(tmp_path: Path, odd: dict[str, Any]) -> None:
    good, bad = FakeVendor(bonds(), bids()), FakeVendor(bids(source="mine", silver_table="further", **odd))
    good.says(answer("1.5", bid=BIDS), dataset="auctions")
    warehouse = Warehouse(tmp_path / "home", good, bad)
    context = warehouse.run()
    assert [(one.kind, one.dataset) for one in context.failures] == [(FailureKind.DECLARATION, "bonds/mine/bids")]
    assert warehouse.ask("SELECT count(*) FROM silver.bids") == [(3,)]


def test_rejects_stay_where_the_other_table_reads_something_else_now(tmp_path: Path) -> None:
    every = bonds(dataset="every", silver_table="all_bonds")
    warehouse, vendor = two(tmp_path, every, reject_share_max=1.0)
    vendor.says(answer("1.5", bid=[*BIDS, ("X2", "bob", "much")]), dataset="auctions")
    vendor.says(answer("1.5"), dataset="every")
    assert warehouse.run().errors == []
    vendor.entries[0] = bonds(reads="bonds/odd/every")
    warehouse.run(options=SILVER)
    assert warehouse.ask("SELECT silver_table, count(*) FROM ops.rejects GROUP BY 1") == [("bids", 1)]
    assert Verification(warehouse.opened()).run().findings == []


def test_a_repair_knows_whose_watermark_it_is(tmp_path: Path) -> None:
    vendor = FakeVendor(bonds(scope="per_ticker", members=("AA",)), bids())
    warehouse = Warehouse(tmp_path / "home", vendor)
    vendor.says(answer("1.5", bid=BIDS), dataset="auctions", ticker="AA")
    assert warehouse.run().errors == []
    vendor.entries.pop(1)
    home = warehouse.opened()
    bootstrap = DuckDbBootstrap(home.config, clock=home.clock).open()
    try:
        remove_left_over_tables(OpsService.over(bootstrap, clock=home.clock), silver=["bids"], gold=[])
    finally:
        bootstrap.close()
    with warehouse.open(read_only=False) as cursor:
        cursor.execute("UPDATE ops.watermarks SET coverage_to = '2030-01-01' WHERE silver_table = 'bonds'")
    Repair(warehouse.opened()).run()
    assert warehouse.ask("SELECT series_key FROM ops.watermarks ORDER BY 1") == [
        ("bonds/odd/auctions/AA",),
        ("bonds/odd/bids/AA",),
    ]


def test_two_datasets_swap_their_roles(tmp_path: Path) -> None:
    warehouse, vendor = two(tmp_path)
    assert warehouse.run().errors == []
    vendor.entries[0] = bonds(dataset="bonds2", reads="bonds/odd/bids2")
    vendor.entries[1] = bids(dataset="bids2", reads="", renamed_from=("bonds/odd/auctions", "bonds/odd/bids"))
    assert warehouse.run(options=SILVER).errors == []
    assert warehouse.ask("SELECT (SELECT count(*) FROM silver.bids), (SELECT count(*) FROM silver.bonds)") == [(3, 2)]
    is_sound(warehouse)


def test_who_has_read_nothing_yet_is_not_fresh(tmp_path: Path) -> None:
    warehouse, vendor = two(tmp_path)
    reader = vendor.entries.pop()
    assert warehouse.run().errors == []
    vendor.entries.append(reader)
    assert states(warehouse) == {"bonds/odd/auctions": "fresh", "bonds/odd/bids": "due"}
    warehouse.run(options=SILVER)
    assert states(warehouse)["bonds/odd/bids"] == "fresh"


def test_each_failure_says_whose_it_is(tmp_path: Path) -> None:
    warehouse, vendor = two(tmp_path)
    vendor.says(answer("dear", bid=[("X0", "ann", "five")] * 3), dataset="auctions")
    errors = warehouse.run().errors
    assert len(errors) == 2
    assert any(line.startswith("bonds/odd/bids: ") for line in errors)


def test_the_sample_of_the_guide_can_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    text = (Path(__file__).parents[2] / "docs" / "how-to" / "several-datasets.md").read_text(encoding="utf-8")
    (sample,) = [one for one in re.findall(r"```python\n(.*?)```", text, re.DOTALL) if "reads=" in one]
    module = types.ModuleType("sample_of_the_guide")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(sample, vars(module))
    vendor = FakeVendor(*module.datasets())
    manager = PluginManager(())
    manager.register(vendor, name="fake")
    registry = DatasetRegistry(manager)
    assert (registry.unread, len(registry.datasets)) == ({}, 2)


HOOKED = """
import datetime as dt
from decimal import Decimal
import attrs
from sbf_core.api import Csv, DatasetKeymapEntry, FileRecipe, ParseRows, column, hookimpl

@attrs.frozen
class Row:
    name: str = column(key=True)
    amount: Decimal = column(precision=18, scale=3)

def parse(payload):
    for line in payload.decode().splitlines()[1:]:
        name, amount = line.split(";")
        yield {"name": name, "amount": amount}

@hookimpl
def datasets():
    return [DatasetKeymapEntry(domain="d", source="hooked", dataset="rows", silver_table="hooked", columns=Row,
                               reads="d/owner/rows")]

@hookimpl
def promote(entry, batch):
    assert entry.format is not None and entry.format.decimal == ",", entry.format
    return ParseRows(parse)
"""
OWNER = """
from decimal import Decimal
import attrs
from sbf_core.api import Csv, DatasetKeymapEntry, FileRecipe, column, hookimpl

@attrs.frozen
class Row:
    name: str = column(key=True)
    amount: Decimal = column(precision=18, scale=3)

@hookimpl
def datasets():
    return [DatasetKeymapEntry(domain="d", source="owner", dataset="rows", silver_table="owner", columns=Row,
                               recipe=FileRecipe(path="rows.csv"), format=Csv(delimiter=";", decimal=","))]
"""


@pytest.mark.parametrize("isolate", ["all", "none"])
def test_a_hook_knows_how_the_payloads_are_written_in_whatever_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, isolate: str
) -> None:
    site = tmp_path / "site"
    for name, text in (("owner", OWNER), ("hooked", HOOKED)):
        info = site / f"{name}-0.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 0\n")
        (info / "entry_points.txt").write_text(f"[sbf.plugins]\n{name} = reads_{name}\n")
        (site / f"reads_{name}.py").write_text(text)
    files = tmp_path / "home" / "files"
    files.mkdir(parents=True)
    (files / "rows.csv").write_text("name;amount\na;2,25\nb;1,5\n")
    done = ran(tmp_path, site, "run", "--plugins", "owner,hooked", SBF_ISOLATE=isolate)
    assert done.returncode == 0, done.stderr
    asked = ran(tmp_path, site, "sql", "SELECT name, amount FROM silver.hooked ORDER BY 1", "--json")
    assert [row["amount"] for row in json.loads(asked.stdout)["rows"]] == ["2.250", "1.500"], asked.stdout


def ran(tmp_path: Path, site: Path, *words: str, **more: str) -> Any:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(site), *filter(None, sys.path)]), **more}
    command = [sys.executable, "-m", "sbf_core", *words, "--home", str(tmp_path / "home")]
    return subprocess.run(command, capture_output=True, text=True, env=environment)

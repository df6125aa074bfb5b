"""SQL of gold models that does not end: it is stopped, its table stays whole, the others are built."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
from hang import HANG_SECONDS
from warehouse import FakeVendor, Warehouse, entry, price

from sbf_core.api import GoldModel
from sbf_core.care.verify import Verification
from sbf_core.gold.time_limit import TookTooLong, time_limit
from sbf_core.home.home import Home
from sbf_core.plugin.manager import PluginManager
from sbf_core.settings.settings import Settings

#: More rows than any machine counts in the time that the tests allow.
ENDLESS = "SELECT count(*) AS n FROM range(1000000000) AS a, range(1000000000) AS b"


def test_a_select_that_does_not_end_costs_its_table_only(tmp_path: Path) -> None:
    vendor = FakeVendor(entry())
    warehouse = Warehouse(tmp_path / "home", vendor)
    vendor.says([price("A", "2024-01-01")])
    vendor.models = [
        GoldModel(name="slow", key=("n",), sql="SELECT 1 AS n"),
        GoldModel(name="quick", key=("symbol",), sql="SELECT symbol FROM silver.px"),
    ]
    assert warehouse.run().errors == []
    vendor.models[0] = GoldModel(name="slow", key=("n",), sql=ENDLESS)
    vendor.says([price("A", "2024-01-01"), price("B", "2024-01-01")])
    context = warehouse.run(hours_later=48, gold__select_seconds_max=0.5)
    assert len(context.errors) == 1
    assert "gold.slow: its SELECT and tests did not end within 0.5 s and were stopped" in context.errors[0]
    assert "raise gold.select_seconds_max" in context.errors[0]
    assert warehouse.ask("SELECT n FROM gold.slow") == [(1,)]
    assert warehouse.ask("SELECT symbol FROM gold.quick ORDER BY 1") == [("A",), ("B",)]
    assert warehouse.ask("SELECT status FROM ops.gold_manifest WHERE table_name = 'slow' ORDER BY gold_build_id") == [
        ("ok",),
        ("failed",),
    ]


def test_a_verification_does_not_wait_for_a_select_without_end(tmp_path: Path) -> None:
    vendor = FakeVendor(entry())
    warehouse = Warehouse(tmp_path / "home", vendor)
    vendor.says([price("A", "2024-01-01")])
    slow = "SELECT bit_xor(hash(a.range)) AS n FROM range(400000000) AS a"
    vendor.models = [
        GoldModel(name="slow", key=("n",), sql=slow),
        GoldModel(name="quick", key=("n",), sql="SELECT 1 AS n"),
    ]
    assert warehouse.run().errors == []
    manager = PluginManager(())
    manager.register(vendor, name="fake")
    settings = Settings(warehouse.home, flags={"gold.select_seconds_max": 0.1}, environment={})
    report = Verification(Home(settings, clock=warehouse.clock, plugins=manager)).run()
    assert report.findings == []
    (note,) = report.notes
    assert note.startswith("gold.slow was not compared: its SELECT and tests did not end within 0.1 s")


def test_what_ends_in_time_is_as_it_was() -> None:
    with duckdb.connect() as conn:
        with time_limit(conn, HANG_SECONDS, where="gold.x"):
            assert conn.execute("SELECT 1").fetchall() == [(1,)]
        with pytest.raises(duckdb.ParserException), time_limit(conn, HANG_SECONDS, where="gold.x"):
            conn.execute("SELEC 1")
        with pytest.raises(TookTooLong, match=r"within 0.05 s"), time_limit(conn, 0.05, where="gold.x"):
            conn.execute(ENDLESS).fetchall()
        assert conn.execute("SELECT 2").fetchall() == [(2,)], "later statements are not stopped"

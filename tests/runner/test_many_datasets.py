"""Many datasets of one run: what is done once for all of them costs none of them anything where it goes wrong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import duckdb
import pytest
from warehouse import FakeVendor, Warehouse, entry, price

from sbf_core import faults
from sbf_core.ops.service import OpsService

NAMES = ("one", "two", "three")
COUNTS = "SELECT " + ", ".join(f"(SELECT count(*) FROM silver.{name})" for name in NAMES)


@pytest.fixture(autouse=True)
def _disarmed() -> Iterator[None]:
    yield
    faults.arm("")


@pytest.fixture
def vendor() -> FakeVendor:
    vendor = FakeVendor(*(entry(dataset=name, silver_table=name) for name in NAMES))
    for name in NAMES:
        vendor.says([price("A", "2024-01-01")], dataset=name)
    return vendor


def test_what_was_promoted_is_asked_once_for_all(
    tmp_path: Path, vendor: FakeVendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Sequence[str]] = []
    real = OpsService.latest_promoted

    def latest_promoted(ops: OpsService, tables: Sequence[str]) -> object:
        asked.append(tables)
        return real(ops, tables)

    monkeypatch.setattr(OpsService, "latest_promoted", latest_promoted)
    warehouse = Warehouse(tmp_path / "home", vendor)
    assert warehouse.run().errors == []
    assert [sorted(tables) for tables in asked] == [sorted(NAMES)]
    assert warehouse.ask(COUNTS) == [(1, 1, 1)]
    assert warehouse.ask("SELECT count(*) FROM ops.table_declarations") == [(3,)]


def test_a_payload_that_comes_late_is_seen_in_its_own_table(tmp_path: Path, vendor: FakeVendor) -> None:
    """The newest of one table was never taken for that of another."""
    warehouse = Warehouse(tmp_path / "home", vendor)
    warehouse.run()
    for name, close in zip(NAMES, ("2", "3", "4"), strict=True):
        vendor.says([price("A", "2024-01-01", close)], dataset=name)
    assert (warehouse.run(hours_later=24).rows_updated, warehouse.ask(COUNTS)) == (3, [(1, 1, 1)])
    closes = "SELECT CAST(close AS INTEGER) FROM silver."
    assert [warehouse.ask(f"{closes}{name}") for name in NAMES] == [[(2,)], [(3,)], [(4,)]]


def test_a_table_that_cannot_be_made_costs_only_its_own(tmp_path: Path, vendor: FakeVendor) -> None:
    of_all, vendor.entries = vendor.entries, vendor.entries[:1]
    warehouse = Warehouse(tmp_path / "home", vendor)
    warehouse.run()
    with duckdb.connect(str(tmp_path / "home" / "sbf.duckdb")) as conn:
        conn.execute("CREATE VIEW silver.two AS SELECT 1 AS x")
    vendor.entries = of_all
    context = warehouse.run(hours_later=24)
    assert len(context.errors) == 1
    assert "two" in context.errors[0]
    assert warehouse.ask("SELECT count(*) FROM silver.three") == [(1,)]
    assert warehouse.ask("SELECT table_name FROM ops.table_declarations ORDER BY 1") == [("one",), ("three",)]


def test_too_little_memory_for_all_tables_at_once_is_enough_for_each(tmp_path: Path, vendor: FakeVendor) -> None:
    warehouse = Warehouse(tmp_path / "home", vendor)
    faults.arm("promote.preparing:2:OutOfMemoryException")
    assert warehouse.run().errors == []
    assert warehouse.ask(COUNTS) == [(1, 1, 1)]

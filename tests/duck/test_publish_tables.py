"""Tables as Parquet for readers: only what changed is written again, and the views are of one moment."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
from warehouse import FakeVendor, Warehouse, price

from sbf_core.api import GoldModel
from sbf_core.duck.config import DuckDbConfig
from sbf_core.duck.publish_tables import VIEWS, published_tables
from sbf_core.runner.options import RunOptions


def _models() -> list[GoldModel]:
    return [
        GoldModel(name="lasts", key=("symbol",), sql="SELECT symbol, max(close) AS close FROM silver.px GROUP BY 1"),
        GoldModel(name="names", key=("symbol",), sql="SELECT DISTINCT symbol FROM silver.px"),
    ]


def _ask(home: Path, query: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(home / "published" / VIEWS), read_only=True) as connection:
        return connection.execute(query).fetchall()


def test_gold_can_be_read_from_the_file_of_views(warehouse: Warehouse, vendor: FakeVendor) -> None:
    vendor.models = _models()
    vendor.says([price("A", "2024-01-01", "1.5"), price("B", "2024-01-01", "2.5")])
    warehouse.run()
    assert _ask(warehouse.home, "SELECT symbol, CAST(close AS DOUBLE) FROM gold.lasts ORDER BY 1") == [
        ("A", 1.5),
        ("B", 2.5),
    ]
    assert _ask(warehouse.home, "SELECT DISTINCT schema_name FROM duckdb_views() WHERE NOT internal") == [("gold",)]


def test_only_what_changed_is_written_again_and_the_file_before_is_kept(
    warehouse: Warehouse, vendor: FakeVendor
) -> None:
    vendor.models = _models()
    files = []
    for close in ("1.5", "1.6", "1.7"):
        vendor.says([price("A", "2024-01-01", close)])
        warehouse.run(options=RunOptions(force=True))
        warehouse.clock.advance(days=1)
        files.append(published_tables(DuckDbConfig(home=warehouse.home)))
    assert len({found["gold.lasts"].file for found in files}) == 3
    assert len({found["gold.names"].file for found in files}) == 1
    there = {path.name for path in (warehouse.home / "published" / "gold").iterdir()}
    assert there == {
        Path(name).name
        for name in (files[2]["gold.lasts"].file, files[1]["gold.lasts"].file, files[2]["gold.names"].file)
    }


def test_a_reader_who_holds_the_old_views_reads_on(warehouse: Warehouse, vendor: FakeVendor) -> None:
    vendor.models = _models()
    vendor.says([price("A", "2024-01-01", "1.5")])
    warehouse.run()
    with duckdb.connect(str(warehouse.home / "published" / VIEWS), read_only=True) as held:
        vendor.says([price("A", "2024-01-01", "1.6")])
        warehouse.clock.advance(days=1)
        warehouse.run(options=RunOptions(force=True))
        assert held.execute("SELECT CAST(close AS DOUBLE) FROM gold.lasts").fetchall() == [(1.5,)]
    assert _ask(warehouse.home, "SELECT CAST(close AS DOUBLE) FROM gold.lasts") == [(1.6,)]


def test_silver_comes_along_when_asked_for_with_its_macros(warehouse: Warehouse, vendor: FakeVendor) -> None:
    vendor.says([price("A", "2024-01-01", "1.5")])
    warehouse.run(run__publish="all")
    vendor.says([price("A", "2024-01-01", "1.6")])
    warehouse.clock.advance(days=1)
    warehouse.run(options=RunOptions(force=True), run__publish="all")
    assert _ask(warehouse.home, "SELECT CAST(close AS DOUBLE) FROM silver.px") == [(1.6,)]
    assert _ask(
        warehouse.home, "SELECT CAST(close AS DOUBLE) FROM silver.px_as_of(TIMESTAMP '2024-01-02 18:00:00')"
    ) == [(1.5,)]
    assert _ask(
        warehouse.home, "SELECT count(*) FROM silver.px_as_of(TIMESTAMP '2024-01-09', TIMESTAMP '2024-01-01')"
    ) == [(0,)]


@pytest.mark.parametrize("how", ["no", "yes"])
def test_nothing_is_published_where_nobody_wants_it(warehouse: Warehouse, vendor: FakeVendor, how: str) -> None:
    vendor.says([price("A", "2024-01-01")])
    warehouse.run(run__publish=how)
    names = (
        {path.name for path in (warehouse.home / "published").iterdir()}
        if (warehouse.home / "published").exists()
        else set()
    )
    assert (names == set()) is (how == "no")
    assert VIEWS not in names, "there is no gold table"

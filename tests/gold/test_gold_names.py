"""Gold columns may have any name that their SELECT gives them, and never meet one of ours in silence."""

from __future__ import annotations

from pathlib import Path

import pytest
from warehouse import FakeVendor, Warehouse, entry, price

from sbf_core.api import GoldModel, GoldSource, NotNull
from sbf_core.runner.options import RunOptions


def _built(folder: Path, *models: GoldModel) -> tuple[Warehouse, FakeVendor, list[str]]:
    vendor = FakeVendor(entry())
    vendor.models = list(models)
    vendor.says([price("A", "2024-01-01", "1"), price("B", "2024-01-01", "2")])
    warehouse = Warehouse(folder / "home", vendor)
    return warehouse, vendor, warehouse.run().errors


@pytest.mark.parametrize(
    "name",
    [
        "_is_update",
        "_place",
        "c",
        "t",
        "candidate",
        "differing",
        "model",
        "rowid",
        "_run_id",
        "row number",
        "gold",
        "_n",
    ],
)
def test_a_gold_table_is_changed_row_by_row_whatever_its_columns_are_called(tmp_path: Path, name: str) -> None:
    sql = f'SELECT symbol AS "{name}", close AS "{name} 2", close AS "_x" FROM silver.px'
    warehouse, vendor, errors = _built(
        tmp_path, GoldModel(name="m", key=(name,), sql=sql, surrogate_key="sk", tests=(NotNull(column=f"{name} 2"),))
    )
    assert errors == []
    vendor.says([price("A", "2024-01-01", "1"), price("B", "2024-01-01", "3"), price("C", "2024-01-01", "4")])
    context = warehouse.run(hours_later=1, options=RunOptions(force=True))
    assert context.errors == []
    assert warehouse.ask(f'SELECT "{name}", "_x"::INTEGER FROM gold.m ORDER BY 1') == [("A", 1), ("B", 3), ("C", 4)]
    assert warehouse.ask("SELECT rows_written FROM ops.gold_manifest ORDER BY started_at DESC LIMIT 1") == [(2,)]


def test_a_test_of_a_column_that_is_not_there_fails_although_a_table_of_ours_is_called_so(tmp_path: Path) -> None:
    _, _, errors = _built(
        tmp_path,
        GoldModel(name="m", key=("symbol",), sql="SELECT symbol FROM silver.px", tests=(NotNull(column="candidate"),)),
    )
    assert len(errors) == 1
    assert '"candidate"' in errors[0]


def test_a_surrogate_key_of_the_name_of_a_column_is_refused(tmp_path: Path) -> None:
    _, _, errors = _built(
        tmp_path,
        GoldModel(
            name="m", key=("symbol",), sql="SELECT symbol, close AS Price_Key FROM silver.px", surrogate_key="price_key"
        ),
    )
    assert len(errors) == 1
    assert "the name of its surrogate key" in errors[0]
    assert "give one of them another name" in errors[0]


@pytest.mark.parametrize("number", [1, 2])
def test_a_source_with_a_column_source_rank_of_its_own_is_refused(tmp_path: Path, number: int) -> None:
    source = GoldSource(sql="SELECT symbol, 5 AS source_rank FROM silver.px")
    _, _, errors = _built(
        tmp_path, GoldModel(name="m", key=("symbol",), sql="SELECT * FROM px", sources={"px": [source] * number})
    )
    assert len(errors) == 1
    assert '"source_rank" occurs multiple times' in errors[0]

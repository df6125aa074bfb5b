"""Columns called as what stands beside them: parameters of the macros, the engine's row number, fields of a reject."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest
from warehouse import FakeVendor, Warehouse, entry

from sbf_core.api import Column
from sbf_core.reports.datasets import revisions
from sbf_core.runner.options import RunOptions

#: The macros of sbf 0.1.0, whose parameter hid the column ``ts``.
OLD = """
CREATE OR REPLACE MACRO silver.px_as_of(ts) AS TABLE (SELECT "symbol", "ts" FROM silver.px WHERE known_from <= ts),
    (ts, recorded_until) AS TABLE (SELECT "symbol", "ts" FROM silver.px
        WHERE known_from <= ts AND recorded_at <= recorded_until)
"""


def _warehouse(folder: Path, *columns: Column, **changes: object) -> tuple[Warehouse, FakeVendor]:
    vendor = FakeVendor(
        entry(columns=(Column(name="symbol", type="VARCHAR", key=True), *columns), reject_share_max=1.0, **changes)
    )
    return Warehouse(folder / "home", vendor), vendor


def test_a_column_of_the_name_of_a_parameter_keeps_its_values(tmp_path: Path) -> None:
    columns = [Column(name=name, type="VARCHAR", key=name == "ts") for name in ("ts", "recorded_until")]
    warehouse, vendor = _warehouse(tmp_path, *columns)
    vendor.says([{"symbol": "A", "ts": f"t{number}", "recorded_until": f"r{number}"} for number in range(3)])
    warehouse.run()
    wanted = [(f"t{number}", f"r{number}") for number in range(3)]
    for arguments in (
        "TIMESTAMP '2024-02-01'",
        "TIMESTAMP '2024-02-01', TIMESTAMP '2024-02-01'",
        "ts := TIMESTAMP '2024-02-01'",
    ):
        assert warehouse.ask(f"SELECT ts, recorded_until FROM silver.px_as_of({arguments}) ORDER BY 1") == wanted
    assert warehouse.ask("SELECT ts FROM silver.px_as_of(TIMESTAMP '2024-01-01')") == []


def test_macros_of_an_older_release_are_made_again(tmp_path: Path) -> None:
    warehouse, vendor = _warehouse(tmp_path, Column(name="ts", type="VARCHAR"))
    vendor.says([{"symbol": "A", "ts": "first"}])
    warehouse.run()
    with warehouse.open(read_only=False) as cursor:
        cursor.execute(OLD)
        cursor.execute("DELETE FROM ops.table_declarations")  # an older release kept none
        assert cursor.execute("FROM silver.px_as_of(TIMESTAMP '2024-02-01')").fetchall() == [
            ("A", dt.datetime(2024, 2, 1))
        ]
    vendor.says([{"symbol": "A", "ts": "second"}])
    warehouse.run(hours_later=1, options=RunOptions(force=True))
    assert warehouse.ask("SELECT ts FROM silver.px_as_of(TIMESTAMP '2024-02-01')") == [("second",)]


@pytest.mark.parametrize("semantics", ["upsert", "append"])
def test_a_column_called_rowid_does_not_number_the_rows(tmp_path: Path, semantics: str) -> None:
    """All rows have the same in it: rows stated twice are told apart by their place in the payload."""
    columns = (Column(name="rowid", type="BIGINT"), Column(name="id", type="BIGINT"))
    warehouse, vendor = _warehouse(tmp_path, *columns, semantics=semantics, on_duplicate="last")
    vendor.says(
        [{"symbol": symbol, "rowid": 7, "id": number} for symbol, number in (("A", 1), ("A", 2), ("B", 3), ("B", 3))]
    )
    warehouse.run()
    assert warehouse.ask("SELECT symbol, rowid, id FROM silver.px ORDER BY 1") == [("A", 7, 2), ("B", 7, 3)]
    assert warehouse.ask("SELECT reason, row_json FROM ops.rejects") == [
        ("duplicate_key", '{"symbol":"A","rowid":7,"id":1}')
    ]
    vendor.says(
        [
            {"symbol": "A", "rowid": 7, "id": 9},
            {"symbol": "B", "rowid": 7, "id": 3},
            {"symbol": "C", "rowid": 7, "id": 4},
        ]
    )
    warehouse.run(hours_later=1, options=RunOptions(force=True))
    first = 2 if semantics == "append" else 9
    assert warehouse.ask("SELECT symbol, rowid, id FROM silver.px ORDER BY 1") == [
        ("A", 7, first),
        ("B", 7, 3),
        ("C", 7, 4),
    ]
    rewrites = warehouse.ask("SELECT row_json FROM ops.rejects WHERE reason = 'append_only'")
    assert rewrites == ([('{"symbol":"A","rowid":7,"id":9}',)] if semantics == "append" else [])


def test_a_reject_shows_fields_that_differ_in_case_and_a_field_that_two_columns_read(tmp_path: Path) -> None:
    columns = (
        Column(name="low", type="BIGINT", source="v"),
        Column(name="high", type="BIGINT", source="V"),
        Column(name="same", type="VARCHAR", source="v"),
    )
    warehouse, vendor = _warehouse(tmp_path, *columns)
    vendor.says([{"symbol": "A", "v": 1, "V": 2}, {"symbol": "A", "v": 3, "V": 4}, {"symbol": "B", "v": 5, "V": 6}])
    assert warehouse.run().errors == []
    assert warehouse.ask("SELECT symbol, low, high, same FROM silver.px") == [("B", 5, 6, "5")]
    rejects = [json.loads(text) for (text,) in warehouse.ask("SELECT row_json FROM ops.rejects ORDER BY row_json")]
    assert rejects == [{"symbol": "A", "v": 1, "V": 2, "same": "1"}, {"symbol": "A", "v": 3, "V": 4, "same": "3"}]


def test_revisions_tell_columns_of_the_dataset_from_those_of_the_ledger(tmp_path: Path) -> None:
    names = ("state", "payload", "bronze_file_id")
    warehouse, vendor = _warehouse(tmp_path, *(Column(name=name, type="VARCHAR") for name in names))
    vendor.says([{"symbol": "A", **{name: f"their {name}" for name in names}}])
    warehouse.run()
    with warehouse.open() as cursor:
        (found,) = revisions(cursor, vendor.entries[0], {"symbol": "A"}).records
    assert [found[name] for name in names] == [f"their {name}" for name in names]
    assert (found["_state"], found["_payload"]) == ("current", warehouse.bronze_files()[0])
    assert [(found["_bronze_file_id"],)] == warehouse.ask("SELECT bronze_file_id FROM ops.bronze_manifest")

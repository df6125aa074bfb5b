"""What readers get does not depend on how the folder of the home is called."""

from __future__ import annotations

from pathlib import Path

import duckdb
from warehouse import FakeVendor, Warehouse, entry, price

from sbf_core.duck.publish_tables import VIEWS


def test_a_folder_that_looks_like_a_partition_hides_no_column(tmp_path: Path) -> None:
    vendor = FakeVendor(entry())
    vendor.says([price("A", "2024-01-01", "1.5")])
    folder = tmp_path / "close=9" / "year=2024" / "home"
    folder.parent.mkdir(parents=True)
    warehouse = Warehouse(folder, vendor)
    assert warehouse.run(run__publish="all").errors == []
    assert warehouse.ask("SELECT close::VARCHAR FROM silver.px") == [("1.5000",)]
    with duckdb.connect(str(folder / "published" / VIEWS), read_only=True) as connection:
        found = connection.execute("SELECT * FROM silver.px")
        names = [column[0] for column in found.description]
        (row,) = found.fetchall()
    assert "year" not in names
    assert str(row[names.index("close")]) == "1.5000"

"""How values look: what sbf calls ``bytes`` is a size, what a dataset calls so is a number."""

from __future__ import annotations

import pytest
from warehouse import FakeVendor, Warehouse, entry
from web.pages import client_of, seen, site_of

from sbf_core.api import Column, GoldModel
from sbf_core.reports.table import FactTable
from sbf_core.web.grid import grid_of

NAMES = ("bytes", "seconds", "state", "payload", "bronze_file_id", "page", "sort", "tab", "as_of", "items")


def test_columns_of_sbf_have_their_units_and_those_of_a_dataset_have_none() -> None:
    table = FactTable(("bytes", "seconds", "state"), ((1500, 90, "ok"),))
    assert [cell.text for cell in grid_of(table).rows[0]] == ["1.5 kB", "90 s", "ok"]
    shown = grid_of(table, values=table.headers).rows[0]
    assert [cell.text for cell in shown] == ["1,500", "90", "ok"]
    assert [cell.kind for cell in shown] == ["num", "num", "short"]
    assert [cell.text for cell in grid_of(table, values=("seconds",)).rows[0]] == ["1.5 kB", "90", "ok"]


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    columns = (
        Column(name="items", type="VARCHAR", key=True),
        *(Column(name=name, type="BIGINT" if name in NAMES[:2] else "VARCHAR") for name in NAMES[:-1]),
    )
    vendor = FakeVendor(entry(columns=columns))
    vendor.models = [GoldModel(name="m", key=("items",), sql=f"SELECT {', '.join(NAMES)} FROM silver.px")]
    vendor.says([{"items": "one/two", "bytes": 1500, "seconds": 90, **{name: f"a/{name}" for name in NAMES[2:-1]}}])
    warehouse = Warehouse(tmp_path_factory.mktemp("words") / "home", vendor)
    assert warehouse.run().errors == []
    return warehouse


@pytest.mark.parametrize("path", ["/datasets/px?tab=rows&is.page=page&is.sort=a&sort=tab",
                                  "/datasets/px/revisions?items=one/two", "/gold/m",
                                  "/lineage?table=silver.px&key=items%3Done/two&column=payload",
                                  "/lineage?table=gold.m&key=items%3Done/two&column=state"])  # fmt: skip
def test_pages_show_the_values_of_columns_that_are_called_as_words_of_the_pages(
    warehouse: Warehouse, path: str
) -> None:
    answer = client_of(site_of(warehouse)).get(path)
    text = seen(answer.text).text
    assert answer.status_code == 200, text
    assert "1,500" in text or "column=state" in path
    assert "1.5 kB" not in text
    for name in ("state", "payload", "page"):
        assert f"a/{name}" in text

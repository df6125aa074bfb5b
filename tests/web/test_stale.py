"""Pages of tables whose declaration has changed, and of fields that nobody declared."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import attrs
import pytest
from warehouse import FakeVendor, Price, Warehouse, entry, price
from web.pages import client_of, site_of

from sbf_core.api import column

PAGES = [
    "/",
    "/datasets",
    "/datasets/px",
    "/datasets/px?tab=silver",
    "/datasets/px?tab=rows",
    "/datasets/px?tab=coverage",
    "/datasets/px?tab=chart",
]


@attrs.frozen
class Wider(Price):
    """A column more, and one of another type."""

    currency: str | None = column()


@pytest.fixture(scope="module")
def stale(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    vendor = FakeVendor(entry())
    warehouse = Warehouse(tmp_path_factory.mktemp("stale") / "home", vendor)
    vendor.says([{**price("A", "2024-01-01"), "currency": "USD"}])
    warehouse.run()
    vendor.entries = [entry(columns=Wider)]
    return warehouse


@pytest.mark.parametrize("path", PAGES)
def test_every_page_shows_the_table_as_it_is(stale: Warehouse, path: str) -> None:
    answer = client_of(site_of(stale)).get(path)
    assert answer.status_code == 200, answer.text[-500:]
    assert "stale" in answer.text
    if path.startswith("/datasets/px"):
        assert "column currency is new" in answer.text
        assert "sbf run" in answer.text


def test_a_key_has_its_revisions(stale: Warehouse) -> None:
    answer = client_of(site_of(stale)).get("/datasets/px/revisions?symbol=A&date=2024-01-01")
    assert answer.status_code == 200
    assert "currency" not in answer.text


def test_fields_that_nobody_declared_stand_on_the_page(tmp_path: Path) -> None:
    vendor = FakeVendor(entry())
    warehouse = Warehouse(tmp_path / "home", vendor)
    vendor.says([{**price("A", "2024-01-01"), "currency": "USD"}])
    warehouse.run()
    text = client_of(site_of(warehouse)).get("/datasets/px?tab=silver").text
    assert "Fields that are not declared" in text
    assert "currency" in text
    assert "USD" in text


def test_a_payload_that_waits_is_told_first(tmp_path: Path) -> None:
    vendor = FakeVendor(entry())
    warehouse = Warehouse(tmp_path / "home", vendor)
    vendor.says([price("A", "2024-01-01")])
    warehouse.run()
    vendor.says([{"symbol": "A", "date": "2024-01-02", "close": "1"}])
    warehouse.run(hours_later=24)
    text = client_of(site_of(warehouse)).get("/").text
    assert "is held" in text
    assert "sbf promote prices/fake/eod --accept" in text


def test_a_field_that_came_later_stands_on_the_first_page(tmp_path: Path) -> None:
    vendor = FakeVendor(entry())
    warehouse = Warehouse(tmp_path / "home", vendor)
    vendor.says([{**price("A", "2024-01-01"), "currency": "USD"}])
    warehouse.run()
    assert "New fields" not in client_of(site_of(warehouse)).get("/").text
    vendor.says([{**price("A", "2024-01-02"), "currency": "USD", "venue": "<XETR>"}])
    warehouse.run(hours_later=24)
    text = client_of(site_of(warehouse)).get("/").text
    assert "New fields" in text
    assert "&lt;XETR&gt;" in text


def renamed(tmp_path: Path, **facts: Any) -> Warehouse:
    """A home whose table was px, then py with a view px, and is declared as px again."""
    vendor = FakeVendor(entry())
    warehouse = Warehouse(tmp_path / "home", vendor)
    vendor.says([price("A", "2024-01-01")])
    warehouse.run()
    vendor.entries = [entry(silver_table="py", renamed_from=("silver.px",), keep_view=True)]
    assert warehouse.run(hours_later=24).remade_tables == 1
    vendor.entries = [entry(**facts)]
    return warehouse


@pytest.fixture(scope="module")
def back_again(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    return renamed(tmp_path_factory.mktemp("renamed"), renamed_from=("silver.py",))


@pytest.mark.parametrize("path", [*PAGES, "/datasets/py?tab=rows", "/datasets/px/revisions?symbol=A&date=2024-01-01"])
def test_a_table_that_is_called_otherwise_is_shown_under_the_name_that_it_has(back_again: Warehouse, path: str) -> None:
    """Under the new name there is a view, of the former name: it is not taken for the table."""
    answer = client_of(site_of(back_again)).get(path)
    assert answer.status_code == 200, answer.text[-500:]
    if "tab=rows" in path:
        assert "2024-01-01" in answer.text
    if "datasets/" in path and "revisions" not in path:
        assert "it was silver.py" in answer.text


def test_a_view_of_a_former_name_is_no_table(tmp_path: Path) -> None:
    """Declared without renamed_from the dataset has no table yet."""
    site = site_of(renamed(tmp_path))
    for path in (*PAGES, "/datasets/px/revisions?symbol=A&date=2024-01-01"):
        answer = client_of(site).get(path)
        assert answer.status_code < 500, (path, answer.text[-500:])

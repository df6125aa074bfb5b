"""A payload that lacks a field which came until then waits, and nothing is overwritten."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import attrs
import pytest
from warehouse import START, FakeVendor, Warehouse, counts_add_up, entry

from sbf_core.api import column, hookimpl
from sbf_core.care.digest import digest_tables
from sbf_core.care.rebuild import rebuild
from sbf_core.care.verify import Verification
from sbf_core.home.home import Home
from sbf_core.plugin.manager import PluginManager
from sbf_core.reports.stale_tables import new_fields
from sbf_core.runner.options import RunOptions
from sbf_core.settings.settings import Settings

PAYLOADS = {
    "json": (
        '[{"item":"a","label":"x"},{"item":"b","label":"y"}]',
        '[{"item":"a","title":"z"},{"item":"b","title":"y"}]',
    ),
    "csv": ("item,label\na,x\nb,y\n", "item,title\na,z\nb,y\n"),
}
FIRST = [("a", "x"), ("b", "y")]


def label(**facts: Any) -> type:
    """Rows with a label that may be NULL."""

    @attrs.frozen
    class Labelled:
        item: str = column(key=True)
        label: str | None = column(**facts)

    return Labelled


def started(tmp_path: Path, extension: str, **more: Any) -> tuple[FakeVendor, Warehouse, str]:
    """A warehouse after its first payload, and the second one, which has another name for the label."""
    vendor = FakeVendor(entry(columns=label(), **more))
    vendor.extension = extension
    warehouse = Warehouse(tmp_path / "home", vendor)
    first, second = PAYLOADS[extension]
    vendor.says(first)
    assert warehouse.run().errors == []
    return vendor, warehouse, second


def rows(warehouse: Warehouse) -> list[tuple[Any, ...]]:
    return warehouse.ask("SELECT item, label FROM silver.px ORDER BY 1")


def managed(warehouse: Warehouse) -> tuple[Settings, PluginManager]:
    manager = PluginManager(())
    for name, plugin in warehouse.plugins.items():
        manager.register(plugin, name=name)
    return Settings(warehouse.home, environment={}), manager


def is_well(warehouse: Warehouse) -> bool:
    settings, manager = managed(warehouse)
    return Verification(Home(settings, clock=warehouse.clock, plugins=manager)).run().findings == []


def digests(warehouse: Warehouse) -> list[Any]:
    with warehouse.open() as cursor:
        return digest_tables(cursor, keys={}, only=())


@pytest.mark.parametrize("extension", PAYLOADS)
def test_it_is_held_until_the_declaration_says_what_it_means(tmp_path: Path, extension: str) -> None:
    vendor, warehouse, second = started(tmp_path, extension)
    vendor.says(second)
    for _ in range(2):  # it is told as long as it waits
        context = warehouse.run(hours_later=24)
        assert context.status == "partial" if context.files else "failed"
        (error,) = context.errors
        assert "prices/fake/eod: it is held: 1 payload waits since 2024-01-03 12:00Z" in error
        assert "'label'" in error
        assert "`sbf promote prices/fake/eod --accept`" in error
        assert rows(warehouse) == FIRST
    assert warehouse.ask("SELECT status, count(*) FROM ops.promotion_manifest GROUP BY 1 ORDER BY 1") == [
        ("held", 1),
        ("ok", 1),
    ]
    assert is_well(warehouse)
    vendor.entries = [entry(columns=label(also=("title",)))]
    assert warehouse.run(hours_later=1).errors == []
    assert rows(warehouse) == [("a", "z"), ("b", "y")]
    assert is_well(warehouse)
    counts_add_up(warehouse)


@pytest.mark.parametrize("extension", PAYLOADS)
def test_what_is_accepted_stays_so_in_a_rebuild(tmp_path: Path, extension: str) -> None:
    vendor, warehouse, second = started(tmp_path, extension)
    vendor.says(second)
    warehouse.run(hours_later=24)
    accept = RunOptions(fetch=False, accept=True)
    assert warehouse.run(options=accept).errors == []
    assert rows(warehouse) == [("a", None), ("b", None)]
    assert is_well(warehouse)
    before = digests(warehouse)
    settings, manager = managed(warehouse)
    assert rebuild(Home(settings, clock=warehouse.clock, plugins=manager)).context.errors == []
    assert digests(warehouse) == before


def test_the_next_one_is_held_again(tmp_path: Path) -> None:
    vendor, warehouse, second = started(tmp_path, "json")
    vendor.says(second)
    warehouse.run(hours_later=24)
    warehouse.run(options=RunOptions(fetch=False, accept=True))
    vendor.says(second + " ")
    assert len(warehouse.run(hours_later=24).errors) == 1


def test_a_column_that_may_lack_holds_nothing(tmp_path: Path) -> None:
    vendor, warehouse, second = started(tmp_path, "csv")
    vendor.entries = [entry(columns=label(optional=True))]
    vendor.says(second)
    assert warehouse.run(hours_later=24).errors == []
    assert rows(warehouse) == [("a", None), ("b", None)]


def test_null_is_a_value_that_was_given(tmp_path: Path) -> None:
    vendor, warehouse, _ = started(tmp_path, "json")
    vendor.says('[{"item":"a","label":null}]')
    assert warehouse.run(hours_later=24).errors == []
    assert rows(warehouse) == [("a", None), ("b", "y")]


def test_a_field_that_never_came_is_not_missed(tmp_path: Path) -> None:
    vendor = FakeVendor(entry(columns=label()))
    warehouse = Warehouse(tmp_path / "home", vendor)
    vendor.says('[{"item":"a"}]')
    assert warehouse.run().errors == []
    vendor.says('[{"item":"a","label":"x"}]')
    assert warehouse.run(hours_later=24).errors == []
    assert rows(warehouse) == [("a", "x")]


def test_a_snapshot_that_is_held_closes_nothing(tmp_path: Path) -> None:
    vendor, warehouse, _ = started(tmp_path, "json", semantics="snapshot")
    vendor.says('[{"item":"a","title":"z"}]')
    assert len(warehouse.run(hours_later=24).errors) == 1
    assert rows(warehouse) == FIRST


def test_in_one_batch_it_is_as_it_was_one_by_one(tmp_path: Path) -> None:
    vendor, warehouse, second = started(tmp_path, "json")
    vendor.says(second)
    warehouse.run(hours_later=24)
    vendor.says('[{"item":"a","label":"w"}]')
    warehouse.run(hours_later=24)
    settings, manager = managed(warehouse)
    before = digests(warehouse)
    assert "is held" in rebuild(Home(settings, clock=warehouse.clock, plugins=manager)).context.errors[0]
    assert digests(warehouse) == before
    assert rows(warehouse) == [("a", "w"), ("b", "y")]


def test_what_was_fetched_before_the_field_came_lacks_nothing(tmp_path: Path) -> None:
    class Dated(FakeVendor):
        """Answers with a payload of an hour."""

        hour = 24.0

        @hookimpl
        def fetch(self, entry: object, request: object) -> object:
            moment = START + dt.timedelta(hours=self.hour)
            return attrs.evolve(super().fetch(entry, request), fetched_at=moment, address=f"fake://{self.hour}")

    vendor = Dated(entry(columns=label()))
    warehouse = Warehouse(tmp_path / "home", vendor)
    vendor.says(PAYLOADS["json"][0])
    warehouse.run(hours_later=24)
    vendor.hour = 0
    vendor.says('[{"item":"c"}]')
    assert warehouse.run(hours_later=24).errors == []
    assert rows(warehouse) == [*FIRST, ("c", None)]


def test_fields_that_nobody_declared_are_told_once_with_examples(tmp_path: Path) -> None:
    vendor = FakeVendor(entry(columns=label()))
    warehouse = Warehouse(tmp_path / "home", vendor)
    vendor.says('[{"item":"a","label":"x","colour":"red"},{"item":"b","label":"y","colour":"blue"}]')
    (note,) = warehouse.run().notes
    assert "'colour' (red, blue)" in note
    vendor.says('[{"item":"a","label":"x","colour":"green"}]')
    assert warehouse.run(hours_later=24).notes == []
    seen = dt.datetime(2024, 1, 2, 12)
    assert warehouse.ask("SELECT field, change, examples, seen_at FROM ops.schema_drift") == [
        ("colour", "added", "red, blue", seen)
    ]


def test_status_shows_fields_that_came_later_until_they_are_declared(tmp_path: Path) -> None:
    """What a vendor sends from the first day on is no news."""
    vendor = FakeVendor(entry(columns=label()))
    warehouse = Warehouse(tmp_path / "home", vendor)
    vendor.says('[{"item":"a","label":"x","size":1}]')
    warehouse.run()
    vendor.says('[{"item":"a","label":"x","size":1,"colour":"red"}]')
    warehouse.run(hours_later=24)

    def shown(days: float, declared: type) -> list[tuple[Any, ...]]:
        with warehouse.open() as cursor:
            return list(new_fields(cursor, [entry(columns=declared)], now=START + dt.timedelta(days=days)).rows)

    since = dt.datetime(2024, 1, 3, 12)
    assert shown(3, label()) == [("prices/fake/eod", "colour", "red", since)]
    assert shown(40, label()) == []
    assert shown(3, label(source="colour")) == []

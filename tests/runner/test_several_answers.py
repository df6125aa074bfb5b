"""A hook that gives several documents for one request, such as a folder that grows."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import attrs
from warehouse import FakeVendor, Warehouse, entry, price

from sbf_core.api import RunResult, hookimpl
from sbf_core.bronze.journal import journal_files, torn_tail
from sbf_core.care.backup import back_up, restore_files
from sbf_core.ops.coverage import final_stretches
from sbf_core.runner.options import RunOptions
from sbf_core.settings.settings import Settings


class Folder(FakeVendor):
    """Gives each of its files."""

    def __init__(self, **declared: Any) -> None:
        super().__init__(entry(**{"refresh_after_hours": 0, **declared}))
        self.files: dict[str, list[dict[str, object]]] = {}

    @hookimpl
    def fetch(self, entry: Any, request: Any, http: Any) -> Any:
        assert self.clock is not None
        if type(http).__name__ == "ReplaySession":
            return [http.read(request, f"fake://{name}", extension="json") for name in sorted(self.files)]
        return [
            RunResult(
                request=request,
                address=f"fake://{name}",
                payload=json.dumps(rows).encode(),
                extension="json",
                fetched_at=self.clock.now(),
            )
            for name, rows in sorted(self.files.items())
        ]


def grown(tmp_path: Path, **declared: Any) -> tuple[Warehouse, Folder]:
    """A home after three runs: two files, three, and three of which one has changed."""
    vendor = Folder(**declared)
    warehouse = Warehouse(tmp_path / "home", vendor)
    vendor.files = {f"d{number}": [price("A", f"2024-01-0{number}", volume=number)] for number in (1, 2)}
    warehouse.run()
    vendor.files["d3"] = [price("A", "2024-01-03", volume=3)]
    warehouse.run(hours_later=24)
    vendor.files["d1"] = [price("A", "2024-01-01", volume=11)]
    warehouse.run(hours_later=24)
    return warehouse, vendor


def test_a_file_that_has_not_changed_is_kept_once(tmp_path: Path) -> None:
    warehouse, _ = grown(tmp_path)
    assert warehouse.ask("SELECT right(address, 2), parts FROM ops.bronze_manifest ORDER BY fetched_at, address") == [
        ("d1", 2),
        ("d2", 2),
        ("d3", 0),
        ("d1", 0),
    ]
    assert warehouse.ask("SELECT volume FROM silver.px ORDER BY date") == [(11,), (2,), (3,)]
    context = warehouse.run(hours_later=24)
    assert (context.errors, context.files) == ([], 0)


def test_where_rows_are_closed_an_answer_is_kept_whole(tmp_path: Path) -> None:
    warehouse, vendor = grown(tmp_path, answers="whole", first_date=dt.date(2024, 1, 1), lookback_days=9)
    assert warehouse.ask("SELECT count(*) FROM ops.bronze_manifest") == [(2 + 3 + 3,)]
    del vendor.files["d2"]
    warehouse.run(hours_later=24)
    assert warehouse.ask("SELECT volume FROM silver.px ORDER BY date") == [(11,), (3,)]


def test_a_recording_of_it_answers_again(tmp_path: Path) -> None:
    warehouse, vendor = grown(tmp_path)
    again = Warehouse(tmp_path / "again", vendor)
    again.clock.advance(hours=999)
    context = again.run(options=RunOptions(replay=str(warehouse.home)))
    assert context.errors == []
    assert again.ask("SELECT volume FROM silver.px ORDER BY date") == [(11,), (2,), (3,)]
    assert again.ask("SELECT count(*) FROM ops.bronze_manifest WHERE address LIKE '%d2'") == [(1,)]


def test_days_are_final_when_all_parts_of_an_answer_are_promoted(tmp_path: Path) -> None:
    vendor = Folder()
    warehouse = Warehouse(tmp_path / "home", vendor)
    vendor.files = {"d1": [price("A", "2023-12-01")], "d2": [price("A", "2023-12-02", close="many")]}
    (error,) = warehouse.run().errors
    assert "1 of 1 row rejected" in error
    with warehouse.open() as conn:
        assert final_stretches(conn, vendor.entries[0]) == {}
    vendor.files["d2"] = [price("A", "2023-12-02")]
    assert warehouse.run(hours_later=1).errors == []
    with warehouse.open() as conn:
        assert len(final_stretches(conn, vendor.entries[0])) == 1


class Numbered(Folder):
    """Says of each of its files that it is part of a set, whatever else there is."""

    says_parts = {"d1": (1, 2), "d2": (2, 2)}

    @hookimpl
    def fetch(self, entry: Any, request: Any, http: Any) -> Any:
        found = super().fetch(entry, request, http)
        return [
            attrs.evolve(result, part=part, parts=parts)
            for result in found
            for part, parts in [self.says_parts[result.address[-2:]]]
        ]


def test_parts_are_numbered_by_what_is_kept_and_not_by_the_hook(tmp_path: Path) -> None:
    """Of two pages the first alone changed. A journal that ends with page 1 of 2 looks as a crash leaves it: so it must
    never say so of a run that ended, or a backup and a rebuild would lose the row, and those of other datasets with it.
    """
    vendor, other = Numbered(), Folder(source="other", silver_table="other")
    warehouse = Warehouse(tmp_path / "home", vendor, other)
    vendor.files = {f"d{number}": [price("A", f"2024-01-0{number}", volume=number)] for number in (1, 2)}
    other.files = {"o1": [price("O", "2024-01-01", volume=1)]}
    assert warehouse.run().errors == []
    vendor.files["d1"] = [price("A", "2024-01-01", volume=11)]
    other.files = {"o1": [price("O", "2024-01-01", volume=7)]}
    assert warehouse.run(hours_later=24).errors == []
    kept = warehouse.ask("SELECT right(address, 2), part, parts FROM ops.bronze_manifest ORDER BY fetched_at, address")
    assert kept == [("d1", 1, 2), ("d2", 2, 2), ("o1", 0, 0), ("d1", 0, 0), ("o1", 0, 0)]
    config = Settings(warehouse.home, environment={}).config
    assert [torn_tail(path) for path in journal_files(config.bronze)] == [b"", b""]
    copied = attrs.evolve(config, home=tmp_path / "copy")
    back_up(config, tmp_path / "backup", clock=warehouse.clock)
    assert restore_files(tmp_path / "backup", copied).payloads == 5
    rows = "SELECT volume FROM silver.px UNION ALL SELECT volume FROM silver.other ORDER BY volume"
    before = warehouse.ask(rows)
    assert before == [(2,), (7,), (11,)]
    config.database.unlink()
    assert warehouse.run(hours_later=1).errors == []
    assert warehouse.ask(rows) == before

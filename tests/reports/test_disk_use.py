"""What takes space in a home: every file is counted once, and what is told as redundant is."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from warehouse import FakeVendor, Warehouse, entry, price

from sbf_core.reports.disk_use import DiskUse, Layer, disk_use, layers
from sbf_core.reports.left_overs import LeftKind


@pytest.fixture
def made(tmp_path: Path) -> Warehouse:
    vendor = FakeVendor(entry(), entry(dataset="fx", silver_table="fake_fx"))
    for dataset in ("eod", "fx"):
        vendor.says([price("A", "2024-01-01")], dataset=dataset)
    warehouse = Warehouse(tmp_path / "home", vendor)
    warehouse.run()
    return warehouse


def used(warehouse: Warehouse) -> DiskUse:
    with warehouse.open() as cursor:
        return disk_use(warehouse.opened().config, cursor)


def test_every_file_is_counted_once(made: Warehouse) -> None:
    home = made.home
    for name in ("logs/schedule.log", "quarantine/half/x", "notes.txt", "bronze/stray"):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_bytes(b"x" * 5000)
    use = used(made)
    files = [path for path in home.rglob("*") if path.is_file() or path.is_symlink()]
    # the database is open, and has a log of its own
    assert sum(one.files for one in use.uses) in (len(files), len(files) + 1)
    sums = layers(use)
    assert {Layer.BRONZE, Layer.DATABASE, Layer.PUBLISHED, Layer.LOGS, Layer.QUARANTINE, Layer.OTHER} == sums.keys()
    assert sums[Layer.LOGS].byte_count == 5000
    assert list(sums.values()) == sorted(sums.values(), key=lambda one: -one.on_disk)
    named = {one.name: one for one in use.uses if one.layer is Layer.BRONZE}
    assert {"prices/fake/eod", "prices/fake/fx", "_journal", ""} == named.keys()
    assert named["prices/fake/eod"].files == 1


@pytest.mark.skipif(sys.platform != "linux", reason="du of the system")
def test_blocks_are_those_of_the_system(made: Warehouse) -> None:
    use = disk_use(made.opened().config)
    command = f"find {made.home} -type f -o -type l | xargs stat -c '%b' | awk '{{s += $1}} END {{print s * 512}}'"
    assert use.on_disk == int(subprocess.check_output(command, shell=True))


def test_a_link_is_not_followed(made: Warehouse, tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(b"x" * 1_000_000)
    before = disk_use(made.opened().config)
    os.symlink(tmp_path / "large", made.home / "link")
    assert disk_use(made.opened().config).on_disk - before.on_disk < 10_000


def test_what_is_redundant(made: Warehouse) -> None:
    (made.home / "backups").mkdir(exist_ok=True)
    (made.home / "backups" / "sbf-schema5-20240101T000000.duckdb").write_bytes(b"x" * 3000)
    use = used(made)
    assert use.left_bytes(frozenset({LeftKind.BACKUP})) == 3000
    assert use.small_slack > 0
    (payload,) = [path for path in made.bronze_files() if "/fx/" in path]
    size = (made.home / "bronze" / payload).stat().st_size
    assert (use.again_payloads, use.again_bytes) == (1, size), "both datasets were answered with the same bytes"


def test_a_home_without_a_database(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path / "home", FakeVendor(entry()))
    warehouse.home.mkdir()
    use = disk_use(warehouse.opened().config)
    assert use == DiskUse(uses=(), left=(), small_slack=0)

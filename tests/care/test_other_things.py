"""What stands in a place of the home and is none of its files: pipes, folders, links;
and a home that is reached by a link.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import attrs
import pytest
from hang import HANG_SECONDS
from published_home import found, looked, published_home, repaired
from warehouse import FakeVendor, Once, Warehouse, entry, price

from sbf_core.atomic_file import regular_file, state_of
from sbf_core.bronze.journal import journal_files
from sbf_core.care.backup import back_up, restore_files
from sbf_core.care.findings import FindingKind as Kind
from sbf_core.duck.home_folder import check_outside
from sbf_core.duck.publish import CURRENT, current_publication
from sbf_core.duck.publish_tables import TABLES, VIEWS
from sbf_core.errors import UsageError
from sbf_core.runs.live import read_live
from sbf_core.settings.settings import Settings

pytestmark = pytest.mark.timeout(HANG_SECONDS)
needs_links = pytest.mark.skipif(os.name == "nt", reason="links and pipes want rights there")


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Once:
    return Once(published_home(tmp_path_factory.mktemp("published")))


@pytest.fixture
def home(once: Once) -> Warehouse:
    return once.again()


def _pipe(place: Path) -> None:
    os.mkfifo(place)


def _folder(place: Path) -> None:
    place.mkdir()
    (place / "x").write_text("x")


ODD = {"pipe": _pipe, "folder": _folder}


@needs_links
@pytest.mark.parametrize("put", ODD.values(), ids=ODD)
def test_only_a_file_is_read(tmp_path: Path, put: Callable[[Path], None]) -> None:
    """A pipe would wait for a writer, for ever."""
    put(tmp_path / "odd")
    with pytest.raises(OSError, match="no file"):
        regular_file(tmp_path / "odd")
    (tmp_path / "large").write_bytes(b"12345")
    with pytest.raises(OSError, match="more than 4 bytes"):
        regular_file(tmp_path / "large", byte_count_max=4)
    assert regular_file(tmp_path / "large", byte_count_max=5) == b"12345"


@needs_links
@pytest.mark.parametrize("put", ODD.values(), ids=ODD)
@pytest.mark.parametrize("name", ["current.json", TABLES])
def test_what_is_left_for_readers_is_made_anew(home: Warehouse, name: str, put: Callable[[Path], None]) -> None:
    assert name in (CURRENT, TABLES)
    place = home.home / "published" / name
    place.unlink()
    put(place)
    assert {kind for kind, _ in found(home)} & {Kind.PUBLISHED_CHANGED, Kind.PUBLISHED_MISSING}
    repaired(home)
    assert found(home) == []
    assert place.is_file()


@needs_links
@pytest.mark.parametrize("put", ODD.values(), ids=ODD)
def test_a_journal_is_written_again(home: Warehouse, put: Callable[[Path], None]) -> None:
    (path,) = journal_files(Settings(home.home, environment={}).config.bronze)
    whole = path.read_bytes()
    path.unlink()
    put(path)
    assert (Kind.JOURNAL_BROKEN, f"_journal/{path.name}") in found(home)
    repaired(home)
    assert found(home) == []
    assert len(path.read_bytes().splitlines()) == len(whole.splitlines())
    assert os.path.lexists(home.home / "quarantine" / "damaged" / "_journal" / path.name)


@needs_links
def test_a_pipe_hangs_nobody(home: Warehouse) -> None:
    config = Settings(home.home, environment={}).config
    copy = current_publication(config)
    assert copy is not None
    for place in (copy.path, config.live, config.published / VIEWS, config.quarantine / "odd"):
        place.unlink(missing_ok=True)
        place.parent.mkdir(exist_ok=True)
        os.mkfifo(place)
    assert read_live(config.live) is None
    assert current_publication(config) is None
    assert len(found(home)) == 2
    assert home.run(hours_later=24).errors == []
    repaired(home)
    assert found(home) == []


@needs_links
@pytest.mark.parametrize("put", ODD.values(), ids=ODD)
def test_a_log_of_the_database_that_is_no_file_is_refused(home: Warehouse, put: Callable[[Path], None]) -> None:
    put(home.home / "sbf.duckdb.wal")
    with pytest.raises(UsageError, match="log is no file"):
        home.run(hours_later=24)


def test_brackets_without_end_are_no_state(tmp_path: Path) -> None:
    (tmp_path / "deep").write_text("[" * 100_000)
    with pytest.raises(ValueError, match="brackets without end"):
        state_of(tmp_path / "deep")


@needs_links
def test_a_home_that_is_reached_by_a_link_is_no_other_home(home: Warehouse, tmp_path: Path) -> None:
    before = sorted((home.home / "published").rglob("*.parquet"))
    linked = Warehouse(tmp_path / "link", *home.plugins.values())
    linked.clock = home.clock
    linked.home.symlink_to(home.home, target_is_directory=True)
    assert not [note for note in looked(linked).notes if "moved" in note]
    assert found(linked) == []
    linked.run(hours_later=24)
    assert sorted((home.home / "published").rglob("*.parquet")) == before
    assert found(home) == []


@needs_links
def test_no_file_of_a_user_is_written_into_the_home(home: Warehouse, tmp_path: Path) -> None:
    config = Settings(home.home, environment={}).config
    (tmp_path / "link").symlink_to(config.bronze, target_is_directory=True)
    (journal,) = journal_files(config.bronze)
    (tmp_path / "file").symlink_to(journal)
    for place in (
        config.home,
        config.home / "new" / "x.csv",
        tmp_path / "link" / "x.csv",
        home.home / ".." / "home" / "x",
        tmp_path / "file",
    ):
        with pytest.raises(UsageError, match="lies in the home"):
            check_outside(config, place, fix="name another")
    check_outside(config, home.home.with_name("home2") / "x.csv", fix="name another")
    config.backups.mkdir()
    config.backups.rename(tmp_path / "disk")
    config.backups.symlink_to(tmp_path / "disk", target_is_directory=True)
    with pytest.raises(UsageError, match="lies in the home"):
        check_outside(config, tmp_path / "disk" / "x.csv", fix="name another")
    kept = sorted(config.home.rglob("*"))
    with pytest.raises(UsageError, match="lies in the home"):
        back_up(config, tmp_path / "link", clock=home.clock)
    assert sorted(config.home.rglob("*")) == kept


def test_two_homes_are_not_backed_up_into_one_folder(home: Warehouse, tmp_path: Path) -> None:
    """Neither two that never met, nor two that went on from one backup; the home that a backup is of may grow."""
    folder = tmp_path / "backup"
    config = Settings(home.home, environment={}).config
    back_up(config, folder, clock=home.clock)
    vendor = FakeVendor(entry())
    vendor.says([price("A", "2024-01-02")])
    other = Warehouse(tmp_path / "other", vendor)
    other.run(hours_later=3)
    before = {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
    with pytest.raises(UsageError, match="the backup of another home"):
        back_up(attrs.evolve(config, home=other.home), folder, clock=home.clock)
    assert {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()} == before
    restored = attrs.evolve(config, home=tmp_path / "restored")
    restore_files(folder, restored)
    (vendor,) = home.plugins.values()
    vendor.says([price("B", "2024-01-03")])
    home.run(hours_later=24)
    back_up(config, folder, clock=home.clock)
    with pytest.raises(UsageError, match="the backup of another home: it holds 1 run "):
        back_up(restored, folder, clock=home.clock)


def test_what_an_older_sbf_said_of_its_tables_is_no_finding(home: Warehouse) -> None:
    """It did not say in which folder they are."""
    place = home.home / "published" / TABLES
    place.write_text(json.dumps(json.loads(place.read_text())["tables"]))
    assert found(home) == []

"""What a run leaves for readers is accounted for, and so is every other file of the home."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest
from published_home import ROWS, found, looked, published_home, repaired
from warehouse import FakeVendor, Once, Warehouse, price

from sbf_core import faults
from sbf_core.care import verify
from sbf_core.care.findings import Finding
from sbf_core.care.findings import FindingKind as Kind
from sbf_core.duck.bootstrap import DuckDbBootstrap
from sbf_core.duck.config import DuckDbConfig
from sbf_core.duck.publish import CURRENT
from sbf_core.duck.publish_tables import TABLES, VIEWS
from sbf_core.errors import DamageFound, HomeLocked
from sbf_core.runner.options import RunOptions
from sbf_core.settings.settings import Settings


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Once:
    return Once(published_home(tmp_path_factory.mktemp("published")))


@pytest.fixture
def home(once: Once) -> Warehouse:
    return once.again()


def flipped(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def garbled(path: Path) -> None:
    path.write_text("[1, 2")


def linked(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))
    path.symlink_to("elsewhere")


@pytest.mark.parametrize(("name", "damage"), [
    *[("gold/last-*.parquet", damage) for damage in (flipped, cut, Path.unlink, linked)],
    *[("sbf-*.duckdb", damage) for damage in (cut, Path.unlink, linked)],
])  # fmt: skip
def test_a_damaged_copy_is_found_and_written_again(home: Warehouse, name: str, damage: Callable[[Path], None]) -> None:
    (path,) = (home.home / "published").glob(name)
    damage(path)
    kind = Kind.PUBLISHED_MISSING if damage is Path.unlink else Kind.PUBLISHED_CHANGED
    assert found(home) == [(kind, path.relative_to(home.home).as_posix())]
    assert repaired(home) == ()
    assert found(home) == []
    (path,) = (home.home / "published").glob(name)
    assert path.is_file() and not path.is_symlink()


def test_a_copy_with_broken_blocks_is_told_apart_from_a_broken_database(home: Warehouse) -> None:
    """Both differ then; which one is wrong, its checksums say."""
    (copy,) = (home.home / "published").glob("sbf-*.duckdb")
    content = bytearray(copy.read_bytes())
    for place in range(12_288 + 100_000, len(content), 262_144):
        content[place] ^= 0xFF
    copy.write_bytes(content)
    assert found(home) == [(Kind.PUBLISHED_CHANGED, copy.relative_to(home.home).as_posix())]
    home.run(hours_later=1, run__publish="no")  # from now on it is an older copy, read by itself
    assert found(home) == [(Kind.PUBLISHED_CHANGED, copy.relative_to(home.home).as_posix())]
    assert repaired(home) == ()
    assert found(home) == []


@pytest.mark.parametrize("damage", [garbled, Path.unlink])
@pytest.mark.parametrize("name", [VIEWS, CURRENT, TABLES])
def test_what_says_where_the_copies_are(home: Warehouse, name: str, damage: Callable[[Path], None]) -> None:
    damage(home.home / "published" / name)
    if damage is Path.unlink and name != VIEWS:
        assert found(home) == [], "nobody finds a copy any more, so none is read"
    else:
        kind = Kind.PUBLISHED_MISSING if damage is Path.unlink else Kind.PUBLISHED_CHANGED
        assert found(home) == [(kind, f"published/{name}")]
    assert repaired(home) == ()
    assert found(home) == []


def test_views_of_a_home_that_was_moved_are_told(home: Warehouse, tmp_path: Path) -> None:
    """Readers would read the files in the old place, until a run writes the views anew."""
    moved = Warehouse(tmp_path / "moved", *home.plugins.values())
    moved.clock = home.clock
    home.home.rename(moved.home)
    report = looked(moved)
    assert report.findings == []
    (note,) = report.notes
    assert note.startswith("the home was moved or copied: ") and note.endswith(str(home.home / "published"))
    moved.run(hours_later=1, options=RunOptions(force=True))
    assert (looked(moved).findings, looked(moved).notes) == ([], [])


def test_views_that_lead_elsewhere_are_found(home: Warehouse, tmp_path: Path) -> None:
    views = home.home / "published" / VIEWS
    views.unlink()
    with duckdb.connect(str(views)) as conn:
        conn.execute(
            f"CREATE SCHEMA gold; COPY (SELECT 1 AS symbol) TO '{tmp_path}/x.parquet'; "
            f"CREATE VIEW gold.last AS FROM '{tmp_path}/x.parquet'"
        )
    assert found(home) == [(Kind.PUBLISHED_CHANGED, f"published/{VIEWS}")]
    assert repaired(home) == ()
    assert found(home) == []


@pytest.mark.parametrize("number", [1, 1000, 262_144, 300_000])
def test_bytes_behind_the_database_are_found(home: Warehouse, number: int) -> None:
    with (home.home / "sbf.duckdb").open("ab") as file:
        file.write(b"x" * number)
    assert found(home) == [(Kind.DATABASE_CHANGED, "sbf.duckdb")]


def test_bytes_behind_a_database_whose_free_blocks_were_cut_off_are_found(home: Warehouse) -> None:
    """DuckDB counts them still: by its count the file is too short."""
    for _ in range(3):
        bootstrap = DuckDbBootstrap(Settings(home.home, environment={}).config).open()
        for statement in (
            "CREATE TABLE large AS SELECT i, random() AS r FROM range(300_000) AS t(i)",
            "DROP TABLE large",
        ):
            bootstrap.cursor().execute(f"{statement}; CHECKPOINT")
        bootstrap.close()
    assert found(home) == []
    with (home.home / "sbf.duckdb").open("ab") as file:
        file.write(b"x" * 1000)
    assert found(home) == [(Kind.DATABASE_CHANGED, "sbf.duckdb")]


@pytest.mark.parametrize("damage", [cut, garbled], ids=["halved", "begins otherwise"])
def test_a_database_that_is_none_any_more_is_damage(home: Warehouse, damage: Callable[[Path], None]) -> None:
    damage(home.home / "sbf.duckdb")
    with pytest.raises(DamageFound, match="the database is damaged"):
        looked(home)
    with pytest.raises(DamageFound, match="the database is damaged"):
        repaired(home)


def a_run_begins(home: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    """A verification reads the copy, so that a run may begin: between its views and what it says of them the two do not
    agree.
    """
    look = verify.check_published

    def between(config: DuckDbConfig) -> Iterator[Finding]:
        vendor = home.plugins["fake"]
        assert isinstance(vendor, FakeVendor)
        vendor.says([*ROWS, price("A", "2024-01-03", "9")])
        faults.arm("publish.views:1:raise")
        with pytest.raises(RuntimeError, match=r"fault at publish\.views"):
            home.run(hours_later=48)
        faults.arm("")
        assert list(look(config)), "at this moment"
        return look(config)

    monkeypatch.setattr(verify, "check_published", between)


def test_what_a_run_writes_meanwhile_is_no_finding(home: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    a_run_begins(home, monkeypatch)
    with pytest.raises(HomeLocked, match="a run began meanwhile, and what it writes cannot be told from damage"):
        looked(home)
    monkeypatch.undo()
    assert Kind.PUBLISHED_CHANGED in {kind for kind, _ in found(home)}, "nobody is at work now"


def test_damage_is_told_although_a_run_began_meanwhile(home: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    (payload,) = (home.home / "bronze").rglob("*.json")
    payload.chmod(0o600)
    payload.write_bytes(b"[]")
    a_run_begins(home, monkeypatch)
    report = looked(home)
    assert [finding.kind for finding in report.findings] == [Kind.PAYLOAD_CHANGED]
    assert any("findings about what it writes left out" in note for note in report.notes)


def test_files_that_are_not_ours_are_told(home: Warehouse) -> None:
    assert looked(home).notes == []
    (home.home / "sbf.toml").write_text('[universe]\nfile = "mine/tickers.txt"\n')
    (home.home / "mine").mkdir()
    (home.home / "mine" / "tickers.txt").write_text("A\n")
    assert looked(home).notes == []
    (home.home / "notes.txt").write_text("")
    (home.home / "other").mkdir()
    (home.home / "published" / "gold" / "x.csv").write_text("")
    report = looked(home)
    assert report.notes == ["not sbf's, and not looked at: notes.txt, other/, published/gold/x.csv"]
    assert report.findings == []


def test_what_readers_see_in_an_older_state_is_told_until_a_run_writes_it(home: Warehouse) -> None:
    vendor = home.plugins["fake"]
    assert isinstance(vendor, FakeVendor)
    assert looked(home).notes == []
    vendor.says([price("S0000", "2024-01-02", close="7.5"), *ROWS[1:]])
    home.run(hours_later=24, run__publish="no")
    report = looked(home)
    assert report.findings == []
    assert report.notes == ["readers see an older state of gold.last: the next `sbf run` writes them anew"]
    home.run(hours_later=0)  # nothing is due, and nothing changes
    assert looked(home).notes == []

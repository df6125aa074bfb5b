"""Folders of files that arrive: each is read once, and again where it changed."""

from __future__ import annotations

import datetime as dt
import os
import shutil
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import attrs
import pytest
from warehouse import Declared, Warehouse, counts_add_up

from sbf_core.api import DatasetKeymapEntry, FileRecipe, ForEach, UsageError, column
from sbf_core.bronze.large_payload import hash_source
from sbf_core.care.digest import digest_tables
from sbf_core.care.rebuild import rebuild
from sbf_core.care.verify import Verification
from sbf_core.dataset.from_toml import entry_from_mapping
from sbf_core.failures import FailureKind
from sbf_core.runner.options import RunOptions
from sbf_core.runs.context import RunContext

#: Before the clock of the tests, so that a file did not just change.
OLD = dt.datetime(2023, 12, 1, tzinfo=dt.UTC).timestamp()


@attrs.frozen
class Price:
    """One price of one day."""

    day: dt.date = column(key=True, source="request.each.day", date_format="%Y%m%d", row_date=True)
    market: str = column(key=True, source="request.each.market")
    symbol: str = column(key=True)
    close: float = column()


@attrs.frozen
class Plain:
    """The same, where the name of the file says nothing."""

    symbol: str = column(key=True)
    close: float = column()


PARTS = r"(?P<market>[a-z]+)_(?P<day>\d{8})\.csv"


def declared(columns: Any = Price, **recipe: Any) -> DatasetKeymapEntry:
    usual: dict[str, Any] = {"path": "drops/*.csv", "each": "file", "parts": PARTS if columns is Price else ""}
    return DatasetKeymapEntry(
        domain="prices", source="drops", dataset="eod", silver_table="px", columns=columns, scope="per_ticker",
        recipe=FileRecipe(**{**usual, **recipe}),
    )  # fmt: skip


class Folder:
    """A home with a folder of drops."""

    def __init__(self, home: Path, entry: DatasetKeymapEntry) -> None:
        self.warehouse = Warehouse(home, Declared(entry))
        self.place = home / "files" / "drops"
        self.place.mkdir(parents=True)

    def drop(self, name: str, *rows: str, at: float = OLD, header: str = "symbol,close") -> Path:
        """A file, last changed at a moment."""
        path = self.place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join((header, *rows)) + "\n")
        os.utime(path, (at, at))
        return path

    def run(self, **more: Any) -> RunContext:
        return self.warehouse.run(hours_later=1, **more)

    @property
    def rows(self) -> list[tuple[Any, ...]]:
        return self.warehouse.ask("SELECT * EXCLUDE (_bronze_file_id, _run_id, known_from, recorded_at) FROM silver.px")

    @property
    def files(self) -> list[str]:
        return [row[0] for row in self.warehouse.ask("SELECT address FROM ops.bronze_manifest ORDER BY fetched_at")]

    def notes(self, **flags: Any) -> tuple[str, ...]:
        return self.warehouse.runner(**flags).plan().notes


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "home", declared())


@pytest.fixture
def plain(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "home", declared(Plain))


def is_fine(context: RunContext) -> bool:
    return (context.status, context.errors) == ("ok", [])


def test_each_file_is_read_once(folder: Folder) -> None:
    folder.drop("nyse_20240102.csv", "A,1.5", "B,2")
    folder.drop("lse_20240103.csv", "A,3")
    folder.drop("notes.txt", "x")
    assert is_fine(folder.run())
    assert sorted(folder.rows) == [
        (dt.date(2024, 1, 2), "nyse", "A", 1.5),
        (dt.date(2024, 1, 2), "nyse", "B", 2.0),
        (dt.date(2024, 1, 3), "lse", "A", 3.0),
    ]
    assert folder.files == ["drops/lse_20240103.csv", "drops/nyse_20240102.csv"], "by name"
    folder.drop("nyse_20240104.csv", "A,4")
    context = folder.run()
    assert (context.requests, context.files, context.rows_inserted) == (1, 1, 1)
    context = folder.run()
    assert (context.requests, context.files) == (0, 0), "nothing is new"
    assert folder.warehouse.run(hours_later=1000).requests == 0, "nor weeks later"
    counts_add_up(folder.warehouse)
    assert Verification(folder.warehouse.opened()).run().findings == []


def test_a_file_that_changed_is_a_revision(folder: Folder) -> None:
    path = folder.drop("nyse_20240102.csv", "A,1.5", "B,2")
    folder.run()
    folder.drop(path.name, "A,1.6", "B,2", at=OLD + 1)
    context = folder.run()
    assert (context.files, context.rows_updated, context.rows_unchanged) == (1, 1, 1)
    assert folder.warehouse.ask("SELECT close FROM silver.px_history") == [(1.5,)]


def test_a_file_of_the_same_size_and_an_older_time_is_seen(folder: Folder) -> None:
    """As a copy that keeps the times of what it replaces leaves it."""
    path = folder.drop("nyse_20240102.csv", "A,1.5")
    folder.run()
    folder.drop(path.name, "A,1.7", at=OLD - 86400)
    assert folder.run().rows_updated == 1


def test_a_file_that_was_only_touched_changes_nothing(folder: Folder) -> None:
    path = folder.drop("nyse_20240102.csv", "A,1.5")
    folder.run()
    os.utime(path, (OLD + 5, OLD + 5))
    context = folder.run()
    assert (context.requests, context.files, context.rows_seen) == (1, 0, 0)


def test_a_file_that_was_read_right_after_it_changed_is_read_once_more(folder: Folder) -> None:
    """Within two seconds it may have changed again, and look as it did: some disks know times no better."""
    begun = folder.warehouse.clock.now().timestamp()
    folder.drop("nyse_20240102.csv", "A,1.5", at=begun + 3599)
    assert folder.run().files == 1
    context = folder.run()
    assert (context.requests, context.files) == (1, 0)
    assert folder.run().requests == 0


def test_of_two_files_with_one_key_the_later_name_counts(plain: Folder) -> None:
    for number in range(40):
        plain.drop(f"{number:03}.csv", f"A,{number}")
    assert is_fine(plain.run(run__workers=8))
    assert plain.rows == [("A", 39.0)]
    history = plain.warehouse.ask("SELECT close FROM silver.px_history ORDER BY known_from")
    assert history == [(float(number),) for number in range(39)]


def test_a_file_that_is_gone_keeps_its_rows(folder: Folder) -> None:
    folder.drop("nyse_20240102.csv", "A,1.5").unlink()
    folder.drop("lse_20240102.csv", "A,1.5")
    folder.run()
    (folder.place / "lse_20240102.csv").unlink()
    assert is_fine(folder.run())
    assert len(folder.rows) == 1
    assert folder.notes() == (f"prices/drops/eod: no file in {folder.place} matches *.csv",)


def test_folders_at_any_depth(tmp_path: Path) -> None:
    parts = r"(?P<market>[a-z]+)/(?:.*/)?(?P<day>\d{8})\.csv"
    folder = Folder(tmp_path / "home", declared(path="drops/**/*.csv", parts=parts))
    folder.drop("lse/20240102.csv", "A,1")
    folder.drop("nyse/2024/01/20240103.csv", "A,2")
    (folder.place / "lse" / "round").symlink_to(folder.place, target_is_directory=True)
    assert is_fine(folder.run())
    assert sorted(folder.files) == ["drops/lse/20240102.csv", "drops/nyse/2024/01/20240103.csv"]
    assert [row[1] for row in sorted(folder.rows)] == ["lse", "nyse"]


@pytest.mark.parametrize(
    "name", ["a,b.csv", "a|b.csv", "a%2Cb.csv", "ä [1].csv", "=1+1.csv", "a b.csv", "CON.csv", "*.csv"]
)
def test_names_with_any_letters(plain: Folder, name: str) -> None:
    plain.drop(name, "A,1")
    assert is_fine(plain.run())
    assert plain.files == [f"drops/{name}"]
    assert plain.run().requests == 0
    again = Warehouse(plain.warehouse.home.with_name("again"), Declared(declared(Plain)))
    assert is_fine(again.run(options=RunOptions(replay=str(plain.warehouse.home))))
    assert again.ask("SELECT symbol FROM silver.px") == [("A",)]


def test_hidden_files_are_left_alone(plain: Folder) -> None:
    plain.drop(".part.csv", "A,1")
    plain.drop(".trash/a.csv", "A,1")
    plain.drop("b.csv", "B,2")
    assert is_fine(plain.run())
    assert plain.files == ["drops/b.csv"]


def test_names_that_do_not_fit_are_told(folder: Folder) -> None:
    folder.drop("nyse_20240102.csv", "A,1.5")
    folder.drop("nyse_2024-01-03.csv", "A,1.5")
    folder.drop("README.csv", "A,1.5")
    assert is_fine(folder.run())
    assert len(folder.files) == 1
    assert folder.notes() == ("prices/drops/eod: 2 files cannot be read, e.g. 'README.csv' is not what parts matches",)


def test_a_file_that_is_still_being_written_waits(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "home", declared(Plain, quiet_seconds=600))
    folder.drop("a.csv", "A,1")
    path = folder.drop("b.csv", "B,2")
    os.utime(path)  # now
    assert is_fine(folder.run())
    assert folder.files == ["drops/a.csv"]
    note = "prices/drops/eod: 1 file changed within the last 600 s, e.g. 'b.csv'; left for another run"
    assert folder.notes() == (note,)
    os.utime(path, (OLD, OLD))
    assert is_fine(folder.run())
    assert folder.files == ["drops/a.csv", "drops/b.csv"]


def test_a_file_that_changes_while_it_is_read_is_refused(plain: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    path = plain.drop("a.csv", "A,1")
    plain.drop("b.csv", "B,1")
    read_bytes = Path.open

    def opened(self: Path, *args: Any, **more: Any) -> Any:
        if self == path:
            with read_bytes(self, "a") as file:
                file.write("A2,2\n")
        return read_bytes(self, *args, **more)

    with monkeypatch.context() as changing:
        changing.setattr(Path, "open", opened)
        context = plain.run()
    assert "a.csv: it changed while it was read; run again when nothing writes it" in str(context.failures[0])
    assert plain.rows == [("B", 1.0)]
    assert is_fine(plain.run())
    assert sorted(plain.rows) == [("A", 1.0), ("A2", 2.0), ("B", 1.0)]


def test_a_large_file_that_changes_before_it_is_copied_is_refused(
    plain: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would be kept with the mark of what it was, and be read at each run."""
    monkeypatch.setattr("sbf_core.http.local_files._READ_BYTES_MAX", 10)
    plain.drop("a.csv", "A,1")
    assert is_fine(plain.run())
    path = plain.drop("a.csv", "A,2", at=OLD + 1)

    def hashed(source: Path) -> str:
        plain.drop("a.csv", "A,3", at=OLD + 2)
        return hash_source(source)

    with monkeypatch.context() as changing:
        changing.setattr("sbf_core.fetching.answers.hash_source", hashed)
        context = plain.run()
    assert f"file {path}: it changed while it was read" in str(context.failures[0])
    assert is_fine(plain.run())
    assert plain.rows == [("A", 3.0)]
    assert plain.run().requests == 0


@pytest.mark.skipif(os.name != "posix", reason="devices and links that only POSIX has")
def test_what_is_no_file_any_more_costs_itself(plain: Folder) -> None:
    """A pipe would be waited for until somebody writes; a device stands for it here."""
    device = plain.drop("a.csv", "A,1")
    plain.drop("b.csv", "B,1")
    (plain.place / "c.csv").symlink_to("c.csv")
    (plain.place / "d.csv").symlink_to("nowhere")
    runner = plain.warehouse.runner()
    start = runner._progress.start

    def started(stage: str, count: int) -> None:
        if stage == "fetch":
            device.unlink()
            device.symlink_to(os.devnull)
        start(stage, count)

    runner._progress.start = started  # type: ignore[method-assign]
    context = runner.run()
    assert [one.what for one in context.failures] == [f"file {device}: it is no file"]
    assert plain.rows == [("B", 1.0)]


def test_files_may_be_moved_away_while_a_folder_is_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = Folder(tmp_path / "home", declared(Plain, path="drops/**/*.csv"))
    gone = folder.drop("a.csv", "A,1")
    folder.drop("b.csv", "B,1")
    inner = folder.drop("inner/c.csv", "C,1").parent
    listed = os.scandir

    def moving(place: Any) -> Any:
        if place != folder.place:
            return listed(place)
        with listed(place) as entries:
            found = list(entries)
        gone.unlink(missing_ok=True)
        shutil.rmtree(inner, ignore_errors=True)
        return nullcontext(found)

    (folder.place / "z.csv").symlink_to(folder.place / "b.csv")
    with monkeypatch.context() as changing:
        changing.setattr(os, "scandir", moving)
        assert is_fine(folder.run())
    assert folder.files == ["drops/b.csv", "drops/z.csv"]


def test_a_folder_that_is_not_there_is_a_failure(tmp_path: Path) -> None:
    """A disk that is not mounted must not look like one where nothing came."""
    warehouse = Warehouse(tmp_path / "home", Declared(declared()))
    context = warehouse.run()
    (failure,) = context.failures
    assert "its folder cannot be read: No such file or directory" in failure.what
    assert context.status != "ok"


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_nobody_may_read_is_a_failure(plain: Folder) -> None:
    plain.drop("inner/a.csv", "A,1")
    plain.place.chmod(0)
    context = plain.run()
    plain.place.chmod(0o700)
    assert "Permission denied" in context.failures[0].what


def test_a_file_without_data_costs_itself_and_is_tried_again(plain: Folder) -> None:
    plain.drop("a.csv", "A,1")
    bad = plain.place / "b.csv"
    bad.write_text("")
    os.utime(bad, (OLD, OLD))
    context = plain.run()
    assert (context.status, [one.kind for one in context.failures]) == ("partial", [FailureKind.EMPTY])
    assert plain.rows == [("A", 1.0)]
    plain.drop("b.csv", "B,2", at=OLD + 1)
    assert is_fine(plain.run())
    assert len(plain.rows) == 2


def test_snapshots_close_what_a_changed_file_lacks(tmp_path: Path) -> None:
    entry = attrs.evolve(declared(), semantics="snapshot", shrink_share_max=1.0)
    folder = Folder(tmp_path / "home", entry)
    folder.drop("nyse_20240102.csv", "A,1.5", "B,2")
    folder.drop("lse_20240102.csv", "C,1")
    folder.run()
    folder.drop("nyse_20240102.csv", "A,1.5", at=OLD + 1)
    assert is_fine(folder.run())
    assert sorted(row[2] for row in folder.rows) == ["A", "C"]


def test_a_rebuild_and_a_replay_give_the_same(folder: Folder) -> None:
    path = folder.drop("nyse_20240102.csv", "A,1.5", "B,2")
    folder.drop("lse_20240103.csv", "A,3")
    folder.run()
    folder.drop(path.name, "A,1.6", "B,2", at=OLD + 1)
    folder.run()
    warehouse = folder.warehouse

    def digests(of: Warehouse) -> dict[str, str]:
        with of.open() as cursor:
            return {one.table: one.sha256 for one in digest_tables(cursor, keys={})}

    live = digests(warehouse)
    rebuild(warehouse.opened())
    assert digests(warehouse) == live
    assert folder.run().requests == 0, "what was read is known from the payloads"
    shutil.rmtree(folder.place)
    again = Warehouse(warehouse.home.with_name("again"), Declared(declared()))
    assert is_fine(again.run(options=RunOptions(replay=str(warehouse.home))))
    assert digests(again) == live


def test_all_files_are_read_again_where_that_is_wished(plain: Folder) -> None:
    plain.drop("a.csv", "A,1")
    plain.run()
    context = plain.run(options=RunOptions(force=True))
    assert (context.requests, context.files) == (1, 0)


def test_a_limit_is_told(plain: Folder) -> None:
    for name in ("a", "b", "c"):
        plain.drop(f"{name}.csv", f"{name},1")
    assert is_fine(plain.run(universe__ticker_limit=2))
    assert len(plain.files) == 2
    note = "prices/drops/eod: there are 3 files, and the first 2 are read"
    assert plain.notes(universe__ticker_limit=2) == (note,)


def test_the_name_may_be_a_column(tmp_path: Path) -> None:
    @attrs.frozen
    class Named:
        file: str = column(key=True, source="request.ticker")
        name: str = column(key=True, source="request.each.name")
        symbol: str = column(key=True)

    folder = Folder(tmp_path / "home", declared(Named, parts=r"(?P<x>.).*"))
    folder.drop("a,b.csv", "A,1")
    assert is_fine(folder.run())
    assert folder.rows == [("a,b.csv", "a,b.csv", "A")]


def test_an_absolute_path(tmp_path: Path) -> None:
    place = tmp_path / "elsewhere"
    place.mkdir()
    entry = declared(Plain, path=f"{place.as_posix()}/*.csv")
    folder = Folder(tmp_path / "home", entry)
    folder.place = place
    folder.drop("a.csv", "A,1")
    assert is_fine(folder.run())
    assert folder.files == [f"{place.as_posix()}/a.csv"]


@pytest.mark.parametrize(
    ("recipe", "told"),
    [
        ({"each": "row"}, "each 'row' is not known"),
        ({"path": "drops/a.csv"}, "each file of a folder is found by a pattern"),
        ({"path": "drops/*/"}, "ends with no name of a file"),
        ({"path": "drops/**"}, "ends with no name of a file"),
        ({"path": "drops/a**/x.csv"}, "** and .. are no part of a name"),
        ({"path": "../*.csv"}, "** and .. are no part of a name"),
        ({"mirrors": ("x",)}, "a file has no mirrors"),
        ({"quiet_seconds": -1.0}, "quiet_seconds is 0 to 31,622,400"),
        ({"quiet_seconds": float("nan")}, "quiet_seconds is 0 to"),
        ({"quiet_seconds": float("inf")}, "quiet_seconds is 0 to"),
        ({"quiet_seconds": 1e12}, "quiet_seconds is 0 to"),
        ({"parts": "(?P<day"}, "parts is no regular expression"),
        ({"parts": "(?P<name>.*)"}, "parts names a group 'name'"),
        ({"each": "", "path": "a.csv", "parts": "x"}, "belong to each file of a folder"),
        ({"parts": r"(?P<market>.*)"}, "request.each.day is no part of a file's name"),
    ],
)
def test_what_does_not_go_together_is_refused(recipe: dict[str, Any], told: str) -> None:
    with pytest.raises(UsageError) as error:
        declared(**recipe)
    assert told in str(error.value)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"scope": "global"}, 'each="file" belongs to the scope per_ticker'),
        ({"members": ("A",)}, 'members and each="file" say both'),
        ({"for_each": ForEach(query="SELECT 1", key=("day",))}, 'for_each and each="file" say both'),
    ],
)
def test_series_are_said_once(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(UsageError) as error:
        attrs.evolve(declared(), **changes)
    assert told in str(error.value)


def test_it_can_be_declared_in_toml() -> None:
    entry = entry_from_mapping(
        {
            "domain": "prices", "source": "drops", "dataset": "eod", "silver_table": "px", "scope": "per_ticker",
            "recipe": {"path": "drops/*.csv", "each": "file", "parts": PARTS},
            "columns": [{"name": "market", "type": "VARCHAR", "key": True, "source": "request.each.market"}],
        }
    )  # fmt: skip
    assert entry.recipe == FileRecipe(path="drops/*.csv", each="file", parts=PARTS)

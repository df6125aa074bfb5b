"""The next copy for readers is made of the one before the newest, and nobody who reads that one ever notices."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from sbf_core.care.backup import _copy_published
from sbf_core.clock import FixedClock
from sbf_core.duck import spare_copy
from sbf_core.duck.bootstrap import DuckDbBootstrap
from sbf_core.duck.config import DuckDbConfig
from sbf_core.duck.publish import current_publication, published_path, superseded_copies
from sbf_core.duck.reading import open_for_reading
from sbf_core.errors import EnvironmentFault
from sbf_core.reports.left_overs import LeftKind, left_files

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="no lock of an open file description")

NOON = dt.datetime(2026, 11, 30, 12, tzinfo=dt.UTC)
BLOCK = 1 << 18
#: A run in a process of its own: the table gets ten rows more, and is published.
RUN = """
import datetime as dt, sys
from pathlib import Path
from sbf_core.clock import FixedClock
from sbf_core.duck import spare_copy
from sbf_core.duck.bootstrap import DuckDbBootstrap
from sbf_core.duck.config import DuckDbConfig
spare_copy.KEPT_FROM_BYTES = 0
clock = FixedClock(dt.datetime.fromisoformat(sys.argv[2]))
bootstrap = DuckDbBootstrap(DuckDbConfig(home=Path(sys.argv[1])), clock=clock)
bootstrap.open().cursor().execute("INSERT INTO silver.px SELECT range, 'more' FROM range(10)")
bootstrap.close(publish_as=sys.argv[3])
"""
#: Writes all of the table anew: over two runs into the blocks that it had before.
OTHER = "CREATE OR REPLACE TABLE silver.px AS SELECT range AS k, hash(range + random()) AS v FROM range(300_000)"
READ = """
import sys, duckdb
connection = duckdb.connect(sys.argv[1], read_only=True)
print("open", flush=True)
sys.stdin.readline()
print(connection.execute(sys.argv[2]).fetchall(), flush=True)
"""
SUMS = "SELECT count(*), sum(hash(k, v)) FROM silver.px"


def sums(copy: Path, folder: Path) -> list[tuple[object, ...]]:
    """What a reader should find in a copy; of other bytes, so that nothing of it is read before."""
    other = folder / "sums.duckdb"
    other.write_bytes(copy.read_bytes())
    with duckdb.connect(str(other), read_only=True) as connection:
        return connection.execute(SUMS).fetchall()


def is_same(one: bytes, other: bytes) -> bool:
    """Asked like this, for pytest would work for hours on how megabytes differ."""
    return one == other


def _full(*_: object, **__: object) -> int:
    raise OSError(28, "No space left on device")


class Days:
    """A home, and a run of it each day at noon."""

    def __init__(self, home: Path) -> None:
        self.config = DuckDbConfig(home=home)
        self.clock = FixedClock(NOON)
        self.number = 0

    def run(self, sql: str = "", *, hours: float = 24) -> Path:
        """Do something, publish, and give the copy; the clock goes on before."""
        if self.number:
            self.clock.advance(hours=hours)
        else:
            sql = (
                "CREATE TABLE silver.px AS SELECT range AS k, hash(range)::VARCHAR AS v FROM range(300_000) ORDER BY v"
            )
        self.number += 1
        bootstrap = DuckDbBootstrap(self.config, clock=self.clock).open()
        bootstrap.cursor().execute(sql or f"INSERT INTO silver.px SELECT range, 'day {self.number}' FROM range(10)")
        bootstrap.close(publish_as=f"run{self.number}")
        return self.copy(self.number)

    def copy(self, number: int) -> Path:
        """The copy of a run."""
        return published_path(self.config, f"run{number}")

    def is_whole(self, copy: Path) -> bool:
        """Whether a copy is the database, byte for byte."""
        return is_same(copy.read_bytes(), self.config.database.read_bytes())

    def copies(self) -> list[str]:
        """Which files there are."""
        return sorted(path.name for path in self.config.published.glob("sbf-*"))


@pytest.fixture
def days(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Days:
    monkeypatch.setattr(spare_copy, "KEPT_FROM_BYTES", 0)
    return Days(tmp_path / "home")


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How much is written into a spare copy, piece by piece."""
    pieces: list[int] = []
    write = os.pwrite

    def counted(handle: int, content: bytes, start: int) -> int:
        pieces.append(len(content))
        return write(handle, content, start)

    monkeypatch.setattr(os, "pwrite", counted)
    return pieces


def test_the_third_copy_is_the_first_one_with_what_changed(days: Days, written: list[int]) -> None:
    first = days.run()
    inode, size = first.stat().st_ino, first.stat().st_size
    second = days.run()
    assert second.stat().st_ino != inode
    assert days.copies() == [first.name, second.name]
    assert not written
    third = days.run()
    assert third.stat().st_ino == inode
    assert days.is_whole(third)
    assert days.copies() == [second.name, third.name]
    assert 0 < sum(written) < size / 3
    current = current_publication(days.config)
    assert current is not None
    assert (current.path, current.is_current) == (third, True)
    assert third.stat().st_mode & 0o077 == 0


def test_whatever_stands_in_the_spare_one_the_next_is_whole(days: Days) -> None:
    """Blocks that nobody knows to be wrong, a file that was cut, and a database that shrank."""
    days.run()
    days.run()
    spoilt = bytearray(days.copy(1).read_bytes())
    spoilt[BLOCK * 3 : BLOCK * 4] = bytes(BLOCK)
    days.copy(1).write_bytes(spoilt)
    assert days.is_whole(days.run())
    os.truncate(days.copy(2), 5000)
    assert days.is_whole(days.run())
    days.run("CREATE OR REPLACE TABLE silver.px AS SELECT 1 AS k, 'one' AS v")
    days.run()
    last = days.run()
    assert days.is_whole(last)


def test_a_small_database_keeps_none(days: Days, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spare_copy, "KEPT_FROM_BYTES", 1 << 40)
    days.run()
    second = days.run()
    assert days.copies() == [second.name]


def test_a_full_disk_keeps_none(days: Days, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = type("Usage", (), {"free": 1000})
    monkeypatch.setattr(spare_copy.shutil, "disk_usage", lambda _: usage)
    days.run()
    second = days.run()
    assert days.copies() == [second.name]


def test_who_opens_a_file_again_and_again_has_a_quarter_of_an_hour(days: Days) -> None:
    inode = days.run().stat().st_ino
    days.run()
    days.run(hours=0.24)
    assert days.copies() == [days.copy(2).name, days.copy(3).name]
    assert days.copy(3).stat().st_ino != inode
    second = days.copy(2).stat().st_ino
    days.run(hours=0.25)
    assert days.copy(4).stat().st_ino == second


def test_a_clock_that_was_put_back_spares_nothing(days: Days) -> None:
    days.run()
    days.run()
    assert days.is_whole(days.run(hours=-48))
    assert days.copies() == [days.copy(2).name, days.copy(3).name]


def test_a_reader_in_another_process_reads_what_it_opened(days: Days, tmp_path: Path) -> None:
    first = days.run()
    expected = sums(first, tmp_path)
    reader = subprocess.Popen(
        [sys.executable, "-c", READ, str(first), SUMS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert reader.stdout is not None
    assert reader.stdout.readline() == "open\n"
    for _ in range(3):
        copy = days.run(OTHER)
        assert days.is_whole(copy)
    told, _ = reader.communicate("\n")
    assert told.strip() == str(expected)


@pytest.mark.parametrize("ours", [True, False], ids=["opened by sbf", "opened by somebody else"])
def test_a_reader_in_this_process_reads_what_it_opened(days: Days, tmp_path: Path, ours: bool) -> None:
    """Closing another handle of its file takes DuckDB's lock away, but not the reader's handle."""
    first = days.run()
    expected = sums(first, tmp_path)
    connection = (
        DuckDbBootstrap(days.config, read_only=True, database=first).open().cursor()
        if ours
        else duckdb.connect(str(first), read_only=True)
    )
    days.run()
    with pytest.MonkeyPatch.context() as patch:  # this one finds it, and ends before it says which copy is the newest
        patch.setattr("sbf_core.duck.publish.write_whole", _full)
        with pytest.raises(EnvironmentFault):
            days.run()
    for _ in range(3):
        days.run(OTHER)
    assert connection.execute(SUMS).fetchall() == expected  # nothing of it was read before
    connection.close()


@pytest.mark.parametrize("here", [True, False], ids=["here", "in another process"])
def test_a_reader_without_any_lock_reads_what_it_opened(days: Days, here: bool) -> None:
    """As ``cp`` does, or a server of files; it may take as long as it likes."""
    first = days.run()
    content = first.read_bytes()
    with first.open("rb") as file:
        command = [
            sys.executable,
            "-c",
            "import sys; sys.stdin.readline(); sys.stdout.buffer.write(open(3, 'rb').read())",
        ]
        reader = subprocess.Popen(
            ["sh", "-c", 'exec 3<"$0"; echo open; exec "$@"', str(first), *command],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        assert reader.stdout is not None
        assert reader.stdout.readline() == b"open\n"
        if not here:
            file.close()
        for _ in range(3):
            days.run(OTHER)
        assert not here or is_same(file.read(), content)
    told, _ = reader.communicate(b"\n")
    assert is_same(told, content)


def test_a_disk_that_others_may_read_elsewhere_spares_none(days: Days, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spare_copy, "_LOCAL", frozenset(("ntfs",)))
    days.run()
    second = days.run()
    assert days.copies() == [second.name]


def test_a_spare_copy_that_came_from_another_disk_is_left_alone(days: Days, monkeypatch: pytest.MonkeyPatch) -> None:
    inode = days.run().stat().st_ino
    days.run()
    monkeypatch.setattr(spare_copy, "_LOCAL", frozenset())
    assert days.run().stat().st_ino != inode


def test_who_opens_it_in_between_gets_the_newest(days: Days, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader that read the name of a copy two runs ago, and opens it while it is being changed."""
    days.run()
    days.run()
    asked: list[Callable[[], None]] = []

    def between(name: str) -> None:
        if name == "publish.half":
            with pytest.raises(duckdb.IOException):
                duckdb.connect(str(days.copy(1)), read_only=True)
            with pytest.raises(BlockingIOError):
                os.open(f"{days.copy(3)}.tmp", os.O_RDONLY | os.O_NONBLOCK)
            opened, older = open_for_reading(days.config)
            assert older is not None
            assert older.path == days.copy(2)
            assert opened.cursor().execute("SELECT count(*) FROM silver.px WHERE v = 'day 2'").fetchall() == [(10,)]
            opened.close()
            asked.append(lambda: None)

    monkeypatch.setattr(spare_copy, "fault_point", between)
    days.run()
    assert len(asked) == 1


def test_a_file_with_another_name_is_not_touched(days: Days, tmp_path: Path) -> None:
    first = days.run()
    kept = tmp_path / "kept.duckdb"
    kept.hardlink_to(first)
    before = kept.read_bytes()
    days.run()
    assert days.is_whole(days.run())
    assert is_same(kept.read_bytes(), before)


def test_a_link_in_its_place_leads_nowhere(days: Days, tmp_path: Path) -> None:
    days.run()
    days.run()
    other = tmp_path / "other.duckdb"
    other.write_bytes(b"mine")
    days.copy(1).unlink()
    days.copy(1).symlink_to(other)
    assert days.is_whole(days.run())
    assert other.read_bytes() == b"mine"


def test_a_backup_that_reads_it_keeps_it_as_it_is(days: Days, tmp_path: Path) -> None:
    """However long it takes: the copy that it began to read is the one that it has read."""
    days.run()
    content = days.config.database.read_bytes()
    copied: list[Path] = []

    def while_read(source: object, target: Path, *, durable: bool) -> None:
        days.run()
        days.run(OTHER)
        days.run(OTHER)
        target.write_bytes(source.read())  # type: ignore[attr-defined]
        copied.append(target)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sbf_core.care.backup.copy_database", while_read)
        assert _copy_published(days.config, tmp_path / "backup.duckdb", if_current=True) == "run1"
    assert is_same(copied[0].read_bytes(), content)


@pytest.mark.parametrize("point", ["publish.half", "publish.copied", "publish.named"])
def test_killed_over_it_readers_have_the_newest_and_the_next_run_goes_on(days: Days, point: str) -> None:
    days.run()
    second = days.run().read_bytes()
    environment = {**os.environ, "SBF_TESTING": "1", "SBF_FAULT": f"{point}:1:kill"}
    moment = (NOON + dt.timedelta(days=2)).isoformat()
    command = [sys.executable, "-c", RUN, str(days.config.home), moment, "killed"]
    assert subprocess.run(command, env=environment, check=False).returncode < 0
    assert is_same(days.copy(2).read_bytes(), second)
    copy = current_publication(days.config)
    assert copy is not None
    assert copy.path == days.copy(2)
    opened = DuckDbBootstrap(days.config, read_only=True, database=copy.path).open()
    assert opened.cursor().execute("SELECT count(*) FROM silver.px").fetchall() == [(300_010,)]
    opened.close()
    days.clock.advance(days=2)
    for _ in range(3):
        assert days.is_whole(days.run())
    assert len(days.copies()) == 2


def test_a_disk_that_does_not_take_it_leaves_the_newest(days: Days, monkeypatch: pytest.MonkeyPatch) -> None:
    days.run()
    second = days.run()
    content = second.read_bytes()

    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", _full)
        with pytest.raises(EnvironmentFault):
            days.run()
    copy = current_publication(days.config)
    assert copy is not None
    assert is_same(copy.path.read_bytes(), content)
    assert days.is_whole(days.run())


def test_a_database_that_ends_too_early_is_no_copy(days: Days, monkeypatch: pytest.MonkeyPatch) -> None:
    """And no work without end."""
    days.run()
    second = days.run()
    size, read = second.stat().st_size, os.pread
    with monkeypatch.context() as patch:
        patch.setattr(
            os, "pread", lambda handle, count, start: read(handle, count, start) if start < size // 2 else b""
        )
        with pytest.raises(EnvironmentFault):
            days.run()
    copy = current_publication(days.config)
    assert copy is not None
    assert copy.path == second


def test_it_is_nothing_left_over(days: Days) -> None:
    days.run()
    days.run()
    assert superseded_copies(days.config) == []
    stray = days.config.published / "sbf-old.duckdb"
    stray.write_bytes(b"")
    left = [one.name for one in left_files(days.config, alone=True) if one.kind is LeftKind.PUBLISHED]
    assert left == ["published/sbf-old.duckdb"]

"""Kill a rebuild, or a repair, anywhere, fill its disk, damage what it leaves: the home has its old tables or the new
ones, whole, and the next command ends well.

The database to be rebuilt holds a row that Bronze does not give, so that old and new can be told apart.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

sys.path.insert(0, str(Path(__file__).parent))
import figures
from hang import HANG_SECONDS
from test_disk import LIMITED, has_tmpfs, is_environment_fault
from test_replacing import cut, metadata_blocks
from world import World, ask, digests

from sbf_core.faults import FAULT_POINTS

pytestmark = pytest.mark.skipif(os.name != "posix", reason="kills with signals that only POSIX knows")
SIGNALS = {"kill": -signal.SIGKILL, "term": 143, "int": 130}
USUAL = ("promote.merged", "rebuild.kept", "rebuild.replaced")
#: From here on the new database has the name of the old one.
NEW = FAULT_POINTS.index("rebuild.replaced")
COMMANDS = {"all": ("rebuild",), "dataset": ("rebuild", "world_eod"), "repair": ("repair",)}
#: Whatever comes next ends well. A check finds what was there to be found before.
NEXT = (("run",), ("rebuild",), ("repair",), ("verify",), ("rebuild", "world_eod"), ("clean", "--yes"))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> World:
    return World(tmp_path_factory.mktemp(f"rebuilding-{worker_id}"))


class Case:
    """A home whose database has a changed row, and what it must hold in the end."""

    def __init__(self, world: World) -> None:
        self.world, self.done, self.hurt = world, world.folder / "done", world.folder / "hurt"
        world.first_day(self.done)
        assert world.sbf(self.done, "run").returncode == 0
        self.right = digests(self.done)
        shutil.copytree(self.done, self.hurt)
        with duckdb.connect(str(self.hurt / "sbf.duckdb")) as connection:
            connection.execute("UPDATE silver.world_eod SET close = close + 1 WHERE symbol = 'AAA'")
        self.wrong = digests(self.hurt)
        assert self.wrong != self.right

    def home(self, folder: Path) -> Path:
        shutil.copytree(self.hurt, folder)
        return folder

    def settle(self, home: Path) -> None:
        """A rebuild, and every promise about what it leaves."""
        done = self.world.sbf(home, "rebuild", "--keep-backups", "9")
        assert done.returncode == 0, done.stderr
        assert digests(home) == self.right
        assert self.world.findings(home) == []
        kept = [path.stat() for path in (home / "backups").glob("*.duckdb")]
        assert kept and all(facts.st_nlink == 1 for facts in kept), "each is a database of its own"
        assert not list((home / "scratch").glob("*/*"))
        assert ask(home, "SELECT count(*) FROM ops.file_ingestions WHERE kind = 'run' AND status = 'running'") == [(0,)]
        shutil.rmtree(home)


@pytest.fixture(scope="module")
def case(world: World) -> Case:
    return Case(world)


@pytest.fixture(scope="module")
def counts(world: World, case: Case) -> dict[str, dict[str, int]]:
    """How often each point is reached, by command."""
    found = {}
    for name, arguments in COMMANDS.items():
        counted = world.folder / f"count-{name}.json"
        home = case.home(world.folder / f"counted-{name}")
        assert world.sbf(home, *arguments, SBF_FAULT=f"count:{counted}").returncode == 0
        found[name] = json.loads(counted.read_text())
    return found


def strike(case: Case, home: Path, command: str, point: str, kind: str, number: int) -> None:
    world = case.world
    died = world.sbf(home, *COMMANDS[command], SBF_FAULT=f"{point}:{number}:{kind}")
    assert died.returncode == SIGNALS[kind] or (kind != "kill" and died.returncode == 0), (died.returncode, died.stderr)
    assert "Traceback" not in died.stderr
    seen = world.sbf(home, "sql", "FROM silver.world_eod")
    assert seen.returncode == 0, seen.stderr
    found = digests(home)
    assert found.keys() == case.right.keys()
    assert all(found[table] in (case.wrong[table], case.right[table]) for table in found), (
        "each is the old one or the new one"
    )
    assert command != "all" or found in (case.wrong, case.right)
    if command == "all" and point in ("rebuild.kept", "rebuild.replaced"):
        assert found == (case.wrong if point == "rebuild.kept" else case.right)
    after = NEXT[(FAULT_POINTS.index(point) + number) % len(NEXT)]
    done = world.sbf(home, *after)
    assert done.returncode == 0 or (after == ("verify",) and found != case.right and done.returncode == 3), done.stderr
    case.settle(home)
    figures.add(f"rebuilds stopped by {kind}")


@pytest.mark.parametrize(
    ("command", "point"),
    [*(("all", point) for point in USUAL), ("dataset", "remake.swapping"), ("repair", "remake.swapped")],
)
def test_a_rebuild_that_is_killed(case: Case, tmp_path: Path, command: str, point: str) -> None:
    strike(case, case.home(tmp_path / "home"), command, point, "kill", 1)


@pytest.mark.slow
@pytest.mark.parametrize("kind", SIGNALS)
@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("point", FAULT_POINTS)
def test_a_rebuild_that_is_stopped(
    case: Case, counts: dict[str, dict[str, int]], tmp_path: Path, command: str, point: str, kind: str
) -> None:
    """At the first and last time that a point is reached,
    of all the tables and of one, and of a repair that makes one again.
    """
    assert set(USUAL) <= counts["all"].keys()
    for number in sorted({1, counts[command].get(point, 0)} - {0}) if point in counts[command] else ():
        if number == 1 or not point.startswith("whole."):  # how often live.json is written, the clock says
            strike(case, case.home(tmp_path / f"home{number}"), command, point, kind, number)


@pytest.mark.parametrize("point", ["rebuild.kept", "rebuild.replaced"])
def test_damage_to_a_home_that_is_half_replaced(case: Case, tmp_path: Path, point: str) -> None:
    """Killed, and then a block of the database cannot be read: the way out is the same as ever, and nothing is lost."""
    home = case.home(tmp_path / "home")
    assert case.world.sbf(home, "rebuild", SBF_FAULT=f"{point}:1:kill").returncode == -signal.SIGKILL
    cut(home / "sbf.duckdb", metadata_blocks(home / "sbf.duckdb")[0])
    done = case.world.sbf(home, "run")
    assert done.returncode in (0, 3), done.stderr
    assert done.returncode == 0 or "run `sbf rebuild`" in done.stderr
    case.settle(home)


@pytest.mark.parametrize("kind", ["full", pytest.param("denied", marks=pytest.mark.slow)])
def test_a_rebuild_that_cannot_take_the_place(case: Case, tmp_path: Path, kind: str) -> None:
    """The old database keeps its name, and has no other:
    what stands in backups is no second name of what is written.
    """
    home = case.home(tmp_path / "home")
    is_environment_fault(case.world.sbf(home, "rebuild", SBF_FAULT=f"rebuild.kept:1:{kind}"), "")
    assert digests(home) == case.wrong
    assert not list((home / "backups").glob("*.duckdb"))
    assert (home / "sbf.duckdb").stat().st_nlink == 1
    case.settle(home)


@pytest.mark.parametrize(
    "byte_count", [pytest.param(4096, marks=pytest.mark.slow), pytest.param(300_000, marks=pytest.mark.slow), 1_000_000]
)
def test_a_rebuild_whose_files_cannot_grow(case: Case, tmp_path: Path, byte_count: int) -> None:
    home = case.home(tmp_path / "home")
    command = [sys.executable, "-c", LIMITED, "RLIMIT_FSIZE", str(byte_count), "rebuild"]
    environment = case.world.environment(home)
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=HANG_SECONDS)
    is_environment_fault(done, "")
    assert digests(home) == case.wrong
    case.settle(home)


@pytest.mark.parametrize(
    "kilobytes",
    [
        pytest.param(64, marks=pytest.mark.slow),
        pytest.param(1024, marks=pytest.mark.slow),
        2560,
        pytest.param(5120, marks=pytest.mark.slow),
    ],
)
def test_a_rebuild_on_a_disk_that_is_full(case: Case, tmp_path: Path, kilobytes: int) -> None:
    """So much is left beside the home. Closing the new database fails without a word then,
    and leaves its rows in its log.
    """
    disk = tmp_path / "disk"
    if not has_tmpfs(disk):
        pytest.skip("small file systems cannot be made here")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=100m", "tmpfs", str(disk)], check=True)
    try:
        home = case.home(disk / "home")
        used = shutil.disk_usage(disk).used // 1024
        subprocess.run(["mount", "-o", f"remount,size={used + kilobytes}k", str(disk)], check=True)
        done = case.world.sbf(home, "rebuild")
        if done.returncode:
            is_environment_fault(done, "")
            assert digests(home) in (case.wrong, case.right), "the old one, or the new one, whole"
        subprocess.run(["mount", "-o", "remount,size=100m", str(disk)], check=True)
        case.settle(home)
    finally:
        subprocess.run(["umount", str(disk)], check=True)

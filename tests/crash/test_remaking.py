"""Kill it while a table is made again: the table is the old one or the new one,
and the next run ends as if nothing had happened.

A home has a first day; then the plugin is upgraded to one that declares both datasets otherwise, and the second day
waits. Runs are real processes of the real command line.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import figures
from hang import HANG_SECONDS
from world import PLUGIN, World, ask, digests

from sbf_core.faults import FAULT_POINTS

pytestmark = pytest.mark.skipif(os.name != "posix", reason="kills with signals that only POSIX knows")
#: A column has another name and type; a dataset and its table have other names, and its old one is a view.
UPGRADE = {
    "close: Decimal | None = column(precision=18, scale=4)": (
        'price: Decimal | None = column(precision=12, scale=2, renamed_from=("close",))'
    ),
    'dataset="members", silver_table="world_member"': (
        'dataset="people", silver_table="world_people", '
        'renamed_from=("reference/world/members", "silver.world_member"), keep_view=True'
    ),
    "p.close": "p.price",
}  # fmt: skip
ROOMS = ("remake", "promote", "bronze", "journal", "manifest", "gold", "run")
POINTS = [point for point in FAULT_POINTS if point.split(".")[0] in ROOMS]
EXIT = {"kill": -signal.SIGKILL, "full": 6, "io": 6, "raise": 70}
LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
sys.argv = ["sbf", *sys.argv[2:]]
from sbf_core.cli.main import main
main()
"""


def upgraded(world: World) -> World:
    """The same world with the new plugin."""
    other = World(world.folder)
    other.site = world.folder / "upgraded"
    text = PLUGIN
    for old, new in UPGRADE.items():
        assert old in text
        text = text.replace(old, new)
    info = other.site / "sbf_world-2.0.dist-info"
    info.mkdir(parents=True)
    (other.site / "sbf_world.py").write_text(text)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: sbf-world\nVersion: 2.0\n")
    (info / "entry_points.txt").write_text("[sbf.plugins]\nworld = sbf_world\n")
    return other


class Upgrade:
    """What a run after the upgrade comes to, and how often it reaches each point."""

    def __init__(self, old: World) -> None:
        self.old, self.world = old, upgraded(old)
        self.settled = 0
        count = old.folder / "count.json"
        undisturbed = self.home("undisturbed")
        states = [digests(undisturbed)]
        only = self.home("only-silver")
        assert self.world.sbf(only, "run", "--only", "silver").returncode == 0
        states.append(digests(only))
        began = time.monotonic()
        child = self.world.start(undisturbed, "run", SBF_FAULT=f"count:{count}")
        said = child.communicate()
        self.seconds = time.monotonic() - began
        assert child.returncode == 0, said
        self.wanted = digests(undisturbed)
        self.counts: dict[str, int] = json.loads(count.read_text())
        #: Per silver table what it may be while the run is at work: as it was, made again, and with the second day.
        self.allowed: dict[str, set[tuple[int, str]]] = {}
        for state in (*states, self.wanted):
            for table, what in state.items():
                self.allowed.setdefault(table, set()).add(what)

    def home(self, name: str) -> Path:
        home = self.old.folder / name.replace(":", "-").replace("@", "-")
        self.old.first_day(home)
        return home

    def is_old_or_new(self, found: Mapping[str, tuple[int, str]]) -> None:
        for table, what in found.items():
            assert what in self.allowed[table], table
        one, other = "silver.world_member", "silver.world_people"
        assert (one in found) != (other in found), "one of its names, never both, never none"
        assert "silver.world_eod" in found

    def settle(self, home: Path) -> None:
        """One clean run, and every promise about what it leaves."""
        self.is_old_or_new(digests(home))
        clean = self.world.sbf(home, "run")
        assert clean.returncode == 0, clean.stderr
        assert digests(home) == self.wanted
        assert self.world.findings(home) == []
        assert ask(home, "SELECT count(*) FROM silver.world_member") == ask(
            home, "SELECT count(*) FROM silver.world_people"
        )
        assert ask(home, "SELECT bronze_file_id FROM ops.promotion_manifest GROUP BY 1 HAVING count(*) > 1") == []
        assert ask(home, "SELECT count(*) FROM ops.file_ingestions WHERE kind = 'run' AND status = 'running'") == [(0,)]
        assert not list((home / "staging").iterdir())
        assert not [
            path for path in home.iterdir() if path.name.startswith(("remade", ".")) and path.suffix == ".duckdb"
        ]
        self.settled += 1
        if self.settled % 4 == 0:
            assert self.world.sbf(home, "run").stdout.startswith("Nothing was due")
        shutil.rmtree(home)


@pytest.fixture(scope="module")
def upgrade(tmp_path_factory: pytest.TempPathFactory) -> Upgrade:
    return Upgrade(World(tmp_path_factory.mktemp("remaking")))


def test_the_upgrade_is_as_if_the_plugin_had_always_been_so(upgrade: Upgrade, tmp_path: Path) -> None:
    home = tmp_path / "home"
    for day in (0, 1):
        upgrade.world.set_day(home, day)
        assert upgrade.world.sbf(home, "run", day=day).returncode == 0
    found, renamed = digests(home), ("silver.world_people", "silver.world_people_history")
    assert {table: what for table, what in found.items() if table not in renamed} == {
        table: what for table, what in upgrade.wanted.items() if table not in renamed
    }
    for table in renamed:  # a payload's id tells of the identity under which it came
        rows = f"SELECT * EXCLUDE (_bronze_file_id, _run_id) FROM {table} ORDER BY ALL"
        assert ask(home, rows) == ask(upgrade.old.folder / "undisturbed", rows)


@pytest.mark.parametrize("every", [False, pytest.param(True, marks=pytest.mark.slow)])
@pytest.mark.parametrize("point", POINTS)
def test_killed_at(upgrade: Upgrade, point: str, every: bool) -> None:
    """Two tables are made again, then two are promoted into: at the first, the middle or the last time that these reach
    it, by turns, and `-m slow` at each; at others once.
    """
    number = upgrade.counts.get(point, 0)
    if not number:
        pytest.skip("a home that is there does not reach it")
    all_of_them = sorted({1, (number + 1) // 2, number}) if point.startswith(("remake.", "promote.")) else [1]
    turn = POINTS.index(point) % len(all_of_them)
    for occurrence in all_of_them if every else all_of_them[turn : turn + 1]:
        home = upgrade.home(f"{point}-{occurrence}")
        died = upgrade.world.sbf(home, "run", SBF_FAULT=f"{point}:{occurrence}:kill")
        assert died.returncode == -signal.SIGKILL, died.stderr
        upgrade.settle(home)
        figures.add("killed while a table was made again")


@pytest.mark.parametrize("kind", [pytest.param("io", marks=pytest.mark.slow), "full", "raise"])
@pytest.mark.parametrize("point", [point for point in POINTS if point.startswith(("remake.", "promote."))])
def test_fails_at(upgrade: Upgrade, point: str, kind: str) -> None:
    """A full disk, a broken one, a bug: one line, and nothing is lost."""
    number = upgrade.counts[point]
    for occurrence in sorted({1, number}) if kind == "io" else [1 if kind == "full" else number]:
        home = upgrade.home(f"{point}-{occurrence}-{kind}")
        done = upgrade.world.sbf(home, "run", SBF_FAULT=f"{point}:{occurrence}:{kind}")
        assert done.returncode == EXIT[kind], (done.returncode, done.stderr)
        assert "Traceback" not in done.stderr
        upgrade.settle(home)
        figures.add("writes that failed")


def test_killed_twice(upgrade: Upgrade) -> None:
    """The run dies, and so does the next one, each at another place."""
    for first, second in (
        ("remake.promoted:1", "remake.begun:1"),
        ("remake.swapping:2", "remake.swapped:1"),
        ("promote.merged:1", "remake.swapped:2"),
    ):
        home = upgrade.home(f"{first}-{second}")
        for point in (first, second):
            assert upgrade.world.sbf(home, "run", SBF_FAULT=f"{point}:kill").returncode in (-signal.SIGKILL, 0)
        upgrade.settle(home)


def test_killed_at_any_moment(upgrade: Upgrade) -> None:
    """The seed is in the name of the home, which a failure shows."""
    seed = random.SystemRandom().randrange(1 << 30)
    source = random.Random(seed)
    for number in range(8):
        home = upgrade.home(f"random-{seed}-{number}")
        child = upgrade.world.start(home, "run")
        with suppress(subprocess.TimeoutExpired):
            child.wait(timeout=source.uniform(0.2, 1.0) * upgrade.seconds)
        child.kill()
        child.communicate()
        upgrade.settle(home)
        figures.add("killed at a random moment")


@pytest.mark.parametrize("byte_count", [20_000, 300_000, 600_000, 1_000_000, 1_400_000, 2_000_000])
def test_files_that_cannot_grow(upgrade: Upgrade, byte_count: int) -> None:
    """The system itself refuses to write beyond a size: the database, the one beside it, their logs."""
    home = upgrade.home(f"limit-{byte_count}")
    command = [sys.executable, "-c", LIMITED, str(byte_count), "run"]
    done = subprocess.run(
        command, env=upgrade.world.environment(home), capture_output=True, text=True, timeout=HANG_SECONDS
    )
    assert done.returncode in (0, 6), done.stderr
    assert "Traceback" not in done.stderr
    upgrade.settle(home)

"""Kill it anywhere: the next run ends in the state as if nothing had happened.

Runs are real processes of the real command line. Two of them are killed: the replay of a recording into a new home, and
the second day of a home that asks its sources. Each fault point is struck at its first, middle and last occurrence, and
those that several files pass at each file: how often a run tells what it is doing depends on the clock, all else does
not. Afterwards one clean run, and then: the digests of every silver and gold table equal those of a run that was never
disturbed, `sbf verify` finds nothing, no run is left open, and a further run has nothing to do.
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
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import duckdb
import pytest

sys.path.insert(0, str(Path(__file__).parent))
import figures
from asking import answer_of
from world import World, ask, digests

from sbf_core.duck.config import DuckDbConfig
from sbf_core.duck.publish import current_publication
from sbf_core.duck.publish_tables import published_tables
from sbf_core.faults import FAULT_POINTS
from sbf_core.ops.queries import load_table_versions

pytestmark = pytest.mark.skipif(os.name != "posix", reason="kills with signals that only POSIX knows")
SIGNALS = {"kill": -signal.SIGKILL, "term": 143, "int": 130}
#: Points that only an older or damaged database, a late payload, a changed declaration, a recovery or packs reach;
#: tests of their own strike them.
ELSEWHERE = {
    "home.in_use",
    "migrate.before",
    "migrate.backed_up",
    "migrate.done",
    *(
        point
        for point in FAULT_POINTS
        if point.startswith(("rebuild.", "recover.", "replace.", "remake.", "backup.", "restore.", "clean.", "pack."))
    ),
}
#: Where one process is in at a time; ``whole.`` is passed by several files, struck by turns elsewhere.
STRUCK = [point for point in FAULT_POINTS if point not in ELSEWHERE and not point.startswith("whole.")]
#: What packs change: how payloads come to the disk, until the ledger knows them.
PACKING = [point for point in FAULT_POINTS if point.startswith(("pack.", "journal.", "manifest.", "bronze.synced"))]
MODES = ("replay", "second day")
#: Written when a run begins, as often as the clock says while it works, and at its end.
LIVE = "live.json"
#: The last steps: a signal that can be caught may come too late to stop anything.
LAST_STEPS = ("publish.named", "whole.half@current.json", "whole.written@current.json", "publish.done", "home.closed")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> World:
    return World(tmp_path_factory.mktemp(f"world-{worker_id}"))


def gold_versions(home: Path) -> dict[str, str]:
    """What the ledger says of the gold tables, as those who publish them keep it."""

    def told(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
        return {name: version for name, version in load_table_versions(connection).items() if name.startswith("gold.")}

    def opened() -> dict[str, str]:
        with duckdb.connect(str(home / "sbf.duckdb"), read_only=True) as connection:
            return told(connection)

    return answer_of(home / "sbf.duckdb", told, otherwise=opened)


@pytest.fixture(scope="module")
def packing(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> World:
    return World(tmp_path_factory.mktemp(f"packing-{worker_id}"), small="packs")


class Case:
    """One way to run, with what it must come to."""

    def __init__(self, world: World, mode: str) -> None:
        self.world = world
        self.arguments = ("run", "--replay", str(world.recording)) if mode == "replay" else ("run",)
        self.mode = mode
        self.settled = self.made = 0
        undisturbed = self.home("undisturbed")
        count = world.folder / f"count-{mode.replace(' ', '-')}.json"
        began = time.monotonic()
        child = world.start(undisturbed, *self.arguments, SBF_FAULT=f"count:{count}")
        said = child.communicate()
        self.seconds = time.monotonic() - began
        assert child.returncode == 0, said
        self.counts: dict[str, int] = json.loads(count.read_text())
        self.wanted = digests(undisturbed)

    def home(self, name: str) -> Path:
        """A home of its own, before the run that is to be stopped."""
        self.made += 1  # two tests strike the same point
        name = f"{self.mode}-{self.made}-{name}".replace(" ", "-").replace(":", "-").replace("@", "-")
        home = self.world.folder / name
        if self.mode == "second day":
            self.world.first_day(home)
        return home

    def strikes(self, point: str) -> list[tuple[str, int]]:
        """Where to strike at a point: by the names of the things that pass it,
        where they have any, and how many times it is then reached.
        """
        names = sorted(name for name in self.counts if name.startswith(f"{point}@")) or [point]
        return [
            (name, occurrence)
            for name in names
            for occurrence in occurrences(2 if name.endswith(f"@{LIVE}") else self.counts.get(name, 0))
        ]

    def settle(self, home: Path) -> None:
        """One clean run, and every promise about what it leaves. The home is removed where all hold: a thousand of
        them do not fit into memory.
        """
        clean = self.world.sbf(home, *self.arguments)
        assert clean.returncode == 0, clean.stderr
        assert digests(home) == self.wanted
        assert self.world.findings(home) == []
        assert ask(home, "SELECT count(*) FROM ops.file_ingestions WHERE kind = 'run' AND status = 'running'") == [(0,)]
        assert (
            ask(home, "SELECT subject FROM ops.file_ingestions GROUP BY run_id, kind, subject HAVING count(*) > 1")
            == []
        )
        assert not list((home / "staging").iterdir())
        tables, copy = published_tables(DuckDbConfig(home=home)), current_publication(DuckDbConfig(home=home))
        assert {name: one.version for name, one in tables.items()} == gold_versions(home), (
            "readers have what the database has"
        )
        assert copy is not None
        assert copy.has_all_rows
        assert not list((home / "bronze").rglob("*.tmp"))
        self.settled += 1
        if self.settled % 4 == 0:  # the rest of the promise, for every fourth: it takes as long as all the others
            again = self.world.sbf(home, *self.arguments)
            assert again.stdout.startswith("Nothing was due"), again.stdout + again.stderr
        shutil.rmtree(home)


@pytest.fixture(scope="module")
def cases(world: World) -> dict[str, Case]:
    return {}


@pytest.fixture(scope="module")
def packing_cases(packing: World) -> dict[str, Case]:
    return {}


def case_of(cases: dict[str, Case], world: World, mode: str) -> Case:
    if mode not in cases:
        cases[mode] = Case(world, mode)
    return cases[mode]


def occurrences(number: int) -> list[int]:
    return sorted({1, (number + 1) // 2, number}) if number else []


@pytest.mark.parametrize("point", [point for point in FAULT_POINTS if point not in ELSEWHERE])
def test_killed_at(world: World, cases: dict[str, Case], point: str) -> None:
    """The first occurrence, with SIGKILL; where several files pass a point, with another signal at every second. All
    with all is slow, and so is the second day, of which the tests at any moment strike some.
    """
    other = ("term", "int")[FAULT_POINTS.index(point) % 2]
    kinds: dict[str, str] = {}

    def chosen(name: str, kind: str, occurrence: int) -> bool:
        turn = kinds.setdefault(name, "kill" if len(kinds) % 2 == 0 else other)
        return occurrence == 1 and kind == turn

    strike(case_of(cases, world, "replay"), point, chosen)


@pytest.mark.parametrize("point", [point for point in STRUCK if FAULT_POINTS.index(point) % 3 < 2])
def test_stopped_at(world: World, cases: dict[str, Case], point: str) -> None:
    """The same with a signal that can be caught, at a third of the points for each of them; the rest is slow."""
    turn = FAULT_POINTS.index(point) % 3
    strike(
        case_of(cases, world, "replay"),
        point,
        lambda name, kind, occurrence: occurrence == 1 and kind == ("term", "int")[turn],
    )


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("point", PACKING)
def test_killed_while_packing(packing: World, packing_cases: dict[str, Case], mode: str, point: str) -> None:
    """What a crash leaves in a pack, behind the last payload that a journal names, is no payload and stays in none."""
    turn = PACKING.index(point) % 2 == MODES.index(mode)
    case = case_of(packing_cases, packing, mode)
    strike(case, point, lambda name, kind, occurrence: kind == "kill" and (turn or occurrence == 1))


def test_packs_hold_the_same_rows_as_files(
    world: World, cases: dict[str, Case], packing: World, packing_cases: dict[str, Case]
) -> None:
    for mode in MODES:
        assert case_of(packing_cases, packing, mode).wanted == case_of(cases, world, mode).wanted


@pytest.mark.slow
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("point", PACKING)
def test_killed_while_packing_with_every_signal(
    packing: World, packing_cases: dict[str, Case], mode: str, point: str
) -> None:
    strike(case_of(packing_cases, packing, mode), point, lambda name, kind, occurrence: True)


@pytest.mark.slow
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("point", [point for point in FAULT_POINTS if point not in ELSEWHERE])
def test_killed_at_with_every_signal(world: World, cases: dict[str, Case], mode: str, point: str) -> None:
    strike(case_of(cases, world, mode), point, lambda name, kind, occurrence: True)


def strike(case: Case, point: str, chosen: Callable[[str, str, int], bool]) -> None:
    world, mode = case.world, case.mode
    strikes = case.strikes(point)
    if not strikes:
        assert mode == "second day" and point in ("migrate.applied", "home.filled", "home.made", "promote.preparing"), (
            "a point that nothing reaches"
        )
        return
    assert ("@" in strikes[0][0]) == point.startswith("whole."), "several files pass it: it is struck at each"
    for name, occurrence in strikes:
        for kind in SIGNALS:
            if not chosen(name, kind, occurrence):
                continue
            home = case.home(f"{name}-{occurrence}-{kind}")
            died = world.sbf(home, *case.arguments, SBF_FAULT=f"{name}:{occurrence}:{kind}")
            ended = died.returncode == SIGNALS[kind] or (kind != "kill" and name in LAST_STEPS and died.returncode == 0)
            assert ended, (name, occurrence, kind, died.returncode, died.stderr)
            assert "Traceback" not in died.stderr
            for file in (home / LIVE, *(home / "published").glob("*.json")):
                assert not file.exists() or json.loads(file.read_text()), "whole or not there at all"
            case.settle(home)
            figures.add(f"stopped at a point by {kind}")


@pytest.mark.parametrize(
    "first",
    [
        "bronze.half:3",
        "bronze.renamed:2",
        "journal.half:1",
        "journal.synced:1",
        "manifest.recorded:1",
        "promote.merged:1",
        "gold.applied:1",
    ],
)
@pytest.mark.parametrize("point", [point for point in FAULT_POINTS if point.startswith("recover.")])
def test_killed_while_recovering(world: World, cases: dict[str, Case], first: str, point: str) -> None:
    """The run dies, then its recovery does, then the recovery of that."""
    killed_while_recovering(case_of(cases, world, "replay"), first, point)


@pytest.mark.parametrize("first", ["pack.half:2", "pack.synced:1", "journal.half:1"])
@pytest.mark.parametrize("point", [point for point in FAULT_POINTS if point.startswith("recover.")])
def test_killed_while_recovering_packs(packing: World, packing_cases: dict[str, Case], first: str, point: str) -> None:
    killed_while_recovering(case_of(packing_cases, packing, "replay"), first, point)


def killed_while_recovering(case: Case, first: str, point: str) -> None:
    world = case.world
    dead = world.folder / f"dead-{first.replace(':', '-')}"
    if not dead.exists():
        assert world.sbf(dead, *case.arguments, SBF_FAULT=f"{first}:kill").returncode == -signal.SIGKILL
    home = case.home(f"{first}-{point}")
    shutil.copytree(dead, home)
    for _ in range(2):
        assert world.sbf(home, *case.arguments, SBF_FAULT=f"{point}:1:kill").returncode in (-signal.SIGKILL, 0)
    case.settle(home)
    figures.add("killed while recovering")


def moments(seed: int, number: int) -> Iterator[float]:
    """Shares of the time that a run takes on this machine, which may be busy."""
    source = random.Random(seed)
    for _ in range(number):
        yield source.uniform(0.02, 1.0)


def killed_at_random(world: World, case: Case, home: Path, moment: float) -> None:
    child = world.start(home, *case.arguments)
    with suppress(subprocess.TimeoutExpired):
        child.wait(timeout=moment * case.seconds)
    child.kill()
    child.communicate()


@pytest.mark.parametrize("mode", MODES)
def test_killed_at_any_moment(world: World, cases: dict[str, Case], mode: str) -> None:
    """A few kills at random moments; `-m slow` does 500. The seed is in the name of the home, which a failure shows."""
    case = case_of(cases, world, mode)
    seed = random.SystemRandom().randrange(1 << 30)
    for number, moment in enumerate(moments(seed, 8)):
        home = case.home(f"random-{seed}-{number}")
        killed_at_random(world, case, home, moment)
        case.settle(home)
        figures.add("killed at a random moment")


@pytest.mark.slow
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("part", range(10))
def test_killed_500_times_at_any_moment(world: World, cases: dict[str, Case], part: int) -> None:
    seed = int(os.environ.get("SBF_KILL_SEED", "20261123")) + part
    print(f"seed {seed}")
    for number, moment in enumerate(moments(seed, 50)):
        case = case_of(cases, world, MODES[number % 2])
        home = case.home(f"slow-{seed}-{number}")
        killed_at_random(world, case, home, moment)
        if number % 3 == 0:
            killed_at_random(world, case, home, moment)
        case.settle(home)
        figures.add("killed at a random moment")

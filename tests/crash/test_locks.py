"""Two runs at once, readers beside a run, and being stopped in good order."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from hang import HANG_SECONDS, wait_until
from world import World, digests

posix = pytest.mark.skipif(os.name != "posix", reason="signals that only POSIX knows")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> World:
    return World(tmp_path_factory.mktemp(f"locks-{worker_id}"))


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@contextmanager
def held(world: World, home: Path, point: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A run that waits at a point until the block ends."""
    mark = home.with_name("mark")
    child = world.start(home, *arguments, SBF_FAULT=f"{point}:1:hold", SBF_FAULT_MARK=str(mark))
    try:
        wait_until(mark.exists, child=child)
        yield child
    finally:
        mark.unlink(missing_ok=True)
        if child.stdout is not None and not child.stdout.closed:
            child.communicate(timeout=HANG_SECONDS)


def replay(world: World) -> tuple[str, ...]:
    return ("run", "--replay", str(world.recording))


def test_a_second_run_is_told_who_works(world: World, home: Path) -> None:
    with held(world, home, "promote.merged", *replay(world)) as child:
        done = world.sbf(home, *replay(world))
        assert child.poll() is None, "told while the other one is at work"
        assert done.returncode == 4
        assert f"in use by process {child.pid}" in done.stderr
        assert json.loads((home / "holder.json").read_text())["since"] in done.stderr
        assert done.stdout == ""


def test_a_run_may_wait_for_another(world: World, home: Path) -> None:
    with held(world, home, "gold.begun", *replay(world)) as child:
        met = home.with_name("met")
        waiting = world.start(
            home, *replay(world), "--wait", str(HANG_SECONDS), SBF_FAULT="home.in_use:1:hold", SBF_FAULT_MARK=str(met)
        )
        wait_until(met.exists, child=waiting)
        home.with_name("mark").unlink()
        assert child.wait(HANG_SECONDS) == 0
        met.unlink()
    out, err = waiting.communicate(timeout=HANG_SECONDS)
    assert waiting.returncode == 0, err
    assert out.startswith("Nothing was due")


def test_of_eight_runs_at_once_each_works_or_is_told(world: World, home: Path) -> None:
    children = [world.start(home, *replay(world)) for _ in range(8)]
    answers = [(child.communicate(timeout=HANG_SECONDS), child.returncode) for child in children]
    codes = [code for _, code in answers]
    assert set(codes) <= {0, 4}, [err for (_, err), code in answers if code not in (0, 4)]
    assert 0 in codes
    assert all("error[LOCKED]" in err for (_, err), code in answers if code == 4)
    once = home.with_name("once")
    assert world.sbf(once, *replay(world)).returncode == 0
    assert digests(home) == digests(once)
    assert world.findings(home) == []


def test_the_second_of_two_first_runs_is_told_while_the_first_makes_the_database(world: World, home: Path) -> None:
    with held(world, home, "home.filled", *replay(world)) as first:
        second = world.sbf(home, *replay(world))
        assert (second.returncode, f"in use by process {first.pid}" in second.stderr) == (4, True)
        home.with_name("mark").unlink()
        _, err = first.communicate(timeout=HANG_SECONDS)
        assert first.returncode == 0, err
    assert world.sbf(home, *replay(world)).stdout.startswith("Nothing was due")
    assert list(home.glob(".*.new*")) == []


@posix
def test_the_lock_of_a_dead_process_is_no_lock(world: World, home: Path) -> None:
    assert world.sbf(home, *replay(world), SBF_FAULT="promote.begun:1:kill").returncode == -signal.SIGKILL
    holder = json.loads((home / "holder.json").read_text())
    (home / "holder.json").write_text(
        json.dumps({**holder, "pid": os.getpid()})
    )  # the pid belongs to somebody else by now
    assert world.sbf(home, *replay(world)).returncode == 0


def test_readers_never_meet_a_run(world: World, home: Path) -> None:
    """While a run holds the home, they read what the last one left; the run does not notice."""
    world.first_day(home)
    rows = world.sbf(home, "sql", "SELECT count(*) AS n FROM silver.world_eod").stdout
    with held(world, home, "promote.recorded", "run") as child:
        for arguments in (("status",), ("runs",), ("digest",), ("sql", "SELECT count(*) AS n FROM silver.world_eod")):
            done = world.sbf(home, *arguments)
            assert done.returncode == 0, done.stderr
            assert "a run is at work" in done.stderr
        assert done.stdout == rows
        assert world.sbf(home, "verify").returncode == 4, "an older copy cannot be compared with files of now"
        home.with_name("mark").unlink()
        assert child.wait(HANG_SECONDS) == 0
    after = world.sbf(home, "sql", "SELECT count(*) AS n FROM silver.world_eod")
    assert after.stdout != rows
    assert after.stderr == ""


def test_readers_see_a_run_that_left_no_copy(world: World, home: Path) -> None:
    """A run with nothing to do leaves none; its own record is there all the same."""
    for number in (1, 2):
        assert world.sbf(home, *replay(world)).returncode == 0
        assert len(json.loads(world.sbf(home, "runs", "--json").stdout)["runs"]) == number


def test_a_run_never_meets_a_reader(world: World, home: Path) -> None:
    world.first_day(home)
    script = (
        "import sys; sys.argv = ['sbf']; from sbf_core.cli.reading import reading; "
        f"from sbf_core.home.home import Home\nwith reading(Home.at({str(home)!r})) as cursor:\n"
        "    print(cursor.execute('FROM silver.world_eod').fetchone() is not None, flush=True); sys.stdin.read()"
    )
    reader = subprocess.Popen(
        [sys.executable, "-c", script],
        env=world.environment(home),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert reader.stdout is not None
        assert reader.stdout.readline() == "True\n"
        assert world.sbf(home, "run").returncode == 0
    finally:
        reader.communicate("")


def test_a_backup_while_a_run_works(world: World, home: Path, tmp_path: Path) -> None:
    world.first_day(home)
    for number, point in enumerate(("bronze.renamed", "journal.synced", "promote.merged", "gold.applied")):
        target, new = tmp_path / f"backup{number}", tmp_path / f"new{number}"
        other = tmp_path / f"home{number}"
        world.first_day(other)
        with held(world, other, point, "run"):
            done = world.sbf(other, "backup", str(target))
            assert done.returncode == 0, done.stderr
            assert "database: of run" in done.stdout
        assert world.sbf(new, "restore", str(target)).returncode == 0
        assert world.findings(new) == []
        world.set_day(new, 1)
        assert world.sbf(new, "run").returncode == 0
        assert digests(new) == digests(other)


@posix
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_once_ends_in_order(world: World, home: Path, number: int) -> None:
    """What came is kept, the run is on record as interrupted, and the lock is free."""
    with held(world, home, "fetch.answered", *replay(world)) as child:
        child.send_signal(number)
        _, err = child.communicate(timeout=HANG_SECONDS)
        assert child.returncode == 128 + number
        assert "interrupted; the next run goes on from here" in err
        assert "Traceback" not in err
    runs = json.loads(world.sbf(home, "runs", "--json").stdout)["runs"]
    assert [run["status"] for run in runs] == ["interrupted"], (runs, err)
    assert world.sbf(home, *replay(world)).returncode == 0
    assert world.findings(home) == []


@posix
def test_stopped_twice_ends_at_once(world: World, home: Path) -> None:
    mark = home.with_name("mark")
    child = world.start(home, *replay(world), SBF_FAULT="gold.applied:1:hold", SBF_FAULT_MARK=str(mark))
    wait_until(mark.exists, child=child)
    os.kill(child.pid, signal.SIGSTOP)  # so that both arrive together
    child.send_signal(signal.SIGTERM)
    child.send_signal(signal.SIGINT)
    os.kill(child.pid, signal.SIGCONT)
    child.communicate(timeout=HANG_SECONDS)
    assert child.returncode in (128 + signal.SIGINT, 128 + signal.SIGTERM)
    assert mark.exists()
    mark.unlink()
    assert (home / "holder.json").exists(), "it did not stay to put anything in order"
    assert world.sbf(home, *replay(world)).returncode == 0
    assert world.findings(home) == []

"""Every command against every fault of the machine and the engine: exit code, ledger, home, and what the next one does.

The commands run in this process, through the script's own ``main``. What they must come to stands in ``fault_table``.
"""

from __future__ import annotations

import gc
import hashlib
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from fault_table import MEMORY, Command, Fault, cells, is_usual
from world import World, ask, digests

from sbf_core import faults, signals
from sbf_core.cli.main import main

Sbf = Callable[..., int]


class _Left(BaseException):
    """In the place of the end of the process."""

    def __init__(self, code: int) -> None:
        self.code = code


def _leave(code: int) -> None:
    raise _Left(code)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> World:
    return World(tmp_path_factory.mktemp(f"faults-{worker_id}"))


@pytest.fixture
def sbf(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sbf]:
    """Runs a command in this process; returns its exit code."""
    monkeypatch.syspath_prepend(world.site)
    monkeypatch.delitem(sys.modules, "sbf_world", raising=False)  # another test's may be of another site
    monkeypatch.setattr(signals, "install", lambda: None)
    monkeypatch.setattr(signals, "leave", _leave)

    def call(home: Path, *arguments: str) -> int:
        for name, value in world.environment(home).items():
            if name.startswith("SBF_"):
                monkeypatch.setenv(name, value)
        monkeypatch.setenv("SBF_ISOLATE", "none")
        monkeypatch.setattr(sys, "argv", ["sbf", *arguments])
        try:
            main()
        except _Left as left:
            return left.code
        raise AssertionError("it did not leave")

    mask, often = os.umask(0o077), gc.get_threshold()
    yield call
    faults.arm("")
    os.umask(mask)
    gc.set_threshold(*often)


def home_like(world: World, sbf: Sbf, what: str) -> Path:
    """A home that no test may change; made once."""
    home = world.folder / "like" / what.replace(" ", "-")
    if home.exists():
        return home
    making = home.with_name(f"{home.name}-making")
    making.parent.mkdir(exist_ok=True)
    if what == "new day":
        world.first_day(making)
    elif what == "none":
        assert sbf(home_like(world, sbf, "done"), "backup", str(world.folder / "kept")) == 0
        making.mkdir()
    else:
        shutil.copytree(home_like(world, sbf, "new day" if what in ("waiting", "done") else "done"), making)
    if what in ("waiting", "done"):
        assert sbf(making, "run", *(("--only", "bronze") if what == "waiting" else ())) == 0
    if what == "hurt":
        with duckdb.connect(str(making / "sbf.duckdb")) as connection:
            connection.execute("UPDATE silver.world_eod SET close = close + 1 WHERE symbol = 'AAA'")
    if what == "left over":
        (making / "backups").mkdir(exist_ok=True)
        for number in (1, 2):
            shutil.copyfile(
                making / "sbf.duckdb", making / "backups" / f"sbf-before-rebuild-2024010{number}T000000Z.duckdb"
            )
    making.rename(home)
    return home


def bytes_of(home: Path) -> str:
    return hashlib.sha256((home / "sbf.duckdb").read_bytes()).hexdigest()


def judged(home: Path) -> object:
    """What is on record against payloads and requests."""
    failed = "SELECT count(*) FROM ops.promotion_manifest WHERE status = 'failed'"
    return ask(
        home, f"{failed} UNION ALL SELECT count(*) FROM ops.file_ingestions WHERE status = 'failed' AND kind <> 'run'"
    )


@pytest.mark.parametrize(
    ("command", "point", "fault", "kind"),
    [
        pytest.param(
            *cell,
            id=f"{cell[0].name}-{cell[1]}-{cell[3]}".replace(" ", "_"),
            marks=() if is_usual(*cell) else pytest.mark.slow,
        )
        for cell in cells()
    ],
)
def test_a_command_that_meets_a_fault(
    world: World,
    sbf: Sbf,
    tmp_path: Path,
    command: Command,
    point: str,
    fault: Fault,
    kind: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    home, kept = tmp_path / "home", world.folder / "kept"
    shutil.copytree(home_like(world, sbf, command.home), home)
    shutil.rmtree(home / "published", ignore_errors=True)  # its views lead to the other home
    if command.home == "none":
        home.rmdir()
    wanted = digests(home_like(world, sbf, "done"))
    if "backup" in command.name:
        kept = tmp_path / "kept"
    arguments = [word.format(kept=kept, new=tmp_path / "new") for word in command.arguments]
    had = home.exists() and (bytes_of(home), digests(home), judged(home))
    capsys.readouterr()

    faults.arm(f"{point}:1:{kind}")
    code = sbf(home, *arguments)
    faults.arm("")
    told = capsys.readouterr().err
    assert code == fault.exit_code, told
    lines = [line for line in told.splitlines() if line.startswith("sbf: error")]
    assert [line.partition("]")[0] for line in lines] == ([f"sbf: error[{fault.error}"] if fault.error else []), told
    if had:
        after = bytes_of(home), digests(home), judged(home)
        assert after[2] == had[2], "nothing is held against a payload or a request"
        assert after[0] == had[0] or not command.leaves_home
        assert after[1] == had[1] or not (command.leaves_home or command.keeps_rows)
        assert ask(home, "SELECT count(*) FROM ops.file_ingestions WHERE kind = 'run' AND status = 'running'") == [(0,)]
        assert not list((home / "scratch").glob("*/*")), "no half of a database is left"
        if fault.name == MEMORY and point in command.goes_on:
            assert after[1] != had[1], "the others went on"

    if command.home == "none":  # what is half there is never taken for a home
        shutil.rmtree(home)
    assert sbf(home, *arguments) == 0, capsys.readouterr().err
    assert digests(home) == wanted
    assert judged(home) == [(0,), (0,)]

"""An older home is copied first and brought forward; killed at each step it is the old one or the new one.
And what only late payloads reach.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
import signal
import stat
import sys
from pathlib import Path

import duckdb
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from older_release import TABLES_OF_2, back_to_schema_1
from world import World, ask, digests, payloads

from sbf_core.bronze.file_writer import BronzeFileWriter
from sbf_core.duck.config import DuckDbConfig
from sbf_core.duck.migrate import latest_version, schema_version
from sbf_core.runs.request import RunRequest
from sbf_core.runs.result import RunResult

posix = pytest.mark.skipif(os.name != "posix", reason="signals and modes of POSIX")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> World:
    return World(tmp_path_factory.mktemp(f"migrations-{worker_id}"))


def first_schema(world: World, home: Path) -> None:
    """A home of the first release, after the first day."""
    world.first_day(home)
    with duckdb.connect(home / "sbf.duckdb") as conn:
        back_to_schema_1(conn)
    (home / "published" / "current.json").unlink()


@posix
@pytest.mark.parametrize(
    "point", ["migrate.before", "migrate.backed_up", "migrate.applied", "migrate.done", "home.open"]
)
@pytest.mark.parametrize("kind", ["kill", "full"])
def test_stopped_in_a_migration(world: World, tmp_path: Path, point: str, kind: str) -> None:
    home = tmp_path / "home"
    first_schema(world, home)
    for _ in range(3):
        done = world.sbf(home, "run", SBF_FAULT=f"{point}:1:{kind}")
        assert (
            done.returncode in ((-signal.SIGKILL,) if kind == "kill" else (6,))
            or point == "home.open"
            or done.returncode == 0
        ), done.stderr
        with duckdb.connect(home / "sbf.duckdb", read_only=True) as conn:
            version = schema_version(conn)
            there = {
                name
                for (name,) in conn.execute(
                    "SELECT table_name FROM duckdb_tables() WHERE schema_name = 'ops'"
                ).fetchall()
            }
        assert version in range(1, latest_version() + 1)
        assert there.issuperset(TABLES_OF_2) == (version >= 2)
    assert world.sbf(home, "run").returncode == 0
    assert world.findings(home) == []
    copies = list((home / "backups").glob("sbf-schema1-*.duckdb"))
    with duckdb.connect(copies[0], read_only=True) as conn:
        assert schema_version(conn) == 1
    again = tmp_path / "again"
    assert world.sbf(home, "rebuild", "--into", str(again)).returncode == 0
    assert digests(again, bronze=home / "bronze") == digests(home)


def test_a_newer_schema_is_refused_by_every_command_and_nothing_is_touched(world: World, tmp_path: Path) -> None:
    home = tmp_path / "home"
    world.first_day(home)
    with duckdb.connect(home / "sbf.duckdb") as conn:
        conn.execute("INSERT INTO ops.schema_migrations VALUES (99, 'future', '', TIMESTAMP '2030-01-01')")
    shutil.rmtree(home / "published")
    before = {path: path.read_bytes() for path in home.rglob("*") if path.is_file()}
    for arguments in (
        ("run",),
        ("status",),
        ("verify",),
        ("repair",),
        ("digest",),
        ("sql", "SELECT 1"),
        ("plan",),
        ("backup", str(tmp_path / "b")),
    ):
        done = world.sbf(home, *arguments)
        assert done.returncode == 5, (arguments, done.stderr)
        assert f"schema 99, this sbf knows up to {latest_version()}" in done.stderr
    assert {path: path.read_bytes() for path in home.rglob("*") if path.is_file()} == before


def write_late(home: Path, day: int, moment: dt.datetime) -> None:
    """A recording of one day's members at another moment."""
    writer = BronzeFileWriter(DuckDbConfig(home=home))
    request = RunRequest(run_id=f"late{day}", domain="reference", source="world", dataset="members")
    result = RunResult(
        request=request, address="members.json", payload=payloads(day)["members.json"] + b" ", fetched_at=moment
    )
    writer.publish([writer.stage(result)])
    writer.close()


@posix
@pytest.mark.parametrize(
    "point", ["promote.preparing", "promote.merged", "remake.promoted", "remake.swapping", "remake.swapped"]
)
def test_a_snapshot_that_comes_late_makes_the_table_again(world: World, tmp_path: Path, point: str) -> None:
    """Snapshots arrive in the wrong order: the end is that of the right order, also when the way there is cut."""
    late = tmp_path / "late"
    write_late(late, 1, dt.datetime(2024, 1, 3, tzinfo=dt.UTC))  # between the two days of the recording
    home, other = tmp_path / "home", tmp_path / "other"
    assert world.sbf(home, "run", "--replay", str(world.recording)).returncode == 0
    assert world.sbf(home, "run", "--replay", str(late), SBF_FAULT=f"{point}:1:kill").returncode == -signal.SIGKILL
    done = world.sbf(home, "run", "--replay", str(late))
    assert done.returncode == 0, done.stderr
    assert world.findings(home) == []
    shutil.copytree(home / "bronze", other / "bronze")
    assert world.sbf(other, "rebuild").returncode == 0
    assert digests(other) == digests(home)
    assert ask(home, "SELECT count(*) FROM silver.world_member_history WHERE known_from = TIMESTAMP '2024-01-03'") == [
        (1,)
    ]


@posix
@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_nobody_else_may_look(world: World, tmp_path: Path, umask: int) -> None:
    home = tmp_path / "home"
    before = os.umask(umask)
    try:
        assert world.sbf(home, "run", "--replay", str(world.recording)).returncode == 0
        assert world.sbf(home, "backup", str(tmp_path / "backup")).returncode == 0
        assert world.sbf(home, "rebuild").returncode == 0
        restored = tmp_path / "restored"  # by a command that calls no hook, after each of which it is set again
        assert world.sbf(restored, "restore", str(tmp_path / "backup")).returncode == 0
    finally:
        os.umask(before)
    for root in (home, tmp_path / "backup", restored):
        for path in (root, *root.rglob("*")):
            mode = stat.S_IMODE(path.lstat().st_mode)
            assert mode & 0o077 == 0, (path, oct(mode))
            if path.is_file() and "bronze" in path.parts and "_journal" not in path.parts:
                assert mode == 0o400, path
    shown = json.loads(world.sbf(home, "doctor", "--json").stdout)
    assert "permissions" not in [check["check"] for check in shown["checks"]]
    home.chmod(0o755)
    shown = json.loads(world.sbf(home, "doctor", "--json").stdout)
    assert ("permissions", "bad") in [(check["check"], check["state"]) for check in shown["checks"]]

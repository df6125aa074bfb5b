"""A backup is whole until a newer one is: whatever stops the newer one,
the folder can be restored, and the next backup mends it.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from pathlib import Path

import attrs
import pytest

from sbf_core.bronze.journal import JournalWriter, journal_files, read_journal

sys.path.insert(0, str(Path(__file__).parent))
import figures
from world import World, ask, digests

pytestmark = pytest.mark.skipif(os.name != "posix", reason="kills with signals that only POSIX knows")
POINTS = (
    "whole.half",
    "whole.written",
    "publish.half",
    "publish.copied",
    "backup.journals",
    "backup.database",
    "backup.named",
    "backup.done",
)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> World:
    return World(tmp_path_factory.mktemp(f"backups-{worker_id}"))


@pytest.fixture(scope="module")
def second(world: World) -> tuple[Path, Path, dict[str, int]]:
    """A home after its second day, its backup of the first day, and how often each point is reached when that grows."""
    home, kept = world.folder / "two-days", world.folder / "kept-of-day-one"
    world.first_day(home)
    assert world.sbf(home, "backup", str(kept), day=0).returncode == 0
    assert world.sbf(home, "run").returncode == 0
    counts, copy = world.folder / "count.json", world.folder / "counted"
    shutil.copytree(kept, copy)
    assert world.sbf(home, "backup", str(copy), SBF_FAULT=f"count:{counts}").returncode == 0
    return home, kept, json.loads(counts.read_text())


def strikes(counts: dict[str, int], point: str) -> list[str]:
    """Each file that passes a point once, and a point that none passes at its first, middle and last time."""
    named = sorted(name for name in counts if name.startswith(f"{point}@"))
    number = counts.get(point, 0)
    payloads = [name for name in named if name.endswith(".json") and not name.endswith(("backup.json", "current.json"))]
    chosen = [*payloads[:1], *payloads[-1:], *(name for name in named if name not in payloads)]
    return (
        [f"{name}:1" for name in chosen]
        if named
        else [f"{point}:{one}" for one in sorted({1, (number + 1) // 2, number} - {0})]
    )


@pytest.mark.parametrize("kind", ["kill", "full"])
@pytest.mark.parametrize(
    "point", [pytest.param(point, marks=[pytest.mark.slow] * point.startswith("whole.")) for point in POINTS]
)
def test_a_second_backup_that_fails_leaves_a_whole_one(
    world: World, second: tuple[Path, Path, dict[str, int]], tmp_path: Path, point: str, kind: str
) -> None:
    home, first, counts = second
    wanted = digests(home)
    struck = strikes(counts, point)
    assert struck, "a point that nothing reaches"
    for number, strike in enumerate(struck):
        kept, new = tmp_path / f"kept{number}", tmp_path / f"new{number}"
        shutil.copytree(first, kept)
        died = world.sbf(home, "backup", str(kept), SBF_FAULT=f"{strike}:{kind}")
        assert died.returncode == (-signal.SIGKILL if kind == "kill" else 6), died.stderr
        figures.add("backups that failed")
        restored = world.sbf(new, "restore", str(kept))
        assert restored.returncode == 0, (strike, restored.stderr)
        assert world.findings(new) == []
        world.set_day(new, 1)
        assert world.sbf(new, "run").returncode == 0
        assert digests(new) == wanted, strike
        again, other = world.sbf(home, "backup", str(kept)), tmp_path / f"other{number}"
        assert again.returncode == 0, again.stderr
        assert [path.name for path in kept.glob("sbf*.duckdb*")] == [
            json.loads((kept / "backup.json").read_text())["database_file"]
        ]
        if not number:
            assert world.sbf(other, "restore", str(kept)).returncode == 0
            assert digests(other) == wanted
            assert ask(other, "SELECT count(*) FROM ops.file_ingestions WHERE kind = 'run' AND status = 'rebuilt'") == [
                (0,)
            ], "the newer database"


@pytest.mark.parametrize("point", ["publish.half", "publish.copied", "backup.database"])
def test_the_database_of_the_first_backup_stays_as_it_is_until_the_second_is_named(
    world: World, second: tuple[Path, Path, dict[str, int]], tmp_path: Path, point: str
) -> None:
    """The log that a killed run leaves belongs to its own database: beside another one it would spoil it."""
    _, first, _ = second
    home, kept, new = tmp_path / "home", tmp_path / "kept", tmp_path / "new"
    world.first_day(home)
    assert world.sbf(home, "run", SBF_FAULT="run.finished:1:kill").returncode == -signal.SIGKILL
    assert (home / "sbf.duckdb.wal").exists()
    shutil.copytree(first, kept)
    assert world.sbf(home, "backup", str(kept), SBF_FAULT=f"{point}:1:kill").returncode == -signal.SIGKILL
    assert (kept / "sbf-1.duckdb").read_bytes() == (first / "sbf-1.duckdb").read_bytes()
    assert not (kept / "sbf-1.duckdb.wal").exists()
    assert world.sbf(new, "restore", str(kept)).returncode == 0
    assert world.findings(new) == []


def test_a_backup_of_an_older_release_is_restored(
    world: World, second: tuple[Path, Path, dict[str, int]], tmp_path: Path
) -> None:
    """Its database was called as the home's, and no file said so."""
    _, first, _ = second
    kept = tmp_path / "kept"
    shutil.copytree(first, kept)
    (kept / "sbf-1.duckdb").rename(kept / "sbf.duckdb")
    facts = json.loads((kept / "backup.json").read_text())
    del facts["database_file"]
    (kept / "backup.json").write_text(json.dumps(facts))
    assert world.sbf(tmp_path / "new", "restore", str(kept)).returncode == 0
    assert ask(
        tmp_path / "new", "SELECT count(*) FROM ops.file_ingestions WHERE kind = 'run' AND status = 'rebuilt'"
    ) == [(0,)], "its database was taken"


def test_a_backup_while_nothing_can_be_read_keeps_the_database_before(
    world: World, second: tuple[Path, Path, dict[str, int]], tmp_path: Path
) -> None:
    home, first, _ = second
    kept, other = tmp_path / "kept", tmp_path / "other"
    shutil.copytree(first, kept)
    shutil.copytree(home, other)
    (other / "sbf.duckdb").unlink()
    shutil.rmtree(other / "published")
    done = world.sbf(other, "backup", str(kept))
    assert done.returncode == 0, done.stderr
    assert (kept / "sbf-1.duckdb").exists()
    assert world.sbf(tmp_path / "new", "restore", str(kept)).returncode == 0
    assert world.findings(tmp_path / "new") == []


def test_a_home_whose_settings_block_plugins_is_restored(world: World, tmp_path: Path) -> None:
    """The settings come with the backup, so that they count for the restore, too."""
    home = tmp_path / "home"
    world.first_day(home)
    (home / "sbf.toml").write_text('[plugins]\nblock = ["sbf"]\n')
    assert world.sbf(home, "backup", str(tmp_path / "kept")).returncode == 0
    done = world.sbf(tmp_path / "new", "restore", str(tmp_path / "kept"))
    assert done.returncode == 0, done.stderr
    assert digests(tmp_path / "new") == digests(home)


@pytest.mark.parametrize(
    "kind", ["kill", pytest.param("term", marks=pytest.mark.slow), pytest.param("full", marks=pytest.mark.slow)]
)
@pytest.mark.parametrize(
    "point", ["restore.begun", "whole.half", "restore.journals", "publish.half", "publish.copied", "restore.database"]
)
def test_a_restore_that_was_stopped_goes_on(
    world: World, second: tuple[Path, Path, dict[str, int]], tmp_path: Path, point: str, kind: str
) -> None:
    """Until it has ended nothing else uses the home, and half of one backup is not filled up from another."""
    home, first, _ = second
    new, other = tmp_path / "new", tmp_path / "other"
    which = 3 if point == "whole.half" else 1  # the first two say that it has begun
    died = world.sbf(new, "restore", str(first), SBF_FAULT=f"{point}:{which}:{kind}")
    assert died.returncode == {"kill": -signal.SIGKILL, "term": 128 + signal.SIGTERM, "full": 6}[kind], died.stderr
    figures.add("restores that were stopped")
    for command in (["run"], ["status"], ["verify"], ["rebuild"]):
        refused = world.sbf(new, *command)
        assert refused.returncode == 2, refused.stdout
        if command != ["run"] and not (new / "sbf.duckdb").exists():
            continue  # others say that there is no data
        assert (
            f"error[RESTORE] a restore into this home was stopped before its end; {new}; "
            f"run `sbf restore {first} --home {new}` again"
        ) in refused.stderr
    shutil.copytree(first, other)
    assert "half of another backup" in world.sbf(new, "restore", str(other)).stderr
    done = world.sbf(new, "restore", str(first))
    assert done.returncode == 0, done.stderr
    assert world.findings(new) == []
    world.set_day(new, 1)
    assert world.sbf(new, "run").returncode == 0
    assert digests(new) == digests(home)


def test_a_payload_that_was_lost_and_came_again_stands_in_two_journals(world: World, tmp_path: Path) -> None:
    """Its backup copied it twice into one place, and ended as if the disk had failed."""
    home, kept, new = tmp_path / "home", tmp_path / "kept", tmp_path / "new"
    world.first_day(home)
    (journal,) = journal_files(home / "bronze")
    line = read_journal(journal)[0]
    again = journal.stem[:-1] + ("0" if journal.stem[-1] != "0" else "1")
    writer = JournalWriter(home / "bronze", again)
    writer.append([attrs.evolve(line, row=attrs.evolve(line.row, run_id=again))])
    writer.close()
    for target in (kept, tmp_path / "other"):
        done = world.sbf(home, "backup", str(target))
        assert done.returncode == 0, done.stderr
    assert world.sbf(new, "restore", str(kept)).returncode == 0
    assert digests(new) == digests(home)


def test_a_pipe_in_the_place_of_the_log_in_a_backup(
    world: World, second: tuple[Path, Path, dict[str, int]], tmp_path: Path
) -> None:
    _, first, _ = second
    kept, new = tmp_path / "kept", tmp_path / "new"
    shutil.copytree(first, kept)
    os.mkfifo(kept / "sbf-1.duckdb.wal")
    done = world.sbf(new, "restore", str(kept))
    assert done.returncode == 3, done.stderr
    assert "in the place of the database's log is no file" in done.stderr
    assert not new.exists() or not any(new.iterdir())


def test_a_backup_that_lost_a_journal_is_not_restored_in_silence(world: World, tmp_path: Path) -> None:
    """Without its journal nobody knows of a payload: the new home lacked it, and was called well."""
    home, kept, new = tmp_path / "home", tmp_path / "kept", tmp_path / "new"
    world.first_day(home)
    assert world.sbf(home, "backup", str(kept)).returncode == 0
    (journal,) = journal_files(kept / "bronze")
    journal.unlink()
    done = world.sbf(new, "restore", str(kept))
    assert done.returncode == 3, done.stderr
    assert "journals of the backup are gone:" in done.stderr
    assert "they name 0" in done.stderr
    assert not new.exists() or not any(new.iterdir())


@pytest.mark.parametrize("name", ["kept ", "kept\udcff"])
def test_a_restore_goes_on_from_a_folder_of_an_odd_name(
    world: World, second: tuple[Path, Path, dict[str, int]], tmp_path: Path, name: str
) -> None:
    """A blank at its end, and bytes that are no UTF-8: it is the same backup all the same."""
    _, first, _ = second
    kept, new = tmp_path / name, tmp_path / "new"
    shutil.copytree(first, kept)
    assert world.sbf(new, "restore", str(kept), SBF_FAULT="restore.begun:1:kill").returncode == -signal.SIGKILL
    assert "error[RESTORE]" in world.sbf(new, "run").stderr
    done = world.sbf(new, "restore", str(kept))
    assert done.returncode == 0, done.stderr
    assert world.findings(new) == []

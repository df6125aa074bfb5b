"""A crash can leave a block of metadata half written, so that DuckDB cannot read its file:
the next run replaces it and loses nothing.
"""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from test_locks import held
from world import World, ask, digests

pytestmark = pytest.mark.skipif(os.name != "posix", reason="kills with signals that only POSIX knows")
#: Where DuckDB's blocks begin, and how long each is.
FIRST_BLOCK, BLOCK = 12288, 262144


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> World:
    return World(tmp_path_factory.mktemp(f"replacing-{worker_id}"))


@pytest.fixture(scope="module")
def wanted(world: World) -> object:
    home = world.folder / "undisturbed"
    world.first_day(home)
    assert world.sbf(home, "run").returncode == 0
    return digests(home)


def metadata_blocks(database: Path) -> list[int]:
    """The blocks that hold metadata, by their numbers."""
    with duckdb.connect(str(database), read_only=True) as connection:
        return [
            number
            for (number,) in connection.execute(
                "SELECT DISTINCT block_id FROM pragma_metadata_info() ORDER BY 1"
            ).fetchall()
        ]


def cut(database: Path, block: int) -> None:
    """What a write leaves that was stopped in the middle: a new head, and another tail.

    The tail is no pattern: DuckDB's checksum is the same for words in another order, and for pairs of equal words.
    """
    with database.open("r+b") as file:
        file.seek(FIRST_BLOCK + block * BLOCK + BLOCK // 2)
        file.write(random.Random(block).randbytes(BLOCK // 2))


def crashed(world: World, home: Path, point: str) -> Path:
    """A second day that was killed, and every block of metadata of its database half written;
    the database before that.
    """
    world.first_day(home)
    blocks = metadata_blocks(home / "sbf.duckdb")
    assert world.sbf(home, "run", SBF_FAULT=f"{point}:1:kill").returncode == -signal.SIGKILL
    assert (home / "holder.json").exists()
    for block in blocks:
        cut(home / "sbf.duckdb", block)
    return home / "sbf.duckdb"


def settled(world: World, home: Path, wanted: object) -> str:
    """One clean run and every promise about what it leaves; its messages."""
    clean = world.sbf(home, "run")
    assert clean.returncode == 0, clean.stderr
    assert digests(home) == wanted
    assert world.findings(home) == []
    assert not (home / "holder.json").exists()
    assert not list(home.glob(".sbf.duckdb*"))
    again = world.sbf(home, "run")
    assert again.stdout.startswith("Nothing was due"), again.stdout + again.stderr
    assert "damaged" not in again.stderr
    return clean.stderr


def without_copy(home: Path) -> None:
    shutil.rmtree(home / "published")


def with_damaged_copy(home: Path) -> None:
    copy = next((home / "published").glob("sbf-*.duckdb"))
    cut(copy, metadata_blocks(copy)[-1])


@pytest.mark.parametrize(
    "copy", [lambda home: None, without_copy, with_damaged_copy], ids=["copy", "no copy", "damaged copy"]
)
@pytest.mark.parametrize(
    "point",
    ["run.started", "bronze.renamed", "manifest.recorded", "promote.committed", "gold.committed", "run.finished"],
)
def test_a_run_replaces_what_a_crash_has_damaged(
    world: World, wanted: object, tmp_path: Path, point: str, copy: Callable[[Path], None]
) -> None:
    home = tmp_path / "home"
    database = crashed(world, home, point)
    copy(home)
    damaged = hashlib.sha256(database.read_bytes()).hexdigest()
    had_log = (home / "sbf.duckdb.wal").exists()
    told = settled(world, home, wanted)
    other = "copy that run" if copy.__name__ == "<lambda>" else "an empty one"
    assert "sbf: note: a crash had damaged the database" in told
    assert other in told
    kept = home / "quarantine" / "damaged_database"
    assert hashlib.sha256((kept / "sbf.duckdb").read_bytes()).hexdigest() == damaged, "set aside as it was"
    assert (kept / "sbf.duckdb.wal").exists() == had_log
    recorded = ask(
        home, "SELECT original_path, payload_hash FROM ops.quarantine WHERE reason = 'damaged_database' ORDER BY 1"
    )
    assert recorded[0] == ("sbf.duckdb", damaged)
    assert len(recorded) == 1 + had_log
    before = ask(home, "SELECT count(*) FROM ops.file_ingestions WHERE kind = 'run' AND status = 'ok'")
    assert before >= [(2 if copy.__name__ == "<lambda>" else 1,)], "the copy keeps what is known of earlier runs"


def test_each_block_of_metadata_is_looked_at(world: World, wanted: object, tmp_path: Path) -> None:
    """DuckDB reads all of them when it opens a file. Damage must not show later, when the note of the crash is gone."""
    home = tmp_path / "home"
    world.first_day(home)
    assert world.sbf(home, "run", SBF_FAULT="promote.committed:1:kill").returncode == -signal.SIGKILL
    with duckdb.connect(
        str(home / "sbf.duckdb")
    ) as connection:  # takes in the log, so that the file is whole; and needs more than one block
        columns = ", ".join(f"{number} AS a{number}" for number in range(40))
        connection.execute(
            "CREATE SCHEMA more; "
            + ";".join(f"CREATE TABLE more.t{number} AS SELECT {columns}" for number in range(100))
        )
        connection.execute("CHECKPOINT")
    blocks = metadata_blocks(home / "sbf.duckdb")
    assert len(blocks) > 2
    for block in blocks:
        hurt = tmp_path / f"hurt-{block}"
        shutil.copytree(home, hurt)
        cut(hurt / "sbf.duckdb", block)
        assert "a crash had damaged the database" in settled(world, hurt, wanted)


def test_a_ledger_that_lost_a_table_in_a_crash_is_replaced(world: World, wanted: object, tmp_path: Path) -> None:
    """Found only after the database was opened and our own note written:
    the note must stay until the other is in place.
    """
    home = tmp_path / "home"
    world.first_day(home)
    assert world.sbf(home, "run", SBF_FAULT="manifest.recorded:1:kill").returncode == -signal.SIGKILL
    with duckdb.connect(str(home / "sbf.duckdb")) as connection:
        connection.execute("DROP TABLE ops.rejects")
    assert "the ledger is not whole" in settled(world, home, wanted)


def test_damage_without_a_crash_is_told_and_left_alone(world: World, tmp_path: Path) -> None:
    home = tmp_path / "home"
    world.first_day(home)
    cut(home / "sbf.duckdb", metadata_blocks(home / "sbf.duckdb")[0])
    before = (home / "sbf.duckdb").read_bytes()
    done = world.sbf(home, "run")
    assert done.returncode == 3
    assert "error[DAMAGE]" in done.stderr
    assert "run `sbf rebuild`" in done.stderr
    assert (home / "sbf.duckdb").read_bytes() == before
    assert not (home / "quarantine").exists()


def test_a_damaged_block_of_rows_is_told(world: World, tmp_path: Path, wanted: object) -> None:
    """No crash does that, but a disk may: the tables that read it fail, and the way out is named."""
    home = tmp_path / "home"
    world.first_day(home)
    with duckdb.connect(str(home / "sbf.duckdb"), read_only=True) as connection:
        block = connection.execute(
            "SELECT block_id FROM pragma_storage_info('silver.world_eod') "
            "WHERE segment_type <> 'VALIDITY' AND block_id >= 0"
        ).fetchall()[0][0]
    cut(home / "sbf.duckdb", block)
    done = world.sbf(home, "run")
    assert done.returncode != 0
    assert "run `sbf rebuild`" in done.stderr
    assert world.sbf(home, "rebuild").returncode == 0
    assert world.sbf(home, "run").returncode == 0
    assert digests(home) == wanted


@pytest.mark.parametrize("copy", [lambda home: None, without_copy], ids=["copy", "no copy"])
@pytest.mark.parametrize(
    "point", ["replace.copied", "replace.moved", "replace.done", "home.open", "recover.start", "recover.adopted"]
)
def test_killed_while_replacing(
    world: World, wanted: object, tmp_path: Path, point: str, copy: Callable[[Path], None]
) -> None:
    home = tmp_path / "home"
    crashed(world, home, "manifest.recorded")
    copy(home)
    for _ in range(2):
        assert world.sbf(home, "run", SBF_FAULT=f"{point}:1:kill").returncode in (-signal.SIGKILL, 0)
    settled(world, home, wanted)


@pytest.mark.parametrize("point", ["replace.copied", "replace.moved", "replace.done"])
def test_only_one_replaces(world: World, wanted: object, tmp_path: Path, point: str) -> None:
    home = tmp_path / "home"
    crashed(world, home, "manifest.recorded")
    with held(world, home, point, "run") as child:
        other = world.sbf(home, "run")
        # Later there is no database, or the new one, and the other may be quicker to open it.
        assert other.returncode == 4 or point != "replace.copied", other.stderr
    assert child.returncode in (0, 4)
    settled(world, home, wanted)


def test_repair_replaces_it_too(world: World, wanted: object, tmp_path: Path) -> None:
    home = tmp_path / "home"
    crashed(world, home, "promote.committed")
    done = world.sbf(home, "repair")
    assert "a crash had damaged the database" in done.stdout + done.stderr, done.stdout + done.stderr
    settled(world, home, wanted)

"""Disks that are full, read-only, broken or gone: exit 6, one line with path, cause and free space, nothing lost."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import figures
from hang import HANG_SECONDS, wait_until
from warehouse import START, entry
from world import World, digests

from sbf_core.bronze.file_writer import BronzeFileWriter
from sbf_core.duck.config import DuckDbConfig
from sbf_core.errors import EnvironmentFault
from sbf_core.faults import FAULT_POINTS
from sbf_core.runs.request import RunRequest
from sbf_core.runs.result import RunResult
from sbf_core.silver.inspection import inspect

pytestmark = pytest.mark.skipif(os.name != "posix", reason="faults of the system are made with POSIX means here")
#: Points behind which the process writes files itself.
WRITES = [
    point
    for point in FAULT_POINTS
    if point.split(".")[0] in ("bronze", "journal", "publish") or point in ("home.check", "home.filled")
]
CAUSES = {"full": "No space left on device", "io": "Input/output error", "denied": "Permission denied"}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> World:
    return World(tmp_path_factory.mktemp(f"disk-{worker_id}"))


@pytest.fixture(scope="module")
def wanted(world: World) -> object:
    home = world.folder / "undisturbed"
    assert world.sbf(home, "run", "--replay", str(world.recording)).returncode == 0
    return digests(home)


def is_environment_fault(done: subprocess.CompletedProcess[str], cause: str) -> None:
    lines = [line for line in done.stderr.splitlines() if line.startswith("sbf: error")]
    assert done.returncode == 6, (done.returncode, done.stderr)
    assert len(lines) == 1
    assert lines[0].startswith("sbf: error[ENVIRONMENT] ")
    assert cause in lines[0]
    assert "MiB free" in lines[0]
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=() if kind == "full" else pytest.mark.slow) for kind in CAUSES]
)
@pytest.mark.parametrize("point", WRITES)
def test_a_write_that_fails(world: World, wanted: object, point: str, kind: str) -> None:
    home = world.folder / f"{point}-{kind}"
    arguments = ("run", "--replay", str(world.recording))
    for number in (1, 2):
        done = world.sbf(home, *arguments, SBF_FAULT=f"{point}:{number}:{kind}")
        if done.returncode == 0:
            assert number == 2, "the point is reached once only"
            break
        is_environment_fault(done, CAUSES[kind])
        figures.add("writes that failed")
    assert world.sbf(home, *arguments).returncode == 0
    assert digests(home) == wanted
    assert world.findings(home) == []


def damage(home: Path) -> None:
    """A payload is gone, another is cut, a journal line is edited."""
    first, second, *_ = sorted(path for path in (home / "bronze").rglob("*.json") if path.is_file())
    first.unlink()
    second.chmod(0o600)
    second.write_bytes(second.read_bytes()[:-3])
    journal = next((home / "bronze").rglob("*.jsonl"))
    journal.write_bytes(journal.read_bytes().replace(b"AAA", b"AAB", 1))


@pytest.mark.parametrize("kind", ["full", "kill"])
@pytest.mark.parametrize("point", ["whole.half", "whole.written", "publish.half", "publish.copied"])
@pytest.mark.parametrize("command", ["backup", "restore", "repair"])
def test_caring_for_a_home_on_a_disk_that_fails(
    world: World, wanted: object, tmp_path: Path, command: str, point: str, kind: str
) -> None:
    """A backup, a restore or a repair that fails in the middle is done again; nothing is worse than before."""
    home, kept, new = tmp_path / "home", tmp_path / "kept", tmp_path / "new"
    world.filled(home)
    if command != "backup":
        assert world.sbf(home, "backup", str(kept)).returncode == 0
    if command == "repair":
        damage(home)
    arguments = {
        "backup": ("backup", str(kept)),
        "restore": ("restore", str(kept)),
        "repair": ("repair", "--from", str(kept)),
    }[command]
    struck = 0
    for number in (1, 2, 3, 6):
        place = new if command == "restore" else home
        if command == "restore":
            shutil.rmtree(new, ignore_errors=True)
        done = world.sbf(place, *arguments, SBF_FAULT=f"{point}:{number}:{kind}")
        if done.returncode == 0:
            break
        struck += 1
        assert "Traceback" not in done.stderr
        if kind == "full":
            is_environment_fault(done, CAUSES[kind])
            figures.add("writes that failed")
        else:
            assert done.returncode == -signal.SIGKILL, done.stderr
        if command == "backup" and kind == "kill":
            refused = world.sbf(tmp_path / f"from-{number}", "restore", str(kept))
            assert refused.returncode == 2, "a backup that was never finished is none"
    assert struck or (command == "repair" and point.startswith("publish"))
    if command == "restore":
        shutil.rmtree(new, ignore_errors=True)
    again = world.sbf(place, *arguments)
    assert again.returncode == 0, again.stderr
    if command == "backup":
        assert world.sbf(new, "restore", str(kept)).returncode == 0
    home = home if command == "repair" else new
    assert digests(home) == wanted
    assert world.findings(home) == []


LIMITED = """
import os, resource, sys
name, limit = sys.argv[1], int(sys.argv[2])
resource.setrlimit(getattr(resource, name), (limit, resource.getrlimit(getattr(resource, name))[1]))
sys.argv = ["sbf", *sys.argv[3:]]
from sbf_core.cli.main import main
main()
"""


@pytest.mark.parametrize("byte_count", [0, 100, 4096, 20_000, 300_000, 800_000, 1_200_000, 2_000_000])
def test_files_that_cannot_grow(world: World, wanted: object, byte_count: int) -> None:
    """The system itself refuses to write beyond a size: the engine's file, its log, payloads, copies."""
    home = world.folder / f"limit-{byte_count}"
    arguments = ["run", "--replay", str(world.recording)]
    command = [sys.executable, "-c", LIMITED, "RLIMIT_FSIZE", str(byte_count), *arguments]
    done = subprocess.run(command, env=world.environment(home), capture_output=True, text=True, timeout=HANG_SECONDS)
    if done.returncode:
        is_environment_fault(done, "File too large" if "File too large" in done.stderr else "")
    assert world.sbf(home, *arguments).returncode == 0
    assert digests(home) == wanted
    assert world.findings(home) == []


@pytest.mark.parametrize(
    "number", [pytest.param(number, marks=pytest.mark.slow if number % 8 else ()) for number in range(8, 40, 4)]
)
def test_too_few_open_files(world: World, wanted: object, number: int) -> None:
    home = world.folder / f"open-{number}"
    arguments = ["run", "--replay", str(world.recording)]
    command = [
        sys.executable,
        "-c",
        LIMITED.replace(
            "sys.argv = [", "import duckdb, typer, rich; from sbf_core.cli.commands import run; sys.argv = [", 1
        ),
        "RLIMIT_NOFILE",
        str(number),
        *arguments,
    ]
    done = subprocess.run(command, env=world.environment(home), capture_output=True, text=True, timeout=HANG_SECONDS)
    assert done.returncode in (0, 2, 6), done.stderr
    assert "Traceback" not in done.stderr
    assert world.sbf(home, *arguments).returncode == 0
    assert digests(home) == wanted
    assert world.findings(home) == []


def has_tmpfs(folder: Path) -> bool:
    folder.mkdir(parents=True, exist_ok=True)
    probe = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], capture_output=True)
    if probe.returncode == 0:
        subprocess.run(["umount", str(folder)], check=True)
    return probe.returncode == 0


@pytest.mark.parametrize("kilobytes", [64, 512, 1024, 1536, 2048, 3072, 4096])
def test_a_real_disk_that_is_full(world: World, wanted: object, tmp_path: Path, kilobytes: int) -> None:
    disk = tmp_path / "disk"
    if not has_tmpfs(disk):
        pytest.skip("small file systems cannot be made here")
    arguments = ("run", "--replay", str(world.recording))
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(disk)], check=True)
    try:
        done = world.sbf(disk / "home", *arguments)
        if done.returncode:
            is_environment_fault(done, "")
            assert "full" in done.stderr or "No space left" in done.stderr
        subprocess.run(["mount", "-o", "remount,size=100m", str(disk)], check=True)
        assert world.sbf(disk / "home", *arguments).returncode == 0
        assert digests(disk / "home") == wanted
        assert world.findings(disk / "home") == []
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        is_environment_fault(world.sbf(disk / "home", *arguments), "Read-only file system")
        assert world.sbf(disk / "home", "status").returncode == 0, "what is there can be read"
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_a_home_that_vanishes(world: World, tmp_path: Path) -> None:
    """Somebody deletes the folder under a run: one line, no traceback, and a new home works."""
    home, mark = tmp_path / "home", tmp_path / "mark"
    child = world.start(
        home, "run", "--replay", str(world.recording), SBF_FAULT="bronze.synced:1:hold", SBF_FAULT_MARK=str(mark)
    )
    wait_until(mark.exists, child=child)
    shutil.rmtree(home)
    mark.unlink()
    _, err = child.communicate(timeout=HANG_SECONDS)
    assert child.returncode == 6, err
    assert "Traceback" not in err
    assert world.sbf(home, "run", "--replay", str(world.recording)).returncode == 0


assert resource  # the child uses it


def test_a_zip_that_finds_no_room_to_be_unpacked_is_not_refused(tmp_path: Path) -> None:
    """The payload is fine: it must stay to be promoted, and not be on record as bad."""
    packed = tmp_path / "a.zip"
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", "symbol,date,close,volume\n" + "A,2024-01-01,1,1\n" * 1000)
    writer = BronzeFileWriter(DuckDbConfig(home=tmp_path / "home"))
    request = RunRequest(run_id="r", domain="prices", source="fake", dataset="eod")
    (row,) = writer.publish(
        [
            writer.stage(
                RunResult(request=request, address="a", payload=packed.read_bytes(), extension="zip", fetched_at=START)
            )
        ]
    )
    writer.close()
    staging = tmp_path / "staging"
    staging.mkdir()
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, usual[1]))
    try:
        with pytest.raises(EnvironmentFault, match="a payload cannot be unpacked: File too large"):
            inspect(
                entry(),
                row,
                bronze=tmp_path / "home" / "bronze",
                staging=staging,
                fresh=False,
                is_context=False,
                as_declared=True,
            )
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, usual)
    assert (
        inspect(
            entry(),
            row,
            bronze=tmp_path / "home" / "bronze",
            staging=staging,
            fresh=False,
            is_context=False,
            as_declared=True,
        ).extension
        == "csv"
    )

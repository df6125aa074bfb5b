"""What a power cut may take: the system calls of a run, played on a disk that forgets whatever was not made durable."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import attrs
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from hang import HANG_SECONDS
from world import World

CALLS = (
    "openat,write,pwrite64,writev,fsync,fdatasync,rename,renameat,renameat2,link,"
    "linkat,mkdir,mkdirat,ftruncate,unlink,unlinkat"
)
_CALL = re.compile(r"^(\d+) +(\w+)\((.*)\) += (-?\d+)")
_BEGUN = re.compile(r"^(\d+) +(\w+)\((.*) <unfinished \.\.\.>$")
_ENDED = re.compile(r"^(\d+) +<\.\.\. (\w+) resumed>(.*)\) += (-?\d+)")
_TEXT = re.compile(r'"([^"]*)"')
_FILE = re.compile(r"^\d+<([^>]*)>")


@attrs.define
class ForgetfulDisk:
    """Which files and names under ``home`` a power cut would take, after each system call.

    A file keeps what was written before its last fsync, a folder the names it had at its last fsync.
    """

    home: str
    unsynced: set[str] = attrs.field(factory=set)
    unnamed: set[str] = attrs.field(factory=set)

    def lost(self, path: str) -> list[str]:
        """What a power cut takes of a file: its bytes, its name, the names of its folders up to the home."""
        above = [
            str(parent)
            for parent in PurePosixPath(path).parents
            if str(parent).startswith(self.home) and str(parent) != self.home
        ]
        return [f"bytes of {path}"] * (path in self.unsynced) + [
            f"name {name}" for name in (path, *above) if name in self.unnamed
        ]

    def make(self, path: str) -> None:
        """A new file or folder."""
        self.unnamed.add(path)

    def write(self, path: str) -> None:
        """Bytes are written."""
        self.unsynced.add(path)

    def sync(self, path: str) -> None:
        """fsync of a file or a folder."""
        self.unsynced.discard(path)
        self.unnamed -= {name for name in self.unnamed if str(PurePosixPath(name).parent) == path}

    def rename(self, old: str, new: str) -> None:
        """Another name."""
        if old in self.unsynced:
            self.unsynced.add(new)
        else:
            self.unsynced.discard(new)
        self.unsynced.discard(old)
        self.unnamed.discard(old)
        self.unnamed.add(new)

    def forget(self, path: str) -> None:
        """A file is removed."""
        self.unsynced.discard(path)
        self.unnamed.discard(path)


def calls(text: str) -> Iterator[tuple[str, str]]:
    """Name and arguments of each call that went well, at its end; writes at their beginning."""
    begun: dict[str, str] = {}
    for line in text.splitlines():
        if whole := _CALL.match(line):
            if int(whole[4]) >= 0:
                yield whole[2], whole[3]
        elif first := _BEGUN.match(line):
            begun[first[1]] = first[3]
            if "write" in first[2]:
                yield first[2], first[3]
        elif (last := _ENDED.match(line)) and int(last[4]) >= 0 and "write" not in last[2]:
            yield last[2], begun.pop(last[1], "") + last[3]


def play(text: str, home: Path) -> list[str]:
    """Everything that a power cut at the worst moment would have lost although something that lasts relies on it."""
    disk, faults = ForgetfulDisk(str(home)), []
    payloads: set[str] = set()
    journals: set[str] = set()
    for name, arguments in calls(text):
        named = _TEXT.findall(arguments)
        handle = _FILE.match(arguments)
        path = named[0] if named and not handle else handle[1] if handle else ""
        if name.startswith(("rename", "link")):
            path, new = named[0], named[1]
            if not new.startswith(disk.home):
                continue
            if path in disk.unsynced:
                faults += (
                    [f"{new} gets its name before its bytes are durable"] if not new.endswith("live.json") else []
                )  # it tells pages how far a run is
            disk.rename(path, new)
            if "/bronze/" in new and not new.endswith(".jsonl"):
                payloads.add(new)
            continue
        if not path.startswith(disk.home):
            continue
        if name.startswith("mkdir") or (name == "openat" and "O_CREAT" in arguments):
            if path not in journals and not path.endswith((".duckdb", ".wal")):
                disk.make(path)
            if path.endswith(".warc"):
                payloads.add(path)
        elif name.startswith("unlink"):
            disk.forget(path)
        elif "write" in name or name == "ftruncate":
            if path.endswith(".jsonl"):
                faults += [
                    f"the journal names a payload that may be lost: {loss}"
                    for payload in sorted(payloads)
                    for loss in disk.lost(payload)
                ]
                journals.add(path)
            if path.endswith((".duckdb", ".duckdb.wal")) and "/published/" not in path:
                faults += [
                    f"the ledger relies on a journal that may be lost: {loss}"
                    for journal in sorted(journals)
                    for loss in disk.lost(journal)
                ]
            disk.write(path)
        else:
            disk.sync(path)
    assert payloads
    assert journals
    return faults


@pytest.mark.parametrize(
    ("fsync", "small"), [("batch", "files"), ("each", "files"), ("batch", "packs"), ("each", "packs")]
)
def test_a_power_cut_takes_nothing_that_the_journal_or_the_ledger_relies_on(
    tmp_path: Path, fsync: str, small: str
) -> None:
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("strace is not installed; it sees what a run asks of the disk")
    world = World(tmp_path, small=small)
    home, trace = tmp_path / "home", tmp_path / "trace"
    command = [
        strace,
        "-f",
        "-y",
        "-s",
        "0",
        "-e",
        f"trace={CALLS}",
        "-o",
        str(trace),
        sys.executable,
        "-m",
        "sbf_core",
        "run",
        "--replay",
        str(world.recording),
    ]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=HANG_SECONDS,
        env=world.environment(home, SBF_FSYNC=fsync),
        check=False,
    )
    if "ptrace" in done.stderr and done.returncode:
        pytest.skip("this machine does not let strace look at processes")
    assert done.returncode == 0, done.stderr
    assert list(dict.fromkeys(play(trace.read_text(errors="replace"), home))) == []

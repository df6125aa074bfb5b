"""A lock that ends with its process, and with nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from sbf_core.file_lock import FileLock

TRY = (
    "import sys; from pathlib import Path; from sbf_core.file_lock import FileLock; "
    "print(FileLock(Path(sys.argv[1]), shared=sys.argv[2] == 'shared').acquire())"
)
HOLD = (
    "import sys; from pathlib import Path; from sbf_core.file_lock import FileLock; "
    "lock = FileLock(Path(sys.argv[1])); assert lock.acquire(); print('held', flush=True); sys.stdin.read()"
)


def another_gets(path: Path, *, shared: bool = False) -> bool:
    command = [sys.executable, "-c", TRY, str(path), "shared" if shared else "alone"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout == "True\n"


def test_it_stays_when_the_process_closes_another_handle_of_the_file(tmp_path: Path) -> None:
    lock = FileLock(tmp_path / "lock")
    assert lock.acquire()
    (tmp_path / "lock").read_bytes()
    assert not FileLock(tmp_path / "lock").acquire()
    assert not another_gets(tmp_path / "lock")
    lock.release()
    assert another_gets(tmp_path / "lock")


def test_threads_of_one_process_are_kept_apart(tmp_path: Path) -> None:
    found: list[bool] = []
    begin = threading.Barrier(8)

    def work() -> None:
        lock = FileLock(tmp_path / "lock")
        begin.wait()
        found.append(lock.acquire())
        begin.wait()
        lock.release()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [False] * 7 + [True]


def test_those_who_share_keep_out_only_who_does_not(tmp_path: Path) -> None:
    one, two = (FileLock(tmp_path / "lock", shared=True) for _ in range(2))
    assert one.acquire()
    assert two.acquire()
    assert (another_gets(tmp_path / "lock"), another_gets(tmp_path / "lock", shared=True)) == (False, True)
    one.release()
    assert not another_gets(tmp_path / "lock")
    two.release()
    assert another_gets(tmp_path / "lock")


def test_it_ends_with_its_process(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / "lock")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "held\n"
        assert not FileLock(tmp_path / "lock").acquire()
        child.kill()
    assert FileLock(tmp_path / "lock").acquire()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no process is forked here")
def test_a_forked_child_does_not_keep_it(tmp_path: Path) -> None:
    code = f"""
import os, sys
from pathlib import Path
from sbf_core.file_lock import FileLock
lock = FileLock(Path({str(tmp_path / "lock")!r}))
assert lock.acquire()
reads, writes = os.pipe()
there, says = os.pipe()
if os.fork() == 0:
    os.close(writes)
    os.write(says, b"x")
    os.read(reads, 1)  # until the parent is gone
    os._exit(0)
os.read(there, 1)
lock.release()
assert FileLock(lock.path).acquire(), "the child holds it"
"""
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="the system lets this user write everywhere")
def test_where_nobody_may_write_a_reader_needs_none(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        assert FileLock(tmp_path / "lock", shared=True).acquire()
        with pytest.raises(PermissionError):
            FileLock(tmp_path / "lock").acquire()
    finally:
        tmp_path.chmod(0o700)


def test_who_holds_it_can_be_read_by_others(tmp_path: Path) -> None:
    lock = FileLock(tmp_path / "lock")
    assert lock.acquire()
    lock.note(b"a long note")
    lock.note(b"me")
    assert (tmp_path / "lock").read_bytes() == b"me"

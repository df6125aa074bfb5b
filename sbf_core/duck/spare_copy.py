"""The copy before the newest one, kept where the database is large, so that the next copy costs what has changed.

A database changes by blocks, and from run to run most stay as they are. A run that publishes takes the spare copy,
writes what differs from the database, and gives it its own name; both are read for that, which takes a fifth of
writing. Whether anybody still reads it is asked of the kernel: it gives a write lease of a file (fcntl(2), Linux) only
where nobody else has it open, in whatever process and by whatever way, and lets nobody open it before the lease ends.
On other systems, and on disks whose files others may have open elsewhere, no copy is spared.
"""

from __future__ import annotations

import datetime as dt
import errno
import os
import shutil
import signal
import stat
import sys
from pathlib import Path
from typing import IO

from sbf_core.faults import fault_point

if sys.platform == "linux":
    import fcntl

#: File systems of this machine alone, of which the kernel knows who has a file open.
_LOCAL = frozenset(("ext2", "ext3", "ext4", "f2fs", "overlay", "tmpfs", "xfs", "zfs"))
#: A smaller database is copied in two milliseconds.
KEPT_FROM_BYTES = 4 * 1024**2
#: Who reads a file in pieces, and opens it for each, has so long after the next copy was named.
LEFT_ALONE = dt.timedelta(minutes=15)
#: DuckDB's file: three headers, then blocks of one size.
_HEADER_BYTES = 3 * 4096
_BLOCK_BYTES = 1 << 18


def worth_keeping(copy: Path) -> bool:
    """Whether a copy that is superseded now is kept as the spare one: it is large, and the disk has room for more."""
    try:
        size = copy.lstat().st_size
        has_room = shutil.disk_usage(copy.parent).free >= size
    except OSError:
        return False
    return size >= KEPT_FROM_BYTES and has_room and _is_local(copy.parent)


def _is_local(folder: Path) -> bool:
    """Whether nobody can have a file of a folder open without the kernel of this machine."""
    if sys.platform != "linux":
        return False
    try:
        device = folder.stat().st_dev
        mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    # proc_pid_mountinfo(5): the device is the third field, the type of the file system stands behind the dash.
    wanted = f"{os.major(device)}:{os.minor(device)}"
    kinds = (line.rpartition(" - ")[2].split(" ")[0] for line in mounts.splitlines() if line.split(" ")[2] == wanted)
    return next(kinds, "") in _LOCAL


def renewed(source: IO[bytes], spare: Path, fresh: Path, *, durable: bool) -> bool:
    """Make the spare copy the same as an open database file whose log is empty, under another name.

    Args:
        source: the database.
        spare: the copy; nobody has it any more afterwards.
        fresh: its name from then on.
        durable: it is on the disk when this returns.

    Returns:
        False where it cannot be had: it is gone, or somebody reads it; then nothing is changed.

    Raises:
        OSError: the disk does not take it; ``fresh`` is no copy.
    """
    if sys.platform != "linux" or not _is_local(spare.parent):
        return False
    try:
        handle = os.open(spare, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        facts = os.fstat(handle)
        if not stat.S_ISREG(facts.st_mode) or facts.st_nlink != 1:  # a link of somebody's, who means these bytes
            return False
        if not _leased(handle):
            return False
        spare.replace(fresh)
        _write_changed(source.fileno(), handle)
        if durable:
            os.fsync(handle)
        return True
    finally:
        os.close(handle)


def _leased(handle: int) -> bool:
    """Whether this handle is the only one of its file, and stays so until it is closed."""
    try:
        fcntl.fcntl(handle, fcntl.F_SETSIG, signal.SIGURG)  # when somebody waits; SIGIO would end us
        fcntl.fcntl(handle, fcntl.F_SETLEASE, fcntl.F_WRLCK)
    except OSError:
        return False
    return True


def _write_changed(source: int, target: int) -> None:
    size = os.fstat(source).st_size
    os.ftruncate(target, size)
    start, length, is_first = 0, _HEADER_BYTES, True
    while start < size:
        wanted = os.pread(source, length, start)
        if not wanted:
            raise OSError(errno.EIO, "the database is shorter than it was")
        if wanted != os.pread(target, length, start):
            _write(target, wanted, start)
            if is_first:
                fault_point("publish.half")
                is_first = False
        start, length = start + len(wanted), _BLOCK_BYTES


def _write(target: int, content: bytes, start: int) -> None:
    left = memoryview(content)
    while left:
        written = os.pwrite(target, left, start)
        left, start = left[written:], start + written

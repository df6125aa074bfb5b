"""The copy before the newest one, kept where the database is large, so that the next copy costs what has changed.

A database changes by blocks, and from run to run most stay as they are. A run that publishes takes the spare copy,
writes what differs from the database, and gives it its own name; both are read for that, which takes a fifth of
writing. Whether anybody still reads it is asked of the system: DuckDB holds a record lock on each file that it has
open, and a lock of an open file description (fcntl(2), Linux) is refused beside it. Elsewhere no copy is spared.
"""

from __future__ import annotations

import datetime as dt
import os
import shutil
import stat
import struct
import sys
from contextlib import suppress
from pathlib import Path
from typing import IO

from sbf_core.faults import fault_point

if sys.platform == "linux" and sys.maxsize > 2**32:
    import fcntl

    _SET_LOCK: int | None = getattr(fcntl, "F_OFD_SETLK", None)
else:  # no such locks, or a ``struct flock`` of another shape
    _SET_LOCK = None

#: A smaller database is copied in two milliseconds.
KEPT_FROM_BYTES = 4 * 1024**2
#: Who copies a file without a lock, as ``cp`` does, has so long after the next copy was named.
LEFT_ALONE = dt.timedelta(minutes=15)
#: DuckDB's file: three headers, then blocks of one size.
_HEADER_BYTES = 3 * 4096
_BLOCK_BYTES = 1 << 18


def worth_keeping(copy: Path) -> bool:
    """Whether a copy that is superseded now is kept as the spare one: it is large, and the disk has room for more."""
    try:
        size = copy.lstat().st_size
        return _SET_LOCK is not None and size >= KEPT_FROM_BYTES and shutil.disk_usage(copy.parent).free >= size
    except OSError:
        return False


def lock_for_reading(file: IO[bytes]) -> bool:
    """Keep a copy from being changed for as long as ``file`` is open; False where that is happening already."""
    return _SET_LOCK is None or _locked(file.fileno(), fcntl.F_RDLCK)


def renewed(source: IO[bytes], spare: Path, fresh: Path, *, durable: bool) -> bool:
    """Make the spare copy the same as an open database file whose log is empty, under another name.

    Args:
        source: the database.
        spare: the copy; nobody has it any more afterwards.
        fresh: its name from then on.
        durable: it is on the disk when this returns.

    Returns:
        False where it cannot be had: it is gone, or somebody reads it, whose it is then.

    Raises:
        OSError: the disk does not take it; ``fresh`` is no copy.
    """
    if _SET_LOCK is None:
        return False
    try:
        handle = os.open(spare, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        facts = os.fstat(handle)
        if not stat.S_ISREG(facts.st_mode) or facts.st_nlink != 1:  # a link of somebody's, who means these bytes
            return False
        if not _locked(handle, fcntl.F_WRLCK):
            # before the handle is closed, which ends the locks of a reader in this process: nobody finds it any more
            spare.unlink()
            return False
        spare.replace(fresh)
        _write_changed(source.fileno(), handle)
        if durable:
            os.fsync(handle)
        return True
    finally:
        os.close(handle)


def _locked(handle: int, kind: int) -> bool:
    """Whether the whole file is locked for this handle from now on: ``struct flock`` of fcntl(2), 64 bits."""
    assert _SET_LOCK is not None
    with suppress(OSError):
        fcntl.fcntl(handle, _SET_LOCK, struct.pack("hhqqi4x", kind, os.SEEK_SET, 0, 0, 0))
        return True
    return False


def _write_changed(source: int, target: int) -> None:
    size = os.fstat(source).st_size
    os.ftruncate(target, size)
    start, length, is_first = 0, _HEADER_BYTES, True
    while start < size:
        wanted = os.pread(source, length, start)
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

"""Files that are whole or not there at all, names that outlast a power cut, and checksums.

A file is durable when its bytes, its name, and the names of its folders are: POSIX wants an fsync of the file and one
of each folder that got a new name. Windows knows no fsync of a folder; NTFS journals names by itself.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import stat
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from sbf_core.faults import fault_point, is_armed

#: Whether a file can be made durable through a handle that only reads, and a folder at all.
CAN_SYNC_LATER = os.name == "posix"
#: No file that says how things stand is larger: a name and a checksum for each of some hundred thousand tables.
STATE_BYTES_MAX = 64 * 1024**2
_SYNC_THREADS = 8
_PIECE_BYTES = 1 << 20


def make_folder(path: str | Path) -> list[str]:
    """Make a folder and those above it that are missing; returns the folders that hold a new name, for ``sync_all``."""
    place = os.fspath(path)
    try:
        os.mkdir(place, 0o700)  # first, and not after a look: most folders are new, or known to whoever asks
    except FileNotFoundError:
        above = os.path.dirname(place)
        if above == place or os.path.isdir(above):  # as in /proc, where nothing can be made
            raise
        return [*make_folder(above), *make_folder(place)]
    except OSError:  # it is there, as each system says in its own words
        if not os.path.isdir(place):
            raise
        return []
    return [os.path.dirname(place)]


def sync_all(paths: Iterable[str | Path]) -> None:
    """Make files and folders durable; several at once let the file system write its journal once for all of them."""
    if not CAN_SYNC_LATER:
        return
    wanted: Sequence[str | Path] = list(paths)
    if len(wanted) < 4:
        _sync(wanted)
        return
    with ThreadPoolExecutor(
        _SYNC_THREADS
    ) as pool:  # a part for each thread: handing over a path alone takes as long as its fsync
        for _ in pool.map(_sync, [wanted[start::_SYNC_THREADS] for start in range(_SYNC_THREADS)]):
            pass


def _sync(paths: Sequence[str | Path]) -> None:
    for path in paths:
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def write_whole(path: Path, content: bytes, *, mode: int = 0o600, durable: bool = True) -> None:
    """Put a file in its place in one step; its folder is made where it is not there.

    Args:
        path: the place; what is there is replaced.
        content: all of it.
        mode: permissions.
        durable: it is on the disk when this returns, name and all.
    """
    named = make_folder(path.parent)
    fresh = path.with_name(f".{path.name}.tmp")
    with fresh.open("wb") as file:
        half = len(content) // 2 if is_armed() else 0
        file.write(content[:half])
        fault_point("whole.half", of=path.name)
        file.write(content[half:])
        file.flush()
        if durable:
            os.fsync(file.fileno())
    fresh.chmod(mode)
    fault_point("whole.written", of=path.name)
    fresh.replace(path)
    if durable:
        sync_all([path.parent, *named])


def copy_whole(source: Path, target: Path, *, sha256: str, byte_count: int, mode: int = 0o600) -> bool:
    """Copy a file of any size, durably and in one step, if it has the bytes that it should have.

    Args:
        source: what is copied. Of another size than ``byte_count`` it is not read.
        target: the place; its folder is made where it is not there.
        sha256: of the bytes, 64 hex digits.
        byte_count: how many they are.
        mode: permissions.

    Returns:
        Whether it was copied; else there is nothing new at ``target``.

    Raises:
        OSError: one of the two cannot be read or written, or ``source`` is not there.
    """
    if not source.is_file() or source.stat().st_size != byte_count:
        return False
    named = make_folder(target.parent)
    fresh = target.with_name(f".{target.name}.tmp")
    for before in (fresh, target):  # left by a crash, or to be replaced: Windows does neither to what is read-only
        if before.exists():
            before.chmod(0o600)
    fresh.unlink(missing_ok=True)
    digest = hashlib.sha256()
    with source.open("rb") as given, fresh.open("wb") as file:
        fault_point("whole.half", of=target.name)
        while piece := given.read(_PIECE_BYTES):
            digest.update(piece)
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())
    if digest.hexdigest() != sha256:
        fresh.unlink()
        return False
    fresh.chmod(mode)
    fault_point("whole.written", of=target.name)
    fresh.replace(target)
    sync_all([target.parent, *named])
    return True


def file_hash(path: str | Path) -> str:
    """SHA-256 of a file's bytes, 64 hex digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def is_other_than_file(path: Path) -> bool:
    """Whether something is there that is no file. One look: what another process removes between two of them was never
    wrong.
    """
    try:
        return not stat.S_ISREG(path.stat().st_mode)
    except OSError:
        return False


def regular_file(path: str | Path, *, byte_count_max: int = STATE_BYTES_MAX) -> bytes:
    """All of a file that is one, and small by its nature.

    A pipe would wait for whoever writes into it, and a device has no end.

    Raises:
        OSError: it is not there, is no file, or a larger one.
    """
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0))
    try:
        facts = os.fstat(handle)
        if not stat.S_ISREG(facts.st_mode):
            raise OSError(errno.EINVAL, "it is no file", str(path))
        if facts.st_size > byte_count_max:
            raise OSError(errno.EFBIG, f"it has more than {byte_count_max:,} bytes", str(path))
        with os.fdopen(handle, "rb", closefd=False) as file:
            return file.read(byte_count_max)
    finally:
        os.close(handle)


def state_of(path: Path) -> Any:
    """What a file in JSON says of how things stand.

    Raises ``OSError`` as ``regular_file`` does, ``ValueError`` for other text.
    """
    try:
        return json.loads(regular_file(path))
    except RecursionError as error:
        raise ValueError("brackets without end") from error


def write_all(handle: int, content: bytes | memoryview, *, point: str) -> None:
    """Write all of it. Where faults are armed it comes in pieces, and ``point`` is passed after each: not in halves,
    because lines of a journal are of one length, and half would cut between two.
    """
    view = memoryview(content)
    step = max(1, len(view) // 2 - 7) if is_armed() else len(view)
    while view:
        view = view[os.write(handle, view[:step]) :]
        fault_point(point)


def small_file(path: str | Path, byte_count: int) -> bytes:
    """All of a file of so many bytes; of a longer one the first of them, and one more.

    For many small files it is the quickest.
    """
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    try:
        content = os.read(handle, byte_count + 1)
        while len(content) < byte_count and (more := os.read(handle, byte_count + 1 - len(content))):
            content += more
        return content
    finally:
        os.close(handle)

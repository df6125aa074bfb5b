"""Many files, each copied whole and durably, some at a time: the file system writes its journal once for all of them.

Paths are texts: as objects they cost more than small files.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from contextlib import suppress

from sbf_core.atomic_file import CAN_SYNC_LATER, make_folder, small_file, sync_all
from sbf_core.faults import fault_point

_FILES_AT_ONCE = 512
_BYTES_AT_ONCE = 64 * 1024**2
_PIECE_BYTES = 1 << 20
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)


class FileCopies:
    """Copies files. What was added is in its place, name and all, once ``finish`` returns; each file in one step.

    Args:
        mode: permissions of the copies.
    """

    def __init__(self, *, mode: int = 0o600) -> None:
        self._mode = mode
        self._fresh: list[tuple[str, str]] = []
        self._byte_count = 0
        #: Folders that are there, and those that hold new names.
        self._folders: set[str] = set()
        self._named: set[str] = set()

    def add(self, source: str, target: str, *, sha256: str, byte_count: int) -> bool:
        """Copy a regular file, if it has the bytes that it should have.

        Args:
            source: what is copied.
            target: the place; its folder is made where it is not there, and a file that is there is replaced.
            sha256: of the bytes, 64 hex digits.
            byte_count: how many they are.

        Returns:
            Whether it was copied; else there is nothing new at ``target``.

        Raises:
            OSError: one of the two cannot be read or written.
        """
        return self._written(target, lambda handle: _write(handle, source, sha256, byte_count), byte_count)

    def put(self, content: bytes, target: str) -> None:
        """The same with bytes that were looked at already."""

        def write(handle: int) -> bool:
            _write_all(handle, content)
            return True

        self._written(target, write, len(content))

    def _written(self, target: str, write: Callable[[int], bool], byte_count: int) -> bool:
        folder, name = os.path.split(target)
        if folder not in self._folders:
            self._named.update(make_folder(folder))
            self._folders.add(folder)
        fresh = f"{folder}{os.sep}.{name}.tmp"
        try:
            handle = os.open(fresh, _NEW, 0o600)
        except FileExistsError:  # left by a crash
            _discard(fresh)
            handle = os.open(fresh, _NEW, 0o600)
        try:
            fault_point("whole.half", of=name)
            is_right = write(handle)
            if not CAN_SYNC_LATER:
                os.fsync(handle)
        finally:
            os.close(handle)
        if not is_right:
            _discard(fresh)
            return False
        os.chmod(fresh, self._mode)
        self._fresh.append((fresh, target))
        self._byte_count += byte_count
        if len(self._fresh) >= _FILES_AT_ONCE or self._byte_count >= _BYTES_AT_ONCE:
            self.finish()
        return True

    def finish(self) -> None:
        """Put what was added in its place."""
        sync_all([fresh for fresh, _ in self._fresh])
        for fresh, target in self._fresh:
            fault_point("whole.written", of=os.path.basename(target))
            if not CAN_SYNC_LATER:
                with suppress(FileNotFoundError):  # Windows does not replace what is read-only
                    os.chmod(target, 0o600)
            os.replace(fresh, target)
        sync_all({*(os.path.dirname(target) for _, target in self._fresh), *self._named})
        self._fresh.clear()
        self._named.clear()
        self._byte_count = 0


def _discard(path: str) -> None:
    if not CAN_SYNC_LATER:  # Windows does not remove what is read-only
        os.chmod(path, 0o600)
    os.unlink(path)


def _write(handle: int, source: str, sha256: str, byte_count: int) -> bool:
    """Write the bytes of a file, if they are what they should be; else some of them may be written."""
    if byte_count <= _PIECE_BYTES:
        content = small_file(source, byte_count)
        if len(content) != byte_count or hashlib.sha256(content).hexdigest() != sha256:
            return False
        _write_all(handle, content)
        return True
    digest = hashlib.sha256()
    with open(source, "rb") as given:
        while piece := given.read(_PIECE_BYTES):
            digest.update(piece)
            _write_all(handle, piece)
    return digest.hexdigest() == sha256


def _write_all(handle: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(handle, view) :]

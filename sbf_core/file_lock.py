"""A lock of a file that ends with its process, and not when somebody closes another handle of that file.

POSIX record locks, which SQLite and DuckDB take, end as soon as *any* descriptor of the file is closed in the process;
a program that looks at a locked file unlocks it. Here it is ``flock``, which belongs to the open file: fcntl(2) and
flock(2) of Linux and macOS. Windows has ``LockFileEx``, which belongs to the handle. Both also keep the threads of one
process apart, because each lock opens the file for itself.
"""

from __future__ import annotations

import errno
import os
import sys
import weakref
from pathlib import Path

if sys.platform == "win32":
    import ctypes
    import msvcrt
    from ctypes import wintypes

    _FAIL_IMMEDIATELY, _EXCLUSIVE, _LOCK_VIOLATION = 1, 2, 33

    class _Overlapped(ctypes.Structure):
        """``OVERLAPPED``: where the locked byte is; far behind the end, so that the file can be read meanwhile."""

        _fields_ = [
            ("internal", ctypes.c_void_p),
            ("internal_high", ctypes.c_void_p),
            ("offset", wintypes.DWORD),
            ("offset_high", wintypes.DWORD),
            ("event", wintypes.HANDLE),
        ]

    _kernel = ctypes.WinDLL("kernel32", use_last_error=True)

    def _locked(descriptor: int, *, shared: bool) -> bool:
        place = _Overlapped(offset_high=0x7FFFFFFF)
        flags = _FAIL_IMMEDIATELY | (0 if shared else _EXCLUSIVE)
        handle = wintypes.HANDLE(msvcrt.get_osfhandle(descriptor))
        if _kernel.LockFileEx(handle, flags, 0, 1, 0, ctypes.byref(place)):
            return True
        number = ctypes.get_last_error()
        if number == _LOCK_VIOLATION:
            return False
        raise ctypes.WinError(number)

else:
    import fcntl

    def _locked(descriptor: int, *, shared: bool) -> bool:
        try:
            fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError as error:
            if error.errno == errno.EACCES:  # how NFS says it
                return False
            raise
        return True


#: What a system says where somebody may not write.
READ_ONLY = (errno.EROFS, errno.EACCES, errno.EPERM)
_held: weakref.WeakSet[FileLock] = weakref.WeakSet()


class FileLock:
    """A lock on a file, which is made where it is not there, and never removed by the lock.

    Args:
        path: the file.
        shared: several may hold it at once, but none beside one who does not share.
    """

    def __init__(self, path: Path, *, shared: bool = False) -> None:
        self.path = path
        self._shared = shared
        self._descriptor: int | None = None

    @property
    def is_held(self) -> bool:
        """Whether this object holds it."""
        return self._descriptor is not None

    def acquire(self) -> bool:
        """Take it without waiting; whether it is held now. Calling it again does nothing.

        A shared lock of a file that is not there, where nobody may write, is held at once: nobody can write there.

        Raises:
            OSError: the file cannot be opened, or its file system knows no locks.
        """
        if self._descriptor is not None:
            return True
        try:
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOINHERIT", 0), 0o600)
        except OSError as error:
            if not self._shared or error.errno not in READ_ONLY:
                raise
            try:
                descriptor = os.open(self.path, os.O_RDONLY)
            except FileNotFoundError:
                return True
        try:
            is_ours = _locked(descriptor, shared=self._shared)
        except BaseException:
            os.close(descriptor)
            raise
        if not is_ours:
            os.close(descriptor)
            return False
        self._descriptor = descriptor
        _held.add(self)
        return True

    def note(self, content: bytes) -> None:
        """Write into the file who holds it. Raises ``OSError``."""
        assert self._descriptor is not None
        os.ftruncate(self._descriptor, 0)
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        os.write(self._descriptor, content)

    def release(self) -> None:
        """Give it back. Calling it again does nothing."""
        descriptor, self._descriptor = self._descriptor, None
        _held.discard(self)
        if descriptor is not None:
            os.close(descriptor)


def _forget_in_child() -> None:
    """A process that was forked has the descriptors, too, and would hold the locks for as long as it lives."""
    for lock in list(_held):
        lock.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_in_child)

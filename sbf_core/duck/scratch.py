"""A folder for work that needs room, and is thrown away: in the home, or beside a home that is only read."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sbf_core.atomic_file import make_folder
from sbf_core.duck.config import DuckDbConfig
from sbf_core.file_lock import READ_ONLY, FileLock

_LOCK = ".lock"


@contextmanager
def scratch_folder(config: DuckDbConfig, *, name: str) -> Iterator[Path]:
    """A folder of this process alone, gone when the block ends; those of processes that died are removed first.

    Where the home may only be read it is in the system's folder for such work.

    Args:
        config: of the home.
        name: what it is for; it begins the folder's name.

    Raises:
        OSError: there is no room, or another fault than that the home may only be read.
    """
    lock = _lock_at_home(config, name)
    if lock is None:
        with tempfile.TemporaryDirectory(prefix=f"sbf-{name}-", ignore_cleanup_errors=True) as elsewhere:
            yield Path(elsewhere)
        return
    folder = lock.path.with_suffix("")
    try:
        folder.mkdir(mode=0o700)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    finally:
        _drop(lock)


def _lock_at_home(config: DuckDbConfig, name: str) -> FileLock | None:
    """The lock of a fresh folder in the home; None where the home may only be read."""
    try:
        make_folder(config.scratch)
        remove_dead_scratch(config)
        return _fresh_lock(config, name)
    except OSError as error:
        if error.errno not in READ_ONLY:
            raise
        return None


def remove_dead_scratch(config: DuckDbConfig) -> None:
    """Remove what processes left that died. Their locks ended with them."""
    for lock in _dead_locks(config):
        shutil.rmtree(lock.path.with_suffix(""), ignore_errors=True)
        _drop(lock)


def dead_scratch(config: DuckDbConfig) -> list[Path]:
    """Folders of processes that died."""
    folders = []
    for lock in _dead_locks(config):
        folders.append(lock.path.with_suffix(""))
        lock.release()
    return [folder for folder in folders if folder.exists()]


def _fresh_lock(config: DuckDbConfig, name: str) -> FileLock:
    while True:
        with tempfile.NamedTemporaryFile(dir=config.scratch, prefix=f"{name}-", suffix=_LOCK, delete=False) as file:
            lock = FileLock(Path(file.name))
        if lock.acquire():  # else somebody took it for that of a dead process, and removes it
            return lock


def _dead_locks(config: DuckDbConfig) -> Iterator[FileLock]:
    """Locks that nobody held; they are held now."""
    for path in sorted(config.scratch.glob(f"*{_LOCK}")) if config.scratch.is_dir() else ():
        lock = FileLock(path)
        if lock.acquire():
            yield lock


def _drop(lock: FileLock) -> None:
    """Remove a lock that is held, and its file: before it is given back where the system can do that."""
    with suppress(OSError):
        lock.path.unlink(missing_ok=True)
    lock.release()
    with suppress(OSError):
        lock.path.unlink(missing_ok=True)

"""A folder in the home for work that needs room, and is thrown away."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from sbf_core.duck.config import DuckDbConfig
from sbf_core.whole_file import make_folder

_LOCK = ".lock"


@contextmanager
def scratch_folder(config: DuckDbConfig, *, name: str) -> Iterator[Path]:
    """A folder of this process alone, gone when the block ends; those of processes that died are removed first.

    Args:
        config: of the home.
        name: what it is for; it begins the folder's name.

    Raises:
        OSError: the home cannot be written.
    """
    make_folder(config.scratch)
    remove_dead_scratch(config)
    with tempfile.NamedTemporaryFile(dir=config.scratch, prefix=f"{name}-", suffix=_LOCK, delete=False) as file:
        lock = Path(file.name)
    folder = lock.with_suffix("")
    try:
        with _held(lock) as is_ours:
            assert is_ours
            folder.mkdir(mode=0o700)
            try:
                yield folder
            finally:
                shutil.rmtree(folder, ignore_errors=True)
    finally:
        lock.unlink(missing_ok=True)


def remove_dead_scratch(config: DuckDbConfig) -> None:
    """Remove what processes left that died. Their locks ended with them."""
    for lock in config.scratch.glob(f"*{_LOCK}") if config.scratch.is_dir() else ():
        with _held(lock) as is_ours:
            if is_ours:
                shutil.rmtree(lock.with_suffix(""), ignore_errors=True)
        if is_ours:
            with suppress(OSError):
                lock.unlink(missing_ok=True)


def dead_scratch(config: DuckDbConfig) -> list[Path]:
    """Folders of processes that died."""
    found = []
    for lock in sorted(config.scratch.glob(f"*{_LOCK}")) if config.scratch.is_dir() else ():
        with _held(lock) as is_ours:
            if is_ours:
                found.append(lock.with_suffix(""))
    return [folder for folder in found if folder.exists()]


@contextmanager
def _held(lock: Path) -> Iterator[bool]:
    """Whether the file could be locked; SQLite's lock works on every system, and ends with its process."""
    with closing(sqlite3.connect(lock, isolation_level=None, timeout=0)) as connection:
        try:
            connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError:
            yield False
            return
        yield True

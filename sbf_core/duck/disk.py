"""Which errors of the engine are the disk's fault, and not the query's."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from sbf_core.duck.damage import tells_of_damage
from sbf_core.errors import DamageFound, environment_fault

#: Below this a run warns.
FREE_BYTES_FLOOR = 1024**3
_NUMBERS = ("ENOSPC", "EDQUOT", "EROFS", "EACCES", "EPERM", "EIO", "EMFILE", "ENFILE", "EFBIG")
_ERRNOS = frozenset(getattr(errno, name) for name in _NUMBERS if hasattr(errno, name))
_TEXTS = (*(os.strerror(number) for number in sorted(_ERRNOS)), "not enough space on the disk")


def is_locked(error: duckdb.Error) -> bool:
    """Whether another process has the file open."""
    return any(sign in str(error) for sign in ("onflicting lock", "Could not set lock", "being used by another process"))


def is_disk_fault(error: BaseException) -> bool:
    """Whether the engine, or the system, could not use the disk. After a fatal error the whole database refuses to work until it is opened again."""
    if isinstance(error, OSError):
        return error.errno in _ERRNOS
    if isinstance(error, duckdb.FatalException):
        return True
    return isinstance(error, (duckdb.IOException, duckdb.TransactionException)) and any(text in str(error) for text in _TEXTS)


@contextmanager
def disk_faults(database: Path) -> Iterator[None]:
    """Turns what the system or the engine says about the disk into ``EnvironmentFault``."""
    try:
        yield
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            raise
        raise environment_fault(error, doing="a file cannot be used", where=str(database.parent)) from error
    except duckdb.Error as error:
        if tells_of_damage(error):
            raise DamageFound(f"the database is damaged: {str(error).splitlines()[0]}", where=str(database), fix="run `sbf rebuild`; it needs only Bronze") from error
        if not is_disk_fault(error):
            raise
        raise environment_fault(error, doing="the database cannot be written", where=str(database)) from error

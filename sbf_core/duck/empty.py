"""The file of a database that holds the schema and nothing else, kept by the process that made one.

The schema is made by forty statements. A check of a plugin makes dozens of homes and `sbf verify` a database for each
table: all but the first are laid out from the bytes of the first.
"""

from __future__ import annotations

import datetime as dt
import os
import threading
from contextlib import suppress
from pathlib import Path

from sbf_core.duck.migrate import migration_texts

#: What a file is made of: the moment that its rows name, and the statements.
_Made = tuple[dt.datetime, tuple[str, ...]]
_LOCK = threading.Lock()
_MOMENTS = 2
_kept: dict[_Made, bytes] = {}


def keep_empty(database: Path, *, now: dt.datetime) -> None:
    """Remember a database into which ``make_schema`` has just put the schema, at that moment, and which needs no log.

    Where the system lets nobody read it while it is open, nothing is remembered.
    """
    with suppress(OSError):
        content = database.read_bytes()
        with _LOCK:
            _kept[now, migration_texts()] = content
            while len(_kept) > _MOMENTS:
                del _kept[next(iter(_kept))]


def lay_out_empty(database: Path, *, now: dt.datetime, durable: bool) -> bool:
    """Write such a database; False, and nothing is written, where none of that moment is kept.

    Args:
        database: the place; a file that is there is replaced.
        now: the moment that the schema names as that of its making.
        durable: its bytes are on the disk when this returns.

    Raises:
        OSError: the disk does not let it be written.
    """
    content = _kept.get((now, migration_texts()))
    if content is None:
        return False
    with database.open("wb") as file:
        file.write(content)
        file.flush()
        if durable:
            os.fsync(file.fileno())
    return True

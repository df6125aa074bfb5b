"""Copies of the database for readers, so that a reader never meets a run and a run never meets a reader.

``<home>/published/sbf-<run id>.duckdb`` is a whole database; ``current.json`` beside it names the newest one and says
which state of ``sbf.duckdb`` it is a copy of. Both come by rename, so a reader sees the old or the new, never a part.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import attrs

from sbf_core.atomic_file import make_folder, state_of, sync_all, write_whole
from sbf_core.duck.config import DuckDbConfig
from sbf_core.faults import fault_point

#: Says which copy is the newest.
CURRENT = "current.json"
#: As fast as any for large files; a larger one is fetched from the system anew for each piece, which costs half as much
#: again where the database is small.
_BUFFER_BYTES = 1 << 18
_TRIES = 5


@attrs.frozen(kw_only=True)
class Publication:
    """A copy for readers.

    Attributes:
        path: the copy.
        run_id: the run that left the database like this.
        published_at: when, as ISO text.
        is_current: the database has not changed since.
        has_all_rows: silver and gold have not changed since; runs that found nothing to do may have added to the
            ledger.
    """

    path: Path
    run_id: str
    published_at: str
    is_current: bool
    has_all_rows: bool


def copy_database(source: IO[bytes], target: Path, *, durable: bool) -> None:
    """Copy an open database file whose log is empty; a crash leaves only a file named ``*.tmp``.

    The caller must keep ``source`` open until DuckDB has closed the database: POSIX takes all locks of a process from a
    file as soon as the process closes any handle of it.
    """
    fresh = target.with_name(f"{target.name}.tmp")
    named = make_folder(target.parent)
    with fresh.open("wb") as out:
        fresh.chmod(0o600)
        fault_point("publish.half")
        _copy_bytes(source, out)
        out.flush()
        if durable:
            os.fsync(out.fileno())
    fault_point("publish.copied")
    fresh.replace(target)
    if durable:
        sync_all([target.parent, *named])


def _copy_bytes(source: IO[bytes], out: IO[bytes]) -> None:
    """Copy a whole file. Linux does it by itself, and shares the blocks where the disk knows how (XFS, Btrfs): then a
    copy costs nothing, however large the database is.
    """
    size = left = os.fstat(source.fileno()).st_size
    if sys.platform == "linux":
        with suppress(OSError):  # not between these disks; what is wrong with this one is met again below
            while left and (copied := os.copy_file_range(source.fileno(), out.fileno(), left)):
                left -= copied
    if left:
        source.seek(size - left)
        out.seek(size - left)
        shutil.copyfileobj(source, out, _BUFFER_BYTES)


def published_path(config: DuckDbConfig, run_id: str) -> Path:
    """The copy that a run leaves."""
    return config.published / f"sbf-{run_id}.duckdb"


def _state(database: Path) -> list[int]:
    stat = database.stat()
    return [stat.st_size, stat.st_mtime_ns]


def name_published(config: DuckDbConfig, run_id: str, *, now: str) -> None:
    """Say which copy is the newest, and remove the older ones, but those that a reader still holds on Windows."""
    current = published_path(config, run_id)
    facts = {
        "file": current.name,
        "run_id": run_id,
        "published_at": now,
        "database": _state(config.database),
        "rows": _state(config.database),
    }
    fault_point("publish.named")
    write_whole(config.published / CURRENT, json.dumps(facts).encode(), durable=config.fsync != "none")
    for path in config.published.glob("sbf-*"):
        if path != current:
            with suppress(OSError):
                path.unlink()
    fault_point("publish.done")


def keep_published(config: DuckDbConfig) -> None:
    """The database was changed, but none of its rows of silver and gold:
    the copy, which had them all, has them still.
    """
    named = config.published / CURRENT
    with suppress(OSError, ValueError):
        facts = state_of(named)
        write_whole(
            named, json.dumps({**facts, "rows": _state(config.database)}).encode(), durable=False
        )  # a reader may do without it


def _named(config: DuckDbConfig) -> tuple[dict[str, Any], Path]:
    facts = state_of(config.published / CURRENT)
    return facts, config.published / Path(facts["file"]).name


def current_publication(config: DuckDbConfig) -> Publication | None:
    """The newest copy for readers, or None."""
    try:
        facts, path = _named(config)
        for _ in range(_TRIES):
            if path.is_file():
                break
            facts, path = _named(config)  # a newer one took its place between two looks
        else:
            return None
        whole = config.database.exists() and not config.database.with_name(f"{config.database.name}.wal").exists()
        state = _state(config.database) if whole else []
        return Publication(
            path=path,
            run_id=facts["run_id"],
            published_at=facts["published_at"],
            is_current=whole and facts["database"] == state,
            has_all_rows=whole and facts.get("rows", facts["database"]) == state,
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def superseded_copies(config: DuckDbConfig) -> list[Path]:
    """Copies that are not the newest, and halves of copies. None where nobody says which is the newest. Call it only
    while no run is at work.
    """
    try:
        _, current = _named(config)
    except (OSError, ValueError, KeyError, TypeError):
        return []
    return sorted(path for path in config.published.glob("sbf-*") if path != current and path.suffix != ".wal")

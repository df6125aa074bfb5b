"""Copies of the database for readers, so that a reader never meets a run and a run never meets a reader.

``<home>/published/sbf-<run id>.duckdb`` is a whole database; ``current.json`` beside it names the newest one and says
which state of ``sbf.duckdb`` it is a copy of. Both come by rename, so a reader sees the old or the new, never a part.
Of a large database it names the one before, too, which the next copy is made of (``spare_copy``).
"""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import attrs

from sbf_core.atomic_file import make_folder, state_of, sync_all, write_whole
from sbf_core.duck.config import DuckDbConfig
from sbf_core.duck.spare_copy import LEFT_ALONE, renewed, worth_keeping
from sbf_core.faults import fault_point
from sbf_core.value import Value

#: Says which copy is the newest.
CURRENT = "current.json"
#: As fast as any for large files; a larger one is fetched from the system anew for each piece, which costs half as much
#: again where the database is small.
_BUFFER_BYTES = 1 << 18
_TRIES = 5


@attrs.frozen(kw_only=True)
class Publication(Value):
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
    _put_in_place(fresh, target, [target.parent, *named] if durable else [])


def _put_in_place(fresh: Path, target: Path, folders: Sequence[str | Path]) -> None:
    fault_point("publish.copied")
    fresh.replace(target)
    sync_all(folders)


def publish_copy(config: DuckDbConfig, source: IO[bytes], run_id: str, *, now: dt.datetime) -> None:
    """Make the copy that a run leaves: of the one before the newest, or a new file. See ``copy_database``."""
    target, durable = published_path(config, run_id), config.fsync != "none"
    spare, fresh = _spare(config, now), target.with_name(f"{target.name}.tmp")
    if spare is not None and renewed(source, spare, fresh, durable=durable):
        _put_in_place(fresh, target, [target.parent] if durable else [])
    else:
        copy_database(source, target, durable=durable)


def _spare(config: DuckDbConfig, now: dt.datetime) -> Path | None:
    """The copy before the newest one, once it has been that for a while."""
    try:
        facts, _ = _named(config)
        since = dt.datetime.fromisoformat(facts["published_at"])
        return config.published / Path(facts["spare"]).name if now - since >= LEFT_ALONE else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


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
    """Say which copy is the newest, and remove the older ones, but the spare one, and those that a reader still holds
    on Windows.
    """
    current = published_path(config, run_id)
    facts: dict[str, Any] = {
        "file": current.name,
        "run_id": run_id,
        "published_at": now,
        "database": _state(config.database),
        "rows": _state(config.database),
    }
    with suppress(OSError, ValueError, KeyError, TypeError):
        _, before = _named(config)
        if before != current and worth_keeping(before):
            facts["spare"] = before.name
    fault_point("publish.named")
    write_whole(config.published / CURRENT, json.dumps(facts).encode(), durable=config.fsync != "none")
    for path in config.published.glob("sbf-*"):
        if path.name not in (current.name, facts.get("spare")):
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
    """Copies that are neither the newest nor the spare one, and halves of copies. None where nobody says which is the
    newest. Call it only while no run is at work.
    """
    try:
        facts, current = _named(config)
    except (OSError, ValueError, KeyError, TypeError):
        return []
    needed = (current.name, facts.get("spare"))
    return sorted(path for path in config.published.glob("sbf-*") if path.name not in needed and path.suffix != ".wal")

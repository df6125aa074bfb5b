"""Move a database out of the way, kept under another name."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import duckdb

from sbf_core.clock import Clock
from sbf_core.duck.config import DuckDbConfig
from sbf_core.duck.disk import is_locked
from sbf_core.errors import HomeLocked, environment_fault

_NAME = "sbf-before-rebuild-"


def set_aside(config: DuckDbConfig, *, clock: Clock) -> Path | None:
    """Move ``sbf.duckdb`` and its log to ``backups``; returns the new place, or None where there is no database.

    What cannot be opened is moved as it is: that is what a rebuild is for.

    Raises:
        HomeLocked: another process has it open.
        EnvironmentFault: it cannot be moved.
    """
    database = config.database
    log = database.with_name(f"{database.name}.wal")
    if not database.exists() and not log.exists():
        return None
    connection = _opened(database)
    target = config.backups / f"{_NAME}{clock.now():%Y%m%dT%H%M%SZ}.duckdb"
    number = 1
    while target.exists():
        number += 1
        target = target.with_name(f"{_NAME}{clock.now():%Y%m%dT%H%M%SZ}-{number}.duckdb")
    try:
        config.backups.mkdir(mode=0o700, exist_ok=True)
        if connection is not None and os.name != "posix":
            connection.close()  # Windows moves no open file
        for path, place in ((log, target.with_name(f"{target.name}.wal")), (database, target)):
            if path.exists():
                path.rename(place)
    except OSError as error:
        raise environment_fault(error, doing="the old database cannot be set aside", where=str(database)) from error
    finally:
        if connection is not None:
            connection.close()
    return target


def set_aside_before(config: DuckDbConfig) -> list[Path]:
    """The databases that rebuilds have set aside, oldest first."""
    return sorted(config.backups.glob(f"{_NAME}*.duckdb"), key=lambda path: (path.stat().st_mtime_ns, path.name))


def database_copies(config: DuckDbConfig) -> list[tuple[Path, str]]:
    """Every copy of the database in ``backups`` that sbf itself made, with the reason; not what a user has put there."""
    kinds = ((f"{_NAME}*.duckdb", "set aside by a rebuild"), ("sbf-schema*-*.duckdb", "made before a migration"))
    found = [(path, why) for pattern, why in kinds for path in sorted(config.backups.glob(pattern))]
    return found + [
        (path, "its writing was stopped") for path in sorted(config.backups.glob("sbf-schema*-*.duckdb.tmp"))
    ]


def remove_set_aside(config: DuckDbConfig, *, keep: int) -> tuple[Path, ...]:
    """Remove the oldest of the databases that rebuilds have set aside; returns those that are gone.

    Args:
        config: of the home.
        keep: how many stay.
    """
    found = set_aside_before(config)
    gone = found[: len(found) - keep] if keep else found
    for path in gone:
        for one in (path, path.with_name(f"{path.name}.wal")):
            one.unlink(missing_ok=True)
    return tuple(gone)


def _opened(database: Path) -> duckdb.DuckDBPyConnection | None:
    """The database, so that nobody else opens it; None where it is too damaged."""
    try:
        with database.open("rb") as file:
            if file.read(12)[8:] != b"DUCK":
                return None
        connection = duckdb.connect(str(database))
    except OSError:
        return None
    except duckdb.Error as error:
        if is_locked(error):
            raise HomeLocked("the home is in use by another process", where=str(database), fix="wait for it") from error
        return None
    with suppress(duckdb.Error):
        connection.execute("CHECKPOINT")
    return connection

"""Move a database out of the way, kept under another name."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import duckdb

from sbf_core.atomic_file import sync_all
from sbf_core.clock import Clock
from sbf_core.duck.config import DuckDbConfig
from sbf_core.duck.disk import is_locked, machine_faults
from sbf_core.duck.open_fault import is_duckdb, open_fault
from sbf_core.duck.open_here import is_open_here
from sbf_core.errors import EnvironmentFault, environment_fault
from sbf_core.faults import fault_point

_NAME = "sbf-before-rebuild-"


def replace_database(config: DuckDbConfig, fresh: Path, *, clock: Clock) -> Path | None:
    """Put a whole database in the place of that of the home, at once; the old one is kept in ``backups``.

    Call it while holding the home. Where the old one cannot be opened it is kept as it is: that is what a rebuild is
    for.

    Args:
        config: of the home.
        fresh: the new one, closed, on the same file system. What its log holds is taken in first: where there was no
            room for that as it was closed, rows stand in the log alone.
        clock: names the old one.

    Returns:
        Where the old one is; None where there was none.

    Raises:
        HomeLocked: a program that is not sbf has it open.
        EnvironmentFault: it cannot be moved, or the new one not be made whole. The old one, or the new one, is in its
            place, whole.
    """
    database = config.database
    _take_in_log(fresh)
    log = database.with_name(f"{database.name}.wal")
    target: Path | None = None
    is_replaced = False
    connection = _opened(database) if database.exists() else None
    for name in set_aside_before(config):  # a rebuild that was killed has left it
        _one_name(database, name)
    try:
        if connection is not None and os.name != "posix":
            connection.close()  # Windows moves no open file
        if database.exists() or log.exists():
            target = _free_name(config, clock)
            config.backups.mkdir(mode=0o700, exist_ok=True)
            if log.exists():  # before: a log must never be left beside another database
                log.rename(target.with_name(f"{target.name}.wal"))
            if database.exists():
                _keep(database, target)
        fault_point("rebuild.kept")
        fresh.replace(database)
        is_replaced = True
        if config.fsync != "none":
            sync_all([config.home, *([config.backups] if target is not None else [])])
    except OSError as error:
        raise environment_fault(error, doing="the database cannot be replaced", where=str(database)) from error
    finally:
        if connection is not None:
            connection.close()
        if target is not None and not is_replaced:
            _one_name(database, target)
    fault_point("rebuild.replaced")
    return target


def _free_name(config: DuckDbConfig, clock: Clock) -> Path:
    stem = f"{_NAME}{clock.now():%Y%m%dT%H%M%SZ}"
    target, number = config.backups / f"{stem}.duckdb", 1
    while target.exists():
        number += 1
        target = config.backups / f"{stem}-{number}.duckdb"
    return target


def _keep(database: Path, target: Path) -> None:
    """Give a database a second name, so that there is no moment without one; where the system has none, move it."""
    try:
        os.link(database, target)
    except OSError:
        database.rename(target)


def _one_name(database: Path, kept: Path) -> None:
    """Take a second name from a database that keeps its first: what is written to the one stands in the other, too."""
    with suppress(OSError):
        if kept.samefile(database):
            kept.unlink()


def _take_in_log(fresh: Path) -> None:
    log = fresh.with_name(f"{fresh.name}.wal")
    if not log.exists():
        return
    with machine_faults(fresh):
        connection = duckdb.connect(str(fresh))
        try:
            connection.execute("CHECKPOINT")
        finally:
            connection.close()
    if log.exists():
        raise EnvironmentFault(
            "the new database cannot be written whole",
            where=str(fresh),
            fix="make room and run again; nothing was replaced",
        )


def set_aside_before(config: DuckDbConfig) -> list[Path]:
    """The databases that rebuilds have set aside, oldest first."""
    return sorted(config.backups.glob(f"{_NAME}*.duckdb"), key=lambda path: (path.stat().st_mtime_ns, path.name))


def database_copies(config: DuckDbConfig) -> list[tuple[Path, str]]:
    """Every copy of the database in ``backups`` that sbf itself made, with the reason;
    not what a user has put there.
    """
    kinds = ((f"{_NAME}*.duckdb", "set aside by a rebuild"), ("sbf-schema*-*.duckdb", "made before a migration"))
    copies = [(path, why) for pattern, why in kinds for path in sorted(config.backups.glob(pattern))]
    return copies + [
        (path, "its writing was stopped") for path in sorted(config.backups.glob("sbf-schema*-*.duckdb.tmp"))
    ]


def remove_set_aside(config: DuckDbConfig, *, keep: int) -> tuple[Path, ...]:
    """Remove the oldest of the databases that rebuilds have set aside; returns those that are gone.

    Args:
        config: of the home.
        keep: how many stay.
    """
    databases = set_aside_before(config)
    gone = databases[: len(databases) - keep] if keep else databases
    for path in gone:
        for one in (path, path.with_name(f"{path.name}.wal")):
            one.unlink(missing_ok=True)
    return tuple(gone)


def _opened(database: Path) -> duckdb.DuckDBPyConnection | None:
    """The database, so that no other program opens it; None where it is too damaged."""
    try:
        if not is_open_here(database) and not is_duckdb(database):
            return None
        connection = duckdb.connect(str(database))
    except duckdb.Error as error:
        if is_locked(error) or "different configuration" in str(error):
            raise open_fault(error, database, holder=database) from error
        return None
    with suppress(duckdb.Error):
        connection.execute("CHECKPOINT")
    return connection

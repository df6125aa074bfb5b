"""Why a database cannot be opened, as an error that says what to do."""

from __future__ import annotations

from pathlib import Path

import duckdb

from sbf_core.atomic_file import is_other_than_file
from sbf_core.duck.damage import tells_of_damage
from sbf_core.duck.disk import is_locked, machine_fault
from sbf_core.duck.holder import WAIT_FOR_IT, foreign_holder
from sbf_core.errors import (
    DamageFound,
    HomeLocked,
    OutOfMemory,
    SbfError,
    UsageError,
    VersionRefused,
    environment_fault,
)


def open_fault(error: duckdb.Error, database: Path, *, holder: Path) -> SbfError:
    """What DuckDB said when it was to open a file; ``holder`` says who has it."""
    text, where = str(error), str(database)
    if is_locked(error):
        return HomeLocked(foreign_holder(text), where=where, fix=WAIT_FOR_IT)
    if "different configuration" in text:
        return HomeLocked(
            "this process has the database open for reading", where=where, fix="close what sbf_core.open gave you first"
        )
    if "version number" in text:
        return VersionRefused("the database was written by a newer DuckDB", where=where, fix="upgrade sbf and duckdb")
    if "not a valid DuckDB database" in text:
        return no_duckdb(database)
    if tells_of_damage(error):
        return damage_found(error, database, holder=holder)
    told = machine_fault(error, database)
    if isinstance(told, OutOfMemory):
        return told
    if isinstance(error, (duckdb.IOException, duckdb.FatalException)):
        return environment_fault(error, doing="the database cannot be opened", where=where)
    return SbfError(
        f"the database cannot be opened: {text.splitlines()[0]}", where=where, fix="run `sbf doctor`", code="OPEN"
    )


def damage_found(error: duckdb.Error, database: Path, *, holder: Path) -> DamageFound:
    """A block cannot be read.

    Whoever died with the database open has left ``holder``; a run then replaces the database by itself.
    """
    fix = (
        "run `sbf run`, which replaces it: a crash did that"
        if holder.exists()
        else "run `sbf rebuild`; it needs only Bronze"
    )
    return DamageFound(f"the database is damaged: {str(error).splitlines()[0]}", where=str(database), fix=fix)


def is_duckdb(path: Path) -> bool:
    """Whether a file starts like a DuckDB database.

    Asked before DuckDB is: it would load an extension for an SQLite file.
    """
    if is_other_than_file(path):
        return False  # a pipe or a device: opening it may wait for ever
    try:
        with path.open("rb") as file:
            return file.read(12)[8:] == b"DUCK"
    except OSError:
        return True  # let DuckDB say what is wrong with it


def no_duckdb(path: Path) -> SbfError:
    """Somebody else's file is in the place of the database, or the database begins with other bytes: where payloads are
    beside it, it was one.
    """
    if (path.parent / "bronze" / "_journal").is_dir():
        what = "the database is damaged: it does not begin as a DuckDB file does"
        return DamageFound(what, where=str(path), fix="run `sbf rebuild`; it needs only Bronze")
    return UsageError(
        "this is no DuckDB database; it was not touched",
        where=str(path),
        fix="move it away or choose another --home",
        code="NOT_DUCKDB",
    )

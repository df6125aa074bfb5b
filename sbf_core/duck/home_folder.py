"""The folder of a home, before its database is opened."""

from __future__ import annotations

import os
from pathlib import Path

from sbf_core.atomic_file import is_other_than_file, make_folder, regular_file, sync_all
from sbf_core.duck.config import DuckDbConfig
from sbf_core.errors import UsageError, environment_fault
from sbf_core.shell_words import typed
from sbf_core.unicode_text import escaped, is_unicode

#: DuckDB cuts a path at a ``?`` to name its log; where ``\\`` is a letter of a name, it takes it for a ``/``.
_NOT_IN_PATHS = ("?",) if os.name == "nt" else ("?", "\\")


def check_place(config: DuckDbConfig, database: Path) -> None:
    """Whether a home may be there. Writes nothing. Raises ``UsageError``."""
    home, fix = config.home, "name a folder of its own with --home or SBF_HOME"
    if home == home.parent or home == Path.home():
        raise UsageError("this is no folder for a warehouse", where=str(home), fix=fix, code="HOME")
    strange = next((mark for mark in _NOT_IN_PATHS if mark in str(database.relative_to(database.anchor))), "")
    if strange:
        what = f"DuckDB cannot open a file whose path holds {strange!r}"
        raise UsageError(what, where=str(home), fix="name a folder without it with --home or SBF_HOME", code="HOME")
    if not is_unicode(str(database)):
        what = "DuckDB cannot open a file whose path is no UTF-8"
        raise UsageError(what, where=escaped(str(home)), fix="name another folder with --home or SBF_HOME", code="HOME")
    if home.exists() and not home.is_dir():
        raise UsageError(
            "the home is a file", where=str(home), fix="name a folder with --home or SBF_HOME", code="HOME"
        )
    if database.is_dir():
        raise UsageError("the database is a folder", where=str(database), fix="move it away", code="HOME")
    log = database.with_name(f"{database.name}.wal")
    if is_other_than_file(log):  # DuckDB would open it, and wait at a pipe
        raise UsageError(
            "in the place of the database's log is no file", where=str(log), fix="move it away", code="HOME"
        )


def check_outside(config: DuckDbConfig, place: Path, *, fix: str) -> None:
    """Whether a file or folder that a user names is none of the home's, by whatever way it leads there. Writes nothing.

    Raises:
        UsageError: it lies in the home, whose files are sbf's alone: it might take the place of a payload.
    """
    real = place.expanduser().resolve()
    folders = (
        config.home,
        config.bronze,
        config.quarantine,
        config.published,
        config.backups,
    )  # one may be on another disk
    if any(_is_same(above, folder) for above in (real, *real.parents) for folder in folders):
        raise UsageError("this lies in the home, whose files are sbf's alone", where=str(place), fix=fix, code="HOME")


def _is_same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return False


def check_restored(config: DuckDbConfig) -> None:
    """Whether a restore into this home has ended. Writes nothing. Raises ``UsageError``."""
    if not os.path.lexists(config.restoring):
        return
    folder = restoring_from(config)
    again = f"sbf restore {typed(folder)} --home {typed(config.home)}" if folder else "sbf restore"
    raise UsageError(
        "a restore into this home was stopped before its end",
        where=str(config.home),
        fix=f"run `{again}` again",
        code="RESTORE",
    )


def restoring_from(config: DuckDbConfig) -> str:
    """The backup that is being copied into the home; empty where nobody can say which."""
    try:
        return os.fsdecode(regular_file(config.restoring))
    except OSError:
        return ""


def check_there(config: DuckDbConfig, database: Path) -> None:
    """Whether there is a database to read. Raises ``UsageError``."""
    home = str(config.home)
    if database.exists():
        return
    if config.bronze.is_dir() and any(config.bronze.iterdir()):
        raise UsageError(
            "the database is gone, but Bronze is there", where=home, fix="run `sbf rebuild`", code="NO_DATABASE"
        )
    fix = "run `sbf run` (or `sbf run --replay sample`) first"
    raise UsageError("there is no data yet", where=home, fix=fix, code="NO_DATA")


def make_home(config: DuckDbConfig) -> None:
    """Make the folders that a run writes. Raises ``EnvironmentFault`` where they cannot be made or written."""
    try:
        named = [made for folder in (config.home, config.bronze, config.staging) for made in make_folder(folder)]
        if named and config.fsync != "none":
            sync_all(set(named))
    except OSError as error:
        raise environment_fault(error, doing="the home cannot be made", where=str(config.home)) from error
    if not os.access(config.home, os.W_OK):
        try:
            config.lock.touch()
        except OSError as error:
            raise environment_fault(error, doing="the home is not writable", where=str(config.home)) from error

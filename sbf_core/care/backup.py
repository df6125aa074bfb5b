"""A copy of a home that is whole at any moment, run or no run; and a home from such a copy.

Journals are read first, then the payloads that they name are copied, then the journals are written, then the database:
whatever a run does meanwhile, the copy holds each payload that its journals name. The database may be older than the
journals, or absent; the next run, or ``sbf restore``, takes in what it does not know.

In the same order a backup grows into a newer one: payloads are added, journals become longer, and the new database
stands beside the old one until ``backup.json`` names it. Wherever that stops, the folder holds a whole backup, be it of
both.
"""

from __future__ import annotations

import os
from pathlib import Path

import attrs

from sbf_core.atomic_file import sync_all, write_whole
from sbf_core.bronze.journal import journal_files, journal_path, settled
from sbf_core.bronze.journal_file import journal_bytes
from sbf_core.bronze.paths import JOURNAL_FOLDER
from sbf_core.care.backup_folder import (
    FACTS,
    BackupFacts,
    copy_decisions,
    copy_quarantine,
    next_database,
    read_facts,
    remove_other_databases,
    write_facts,
)
from sbf_core.care.copied_payloads import copy_payloads, named_payloads
from sbf_core.clock import Clock
from sbf_core.counted import counted
from sbf_core.duck.bootstrap import DuckDbBootstrap
from sbf_core.duck.config import DuckDbConfig
from sbf_core.duck.home_folder import check_outside, check_place, restoring_from
from sbf_core.duck.publish import copy_database, current_publication
from sbf_core.errors import DamageFound, HomeLocked, UsageError
from sbf_core.faults import fault_point
from sbf_core.safe_paths import is_link
from sbf_core.value import Value


@attrs.frozen(kw_only=True)
class BackupReport(Value):
    """What a backup or a restore copied.

    Attributes:
        folder: where to.
        payloads: payloads that the journals name.
        payloads_copied: those that were not there yet.
        byte_count: bytes of the payloads that were copied.
        database: ``current``, ``of run ...`` for an older copy, or ``none``.
    """

    folder: Path
    payloads: int
    payloads_copied: int
    byte_count: int
    database: str


def back_up(config: DuckDbConfig, folder: Path, *, clock: Clock) -> BackupReport:
    """Copy a home to ``folder``. Calling it again with the same folder copies only what is new. No run needs to stop.

    A backup that was whole stays whole until the newer one is, wherever this stops.

    Raises:
        UsageError: the folder holds something else, or the backup of another home, or lies in the home; or there is
            nothing to back up.
        DamageFound: a payload is missing or not what its journal says, or a journal cannot be read; run ``sbf verify``.
    """
    folder = folder.expanduser().absolute()
    check_outside(
        config, folder, fix="name a folder elsewhere, best on another disk: a backup in the home would be lost with it"
    )
    if folder.exists() and (not folder.is_dir() or not _is_ours(folder)):
        raise UsageError(
            "this is no folder that a backup may be written to",
            where=str(folder),
            fix="name an empty folder, or that of an earlier backup",
            code="BACKUP",
        )
    if not journal_files(config.bronze):
        raise UsageError(
            "there is nothing to back up yet", where=str(config.home), fix="run `sbf run` first", code="NO_DATA"
        )
    others = {path.name for path in journal_files(folder / "bronze")} - {
        path.name for path in journal_files(config.bronze)
    }
    if others:
        what = (
            f"this is the backup of another home: it holds {counted(len(others), 'run')} that this home does not know, "
            f"such as {Path(min(others)).stem}"
        )
        raise UsageError(
            what,
            where=str(folder),
            fix="name another folder; where this home has lost journals, run `sbf repair` first",
            code="BACKUP",
        )
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    before = read_facts(folder)
    made_at = clock.now().isoformat()
    if before is None or not before.complete:
        write_facts(folder, BackupFacts(made_at=made_at, complete=False))
    whole = {path.name: settled(journal_bytes(path)) for path in journal_files(config.bronze)}
    named = named_payloads(whole)
    copied, byte_count = copy_payloads(config.bronze, folder / "bronze", named, trusting=True)
    for name, content in whole.items():
        write_whole(folder / "bronze" / JOURNAL_FOLDER / name, content)
        fault_point("backup.journals")
    copy_decisions(config.home, folder, replacing=True)
    copy_quarantine(config.quarantine, folder / "quarantine")
    name = next_database(before)
    database = _copy_database(config, folder / name)
    fault_point("backup.database")
    if database == "none":
        name, database = (
            (before.database_file, before.database) if before is not None and before.complete else ("", database)
        )
    write_facts(
        folder, BackupFacts(made_at=made_at, complete=True, payloads=len(named), database=database, database_file=name)
    )
    fault_point("backup.named")
    remove_other_databases(folder, name)
    fault_point("backup.done")
    return BackupReport(
        folder=folder, payloads=len(named), payloads_copied=copied, byte_count=byte_count, database=database
    )


def _is_ours(folder: Path) -> bool:
    """Whether a backup may be written there: it is empty, or a backup was begun there, be it only its first file."""
    begun = f".{FACTS}.tmp"
    return (folder / FACTS).exists() or all(path.name == begun for path in folder.iterdir())


def restore_files(folder: Path, config: DuckDbConfig) -> BackupReport:
    """Copy a backup into a new home, each payload checked against its journal.

    Nothing that the backup says leads elsewhere. Where it is stopped, the next one goes on with the same backup, and
    until then nothing else uses that home.

    Raises:
        UsageError: this is no whole backup, or the home holds data already, or half of another backup.
        DamageFound: a payload of the backup is missing or damaged, or a journal is not one that sbf wrote.
    """
    folder = folder.expanduser().absolute()
    facts = _facts_of(folder)
    _check_home(config, folder)
    bronze = folder / "bronze"
    _check_places(folder, facts)
    whole = {path.name: journal_bytes(path) for path in journal_files(bronze)}
    journals = {journal_path(config.bronze, Path(name).stem): content for name, content in whole.items()}
    named = named_payloads(whole)
    if sum(content.count(b"\n") for content in whole.values()) < facts.payloads:
        held = counted(facts.payloads, "payload was", "payloads were")
        what = f"journals of the backup are gone: {held} in it, and they name {len(named):,}"
        fix = "put them back; or copy its folder bronze, and run `sbf rebuild`, which makes a home of what is left"
        raise DamageFound(what, where=str(bronze / JOURNAL_FOLDER), fix=fix)
    write_whole(config.restoring, os.fsencode(folder))
    fault_point("restore.begun")
    copied, byte_count = copy_payloads(bronze, config.bronze, named, trusting=False)
    for path, content in journals.items():
        write_whole(path, content)
    fault_point("restore.journals")
    copy_decisions(folder, config.home, replacing=False)
    copy_quarantine(folder / "quarantine", config.quarantine)
    database = folder / facts.database_file if facts.database_file else None
    if database is not None and database.is_file():
        _restore_database(database, config.database)
    fault_point("restore.database")
    config.restoring.unlink()
    sync_all([config.home])
    if database is not None and not database.is_file():
        fix = "run `sbf rebuild` in the new home: its payloads are all there"
        raise DamageFound("the database of the backup is gone", where=str(database), fix=fix)
    return BackupReport(
        folder=config.home, payloads=len(named), payloads_copied=copied, byte_count=byte_count, database=facts.database
    )


def _facts_of(folder: Path) -> BackupFacts:
    facts = read_facts(folder)
    if facts is None:
        fix = "name the folder of a backup"
        raise UsageError("this is no backup", where=str(folder), fix=fix, code="BACKUP")
    if not facts.complete:
        fix = "make that backup again, or rebuild from its bronze folder"
        raise UsageError("this backup was never finished", where=str(folder), fix=fix, code="BACKUP")
    return facts


def _check_home(config: DuckDbConfig, folder: Path) -> None:
    """A home takes a backup once: it is empty, or was stopped while it took the same one."""
    check_place(config, config.database)
    is_begun = restoring_from(config) == str(folder)
    where, fix = str(config.home), "name a new folder with --home"
    if os.path.lexists(config.restoring) and not is_begun:
        raise UsageError("the home holds half of another backup", where=where, fix=fix, code="HOME")
    if not is_begun and (config.database.exists() or journal_files(config.bronze)):
        raise UsageError("the home holds data already", where=where, fix=fix, code="HOME")


def _check_places(folder: Path, facts: BackupFacts) -> None:
    """What a backup holds are files and folders of its own."""
    bronze, log = folder / "bronze", folder / f"{facts.database_file}.wal"
    for place in (bronze, bronze / JOURNAL_FOLDER, folder / facts.database_file, log):
        if os.path.lexists(place) and is_link(place.lstat()):
            fix = "put the file or folder itself in its place"
            raise DamageFound("a link stands in a backup", where=str(place), fix=fix)
    if os.path.lexists(log) and not log.is_file():  # a pipe: who reads it waits for ever
        raise DamageFound("in the place of the database's log is no file", where=str(log), fix="take it away")


def _restore_database(database: Path, target: Path) -> None:
    with database.open("rb") as source:
        _copy_log(database, target)
        copy_database(source, target, durable=True)


def _copy_database(config: DuckDbConfig, target: Path) -> str:
    """The newest state that can be read without stopping a run."""
    if not config.database.exists():
        return "none"
    if _copy_published(config, target, if_current=True) is not None:  # while it is read, no run has to wait
        return "current"
    bootstrap = DuckDbBootstrap(config, read_only=True)
    try:
        bootstrap.open()
    except (HomeLocked, UsageError):
        run_id = _copy_published(config, target, if_current=False)
        return "none" if run_id is None else f"of run {run_id}"
    try:
        # the handle must outlive DuckDB's: closing any handle of a file gives up the locks of the process on it
        with bootstrap.database.open("rb") as source:
            _copy_log(bootstrap.database, target)
            copy_database(source, target, durable=True)
            bootstrap.close()
    finally:
        bootstrap.close()
    return "current"


def _copy_published(config: DuckDbConfig, target: Path, *, if_current: bool) -> str | None:
    """The copy for readers, which nobody changes while it is open; while it is copied a run may give it up, but not its
    bytes. Returns the run that left it.
    """
    while (copy := current_publication(config)) is not None and (copy.is_current or not if_current):
        try:
            source = copy.path.open("rb")
        except FileNotFoundError:
            continue  # a newer one took its place between two looks
        with source:
            _copy_log(copy.path, target)
            copy_database(source, target, durable=True)
        return copy.run_id
    return None


def _copy_log(database: Path, target: Path) -> None:
    """A run that was killed leaves a log beside the database, which belongs to it."""
    log, copy = database.with_name(f"{database.name}.wal"), target.with_name(f"{target.name}.wal")
    copy.unlink(missing_ok=True)
    if log.is_file() and not is_link(log.lstat()):
        write_whole(copy, log.read_bytes())

"""A copy of a home that is whole at any moment, run or no run; and a home from such a copy.

Journals are read first, then the payloads that they name are copied, then the journals are written, then the database:
whatever a run does meanwhile, the copy holds each payload that its journals name. The database may be older than the
journals, or absent; the next run, or ``sbf restore``, takes in what it does not know.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path

import attrs

from sbf_core.bronze.journal import journal_files, settled
from sbf_core.bronze.paths import JOURNAL_FOLDER
from sbf_core.clock import Clock
from sbf_core.duck.bootstrap import DuckDbBootstrap
from sbf_core.duck.config import DuckDbConfig
from sbf_core.duck.publish import copy_database, current_publication
from sbf_core.errors import DamageFound, HomeLocked, UsageError
from sbf_core.whole_file import write_whole

FACTS = "backup.json"
#: What the user has decided: settings, and payloads that were released.
_DECISIONS = ("sbf.toml", "accepted.txt")


@attrs.frozen(kw_only=True)
class BackupReport:
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

    Raises:
        UsageError: the folder holds something else, or lies in the home; or there is nothing to back up.
        DamageFound: a payload is missing or not what its journal says; run ``sbf verify``.
    """
    folder = folder.expanduser().absolute()
    if folder == config.home or config.home in folder.parents:
        raise UsageError("a backup in the home itself would be lost with it", where=str(folder), fix="name a folder elsewhere, best on another disk", code="BACKUP")
    if folder.exists() and (not folder.is_dir() or not _is_ours(folder)):
        raise UsageError("this is no folder that a backup may be written to", where=str(folder), fix="name an empty folder, or that of an earlier backup", code="BACKUP")
    if not journal_files(config.bronze):
        raise UsageError("there is nothing to back up yet", where=str(config.home), fix="run `sbf run` first", code="NO_DATA")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_whole(folder / FACTS, json.dumps({"made_at": clock.now().isoformat(), "complete": False}).encode())
    whole = {path.name: settled(path.read_bytes()) for path in journal_files(config.bronze)}
    total, copied, byte_count = _copy_payloads(config.bronze, folder / "bronze", whole)
    for name, content in whole.items():
        write_whole(folder / "bronze" / JOURNAL_FOLDER / name, content)
    for name in _DECISIONS:
        if (config.home / name).exists():
            write_whole(folder / name, (config.home / name).read_bytes())
    if config.quarantine.is_dir():
        shutil.copytree(config.quarantine, folder / "quarantine", dirs_exist_ok=True, copy_function=_copy_absent)
    database = _copy_database(config, folder)
    facts = {"made_at": clock.now().isoformat(), "complete": True, "payloads": total, "database": database}
    write_whole(folder / FACTS, json.dumps(facts).encode())
    return BackupReport(folder=folder, payloads=total, payloads_copied=copied, byte_count=byte_count, database=database)


def _is_ours(folder: Path) -> bool:
    """Whether a backup may be written there: it is empty, or a backup was begun there, be it only its first file."""
    begun = f".{FACTS}.tmp"
    return (folder / FACTS).exists() or all(path.name == begun for path in folder.iterdir())


def restore_files(folder: Path, config: DuckDbConfig) -> BackupReport:
    """Copy a backup into a new home, each payload checked against its journal.

    Raises:
        UsageError: this is no whole backup, or the home holds data already.
        DamageFound: a payload of the backup is missing or damaged.
    """
    folder = folder.expanduser().absolute()
    try:
        facts = json.loads((folder / FACTS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise UsageError("this is no backup", where=str(folder), fix="name a folder that `sbf backup` has written", code="BACKUP") from None
    if not facts.get("complete"):
        raise UsageError("this backup was never finished", where=str(folder), fix="run `sbf backup` again, or rebuild from its bronze folder", code="BACKUP")
    if config.database.exists() or journal_files(config.bronze):
        raise UsageError("the home holds data already", where=str(config.home), fix="name a new folder with --home", code="HOME")
    whole = {path.name: path.read_bytes() for path in journal_files(folder / "bronze")}
    total, copied, byte_count = _copy_payloads(folder / "bronze", config.bronze, whole)
    for name, content in whole.items():
        write_whole(config.bronze / JOURNAL_FOLDER / name, content)
    for name in _DECISIONS:
        if (folder / name).exists() and not (config.home / name).exists():
            write_whole(config.home / name, (folder / name).read_bytes())
    if (folder / "quarantine").is_dir():
        shutil.copytree(folder / "quarantine", config.quarantine, dirs_exist_ok=True, copy_function=_copy_absent)
    if (folder / config.database.name).exists():
        with (folder / config.database.name).open("rb") as source:
            _copy_log(folder / config.database.name, config.database)
            copy_database(source, config.database, durable=True)
    return BackupReport(folder=config.home, payloads=total, payloads_copied=copied, byte_count=byte_count, database=facts["database"])


def _copy_payloads(source: Path, target: Path, journals: dict[str, bytes]) -> tuple[int, int, int]:
    """Copy what the journals name and the target lacks; returns payloads, payloads copied, bytes copied."""
    total = copied = byte_count = 0
    for name, content in journals.items():
        for number, raw in enumerate(content.splitlines(), start=1):
            try:
                line = json.loads(raw)["line"]
                path, payload_hash, size = line["rel_path"], line["payload_hash"], line["content_length_bytes"]
            except (ValueError, KeyError, TypeError) as error:
                raise DamageFound(f"the journal is damaged at line {number}", where=f"{JOURNAL_FOLDER}/{name}", fix="run `sbf repair`") from error
            total += 1
            there = target / path
            if there.exists() and there.stat().st_size == size:
                continue
            try:
                payload = (source / path).read_bytes()
            except FileNotFoundError:
                payload = b""
            if len(payload) != size or hashlib.sha256(payload).hexdigest() != payload_hash:
                raise DamageFound("a payload is missing or not what its journal says", where=str(source / path), fix="run `sbf verify`")
            write_whole(there, payload, mode=0o400)
            copied += 1
            byte_count += size
    return total, copied, byte_count


def _copy_database(config: DuckDbConfig, folder: Path) -> str:
    """The newest state that can be read without stopping a run."""
    if not config.database.exists():
        return "none"
    target = folder / config.database.name
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
    """The copy for readers, which nobody changes; while it is copied a run may give it up, but not its bytes. Returns
    the run that left it.
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
    if log.exists():
        write_whole(copy, log.read_bytes())


def _copy_absent(source: str, target: str) -> str:
    if not os.path.lexists(target):
        shutil.copyfile(source, target, follow_symlinks=False)
    return target

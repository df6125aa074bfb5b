"""What a backup holds besides payloads: its facts, and files that are copied as they are.

Whatever is read of it is checked.

``backup.json`` names the database file, and is replaced last, so that a backup that fails leaves the one before whole.
"""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs

from sbf_core.atomic_file import copy_whole, file_hash, write_whole
from sbf_core.errors import DamageFound, UsageError
from sbf_core.safe_paths import is_link
from sbf_core.value import Value

FACTS = "backup.json"
#: What the user has decided: settings, and payloads that were released.
DECISIONS = ("sbf.toml", "accepted.txt")
#: How releases before this one named it, and no ``backup.json`` did.
_DATABASE_BEFORE = "sbf.duckdb"
_DATABASE = re.compile(r"sbf(?:-[0-9]{1,9})?\.duckdb")
_OF_DATABASES = re.compile(rf"(?P<database>{_DATABASE.pattern})(?:\.wal|\.tmp)?")
_FACTS_BYTES_MAX = 65_536
_DECISION_BYTES_MAX = 64 * 1024**2


@attrs.frozen(kw_only=True)
class BackupFacts(Value):
    """What ``backup.json`` says.

    Attributes:
        made_at: when, as ISO text.
        complete: it was finished once; what a later one that failed left behind does not matter.
        payloads: how many its journals named.
        database: ``current``, ``of run ...`` for an older copy, or ``none``.
        database_file: the name of the database in the folder; empty for none.
    """

    made_at: str
    complete: bool
    payloads: int = 0
    database: str = "none"
    database_file: str = ""


def read_facts(folder: Path) -> BackupFacts | None:
    """What a folder says that it holds; None where there is no ``backup.json``.

    Raises:
        UsageError: the file is not as ``sbf backup`` writes it.
    """
    try:
        raw = plain_bytes(folder / FACTS, byte_count_max=_FACTS_BYTES_MAX)
    except FileNotFoundError:
        return None
    except (OSError, DamageFound) as error:
        raise _no_backup(folder, str(error)) from error
    try:
        document = json.loads(raw)
        kinds: Mapping[str, type] = {
            "made_at": str,
            "complete": bool,
            "payloads": int,
            "database": str,
            "database_file": str,
        }
        given: dict[str, Any] = {name: document[name] for name in kinds if name in document}
    except (ValueError, TypeError, RecursionError):
        raise _no_backup(folder, "it is no JSON object") from None
    wrong = next((name for name, value in given.items() if not isinstance(value, kinds[name])), None) or next(
        (name for name in ("made_at", "complete") if name not in given), None
    )
    if wrong is not None:
        raise _no_backup(folder, f"{wrong} is missing, or of another kind")
    given.setdefault("database_file", _DATABASE_BEFORE if (folder / _DATABASE_BEFORE).exists() else "")
    facts = BackupFacts(**given)
    if facts.database_file and not _DATABASE.fullmatch(facts.database_file):
        raise _no_backup(folder, f"its database {facts.database_file!r:.60} is no file that a backup has")
    return facts


def _no_backup(folder: Path, why: str) -> UsageError:
    return UsageError(
        f"this is no backup that can be read: {why}",
        where=str(folder / FACTS),
        fix="name another, or run `sbf rebuild` over its folder bronze",
        code="BACKUP",
    )


def write_facts(folder: Path, facts: BackupFacts) -> None:
    """Put the facts in their place in one step."""
    write_whole(folder / FACTS, json.dumps(attrs.asdict(facts)).encode())


def next_database(before: BackupFacts | None) -> str:
    """Another name than that of the database before, which stays until the new one is whole."""
    number = re.search(r"-([0-9]+)\.", before.database_file) if before is not None else None
    return f"sbf-{int(number[1]) % 999_999_999 + 1 if number else 1}.duckdb"


def remove_other_databases(folder: Path, kept: str) -> None:
    """Remove databases of backups before, and halves of those that failed."""
    for path in folder.iterdir():
        match = _OF_DATABASES.fullmatch(path.name)
        if match and (match["database"] != kept or path.name.endswith(".tmp")):
            path.unlink()


def plain_bytes(path: Path, *, byte_count_max: int = _DECISION_BYTES_MAX) -> bytes:
    """All bytes of a file.

    Raises ``DamageFound`` for a link, what is no file, and one that is absurdly large; ``OSError``.
    """
    facts = os.lstat(path)
    if is_link(facts) or not stat.S_ISREG(facts.st_mode) or facts.st_size > byte_count_max:
        raise DamageFound(
            "a link, no file, or too large to be what it should be",
            where=str(path),
            fix="put the right file in its place, or take it away",
        )
    return path.read_bytes()


def copy_decisions(source: Path, target: Path, *, replacing: bool) -> None:
    """Copy what the user has decided. Raises ``DamageFound`` as ``plain_bytes`` does."""
    for name in DECISIONS:
        if os.path.lexists(source / name) and (replacing or not (target / name).exists()):
            write_whole(target / name, plain_bytes(source / name))


def copy_quarantine(source: Path, target: Path) -> None:
    """Copy files in quarantine that are not there yet. Links have no bytes to keep, and stay where they are."""
    for folder, _, names in os.walk(source, followlinks=False, onerror=_told) if source.is_dir() else ():
        for name in names:
            path = Path(folder, name)
            facts = path.lstat()
            there = target / path.relative_to(source)
            if stat.S_ISREG(facts.st_mode) and not os.path.lexists(there):
                copy_whole(path, there, sha256=file_hash(path), byte_count=facts.st_size)


def _told(error: OSError) -> None:
    """A folder that cannot be read is no empty one."""
    raise error

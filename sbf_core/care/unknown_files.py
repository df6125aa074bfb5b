"""The files of a home that sbf did not write and nobody declared: none is touched, each is told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sbf_core.duck.config import DuckDbConfig
from sbf_core.duck.publish import CURRENT
from sbf_core.duck.publish_tables import TABLES, VIEWS

#: Folders that hold what their owner put there, or that another look accounts for: Bronze file by file.
_FOLDERS = frozenset({"bronze", "quarantine", "backups", "files", "logs", "scratch", "staging"})
#: Files that the user writes, and that sbf reads.
_DECLARED = frozenset({"sbf.toml", "secrets.toml"})
_OWN = frozenset({"accepted.txt", "verify.json"})
_SQLITE = ("", "-wal", "-shm", "-journal")


def unknown_files(config: DuckDbConfig, *, declared: frozenset[Path] = frozenset()) -> Iterator[str]:
    """Names below the home, folders with a ``/`` at their end, in order.

    Args:
        config: of the home.
        declared: files and folders that the settings name.
    """
    known = {
        config.database.name,
        f"{config.database.name}.wal",
        config.lock.name,
        config.holder.name,
        config.live.name,
        config.restoring.name,
    }
    known |= {*_DECLARED, *_OWN, *(f"{config.rates.name}{end}" for end in _SQLITE)}
    for path in sorted(config.home.iterdir()):
        if path == config.published and path.is_dir():
            yield from _unknown_published(config)
        elif path.is_dir() and path.name not in _FOLDERS and not _holds(path, declared):
            yield f"{path.name}/"
        elif not path.is_dir() and path.name not in known and path not in declared:
            yield path.name


def _holds(folder: Path, declared: frozenset[Path]) -> bool:
    return any(one == folder or folder in one.parents for one in declared)


def _unknown_published(config: DuckDbConfig) -> Iterator[str]:
    """Copies and tables that a newer one superseded are known: the next run, or ``sbf clean``, removes them."""
    for path in sorted(config.published.rglob("*")):
        name = path.relative_to(config.published)
        is_table = len(name.parts) == 2 and path.suffix == ".parquet"
        is_copy = len(name.parts) == 1 and (path.name in (CURRENT, TABLES, VIEWS) or path.name.startswith("sbf-"))
        if not (path.is_dir() or is_table or is_copy or path.name.endswith((".tmp", ".wal"))):
            yield path.relative_to(config.home).as_posix()

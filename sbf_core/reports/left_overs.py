"""What is left over in a home: files and tables that nothing needs, each with its size and why it is there."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from pathlib import Path

import attrs
import duckdb

from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.duck.config import DuckDbConfig
from sbf_core.duck.identifiers import literal, quoted
from sbf_core.duck.publish import superseded_copies
from sbf_core.duck.publish_tables import superseded_tables
from sbf_core.duck.scratch import dead_scratch
from sbf_core.duck.set_aside import database_copies
from sbf_core.home.gold_models import KnownModels
from sbf_core.value import Value

_TABLES = """
SELECT table_name FROM duckdb_tables()
WHERE database_name = current_database() AND schema_name = '{schema}' AND NOT temporary ORDER BY 1
"""
_BLOCK_BYTES = 262_144
_HISTORY = "_history"


class LeftKind(StrEnum):
    """The kinds of what can be left over."""

    #: A copy of the database made before a rebuild or a migration.
    BACKUP = "backup"
    #: Scratch files of a run that is over, or of a process that died.
    SCRATCH = "scratch"
    #: A copy for readers that a newer one has superseded.
    PUBLISHED = "published"
    #: Files that were moved out of Bronze, by reason.
    QUARANTINE = "quarantine"
    #: A silver table with its history that no loaded plugin fills.
    SILVER = "silver"
    #: A gold table that no loaded plugin declares.
    GOLD = "gold"


@attrs.frozen(kw_only=True)
class LeftOver(Value):
    """Something that is left over.

    Attributes:
        kind: what it is.
        name: the table with its schema, or the path below the home, with ``/``.
        byte_count: its size; of a table that of its blocks.
        files: how many files it has; 0 for a table.
        rows: how many rows a table has; None for files.
        why: why it is there.
    """

    kind: LeftKind
    name: str
    byte_count: int
    files: int = 0
    rows: int | None = None
    why: str = ""


def left_files(config: DuckDbConfig, *, alone: bool) -> list[LeftOver]:
    """Files and folders that are left over. Symbolic links are not followed.

    Args:
        config: of the home.
        alone: the caller holds the home, so that nobody is at work in it; else what a run at work may need is left out.
    """
    quiet = alone or not config.holder.exists()
    left = [(LeftKind.BACKUP, path, why) for path, why in database_copies(config)]
    left += [(LeftKind.SCRATCH, path, "a process died") for path in dead_scratch(config)]
    if quiet:
        left += [(LeftKind.SCRATCH, path, "the run is over") for path in _inside(config.staging)]
        newer = "a newer one is there"
        left += [(LeftKind.PUBLISHED, path, newer) for path in (*superseded_copies(config), *superseded_tables(config))]
    reason = "moved out of Bronze: {}; `sbf repair` may want it"
    left += [(LeftKind.QUARANTINE, path, reason.format(path.name)) for path in _inside(config.quarantine)]
    return [_measured(config.home, *one) for one in left]


def _inside(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []


def _measured(home: Path, kind: LeftKind, path: Path, why: str) -> LeftOver:
    sizes = [one.lstat().st_size for one in all_files(path)]
    name = path.relative_to(home).as_posix()
    return LeftOver(kind=kind, name=name, byte_count=sum(sizes), files=len(sizes), why=why)


def all_files(path: Path) -> Iterator[Path]:
    """A file, or the files in a folder; of a database also its log."""
    if path.is_symlink() or not path.is_dir():
        log = path.with_name(f"{path.name}.wal")
        yield from (one for one in (path, log) if os.path.lexists(one))
        return
    for folder, _, names in os.walk(path):
        yield from (Path(folder) / name for name in names)


def left_tables(
    cursor: duckdb.DuckDBPyConnection, entries: Iterable[DatasetKeymapEntry], known: KnownModels
) -> list[LeftOver]:
    """Silver and gold tables that no loaded plugin fills. One that waits to be renamed is none of them."""
    needed = {name for entry in entries for name in (entry.silver_table, *entry.former_tables)}
    why = "; ".join(("no loaded plugin fills it", *known.silent))
    there = [name for (name,) in cursor.execute(_TABLES.format(schema="silver")).fetchall()]
    bases = {_base(name, there) for name in there}
    left = []
    for name in sorted(bases - needed):
        parts = [part for part in (name, f"{name}{_HISTORY}") if part in there]
        size = sum(_table_bytes(cursor, f"silver.{quoted(part)}") for part in parts)
        rows = sum(_rows(cursor, f"silver.{quoted(part)}") for part in parts)
        left.append(LeftOver(kind=LeftKind.SILVER, name=f"silver.{name}", byte_count=size, rows=rows, why=why))
    declared = {model.name for model in known.models}
    for (name,) in cursor.execute(_TABLES.format(schema="gold")).fetchall():
        if name not in declared:
            table = f"gold.{quoted(name)}"
            left.append(
                LeftOver(
                    kind=LeftKind.GOLD,
                    name=f"gold.{name}",
                    byte_count=_table_bytes(cursor, table),
                    rows=_rows(cursor, table),
                    why=why,
                )
            )
    return left


def _base(name: str, there: Sequence[str]) -> str:
    """The table that a history belongs to; a dataset's own table may end so, too."""
    base = name.removesuffix(_HISTORY)
    return base if base in there else name


def _rows(cursor: duckdb.DuckDBPyConnection, table: str) -> int:
    counted = cursor.execute(f"SELECT count(*) FROM {table}").fetchone()
    return counted[0] if counted else 0


def _table_bytes(cursor: duckdb.DuckDBPyConnection, table: str) -> int:
    """Room of the blocks of a table; several may lie in one block, so that small ones seem larger than they are."""
    query = (
        f"SELECT count(DISTINCT block_id) FROM pragma_storage_info({literal(table)}) WHERE persistent AND block_id >= 0"
    )
    counted = cursor.execute(query).fetchone()
    return _BLOCK_BYTES * counted[0] if counted else 0

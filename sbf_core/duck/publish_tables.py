"""Tables as Parquet files for readers, and ``warehouse.duckdb``:
a file of views over them, for any tool that reads DuckDB.

Only what changed is written again. A file is never changed: its table gets a new one, and the views are replaced in one
step, so that a reader sees the old tables or the new. The file before the last is kept for whoever has the old views
open.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import attrs
import cattrs
import duckdb

from sbf_core.atomic_file import file_hash, make_folder, state_of, sync_all, write_whole
from sbf_core.duck.config import STORAGE_VERSION, DuckDbConfig
from sbf_core.duck.identifiers import literal, quoted
from sbf_core.faults import fault_point
from sbf_core.value import Value

VIEWS = "warehouse.duckdb"
#: Says which file each table has.
TABLES = "tables.json"


@attrs.frozen(kw_only=True)
class PublishedTable(Value):
    """A table as a file.

    Attributes:
        file: below ``published``, with ``/``.
        version: changes whenever rows of the table do.
        before: the file that it had before; empty for none.
        byte_count: its size.
        file_hash: SHA-256 of the file, 64 hex digits; empty where an older sbf wrote it.
    """

    file: str
    version: str
    before: str = ""
    byte_count: int = 0
    file_hash: str = ""


@attrs.frozen(kw_only=True)
class PublishedTables(Value):
    """What ``tables.json`` says.

    Attributes:
        folder: where the views look for the files; another one than where they are, after the home was moved.
        tables: by ``schema.table``.
    """

    folder: str = ""
    tables: dict[str, PublishedTable] = attrs.field(factory=dict)


def published_tables(config: DuckDbConfig) -> dict[str, PublishedTable]:
    """The tables that are there as Parquet, by ``schema.table``."""
    try:
        tables = recorded_tables(config).tables
    except ValueError:
        return {}
    return {table: one for table, one in tables.items() if (config.published / one.file).is_file()}


def recorded_tables(config: DuckDbConfig) -> PublishedTables:
    """The tables that the last run said it left, whether their files are there or not.

    Raises:
        ValueError: what it wrote cannot be read.
    """
    path = config.published / TABLES
    try:
        state = state_of(path)
        if "tables" not in state:  # an older sbf wrote it
            return PublishedTables(tables=cattrs.structure(state, dict[str, PublishedTable]))
        return cattrs.structure(state, PublishedTables)
    except FileNotFoundError:
        return PublishedTables()
    except (OSError, ValueError, TypeError, AttributeError, cattrs.BaseValidationError) as error:
        raise ValueError(f"{path} cannot be read") from error


def publish_tables(
    cursor: duckdb.DuckDBPyConnection,
    config: DuckDbConfig,
    run_id: str,
    *,
    schemas: Sequence[str],
    versions: Mapping[str, str],
) -> int:
    """Write the tables of some schemas that changed, and the views over all of them; returns how many were written.

    Args:
        cursor: on the database, whose staging folder it may write.
        config: of the home.
        run_id: names the files.
        schemas: ``gold``, or ``gold`` and ``silver``.
        versions: a text for each table that changes whenever its rows do; ``silver.x`` stands for ``silver.x_history``,
            too.

    Raises:
        OSError, duckdb.Error: the disk does not take it; what readers had before is whole.
    """
    old, durable = published_tables(config), config.fsync != "none"
    new: dict[str, PublishedTable] = {}
    written: list[Path] = []
    for schema, name in _tables(cursor, schemas):
        table, version = (
            f"{schema}.{name}",
            versions.get(f"{schema}.{name}") or versions.get(f"{schema}.{name.removesuffix('_history')}", ""),
        )
        known = old.get(table)
        if known is not None and known.version == version:
            new[table] = known
            continue
        file = f"{schema}/{name}-{run_id}.parquet"
        path = _write(cursor, table, config.published / file, staging=config.staging, durable=durable)
        written.append(path)
        before = known.file if known is not None else ""
        new[table] = PublishedTable(
            file=file, version=version, before=before, byte_count=path.stat().st_size, file_hash=file_hash(path)
        )
        fault_point("publish.table")
    if not new or (new == old and (config.published / VIEWS).is_file() and not _is_moved(config)):
        return 0
    if durable:
        sync_all({path.parent for path in written})
    _write_views(config, new, _macros(cursor, new), durable=durable)
    fault_point("publish.views")
    said = PublishedTables(folder=str(config.published), tables=new)
    write_whole(config.published / TABLES, json.dumps(attrs.asdict(said)).encode(), durable=durable)
    _remove_others(config.published, new.values())
    return len(written)


def _is_moved(config: DuckDbConfig) -> bool:
    return not leads_to(recorded_tables(config).folder, config.published)


def leads_to(folder: str, published: Path) -> bool:
    """Whether views that look in a folder find the files there:
    a home may be reached by a link as well as by its name.
    """
    return folder == str(published) or (bool(folder) and Path(folder).resolve() == published.resolve())


def _tables(cursor: duckdb.DuckDBPyConnection, schemas: Sequence[str]) -> list[tuple[str, str]]:
    query = (
        "SELECT schema_name, table_name FROM duckdb_tables() "
        "WHERE database_name = current_database() AND NOT internal AND NOT temporary ORDER BY ALL"
    )
    return [(schema, name) for schema, name in cursor.execute(query).fetchall() if schema in schemas]


def _write(cursor: duckdb.DuckDBPyConnection, table: str, target: Path, *, staging: Path, durable: bool) -> Path:
    """The hardened connection may write into the staging folder only; a rename brings the file to its place."""
    schema, _, name = table.partition(".")
    make_folder(target.parent)
    make_folder(staging)
    fresh = staging / f"{schema}-{target.name}"
    cursor.execute(f"COPY {schema}.{quoted(name)} TO {literal(str(fresh))} (FORMAT parquet, COMPRESSION zstd)")
    fresh.chmod(0o600)
    if durable:
        sync_all([fresh])
    fresh.replace(target)
    return target


def _macros(cursor: duckdb.DuckDBPyConnection, tables: Iterable[str]) -> list[str]:
    """Statements that make the macros that look back, where the tables that they read are there."""
    query = (
        "SELECT schema_name, function_name, list(parameters ORDER BY len(parameters)), "
        "list(macro_definition ORDER BY len(parameters)) FROM duckdb_functions() "
        "WHERE function_type = 'table_macro' AND database_name = current_database() AND schema_name = 'silver' "
        "GROUP BY ALL"
    )
    there = set(tables)
    statements = []
    for schema, name, parameters, definitions in cursor.execute(query).fetchall():
        if f"{schema}.{name.removesuffix('_as_of')}" in there:
            bodies = ", ".join(
                f"({', '.join(map(quoted, names))}) AS TABLE ({text.rstrip(';')})"
                for names, text in zip(parameters, definitions, strict=True)
            )
            statements.append(f"CREATE MACRO {schema}.{quoted(name)}{bodies}")
    return statements


def _write_views(
    config: DuckDbConfig, tables: Mapping[str, PublishedTable], macros: Sequence[str], *, durable: bool
) -> None:
    """A view names its file by its whole path: DuckDB looks for relative ones where the reader happens to stand."""
    fresh = config.published / f"{VIEWS}.tmp"
    fresh.unlink(missing_ok=True)
    with duckdb.connect(
        str(fresh), config={"storage_compatibility_version": STORAGE_VERSION, "autoinstall_known_extensions": "false"}
    ) as connection:
        for schema in sorted({table.partition(".")[0] for table in tables}):
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
        for table, one in tables.items():
            schema, _, name = table.partition(".")
            connection.execute(f"CREATE VIEW {schema}.{quoted(name)} AS FROM {_reader(config.published / one.file)}")
        for statement in macros:
            connection.execute(statement)
        connection.execute("CHECKPOINT")
    if durable:
        sync_all([fresh])
    try:
        fresh.replace(config.published / VIEWS)
    except PermissionError:
        if os.name != "nt":  # Windows lets nobody replace what a reader has open; the old views still find their files
            raise


def _reader(path: Path) -> str:
    """A folder called ``price=1`` somewhere above would be taken for the values of a column,
    and hide those in the file.
    """
    return f"read_parquet({literal(str(path))}, hive_partitioning=false)"


def superseded_tables(config: DuckDbConfig) -> list[Path]:
    """Parquet files that no table has, nor had just before. None where nobody says which file a table has. Call it only
    while no run is at work.
    """
    known = published_tables(config)
    names = {name for one in known.values() for name in (one.file, one.before)}
    files = sorted(config.published.glob("*/*.parquet")) if known else []
    return [path for path in files if path.relative_to(config.published).as_posix() not in names]


def _remove_others(folder: Path, kept: Iterable[PublishedTable]) -> None:
    names = {name for one in kept for name in (one.file, one.before)}
    for path in folder.glob("*/*.parquet"):
        if path.relative_to(folder).as_posix() not in names:
            with suppress(OSError):
                path.unlink()

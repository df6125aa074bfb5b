"""Numbered SQL files that bring the ops schema forward."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from functools import cache
from pathlib import Path

import duckdb

from sbf_core.clock import to_naive_utc
from sbf_core.duck.transaction import transaction
from sbf_core.errors import DamageFound
from sbf_core.faults import fault_point

_TABLE = re.compile(r"CREATE TABLE ops\.(\w+)")
_FOLDER = Path(__file__).parent / "migrations"


@cache
def migration_files() -> tuple[tuple[int, Path], ...]:
    """Number and file of each migration, in order."""
    return tuple(sorted((int(path.name[:4]), path) for path in _FOLDER.glob("[0-9][0-9][0-9][0-9]_*.sql")))


def latest_version() -> int:
    """The schema version that this sbf writes."""
    return migration_files()[-1][0]


@cache
def migration_texts() -> tuple[str, ...]:
    """The statements of each migration, in order."""
    return tuple(path.read_text(encoding="utf-8") for _, path in migration_files())


@cache
def ops_tables(version: int) -> frozenset[str]:
    """Names of the tables that a schema of that version holds in ``ops``."""
    texts = (path.read_text(encoding="utf-8") for number, path in migration_files() if number <= version)
    return frozenset(name for text in texts for name in _TABLE.findall(text))


def schema_version(conn: duckdb.DuckDBPyConnection) -> int | None:
    """The schema version of an open database; None for one that holds no sbf schema."""
    try:
        row = conn.execute("SELECT max(version) FROM ops.schema_migrations").fetchone()
    except duckdb.CatalogException:
        return None
    return None if row is None or row[0] is None else int(row[0])


def check_ledger(conn: duckdb.DuckDBPyConnection, database: Path) -> None:
    """Every table of the schema is there, or ``DamageFound``. Binding their names takes 1 ms, reading the catalog 8."""
    names = ", ".join(f"ops.{name}" for name in sorted(ops_tables(schema_version(conn) or 0)))
    try:
        conn.execute(f"SELECT 1 FROM {names} LIMIT 0")
    except duckdb.CatalogException as error:
        lacking = str(error).splitlines()[0].removeprefix("Catalog Error: ")
        raise DamageFound(
            f"the ledger is not whole: {lacking}", where=str(database), fix="run `sbf rebuild`; it needs only Bronze"
        ) from error


def make_schema(conn: duckdb.DuckDBPyConnection, *, now: dt.datetime) -> None:
    """All migrations in one transaction, then CHECKPOINT: nobody sees a new database before it is whole."""
    with transaction(conn):
        for number, path in migration_files():
            _apply(conn, number, path, now)
    fault_point("migrate.applied")
    conn.execute("CHECKPOINT")


def apply_migrations(conn: duckdb.DuckDBPyConnection, *, since: int, now: dt.datetime) -> int:
    """Apply every file above ``since``, each in one transaction, then CHECKPOINT; returns the version reached.

    The checkpoint keeps DDL out of the write-ahead log, whose replay of DDL has had bugs.
    """
    reached = since
    for number, path in migration_files():
        if number <= since:
            continue
        with transaction(conn):
            _apply(conn, number, path, now)
        fault_point("migrate.applied")
        reached = number
    conn.execute("CHECKPOINT")
    return reached


def _apply(conn: duckdb.DuckDBPyConnection, number: int, path: Path, now: dt.datetime) -> None:
    text = path.read_text(encoding="utf-8")
    conn.execute(text)
    conn.execute(
        "INSERT INTO ops.schema_migrations VALUES (?, ?, ?, ?)",
        [number, path.stem, hashlib.sha256(text.encode()).hexdigest(), to_naive_utc(now)],
    )

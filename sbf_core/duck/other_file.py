"""Looks at a database file that is not the home's own: a copy for readers, or the views over its tables."""

from __future__ import annotations

from pathlib import Path

import duckdb

from sbf_core.duck.config import DuckDbConfig
from sbf_core.duck.damage import tells_of_damage
from sbf_core.duck.identifiers import quoted
from sbf_core.duck.open_fault import is_duckdb


def why_unreadable(config: DuckDbConfig, path: Path) -> str:
    """What is wrong with a database whose blocks cannot all be read; empty for a whole one, and for one that this
    process has open with other settings.
    """
    if not is_duckdb(path):
        return "is no DuckDB database"
    tables = "SELECT schema_name, table_name FROM duckdb_tables() WHERE NOT internal ORDER BY ALL"
    settings: dict[str, str | bool | int | float | list[str]] = {
        "autoinstall_known_extensions": "false",
        "memory_limit": config.memory_limit,
    }
    try:
        with duckdb.connect(str(path), read_only=True, config=settings) as conn:
            for schema, name in conn.execute(tables).fetchall():
                conn.execute(f"SELECT bit_xor(hash(t)) FROM {quoted(schema)}.{quoted(name)} AS t").fetchone()
    except duckdb.ConnectionException:
        return ""
    except duckdb.Error as error:
        if not tells_of_damage(error):
            raise
        return "cannot be read whole"
    return ""


def views_in(path: Path) -> dict[str, str] | None:
    """The SQL of each view of a file, by ``schema.view``; None where it cannot be read."""
    if not is_duckdb(path):
        return None
    query = "SELECT schema_name || '.' || view_name, sql FROM duckdb_views() WHERE NOT internal"
    try:
        with duckdb.connect(str(path), read_only=True, config={"autoinstall_known_extensions": "false"}) as conn:
            return dict(conn.execute(query).fetchall())
    except duckdb.Error:
        return None

"""Gold tables that are there, and their columns."""

from __future__ import annotations

import duckdb

from sbf_core.duck.identifiers import quoted


def table_exists(conn: duckdb.DuckDBPyConnection, table: str) -> bool:
    """Whether ``schema.table`` is there: as a table, or as the view that a renamed one leaves under its former name."""
    schema, _, name = table.partition(".")
    result = conn.execute(
        "SELECT 1 FROM duckdb_tables() AS t WHERE t.database_name = current_database() AND t.schema_name = ? "
        "AND t.table_name = ? UNION ALL "
        "SELECT 1 FROM duckdb_views() AS v WHERE v.database_name = current_database() AND v.schema_name = ? "
        "AND v.view_name = ?",
        [schema, name, schema, name],
    )
    return result.fetchone() is not None


def columns_of(conn: duckdb.DuckDBPyConnection, table: str) -> list[tuple[str, str]]:
    """Names and types of the columns of what can be read from, in order."""
    return [(row[0], row[1]) for row in conn.execute(f"DESCRIBE {table}").fetchall()]


def quoted_name(name: str) -> str:
    """``schema.table`` as two quoted identifiers."""
    schema, _, table = name.partition(".")
    return f"{quoted(schema)}.{quoted(table)}"


def number(conn: duckdb.DuckDBPyConnection, select: str) -> int:
    """What a SELECT of one number gives."""
    row = conn.execute(select).fetchone()
    assert row is not None
    return int(row[0])

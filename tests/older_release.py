"""Databases as earlier releases left them."""

from __future__ import annotations

import duckdb

#: What schema 1 did not have.
TABLES_OF_2 = ("recoveries", "quarantine")
_LATER_TABLES = (*TABLES_OF_2, "table_declarations", "held_tables", "cursors")
_LATER_COLUMNS = {
    "bronze_manifest": ("part", "parts", "etag", "last_modified", "cursor"),
    "file_ingestions": ("from_date", "to_date", "error_kind"),
    "data_dates": ("again_from", "unknown_since"),
    "schema_drift": ("examples",),
}


def back_to_schema_1(conn: duckdb.DuckDBPyConnection) -> None:
    """Take away what later releases added."""
    for table, columns in _LATER_COLUMNS.items():
        for column in columns:
            conn.execute(f"ALTER TABLE ops.{table} DROP COLUMN {column}")
    for table in _LATER_TABLES:
        conn.execute(f"DROP TABLE ops.{table}")
    conn.execute("DELETE FROM ops.schema_migrations WHERE version > 1")

"""Databases as earlier releases left them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import duckdb

#: What schema 1 did not have.
TABLES_OF_2 = ("recoveries", "quarantine")
_TABLES: Mapping[int, Sequence[str]] = {
    2: TABLES_OF_2,
    5: ("table_declarations", "held_tables"),
    6: ("cursors",),
    9: ("coverage",),
    13: ("readings",),
}
_COLUMNS: Mapping[int, Mapping[str, Sequence[str]]] = {
    3: {
        "bronze_manifest": ("part", "parts", "etag", "last_modified"),
        "file_ingestions": ("from_date", "to_date"),
    },
    4: {"data_dates": ("again_from",)},
    5: {"schema_drift": ("examples",)},
    6: {"bronze_manifest": ("cursor",), "data_dates": ("unknown_since",)},
    7: {"file_ingestions": ("error_kind",)},
    8: {
        "bronze_manifest": ("dataset_id", "series_key"),
        "file_ingestions": ("dataset_id", "series_key"),
        "watermarks": ("dataset_id", "series_key"),
        "data_dates": ("dataset_id",),
    },
    10: {"promotion_manifest": ("asked_since",)},
    11: {"table_declarations": ("macros",)},
    12: {"bronze_manifest": ("pack", "pack_offset")},
}


def back_to_schema(conn: duckdb.DuckDBPyConnection, version: int) -> None:
    """Take away what later releases added."""
    for added in (number for number in _COLUMNS if number > version):
        for table, columns in _COLUMNS[added].items():
            for column in columns:
                conn.execute(f"ALTER TABLE ops.{table} DROP COLUMN {column}")
    for added in (number for number in _TABLES if number > version):
        for table in _TABLES[added]:
            conn.execute(f"DROP TABLE ops.{table}")
    conn.execute("DELETE FROM ops.schema_migrations WHERE version > ?", [version])


def back_to_schema_1(conn: duckdb.DuckDBPyConnection) -> None:
    """Take away what any release after the first one added."""
    back_to_schema(conn, 1)

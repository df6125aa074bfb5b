"""One checksum a table, to compare databases."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import attrs
import duckdb

from sbf_core.duck.identifiers import literal, quoted, quoted_list
from sbf_core.value import Value

#: Columns that differ between two homes with the same truth.
VOLATILE = frozenset({"_run_id"})
_ROWS_AT_ONCE = 20_000


@attrs.frozen(kw_only=True)
class TableDigest(Value):
    """The checksum of one table: SHA-256 of its rows as JSON texts, one a line, in order; 64 hex digits."""

    table: str
    rows: int
    sha256: str


def warehouse_tables(conn: duckdb.DuckDBPyConnection) -> list[str]:
    """The silver and gold tables, as ``schema.table``, in alphabetical order."""
    rows = conn.execute(
        "SELECT schema_name || '.' || table_name FROM duckdb_tables() WHERE database_name = current_database() "
        "AND schema_name IN ('silver', 'gold') ORDER BY 1"
    ).fetchall()
    return [name for (name,) in rows]


def digest_tables(
    conn: duckdb.DuckDBPyConnection, *, keys: Mapping[str, Sequence[str]], only: Sequence[str] = ()
) -> list[TableDigest]:
    """The checksum of every silver and gold table, or of those in ``only``.

    Args:
        conn: an open database.
        keys: key columns per table, by which its rows are put in order before the other columns.
        only: names as ``schema.table``.
    """
    tables = [table for table in warehouse_tables(conn) if not only or table in only]
    return [_digest(conn, table, keys.get(table, ())) for table in tables]


def _digest(conn: duckdb.DuckDBPyConnection, table: str, keys: Sequence[str]) -> TableDigest:
    schema, _, name = table.partition(".")
    place = f"{quoted(schema)}.{quoted(name)}"
    columns = [row[0] for row in conn.execute(f"DESCRIBE {place}").fetchall() if row[0] not in VOLATILE]
    packed = ", ".join(f"{literal(column)}, CAST(t.{quoted(column)} AS VARCHAR)" for column in columns)
    order = quoted_list(
        [*(key for key in keys if key in columns), *(column for column in columns if column not in keys)], prefix="t."
    )
    cursor = conn.execute(f"SELECT CAST(json_object({packed}) AS VARCHAR) FROM {place} AS t ORDER BY {order}")
    digest, rows = hashlib.sha256(), 0
    while chunk := cursor.fetchmany(_ROWS_AT_ONCE):
        lines = "\n".join([line for (line,) in chunk])
        digest.update(f"{lines}\n".encode())
        rows += len(chunk)
    return TableDigest(table=table, rows=rows, sha256=digest.hexdigest())

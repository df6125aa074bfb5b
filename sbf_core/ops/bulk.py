"""Many rows to the ledger at once: one bound JSON text, because binding lists is slow in DuckDB 1.5."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from typing import Any

import duckdb

from sbf_core.clock import to_naive_utc
from sbf_core.duck.identifiers import quoted_list
from sbf_core.secret import redacted


def _plain(value: Any) -> str:
    if isinstance(value, dt.datetime):
        return to_naive_utc(value).isoformat()
    if isinstance(value, dt.date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} is no value of the ledger")


def rows_as_json(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows as a JSON text whose dates and times DuckDB can read; no key gets into the ledger."""
    return redacted(json.dumps(rows, default=_plain, check_circular=False))


def rows_relation(types: Mapping[str, str]) -> str:
    """SQL for a relation with these columns, read from one bound JSON text."""
    shape = json.dumps([dict(types)])
    return f"(SELECT unnest(from_json(CAST(? AS JSON), '{shape}'), recursive := true))"


def insert_rows(conn: duckdb.DuckDBPyConnection, table: str, types: Mapping[str, str], rows: Sequence[Mapping[str, Any]]) -> None:
    """INSERT rows into a table of the ledger or a temporary one; ``table`` is trusted SQL."""
    if rows:
        names = quoted_list(types)
        conn.execute(f"INSERT INTO {table} ({names}) SELECT {names} FROM {rows_relation(types)}", [rows_as_json(rows)])


def merge_rows(
    conn: duckdb.DuckDBPyConnection, table: str, types: Mapping[str, str], keys: Sequence[str], rows: Sequence[Mapping[str, Any]]
) -> None:
    """Insert rows, or update the ones whose ``keys`` (never NULL) are there; columns not in ``types`` stay."""
    if not rows:
        return
    names = quoted_list(types)
    on = " AND ".join(f't."{key}" = s."{key}"' for key in keys)
    updates = ", ".join(f'"{name}" = s."{name}"' for name in types if name not in keys)
    conn.execute(
        f"MERGE INTO {table} AS t USING {rows_relation(types)} AS s ON {on} "
        f"WHEN MATCHED THEN UPDATE SET {updates} WHEN NOT MATCHED THEN INSERT ({names}) VALUES ({quoted_list(types, prefix='s.')})",
        [rows_as_json(rows)],
    )

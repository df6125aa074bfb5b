"""Many rows to the ledger at once: one bound JSON text, because binding lists is slow in DuckDB 1.5.

The text has a list for each column: so names are written and looked for once, and not in every row.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from typing import Any

import duckdb

from sbf_core.clock import to_naive_utc
from sbf_core.duck.identifiers import literal, quoted, quoted_list
from sbf_core.secret import redacted
from sbf_core.unicode_text import escaped


def _plain(value: Any) -> str:
    if isinstance(value, dt.datetime):
        return to_naive_utc(value).isoformat()
    if isinstance(value, dt.date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} is no value of the ledger")


def as_kept(text: str | None) -> str | None:
    """A text as ``columns_as_json`` has it, to be bound by itself."""
    return None if text is None else redacted(escaped(text))


def columns_as_json(columns: Mapping[str, Sequence[Any]]) -> str:
    """Columns of equal length as a JSON text whose dates and times DuckDB can read; no key gets into the ledger, and no
    half of a surrogate pair, which its reader refuses.
    """
    text = json.dumps(columns, default=_plain, check_circular=False)
    if "\\ud" in text:
        text = json.dumps(_in_letters(columns), default=_plain, check_circular=False)
    return redacted(text)


def _in_letters(value: Any) -> Any:
    """A value, and those in it, with each half of a surrogate pair shown as an escape."""
    if isinstance(value, str):
        return escaped(value)
    if isinstance(value, Mapping):
        return {_in_letters(name): _in_letters(each) for name, each in value.items()}
    return [_in_letters(each) for each in value] if isinstance(value, (list, tuple)) else value


def rows_as_json(types: Mapping[str, str], rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows as ``columns_as_json``; a row may lack a column, which is NULL then."""
    return columns_as_json({name: [row.get(name) for row in rows] for name in types})


def rows_relation(types: Mapping[str, str]) -> str:
    """SQL for a relation with these columns, read from one bound JSON text, see ``columns_as_json``."""
    shape = json.dumps({name: [sql_type] for name, sql_type in types.items()})
    columns = ", ".join(f"unnest(j.{quoted(name)}) AS {quoted(name)}" for name in types)
    return f"(SELECT {columns} FROM (SELECT from_json(CAST(? AS JSON), {literal(shape)}) AS j))"


def few_or_many(types: Mapping[str, str], columns: Mapping[str, Sequence[Any]]) -> tuple[str, list[Any]]:
    """SQL for a relation with these columns, and what it binds: the values themselves, where it is one row, which takes
    half as long as a text.
    """
    if any(len(columns[name]) != 1 or isinstance(columns[name][0], (list, tuple, dict)) for name in types):
        return rows_relation(types), [columns_as_json(columns)]
    given = ", ".join(f"CAST(? AS {sql_type}) AS {quoted(name)}" for name, sql_type in types.items())
    return f"(SELECT {given})", [_bound(columns[name][0]) for name in types]


def _bound(value: Any) -> Any:
    if isinstance(value, str):
        return as_kept(value)
    return to_naive_utc(value) if isinstance(value, dt.datetime) else value


def insert_rows(
    conn: duckdb.DuckDBPyConnection, table: str, types: Mapping[str, str], rows: Sequence[Mapping[str, Any]]
) -> None:
    """INSERT rows into a table of the ledger or a temporary one; ``table`` is trusted SQL."""
    if rows:
        insert_columns(conn, table, types, {name: [row.get(name) for row in rows] for name in types})


def insert_columns(
    conn: duckdb.DuckDBPyConnection, table: str, types: Mapping[str, str], columns: Mapping[str, Sequence[Any]]
) -> None:
    """As ``insert_rows``, for rows that are given column by column."""
    names = quoted_list(types)
    relation, values = few_or_many(types, columns)
    conn.execute(f"INSERT INTO {table} ({names}) SELECT {names} FROM {relation}", values)


def merge_rows(
    conn: duckdb.DuckDBPyConnection,
    table: str,
    types: Mapping[str, str],
    keys: Sequence[str],
    rows: Sequence[Mapping[str, Any]],
) -> None:
    """Insert rows, or update the ones whose ``keys`` (never NULL) are there; columns not in ``types`` stay."""
    if rows:
        conn.execute(merge_sql(table, rows_relation(types), tuple(types), keys), [rows_as_json(types, rows)])


def merge_sql(table: str, source: str, columns: Sequence[str], keys: Sequence[str]) -> str:
    """SQL that inserts the rows of a relation, or updates the ones whose ``keys`` (never NULL) are there; other columns
    stay.
    """
    names = quoted_list(columns)
    on = " AND ".join(f't."{key}" = s."{key}"' for key in keys)
    updates = ", ".join(f'"{name}" = s."{name}"' for name in columns if name not in keys)
    return (
        f"MERGE INTO {table} AS t USING {source} AS s ON {on} "
        f"WHEN MATCHED THEN UPDATE SET {updates} "
        f"WHEN NOT MATCHED THEN INSERT ({names}) VALUES ({quoted_list(columns, prefix='s.')})"
    )

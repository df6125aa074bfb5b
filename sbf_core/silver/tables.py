"""The silver tables of a dataset: current rows, superseded rows, and the macros that look back."""

from __future__ import annotations

import duckdb

from sbf_core.dataset.columns import CORE_COLUMNS
from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.duck.identifiers import literal, quoted, quoted_list
from sbf_core.faults import fault_point

#: Of the macros that look back. They are called by position; by name, too, by who likes to.
_PARAMETERS = ("ts", "recorded_until")
_CORE_TYPES = dict(zip(CORE_COLUMNS, ("VARCHAR", "VARCHAR", "TIMESTAMP", "TIMESTAMP"), strict=True))


def current_table(entry: DatasetKeymapEntry) -> str:
    """``silver.<t>``: the rows that hold now."""
    return f"silver.{quoted(entry.silver_table)}"


def history_table(entry: DatasetKeymapEntry) -> str:
    """``silver.<t>_history``: the rows that were superseded or closed, with ``known_to``.

    A row with ``_deleted`` has no values: it says that from ``known_from`` on its key was not there.
    """
    return f"silver.{quoted(entry.silver_table + '_history')}"


def row_columns(entry: DatasetKeymapEntry) -> tuple[str, ...]:
    """Every column of ``silver.<t>`` in order: the declared ones, then those of the core."""
    return (*entry.column_types, *CORE_COLUMNS)


def value_columns(entry: DatasetKeymapEntry) -> tuple[str, ...]:
    """The columns whose change makes a new version: all declared ones but the key, the publication time, and where that
    was cut.
    """
    cut = entry.cut_column
    outside = {*entry.key_columns, entry.known_from_column, cut.cut_at if cut is not None else None}
    return tuple(name for name in entry.column_types if name not in outside)


def tables_there(conn: duckdb.DuckDBPyConnection, table: str) -> bool:
    """Whether a silver table is there, and its history."""
    names = [table, f"{table}_history"]
    row = conn.execute(
        "SELECT count(*) FROM duckdb_tables() WHERE database_name = current_database() AND schema_name = 'silver' AND "
        "list_contains(?, table_name)",
        [names],
    ).fetchone()
    return row == (2,)


def drop_tables(conn: duckdb.DuckDBPyConnection, table: str) -> None:
    """Drop the tables and macros of a silver table, in the caller's transaction. Idempotent."""
    conn.execute(f"DROP MACRO TABLE IF EXISTS silver.{quoted(table + '_as_of')}")
    for name in (table, f"{table}_history"):
        conn.execute(f"DROP TABLE IF EXISTS silver.{quoted(name)}")


def create_tables(conn: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry) -> None:
    """Make the tables and macros of a dataset, and views under its former names where it keeps them, in the caller's
    transaction. Tables of these names are gone. Idempotent.
    """
    strict = [
        f"{quoted(column.name)} {column.type}{'' if column.nullable else ' NOT NULL'}" for column in entry.columns
    ]
    loose = [f"{quoted(column.name)} {column.type}{' NOT NULL' if column.key else ''}" for column in entry.columns]
    core = [f"{quoted(name)} {sql_type} NOT NULL" for name, sql_type in _CORE_TYPES.items()]
    ends = ["known_to TIMESTAMP", "_deleted BOOLEAN NOT NULL"]
    conn.execute(f"CREATE TABLE IF NOT EXISTS {current_table(entry)} ({', '.join(strict + core)})")
    fault_point("promote.preparing")
    conn.execute(f"CREATE TABLE IF NOT EXISTS {history_table(entry)} ({', '.join(loose + core + ends)})")
    if entry.title:
        conn.execute(f"COMMENT ON TABLE {current_table(entry)} IS {literal(entry.title)}")
    for column in entry.columns:
        text = "; ".join(part for part in (column.doc, f"unit: {column.unit}" if column.unit else "") if part)
        if text:
            conn.execute(f"COMMENT ON COLUMN {current_table(entry)}.{quoted(column.name)} IS {literal(text)}")
    _create_macros(conn, entry)
    for name in entry.former_tables if entry.keep_view else ():
        conn.execute(f"CREATE OR REPLACE VIEW silver.{quoted(name)} AS FROM {current_table(entry)}")


def _create_macros(conn: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry) -> None:
    """A parameter takes the place of every unqualified column of its name, also of a quoted one: each column has its
    table before it.
    """
    of_current, of_history = quoted_list(row_columns(entry), prefix="c."), quoted_list(row_columns(entry), prefix="h.")
    current, history = f"{current_table(entry)} AS c", f"{history_table(entry)} AS h"
    keys = quoted_list(entry.key_columns, prefix="v.")
    known = (
        f"SELECT {of_current} FROM {current} WHERE c.known_from <= ts UNION ALL "
        f"SELECT {of_history} FROM {history} WHERE h.known_from <= ts AND h.known_to > ts AND NOT h._deleted"
    )
    recorded = (
        f"SELECT {quoted_list(row_columns(entry), prefix='p.')} FROM ("
        f"SELECT v.*, row_number() OVER (PARTITION BY {keys} ORDER BY v.known_from DESC, v.recorded_at DESC) AS _place "
        f"FROM (SELECT {of_current}, false AS _deleted FROM {current} "
        f"UNION ALL SELECT {of_history}, h._deleted FROM {history}) AS v "
        "WHERE v.known_from <= ts AND v.recorded_at <= recorded_until) AS p WHERE p._place = 1 AND NOT p._deleted"
    )
    name = f"silver.{quoted(entry.silver_table + '_as_of')}"
    parameters = ", ".join(_PARAMETERS)
    conn.execute(
        f"CREATE OR REPLACE MACRO {name}({_PARAMETERS[0]}) AS TABLE ({known}), ({parameters}) AS TABLE ({recorded})"
    )

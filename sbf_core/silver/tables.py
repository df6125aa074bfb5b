"""The silver tables of a dataset: current rows, superseded rows, and the macros that look back."""

from __future__ import annotations

import duckdb

from sbf_core.dataset.columns import CORE_COLUMNS
from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.duck.identifiers import literal, quoted, quoted_list
from sbf_core.duck.transaction import transaction
from sbf_core.errors import UsageError
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
    """The columns whose change makes a new version: all declared ones but the key and the publication time."""
    outside = {*entry.key_columns, entry.known_from_column}
    return tuple(name for name in entry.column_types if name not in outside)


def ensure_tables(conn: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry) -> None:
    """Make the tables and macros of a dataset, or add columns that its declaration gained. Idempotent.

    Raises:
        UsageError: the declaration changed in a way that the kept rows do not fit.
    """
    found = _existing_columns(conn, entry.silver_table)
    if not found or not _existing_columns(conn, f"{entry.silver_table}_history"):
        with transaction(conn):
            _create(conn, entry)
        return
    added = _added_columns(entry, found)
    if not added:
        if not entry.column_types.keys().isdisjoint(_PARAMETERS):  # sbf 0.1.0 made macros in which the parameter hid such a column
            with transaction(conn):
                _create_macros(conn, entry)
        return
    with transaction(conn):
        for table in (current_table(entry), history_table(entry)):
            for column in added:
                conn.execute(f"ALTER TABLE {table} ADD COLUMN {quoted(column)} {entry.column_types[column]}")
                fault_point("promote.preparing")
        _create_macros(conn, entry)
    conn.execute("CHECKPOINT")


def _existing_columns(conn: duckdb.DuckDBPyConnection, table: str) -> dict[str, str]:
    rows = conn.execute(
        "SELECT column_name, data_type FROM duckdb_columns() WHERE database_name = current_database() AND schema_name = 'silver' AND table_name = ?",
        [table],
    ).fetchall()
    return dict(rows)


def _added_columns(entry: DatasetKeymapEntry, found: dict[str, str]) -> list[str]:
    where = f"silver.{entry.silver_table}"
    fix = "give the dataset a new silver_table, or delete the database and run the dataset again from Bronze"
    declared = {column.name: column for column in entry.columns}
    gone = [name for name in found if name not in declared and name not in _CORE_TYPES]
    if gone:
        raise UsageError(f"column {gone[0]!r} is in the table but no longer declared", where=where, fix=fix, code="SCHEMA_CHANGED")
    added = []
    for name, column in declared.items():
        if name not in found:
            if not column.nullable:
                raise UsageError(f"new column {name!r} may not be NULL, but kept rows have no value for it", where=where, fix=fix, code="SCHEMA_CHANGED")
            added.append(name)
        elif found[name] != column.type:
            raise UsageError(f"column {name!r} is {found[name]} in the table and {column.type} in the declaration", where=where, fix=fix, code="SCHEMA_CHANGED")
    return added


def _create(conn: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry) -> None:
    strict = [f"{quoted(column.name)} {column.type}{'' if column.nullable else ' NOT NULL'}" for column in entry.columns]
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


def _create_macros(conn: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry) -> None:
    """A parameter takes the place of every unqualified column of its name, also of a quoted one: each column has its table before it."""
    of_current, of_history = quoted_list(row_columns(entry), prefix="c."), quoted_list(row_columns(entry), prefix="h.")
    current, history = f"{current_table(entry)} AS c", f"{history_table(entry)} AS h"
    keys = quoted_list(entry.key_columns, prefix="v.")
    known = (
        f"SELECT {of_current} FROM {current} WHERE c.known_from <= ts UNION ALL "
        f"SELECT {of_history} FROM {history} WHERE h.known_from <= ts AND h.known_to > ts AND NOT h._deleted"
    )
    recorded = (
        f"SELECT {quoted_list(row_columns(entry), prefix='p.')} FROM ("
        f"SELECT v.*, row_number() OVER (PARTITION BY {keys} ORDER BY v.known_from DESC, v.recorded_at DESC) AS _place FROM ("
        f"SELECT {of_current}, false AS _deleted FROM {current} UNION ALL SELECT {of_history}, h._deleted FROM {history}) AS v "
        "WHERE v.known_from <= ts AND v.recorded_at <= recorded_until) AS p WHERE p._place = 1 AND NOT p._deleted"
    )
    name = f"silver.{quoted(entry.silver_table + '_as_of')}"
    parameters = ", ".join(_PARAMETERS)
    conn.execute(f"CREATE OR REPLACE MACRO {name}({_PARAMETERS[0]}) AS TABLE ({known}), ({parameters}) AS TABLE ({recorded})")

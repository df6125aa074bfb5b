"""The silver tables of a dataset: current rows, superseded rows, and the macros that look back."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from sbf_core.dataset.columns import CORE_COLUMNS, Column
from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.dataset.fingerprint import columns_as_made
from sbf_core.duck.identifiers import literal, quoted, quoted_list
from sbf_core.duck.transaction import transaction
from sbf_core.faults import fault_point
from sbf_core.ops.service import OpsService

#: Of the macros that look back. They are called by position; by name, too, by who likes to.
_PARAMETERS = ("ts", "recorded_until")
#: What is given, as a moment in UTC without a zone, as the columns are: of a TIMESTAMPTZ its instant; a TIMESTAMP, a
#: DATE and a text are UTC. DuckDB reads a text as a TIMESTAMP without the zone in it. What has no end stays so.
_MOMENT = (
    "CASE WHEN typeof({given}) = 'VARCHAR' AND regexp_matches({given}::VARCHAR, ':[^Z]*[+A-Ya-z-]') "
    "THEN error('a text is read without its zone: write TIMESTAMPTZ before it') "
    "ELSE coalesce(make_timestamp(epoch_us(coalesce({given}, NULL::TIMESTAMP))), "
    "coalesce({given}, NULL::TIMESTAMP)::TIMESTAMP) END"
)
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
    return bool(_there(conn, [table]))


def _there(conn: duckdb.DuckDBPyConnection, tables: Sequence[str]) -> set[str]:
    """The silver tables among some that are there, with their history."""
    rows = conn.execute(
        "SELECT table_name FROM duckdb_tables() SEMI JOIN (SELECT unnest(?) AS table_name) USING (table_name) "
        "WHERE database_name = current_database() AND schema_name = 'silver'",
        [[name for table in tables for name in (table, f"{table}_history")]],
    ).fetchall()
    there = {name for (name,) in rows}
    return {table for table in tables if {table, f"{table}_history"} <= there}


def drop_tables(conn: duckdb.DuckDBPyConnection, table: str) -> None:
    """Drop the tables and macros of a silver table, in the caller's transaction. Idempotent."""
    conn.execute(f"DROP MACRO TABLE IF EXISTS silver.{quoted(table + '_as_of')}")
    for name in (table, f"{table}_history"):
        conn.execute(f"DROP TABLE IF EXISTS silver.{quoted(name)}")


def prepare_tables(ops: OpsService, entries: Sequence[DatasetKeymapEntry]) -> None:
    """Make the silver tables of datasets where they are not there, all in one transaction. Idempotent.

    Tables that another declaration made are made again first, see ``Remaking``: they must not be stale here.
    """
    conn = ops.cursor()
    there = _there(conn, [entry.silver_table for entry in entries])
    lacking = [entry for entry in entries if entry.silver_table not in there]
    if lacking:
        with transaction(conn):
            for entry in lacking:
                create_tables(conn, entry)
            ops.tables.record(conn, *lacking)
    fault_point("promote.prepared")


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
    create_macros(conn, entry.silver_table, entry.columns)
    for name in entry.former_tables if entry.keep_view else ():
        conn.execute(f"CREATE OR REPLACE VIEW silver.{quoted(name)} AS FROM {current_table(entry)}")


def create_macros(conn: duckdb.DuckDBPyConnection, table: str, columns: Sequence[Column]) -> None:
    """Make the macros that look back at a table, or write them anew. ``ops.made_tables.MACROS`` goes up with each
    change of their text, so that tables of older releases get the new ones.

    A parameter takes the place of every unqualified column of its name, also of a quoted one: each column has its
    table before it. Moments are compared in UTC, whatever the zone of the session is: a reader's own program has that
    of its machine, in which DuckDB would read the columns, beside a TIMESTAMPTZ.
    """
    row = [*(column.name for column in columns), *_CORE_TYPES]
    of_current, of_history = quoted_list(row, prefix="c."), quoted_list(row, prefix="h.")
    current, history = f"silver.{quoted(table)} AS c", f"silver.{quoted(f'{table}_history')} AS h"
    keys = quoted_list([column.name for column in columns if column.key], prefix="v.")
    ts, recorded_until = (_MOMENT.format(given=parameter) for parameter in _PARAMETERS)
    known = (
        f"SELECT {of_current} FROM {current} WHERE c.known_from <= {ts} UNION ALL "
        f"SELECT {of_history} FROM {history} WHERE h.known_from <= {ts} AND h.known_to > {ts} AND NOT h._deleted"
    )
    recorded = (
        f"SELECT {quoted_list(row, prefix='p.')} FROM ("
        f"SELECT v.*, row_number() OVER (PARTITION BY {keys} ORDER BY v.known_from DESC, v.recorded_at DESC) AS _place "
        f"FROM (SELECT {of_current}, false AS _deleted FROM {current} "
        f"UNION ALL SELECT {of_history}, h._deleted FROM {history}) AS v "
        f"WHERE v.known_from <= {ts} AND v.recorded_at <= {recorded_until}) AS p WHERE p._place = 1 AND NOT p._deleted"
    )
    name = f"silver.{quoted(f'{table}_as_of')}"
    parameters = ", ".join(_PARAMETERS)
    conn.execute(
        f"CREATE OR REPLACE MACRO {name}({_PARAMETERS[0]}) AS TABLE ({known}), ({parameters}) AS TABLE ({recorded})"
    )


def renew_macros(ops: OpsService) -> int:
    """Write the macros of an older release anew, also of tables whose plugin is gone; returns of how many tables.

    Writes ops.table_declarations. Idempotent.
    """
    older = ops.tables.with_older_macros()
    conn = ops.cursor()
    with_tables = [made for made in older if tables_there(conn, made.table)]
    for made in with_tables:
        with transaction(conn):
            create_macros(conn, made.table, columns_as_made(made.text))
            ops.tables.record_macros(conn, made.table)
    return len(with_tables)

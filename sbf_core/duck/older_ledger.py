"""A ledger that an older sbf wrote, as readers see it: with the tables and columns that it will have."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Mapping

import duckdb

from sbf_core.duck.identifiers import literal, quoted
from sbf_core.duck.identity import DATASET_ID, SERIES_KEY
from sbf_core.duck.migrate import migration_texts

_ONE_AT_A_TIME = threading.Lock()
#: Ends the name of the database in memory whose views stand before the ledger of another one.
_SEEN = " as it will be"
_IDENTITY = {
    "dataset_id": f"CASE WHEN domain IS NOT NULL THEN {DATASET_ID} END",
    "series_key": f"CASE WHEN domain IS NOT NULL THEN {SERIES_KEY} END",
}
_OF_SERIES = " UNION ALL ".join(
    f"SELECT series_key, dataset_id FROM {{seen}}.ops.{table}"
    for table in ("file_ingestions", "bronze_manifest", "watermarks")
)
#: What migrations fill in of other columns; any other column that is lacking has its default.
_FILLED: Mapping[str, Mapping[str, str]] = {
    "bronze_manifest": _IDENTITY,
    "file_ingestions": _IDENTITY,
    "watermarks": _IDENTITY,
    "data_dates": {"dataset_id": f"(SELECT any_value(s.dataset_id) FROM ({_OF_SERIES}) AS s WHERE s.series_key = key)"},
}


def overlay(connection: duckdb.DuckDBPyConnection) -> None:
    """Put views over a ledger that is only read, so that it looks as after its migration; nothing of it is copied.

    Done once for all who share the instance, and before the connection is hardened; each cursor wants ``looking``.
    """
    with _ONE_AT_A_TIME:
        database = _current(connection)
        if _seen(connection, database) is None:
            _put_over(connection, database)


def _put_over(connection: duckdb.DuckDBPyConnection, database: str) -> None:
    seen, main = quoted(f"{database}{_SEEN}"), quoted(database)
    connection.execute(f"ATTACH ':memory:' AS {seen} (READ_WRITE); USE {seen}")
    for text in migration_texts():
        connection.execute(text)
    connection.execute(f"USE {main}")
    columns = _columns(connection)
    for table, wanted in columns[f"{database}{_SEEN}"].items():
        there = columns[database].get(table)
        if there is None:  # it stays empty
            continue
        place = f"{seen}.ops.{quoted(table)}"
        connection.execute(f"DROP TABLE {place}")
        if set(wanted) <= set(there):
            continue
        filled = {name: sql.format(seen=seen) for name, sql in _FILLED.get(table, {}).items()}
        shown = ", ".join(
            quoted(name) if name in there else f"CAST({filled.get(name, default)} AS {kind}) AS {quoted(name)}"
            for name, (kind, default) in wanted.items()
        )
        connection.execute(f"CREATE VIEW {place} AS SELECT {shown} FROM {main}.ops.{quoted(table)}")


def looking(cursor: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """The cursor, which finds the views over its database in ``ops`` where there are any. It stays the current one."""
    database = _current(cursor)
    seen = _seen(cursor, database)
    if seen is not None:
        main = quoted(database)
        cursor.execute(f"SET search_path = {literal(f'{main}.main,{quoted(seen)}.ops,{main}.ops')}")
    return cursor


def ledger_table(cursor: duckdb.DuckDBPyConnection, table: str) -> str:
    """The name of a table of the ledger for cursors on other databases of the instance: of the view over it, if any."""
    database = _current(cursor)
    seen = _seen(cursor, database)
    has_view = (
        seen is not None
        and cursor.execute(
            "SELECT 1 FROM duckdb_views() WHERE database_name = ? AND schema_name = 'ops' AND view_name = ?",
            [seen, table],
        ).fetchone()
    )
    return f"{quoted(seen if seen is not None and has_view else database)}.ops.{quoted(table)}"


def _current(cursor: duckdb.DuckDBPyConnection) -> str:
    row = cursor.execute("SELECT current_database()").fetchone()
    assert row is not None
    return str(row[0])


def _seen(connection: duckdb.DuckDBPyConnection, database: str) -> str | None:
    """The database with the views over another one; None where there is none."""
    name = f"{database}{_SEEN}"
    row = connection.execute("SELECT 1 FROM duckdb_databases() WHERE database_name = ?", [name]).fetchone()
    return None if row is None else name


def _columns(connection: duckdb.DuckDBPyConnection) -> Mapping[str, Mapping[str, Mapping[str, tuple[str, str]]]]:
    """Per database and table of ``ops`` the columns, in order, each with its type and the SQL of its default."""
    found: dict[str, dict[str, dict[str, tuple[str, str]]]] = defaultdict(lambda: defaultdict(dict))
    rows = connection.execute(
        "SELECT database_name, table_name, column_name, data_type, coalesce(column_default, 'NULL') "
        "FROM duckdb_columns() WHERE schema_name = 'ops' ORDER BY database_name, table_name, column_index"
    ).fetchall()
    for database, table, column, kind, default in rows:
        found[database][table][column] = kind, default
    return found

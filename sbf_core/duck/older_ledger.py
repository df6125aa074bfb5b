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
#: The database in memory whose views stand before the ledger.
_SEEN = "sbf_ledger_seen"
_IDENTITY = {
    "dataset_id": f"CASE WHEN domain IS NOT NULL THEN {DATASET_ID} END",
    "series_key": f"CASE WHEN domain IS NOT NULL THEN {SERIES_KEY} END",
}
_OF_SERIES = " UNION ALL ".join(
    f"SELECT series_key, dataset_id FROM {_SEEN}.ops.{table}"
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
        if not _is_there(connection):
            _put_over(connection)


def _put_over(connection: duckdb.DuckDBPyConnection) -> None:
    row = connection.execute("SELECT current_database()").fetchone()
    assert row is not None
    main = quoted(row[0])
    connection.execute(f"ATTACH ':memory:' AS {_SEEN} (READ_WRITE); USE {_SEEN}")
    for text in migration_texts():
        connection.execute(text)
    connection.execute(f"USE {main}")
    columns = _columns(connection)
    for table, wanted in columns[_SEEN].items():
        there = columns[row[0]].get(table)
        if there is None:  # it stays empty
            continue
        place = f"{_SEEN}.ops.{quoted(table)}"
        connection.execute(f"DROP TABLE {place}")
        if set(wanted) <= set(there):
            continue
        filled = _FILLED.get(table, {})
        shown = ", ".join(
            quoted(name) if name in there else f"CAST({filled.get(name, default)} AS {kind}) AS {quoted(name)}"
            for name, (kind, default) in wanted.items()
        )
        connection.execute(f"CREATE VIEW {place} AS SELECT {shown} FROM {main}.ops.{quoted(table)}")


def looking(cursor: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """The cursor, which finds the views in ``ops`` where there are any. Its database stays the current one."""
    if _is_there(cursor):
        row = cursor.execute("SELECT current_database()").fetchone()
        assert row is not None
        main = quoted(row[0])
        cursor.execute(f"SET search_path = {literal(f'{main}.main,{_SEEN}.ops,{main}.ops')}")
    return cursor


def _is_there(connection: duckdb.DuckDBPyConnection) -> bool:
    found = connection.execute("SELECT 1 FROM duckdb_databases() WHERE database_name = ?", [_SEEN]).fetchone()
    return found is not None


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

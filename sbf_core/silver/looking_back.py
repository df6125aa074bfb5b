"""All silver tables as they were known at one moment."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

import duckdb

from sbf_core.clock import to_naive_utc
from sbf_core.dataset.columns import CORE_COLUMNS, Column
from sbf_core.duck.identifiers import literal, quoted, quoted_list
from sbf_core.silver.tables import create_macros


def look_back(
    conn: duckdb.DuckDBPyConnection, database: str, tables: Mapping[str, Sequence[Column]], moment: dt.datetime
) -> None:
    """Make views ``silver.<t>`` and ``silver.<t>_history`` over another database, as both were known at a moment, and
    the macros over them that look further back. What came later is in none of them.

    Args:
        conn: on an empty database, which may be written.
        database: the other one, as SQL names it.
        tables: those that are there, with their columns.
        moment: aware.
    """
    at = f"TIMESTAMP {literal(to_naive_utc(moment).isoformat(sep=' '))}"
    conn.execute("CREATE SCHEMA silver")
    for table, columns in tables.items():
        row = [*(column.name for column in columns), *CORE_COLUMNS]
        current, history = f"{database}.silver.{quoted(table)}", f"{database}.silver.{quoted(f'{table}_history')}"
        of_current, of_history = quoted_list(row, prefix="c."), quoted_list(row, prefix="h.")
        conn.execute(
            f"CREATE VIEW silver.{quoted(table)} AS "
            f"SELECT {of_current} FROM {current} AS c WHERE c.known_from <= {at} UNION ALL "
            f"SELECT {of_history} FROM {history} AS h WHERE h.known_from <= {at} AND h.known_to > {at} "
            "AND NOT h._deleted"
        )
        # a key that was not there has no row but the one that says so, which holds until something comes
        conn.execute(
            f"CREATE VIEW silver.{quoted(f'{table}_history')} AS "
            f"SELECT {of_history}, CASE WHEN h.known_to <= {at} THEN h.known_to END AS known_to, h._deleted "
            f"FROM {history} AS h WHERE h.known_from <= {at} AND (h.known_to <= {at} OR h._deleted)"
        )
        create_macros(conn, table, columns)

"""Bringing a gold table to what its SELECT gives, touching only rows that differ."""

from __future__ import annotations

import duckdb

from sbf_core.duck.identifiers import differs, literal, matches, quoted, quoted_list
from sbf_core.gold.model import GoldModel
from sbf_core.gold.tables import columns_of, number, table_exists


def write_gold(
    conn: duckdb.DuckDBPyConnection, model: GoldModel, *, same_key: bool, part: str, keys_into: str
) -> tuple[int, bool]:
    """Bring the table of a model to what the temporary table ``candidate`` holds, in the caller's transaction.

    Args:
        conn: inside a transaction.
        model: the table.
        same_key: whether the rows that are there were built under the same key; under another one they may have one
            several times, so that nothing can be compared.
        part: a condition on a row of the table, called ``t``: the other rows stay as they are.
        keys_into: the temporary table to make of the keys that change.

    Returns:
        How many rows were inserted, updated and deleted, and whether their keys are in ``keys_into``: they are not
        where the table was made anew.
    """
    table, columns = f"gold.{quoted(model.name)}", columns_of(conn, "candidate")
    if not same_key or not table_exists(conn, f"gold.{model.name}") or columns_of(conn, table) != columns:
        conn.execute(
            f"CREATE OR REPLACE TABLE {table} AS SELECT c.* FROM candidate AS c "
            f"ORDER BY {quoted_list(model.key, prefix='c.')}"
        )
        if model.doc:
            conn.execute(f"COMMENT ON TABLE {table} IS {literal(model.doc)}")
        return number(conn, "SELECT count(*) FROM candidate"), False
    others = [name for name, _ in columns if name not in model.key]
    on = matches(model.key, "t", "c")
    there = f"(SELECT t.* FROM {table} AS t WHERE {part})"
    keys = quoted_list(model.key, prefix="t.")
    # no column of ours stands beside those of the model, which may have any name
    conn.execute(
        f"CREATE OR REPLACE TEMP TABLE differing AS SELECT c.* FROM candidate AS c LEFT JOIN {there} AS t ON {on} "
        f"WHERE t.{quoted(model.key[0])} IS NULL OR {differs(others, 'c', 't')}"
    )
    conn.execute(
        f"CREATE OR REPLACE TEMP TABLE gone AS SELECT {keys} FROM {there} AS t ANTI JOIN candidate AS c ON {on}"
    )
    gone = number(conn, "SELECT count(*) FROM gone")
    conn.execute(
        f"CREATE OR REPLACE TEMP TABLE {quoted(keys_into)} AS SELECT {keys} FROM gone AS t UNION ALL SELECT {keys} "
        "FROM differing AS t"
    )
    if gone:
        conn.execute(f"DELETE FROM {table} AS t USING gone AS c WHERE {on}")
    conn.execute(f"DELETE FROM {table} AS t USING differing AS c WHERE {on}")
    names = [name for name, _ in columns]
    conn.execute(
        f"INSERT INTO {table} ({quoted_list(names)}) SELECT {quoted_list(names, prefix='c.')} FROM differing AS c"
    )
    return gone + number(conn, "SELECT count(*) FROM differing"), True

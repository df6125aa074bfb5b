"""Whether a SELECT gives the same rows for the same tables, whenever and however often it is asked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import duckdb

from sbf_core.gold.sql_tree import tree_of

#: ``age`` with one argument counts from today, and the engine's list of functions has both under one name. Others are
#: words of SQL, for which the list has other names, or what DuckDB 1.5 calls consistent although a session sets it.
_OF_THE_MOMENT = frozenset(
    (
        "age", "current_time", "current_timestamp", "localtime", "localtimestamp", "getvariable", "current_setting",
    )
)  # fmt: skip


def is_repeatable(conn: duckdb.DuckDBPyConnection, tree: Any) -> bool:
    """Whether nothing in the engine's own tree of a SELECT depends on the moment, on chance or on the session.

    A function is taken for such a one if the engine calls no variant of it consistent: ``now()``, ``random()``,
    ``nextval()``. Those of which only the variants for TIMESTAMPTZ depend on the session's zone pass: that is UTC
    wherever gold is built. Macros are as repeatable as their text.
    """
    seen: set[str] = set()
    names = set(_called(tree))
    while names - seen:
        fresh = sorted(names - seen)
        seen |= names
        if not _OF_THE_MOMENT.isdisjoint(fresh) or _is_any_unrepeatable(conn, fresh):
            return False
        for text in _macros(conn, fresh):
            names |= set(_called(tree_of(conn, f"SELECT {text}")))
    return True


def _called(tree: Any) -> Iterator[str]:
    """Names of functions; of columns without a table, too: ``current_date`` is written as one."""
    if isinstance(tree, list):
        for item in tree:
            yield from _called(item)
    elif isinstance(tree, dict):
        if tree.get("function_name"):
            yield str(tree["function_name"]).lower()
        if tree.get("class") == "COLUMN_REF" and len(tree.get("column_names", ())) == 1:
            yield str(tree["column_names"][0]).lower()
        for item in tree.values():
            yield from _called(item)


def _is_any_unrepeatable(conn: duckdb.DuckDBPyConnection, names: list[str]) -> bool:
    row = conn.execute(
        "SELECT 1 FROM duckdb_functions() AS f WHERE list_contains(?, f.function_name) AND f.stability IS NOT NULL "
        "GROUP BY f.function_name HAVING NOT bool_or(f.stability = 'CONSISTENT') LIMIT 1",
        [names],
    ).fetchone()
    return row is not None


def _macros(conn: duckdb.DuckDBPyConnection, names: list[str]) -> list[str]:
    rows = conn.execute(
        "SELECT f.macro_definition FROM duckdb_functions() AS f WHERE list_contains(?, f.function_name) "
        "AND f.function_type = 'macro'",
        [names],
    ).fetchall()
    return [text for (text,) in rows]

"""Plans of the engine that hold for whatever stands in the tables."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import duckdb

from sbf_core.duck.identifiers import literal, quoted

#: What moves conditions to where they belong. Others look at what the engine knows of the rows, leave out reads, or let
#: two parts of a plan share one.
_STEPS = frozenset(
    (
        "expression_rewriter", "filter_pullup", "filter_pushdown", "cte_filter_pusher", "deliminator",
        "unnest_rewriter", "unused_columns", "column_lifetime",
    )
)  # fmt: skip
_SETTINGS: dict[str, Any] = {
    "threads": 1,
    "memory_limit": "128MB",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "enable_external_access": "false",
}


@contextmanager
def planner(tables: Mapping[str, Sequence[tuple[str, str]]]) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database in memory with empty tables, that plans without looking at rows.

    Args:
        tables: names and types of the columns of each, by ``schema.table``.
    """
    with duckdb.connect(config=_SETTINGS) as conn:
        steps = [row[0] for row in conn.execute("SELECT name FROM duckdb_optimizers()").fetchall()]
        left_out = ",".join(step for step in steps if step not in _STEPS)
        conn.execute(f"SET disabled_optimizers = {literal(left_out)}; SET TimeZone = 'UTC'")
        for name, columns in tables.items():
            schema, _, table = name.partition(".")
            typed = ", ".join(f"{quoted(column)} {kind}" for column, kind in columns)
            conn.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(schema)}")
            conn.execute(f"CREATE TABLE {quoted(schema)}.{quoted(table)} ({typed})")
        yield conn


def plan_of(conn: duckdb.DuckDBPyConnection, select: str) -> list[Mapping[str, Any]]:
    """The nodes of the plan of a SELECT, each before those that it reads from."""
    row = conn.execute(f"EXPLAIN (FORMAT json) {select}").fetchone()
    assert row is not None
    return list(_nodes(json.loads(row[1])))


def _nodes(plan: Any) -> Iterator[Mapping[str, Any]]:
    for node in plan:
        yield node
        yield from _nodes(node.get("children", ()))

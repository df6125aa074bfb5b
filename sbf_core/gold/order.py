"""Which tables a gold model reads, by the engine's own parser, and the order that follows from it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Any

import duckdb

from sbf_core.errors import UsageError
from sbf_core.gold.model import GoldModel

_SCHEMAS = ("silver", "gold")


def tables_read(conn: duckdb.DuckDBPyConnection, sql: str, *, where: str) -> frozenset[str]:
    """The silver and gold tables, as ``schema.table``, that a SELECT reads; macros such as ``silver.x_as_of`` count as their table.

    Raises:
        UsageError: the text is not one SELECT, or it reads a table without naming its schema.
    """
    row = conn.execute("SELECT json_serialize_sql(?)", [sql]).fetchone()
    assert row is not None
    tree = json.loads(row[0])
    if tree.get("error"):
        raise UsageError(f"not one SELECT: {tree.get('error_message', 'it cannot be parsed')}", where=where, fix="write one SELECT", code="GOLD_SQL")
    if len(tree.get("statements", ())) != 1:
        raise UsageError("holds several statements", where=where, fix="write one SELECT", code="GOLD_SQL")
    return frozenset(_sources(tree["statements"][0]["node"], frozenset(), where))


def _sources(node: Any, local: frozenset[str], where: str) -> Iterator[str]:
    """Walk the tree; ``local`` holds the names of the common table expressions in scope."""
    if isinstance(node, list):
        for item in node:
            yield from _sources(item, local, where)
        return
    if not isinstance(node, dict):
        return
    shared = node.get("cte_map", {}).get("map", []) if isinstance(node.get("cte_map"), dict) else []
    if shared:
        local = local | {item["key"] for item in shared}
    if node.get("cte_name"):
        local = local | {node["cte_name"]}
    if node.get("type") == "BASE_TABLE":
        yield from _named(node.get("schema_name", ""), node.get("table_name", ""), local, where)
    if node.get("type") == "TABLE_FUNCTION":
        function = node.get("function", {})
        if function.get("schema") == "silver":
            yield f"silver.{function['function_name'].removesuffix('_as_of')}"
    for value in node.values():
        yield from _sources(value, local, where)


def _named(schema: str, table: str, local: frozenset[str], where: str) -> Iterator[str]:
    if schema in _SCHEMAS:
        yield f"{schema}.{table}"
    elif not schema and table in local:
        return
    else:
        full = f"{schema}.{table}" if schema else table
        raise UsageError(f"reads {full!r}, which is neither a silver nor a gold table", where=where, fix="write silver.<table> or gold.<table>", code="GOLD_SQL")


def ordered(models: Sequence[GoldModel], reads: Mapping[str, frozenset[str]]) -> list[GoldModel]:
    """The models so that each comes after those it reads.

    Raises:
        UsageError: models read each other in a circle; the circle is shown.
    """
    by_name = {f"gold.{model.name}": model for model in models}
    graph = {name: {table for table in reads[name] if table in by_name} for name in by_name}
    try:
        names = list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        raise UsageError("gold models read each other in a circle: " + " -> ".join(error.args[1]), fix="break the circle", code="GOLD_CYCLE") from error
    return [by_name[name] for name in names]

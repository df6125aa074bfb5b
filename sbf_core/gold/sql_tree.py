"""A SELECT as the engine's own tree, by ``json_serialize_sql``."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import duckdb

from sbf_core.duck.identifiers import quoted


class NotTheSame(Exception):
    """The engine does not write a tree as the text that it read."""


def tree_of(conn: duckdb.DuckDBPyConnection, sql: str) -> Any:
    """The tree of a text; with a key ``error`` where that is no SELECT."""
    row = conn.execute("SELECT json_serialize_sql(?)", [sql]).fetchone()
    assert row is not None
    return json.loads(row[0])


def text_of(conn: duckdb.DuckDBPyConnection, tree: Any) -> str:
    """The text of a tree.

    Raises:
        NotTheSame: the engine reads another tree from it.
    """
    row = conn.execute("SELECT json_deserialize_sql(?)", [json.dumps(tree)]).fetchone()
    assert row is not None
    text = str(row[0])
    if _without_places(tree_of(conn, text)) != _without_places(tree):
        raise NotTheSame
    return text


def reads_in(tree: Any) -> Iterator[dict[str, Any]]:
    """The nodes of a tree that read a table by its schema, each before its own nodes."""
    if isinstance(tree, list):
        for item in tree:
            yield from reads_in(item)
    elif isinstance(tree, dict):
        if tree.get("type") == "BASE_TABLE" and tree.get("schema_name"):
            yield tree
            return
        for item in tree.values():
            yield from reads_in(item)


def table_read(node: Mapping[str, Any]) -> str:
    """The table that a node of ``reads_in`` reads, as ``schema.table`` in small letters."""
    return f"{node['schema_name']}.{node['table_name']}".lower()


def read_instead(conn: duckdb.DuckDBPyConnection, node: dict[str, Any], select: str) -> None:
    """Let a node of ``reads_in`` read a SELECT, under the name that the table has there."""
    alias = node["alias"] or node["table_name"]
    fresh = tree_of(conn, f"SELECT * FROM ({select}) AS {quoted(alias)}")["statements"][0]["node"]["from_table"]
    fresh["column_name_alias"] = node["column_name_alias"]
    node.clear()
    node.update(fresh)


def _without_places(tree: Any) -> Any:
    """A tree without where in the text each node stood."""
    if isinstance(tree, list):
        return [_without_places(item) for item in tree]
    if isinstance(tree, dict):
        return {name: _without_places(item) for name, item in tree.items() if not name.startswith("query_location")}
    return tree

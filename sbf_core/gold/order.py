"""Which tables a gold model reads, by the engine's own parser, and the order that follows from it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Any

import attrs
import duckdb

from sbf_core.errors import UsageError
from sbf_core.gold.model import GoldModel
from sbf_core.gold.sql_tree import tree_of
from sbf_core.value import Value

_SCHEMAS = ("silver", "gold")
_AS_OF = "_as_of"
#: Table functions that read nothing but their arguments. Others read by a text, or read what the engine knows of
#: itself: nobody would see what they depend on.
_PURE_FUNCTIONS = frozenset(("unnest", "range", "generate_series", "json_each", "json_tree", "repeat", "repeat_row"))


def tables_read(conn: duckdb.DuckDBPyConnection, sql: str, *, where: str) -> frozenset[str]:
    """The silver and gold tables, as ``schema.table``, that a SELECT reads; macros such as ``silver.x_as_of`` count as
    their table.

    Raises:
        UsageError: the text is not one SELECT, it reads a table without naming its schema, or it reads what nobody can
            see in it, such as what ``query_table`` is given.
    """
    tree = tree_of(conn, sql)
    if tree.get("error"):
        raise UsageError(
            f"not one SELECT: {tree.get('error_message', 'it cannot be parsed')}",
            where=where,
            fix="write one SELECT",
            code="GOLD_SQL",
        )
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
        local = local | {item["key"].lower() for item in shared}
    if node.get("cte_name"):
        local = local | {node["cte_name"].lower()}
    if node.get("type") == "BASE_TABLE":
        yield from _named(_path(node, "catalog_name", "schema_name", "table_name"), local, where)
    if node.get("type") == "TABLE_FUNCTION":
        yield from _called(_path(node["function"], "catalog", "schema", "function_name"), where)
    if node.get("type") == "SHOW_REF" and node.get("query") is None:
        raise _unseen("reads what the engine knows of itself", where, "write silver.<table> or gold.<table>")
    for value in node.values():
        yield from _sources(value, local, where)


def _path(node: Mapping[str, Any], *names: str) -> tuple[str, ...]:
    """Catalog, schema and name, those that are given, as the engine compares them: in small letters."""
    return tuple(node[name].lower() for name in names if node.get(name))


def _named(path: tuple[str, ...], local: frozenset[str], where: str) -> Iterator[str]:
    full = ".".join(path)
    if len(path) == 2 and path[0] in _SCHEMAS:
        yield full
    elif len(path) != 1 or full not in local:
        what = f"reads {full!r}, which is neither a silver nor a gold table"
        raise _unseen(what, where, "write silver.<table> or gold.<table>")


def _called(path: tuple[str, ...], where: str) -> Iterator[str]:
    full = ".".join(path)
    if len(path) == 2 and path[0] == "silver" and full.endswith(_AS_OF):
        yield full.removesuffix(_AS_OF)
    elif full not in _PURE_FUNCTIONS:
        what = f"reads the function {full!r}, of which nobody can see what it depends on"
        raise _unseen(
            what, where, f"write silver.<table>, gold.<table>, or one of {', '.join(sorted(_PURE_FUNCTIONS))}"
        )


def _unseen(what: str, where: str, fix: str) -> UsageError:
    return UsageError(what, where=where, fix=fix, code="GOLD_SQL")


def versions_read(reads: frozenset[str], versions: Mapping[str, str]) -> dict[str, str]:
    """The version of each table that is read; of a history that of its table.

    Args:
        reads: names with their schema.
        versions: as ``OpsService.load_table_versions`` gives them.
    """
    bases = {table: table.removesuffix("_history") if table.startswith("silver.") else table for table in reads}
    return {table: versions.get(base, versions.get(table, "")) for table, base in bases.items()}


@attrs.frozen(kw_only=True)
class GoldPlan(Value):
    """What can be built, and why the rest cannot.

    Attributes:
        order: the models so that each comes after those it reads.
        reads: the tables that each reads, by ``gold.<name>``.
        faults: why tables cannot be built, by their name without schema.
    """

    order: tuple[GoldModel, ...]
    reads: Mapping[str, frozenset[str]]
    faults: Mapping[str, str]


def planned(
    conn: duckdb.DuckDBPyConnection, models: Sequence[GoldModel], *, owners: Mapping[str, Sequence[str]] | None = None
) -> GoldPlan:
    """The order of some models. One that is wrong costs only itself: a name that is given twice, SQL that is not one
    SELECT, and models that read each other in a circle.

    Args:
        conn: parses.
        models: all of them.
        owners: who brings each table, for what is told of one that is brought twice.
    """
    faults: dict[str, str] = {}
    reads: dict[str, frozenset[str]] = {}
    names = [model.name for model in models]
    for model in models:
        if names.count(model.name) > 1:
            who = " and by ".join((owners or {}).get(model.name, ()))
            faults[model.name] = (
                f"is declared {names.count(model.name)} times{', by ' + who if who else ''}; leave one of them"
            )
            continue
        try:
            read = tables_read(conn, model.sql, where=f"gold.{model.name}")
        except UsageError as error:
            faults[model.name] = f"{error.what}; {error.fix}"
            continue
        reads[f"gold.{model.name}"] = read | {f"gold.{test.to}" for test in model.tests if hasattr(test, "to")}
    left = [model for model in models if model.name not in faults]
    while True:
        try:
            return GoldPlan(order=tuple(ordered(left, reads)), reads=reads, faults=faults)
        except _Circle as circle:
            faults |= dict.fromkeys(circle.names, f"{circle.what}; {circle.fix}")
            left = [model for model in left if model.name not in faults]


class _Circle(UsageError):
    default_code = "GOLD_CYCLE"
    names: tuple[str, ...] = ()


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
        circle = _Circle(
            "gold models read each other in a circle: " + " -> ".join(error.args[1]), fix="break the circle"
        )
        circle.names = tuple(name.removeprefix("gold.") for name in error.args[1][1:])
        raise circle from error
    return [by_name[name] for name in names]

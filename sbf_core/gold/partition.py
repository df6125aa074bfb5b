"""Which columns of a gold table cut it, and the tables it reads, into parts that can be computed each for itself.

The engine says so. Its optimizer moves a condition on a column of a SELECT down to the tables that are read where, and
only where, that leaves the rows that fulfil it as they are: through a GROUP BY if the column is one of its keys,
through a window if it is partitioned by it, through a join if the join compares it. So a SELECT is planned with a
condition on columns of the gold table's key. If every read of a table that changed has the condition, as one on a
column of its own key, then rows of gold with these values come from rows of that table with the same values and from
no others: what has changed in gold is found under the values that have changed there.

A plan proves that for the value in it. What keeps it from being true of that value only: it is asked for two values,
types must be the same, so that nothing is converted, and nothing may be left out of the plan. Of rows with NULL there
it proves nothing: whoever computes a part has to see that the whole SELECT gives none.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import attrs
import duckdb

from sbf_core.duck.engine_errors import ENGINE_ERRORS
from sbf_core.duck.identifiers import literal, quoted
from sbf_core.gold.repeatable import has_sample, is_repeatable
from sbf_core.value import Value

#: Types whose equal values are one value, and whose text gives them back.
_TYPES = ("VARCHAR", "DATE", "TIMESTAMP", "TIME", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "DECIMAL")


@attrs.frozen(kw_only=True)
class Parts(Value):
    """What a gold table can be computed by.

    Attributes:
        columns: columns of its key.
        of_tables: for each table that changed, as ``schema.table``, the columns of it that they are, in that order.
        tree: the SELECT, as the engine's own tree.
    """

    columns: tuple[str, ...]
    of_tables: Mapping[str, tuple[str, ...]]
    tree: Any = attrs.field(eq=False, repr=False)


def tree_of(conn: duckdb.DuckDBPyConnection, sql: str) -> Any:
    """A SELECT as the engine's own tree; with a key ``error`` where it is none."""
    row = conn.execute("SELECT json_serialize_sql(?)", [sql]).fetchone()
    assert row is not None
    return json.loads(row[0])


def reads_of(tree: Any) -> list[str]:
    """Each place of a tree that reads a table by its schema, as ``schema.table`` in small letters."""
    return [_name(node) for node in _reads(tree)]


def looks_back(tree: Any) -> bool:
    """Whether a tree calls a macro such as ``silver.x_as_of``, which reads superseded rows, too."""
    if isinstance(tree, list):
        return any(looks_back(item) for item in tree)
    if not isinstance(tree, dict):
        return False
    is_macro = tree.get("type") == "TABLE_FUNCTION" and bool(tree["function"].get("schema"))
    return is_macro or any(looks_back(item) for item in tree.values())


def find_parts(
    conn: duckdb.DuckDBPyConnection,
    sql: str,
    *,
    table: str,
    key: Sequence[str],
    changed: Mapping[str, Sequence[str]],
) -> Parts | None:
    """The parts that a SELECT can be computed by; None where there are none, or where nobody can tell.

    Args:
        conn: plans; nothing is computed but the least and the largest value of key columns.
        sql: the SELECT of a gold table.
        table: that table, quoted, as it was built before.
        key: its key.
        changed: the key of each table that changed and is read, by ``schema.table`` in small letters.
    """
    try:
        tree = tree_of(conn, sql)
        if tree.get("error") or has_sample(tree) or not is_repeatable(conn, tree):
            return None
        proof = _Proof(conn, tree, {name: tuple(columns) for name, columns in changed.items()})
        return proof.parts(_values_of(conn, table, key))
    except (*ENGINE_ERRORS, _NotTheSame):  # what cannot be planned so is computed whole, and says then what is wrong
        return None


class _NotTheSame(Exception):
    """The engine does not write a tree as the text that it read."""


def select_of_part(conn: duckdb.DuckDBPyConnection, parts: Parts, *, values: str) -> str | None:
    """The SELECT over those rows of the changed tables whose values are in the temporary table ``values``, which has
    the columns ``p0``, ``p1``, ... It may give other rows besides those of the part. None where it cannot be written.
    """
    tree = copy.deepcopy(parts.tree)
    for node in _reads(tree):
        name = _name(node)
        if name in parts.of_tables:
            on = " AND ".join(f"t.{quoted(column)} = v.p{n}" for n, column in enumerate(parts.of_tables[name]))
            _replace(conn, node, f"SELECT t.* FROM {_quoted(name)} AS t SEMI JOIN temp.{quoted(values)} AS v ON {on}")
    try:
        return _text_of(conn, tree)
    except _NotTheSame:
        return None


class _Proof:
    """What the plans of one SELECT say.

    Args:
        conn: plans.
        tree: the SELECT.
        changed: the key of each table that changed and is read.
    """

    def __init__(self, conn: duckdb.DuckDBPyConnection, tree: Any, changed: Mapping[str, tuple[str, ...]]) -> None:
        self._conn = conn
        self._tree = tree
        self._changed = changed
        self._types = {name: _types(conn, f"SELECT * FROM {_quoted(name)}") for name in changed}
        #: Each table as the plans write it.
        self._written = {self._as_written(name): name for name in changed}
        self._sql = self._guarded()

    def parts(self, values: Mapping[str, tuple[str, tuple[str, str]]]) -> Parts | None:
        """The columns, of those in ``values`` (type, and two values as text), that all reads are cut by."""
        _, leaves = self._scans("true")
        alone = {column: facts for column, facts in values.items() if self._cut_by({column: facts}, leaves)}
        while alone:  # what each does alone, they may not do together
            cuts = self._cut_by(alone, leaves)
            if cuts.keys() == alone.keys():
                of_tables = {name: tuple(cuts[column][name] for column in alone) for name in self._changed}
                return Parts(columns=tuple(alone), of_tables=of_tables, tree=self._tree)
            alone = {column: facts for column, facts in alone.items() if column in cuts}
        return None

    def _as_written(self, name: str) -> str:
        written = [
            node["extra_info"].get("Table") for node in _nodes(_plan(self._conn, f"SELECT * FROM {_quoted(name)}"))
        ]
        return next((text for text in written if text), "")

    def _guarded(self) -> str:
        """The SELECT, with a condition on each read that the engine cannot see through: it would answer a ``max`` or a
        ``count`` from what it knows of a table, and no read would be seen. The condition is on two columns, so that
        none is mixed with those that are looked for.
        """
        tree = copy.deepcopy(self._tree)
        for node in _reads(tree):
            name = _name(node)
            if name in self._changed:
                first, *_, last = (f"t.{quoted(column)}" for column in self._types[name])
                _replace(self._conn, node, f"SELECT t.* FROM {_quoted(name)} AS t WHERE hash({first}, {last}) <> 0")
        return _text_of(self._conn, tree)

    def _scans(self, condition: str) -> tuple[dict[str, list[list[str]]], int]:
        """The conditions of each read of the changed tables, where rows are asked for that fulfil one; and how many
        reads the plan has of what may come from them.
        """
        scans: dict[str, list[list[str]]] = {name: [] for name in self._changed}
        leaves = 0
        for node in _nodes(_plan(self._conn, f"SELECT * FROM ({self._sql}) AS o WHERE {condition}")):
            told = node.get("extra_info", {})
            name = self._written.get(told.get("Table"), "")
            is_of_another = not name and told.get("Table")
            leaves += not node.get("children") and not is_of_another and node["name"].strip() != "EMPTY_RESULT"
            if name:
                filters = told.get("Filters", [])
                scans[name].append([filters] if isinstance(filters, str) else list(filters))
        return scans, leaves

    def _cut_by(self, values: Mapping[str, tuple[str, tuple[str, str]]], leaves: int) -> dict[str, dict[str, str]]:
        """As ``_cuts``, where both values say the same."""
        first, second = (self._cuts(values, place, leaves) for place in (0, 1))
        return {column: own for column, own in first.items() if own == second.get(column)}

    def _cuts(
        self, values: Mapping[str, tuple[str, tuple[str, str]]], place: int, leaves: int
    ) -> dict[str, dict[str, str]]:
        """Which column of each table a column of gold is, with one of its two values; only of those that cut all.

        None is, where the plan has fewer reads than without a condition: the engine saw that one gives nothing for this
        value, and for another it may.
        """
        given = {column: _literal(kind, texts[place]) for column, (kind, texts) in values.items()}
        scans, left = self._scans(" AND ".join(f"o.{quoted(column)} = {value}" for column, value in given.items()))
        cuts: dict[str, dict[str, str]] = {}
        for column, (kind, _) in values.items():
            own: dict[str, str] = {}
            for name, key in self._changed.items():
                for other in key:
                    told = self._condition(name, other, kind, given[column])
                    if told and scans[name] and all(told in scan for scan in scans[name]):
                        own[name] = other
                        break
            if left >= leaves and own.keys() == self._changed.keys():
                cuts[column] = own
        return cuts

    def _condition(self, name: str, column: str, kind: str, value: str) -> str:
        """How the engine writes that a column has a value; empty where the column is of another type."""
        if self._types[name].get(column) != kind:
            return ""
        table = _quoted(name)
        plan = _plan(self._conn, f"SELECT t.{quoted(column)} FROM {table} AS t WHERE t.{quoted(column)} = {value}")
        filters = [node.get("extra_info", {}).get("Filters", "") for node in _nodes(plan)]
        return next((text for text in filters if isinstance(text, str) and text), "")


def _values_of(
    conn: duckdb.DuckDBPyConnection, table: str, key: Sequence[str]
) -> dict[str, tuple[str, tuple[str, str]]]:
    """Type, least and largest value of each column of a key that can cut a table."""
    types = _types(conn, f"SELECT * FROM {table}")
    columns = [column for column in key if types.get(column, "").partition("(")[0] in _TYPES]
    if not columns:
        return {}
    asked = ", ".join(
        f"CAST(min(t.{quoted(column)}) AS VARCHAR), CAST(max(t.{quoted(column)}) AS VARCHAR)" for column in columns
    )
    row = conn.execute(f"SELECT {asked} FROM {table} AS t").fetchone()
    assert row is not None
    pairs = {column: (row[2 * n], row[2 * n + 1]) for n, column in enumerate(columns)}
    return {column: (types[column], pair) for column, pair in pairs.items() if None not in pair and pair[0] != pair[1]}


def _types(conn: duckdb.DuckDBPyConnection, sql: str) -> dict[str, str]:
    return {row[0]: row[1] for row in conn.execute(f"DESCRIBE {sql}").fetchall()}


def _literal(kind: str, text: str) -> str:
    return f"CAST({literal(text)} AS {kind})"


def _plan(conn: duckdb.DuckDBPyConnection, sql: str) -> Any:
    row = conn.execute(f"EXPLAIN (FORMAT json) {sql}").fetchone()
    assert row is not None
    return json.loads(row[1])


def _nodes(plan: Any) -> Iterator[Mapping[str, Any]]:
    for node in plan:
        yield node
        yield from _nodes(node.get("children", ()))


def _reads(tree: Any) -> Iterator[dict[str, Any]]:
    """The nodes of a tree that read a table by its schema, each before its own nodes."""
    if isinstance(tree, list):
        for item in tree:
            yield from _reads(item)
    elif isinstance(tree, dict):
        if tree.get("type") == "BASE_TABLE" and tree.get("schema_name"):
            yield tree
            return
        for item in tree.values():
            yield from _reads(item)


def _name(node: Mapping[str, Any]) -> str:
    return f"{node['schema_name']}.{node['table_name']}".lower()


def _quoted(name: str) -> str:
    schema, _, table = name.partition(".")
    return f"{quoted(schema)}.{quoted(table)}"


def _replace(conn: duckdb.DuckDBPyConnection, node: dict[str, Any], select: str) -> None:
    """Let a read of a table be one of a SELECT, under the name that the table has there."""
    alias = node["alias"] or node["table_name"]
    fresh = tree_of(conn, f"SELECT * FROM ({select}) AS {quoted(alias)}")["statements"][0]["node"]["from_table"]
    fresh["column_name_alias"] = node["column_name_alias"]
    node.clear()
    node.update(fresh)


def _text_of(conn: duckdb.DuckDBPyConnection, tree: Any) -> str:
    """The text of a tree. Raises ``_NotTheSame`` where the engine reads another tree from it."""
    row = conn.execute("SELECT json_deserialize_sql(?)", [json.dumps(tree)]).fetchone()
    assert row is not None
    text = str(row[0])
    if _without_places(tree_of(conn, text)) != _without_places(tree):
        raise _NotTheSame
    return text


def _without_places(tree: Any) -> Any:
    """A tree without where in the text each node stood."""
    if isinstance(tree, list):
        return [_without_places(item) for item in tree]
    if isinstance(tree, dict):
        return {name: _without_places(item) for name, item in tree.items() if not name.startswith("query_location")}
    return tree

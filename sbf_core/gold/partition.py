"""Which columns of a gold table cut it, and the tables it reads, into parts that can be computed each for itself.

The engine says so. Its optimizer moves a condition on a column of a SELECT down to the tables that are read where, and
only where, that leaves the rows that fulfil it as they are: through a GROUP BY if the column is one of its keys,
through a window if it is partitioned by it, through a join if the join compares it. So a SELECT is planned with a
condition on columns of the gold table's key. If every read of a table that changed has the condition, as one on a
column of its own key, then rows of gold with these values come from rows of that table with the same values and from
no others: what has changed in gold is found under the values that have changed there.

It is planned over empty tables, without what the engine knows of rows (``duck/planner.py``): what is proven holds for
what was there before, too. A plan proves it for the value in it. What keeps it from being true of that value only: it
is asked for two values, types must be the same, so that nothing is converted, and the plan must read what it reads
without the condition. Of rows with NULL there it proves nothing: whoever computes a part has to see that the whole
SELECT gives none.
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import duckdb

from sbf_core.duck.engine_errors import ENGINE_ERRORS
from sbf_core.duck.identifiers import literal, quoted
from sbf_core.duck.planner import plan_of
from sbf_core.gold.repeatable import is_repeatable
from sbf_core.gold.sql_tree import NotTheSame, read_instead, reads_in, table_read, text_of, tree_of
from sbf_core.gold.tables import columns_of, quoted_name
from sbf_core.value import Value

#: Types whose equal values are one value, and whose text gives them back.
_TYPES = ("VARCHAR", "DATE", "TIMESTAMP", "TIME", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "DECIMAL")
#: Rows that are enough to see two values of a column.
_FIRST_ROWS = 100_000


@attrs.frozen(kw_only=True)
class Parts(Value):
    """What a gold table can be computed by.

    Attributes:
        columns: columns of its key.
        of_tables: for each table that changed, as ``schema.table``, the columns of it that they are, in that order.
        select: the SELECT over those rows of these tables whose values are in the temporary table ``changed_value``,
            which has the columns ``p0``, ``p1``, ... It may give other rows besides those of the part.
    """

    columns: tuple[str, ...]
    of_tables: Mapping[str, tuple[str, ...]]
    select: str


@attrs.frozen(kw_only=True)
class KeyColumn(Value):
    """A column of a key.

    Attributes:
        name: its name.
        type: its type.
        two: two of its values, as text.
    """

    name: str
    type: str
    two: tuple[str, str]


def key_columns(conn: duckdb.DuckDBPyConnection, table: str, key: Sequence[str]) -> list[KeyColumn]:
    """The columns of a key that can cut a table: those of which it has two values, of a type that can be compared."""
    types = dict(columns_of(conn, table))
    found = []
    for column in (column for column in key if types.get(column, "").partition("(")[0] in _TYPES):
        asked = f"SELECT CAST(min(t.{quoted(column)}) AS VARCHAR), CAST(max(t.{quoted(column)}) AS VARCHAR) FROM "
        for rows in (f"(FROM {table} LIMIT {_FIRST_ROWS})", table):
            two = conn.execute(f"{asked}{rows} AS t").fetchone()
            if two is not None and None not in two and two[0] != two[1]:
                found.append(KeyColumn(name=column, type=types[column], two=two))
                break
    return found


def find_parts(
    conn: duckdb.DuckDBPyConnection, sql: str, *, key: Sequence[KeyColumn], changed: Mapping[str, Sequence[str]]
) -> Parts | None:
    """The parts that a SELECT can be computed by; None where there are none, or where nobody can tell.

    Args:
        conn: a planner with the tables that are read. It has nothing else, so that a SELECT that calls a macro such as
            ``silver.x_as_of``, which reads superseded rows, is none that can be planned.
        sql: the SELECT of a gold table.
        key: columns of its key.
        changed: the key of each table that changed and is read, by ``schema.table`` in small letters.
    """
    try:
        tree = tree_of(conn, sql)
        if tree.get("error") or not is_repeatable(conn, tree):
            return None
        proof = _Proof(conn, sql, {name: tuple(columns) for name, columns in changed.items()})
        columns = proof.columns(key)
        if not columns:
            return None
        of_tables = {name: tuple(own[name] for own in columns.values()) for name in changed}
        typed = ", ".join(f"p{n} {column.type}" for n, column in enumerate(one for one in key if one.name in columns))
        conn.execute(f"CREATE TEMP TABLE changed_value ({typed})")
        select = _of_part(conn, tree, of_tables)
        plan_of(conn, select)
        return Parts(columns=tuple(columns), of_tables=of_tables, select=select)
    except (*ENGINE_ERRORS, NotTheSame):  # what cannot be planned so is computed whole, and says then what is wrong
        return None


class _Proof:
    """What the plans of one SELECT say.

    Args:
        conn: a planner.
        sql: the SELECT.
        changed: the key of each table that changed and is read.
    """

    def __init__(self, conn: duckdb.DuckDBPyConnection, sql: str, changed: Mapping[str, tuple[str, ...]]) -> None:
        self._conn = conn
        self._sql = sql
        self._changed = changed
        self._types = {name: dict(columns_of(conn, quoted_name(name))) for name in changed}
        #: Each table as the plans write it.
        self._written = {self._as_written(name): name for name in changed}

    def columns(self, key: Sequence[KeyColumn]) -> dict[str, dict[str, str]]:
        """The columns of a key that all reads are cut by, each with the column of each table that it is."""
        _, reads = self._scans("true")
        left = [column for column in key if self._cuts([column], reads)]
        while left:  # what each does alone, they may not do together
            cuts = self._cuts(left, reads)
            if len(cuts) == len(left):
                return cuts
            left = [column for column in left if column.name in cuts]
        return {}

    def _as_written(self, name: str) -> str:
        written = (
            node["extra_info"].get("Table") for node in plan_of(self._conn, f"SELECT * FROM {quoted_name(name)}")
        )
        return next(str(text) for text in written if text)

    def _scans(self, condition: str) -> tuple[dict[str, list[list[str]]], Counter[tuple[str, str]]]:
        """The conditions of each read of the changed tables, where rows are asked for that fulfil one; and all that the
        plan reads.
        """
        scans: dict[str, list[list[str]]] = {name: [] for name in self._changed}
        reads: Counter[tuple[str, str]] = Counter()
        for node in plan_of(self._conn, f"SELECT * FROM ({self._sql}) AS o WHERE {condition}"):
            told = node.get("extra_info", {})
            table = str(told.get("Table", ""))
            if not node.get("children"):
                reads[node["name"].strip(), table] += 1
            if table in self._written:
                filters = told.get("Filters", [])
                scans[self._written[table]].append([filters] if isinstance(filters, str) else list(filters))
        return scans, reads

    def _cuts(self, key: Sequence[KeyColumn], reads: Counter[tuple[str, str]]) -> dict[str, dict[str, str]]:
        """Which column of each table columns of gold are, where both of their values say the same."""
        first, second = (self._cuts_with(key, place, reads) for place in (0, 1))
        return {column: own for column, own in first.items() if own == second.get(column)}

    def _cuts_with(
        self, key: Sequence[KeyColumn], place: int, reads: Counter[tuple[str, str]]
    ) -> dict[str, dict[str, str]]:
        """The same with one of the values; only those that cut all. None does, where the plan reads something else than
        without a condition: the engine saw that a part gives nothing for this value, and for another it may.
        """
        given = {column.name: f"CAST({literal(column.two[place])} AS {column.type})" for column in key}
        scans, found = self._scans(" AND ".join(f"o.{quoted(name)} = {value}" for name, value in given.items()))
        if found != reads:
            return {}
        cuts: dict[str, dict[str, str]] = {}
        for column in key:
            own: dict[str, str] = {}
            for name, keys in self._changed.items():
                for other in keys:
                    told = self._condition(name, other, column.type, given[column.name])
                    if told and scans[name] and all(told in scan for scan in scans[name]):
                        own[name] = other
                        break
            if own.keys() == self._changed.keys():
                cuts[column.name] = own
        return cuts

    def _condition(self, name: str, column: str, kind: str, value: str) -> str:
        """How the engine writes that a column has a value; empty where the column is of another type."""
        if self._types[name].get(column) != kind:
            return ""
        select = f"SELECT t.{quoted(column)} FROM {quoted_name(name)} AS t WHERE t.{quoted(column)} = {value}"
        filters = [node.get("extra_info", {}).get("Filters", "") for node in plan_of(self._conn, select)]
        return next((text for text in filters if isinstance(text, str) and text), "")


def _of_part(conn: duckdb.DuckDBPyConnection, tree: Any, of_tables: Mapping[str, Sequence[str]]) -> str:
    tree = copy.deepcopy(tree)
    for node in reads_in(tree):
        name = table_read(node)
        if name in of_tables:
            on = " AND ".join(f"t.{quoted(column)} = v.p{n}" for n, column in enumerate(of_tables[name]))
            read_instead(
                conn, node, f"SELECT t.* FROM {quoted_name(name)} AS t SEMI JOIN temp.changed_value AS v ON {on}"
            )
    return text_of(conn, tree)

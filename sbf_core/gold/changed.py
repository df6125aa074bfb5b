"""Which keys of the tables that a gold table reads may have changed since it was built.

Each silver row says which payload it came from, in ``_bronze_file_id``. So the keys that changed are those of rows,
current or superseded, of the payloads that were promoted since. That these are all is counted: the ledger says how
many rows were written since then, and as many must be found; else the gold table is computed whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import attrs
import duckdb

from sbf_core.dataset.fingerprint import columns_as_made
from sbf_core.duck.identifiers import quoted
from sbf_core.duck.planner import planner
from sbf_core.gold.declared import read_before
from sbf_core.gold.model import GoldModel
from sbf_core.gold.partition import Parts, find_parts, key_columns
from sbf_core.gold.sql_tree import reads_in, table_read, tree_of
from sbf_core.gold.tables import columns_of, number, quoted_name
from sbf_core.ops.made_tables import made_tables
from sbf_core.ops.queries import list_promoted_since
from sbf_core.value import Value

#: A smaller table is computed whole: to see what can be left out takes as long.
ROWS_MIN = 100_000
#: Where more of the table than this has changed, it is computed whole.
SHARE_MAX = 0.25
_SILVER = "silver."


@attrs.frozen(kw_only=True)
class Changes(Value):
    """The part of a gold table that has to be computed.

    Attributes:
        select: gives the rows of that part as they are now.
        condition: whether a row of the gold table, called ``t``, belongs to it.
        columns: columns of the key that say so.
        changed: the tables that changed, also those that only a test reads.
    """

    select: str
    condition: str
    columns: tuple[str, ...]
    changed: frozenset[str]


@attrs.frozen(kw_only=True)
class Rebuilt(Value):
    """A gold table that was built before in the same run.

    Attributes:
        version: of the table before it was.
        keys: the temporary table of the keys that changed.
    """

    version: str
    keys: str


def find_changes(
    conn: duckdb.DuckDBPyConnection,
    model: GoldModel,
    *,
    inputs: str | None,
    versions: Mapping[str, str],
    built: Mapping[str, Rebuilt],
) -> Changes | None:
    """The part of a gold table that has to be computed; None where that is all of it, or nobody can tell. Makes the
    temporary table ``changed_value``.

    Args:
        conn: in the transaction that builds the table.
        model: the table.
        inputs: what is kept with the table, of its last build.
        versions: of what it reads, as they are now.
        built: gold tables that were built before in this run.
    """
    before = read_before(inputs, model)
    table = f"gold.{quoted(model.name)}"
    if before is None or before.keys() != versions.keys() or not _is_large(conn, table):
        return None
    changed = frozenset(name for name, version in versions.items() if before[name] != version)
    read = {table_read(node) for node in reads_in(tree_of(conn, model.body_sql))}
    keys = _keys(conn, changed & read, before, built)
    if not keys:
        return None
    columns = {name: columns_of(conn, quoted_name(name)) for name in read}
    with planner(columns) as planning:
        parts = find_parts(planning, model.body_sql, key=key_columns(conn, table, model.key), changed=keys)
    if parts is None or not _list_values(conn, parts, before, versions, built):
        return None
    condition = (
        "EXISTS (FROM temp.changed_value AS v WHERE "
        + " AND ".join(f"v.p{n} = t.{quoted(column)}" for n, column in enumerate(parts.columns))
        + ")"
    )
    if not _is_small(conn, table, condition):
        return None
    select = f"SELECT t.* FROM ({model.with_surrogate_key(parts.select)}) AS t WHERE {condition}"
    return Changes(select=select, condition=condition, columns=parts.columns, changed=changed)


def _is_large(conn: duckdb.DuckDBPyConnection, table: str) -> bool:
    return number(conn, f"SELECT count(*) FROM {table}") >= ROWS_MIN


def _is_small(conn: duckdb.DuckDBPyConnection, table: str, condition: str) -> bool:
    """Whether the part is one that is worth it."""
    part = number(conn, f"SELECT count(*) FROM {table} AS t WHERE {condition}")
    return part <= SHARE_MAX * number(conn, f"SELECT count(*) FROM {table}")


def _keys(
    conn: duckdb.DuckDBPyConnection, changed: Iterable[str], before: Mapping[str, str], built: Mapping[str, Rebuilt]
) -> dict[str, tuple[str, ...]]:
    """The key of each table that changed; empty where one is no table of current rows, nor one that was built in this
    run from the state that was read before.
    """
    made = made_tables(conn)
    keys: dict[str, tuple[str, ...]] = {}
    for name in changed:
        table = made.get(name.removeprefix(_SILVER)) if name.startswith(_SILVER) else None
        if table is not None:
            keys[name] = tuple(column.name for column in columns_as_made(table.text) if column.key)
        elif name in built and built[name].version == before[name]:
            keys[name] = tuple(column for column, _ in columns_of(conn, f"temp.{quoted(built[name].keys)}"))
        else:
            return {}
    return keys


def _list_values(
    conn: duckdb.DuckDBPyConnection,
    parts: Parts,
    before: Mapping[str, str],
    versions: Mapping[str, str],
    built: Mapping[str, Rebuilt],
) -> bool:
    """Make the temporary table ``changed_value``: what stands in the columns of the parts that changed. Whether that is
    all.
    """
    selects = []
    for name, columns in parts.of_tables.items():
        values = ", ".join(f"t.{quoted(column)} AS p{n}" for n, column in enumerate(columns))
        if name in built:
            selects.append(f"SELECT {values} FROM temp.{quoted(built[name].keys)} AS t")
            continue
        table = name.removeprefix(_SILVER)
        written = list_promoted_since(conn, table, version=before[name], now=versions[name])
        of_payloads = [
            f"silver.{quoted(each)} AS t SEMI JOIN temp.promoted_since AS p ON t._bronze_file_id = p.bronze_file_id"
            for each in (table, f"{table}_history")
        ]
        conn.execute(
            f"CREATE OR REPLACE TEMP TABLE {quoted(f'changed {table}')} AS "
            + " UNION ALL ".join(f"SELECT {values} FROM {rows}" for rows in of_payloads)
        )
        if written is None or number(conn, f"SELECT count(*) FROM temp.{quoted(f'changed {table}')}") != written:
            return False
        selects.append(f"SELECT t.* FROM temp.{quoted(f'changed {table}')} AS t")
    conn.execute(f"CREATE OR REPLACE TEMP TABLE changed_value AS {' UNION '.join(selects)}")
    return True

"""The delta: what changes in silver when the temporary table ``stage`` is taken in.

Names of declared columns begin with a letter. What stands beside them in a table is called ``_x``, or is a column of
the core, which nobody may
declare; each column has its table before it, so that none can be taken for another.

``stage`` holds the columns of the silver table and ``_context`` (the row belongs to a payload that was promoted
before), ``_reason`` (why it is rejected) and ``_outcome`` (``unchanged`` for a copy inside its payload). Rows where
the last two are NULL are live. Each function works inside the caller's transaction.

A key with one live row takes the fast way: it is compared with the current row. A key with several, or with one
that was published before the current row, takes the way of the chain: all its versions are put in order of
``known_from``, and only what differs from its predecessor is kept.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import attrs
import duckdb

from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.duck.identifiers import differs, matches, quoted, quoted_list
from sbf_core.silver.tables import current_table, history_table, row_columns, value_columns
from sbf_core.value import Value


def live(table: str) -> str:
    """The condition that a row of ``stage``, which the statement calls ``table``, is neither rejected nor a copy."""
    return f"{table}._reason IS NULL AND {table}._outcome IS NULL"


def row_number(conn: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry) -> str:
    """The column of ``stage`` that numbers its rows in the order of the payloads.

    That is the engine's own ``rowid``, which costs nothing, but is hidden by a declared column of that name: then
    ``stage`` gets ``_n``. Numbering all
    rows while they are read would keep the second core out of it (4 million rows: 1.6 s in place of 0.5).
    """
    if "rowid" not in entry.column_types:
        return "rowid"
    if all(row[0] != "_n" for row in conn.execute("DESCRIBE stage").fetchall()):
        conn.execute("CREATE OR REPLACE TEMP TABLE stage AS SELECT s.*, row_number() OVER () AS _n FROM stage AS s")
    return "_n"


def _keys_of(entry: DatasetKeymapEntry, table: str) -> str:
    return f"SELECT {quoted_list(entry.key_columns, prefix=f'{table}.')}"


def _count(conn: duckdb.DuckDBPyConnection, sql: str) -> int:
    row = conn.execute(sql).fetchone()
    assert row is not None
    return int(row[0])


def is_empty(conn: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry) -> bool:
    """Whether silver holds no row of the dataset, neither current nor superseded."""
    return not _count(
        conn,
        f"SELECT count(*) FROM ((SELECT 1 FROM {current_table(entry)} LIMIT 1) UNION ALL (SELECT 1 FROM "
        f"{history_table(entry)} LIMIT 1))",
    )


@attrs.frozen(kw_only=True)
class Merged(Value):
    """What taking rows in came to.

    Attributes:
        is_known: a key was known before.
        written: by payload, and whether it took the place of another row, how many rows silver has gained; None: each
            live row of ``stage`` is a new one.
    """

    is_known: bool = False
    written: Mapping[tuple[str, bool], int] | None = None


def merge(conn: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry, *, unique: bool) -> Merged:
    """Take the live rows of ``stage`` in. Writes silver.<t> and silver.<t>_history.

    Args:
        conn: inside a transaction.
        entry: the dataset.
        unique: no key has two live rows in ``stage``.
    """
    keys = quoted_list(entry.key_columns)
    touched = 0
    if not is_empty(conn, entry):
        known = (
            f"{_keys_of(entry, 't')} FROM {current_table(entry)} AS t UNION ALL {_keys_of(entry, 'h')} FROM "
            f"{history_table(entry)} AS h WHERE h._deleted"
        )
        touched = _count(
            conn, f"SELECT count(*) FROM stage AS s SEMI JOIN ({known}) AS k USING ({keys}) WHERE {live('s')}"
        )
    if unique and not touched:
        _insert_all(conn, entry)
        return Merged()
    has_chains = _make_delta(conn, entry, unique=unique)
    written = _write_delta(conn, entry)
    if has_chains:
        written += _write_chains(conn, entry)
    return Merged(is_known=touched > 0, written=written)


def _counted(conn: duckdb.DuckDBPyConnection, select: str) -> Counter[tuple[str, bool]]:
    """What a SELECT says was written: payload, whether it took the place of another row, how many rows."""
    return Counter({(file_id, is_update): number for file_id, is_update, number in conn.execute(select).fetchall()})


def _insert_all(conn: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry) -> None:
    columns = row_columns(entry)
    conn.execute(
        f"INSERT INTO {current_table(entry)} ({quoted_list(columns)}) SELECT {quoted_list(columns, prefix='s.')} FROM "
        f"stage AS s WHERE {live('s')}"
    )


def _make_delta(conn: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry, *, unique: bool) -> bool:
    """``delta``: live rows of single keys that are new or differ, with the current row's ``known_from`` beside. All
    other keys that matter are in ``chain_key``; whether there are any.
    """
    keys, single = entry.key_columns, "stage"
    if not unique:
        conn.execute(
            f"CREATE OR REPLACE TEMP TABLE chain_key AS {_keys_of(entry, 's')} FROM stage AS s WHERE {live('s')} "
            "GROUP BY ALL HAVING count(*) > 1"
        )
        single = f"(FROM stage ANTI JOIN chain_key USING ({quoted_list(keys)}))"
    columns = quoted_list(row_columns(entry), prefix="s.")
    changed = differs(value_columns(entry), "s", "t")
    # an equal value matters too where it comes before the current one in the order of a chain, or where the vendor
    # states a version of its own
    order = ("s.recorded_at < t.recorded_at", "s.recorded_at = t.recorded_at", "s._bronze_file_id < t._bronze_file_id")
    earlier = f"{order[0]} OR ({order[1]} AND {order[2]})"
    if entry.cut_column is not None:
        of_stage, of_current = _cut_last(entry, "s"), _cut_last(entry, "t")
        earlier = f"({of_stage}) < ({of_current}) OR (({of_stage}) = ({of_current}) AND ({earlier}))"
    stated = f"(s.known_from < t.known_from OR (s.known_from > t.known_from AND {_is_stated(entry, 's')}))"
    changed = f"({changed} OR {stated} OR (s.known_from = t.known_from AND ({earlier})))"
    conn.execute(
        f"CREATE OR REPLACE TEMP TABLE delta AS SELECT {columns}, t.known_from AS _old_known_from FROM "
        f"{single} AS s LEFT JOIN {current_table(entry)} AS t ON {matches(keys, 's', 't')} "
        f"WHERE {live('s')} AND (t.known_from IS NULL OR {changed})"
    )
    return _move_late_keys(conn, entry, unique=unique)


def _is_stated(entry: DatasetKeymapEntry, table: str) -> str:
    """The condition that the vendor says when a row was published, so that it is a version although its values are
    those of the one before; of a row that was cut it says only that they held by then.
    """
    if entry.known_from_column is None:
        return "false"
    return f"{table}.{quoted(entry.known_from_column)} IS NOT NULL" if entry.cut_column is not None else "true"


def _cut_last(entry: DatasetKeymapEntry, table: str) -> str:
    """What comes between rows of one moment: one that says when it was published goes before one that was cut."""
    cut = entry.cut_column
    return f"{table}.{quoted(cut.name)} IS NULL" if cut is not None else "false"


def _move_late_keys(conn: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry, *, unique: bool) -> bool:
    """Keys whose row was not published after the current one, or before they were deleted, take the way of the chain.
    Returns whether any key does.
    """
    late = (
        f"{_keys_of(entry, 'd')} FROM delta AS d WHERE d._old_known_from >= d.known_from UNION "
        f"{_keys_of(entry, 'd')} FROM delta AS d JOIN {history_table(entry)} AS h ON "
        f"{matches(entry.key_columns, 'd', 'h')} WHERE d._old_known_from IS NULL"
    )
    if unique:
        if not _count(conn, f"SELECT count(*) FROM ({late})"):  # nearly always
            return False
        conn.execute(f"CREATE OR REPLACE TEMP TABLE chain_key AS {late}")
    else:
        conn.execute(f"INSERT INTO chain_key {late}")
    conn.execute(f"DELETE FROM delta AS d USING chain_key AS c WHERE {matches(entry.key_columns, 'd', 'c')}")
    return _count(conn, "SELECT count(*) FROM chain_key") > 0


def _write_delta(conn: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry) -> Counter[tuple[str, bool]]:
    columns = quoted_list(row_columns(entry))
    current, history = current_table(entry), history_table(entry)
    on = matches(entry.key_columns, "t", "d")
    written = _counted(
        conn, "SELECT d._bronze_file_id, d._old_known_from IS NOT NULL, count(*) FROM delta AS d GROUP BY ALL"
    )
    if any(is_update for _, is_update in written):
        conn.execute(
            f"INSERT INTO {history} ({columns}, known_to, _deleted) SELECT "
            f"{quoted_list(row_columns(entry), prefix='t.')}, d.known_from, false "
            f"FROM {current} AS t JOIN delta AS d ON {on} WHERE d._old_known_from IS NOT NULL"
        )
        conn.execute(f"DELETE FROM {current} AS t USING delta AS d WHERE {on} AND d._old_known_from IS NOT NULL")
    if written:
        conn.execute(
            f"INSERT INTO {current} ({columns}) SELECT {quoted_list(row_columns(entry), prefix='d.')} FROM delta AS d"
        )
    return written


def _write_chains(conn: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry) -> Counter[tuple[str, bool]]:
    """Put all versions of the keys in ``chain_key`` in order and write back the keys that gained one."""
    names = row_columns(entry)
    columns, of_stage, of_current, of_history, of_chain = (
        quoted_list(names, prefix=prefix) for prefix in ("", "s.", "t.", "h.", "c.")
    )
    keys = quoted_list(entry.key_columns)
    current, history = current_table(entry), history_table(entry)
    same = f"NOT {differs([*value_columns(entry), '_deleted'], 'v', 'p')}"
    if entry.known_from_column:
        same = f"({same} AND (v.known_from = p.known_from OR NOT {_is_stated(entry, 'v')}))"
    cut_last = f"{_cut_last(entry, 'v')} AND NOT v._deleted, " if entry.cut_column is not None else ""
    conn.execute(
        "CREATE OR REPLACE TEMP TABLE version AS SELECT v.*, row_number() OVER (PARTITION BY "
        f"{quoted_list(entry.key_columns, prefix='v.')} "
        f"ORDER BY v.known_from, {cut_last}v.recorded_at, v._bronze_file_id) AS _place FROM ("
        f"SELECT {of_current}, false AS _deleted, false AS _fresh, false AS _context FROM {current} AS t SEMI JOIN "
        f"chain_key AS k USING ({keys}) "
        f"UNION ALL SELECT {of_history}, h._deleted, false, false FROM {history} AS h SEMI JOIN chain_key AS k USING "
        f"({keys}) "
        f"UNION ALL SELECT {of_stage}, false, true, s._context FROM stage AS s SEMI JOIN chain_key AS k USING ({keys}) "
        f"WHERE {live('s')}) AS v"
    )
    # a version that says what its predecessor says is none; so the outcome does not depend on the order of arrival
    conn.execute(
        "CREATE OR REPLACE TEMP TABLE kept AS SELECT v.*, p.known_from IS NOT NULL AS _is_update FROM version AS v "
        f"LEFT JOIN version AS p ON {matches(entry.key_columns, 'v', 'p')} AND p._place = v._place - 1 "
        f"WHERE p.known_from IS NULL OR NOT {same}"
    )
    conn.execute(
        f"CREATE OR REPLACE TEMP TABLE changed_key AS {_keys_of(entry, 'v')} FROM kept AS v WHERE v._fresh GROUP BY ALL"
    )
    conn.execute(
        f"CREATE OR REPLACE TEMP TABLE chain AS SELECT v.*, lead(v.known_from) OVER (PARTITION BY "
        f"{quoted_list(entry.key_columns, prefix='v.')} "
        f"ORDER BY v._place) AS known_to FROM kept AS v SEMI JOIN changed_key AS k USING ({keys})"
    )
    for table in (current, history):
        conn.execute(f"DELETE FROM {table} AS t USING changed_key AS c WHERE {matches(entry.key_columns, 't', 'c')}")
    conn.execute(
        f"INSERT INTO {current} ({columns}) SELECT {of_chain} FROM chain AS c WHERE c.known_to IS NULL AND NOT "
        f"c._deleted"
    )
    conn.execute(
        f"INSERT INTO {history} ({columns}, known_to, _deleted) "
        f"SELECT {of_chain}, c.known_to, c._deleted FROM chain AS c WHERE c.known_to IS NOT NULL OR c._deleted"
    )
    return _counted(
        conn,
        "SELECT v._bronze_file_id, v._is_update, count(*) FROM kept AS v WHERE v._fresh AND NOT v._deleted AND NOT "
        "v._context GROUP BY ALL",
    )

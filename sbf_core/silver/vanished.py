"""Rows that an answer does not list although it speaks about them: what a vendor withdrew.

A snapshot speaks about all rows of its scope. With ``answers="whole"`` an answer speaks about the days that it was
asked for, of its ticker. Such rows are closed: they stay in history, and are current no more.
"""

from __future__ import annotations

from collections.abc import Collection

import duckdb

from sbf_core.counted import counted
from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.duck.identifiers import literal, literal_list, matches, quoted, quoted_list
from sbf_core.silver.tables import current_table, history_table, row_columns
from sbf_core.vocabulary import Semantics

#: Of a shorter list half may well go.
_SHRINK_ROWS_MIN = 20


def list_answers(
    conn: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry, *, without: Collection[str], are_empty: bool = False
) -> None:
    """Make the temporary table ``answer``: the answers of the batch that are wholly there, with what they speak about.

    Its columns are those of ``batch_file`` for the last payload of an answer (bronze_file_id, run_id, ticker,
    from_date, to_date, fetched_at), and ``file_ids``, those of all its payloads. Only an answer that brought a row is
    in it: nobody closes a table because a vendor has a bad day.

    Args:
        conn: with the batch in ``stage`` and ``batch_file``.
        entry: the dataset.
        without: ids of payloads that are not taken in.
        are_empty: list those that brought no row instead.
    """
    taken = "s._reason IS NULL AND s._outcome IS NULL"
    brought = f"SELECT DISTINCT CAST(s._bronze_file_id AS VARCHAR) AS id FROM stage AS s WHERE {taken}"
    out = f"list_contains(CAST({literal_list(sorted(without))} AS VARCHAR[]), b.bronze_file_id)"
    conn.execute(
        "CREATE OR REPLACE TEMP TABLE answer AS SELECT max_by(b.bronze_file_id, b.part) AS bronze_file_id, b.run_id, "
        "b.ticker, b.from_date, b.to_date, max(b.fetched_at) AS fetched_at, list(b.bronze_file_id) AS file_ids "
        f"FROM batch_file AS b LEFT JOIN ({brought}) AS x ON x.id = b.bronze_file_id WHERE NOT b.is_context "
        "GROUP BY b.run_id, b.ticker, b.from_date, b.to_date, b.parts, CASE WHEN b.parts = 0 THEN b.bronze_file_id END "
        f"HAVING count(*) = greatest(b.parts, 1) AND count(x.id) {'= 0' if are_empty else '> 0'} AND NOT bool_or({out})"
    )


def _answered_rows(conn: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry, rows: str) -> str:
    """FROM and its joins: the rows ``t`` of a relation of current rows that an answer ``a`` speaks about."""
    row = conn.execute("SELECT bool_or(a.ticker IS NULL), bool_or(a.ticker IS NOT NULL) FROM answer AS a").fetchone()
    assert row is not None
    is_of_all, is_of_ticker = row
    sql, condition = f"FROM {rows} AS t ", "true"
    if is_of_ticker:
        same = f"list_contains({literal_list(entry.payload_ids)}, dataset_id)"
        payload = f"SELECT bronze_file_id, ticker FROM ops.bronze_manifest WHERE {same}"
        sql += f"JOIN ({payload}) AS m ON t._bronze_file_id = m.bronze_file_id "
        condition = "(a.ticker IS NULL OR m.ticker = a.ticker)" if is_of_all else "m.ticker = a.ticker"
    if entry.semantics is not Semantics.SNAPSHOT:
        condition += f" AND {_day(entry)} BETWEEN a.from_date AND a.to_date"
    return f"{sql}JOIN answer AS a ON {condition}"


def _day(entry: DatasetKeymapEntry) -> str:
    """The day of a current row in the vendor's zone."""
    column = next(column for column in entry.columns if column.row_date)
    value = f"t.{quoted(column.name)}"
    if column.type == "DATE":
        return value
    return f"CAST(timezone({literal(entry.day_zone)}, timezone('UTC', CAST({value} AS TIMESTAMP))) AS DATE)"


def _not_listed(entry: DatasetKeymapEntry, condition: str = "true") -> str:
    """A relation of the current rows whose key no row of the batch has."""
    listed = f"SELECT {quoted_list(entry.key_columns, prefix='s.')} FROM stage AS s WHERE {condition}"
    keys = quoted_list(entry.key_columns)
    return f"(SELECT c.* FROM {current_table(entry)} AS c ANTI JOIN ({listed}) AS k USING ({keys}))"


def shrunk_answers(conn: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry) -> dict[str, str]:
    """Why answers in ``answer`` have lost too much to be believed, by the id of each of their payloads: a vendor that
    sends part of a list would close the rest of it.
    """
    count = "SELECT a.bronze_file_id AS id, count(*) AS n {} GROUP BY a.bronze_file_id"
    before = count.format(_answered_rows(conn, entry, current_table(entry)))
    gone = count.format(_answered_rows(conn, entry, _not_listed(entry, "s._reason IS NULL")))
    rows = conn.execute(
        f"SELECT a.file_ids, b.n, g.n FROM answer AS a JOIN ({before}) AS b ON b.id = a.bronze_file_id "
        f"JOIN ({gone}) AS g ON g.id = b.id WHERE b.n >= {_SHRINK_ROWS_MIN} AND g.n > ? * b.n",
        [entry.shrink_share_max],
    ).fetchall()
    return {
        file_id: _shrunk(before, gone, entry.shrink_share_max)
        for file_ids, before, gone in rows
        for file_id in file_ids
    }


def _shrunk(before: int, gone: int, allowed: float) -> str:
    share = f"{gone / before:.1%}, {allowed:.1%} are allowed"
    verb = "is" if gone == 1 else "are"
    return f"{gone:,} of {counted(before, 'row')} {verb} gone ({share}); if that is right, declare shrink_share_max"


def find_vanished(conn: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry) -> int:
    """Make the temporary table ``vanished``: the current rows that an answer in ``answer`` speaks about and does not
    list, with its columns as ``_by``, ``_in`` and ``_at``. Returns how many.

    Rejected rows count as listed: a row that could not be read has not vanished.
    """
    conn.execute(
        "CREATE OR REPLACE TEMP TABLE vanished AS SELECT t.*, a.bronze_file_id AS _by, a.run_id AS _in, "
        f"a.fetched_at AS _at {_answered_rows(conn, entry, _not_listed(entry))}"
    )
    row = conn.execute("SELECT count(*) FROM vanished").fetchone()
    assert row is not None
    return int(row[0])


def close_vanished(conn: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry) -> None:
    """Close the rows in ``vanished``. Writes silver.<t> and silver.<t>_history in the caller's transaction."""
    columns = row_columns(entry)
    current, history = current_table(entry), history_table(entry)
    names = quoted_list(columns)
    conn.execute(
        f"INSERT INTO {history} ({names}, known_to, _deleted) "
        f"SELECT {quoted_list(columns, prefix='v.')}, v._at, false FROM vanished AS v"
    )
    nothing = ", ".join(
        f"v.{quoted(name)}" if name in entry.key_columns else f"CAST(NULL AS {sql_type}) AS {quoted(name)}"
        for name, sql_type in entry.column_types.items()
    )
    conn.execute(
        f"INSERT INTO {history} ({names}, known_to, _deleted) "
        f"SELECT {nothing}, v._by, v._in, v._at, v._at, NULL, true FROM vanished AS v"
    )
    conn.execute(f"DELETE FROM {current} AS t USING vanished AS v WHERE {matches(entry.key_columns, 't', 'v')}")


def note_of_vanished(conn: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry) -> str:
    """What a user should know of rows in ``vanished`` that stay current."""
    what, first = _counted(conn, entry)
    return (
        f"{what} of days that were asked for did not come again ({first}), and stay as they are; declare "
        'answers="whole" if the vendor withdrew them, or answers="changes" if answers hold changes alone'
    )


def note_of_empty(
    conn: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry, *, without: Collection[str]
) -> str | None:
    """What a user should know where an answer brought no row although there are some that it speaks about: they stay.

    Args:
        conn: as for ``list_answers``, whose table this one takes.
        entry: the dataset; it closes rows.
        without: ids of payloads that are not taken in.
    """
    list_answers(conn, entry, without=without, are_empty=True)
    if conn.execute("SELECT 1 FROM answer LIMIT 1").fetchone() is None or not find_vanished(conn, entry):
        return None
    what, first = _counted(conn, entry)
    return f"an answer without any row closes nothing: {what} that it speaks about ({first}) stay as they are"


def _counted(conn: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry) -> tuple[str, str]:
    """How many keys are in ``vanished``, and the first of them."""
    keys = quoted_list(entry.key_columns, prefix="v.")
    distinct = f"SELECT DISTINCT {keys} FROM vanished AS v"
    rows = conn.execute(f"SELECT *, count(*) OVER () FROM ({distinct}) ORDER BY ALL LIMIT 1").fetchall()
    *values, count = rows[0]
    first = ", ".join(f"{name} {value}" for name, value in zip(entry.key_columns, values, strict=True))
    return counted(count, "row"), first

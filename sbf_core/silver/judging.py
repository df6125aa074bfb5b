"""What is said of the rows in the temporary table ``stage`` before they are taken in: which count once, which are
rejected, which payloads are refused.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping

import duckdb

from sbf_core.counted import counted
from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.duck.identifiers import differs, literal, matches, quoted, quoted_list
from sbf_core.failures import Failure, FailureKind
from sbf_core.shell_words import typed
from sbf_core.silver.merge import is_empty, live, row_number
from sbf_core.silver.tables import current_table, value_columns
from sbf_core.silver.vanished import list_answers, shrunk_answers
from sbf_core.vocabulary import OnDuplicate

#: Where days are told by bits: of fewer rows it saves nothing, and so many days, and bits in all, are not held.
_DAYS_ROWS_MIN, _DAYS_MAX, _DAYS_BITS_MAX = 50_000, 100_000, 1 << 28


def number_of(conn: duckdb.DuckDBPyConnection, sql: str) -> int:
    """The one number that a query gives."""
    row = conn.execute(sql).fetchone()
    assert row is not None
    return int(row[0])


def settle_duplicates(conn: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry) -> bool:
    """Settle keys that one payload states twice: equal rows count once, others by the declared rule. Returns whether
    there are any.
    """
    scope = ["_bronze_file_id", *entry.key_columns, *(["known_from"] if entry.known_from_column else [])]
    by, of_stage = quoted_list(scope), quoted_list(scope, prefix="s.")
    conn.execute(
        f"CREATE OR REPLACE TEMP TABLE twice AS SELECT {of_stage} FROM stage AS s WHERE {live('s')} GROUP BY ALL "
        f"HAVING count(*) > 1"
    )
    if not number_of(conn, "SELECT count(*) FROM twice"):
        return False
    values = value_columns(entry)
    number = row_number(conn, entry)
    order = f"s.{number} {'DESC' if entry.on_duplicate is OnDuplicate.LAST else 'ASC'}"
    firsts = ", ".join(f"first(s.{quoted(name)} ORDER BY {order}) AS {quoted(name)}" for name in values) or "1"
    conn.execute(
        f"CREATE OR REPLACE TEMP TABLE judged AS SELECT s.{number} AS id, row_number() OVER (PARTITION BY {of_stage} "
        f"ORDER BY {order}) AS place, "
        f"{differs(values, 's', 'f')} AS is_other FROM stage AS s JOIN "
        f"(SELECT {of_stage}, {firsts} FROM stage AS s SEMI JOIN twice AS w USING ({by}) WHERE {live('s')} GROUP BY "
        f"{of_stage}) AS f "
        f"ON {matches(scope, 's', 'f')} WHERE {live('s')}"
    )
    conn.execute(
        f"UPDATE stage SET _outcome = 'unchanged' FROM judged AS j WHERE stage.{number} = j.id AND j.place > 1 AND NOT "
        f"j.is_other"
    )
    conflict = (
        f"SELECT {of_stage} FROM stage AS s SEMI JOIN (SELECT o.id FROM judged AS o WHERE o.is_other) AS j ON "
        f"s.{number} = j.id"
    )
    reason = f"_reason = 'duplicate_key', _row = {row_json(entry, 'stage')}"
    if entry.on_duplicate is OnDuplicate.REJECT:
        conn.execute(f"CREATE OR REPLACE TEMP TABLE conflict AS {conflict} GROUP BY ALL")
        conn.execute(
            f"UPDATE stage SET {reason}, _outcome = NULL FROM conflict AS c WHERE {matches(scope, 'stage', 'c')} AND "
            f"stage._reason IS NULL"
        )
    else:
        conn.execute(f"UPDATE stage SET {reason} FROM judged AS j WHERE stage.{number} = j.id AND j.is_other")
    return True


def refuse_payloads(
    conn: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry, *, without: Collection[str], are_rejects: bool
) -> dict[str, Failure]:
    """Payloads with too large a share of rejects, and those that would close too much, are refused whole: each of their
    rows becomes a reject.

    Args:
        conn: with a batch in ``stage``.
        entry: its dataset.
        without: ids of payloads that are not taken in already.
        are_rejects: there may be rejects.

    Returns:
        Why payloads are refused, by id.
    """
    refused: dict[str, Failure] = {}
    if are_rejects and number_of(conn, "SELECT count(*) FROM stage AS s WHERE s._reason IS NOT NULL"):  # nearly never
        fix = f"see `sbf rejects {typed(entry.id)}`, and declare what is missing, or reject_share_max"
        refused = _failures(FailureKind.REJECTS, _too_many_rejects(conn, entry), fix=fix)
        refused |= _failures(FailureKind.PAYLOAD, _unsure(conn, entry))
    if entry.closes_rows:
        list_answers(conn, entry, without={*without, *refused})
        refused |= _failures(FailureKind.SHRUNK, shrunk_answers(conn, entry))
    if refused:
        ids = ", ".join(literal(file_id) for file_id in refused)
        conn.execute(
            f"UPDATE stage SET _reason = coalesce(stage._reason, 'file_refused'), _outcome = NULL, _row = "
            f"coalesce(stage._row, {row_json(entry, 'stage')}) "
            f"WHERE stage._bronze_file_id IN ({ids}) AND NOT stage._context"
        )
    return refused


def _failures(kind: FailureKind, texts: Mapping[str, str], *, fix: str = "") -> dict[str, Failure]:
    return {file_id: Failure(kind=kind, what=text, fix=fix) for file_id, text in texts.items()}


def _too_many_rejects(conn: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry) -> dict[str, str]:
    """Payloads with too large a share of rejects."""
    share = entry.reject_share_max
    rows = conn.execute(
        "SELECT _bronze_file_id, sum(n) FILTER (_reason IS NOT NULL) AS bad, sum(n) AS seen, "
        "(max({'n': n, 'reason': _reason}) FILTER (_reason IS NOT NULL)).reason FROM ("
        "SELECT s._bronze_file_id, s._reason, count(*) AS n FROM stage AS s WHERE NOT s._context GROUP BY ALL) "
        "GROUP BY 1 HAVING bad > ? * seen",
        [share],
    ).fetchall()
    return {
        file_id: f"{bad:,} of {counted(seen, 'row')} rejected "
        f"({bad / seen:.1%}, {share:.1%} are allowed), mostly {reason}"
        for file_id, bad, seen, reason in rows
    }


def _unsure(conn: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry) -> dict[str, str]:
    """Payloads in which one row casts doubt on the others: numbers in another notation; where rows are closed, rows of
    which nobody knows the key.
    """
    reasons: dict[str, str] = {}
    marked = (
        "SELECT s._bronze_file_id, any_value(s._reason), any_value(s._row) FROM stage AS s WHERE NOT s._context AND "
        "starts_with(s._reason, 'decimal_comma:') GROUP BY 1"
    )
    for file_id, reason, row in conn.execute(marked).fetchall():
        column = next(column for column in entry.columns if column.name == reason.partition(":")[2])
        text = json.loads(row).get(column.source_name)
        reasons[file_id] = (
            f"column {column.name} holds {text!r}, so a point in it may be no decimal point; declare "
            f"format=Csv(decimal=',', thousands='.') or as it is"
        )
    if entry.closes_rows:
        lost = " OR ".join(f"s.{quoted(name)} IS NULL" for name in entry.key_columns)
        keyless = (
            f"SELECT s._bronze_file_id, count(*) FROM stage AS s WHERE NOT s._context AND s._reason IS NOT NULL AND "
            f"({lost}) GROUP BY 1"
        )
        for file_id, number in conn.execute(keyless).fetchall():
            reasons.setdefault(
                file_id,
                f"{counted(number, 'row has', 'rows have')} no readable key, so nobody knows what is gone from it",
            )
    return reasons


def keys_twice(conn: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry, *, rows: int) -> int:
    """How many keys have several live rows in the batch, which has so many ``rows`` at most."""
    if rows >= _DAYS_ROWS_MIN and _has_a_day_each(conn, entry):
        return 0
    keys = quoted_list(entry.key_columns, prefix="s.")
    return number_of(
        conn, f"SELECT count(*) FROM (SELECT 1 FROM stage AS s WHERE {live('s')} GROUP BY {keys} HAVING count(*) > 1)"
    )


def _has_a_day_each(conn: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry) -> bool:
    """Whether no two live rows have one key, where that is quickly seen: by a bit for each day of what else is in the
    key. A hash of each key takes eight times as long, and memory by the row.
    """
    days = [column.name for column in entry.columns if column.key and column.type == "DATE"]
    if not days:
        return False
    day, others = f"s.{quoted(days[0])}", [name for name in entry.key_columns if name != days[0]]
    group = quoted_list(others, prefix="s.")
    of_live = f"FROM stage AS s WHERE {live('s')}"
    row = conn.execute(
        f"SELECT count(*), CAST(min({day}) AS VARCHAR), max({day}) - min({day}), "
        f"{f'approx_count_distinct(hash({group}))' if others else 1} {of_live}"
    ).fetchone()
    assert row is not None
    rows, first, last, groups = row
    if rows < _DAYS_ROWS_MIN or last >= _DAYS_MAX or groups * last > _DAYS_BITS_MAX:
        return False
    seen = f"bit_count(bitstring_agg(CAST({day} - DATE {literal(first)} AS INTEGER), 0, {last}))"
    by = f" GROUP BY {group}" if others else ""
    return not number_of(conn, f"SELECT count(*) FROM (SELECT 1 {of_live}{by} HAVING count(*) <> {seen})")


def reject_rewrites(conn: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry, *, unique: bool) -> None:
    """``append``: a key that is there, or came earlier in the batch, with other values is rejected; with equal ones it
    is unchanged. ``unique``: no key has two live rows in the batch.
    """
    keys, values = entry.key_columns, value_columns(entry)
    if unique and is_empty(conn, entry):
        return
    number, names = row_number(conn, entry), [*keys, *values]
    conn.execute(
        f"CREATE OR REPLACE TEMP TABLE written_once AS SELECT w.* FROM ("
        f"SELECT {quoted_list(names, prefix='t.')}, t.recorded_at, -1 AS _id FROM {current_table(entry)} AS t UNION "
        f"ALL "
        f"SELECT {quoted_list(names, prefix='s.')}, s.recorded_at, s.{number} FROM stage AS s WHERE {live('s')}) AS w "
        f"QUALIFY row_number() OVER (PARTITION BY {quoted_list(keys, prefix='w.')} ORDER BY w.recorded_at, w._id) = 1"
    )
    later = f"FROM written_once AS o WHERE {matches(keys, 'stage', 'o')} AND stage.{number} <> o._id"
    conn.execute(
        f"UPDATE stage SET _outcome = 'unchanged' {later} AND {live('stage')} AND NOT {differs(values, 'stage', 'o')}"
    )
    # also of a row that its payload states twice, and that counted as unchanged beside the first one
    conn.execute(
        f"UPDATE stage SET _reason = 'append_only', _outcome = NULL, _row = {row_json(entry, 'stage')} {later} AND "
        f"stage._reason IS NULL AND NOT stage._context AND {differs(values, 'stage', 'o')}"
    )


def row_json(entry: DatasetKeymapEntry, table: str) -> str:
    """SQL for a row of ``stage`` as JSON, under the vendor's names of its fields; of a field that several columns read,
    the others have theirs.
    """
    named: dict[str, str] = {}
    for column in entry.columns:
        names = (column.source_name, column.name, f"{column.source_name} as {column.name}")
        named[next(name for name in names if name not in named)] = column.name
    return (
        "CAST(json_object("
        f"{', '.join(f'{literal(name)}, {table}.{quoted(column)}' for name, column in named.items())}) AS VARCHAR)"
    )

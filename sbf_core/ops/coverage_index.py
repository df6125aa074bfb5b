"""The table ``ops.coverage``: in a row or two a series what years of answers say of its days.

An answer is added in the transaction that promotes it; what it covers, and which of its days were final then, never
changes. Rows are joined once there are more than two a series. Whatever takes an answer back forgets the table: a
dataset of which it says nothing, or something by another rule, is looked up in the manifests as ``coverage`` does it,
and written anew with its next answer.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import duckdb

from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.duck.identifiers import literal, literal_list
from sbf_core.ops.coverage import (
    Stretch,
    Stretches,
    answers,
    final_stretches,
    left_of,
    of_dataset,
    settled_day,
    ticker_of_answer,
)

#: Part of each rule: raise it when ``answers``, or ``settled_day``, finds something else in the same manifests.
_READING = 2
#: Rows are joined once there are more than so many a series.
_ROWS_A_SERIES = 2
_COLUMNS = "dataset_id, ticker, from_date, to_date, final_to, asked_at, bronze_file_id, rule"
_PROMOTED = "SELECT ticker, from_date, to_date, fetched_at AS asked_at, bronze_file_id FROM promoted"
_OF_BATCH = "run_id IN (SELECT p.run_id FROM promoted AS p)"
#: Writes the rows of the temporary table ``answered``, joined.
#: Days between two moments at which something begins or ends are alike.
#: A row begins where days begin to be answered, and where final ones follow others: so its last days at most are
#: not final.
_JOIN = f"""
WITH event AS (
    SELECT dataset_id, rule, ticker, from_date AS day, 1 AS answered, 0 AS final FROM answered
    UNION ALL SELECT dataset_id, rule, ticker, to_date + 1, -1, 0 FROM answered
    UNION ALL SELECT dataset_id, rule, ticker, from_date, 0, 1 FROM answered WHERE final_to >= from_date
    UNION ALL SELECT dataset_id, rule, ticker, final_to + 1, 0, -1 FROM answered WHERE final_to >= from_date
), moment AS (
    SELECT dataset_id, rule, ticker, day, sum(answered) AS answered, sum(final) AS final FROM event GROUP BY ALL
), part AS (
    SELECT dataset_id, rule, ticker, day AS a, lead(day) OVER w - 1 AS z,
        sum(answered) OVER w > 0 AS is_answered, sum(final) OVER w > 0 AS is_final
    FROM moment WINDOW w AS (PARTITION BY dataset_id, rule, ticker ORDER BY day)
), begun AS (
    SELECT *, NOT coalesce(lag(is_answered) OVER w, false) OR (is_final AND NOT lag(is_final) OVER w) AS is_new
    FROM part WINDOW w AS (PARTITION BY dataset_id, rule, ticker ORDER BY a)
), numbered AS (
    SELECT *, count(*) FILTER (is_new) OVER (PARTITION BY dataset_id, rule, ticker ORDER BY a) AS number
    FROM begun WHERE is_answered
), stretch AS (
    SELECT dataset_id, rule, ticker, min(a) AS from_date, max(z) AS to_date, max(z) FILTER (is_final) AS final_to
    FROM numbered GROUP BY dataset_id, rule, ticker, number
)
INSERT INTO ops.coverage ({_COLUMNS})
SELECT s.dataset_id, s.ticker, s.from_date, s.to_date, any_value(s.final_to), max(a.asked_at),
    arg_max(a.bronze_file_id, a.asked_at), s.rule
FROM stretch AS s JOIN answered AS a ON a.dataset_id = s.dataset_id AND a.rule = s.rule
    AND a.ticker IS NOT DISTINCT FROM s.ticker AND a.from_date <= s.to_date AND a.to_date >= s.from_date
GROUP BY s.dataset_id, s.rule, s.ticker, s.from_date, s.to_date ORDER BY ALL
"""


def rule_of(entry: DatasetKeymapEntry) -> str:
    """What decides, beside the manifests, which days of a dataset are final."""
    one = "" if ticker_of_answer(entry) == "ticker" else ", tickers together"
    return f"{_READING}: settled after {float(entry.settle_days)!r} d in {entry.day_zone}{one}"


def known_final(conn: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry) -> Stretches:
    """Per ticker the final days of a dataset, as ``final_stretches`` finds them, in fewer rows."""
    indexed = _indexed(conn, entry)
    return final_stretches(conn, entry) if indexed is None else indexed


def unproven_days(conn: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry) -> Sequence[tuple[str | None, Stretch]]:
    """Days that the table holds final, and no answer says so: they would never be asked for. Ticker and stretch."""
    indexed = _indexed(conn, entry)
    if not indexed:
        return ()
    proven = final_stretches(conn, entry)
    return [
        (ticker, left)
        for ticker, stretches in indexed.items()
        for stretch in stretches
        for left in left_of(stretch, proven.get(ticker, ()))
    ]


def _indexed(conn: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry) -> Stretches | None:
    """Per ticker the final days that the table knows; None where it says nothing, or something by another rule."""
    rows = conn.execute(
        "SELECT ticker, from_date, final_to, rule FROM ops.coverage "
        f"WHERE {of_dataset(entry)} ORDER BY ticker, from_date"
    ).fetchall()
    rule = rule_of(entry)
    if not rows or any(one[3] != rule for one in rows):
        return None
    by_ticker: dict[str | None, list[Stretch]] = {}
    for ticker, first, last, _ in rows:
        if last is None or last < first:
            continue
        stretches = by_ticker.setdefault(ticker, [])
        if stretches and first <= stretches[-1].last + dt.timedelta(days=1):
            stretches[-1] = Stretch(stretches[-1].first, max(stretches[-1].last, last))
        else:
            stretches.append(Stretch(first, last))
    return by_ticker


def cover_promoted(conn: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry) -> None:
    """Add what the payloads in the temporary table ``promoted`` answer.

    Writes ops.coverage in the caller's transaction. Idempotent.
    """
    if not entry.is_asked_by_days:
        return
    outline = conn.execute("SELECT bool_or(status <> 'ok'), bool_or(parts > 0), min(fetched_at) FROM promoted")
    takes_back, in_parts, since = outline.fetchone() or (False, False, None)
    if takes_back or not _is_written(conn, entry):
        _write_anew(conn, entry)
        return
    behind = [run_id for (run_id,) in conn.execute(_unchanged_behind(entry), [since]).fetchall()]
    if in_parts or behind:
        _add(conn, entry, answers(entry, of=f"({_OF_BATCH} OR list_contains({literal_list(behind)}, run_id))"))
    else:
        _add(conn, entry, _PROMOTED)


def _unchanged_behind(entry: DatasetKeymapEntry) -> str:
    """A SELECT of the runs whose answers count now that what came before them is promoted: it had not changed."""
    return (
        "SELECT DISTINCT f.run_id FROM ops.file_ingestions AS f JOIN "
        "(SELECT ticker, min(fetched_at) AS since FROM promoted GROUP BY ticker) AS p "
        "ON p.ticker IS NOT DISTINCT FROM f.ticker AND f.started_at >= p.since "
        f"WHERE f.kind = 'file' AND f.status = 'unchanged' AND f.started_at >= ? AND {of_dataset(entry)}"
    )


def cover_without_payload(conn: duckdb.DuckDBPyConnection, entries: Sequence[DatasetKeymapEntry], run_id: str) -> None:
    """Add the answers of a run that brought no payload. Writes ops.coverage. Idempotent."""
    rows = conn.execute(
        "SELECT DISTINCT dataset_id FROM ops.file_ingestions "
        "WHERE run_id = ? AND kind = 'file' AND status IN ('unchanged', 'none')",
        [run_id],
    ).fetchall()
    told = {name for (name,) in rows}
    for entry in entries:
        if entry.is_asked_by_days and entry.id in told:
            if _is_written(conn, entry):
                _add(conn, entry, answers(entry, of=f"run_id = {literal(run_id)}"))
            else:
                _write_anew(conn, entry)


def join_coverage(conn: duckdb.DuckDBPyConnection) -> None:
    """Join rows that meet, where there are many. Writes ops.coverage in the caller's transaction. Idempotent."""
    counted = conn.execute("SELECT count(*), count(DISTINCT (dataset_id, ticker)) FROM ops.coverage").fetchone()
    assert counted is not None
    if counted[0] > counted[1] * _ROWS_A_SERIES:
        conn.execute(f"CREATE OR REPLACE TEMP TABLE answered AS SELECT {_COLUMNS} FROM ops.coverage")
        conn.execute("DELETE FROM ops.coverage")
        conn.execute(_JOIN)


def forget_coverage(conn: duckdb.DuckDBPyConnection) -> None:
    """Have every dataset looked up in the manifests. Writes ops.coverage in the caller's transaction."""
    conn.execute("DELETE FROM ops.coverage")


def _is_written(conn: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry) -> bool:
    """Whether the table says something of a dataset, and by its rule."""
    row = conn.execute(
        f"SELECT bool_and(rule = ?) FROM ops.coverage WHERE {of_dataset(entry)}", [rule_of(entry)]
    ).fetchone()
    return row is not None and bool(row[0])


def _add(conn: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry, select: str) -> None:
    conn.execute(f"INSERT INTO ops.coverage ({_COLUMNS}) {_rows(entry, select)}")


def _write_anew(conn: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry) -> None:
    """Write all that the manifests say of a dataset."""
    conn.execute(f"CREATE OR REPLACE TEMP TABLE answered AS {_rows(entry, answers(entry))}")
    conn.execute(f"DELETE FROM ops.coverage WHERE {of_dataset(entry)}")
    conn.execute(_JOIN)


def _rows(entry: DatasetKeymapEntry, select: str) -> str:
    """A SELECT of rows of the table out of one of answers. One that was asked without an end ends where it is final."""
    final, to_date = f"least(to_date, {settled_day(entry)})", f"coalesce(to_date, {settled_day(entry)})"
    return (
        f"SELECT {literal(entry.id)} AS dataset_id, {ticker_of_answer(entry)} AS ticker, from_date, "
        f"{to_date} AS to_date, {final} AS final_to, asked_at, bronze_file_id, {literal(rule_of(entry))} AS rule "
        f"FROM ({select}) WHERE from_date <= {to_date}"
    )

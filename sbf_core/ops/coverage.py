"""Which days of a series were asked for, wholly answered, and cannot change by themselves any more; and which not."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

import attrs
import duckdb

from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.duck.identifiers import literal, literal_list
from sbf_core.ops.promotions import promotions_of
from sbf_core.runs.request import TICKER_SEPARATOR
from sbf_core.value import Value

_SECONDS_A_DAY = 86_400


@attrs.frozen
class Stretch(Value):
    """Days from ``first`` to ``last``, both of them among them."""

    first: dt.date
    last: dt.date


Stretches = Mapping[str | None, Sequence[Stretch]]


def final_stretches(conn: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry) -> Stretches:
    """Per ticker the final days of a dataset, in stretches that neither meet nor overlap, oldest first.

    A day is final once a request that named it was answered, and all of its payloads promoted, no earlier than
    ``settles_after_days`` after the day was over in the dataset's zone. No row's date has a part in it. A rebuild finds
    the same, less the answers that brought no payload, which no journal holds: their days are asked for once more.
    """
    final_to = f"least(to_date, {settled_day(entry)})"
    return _joined(conn, entry, f"SELECT ticker, from_date, {final_to} AS to_date FROM ({answers(entry)})")


def settled_day(entry: DatasetKeymapEntry) -> str:
    """SQL of the last day that was final at ``asked_at``, a moment in UTC without its zone."""
    wait = f"to_seconds(CAST({entry.settle_days * _SECONDS_A_DAY!r} AS DOUBLE))"
    local = f"timezone({literal(entry.day_zone)}, timezone('UTC', asked_at - {wait}))"
    return f"CAST({local} AS DATE) - 1"


def answered_stretches(
    conn: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry, *, with_rows: bool = False
) -> Stretches:
    """Per ticker the days that were asked for and wholly answered, final or not, in such stretches.

    Args:
        conn: reads.
        entry: the dataset.
        with_rows: only of answers that brought rows; those of an answer without news came with an earlier one.
    """
    return _joined(conn, entry, answers(entry) + (" WHERE has_rows" if with_rows else ""))


def failed_stretches(conn: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry) -> Stretches:
    """Per ticker the days of requests that failed, and of payloads that could not be promoted or wait, in such
    stretches, whatever was answered before or after.
    """
    of_it = of_dataset(entry)
    failed = (
        "SELECT ticker, from_date, to_date FROM ops.file_ingestions "
        f"WHERE kind = 'file' AND status = 'failed' AND {of_it} "
        "UNION ALL SELECT m.ticker, m.from_date, m.to_date FROM ops.bronze_manifest AS m "
        f"JOIN {promotions_of(entry)} AS p "
        f"USING (bronze_file_id) WHERE p.status IN ('failed', 'held') AND {of_it}"
    )
    return _joined(conn, entry, failed)


@attrs.frozen
class RefusedPayloads(Value):
    """How many payloads of a dataset could not be promoted: of days that are still ``open``, and of days that were
    ``answered_since``, wholly, by answers that came after them.
    """

    open: int
    answered_since: int


def refused_payloads(conn: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry) -> RefusedPayloads:
    """What became of the days of the payloads of a dataset that could not be promoted.

    Of a dataset that is not asked for by days, or is asked for what changed, an answer brings all that there is to
    bring, whatever day it was asked for.
    """
    is_whole = entry.cursor is not None or not entry.is_asked_by_days
    of_it = of_dataset(entry)
    ticker = ticker_of_answer(entry)
    row = conn.execute(
        f"WITH refused AS (SELECT bronze_file_id AS id, {ticker} AS ticker, from_date AS a, to_date AS z, fetched_at "
        f"FROM ops.bronze_manifest SEMI JOIN (FROM {promotions_of(entry)} WHERE status = 'failed') "
        f"USING (bronze_file_id) WHERE {of_it}), "
        f"answered AS (SELECT {ticker} AS ticker, from_date, to_date, asked_at FROM ({answers(entry)})), "
        "met AS (SELECT r.*, greatest(n.from_date, r.a) AS b, "
        "least(n.to_date, r.z) AS e FROM refused AS r JOIN answered AS n ON n.ticker IS NOT DISTINCT FROM r.ticker "
        f"AND n.asked_at > r.fetched_at AND ({is_whole} OR (n.from_date <= r.z AND n.to_date >= r.a))), "
        "added AS (SELECT *, greatest(e - greatest(b, coalesce(max(e) OVER before + 1, b)) + 1, 0) AS days FROM met "
        "WINDOW before AS (PARTITION BY id, ticker ORDER BY b, e ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)), "
        "brought AS (SELECT id, ticker FROM added GROUP BY id, ticker, a, z "
        f"HAVING {is_whole} OR sum(days) = z - a + 1), "
        "left_open AS (SELECT DISTINCT r.id FROM refused AS r LEFT JOIN brought AS d ON d.id = r.id "
        "AND d.ticker IS NOT DISTINCT FROM r.ticker WHERE d.id IS NULL) "
        "SELECT (SELECT count(*) FROM left_open), (SELECT count(DISTINCT id) FROM refused)"
    ).fetchone()
    assert row is not None
    return RefusedPayloads(open=row[0], answered_since=row[1] - row[0])


def answers(entry: DatasetKeymapEntry, *, of: str = "true") -> str:
    """A SELECT of the answers: ticker, from_date, to_date, asked_at, has_rows, bronze_file_id.

    That there is nothing counts from the run on that brought the first payload of a series. Before that the vendor may
    not have known it at all, and have all of its past once it does. That nothing has changed counts where what came
    last was promoted: the same bytes as those of a refused payload bring no row.

    Args:
        entry: the dataset.
        of: a condition on ``run_id``; only answers to the requests of such runs.
    """
    of_it = of_dataset(entry)
    answer = "concat_ws(chr(10), run_id, ticker, from_date, to_date)"
    return (
        f"WITH m AS (SELECT * FROM ops.bronze_manifest WHERE {of_it} AND {of}), "
        f"taken AS (SELECT bronze_file_id, rows_seen > 0 AS has_rows FROM {promotions_of(entry)} WHERE status = 'ok'), "
        f"lacking AS (SELECT DISTINCT {answer} FROM m ANTI JOIN taken USING (bronze_file_id) WHERE parts > 0), "
        "f AS (SELECT *, coalesce(ticker, '') AS series FROM ops.file_ingestions WHERE kind = 'file' "
        f"AND status IN ('unchanged', 'none') AND {of_it} AND {of}), "
        "came AS (SELECT coalesce(b.ticker, '') AS series, b.run_id, min(b.fetched_at) AS since, "
        "max(b.fetched_at) AS until, bool_and(t.bronze_file_id IS NOT NULL) AS is_taken "
        f"FROM ops.bronze_manifest AS b LEFT JOIN taken AS t USING (bronze_file_id) WHERE {of_it} "
        "AND coalesce(b.ticker, '') IN (SELECT series FROM f) GROUP BY ALL), "
        "known AS (SELECT series, min(since) AS since, min_by(run_id, since) AS run_id FROM came GROUP BY series), "
        "unread AS (FROM (SELECT series, is_taken, until AS since, "
        "lead(until) OVER (PARTITION BY series ORDER BY until) AS until FROM came) WHERE NOT is_taken), "
        "answered AS (SELECT m.ticker, m.from_date, m.to_date, m.fetched_at AS asked_at, t.has_rows, bronze_file_id "
        f"FROM m JOIN taken AS t USING (bronze_file_id) WHERE m.parts = 0 OR {answer} NOT IN (FROM lacking) UNION ALL "
        "SELECT f.ticker, f.from_date, f.to_date, f.started_at, false, NULL FROM f LEFT JOIN known AS k USING (series) "
        "LEFT JOIN unread AS r ON r.series = f.series AND f.started_at >= r.since "
        "AND (r.until IS NULL OR f.started_at < r.until) "
        "WHERE (f.status = 'unchanged' AND r.series IS NULL) "
        "OR (f.status = 'none' AND (f.started_at >= k.since OR f.run_id = k.run_id))) FROM answered"
    )


def of_dataset(entry: DatasetKeymapEntry) -> str:
    """SQL of whether a row of the ledger is of the payloads of a dataset, under any of its names."""
    return f"list_contains({literal_list(entry.payload_ids)}, dataset_id)"


def ticker_of_answer(entry: DatasetKeymapEntry) -> str:
    """SQL of the tickers that an answer is of, each in a row of its own."""
    return f"unnest(string_split(ticker, {literal(TICKER_SEPARATOR)}))" if entry.tickers_at_once > 1 else "ticker"


def _joined(conn: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry, stretches: str) -> Stretches:
    """Stretches (ticker, from_date, to_date) of a SELECT, joined where they meet or overlap."""
    ticker = ticker_of_answer(entry)
    rows = conn.execute(
        f"WITH found AS (SELECT {ticker} AS ticker, from_date AS a, to_date AS z FROM ({stretches})), "
        "begun AS (SELECT *, a > max(z) OVER before + 1 AS is_new FROM found WHERE a <= z WINDOW before AS ("
        "PARTITION BY ticker ORDER BY a, z ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)), "
        "numbered AS (SELECT *, count(*) FILTER (is_new) OVER ("
        "PARTITION BY ticker ORDER BY a, z ROWS UNBOUNDED PRECEDING) AS island FROM begun) "
        "SELECT ticker, min(a), max(z) FROM numbered GROUP BY ticker, island ORDER BY ticker, min(a)"
    ).fetchall()
    by_ticker: dict[str | None, list[Stretch]] = {}
    for name, first, last in rows:
        by_ticker.setdefault(name, []).append(Stretch(first, last))
    return by_ticker


def left_of(wanted: Stretch, final: Sequence[Stretch]) -> list[Stretch]:
    """The days of a stretch that are in none of the others, which are in order and do not overlap."""
    left, first = [], wanted.first
    for each in final:
        if each.last < first:
            continue
        if each.first > wanted.last:
            break
        if each.first > first:
            left.append(Stretch(first, each.first - dt.timedelta(days=1)))
        first = each.last + dt.timedelta(days=1)
    if first <= wanted.last:
        left.append(Stretch(first, wanted.last))
    return left


def with_tail(stretches: Sequence[Stretch], tail: Stretch) -> list[Stretch]:
    """Stretches in order, and one that ends with or behind the last of them: those that meet are one."""
    kept = [each for each in stretches if each.last < tail.first - dt.timedelta(days=1)]
    met = stretches[len(kept) :]
    return [
        *kept,
        Stretch(min([each.first for each in met] + [tail.first]), max([each.last for each in met] + [tail.last])),
    ]

"""Series of which the vendor has nothing, and never had: they are remembered, and asked for again rarely."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence

import duckdb

from sbf_core.clock import to_naive_utc
from sbf_core.duck.identifiers import literal
from sbf_core.ops.rows import BronzeManifestRow, FailedFetch
from sbf_core.runs.request import TICKER_SEPARATOR
from sbf_core.vocabulary import WorkStatus


def remember_unknown(
    conn: duckdb.DuckDBPyConnection, kept: Sequence[BronzeManifestRow], other: Sequence[FailedFetch]
) -> None:
    """Take from a batch of answers which series are unknown, and which are not any more. Writes ops.data_dates, whose
    rows are there, in the caller's transaction. Idempotent.

    Only series with a ticker: of a whole dataset there may be nothing yet. One of several tickers is unknown where
    nothing ever came of any of them, whoever they were asked for with, and under whatever name of the dataset.
    """
    came = {row.key for row in kept} | {one.request.key for one in other if one.status == WorkStatus.UNCHANGED}
    none = {
        one.request.key: (one.request.dataset_id, one.request.tickers)
        for one in other
        if one.status == WorkStatus.NONE and one.request.tickers and one.request.key not in came
    }
    if came:
        _forget(conn, came)
    if none:
        known = _known_tickers(conn, {dataset for dataset, _ in none.values()})
        new = [key for key, (dataset, tickers) in none.items() if not known & {(dataset, one) for one in tickers}]
        conn.execute(
            "UPDATE ops.data_dates SET unknown_since = coalesce(unknown_since, checked_at) WHERE list_contains(?, key)",
            [sorted(new)],
        )


def _known_tickers(conn: duckdb.DuckDBPyConnection, datasets: Collection[str]) -> set[tuple[str, str]]:
    """Dataset and ticker of all of which anything ever came. What came under a former name of a dataset has a watermark
    under the present one.
    """
    rows = conn.execute(
        f"SELECT DISTINCT dataset_id, unnest(string_split(ticker, {literal(TICKER_SEPARATOR)})) FROM ("
        "SELECT dataset_id, ticker FROM ops.bronze_manifest UNION SELECT dataset_id, ticker FROM ops.watermarks) "
        "WHERE ticker IS NOT NULL AND list_contains(?, dataset_id)",
        [sorted(datasets)],
    ).fetchall()
    return set(rows)


def _forget(conn: duckdb.DuckDBPyConnection, keys: Collection[str]) -> None:
    row = conn.execute("SELECT count(*) FROM ops.data_dates WHERE unknown_since IS NOT NULL").fetchone()
    if row is not None and row[0]:
        conn.execute("UPDATE ops.data_dates SET unknown_since = NULL WHERE list_contains(?, key)", [sorted(keys)])


def unknown_since(conn: duckdb.DuckDBPyConnection, moment: dt.datetime) -> list[str]:
    """The series that turned out to be unknown at a moment or after it, in alphabetical order."""
    rows = conn.execute(
        "SELECT key FROM ops.data_dates WHERE unknown_since >= ? ORDER BY key", [to_naive_utc(moment)]
    ).fetchall()
    return [key for (key,) in rows]

"""Series of which the vendor has nothing, and never had: they are remembered, and asked for again rarely."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence

import duckdb

from sbf_core.clock import to_naive_utc
from sbf_core.ops.rows import BronzeManifestRow, FailedFetch
from sbf_core.vocabulary import WorkStatus


def remember_unknown(
    conn: duckdb.DuckDBPyConnection, kept: Sequence[BronzeManifestRow], other: Sequence[FailedFetch]
) -> None:
    """Take from a batch of answers which series are unknown, and which are not any more. Writes ops.data_dates, whose
    rows are there, in the caller's transaction. Idempotent.

    Only series with a ticker: of a whole dataset there may be nothing yet.
    """
    came = {row.key for row in kept} | {one.request.key for one in other if one.status == WorkStatus.UNCHANGED}
    none = {one.request.key for one in other if one.status == WorkStatus.NONE and one.request.ticker is not None} - came
    if came:
        _forget(conn, came)
    if none:
        conn.execute(
            "UPDATE ops.data_dates SET unknown_since = coalesce(unknown_since, checked_at) WHERE list_contains(?, key) "
            "AND key NOT IN (SELECT series_key FROM ops.bronze_manifest WHERE ticker IS NOT NULL)",
            [sorted(none)],
        )


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

"""The table ``ops.coverage`` beside the manifests that it says again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

import duckdb

from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.ops.coverage import Stretch, Stretches, answered_stretches, final_stretches
from sbf_core.ops.coverage_index import known_final, rule_of

Rows = Sequence[tuple[dt.date, dt.date, dt.date | None]]


def rows_of(cursor: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry) -> Mapping[str | None, Rows]:
    """Per ticker first day, last day and last final day of its rows."""
    rows: dict[str | None, list[tuple[dt.date, dt.date, dt.date | None]]] = {}
    for ticker, first, last, final in cursor.execute(
        "SELECT ticker, from_date, to_date, final_to FROM ops.coverage WHERE list_contains(?, dataset_id) ORDER BY ALL",
        [list(entry.ids)],
    ).fetchall():
        rows.setdefault(ticker, []).append((first, last, final))
    return rows


def agrees(cursor: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry) -> None:
    """It says of a dataset what the manifests say, or nothing."""
    indexed = rows_of(cursor, entry)
    assert known_final(cursor, entry) == final_stretches(cursor, entry)
    rules = cursor.execute("SELECT DISTINCT rule FROM ops.coverage").fetchall()
    if indexed and rules == [(rule_of(entry),)]:
        assert {ticker: _joined(rows) for ticker, rows in indexed.items()} == _plain(answered_stretches(cursor, entry))


def _joined(rows: Rows) -> list[tuple[dt.date, dt.date]]:
    joined: list[tuple[dt.date, dt.date]] = []
    for first, last, _ in rows:
        if joined and first <= joined[-1][1] + dt.timedelta(days=1):
            joined[-1] = joined[-1][0], max(joined[-1][1], last)
        else:
            joined.append((first, last))
    return joined


def _plain(stretches: Stretches) -> Mapping[str | None, list[tuple[dt.date, dt.date]]]:
    return {ticker: [_days(each) for each in some] for ticker, some in stretches.items()}


def _days(stretch: Stretch) -> tuple[dt.date, dt.date]:
    return stretch.first, stretch.last

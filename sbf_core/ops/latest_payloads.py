"""The payloads that series ended with, and whether the same bytes once more would be news."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence

import attrs
import duckdb

from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.runs.request import RunRequest

_OF = "list_contains(from_json(CAST(? AS JSON), '[\"VARCHAR\"]'), dataset_id)"
#: Payloads of one answer count from the moment at which it was complete; ``later`` are those of younger answers.
_LATEST = f"""
WITH cut AS (SELECT DISTINCT bronze_file_id FROM ops.rejects WHERE reason = 'after_horizon'),
payload AS (
    SELECT series_key, address, fetched_at, from_date, to_date, payload_hash, etag, last_modified, bronze_file_id,
        max(fetched_at) OVER (PARTITION BY series_key, run_id, from_date, to_date, cursor,
            CASE WHEN parts = 0 THEN bronze_file_id ELSE '' END) AS answered_at
    FROM ops.bronze_manifest WHERE {_OF}
), placed AS (
    SELECT *, count(*) OVER later > 0 AS has_later,
        min(coalesce(from_date, DATE '0001-01-01')) OVER later AS later_from,
        max(coalesce(to_date, DATE '9999-12-31')) OVER later AS later_to
    FROM payload WINDOW later AS (PARTITION BY series_key ORDER BY answered_at DESC
        RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW EXCLUDE GROUP)
), newest AS (
    SELECT * FROM placed QUALIFY row_number() OVER (
        PARTITION BY series_key, address ORDER BY fetched_at DESC, bronze_file_id DESC) = 1
)
SELECT series_key, address, payload_hash, coalesce(etag, ''), coalesce(last_modified, ''), from_date, to_date,
    has_later, later_from, later_to, c.bronze_file_id IS NOT NULL
FROM newest LEFT JOIN cut AS c USING (bronze_file_id) ORDER BY fetched_at, newest.bronze_file_id
"""


@attrs.frozen
class LatestPayload:
    """The newest payload of a series, or of one address of it.

    Attributes:
        payload_hash: of its bytes.
        etag, last_modified: what it came with; empty where it came without.
        from_date, to_date: the days of its request.
        has_later: younger answers of the series were kept.
        later_from, later_to: the first and the last day that these were asked for.
        is_cut: rows of it were rejected because its request did not reach as far as they are dated ahead.
    """

    payload_hash: str
    etag: str
    last_modified: str
    from_date: dt.date | None
    to_date: dt.date | None
    has_later: bool
    later_from: dt.date | None
    later_to: dt.date | None
    is_cut: bool

    def stands(self, entry: DatasetKeymapEntry, request: RunRequest, *, is_document: bool = False) -> bool:
        """Whether the same bytes, as the answer to a request, say nothing that silver does not hold.

        They do where what rows are taken depends on the days of the request, and these are others; and where a younger
        answer may have said something else of the same days.

        Args:
            entry: the dataset.
            request: what the bytes would answer.
            is_document: it is one of several that a hook gives, each with rows of its own.
        """
        sources = {column.source for column in entry.columns}
        if "request.from_date" in sources and self.from_date != request.from_date:
            return False
        if ("request.to_date" in sources or self.is_cut) and self.to_date != request.to_date:
            return False
        return is_document or not self._is_overtaken(entry)

    def _is_overtaken(self, entry: DatasetKeymapEntry) -> bool:
        if not self.has_later or not entry.is_asked_by_days:
            return self.has_later
        assert self.later_from is not None and self.later_to is not None
        first, last = self.from_date or dt.date.min, self.to_date or dt.date.max
        return self.later_from <= last and first <= self.later_to


def latest_payloads(
    conn: duckdb.DuckDBPyConnection, dataset_ids: Sequence[str]
) -> dict[tuple[str, str], LatestPayload]:
    """The newest payload of each series, under (series, address) and under (series, "")."""
    names = json.dumps(list(dataset_ids))
    rows = conn.execute(_LATEST, [names]).fetchall()
    overtaken = _overtaken(conn, names) if rows else set()
    latest: dict[tuple[str, str], LatestPayload] = {}
    for key, address, *values in rows:
        if key not in overtaken:
            latest[key, address] = latest[key, ""] = LatestPayload(*values)
    return latest


def _overtaken(conn: duckdb.DuckDBPyConnection, names: str) -> set[str]:
    """Batches of tickers of which one came later in another batch: the same payload once more may be news then."""
    rows = conn.execute(
        "WITH series AS (SELECT dataset_id, series_key, ticker, max(fetched_at) AS last_at FROM ops.bronze_manifest "
        f"WHERE ticker IS NOT NULL AND {_OF} GROUP BY ALL), "
        "each AS (SELECT dataset_id, series_key, last_at, unnest(string_split(ticker, ',')) AS one FROM series), "
        "newest AS (SELECT dataset_id, one, max(last_at) AS last_at FROM each GROUP BY ALL) "
        "SELECT DISTINCT each.series_key FROM each JOIN newest USING (dataset_id, one) "
        "WHERE newest.last_at > each.last_at",
        [names],
    ).fetchall()
    return {key for (key,) in rows}

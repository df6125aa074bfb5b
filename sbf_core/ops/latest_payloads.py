"""The payloads that series ended with, and whether the same bytes once more would be news."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import attrs
import duckdb

from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.runs.request import RunRequest
from sbf_core.value import Value

_OF = "list_contains(CAST($names AS VARCHAR[]), dataset_id)"
#: Payloads of one answer count from the moment at which it was complete; ``later`` are those of younger answers. One
#: of whose days a younger answer spoke cannot stand unless it is a document: a long history has hardly any other.
_LATEST = f"""
WITH cut AS (SELECT DISTINCT bronze_file_id FROM ops.rejects WHERE reason = 'after_horizon'),
payload AS (
    SELECT dataset_id, series_key, address, fetched_at, from_date, to_date, payload_hash, etag, last_modified,
        bronze_file_id, coalesce(from_date, DATE '0001-01-01') AS first, coalesce(to_date, DATE '9999-12-31') AS last,
        CASE WHEN parts = 0 THEN fetched_at ELSE max(fetched_at) OVER (
            PARTITION BY series_key, run_id, from_date, to_date, cursor, parts = 0) END AS answered_at
    FROM ops.bronze_manifest WHERE {_OF}
), moment AS (
    SELECT series_key, answered_at, min(min(first)) OVER later AS later_from, max(max(last)) OVER later AS later_to
    FROM payload GROUP BY series_key, answered_at WINDOW later AS (
        PARTITION BY series_key ORDER BY answered_at DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
), newest AS (
    SELECT p.*, m.later_from, m.later_to FROM payload AS p JOIN moment AS m USING (series_key, answered_at)
    QUALIFY row_number() OVER (PARTITION BY series_key, address ORDER BY fetched_at DESC, bronze_file_id DESC) = 1
)
SELECT series_key, address, payload_hash, coalesce(etag, ''), coalesce(last_modified, ''), from_date, to_date,
    later_from, later_to, c.bronze_file_id IS NOT NULL
FROM newest LEFT JOIN cut AS c USING (bronze_file_id)
WHERE list_contains(CAST($documents AS VARCHAR[]), dataset_id) OR later_from IS NULL OR later_from > last
    OR later_to < first
ORDER BY fetched_at, newest.bronze_file_id
"""


@attrs.frozen
class LatestPayload(Value):
    """The newest payload of a series, or of one address of it.

    Attributes:
        payload_hash: of its bytes.
        etag, last_modified: what it came with; empty where it came without.
        from_date, to_date: the days of its request.
        later_from, later_to: the first and the last day for which younger answers of the series were asked; None where
            there are none.
        is_cut: rows of it were rejected because its request did not reach as far as they are dated ahead.
    """

    payload_hash: str
    etag: str
    last_modified: str
    from_date: dt.date | None
    to_date: dt.date | None
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
        if self.later_from is None or self.later_to is None or not entry.is_asked_by_days:
            return self.later_from is not None
        first, last = self.from_date or dt.date.min, self.to_date or dt.date.max
        return self.later_from <= last and first <= self.later_to


def latest_payloads(
    conn: duckdb.DuckDBPyConnection, dataset_ids: Sequence[str], *, documents: Sequence[str] = ()
) -> dict[tuple[str, str], LatestPayload]:
    """The newest payload of each series, under (series, address) and under (series, ""), as far as its bytes can stand.

    Args:
        conn: on the ledger.
        dataset_ids: under all their names.
        documents: those of which an answer may have several documents, each of which stands by itself.
    """
    rows = conn.execute(_LATEST, {"names": list(dataset_ids), "documents": list(documents)}).fetchall()
    overtaken = _overtaken(conn, dataset_ids) if rows else set()
    latest: dict[tuple[str, str], LatestPayload] = {}
    for key, address, *values in rows:
        if key not in overtaken:
            latest[key, address] = latest[key, ""] = LatestPayload(*values)
    return latest


def _overtaken(conn: duckdb.DuckDBPyConnection, dataset_ids: Sequence[str]) -> set[str]:
    """Batches of tickers of which one came later in another batch: the same payload once more may be news then."""
    rows = conn.execute(
        "WITH series AS (SELECT dataset_id, series_key, ticker, max(fetched_at) AS last_at FROM ops.bronze_manifest "
        f"WHERE ticker IS NOT NULL AND {_OF} GROUP BY ALL), "
        "each AS (SELECT dataset_id, series_key, last_at, unnest(string_split(ticker, ',')) AS one FROM series), "
        "newest AS (SELECT dataset_id, one, max(last_at) AS last_at FROM each GROUP BY ALL) "
        "SELECT DISTINCT each.series_key FROM each JOIN newest USING (dataset_id, one) "
        "WHERE newest.last_at > each.last_at",
        {"names": list(dataset_ids)},
    ).fetchall()
    return {key for (key,) in rows}

"""The rows of ops.file_ingestions that a fetch leaves."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from typing import Any

from sbf_core.ops.rows import BronzeManifestRow, FailedFetch
from sbf_core.vocabulary import IngestionKind, WorkStatus


def by_columns(
    kept: Sequence[BronzeManifestRow], other: Sequence[FailedFetch], *, known: Collection[str], now: dt.datetime
) -> list[list[dict[str, Any]]]:
    """The rows of a batch of answers, in lists of equal columns.

    Args:
        kept: payloads that are safe on disk.
        other: requests that brought nothing new.
        known: ids of those payloads that an earlier run recorded.
        now: the present moment.
    """
    return [
        [of_payload(row, now) for row in kept if row.bronze_file_id not in known],
        [*(of_known(row, now) for row in kept if row.bronze_file_id in known), *(of_other(fetch, now) for fetch in other)],
    ]


def of_payload(row: BronzeManifestRow, now: dt.datetime) -> dict[str, Any]:
    """A payload that came, and is still to be promoted."""
    return {
        "run_id": row.run_id, "kind": IngestionKind.FILE, "subject": row.bronze_file_id, "started_at": now,
        "finished_at": now, "status": WorkStatus.FETCHED, "domain": row.domain, "source": row.source, "dataset": row.dataset,
        "discriminator": row.discriminator, "ticker": row.ticker, "bronze_file_id": row.bronze_file_id, "rel_path": row.rel_path,
        "payload_hash": row.payload_hash, "content_length_bytes": row.content_length_bytes, "bronze_rows": 0,
        "from_date": row.from_date, "to_date": row.to_date,
    }  # fmt: skip


def of_known(row: BronzeManifestRow, now: dt.datetime) -> dict[str, Any]:
    """A payload that an earlier run recorded, and that came again: its record stays that of the earlier run."""
    request = row.request
    return of_other(FailedFetch(request=request, address=row.address, fetched_at=row.fetched_at, status=WorkStatus.UNCHANGED), now)


def of_other(fetch: FailedFetch, now: dt.datetime) -> dict[str, Any]:
    """A request that brought no payload."""
    request = fetch.request
    return {
        "run_id": request.run_id, "kind": IngestionKind.FILE, "subject": f"{request.key} {fetch.address}", "started_at": now,
        "finished_at": now, "status": fetch.status, "domain": request.domain, "source": request.source,
        "dataset": request.dataset, "discriminator": request.discriminator, "ticker": request.ticker, "error": fetch.error,
        "from_date": request.from_date, "to_date": request.to_date,
    }  # fmt: skip

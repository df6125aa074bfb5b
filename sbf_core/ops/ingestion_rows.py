"""The rows of ops.file_ingestions that a fetch leaves."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sbf_core.ops.rows import BronzeManifestRow, FailedFetch
from sbf_core.vocabulary import IngestionKind, WorkStatus


def of_payload(row: BronzeManifestRow, now: dt.datetime) -> dict[str, Any]:
    """A payload that came, and is still to be promoted."""
    return {
        "run_id": row.run_id, "kind": IngestionKind.FILE, "subject": row.bronze_file_id, "started_at": now,
        "finished_at": now, "status": WorkStatus.FETCHED, "domain": row.domain, "source": row.source, "dataset": row.dataset,
        "discriminator": row.discriminator, "ticker": row.ticker, "bronze_file_id": row.bronze_file_id, "rel_path": row.rel_path,
        "payload_hash": row.payload_hash, "content_length_bytes": row.content_length_bytes, "bronze_rows": 0,
        "from_date": row.from_date, "to_date": row.to_date,
    }  # fmt: skip


def of_other(fetch: FailedFetch, now: dt.datetime) -> dict[str, Any]:
    """A request that brought no payload."""
    request = fetch.request
    return {
        "run_id": request.run_id, "kind": IngestionKind.FILE, "subject": f"{request.key} {fetch.address}", "started_at": now,
        "finished_at": now, "status": fetch.status, "domain": request.domain, "source": request.source,
        "dataset": request.dataset, "discriminator": request.discriminator, "ticker": request.ticker, "error": fetch.error,
        "from_date": request.from_date, "to_date": request.to_date,
    }  # fmt: skip

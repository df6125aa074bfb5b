"""The rows of ops.file_ingestions that a fetch leaves where it brings no payload."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sbf_core.ops.rows import BronzeManifestRow, FailedFetch
from sbf_core.vocabulary import IngestionKind, WorkStatus


def of_known(row: BronzeManifestRow, now: dt.datetime) -> dict[str, Any]:
    """A payload that an earlier run recorded, and that came again: its record stays that of the earlier run."""
    request = row.request
    return of_other(
        FailedFetch(request=request, address=row.address, fetched_at=row.fetched_at, status=WorkStatus.UNCHANGED), now
    )


def of_other(fetch: FailedFetch, now: dt.datetime) -> dict[str, Any]:
    """A request that brought no payload."""
    request = fetch.request
    return {
        "run_id": request.run_id, "kind": IngestionKind.FILE, "subject": f"{request.key} {fetch.address}",
        "started_at": now, "finished_at": now, "status": fetch.status, "domain": request.domain,
        "source": request.source, "dataset": request.dataset, "discriminator": request.discriminator,
        "ticker": request.ticker, "dataset_id": request.dataset_id, "series_key": request.key,
        "error": fetch.error, "error_kind": fetch.kind, "from_date": request.from_date,
        "to_date": request.to_date,
    }  # fmt: skip

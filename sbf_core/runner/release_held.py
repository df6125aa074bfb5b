"""Payloads that wait for their user are released."""

from __future__ import annotations

from collections.abc import Sequence

from sbf_core.bronze.accepted import accept_payloads
from sbf_core.duck.config import DuckDbConfig
from sbf_core.ops.service import OpsService
from sbf_core.plugin.registry import OwnedDataset


def accept_held(ops: OpsService, config: DuckDbConfig, datasets: Sequence[OwnedDataset]) -> int:
    """Release the held payloads of some datasets, to be promoted; returns how many.

    The list of them is written first: what a crash leaves held is accepted already, and released by the next call.
    """
    count = 0
    for owned in datasets:
        payloads = ops.payloads_of(owned.entry)
        rows = payloads.held()
        if rows:
            accept_payloads(config, owned.entry, [path for _, path in rows])
            payloads.release([file_id for file_id, _ in rows])
        count += len(rows)
    return count

"""What promotion makes in the database, and asks of it, once for many datasets: for each of thousands it would take
longer than their rows.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence

from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.duck.engine_errors import ENGINE_ERRORS, EngineFault, fault_of
from sbf_core.ops.rows import BronzeManifestRow
from sbf_core.ops.service import OpsService
from sbf_core.plugin.registry import OwnedDataset
from sbf_core.silver.tables import prepare_tables

#: So many datasets at once: of more nothing is gained, and a user waits for the first of them.
_DATASETS_MAX = 250

#: Per ticker the fetch time of the newest payload that was promoted into a table.
Newest = Mapping[str | None, dt.datetime]


def prepared(
    ops: OpsService, work: Sequence[tuple[OwnedDataset, list[BronzeManifestRow]]]
) -> Iterator[tuple[OwnedDataset, list[BronzeManifestRow], Newest | None]]:
    """Datasets with their payloads, whose tables are there now, and what was promoted into these; None where that went
    wrong with one of many: each is to be prepared by itself then, so that it costs only its own.
    """
    for start in range(0, len(work), _DATASETS_MAX):
        part = work[start : start + _DATASETS_MAX]
        newest = _prepared(ops, [owned.entry for owned, _ in part])
        for owned, rows in part:
            yield owned, rows, None if newest is None else newest.get(owned.entry.silver_table, {})


def prepared_alone(ops: OpsService, entry: DatasetKeymapEntry) -> Newest:
    """The same of one dataset, whose fault it is where it goes wrong."""
    prepare_tables(ops, [entry])
    return ops.latest_promoted([entry.silver_table]).get(entry.silver_table, {})


def _prepared(ops: OpsService, entries: Sequence[DatasetKeymapEntry]) -> Mapping[str, Newest] | None:
    try:
        prepare_tables(ops, entries)
        return ops.latest_promoted([entry.silver_table for entry in entries])
    except ENGINE_ERRORS as error:
        if fault_of(error) not in (EngineFault.INPUT, EngineFault.MEMORY):
            raise
        return None

"""What a dead run left: closed, adopted or kept aside. Twice is the same as once."""

from __future__ import annotations

import logging
from pathlib import Path

import attrs

from sbf_core.bronze.journal import journal_files, read_journal
from sbf_core.duck.config import DuckDbConfig
from sbf_core.ops.service import OpsService


@attrs.frozen(kw_only=True)
class Recovered:
    """What recovery did."""

    runs_closed: int = 0
    payloads_adopted: int = 0


def recover(ops: OpsService, config: DuckDbConfig, *, logger: logging.Logger | None = None) -> Recovered:
    """Close dead runs, and record journalled payloads that the ledger does not know. Call it while holding the home.

    A payload that was journalled is whole and durable, so it is recorded as its run would have done, and promoted
    by the run at work. Journals are read only if a run died: a run that ended has recorded all of its own.

    Writes ops.file_ingestions, ops.bronze_manifest, ops.data_dates. Idempotent.
    """
    dead = ops.dead_runs()
    lost = [path for path in journal_files(config.bronze) if path.stem in dead]
    adopted = sum(_adopt(ops, config, path) for path in lost)
    closed = ops.close_dead_runs() if dead else 0
    if closed or adopted:
        (logger or logging.getLogger("sbf.recovery")).warning("Recovered. runs_closed=%s | payloads_adopted=%s", closed, adopted)
    return Recovered(runs_closed=closed, payloads_adopted=adopted)


def _adopt(ops: OpsService, config: DuckDbConfig, journal: Path) -> int:
    known = ops.recorded_files(journal.stem)
    missing = [line.row for line in read_journal(journal) if line.row.bronze_file_id not in known]
    rows = [row for row in missing if (config.bronze / row.rel_path).exists()]
    if rows:
        ops.record_fetched(rows, [])
    return len(rows)

"""Tables against what they must hold: silver against a second promotion, gold against its SELECT."""

from __future__ import annotations

from collections.abc import Sequence

from sbf_core.errors import DatasetFailure, UsageError
from sbf_core.gold.build import table_exists
from sbf_core.gold.check import settled_models
from sbf_core.gold.model import GoldModel
from sbf_core.gold.time_limit import TookTooLong, time_limit
from sbf_core.ops.rows import BronzeManifestRow
from sbf_core.ops.service import OpsService
from sbf_core.plugin.registry import OwnedDataset
from sbf_core.runner.promote_stage import PromoteStage
from sbf_core.runner.verify_report import VerifyReport
from sbf_core.runs.context import RunContext
from sbf_core.trust.files import Journals
from sbf_core.trust.findings import Finding, FindingKind
from sbf_core.trust.tables import compare_tables, silver_source

#: Findings after which a payload cannot be read again.
_LOST = frozenset(
    {
        FindingKind.PAYLOAD_MISSING,
        FindingKind.PAYLOAD_CHANGED,
        FindingKind.PAYLOAD_NO_FILE,
        FindingKind.RECORD_DIFFERS,
    }
)


def check_silver(
    report: VerifyReport,
    ops: OpsService,
    scratch: OpsService,
    stage: PromoteStage,
    owned: OwnedDataset,
    manifest: Sequence[BronzeManifestRow],
    journals: Journals,
) -> None:
    """Compare one silver table, with its history, with what its payloads give when they are promoted again.

    Args:
        report: takes the findings; those about payloads are there already.
        ops: the ledger.
        scratch: an empty one.
        stage: promotes into the database of ``scratch``.
        owned: the dataset.
        manifest: every payload on record.
        journals: what the journals say of payloads, which is believed.
    """
    entry, table = owned.entry, f"silver.{owned.entry.silver_table}"
    own = [row for row in manifest if row.dataset_id in entry.ids]
    settled = ops.recovery.promoted_files()
    if not all(table_exists(ops.cursor(), name) for name in (table, f"{table}_history")):
        if any(row.bronze_file_id in settled for row in own):
            report.findings.append(Finding(kind=FindingKind.ROW_DIFFERS, subject=table, detail="the table is gone"))
        return
    lost_paths = {finding.subject for finding in report.findings if finding.kind in _LOST}
    lost_series = {row.key for row in own if row.rel_path in lost_paths}
    wanted = [journals.lines[row.rel_path].row if row.rel_path in journals.lines else row for row in own]
    wanted = [row for row in wanted if row.bronze_file_id in settled and row.key not in lost_series]
    if lost_series:
        report.notes.append(
            f"{table}: rows of {len(lost_series)} series were not compared, because payloads of theirs are damaged"
        )
    context = RunContext(run_id="verify", started_at=ops.clock.now())
    try:
        stage.prepare(owned)
        stage.promote_payloads(context, owned, wanted)
    except (DatasetFailure, UsageError) as error:
        context.errors.append(str(error))
    if context.errors:
        detail = f"cannot be made again: {context.errors[0]}"
        report.findings.append(Finding(kind=FindingKind.ROW_DIFFERS, subject=table, detail=detail))
        return
    excluded = sorted(row.bronze_file_id for row in own if row.key in lost_series)
    for name, keys in ((table, entry.key_columns), (f"{table}_history", (*entry.key_columns, "known_from"))):
        actual = (ops.cursor(), silver_source(name, without_files=excluded))
        again = (scratch.cursor(), silver_source(name, without_files=()))
        report.findings += compare_tables(FindingKind.ROW_DIFFERS, name, actual, again, keys=keys)


def check_gold(report: VerifyReport, ops: OpsService, model: GoldModel, *, select_seconds_max: float) -> None:
    """Compare one gold table with what its SELECT gives, unless it has new input, reads what is damaged or takes longer
    than ``select_seconds_max``.
    """
    conn = ops.cursor()
    wrong = (FindingKind.ROW_DIFFERS, FindingKind.GOLD_DIFFERS)
    damaged = {finding.subject.split(" ")[0] for finding in report.findings if finding.kind in wrong}
    for settled, reads in settled_models(conn, ops, [model]):
        if damaged & reads:
            first = sorted(damaged & reads)[0]
            report.notes.append(f"gold.{model.name} was not compared, because {first} is damaged")
            continue
        wanted = (conn, f"({settled.full_sql})")
        table = (conn, f'gold."{model.name}"')
        name = f"gold.{model.name}"
        try:
            with time_limit(conn, select_seconds_max, where=name):
                report.findings += compare_tables(FindingKind.GOLD_DIFFERS, name, table, wanted, keys=model.key)
        except TookTooLong as error:
            report.notes.append(f"{name} was not compared: {error}")

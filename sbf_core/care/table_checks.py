"""Tables against what they must hold: silver against a second promotion, gold against its SELECT."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import closing

from sbf_core.bronze.journal_line import JournalLine
from sbf_core.care.findings import Finding, FindingKind
from sbf_core.care.table_comparison import compare_tables, silver_source
from sbf_core.care.verify_report import VerifyReport
from sbf_core.duck.engine_errors import ENGINE_ERRORS, first_line, is_inputs_fault
from sbf_core.errors import DatasetFailure, UsageError, printable
from sbf_core.failures import failure_of
from sbf_core.gold.check import settled_models
from sbf_core.gold.model import GoldModel
from sbf_core.gold.tables import table_exists
from sbf_core.gold.time_limit import TookTooLong, time_limit
from sbf_core.ops.service import OpsService
from sbf_core.plugin.registry import OwnedDataset
from sbf_core.runner.promote_stage import PromoteStage
from sbf_core.runner.promotion_batches import answers_in_order, is_by_answer
from sbf_core.runs.context import RunContext

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
    lines: Mapping[str, JournalLine],
) -> None:
    """Compare one silver table, with its history, with what its payloads give when they are promoted again.

    Args:
        report: takes the findings; those about payloads are there already.
        ops: the ledger.
        scratch: an empty one.
        stage: promotes into the database of ``scratch``.
        owned: the dataset.
        lines: what the journals say of payloads, which is believed, where the ledger does not say the same.
    """
    entry, table = owned.entry, f"silver.{owned.entry.silver_table}"
    count = ops.recorded.promoted_count(entry)
    if not all(table_exists(ops.cursor(), name) for name in (table, f"{table}_history")):
        if count:
            report.findings.append(Finding(kind=FindingKind.ROW_DIFFERS, subject=table, detail="the table is gone"))
        return
    lost_series = _lost_series(report, ops, owned)
    if lost_series:
        report.notes.append(
            f"{table}: rows of {len(lost_series)} series were not compared, because payloads of theirs are damaged"
        )
    context = RunContext(run_id="verify", started_at=ops.clock.now())
    try:
        stage.prepare(owned)
        _record_again(ops, scratch, owned, lines, without=lost_series)
        with closing(scratch.recorded.all(by_answer=is_by_answer(entry))) as rows:
            stage.promote_again(context, owned, answers_in_order(entry, rows), count=count)
    except (DatasetFailure, UsageError) as error:
        context.failures.append(failure_of(error))
    if context.failures:
        detail = f"cannot be made again: {context.failures[0]}"
        report.findings.append(Finding(kind=FindingKind.ROW_DIFFERS, subject=table, detail=detail))
        return
    known = ops.recorded.of(entry.payload_ids) if lost_series else ()
    excluded = sorted(row.bronze_file_id for row in known if row.key in lost_series)
    for name, keys in ((table, entry.key_columns), (f"{table}_history", (*entry.key_columns, "known_from"))):
        actual = (ops.cursor(), silver_source(name, without_files=excluded))
        again = (scratch.cursor(), silver_source(name, without_files=()))
        report.findings += compare_tables(FindingKind.ROW_DIFFERS, name, actual, again, keys=keys)


def _lost_series(report: VerifyReport, ops: OpsService, owned: OwnedDataset) -> set[str]:
    """The series of a dataset of which a payload cannot be read again."""
    paths = sorted({finding.subject for finding in report.findings if finding.kind in _LOST})
    rows = ops.recorded.rows(paths) if paths else ()
    return {row.key for row in rows if row.dataset_id in owned.entry.payload_ids}


def _record_again(
    ops: OpsService,
    scratch: OpsService,
    owned: OwnedDataset,
    lines: Mapping[str, JournalLine],
    *,
    without: Collection[str],
) -> None:
    """The payloads of a dataset that were promoted, without those of some series, into an empty ledger."""
    entry = owned.entry
    scratch.recorded.copy_promoted(ops.recorded, entry, without=sorted(without), but=sorted(lines))
    if lines:
        rows, settled = ops.recorded.rows(sorted(lines)), ops.payloads_of(entry).promoted_files()
        own = [row for row in rows if row.dataset_id in entry.payload_ids and row.bronze_file_id in settled]
        believed = [lines[row.rel_path].row for row in own]
        scratch.record_fetched([row for row in believed if row.key not in without], [])


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
        except ENGINE_ERRORS as error:
            if not is_inputs_fault(error):
                raise
            report.notes.append(
                f"{name} was not compared, because its SELECT fails now: {printable(first_line(error))}"
            )

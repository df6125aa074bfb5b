"""``sbf repair``: adopt, move aside, put back, promote again. Nothing is deleted."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import attrs

from sbf_core.care.findings import PAYLOAD_LOST, Finding, FindingKind
from sbf_core.care.journal_checks import compare_records
from sbf_core.care.published_checks import forget_published
from sbf_core.care.put_back import put_back, set_damaged_aside, set_foreign_aside, write_journal_again
from sbf_core.care.verify import Verification
from sbf_core.care.verify_report import VerifyReport
from sbf_core.counted import counted
from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.duck.bootstrap import DuckDbBootstrap
from sbf_core.duck.engine_errors import ENGINE_ERRORS, costs_only_its_own
from sbf_core.errors import DatasetFailure, EnvironmentFault
from sbf_core.fetching.progress import Progress
from sbf_core.fetching.run_progress import RunProgress
from sbf_core.home.home import Home, WrittenDatabase
from sbf_core.ops.service import OpsService
from sbf_core.plugin.hook_call import HookCalls
from sbf_core.recovery.dead_runs import record_quarantined, recover
from sbf_core.runner.gold_stage import run_gold
from sbf_core.runner.promote_stage import lack
from sbf_core.runner.publish_stage import publish_changed_tables
from sbf_core.runner.remake_stage import RemakeStage, without
from sbf_core.runner.run_end import closed_by, raise_lacking
from sbf_core.runs.context import RunContext
from sbf_core.silver.stale import stale_tables
from sbf_core.value import Value
from sbf_core.vocabulary import Drift, RunStatus

_JOURNAL_WRONG = (FindingKind.JOURNAL_BROKEN, FindingKind.JOURNAL_MISSING, FindingKind.NOT_JOURNALLED)
_PUBLISHED_WRONG = (FindingKind.PUBLISHED_MISSING, FindingKind.PUBLISHED_CHANGED)
_RECORD_WRONG = (FindingKind.RECORD_DIFFERS, FindingKind.RECORD_TWICE)


@attrs.frozen(kw_only=True)
class Repaired(Value):
    """What a repair came to.

    Attributes:
        before, after: what was found before and after.
        done: what was done, one line each.
    """

    before: tuple[Finding, ...]
    after: tuple[Finding, ...]
    done: tuple[str, ...]


class Repair:
    """Brings a home in order, as one run.

    Journals that are whole are believed, then payloads that have the recorded hash, then the ledger; tables are made
    again from payloads.

    Args:
        home: the home.
        sources: Bronze folders of backups or other homes, to take whole payloads from.
        progress: told what goes on.
    """

    def __init__(
        self,
        home: Home,
        *,
        sources: Sequence[Path] = (),
        progress: Progress | None = None,
    ) -> None:
        self._home = home
        self._settings = home.settings
        self._config = home.config
        self._sources = [folder / "bronze" if (folder / "bronze").is_dir() else folder for folder in sources]
        self._clock = home.clock
        self._progress = RunProgress(progress)
        self._logger = home.logger
        self._hooks: HookCalls
        self._done: list[str] = []

    def run(self) -> Repaired:
        """Look, put right, look again.

        Raises:
            HomeLocked, VersionRefused, EnvironmentFault, UsageError: see ``DuckDbBootstrap.open``.
        """
        self._home.registry.check_whole()
        self._hooks = self._home.hooks()
        with self._home.writing() as database:
            self._done.extend([database.replaced] if database.replaced else [])
            try:
                before, after = self._repaired(database)
            finally:
                self._hooks.close()
        return Repaired(before=tuple(before), after=tuple(after), done=tuple(self._done))

    def _repaired(self, database: WrittenDatabase) -> tuple[list[Finding], list[Finding]]:
        """What was found before and after."""
        ops = OpsService.over(database.bootstrap, clock=self._clock, logger=self._logger)
        context = ops.start_run(ticker_limit=0)
        with closed_by(ops, context):
            before = self._look(ops, database.bootstrap, context).findings
            if before:
                self._mend(ops, database.bootstrap, context, before)
                raise_lacking(context, self._logger)  # what it made again is not whole
                database.publish_as = context.run_id
            after = self._look(ops, database.bootstrap, context).findings
        context.status = RunStatus.PARTIAL if after else RunStatus.OK
        ops.finish_run(context)
        if database.publish_as and self._settings["run.publish"] != "no":
            publish_changed_tables(ops, self._config, context.run_id, how=self._settings["run.publish"])
        return before, after

    def _look(self, ops: OpsService, bootstrap: DuckDbBootstrap, context: RunContext) -> VerifyReport:
        verification = Verification(self._home, progress=self._progress)
        report = verification.look(ops, bootstrap, self._config.staging)
        report.findings = [
            finding for finding in report.findings if finding.subject != context.run_id
        ]  # this run is at work
        return report

    @property
    def _entries(self) -> list[DatasetKeymapEntry]:
        return self._home.entries

    def _did(self, number: int, one: str, what: str) -> None:
        if number:
            self._done.append(f"{counted(number, one)} {what}")

    def _mend(
        self, ops: OpsService, bootstrap: DuckDbBootstrap, context: RunContext, findings: Sequence[Finding]
    ) -> None:
        published = [finding for finding in findings if finding.kind in _PUBLISHED_WRONG]
        self._did(forget_published(self._config, published), "copy", "for readers to be written again")
        self._mend_files(ops, findings)
        self._mend_journals(ops, findings)
        wrong = sorted({finding.subject for finding in findings if finding.kind in _RECORD_WRONG})
        ops.recovery.forget_manifest(wrong)
        recovered = recover(ops, self._config, everything=True, alive=context.run_id, logger=self._logger)
        self._did(max(recovered.payloads_adopted - len(wrong), 0), "payload", "taken into the ledger from journals")
        self._did(len(wrong), "payload", "recorded anew from journals")
        ops.recovery.align_ledger()
        of_ledger = (FindingKind.INGESTION_DIFFERS, FindingKind.WATERMARK_DIFFERS, FindingKind.COVERAGE_UNPROVEN)
        self._did(sum(finding.kind in of_ledger for finding in findings), "row", "of the ledger put right")
        self._make_tables_again(ops, bootstrap, context, findings)
        ops.recovery.align_ledger()
        if published and self._settings["run.publish"] != "no":  # the copy of the database follows when it is closed
            publish_changed_tables(ops, self._config, context.run_id, how=self._settings["run.publish"])

    def _mend_files(self, ops: OpsService, findings: Sequence[Finding]) -> None:
        lost = [finding.subject for finding in findings if finding.kind in PAYLOAD_LOST]
        foreign = [finding.subject for finding in findings if finding.kind is FindingKind.FILE_UNKNOWN]
        set_foreign_aside(self._config, foreign)
        set_damaged_aside(self._config, lost)
        self._did(record_quarantined(ops, self._config), "file", "moved to quarantine")
        recorded = compare_records(self._config.bronze, ops.recorded).expected
        wanted = {path: recorded[path] for path in lost}
        places = (
            [place for place in self._config.quarantine.iterdir() if place.is_dir()]
            if self._config.quarantine.is_dir()
            else []
        )
        back = put_back(self._config, wanted, sources=[*self._sources, *places])
        ops.recovery.forget_failures(back)
        self._did(len(back), "payload", "put back")

    def _mend_journals(self, ops: OpsService, findings: Sequence[Finding]) -> None:
        manifest = ops.load_manifest_rows()
        run_of = {row.rel_path: row.run_id for row in manifest}
        wrong = {
            run_of[finding.subject] if finding.kind is FindingKind.NOT_JOURNALLED else Path(finding.subject).stem
            for finding in findings
            if finding.kind in _JOURNAL_WRONG
        }
        for run_id in sorted(wrong):
            write_journal_again(self._config, run_id, [row for row in manifest if row.run_id == run_id])
        self._did(len(wrong), "journal", "written again")

    def _make_tables_again(
        self, ops: OpsService, bootstrap: DuckDbBootstrap, context: RunContext, findings: Sequence[Finding]
    ) -> None:
        drift = Drift(self._settings["run.drift"])
        remake = RemakeStage(ops, bootstrap, self._config, self._hooks, progress=self._progress, drift=drift)
        stale = {stale_table.entry.id for stale_table in stale_tables(ops.cursor(), self._entries)}
        datasets = without(list(self._home.registry.datasets.values()), stale)
        remake.promote(context, datasets)
        counts = {
            finding.subject for finding in findings if finding.kind in (FindingKind.COUNTS_DIFFER, *_RECORD_WRONG)
        }
        tables = {
            finding.subject.split(" ")[0].removesuffix("_history")
            for finding in findings
            if finding.kind is FindingKind.ROW_DIFFERS
        }
        tables |= {f"silver.{name}" for name in ops.recovery.tables_of(sorted(counts))}
        again = [owned for owned in datasets if f"silver.{owned.entry.silver_table}" in tables]
        for owned in again:
            try:
                remake.again(context, owned, why="as was asked")
                self._done.append(f"silver.{owned.entry.silver_table} made again from its payloads")
            except DatasetFailure as error:
                self._done.append(f"silver.{owned.entry.silver_table} was left as it is: {error}")
            except (*ENGINE_ERRORS, EnvironmentFault) as error:
                if not costs_only_its_own(error):
                    raise
                lack(context, owned.entry.id, error)
        force = any(finding.kind is FindingKind.GOLD_DIFFERS for finding in findings)
        seconds = self._settings["gold.select_seconds_max"]
        run_gold(
            ops, self._home.plugins, context, self._home.plugins.selected(None), force=force, progress=self._progress,
            hooks=self._hooks, select_seconds_max=seconds,
        )  # fmt: skip
        self._did(context.gold_tables, "gold table", "built")

"""``sbf verify``: files against journals against ledger against tables."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from itertools import takewhile
from pathlib import Path

import attrs

from sbf_core.atomic_file import state_of, write_whole
from sbf_core.care.file_checks import bytes_behind, check_contents, compare_listing
from sbf_core.care.findings import FindingKind
from sbf_core.care.journal_checks import Records, compare_records
from sbf_core.care.ledger_checks import check_coverage, check_ledger
from sbf_core.care.published_checks import check_published, database_changed, moved_from, older_than
from sbf_core.care.table_checks import check_gold, check_silver
from sbf_core.care.unknown_files import unknown_files
from sbf_core.care.verify_report import VerifyReport
from sbf_core.counted import counted
from sbf_core.duck.beside import BesideDatabase, beside
from sbf_core.duck.bootstrap import DuckDbBootstrap
from sbf_core.duck.disk import machine_faults
from sbf_core.duck.publish import current_publication
from sbf_core.duck.publish_tables import VIEWS
from sbf_core.duck.reading import open_for_reading
from sbf_core.duck.scratch import scratch_folder
from sbf_core.failures import Failure
from sbf_core.fetching.progress import Progress, Silence
from sbf_core.fetching.run_progress import RunProgress
from sbf_core.file_lock import READ_ONLY
from sbf_core.gold.check import settled_models
from sbf_core.gold.model import GoldModel
from sbf_core.gold.order import ordered
from sbf_core.home.home import Home
from sbf_core.ops.made_tables import left_by_readers
from sbf_core.ops.service import OpsService
from sbf_core.plugin.hook_call import HookCalls
from sbf_core.plugin.registry import OwnedDataset
from sbf_core.runner.gold_stage import gold_models
from sbf_core.runner.promote_stage import PromoteStage
from sbf_core.silver.stale import held_failure, stale_tables, what_becomes

_FILES_AT_ONCE = 256
_NAMES_SHOWN = 5
_POSITION = "verify.json"


class Verification:
    """Compares everything that must agree.

    Journals, names and ledger always; contents and tables as far as the pass goes.

    Writes nothing but ``<home>/verify.json``, which says where the next part begins.

    Args:
        home: the home; the silver tables of its plugins are made again to be compared.
        progress: told what goes on.
        sample_percent: read only this share of payloads and tables, the next one at the next call.
        seconds_max: stop after that many seconds, and go on there at the next call.
    """

    def __init__(
        self,
        home: Home,
        *,
        progress: Progress | None = None,
        sample_percent: float | None = None,
        seconds_max: float | None = None,
    ) -> None:
        self._home = home
        self._settings = home.settings
        self._config = home.config
        self._clock = home.clock
        self._progress = progress or Silence()
        self._sample_percent = sample_percent
        self._report = VerifyReport()
        self._beside: Callable[[], AbstractContextManager[BesideDatabase]]
        self._staging: Path
        self._hooks: HookCalls
        self._deadline = None if seconds_max is None else time.monotonic() + seconds_max

    def run(self) -> VerifyReport:
        """Look.

        Raises:
            HomeLocked: a run is at work, or began meanwhile. UsageError, VersionRefused: see ``DuckDbBootstrap.open``.
            DamageFound: the database cannot be read. EnvironmentFault, OutOfMemory: the machine.
        """
        with machine_faults(self._config.database):
            return self._run()

    def _run(self) -> VerifyReport:
        self._home.registry.check_whole()
        changed = database_changed(self._config)
        if not self._config.home.is_dir():  # nothing may be made in it
            open_for_reading(self._config)
        with scratch_folder(self._config, name="verify") as scratch:
            wait = self._settings["run.wait_seconds"]
            if any(
                finding.kind is FindingKind.PUBLISHED_CHANGED for finding in changed
            ):  # else the copy is the better one
                bootstrap = DuckDbBootstrap(self._config, read_only=True, scratch=scratch).open(wait_seconds=wait)
            else:
                bootstrap, _ = open_for_reading(self._config, wait_seconds=wait, newest=True, scratch=scratch)
            try:
                report = self.look(OpsService.over(bootstrap, clock=self._clock), bootstrap, scratch)
                changed += bytes_behind(self._config, bootstrap.cursor())
                report.findings = sorted([*changed, *report.findings])
                if report.findings and self._is_overtaken(bootstrap):
                    report.leave_out_of_run()
                return report
            finally:
                bootstrap.close()

    def _is_overtaken(self, bootstrap: DuckDbBootstrap) -> bool:
        """Whether a run began while its copy was looked at: nothing keeps one from that."""
        if bootstrap.database == self._config.database:
            return False
        now = current_publication(self._config)
        return now is None or not now.is_current or now.path != bootstrap.database

    def look(self, ops: OpsService, bootstrap: DuckDbBootstrap, scratch: Path) -> VerifyReport:
        """Look with a database that is open already.

        Args:
            ops: its ledger.
            bootstrap: the database.
            scratch: a folder that it may write.
        """
        self._report, now = VerifyReport(), self._clock.now()  # of one moment, so that all are laid out alike
        self._beside = lambda: beside(bootstrap.new_cursor, scratch / "made.duckdb", now=now)
        self._staging = scratch
        self._hooks = self._home.hooks()
        try:
            self._look(ops)
        finally:
            self._hooks.close()
        self._report.findings.sort()
        return self._report

    def _look(self, ops: OpsService) -> None:
        report, bronze = self._report, self._config.bronze
        records = compare_records(bronze, ops.recorded)
        report.findings += [*records.findings, *check_ledger(ops.cursor())]
        if all(one.kind is FindingKind.NOT_RECOVERED for one in report.findings):  # else the proofs are what is lacking
            report.findings += check_coverage(ops.cursor(), self._home.entries)
        expected = records.expected
        listed = compare_listing(bronze, expected, quarantined=ops.recovery.damaged_paths())
        report.findings += [*listed.findings, *check_published(self._config)]
        self._tell_unknown()
        self._tell_older(ops)
        now_called = {
            name: owned.entry.id for owned in self._home.registry.datasets.values() for name in owned.entry.ids
        }
        stale = self._stale(ops)
        there = ops.recorded.dataset_ids()
        datasets = self._home.registry.datasets
        filled = {now_called[one] for one in there if one in now_called}
        filled |= {name for name, owned in datasets.items() if there.intersection(owned.entry.payloads_of)}
        owners = [datasets[name] for name in sorted(filled) if name not in stale]
        for owned, error in self._home.registry.unread.values():
            report.notes.append(f"silver.{owned.entry.silver_table} was not compared: {error}")
        left = {one.dataset for one in left_by_readers(ops.tables.made(), self._home.entries)}
        absent = sorted((there - now_called.keys()) | (left - self._home.registry.unread.keys()))
        if absent:
            report.notes.append(f"no installed plugin knows {', '.join(absent)}: their tables were not compared")
        models = self._models(ops)
        report.payloads, report.tables = len(expected), len(owners) + len(models)
        report.payloads_checked = len(expected) - len(
            listed.there
        )  # of those that are not there nothing is left to read
        units: list[tuple[str, OwnedDataset | GoldModel | None]] = [(path, None) for path in listed.there]
        units += [(f"silver.{owned.entry.silver_table}", owned) for owned in owners] + [
            (f"gold.{model.name}", model) for model in models
        ]
        self._work_through(ops, units, records)

    def _tell_older(self, ops: OpsService) -> None:
        older = older_than(self._config, ops.load_table_versions(ops.cursor()))
        if older:
            is_told = self._settings["run.publish"] == "no"
            next_step = 'run.publish is "no"' if is_told else "the next `sbf run` writes them anew"
            self._report.notes.append(f"readers see an older state of {', '.join(older)}: {next_step}")

    def _tell_unknown(self) -> None:
        """Files of the home that are not sbf's, and were not looked at."""
        universes = (self._settings.universe, *self._settings.universes.values())
        declared = frozenset(universe.file for universe in universes if universe.file is not None)
        unknown = list(unknown_files(self._config, declared=declared))
        if unknown:
            more = f" and {len(unknown) - _NAMES_SHOWN} more" if len(unknown) > _NAMES_SHOWN else ""
            self._report.notes.append(f"not sbf's, and not looked at: {', '.join(unknown[:_NAMES_SHOWN])}{more}")
        moved = moved_from(self._config)
        if moved:
            what = (
                "the home was moved or copied: until a run changes a table, or `sbf run --force`, "
                f"{VIEWS} shows the files in {moved}"
            )
            self._report.notes.append(what)

    def _stale(self, ops: OpsService) -> frozenset[str]:
        """Datasets whose table another declaration made: what it must hold, nobody can say any more."""
        tables = stale_tables(ops.cursor(), self._home.entries, bronze=self._home.config.bronze)
        for stale in tables:
            table = f"silver.{stale.entry.silver_table}"
            self._report.notes.append(
                f"{table} was not compared: its declaration has changed since it was made ({'; '.join(stale.why)}); "
                + (what_becomes(stale) if stale.hold is None else str(held_failure(stale.hold)))
            )
        return frozenset(stale.entry.id for stale in tables)

    def _models(self, ops: OpsService) -> list[GoldModel]:
        """The gold models whose tables can be checked, in the order in which they are built."""
        failures: list[Failure] = []
        models = gold_models(ops, self._home.plugins, self._home.plugins.selected(None), failures, hooks=self._hooks)
        self._report.notes.extend(str(failure) for failure in failures)
        settled = settled_models(ops.cursor(), ops, models)
        left = len(models) - len(settled)
        if left:
            self._report.notes.append(
                f"{counted(left, 'gold table was', 'gold tables were')} not compared: not built, or with new input"
            )
        return ordered([model for model, _ in settled], {f"gold.{model.name}": reads for model, reads in settled})

    def _work_through(
        self,
        ops: OpsService,
        units: Sequence[tuple[str, OwnedDataset | GoldModel | None]],
        records: Records,
    ) -> None:
        todo = self._part(units)
        self._progress.start("verify", len(todo))
        done = 0
        while done < len(todo):
            paths = [name for name, _ in takewhile(lambda unit: unit[1] is None, todo[done : done + _FILES_AT_ONCE])]
            if paths:
                self._report.findings += check_contents(self._config.bronze, paths, records.expected)
                self._report.payloads_checked += len(paths)
                step = len(paths)
            else:
                tables = {
                    name: what
                    for name, what in takewhile(lambda unit: unit[1] is not None, todo[done:])
                    if what is not None
                }
                step = self._tables(ops, tables, records)
            done += step
            self._progress.advance(step)
            if self._out_of_time():
                break
        self._progress.finish()
        if done:
            self._remember(todo[done - 1][0], [name for name, _ in units])

    # parts

    def _part(
        self, units: Sequence[tuple[str, OwnedDataset | GoldModel | None]]
    ) -> list[tuple[str, OwnedDataset | GoldModel | None]]:
        """The units of this pass: all, or the ones after those of the last pass; payloads first."""
        if self._sample_percent is None and self._deadline is None:
            return list(units)
        names = [name for name, _ in units]
        try:
            facts = state_of(self._config.home / _POSITION)
            start = names.index(facts["last"]) + 1 if facts["last"] in names else int(facts["number"])
        except (OSError, ValueError, KeyError, TypeError):
            start = 0
        turned = [*units[start:], *units[:start]]
        share = 100.0 if self._sample_percent is None else self._sample_percent
        return turned[: math.ceil(len(units) * share / 100)]

    def _remember(self, last: str, names: Sequence[str]) -> None:
        if self._sample_percent is None and self._deadline is None:
            return
        told = f"the next call goes on after {last}"
        try:
            write_whole(self._config.home / _POSITION, json.dumps({"last": last, "number": names.index(last)}).encode())
        except OSError as error:
            if error.errno not in READ_ONLY:
                raise
            told = "this home may only be read, so the next call cannot go on there"
        if not self._report.whole:
            self._report.notes.append(f"this was a part; {told}")

    def _out_of_time(self) -> bool:
        return self._deadline is not None and time.monotonic() >= self._deadline

    # tables

    def _tables(self, ops: OpsService, tables: Mapping[str, OwnedDataset | GoldModel], records: Records) -> int:
        """Compare some tables, silver before gold; returns how many came before the time was up."""
        done = 0
        config = attrs.evolve(self._config, staging_folder=self._staging)
        for what in tables.values():
            if isinstance(what, OwnedDataset):
                with self._beside() as database:
                    scratch = OpsService.over(database, clock=self._clock)
                    stage = PromoteStage(scratch, config, self._hooks, progress=RunProgress())
                    check_silver(self._report, ops, scratch, stage, what, records.lines)
            else:
                check_gold(self._report, ops, what, select_seconds_max=self._settings["gold.select_seconds_max"])
            self._report.tables_checked += 1
            done += 1
            if self._out_of_time():
                break
        return done

"""``sbf verify``, ``repair``, ``rebuild``, ``backup`` and ``restore``."""

from __future__ import annotations

from pathlib import Path

import attrs

from sbf_core.cli.render import print_json, print_table, tell
from sbf_core.cli.run import run_logger
from sbf_core.cli.show_progress import progress
from sbf_core.clock import clock_of_process
from sbf_core.duck.disk import machine_faults
from sbf_core.errors import UsageError
from sbf_core.plugin.installed import installed_plugins
from sbf_core.runner.options import RunOptions
from sbf_core.runner.repair import Repair
from sbf_core.runner.runner import Runner
from sbf_core.runner.verification import Verification
from sbf_core.settings.settings import Settings
from sbf_core.trust.backup import BackupReport, back_up, restore_files
from sbf_core.vocabulary import RunStatus

_FINDINGS_SHOWN = 200


def verify_report(home: str | None, *, sample: float | None, max_seconds: float | None, as_json: bool) -> int:
    """Compare everything that must agree; 3 if something does not."""
    if sample is not None and not 0 < sample <= 100:
        raise UsageError(f"--sample is {sample:g}", fix="give a percentage above 0, up to 100", code="USAGE")
    if max_seconds is not None and not max_seconds > 0:
        raise UsageError(f"--max-seconds is {max_seconds:g}", fix="give a number above 0", code="USAGE")
    report = Verification(Settings(home), progress=progress(), sample_percent=sample, seconds_max=max_seconds).run()
    if as_json:
        print_json(
            "verify",
            well=not report.findings,
            findings=[attrs.asdict(finding) for finding in report.findings],
            payloads_checked=report.payloads_checked,
            payloads=report.payloads,
            tables_checked=report.tables_checked,
            tables=report.tables,
            notes=report.notes,
        )
        return 3 if report.findings else 0
    for note in report.notes:
        tell(f"sbf: note: {note}")
    if report.findings:
        shown = report.findings[:_FINDINGS_SHOWN]
        print_table(
            ("kind", "subject", "detail"), [(finding.kind, finding.subject, finding.detail) for finding in shown]
        )
        if len(report.findings) > len(shown):
            print(f"and {len(report.findings) - len(shown)} more; --json shows all")
        print()
    what = (
        f"{report.payloads_checked} of {report.payloads} payloads and {report.tables_checked} of {report.tables} tables"
    )
    if not report.findings:
        print(f"All is well: {what} were compared.")
        return 0
    print(f"{len(report.findings)} findings; {what} were compared. Try next: sbf repair")
    return 3


def repair_report(home: str | None, *, sources: tuple[str, ...], as_json: bool) -> int:
    """Bring the home in order; 3 if something could not be put right."""
    folders = [Path(source).expanduser().absolute() for source in sources]
    missing = next((folder for folder in folders if not folder.is_dir()), None)
    if missing is not None:
        raise UsageError(
            "there is no such folder",
            where=str(missing),
            fix="name a backup, a home or a Bronze folder with --from",
            code="USAGE",
        )
    settings = Settings(home)
    _needs_database(settings)
    repaired = Repair(settings, sources=folders, progress=progress(), logger=run_logger()).run()
    if as_json:
        before, after = (
            [attrs.asdict(finding) for finding in findings] for findings in (repaired.before, repaired.after)
        )
        print_json("repair", well=not repaired.after, before=before, after=after, done=repaired.done)
        return 3 if repaired.after else 0
    if not repaired.before:
        print("All is well: nothing had to be repaired.")
        return 0
    for line in repaired.done:
        print(line)
    print()
    if repaired.after:
        print_table(
            ("kind", "subject", "detail"),
            [(finding.kind, finding.subject, finding.detail) for finding in repaired.after[:_FINDINGS_SHOWN]],
        )
        print()
        print(
            f"{len(repaired.before)} findings before, {len(repaired.after)} are left. "
            "Payloads come back with: sbf repair --from BACKUP"
        )
        return 3
    print(f"{len(repaired.before)} findings before, none is left.")
    return 0


def backup_report(home: str | None, folder: str, *, as_json: bool) -> None:
    """Copy the home, run or no run."""
    settings = Settings(home)
    with machine_faults(Path(folder)):
        report = back_up(settings.config, Path(folder), clock=clock_of_process())
    _print_copy("backup", report, as_json=as_json)


def restore_report(home: str | None, folder: str, *, as_json: bool) -> int:
    """Make a home from a backup, and bring its database up to its journals."""
    settings = Settings(home)
    with machine_faults(settings.home):
        report = restore_files(Path(folder), settings.config)
    restored = Settings(home)  # now with the settings of the home that was backed up
    runner = Runner(
        restored, RunOptions(fetch=False, plugins=_all_plugins(restored)), progress=progress(), logger=run_logger()
    )
    context = runner.run()
    _print_copy("restore", report, as_json=as_json)
    for failure in context.failures:
        tell(f"sbf: failed: {failure}")
    return 0 if context.status is RunStatus.OK else 1


def _all_plugins(settings: Settings) -> tuple[str, ...]:
    """Every plugin that works, and that the settings do not block."""
    return tuple(record.name for record in installed_plugins(settings).selected(None))


def _print_copy(what: str, report: BackupReport, *, as_json: bool) -> None:
    if as_json:
        print_json(what, **{**attrs.asdict(report), "folder": str(report.folder)})
        return
    print(
        f"{report.payloads} payloads, {report.payloads_copied} of them copied now "
        f"({report.byte_count / 1024**2:.1f} MiB); database: {report.database}"
    )
    print(f"at {report.folder}")


def _needs_database(settings: Settings) -> None:
    if not settings.config.database.exists():
        raise UsageError(
            "there is no database",
            where=str(settings.home),
            fix="run `sbf rebuild`, or `sbf run` for a new home",
            code="NO_DATA",
        )

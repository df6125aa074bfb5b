"""``sbf verify``."""

from __future__ import annotations

from typing import Annotated

import attrs
import typer
from typer.exceptions import Exit

from sbf_core.care.findings import PAYLOAD_LOST
from sbf_core.care.verify import Verification
from sbf_core.care.verify_report import VerifyReport
from sbf_core.cli import options as opt
from sbf_core.cli.findings_table import print_findings
from sbf_core.cli.render import command, print_json, tell
from sbf_core.cli.show_progress import progress
from sbf_core.counted import counted
from sbf_core.errors import DamageFound, UsageError
from sbf_core.home.home import Home


def verify(
    home_folder: opt.HomeFolder = None,
    sample: Annotated[
        float | None,
        typer.Option(
            "--sample",
            metavar="PERCENT",
            help="Read only this share; the next call takes the next one.",
            show_default=False,
        ),
    ] = None,
    max_seconds: Annotated[
        float | None,
        typer.Option(
            "--max-seconds", metavar="N", help="Stop after N seconds; the next call goes on there.", show_default=False
        ),
    ] = None,
    as_json: opt.AsJson = False,
) -> None:
    """Compare files, journals, ledger and tables; exit code 3 if they disagree. Changes nothing.

    Examples: sbf verify | sbf verify --sample 5
    """
    if sample is not None and not 0 < sample <= 100:
        raise UsageError(f"--sample is {sample:g}", fix="give a percentage above 0, up to 100", code="USAGE")
    if max_seconds is not None and not max_seconds > 0:
        raise UsageError(f"--max-seconds is {max_seconds:g}", fix="give a number above 0", code="USAGE")
    home = Home.at(home_folder)
    report = Verification(home, progress=progress(), sample_percent=sample, seconds_max=max_seconds).run()
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
        raise Exit(_code(report))
    for note in report.notes:
        tell(f"sbf: note: {note}")
    if report.findings:
        print_findings(report.findings)
    what = (
        f"{report.payloads_checked:,} of {counted(report.payloads, 'payload')} and "
        f"{report.tables_checked:,} of {counted(report.tables, 'table')}"
    )
    if not report.findings:
        print(f"{'All is well' if report.whole else 'What was compared is well'}: {what} were compared.")
    else:
        again = "sbf repair --from BACKUP" if any(one.kind in PAYLOAD_LOST for one in report.findings) else "sbf repair"
        count = counted(len(report.findings), "finding")
        print(f"{count}; {what} were compared. Try next: {command(again)}")
    raise Exit(_code(report))


def _code(report: VerifyReport) -> int:
    return DamageFound.exit_code if report.findings else 0

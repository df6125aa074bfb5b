"""``sbf repair``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import attrs
import typer
from typer.exceptions import Exit

from sbf_core.care.repair import Repair
from sbf_core.cli import options as opt
from sbf_core.cli.findings_table import print_findings
from sbf_core.cli.outcome import run_logger
from sbf_core.cli.render import command, print_json, say
from sbf_core.cli.show_progress import progress
from sbf_core.counted import counted
from sbf_core.errors import DamageFound, UsageError
from sbf_core.home.home import Home


def repair(
    home_folder: opt.HomeFolder = None,
    sources: Annotated[
        list[str] | None,
        typer.Option(
            "--from",
            metavar="FOLDER",
            help="Take whole payloads from this backup, home or Bronze folder; may be repeated.",
            show_default=False,
        ),
    ] = None,
    as_json: opt.AsJson = False,
) -> None:
    """Put right what `sbf verify` finds: adopt, move aside, put back, promote again. Deletes nothing.

    Examples: sbf repair | sbf repair --from /mnt/backup
    """
    folders = [Path(source).expanduser().absolute() for source in sources or ()]
    missing = next((folder for folder in folders if not folder.is_dir()), None)
    if missing is not None:
        raise UsageError(
            "there is no such folder",
            where=str(missing),
            fix="name a backup, a home or a Bronze folder with --from",
            code="USAGE",
        )
    home = Home.at(home_folder, logger=run_logger())
    if not home.config.database.exists():
        raise UsageError(
            "there is no database",
            where=str(home.folder),
            fix="run `sbf rebuild`, or `sbf run` for a new home",
            code="NO_DATA",
        )
    repaired = Repair(home, sources=folders, progress=progress()).run()
    if as_json:
        before, after = (
            [attrs.asdict(finding) for finding in findings] for findings in (repaired.before, repaired.after)
        )
        print_json("repair", well=not repaired.after, before=before, after=after, done=repaired.done)
        raise Exit(DamageFound.exit_code if repaired.after else 0)
    if not repaired.before:
        print("All is well: nothing had to be repaired.")
        return
    for line in repaired.done:
        say(line)
    print()
    if repaired.after:
        print_findings(repaired.after)
        print(
            f"{counted(len(repaired.before), 'finding')} before, {counted(len(repaired.after), 'is', 'are')} left. "
            f"Payloads come back with: {command('sbf repair --from BACKUP')}"
        )
        raise Exit(DamageFound.exit_code)
    print(f"{counted(len(repaired.before), 'finding')} before, none is left.")

"""``sbf restore``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from typer.exceptions import Exit

from sbf_core.care.backup import restore_files
from sbf_core.cli import options as opt
from sbf_core.cli.copied import tell_copied
from sbf_core.cli.outcome import run_logger
from sbf_core.cli.render import tell
from sbf_core.cli.show_progress import progress
from sbf_core.duck.disk import machine_faults
from sbf_core.home.home import Home
from sbf_core.runner.options import RunOptions
from sbf_core.runner.runner import Runner
from sbf_core.vocabulary import RunStatus


def restore(
    folder: Annotated[str, typer.Argument(metavar="FOLDER", help="A folder that `sbf backup` has written.")],
    home_folder: opt.HomeFolder = None,
    as_json: opt.AsJson = False,
) -> None:
    """Make a new home from a backup, each payload checked.

    Example: sbf restore /mnt/backup/warehouse --home ~/warehouse
    """
    empty = Home.at(home_folder)
    with machine_faults(empty.folder):
        report = restore_files(Path(folder), empty.config)
    home = Home.at(home_folder, logger=run_logger())  # now with the settings of the home that was backed up
    every = tuple(record.name for record in home.plugins.selected(None))
    context = Runner(home, RunOptions(fetch=False, plugins=every), progress=progress()).run()
    tell_copied("restore", report, as_json=as_json)
    for failure in context.failures:
        tell(f"sbf: failed: {failure}")
    raise Exit(0 if context.status is RunStatus.OK else 1)

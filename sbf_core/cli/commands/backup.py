"""``sbf backup``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sbf_core.care.backup import back_up
from sbf_core.cli import options as opt
from sbf_core.cli.copied import tell_copied
from sbf_core.duck.disk import machine_faults
from sbf_core.home.home import Home


def backup(
    folder: Annotated[str, typer.Argument(metavar="FOLDER", help="An empty folder, or that of an earlier backup.")],
    home_folder: opt.HomeFolder = None,
    as_json: opt.AsJson = False,
) -> None:
    """Copy the home; only what is new, and while a run may be at work.

    Example: sbf backup /mnt/backup/warehouse
    """
    home, target = Home.at(home_folder), Path(folder)
    with machine_faults(target):
        report = back_up(home.config, target, clock=home.clock)
    tell_copied("backup", report, as_json=as_json)

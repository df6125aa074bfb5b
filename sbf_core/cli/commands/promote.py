"""``sbf promote``."""

from __future__ import annotations

import time
from typing import Annotated

import typer
from typer.exceptions import Exit

from sbf_core.cli import options as opt
from sbf_core.cli.outcome import run_and_tell, run_logger
from sbf_core.cli.show_progress import progress
from sbf_core.errors import UsageError
from sbf_core.home.home import Home
from sbf_core.reports.datasets import dataset_named
from sbf_core.runner.options import RunOptions
from sbf_core.runner.runner import Runner


def promote(
    datasets: Annotated[
        list[str] | None, typer.Argument(metavar="[DATASET]...", help="Only these datasets.", show_default=False)
    ] = None,
    home_folder: opt.HomeFolder = None,
    accept: Annotated[
        bool, typer.Option("--accept", help="Promote payloads, too, that are held because a field is gone.")
    ] = False,
    wait: opt.Wait = None,
    as_json: opt.AsJson = False,
) -> None:
    """Promote what Bronze holds and Silver does not, and build Gold; asks no vendor.

    Examples: sbf promote | sbf promote fx/ecb/reference_rates --accept
    """
    began = time.monotonic()
    home = Home.at(home_folder, flags={"run.wait_seconds": wait}, logger=run_logger())
    ids = tuple(dataset_named(name, home.entries).id for name in datasets or ())
    if not home.config.database.exists():
        raise UsageError("there is no database", where=str(home.folder), fix="run `sbf run` first", code="NO_DATA")
    plugins = tuple(record.name for record in home.plugins.selected(None))
    options = RunOptions(plugins=plugins, ids=ids, fetch=False, accept=accept)
    raise Exit(run_and_tell(Runner(home, options, progress=progress()), home.settings, began, as_json=as_json))

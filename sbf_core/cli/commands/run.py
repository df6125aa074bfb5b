"""``sbf run``."""

from __future__ import annotations

import time
from typing import Annotated

import typer
from typer.exceptions import Exit

from sbf_core.cli import options as opt
from sbf_core.cli.outcome import run_and_tell, run_logger, tell_refused
from sbf_core.cli.run_words import RunWords, takes_run_words
from sbf_core.cli.show_progress import progress
from sbf_core.home.home import Home
from sbf_core.runner.runner import Runner


@takes_run_words
def run(
    *,
    home_folder: opt.HomeFolder = None,
    words: RunWords,
    workers: opt.Workers = None,
    only: Annotated[
        str | None, typer.Option("--only", metavar="LAYER", help="Only bronze, silver or gold.", show_default=False)
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan and stop, as `sbf plan`.")] = False,
    as_json: opt.AsJson = False,
) -> None:
    """Fetch what is due, promote it to Silver, build Gold.

    Examples: sbf run --replay sample | sbf run --plugins ecb,sec | sbf run --select 'fmp:eod*' |
    sbf run --since 2024-01-01
    """
    began = time.monotonic()
    options = words.options(only=only)
    home = Home.at(home_folder, flags=words.settings(workers=workers), logger=run_logger())
    runner = Runner(home, options, progress=progress())
    tell_refused(runner)
    if dry_run:
        from sbf_core.cli.commands.plan import show_plan  # most runs show none

        show_plan(runner.plan(), as_json=as_json)
        return
    raise Exit(run_and_tell(runner, home.settings, began, as_json=as_json))

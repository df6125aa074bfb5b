"""``sbf runs``."""

from __future__ import annotations

from typing import Annotated

import typer

from sbf_core.cli import options as opt
from sbf_core.cli.of_dataset import show
from sbf_core.cli.reading import reading
from sbf_core.cli.render import print_json
from sbf_core.home.home import Home
from sbf_core.reports.runs import latest_runs, one_run


def runs(
    run_id: Annotated[
        str | None,
        typer.Argument(
            metavar="[ID]",
            help="One run, by the beginning of its id, or `last`: what it did in each layer.",
            show_default=False,
        ),
    ] = None,
    home_folder: opt.HomeFolder = None,
    limit: Annotated[
        int, typer.Option("--limit", metavar="N", min=1, max=opt.COUNT_MAX, help="How many runs, or payloads of one.")
    ] = 20,
    as_json: opt.AsJson = False,
) -> None:
    """The latest runs, or one run: its payloads, promotions, rejects and gold tables.

    Examples: sbf runs --limit 5 | sbf runs last
    """
    with reading(Home.at(home_folder)) as cursor:
        if run_id is None:
            latest = latest_runs(cursor, limit=limit)
            print_json("runs", runs=latest.records) if as_json else show(latest)
            return
        run_facts = one_run(cursor, run_id, limit=limit)
    parts = {
        "run": run_facts.run,
        "bronze": run_facts.bronze,
        "silver": run_facts.silver,
        "rejects": run_facts.rejects,
        "gold": run_facts.gold,
    }
    if as_json:
        print_json("run", **{name: table.records for name, table in parts.items()})
        return
    for name, table in parts.items():
        if table.rows:
            print(f"{name}:" if name != "run" else f"run {run_facts.run.rows[0][0]}:")
            show(table, hidden=("bronze_file_id",))
            print()

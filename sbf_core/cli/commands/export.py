"""``sbf export``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sbf_core.cli import options as opt
from sbf_core.cli.render import print_json, tell
from sbf_core.counted import counted
from sbf_core.export.export import export as write_rows
from sbf_core.home.home import Home
from sbf_core.user_dates import moment as moment_of


def export(
    what: Annotated[str, typer.Argument(metavar="TABLE|SELECT", help="silver.NAME, gold.NAME, or one SELECT.")],
    home_folder: opt.HomeFolder = None,
    kind: Annotated[
        str, typer.Option("--format", metavar="FORMAT", help="parquet, csv, arrow (an IPC stream) or xlsx.")
    ] = "parquet",
    to: Annotated[
        str | None,
        typer.Option(
            "--to", metavar="FILE", help="In this folder, called after the table, when absent.", show_default=False
        ),
    ] = None,
    as_of: Annotated[
        str | None,
        typer.Option(
            "--as-of",
            metavar="MOMENT",
            help="Rows as they were known then: 2026-01-31, its end in UTC.",
            show_default=False,
        ),
    ] = None,
    as_json: opt.AsJson = False,
) -> None:
    """Write rows to a file for others, with a manifest: sources, terms, columns, moment, checksum.

    Example: sbf export gold.fact_price_eod --format csv --as-of 2026-01-31
    """
    moment = None if as_of is None else moment_of(as_of, what="--as-of")
    done = write_rows(Home.at(home_folder), what, kind=kind, to=None if to is None else Path(to), moment=moment)
    for note in done.notes:
        tell(f"sbf: note: {note}")
    if as_json:
        print_json("export", path=str(done.file), manifest=str(done.manifest), facts=done.facts)
        return
    print(f"{done.file}: {counted(done.facts['rows'], 'row')}, {done.facts['bytes']:,} bytes")
    print(f"sha256 {done.facts['sha256']}")
    print(f"{done.manifest}: where they come from")

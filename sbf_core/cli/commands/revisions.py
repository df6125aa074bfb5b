"""``sbf revisions``."""

from __future__ import annotations

from typing import Annotated

import duckdb
import typer

from sbf_core.cli import options as opt
from sbf_core.cli.of_dataset import of_dataset, refuse_empty, show
from sbf_core.cli.render import print_json
from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.errors import UsageError
from sbf_core.home.home import Home
from sbf_core.reports import datasets as facts
from sbf_core.reports.table import FactTable


def revisions(
    name: Annotated[str, typer.Argument(metavar="DATASET", help="Its id, its table or its name.")],
    key: Annotated[
        str,
        typer.Argument(metavar="KEY", help="e.g. currency=USD,date=2024-01-02, or the values in the order of the key."),
    ],
    home_folder: opt.HomeFolder = None,
    as_json: opt.AsJson = False,
) -> None:
    """Every version of one key: its values, since and until when they were known, and the payload that brought each.

    Example: sbf revisions bls_cpi series_id=CUSR0000SA0,year=2024,period=M02
    """

    def ask(cursor: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry) -> tuple[dict[str, str], FactTable]:
        wanted = facts.key_of(entry, key)
        refuse_empty(cursor, entry)
        return wanted, facts.revisions(cursor, entry, wanted)

    entry, (wanted, table), _ = of_dataset(Home.at(home_folder), name, ask)
    if not table.rows:
        raise UsageError(
            f"{entry.id} has no row with the key {key!r}", fix="look for it with `sbf sql`", code="UNKNOWN_KEY"
        )
    if as_json:
        print_json("revisions", dataset=entry.id, key=wanted, versions=table.records)
        return
    show(table, hidden=(facts.own_header(entry, "bronze_file_id"),))

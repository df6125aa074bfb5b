"""``sbf digest``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from sbf_core.care.digest import digest_tables, warehouse_tables
from sbf_core.cli import options as opt
from sbf_core.cli.reading import reading
from sbf_core.cli.render import print_json, print_table
from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.errors import UsageError, nearest
from sbf_core.home.home import Home
from sbf_core.reports.stale_tables import as_they_are


def digest(
    home_folder: opt.HomeFolder = None,
    table: Annotated[
        list[str] | None,
        typer.Option("--table", metavar="SCHEMA.TABLE", help="Only this table; may be repeated.", show_default=False),
    ] = None,
    as_json: opt.AsJson = False,
) -> None:
    """One checksum for each silver and gold table, to compare databases.

    Example: sbf digest --table silver.ecb_reference_rate
    """
    home, tables = Home.at(home_folder), tuple(table or ())
    with reading(home) as cursor:
        keys = _keys(as_they_are(cursor, home.entries))
        known = warehouse_tables(cursor)
        unknown = next((name for name in tables if name not in known), None)
        if unknown is not None:
            raise UsageError(
                f"there is no table {unknown!r}",
                fix=nearest(unknown, known) or "tables are " + ", ".join(known),
                code="UNKNOWN_TABLE",
            )
        digests = digest_tables(cursor, keys=keys, only=tables)
    if as_json:
        print_json(
            "digest", tables=[{"table": item.table, "rows": item.rows, "sha256": item.sha256} for item in digests]
        )
    else:
        print_table(("table", "rows", "sha256"), [(item.table, item.rows, item.sha256) for item in digests])


def _keys(entries: Sequence[DatasetKeymapEntry]) -> dict[str, tuple[str, ...]]:
    """Key columns of the silver tables whose plugins are installed;
    other tables are ordered by all of their columns.
    """
    keys = {}
    for entry in entries:
        keys[f"silver.{entry.silver_table}"] = entry.key_columns
        keys[f"silver.{entry.silver_table}_history"] = (*entry.key_columns, "known_from")
    return keys

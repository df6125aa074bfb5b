"""Questions about one dataset, asked by several commands, and their answers as tables."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import duckdb

from sbf_core.cli.reading import reading
from sbf_core.cli.render import print_table
from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.errors import UsageError
from sbf_core.home.home import Home
from sbf_core.reports.datasets import dataset_named, has_rows
from sbf_core.reports.problem import Problem
from sbf_core.reports.stale_tables import as_it_is, problems_of_tables
from sbf_core.reports.table import FactTable

_Answer = TypeVar("_Answer")


def of_dataset(
    home: Home, name: str, ask: Callable[[duckdb.DuckDBPyConnection, DatasetKeymapEntry], _Answer]
) -> tuple[DatasetKeymapEntry, _Answer, list[Problem]]:
    """A dataset with the columns that its table has, what was asked of it, and what it waits for.

    Raises:
        UsageError: there is no such dataset; and what ``ask`` raises.
    """
    declared = dataset_named(name, home.entries)
    with reading(home) as cursor:
        entry = as_it_is(cursor, declared)
        page = f"/datasets/{declared.silver_table}"
        problems = [one for one in problems_of_tables(cursor, [declared], home.config.bronze) if one.href == page]
        return entry, ask(cursor, entry), problems


def refuse_empty(cursor: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry) -> None:
    """Raise ``UsageError`` where a dataset has no row yet."""
    if not has_rows(cursor, entry):
        raise UsageError(f"there is nothing of {entry.id} yet", fix="run `sbf run`", code="NO_ROWS")


def show(table: FactTable, *, hidden: tuple[str, ...] = ()) -> None:
    """Columns that are empty in all rows are left out: most runs have no errors. So are ids that only programs need."""
    shown = [place for place, name in enumerate(table.headers) if name not in hidden]
    kept = [place for place in shown if any(row[place] not in (None, "") for row in table.rows)] or shown
    print_table([table.headers[place] for place in kept], [[row[place] for place in kept] for row in table.rows])

"""``sbf runs``, ``sbf datasets NAME``, ``sbf coverage`` and ``sbf revisions``: what happened, and what there is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
import duckdb

from sbf_core.cli.reading import reading
from sbf_core.cli.render import print_json, print_table
from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.errors import UsageError, nearest
from sbf_core.facts import datasets as facts
from sbf_core.facts import runs
from sbf_core.facts.made import as_it_is, problems_of_tables, undeclared_fields
from sbf_core.facts.problem import Problem
from sbf_core.facts.table import FactTable
from sbf_core.plugin.installed import installed_plugins
from sbf_core.plugin.registry import DatasetRegistry
from sbf_core.settings.settings import Settings

#: A wider table is shown from its end: the last periods are what one looks for.
_PERIODS_SHOWN = 15


def runs_report(home: str | None, *, run_id: str | None, limit: int, as_json: bool) -> None:
    """The latest runs, or one run with what it did in each layer."""
    with reading(Settings(home)) as cursor:
        if run_id is None:
            latest = runs.latest_runs(cursor, limit=limit)
            print_json("runs", runs=latest.records) if as_json else _show(latest)
            return
        found = runs.one_run(cursor, run_id, limit=limit)
    parts = {
        "run": found.run,
        "bronze": found.bronze,
        "silver": found.silver,
        "rejects": found.rejects,
        "gold": found.gold,
    }
    if as_json:
        print_json("run", **{name: table.records for name, table in parts.items()})
        return
    for name, table in parts.items():
        if table.rows:
            print(f"{name}:" if name != "run" else f"run {found.run.rows[0][0]}:")
            _show(table, hidden=("bronze_file_id",))
            print()


def dataset_report(home: str | None, *, name: str, limit: int, as_json: bool) -> None:
    """One dataset: what its columns hold, and its payloads."""

    def ask(
        cursor: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry
    ) -> tuple[FactTable, FactTable, FactTable, int]:
        payloads = facts.payloads_of(cursor, entry, limit=limit)
        fields = undeclared_fields(cursor, entry)
        return facts.columns_of_table(cursor, entry), fields, payloads, facts.count_payloads(cursor, entry)

    entry, (columns, fields, payloads, total), problems = _of_dataset(home, name, ask)
    if as_json:
        print_json(
            "dataset", dataset=entry.id, title=entry.title, terms=entry.terms, source_url=entry.source_url,
            silver_table=entry.silver_table, semantics=entry.semantics,
            waits=[attrs.asdict(one, filter=attrs.filters.exclude("href")) for one in problems],
            columns=columns.records, undeclared=fields.records, payloads=payloads.records,
        )  # fmt: skip
        return
    print(f"{entry.id}: {entry.title or 'no title'}, in silver.{entry.silver_table} ({entry.semantics})")
    print(f"{entry.terms} {entry.source_url}".strip())
    for problem in problems:
        print(f"{problem.what}: {problem.detail}; go on with `{problem.fix}`")
    print()
    _show(columns)
    print()
    if fields.rows:
        print("Payloads have fields that are not declared:")
        _show(fields)
        print()
    _show(payloads, hidden=("bronze_file_id",)) if payloads.rows else print("No payload yet: run `sbf run`.")
    if len(payloads.rows) < total:
        print(f"\nThe last {len(payloads.rows)} of {total:,} payloads; --limit shows more.")


def coverage_report(home: str | None, *, name: str, by: str, ticker: str | None, as_json: bool) -> None:
    """How many rows there are by ticker and period; a zero is a hole."""
    if by not in facts.PERIODS:
        raise UsageError(
            f"--by {by!r} is no period", fix=nearest(by, facts.PERIODS) or "use year, quarter or month", code="USAGE"
        )

    def ask(cursor: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry) -> FactTable:
        _refuse_empty(cursor, entry)
        return facts.coverage(cursor, entry, by=by, ticker_column=facts.ticker_column(entry))

    entry, found, _ = _of_dataset(home, name, ask)
    rows = tuple(row for row in found.rows if ticker is None or row[0] == ticker)
    if ticker is not None and not rows:
        names = [str(row[0]) for row in found.rows]
        raise UsageError(
            f"{entry.id} has no row of {ticker!r}",
            fix=nearest(ticker, names) or "see `sbf coverage` without --ticker",
            code="UNKNOWN_TICKER",
        )
    if as_json:
        print_json(
            "coverage", dataset=entry.id, by=by, rows=[dict(zip(found.headers, row, strict=True)) for row in rows]
        )
        return
    first = max(1, len(found.headers) - _PERIODS_SHOWN)
    _show(FactTable((found.headers[0], *found.headers[first:]), tuple((row[0], *row[first:]) for row in rows)))
    if first > 1:
        print(
            f"\nThe last {_PERIODS_SHOWN} of {len(found.headers) - 1} periods, "
            f"since {found.headers[1]}; --json has all."
        )


def revisions_report(home: str | None, *, name: str, key: str, as_json: bool) -> None:
    """Every version of one key."""

    def ask(cursor: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry) -> tuple[dict[str, str], FactTable]:
        wanted = facts.key_of(entry, key)
        _refuse_empty(cursor, entry)
        return wanted, facts.revisions(cursor, entry, wanted)

    entry, (wanted, found), _ = _of_dataset(home, name, ask)
    if not found.rows:
        raise UsageError(
            f"{entry.id} has no row with the key {key!r}", fix="look for it with `sbf sql`", code="UNKNOWN_KEY"
        )
    if as_json:
        print_json("revisions", dataset=entry.id, key=wanted, versions=found.records)
        return
    _show(found, hidden=(facts.own_header(entry, "bronze_file_id"),))


def _of_dataset(
    home: str | None, name: str, ask: Callable[[duckdb.DuckDBPyConnection, DatasetKeymapEntry], Any]
) -> tuple[DatasetKeymapEntry, Any, list[Problem]]:
    """A dataset with the columns that its table has, what was asked of it, and what it waits for."""
    settings = Settings(home)
    registry = DatasetRegistry(installed_plugins(settings))
    declared = facts.dataset_named(name, [owned.entry for owned in registry.datasets.values()])
    with reading(settings) as cursor:
        entry = as_it_is(cursor, declared)
        page = f"/datasets/{declared.silver_table}"
        problems = [one for one in problems_of_tables(cursor, [declared]) if one.href == page]
        return entry, ask(cursor, entry), problems


def _refuse_empty(cursor: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry) -> None:
    if not facts.has_rows(cursor, entry):
        raise UsageError(f"there is nothing of {entry.id} yet", fix="sbf run", code="NO_ROWS")


def _show(table: FactTable, *, hidden: tuple[str, ...] = ()) -> None:
    """Columns that are empty in all rows are left out: most runs have no errors. So are ids that only programs need."""
    shown = [place for place, name in enumerate(table.headers) if name not in hidden]
    kept = [place for place in shown if any(row[place] not in (None, "") for row in table.rows)] or shown
    print_table([table.headers[place] for place in kept], [[row[place] for place in kept] for row in table.rows])

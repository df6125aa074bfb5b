"""Tables that another declaration made than the one that holds now: they are shown as they are, and told to be so."""

from __future__ import annotations

from collections.abc import Iterable

import duckdb

from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.facts.problem import Problem
from sbf_core.facts.table import FactTable, table_of
from sbf_core.ops.made_tables import HeldPayloads, MadeTable, held_payloads, made_tables
from sbf_core.silver.stale import as_made, cost_of, keeps_what_made, payloads_wait, stale_of_home


def as_it_is(cursor: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry) -> DatasetKeymapEntry:
    """A dataset with the columns that its table has."""
    return as_made(entry, _made(cursor).get(entry.silver_table))


def as_they_are(cursor: duckdb.DuckDBPyConnection, entries: Iterable[DatasetKeymapEntry]) -> list[DatasetKeymapEntry]:
    """Datasets with the columns that their tables have."""
    made = _made(cursor)
    return [as_made(entry, made.get(entry.silver_table)) for entry in entries]


def waiting_payloads(cursor: duckdb.DuckDBPyConnection) -> list[HeldPayloads]:
    """Payloads that lack a field which came until then, and wait."""
    return held_payloads(cursor) if keeps_what_made(cursor) else []


def undeclared_fields(cursor: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry) -> FactTable:
    """Fields of its payloads that no column takes, with examples of their values, and since when they come."""
    if not keeps_what_made(cursor):
        return FactTable(("field", "examples", "since"), ())
    known = [name for column in entry.columns for name in column.source_names]
    query = (
        "SELECT d.field, d.examples, d.seen_at AS since FROM ops.schema_drift AS d WHERE d.silver_table = ? AND d.change "
        "= 'added' AND NOT list_contains(?, d.field) ORDER BY 3, 1"
    )
    return table_of(cursor, query, [entry.silver_table, known])


def problems_of_tables(cursor: duckdb.DuckDBPyConnection, entries: Iterable[DatasetKeymapEntry]) -> list[Problem]:
    """Tables and payloads that wait, each with what to do."""
    found: list[Problem] = []
    entries = list(entries)
    for stale in stale_of_home(cursor, entries):
        table = stale.entry.silver_table
        what = f"silver.{table} is {'held' if stale.hold else 'stale'}"
        detail = stale.hold.reason if stale.hold else f"{'; '.join(stale.why)} ({cost_of(stale)})"
        fix = f"sbf rebuild {stale.entry.id} --accept" if stale.hold else "sbf run"
        found.append(Problem(what=what, detail=detail, fix=fix, href=f"/datasets/{table}"))
    tables = {entry.silver_table: entry.id for entry in entries}
    for held in waiting_payloads(cursor):
        if held.table in tables:
            dataset = tables[held.table]
            found.append(
                Problem(
                    what=f"{dataset} is held",
                    detail=payloads_wait(held),
                    fix=f"sbf promote {dataset} --accept",
                    href=f"/datasets/{held.table}",
                )
            )
    return found


def _made(cursor: duckdb.DuckDBPyConnection) -> dict[str, MadeTable]:
    return made_tables(cursor) if keeps_what_made(cursor) else {}

"""Tables that another declaration made than the one that holds now: they are shown as they are, and told to be so."""

from __future__ import annotations

from collections.abc import Iterable

import duckdb

from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.facts.problem import Problem
from sbf_core.ops.made_tables import Hold, MadeTable, holds, made_tables
from sbf_core.silver.stale import as_made, cost_of, keeps_what_made, stale_of_home
from sbf_core.vocabulary import HoldKind


def as_it_is(cursor: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry) -> DatasetKeymapEntry:
    """A dataset with the columns that its table has."""
    return as_made(entry, _made(cursor).get(entry.silver_table))


def as_they_are(
    cursor: duckdb.DuckDBPyConnection, entries: Iterable[DatasetKeymapEntry]
) -> list[DatasetKeymapEntry]:
    """Datasets with the columns that their tables have."""
    made = _made(cursor)
    return [as_made(entry, made.get(entry.silver_table)) for entry in entries]


def held_fields(cursor: duckdb.DuckDBPyConnection) -> list[Hold]:
    """Fields that payloads lack, so that these wait."""
    found = holds(cursor) if keeps_what_made(cursor) else []
    return [hold for hold in found if hold.kind is HoldKind.FIELD]


def problems_of_tables(cursor: duckdb.DuckDBPyConnection, entries: Iterable[DatasetKeymapEntry]) -> list[Problem]:
    """Tables and payloads that wait, each with what to do."""
    found = []
    for stale in stale_of_home(cursor, entries):
        table = stale.entry.silver_table
        what = f"silver.{table} is {'held' if stale.hold else 'stale'}"
        detail = stale.hold.reason if stale.hold else f"{'; '.join(stale.why)} ({cost_of(stale)})"
        fix = f"sbf rebuild {stale.entry.id} --accept" if stale.hold else "sbf run"
        found.append(Problem(what=what, detail=detail, fix=fix, href=f"/datasets/{table}"))
    for hold in held_fields(cursor):
        found.append(
            Problem(
                what=f"payloads of {hold.dataset} are held",
                detail=hold.reason,
                fix=f"sbf promote {hold.dataset} --accept",
                href=f"/datasets/{hold.table}",
            )
        )
    return found


def _made(cursor: duckdb.DuckDBPyConnection) -> dict[str, MadeTable]:
    return made_tables(cursor) if keeps_what_made(cursor) else {}

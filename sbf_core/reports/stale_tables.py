"""Tables that another declaration made than the one that holds now: they are shown as they are, and told to be so."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from pathlib import Path

import duckdb

from sbf_core.clock import to_naive_utc
from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.ops.made_tables import held_payloads, made_tables
from sbf_core.ops.promotions import ALL_PROMOTIONS
from sbf_core.reports.problem import Problem, Way
from sbf_core.reports.table import FactTable, table_of
from sbf_core.shell_words import typed
from sbf_core.silver.stale import as_made, cost_of, payloads_wait, stale_tables, what_becomes

#: How long a field that came is shown beside what is to be looked at; with its dataset it is until it is declared.
_SHOWN_FOR = dt.timedelta(days=30)
#: What else there is to do about a table that is held, and about payloads that are.
_PUT_BACK = "refuse it: put the declaration back, then"
_DECLARE = "mend it: declare the field as it comes now, then"
_NEW_FIELDS = f"""
WITH seen AS (SELECT d.silver_table, d.field, d.examples, m.fetched_at AS since, m.run_id FROM ops.schema_drift AS d
    JOIN ops.bronze_manifest AS m USING (bronze_file_id) WHERE d.change = 'added' AND m.fetched_at > ?),
firsts AS (SELECT p.silver_table, arg_min(m.run_id, m.fetched_at) AS run_id FROM {ALL_PROMOTIONS} AS p
    JOIN ops.bronze_manifest AS m USING (bronze_file_id)
    WHERE p.silver_table IN (SELECT s.silver_table FROM seen AS s) GROUP BY 1)
SELECT s.silver_table, s.field, s.examples, s.since FROM seen AS s JOIN firsts AS f USING (silver_table)
WHERE s.run_id <> f.run_id ORDER BY 4, 1, 2
"""


def as_it_is(cursor: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry) -> DatasetKeymapEntry:
    """A dataset with the columns that its table has, and under the name that it still has."""
    return as_made(entry, made_tables(cursor))


def as_they_are(cursor: duckdb.DuckDBPyConnection, entries: Iterable[DatasetKeymapEntry]) -> list[DatasetKeymapEntry]:
    """Datasets with the columns that their tables have, and under the names that these still have."""
    made = made_tables(cursor)
    return [as_made(entry, made) for entry in entries]


def undeclared_fields(cursor: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry) -> FactTable:
    """Fields of its payloads that no column takes, with examples of their values, and since when they come."""
    known = [name for column in entry.columns for name in column.source_names]
    query = (
        "SELECT d.field, d.examples, d.seen_at AS since FROM ops.schema_drift AS d "
        "WHERE d.silver_table = ? AND d.change = 'added' AND NOT list_contains(?, d.field) ORDER BY 3, 1"
    )
    return table_of(cursor, query, [entry.silver_table, known])


def new_fields(
    cursor: duckdb.DuckDBPyConnection, entries: Iterable[DatasetKeymapEntry], *, now: dt.datetime
) -> FactTable:
    """Fields that came lately into payloads of a known shape, and that no column takes.

    Args:
        cursor: on the database.
        entries: the datasets.
        now: the present moment.

    Returns:
        Columns dataset, field, examples (of its values) and since; a row a field.
    """
    headers = ("dataset", "field", "examples", "since")
    entry_by_table = {entry.silver_table: entry for entry in entries}
    fields = cursor.execute(_NEW_FIELDS, [to_naive_utc(now) - _SHOWN_FOR]).fetchall()
    rows = [
        (entry_by_table[table].id, field, *more)
        for table, field, *more in fields
        if table in entry_by_table
        and field not in {name for column in entry_by_table[table].columns for name in column.source_names}
    ]
    return FactTable(headers, tuple(rows))


def problems_of_tables(
    cursor: duckdb.DuckDBPyConnection, entries: Iterable[DatasetKeymapEntry], bronze: Path
) -> list[Problem]:
    """Tables and payloads that wait, each with what to do; ``bronze`` has the payloads."""
    problems: list[Problem] = []
    entries = list(entries)
    for stale in stale_tables(cursor, entries, bronze=bronze):
        table = stale.entry.silver_table
        what = f"silver.{table} is {'held' if stale.hold else 'stale'}"
        detail = stale.hold.reason if stale.hold else f"{'; '.join(stale.why)} ({cost_of(stale)})"
        name = typed(stale.entry.id)
        accept = f"sbf rebuild {name} --accept"
        fix, ways = ("sbf run", ()) if stale.hold is None else (accept, _ways(name, accept, _PUT_BACK))
        if stale.lost:
            detail = f"{'; '.join(stale.why)}; {what_becomes(stale)}"
            fix = "sbf repair --from BACKUP"
            back = Way(to="put the payload back", command=fix)
            ways = (_look(name), back, Way(to="go on without it", command=accept))
        problems.append(Problem(what=what, detail=detail, fix=fix, href=f"/datasets/{table}", ways=ways))
    tables = {entry.silver_table: entry.id for entry in entries}
    for held in held_payloads(cursor):
        if held.table in tables:
            dataset = tables[held.table]
            accept = f"sbf promote {typed(dataset)} --accept"
            problems.append(
                Problem(
                    what=f"{dataset} is held",
                    detail=payloads_wait(held),
                    fix=accept,
                    href=f"/datasets/{held.table}",
                    ways=_ways(typed(dataset), accept, _DECLARE),
                )
            )
    return problems


def _ways(name: str, accept: str, otherwise: str) -> tuple[Way, ...]:
    """The ways out of what is held: look at it, take it as it is, or change the declaration, which a run reads."""
    return _look(name), Way(to="accept it", command=accept), Way(to=otherwise, command="sbf run")


def _look(name: str) -> Way:
    return Way(to="look at it", command=f"sbf datasets {name}")

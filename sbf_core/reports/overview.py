"""The warehouse at a glance: how fresh each dataset is, what went wrong, and on which days runs were at work."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from pathlib import Path

import attrs
import duckdb

from sbf_core.clock import from_naive_utc
from sbf_core.counted import counted
from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.duck.identifiers import quoted
from sbf_core.errors import SbfError
from sbf_core.ops.coverage import RefusedPayloads, refused_payloads
from sbf_core.ops.made_tables import held_payloads, left_by_readers, made_tables
from sbf_core.ops.promotions import ALL_PROMOTIONS
from sbf_core.plan.planner import dataset_due
from sbf_core.reports.problem import Problem
from sbf_core.reports.table import FactTable, table_of
from sbf_core.shell_words import typed
from sbf_core.silver.stale import payloads_wait, stale_tables, what_becomes
from sbf_core.value import Value

_BRONZE = "SELECT dataset_id, count(*), max(fetched_at) FROM ops.bronze_manifest GROUP BY 1"
_SILVER = (
    "SELECT silver_table, count(*) FILTER (status = 'failed'), sum(rows_rejected), max(coverage_to) "
    f"FROM {ALL_PROMOTIONS} GROUP BY 1"
)
_TABLES_OF = """
SELECT DISTINCT m.dataset_id AS id, p.silver_table
FROM ops.bronze_manifest AS m JOIN ops.promotion_manifest AS p USING (bronze_file_id) WHERE list_contains(?, id)
"""
_ASKED = "SELECT dataset_id, max(checked_at) FROM ops.data_dates GROUP BY 1"
_RUN_ERROR = "SELECT error FROM ops.file_ingestions WHERE run_id = ? AND kind = 'run'"
_FAILED = """
SELECT dataset_id AS dataset, error, count(*) AS times, bool_or(kind = 'reading')
FROM ops.file_ingestions WHERE run_id = ? AND kind IN ('file', 'reading') AND status = 'failed'
GROUP BY ALL ORDER BY times DESC, 1, 2 LIMIT 20
"""
_GOLD_FAILED = (
    "SELECT table_name, error FROM ops.file_ingestions "
    "WHERE run_id = ? AND kind = 'gold' AND status = 'failed' ORDER BY 1"
)
_REJECTED = (
    "SELECT silver_table, reason, count(*) FROM ops.rejects WHERE run_id = ? "
    "GROUP BY ALL ORDER BY 3 DESC, 1, 2 LIMIT 20"
)
_DAYS = """
SELECT CAST(started_at AS DATE) AS day, count(*) AS runs,
    count(*) FILTER (status IN ('failed', 'interrupted')) AS failed, count(*) FILTER (status = 'partial') AS partial
FROM ops.file_ingestions WHERE kind = 'run' AND started_at >= ? GROUP BY 1 ORDER BY 1
"""
#: How a dataset stands, what needs a look first.
STATES = ("held", "failed", "stale", "late", "never", "due", "left", "fresh")


@attrs.frozen(kw_only=True)
class DatasetState(Value):
    """One dataset at a glance.

    Attributes:
        id: its identity.
        title: what it is, for readers; its identity where nobody says.
        silver_table: where its rows are.
        is_declared: whether an installed plugin declares it.
        state: ``fresh``, ``due``, ``failed``, ``never``, ``stale`` where its declaration has changed since its table
            was made, ``held`` where it waits for its user, ``left`` where no plugin declares it any more, or ``late``
            where what ``expected_by`` declares is not there.
        why: the reason.
        payloads: how many there are.
        rows: current rows in silver.
        rejected: rows that were rejected, ever.
        refused: payloads that could not be promoted, and whose days no later answer has brought.
        answered_since: payloads that could not be promoted, and whose days one has: nothing is to be done.
        covered_to: the last day in silver.
        last_fetched: when its last payload came.
    """

    id: str
    title: str
    silver_table: str
    is_declared: bool
    state: str
    why: str
    payloads: int
    rows: int
    rejected: int
    refused: int
    answered_since: int
    covered_to: dt.date | None
    last_fetched: dt.datetime | None


def dataset_states(
    cursor: duckdb.DuckDBPyConnection, entries: Iterable[DatasetKeymapEntry], *, bronze: Path, now: dt.datetime
) -> list[DatasetState]:
    """Every dataset that was ever asked for, those that need a look first; also those whose plugin is gone.

    Args:
        cursor: on the database.
        entries: the datasets of the plugins.
        bronze: where the payloads are.
        now: the present moment.
    """
    fetched_of = {name: (count, moment) for name, count, moment in cursor.execute(_BRONZE).fetchall()}
    silver = {
        name: (failed, rejected or 0, covered) for name, failed, rejected, covered in cursor.execute(_SILVER).fetchall()
    }
    asked = dict(cursor.execute(_ASKED).fetchall())
    tables = {
        name
        for (name,) in cursor.execute(
            "SELECT table_name FROM duckdb_tables() WHERE schema_name = 'silver' AND database_name = current_database()"
        ).fetchall()
    }
    datasets = []
    declared = list(entries)
    for entry in declared:
        asks = entry.payload_ids[0]
        if asks not in fetched_of and asks not in asked:
            continue
        checked = asked.get(asks)
        state, why = _freshness(entry, None if checked is None else from_naive_utc(checked), now)
        if entry.payloads_of and entry.silver_table not in silver:
            state, why = "due", "it has read no payload yet"
        datasets.append((entry.id, entry.title or entry.id, entry.silver_table, True, state, why))
    left = sorted(set(fetched_of) - {name for entry in declared for name in entry.ids})
    tables_of = dict(cursor.execute(_TABLES_OF, [left]).fetchall()) if left else {}
    datasets += [
        (name, name, tables_of.get(name, ""), False, "left", "no installed plugin declares it") for name in left
    ]
    datasets += [
        (
            one.dataset,
            one.dataset,
            one.table,
            False,
            "left",
            "no installed plugin declares it, or can read its payloads",
        )
        for one in left_by_readers(made_tables(cursor), declared)
    ]
    waiting, by_id = _waiting(cursor, declared, bronze), {entry.id: entry for entry in declared}
    states = []
    for dataset_id, title, table, is_declared, state, why in datasets:
        asks = by_id[dataset_id].payload_ids[0] if dataset_id in by_id else dataset_id
        payloads, fetched = fetched_of.get(asks, (0, None))
        failed, rejected, covered = silver.get(table, (0, 0, None))
        refused = RefusedPayloads(open=failed, answered_since=0)
        if failed and dataset_id in by_id:
            refused = refused_payloads(cursor, by_id[dataset_id])
        state, why = waiting.get(dataset_id, _with_refused(state, why, refused))
        states.append(DatasetState(
            id=dataset_id, title=title, silver_table=table, is_declared=is_declared, state=state, why=why,
            payloads=payloads, rows=_rows(cursor, table) if table in tables else 0,
            rejected=rejected, refused=refused.open, answered_since=refused.answered_since,
            covered_to=covered, last_fetched=fetched,
        ))  # fmt: skip
    return sorted(states, key=lambda one: (STATES.index(one.state), one.id))


def _with_refused(state: str, why: str, refused: RefusedPayloads) -> tuple[str, str]:
    """State and reason of a dataset of which payloads could not be promoted: it needs a look until their days came."""
    since = (
        f"{counted(refused.answered_since, 'refused payload')}, whose days a later answer has since brought"
        if refused.answered_since
        else ""
    )
    if refused.open:
        state, why = "failed", f"{counted(refused.open, 'payload')} could not be promoted"
    return state, "; ".join(part for part in (why, since) if part)


def _waiting(
    cursor: duckdb.DuckDBPyConnection, entries: Iterable[DatasetKeymapEntry], bronze: Path
) -> dict[str, tuple[str, str]]:
    """State and reason of the datasets whose table is stale, or whose payloads wait."""
    held = {one.table: ("held", payloads_wait(one)) for one in held_payloads(cursor)}
    entries = list(entries)
    waiting = {entry.id: held[entry.silver_table] for entry in entries if entry.silver_table in held}
    for stale in stale_tables(cursor, entries, bronze=bronze):
        why = f"{'; '.join(stale.why)}; {what_becomes(stale)}"
        waiting[stale.entry.id] = ("held", stale.hold.reason) if stale.hold else ("stale", why)
    return waiting


def _rows(cursor: duckdb.DuckDBPyConnection, table: str) -> int:
    counted = cursor.execute(f"SELECT count(*) FROM silver.{quoted(table)}").fetchone()
    return counted[0] if counted else 0


def _freshness(entry: DatasetKeymapEntry, checked_at: dt.datetime | None, now: dt.datetime) -> tuple[str, str]:
    try:
        due, why = dataset_due(entry, checked_at, now)
    except SbfError as error:  # its calendar is not installed: the page says so, and goes on
        return "due", str(error)
    if checked_at is None:
        return "never", "it was never answered"
    return ("due" if due else "fresh"), why


def problems_of_run(cursor: duckdb.DuckDBPyConnection, run_id: str, status: str) -> list[Problem]:
    """What went wrong in a run, each with what to do."""
    page = f"/runs/{run_id}"
    problems = []
    if status in ("failed", "interrupted"):
        (error,) = cursor.execute(_RUN_ERROR, [run_id]).fetchone() or (None,)
        first = (error or "").partition("\n")[0]
        problems.append(
            Problem(
                what="The last run failed" if status == "failed" else "The last run was interrupted",
                detail=f"{first}; the next one goes on there" if first else "The next one goes on where it stopped.",
                fix="sbf run",
                href=page,
            )
        )
    for dataset, error, times, is_reading in cursor.execute(_FAILED, [run_id]).fetchall():
        again = "--only silver --force " if is_reading else ""  # it asks nobody: what is there is read once more
        problems.append(
            Problem(
                what=f"{dataset}: {times:,} failed",
                detail=error or "",
                fix=f"sbf run {again}--select {typed(dataset)}",
                href=f"{page}?layer=bronze&status=failed",
            )
        )
    for table, error in cursor.execute(_GOLD_FAILED, [run_id]).fetchall():
        problems.append(
            Problem(
                what=f"gold.{table} was not built",
                detail=error or "",
                fix="sbf run --only gold",
                href=f"{page}?layer=gold",
            )
        )
    for table, reason, times in cursor.execute(_REJECTED, [run_id]).fetchall():
        problems.append(
            Problem(
                what=f"silver.{table}: {counted(times, 'row')} rejected",
                detail=reason,
                fix=f"sbf rejects {typed(table)}",
                href=f"{page}?layer=silver",
            )
        )
    return problems


def run_days(cursor: duckdb.DuckDBPyConnection, *, since: dt.date) -> FactTable:
    """Days on which runs began: how many, and how many of them failed or were partial."""
    return table_of(cursor, _DAYS, [since])

"""The warehouse at a glance: how fresh each dataset is, what went wrong, and on which days runs were at work."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

import attrs
import duckdb

from sbf_core.clock import from_naive_utc
from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.duck.identifiers import quoted
from sbf_core.errors import SbfError
from sbf_core.facts.table import FactTable, table_of
from sbf_core.plan.planner import dataset_due

_BRONZE = """
SELECT concat_ws('/', domain, source, dataset) || CASE WHEN discriminator <> '' THEN '@' || discriminator ELSE '' END, count(*), max(fetched_at)
FROM ops.bronze_manifest GROUP BY domain, source, dataset, discriminator
"""
_SILVER = "SELECT silver_table, count(*) FILTER (status = 'failed'), sum(rows_rejected), max(coverage_to) FROM ops.promotion_manifest GROUP BY 1"
#: The key of a series is the identity of its dataset, which has three parts, and perhaps a ticker, which may have any.
_ASKED = "SELECT array_to_string(string_split(key, '/')[1:3], '/'), max(checked_at) FROM ops.data_dates GROUP BY 1"
_FAILED = """
SELECT concat_ws('/', domain, source, dataset) || CASE WHEN discriminator <> '' THEN '@' || discriminator ELSE '' END AS dataset, error, count(*) AS times
FROM ops.file_ingestions WHERE run_id = ? AND kind = 'file' AND status = 'failed' GROUP BY ALL ORDER BY times DESC, 1, 2 LIMIT 20
"""
_GOLD_FAILED = "SELECT table_name, error FROM ops.file_ingestions WHERE run_id = ? AND kind = 'gold' AND status = 'failed' ORDER BY 1"
_REJECTED = "SELECT silver_table, reason, count(*) FROM ops.rejects WHERE run_id = ? GROUP BY ALL ORDER BY 3 DESC, 1, 2 LIMIT 20"
_DAYS = """
SELECT CAST(started_at AS DATE) AS day, count(*) AS runs, count(*) FILTER (status IN ('failed', 'interrupted')) AS failed, count(*) FILTER (status = 'partial') AS partial
FROM ops.file_ingestions WHERE kind = 'run' AND started_at >= ? GROUP BY 1 ORDER BY 1
"""


@attrs.frozen(kw_only=True)
class DatasetState:
    """One dataset at a glance.

    Attributes:
        entry: the declaration.
        state: ``fresh``, ``due``, ``failed`` or ``never``.
        why: the reason.
        payloads: how many there are.
        rows: current rows in silver.
        rejected: rows that were rejected, ever.
        covered_to: the last day in silver.
        last_fetched: when its last payload came.
    """

    entry: DatasetKeymapEntry
    state: str
    why: str
    payloads: int
    rows: int
    rejected: int
    covered_to: dt.date | None
    last_fetched: dt.datetime | None


@attrs.frozen(kw_only=True)
class Problem:
    """Something that a user should look at.

    Attributes:
        what: what is wrong.
        detail: the reason, as far as it is known.
        fix: a command that mends it, or that says more.
        href: the page that says more; empty for none.
    """

    what: str
    detail: str
    fix: str
    href: str = ""


def dataset_states(cursor: duckdb.DuckDBPyConnection, entries: Iterable[DatasetKeymapEntry], *, now: dt.datetime) -> list[DatasetState]:
    """Every dataset that was ever asked for, those that need a look first."""
    bronze = {name: (count, moment) for name, count, moment in cursor.execute(_BRONZE).fetchall()}
    silver = {name: (failed, rejected or 0, covered) for name, failed, rejected, covered in cursor.execute(_SILVER).fetchall()}
    asked = dict(cursor.execute(_ASKED).fetchall())
    tables = {name for (name,) in cursor.execute("SELECT table_name FROM duckdb_tables() WHERE schema_name = 'silver' AND database_name = current_database()").fetchall()}
    found = []
    for entry in entries:
        if entry.id not in bronze and entry.id not in asked:
            continue
        payloads, fetched = bronze.get(entry.id, (0, None))
        failed, rejected, covered = silver.get(entry.silver_table, (0, 0, None))
        rows = 0
        if entry.silver_table in tables:
            counted = cursor.execute(f"SELECT count(*) FROM silver.{quoted(entry.silver_table)}").fetchone()
            rows = counted[0] if counted else 0
        checked = asked.get(entry.id)
        state, why = _freshness(entry, None if checked is None else from_naive_utc(checked), now)
        if failed:
            state, why = "failed", f"{failed} payloads could not be promoted"
        found.append(DatasetState(entry=entry, state=state, why=why, payloads=payloads, rows=rows, rejected=rejected, covered_to=covered, last_fetched=fetched))
    ranks = {"failed": 0, "never": 1, "due": 2, "fresh": 3}
    return sorted(found, key=lambda one: (ranks[one.state], one.entry.id))


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
    found = []
    if status in ("failed", "interrupted"):
        found.append(Problem(what=f"The last run was {status}", detail="The next one goes on where it stopped.", fix="sbf run", href=page))
    for dataset, error, times in cursor.execute(_FAILED, [run_id]).fetchall():
        found.append(Problem(what=f"{dataset}: {times:,} failed", detail=error or "", fix=f"sbf run --select '{dataset}'", href=f"{page}?layer=bronze&status=failed"))
    for table, error in cursor.execute(_GOLD_FAILED, [run_id]).fetchall():
        found.append(Problem(what=f"gold.{table} was not built", detail=error or "", fix="sbf run --only gold", href=f"{page}?layer=gold"))
    for table, reason, times in cursor.execute(_REJECTED, [run_id]).fetchall():
        found.append(Problem(what=f"silver.{table}: {times:,} rows rejected", detail=reason, fix=f"sbf runs {run_id}", href=f"{page}?layer=silver"))
    return found


def run_days(cursor: duckdb.DuckDBPyConnection, *, since: dt.date) -> FactTable:
    """Days on which runs began: how many, and how many of them failed or were partial."""
    return table_of(cursor, _DAYS, [since])

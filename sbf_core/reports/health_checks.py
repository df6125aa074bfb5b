"""Looks whether a warehouse is well. Made for `sbf status --check`, and for what watches it."""

from __future__ import annotations

import datetime as dt
import math
import shutil
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import attrs
import duckdb

from sbf_core.clock import from_naive_utc
from sbf_core.counted import counted
from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.duck.identifiers import quoted
from sbf_core.errors import SbfError, UsageError
from sbf_core.home.home import Home
from sbf_core.plan.planner import interval_hours
from sbf_core.plugin.patterns import matches
from sbf_core.reports.health import Fault, FaultKind, Health
from sbf_core.reports.overview import STATES, DatasetState
from sbf_core.reports.table import FactTable
from sbf_core.shell_words import typed
from sbf_core.value import Value

if TYPE_CHECKING:
    from sbf_core.dataset.expected_by import ExpectedBy

_GIB = 1024**3
_ASKED = "SELECT dataset_id, max(checked_at) FROM ops.data_dates GROUP BY 1"
_LAST_RUN = (
    "SELECT run_id, status, started_at, finished_at, error FROM ops.file_ingestions WHERE kind = 'run' "
    "ORDER BY started_at DESC LIMIT 1"
)
#: The newest run that asked for a dataset tells how it stands: what failed in it, and since which run that is so.
_OUTCOMES = """
WITH one AS (
    SELECT dataset_id, run_id, max(started_at) AS began, count(*) AS requests,
        count(*) FILTER (status = 'failed') AS failed, min(error) FILTER (status = 'failed') AS error
    FROM ops.file_ingestions WHERE kind IN ('file', 'reading') AND dataset_id IS NOT NULL GROUP BY ALL)
SELECT dataset_id, arg_max(failed, began), arg_max(requests, began), arg_max(error, began),
    min(began) FILTER (failed > 0 AND began > coalesce(well, TIMESTAMP '1970-01-01')), arg_max(run_id, began)
FROM (SELECT *, max(began) FILTER (failed = 0) OVER (PARTITION BY dataset_id) AS well FROM one) GROUP BY 1
"""
_BAD_STATES = frozenset(("failed", "held", "stale"))
#: States beside which a dataset may be late.
_PLAIN = frozenset(("never", "due", "fresh"))


@attrs.frozen(kw_only=True)
class Watched(Value):
    """What is looked at.

    Attributes:
        entries: the datasets of the plugins.
        states: those that were ever asked for, see ``dataset_states``.
        gold: a row for each gold table, see ``gold_states``.
        refused: plugins that were refused, each with the reason.
        expected: what the settings say when rows are expected, by identity; they go before what is declared.
        named: those of them that are named there one by one: they are late, too, where nobody ever asked for them.
        run_by_default: the datasets of the plugins that `sbf run` runs; no other is late by default.
        silent_hours_max: by default a dataset may be due for so long; 0: for ever.
        room: what to say of the room where the home lies; None where there is enough.
    """

    entries: Sequence[DatasetKeymapEntry]
    states: Sequence[DatasetState]
    gold: FactTable
    refused: Mapping[str, str]
    expected: Mapping[str, ExpectedBy]
    named: frozenset[str]
    run_by_default: frozenset[str]
    silent_hours_max: float
    room: Fault | None = None


def watched_of(
    home: Home, entries: Sequence[DatasetKeymapEntry], states: Sequence[DatasetState], gold: FactTable
) -> Watched:
    """What is to be looked at in a home.

    Raises:
        UsageError: ``[expected_by]`` of the settings does not fit the datasets.
    """
    wanted, records = home.settings["run.plugins"], home.plugins.records.values()
    chosen = {one.name for one in records if not wanted or any(matches(one, pattern) for pattern in wanted)}
    refused = {one.name: one.reason for one in records if one.state == "refused"}
    try:
        owners = home.registry.datasets
    except SbfError as error:
        owners, refused = {}, refused | {"plugins": f"they contradict each other: {error}"}
    return Watched(
        entries=entries, states=states, gold=gold, refused=refused,
        expected=expected_of(home.settings.expected_by, entries),
        named=frozenset(home.settings.expected_by),
        run_by_default=frozenset(name for name, owned in owners.items() if owned.plugin.name in chosen),
        silent_hours_max=home.settings["check.silent_hours_max"],
        room=_room(home),
    )  # fmt: skip


def _room(home: Home) -> Fault | None:
    """Whether little room is left where the home lies; what a file system does not say is not little."""
    wanted = home.settings["check.free_gib_min"]
    try:
        free = shutil.disk_usage(home.folder).free / _GIB
    except OSError:
        return None
    if free >= wanted:
        return None
    reason = f"{free:.2f} GiB are free at {home.folder}; {wanted:g} are wanted (check.free_gib_min)"
    return Fault(kind=FaultKind.DISK_LOW, subject="disk", reason=reason, fix="sbf clean")


def expected_of(written: Mapping[str, ExpectedBy], entries: Sequence[DatasetKeymapEntry]) -> dict[str, ExpectedBy]:
    """What the settings say of each dataset: under its identity, else under the first pattern that fits.

    Raises:
        UsageError: an hour is given to a dataset of which no column says of which day a row is.
    """
    if not written:
        return {}
    from fnmatch import fnmatchcase

    expected = {}
    for entry in entries:
        names = [entry.id] if entry.id in written else [name for name in written if fnmatchcase(entry.id, name)]
        if not names:
            continue
        said = written[names[0]]
        if said.hour and entry.row_date_column is None:
            if names[0] != entry.id:
                continue  # a pattern speaks of those that can have it
            raise UsageError(
                f"{entry.id} has no column that says of which day a row is, so no hour can be expected",
                where=f'[expected_by."{entry.id}"]', fix="within_hours = 48", code="EXPECTED_BY",
            )  # fmt: skip
        expected[entry.id] = said
    return expected


def health_of(cursor: duckdb.DuckDBPyConnection, watched: Watched, *, now: dt.datetime) -> Health:
    """What is late and what fails.

    Args:
        cursor: on the database.
        watched: what is looked at.
        now: the present moment.

    Raises:
        UsageError: a calendar that ``expected_by`` names is unknown, or its library is not installed.
    """
    asked = {name: from_naive_utc(at) for name, at in cursor.execute(_ASKED).fetchall() if at is not None}
    states = {one.id: one for one in watched.states}
    faults: list[Fault] = []
    newest: dict[str, dt.date | None] = {}
    looked_at = 0
    for entry in watched.entries:
        expected = watched.expected.get(entry.id) or entry.expected_by
        if entry.id not in states and entry.id not in watched.named:
            continue  # it was never asked for, and nobody here said that it should be
        looked_at += 1
        answered_at = asked.get(entry.payload_ids[0])
        faults += _late(cursor, entry, expected, newest, now)
        faults += _silent(entry, expected, answered_at, watched, now)
    faults += _not_fetched(cursor, states)
    faults += [
        Fault(
            kind=FaultKind.NOT_PROMOTED, subject=one.id, reason=f"{one.state}: {one.why}", fix="sbf status",
            newest=one.covered_to,
        )
        for one in watched.states
        if one.state in _BAD_STATES
    ]  # fmt: skip
    faults += _not_built(watched.gold)
    last, of_run = _last_run(cursor)
    faults += of_run
    faults += [
        Fault(kind=FaultKind.PLUGIN_REFUSED, subject=name, reason=why, fix="sbf plugins list")
        for name, why in sorted(watched.refused.items())
    ]
    faults += [watched.room] if watched.room is not None else []
    faults.sort(key=lambda one: (one.is_late, one.subject, one.kind))
    return Health(at=now, datasets=looked_at, faults=tuple(faults), newest=newest, last_run=last)


def told_late(states: Sequence[DatasetState], health: Health) -> list[DatasetState]:
    """Datasets at a glance, where those that are late by what somebody declared say so."""
    late = {one.subject: one for one in health.late if one.is_declared}
    told = [
        attrs.evolve(one, state="late", why=late[one.id].told) if one.id in late and one.state in _PLAIN else one
        for one in states
    ]
    return sorted(told, key=lambda one: STATES.index(one.state))


def _late(
    cursor: duckdb.DuckDBPyConnection,
    entry: DatasetKeymapEntry,
    expected: ExpectedBy | None,
    newest: dict[str, dt.date | None],
    now: dt.datetime,
) -> Iterable[Fault]:
    """Whether rows lack that must be there."""
    if expected is None or not expected.hour:
        return
    from sbf_core.plan.deadlines import missed_since, passed_deadline  # few declare one

    last = newest[entry.id] = newest_day(cursor, entry, expected.zone, now)
    try:
        passed = passed_deadline(expected, entry.cadence, now)
    except UsageError as error:
        yield Fault(kind=FaultKind.CANNOT_TELL, subject=entry.id, reason=error.what, fix=error.fix)
        return
    if passed is None or (last is not None and last >= passed.first):
        return
    first = missed_since(expected, entry.cadence, last, passed)
    yield Fault(
        kind=FaultKind.LATE, subject=entry.id, since=first.at, newest=last, wanted=passed.first,
        fix=f"sbf run --select {typed(entry.id)}",
    )  # fmt: skip


def newest_day(
    cursor: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry, zone: str, now: dt.datetime
) -> dt.date | None:
    """The last day, in a zone, of which there are rows, today or before: a projection is no proof that data came."""
    from zoneinfo import ZoneInfo

    column = entry.row_date_column
    is_there = cursor.execute(
        "SELECT 1 FROM duckdb_tables() WHERE database_name = current_database() AND schema_name = 'silver' "
        "AND table_name = ?",
        [entry.silver_table],
    ).fetchone()
    if column is None or is_there is None:
        return None
    today = now.astimezone(ZoneInfo(zone)).date()
    table = f"silver.{quoted(entry.silver_table)}"
    if entry.column_types[column] == "DATE":
        sql, bound = f"SELECT max({quoted(column)}) FROM {table} WHERE {quoted(column)} <= $1", today
        row = cursor.execute(sql, [bound]).fetchone()
        return row[0] if row else None
    tomorrow = dt.datetime.combine(today + dt.timedelta(days=1), dt.time(), ZoneInfo(zone)).astimezone(dt.UTC)
    sql = f"SELECT CAST(max({quoted(column)}) AS TIMESTAMP) FROM {table} WHERE {quoted(column)} < CAST($1 AS TIMESTAMP)"
    row = cursor.execute(sql, [tomorrow.replace(tzinfo=None)]).fetchone()
    return from_naive_utc(row[0]).astimezone(ZoneInfo(zone)).date() if row and row[0] is not None else None


def _silent(
    entry: DatasetKeymapEntry,
    expected: ExpectedBy | None,
    answered_at: dt.datetime | None,
    watched: Watched,
    now: dt.datetime,
) -> Iterable[Fault]:
    """Whether the vendor has not answered for longer than it may."""
    hours = _may_be_silent(entry, expected, watched, now)
    if hours == math.inf or (answered_at is None and entry.payloads_of):
        return
    if answered_at is None or (now - answered_at).total_seconds() > hours * 3600:
        yield Fault(
            kind=FaultKind.SILENT, subject=entry.id, answered_at=answered_at, within_hours=hours,
            since=None if answered_at is None else answered_at + dt.timedelta(hours=hours),
            is_declared=expected is not None, fix=f"sbf run --select {typed(entry.id)}",
        )  # fmt: skip


def _may_be_silent(entry: DatasetKeymapEntry, expected: ExpectedBy | None, watched: Watched, now: dt.datetime) -> float:
    """For how many hours a vendor need not answer."""
    if expected is not None:
        return math.inf if expected.within_hours is None else expected.within_hours
    if not watched.silent_hours_max or entry.opt_in or entry.id not in watched.run_by_default:
        return math.inf
    try:
        return interval_hours(entry, now) + watched.silent_hours_max
    except SbfError:  # its calendar is not installed: `sbf status` says so
        return math.inf


def _not_fetched(cursor: duckdb.DuckDBPyConnection, states: Mapping[str, DatasetState]) -> Iterable[Fault]:
    for dataset, failed, requests, error, since, run_id in cursor.execute(_OUTCOMES).fetchall():
        if failed and dataset in states and states[dataset].state not in _BAD_STATES:
            yield Fault(
                kind=FaultKind.NOT_FETCHED, subject=dataset, since=None if since is None else from_naive_utc(since),
                reason=f"{failed:,} of {counted(requests, 'request')} failed: {error}", fix=f"sbf runs {run_id}",
                newest=states[dataset].covered_to,
            )  # fmt: skip


def _not_built(gold: FactTable) -> Iterable[Fault]:
    for record in gold.records:
        if record["status"] == "failed" and record["state"] != "left":
            yield Fault(
                kind=FaultKind.NOT_BUILT, subject=f"gold.{record['table_name']}", reason=record.get("error") or "",
                fix="sbf run --only gold",
            )  # fmt: skip


def _last_run(
    cursor: duckdb.DuckDBPyConnection,
) -> tuple[tuple[str, str, dt.datetime, dt.datetime | None] | None, list[Fault]]:
    row = cursor.execute(_LAST_RUN).fetchone()
    if row is None:
        return None, []
    run_id, status, started, finished, error = row
    last = (run_id, status, from_naive_utc(started), None if finished is None else from_naive_utc(finished))
    if status not in ("failed", "interrupted"):
        return last, []
    reason = (error or "").partition("\n")[0] or f"the last run was {status}"
    return last, [Fault(kind=FaultKind.RUN_FAILED, subject=run_id, since=last[2], reason=reason, fix="sbf run")]

"""``sbf status`` and ``sbf digest``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs

from sbf_core.cli.reading import reading
from sbf_core.cli.render import print_json, print_table
from sbf_core.clock import clock_of_process
from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.errors import SbfError, UsageError, nearest
from sbf_core.facts.gold_states import gold_states
from sbf_core.facts.made import as_they_are, new_fields, problems_of_tables
from sbf_core.facts.models import known_models
from sbf_core.facts.overview import DatasetState, dataset_states, problems_of_run
from sbf_core.facts.problem import Problem
from sbf_core.facts.runs import latest_runs
from sbf_core.facts.table import FactTable
from sbf_core.plugin.installed import installed_plugins
from sbf_core.plugin.manager import PluginManager
from sbf_core.plugin.registry import DatasetRegistry
from sbf_core.runs.live import read_live
from sbf_core.settings.settings import Settings
from sbf_core.trust.digest import digest_tables, warehouse_tables


def status_report(home: str | None, *, as_json: bool) -> None:
    """What is in the warehouse, how fresh it is, and what to look at: the same facts as the overview of `sbf ui`."""
    settings = Settings(home)
    manager = installed_plugins(settings)
    entries, problem = _entries(manager)
    with reading(settings) as cursor:
        runs = latest_runs(cursor, limit=1)
        now = clock_of_process().now()
        states = dataset_states(cursor, entries, now=now)
        fields = new_fields(cursor, entries, now=now)
        of_gold = gold_states(cursor, known_models(cursor, manager))
        gold = of_gold.table
        last = runs.records[0] if runs.rows else None
        problems = problems_of_run(cursor, last["run_id"], last["status"]) if last else []
        problems = [*problems_of_tables(cursor, entries), *of_gold.problems, *problems]
    if problem:
        problems.append(Problem(what="the plugins contradict each other", detail=problem, fix="sbf plugins list"))
    live = read_live(settings.config.live)
    at_work = live if live is not None and live.status == "running" else None
    if as_json:
        print_json(
            "status", home=str(settings.home), last_run=runs.records, datasets=[_record(one) for one in states],
            gold=gold.records, new_fields=fields.records,
            problems=[attrs.asdict(one, filter=attrs.filters.exclude("href")) for one in problems],
            at_work=None if at_work is None else attrs.asdict(at_work),
        )  # fmt: skip
        return
    if at_work is not None:
        how_far = f"is at work: {at_work.stage or 'begins'}, {at_work.done} of {at_work.total} steps"
        print(
            f"Run {at_work.run_id} "
            + ("went silent; `sbf run` goes on from there" if at_work.is_silent(clock_of_process().now()) else how_far)
        )
    if last:
        took = "" if last["seconds"] is None else f", {last['seconds']:.3g} s"
        print(f"Last run {last['run_id']}: {last['status']}, {last['started_at']:%Y-%m-%d %H:%M}Z{took}")
    _print_parts(states, gold, problems, fields)


def _entries(manager: PluginManager) -> tuple[list[DatasetKeymapEntry], str]:
    """The datasets of the plugins; where they contradict each other, none and why:
    what is in the ledger can be told all the same.
    """
    try:
        registry = DatasetRegistry(manager)
    except SbfError as error:
        return [], str(error)
    return [owned.entry for owned in registry.datasets.values()], ""


def _record(one: DatasetState) -> dict[str, Any]:
    record = attrs.asdict(one, filter=attrs.filters.exclude("id"))
    return {"dataset": one.id, **record}


def _print_parts(
    states: Sequence[DatasetState], gold: FactTable, problems: Sequence[Problem], fields: FactTable
) -> None:
    if problems:
        print("\nto look at:")
        print_table(("what", "reason", "go on with"), [(one.what, one.detail, one.fix) for one in problems])
    if fields.rows:
        print("\nnew fields, which no column takes; payloads keep them:")
        print_table(fields.headers, fields.rows)
    if states:
        print()
        rows = [
            (one.id, one.state, one.covered_to, one.last_fetched, one.rows, one.payloads, one.rejected, one.why)
            for one in states
        ]
        print_table(("dataset", "state", "covered to", "last fetched", "rows", "payloads", "rejected", "why"), rows)
    if gold.rows:
        print()
        kept = [
            place
            for place, name in enumerate(gold.headers)
            if name not in ("why", "error") or any(row[place] for row in gold.rows)
        ]
        print_table([gold.headers[place] for place in kept], [[row[place] for place in kept] for row in gold.rows])


def digest_report(home: str | None, *, tables: tuple[str, ...], as_json: bool) -> None:
    """One checksum for each silver and gold table."""
    settings = Settings(home)
    entries = _all_entries(settings)
    with reading(settings) as cursor:
        keys = _keys(as_they_are(cursor, entries))
        known = warehouse_tables(cursor)
        unknown = next((table for table in tables if table not in known), None)
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


def _all_entries(settings: Settings) -> list[DatasetKeymapEntry]:
    registry = DatasetRegistry(installed_plugins(settings))
    return [owned.entry for owned in registry.datasets.values()]


def _keys(entries: Sequence[DatasetKeymapEntry]) -> dict[str, tuple[str, ...]]:
    """Key columns of the silver tables whose plugins are installed;
    other tables are ordered by all of their columns.
    """
    keys = {}
    for entry in entries:
        keys[f"silver.{entry.silver_table}"] = entry.key_columns
        keys[f"silver.{entry.silver_table}_history"] = (*entry.key_columns, "known_from")
    return keys

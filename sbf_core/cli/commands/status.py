"""``sbf status``: the same facts as the overview of `sbf ui`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import attrs
import typer

from sbf_core.cli import options as opt
from sbf_core.cli.reading import how_far, reading, run_at_work
from sbf_core.cli.render import command, print_json, print_table, reaching, say
from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.errors import SbfError, UsageError
from sbf_core.home.home import Home
from sbf_core.reports.gold_states import gold_states
from sbf_core.reports.health import Health, record_of
from sbf_core.reports.health_checks import health_of, told_late, watched_of
from sbf_core.reports.overview import DatasetState, dataset_states, problems_of_run
from sbf_core.reports.problem import Problem
from sbf_core.reports.runs import latest_runs
from sbf_core.reports.stale_tables import new_fields, problems_of_tables
from sbf_core.reports.table import FactTable

Check = Annotated[
    bool, typer.Option("--check", help="Only what is late or fails; exit code 1 if anything is. For cron and monitors.")
]
Metrics = Annotated[bool, typer.Option("--metrics", help="Print figures as Prometheus reads them.")]


def status(
    home_folder: opt.HomeFolder = None, check: Check = False, metrics: Metrics = False, as_json: opt.AsJson = False
) -> int:
    """What is in the warehouse, how fresh it is, and what went wrong.

    Example: sbf status --check
    """
    if metrics and (check or as_json):
        raise UsageError("figures for Prometheus are a form of their own", fix="`sbf status --metrics`", code="OPTIONS")
    home = Home.at(home_folder)
    entries, problem = _entries(home)
    with reading(home) as cursor:
        runs = latest_runs(cursor, limit=1)
        now = home.clock.now()
        states = dataset_states(cursor, entries, bronze=home.config.bronze, now=now)
        fields = new_fields(cursor, entries, now=now)
        of_gold = gold_states(cursor, home.gold_models(cursor))
        gold = of_gold.table
        last = runs.records[0] if runs.rows else None
        problems = problems_of_run(cursor, last["run_id"], last["status"]) if last else []
        problems = [*problems_of_tables(cursor, entries, home.config.bronze), *of_gold.problems, *problems]
        health = health_of(cursor, watched_of(home, entries, states, gold), now=now)
        states = told_late(states, health)
    if problem:
        problems.append(Problem(what="the plugins contradict each other", detail=problem, fix="sbf plugins list"))
    at_work = run_at_work(home)
    if metrics:
        from sbf_core.reports.metrics import metrics_text  # its library is an extra

        print(metrics_text(health, states), end="")
        return 0
    if as_json:
        print_json(
            "status", home=str(home.folder), last_run=runs.records, datasets=[_record(one) for one in states],
            gold=gold.records, new_fields=fields.records,
            problems=[attrs.asdict(one, filter=attrs.filters.exclude("href")) for one in problems],
            at_work=None if at_work is None else attrs.asdict(at_work),
            check=record_of(health),
        )  # fmt: skip
        return 0 if health.is_well or not check else 1
    if check:
        return _print_health(health)
    if at_work is not None:
        say(how_far(at_work, home).replace("run", "Run", 1))
    if last:
        took = "" if last["seconds"] is None else f", {last['seconds']:.3g} s"
        print(f"Last run {last['run_id']}: {last['status']}, {last['started_at']:%Y-%m-%d %H:%M}Z{took}")
    _print_parts(states, gold, problems, fields)
    return 0


def _print_health(health: Health) -> int:
    """One line, then what is wrong; returns the exit code."""
    print(health.told)
    if health.faults:
        print_table(
            ("what", "which", "since", "reason", "go on with"),
            [(one.kind, one.subject, one.since, reaching(one.told), command(one.fix)) for one in health.faults],
        )
    return 0 if health.is_well else 1


def _entries(home: Home) -> tuple[list[DatasetKeymapEntry], str]:
    """The datasets of the plugins; where they contradict each other, none and why:
    what is in the ledger can be told all the same.
    """
    try:
        return home.entries, ""
    except SbfError as error:
        return [], str(error)


def _record(one: DatasetState) -> dict[str, Any]:
    record = attrs.asdict(one, filter=attrs.filters.exclude("id"))
    return {"dataset": one.id, **record}


def _print_parts(
    states: Sequence[DatasetState], gold: FactTable, problems: Sequence[Problem], fields: FactTable
) -> None:
    if problems:
        print("\nto look at:")
        ways = [
            (one.what if first else "", reaching(one.detail) if first else "", way.to, command(way.command))
            for one in problems
            for first, way in zip((True, *[False] * len(one.ways)), one.ways_out, strict=False)
        ]
        if any(one.ways for one in problems):
            print_table(("what", "reason", "to", "go on with"), ways)
        else:
            print_table(("what", "reason", "go on with"), [(what, why, fix) for what, why, _, fix in ways])
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

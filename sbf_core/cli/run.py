"""``sbf run`` and ``sbf plan``."""

from __future__ import annotations

import logging
import shutil
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs

from sbf_core.cli.render import print_json, print_table, tell
from sbf_core.cli.show_progress import progress
from sbf_core.days import day, moment
from sbf_core.errors import EnvironmentFault, UsageError
from sbf_core.facts.datasets import dataset_named
from sbf_core.plan.forecast import VendorForecast
from sbf_core.plugin.installed import installed_plugins
from sbf_core.plugin.registry import DatasetRegistry
from sbf_core.runner.options import RunOptions, name_list, split_select
from sbf_core.runner.run_plan import RunPlan
from sbf_core.runner.runner import Runner
from sbf_core.runs.context import RunContext
from sbf_core.secret import redacted
from sbf_core.settings.settings import Settings
from sbf_core.typed import typed
from sbf_core.vocabulary import RunStatus

_PLAN_ROWS_MAX = 200


def run_command(
    home: str | None,
    flags: Mapping[str, Any],
    *,
    plugins: str | None,
    exclude: str | None,
    select: str | None,
    since: str | None,
    until: str | None,
    only: str | None,
    force: bool,
    remake: bool,
    replay: str | None,
    replay_until: str | None,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Run, or show the plan; returns the exit code."""
    began = time.monotonic()
    terms, layer = split_select(select, only)
    options = RunOptions(
        plugins=None if plugins is None else name_list(plugins, what="--plugins"),
        exclude=() if exclude is None else name_list(exclude, what="--exclude"),
        select=terms,
        since=None if since is None else day(since, what="--since"),
        until=None if until is None else day(until, what="--until"),
        only=layer,
        remake=remake,
        force=force,
        replay=replay or "",
        replay_until=None if replay_until is None else moment(replay_until, what="--replay-until"),
    )
    settings = Settings(home, flags=flags)
    logger = run_logger()
    runner = Runner(settings, options, progress=progress(), logger=logger)
    for record in runner.manager.records.values():
        if record.state == "refused":
            tell(f"sbf: warning: plugin {record.label} is refused: {record.reason}")
    if dry_run:
        _show_plan(runner.plan(), as_json=as_json)
        return 0
    return _run(runner, settings, began, as_json=as_json)


def promote_command(
    home: str | None, flags: Mapping[str, Any], names: tuple[str, ...], *, accept: bool, as_json: bool
) -> int:
    """Work on what Bronze holds, and ask no vendor; returns the exit code."""
    began = time.monotonic()
    settings = Settings(home, flags=flags)
    manager = installed_plugins(settings)
    entries = [owned.entry for owned in DatasetRegistry(manager).datasets.values()]
    ids = tuple(dataset_named(name, entries).id for name in names)
    if not settings.config.database.exists():
        raise UsageError("there is no database", where=str(settings.home), fix="run `sbf run` first", code="NO_DATA")
    plugins = tuple(record.name for record in manager.selected(None))
    options = RunOptions(plugins=plugins, ids=ids, fetch=False, accept=accept)
    runner = Runner(settings, options, progress=progress(), logger=run_logger(), manager=manager)
    return _run(runner, settings, began, as_json=as_json)


def _run(runner: Runner, settings: Settings, began: float, *, as_json: bool) -> int:
    try:
        context = runner.run()
    except EnvironmentFault:
        if runner.closed is not None:  # the others went on: what they did is told as ever
            _print_result(runner.closed, runner, settings, began, as_json=as_json)
            _tell_notes(runner.closed)
        raise
    _print_result(context, runner, settings, began, as_json=as_json)
    return tell_outcome(context)


def _print_result(context: RunContext, runner: Runner, settings: Settings, began: float, *, as_json: bool) -> None:
    elapsed = time.monotonic() - began
    if as_json:
        _print_run_json(context, runner, elapsed)
    else:
        _print_run(context, runner, elapsed, settings)


def tell_outcome(context: RunContext) -> int:
    """Say what went wrong, and what was left out for a reason; returns the exit code."""
    _tell_notes(context)
    for failure in context.failures:
        tell(f"sbf: failed: {failure}")
    return 0 if context.status is RunStatus.OK else 1


def _tell_notes(context: RunContext) -> None:
    for note in context.notes:
        tell(f"sbf: note: {note}")


class _WithoutKeys(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return redacted(super().format(record))


def run_logger() -> logging.Logger:
    """The log of a run: plain lines on stderr."""
    logger = logging.getLogger("sbf")
    if not logger.handlers:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(_WithoutKeys("sbf: %(message)s"))
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
        logger.propagate = False
    return logger


def _show_plan(plan: RunPlan, *, as_json: bool) -> None:
    for note in plan.notes:
        tell(f"sbf: note: {note}")
    if as_json:
        requests = [
            {
                "dataset": item.entry.id, "ticker": item.request.ticker,
                "from_date": item.request.from_date, "to_date": item.request.to_date,
                "due": item.due, "why": item.why,
            }
            for item in plan.requests
        ]  # fmt: skip
        vendors = [
            {
                "source": line.source,
                "requests": line.requests,
                "seconds": round(line.seconds, 1),
                "fits": line.fits,
                "limits": [attrs.asdict(use) for use in line.uses],
            }
            for line in plan.vendors
        ]
        print_json("plan", due=len(plan.due), requests=requests, vendors=vendors)
        return
    shown = sorted(plan.requests, key=lambda item: not item.due)[:_PLAN_ROWS_MAX]
    headers = ("due", "dataset", "ticker", "from", "to", "why")
    print_table(
        headers,
        [
            (item.due, item.entry.id, item.request.shown_ticker, item.request.from_date, item.request.to_date, item.why)
            for item in shown
        ],
    )
    left = len(plan.requests) - len(shown)
    print()
    if plan.vendors:
        print_table(
            ("vendor", "requests", "about", "share of its limits"),
            [(line.source, line.requests, _about(line.seconds), _shares(line)) for line in plan.vendors],
        )
        print()
    print(f"{len(plan.due)} of {len(plan.requests)} requests are due" + (f"; {left} are not shown" if left else ""))


def _about(seconds: float) -> str:
    return (
        f"{seconds:.0f} s"
        if seconds < 90
        else f"{seconds / 60:.0f} min"
        if seconds < 5400
        else f"{seconds / 3600:.1f} h"
    )


def _shares(line: VendorForecast) -> str:
    """What the plan takes of each budget for hours or days; of shorter ones it takes what there is, and waits."""
    told = [
        f"{(use.used + line.requests) / use.allowed:.0%} of {use.limit} ({use.used} used)"
        for use in line.uses
        if use.period_seconds > 60
    ]
    told += [f"at {use.limit}" for use in line.uses if use.period_seconds <= 60]
    return ", ".join(told) + ("" if line.fits else "; the rest is put off") if told else "none declared"


def _print_run_json(context: RunContext, runner: Runner, elapsed: float) -> None:
    print_json(
        "run",
        run_id=context.run_id,
        status=context.status,
        elapsed_seconds=round(elapsed, 3),
        requests=context.requests,
        files=context.files,
        unchanged_files=context.unchanged_files,
        failed_requests=context.failed_requests,
        skipped_requests=context.skipped_requests,
        deferred_requests=context.deferred_requests,
        rows_seen=context.rows_seen,
        rows_inserted=context.rows_inserted,
        rows_updated=context.rows_updated,
        rows_unchanged=context.rows_unchanged,
        rows_rejected=context.rows_rejected,
        gold_tables=context.gold_tables,
        remade_tables=context.remade_tables,
        datasets=runner.overview,
        gold=runner.gold_overview,
        errors=context.errors,
        failures=[failure.as_dict() for failure in context.failures],
        notes=context.notes,
    )


def _print_run(context: RunContext, runner: Runner, elapsed: float, settings: Settings) -> None:
    changed = context.files or context.rows_seen or context.gold_tables or context.remade_tables
    if runner.overview and (changed or context.failures):
        headers = ("dataset", "files", "inserted", "updated", "unchanged", "rejected")
        names = ("dataset", "files", "rows_inserted", "rows_updated", "rows_unchanged", "rows_rejected")
        rows = [[item[name] for name in names] for item in runner.overview]
        if len(rows) > 1:
            rows.append(["all", *(sum(row[place] or 0 for row in rows) for place in range(1, len(names)))])
        print_table(headers, rows)
        print()
    if runner.gold_overview:
        print_table(
            ("gold table", "rows written"), [(item["table"], item["rows_written"]) for item in runner.gold_overview]
        )
        print()
    if not context.requests and not changed and not context.failures:
        print(f"Nothing was due: no file, no silver row and no gold row was written ({elapsed:.2f} s).")
    elif not changed and not context.failures:
        answers = "1 answer was" if context.unchanged_files == 1 else f"{context.unchanged_files} answers were"
        print(
            f"Nothing changed: {answers} the same as before; "
            f"no file, no silver row and no gold row was written ({elapsed:.2f} s)."
        )
    else:
        print(
            f"Run {context.run_id}: {context.status}, {context.files} files, "
            f"{context.gold_tables} gold tables, {elapsed:.2f} s."
        )
    if changed:
        where = "" if settings.home_origin == "default" else f" --home {typed(settings.home)}"
        print()
        print("Try next:")
        for hint in _hints(runner, where):
            print(f"  {_program()} {hint}")


def _program() -> str:
    """How the user calls sbf: by its name if the shell finds it, else as it was called now."""
    if shutil.which("sbf"):
        return "sbf"
    called = Path(sys.argv[0])
    return f"{typed(sys.executable)} -m sbf_core" if called.name == "__main__.py" else typed(called)


def _hints(runner: Runner, where: str) -> list[str]:
    tables = [item["table"] for item in runner.gold_overview]
    names = [item["silver_table"] for item in runner.overview if item["silver_table"]]
    target = (
        "gold.instrument_stats"
        if "instrument_stats" in tables
        else f"gold.{tables[0]}"
        if tables
        else f"silver.{names[0]}"
        if names
        else ""
    )
    hints = [f'sql{where} "SELECT * FROM {target} LIMIT 10"'] if target else []
    return [*hints, f"status{where}"]

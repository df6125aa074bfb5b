"""What a run came to, told: its result, its notes, and what failed."""

from __future__ import annotations

import logging
import shutil
import sys
import time
from pathlib import Path
from typing import Any

from sbf_core.cli.render import print_json, print_table, reaching, tell
from sbf_core.counted import counted
from sbf_core.errors import EnvironmentFault
from sbf_core.plan.planner import RESUME_WITHIN
from sbf_core.runner.runner import Runner
from sbf_core.runs.context import RunContext
from sbf_core.secret import redacted
from sbf_core.settings.settings import Settings
from sbf_core.shell_words import typed
from sbf_core.vocabulary import RunStatus


def run_and_tell(runner: Runner, settings: Settings, began: float, *, as_json: bool) -> int:
    """Run, and tell what it came to; returns the exit code.

    Args:
        runner: what is to be done.
        settings: of the home.
        began: when the command began, by ``time.monotonic``.
        as_json: for a program.
    """
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
        return reaching(redacted(super().format(record)))


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


def outcome_fields(context: RunContext, elapsed: float) -> dict[str, Any]:
    """What every command that runs says of it to a program; ``elapsed`` in seconds."""
    return {
        "run_id": context.run_id,
        "status": context.status,
        "elapsed_seconds": round(elapsed, 3),
        "remade_tables": context.remade_tables,
        "gold_tables": context.gold_tables,
        "notes": context.notes,
        "errors": context.errors,
        "failures": [failure.as_dict() for failure in context.failures],
    }


def _print_run_json(context: RunContext, runner: Runner, elapsed: float) -> None:
    print_json(
        "run",
        **outcome_fields(context, elapsed),
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
        datasets=runner.overview,
        gold=runner.gold_overview,
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
        if runner.fills_back:
            hours = RESUME_WITHIN.total_seconds() / 3600
            print(f"What was asked for within {hours:g} hours is not asked for again; --force asks anyway.")
    elif not changed and not context.failures:
        answers = counted(context.unchanged_files, "answer was", "answers were")
        came = f"{answers} the same as before" if context.unchanged_files else "there was nothing of what was asked for"
        print(f"Nothing changed: {came}; no file, no silver row and no gold row was written ({elapsed:.2f} s).")
    else:
        print(
            f"Run {context.run_id}: {context.status}, {counted(context.files, 'file')}, "
            f"{counted(context.gold_tables, 'gold table')}, {elapsed:.2f} s."
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


def tell_refused(runner: Runner) -> None:
    """Warn of plugins that are refused, each with the reason. Raises as ``Runner.chosen``."""
    _ = runner.chosen  # a plugin may be refused for what it declares
    for record in runner.home.plugins.records.values():
        if record.state == "refused":
            tell(f"sbf: warning: plugin {record.label} is refused: {record.reason}")

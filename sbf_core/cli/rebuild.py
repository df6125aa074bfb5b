"""``sbf rebuild``."""

from __future__ import annotations

import time
from pathlib import Path

import attrs

from sbf_core.cli.render import print_json, print_table
from sbf_core.cli.run import run_logger, tell_outcome
from sbf_core.cli.show_progress import progress
from sbf_core.errors import DamageFound, UsageError
from sbf_core.facts.datasets import dataset_named
from sbf_core.failures import Failure, FailureKind
from sbf_core.plugin.installed import installed_plugins
from sbf_core.plugin.manager import PluginManager
from sbf_core.plugin.registry import DatasetRegistry
from sbf_core.runner.rebuild import Rebuilt, rebuild
from sbf_core.runner.rebuild_tables import TableRebuild
from sbf_core.settings.settings import Settings


def rebuild_command(
    home: str | None,
    names: tuple[str, ...],
    *,
    gold: bool,
    accept: bool,
    dry_run: bool,
    keep_backups: int,
    into: str | None,
    as_json: bool,
) -> int:
    """Make the database, some tables, or gold again; 1 if some payloads could not be promoted, or a table is held."""
    if into is not None and (names or gold or dry_run):
        raise UsageError(
            "--into makes all of a database", fix="leave the datasets, --gold and --dry-run out", code="USAGE"
        )
    settings = Settings(home)
    manager = installed_plugins(settings)
    if names or gold or dry_run:
        tables = TableRebuild(
            settings, _ids(names, manager), gold=gold, manager=manager, progress=progress(), logger=run_logger()
        )
        if dry_run:
            return _show_costs(tables, as_json=as_json)
        return _tell_tables(tables, accept=accept, as_json=as_json)
    began = time.monotonic()
    target = None if into is None else Path(into).expanduser().absolute()
    rebuilt = rebuild(
        settings,
        into=target,
        accept=accept,
        keep_backups=keep_backups,
        manager=manager,
        progress=progress(),
        logger=run_logger(),
    )
    return _tell_rebuilt(rebuilt, time.monotonic() - began, as_json=as_json)


def _tell_rebuilt(rebuilt: Rebuilt, elapsed: float, *, as_json: bool) -> int:
    context = rebuilt.context
    if rebuilt.lost:
        fix = "`sbf verify` says what is missing, `sbf rebuild --accept` replaces it all the same"
        context.failures.extend(
            Failure(kind=FailureKind.LOSS, what=line, where="the database was not replaced", fix=fix)
            for line in rebuilt.lost
        )
    if as_json:
        print_json(
            "rebuild",
            run_id=context.run_id,
            status=context.status,
            database=str(rebuilt.database),
            set_aside=None if rebuilt.set_aside is None else str(rebuilt.set_aside),
            removed=[str(path) for path in rebuilt.removed],
            lost=list(rebuilt.lost),
            elapsed_seconds=round(elapsed, 3),
            rows_seen=context.rows_seen,
            remade_tables=context.remade_tables,
            gold_tables=context.gold_tables,
            notes=context.notes,
            errors=context.errors,
            failures=[failure.as_dict() for failure in context.failures],
        )
        return _code(rebuilt)
    made = f"{context.remade_tables} tables of " if rebuilt.in_place else ""
    rows = "" if rebuilt.in_place else f"{context.rows_seen} rows seen, "
    if rebuilt.lost:
        print(f"Nothing was replaced: the new database would hold less than {rebuilt.database}.")
        return _code(rebuilt)
    print(f"Made {made}{rebuilt.database} again: {rows}{context.gold_tables} gold tables, {elapsed:.2f} s.")
    if rebuilt.set_aside is not None:
        print(f"The old one is kept as {rebuilt.set_aside}")
    for path in rebuilt.removed:
        print(f"An older one was removed: {path}")
    return tell_outcome(context)


def _code(rebuilt: Rebuilt) -> int:
    told = tell_outcome(rebuilt.context)
    return DamageFound.exit_code if rebuilt.lost else told


def _ids(names: tuple[str, ...], manager: PluginManager) -> list[str]:
    registry = DatasetRegistry(manager)
    entries = [owned.entry for owned in registry.datasets.values()]
    try:
        return [dataset_named(name, entries).id for name in names]
    except UsageError as error:
        refused = [record for record in manager.records.values() if record.state == "refused"]
        if not refused:
            raise
        why = "; ".join(f"plugin {record.label} is refused: {record.reason}" for record in refused)
        raise UsageError(error.what, where=why, fix="mend that plugin; nothing was touched", code=error.code) from error


def _show_costs(tables: TableRebuild, *, as_json: bool) -> int:
    costs = tables.costs()
    if as_json:
        print_json("rebuild", dry_run=True, tables=[attrs.asdict(cost) for cost in costs])
        return 0
    print_table(
        ("table", "dataset", "payloads", "bytes"),
        [(cost.table, cost.dataset, cost.payloads, cost.byte_count) for cost in costs],
    )
    print()
    print(f"{len(costs)} tables would be made again; nothing was changed.")
    return 0


def _tell_tables(tables: TableRebuild, *, accept: bool, as_json: bool) -> int:
    began = time.monotonic()
    context = tables.run(accept=accept)
    elapsed = time.monotonic() - began
    if as_json:
        print_json(
            "rebuild",
            run_id=context.run_id,
            status=context.status,
            elapsed_seconds=round(elapsed, 3),
            remade_tables=context.remade_tables,
            gold_tables=context.gold_tables,
            notes=context.notes,
            errors=context.errors,
            failures=[failure.as_dict() for failure in context.failures],
        )
    else:
        print(f"Made {context.remade_tables} silver and {context.gold_tables} gold tables again, {elapsed:.2f} s.")
    return tell_outcome(context)

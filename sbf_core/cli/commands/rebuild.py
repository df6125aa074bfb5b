"""``sbf rebuild``."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import attrs
import typer
from typer.exceptions import Exit

from sbf_core.care.rebuild import Rebuilt
from sbf_core.care.rebuild import rebuild as rebuild_home
from sbf_core.care.rebuild_tables import TableRebuild
from sbf_core.cli import options as opt
from sbf_core.cli.outcome import outcome_fields, run_logger, tell_outcome
from sbf_core.cli.render import print_json, print_table
from sbf_core.cli.show_progress import progress
from sbf_core.counted import counted
from sbf_core.errors import DamageFound, UsageError
from sbf_core.failures import Failure, FailureKind
from sbf_core.home.home import Home
from sbf_core.reports.datasets import dataset_named


def rebuild(
    datasets: Annotated[
        list[str] | None,
        typer.Argument(metavar="[DATASET]...", help="Only the tables of these datasets.", show_default=False),
    ] = None,
    home_folder: opt.HomeFolder = None,
    gold: Annotated[bool, typer.Option("--gold", help="Only gold: build all of its tables again.")] = False,
    accept: Annotated[bool, typer.Option("--accept", help="Make tables again although rows of theirs go.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be made again, and from how much.")
    ] = False,
    keep_backups: Annotated[
        int,
        typer.Option(
            "--keep-backups",
            metavar="N",
            min=0,
            max=opt.COUNT_MAX,
            help="Databases set aside by rebuilds that are kept, this one included.",
        ),
    ] = 1,
    into: Annotated[
        str | None,
        typer.Option(
            "--into",
            metavar="DIR",
            help="Put the new database there, and touch nothing in the home.",
            show_default=False,
        ),
    ] = None,
    as_json: opt.AsJson = False,
) -> None:
    """Make the database again from Bronze alone, the old one set aside; or only the tables of some datasets, in place.

    Examples: sbf rebuild | sbf rebuild fx/ecb/reference_rates | sbf rebuild --gold | sbf rebuild --dry-run
    """
    names = tuple(datasets or ())
    if into is not None and (names or gold or dry_run):
        raise UsageError(
            "--into makes all of a database", fix="leave the datasets, --gold and --dry-run out", code="USAGE"
        )
    home = Home.at(home_folder, logger=run_logger())
    if names or gold or dry_run:
        is_all = not names and not gold
        ids = list(home.registry.datasets) if is_all else _ids(names, home)
        tables = TableRebuild(home, ids, gold=gold or is_all, progress=progress())
        if dry_run:
            _show_costs(tables, as_json=as_json)
            return
        raise Exit(_tell_tables(tables, accept=accept, as_json=as_json))
    began = time.monotonic()
    target = None if into is None else Path(into).expanduser().absolute()
    rebuilt = rebuild_home(home, into=target, accept=accept, keep_backups=keep_backups, progress=progress())
    raise Exit(_tell_rebuilt(rebuilt, time.monotonic() - began, as_json=as_json))


def _tell_rebuilt(rebuilt: Rebuilt, elapsed: float, *, as_json: bool) -> int:
    context = rebuilt.context
    if rebuilt.lost:
        fix = (
            "`sbf verify` says what is missing, `sbf repair --from BACKUP` puts payloads back, "
            "`sbf rebuild --accept` replaces it all the same"
        )
        context.failures.extend(
            Failure(kind=FailureKind.LOSS, what=line, where="the database was not replaced", fix=fix)
            for line in rebuilt.lost
        )
    if as_json:
        print_json(
            "rebuild",
            **outcome_fields(context, elapsed),
            database=str(rebuilt.database),
            set_aside=None if rebuilt.set_aside is None else str(rebuilt.set_aside),
            removed=[str(path) for path in rebuilt.removed],
            lost=list(rebuilt.lost),
            rows_seen=context.rows_seen,
        )
        return _code(rebuilt)
    made = f"{counted(context.remade_tables, 'table')} of " if rebuilt.in_place else ""
    rows = "" if rebuilt.in_place else f"{counted(context.rows_seen, 'row')} seen, "
    if rebuilt.lost:
        print(f"Nothing was replaced: the new database would hold less than {rebuilt.database}.")
        return _code(rebuilt)
    print(f"Made {made}{rebuilt.database} again: {rows}{counted(context.gold_tables, 'gold table')}, {elapsed:.2f} s.")
    if rebuilt.set_aside is not None:
        print(f"The old one is kept as {rebuilt.set_aside}")
    for path in rebuilt.removed:
        print(f"An older one was removed: {path}")
    return tell_outcome(context)


def _code(rebuilt: Rebuilt) -> int:
    told = tell_outcome(rebuilt.context)
    return DamageFound.exit_code if rebuilt.lost else told


def _ids(names: tuple[str, ...], home: Home) -> list[str]:
    entries = home.entries
    try:
        return [dataset_named(name, entries).id for name in names]
    except UsageError as error:
        refused = [record for record in home.plugins.records.values() if record.state == "refused"]
        if not refused:
            raise
        why = "; ".join(f"plugin {record.label} is refused: {record.reason}" for record in refused)
        raise UsageError(error.what, where=why, fix="mend that plugin; nothing was touched", code=error.code) from error


def _show_costs(tables: TableRebuild, *, as_json: bool) -> None:
    costs = tables.costs()
    if as_json:
        print_json("rebuild", dry_run=True, tables=[attrs.asdict(cost) for cost in costs])
        return
    print_table(
        ("table", "dataset", "payloads", "bytes"),
        [(cost.table, cost.dataset, cost.payloads, cost.byte_count) for cost in costs],
    )
    print()
    print(f"{counted(len(costs), 'table')} would be made again; nothing was changed.")


def _tell_tables(tables: TableRebuild, *, accept: bool, as_json: bool) -> int:
    began = time.monotonic()
    context = tables.run(accept=accept)
    elapsed = time.monotonic() - began
    if as_json:
        print_json("rebuild", **outcome_fields(context, elapsed))
    else:
        gold = counted(context.gold_tables, "gold table")
        print(f"Made {counted(context.remade_tables, 'silver table')} and {gold} again, {elapsed:.2f} s.")
    return tell_outcome(context)

"""``sbf rebuild``: the database again, from Bronze alone."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import attrs

from sbf_core.bronze.journal import journal_files, read_journal_start
from sbf_core.clock import Clock, clock_of_process
from sbf_core.duck.bootstrap import DuckDbBootstrap
from sbf_core.duck.config import DuckDbConfig
from sbf_core.duck.set_aside import remove_set_aside, set_aside
from sbf_core.errors import DamageFound, UsageError
from sbf_core.plugin.installed import installed_plugins
from sbf_core.plugin.manager import PluginManager
from sbf_core.plugin.registry import DatasetRegistry
from sbf_core.runner.options import RunOptions
from sbf_core.runner.progress import Progress
from sbf_core.runner.rebuild_tables import TableRebuild
from sbf_core.runner.runner import Runner
from sbf_core.runs.context import RunContext
from sbf_core.settings.settings import Settings
from sbf_core.vocabulary import RunStatus


@attrs.frozen(kw_only=True)
class Rebuilt:
    """What a rebuild came to.

    Attributes:
        context: the run that did it.
        database: the new database.
        set_aside: where the old one is kept, if there was one and it was replaced.
        removed: older ones that were set aside by earlier rebuilds, and are gone now.
        in_place: tables were made again in the old database, because some that it has nobody can make again.
    """

    context: RunContext
    database: Path
    set_aside: Path | None = None
    removed: tuple[Path, ...] = ()
    in_place: bool = False


def rebuild(
    settings: Settings,
    *,
    into: Path | None = None,
    keep_backups: int = 1,
    clock: Clock | None = None,
    manager: PluginManager | None = None,
    progress: Progress | None = None,
    logger: logging.Logger | None = None,
) -> Rebuilt:
    """Make silver, gold, history, watermarks and ledger again from payloads and journals.

    The old database is set aside. Where payloads are there that no loaded plugin declares, so that a new database would
    lack their tables, the others are made again in the old one instead, and these are named. A rebuild that is stopped leaves an ordinary home with payloads that
    are still to be promoted: the next ``sbf run`` or ``sbf rebuild`` finishes it.

    Args:
        settings: of the home.
        into: put the new database into this folder instead, and touch nothing in the home.
        keep_backups: how many of the databases that rebuilds have set aside are kept, this one included.
        clock: the present moment.
        manager: the plugins.
        progress: told what goes on.
        logger: told how it ended.

    Raises:
        UsageError: Bronze holds no journal, or ``into`` holds a database already.
        HomeLocked: another process has the database open.
    """
    clock = clock or clock_of_process()
    config = settings.config
    if not journal_files(config.bronze):
        raise UsageError(
            "Bronze holds no journal, so there is nothing to rebuild from",
            where=str(config.bronze),
            fix="restore it from a backup",
            code="NO_BRONZE",
        )
    manager = manager or installed_plugins(settings)
    orphans = _orphans(config, manager)
    if into is not None:
        config = attrs.evolve(config, home=into, bronze_folder=config.bronze)
        if config.database.exists():
            raise UsageError(
                "there is a database already", where=str(config.database), fix="name another folder", code="HOME"
            )
    elif orphans and _opens(config):
        ids = list(DatasetRegistry(manager).datasets)
        tables = TableRebuild(settings, ids, gold=True, clock=clock, manager=manager, progress=progress, logger=logger)
        return _in_place(tables, config, orphans)
    options = RunOptions(plugins=tuple(record.name for record in manager.selected(None)), fetch=False)
    old = set_aside(config, clock=clock) if into is None else None
    runner = Runner(settings, options, clock=clock, manager=manager, progress=progress, logger=logger, config=config)
    context = runner.run()
    context.notes.extend(f"{text}: its payloads wait for it" for text in orphans)
    is_whole = old is not None and context.status is RunStatus.OK
    removed = remove_set_aside(config, keep=keep_backups) if is_whole else ()
    return Rebuilt(context=context, database=config.database, set_aside=old, removed=removed)


def _in_place(tables: TableRebuild, config: DuckDbConfig, orphans: Sequence[str]) -> Rebuilt:
    context = tables.run(accept=True)
    context.notes.extend(f"{text}: its table stays as it is" for text in orphans)
    return Rebuilt(context=context, database=config.database, in_place=True)


def _orphans(config: DuckDbConfig, manager: PluginManager) -> list[str]:
    """Datasets of payloads that no loaded plugin declares, each with the reason, as far as it is known."""
    registry = DatasetRegistry(manager)
    declared = {name for owned in registry.datasets.values() for name in owned.entry.ids}
    refused = [
        f"plugin {record.label} is refused: {record.reason}"
        for record in manager.records.values()
        if record.state == "refused"
    ]
    held = {line.row.dataset_id for path in journal_files(config.bronze) for line in read_journal_start(path)[0]}
    why = "; ".join(refused) or "no installed plugin declares it"
    return [f"{name} cannot be made again ({why})" for name in sorted(held - declared)]


def _opens(config: DuckDbConfig) -> bool:
    """Whether the database is there, and whole enough to be opened."""
    if not config.database.exists():
        return False
    try:
        DuckDbBootstrap(config, read_only=True).open().close()
    except (DamageFound, UsageError):
        return False
    return True

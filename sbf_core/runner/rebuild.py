"""``sbf rebuild``: the database again, from Bronze alone."""

from __future__ import annotations

import logging
from pathlib import Path

import attrs

from sbf_core.bronze.journal import journal_files
from sbf_core.clock import Clock, clock_of_process
from sbf_core.duck.set_aside import set_aside
from sbf_core.errors import UsageError
from sbf_core.plugin.manager import PluginManager
from sbf_core.runner.options import RunOptions
from sbf_core.runner.progress import Progress
from sbf_core.runner.runner import Runner
from sbf_core.runs.context import RunContext
from sbf_core.settings.settings import Settings


@attrs.frozen(kw_only=True)
class Rebuilt:
    """What a rebuild came to.

    Attributes:
        context: the run that did it.
        runner: with its overview.
        database: the new database.
        set_aside: where the old one is kept, if there was one.
    """

    context: RunContext
    runner: Runner
    database: Path
    set_aside: Path | None


def rebuild(
    settings: Settings,
    *,
    into: Path | None = None,
    clock: Clock | None = None,
    manager: PluginManager | None = None,
    progress: Progress | None = None,
    logger: logging.Logger | None = None,
) -> Rebuilt:
    """Make silver, gold, history, watermarks and ledger again from payloads and journals.

    The old database is set aside, never deleted. A rebuild that is stopped leaves an ordinary home with payloads that
    are still to be promoted: the next ``sbf run`` or ``sbf rebuild`` finishes it.

    Args:
        settings: of the home.
        into: put the new database into this folder instead, and touch nothing in the home.
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
        raise UsageError("Bronze holds no journal, so there is nothing to rebuild from", where=str(config.bronze), fix="restore it from a backup", code="NO_BRONZE")
    old = None
    if into is None:
        old = set_aside(config, clock=clock)
    else:
        config = attrs.evolve(config, home=into, bronze_folder=config.bronze)
        if config.database.exists():
            raise UsageError("there is a database already", where=str(config.database), fix="name another folder", code="HOME")
    manager = manager or PluginManager(block=settings["plugins.block"], options=settings.options)
    names = tuple(record.name for record in manager.selected(None))
    runner = Runner(settings, RunOptions(plugins=names, fetch=False), clock=clock, manager=manager, progress=progress, logger=logger, config=config)
    context = runner.run()
    return Rebuilt(context=context, runner=runner, database=config.database, set_aside=old)

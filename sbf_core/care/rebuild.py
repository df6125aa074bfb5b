"""``sbf rebuild``: the database again, from Bronze alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import attrs
import duckdb

from sbf_core.bronze.journal import journal_files, journalled_datasets
from sbf_core.care.rebuild_tables import TableRebuild
from sbf_core.care.shrunk_tables import shrunk_tables
from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.duck.beside import attached
from sbf_core.duck.bootstrap import DuckDbBootstrap
from sbf_core.duck.config import DuckDbConfig
from sbf_core.duck.damage import tells_of_damage
from sbf_core.duck.disk import machine_faults
from sbf_core.duck.holder import HomeLock
from sbf_core.duck.home_folder import check_outside, check_place, make_home
from sbf_core.duck.scratch import scratch_folder
from sbf_core.duck.set_aside import remove_set_aside, replace_database
from sbf_core.errors import DamageFound, UsageError
from sbf_core.fetching.progress import Progress
from sbf_core.home.home import Home
from sbf_core.ops.made_tables import MadeTable, left_by_readers, made_tables
from sbf_core.ops.service import OpsService
from sbf_core.runner.options import RunOptions
from sbf_core.runner.publish_stage import publish_changed_tables, wants_copy
from sbf_core.runner.runner import WAIT_FOR_READERS_SECONDS, Runner
from sbf_core.runs.context import RunContext
from sbf_core.silver.stale import stale_tables
from sbf_core.value import Value
from sbf_core.vocabulary import RunStatus


@attrs.frozen(kw_only=True)
class Rebuilt(Value):
    """What a rebuild came to.

    Attributes:
        context: the run that did it.
        database: the new database.
        set_aside: where the old one is kept, if there was one and it was replaced.
        lost: what would have gone, so that the old one was not replaced; a line a table.
        removed: older ones that were set aside by earlier rebuilds, and are gone now.
        in_place: tables were made again in the old database, because some that it has nobody can make again.
    """

    context: RunContext
    database: Path
    set_aside: Path | None = None
    lost: tuple[str, ...] = ()
    removed: tuple[Path, ...] = ()
    in_place: bool = False


def rebuild(
    home: Home,
    *,
    into: Path | None = None,
    accept: bool = False,
    keep_backups: int = 1,
    progress: Progress | None = None,
) -> Rebuilt:
    """Make silver, gold, history, watermarks and ledger again from payloads and journals.

    The new one is made beside the old one, and takes its place at once when it is whole: until then readers see the old
    one, and a rebuild that is stopped has changed nothing. The old one is kept in ``backups``. A new one that would
    lack rows of the old one does not take its place, and is thrown away. Where payloads are there that no loaded plugin
    declares, so that a new database would lack their tables, the others are made again in the old one instead, and
    these are named. So they are where a table waits for its user, who is told again, unless ``accept`` is given.

    Args:
        home: the home.
        into: put the new database into this folder instead, and touch nothing in the home.
        accept: replace the old one although rows of it go.
        keep_backups: how many of the databases that rebuilds have set aside are kept, this one included.
        progress: told what goes on.

    Raises:
        UsageError: Bronze holds no journal, or ``into`` holds a database already.
        HomeLocked: another process has the database open.
    """
    config = home.config
    if not journal_files(config.bronze):
        raise UsageError(
            "Bronze holds no journal, so there is nothing to rebuild from",
            where=str(config.bronze),
            fix="restore it from a backup",
            code="NO_BRONZE",
        )
    home.registry.check_whole()
    orphans = _orphans(home)
    plugins = tuple(record.name for record in home.plugins.selected(None))
    runner = partial(Runner, home, RunOptions(plugins=plugins, fetch=False), progress=progress)
    if into is not None:
        return _replaced(home, _elsewhere(config, into), runner, orphans, accept=True)
    orphans += _unfilled(home)
    tables = TableRebuild(home, list(home.registry.datasets), gold=True, progress=progress)
    if orphans and _opens(config):
        return _in_place(tables, config, orphans, accept=True)
    if not accept and _waits(config, home.entries):
        return _in_place(tables, config, (), accept=False)
    rebuilt = _replaced(home, config, runner, orphans, accept=accept)
    is_whole = rebuilt.set_aside is not None and rebuilt.context.status is RunStatus.OK
    return attrs.evolve(rebuilt, removed=remove_set_aside(config, keep=keep_backups) if is_whole else ())


def _replaced(
    home: Home,
    config: DuckDbConfig,
    runner: Callable[..., Runner],
    orphans: Sequence[str],
    *,
    accept: bool,
) -> Rebuilt:
    """Make the new database in scratch, compare it, and put it in its place, while nobody else changes the home."""
    make_home(config)
    lock = HomeLock(config, home.clock, shared=False)
    lock.acquire(wait_seconds=home.settings["run.wait_seconds"] or WAIT_FOR_READERS_SECONDS)
    try:
        with scratch_folder(config, name="rebuild") as folder:
            beside = attrs.evolve(config, database_file=folder / config.database.name)
            at_work = runner(config=beside, lock=lock, publish=False)
            context = _run(at_work, orphans)
            lost = () if accept else _lost(config, beside, home.entries, lock)
            if lost:
                return Rebuilt(context=context, database=config.database, lost=lost)
            old = replace_database(config, beside.database, clock=home.clock)
        _publish(home, config, context, lock)
    finally:
        lock.release()
    return Rebuilt(context=context, database=config.database, set_aside=old)


def _run(runner: Runner, orphans: Sequence[str]) -> RunContext:
    context = runner.run()
    context.notes.extend(f"{text}: its payloads wait for it" for text in orphans)
    return context


def _lost(
    config: DuckDbConfig, fresh: DuckDbConfig, entries: Sequence[DatasetKeymapEntry], lock: HomeLock
) -> tuple[str, ...]:
    """What of the silver tables the new database lacks, a line a table; nothing where the old one cannot be read."""
    try:
        old = DuckDbBootstrap(config, read_only=True, scratch=fresh.database.parent, lock=lock).open()
    except (DamageFound, UsageError):
        return ()
    try:
        with attached(old.cursor(), fresh.database):
            return tuple(shrunk_tables(old.cursor(), entries))
    except duckdb.Error as error:
        if not tells_of_damage(error):
            raise
        return ()
    finally:
        old.close()


def _publish(home: Home, config: DuckDbConfig, context: RunContext, lock: HomeLock) -> None:
    how = home.settings["run.publish"]
    if not wants_copy(config, how=how, rows_changed=True):
        return
    with machine_faults(config.database):
        bootstrap = DuckDbBootstrap(config, clock=home.clock, lock=lock).open()
        try:
            publish_changed_tables(OpsService.over(bootstrap, clock=home.clock), config, context.run_id, how=how)
        finally:
            bootstrap.close(publish_as=context.run_id)


def _elsewhere(config: DuckDbConfig, into: Path) -> DuckDbConfig:
    """For a database in another folder, from the payloads of a home. Raises ``UsageError`` where it cannot be there."""
    check_outside(config, into, fix="name a folder elsewhere with --into")
    config = attrs.evolve(config, home=into, bronze_folder=config.bronze)
    check_place(config, config.database)
    if config.database.exists():
        raise UsageError(
            "there is a database already", where=str(config.database), fix="name another folder", code="HOME"
        )
    return config


def _in_place(tables: TableRebuild, config: DuckDbConfig, orphans: Sequence[str], *, accept: bool) -> Rebuilt:
    context = tables.run(accept=accept)
    context.notes.extend(f"{text}: its table stays as it is" for text in orphans)
    return Rebuilt(context=context, database=config.database, in_place=True)


def _orphans(home: Home) -> list[str]:
    """Datasets of payloads that no loaded plugin declares, each with the reason, as far as it is known."""
    declared = {name for entry in home.entries for name in entry.ids}
    refused = [
        f"plugin {record.label} is refused: {record.reason}"
        for record in home.plugins.records.values()
        if record.state == "refused"
    ]
    held = {name for path in journal_files(home.config.bronze) for name in journalled_datasets(path)}
    why = "; ".join(refused) or "no installed plugin declares it"
    return [f"{name} cannot be made again ({why})" for name in sorted(held - declared)]


def _unfilled(home: Home) -> list[str]:
    """Datasets of tables that were read out of others' payloads, and that nobody fills now, each with the reason: no
    journal knows them.
    """
    why = {name: error.what for name, (_, error) in home.registry.unread.items()}
    return [
        f"{one.dataset} cannot be made again ({why.get(one.dataset, 'no loaded plugin declares it')})"
        for one in left_by_readers(_made(home.config), home.entries)
    ]


def _made(config: DuckDbConfig) -> dict[str, MadeTable]:
    """What made each table of the database; nothing where it is not there, or cannot be read."""
    if not config.database.exists():
        return {}
    try:
        bootstrap = DuckDbBootstrap(config, read_only=True).open()
    except (DamageFound, UsageError):
        return {}
    try:
        return made_tables(bootstrap.cursor())
    except duckdb.Error as error:
        if not tells_of_damage(error):
            raise
        return {}
    finally:
        bootstrap.close()


def _waits(config: DuckDbConfig, entries: Sequence[DatasetKeymapEntry]) -> bool:
    """Whether a table of the database waits for its user: a new one would have it as it is declared now."""
    if not config.database.exists():
        return False
    try:
        bootstrap = DuckDbBootstrap(config, read_only=True).open()
    except (DamageFound, UsageError):
        return False
    try:
        return any(stale.hold is not None for stale in stale_tables(bootstrap.cursor(), entries))
    except duckdb.Error as error:
        if not tells_of_damage(error):
            raise
        return False  # what waited is lost with the ledger
    finally:
        bootstrap.close()


def _opens(config: DuckDbConfig) -> bool:
    """Whether the database is there, and whole enough to be opened."""
    if not config.database.exists():
        return False
    try:
        DuckDbBootstrap(config, read_only=True).open().close()
    except (DamageFound, UsageError):
        return False
    return True

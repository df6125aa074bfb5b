"""A database that a crash left damaged: moved to quarantine, its place taken by the copy for readers,
or by an empty database.

Nothing is lost by that. Recovery comes next, and takes in every payload that the journals know and the ledger does not.
"""

from __future__ import annotations

import logging
import os
import secrets

from sbf_core.atomic_file import sync_all
from sbf_core.bronze.quarantine import QuarantineReason, move_to_quarantine
from sbf_core.duck.bootstrap import DuckDbBootstrap
from sbf_core.duck.config import DuckDbConfig
from sbf_core.duck.create import put_in_place
from sbf_core.duck.publish import Publication, copy_database, current_publication
from sbf_core.errors import DamageFound, SbfError
from sbf_core.faults import fault_point


def open_replacing(bootstrap: DuckDbBootstrap, *, wait_seconds: float, logger: logging.Logger) -> str:
    """Open the database of a home for writing; where a crash has damaged it, open another in its place.

    Args:
        bootstrap: opens it.
        wait_seconds: how long to wait for another process.
        logger: told what was done.

    Returns:
        What was done, in one line; empty where the database was whole.

    Raises:
        DamageFound: it is damaged, and no process died that had it open: the disk may be failing. Nothing was touched.
        HomeLocked, VersionRefused, UsageError, EnvironmentFault: see ``DuckDbBootstrap.open``.
    """
    config = bootstrap.config
    bootstrap.hold(wait_seconds=wait_seconds)  # before, during and after: nobody else replaces it, or puts rows into it
    try:
        try:
            bootstrap.open(wait_seconds=wait_seconds)
            return ""
        except DamageFound as damage:
            if not config.holder.exists():
                raise
            done = _replaced(config, damage)
        logger.warning("Damaged database replaced.")
        bootstrap.open()
        return done
    except BaseException:
        bootstrap.let_go()
        raise


def _replaced(config: DuckDbConfig, damage: DamageFound) -> str:
    database = config.database
    fresh = database.with_name(f".{database.name}.{os.getpid()}-{secrets.token_hex(4)}.new")
    copy = _whole_copy(config)
    if copy is not None:
        with copy.path.open("rb") as source:
            copy_database(source, fresh, durable=config.fsync != "none")
    fault_point("replace.copied")
    kept = config.quarantine
    for path in (
        database.with_name(f"{database.name}.wal"),
        database,
    ):  # a log must never be left beside another database
        if path.exists():
            kept = move_to_quarantine(
                config.quarantine, path, original=path.name, reason=QuarantineReason.DAMAGED_DATABASE
            )
    fault_point("replace.moved")
    if copy is not None:
        put_in_place(fresh, database)
        fresh.unlink(missing_ok=True)
    if config.fsync != "none":
        sync_all([config.home])
    fault_point("replace.done")
    other = (
        f"the copy that run {copy.run_id} left for readers; what is newer was"
        if copy is not None
        else "an empty one; everything was"
    )
    return (
        f"a crash had damaged the database: it was moved to {kept} and replaced by {other} taken from Bronze "
        f"({damage.what})"
    )


def _whole_copy(config: DuckDbConfig) -> Publication | None:
    """The copy for readers, if there is one and it can be opened."""
    copy = current_publication(config)
    if copy is None:
        return None
    try:
        DuckDbBootstrap(config, read_only=True, database=copy.path).open().close()
    except SbfError:
        return None
    return copy

"""What the machine, and not a payload or a query, is to blame for, as errors that say what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from sbf_core.duck.engine_errors import EngineFault, fault_of, first_line
from sbf_core.errors import (
    DamageFound,
    EnvironmentFault,
    OutOfMemory,
    PluginFault,
    SbfError,
    environment_fault,
    raised_at,
    show_trace,
    told_by,
)

#: Below this a run warns.
FREE_BYTES_FLOOR = 1024**3
_MORE_MEMORY = "raise duckdb.memory_limit (SBF_MEMORY_LIMIT) or close other programs, and run again; nothing is lost"


def is_locked(error: duckdb.Error) -> bool:
    """Whether another process has the file open."""
    return any(
        sign in str(error) for sign in ("onflicting lock", "Could not set lock", "being used by another process")
    )


_MORE_FOR_PLUGINS = (
    "close other programs, or raise plugins.memory_mebibytes where the plugin has a process of its own, and run again; "
    "nothing is lost"
)


@contextmanager
def machine_faults(database: Path) -> Iterator[None]:
    """Turns what the system or the engine says about disk, memory and the database file into errors of sbf.

    Raises:
        EnvironmentFault, OutOfMemory: the machine.
        DamageFound: the database is damaged.
    """
    try:
        yield
    except (SbfError, BrokenPipeError):
        raise
    except (OSError, MemoryError, RuntimeError, duckdb.Error) as error:
        told = machine_fault(error, database)
        if told is None:
            raise
        raise told from error


def fault_of_hook(error: BaseException, *, where: str, fix: str) -> SbfError:
    """What code of a plugin raised, as the error that says who is to blame: the machine where it lacks memory, disk,
    descriptors or rights, else the plugin. Its line is put before ``where``.
    """
    show_trace(error)
    raised, kind = f"raised {told_by(error)}", fault_of(error)
    where = ", ".join(part for part in (raised_at(error), where) if part)
    if kind is EngineFault.MEMORY:
        return OutOfMemory(raised, where=where, fix=_MORE_FOR_PLUGINS)
    if kind is EngineFault.SYSTEM and isinstance(error, OSError):
        return EnvironmentFault(raised, where=where, fix="mend that and run again; nothing is lost")
    return PluginFault(raised, where=where, fix=fix)


def machine_fault(error: Exception, database: Path) -> SbfError | None:
    """One of them; None for an error that is not the machine's fault."""
    if isinstance(error, OSError) and not isinstance(error, MemoryError):
        return environment_fault(error, doing="a file cannot be used", where=str(database.parent))
    kind = fault_of(error)
    if kind is EngineFault.MEMORY:
        said = first_line(error)
        return OutOfMemory(
            f"there is too little memory{': ' + said if said else ''}", where=str(database), fix=_MORE_MEMORY
        )
    if kind is EngineFault.DAMAGE:
        fix = "the disk may be failing; run `sbf rebuild`, it needs only Bronze"
        return DamageFound(f"the database is damaged: {first_line(error)}", where=str(database), fix=fix)
    if kind is EngineFault.SYSTEM:
        return environment_fault(error, doing="the database cannot be used", where=str(database))
    return None

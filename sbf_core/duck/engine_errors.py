"""Errors of the engine as Python sees them, and whose fault each is.

A message that the engine cut within a character, as it does with the payload that it quotes, is no UTF-8: Python then
raises ``UnicodeDecodeError`` in the place of the error (DuckDB 1.5.5 and 2.0.1).
"""

from __future__ import annotations

import errno
import os
from enum import StrEnum

import duckdb

from sbf_core.duck.damage import tells_of_damage
from sbf_core.errors import EnvironmentFault, OutOfMemory, is_interrupt
from sbf_core.failures import FailureKind, kind_of

#: Whatever a statement may raise because of what it was given.
ENGINE_ERRORS = (duckdb.Error, UnicodeDecodeError, MemoryError)

_NUMBERS = ("ENOSPC", "EDQUOT", "EROFS", "EACCES", "EPERM", "EIO", "EMFILE", "ENFILE", "EFBIG", "ENOMEM")
_ERRNOS = frozenset(getattr(errno, name) for name in _NUMBERS if hasattr(errno, name))
_TEXTS = (*(os.strerror(number) for number in sorted(_ERRNOS)), "not enough space on the disk")
#: What Python says, by no class of its own, where the system gives no thread: for want of memory, or because there are
#: too many.
_NO_THREAD = "can't start new thread"
#: The texts of these quote what a payload or a plugin says, and are never read.
_OF_INPUT = (
    duckdb.ProgrammingError,  # parser, syntax, binder, catalog, invalid input, invalid type
    duckdb.DataError,  # conversion, out of range, type mismatch
    duckdb.IntegrityError,
    duckdb.NotSupportedError,
    duckdb.PermissionException,
    duckdb.SequenceException,
    duckdb.DependencyException,
)


class EngineFault(StrEnum):
    """Whose fault it is that a statement failed."""

    #: What it was given: a payload, a plugin's SELECT, a user's query.
    INPUT = "input"
    #: There is too little memory.
    MEMORY = "memory"
    #: The disk, the descriptors, the rights; after a fatal error the database must be opened again.
    SYSTEM = "system"
    #: The database file holds other bytes than the engine once wrote.
    DAMAGE = "damage"
    #: Somebody stopped it.
    STOPPED = "stopped"
    #: The engine's own, or one that nobody has thought of.
    UNKNOWN = "unknown"


def fault_of(error: BaseException) -> EngineFault:
    """Whose fault an error is, by its class. Only where a class has several meanings the text tells them apart, and
    such texts are the engine's alone: they quote no payload.
    """
    if is_interrupt(error):
        return EngineFault.STOPPED
    if isinstance(error, (MemoryError, OutOfMemory, duckdb.OutOfMemoryException)):
        return EngineFault.MEMORY
    if isinstance(error, EnvironmentFault):
        return EngineFault.SYSTEM
    if isinstance(error, OSError):
        if error.errno == errno.ENOMEM:
            return EngineFault.MEMORY
        return EngineFault.SYSTEM if error.errno in _ERRNOS else EngineFault.INPUT
    if type(error) is RuntimeError and str(error) == _NO_THREAD:
        return EngineFault.MEMORY
    if not isinstance(error, duckdb.Error) or isinstance(error, _OF_INPUT):
        return EngineFault.INPUT
    text = str(error)
    if tells_of_damage(text):
        return EngineFault.DAMAGE
    if isinstance(error, duckdb.FatalException):
        return EngineFault.SYSTEM
    if isinstance(error, (duckdb.IOException, duckdb.TransactionException)):
        is_system = isinstance(error, duckdb.TransactionException) or any(known in text for known in _TEXTS)
        return EngineFault.SYSTEM if is_system else EngineFault.INPUT  # a Parquet file that is none
    return EngineFault.UNKNOWN


def is_inputs_fault(error: BaseException) -> bool:
    """Whether what was given to a statement, or to a hook, is to blame: only then a payload may be judged by it."""
    return fault_of(error) is EngineFault.INPUT


def kind_of_fault(error: BaseException) -> FailureKind:
    """The kind of failure that an error is, be it the engine's, Python's or ours."""
    fault = fault_of(error)
    if fault is EngineFault.MEMORY:
        return FailureKind.MEMORY
    return FailureKind.ENVIRONMENT if fault is EngineFault.SYSTEM else kind_of(error)


def costs_only_its_own(error: BaseException) -> bool:
    """Whether others may fare better than who met this fault of the machine: they may need less memory, or not the file
    that a plugin, or a payload, could not have. What the engine or the system itself says ends all.
    """
    return fault_of(error) is EngineFault.MEMORY or isinstance(error, EnvironmentFault)


def first_line(error: BaseException) -> str:
    """What the engine says, in one line."""
    text = error.object.decode("utf-8", "replace") if isinstance(error, UnicodeDecodeError) else str(error)
    return text.split("\n", maxsplit=1)[0]

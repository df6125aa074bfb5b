"""The words of sbf as types: enums, and the rule for names."""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import StrEnum
from typing import TypeVar

from sbf_core.errors import UsageError, nearest

_Word = TypeVar("_Word", bound=StrEnum)
_NAME = re.compile(r"[a-z][a-z0-9_]{0,47}")
#: Words that DuckDB or sbf keep for themselves: as a table or column name each would need quotes for ever.
RESERVED_NAMES = frozenset(
    {"all", "at", "from", "group", "order", "select", "table", "union", "where", "ops", "silver", "gold"}
)


class Scope(StrEnum):
    """Whether a dataset is fetched once, or once per ticker of the universe."""

    GLOBAL = "global"
    PER_TICKER = "per_ticker"


class Semantics(StrEnum):
    """What a new payload means for the rows that silver already holds."""

    UPSERT = "upsert"
    APPEND = "append"
    SNAPSHOT = "snapshot"


class Answers(StrEnum):
    """What an answer says of the rows that it lacks, of the days and the ticker that it was asked for."""

    #: Such a row is no more: it is closed.
    WHOLE = "whole"
    #: Nothing: an answer holds what changed.
    CHANGES = "changes"


class Restated(StrEnum):
    """What is fetched again where settled rows come back changed."""

    #: All days of the series.
    SERIES = "series"


class OnDuplicate(StrEnum):
    """What to do when one payload states a key twice with different values."""

    REJECT = "reject"
    FIRST = "first"
    LAST = "last"


class RunStatus(StrEnum):
    """How a run stands."""

    RUNNING = "running"
    OK = "ok"
    PARTIAL = "partial"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    #: Known only from its journal: the database that saw it is gone.
    REBUILT = "rebuilt"

    def __repr__(self) -> str:
        return repr(self.value)  # a notebook shows what a program compares it with


class WorkStatus(StrEnum):
    """How one file, promotion or gold table stands."""

    STARTED = "started"
    FETCHED = "fetched"
    UNCHANGED = "unchanged"
    #: The vendor has nothing for what was asked, and says so in a way that the dataset declares.
    NONE = "none"
    OK = "ok"
    SKIPPED = "skipped"
    DEFERRED = "deferred"
    #: A payload that waits for its user: kept in Bronze, not promoted.
    HELD = "held"
    FAILED = "failed"


class Drift(StrEnum):
    """What to do with a payload that lacks a declared field which came until now."""

    #: It waits in Bronze for its user.
    HOLD = "hold"
    #: It is promoted where that can be, and the run tells.
    TELL = "tell"
    #: It fails.
    FAIL = "fail"


class IngestionKind(StrEnum):
    """The kinds of row in ``ops.file_ingestions``."""

    RUN = "run"
    FILE = "file"
    READING = "reading"
    GOLD = "gold"


class Layer(StrEnum):
    """The three layers of the medallion."""

    BRONZE = "bronze"
    SILVER = "silver"
    GOLD = "gold"


def word(value: str, kind: type[_Word], *, what: str) -> _Word:
    """A text as a member of an enum; ``what`` names it in the message that refuses another."""
    known = [str(member) for member in kind]
    if value not in known:
        fix = nearest(value, known) or f"use {', '.join(known[:-1])} or {known[-1]}"
        raise UsageError(f"{what} {value!r} is not known", fix=fix, code="DATASET")
    return kind(value)


def texts(values: Iterable[str]) -> tuple[str, ...]:
    """Texts as a tuple; a single text is refused, because its letters are rarely meant."""
    if isinstance(values, str):
        raise UsageError(f"{values!r} is one text where several are expected", fix=f"write ({values!r},)", code="TEXTS")
    return tuple(values)


def check_name(name: str, *, what: str, is_field: bool = False) -> str:
    """Return ``name`` if it can name a dataset, table or column, else raise ``UsageError``.

    A name is 1 to 48 characters of ``a-z``, ``0-9`` and ``_`` and starts with a letter, so that it needs no
    quotes in SQL and is the same file name on every system. Where it ``is_field`` of a payload, the vendor's name of it
    can be kept beside it.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(f"{what} {name!r} is not a name", fix="use 1 to 48 of a-z 0-9 _, a letter first", code="NAME")
    if name in RESERVED_NAMES:
        fix = "choose another name" + (f", and keep the vendor's as source={name!r}" if is_field else "")
        raise UsageError(f"{what} {name!r} is reserved, as words of SQL are", fix=fix, code="NAME")
    return name

"""Failures as values: what went wrong with a dataset, a series, a payload or a table, by kind.

Text is made of them where a person reads it; no program reads that text.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import attrs

from sbf_core.errors import (
    DamageFound,
    EnvironmentFault,
    FieldGone,
    HomeLocked,
    OutOfMemory,
    PayloadRefused,
    PluginFault,
    SbfError,
    UsageError,
    VersionRefused,
    printable,
    said_by,
    shortened,
)
from sbf_core.value import Value


class FailureKind(StrEnum):
    """Every kind of failure that sbf records; ``MEANINGS`` says what each is."""

    # asking
    CLOSED = "closed"
    CODING = "coding"
    CONNECT = "connect"
    CONNECTION = "connection"
    DEADLINE = "deadline"
    DEFERRED = "deferred"
    EMPTY = "empty"
    ERROR_NOTE = "error_note"
    EXTRA_BYTES = "extra_bytes"
    FILE = "file"
    HTTP_STATUS = "http_status"
    INCOMPLETE = "incomplete"
    NO_CURSOR = "no_cursor"
    NOT_ASKED = "not_asked"
    NOT_DATA = "not_data"
    NOT_RECORDED = "not_recorded"
    OTHER = "other"
    PAGINATION_LOOP = "pagination_loop"
    PLAN = "plan"
    PROGRAM = "program"
    PROTOCOL = "protocol"
    QUERY = "query"
    QUERY_TOO_LARGE = "query_too_large"
    REDIRECT = "redirect"
    REQUEST = "request"
    ROW_CAP = "row_cap"
    SIGN_IN = "sign_in"
    TIMEOUT = "timeout"
    TLS = "tls"
    TOO_LARGE = "too_large"
    TRUNCATED = "truncated"
    # reading and promoting
    DECLARATION = "declaration"
    FIELD_GONE = "field_gone"
    HELD = "held"
    PAYLOAD = "payload"
    PLUGIN = "plugin"
    REJECTS = "rejects"
    SHRUNK = "shrunk"
    # building
    GOLD = "gold"
    # the home and the machine
    BUG = "bug"
    DAMAGE = "damage"
    ENVIRONMENT = "environment"
    INTERRUPTED = "interrupted"
    LOCKED = "locked"
    LOSS = "loss"
    MEMORY = "memory"
    VERSION = "version"


MEANINGS: Mapping[FailureKind, str] = {
    FailureKind.CLOSED: "the session was closed while a request was waiting",
    FailureKind.CODING: "the answer is compressed in a way that nobody asked for, or is not what it says",
    FailureKind.CONNECT: "no connection to the vendor, or to the proxy",
    FailureKind.CONNECTION: "the connection broke before an answer began",
    FailureKind.DEADLINE: "the answer was not whole within `deadline_seconds`",
    FailureKind.DEFERRED: "the vendor's limits allow the request later only; a later run asks again",
    FailureKind.EMPTY: "an answer without rows, where the dataset does not declare that there may be none",
    FailureKind.ERROR_NOTE: "the vendor says in an answer with status 200 that something is wrong",
    FailureKind.EXTRA_BYTES: "bytes follow the end of a compressed answer",
    FailureKind.FILE: "a file of a `FileRecipe` cannot be read",
    FailureKind.HTTP_STATUS: "the vendor answered with a status that is no success",
    FailureKind.INCOMPLETE: "pages, totals or parts of an answer do not make a whole",
    FailureKind.NO_CURSOR: "an answer lacks what the next request goes on with",
    FailureKind.NOT_ASKED: "the vendor failed several times, and was not asked any more; a later run asks again",
    FailureKind.NOT_DATA: "the answer is a page, a note or a text, and no data",
    FailureKind.NOT_RECORDED: "the recording holds no such answer",
    FailureKind.OTHER: "a hook says that it failed, and of no kind",
    FailureKind.PAGINATION_LOOP: "pages repeat, or have no end",
    FailureKind.PLAN: "the user's plan with the vendor does not cover it; no failure of the run",
    FailureKind.PROGRAM: "a program that gives the rows, such as a Singer tap, failed",
    FailureKind.PROTOCOL: "the answer is no HTTP",
    FailureKind.QUERY: "a database refuses the query, or rows of it, or of a function, cannot be kept exactly",
    FailureKind.QUERY_TOO_LARGE: "the vendor says that the request asks for too much, and it cannot be cut",
    FailureKind.REDIRECT: "the vendor leads to an address that may not be followed",
    FailureKind.REQUEST: "the request cannot be sent",
    FailureKind.ROW_CAP: "the answer has as many rows as the vendor sends at most, and cannot be split",
    FailureKind.SIGN_IN: "the vendor gives no token for the keys that are set, or one that cannot be used",
    FailureKind.TIMEOUT: "the vendor did not answer in time, or stopped in the middle of its answer",
    FailureKind.TLS: "the vendor's certificate is not valid",
    FailureKind.TOO_LARGE: "the answer is larger than `mebibytes_max`",
    FailureKind.TRUNCATED: "the answer was cut",
    FailureKind.DECLARATION: "what is declared, set or asked for cannot work",
    FailureKind.FIELD_GONE: "a payload lacks a declared field that came until then",
    FailureKind.HELD: "a payload or a dataset waits for its user",
    FailureKind.PAYLOAD: "a payload cannot be read as it is declared",
    FailureKind.PLUGIN: "code of a plugin failed, or answered what it must not",
    FailureKind.REJECTS: "too large a share of a payload's rows was rejected, so that none was taken",
    FailureKind.SHRUNK: "an answer lists so much less than the one before that it is not believed",
    FailureKind.GOLD: "a gold table could not be built, or one of its tests failed",
    FailureKind.BUG: "an error that nobody foresaw; please report it",
    FailureKind.DAMAGE: "files or ledger disagree, or are damaged",
    FailureKind.ENVIRONMENT: "the disk, a permission, or another want of the machine",
    FailureKind.INTERRUPTED: "somebody stopped the run",
    FailureKind.LOCKED: "another process works in the home",
    FailureKind.LOSS: "rows would have gone, so that nothing was replaced",
    FailureKind.MEMORY: "less memory than was wanted",
    FailureKind.VERSION: "written by a newer sbf",
}

#: The kinds of our errors, the narrower class before the wider.
_OF_ERRORS: tuple[tuple[type[SbfError], FailureKind], ...] = (
    (FieldGone, FailureKind.FIELD_GONE),
    (PayloadRefused, FailureKind.PAYLOAD),
    (PluginFault, FailureKind.PLUGIN),
    (UsageError, FailureKind.DECLARATION),
    (DamageFound, FailureKind.DAMAGE),
    (HomeLocked, FailureKind.LOCKED),
    (VersionRefused, FailureKind.VERSION),
    (OutOfMemory, FailureKind.MEMORY),
    (EnvironmentFault, FailureKind.ENVIRONMENT),
)


@attrs.frozen(kw_only=True)
class Failure(Value):
    """One thing that went wrong.

    Attributes:
        kind: what sort of thing it was.
        what: what happened, in one clause.
        dataset: the dataset it happened to, ``domain/source/dataset``; empty where it is of none.
        ticker: the ticker that was asked for, or ``FIRST and N more``; empty where it is of none.
        table: the gold table; empty where it is of none.
        payload: the payload, as its path below Bronze; empty where it is of none.
        where: the file, column or setting it happened at.
        fix: what to do about it.
        count: how many requests failed alike; then ``ticker`` is that of the first, and empty for all tickers.
    """

    kind: FailureKind
    what: str = attrs.field(converter=shortened)
    dataset: str = ""
    ticker: str = ""
    table: str = ""
    payload: str = ""
    where: str = ""
    fix: str = ""
    count: int = 1

    def __str__(self) -> str:
        """The line that a person reads."""
        if self.count > 1:
            told = f"{self.what} ({self.count} requests, the first for {self.ticker or 'all'})"
            return printable(f"{self.dataset}: {told}")
        subject = self.payload or "/".join(part for part in (self.dataset or self.table, self.ticker) if part)
        if self.payload and not self.payload.startswith(self.dataset.partition("@")[0]):
            subject = f"{self.dataset}: {self.payload}"  # it reads what another one fetched
        said = "; ".join(part for part in (self.what, self.where, self.fix) if part)
        return printable(f"{subject}: {said}" if subject else said)

    def as_dict(self) -> dict[str, Any]:
        """Its fields for a program, without those that are empty."""
        names = ("dataset", "ticker", "table", "payload", "what", "where", "fix")
        facts = {"kind": str(self.kind)} | {name: getattr(self, name) for name in names}
        return {name: value for name, value in facts.items() if value} | (
            {"count": self.count} if self.count > 1 else {}
        )


def kind_of(error: BaseException) -> FailureKind:
    """The kind of an error; one that is not ours is a bug."""
    return next((kind for known, kind in _OF_ERRORS if isinstance(error, known)), FailureKind.BUG)


def failure_of(error: BaseException, *, dataset: str = "", table: str = "") -> Failure:
    """An error as a value: one of ours with all it says, another by its class and text."""
    if isinstance(error, SbfError):
        what, where, fix = error.what, error.where, error.fix
        return Failure(kind=kind_of(error), what=what, dataset=dataset, table=table, where=where, fix=fix)
    return Failure(kind=kind_of(error), what=said_by(error), dataset=dataset, table=table)

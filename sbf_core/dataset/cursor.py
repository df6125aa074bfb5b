"""Where a request goes on, of vendors who are asked for what changed since, and not for days."""

from __future__ import annotations

import datetime as dt
import re
from enum import StrEnum

import attrs

from sbf_core.dataset.columns import EPOCH_UNITS, MOMENTS, Column
from sbf_core.dataset.json_path import value_path
from sbf_core.errors import UsageError
from sbf_core.value import Value
from sbf_core.vocabulary import word

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_ISO = "%Y-%m-%dT%H:%M:%SZ"
_WHOLE = re.compile(r"-?[0-9]{1,38}")
_NANOSECONDS = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}


class CursorBy(StrEnum):
    """What a cursor is."""

    #: A moment: what changed since.
    MOMENT = "moment"
    #: What the last answer said to come back with.
    TOKEN = "token"  # noqa: S105 - a word, no secret
    #: A whole number that only grows, as of rows that are numbered when they are written.
    NUMBER = "number"


def _by(value: str) -> CursorBy:
    return word(value, CursorBy, what="cursor")


@attrs.frozen(kw_only=True)
class Cursor(Value):
    """What stands for ``{cursor}`` in an address. It moves with the promotion of an answer, and only then.

    Attributes:
        by: ``moment``: what changed since a moment. ``token``: what the last answer gave to come back with. ``number``:
            rows with a higher number than those that are there.
        column: of a moment: the column that says when a row changed. The next request goes on from the newest of its
            values, or from when the last answer was asked for, whichever is earlier. Without it, from the latter.
            Of a number: the column with the numbers, whole ones; the next request goes on from the highest.
        overlap_seconds: of a moment: so much earlier, for clocks that differ and rows that a vendor shows late.
        format: of a moment, in UTC: ``strftime`` codes, or ``s``, ``ms``, ``us``, ``ns`` since 1970.
        at: of a token: where the last page of an answer holds it, e.g. ``next_cursor`` or ``meta.last_seq``. An answer
            without it is a failure; one in which it is null or empty leaves the cursor where it is.
        first: of a token: what is sent before there is one. Where it is empty, the parameter is left out. Of a number:
            the same, and it has to be said: ``"0"`` where the first row has the number 1.
        overlap: of a number: so much lower, for rows that are seen later than others with higher numbers, because
            their transaction was committed later.
    """

    by: CursorBy = attrs.field(converter=_by)
    column: str = ""
    overlap_seconds: float = 0.0
    format: str = _ISO
    at: str = ""
    first: str = attrs.field(default="", converter=str)
    overlap: int = 0

    def __attrs_post_init__(self) -> None:
        what = fix = ""
        if self.overlap and self.by is not CursorBy.NUMBER:
            raise UsageError("overlap belongs to a number", fix="overlap_seconds, of a moment", code="RECIPE")
        if self.by is CursorBy.TOKEN:
            if not self.at or self.column or self.overlap_seconds:
                what, fix = (
                    "a token needs at, and neither column nor overlap_seconds",
                    'Cursor(by="token", at="meta.next")',
                )
            else:
                value_path(self.at)
        elif self.by is CursorBy.NUMBER:
            is_other = self.at or self.overlap_seconds or self.format != _ISO
            if not self.column or not _WHOLE.fullmatch(self.first) or self.overlap < 0 or is_other:
                what = "a number needs a column, a whole number as first, no overlap below 0, and nothing of the others"
                fix = 'Cursor(by="number", column="id", first="0", overlap=1000)'
        elif self.at or self.first or self.overlap_seconds < 0 or not self.format:
            what, fix = (
                "a moment has neither at nor first, and no overlap below 0",
                'Cursor(by="moment", overlap_seconds=300)',
            )
        if what:
            raise UsageError(what, fix=fix, code="RECIPE")

    def sent(self, cursor: str) -> str:
        """What an address holds for the cursor of a request, see ``RunRequest.cursor``; empty for a token that is not
        there yet.
        """
        if self.by is CursorBy.TOKEN:
            return cursor or self.first
        if self.by is CursorBy.NUMBER:
            return str(int(cursor) - self.overlap) if cursor else str(int(self.first))
        if not cursor:
            return ""
        moment = dt.datetime.fromisoformat(cursor) - dt.timedelta(seconds=self.overlap_seconds)
        if self.format not in EPOCH_UNITS:
            return moment.strftime(self.format)
        return str((moment - _EPOCH) // dt.timedelta(microseconds=1) * 1000 // _NANOSECONDS[self.format])


def moment_text(moment: dt.datetime) -> str:
    """A moment as a cursor is kept: ISO 8601 in UTC, to the microsecond, so that texts sort as moments do."""
    return moment.astimezone(dt.UTC).isoformat(timespec="microseconds")


def is_whole(column: Column) -> bool:
    """Whether a column holds whole numbers alone."""
    return column.type == "BIGINT" or (column.decimal_shape is not None and column.decimal_shape[1] == 0)


def goes_before(cursor: Cursor, place: str, other: str) -> bool:
    """Whether a place, as it is kept, is not behind another; of moments and numbers, which have an order."""
    if cursor.by is CursorBy.NUMBER:
        return not place or int(place) <= int(other)
    return place <= other


def check_cursor(cursor: Cursor, columns: tuple[Column, ...], *, may_be_empty: bool, where: str) -> None:
    """Raise ``UsageError`` unless a dataset can have this cursor."""
    column = next((one for one in columns if one.name == cursor.column), None)
    if cursor.by is CursorBy.NUMBER:
        if column is None or not is_whole(column):
            what = f"the cursor goes by {cursor.column!r}, which is no column with whole numbers"
            fix = "id: int = column(...), or Decimal with scale=0 beyond 2^63"
            raise UsageError(what, where=where, fix=fix, code="RECIPE")
    elif cursor.column and (column is None or column.type not in MOMENTS):
        what = f"the cursor goes by {cursor.column!r}, which is no column with a moment"
        raise UsageError(what, where=where, fix="updated: datetime = column(...), or leave column out", code="RECIPE")
    if not may_be_empty:
        what = "of what changed since the last time there may be nothing"
        raise UsageError(what, where=where, fix="is_data=DataRules(may_be_empty=True)", code="RECIPE")

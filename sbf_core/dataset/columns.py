"""Columns of a silver table, declared as an attrs class.

::

    @attrs.frozen
    class Rate(Value):
        date: dt.date = column(key=True, row_date=True)
        currency: str = column(key=True, doc="ISO 4217 code")
        rate: Decimal | None = column(precision=18, scale=6, missing=("N/A",), unit="per EUR")

Python types map to DuckDB types: ``str`` VARCHAR, ``int`` BIGINT, ``float`` DOUBLE, ``bool`` BOOLEAN,
``date`` DATE, ``datetime`` TIMESTAMP (UTC), or TIMESTAMP_NS with ``resolution="ns"``, ``Decimal`` DECIMAL(precision,
scale).
``X | None`` may be NULL.
"""

from __future__ import annotations

import datetime as dt
import re
import types
import typing
from decimal import Decimal
from typing import Any

import attrs

from sbf_core.dataset.series_name import EACH
from sbf_core.errors import UsageError
from sbf_core.value import Value
from sbf_core.vocabulary import texts

_DECIMAL = re.compile(r"DECIMAL\((\d{1,2}),(\d{1,2})\)")
_SQL_TYPES: dict[type, str] = {
    str: "VARCHAR",
    int: "BIGINT",
    float: "DOUBLE",
    bool: "BOOLEAN",
    dt.date: "DATE",
    dt.datetime: "TIMESTAMP",
}
_METADATA_KEY = "sbf.column"
#: Types that an attrs class reaches by ``column(resolution="ns")`` alone.
NANOSECONDS = "TIMESTAMP_NS"
TYPES = (*_SQL_TYPES.values(), NANOSECONDS)
MOMENTS = ("TIMESTAMP", NANOSECONDS)
EPOCH_UNITS = ("s", "ms", "us", "ns")
#: The directive of C for seconds since 1970.
EPOCH_FORMAT = "%s"
END_OF_DAY = "end of day"
START_OF_DAY = "start of day"
#: Columns that the core adds to every silver table.
CORE_COLUMNS = ("_bronze_file_id", "_run_id", "known_from", "recorded_at")
#: What a column may take from the request instead of the payload.
REQUEST_SOURCES = ("request.ticker", "request.discriminator", "request.from_date", "request.to_date")
#: Before the name of a part of the row that was asked for, see ``ForEach``.
ROW_SOURCE = f"request.{EACH}"
#: Before the name of a part of a member's name, see ``Archive``.
MEMBER_SOURCE = "member."


def _epoch_of(epoch: str, date_format: str) -> str:
    return "s" if not epoch and date_format == EPOCH_FORMAT else epoch


@attrs.frozen(kw_only=True)
class Column(Value):
    """One column of a silver table.

    Attributes:
        name: its name in silver.
        type: its DuckDB type: VARCHAR, BIGINT, DOUBLE, BOOLEAN, DATE, TIMESTAMP, TIMESTAMP_NS or DECIMAL(p,s).
        nullable: whether NULL is allowed; a missing value elsewhere rejects the row.
        key: whether it is part of the key.
        row_date: whether it is the date of the row, which watermarks are made of.
        known_from: whether it says when the vendor published the row.
        source: the vendor's name of the field; the column's own name if empty. ``request.ticker``,
            ``request.discriminator``,
            ``request.from_date``, ``request.to_date`` and ``request.each.NAME`` take what was asked for, where the
            payload does not repeat it.
        index_of: ``tickers``: the field counts the tickers that were asked for, from 0, and the column holds that one;
            ``each.NAME``: that part of it, see ``ForEach``.
            ``source="@^~"`` is the index of the item in which a row stands, of an answer with an item for each ticker.
        also: other names of the field, tried in this order where a payload lacks ``source``, e.g. after the vendor
            renamed it. Of JSON each row gives the first of them that is there and not null.
        renamed_from: names that the column had before; a payload that has no field by its name or ``also`` is looked
            through for these.
        optional: payloads may lack the field altogether. Elsewhere a payload whose header lacks a declared field is
            refused.
        missing: texts that the vendor writes for "no value", e.g. ``("N/A", ".")``.
        trim: blanks around a text mean nothing, as in padded files. Numbers and dates never have any that mean
            something.
        date_format: ``strptime`` format of a date or timestamp that is not ISO 8601.
        zone: IANA name of the zone that a moment without an offset is of, e.g. ``America/New_York``; for a DATE
            that is read from a moment, the
            zone of the day. A TIMESTAMP needs it, or an offset in the text.
        fold: which of the two a moment is that a zone has twice, in the night when clocks go back: ``first`` or
            ``last``; else such a row is rejected.
        epoch: the field counts ``s``, ``ms``, ``us`` or ``ns`` since 1970-01-01 00:00 UTC; ``s`` where ``date_format``
            is ``%s``, which says the same.
        known_at: for a DATE that says when the row was published: from which moment of that day it was known: ``end
            of day`` (the first
            moment of the next day), ``start of day``, or a time such as ``16:30``, each in ``zone`` (UTC where there is
            none).
        cut_at: for a column that says when the row was published, of a vendor that cuts it to what was asked for:
            the column, of
            the same type, that holds since when that was, often ``source="$.realtime_start"``. A row dated so was
            published then or before. Its value becomes NULL, its ``known_from`` is that bound, and it is a version
            only where it differs from what was known by then.
        unit: unit of measure, for readers.
        doc: what it holds, for readers.
        fix: what to do where payloads lack the field, of a column that a plugin makes of its user's settings; elsewhere
            that is said in the words of Python.
    """

    name: str
    type: str
    nullable: bool = False
    key: bool = False
    row_date: bool = False
    known_from: bool = False
    source: str = ""
    index_of: str = ""
    also: tuple[str, ...] = attrs.field(default=(), converter=texts)
    renamed_from: tuple[str, ...] = attrs.field(default=(), converter=texts)
    optional: bool = False
    missing: tuple[str, ...] = attrs.field(default=(), converter=texts)
    trim: bool = False
    date_format: str = ""
    zone: str = ""
    fold: str = ""
    epoch: str = attrs.field(default=attrs.Factory(lambda column: _epoch_of("", column.date_format), takes_self=True))
    known_at: str = END_OF_DAY
    cut_at: str = ""
    unit: str = ""
    doc: str = ""
    fix: str = ""

    @property
    def may_lack(self) -> bool:
        """Whether a payload may say nothing of it. Where it is cut, NULL is what we make of it."""
        return self.nullable and not self.cut_at

    @property
    def source_name(self) -> str:
        """The field's name in the payload."""
        return self.source or self.name

    @property
    def source_names(self) -> tuple[str, ...]:
        """Every name that the field may have in a payload: the first that a payload has is taken."""
        return (self.source_name, *self.also, *self.renamed_from)

    @property
    def from_request(self) -> bool:
        """Whether its value is what was asked for, or of a member's name, and no field of the payload."""
        return self.source in REQUEST_SOURCES or self.source.startswith((ROW_SOURCE, MEMBER_SOURCE))

    @property
    def from_member(self) -> bool:
        """Whether its value is of the name of a member of an archive."""
        return self.source.startswith(MEMBER_SOURCE)

    @property
    def decimal_shape(self) -> tuple[int, int] | None:
        """Precision and scale of a DECIMAL column, else None."""
        match = _DECIMAL.fullmatch(self.type)
        return (int(match[1]), int(match[2])) if match else None


def column(
    *,
    key: bool = False,
    row_date: bool = False,
    known_from: bool = False,
    source: str = "",
    index_of: str = "",
    also: tuple[str, ...] = (),
    renamed_from: tuple[str, ...] = (),
    optional: bool = False,
    missing: tuple[str, ...] = (),
    trim: bool = False,
    date_format: str = "",
    zone: str = "",
    fold: str = "",
    epoch: str = "",
    resolution: str = "us",
    known_at: str = END_OF_DAY,
    cut_at: str = "",
    precision: int = 0,
    scale: int = 0,
    unit: str = "",
    doc: str = "",
) -> Any:
    """A field of an attrs class that becomes a silver column; see ``Column`` for the arguments.

    ``precision`` and ``scale`` are required for ``Decimal`` and refused elsewhere. ``resolution="ns"`` makes a
    ``datetime`` a TIMESTAMP_NS,
    which holds nanoseconds, from 1677 to 2262.
    """
    return attrs.field(
        metadata={
            _METADATA_KEY: {
                "key": key,
                "row_date": row_date,
                "known_from": known_from,
                "source": source,
                "index_of": index_of,
                "also": tuple(also),
                "renamed_from": tuple(renamed_from),
                "optional": optional,
                "missing": tuple(missing),
                "trim": trim,
                "date_format": date_format,
                "zone": zone,
                "fold": fold,
                "epoch": _epoch_of(epoch, date_format),
                "resolution": resolution,
                "known_at": known_at,
                "cut_at": cut_at,
                "precision": precision,
                "scale": scale,
                "unit": unit,
                "doc": doc,
            }
        }
    )


def columns_of(declared: type | tuple[Column, ...] | list[Column]) -> tuple[Column, ...]:
    """The columns that an attrs class declares; a tuple or list of ``Column`` passes through."""
    if isinstance(declared, (tuple, list)):
        return tuple(declared)
    if not attrs.has(declared):
        raise UsageError(
            f"{declared!r} declares no columns", fix="make it an attrs class with column() fields", code="COLUMNS"
        )
    hints = typing.get_type_hints(declared)
    bare = next((field.name for field in attrs.fields(declared) if field.name not in hints), None)
    if bare is not None:
        raise UsageError(
            f"column {bare!r} has no type",
            where=declared.__name__,
            fix="write name: type = column(...)",
            code="COLUMNS",
        )
    return tuple(_column_of(field, hints[field.name], declared.__name__) for field in attrs.fields(declared))


def _column_of(field: attrs.Attribute[Any], hint: Any, owner: str) -> Column:
    facts = dict(field.metadata.get(_METADATA_KEY, {}))
    precision, scale, resolution = facts.pop("precision", 0), facts.pop("scale", 0), facts.pop("resolution", "us")
    base, nullable = _without_none(hint)
    where = f"{owner}.{field.name}"
    if base is Decimal:
        if not precision:
            raise UsageError(
                "a Decimal column needs its precision and scale",
                where=where,
                fix="column(precision=18, scale=6)",
                code="COLUMNS",
            )
        sql_type = f"DECIMAL({precision},{scale})"
    elif precision or scale:
        raise UsageError("precision and scale belong to Decimal columns", where=where, code="COLUMNS")
    elif base in _SQL_TYPES:
        sql_type = _SQL_TYPES[base]
        if resolution not in ("us", "ns") or (resolution == "ns" and base is not dt.datetime):
            raise UsageError(
                f"resolution {resolution!r} belongs to no column of this type",
                where=where,
                fix='resolution="ns" for a datetime',
                code="COLUMNS",
            )
        sql_type = "TIMESTAMP_NS" if resolution == "ns" else sql_type
    else:
        known = ", ".join(sorted({known_type.__name__ for known_type in _SQL_TYPES} | {"Decimal"}))
        raise UsageError(
            f"a column cannot have the type {base!r}",
            where=where,
            fix=f"use one of {known}, or one of them | None",
            code="COLUMNS",
        )
    return Column(name=field.name, type=sql_type, nullable=nullable, **facts)


def _without_none(hint: Any) -> tuple[Any, bool]:
    if isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union:
        parts = [part for part in typing.get_args(hint) if part is not type(None)]
        if len(parts) == 1:
            return parts[0], True
    return hint, False

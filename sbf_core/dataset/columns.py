"""Columns of a silver table, declared as an attrs class.

::

    @attrs.frozen
    class Rate:
        date: dt.date = column(key=True, row_date=True)
        currency: str = column(key=True, doc="ISO 4217 code")
        rate: Decimal | None = column(precision=18, scale=6, missing=("N/A",), unit="per EUR")

Python types map to DuckDB types: ``str`` VARCHAR, ``int`` BIGINT, ``float`` DOUBLE, ``bool`` BOOLEAN,
``date`` DATE, ``datetime`` TIMESTAMP (UTC), ``Decimal`` DECIMAL(precision, scale). ``X | None`` may be NULL.
"""

from __future__ import annotations

import datetime as dt
import re
import types
import typing
from decimal import Decimal
from typing import Any

import attrs

from sbf_core.errors import UsageError, nearest
from sbf_core.vocabulary import check_name, texts

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
#: Columns that the core adds to every silver table.
CORE_COLUMNS = ("_bronze_file_id", "_run_id", "known_from", "recorded_at")
#: What a column may take from the request instead of the payload.
REQUEST_SOURCES = ("request.ticker", "request.discriminator", "request.from_date", "request.to_date")
_TAKEN = frozenset({*CORE_COLUMNS, "known_to", "_deleted"})


@attrs.frozen(kw_only=True)
class Column:
    """One column of a silver table.

    Attributes:
        name: its name in silver.
        type: its DuckDB type: VARCHAR, BIGINT, DOUBLE, BOOLEAN, DATE, TIMESTAMP or DECIMAL(p,s).
        nullable: whether NULL is allowed; a missing value elsewhere rejects the row.
        key: whether it is part of the key.
        row_date: whether it is the date of the row, which watermarks are made of.
        known_from: whether it says when the vendor published the row.
        source: the vendor's name of the field; the column's own name if empty. ``request.ticker``, ``request.discriminator``,
            ``request.from_date`` and ``request.to_date`` take what was asked for, where the payload does not repeat it.
        missing: texts that the vendor writes for "no value", e.g. ``("N/A", ".")``.
        date_format: ``strptime`` format of a date or timestamp that is not ISO 8601.
        unit: unit of measure, for readers.
        doc: what it holds, for readers.
    """

    name: str
    type: str
    nullable: bool = False
    key: bool = False
    row_date: bool = False
    known_from: bool = False
    source: str = ""
    missing: tuple[str, ...] = attrs.field(default=(), converter=texts)
    date_format: str = ""
    unit: str = ""
    doc: str = ""

    @property
    def source_name(self) -> str:
        """The field's name in the payload."""
        return self.source or self.name

    @property
    def from_request(self) -> bool:
        """Whether its value is what was asked for, and no field of the payload."""
        return self.source in REQUEST_SOURCES

    @property
    def decimal_shape(self) -> tuple[int, int] | None:
        """Precision and scale of a DECIMAL column, else None."""
        found = _DECIMAL.fullmatch(self.type)
        return (int(found[1]), int(found[2])) if found else None


def column(
    *,
    key: bool = False,
    row_date: bool = False,
    known_from: bool = False,
    source: str = "",
    missing: tuple[str, ...] = (),
    date_format: str = "",
    precision: int = 0,
    scale: int = 0,
    unit: str = "",
    doc: str = "",
) -> Any:
    """A field of an attrs class that becomes a silver column; see ``Column`` for the arguments.

    ``precision`` and ``scale`` are required for ``Decimal`` and refused elsewhere.
    """
    return attrs.field(
        metadata={
            _METADATA_KEY: {
                "key": key,
                "row_date": row_date,
                "known_from": known_from,
                "source": source,
                "missing": tuple(missing),
                "date_format": date_format,
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
        raise UsageError(f"{declared!r} declares no columns", fix="make it an attrs class with column() fields", code="COLUMNS")
    hints = typing.get_type_hints(declared)
    bare = next((field.name for field in attrs.fields(declared) if field.name not in hints), None)
    if bare is not None:
        raise UsageError(f"column {bare!r} has no type", where=declared.__name__, fix="write name: type = column(...)", code="COLUMNS")
    return tuple(_column_of(field, hints[field.name], declared.__name__) for field in attrs.fields(declared))


def _column_of(field: attrs.Attribute[Any], hint: Any, owner: str) -> Column:
    facts = dict(field.metadata.get(_METADATA_KEY, {}))
    precision, scale = facts.pop("precision", 0), facts.pop("scale", 0)
    base, nullable = _without_none(hint)
    where = f"{owner}.{field.name}"
    if base is Decimal:
        if not precision:
            raise UsageError("a Decimal column needs its precision and scale", where=where, fix="column(precision=18, scale=6)", code="COLUMNS")
        sql_type = f"DECIMAL({precision},{scale})"
    elif precision or scale:
        raise UsageError("precision and scale belong to Decimal columns", where=where, code="COLUMNS")
    elif base in _SQL_TYPES:
        sql_type = _SQL_TYPES[base]
    else:
        known = ", ".join(sorted({known_type.__name__ for known_type in _SQL_TYPES} | {"Decimal"}))
        raise UsageError(f"a column cannot have the type {base!r}", where=where, fix=f"use one of {known}, or one of them | None", code="COLUMNS")
    return Column(name=field.name, type=sql_type, nullable=nullable, **facts)


def _without_none(hint: Any) -> tuple[Any, bool]:
    if isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union:
        parts = [part for part in typing.get_args(hint) if part is not type(None)]
        if len(parts) == 1:
            return parts[0], True
    return hint, False


def check_columns(columns: tuple[Column, ...], *, where: str) -> None:
    """Raise ``UsageError`` unless the columns can make a silver table: names, types, and a sound key."""
    seen: set[str] = set()
    fields: dict[str, str] = {}
    for col in columns:
        if fields.setdefault(col.source_name.lower(), col.source_name) != col.source_name:
            what = f"fields {fields[col.source_name.lower()]!r} and {col.source_name!r} differ only in case, and DuckDB takes them for one"
            raise UsageError(what, where=where, fix="give one of them another name in the hook promote", code="COLUMNS")
        check_name(col.name, what=f"{where}: column")
        if col.name in _TAKEN:
            raise UsageError(f"column {col.name!r} is one that sbf adds itself", where=where, fix="rename it", code="COLUMNS")
        if col.name in seen:
            raise UsageError(f"column {col.name!r} is declared twice", where=where, code="COLUMNS")
        seen.add(col.name)
        if col.source.startswith("request.") and not col.from_request:
            raise UsageError(f"column {col.name!r} takes {col.source!r}", where=where, fix="use one of " + ", ".join(REQUEST_SOURCES), code="COLUMNS")
        if col.type not in _SQL_TYPES.values():
            shape = col.decimal_shape
            if shape is None or not (1 <= shape[0] <= 38 and shape[1] <= shape[0]):
                known = sorted({*_SQL_TYPES.values(), "DECIMAL(p,s)"})
                raise UsageError(
                    f"column {col.name!r} has the type {col.type!r}",
                    where=where,
                    fix=nearest(col.type, known) or "use one of " + ", ".join(known),
                    code="COLUMNS",
                )
        if col.key and col.nullable:
            raise UsageError(f"key column {col.name!r} may be NULL", where=where, fix="make it required, or leave it out of the key", code="KEY")
        if (col.row_date or col.known_from) and col.type not in ("DATE", "TIMESTAMP"):
            raise UsageError(f"column {col.name!r} is {col.type}, no date", where=where, code="COLUMNS")
        if col.known_from and col.nullable:
            raise UsageError(f"column {col.name!r} says when a row became known, so it may not be NULL", where=where, code="COLUMNS")

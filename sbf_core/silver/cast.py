"""Text and loosely typed fields to declared columns, strictly: what does not fit exactly becomes a reject, never a NULL.

DuckDB's own casts round ``1.5`` to 2 for BIGINT, cut ``2024-01-05T10:00`` to a date, drop the zone of a timestamp
and take ``1_000``; none of that may happen here. Each column yields three expressions: ``raw`` (the field, or NULL
where the vendor wrote a marker for "no value"), ``value`` (of the declared type, NULL where raw does not fit) and,
for rows that do not fit, ``reason``.
"""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from sbf_core.dataset.columns import Column
from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.duck.identifiers import literal, quoted

_INTEGER = "regexp_full_match({x}, '[+-]?[0-9]+')"
_NUMBER = "regexp_full_match({x}, '[+-]?([0-9]+\\.?[0-9]*|\\.[0-9]+)([eE][+-]?[0-9]+)?')"


@attrs.frozen(kw_only=True)
class FieldCast:
    """The expressions of one column. ``raw`` is over the source, the others over the raw column's name."""

    column: Column
    raw: str
    value: str
    reason: str


def field_cast(column: Column, fields: Mapping[str, str], *, trim: bool) -> FieldCast:
    """How ``column`` is made from a relation with ``fields`` (name to DuckDB type).

    Args:
        column: the declared column.
        fields: what the relation holds; a field that is absent reads as NULL.
        trim: whether blanks around a field mean nothing, as in CSV.
    """
    raw_name = quoted(f"raw {column.name}")
    field_type = fields.get(column.source_name)
    if field_type is None:
        return FieldCast(column=column, raw="CAST(NULL AS VARCHAR)", value=f"CAST(NULL AS {column.type})", reason=_missing(column, raw_name))
    source = quoted(column.source_name)
    if field_type == column.type and column.type != "VARCHAR" and not column.missing:
        value = f"CASE WHEN isfinite({raw_name}) THEN {raw_name} END" if column.type in ("DOUBLE", "DATE", "TIMESTAMP") else raw_name
        return FieldCast(column=column, raw=source, value=value, reason=_reason(column, raw_name, "'not_finite'"))
    text = source if field_type == "VARCHAR" else f"CAST({source} AS VARCHAR)"
    if trim and column.type != "VARCHAR":
        text = f"trim({text})"
    markers = [*column.missing, *([""] if trim and "" not in column.missing else [])]
    if markers:
        choices = ", ".join(literal(marker) for marker in markers)
        text = f"CASE WHEN {text} NOT IN ({choices}) THEN {text} END"
    value, kind = _from_text(column, raw_name)
    return FieldCast(column=column, raw=text, value=value, reason=_reason(column, raw_name, kind))


def _from_text(column: Column, x: str) -> tuple[str, str]:
    """The value made from the text ``x``, and the kind of fault where that is NULL."""
    if column.type == "VARCHAR":
        return x, "'unparsable'"
    if column.type == "DOUBLE":
        value = f"CASE WHEN NOT contains({x}, '_') AND isfinite(try_cast({x} AS DOUBLE)) THEN try_cast({x} AS DOUBLE) END"
        return value, f"CASE WHEN try_cast({x} AS DOUBLE) IS NULL THEN 'unparsable' ELSE 'not_finite' END"
    if column.type == "BOOLEAN":
        value = f"CASE WHEN lower({x}) IN ('true', 't', '1', 'yes', 'y') THEN true WHEN lower({x}) IN ('false', 'f', '0', 'no', 'n') THEN false END"
        return value, "'unparsable'"
    if column.type == "BIGINT":
        return _integer(x)
    if column.type == "DATE":
        return _date(column, x), "'unparsable'"
    if column.type == "TIMESTAMP":
        return _timestamp(column, x), "'unparsable'"
    return _decimal(column, x)


def _integer(x: str) -> tuple[str, str]:
    whole = f"translate({x}, '0123456789', '') IN ('', '-', '+')"
    # a number such as 12.0 or 1e3 is whole too; exact up to 28 digits
    other = f"{_NUMBER.format(x=x)} AND try_cast({x} AS DECIMAL(38,10)) = trunc(try_cast({x} AS DECIMAL(38,10))) AND NOT {_cut_digits(x, 10)}"
    value = f"CASE WHEN {whole} THEN try_cast({x} AS BIGINT) WHEN {other} THEN try_cast(trunc(try_cast({x} AS DECIMAL(38,10))) AS BIGINT) END"
    kind = f"CASE WHEN {_INTEGER.format(x=x)} THEN 'out_of_range' WHEN {_NUMBER.format(x=x)} THEN 'not_an_integer' ELSE 'unparsable' END"
    return value, kind


def _cut_digits(x: str, scale: int) -> str:
    """Whether the text has digits other than zero behind ``scale`` decimals (no exponent)."""
    return f"(contains({x}, '.') AND length(rtrim(split_part({x}, '.', 2), '0')) > {scale})"


def _decimal(column: Column, x: str) -> tuple[str, str]:
    shape = column.decimal_shape
    assert shape is not None
    scale = shape[1]
    plain = f"(NOT contains({x}, 'e') AND NOT contains({x}, 'E'))"
    fits = f"CASE WHEN {plain} THEN NOT {_cut_digits(x, scale)} ELSE try_cast({x} AS DECIMAL(38,30)) = try_cast({x} AS {column.type}) END"
    value = f"CASE WHEN NOT contains({x}, '_') AND ({fits}) THEN try_cast({x} AS {column.type}) END"
    kind = f"CASE WHEN NOT {_NUMBER.format(x=x)} THEN 'unparsable' WHEN {_cut_digits(x, scale)} THEN 'too_precise' ELSE 'out_of_range' END"
    return value, kind


def _date(column: Column, x: str) -> str:
    if column.date_format:
        return f"CAST(try_strptime({x}, {literal(column.date_format)}) AS DATE)"
    return f"CASE WHEN length({x}) = 10 AND substr({x}, 5, 1) = '-' THEN try_cast({x} AS DATE) END"


def _timestamp(column: Column, x: str) -> str:
    if column.date_format:
        return f"try_strptime({x}, {literal(column.date_format)})"
    # a text without zone is UTC, because the session is; one with a zone is brought to UTC
    return f"CASE WHEN length({x}) >= 10 AND substr({x}, 5, 1) = '-' THEN CAST(try_cast({x} AS TIMESTAMPTZ) AT TIME ZONE 'UTC' AS TIMESTAMP) END"


def _missing(column: Column, raw_name: str) -> str:
    if column.nullable:
        return ""
    word = "missing_key" if column.key else "missing"
    return f"WHEN {raw_name} IS NULL THEN {literal(f'{word}:{column.name}')}"


def _reason(column: Column, raw_name: str, kind: str) -> str:
    parts = [_missing(column, raw_name)]
    if column.type != "VARCHAR":
        parts.append(f"WHEN {raw_name} IS NOT NULL AND {quoted(column.name)} IS NULL THEN concat({kind}, {literal(':' + column.name)})")
    return " ".join(part for part in parts if part)


def checked_select(entry: DatasetKeymapEntry, source: str, fields: Mapping[str, str], *, trim: bool) -> str:
    """A SELECT over ``source`` of ``_file``, the declared columns, ``_reason`` (``kind:column`` or NULL) and ``_row`` (JSON of a rejected row)."""
    casts = [field_cast(column, fields, trim=trim) for column in entry.columns]
    raws = ", ".join(f"{cast.raw} AS {quoted(f'raw {cast.column.name}')}" for cast in casts)
    values = ", ".join(f"{cast.value} AS {quoted(cast.column.name)}" for cast in casts)
    names = ", ".join(quoted(cast.column.name) for cast in casts)
    reasons = " ".join(cast.reason for cast in casts if cast.reason)
    reason = f"CASE {reasons} END" if reasons else "CAST(NULL AS VARCHAR)"
    packed = ", ".join(f"{quoted(cast.column.source_name)} := {quoted(f'raw {cast.column.name}')}" for cast in casts)
    return (
        f"SELECT _file, {names}, _reason, CASE WHEN _reason IS NOT NULL THEN CAST(to_json(struct_pack({packed})) AS VARCHAR) END AS _row FROM ("
        f"SELECT *, {reason} AS _reason FROM (SELECT *, {values} FROM (SELECT _file, {raws} FROM {source})))"
    )

"""Text and loosely typed fields to declared columns, strictly: what does not fit exactly is a reject, never a NULL.

DuckDB's own casts round ``1.5`` to 2 for BIGINT, cut ``2024-01-05T10:00`` to a date, drop the zone of a timestamp and
take ``1_000``; none of that may happen here. See ``cast_steps`` for how an expression is put together, ``cast_numbers``
and ``cast_times`` for the types.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from sbf_core.dataset.columns import Column
from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.duck.identifiers import literal, quoted
from sbf_core.silver.cast_numbers import NumberCasts, number_casts
from sbf_core.silver.cast_steps import (
    RELATION,
    Field,
    FieldCast,
    Marks,
    is_one_of,
    trimmed,
    unless_marker,
    without_markers,
)
from sbf_core.silver.cast_times import time_cast
from sbf_core.silver.cast_zones import known_from_expression
from sbf_core.vocabulary import OnDuplicate

__all__ = [
    "ORDER", "UNCLEAR", "checked_select", "field_cast", "is_ordered", "known_from_expression", "plain_select",
]  # fmt: skip

#: The number of a row among those of its batch, where it matters which comes first.
ORDER = "_order"
#: The reason of a row of ``plain_select`` that needs a closer look: that of ``checked_select``.
UNCLEAR = "unclear"

#: A column of the relation that a step reads, and nothing else.
_COLUMN = re.compile(rf'{RELATION}\."[^"]*"')
_MISFIT = f'{RELATION}."misfit"'
_PLACE = '"number place"'
TRUE = ("true", "t", "1", "yes", "y")
FALSE = ("false", "f", "0", "no", "n")


def is_ordered(entry: DatasetKeymapEntry) -> bool:
    """Whether it matters which row of a payload comes first."""
    return entry.on_duplicate is not OnDuplicate.REJECT


def checked_select(
    entry: DatasetKeymapEntry, source: str, types: Mapping[str, str], *, marks: Marks, moments_are_utc: bool = False
) -> str:
    """A SELECT of typed and checked rows.

    Args:
        entry: the dataset.
        source: a relation with ``_file``, ``_place``, ``_fault``, ``_raw`` (VARCHAR) and a column for each field: its
            slot's name, or that of what was asked for, e.g. ``request.ticker``; where ``is_ordered``, ``_order``, too.
        types: per column of the relation its DuckDB type; a field that is absent reads as NULL.
        marks: the marks within numbers that stand as texts.
        moments_are_utc: a TIMESTAMP of the relation is UTC; else it is local time in the column's zone.

    Returns:
        SQL whose columns are ``_file``, ``_order`` (where ``is_ordered``), the declared columns, ``_reason`` (``kind``
        or ``kind:column``, NULL for a good row) and ``_row``: of a rejected row its fields as texts, a JSON object by
        the vendor's names.
    """
    casts, together = _casts(entry, types, marks, moments_are_utc)
    shared = together.steps if together else ()
    relation = source
    for place in range(max(len(shared) + 1, *(len(cast.steps) for cast in casts))):
        results = _results([cast.steps for cast in casts], place)
        if 0 < place <= len(shared):
            results += shared[place - 1].items()
        relation = _step(relation, results)
    relation = _step(relation, [(f"value {number}", cast.value) for number, cast in enumerate(casts)])
    relation = _step(relation, [("misfit", _misfit(casts))])
    if together:
        places = ", ".join(str(cast.number_place) for cast in casts)
        relation = _step(
            relation, [("number place", f"CASE WHEN {_MISFIT} IS NOT NULL THEN nullif([{places}][{_MISFIT}], 0) END")]
        )
        relation = _step(relation, list(together.misfit.items()))
    relation = _step(relation, [("_reason", _reason(casts, together.kind if together else ""))])
    names = ", ".join(f"{_value(number)} AS {quoted(cast.column.name)}" for number, cast in enumerate(casts))
    row = f"CASE WHEN {RELATION}._reason IS NOT NULL THEN {_row(casts)} END AS _row"
    return f"SELECT {_owner(entry)}, {names}, {RELATION}._reason AS _reason, {row} FROM {relation} AS {RELATION}"


def plain_select(entry: DatasetKeymapEntry, source: str, types: Mapping[str, str], *, marks: Marks) -> str:
    """The same rows, in less time, where every field is written as it nearly always is.

    A row in which one is not, or lacks, has the reason ``UNCLEAR``, and values that mean nothing. What goes wrong is
    not looked into here, so none of the steps for it are taken.
    """
    casts, _ = _casts(entry, types, marks, moments_are_utc=False)
    steps = [cast.steps[:1] if cast.quick else cast.steps for cast in casts]
    relation = source
    for place in range(max(len(each) for each in steps)):
        relation = _step(relation, _results(steps, place))
    given = [cast.quick or cast.value for cast in casts]
    # a step less is a tenth of the time that the engine takes to plan a small file
    values = [each if _COLUMN.fullmatch(each) else _value(number) for number, each in enumerate(given)]
    relation = _step(relation, [(f"value {number}", each) for number, each in enumerate(given) if each not in values])
    names = ", ".join(f"{values[number]} AS {quoted(cast.column.name)}" for number, cast in enumerate(casts))
    unclear = [
        f"{values[number]} IS NULL" + (f" AND {cast.quick_given or cast.given}" if cast.column.may_lack else "")
        for number, cast in enumerate(casts)
        if not cast.column.may_lack or cast.quick or cast.kind
    ]
    fault = f"{RELATION}._fault"
    reason = f"CASE WHEN {' OR '.join(unclear)} THEN {literal(UNCLEAR)} END" if unclear else "CAST(NULL AS VARCHAR)"
    return (
        f"SELECT {_owner(entry)}, {names}, "
        f"coalesce({fault}, {reason}) AS _reason, CAST(NULL AS VARCHAR) AS _row FROM {relation} AS {RELATION}"
    )


def _owner(entry: DatasetKeymapEntry) -> str:
    """What comes before the values: whose row it is, and which."""
    order = f", {RELATION}.{ORDER} AS {ORDER}" if is_ordered(entry) else ""
    return f"{RELATION}._file AS _file{order}"


def _casts(
    entry: DatasetKeymapEntry, types: Mapping[str, str], marks: Marks, moments_are_utc: bool
) -> tuple[list[FieldCast], NumberCasts | None]:
    """The cast of each column, and what those of numbers share."""
    fields = list(_fields(entry, types, marks, moments_are_utc))
    numbers = [field for field in fields if _is_number(field.column)]
    together = number_casts(numbers, place=f"{RELATION}.{_PLACE}") if numbers else None
    of_numbers = iter(together.casts if together else ())
    return [next(of_numbers) if _is_number(field.column) else field_cast(field) for field in fields], together


def _is_number(column: Column) -> bool:
    return column.type in ("BIGINT", "DOUBLE") or column.decimal_shape is not None


def _fields(
    entry: DatasetKeymapEntry, types: Mapping[str, str], marks: Marks, moments_are_utc: bool
) -> Iterator[Field]:
    slots = 0
    for number, column in enumerate(entry.columns):
        name = column.source if column.from_request else f"f{slots}"
        slots += not column.from_request
        source, kind = (
            (f"{RELATION}.{quoted(name)}", types[name]) if name in types else ("CAST(NULL AS VARCHAR)", "VARCHAR")
        )
        yield Field(
            column=column, number=number, source=source, type=kind, marks=marks, moments_are_utc=moments_are_utc
        )


def _results(steps: Sequence[Sequence[Mapping[str, str]]], place: int) -> list[tuple[str, str]]:
    return [
        (f"{word} {number}", expression)
        for number, each in enumerate(steps)
        if place < len(each)
        for word, expression in each[place].items()
    ]


def _step(relation: str, results: Sequence[tuple[str, str]]) -> str:
    if not results:
        return relation
    made = ", ".join(f"{expression} AS {quoted(name)}" for name, expression in results)
    return f"(SELECT {RELATION}.*, {made} FROM {relation} AS {RELATION})"


def _value(number: int) -> str:
    return f"{RELATION}.{quoted(f'value {number}')}"


def field_cast(field: Field) -> FieldCast:
    """How a column that is no number is made of its field."""
    if field.column.type == "VARCHAR":
        return _text_cast(field)
    if field.column.type == "BOOLEAN":
        return _boolean_cast(field)
    return time_cast(field)


def _text_cast(field: Field) -> FieldCast:
    """The text as it is. With ``trim`` the blanks around it are taken off, and blanks alone are no value."""
    column = field.column
    if column.trim:
        value = without_markers(column, trimmed(field.text))
    elif column.missing:
        value = f"CASE WHEN NOT {is_one_of(field.text, column.missing)} THEN {field.text} END"
    else:
        value = field.text
    return FieldCast(column=column, steps=(), value=value, given="false", kind="", raw=field.text)


def _boolean_cast(field: Field) -> FieldCast:
    column, text = field.column, field.ref("text")
    if field.type == "BOOLEAN" and not column.missing:
        return FieldCast(column=column, steps=(), value=field.source, given="false", kind="", raw=field.text)
    quick = field.ref("quick")
    steps = (
        {"quick": unless_marker(column, field.text, _truth(field.text))},
        {"trimmed": f"CASE WHEN {quick} IS NULL THEN {trimmed(field.text)} END"},
        {"text": without_markers(column, field.ref("trimmed"))},
    )
    return FieldCast(
        column=column,
        steps=steps,
        value=f"coalesce({quick}, {_truth(text)})",
        given=f"{text} IS NOT NULL",
        kind="'unparsable'",
        raw=field.text,
        quick=quick,
        quick_given=f"{field.source} IS NOT NULL",
    )


def _truth(text: str) -> str:
    return (
        f"CASE WHEN {is_one_of(f'lower({text})', TRUE)} THEN true WHEN {is_one_of(f'lower({text})', FALSE)} "
        "THEN false END"
    )


def _misfit(casts: Sequence[FieldCast]) -> str:
    """The place, from 1, of the first column whose value is missing or does not fit."""
    parts = []
    for number, cast in enumerate(casts):
        if not cast.column.may_lack:
            parts.append(f"WHEN {_value(number)} IS NULL THEN {number + 1}")
        elif cast.kind or cast.number_place:
            parts.append(f"WHEN {_value(number)} IS NULL AND {cast.given} THEN {number + 1}")
    return f"CASE {' '.join(parts)} END" if parts else "CAST(NULL AS INTEGER)"


def _reason(casts: Sequence[FieldCast], number_kind: str) -> str:
    """What is wrong with a row: what its reader found, else the kind and the name of the first column that does not
    fit.
    """
    missing = [literal("missing_key" if cast.column.key else "missing") for cast in casts]
    kinds = []
    if number_kind:
        kinds.append(f'WHEN {RELATION}."misfit text" IS NOT NULL THEN {number_kind}')
    kinds += [
        f"WHEN {_MISFIT} = {number} AND {cast.given} THEN {cast.kind}"
        for number, cast in enumerate(casts, start=1)
        if cast.kind
    ]
    kind = (
        f"CASE {' '.join(kinds)} ELSE [{', '.join(missing)}][{_MISFIT}] END"
        if kinds
        else f"[{', '.join(missing)}][{_MISFIT}]"
    )
    names = ", ".join(literal(f":{cast.column.name}") for cast in casts)
    fault = f"{RELATION}._fault"
    return (
        f"CASE WHEN {fault} IS NOT NULL THEN {fault} WHEN {_MISFIT} IS NOT NULL "
        f"THEN concat({kind}, [{names}][{_MISFIT}]) END"
    )


def _row(casts: Sequence[FieldCast]) -> str:
    """The fields as the vendor wrote them, by his names: two that differ only in case stay two."""
    raws: dict[str, str] = {}
    for cast in casts:
        name = cast.column.source_name
        raws.setdefault(f"field {name}" if name in ("_place", "_raw") else name, cast.raw)
    packed = f"CAST(json_object({', '.join(f'{literal(name)}, {raw}' for name, raw in raws.items())}) AS VARCHAR)"
    extras = ", ".join(
        f"CASE WHEN {RELATION}.{name} IS NOT NULL "
        f"THEN concat(',\"{name}\":', CAST(to_json({RELATION}.{name}) AS VARCHAR)) END"
        for name in ("_place", "_raw")
    )
    return f"concat(rtrim({packed}, '}}'), {extras}, '}}')"

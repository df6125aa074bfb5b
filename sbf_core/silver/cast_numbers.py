"""Text to BIGINT, DECIMAL and DOUBLE: exact, or a reject with its kind.

The engine's own casts round (``2.5`` is 3 as BIGINT, ``1e-40`` is 0 as DECIMAL), take ``1_000`` and ``+-5``, and fail
on an exponent of 1e8 and more. So a text is given to them only when a pattern has shown that it fits: plain digits, no
more of them than the type holds. A text with an exponent, or with marks, is first written out as plain digits, by
moving the point within the text: no arithmetic, so that nothing can overflow.

Nearly every number is plain, and costs one pattern and one cast. What is not goes, of all columns of a row, into one
list, so that the long expressions for it stand in the statement once and not once a column: the engine takes longer to
read them than to run them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import attrs

from sbf_core.dataset.columns import Column
from sbf_core.duck.identifiers import literal, quoted
from sbf_core.silver.cast_steps import (
    BLANKS,
    RELATION,
    Field,
    FieldCast,
    Marks,
    full_match,
    is_one_of,
    trimmed,
    unless_marker,
)
from sbf_core.value import Value

_UNSIGNED = r"([0-9]+\.?[0-9]*|\.[0-9]+)"
#: A number as it may be written: ``12``, ``-1.5``, ``.5``, ``5.``, ``+1.5E+10``.
NUMBER = rf"[+-]?{_UNSIGNED}([eE][+-]?[0-9]+)?"
PLAIN = rf"[+-]?{_UNSIGNED}"
#: A whole number, also as ``12.0``.
WHOLE = r"[+-]?[0-9]+(\.0*)?"
_NOT_FINITE = r"(?i)[+-]?(nan|inf|infinity)"
_EXACT_IN_BIGINT = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER")
_EXACT_IN_DOUBLE = ("FLOAT", "DOUBLE", "TINYINT", "SMALLINT", "INTEGER", "UTINYINT", "USMALLINT", "UINTEGER")
# Lists of a row, one element a number column; NULL for a row whose numbers are all plain.
_TEXTS, _BARES, _POINTS, _DIGITS, _PLAINS = (
    f"number {word}" for word in ("texts", "bares", "points", "digits", "plains")
)


@attrs.frozen(kw_only=True)
class NumberCasts(Value):
    """The casts of the number columns of a table.

    Attributes:
        casts: one a column, each with one step of its own.
        steps: the steps that they share, which come behind that.
        misfit: of the first column whose value does not fit: its texts by name; a step once ``place`` is known.
        kind: why it does not fit, over ``misfit``.
    """

    casts: Sequence[FieldCast]
    steps: Sequence[Mapping[str, str]]
    misfit: Mapping[str, str]
    kind: str


def number_casts(fields: Sequence[Field], *, place: str) -> NumberCasts:
    """The casts of fields into BIGINT, DECIMAL or DOUBLE.

    Args:
        fields: one or more; their marks are the same.
        place: SQL of the place, from 1, of the field whose misfit is to be named.
    """
    marks = fields[0].marks
    steps: list[Mapping[str, str]] = [
        {"number slow": _slow(fields)},
        {_TEXTS: _each("number slow", f"nullif({trimmed('x')}, '')")},
    ]
    bares = _TEXTS
    if marks.decimal != "." or marks.thousands:
        bares = _BARES
        unmarked = without_marks("x", marks)
        typed = [str(number) for number, field in enumerate(fields, start=1) if not field.is_text]
        if typed:  # a number that is no text has a point, whatever the texts have
            unmarked = f"CASE WHEN list_contains([{', '.join(typed)}], i) THEN x ELSE {unmarked} END"
        steps.append({_BARES: _each(_TEXTS, unmarked)})
    # written out is what has an exponent, and what begins with a point: the engine takes no ``.0`` for a BIGINT
    is_odd = "(contains(lower(x), 'e') OR starts_with(ltrim(x, '+-'), '.'))"
    steps.append({_POINTS: _each(bares, f"CASE WHEN {is_odd} AND {full_match('x', NUMBER)} THEN {point_of('x')} END")})
    point, digits = f"{_ref(_POINTS)}[i]", f"{_ref(_DIGITS)}[i]"
    steps.append({_DIGITS: _each(bares, f"CASE WHEN {point} IS NOT NULL THEN {digits_of('x')} END")})
    steps.append(
        {_PLAINS: _each(bares, f"CASE WHEN {point} IS NULL THEN x ELSE {written_out('x', digits, point)} END")}
    )
    casts = [_cast(field, number, marks, bares) for number, field in enumerate(fields, start=1)]
    lists = {"misfit text": _TEXTS, "misfit bare": bares, "misfit plain": _PLAINS}
    misfit = {name: f"CASE WHEN {place} IS NOT NULL THEN {_ref(texts)}[{place}] END" for name, texts in lists.items()}
    return NumberCasts(casts=casts, steps=steps, misfit=misfit, kind=_kind(fields, place))


def _ref(name: str) -> str:
    return f"{RELATION}.{quoted(name)}"


def _each(name: str, expression: str) -> str:
    """A list made of another; CASE, because a branch that no row takes costs nothing, and a function of NULL does."""
    return f"CASE WHEN {_ref(name)} IS NOT NULL THEN list_transform({_ref(name)}, lambda x, i: {expression}) END"


def _slow(fields: Sequence[Field]) -> str:
    """The texts that need a closer look."""
    waits = " OR ".join(f"({field.ref('fast')} IS NULL AND {field.source} IS NOT NULL)" for field in fields)
    texts = ", ".join(
        f"CASE WHEN {field.ref('fast')} IS NULL THEN {unless_marker(field.column, trimmed(field.text), field.text)} END"
        for field in fields
    )
    return f"CASE WHEN {waits} THEN [{texts}] END"


def _cast(field: Field, number: int, marks: Marks, bares: str) -> FieldCast:
    column = field.column
    plain = f"{_ref(bares if column.type == 'DOUBLE' else _PLAINS)}[{number}]"
    value = f"coalesce({field.ref('fast')}, {_checked(column, plain, pattern_of(column))})"
    given = f"{_ref(_TEXTS)}[{number}] IS NOT NULL"
    return FieldCast(
        column=column,
        steps=({"fast": _fast(field, marks)},),
        value=value,
        given=given,
        kind="",
        raw=field.text,
        number_place=number,
        quick=field.ref("fast"),
        quick_given=f"{field.source} IS NOT NULL",
    )


def _fast(field: Field, marks: Marks) -> str:
    """The value, where the field is what it is nearly always: clean digits, or already of the type. NULL says only that
    it needs a closer look.
    """
    column, text = field.column, field.text
    if not column.missing:
        if column.type == "DOUBLE" and field.type in _EXACT_IN_DOUBLE:
            return f"CASE WHEN isfinite(CAST({field.source} AS DOUBLE)) THEN CAST({field.source} AS DOUBLE) END"
        if field.type == column.type or (column.type == "BIGINT" and field.type in _EXACT_IN_BIGINT):
            return f"CAST({field.source} AS {column.type})"
    numbers = [marker.strip(BLANKS) for marker in column.missing if re.fullmatch(NUMBER, marker.strip(BLANKS))]
    if field.is_text and (marks.decimal != "." or marks.thousands):
        return _checked(column, text, _pattern_with(marks, column), numbers, plain=_pointed(text, marks))
    if column.type == "DOUBLE" and not numbers:
        # of what is no number the engine takes these two only, and blanks around it
        value = f"try_cast({text} AS DOUBLE)"
        return (
            f"CASE WHEN isfinite({value}) AND NOT contains({text}, '_') AND NOT contains({text}, '+-') THEN {value} END"
        )
    if column.type == "BIGINT" and not numbers:
        # what the engine writes as it stands needs no pattern, which takes twice as long
        value = f"try_cast({text} AS BIGINT)"
        is_whole = f"CAST({value} AS VARCHAR) = {text} OR {full_match(text, pattern_of(column))}"
        return f"CASE WHEN {is_whole} THEN {value} END"
    return _checked(column, text, pattern_of(column), numbers)


def _checked(column: Column, text: str, pattern: str, markers: Sequence[str] = (), *, plain: str = "") -> str:
    """The engine's cast of a text that matches and is none of the markers; ``plain`` is that text with a point, where
    it has other marks.
    """
    value = f"try_cast({plain or text} AS {column.type})"
    condition = full_match(text, pattern) + (f" AND isfinite({value})" if column.type == "DOUBLE" else "")
    if markers:
        condition += f" AND NOT {is_one_of(text, markers)}"
    return f"CASE WHEN {condition} THEN {value} END"


def pattern_of(column: Column) -> str:
    """What a plain text must look like so that the engine reads it exactly; a text that matches and is too large, or
    has no digit, gives NULL.
    """
    if column.type == "DOUBLE":
        return NUMBER
    if column.type == "BIGINT":
        return WHOLE
    shape = column.decimal_shape
    assert shape is not None
    return rf"[+-]?[0-9]*(\.[0-9]{{0,{shape[1]}}}0*)?"


def _pattern_with(marks: Marks, column: Column | None = None) -> str:
    """A number with marks, as exact as the column where one is given; without a digit too, which the engine then
    refuses.
    """
    mark, decimal = re.escape(marks.thousands), re.escape(marks.decimal)
    whole = rf"([0-9]{{1,3}}({mark}[0-9]{{3}})+|[0-9]+)" if mark else "[0-9]+"
    if column is None:
        return rf"[+-]?({whole})?({decimal}[0-9]*)?([eE][+-]?[0-9]+)?"
    shape = column.decimal_shape
    fraction = "[0-9]*" if column.type == "DOUBLE" else f"[0-9]{{0,{shape[1] if shape else 0}}}0*"
    return rf"[+-]?({whole})?({decimal}{fraction})?"


def _pointed(text: str, marks: Marks) -> str:
    bare = f"replace({text}, {literal(marks.thousands)}, '')" if marks.thousands else text
    return f"replace({bare}, {literal(marks.decimal)}, '.')" if marks.decimal != "." else bare


def without_marks(text: str, marks: Marks) -> str:
    """``text`` with a point and without marks between groups; with a ``?`` before it where the marks do not stand as
    declared.
    """
    if marks.decimal == "." and not marks.thousands:
        return text
    return (
        f"CASE WHEN {full_match(text, _pattern_with(marks))} THEN {_pointed(text, marks)} ELSE concat('?', {text}) END"
    )


def point_of(text: str, *, shift: int = 0) -> str:
    """SQL: behind how many digits the point of a number times ``10 ** shift`` stands, of a text that matches
    ``NUMBER``; negative: before zeros.

    An exponent that no type can hold is cut to where that is still so: then there are 40 digits too many on one side.
    """
    huge = f"CASE WHEN contains(lower({text}), 'e-') THEN -1000000000000 ELSE 1000000000000 END"
    written = f"coalesce(try_cast(split_part(concat(lower({text}), 'e0'), 'e', 2) AS BIGINT), {huge})"
    return (
        f"length(split_part({_mantissa(text)}, '.', 1)) + {shift} + greatest(least({written}, length({text}) + 60), "
        f"-60 - length({text}))"
    )


def _mantissa(text: str) -> str:
    return f"ltrim(split_part(lower({text}), 'e', 1), '+-')"


def digits_of(text: str) -> str:
    """SQL: the digits of a text that matches ``NUMBER``, without sign, point and exponent."""
    return f"replace({_mantissa(text)}, '.', '')"


def written_out(text: str, digits: str, point: str) -> str:
    """SQL: a number as plain digits with a point, of its text, its ``digits_of`` and its ``point_of``."""
    sign = f"CASE WHEN starts_with({text}, '-') THEN '-0' ELSE '0' END"
    small = f"concat({sign}, '.', repeat('0', -{point}), {digits})"
    large = f"concat({sign}, {digits}, repeat('0', {point} - length({digits})))"
    between = f"concat({sign}, left({digits}, {point}), '.', substr({digits}, {point} + 1))"
    return f"CASE WHEN {point} <= 0 THEN {small} WHEN {point} >= length({digits}) THEN {large} ELSE {between} END"


def _kind(fields: Sequence[Field], place: str) -> str:
    """Why the number at ``place`` does not fit."""
    text, bare, plain = _ref("misfit text"), _ref("misfit bare"), _ref("misfit plain")
    shapes = [field.column.decimal_shape for field in fields]
    words = [
        "not_finite" if field.column.type == "DOUBLE" else "too_precise" if shape else "not_an_integer"
        for field, shape in zip(fields, shapes, strict=True)
    ]
    word = f"[{', '.join(literal(word) for word in words)}][{place}]"
    scale = f"[{', '.join(str(shape[1] if shape else 0) for shape in shapes)}][{place}]"
    finer = f"length(rtrim(split_part({plain}, '.', 2), '0')) > {scale}"
    return (
        f"CASE WHEN {full_match(bare, NUMBER)} THEN CASE WHEN {word} = 'not_finite' OR {finer} THEN {word} "
        "ELSE 'out_of_range' END "
        f"WHEN {full_match(text, _NOT_FINITE)} THEN 'not_finite' {_mark_kinds(text, fields[0].marks)} "
        "ELSE 'unparsable' END"
    )


def _mark_kinds(text: str, marks: Marks) -> str:
    """Kinds for numbers with marks that are not declared: that of the decimals, or one between groups of three."""
    if marks.thousands:
        return ""
    decimal, other = re.escape(marks.decimal), re.escape("," if marks.decimal == "." else ".")
    grouped = rf"[+-]?[0-9]{{1,3}}({other}[0-9]{{3}})+({decimal}[0-9]*)?"
    apart = rf"[+-]?([0-9]{{1,3}}([{decimal} '\x{{a0}}\x{{202f}}\x{{2019}}][0-9]{{3}})+|[0-9]*){other}[0-9]+"
    word = "decimal_comma" if marks.decimal == "." else "decimal_point"
    return f"WHEN {full_match(text, grouped)} THEN 'thousands_mark' WHEN {full_match(text, apart)} THEN '{word}'"

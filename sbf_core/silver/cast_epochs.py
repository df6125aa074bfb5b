"""Numbers since 1970-01-01 00:00 UTC (``epoch``) to DATE, TIMESTAMP and TIMESTAMP_NS, exact to the last digit held.

The number is brought to the resolution of the type by moving its point within the text: 1385579841.8818 seconds are
1385579841881800 microseconds.
"""

from __future__ import annotations

from collections.abc import Mapping

from sbf_core.silver.cast_numbers import NUMBER, PLAIN, WHOLE, digits_of, point_of, without_marks, written_out
from sbf_core.silver.cast_steps import Field, FieldCast, full_match, trimmed, unless_marker, without_markers
from sbf_core.silver.cast_zones import day_in_years, in_nanoseconds, in_years, wall

_DECIMALS = {"s": 0, "ms": 3, "us": 6, "ns": 9}
#: Microseconds since 1970 that the engine's moments reach on both sides: about the year 294,000.
_REACH = 9_000_000_000_000_000_000


def epoch_cast(field: Field) -> FieldCast:
    """The cast of a number since 1970. A DATE is the day of that moment in the declared zone, of UTC where there is
    none.
    """
    column, count, text, plain = field.column, field.ref("count"), field.ref("text"), field.ref("plain")
    bare = field.ref("bare")
    shift = (9 if column.type == "TIMESTAMP_NS" else 6) - _DECIMALS[column.epoch]
    quick = unless_marker(column, field.text, _quick(field.text, shift))
    steps: list[Mapping[str, str]] = [
        {"quick": quick},
        {"trimmed": f"CASE WHEN {field.ref('quick')} IS NULL THEN {trimmed(field.text)} END"},
        {"text": without_markers(column, field.ref("trimmed"))},
        {"bare": without_marks(text, field.marks) if field.is_text else text},
        {"point": f"CASE WHEN {full_match(bare, NUMBER)} THEN {point_of(bare, shift=shift)} END"},
        {
            "plain": (
                f"CASE WHEN {field.ref('point')} IS NULL THEN {bare} "
                f"ELSE {written_out(bare, digits_of(bare), field.ref('point'))} END"
            )
        },
        {"count": f"coalesce({field.ref('quick')}, {_whole(plain, floor=column.type == 'DATE')})"},
    ]
    if column.type == "TIMESTAMP_NS":
        value = in_nanoseconds(count)
    else:
        steps.append({"moment": f"CASE WHEN {count} BETWEEN -{_REACH} AND {_REACH} THEN make_timestamp({count}) END"})
        value = in_years(field.ref("moment"))
        if column.type == "DATE":
            steps.append({"near": value})
            day = (
                wall(column.zone, f"epoch_us({field.ref('near')})")
                if column.zone not in ("", "UTC")
                else field.ref("near")
            )
            steps.append({"day": f"CAST({day} AS DATE)"})
            value = day_in_years(field.ref("day"))
    finer = "CASE WHEN regexp_matches(" + plain + r", '\.0*[1-9]') THEN 'too_precise' ELSE 'out_of_range' END"
    kind = (
        f"CASE WHEN {count} IS NOT NULL OR {full_match(bare, NUMBER)} "
        f"THEN {finer if column.type != 'DATE' else chr(39) + 'out_of_range' + chr(39)} ELSE 'unparsable' END"
    )
    given = f"({field.ref('quick')} IS NOT NULL OR {text} IS NOT NULL)"
    return FieldCast(column=column, steps=steps, value=value, given=given, kind=kind, raw=field.text)


def _quick(text: str, shift: int) -> str:
    """The count of plain digits: zeros are put behind them, or taken off."""
    if shift >= 0:
        return (
            f"CASE WHEN {full_match(text, '-?[0-9]{1,18}')} "
            f"THEN try_cast(concat({text}, '{'0' * shift}') AS BIGINT) END"
        )
    zeros = "0" * -shift
    return (
        f"CASE WHEN {full_match(text, '-?[0-9]{1,18}' + zeros)} "
        f"THEN try_cast(left({text}, length({text}) - {-shift}) AS BIGINT) END"
    )


def _whole(plain: str, *, floor: bool) -> str:
    """The whole number that a plain text is; or, for a day, the last whole one that is not above it."""
    if not floor:
        return f"CASE WHEN {full_match(plain, WHOLE)} THEN try_cast({plain} AS BIGINT) END"
    whole = f"try_cast(concat(split_part({plain}, '.', 1), '') AS BIGINT)"
    below = f"CASE WHEN starts_with({plain}, '-') AND regexp_matches({plain}, '\\.0*[1-9]') THEN 1 ELSE 0 END"
    return f"CASE WHEN {full_match(plain, PLAIN)} AND {whole} > -{_REACH} THEN {whole} - {below} END"

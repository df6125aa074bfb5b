"""Expressions to which both ends of the supported range of DuckDB give a value, and not the same one."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sbf_core.gold.engine_call import NO_CONSTANT, Call
from sbf_core.gold.engine_difference import REFUSED, Effect, EngineDifference


def _double_to_places(call: Call) -> bool:
    return len(call.types) > 1 and call.types[0] in ("DOUBLE", "FLOAT")


def _is_of_lists(call: Call) -> bool:
    return bool({"LIST", "ARRAY"} & set(call.sources))


def _may_look_for_null(call: Call) -> bool:
    return _is_of_lists(call) and call.constants[-1] in (NO_CONSTANT, None)


def _cuts_by_nothing(call: Call) -> bool:
    return call.constants[1:2] in ((NO_CONSTANT,), ("",))


def _from_text_to(kind: str) -> Callable[[Call], bool]:
    return lambda call: call.types == ("VARCHAR",) and call.answer == kind and not call.is_constant


def _is_negative_of_unsigned(call: Call) -> bool:
    return len(call.types) == 1 and call.types[0].startswith("U")


DIFFERENCES: Sequence[EngineDifference] = (
    EngineDifference(
        name="rounding a DOUBLE to places",
        calls=frozenset({"round"}),
        example="round(2.675::DOUBLE, 2)",
        answers=("2.68", "2.67"),
        instead="round(CAST(2.675::DOUBLE AS DECIMAL(18, 6)), 2)",
        alike="2.68",
        effect=Effect.VALUE,
        told="places of a DOUBLE whose digits end in 5",
        concerns=_double_to_places,
    ),
    EngineDifference(
        name="rounding large whole numbers",
        calls=frozenset(),
        example="round(9223372036854775807, -7)",
        answers=("-9223372036840000000", "9223372036850000000"),
        instead="round(9223372036854775807::DECIMAL(38, 0), -7)",
        alike="9223372036850000000",
        effect=Effect.VALUE,
        told="whole numbers within half a step of the end of BIGINT",
    ),
    EngineDifference(
        name="matching with ~",
        calls=frozenset({"~ or !~"}),
        example="'abc' ~ 'b'",
        answers=("false", "true"),
        instead="regexp_matches('abc', 'b')",
        alike="true",
        effect=Effect.VALUE,
        told="the whole text or a part of it",
    ),
    EngineDifference(
        name="mode() of a draw",
        calls=frozenset({"mode"}),
        example="(SELECT mode(x) FROM (VALUES (1), (1), (2), (2)) AS t(x))",
        answers=("1", "2"),
        instead="(SELECT mode(x ORDER BY x) FROM (VALUES (1), (1), (2), (2)) AS t(x))",
        alike="1",
        effect=Effect.VALUE,
        told="values that are equally frequent",
        concerns=lambda call: not call.is_ordered,
    ),
    EngineDifference(
        name="an ASOF JOIN with a draw",
        calls=frozenset({"asof join"}),
        example=(
            "(SELECT any_value(b.x) FROM (SELECT 5 AS k FROM range(100)) AS a "
            "ASOF JOIN (VALUES (5, 'p'), (5, 'r')) AS b(k, x) ON a.k >= b.k)"
        ),
        answers=("r", "r"),
        instead=(
            "(SELECT any_value(b.x) FROM (SELECT 5 AS k FROM range(100)) AS a ASOF JOIN "
            "(SELECT * FROM (VALUES (5, 'p'), (5, 'r')) AS r(k, x) "
            "QUALIFY row_number() OVER (PARTITION BY k ORDER BY x) = 1) AS b ON a.k >= b.k)"
        ),
        alike="p",
        effect=Effect.DRAW,
        told="two right rows of one moment (the first of them for few left rows: with range(1) it is p)",
    ),
    EngineDifference(
        name="the distance of texts",
        calls=frozenset(
            {
                "levenshtein",
                "editdist3",
                "damerau_levenshtein",
                "hamming",
                "mismatches",
                "jaccard",
                "jaro_similarity",
                "jaro_winkler_similarity",
            }
        ),
        example="levenshtein('Müller', 'Muller')",
        answers=("2", "1"),
        instead="levenshtein(strip_accents('Müller'), 'Muller')",
        alike="0",
        effect=Effect.VALUE,
        told="texts with letters beyond ASCII, by bytes or by letters",
    ),
    EngineDifference(
        name="an empty list and NULL",
        calls=frozenset({"list_contains", "list_has", "array_contains", "array_has", "contains"}),
        example="list_contains([], NULL)",
        answers=(None, "false"),
        instead="coalesce(list_contains([], NULL), false)",
        alike="false",
        effect=Effect.VALUE,
        told="NULL looked for in an empty list",
        concerns=_may_look_for_null,
    ),
    EngineDifference(
        name="lists joined to a text",
        calls=frozenset({"concat_ws"}),
        example="concat_ws('-', [1, 2], 3)",
        answers=("[1, 2]-3", "1-2-3"),
        instead="concat_ws('-', array_to_string([1, 2], '-'), 3)",
        alike="1-2-3",
        effect=Effect.VALUE,
        told="an argument that is a list",
        concerns=_is_of_lists,
    ),
    EngineDifference(
        name="an empty text cut by an empty text",
        calls=frozenset(
            {
                "string_split",
                "str_split",
                "split",
                "string_to_array",
                "string_split_regex",
                "str_split_regex",
                "regexp_split_to_array",
            }
        ),
        example="string_split('', '')",
        answers=("['']", "[]"),
        instead="string_split('', ',')",
        alike="['']",
        effect=Effect.VALUE,
        told="both texts are empty",
        concerns=_cuts_by_nothing,
    ),
    EngineDifference(
        name="sums of infinities, corrected",
        calls=frozenset({"fsum", "favg", "sumkahan", "kahan_sum"}),
        example="fsum('inf'::DOUBLE)",
        answers=("-nan", "inf"),
        instead="sum('inf'::DOUBLE)",
        alike="inf",
        effect=Effect.VALUE,
        told="an infinity among the values",
    ),
    EngineDifference(
        name="the remainder by an infinity",
        calls=frozenset({"fmod"}),
        example="fmod(0::DOUBLE, 'inf'::DOUBLE)",
        answers=("-nan", "0.0"),
        instead="if(isinf('inf'::DOUBLE), 0::DOUBLE, fmod(0::DOUBLE, 'inf'::DOUBLE))",
        alike="0.0",
        effect=Effect.VALUE,
        told="an infinity on the right",
    ),
    EngineDifference(
        name="nanoseconds with an offset",
        calls=frozenset({"cast"}),
        example="CAST('2024-01-05T10:00:00+02' AS TIMESTAMP_NS)",
        answers=("2024-01-05 08:00:00", "2024-01-05 10:00:00"),
        instead="CAST(CAST('2024-01-05T10:00:00+02' AS TIMESTAMPTZ) AS TIMESTAMP)",
        alike="2024-01-05 08:00:00",
        effect=Effect.VALUE,
        told="a text with an offset as TIMESTAMP_NS",
        concerns=_from_text_to("TIMESTAMP_NS"),
    ),
    EngineDifference(
        name="hours and minutes with an offset",
        calls=frozenset({"cast"}),
        example="TRY_CAST('2024-01-05 10:00+00' AS TIMESTAMPTZ)",
        answers=(None, "2024-01-05 10:00:00+00"),
        instead="TRY_CAST('2024-01-05 10:00:00+00' AS TIMESTAMPTZ)",
        alike="2024-01-05 10:00:00+00",
        effect=Effect.VALUE,
        told="a moment without seconds and with an offset",
        concerns=_from_text_to("TIMESTAMP WITH TIME ZONE"),
    ),
    EngineDifference(
        name="hexadecimal text",
        calls=frozenset({"cast"}),
        example="TRY_CAST('0x1F' AS HUGEINT)",
        answers=(None, "31"),
        instead="TRY_CAST('0x1F' AS BIGINT)",
        alike="31",
        effect=Effect.VALUE,
        told="0x in a text that becomes a HUGEINT",
        concerns=_from_text_to("HUGEINT"),
    ),
    EngineDifference(
        name="minus of what has no sign",
        calls=frozenset({"-"}),
        example="-(5::UBIGINT)",
        answers=("18446744073709551611", REFUSED),
        instead="-(5::UBIGINT::HUGEINT)",
        alike="-5",
        effect=Effect.VALUE,
        told="the negative of an unsigned number",
        concerns=_is_negative_of_unsigned,
    ),
)

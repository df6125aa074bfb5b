"""Expressions that one end of the supported range of DuckDB refuses, or gives another type."""

from __future__ import annotations

from collections.abc import Sequence

from sbf_core.gold.engine_call import Call
from sbf_core.gold.engine_difference import REFUSED, Effect, EngineDifference

#: Digits up to which one of the engines keeps the type where two DECIMAL are added.
_WIDTH = 18


def _may_be_infinite(call: Call) -> bool:
    return bool({"DOUBLE", "FLOAT"} & set(call.sources)) and not call.is_filtered


def _divisor_may_be_zero(call: Call) -> bool:
    return not call.is_never_zero(-1)


def _exact_divisor_may_be_zero(call: Call) -> bool:
    return _divisor_may_be_zero(call) and not {"DOUBLE", "FLOAT"} & set(call.types)


def _is_of_longest_short_decimals(call: Call) -> bool:
    return len(call.types) > 1 and _WIDTH in call.widths and call.answer_width in (_WIDTH, _WIDTH + 1)


DIFFERENCES: Sequence[EngineDifference] = (
    EngineDifference(
        name="sums of long decimals",
        calls=frozenset({"+", "-"}),
        example="typeof(1::DECIMAL(18, 3) + 1::DECIMAL(18, 3))",
        answers=("DECIMAL(18,3)", "DECIMAL(19,3)"),
        instead="typeof(CAST(1::DECIMAL(18, 3) + 1::DECIMAL(18, 3) AS DECIMAL(19, 3)))",
        alike="DECIMAL(19,3)",
        effect=Effect.TYPE,
        told="decimals of 18 digits added or subtracted",
        concerns=_is_of_longest_short_decimals,
    ),
    EngineDifference(
        name="records without names",
        calls=frozenset({"row", "list_zip", "array_zip", "struct_values"}),
        example="typeof(row(1, 2))",
        answers=("STRUCT(INTEGER, INTEGER)", "TUPLE(INTEGER, INTEGER)"),
        instead="typeof({'a': 1, 'b': 2})",
        alike="STRUCT(a INTEGER, b INTEGER)",
        effect=Effect.TYPE,
        told="a record whose fields have no names",
    ),
    EngineDifference(
        name="whole division by zero",
        calls=frozenset({"//", "divide"}),
        example="1 // 0",
        answers=(None, REFUSED),
        instead="1 // nullif(0, 0)",
        alike=None,
        effect=Effect.ERROR,
        told="zero on the right",
        concerns=_divisor_may_be_zero,
    ),
    EngineDifference(
        name="the remainder by zero",
        calls=frozenset({"%", "mod"}),
        example="1 % 0",
        answers=(None, REFUSED),
        instead="1 % nullif(0, 0)",
        alike=None,
        effect=Effect.ERROR,
        told="zero on the right, of numbers that are no DOUBLE",
        concerns=_exact_divisor_may_be_zero,
    ),
    EngineDifference(
        name="spread with infinities",
        calls=frozenset(
            {
                "stddev",
                "stddev_samp",
                "stddev_pop",
                "variance",
                "var_samp",
                "var_pop",
                "sem",
                "corr",
                "regr_r2",
            }
        ),
        example="(SELECT stddev(x) FROM (VALUES (1::DOUBLE), ('inf'::DOUBLE)) AS t(x))",
        answers=(REFUSED, "-nan"),
        instead="(SELECT stddev(x) FILTER (isfinite(x)) FROM (VALUES (1::DOUBLE), ('inf'::DOUBLE)) AS t(x))",
        alike=None,
        effect=Effect.ERROR,
        told="an infinity or a NaN among the values",
        concerns=_may_be_infinite,
    ),
    EngineDifference(
        name="logarithms and roots",
        calls=frozenset({"ln", "log", "log10", "log2", "sqrt", "geomean", "geometric_mean", "gamma", "lgamma"}),
        example="ln(0)",
        answers=(REFUSED, "-inf"),
        instead="ln(nullif(0, 0))",
        alike=None,
        effect=Effect.ERROR,
        told="zero or a negative number",
        concerns=_divisor_may_be_zero,
    ),
    EngineDifference(
        name="angles",
        calls=frozenset({"acos", "asin", "atanh", "cot", "sin", "cos", "tan"}),
        example="acos(2)",
        answers=(REFUSED, "nan"),
        instead="if(abs(2) <= 1, acos(least(2, 1)), NULL)",
        alike=None,
        effect=Effect.ERROR,
        told="a value outside of what the function is defined for",
    ),
    EngineDifference(
        name="lambdas with an arrow",
        calls=frozenset({"->"}),
        example="list_transform([1, 2], x -> x + 1)",
        answers=("[2, 3]", REFUSED),
        instead="list_transform([1, 2], lambda x: x + 1)",
        alike="[2, 3]",
        effect=Effect.ERROR,
        told="the arrow",
    ),
    EngineDifference(
        name="minus of the least BIGINT",
        calls=frozenset(),
        example="-((-9223372036854775808)::BIGINT)",
        answers=(REFUSED, "9223372036854775808"),
        instead="-((-9223372036854775808)::HUGEINT)",
        alike="9223372036854775808",
        effect=Effect.ERROR,
        told="the negative of the least BIGINT",
    ),
)

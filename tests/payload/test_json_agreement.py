"""The engine's way and the exact way of reading JSON give the same rows,
and the exact way gives what plain Python says.

Hypothesis makes declarations and documents of every shape that the engine may read, with the spellings of values that
go wrong. More examples by hand: ``HYPOTHESIS_EXAMPLES=20000 pytest tests/payload/test_json_agreement.py``.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from payload.json_ways import READER, payload_file, reading, selected

from sbf_core.dataset.columns import Column
from sbf_core.errors import PayloadRefused
from sbf_core.payload.model import Reading

EXAMPLES = int(os.environ.get("HYPOTHESIS_EXAMPLES", "150"))


class Spelled(str):
    """A number as it stands in the payload."""

    __slots__ = ()


NUMBERS = [
    "0", "-0", "0.0", "-0.0", "1", "-1", "1.0", "1.10", "2.50", "1e5", "1E5", "1.5E+10", "2.5e-3", "1e-40", "1e-400",
    "1e400", "1E400", "-1.5e-310", "100000.0", "12345678901234567", "9007199254740993", "9007199254740993.0",
    "18446744073709551616", "-9223372036854775809", "0.30000000000000004", "12345678901.123456", "2.99999999999999999",
    "4503599627370497.5", "0.12345678901234567890", "123456789012345.6", "1e22", "1e-5", "0.00001", "1385579841.8818",
    "20240105", "-99.990",
]  # fmt: skip
TEXTS = [
    "",
    " ",
    "x",
    "0",
    "-0",
    "1.5",
    "1.10",
    "100000.0",
    "1e+22",
    "NaN",
    "inf",
    "true",
    "{",
    "[1]",
    "a,}b",
    "é",
    "\U0001f600",
    'q"\\',
    "\n",
    "2024-01-05",
    "n/a",
    ",]",
    "-99.99",
    "x{y",
]
numbers = st.one_of(
    st.sampled_from(NUMBERS), st.from_regex(r"\A-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,18})?([eE][+-]?[0-9]{1,3})?\Z")
).map(Spelled)
usual = st.one_of(st.integers(-(10**6), 10**6).map(str), st.decimals(-1000, 1000, places=2).map(str)).map(Spelled)
texts = st.one_of(st.sampled_from(TEXTS), st.text(st.characters(exclude_categories=("Cs",)), max_size=6))
leaves = st.one_of(usual, numbers, texts, st.sampled_from([None, True, False]))
nested = st.one_of(st.lists(leaves, max_size=2), st.dictionaries(st.sampled_from(["p", "q"]), leaves, max_size=2))
quiet = st.one_of(usual, st.sampled_from(["x", "y z", None]))


def written(value: Any, blank: str = "") -> str:
    """JSON text, numbers as they are spelled."""
    if isinstance(value, Spelled):
        return str(value)
    if isinstance(value, dict):
        return (
            "{"
            + f",{blank}".join(f"{json.dumps(name)}:{blank}{written(inner, blank)}" for name, inner in value.items())
            + "}"
        )
    if isinstance(value, list):
        return "[" + f",{blank}".join(written(inner, blank) for inner in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def as_text(value: Any) -> str | None:
    """What a column takes of a value."""
    if value is None or isinstance(value, str):
        return value
    return written(value)


@attrs.frozen
class Shape:
    """One way to hold rows: the path, the sources of two fields of a row and of what is beside it,
    and the document of a list of rows.
    """

    rows_at: str
    sources: tuple[str, str, str]
    document: Callable[[list[Any], Any], Any]
    row: Callable[[Any, Any], Any] = lambda a, b: {"a": a, "x": "y", "b": b}
    beside: Callable[[list[Any], Any, int], Any] = lambda rows, meta, index: meta
    is_one: bool = False


def _named(rows: list[Any]) -> dict[str, Any]:
    return {f"K{index}": row for index, row in enumerate(rows)}


SHAPES = [
    Shape("", ("a", "b", "x"), lambda rows, meta: rows, beside=lambda rows, meta, index: "y"),
    Shape(
        "data.items", ("a", "b", "$.meta.m"), lambda rows, meta: {"meta": {"m": meta}, "data": {"items": rows, "n": 1}}
    ),
    Shape(
        "$.data[*]", ("a", "b", "@~"), lambda rows, meta: {"data": rows}, beside=lambda rows, meta, index: str(index)
    ),
    Shape("$.*", ("a", "b", "@~"), lambda rows, meta: _named(rows), beside=lambda rows, meta, index: f"K{index}"),
    Shape(
        "$.by['q r'][*]",
        ("@.a.v", "@.b[1]", "@~"),
        lambda rows, meta: {"by": {"q r": _named(rows)}},
        lambda a, b: {"a": {"u": 1, "v": a}, "b": [0, b]},
        lambda rows, meta, index: f"K{index}",
    ),
    Shape("$.acc[*].t[*]", ("a", "b", "@^.id"), lambda rows, meta: {"acc": [{"id": meta, "t": rows}]}),
    Shape(
        "$.acc.*.t[*]",
        ("a", "b", "@^~"),
        lambda rows, meta: {"acc": {"K": {"t": rows}}},
        beside=lambda rows, meta, index: "K",
    ),
    Shape(
        "$.r.*[*]",
        ("@[0]", "@[-1]", "@^~"),
        lambda rows, meta: {"r": {"P": rows}},
        lambda a, b: [a, b],
        lambda rows, meta, index: "P",
    ),
    Shape(
        "", ("@[0]", "@[1]", "@[2]"), lambda rows, meta: rows, lambda a, b: [a, b, "z"], lambda rows, meta, index: "z"
    ),
    Shape("$", ("a", "b", "$.m"), lambda rows, meta: {**rows[0], "m": meta}, is_one=True),
]
TYPES = ["VARCHAR", "BIGINT", "DOUBLE", "DECIMAL(18,4)", "DATE", "BOOLEAN"]


@st.composite
def cases(draw: st.DrawFn) -> tuple[Shape, Reading, str, list[tuple[str | None, ...]], bool]:
    """A shape, a declaration, a document, the rows that it holds, and whether it is to be read as a large one."""
    shape = draw(st.sampled_from(SHAPES))
    of_row = draw(st.sampled_from([quiet, quiet, numbers, leaves, st.one_of(leaves, nested)]))
    pairs = draw(st.lists(st.tuples(of_row, of_row), min_size=1, max_size=1 if shape.is_one else 4))
    meta = draw(leaves)
    types = [draw(st.sampled_from(TYPES)) for _ in range(3)]
    columns = [
        Column(
            name=f"c{number}", type=sql_type, key=number == 0, nullable=number > 0, source=source,
            optional=draw(st.booleans()),
            epoch="s" if sql_type == "DATE" else "", missing=draw(st.sampled_from([(), (), ("-99.99", "n/a")])),
        )
        for number, (source, sql_type) in enumerate(zip(shape.sources, types, strict=True))
    ]  # fmt: skip
    rows = [shape.row(a, b) for a, b in pairs]
    content = draw(st.sampled_from(["", "\ufeff", "\n "])) + written(
        shape.document(rows, meta), draw(st.sampled_from(["", " ", "\n "]))
    )
    expected = [
        (as_text(a), as_text(b), as_text(shape.beside(rows, meta, index))) for index, (a, b) in enumerate(pairs)
    ]
    return shape, reading(*columns, rows_at=shape.rows_at), content, expected, draw(st.booleans())


def same(column: Column, exact: str | None, given: Any) -> bool:
    """Whether the cast of a column makes the same of both: texts to the letter, numbers by value, markers alike."""
    if exact is None or given is None or exact == given:
        return exact == given
    if isinstance(given, float):
        return float(exact) == given or (math.isnan(float(exact)) and math.isnan(given))
    if column.type in ("BIGINT", "DECIMAL(18,4)", "DOUBLE", "DATE") and (exact in column.missing) == (
        given in column.missing
    ):
        try:
            return (float(exact) == float(given)) if column.type == "DOUBLE" else Decimal(exact) == Decimal(given)
        except (ArithmeticError, ValueError):
            pass
    if column.type == "BOOLEAN" and exact not in ("0", "1") and given not in ("0", "1", "true", "false"):
        return True  # it is rejected either way
    return column.type != "VARCHAR" and exact[:1] == given[:1] and exact[:1] in ("{", "[")  # no value of such a type


@given(cases())
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
def test_both_ways_agree_with_plain_python(
    tmp_path_factory: pytest.TempPathFactory, case: tuple[Shape, Reading, str, list[tuple[str | None, ...]], bool]
) -> None:
    shape, wanted, content, expected, is_large = case
    folder = FOLDER[0] if FOLDER else FOLDER.append(tmp_path_factory.mktemp("json")) or FOLDER[0]
    file = payload_file(folder, content)
    try:
        exact = [(record.fault, tuple(record.values)) for record in READER.records(wanted, file)]
    except PayloadRefused as error:
        assert "none of its" in str(
            error
        )  # a field beside the rows may be absent from them: it never is here, but for null
        exact = None
    assert exact == [("", row) for row in expected]
    look = READER.look(wanted, file, None, staging=folder)
    if not look.is_regular:
        event("not regular")
        return
    given = selected(wanted, folder, [attrs.evolve(look, payload=None) if is_large else look])
    if given is None or (look.record_count is not None and look.record_count != len(given)):
        event("read again")
        return
    event(f"compared {shape.rows_at!r} {'large' if is_large else 'small'}")
    assert len(given) == len(expected)
    for row, texts in zip(given, expected, strict=True):
        assert row[0] == "one"
        for slot, text, value in zip(wanted.slots, texts, row[1:], strict=True):
            assert same(slot.column, text, value), (content, slot.column, text, value)


FOLDER: list[Path] = []


@pytest.mark.parametrize("is_large", [False, True])
@pytest.mark.parametrize("shape", SHAPES, ids=[f"{shape.rows_at or 'list'} {shape.sources[0]}" for shape in SHAPES])
def test_every_shape_is_read_by_the_engine(tmp_path: Path, shape: Shape, is_large: bool) -> None:
    pairs = [(Spelled("1"), "x"), (Spelled("-20"), None)][: 1 if shape.is_one else 2]
    rows = [shape.row(a, b) for a, b in pairs]
    wanted = reading(*shape.sources, rows_at=shape.rows_at)
    look = READER.look(wanted, payload_file(tmp_path, written(shape.document(rows, "m"))), None, staging=tmp_path)
    expected = [("one", as_text(a), b, as_text(shape.beside(rows, "m", index))) for index, (a, b) in enumerate(pairs)]
    assert selected(wanted, tmp_path, [attrs.evolve(look, payload=None) if is_large else look]) == expected

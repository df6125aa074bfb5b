"""Texts to numbers, truth values and texts: exact, or a reject that says why; and what holds for every type."""

from __future__ import annotations

import contextlib
import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from silver.cast_table import COMMA, COMMA_GROUPS, DOTTED, PAGE, POINT, cast, casts_page, column_of, connect, select_of

from sbf_core.dataset.columns import Column


@pytest.fixture(scope="module")
def conn() -> duckdb.DuckDBPyConnection:
    return connect()


def outcome(conn: duckdb.DuckDBPyConnection, column: Column, text: str, **facts: Any) -> str | None:
    """The value as text, or the kind of its reject."""
    [(value, reason)] = cast(conn, column, [text], **facts)
    assert value is None or reason is None
    return reason or value


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("12.0", "12"), ("12.", "12"), ("1e3", "1000"), ("1.5E+10", "15000000000"), ("1e17", "100000000000000000"),
        ("100e-2", "1"), ("0e999", "0"), ("-0", "0"), ("4503599627370497.5", "not_an_integer"),
        ("2.99999999999999999", "not_an_integer"), ("1e-11", "not_an_integer"), ("1e-40", "not_an_integer"),
        ("1e-400000000", "not_an_integer"), ("1e-99999999999999999999", "not_an_integer"),
        ("9007199254740993.0", "9007199254740993"), ("9223372036854775807", "9223372036854775807"),
        ("9223372036854775807.000", "9223372036854775807"), ("9223372036854775808", "out_of_range"),
        ("-9223372036854775808", "-9223372036854775808"), ("-9223372036854775809", "out_of_range"),
        ("922337203685477580.7e1", "9223372036854775807"), ("1e400000000", "out_of_range"),
        ("1e99999999999999999999", "out_of_range"), ("0e99999999999999999999", "0"), ("9" * 39, "out_of_range"),
        ("0" * 300 + "7", "7"), ("1" + "0" * 400 + "e-400", "1"), ("0." + "0" * 300 + "5e301", "5"),
        ("7" * 20_000, "out_of_range"),
        (".0", "0"), ("-.00", "0"), (" +.0\t", "0"), (".0e5", "0"), (".5", "not_an_integer"), (".", "unparsable"),
        (" 7\t", "7"), ("\u00a07\r\n", "7"), ("1_000", "unparsable"), ("+-5", "unparsable"), ("1e1_0", "unparsable"),
        ("0x10", "unparsable"), ("1 234", "unparsable"), ("e5", "unparsable"), (".", "unparsable"), ("-", "unparsable"),
        ("1e", "unparsable"), ("1.2.3", "unparsable"), ("--5", "unparsable"), ("5-", "unparsable"),
        ("true", "unparsable"), ("\u0661", "unparsable"), ("nan", "not_finite"), ("-Infinity", "not_finite"),
    ],
)  # fmt: skip
def test_a_whole_number_is_exact_or_rejected(conn: duckdb.DuckDBPyConnection, text: str, right: str) -> None:
    assert outcome(conn, column_of("BIGINT"), text) == right


@pytest.mark.parametrize(
    ("kind", "text", "right"),
    [
        ("DECIMAL(18,6)", "1.5", "1.500000"), ("DECIMAL(18,6)", "1.50000000000", "1.500000"),
        ("DECIMAL(18,6)", "1.5000001", "too_precise"), ("DECIMAL(18,6)", "1e-6", "0.000001"),
        ("DECIMAL(18,6)", "1e-7", "too_precise"), ("DECIMAL(18,6)", "1e-40", "too_precise"),
        ("DECIMAL(18,6)", "-2E-12", "too_precise"), ("DECIMAL(18,6)", "0." + "0" * 40 + "1", "too_precise"),
        ("DECIMAL(18,6)", "2.66e10", "26600000000.000000"), ("DECIMAL(18,6)", "1e100000000", "out_of_range"),
        ("DECIMAL(18,6)", "150e400000000", "out_of_range"), ("DECIMAL(18,6)", "999999999999.9999995", "too_precise"),
        ("DECIMAL(18,6)", "999999999999.999999", "999999999999.999999"),
        ("DECIMAL(18,6)", "1000000000000", "out_of_range"),
        ("DECIMAL(38,6)", "12345678901.123456", "12345678901.123456"),
        ("DECIMAL(38,18)", "12345678901234567890.123456789012345678", "12345678901234567890.123456789012345678"),
        ("DECIMAL(38,18)", "-0.000000000000000001", "-0.000000000000000001"),
        ("DECIMAL(38,18)", "123456789012345678901.0", "out_of_range"),
        ("DECIMAL(38,38)", "0.12345678901234567890123456789012345678", ".12345678901234567890123456789012345678"),
        ("DECIMAL(38,38)", "1", "out_of_range"), ("DECIMAL(38,0)", "9" * 38, "9" * 38),
        ("DECIMAL(38,0)", "1" + "0" * 38, "out_of_range"), ("DECIMAL(38,0)", "1e37", "1" + "0" * 37),
        ("DECIMAL(38,0)", "1.5", "too_precise"), ("DECIMAL(4,2)", "-99.99", "-99.99"),
        ("DECIMAL(4,2)", "99.995", "too_precise"), ("DECIMAL(4,2)", "9999e-2", "99.99"),
        ("DECIMAL(4,2)", "0.0e-99999999999", "0.00"),
        ("DECIMAL(1,0)", "1_0", "unparsable"), ("DECIMAL(1,0)", "", None), ("DECIMAL(1,0)", "nan", "not_finite"),
    ],
)  # fmt: skip
def test_a_decimal_is_exact_or_rejected(
    conn: duckdb.DuckDBPyConnection, kind: str, text: str, right: str | None
) -> None:
    assert outcome(conn, column_of(kind), text) == right


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("1e22", "1e+22"), ("9007199254740993", "9007199254740992.0"),
        ("2.2250738585072011e-308", "2.225073858507201e-308"), ("1e-400", "0.0"), ("0e999", "0.0"),
        ("1" + "0" * 400 + "e-400", "1.0"), (" 5 ", "5.0"), ("\u00a05", "5.0"), ("1e400", "not_finite"),
        ("-1e99999999999999999999", "not_finite"), ("nan", "not_finite"), ("+inf", "not_finite"), ("1_0", "unparsable"),
        ("1e1_0", "unparsable"), ("+-5", "unparsable"), ("0x1p3", "unparsable"), ("5d", "unparsable"),
        ("1 2", "unparsable"),
    ],
)  # fmt: skip
def test_a_float_is_the_nearest_one(conn: duckdb.DuckDBPyConnection, text: str, right: str) -> None:
    assert outcome(conn, column_of("DOUBLE"), text) == right


MARKED = {
    "1.234,56": ("thousands_mark", "1234.56", "unparsable", "decimal_comma"),
    "1.234": ("thousands_mark", "1234.00", "too_precise", "too_precise"),
    "1234,5": ("1234.50", "1234.50", "unparsable", "decimal_comma"),
    "12,75": ("12.75", "12.75", "unparsable", "decimal_comma"),
    "1,234": ("too_precise", "too_precise", "1234.00", "thousands_mark"),
    "1,234.5": ("decimal_point", "unparsable", "1234.50", "thousands_mark"),
    "12.75": ("decimal_point", "unparsable", "12.75", "12.75"),
    "1.23.456": ("unparsable", "unparsable", "unparsable", "unparsable"),
    "1234.567,8": ("unparsable", "unparsable", "unparsable", "unparsable"),
    "-1.234.567": ("thousands_mark", "-1234567.00", "unparsable", "unparsable"),
    "1,5e2": ("150.00", "150.00", "unparsable", "unparsable"),
    ",5": ("0.50", "0.50", "unparsable", "decimal_comma"),
    ",0": ("0.00", "0.00", "unparsable", "decimal_comma"),
    "1 234,5": ("unparsable", "unparsable", "unparsable", "decimal_comma"),
}


@pytest.mark.parametrize("text", MARKED)
def test_marks_are_read_as_declared_and_told_where_they_are_not(conn: duckdb.DuckDBPyConnection, text: str) -> None:
    asked = (COMMA, DOTTED, COMMA_GROUPS, POINT)
    assert tuple(outcome(conn, column_of("DECIMAL(18,2)"), text, marks=marks) for marks in asked) == MARKED[text]


def test_a_fraction_of_zeros_alone_is_a_whole_number(conn: duckdb.DuckDBPyConnection) -> None:
    for marks in (POINT, COMMA, DOTTED, COMMA_GROUPS):
        texts = [text.replace(".", marks.decimal) for text in (".0", "-.00", "+.0 ")]
        assert cast(conn, column_of("BIGINT"), texts, marks=marks) == [("0", None)] * 3


@pytest.mark.parametrize("kind", ["BIGINT", "DECIMAL(18,4)", "DOUBLE"])
def test_a_group_of_thousands_is_never_a_fraction(conn: duckdb.DuckDBPyConnection, kind: str) -> None:
    [(whole, _), (part, why)] = cast(conn, column_of(kind), ["1.234", "12.5"], marks=DOTTED)
    assert whole is not None and float(whole) == 1234
    assert (part, why) == (None, "unparsable")


def test_marks_are_those_of_texts_alone(conn: duckdb.DuckDBPyConnection) -> None:
    assert cast(conn, column_of("DECIMAL(18,4)"), ["1.25"], of="DOUBLE", marks=DOTTED) == [("1.2500", None)]
    assert cast(conn, column_of("DECIMAL(38,1)"), ["1.5e20"], of="DOUBLE", marks=DOTTED) == [
        ("15" + "0" * 19 + ".0", None)
    ]
    assert cast(conn, column_of("BIGINT"), ["1234"], of="DECIMAL(10,2)", marks=DOTTED) == [("1234", None)]


@pytest.mark.parametrize(
    ("of", "value", "kind", "right"),
    [
        ("DOUBLE", "1.5", "DOUBLE", "1.5"), ("DOUBLE", "'nan'", "DOUBLE", "not_finite"),
        ("DOUBLE", "'-inf'", "DOUBLE", "not_finite"), ("FLOAT", "0.5", "DOUBLE", "0.5"),
        ("DOUBLE", "0.1", "DECIMAL(18,6)", "0.100000"),
        ("DOUBLE", "0.1::DOUBLE + 0.2::DOUBLE", "DECIMAL(18,6)", "too_precise"),
        ("DOUBLE", "1e30", "DECIMAL(18,6)", "out_of_range"), ("DOUBLE", "3", "BIGINT", "3"),
        ("DOUBLE", "2.5", "BIGINT", "not_an_integer"), ("DOUBLE", "1e17", "BIGINT", "100000000000000000"),
        ("DOUBLE", "'nan'", "BIGINT", "not_finite"), ("FLOAT", "0.1", "DECIMAL(18,6)", "0.100000"),
        ("INTEGER", "7", "BIGINT", "7"), ("UBIGINT", "18446744073709551615", "BIGINT", "out_of_range"),
        ("HUGEINT", "-5", "BIGINT", "-5"),
        ("HUGEINT", "170141183460469231731687303715884105727", "DECIMAL(38,0)", "out_of_range"),
        ("BIGINT", "12", "DECIMAL(4,2)", "12.00"), ("BIGINT", "123", "DECIMAL(4,2)", "out_of_range"),
        ("DECIMAL(10,4)", "1.25", "DECIMAL(10,2)", "1.25"), ("DECIMAL(10,4)", "1.2501", "DECIMAL(10,2)", "too_precise"),
        ("DECIMAL(10,4)", "12", "BIGINT", "12"), ("DECIMAL(10,4)", "12.5", "BIGINT", "not_an_integer"),
        ("DECIMAL(38,2)", "9007199254740993", "DOUBLE", "9007199254740992.0"),
        ("BOOLEAN", "true", "BIGINT", "unparsable"), ("BOOLEAN", "true", "DOUBLE", "unparsable"),
        ("BOOLEAN", "true", "BOOLEAN", "true"), ("INTEGER", "1", "BOOLEAN", "true"),
        ("INTEGER", "2", "BOOLEAN", "unparsable"), ("DATE", "'2024-01-02'", "BIGINT", "unparsable"),
        ("DATE", "'2024-01-02'", "VARCHAR", "2024-01-02"), ("JSON", "'\"1.10\"'", "VARCHAR", "1.10"),
        ("JSON", "'1.10'", "VARCHAR", "1.10"), ("JSON", "'null'", "BIGINT", None), ("JSON", "'\"7\"'", "BIGINT", "7"),
        ("JSON", "'12345678901.123456'", "DECIMAL(38,6)", "12345678901.123456"),
    ],
)  # fmt: skip
def test_typed_fields_are_exact_too(
    conn: duckdb.DuckDBPyConnection, of: str, value: str, kind: str, right: str | None
) -> None:
    [(found, reason)] = cast(conn, column_of(kind), [value], of=of)
    assert (reason or found) == right


def test_no_value(conn: duckdb.DuckDBPyConnection) -> None:
    for kind in ("BIGINT", "DECIMAL(9,2)", "DOUBLE", "BOOLEAN", "DATE", "TIMESTAMP"):
        assert (
            cast(conn, column_of(kind, missing=("N/A", "-")), [None, "", "  ", "N/A", " - "]) == [(None, None)] * 5
        ), kind  # type: ignore[list-item]
    for kind, texts in {
        "BIGINT": ["-999", " -999 ", "-998"],
        "DOUBLE": ["-999", " -999 ", "-998"],
        "DECIMAL(9,2)": ["-999", " -999 ", "-998"],
    }.items():
        values = [value for value, _ in cast(conn, column_of(kind, missing=("-999",)), texts)]
        assert values[:2] == [None, None] and values[2] is not None
    assert cast(conn, column_of("VARCHAR", missing=("N/A",)), ["", "N/A", " N/A", " x "]) == [
        ("", None),
        (None, None),
        (" N/A", None),
        (" x ", None),
    ]
    assert cast(conn, column_of("VARCHAR", trim=True, missing=("N/A",)), ["  ", " N/A ", "\u00a0x\t"]) == [
        (None, None),
        (None, None),
        ("x", None),
    ]


def test_many_markers_are_compared_as_they_stand(conn: duckdb.DuckDBPyConnection) -> None:
    markers = ("N/A", "-", ".", "(D)", "a|b", "\\d", "*", "^", "")
    for kind in ("VARCHAR", "DOUBLE", "DATE"):
        column = column_of(kind, missing=markers)
        assert cast(conn, column, list(markers)) == [(None, None)] * len(markers), kind
        sql = select_of([column] * 3, "source", {"f0": "VARCHAR", "f1": "VARCHAR", "f2": "VARCHAR"})
        assert " IN (" not in sql  # the engine makes a join of a long one
    assert cast(conn, column_of("VARCHAR", missing=markers), ["a", "7", "N-A"]) == [
        ("a", None),
        ("7", None),
        ("N-A", None),
    ]


def test_what_is_required_and_missing_is_told(conn: duckdb.DuckDBPyConnection) -> None:
    key, plain = Column(name="k", type="BIGINT", key=True), Column(name="v", type="DECIMAL(9,2)")
    conn.execute(
        "CREATE OR REPLACE TEMP TABLE given AS "
        "SELECT * FROM (VALUES ('1', NULL), (NULL, '2'), ('x', NULL), ('1', '2')) AS t(f0, f1)"
    )
    source = (
        "(SELECT '' AS _file, NULL::VARCHAR AS _place, NULL::VARCHAR AS _fault, NULL::VARCHAR AS _raw, given.* "
        "FROM given)"
    )
    sql = select_of([key, plain], source, {"f0": "VARCHAR", "f1": "VARCHAR"})
    assert [row[0] for row in conn.execute(f"SELECT d._reason FROM ({sql}) AS d").fetchall()] == [
        "missing:v",
        "missing_key:k",
        "unparsable:k",
        None,
    ]
    absent = select_of([key, plain], source, {"f1": "VARCHAR"})
    assert {row[0] for row in conn.execute(f"SELECT d._reason FROM ({absent}) AS d").fetchall()} == {"missing_key:k"}


def test_a_fault_of_the_record_goes_before_everything_and_the_reject_holds_what_stood_there(
    conn: duckdb.DuckDBPyConnection,
) -> None:
    columns = [
        Column(name="a", type="BIGINT", source="v"),
        Column(name="b", type="DOUBLE", source="V"),
        Column(name="c", type="VARCHAR", source="_raw", nullable=True),
    ]
    source = (
        "(SELECT 'f' AS _file, 'line 3' AS _place, 'ragged' AS _fault, 'x;\"y}' AS _raw, "
        "'x' AS f0, '2}' AS f1, 'mine' AS f2)"
    )
    types = dict.fromkeys(("f0", "f1", "f2"), "VARCHAR")
    [(file, reason, row)] = conn.execute(
        f"SELECT d._file, d._reason, d._row FROM ({select_of(columns, source, types)}) AS d"
    ).fetchall()
    assert (file, reason) == ("f", "ragged")
    assert json.loads(row) == {"v": "x", "V": "2}", "field _raw": "mine", "_place": "line 3", "_raw": 'x;"y}'}
    sound = (
        "(SELECT 'f' AS _file, NULL::VARCHAR AS _place, NULL::VARCHAR AS _fault, NULL::VARCHAR AS _raw, "
        "'x' AS f0, '2' AS f1, NULL::VARCHAR AS f2)"
    )
    [(reason, row)] = conn.execute(
        f"SELECT d._reason, d._row FROM ({select_of(columns, sound, types)}) AS d"
    ).fetchall()
    assert (reason, json.loads(row)) == ("unparsable:a", {"v": "x", "V": "2", "field _raw": None})


KINDS = ("VARCHAR", "BIGINT", "DECIMAL(18,6)", "DOUBLE", "BOOLEAN", "DATE", "TIMESTAMP", "TIMESTAMP_NS")
TEXTS = {"VARCHAR": "t", "BIGINT": "1e3", "DECIMAL(18,6)": "15e-1", "DOUBLE": "1.5", "BOOLEAN": "yes",
         "DATE": "2024-01-02", "TIMESTAMP": "2024-01-02T00:00", "TIMESTAMP_NS": "2024-01-02T00:00"}  # fmt: skip


def _of(kind: str, name: str) -> Column:
    return Column(name=name, type=kind, zone="America/New_York" if kind.startswith("TIMESTAMP") else "")


def test_a_column_may_be_named_like_any_word_of_the_statement(conn: duckdb.DuckDBPyConnection) -> None:
    plain = [_of(kind, f"c{place}") for place, kind in enumerate(KINDS)]
    types = {f"f{place}": "VARCHAR" for place in range(len(KINDS))}
    words = set(re.findall(r"\b[a-z][a-z0-9_]{0,47}\b", select_of(plain, "source", types, marks=DOTTED).lower()))
    assert {"case", "x", "i", "list_transform", "f0", "misfit", "date", "text", "value", "number", "source"} <= words
    words |= {
        "ts",
        "recorded_until",
        "t",
        "r",
        "s",
        "d",
        "n",
        "rowid",
        "main",
        "excluded",
        "f",
        "f00",
        "interval",
        "current_date",
        "user",
    }
    for kind in KINDS:
        columns = [_of(kind, word) for word in sorted(words)]
        fields = ", ".join(f"'{TEXTS[kind]}' AS f{place}" for place in range(len(columns)))
        source = (
            f"(SELECT 'a' AS _file, NULL::VARCHAR AS _place, NULL::VARCHAR AS _fault, NULL::VARCHAR AS _raw, {fields})"
        )
        sql = select_of(columns, source, {f"f{place}": "VARCHAR" for place in range(len(columns))})
        cursor = conn.execute(sql)
        assert [name for name, *_ in cursor.description or ()] == [
            "_file",
            *(column.name for column in columns),
            "_reason",
            "_row",
        ]
        [row] = cursor.fetchall()
        assert len(set(row[1:-2])) == 1 and row[1] is not None and row[-2:] == (None, None)


def test_the_reader_is_never_asked_to_cast(conn: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    """DuckDB 2.0.1 pushes a cast of a CSV column into its reader,
    which then raises or answers otherwise than for the text.
    """
    texts = [
        "2.5",
        "abc",
        "9007199254740993",
        "1e400000000",
        "1_0",
        "2024-02-30",
        "2024-02-29",
        "2024-01-02T03:04:05Z",
        " 7 ",
        "",
        "true",
        "-0.1",
        "1.5e0",
    ]
    path = tmp_path / "texts.csv"
    path.write_text("a,b\n" + "".join(f'"{text}","{text}"\n' for text in texts), encoding="utf-8")
    read = (
        f"read_csv('{path.as_posix()}', columns={{'f0': 'VARCHAR', 'f1': 'VARCHAR'}}, "
        "auto_detect=false, header=true, delim=',', quote='\"', escape='\"', nullstr='')"
    )
    with pytest.raises(duckdb.Error) if duckdb.__version__ >= "2" else contextlib.nullcontext():
        conn.execute(f"SELECT try_cast(f0 AS BIGINT) FROM {read}").fetchall()
    extra = "'a' AS _file, NULL::VARCHAR AS _place, NULL::VARCHAR AS _fault, NULL::VARCHAR AS _raw"
    for kind in KINDS:
        columns = [_of(kind, "v")]
        expected = cast(conn, columns[0] if kind == "VARCHAR" else column_of(kind, zone=columns[0].zone), texts)
        expected = [(value if value else None, reason) for value, reason in expected]
        for taken in ("f0", "f0, f1"):
            for source in (f"(SELECT {extra}, {taken} FROM {read})", f"(SELECT {extra}, s.* FROM {read} AS s)"):
                two = [column_of(kind, zone=columns[0].zone)] + (
                    [Column(name="beside", type="VARCHAR", nullable=True)] if "f1" in taken else []
                )
                sql = select_of(two, source, {"f0": "VARCHAR", "f1": "VARCHAR"})
                for asked in (f"SELECT d.v, d._reason FROM ({sql}) AS d", sql):
                    rows = conn.execute(f"SELECT CAST(e.v AS VARCHAR), e._reason FROM ({asked}) AS e").fetchall()
                    found = [(value, reason.removesuffix(":v") if reason else None) for value, reason in rows]
                    assert found == expected, (kind, taken, source)


def test_one_bad_number_costs_one_row(conn: duckdb.DuckDBPyConnection) -> None:
    texts = ["1.5", "1e400000000", "3", "9" * 5000, "1" * 30 + "e" + "9" * 40, "4"]
    found = cast(conn, column_of("DECIMAL(18,2)"), texts)
    assert [value and Decimal(value) for value, _ in found] == [Decimal("1.5"), None, 3, None, None, 4]


def test_the_reference_of_casts_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == casts_page(), "run python tests/silver/cast_table.py"

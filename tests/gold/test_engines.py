"""What the engines of the supported range answer differently is known, found in models, and told."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from gold.engine_table import FILES, PAGE, answers_here, page
from packaging.version import Version

from sbf_core.gold.engine_difference import ENGINES, Effect
from sbf_core.gold.engine_differences import DIFFERENCES
from sbf_core.gold.engine_findings import NoPlan, engine_findings
from sbf_core.gold.model import GoldModel, GoldSource

#: A model's expressions over columns, by the difference that they fall under; then some of the same kind that do not.
FOUND = {
    "rounding a DOUBLE to places": ("round(x, 2)", ("round(d, 1)", "round(x)", "round(CAST(x AS DECIMAL(18, 6)), 2)")),
    "matching with ~": ("s ~ 'b'", ("~k", "s ~~ 'b'", "regexp_matches(s, '~')", "'a ~ b'")),
    "mode() of a draw": ("mode(s)", ("mode(s ORDER BY s)",)),
    "the distance of texts": ("levenshtein(s, 'a')", ("length(s)",)),
    "an empty list and NULL": ("list_contains(l, k)", ("list_contains(l, 3)", "contains(s, 'x')")),
    "lists joined to a text": ("concat_ws('-', l, 'a')", ("concat_ws('-', s, k)",)),
    "an empty text cut by an empty text": ("string_split(s, s)", ("string_split(s, ',')",)),
    "sums of infinities, corrected": ("fsum(x)", ("sum(x)",)),
    "the remainder by an infinity": ("fmod(x, x)", ("x % 2",)),
    "nanoseconds with an offset": ("CAST(s AS TIMESTAMP_NS)", ("CAST(s AS TIMESTAMP)",)),
    "hours and minutes with an offset": ("CAST(s AS TIMESTAMPTZ)", ("CAST(s AS DATE)", "TIMESTAMPTZ '2024-01-01'")),
    "hexadecimal text": ("TRY_CAST(s AS HUGEINT)", ("TRY_CAST(s AS BIGINT)",)),
    "minus of what has no sign": ("-u", ("-k", "u - 1")),
    "sums of long decimals": ("d + d", ("k + k", "CAST(d AS DECIMAL(9, 2)) + 1")),
    "records without names": ("row(k, s)", ("{'k': k}",)),
    "whole division by zero": ("k // k", ("k // 7", "k // nullif(k, 0)")),
    "the remainder by zero": ("mod(k, k)", ("k % 7", "k % nullif(k, 0)", "x % x")),
    "spread with infinities": ("stddev(x)", ("stddev(d)", "stddev(x) FILTER (isfinite(x))")),
    "logarithms and roots": ("ln(x / k)", ("ln(nullif(x, 0))", "sqrt(252)")),
    "angles": ("acos(x)", ("abs(x)",)),
}


@pytest.fixture(scope="module")
def conn() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute(
        "CREATE SCHEMA silver; "
        "CREATE TABLE silver.t (x DOUBLE, d DECIMAL(18, 2), k BIGINT, s VARCHAR, l BIGINT[], u UBIGINT)"
    )
    return connection


def model(sql: str, **more: object) -> GoldModel:
    return GoldModel(name="one", key=("a",), sql=sql, **more)  # type: ignore[arg-type]


def names(conn: duckdb.DuckDBPyConnection, expression: str) -> list[str]:
    found = engine_findings(conn, model(f"SELECT {expression} AS a FROM silver.t"))
    return [each.difference.name for each in found]


def test_the_installed_engine_answers_as_the_list_says(tmp_path: Path) -> None:
    _assert_answers(duckdb.__version__, tmp_path, sys.executable)


@pytest.mark.slow
@pytest.mark.parametrize("engine", ENGINES)
def test_each_engine_answers_as_the_list_says(engine: str, tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "venv")], check=True)
    python = str(tmp_path / "venv" / ("Scripts" if sys.platform == "win32" else "bin") / "python")
    subprocess.run([python, "-m", "pip", "install", "-q", f"duckdb=={engine}", "pytz"], check=True)
    _assert_answers(engine, tmp_path, python)


def _assert_answers(engine: str, folder: Path, python: str) -> None:
    which = 0 if Version(engine) < Version("2") else 1
    asked = [each.example for each in DIFFERENCES] + [each.instead for each in DIFFERENCES]
    expected = [each.answers[which] for each in DIFFERENCES] + [each.alike for each in DIFFERENCES]
    asked += [each.query for each in FILES]
    expected += [None if each.answers[which] == "NULL" else each.answers[which] for each in FILES]
    answers = dict(zip(asked, answers_here(asked, folder, python=python), strict=True))
    assert answers == dict(zip(asked, expected, strict=True))


def test_the_list_holds_differences() -> None:
    for each in DIFFERENCES:
        assert each.answers[0] != each.answers[1] or each.effect == Effect.DRAW, each.name


def test_the_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run python tests/gold/engine_table.py"


@pytest.mark.parametrize("name", FOUND)
def test_an_expression_is_found_in_a_model(conn: duckdb.DuckDBPyConnection, name: str) -> None:
    found, _ = FOUND[name]
    assert names(conn, found) == [name]


@pytest.mark.parametrize(
    ("name", "expression"), [(name, expression) for name, (_, others) in FOUND.items() for expression in others]
)
def test_what_is_alike_is_not_found(conn: duckdb.DuckDBPyConnection, name: str, expression: str) -> None:
    assert name not in names(conn, expression)


def test_what_is_looked_for_has_a_model_that_holds_it() -> None:
    elsewhere = {"an ASOF JOIN with a draw", "lambdas with an arrow"}
    assert {each.name for each in DIFFERENCES if each.calls} == FOUND.keys() | elsewhere


def test_an_asof_join_is_found(conn: duckdb.DuckDBPyConnection) -> None:
    found = engine_findings(conn, model("SELECT a.k AS a FROM silver.t AS a ASOF JOIN silver.t AS b ON a.x >= b.x"))
    assert [(each.difference.effect, each.calls) for each in found] == [(Effect.DRAW, ("asof join",))]


def test_an_arrow_is_found_or_refused(conn: duckdb.DuckDBPyConnection) -> None:
    arrow = model("SELECT list_transform(l, v -> v + 1) AS a FROM silver.t")
    if Version(duckdb.__version__) < Version("2"):
        assert [each.difference.name for each in engine_findings(conn, arrow)] == ["lambdas with an arrow"]
    else:
        with pytest.raises(NoPlan, match="lambda"):
            engine_findings(conn, arrow)
    words = model("SELECT list_transform(l, lambda v: v + 1) AS a, s -> '$.a' AS b FROM silver.t")
    assert engine_findings(conn, words) == ()


def test_a_finding_names_the_line_that_the_author_wrote(conn: duckdb.DuckDBPyConnection) -> None:
    sources = {"rows": [GoldSource(table="silver.t")]}
    over = model("SELECT\n  s AS a,\n  round(x, 2) AS b\nFROM rows", sources=sources).over({"silver.t"})
    (found,) = engine_findings(conn, over)
    assert found.calls == ("round() in line 3 (round(x, 2) AS b)",)
    assert found.text == (
        "round() in line 3 (round(x, 2) AS b): places of a DOUBLE whose digits end in 5: round(2.675::DOUBLE, 2) is "
        "2.68 on DuckDB 1.5.5 and 2.67 on 2.0.1; write e.g. round(CAST(2.675::DOUBLE AS DECIMAL(18, 6)), 2)"
    )


def test_one_in_the_select_of_a_source_has_no_line(conn: duckdb.DuckDBPyConnection) -> None:
    sources = {"rows": [GoldSource(table="silver.t", sql="SELECT mode(s) AS a FROM silver.t")]}
    (found,) = engine_findings(conn, model("SELECT a FROM rows", sources=sources).over({"silver.t"}))
    assert found.calls == ("mode()",)


def test_letters_before_it_do_not_move_the_line(conn: duckdb.DuckDBPyConnection) -> None:
    (found,) = engine_findings(conn, model("SELECT 'äöü€' AS a, -- é\n  s ~ 'b' AS b FROM silver.t"))
    assert found.calls == ("~ or !~ in line 2 (s ~ 'b' AS b FROM silver.t)",)


def test_a_table_that_is_not_there_is_no_plan(conn: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(NoPlan, match="nothing_there"):
        engine_findings(conn, model("SELECT round(x, 2) AS a FROM silver.nothing_there"))

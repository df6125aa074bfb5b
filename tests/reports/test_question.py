"""The answer to a question is what the engine says, also where Python has another value for it."""

from __future__ import annotations

import duckdb
import pytest

from sbf_core.reports.sql_query import asked

#: Python has another value for these, or none.
ODD = [
    "DATE 'infinity'", "DATE '-infinity'", "TIMESTAMP 'infinity'", "TIMESTAMP '-infinity'",
    "TIMESTAMPTZ 'infinity'", "CAST('-infinity' AS TIMESTAMP_S)", "CAST('infinity' AS TIMESTAMP_MS)",
    "INTERVAL '1 month 2 days'", "INTERVAL '14 months'", "INTERVAL '-1 day 3 hours'",
    "TIMESTAMP_NS '2020-01-01 00:00:00.123456789'", "CAST('nan' AS DOUBLE)", "CAST('-inf' AS FLOAT)",
    "[INTERVAL '1 month']", "{'a': TIMESTAMP_NS '2020-01-01 00:00:00.123456789'}",
]  # fmt: skip
#: Python has the same; the last days of the calendar are none that is not finite.
PLAIN = [
    "DATE '9999-12-31'", "DATE '0001-01-01'", "TIMESTAMP '9999-12-31 23:59:59.999999'", "1.5",
    "CAST(1.10 AS DECIMAL(9,2))", "CAST(1e300 AS DOUBLE)", "12345678901234567890", "'a'", "true",
]  # fmt: skip


@pytest.mark.parametrize("nested", [True, False])
@pytest.mark.parametrize("value", ODD)
def test_what_python_would_say_otherwise_is_the_engines_text(value: str, nested: bool) -> None:
    with duckdb.connect() as conn:
        wanted = conn.execute(f"SELECT CAST({value} AS VARCHAR)").fetchall()
        answer = asked(conn, f"SELECT {value} AS x", limit=0, nested=nested)
    assert (answer.headers, answer.rows) == (["x"], wanted)


@pytest.mark.parametrize("value", PLAIN)
def test_what_python_can_say_is_its_value(value: str) -> None:
    with duckdb.connect() as conn:
        wanted = conn.execute(f"SELECT {value}").fetchall()
        assert asked(conn, f"SELECT {value}", limit=0, nested=True).rows == wanted


def test_infinity_stands_only_where_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    with duckdb.connect() as conn:
        rows = asked(conn, "SELECT unnest([DATE '9999-12-31', DATE 'infinity', NULL]), 7", limit=0, nested=True).rows
    assert [str(day) for day, _ in rows] == ["9999-12-31", "infinity", "None"]
    assert [seven for _, seven in rows] == [7, 7, 7]


@pytest.mark.parametrize(
    "text",
    [
        "SELECT 1 AS a, 2 AS a;",
        "SELECT 'é;' AS a, 2 AS a ; -- é ; x",
        "/* ; */ VALUES (1, 2) ;;",
        "SHOW TABLES",
        "EXPLAIN SELECT 1;",
        "SUMMARIZE SELECT 1;",
        "FROM range(3) AS t(a) -- ;",
    ],
)
def test_any_one_statement_is_asked_as_it_stands(text: str) -> None:
    with duckdb.connect() as conn:
        found = conn.execute(text)
        headers, rows = [column[0] for column in found.description], found.fetchall()
        answer = asked(conn, text, limit=0, nested=True)
    assert answer.headers == headers
    assert text.startswith(("EXPLAIN", "SUMMARIZE")) or answer.rows == rows


def test_the_order_stays_and_the_limit_holds() -> None:
    with duckdb.connect() as conn:
        conn.execute(
            "CREATE TABLE big AS SELECT range AS r, hash(range) AS h, DATE '2020-01-01' AS day FROM range(300000)"
        )
        query = "SELECT r, day, INTERVAL '1 day' FROM big ORDER BY h"
        wanted = [row[:1] for row in conn.execute(query).fetchall()[:1000]]
        answer = asked(conn, query, limit=1000, nested=True)
        assert ([row[:1] for row in answer.rows], answer.more) == (wanted, True)
        assert not asked(conn, "FROM range(1000)", limit=1000, nested=True).more

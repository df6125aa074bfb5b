"""Which answers move a cursor."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from itertools import permutations

import duckdb
import pytest

from sbf_core.api import Column, Cursor, DataRules, DatasetKeymapEntry, RestRecipe
from sbf_core.duck.migrate import migration_files
from sbf_core.ops.cursors import Move, load_cursors, move_cursors


@pytest.fixture
def conn() -> Iterator[duckdb.DuckDBPyConnection]:
    text = next(path for _, path in migration_files() if "cursors" in path.name).read_text(encoding="utf-8")
    with duckdb.connect() as opened:
        opened.execute(
            "CREATE SCHEMA ops; CREATE TABLE ops.bronze_manifest (i INTEGER); CREATE TABLE ops.data_dates (i INTEGER);"
            + text
        )
        yield opened


def entry(cursor: Cursor, **changes: object) -> DatasetKeymapEntry:
    usual = {
        "domain": "d", "source": "s", "dataset": "e", "silver_table": "t",
        "columns": [Column(name="id", type="BIGINT", key=True)],
        "recipe": RestRecipe(url="https://example.com/a?since={cursor}", cursor=cursor),
        "is_data": DataRules(may_be_empty=True),
    }  # fmt: skip
    return DatasetKeymapEntry(**{**usual, **changes})  # type: ignore[arg-type]


def answer(second: int, asked_from: str, cursor: str, ticker: str | None = None) -> Move:
    moment = dt.datetime(2024, 1, 2, 0, 0, second, tzinfo=dt.UTC)
    return Move(ticker=ticker, asked_from=asked_from, cursor=cursor, bronze_file_id=f"f{second}", fetched_at=moment)


TOKEN, MOMENT = entry(Cursor(by="token", at="next")), entry(Cursor(by="moment"))


@pytest.mark.parametrize(
    ("declared", "answers", "where"),
    [
        (TOKEN, [answer(1, "", "a"), answer(2, "a", "b")], "b"),
        (TOKEN, [answer(2, "", "b"), answer(1, "", "a")], "b"),  # an older one that came late
        (TOKEN, [answer(1, "", "a"), answer(2, "x", "y")], "a"),  # asked for behind what nobody has
        (TOKEN, [answer(1, "x", "y")], None),
        (TOKEN, [answer(1, "", "a"), answer(2, "a", "b"), answer(3, "a", "c")], "c"),  # from where it was
        (TOKEN, [answer(1, "", "a"), answer(2, "a", "b"), answer(3, "", "z")], "z"),  # from the beginning
        (TOKEN, [answer(1, "", "0"), *(answer(n, str(n - 2), str(n - 1)) for n in range(2, 15)), answer(20, "0", "q")],
         "13"),  # from long ago
        (MOMENT, [answer(1, "2024-01-01", "2024-01-05"), answer(2, "2024-01-05", "2024-01-09")], "2024-01-09"),
        (MOMENT, [answer(1, "2024-01-01", "2024-01-05"), answer(2, "2024-01-06", "2024-01-09")], "2024-01-05"),
        (MOMENT, [answer(1, "2024-01-01", "2024-01-05"), answer(2, "2023-01-01", "2024-01-03")], "2024-01-05"),
        (MOMENT, [answer(2, "2024-01-01", "2024-01-05"), answer(1, "2024-01-01", "2024-01-09")], "2024-01-05"),
    ],
)  # fmt: skip
def test_what_moves_it(
    conn: duckdb.DuckDBPyConnection, declared: DatasetKeymapEntry, answers: list[Move], where: str | None
) -> None:
    for one in answers:
        move_cursors(conn, declared, [one])
        move_cursors(conn, declared, [one])
    assert load_cursors(conn, declared).get(None) == where


def test_answers_of_a_batch_are_taken_in_their_order(conn: duckdb.DuckDBPyConnection) -> None:
    chain = [answer(1, "", "a"), answer(2, "a", "b"), answer(3, "b", "c")]
    for order in permutations(chain):
        conn.execute("DELETE FROM ops.cursors")
        move_cursors(conn, TOKEN, order)
        assert load_cursors(conn, TOKEN) == {None: "c"}


def test_each_series_has_its_own_and_a_new_name_keeps_it(conn: duckdb.DuckDBPyConnection) -> None:
    move_cursors(conn, TOKEN, [answer(1, "", "a", "AAA"), answer(1, "", "b", "BBB")])
    renamed = entry(Cursor(by="token", at="next"), dataset="other", renamed_from=("d/s/e",))
    assert load_cursors(conn, renamed) == {"AAA": "a", "BBB": "b"}
    move_cursors(conn, renamed, [answer(2, "a", "c", "AAA")])
    assert load_cursors(conn, renamed) == {"AAA": "c", "BBB": "b"}
    assert conn.execute("SELECT count(*) FROM ops.cursors").fetchone() == (2,)

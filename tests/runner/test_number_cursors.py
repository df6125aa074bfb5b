"""Cursors that are whole numbers: rows that are numbered when they are written, asked for from the highest on."""

from __future__ import annotations

import datetime as dt
import sqlite3
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import duckdb
import pytest
from pytest_httpserver import HTTPServer
from warehouse import Declared, Warehouse, counts_add_up

from sbf_core.api import Cursor, DataRules, DatasetKeymapEntry, RestRecipe, SqlRecipe, UsageError, column
from sbf_core.care.rebuild import rebuild
from sbf_core.failures import FailureKind
from sbf_core.runner.options import RunOptions
from sbf_core.runs.context import RunContext

BEYOND = 2**53  # where a double has no odd numbers


@attrs.frozen
class Event:
    """One event."""

    id: int = column(key=True)
    what: str = column()


@attrs.frozen
class Wide:
    """The same with numbers beyond 2^63."""

    id: Decimal = column(key=True, precision=20, scale=0)
    what: str = column()


QUERY = "SELECT id, what FROM event WHERE id > {cursor}"
NUMBER: dict[str, Any] = {"by": "number", "column": "id", "first": "0"}


def declared(columns: Any = Event, *, cursor: dict[str, Any] | None = None, **recipe: Any) -> DatasetKeymapEntry:
    usual: dict[str, Any] = {"connection": "sqlite:shop.db", "query": QUERY}
    return DatasetKeymapEntry(
        domain="crm", source="shop", dataset="events", silver_table="event", columns=columns,
        recipe=SqlRecipe(**{**usual, **recipe}, cursor=Cursor(**{**NUMBER, **(cursor or {})})),
        is_data=DataRules(may_be_empty=True), refresh_after_hours=0.1,
    )  # fmt: skip


class Shop:
    """A home with a table of events in SQLite."""

    def __init__(self, home: Path, entry: DatasetKeymapEntry, kind: str = "INTEGER") -> None:
        self.warehouse = Warehouse(home, Declared(entry))
        self.path = home / "files" / "shop.db"
        self.path.parent.mkdir(parents=True)
        self.do(f"CREATE TABLE event (id {kind}, what TEXT)")

    def do(self, *statements: str) -> None:
        with closing(sqlite3.connect(self.path)) as conn:
            for statement in statements:
                conn.execute(statement)
            conn.commit()

    def add(self, *ids: int) -> None:
        self.do(*(f"INSERT INTO event VALUES ({number}, 'w{number}')" for number in ids))

    def run(self, **more: Any) -> RunContext:
        return self.warehouse.run(hours_later=1, **more)

    @property
    def ids(self) -> list[int]:
        return [int(row[0]) for row in self.warehouse.ask("SELECT id FROM silver.event ORDER BY id")]

    @property
    def cursor(self) -> list[str]:
        return [row[0] for row in self.warehouse.ask("SELECT cursor FROM ops.cursors")]

    @property
    def asked(self) -> list[str]:
        rows = self.warehouse.ask("SELECT address FROM ops.bronze_manifest ORDER BY fetched_at")
        return [row[0].rpartition("cursor=")[2] for row in rows]


def is_fine(context: RunContext) -> bool:
    return (context.status, context.errors) == ("ok", [])


def failed(context: RunContext) -> tuple[str, str]:
    (failure,) = context.failures
    return str(failure.kind), failure.what


def test_rows_with_a_higher_number_are_asked_for_and_a_rebuild_goes_on_there(tmp_path: Path) -> None:
    shop = Shop(tmp_path / "home", declared())
    assert is_fine(shop.run()) and shop.cursor == []
    shop.add(9, 10)
    assert is_fine(shop.run())
    assert shop.cursor == ["10"], "numbers have another order than texts"
    shop.add(BEYOND, BEYOND + 1)
    assert is_fine(shop.run())
    assert shop.cursor == [str(BEYOND + 1)]
    context = shop.run()
    assert is_fine(context) and shop.cursor == [str(BEYOND + 1)] and context.rows_seen == 0
    shop.add(BEYOND + 2)
    assert shop.run().rows_inserted == 1
    assert shop.ids == [9, 10, BEYOND, BEYOND + 1, BEYOND + 2]
    assert shop.asked[:3] == ["0", "0", "10"]
    counts_add_up(shop.warehouse)
    before = shop.warehouse.ask("SELECT ticker, cursor FROM ops.cursors")
    rebuild(shop.warehouse.opened())
    assert shop.warehouse.ask("SELECT ticker, cursor FROM ops.cursors") == before


def test_rows_that_are_committed_late_come_within_the_overlap(tmp_path: Path) -> None:
    shop = Shop(tmp_path / "home", declared(cursor={"overlap": 5}))
    shop.add(90, 100)
    assert is_fine(shop.run())
    shop.add(96, 94)  # written before 100, and committed after it was read
    context = shop.run()
    assert (context.rows_inserted, context.rows_unchanged) == (1, 1), "96 comes, 100 comes again, 94 is too far back"
    assert shop.asked == ["0", "95"] and shop.cursor == ["100"]
    shop.do("DELETE FROM event WHERE id = 100")
    assert is_fine(shop.run()) and shop.cursor == ["100"], "a row that is gone takes the cursor nowhere"
    assert shop.ids == [90, 96, 100]


def test_from_the_beginning_where_a_user_wishes(tmp_path: Path) -> None:
    shop = Shop(tmp_path / "home", declared(cursor={"first": -10}))
    shop.add(-5, 3)
    assert is_fine(shop.run()) and shop.ids == [-5, 3]
    shop.add(-4)
    assert is_fine(shop.run(options=RunOptions(since=dt.date(2020, 1, 1))))
    assert (shop.ids, shop.cursor, shop.asked) == ([-5, -4, 3], ["3"], ["-10", "-10"])


def test_a_payload_that_cannot_be_promoted_moves_nothing(tmp_path: Path) -> None:
    shop = Shop(tmp_path / "home", declared())
    shop.add(1)
    assert is_fine(shop.run())
    shop.do("INSERT INTO event VALUES (2, NULL)")
    assert not is_fine(shop.run()) and shop.cursor == ["1"]
    shop.do("UPDATE event SET what = 'x' WHERE id = 2")
    assert is_fine(shop.run()) and shop.cursor == ["2"]


@pytest.mark.parametrize(
    ("kind", "value", "told"),
    [("TEXT", "'10'", "holds '10', which SQLite keeps as no whole number"), ("REAL", "1e300", "holds 1e+300"),
     ("INTEGER", "NULL", "")],
)  # fmt: skip
def test_what_has_another_order_is_refused(tmp_path: Path, kind: str, value: str, told: str) -> None:
    shop = Shop(tmp_path / "home", declared(query="SELECT id, what FROM event WHERE id > {cursor} OR 1"), kind)
    shop.do(f"INSERT INTO event VALUES ({value}, 'b')")
    context = shop.run()
    if told:
        kind_of, what = failed(context)
        assert kind_of == FailureKind.QUERY and told in what and "CAST(id AS BIGINT)" in what
    else:
        assert context.rows_rejected == 1 and shop.cursor == []


def test_a_number_that_a_database_does_not_hold_is_told_of(tmp_path: Path) -> None:
    shop = Shop(tmp_path / "home", declared(cursor={"first": str(2**63)}))
    assert "beyond the whole numbers of SQLite" in failed(shop.run())[1]


def test_numbers_beyond_what_a_bigint_holds(tmp_path: Path) -> None:
    entry = declared(Wide, connection="duckdb:other.duckdb", query="SELECT id, what FROM event WHERE id > {cursor}")
    home = tmp_path / "home"
    (home / "files").mkdir(parents=True)
    warehouse = Warehouse(home, Declared(entry))
    for high in (2**64 - 3, 2**64 - 2):
        with duckdb.connect(home / "files" / "other.duckdb") as conn:
            conn.execute("CREATE TABLE IF NOT EXISTS event (id UBIGINT, what VARCHAR)")
            conn.execute("INSERT INTO event VALUES (?, 'x')", [high])
        assert warehouse.run(hours_later=1).rows_inserted == 1
    assert warehouse.ask("SELECT cursor FROM ops.cursors") == [(str(2**64 - 2),)]
    texts = "SELECT CAST(id AS VARCHAR) AS id, what FROM event WHERE id > {cursor}"
    other = declared(Wide, connection="duckdb:other.duckdb", query=texts, cursor={"overlap": 5})
    kind, what = failed(Warehouse(home, Declared(other)).run(hours_later=5))
    assert kind == FailureKind.QUERY and "is a VARCHAR, which is no whole number" in what


def test_an_address_may_hold_a_number(tmp_path: Path, httpserver: HTTPServer) -> None:
    for since, body in (("0", [{"id": 9, "what": "a"}, {"id": 10, "what": "b"}]), ("8", [{"id": 11, "what": "c"}])):
        httpserver.expect_request("/feed", query_string=f"since={since}").respond_with_json(body)
    recipe = RestRecipe(url=httpserver.url_for("/feed") + "?since={cursor}", cursor=Cursor(**{**NUMBER, "overlap": 2}))
    entry = attrs.evolve(declared(), recipe=recipe)
    warehouse = Warehouse(tmp_path / "home", Declared(entry))
    assert is_fine(warehouse.run()) and is_fine(warehouse.run(hours_later=1))
    assert warehouse.ask("SELECT cursor FROM ops.cursors") == [("11",)]


@pytest.mark.parametrize(
    ("cursor", "told"),
    [
        ({"first": ""}, "a number needs a column, a whole number as first"),
        ({"first": "1.5"}, "a number needs a column, a whole number as first"),
        ({"column": ""}, "a number needs a column"),
        ({"overlap": -1}, "no overlap below 0"),
        ({"overlap_seconds": 5}, "nothing of the others"),
        ({"format": "s"}, "nothing of the others"),
        ({"by": "moment", "overlap": 5}, "overlap belongs to a number"),
        ({"column": "what"}, "is no column with whole numbers"),
        ({"column": "nothing"}, "is no column with whole numbers"),
    ],
)
def test_what_does_not_go_together_is_refused(cursor: dict[str, Any], told: str) -> None:
    with pytest.raises(UsageError) as error:
        declared(cursor=cursor)
    assert told in str(error.value)

"""PostgreSQL as a source: a real server, whose values arrive exactly or are refused."""

from __future__ import annotations

import datetime as dt
import json
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import duckdb
import psycopg
import pytest
from postgres_server import PASSWORD, server
from warehouse import Declared, Warehouse, counts_add_up

from sbf_core.api import Column, Cursor, DataRules, DatasetKeymapEntry, ForEach, SqlRecipe, column
from sbf_core.care.rebuild import rebuild
from sbf_core.failures import FailureKind
from sbf_core.runner.options import RunOptions
from sbf_core.runs.context import RunContext

pytestmark = pytest.mark.xdist_group("postgres")


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with server() as one:
        yield one


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_PASSWORD", PASSWORD)


def do(address: str, *statements: str) -> None:
    with psycopg.connect(address, password=PASSWORD) as conn:
        for statement in statements:
            conn.execute(statement)


def declared(address: str, columns: Any, query: str, entry: dict[str, Any] | None = None, **recipe: Any) -> Any:
    usual: dict[str, Any] = {"secrets": {"password": "SHOP_PASSWORD"}}
    return DatasetKeymapEntry(
        domain="crm", source="shop", dataset="clients", silver_table="client", columns=columns,
        recipe=SqlRecipe(**{"connection": address, "query": query, **usual, **recipe}), refresh_after_hours=0.1,
        **{"is_data": DataRules(may_be_empty=True), **(entry or {})},
    )  # fmt: skip


def rows(warehouse: Warehouse) -> list[tuple[Any, ...]]:
    names = "_bronze_file_id, _run_id, known_from, recorded_at"
    return warehouse.ask(f"SELECT * EXCLUDE ({names}) FROM silver.client ORDER BY ALL")


def payload(warehouse: Warehouse) -> Path:
    return warehouse.home / "bronze" / warehouse.bronze_files()[-1]


def failed(context: RunContext) -> tuple[str, str]:
    (failure,) = context.failures
    return str(failure.kind), failure.what


def is_fine(context: RunContext) -> bool:
    return (context.status, context.errors) == ("ok", [])


@attrs.frozen
class Client:
    """One client."""

    id: int = column(key=True)
    price: Decimal = column(precision=30, scale=10)
    updated: dt.datetime = column()


def test_what_changed_is_asked_for_and_kept(address: str, tmp_path: Path) -> None:
    do(
        address,
        "DROP TABLE IF EXISTS client",
        "CREATE TABLE client (id bigint, price numeric, updated timestamptz)",
        "INSERT INTO client VALUES (1, 12345678901234567890.0123456789, '2023-12-01 10:00:00.123456+02')",
        "INSERT INTO client VALUES (2, 'NaN', '2023-12-01 09:00:00+00'), (3, 0.10, '2023-12-02 09:00:00+00')",
    )
    query = "SELECT id, price, updated FROM client WHERE updated >= {cursor} AND 100 % 7 = 2"
    more = {"reject_share_max": 0.5}
    entry = declared(address, Client, query, more, cursor=Cursor(by="moment", column="updated"))
    warehouse = Warehouse(tmp_path / "home", Declared(entry))
    context = warehouse.run(hours_later=1)
    assert (context.rows_inserted, context.rows_rejected) == (2, 1), "what is no number is rejected, with its reason"
    assert rows(warehouse) == [
        (1, Decimal("12345678901234567890.0123456789"), dt.datetime(2023, 12, 1, 8, 0, 0, 123456)),
        (3, Decimal("0.1"), dt.datetime(2023, 12, 2, 9)),
    ]
    do(address, "UPDATE client SET price = 0.2, updated = '2023-12-03' WHERE id = 3")
    assert warehouse.run(hours_later=2).rows_updated == 1
    context = warehouse.run(hours_later=3)
    assert (context.files, context.unchanged_files) == (0, 1), "the same rows, the same bytes"
    told = warehouse.ask("SELECT DISTINCT address FROM ops.bronze_manifest")
    assert all("clause" not in one[0] and PASSWORD not in one[0] for one in told)
    assert f"SQL {address} SELECT id, price, updated FROM client" in told[0][0]
    counts_add_up(warehouse)
    before = rows(warehouse)
    rebuild(warehouse.opened())
    assert rows(warehouse) == before
    assert not [path for path in warehouse.home.rglob("*") if path.is_file() and PASSWORD.encode() in path.read_bytes()]


ALL_TYPES = """SELECT 1::int2 AS small, 2::int4 AS whole, 3::int8 AS id, 0.1::float4 AS float4,
    0.1::float8 + 0.2 AS real, 'NaN'::float8 AS nan, 'x'::text AS words, 'y'::varchar(9) AS chars,
    'z'::char(3) AS padded, 'n'::name AS label, true AS yes,
    'infinity'::timestamptz AS ever, '-infinity'::date AS never,
    '\\x00ff5c'::bytea AS raw, DATE '2023-12-01' AS day, TIME '12:00:00.5' AS clock,
    TIMESTAMP '2023-12-01 10:00:00.000001' AS naive, TIMESTAMPTZ '2023-12-01 10:00:00+05:30' AS aware,
    'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid AS uid, '{"b": 1.10, "a": null}'::jsonb AS doc,
    1.10::numeric AS exact, 'Infinity'::numeric AS endless, E'a\\r\\nb,"c"' AS line, NULL::int8 AS none, '' AS empty,
    current_setting('TimeZone') AS zone"""  # fmt: skip


def test_each_type_arrives_as_it_is(address: str, tmp_path: Path) -> None:
    entry = declared(
        address, [Column(name="id", type="BIGINT", key=True)], ALL_TYPES.replace("{", "{{").replace("}", "}}")
    )
    warehouse = Warehouse(tmp_path / "home", Declared(entry))
    assert is_fine(warehouse.run(hours_later=1))
    with duckdb.connect() as conn:
        told = conn.execute(f"DESCRIBE FROM '{payload(warehouse)}'").fetchall()
        names, types = [row[0] for row in told], [row[1] for row in told]
        (found,) = conn.execute(f"SELECT * FROM '{payload(warehouse)}'").fetchall()
        bounds = conn.execute(f"SELECT ever::VARCHAR, never::VARCHAR FROM '{payload(warehouse)}'").fetchone()
    value, kinds = dict(zip(names, found, strict=True)), dict(zip(names, types, strict=True))
    assert bounds == ("infinity", "-infinity")
    assert {name: kinds[name] for name in ("small", "whole", "id", "float4", "real", "yes", "raw", "day", "clock")} == {
        "small": "SMALLINT", "whole": "INTEGER", "id": "BIGINT", "float4": "FLOAT", "real": "DOUBLE", "yes": "BOOLEAN",
        "raw": "BLOB", "day": "DATE", "clock": "TIME",
    }  # fmt: skip
    assert (kinds["naive"], kinds["aware"], kinds["uid"], kinds["exact"]) == (
        "TIMESTAMP", "TIMESTAMP WITH TIME ZONE", "UUID", "VARCHAR",
    )  # fmt: skip
    assert value["real"] == 0.1 + 0.2 and value["nan"] != value["nan"] and value["raw"] == b"\x00\xff\\"
    assert (value["exact"], value["endless"], value["padded"]) == ("1.10", "Infinity", "z  ")
    assert value["aware"].astimezone(dt.UTC) == dt.datetime(2023, 12, 1, 4, 30, tzinfo=dt.UTC)
    assert (value["naive"], value["clock"]) == (dt.datetime(2023, 12, 1, 10, 0, 0, 1), dt.time(12, 0, 0, 500000))
    assert (value["line"], value["none"], value["empty"], value["zone"]) == ('a\r\nb,"c"', None, "", "UTC")
    assert json.loads(value["doc"]) == {"b": 1.10, "a": None}


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("SELECT 1 AS id, 12.30::money AS x", "'x' is money, which is not kept exactly; x::text AS x"),
        ("SELECT 1 AS id, interval '1 day' AS x", "'x' is interval, which is not kept exactly"),
        ("SELECT 1 AS id, ARRAY[1] AS x", "'x' is integer[], which is not kept exactly"),
        ("SELECT 1 AS id, DATE '0044-03-15 BC' AS x", "is DATE and holds '0044-03-15 BC', which is not kept exactly"),
        ("SELECT 1 AS id, TIMESTAMP '294276-12-31' AS x", "holds '294276-12-31 00:00:00', which is not kept exactly"),
        ("SELECT 1 AS id, 2 AS id", "two columns of the answer are called 'id'"),
        ("SELECT * FROM nowhere", 'relation "nowhere" does not exist'),
        ("INSERT INTO guarded VALUES (1) RETURNING 1 AS id", "syntax error"),
        ("WITH x AS (INSERT INTO guarded VALUES (1) RETURNING 1) SELECT 1 AS id FROM x", "PostgreSQL says"),
        ("SELECT nextval('guarded_seq') AS id", "cannot execute nextval() in a read-only transaction"),
        ("SELECT 1 AS id WHERE 1 = {from_date}", "invalid input syntax for type integer"),
    ],
)
def test_what_cannot_be_kept_exactly_is_refused(address: str, tmp_path: Path, query: str, told: str) -> None:
    do(address, "CREATE TABLE IF NOT EXISTS guarded (a int)", "CREATE SEQUENCE IF NOT EXISTS guarded_seq")
    entry = declared(address, [Column(name="id", type="BIGINT", key=True)], query)
    warehouse = Warehouse(tmp_path / "home", Declared(entry))
    kind, what = failed(warehouse.run(hours_later=1))
    assert kind == FailureKind.QUERY and told in what
    with psycopg.connect(address, password=PASSWORD) as conn:
        assert conn.execute("SELECT count(*) FROM guarded").fetchone() == (0,)


def test_values_are_bound_whatever_they_hold(address: str, tmp_path: Path) -> None:
    @attrs.frozen
    class Odd:
        name: str = column(key=True)
        id: int = column()

    odd = ("x' OR '1'='1", 'a"b', "%s", "$1", "{x}", "\\'; DROP TABLE client --")
    query = "SELECT {ticker}::text AS name, length({ticker}) AS id, '%' AS share"
    entry = declared(address, Odd, query, {"scope": "per_ticker", "members": odd})
    warehouse = Warehouse(tmp_path / "home", Declared(entry))
    assert is_fine(warehouse.run(hours_later=1))
    assert rows(warehouse) == sorted((one, len(one)) for one in odd)


def test_a_number_is_compared_as_one(address: str, tmp_path: Path) -> None:
    do(address, "DROP TABLE IF EXISTS event", "CREATE TABLE event (id bigint)", "INSERT INTO event VALUES (9), (10)")
    cursor = Cursor(by="number", column="id", first="0")
    columns = [Column(name="id", type="BIGINT", key=True)]
    query = "SELECT id FROM event WHERE id > {cursor}"
    warehouse = Warehouse(tmp_path / "home", Declared(declared(address, columns, query, cursor=cursor)))
    assert is_fine(warehouse.run(hours_later=1))
    do(address, f"INSERT INTO event VALUES (11), ({2**53}), ({2**53 + 1})")
    assert warehouse.run(hours_later=2).rows_inserted == 3
    assert warehouse.ask("SELECT cursor FROM ops.cursors") == [(str(2**53 + 1),)]
    texts = declared(address, columns, "SELECT id::text AS id FROM event WHERE id::text > {cursor}", cursor=cursor)
    kind, what = failed(Warehouse(tmp_path / "texts", Declared(texts)).run(hours_later=1))
    assert kind == FailureKind.QUERY and "operator does not exist: text > " in what


def test_days_bound_what_is_asked_for(address: str, tmp_path: Path) -> None:
    @attrs.frozen
    class Day:
        day: dt.date = column(key=True, row_date=True)

    days = "SELECT d::date AS day FROM generate_series('2023-01-01'::date, '2025-01-01', '1 day') AS d"
    query = f"{days} WHERE d BETWEEN {{from_date}} AND {{to_date}}"
    entry = declared(address, Day, query, {"first_date": dt.date(2023, 12, 30)})
    warehouse = Warehouse(tmp_path / "home", Declared(entry))
    assert is_fine(warehouse.run(hours_later=1))
    assert [row[0].day for row in rows(warehouse)] == [30, 31, 1, 2]


def test_a_wrong_password_is_told_of_without_it(address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_PASSWORD", "not-the-password-of-it")
    entry = declared(address, [Column(name="id", type="BIGINT", key=True)], "SELECT 1 AS id")
    warehouse = Warehouse(tmp_path / "home", Declared(entry))
    kind, what = failed(warehouse.run(hours_later=1))
    assert kind == FailureKind.CONNECT and "password authentication failed" in what
    assert "not-the-password-of-it" not in what
    monkeypatch.delenv("SHOP_PASSWORD")
    assert warehouse.run(hours_later=2).requests == 0, "a dataset whose key is not set waits for it"


def test_a_server_that_does_not_answer_is_not_asked_again_and_again(tmp_path: Path) -> None:
    members = [f"M{number}" for number in range(12)]
    entry = declared(
        "postgresql://reader@127.0.0.1:1/postgres", [Column(name="id", type="BIGINT", key=True)],
        "SELECT 1 AS id WHERE 'x' = {ticker}", {"scope": "per_ticker", "members": members}, connections=1,
    )  # fmt: skip
    context = Warehouse(tmp_path / "home", Declared(entry)).run(hours_later=1)
    kinds = {str(failure.kind): failure.count for failure in context.failures}
    assert kinds == {"connect": 5, "not_asked": 7}


def test_a_query_that_takes_too_long_is_stopped(address: str, tmp_path: Path) -> None:
    entry = declared(
        address, [Column(name="id", type="BIGINT", key=True)], "SELECT 1 AS id, pg_sleep(60)::text AS x",
        deadline_seconds=1,
    )  # fmt: skip
    warehouse = Warehouse(tmp_path / "home", Declared(entry))
    began = time.monotonic()
    assert failed(warehouse.run(hours_later=1))[0] == FailureKind.DEADLINE
    assert time.monotonic() - began < 30, "the server stops it, not the rows that come in the end"


def test_one_query_for_each_row_of_another_answer(address: str, tmp_path: Path) -> None:
    ids = DatasetKeymapEntry(
        domain="crm",
        source="shop",
        dataset="ids",
        silver_table="ids",
        columns=[Column(name="id", type="BIGINT", key=True)],
        recipe=SqlRecipe(
            connection=address, query="SELECT generate_series(1, 30) AS id", secrets={"password": "SHOP_PASSWORD"}
        ),
    )
    each = declared(
        address, [Column(name="id", type="BIGINT", key=True), Column(name="twice", type="BIGINT")],
        "SELECT {each.id}::int AS id, {each.id}::int * 2 AS twice",
        {"scope": "per_ticker", "for_each": ForEach(query="SELECT id FROM silver.ids", key=("id",))},
    )  # fmt: skip
    warehouse = Warehouse(tmp_path / "home", Declared(ids), Declared(each))
    assert is_fine(warehouse.run(hours_later=1))
    assert rows(warehouse) == [(number, 2 * number) for number in range(1, 31)]
    replayed = Warehouse(tmp_path / "again", Declared(ids), Declared(each))
    assert is_fine(replayed.run(options=RunOptions(replay=str(warehouse.home))))
    assert rows(replayed) == rows(warehouse)

"""MySQL as a source: a real server, whose values arrive exactly or are refused."""

from __future__ import annotations

import datetime as dt
import json
import ssl
import time
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import duckdb
import pytest
from mysql_server import PASSWORD, connected, server
from warehouse import Declared, Warehouse, counts_add_up

from sbf_core.api import Column, Cursor, DataRules, DatasetKeymapEntry, SqlRecipe, UsageError, column
from sbf_core.care.rebuild import rebuild
from sbf_core.dataset.mysql_address import MySqlAddress
from sbf_core.failures import FailureKind
from sbf_core.http.sql_mysql import _encrypted
from sbf_core.runs.context import RunContext

pytestmark = pytest.mark.xdist_group("mysql")
ID = [Column(name="id", type="BIGINT", key=True)]


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with server() as one:
        yield one


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_PASSWORD", PASSWORD)


def do(port: int, *statements: str) -> None:
    with closing(connected(port)) as conn, conn.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def declared(port: int, columns: Any, query: str, entry: dict[str, Any] | None = None, **recipe: Any) -> Any:
    usual: dict[str, Any] = {"secrets": {"password": "SHOP_PASSWORD"}}
    return DatasetKeymapEntry(
        domain="crm", source="shop", dataset="clients", silver_table="client", columns=columns,
        recipe=SqlRecipe(
            **{"connection": f"mysql://reader@127.0.0.1:{port}/shop", "query": query, **usual, **recipe}
        ),
        refresh_after_hours=0.1, **{"is_data": DataRules(may_be_empty=True), **(entry or {})},
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


def test_what_changed_is_asked_for_and_kept(port: int, tmp_path: Path) -> None:
    do(
        port,
        "CREATE OR REPLACE TABLE client (id BIGINT, price DECIMAL(30,10), updated TIMESTAMP(6))",
        "SET time_zone = '+02:00'",
        "INSERT INTO client VALUES (1, 12345678901234567890.0123456789, '2023-12-01 10:00:00.123456')",
        "INSERT INTO client VALUES (3, 0.10, '2023-12-02 11:00:00')",
    )
    query = "SELECT id, price, updated FROM client WHERE updated >= {cursor} AND 100 % 7 = 2"
    cursor = Cursor(by="moment", column="updated", format="%Y-%m-%d %H:%M:%S.%f")
    warehouse = Warehouse(tmp_path / "home", Declared(declared(port, Client, query, cursor=cursor)))
    kind, what = failed(warehouse.run(hours_later=1))
    assert kind == FailureKind.QUERY and "leave the format of the cursor out" in what
    cursor = Cursor(by="moment", column="updated")
    warehouse = Warehouse(tmp_path / "other", Declared(declared(port, Client, query, cursor=cursor)))
    assert is_fine(warehouse.run(hours_later=1))
    assert rows(warehouse) == [
        (1, Decimal("12345678901234567890.0123456789"), dt.datetime(2023, 12, 1, 8, 0, 0, 123456)),
        (3, Decimal("0.1"), dt.datetime(2023, 12, 2, 9)),
    ]
    do(port, "UPDATE client SET price = 0.2, updated = '2023-12-03' WHERE id = 3")
    assert warehouse.run(hours_later=2).rows_updated == 1
    context = warehouse.run(hours_later=3)
    assert (context.files, context.unchanged_files) == (0, 1), "the same rows, the same bytes"
    counts_add_up(warehouse)
    before = rows(warehouse)
    rebuild(warehouse.opened())
    assert rows(warehouse) == before
    secret = PASSWORD.encode()
    assert not [path for path in warehouse.home.rglob("*") if path.is_file() and secret in path.read_bytes()]


ALL_TYPES = """SELECT tiny, flag, small, medium, id, big, unsigned_big, filled, exact, wide, real_number, day, naive,
    aware, clock, year_number, words, chars, raw, choice, several, doc, 1 + 1 AS two, 1 / 3 AS third, 0.1 + 0.2 AS sum,
    NULL AS none, '' AS empty, @@session.time_zone AS zone, COUNT(*) OVER () AS n, 'Straße' = 'strasse' AS same,
    CONCAT(id, 'x') AS joined FROM typed"""


def test_each_type_arrives_as_it_is(port: int, tmp_path: Path) -> None:
    do(
        port,
        """CREATE OR REPLACE TABLE typed (tiny TINYINT, flag TINYINT(1), small SMALLINT UNSIGNED, medium MEDIUMINT,
           id INT, big BIGINT, unsigned_big BIGINT UNSIGNED, filled INT(6) ZEROFILL, exact DECIMAL(20,4),
           wide DECIMAL(65,30), real_number DOUBLE, day DATE, naive DATETIME(6), aware TIMESTAMP NULL, clock TIME(3),
           year_number YEAR, words TEXT, chars CHAR(5), raw VARBINARY(9), choice ENUM('a','b'), several SET('x','y'),
           doc JSON)""",
        """INSERT INTO typed VALUES (-128, 1, 65535, -8388608, 1, -9223372036854775808, 18446744073709551615, 42,
           12.3400, 12345678901234567890123456789012345.000000000000000000000000000001, 0.1e0 + 0.2e0, '2023-12-01',
           '2023-12-01 10:00:00.000001', '2023-12-01 10:00:00', '12:00:00.5', 1999, 'a\\r\\nb,"c" 🙂 é', 'z',
           X'00FF5C', 'b', 'x,y', '{"b": 1.10}')""",
    )
    warehouse = Warehouse(tmp_path / "home", Declared(declared(port, ID, ALL_TYPES)))
    assert is_fine(warehouse.run(hours_later=1))
    with duckdb.connect() as conn:
        told = conn.execute(f"DESCRIBE FROM '{payload(warehouse)}'").fetchall()
        names, types = [row[0] for row in told], [row[1] for row in told]
        (found,) = conn.execute(f"SELECT * FROM '{payload(warehouse)}'").fetchall()
    value, kinds = dict(zip(names, found, strict=True)), dict(zip(names, types, strict=True))
    wanted = {
        "tiny": "TINYINT", "flag": "TINYINT", "small": "USMALLINT", "medium": "INTEGER", "id": "INTEGER",
        "big": "BIGINT", "unsigned_big": "UBIGINT", "filled": "UINTEGER", "exact": "VARCHAR", "real_number": "DOUBLE",
        "day": "DATE", "naive": "TIMESTAMP", "aware": "TIMESTAMP WITH TIME ZONE", "clock": "TIME", "raw": "BLOB",
        "year_number": "SMALLINT", "choice": "VARCHAR", "sum": "VARCHAR", "none": "VARCHAR", "n": "BIGINT",
    }  # fmt: skip
    assert {name: kinds[name] for name in wanted} == wanted
    assert (value["tiny"], value["flag"], value["small"], value["medium"]) == (-128, 1, 65535, -8388608)
    assert (value["big"], value["unsigned_big"], value["filled"]) == (-(2**63), 2**64 - 1, 42)
    assert (value["exact"], value["wide"][-5:], value["sum"], value["third"]) == ("12.3400", "00001", "0.3", "0.3333")
    assert value["real_number"] == 0.1 + 0.2
    assert (value["day"], value["clock"]) == (dt.date(2023, 12, 1), dt.time(12, 0, 0, 500000))
    assert (value["naive"], value["year_number"]) == (dt.datetime(2023, 12, 1, 10, 0, 0, 1), 1999)
    assert value["aware"].utcoffset() is not None
    assert (value["words"], value["chars"], value["raw"]) == ('a\r\nb,"c" 🙂 é', "z", b"\x00\xff\\")
    assert (value["choice"], value["several"], json.loads(value["doc"])) == ("b", "x,y", {"b": 1.10})
    assert (value["none"], value["empty"], value["zone"], value["joined"]) == (None, "", "+00:00", "1x")


def test_a_flag_is_one_where_it_is_declared(port: int, tmp_path: Path) -> None:
    @attrs.frozen
    class Flagged:
        id: int = column(key=True)
        flag: bool = column()

    query = "SELECT id, flag FROM (SELECT 1 AS id, CAST(1 AS SIGNED) AS flag UNION SELECT 2, 0 UNION SELECT 3, 2) AS x"
    warehouse = Warehouse(tmp_path / "home", Declared(declared(port, Flagged, query, {"reject_share_max": 0.5})))
    assert warehouse.run(hours_later=1).rows_rejected == 1
    assert rows(warehouse) == [(1, True), (2, False)]


@pytest.fixture(scope="module")
def zeros(port: int) -> None:
    do(
        port,
        "SET sql_mode = ''",
        "CREATE TABLE guarded (a INT)",
        "INSERT INTO guarded VALUES (1)",
        "CREATE SEQUENCE IF NOT EXISTS counted",
        "CREATE OR REPLACE FUNCTION cleared() RETURNS INT MODIFIES SQL DATA BEGIN DELETE FROM guarded; RETURN 1; END",
        "CREATE OR REPLACE TABLE zero (day DATE, moment DATETIME, stamp TIMESTAMP, half DATE, f FLOAT, bits BIT(3))",
        "INSERT INTO zero VALUES ('0000-00-00', '0000-00-00', '0000-00-00', '2023-00-00', 0.1, b'101')",
    )


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("SELECT 1 AS id, day AS x FROM zero",
         "'x' is DATE and holds '0000-00-00', which is not kept exactly; CAST(x AS CHAR) AS x"),
        ("SELECT 1 AS id, moment AS x FROM zero", "holds '0000-00-00 00:00:00', which is not kept exactly"),
        ("SELECT 1 AS id, stamp AS x FROM zero", "holds '0000-00-00 00:00:00+00', which is not kept exactly"),
        ("SELECT 1 AS id, half AS x FROM zero", "holds '2023-00-00', which is not kept exactly"),
        ("SELECT 1 AS id, TIME('-100:30:00') AS x", "'x' is TIME and holds '-100:30:00', which is not kept exactly"),
        ("SELECT 1 AS id, f AS x FROM zero", "FLOAT, which the server writes with six digits alone, which is not kept"),
        ("SELECT 1 AS id, b'101' + 0 AS x", ""),
        ("SELECT 1 AS id, bits AS x FROM zero", "'x' is a BIT, which is not kept exactly; x + 0 AS x"),
        ("SELECT 1 AS id, POINT(1, 2) AS x", "'x' is a GEOMETRY, which is not kept exactly; ST_AsText(x) AS x"),
        ("SELECT 1 AS id, 2 AS id", "two columns of the answer are called 'id'"),
        ("SELECT * FROM nowhere", "MySQL says: Table 'shop.nowhere' doesn't exist (1146)"),
        ("DELETE FROM guarded", "the query is no SELECT"),
        ("/*! DELETE FROM guarded */ -- {{\n, 1", "the query is no SELECT"),
        ("CALL clear_it()", "the query is no SELECT"),
        ("WITH x AS (SELECT 1) DELETE FROM guarded", "MySQL says"),
        ("SELECT cleared() AS id", "Cannot execute statement in a READ ONLY transaction"),
        ("SELECT NEXTVAL(counted) AS id", "READ ONLY transaction"),
        ("SELECT 1 AS id INTO @x", "the query is no SELECT"),
    ],
)  # fmt: skip
def test_what_cannot_be_kept_exactly_is_refused(port: int, zeros: None, tmp_path: Path, query: str, told: str) -> None:
    warehouse = Warehouse(tmp_path / "home", Declared(declared(port, ID, query)))
    context = warehouse.run(hours_later=1)
    if told:
        kind, what = failed(context)
        assert kind == FailureKind.QUERY and told in what
    else:
        assert context.rows_seen == 1
    with closing(connected(port)) as conn, conn.cursor() as cursor:
        cursor.execute("SELECT count(*) > 0 FROM guarded")
        assert cursor.fetchall() == ((1,),)


def test_values_are_bound_whatever_they_hold(port: int, tmp_path: Path) -> None:
    @attrs.frozen
    class Odd:
        name: str = column(key=True)
        id: int = column()

    do(
        port,
        "CREATE OR REPLACE TABLE odd (name VARCHAR(60) CHARACTER SET latin1)",
        "INSERT INTO odd VALUES ('é''\\\\')",
    )
    odd = ("x' OR '1'='1", 'a"b', "%s", "?", "{x}", "\\'; DROP TABLE client --", "\\", "é'\\")
    query = """SELECT {ticker} AS name, CHAR_LENGTH({ticker}) AS id, '%' AS share, 100 % 7 AS rest,
               (SELECT COUNT(*) FROM odd WHERE name = {ticker}) AS n"""
    warehouse = Warehouse(
        tmp_path / "home", Declared(declared(port, Odd, query, {"scope": "per_ticker", "members": odd}))
    )
    assert is_fine(warehouse.run(hours_later=1))
    assert sorted(rows(warehouse)) == sorted((one, len(one)) for one in odd)
    found = [duckdb.sql(f"SELECT name, n FROM '{warehouse.home}/bronze/{one}'").fetchall()[0]
             for one in warehouse.bronze_files()]  # fmt: skip
    assert {name for name, count in found if count} == {"é'\\"}


def test_numbers_beyond_a_double_are_told_apart(port: int, tmp_path: Path) -> None:
    """The server compares a whole number with a text as doubles, of which these three are one."""
    do(port, "CREATE OR REPLACE TABLE event (id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY)")
    do(port, f"INSERT INTO event VALUES ({2**53}), ({2**53 + 1})")
    columns = [Column(name="id", type="DECIMAL(20,0)", key=True)]
    cursor = Cursor(by="number", column="id", first="0")
    entry = declared(port, columns, "SELECT id FROM event WHERE id > {cursor}", cursor=cursor)
    warehouse = Warehouse(tmp_path / "home", Declared(entry))
    assert warehouse.run(hours_later=1).rows_inserted == 2
    do(port, f"INSERT INTO event VALUES ({2**53 + 2}), ({2**64 - 5})")
    context = warehouse.run(hours_later=2)
    assert (context.rows_inserted, context.rows_unchanged) == (2, 0)
    assert warehouse.ask("SELECT cursor FROM ops.cursors") == [(str(2**64 - 5),)]


def test_long_texts_and_many_rows_are_not_cut(port: int, tmp_path: Path) -> None:
    do(port, "SET GLOBAL group_concat_max_len = 1024", "SET GLOBAL sql_select_limit = 7")
    query = ("SELECT MIN(seq) AS id, GROUP_CONCAT(seq) AS parts FROM seq_1_to_2000 "
             "UNION ALL SELECT seq, '' FROM seq_2_to_20000")  # fmt: skip
    try:
        warehouse = Warehouse(tmp_path / "home", Declared(declared(port, ID, query)))
        assert warehouse.run(hours_later=1).rows_inserted == 20_000
        assert duckdb.sql(f"SELECT max(length(parts)) FROM '{payload(warehouse)}'").fetchall() == [(8892,)]
    finally:
        do(port, "SET GLOBAL group_concat_max_len = DEFAULT", "SET GLOBAL sql_select_limit = DEFAULT")


def test_days_bound_what_is_asked_for(port: int, tmp_path: Path) -> None:
    @attrs.frozen
    class Day:
        day: dt.date = column(key=True, row_date=True)

    days = "SELECT DATE('2023-12-01') + INTERVAL seq DAY AS day FROM seq_0_to_100"
    query = f"SELECT day FROM ({days}) AS d WHERE day BETWEEN {{from_date}} AND {{to_date}}"
    warehouse = Warehouse(
        tmp_path / "home", Declared(declared(port, Day, query, {"first_date": dt.date(2023, 12, 30)}))
    )
    assert is_fine(warehouse.run(hours_later=1))
    assert [row[0].day for row in rows(warehouse)] == [30, 31, 1, 2]


def test_a_wrong_password_is_told_of_without_it(port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_PASSWORD", "not-the-password-of-it")
    warehouse = Warehouse(tmp_path / "home", Declared(declared(port, ID, "SELECT 1 AS id")))
    kind, what = failed(warehouse.run(hours_later=1))
    assert kind == FailureKind.CONNECT and "Access denied" in what
    assert "not-the-password-of-it" not in what


def test_a_query_that_takes_too_long_is_stopped(port: int, tmp_path: Path) -> None:
    entry = declared(port, ID, "SELECT 1 AS id, SLEEP(60) AS x", deadline_seconds=1)
    warehouse = Warehouse(tmp_path / "home", Declared(entry))
    began = time.monotonic()
    assert failed(warehouse.run(hours_later=1))[0] == FailureKind.DEADLINE
    assert time.monotonic() - began < 30, "the server stops it, not the rows that come in the end"


def test_an_answer_that_is_too_large_is_not_waited_for(port: int, tmp_path: Path) -> None:
    entry = declared(port, ID, "SELECT seq AS id, REPEAT('x', 1000) AS x FROM seq_1_to_100000000", mebibytes_max=1)
    assert failed(Warehouse(tmp_path / "home", Declared(entry)).run(hours_later=1))[0] == FailureKind.TOO_LARGE


def test_a_server_elsewhere_must_show_who_it_is(port: int) -> None:
    context = _encrypted(MySqlAddress.of("mysql://reader@db.example.com/shop"))["ssl"]
    assert (context.check_hostname, context.verify_mode) == (True, ssl.CERT_REQUIRED)
    assert _encrypted(MySqlAddress.of("mysql://db/shop?ssl-mode=DISABLED")) == {"ssl_disabled": True}
    assert _encrypted(MySqlAddress.of("mysql://127.0.0.1/shop")) == {}


def test_a_server_without_a_certificate_is_not_asked(port: int, tmp_path: Path) -> None:
    connection = f"mysql://reader@127.0.0.1:{port}/shop?ssl-mode=VERIFY_IDENTITY"
    entry = declared(port, ID, "SELECT 1 AS id", connection=connection)
    kind, what = failed(Warehouse(tmp_path / "home", Declared(entry)).run(hours_later=1))
    assert kind == FailureKind.CONNECT and "MySQL says" in what


def test_without_the_library_it_is_told_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pymysql", None)
    context = Warehouse(tmp_path / "home", Declared(declared(1, ID, "SELECT 1 AS id"))).run(hours_later=1)
    assert 'pip install "sbf[mysql]"' in str(context.failures[0])


@pytest.mark.parametrize(
    ("recipe", "told"),
    [
        ({"connection": "mysql://a:hidden@db/shop"}, "the connection holds a password"),
        ({"connection": "mariadb://db/shop?passwd=hidden"}, "the connection holds a password"),
        ({"connection": "mysql://db/shop?ssl-mode=PREFERRED"}, "would take whoever answers"),
        ({"connection": "mysql://db/shop?charset=latin1"}, "has 'charset' behind ?"),
        ({"connection": "mysql://db:port/shop"}, "the connection is no address"),
        ({"connection": "mysql://db/shop/x"}, "names no database"),
        ({"connection": "mysql://db/shop", "secrets": {"sslpassword": "X"}}, "each for a word of the connection"),
    ],
)
def test_what_cannot_work_is_refused_when_it_is_declared(recipe: dict[str, Any], told: str) -> None:
    with pytest.raises(UsageError) as error:
        SqlRecipe(**{"query": "SELECT 1", **recipe})
    assert told in str(error.value)
    assert "hidden" not in str(error.value)

"""Databases as sources: what a query gives is kept as Parquet, exactly, and once."""

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
from warehouse import Declared, Warehouse, counts_add_up

from sbf_core.api import Cursor, DataRules, DatasetKeymapEntry, ForEach, SqlRecipe, UsageError, column, hookimpl
from sbf_core.care.digest import digest_tables
from sbf_core.care.rebuild import rebuild
from sbf_core.care.verify import Verification
from sbf_core.dataset.from_toml import entry_from_mapping
from sbf_core.failures import FailureKind
from sbf_core.reports.row_place import Place, place_in_payload
from sbf_core.runner.options import RunOptions
from sbf_core.runs.context import RunContext
from sbf_core.testing.check_declaration import declaration
from sbf_core.testing.kit import check_all
from sbf_core.testing.outcome import FAILED
from sbf_core.testing.subject import Subject

QUERY = "SELECT id, name, price, updated FROM client WHERE updated >= {cursor}"
SPACED = Cursor(by="moment", column="updated", format="%Y-%m-%d %H:%M:%S")


@attrs.frozen
class Client:
    """One client."""

    id: int = column(key=True)
    name: str = column()
    price: Decimal | None = column(precision=20, scale=4)
    updated: dt.datetime = column(zone="UTC")


def declared(columns: Any = Client, *, entry: dict[str, Any] | None = None, **recipe: Any) -> DatasetKeymapEntry:
    usual: dict[str, Any] = {"connection": "sqlite:shop.db", "query": QUERY}
    if "query" not in recipe:
        usual["cursor"] = SPACED
    more = {"is_data": DataRules(may_be_empty=True), **(entry or {})}
    return DatasetKeymapEntry(
        domain="crm", source="shop", dataset="clients", silver_table="client", columns=columns,
        recipe=SqlRecipe(**{**usual, **recipe}), refresh_after_hours=0.1, **more,
    )  # fmt: skip


@attrs.frozen
class Plain:
    """What a test of one column wants."""

    id: int = column(key=True)
    name: str | None = column()


def plain(query: str, entry: dict[str, Any] | None = None, **recipe: Any) -> DatasetKeymapEntry:
    return declared(Plain, query=query, entry=entry, **recipe)


class Shop:
    """A home with a database of clients in SQLite."""

    def __init__(self, home: Path, entry: DatasetKeymapEntry) -> None:
        self.warehouse = Warehouse(home, Declared(entry))
        self.files = home / "files"
        self.files.mkdir(parents=True, exist_ok=True)

    def do(self, *statements: str) -> None:
        with closing(sqlite3.connect(self.files / "shop.db")) as conn:
            for statement in statements:
                conn.execute(statement)
            conn.commit()

    def run(self, **more: Any) -> RunContext:
        return self.warehouse.run(hours_later=1, **more)

    def again(self, entry: DatasetKeymapEntry) -> Shop:
        return Shop(self.files.parent, entry)

    @property
    def rows(self) -> list[tuple[Any, ...]]:
        names = "_bronze_file_id, _run_id, known_from, recorded_at"
        return self.warehouse.ask(f"SELECT * EXCLUDE ({names}) FROM silver.client ORDER BY ALL")

    @property
    def addresses(self) -> list[str]:
        return [row[0] for row in self.warehouse.ask("SELECT address FROM ops.bronze_manifest ORDER BY fetched_at")]

    def payload(self, number: int = -1) -> Path:
        return self.files.parent / "bronze" / self.warehouse.bronze_files()[number]


TABLE = "CREATE TABLE client (id INTEGER, name TEXT, price TEXT, updated TEXT)"


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    one = Shop(tmp_path / "home", declared())
    one.do(
        TABLE,
        "INSERT INTO client VALUES (2, 'Bo; DROP', '12.3400', '2023-12-01 10:00:00')",
        "INSERT INTO client VALUES (1, 'Zoë \"x\"' || char(13, 10) || 'y', NULL, '2023-12-02 10:00:00')",
    )
    return one


def is_fine(context: RunContext) -> bool:
    return (context.status, context.errors) == ("ok", [])


def test_rows_of_sqlite_arrive_and_go_on_from_the_cursor(shop: Shop) -> None:
    context = shop.run()
    assert is_fine(context) and context.rows_inserted == 2
    assert shop.rows == [
        (1, 'Zoë "x"\r\ny', None, dt.datetime(2023, 12, 2, 10)),
        (2, "Bo; DROP", Decimal("12.3400"), dt.datetime(2023, 12, 1, 10)),
    ]
    shop.do("UPDATE client SET price = '13', updated = '2023-12-03 10:00:00' WHERE id = 2")
    context = shop.run()
    assert (context.rows_updated, context.rows_unchanged) == (1, 1), "the row of the cursor itself, and what changed"
    assert [address.rpartition(" ")[0] for address in shop.addresses] == [
        "SQL sqlite:shop.db SELECT id, name, price, updated FROM client WHERE updated >= {cursor} cursor='1970-01-01",
        "SQL sqlite:shop.db SELECT id, name, price, updated FROM client WHERE updated >= {cursor} cursor='2023-12-02",
    ]
    counts_add_up(shop.warehouse)


def digests(warehouse: Warehouse) -> dict[str, str]:
    with warehouse.open() as cursor:
        return {one.table: one.sha256 for one in digest_tables(cursor, keys={})}


def test_it_is_whole_again_from_bronze_alone(shop: Shop, tmp_path: Path) -> None:
    shop.run()
    again = Warehouse(tmp_path / "again", Declared(declared()))
    assert is_fine(again.run(options=RunOptions(replay=str(shop.warehouse.home)))), "a recording answers by the address"
    assert digests(again) == digests(shop.warehouse)
    shop.do("DELETE FROM client WHERE id = 1", "UPDATE client SET name = 'B', updated = '2023-12-03 10:00:00'")
    shop.run()
    before = digests(shop.warehouse)
    (shop.files / "shop.db").unlink()
    rebuild(shop.warehouse.opened())
    assert digests(shop.warehouse) == before
    assert Verification(shop.warehouse.opened()).run().findings == []


def test_the_same_rows_are_the_same_bytes_in_any_order(tmp_path: Path) -> None:
    entry = declared(query="SELECT id, name, price, updated FROM client ORDER BY updated")
    shop = Shop(tmp_path / "home", entry)
    days = [f"2023-12-0{day} 10:00:00" for day in (1, 2, 3)]
    shop.do(TABLE, *(f"INSERT INTO client VALUES ({at}, 'n', '1', '{day}')" for at, day in enumerate(days)))
    assert shop.run().files == 1
    shop.do("CREATE TABLE other AS SELECT * FROM client ORDER BY id DESC", "DROP TABLE client")
    shop.do("ALTER TABLE other RENAME TO client")
    later = shop.again(declared(query="SELECT id, name, price, updated FROM client ORDER BY updated DESC"))
    context = later.warehouse.run(hours_later=2)
    assert (context.files, context.unchanged_files) == (0, 1), "another query, the same rows"


def test_where_the_first_row_counts_the_query_says_which_that_is(tmp_path: Path) -> None:
    entry = plain("SELECT 1 AS id, column1 AS name FROM (VALUES ('a'), ('b'), ('a')) ORDER BY 2 DESC",
                  {"on_duplicate": "first", "reject_share_max": 1})  # fmt: skip
    shop = Shop(tmp_path / "home", entry)
    shop.do(TABLE)
    assert is_fine(shop.run())
    assert [row[1] for row in shop.rows] == ["b"]


def failed(context: RunContext) -> tuple[str, str]:
    (failure,) = context.failures
    return str(failure.kind), failure.what


def test_a_value_is_bound_whatever_it_holds(tmp_path: Path) -> None:
    odd = ("x' OR '1'='1", 'a"b"', "%s", "?1?1?", "{x}")
    query = "SELECT {ticker} AS name, length({ticker}) AS id, '{{' || '%' AS brace"
    entry = plain(query, {"scope": "per_ticker", "members": odd})
    shop = Shop(tmp_path / "home", entry)
    shop.do(TABLE)
    assert is_fine(shop.run())
    assert sorted(shop.rows, key=str) == sorted([(len(one), one) for one in odd], key=str)


def test_one_query_for_each_row_of_another_table(shop: Shop, tmp_path: Path) -> None:
    @attrs.frozen
    class Visit:
        client: str = column(key=True, source="request.each.name")
        day: dt.date = column(key=True, row_date=True)

    visits = DatasetKeymapEntry(
        domain="crm", source="shop", dataset="visits", silver_table="visit", columns=Visit, scope="per_ticker",
        for_each=ForEach(query="SELECT name FROM silver.client", key=("name",)), first_date=dt.date(2023, 12, 1),
        is_data=DataRules(may_be_empty=True), recipe=SqlRecipe(
            connection="sqlite:shop.db",
            query="SELECT day FROM visit WHERE name = {each.name} AND day BETWEEN {from_date} AND {to_date}",
        ),
    )  # fmt: skip
    shop.do("CREATE TABLE visit (name, day)")
    shop.do("INSERT INTO visit VALUES ('Bo; DROP', '2023-12-05'), ('Bo; DROP', '1999-01-01'), ('Bo', '2023-12-05')")
    warehouse = Warehouse(shop.files.parent, Declared(declared()), Declared(visits))
    assert is_fine(warehouse.run(hours_later=1))
    assert warehouse.ask("SELECT client, day FROM silver.visit") == [("Bo; DROP", dt.date(2023, 12, 5))]


@pytest.mark.parametrize(
    ("query", "kind", "told"),
    [
        ("SELECT 1 AS id, x'00ff' AS name", FailureKind.QUERY, "is bytes, which is not kept exactly; hex(name)"),
        ("SELECT 1 AS id, 2 AS name, 3 AS ID", FailureKind.QUERY, "two columns of the answer are called 'ID'"),
        ("SELECT 1 AS id, 2 AS name WHERE 0", FailureKind.EMPTY, "gave no rows; is_data=DataRules(may_be_empty=True)"),
        ("SELECT * FROM nowhere", FailureKind.QUERY, "SQLite says: no such table: nowhere"),
        ("DELETE FROM client", FailureKind.QUERY, "SQLite says: not authorized"),
        ("ATTACH 'x.db' AS x", FailureKind.QUERY, "SQLite says: not authorized"),
        ("PRAGMA table_info(client)", FailureKind.QUERY, "SQLite says: not authorized"),
        ("SELECT 1 AS id, CAST(x'ff' AS TEXT) AS name", FailureKind.QUERY, "SQLite says: Could not decode to UTF-8"),
    ],
)  # fmt: skip
def test_what_sqlite_cannot_give_exactly_is_refused(tmp_path: Path, query: str, kind: FailureKind, told: str) -> None:
    shop = Shop(tmp_path / "home", plain(query, {"is_data": DataRules()}))
    shop.do(TABLE, "INSERT INTO client VALUES (1, 'a', 1, 1)")
    what = failed(shop.run())
    assert what[0] == kind and told in what[1]
    with closing(sqlite3.connect(shop.files / "shop.db")) as conn:
        assert conn.execute("SELECT count(*) FROM client").fetchone() == (1,)
    assert not (shop.files / "x.db").exists()


def test_numbers_of_sqlite_keep_all_their_digits(tmp_path: Path) -> None:
    @attrs.frozen
    class Number:
        id: int = column(key=True)
        real: float = column()
        whole: int = column()
        none: str | None = column()
        empty: str = column()

    query = "SELECT 1 AS id, 0.1 + 0.2 AS real, 9223372036854775807 AS whole, NULL AS none, '' AS empty"
    shop = Shop(tmp_path / "home", declared(Number, query=query))
    shop.do(TABLE)
    assert is_fine(shop.run())
    assert shop.rows == [(1, 0.1 + 0.2, 9223372036854775807, None, "")]


def test_a_lone_column_keeps_its_nulls(tmp_path: Path) -> None:
    shop = Shop(tmp_path / "home", declared(Plain, query="SELECT column1 AS id FROM (VALUES (1), (NULL))"))
    shop.do(TABLE)
    shop.run()
    assert duckdb.sql(f"SELECT id FROM '{shop.payload()}' ORDER BY ALL").fetchall() == [("1",), (None,)]


@pytest.mark.parametrize(
    ("cursor", "updated", "told"),
    [
        ({}, "'2023-12-01 10:00:00'", "holds '2023-12-01 10:00:00', and the cursor is written as %Y-%m-%dT%H:%M:%SZ"),
        ({"format": "%Y-%m-%d %H:%M:%S"}, "'2023-12-1 10:00:00'", "holds '2023-12-1 10:00:00'"),
        ({"format": "s"}, "'2023-12-01'", "holds '2023-12-01', and the cursor is written as s"),
        ({"format": "s"}, "1701424800", ""),
        ({}, "'2023-12-01T10:00:00Z'", ""),
    ],
)  # fmt: skip
def test_a_cursor_is_compared_with_what_is_written_alike(
    tmp_path: Path, cursor: dict[str, str], updated: str, told: str
) -> None:
    @attrs.frozen
    class Moment:
        id: int = column(key=True)
        updated: dt.datetime = column(zone="" if cursor else "UTC", epoch=cursor.get("format", "")[:1].strip("%"))

    query = f"SELECT 1 AS id, {updated} AS updated WHERE updated >= {{cursor}}"
    shop = Shop(
        tmp_path / "home", declared(Moment, query=query, cursor=Cursor(by="moment", column="updated", **cursor))
    )
    shop.do(TABLE)
    context = shop.run()
    assert is_fine(context) if not told else told in failed(context)[1]


def test_a_cursor_of_another_zone_is_refused(tmp_path: Path) -> None:
    @attrs.frozen
    class Moment:
        id: int = column(key=True)
        updated: dt.datetime = column(zone="America/New_York")

    query = "SELECT 1 AS id, '2023-12-01 10:00:00' AS updated WHERE updated >= {cursor}"
    shop = Shop(tmp_path / "home", declared(Moment, query=query, cursor=SPACED))
    shop.do(TABLE)
    assert "is of America/New_York, and a cursor is in UTC" in failed(shop.run())[1]


def test_a_query_that_takes_too_long_is_stopped(tmp_path: Path) -> None:
    numbers = "WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n)"
    endless = f"{numbers} SELECT count(*) AS id, '' AS name FROM n"
    shop = Shop(tmp_path / "home", plain(endless, deadline_seconds=0.2))
    shop.do(TABLE)
    assert failed(shop.run())[0] == FailureKind.DEADLINE
    other = Shop(tmp_path / "other", plain(endless, deadline_seconds=0.2, connection="duckdb:shop.duckdb"))
    duckdb.connect(other.files / "shop.duckdb").close()
    assert failed(other.run())[0] == FailureKind.DEADLINE


def test_an_answer_that_is_too_large_is_refused(tmp_path: Path) -> None:
    many = ("WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n LIMIT 30) "
            "SELECT id, hex(zeroblob(30000)) || id AS name FROM n")  # fmt: skip
    shop = Shop(tmp_path / "home", plain(many, mebibytes_max=1))
    shop.do(TABLE)
    kind, what = failed(shop.run())
    assert kind == FailureKind.TOO_LARGE and "larger than 1 MiB" in what


def test_where_there_is_no_file_none_is_made(tmp_path: Path) -> None:
    for connection in ("sqlite:none.db", "duckdb:none.duckdb", "parquet:none/*.parquet"):
        shop = Shop(tmp_path / connection[:3], plain("SELECT 1 AS id, '' AS name", connection=connection))
        assert failed(shop.run())[0] == FailureKind.FILE
        assert list(shop.files.iterdir()) == []


def test_a_value_leads_back_to_its_row(shop: Shop) -> None:
    shop.run()
    place = place_in_payload(shop.payload(), "parquet", declared(), {"id": 2}, "price")
    assert place == Place(where="row 2", raw="12.3400")


class Described:
    """A plugin as one would publish it, but for the texts about it."""

    def __init__(self, entry: DatasetKeymapEntry) -> None:
        self.entry = attrs.evolve(entry, title="Clients", terms="our own", source_url="https://example.com/")

    @hookimpl
    def datasets(self) -> list[DatasetKeymapEntry]:
        return [self.entry]


def test_its_recording_passes_the_checks_of_plugins(shop: Shop, tmp_path: Path) -> None:
    shop.run()
    shop.do("UPDATE client SET price = '13', updated = '2023-12-03 10:00:00' WHERE id = 2")
    shop.run()
    plugin = Described(declared())
    subject = Subject("shop", tmp_path / "work", plugin=plugin, recording=shop.warehouse.home / "bronze")
    told = {outcome.check.name: outcome.text for outcome in check_all(subject) if outcome.state == FAILED}
    assert set(told) <= {"docs"}, told


def test_what_holds_on_one_machine_only_is_told_of(tmp_path: Path) -> None:
    entry = declared(Plain, query="SELECT 1 AS id WHERE 1 > {from_date}", connection="sqlite:/srv/shop.db")
    told = [problem.text for problem in declaration(Subject("shop", tmp_path, plugin=Described(entry)))]
    assert "the path '/srv/shop.db' is of one machine" in told[0]
    assert "the query has {from_date}, and no column is the row_date" in told[1]


@attrs.frozen
class Typed:
    """One of each type."""

    id: int = column(key=True)
    price: Decimal = column(precision=20, scale=4)
    day: dt.date = column()
    moment: dt.datetime = column()
    local: dt.datetime = column(zone="Europe/Berlin")
    real: float = column()
    flag: bool = column()
    name: str = column()


DUCKDB = ("SELECT 1::BIGINT AS id, 12.3400::DECIMAL(20,4) AS price, DATE '2023-12-01' AS day, "
          "TIMESTAMPTZ '2023-12-01 10:00:00.123456+02' AS moment, TIMESTAMP '2023-07-01 10:00:00' AS local, "
          "0.1::DOUBLE + 0.2::DOUBLE AS real, true AS flag, 'é''\n' AS name")  # fmt: skip
TYPED = (1, Decimal("12.3400"), dt.date(2023, 12, 1), dt.datetime(2023, 12, 1, 8, 0, 0, 123456),
         dt.datetime(2023, 7, 1, 8), 0.1 + 0.2, True, "é'\n")  # fmt: skip


def test_rows_of_another_duckdb_keep_their_types(tmp_path: Path) -> None:
    query = "SELECT * FROM typed WHERE day >= {from_date} -- all"
    entry = declared(Typed, connection="duckdb:other.duckdb", query=query, entry={"first_date": dt.date(2023, 12, 1)})
    shop = Shop(tmp_path / "home", entry)
    with duckdb.connect(shop.files / "other.duckdb") as conn:
        conn.execute(f"CREATE TABLE typed AS {DUCKDB}")
    assert is_fine(shop.run())
    assert shop.rows == [TYPED]
    kept = duckdb.sql(f"DESCRIBE SELECT * FROM '{shop.payload()}'").fetchall()
    assert [row[1] for row in kept] == ["BIGINT", "DECIMAL(20,4)", "DATE", "TIMESTAMP WITH TIME ZONE", "TIMESTAMP",
                                       "DOUBLE", "BOOLEAN", "VARCHAR"]  # fmt: skip
    assert shop.warehouse.run(hours_later=2).unchanged_files == 1


def test_files_of_a_lake_are_a_table(tmp_path: Path) -> None:
    query = "SELECT *, year::INTEGER AS y FROM files WHERE year = '2023'"
    shop = Shop(tmp_path / "home", declared(Typed, connection="parquet:lake/**/*.parquet", query=query))
    for year in (2022, 2023):
        folder = shop.files / "lake" / f"year={year}"
        folder.mkdir(parents=True)
        duckdb.sql(f"COPY ({DUCKDB}) TO '{folder / 'x.parquet'}'")
    assert is_fine(shop.run())
    assert shop.rows == [TYPED]


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("SELECT 1 AS id, 2::HUGEINT AS name", "'name' is HUGEINT, which is not kept exactly; CAST(name AS VARCHAR)"),
        ("SELECT 1 AS id, [1] AS name", "'name' is INTEGER[], which is not kept exactly"),
        ("SELECT 1 AS id, name FROM read_csv('/etc/hostname') AS t(name)", "Permission Error"),
        ("SELECT 1 AS id, content AS name FROM read_text('secrets.toml')", "Permission Error"),
        ("SELECT * FROM nowhere", "nowhere does not exist"),
        ("CREATE TABLE x (a INT)", "the query is no SELECT"),
        ("SET threads = 4", "the query is no SELECT"),
        ("ATTACH 'y.duckdb'", "the query is no SELECT"),
        ("SELECT id, name FROM (SELECT 1 AS id, '{{' AS name) WHERE id = {cursor}", "Could not convert"),
    ],
)
def test_a_query_of_duckdb_sees_its_database_alone(tmp_path: Path, query: str, told: str) -> None:
    more = {"cursor": Cursor(by="moment")} if "{cursor}" in query else {}
    shop = Shop(tmp_path / "home", plain(query, connection="duckdb:other.duckdb", **more))
    duckdb.connect(shop.files / "other.duckdb").close()
    kind, what = failed(shop.run())
    assert kind == FailureKind.QUERY and told in what


def test_a_database_that_another_process_writes_is_told_of(tmp_path: Path) -> None:
    shop = Shop(tmp_path / "home", plain("SELECT 1 AS id, '' AS name", connection="duckdb:other.duckdb"))
    (shop.files / "other.duckdb").write_bytes(b"no database, but long enough to be looked at" * 500)
    assert failed(shop.run())[0] == FailureKind.FILE


@pytest.mark.parametrize(
    ("recipe", "told"),
    [
        ({"query": "SELECT * FROM t WHERE name = '{ticker}'"}, "stands in quotes or in a comment"),
        ({"query": "SELECT * FROM t -- {ticker}"}, "stands in quotes or in a comment"),
        ({"query": "SELECT * FROM t /* {ticker}"}, "stands in quotes or in a comment"),
        ({"query": "SELECT $q${ticker}$q$"}, "stands in quotes or in a comment"),
        ({"query": "SELECT 1; DELETE FROM t"}, "more than one statement"),
        ({"query": " -- nothing"}, "there is no query"),
        ({"query": "SELECT {year}"}, "the query holds {year}"),
        ({"query": "SELECT {nothing}"}, "holds {nothing}"),
        ({"query": "SELECT {ticker!r}"}, "says how {ticker} is written"),
        ({"query": "SELECT 1", "cursor": Cursor(by="moment")}, "{cursor} in the query and cursor= belong together"),
        ({"query": "SELECT {cursor}"}, "{cursor} in the query and cursor= belong together"),
        ({"query": "SELECT {cursor}", "cursor": Cursor(by="token", at="x")}, "the cursor of a query is a moment"),
        ({"connection": "postgresql://a:hidden@db/shop"}, "the connection holds a password"),
        ({"connection": "postgresql://db/shop?password=hidden"}, "the connection holds a password"),
        ({"connection": "postgresql://db/shop?host=x", "secrets": {"host": "X"}}, "'host' is in the connection and"),
        ({"connection": "postgresql://db/shop", "secrets": {"context": "X"}}, "each for a word of libpq"),
        ({"connection": "oracle://db/shop"}, "the connection 'oracle' is none that is known"),
        ({"connection": "sqlite:"}, "names no file"),
        ({"connection": "sqlite:a.db", "secrets": {"password": "X"}}, "a file is opened without secrets"),
        ({"deadline_seconds": 0}, "must be above zero"),
    ],
)  # fmt: skip
def test_what_cannot_work_is_refused_when_it_is_declared(recipe: dict[str, Any], told: str) -> None:
    with pytest.raises(UsageError) as error:
        SqlRecipe(**{"connection": "sqlite:shop.db", "query": "SELECT 1", **recipe})
    assert told in str(error.value)
    assert "hidden" not in str(error.value)


def test_a_query_says_the_same_in_toml() -> None:
    declared_so = {
        "domain": "crm", "source": "shop", "dataset": "clients", "silver_table": "client",
        "columns": [{"name": "id", "type": "BIGINT", "key": True}],
        "recipe": {"connection": "sqlite:shop.db", "query": "SELECT id FROM client"},
    }  # fmt: skip
    recipe = entry_from_mapping(declared_so, where="here").recipe
    assert recipe == SqlRecipe(connection="sqlite:shop.db", query="SELECT id FROM client")


def test_quotes_stay_as_they_are_in_the_address() -> None:
    recipe = SqlRecipe(connection="sqlite:shop.db", query="SELECT 'a  b'\n  AS \"c  d\",\n  1")
    assert recipe.address({}) == "SQL sqlite:shop.db SELECT 'a  b' AS \"c  d\", 1"

"""Gold: the order comes from the SQL, a build is a delta, a failed one leaves the table whole."""

from __future__ import annotations

import datetime as dt
import hashlib
from pathlib import Path

import duckdb
import pytest
from warehouse import FakeVendor, Warehouse, entry, price

from sbf_core.api import AcceptedRange, DataRules, ForeignKey, GoldModel, GoldSource, NotNull, Unique
from sbf_core.errors import UsageError
from sbf_core.gold.order import ordered, tables_read
from sbf_core.runner.options import RunOptions
from sbf_core.vocabulary import Layer

READS = {
    "SELECT * FROM silver.a JOIN gold.b USING (x)": {"silver.a", "gold.b"},
    "WITH a AS (SELECT * FROM silver.x), b AS (SELECT * FROM a) SELECT * FROM b": {"silver.x"},
    "SELECT * FROM silver.p AS p ASOF LEFT JOIN gold.r AS r ON p.d >= r.d": {"silver.p", "gold.r"},
    "SELECT (SELECT max(x) FROM silver.z) FROM silver.y WHERE EXISTS (SELECT 1 FROM gold.w)": {
        "silver.z",
        "silver.y",
        "gold.w",
    },
    "SELECT * FROM silver.q_as_of(TIMESTAMP '2020-01-01')": {"silver.q"},
    "FROM silver.t SELECT a": {"silver.t"},
    "WITH RECURSIVE r AS (SELECT 1 AS a UNION ALL SELECT a + 1 FROM r WHERE a < 3) SELECT * FROM r": set(),
    "SELECT 'FROM silver.text' AS a -- FROM silver.comment": set(),
    "SELECT * FROM (SELECT unnest([1]) AS x) AS silver": set(),
}


@pytest.mark.parametrize(("sql", "expected"), READS.items())
def test_what_a_model_reads(sql: str, expected: set[str]) -> None:
    with duckdb.connect() as conn:
        assert tables_read(conn, sql, where="gold.m") == expected


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM other",
        "SELECT * FROM ops.rejects",
        "SELECT 1; SELECT 2",
        "DROP TABLE silver.x",
        "SELEC",
        "INSERT INTO silver.x VALUES (1)",
    ],
)
def test_what_no_model_may_be(sql: str) -> None:
    with duckdb.connect() as conn, pytest.raises(UsageError, match=r"gold\.m"):
        tables_read(conn, sql, where="gold.m")


def model(name: str, sql: str, key: tuple[str, ...] = ("symbol",), **rest: object) -> GoldModel:
    return GoldModel(name=name, key=key, sql=sql, **rest)


def test_a_circle_is_shown() -> None:
    models = [model("a", "SELECT * FROM gold.b"), model("b", "SELECT * FROM gold.a")]
    with pytest.raises(UsageError, match=r"gold\.(a|b) -> gold\.(a|b) -> gold\.(a|b)"):
        ordered(models, {"gold.a": frozenset({"gold.b"}), "gold.b": frozenset({"gold.a"})})


LAST = "SELECT symbol, max(close) AS close, max(date) AS day FROM silver.px GROUP BY symbol"
TOP = "SELECT symbol, close FROM gold.last_price WHERE close > 1"


@pytest.fixture
def gold(tmp_path: Path) -> tuple[Warehouse, FakeVendor]:
    vendor = FakeVendor(entry())
    vendor.models = [
        model("top", TOP, tests=(ForeignKey(columns=("symbol",), to="last_price", to_columns=("symbol",)),)),
        model("last_price", LAST, date_column="day"),
    ]
    warehouse = Warehouse(tmp_path / "home", vendor)
    vendor.says([price("A", "2024-01-01", "1"), price("B", "2024-01-02", "2")])
    return warehouse, vendor


def test_tables_are_built_in_the_order_of_their_sql(gold: tuple[Warehouse, FakeVendor]) -> None:
    warehouse, _ = gold
    context = warehouse.run()
    assert (context.errors, context.gold_tables) == ([], 2)
    assert warehouse.ask("SELECT symbol FROM gold.top") == [("B",)]
    assert warehouse.ask("SELECT table_name FROM ops.gold_manifest ORDER BY started_at, finished_at") == [
        ("last_price",),
        ("top",),
    ]
    assert warehouse.ask("SELECT watermark_date FROM ops.gold_watermarks WHERE table_name = 'last_price'") == [
        (dt.date(2024, 1, 2),)
    ]
    passed = warehouse.ask("SELECT table_name, test, status FROM ops.gold_tests ORDER BY ALL")
    assert ("top", "foreign_key:symbol", "ok") in passed
    assert {row[2] for row in passed} == {"ok"}


def test_a_table_without_new_input_is_not_built(gold: tuple[Warehouse, FakeVendor]) -> None:
    warehouse, vendor = gold
    warehouse.run()
    assert warehouse.run(hours_later=24).gold_tables == 0
    vendor.says([price("A", "2024-01-01", "1"), price("B", "2024-01-02", "2"), price("C", "2024-01-02", "3")])
    assert warehouse.run(hours_later=24).gold_tables == 2
    assert warehouse.run(hours_later=1, options=RunOptions(force=True)).gold_tables == 2
    assert warehouse.ask(
        "SELECT gold_build_id, rows_written FROM ops.gold_manifest WHERE table_name = 'last_price' ORDER BY 1"
    ) == [(1, 2), (2, 1), (3, 0)]


def test_a_changed_model_is_built_although_silver_stood_still(gold: tuple[Warehouse, FakeVendor]) -> None:
    warehouse, vendor = gold
    warehouse.run()
    vendor.models[0] = model("top", TOP.replace("> 1", "> 0"))
    assert warehouse.run(hours_later=1).gold_tables == 1
    assert warehouse.ask("SELECT count(*) FROM gold.top") == [(2,)]


def test_rows_that_vanish_are_deleted_and_others_not_touched(gold: tuple[Warehouse, FakeVendor]) -> None:
    warehouse, vendor = gold
    warehouse.run()
    vendor.says([price("A", "2024-01-01", "1"), price("B", "2024-01-02", "0.5")])
    warehouse.run(hours_later=24)
    assert warehouse.ask("SELECT symbol, close FROM gold.last_price ORDER BY 1") == [("A", 1), ("B", 0.5)]
    assert warehouse.ask("SELECT count(*) FROM gold.top") == [(0,)]
    assert warehouse.ask(
        "SELECT rows_seen, rows_written FROM ops.gold_manifest WHERE gold_build_id = 2 ORDER BY table_name"
    ) == [(2, 1), (0, 1)]


FAILING = [
    (NotNull(column="close"), "SELECT symbol, NULL::INTEGER AS close FROM silver.px"),
    (AcceptedRange(column="close", low=0, high=1), "SELECT symbol, close FROM silver.px"),
    (Unique(columns=("close",)), "SELECT symbol, 1 AS close FROM silver.px"),
    (
        ForeignKey(columns=("symbol",), to="last_price", to_columns=("symbol",)),
        "SELECT symbol || 'x' AS symbol FROM silver.px",
    ),
    (Unique(columns=("symbol",)), "SELECT symbol FROM silver.px UNION ALL SELECT symbol FROM silver.px"),
    (NotNull(column="symbol"), "SELECT nullif(symbol, 'A') AS symbol FROM silver.px"),
    (None, "SELECT symbol, error('no') AS x FROM silver.px"),
]


@pytest.mark.parametrize(("test", "sql"), FAILING)
def test_a_failed_build_leaves_the_old_table_whole_and_the_others_go_on(
    gold: tuple[Warehouse, FakeVendor], test: object, sql: str
) -> None:
    warehouse, vendor = gold
    warehouse.run()
    vendor.models[0] = model("top", sql, tests=() if test is None else (test,))
    context = warehouse.run(hours_later=1)
    assert context.errors[0].startswith("gold.top: ")
    assert warehouse.ask("SELECT symbol FROM gold.top") == [("B",)]
    assert warehouse.ask("SELECT status FROM ops.gold_manifest WHERE gold_build_id = 2") == [("failed",)]
    if test is not None:
        assert (test.name, "failed") in warehouse.ask("SELECT test, status FROM ops.gold_tests WHERE gold_build_id = 2")
    vendor.models[0] = model("top", TOP)
    assert warehouse.run(hours_later=1).errors == []


def test_a_table_whose_input_is_not_there_yet_waits(gold: tuple[Warehouse, FakeVendor]) -> None:
    warehouse, vendor = gold
    vendor.models.append(model("later", "SELECT symbol FROM silver.other"))
    context = warehouse.run()
    assert (context.errors, context.gold_tables) == ([], 2)


def low_half_of_md5(text: str) -> int:
    return int.from_bytes(hashlib.md5(text.encode()).digest()[8:], "little")


def test_surrogate_keys_are_the_same_everywhere(gold: tuple[Warehouse, FakeVendor]) -> None:
    warehouse, vendor = gold
    vendor.models = [
        model("dim", "SELECT DISTINCT symbol FROM silver.px", kind="dimension", surrogate_key="symbol_key")
    ]
    warehouse.run()
    assert warehouse.ask("SELECT symbol_key, symbol FROM gold.dim ORDER BY 2") == [
        (low_half_of_md5(symbol) >> 1, symbol) for symbol in "AB"
    ]


def test_a_surrogate_key_tells_keys_apart_whatever_they_hold(gold: tuple[Warehouse, FakeVendor]) -> None:
    """A mark of a text is not the mark between two of them; keys without such a mark are what they always were."""
    warehouse, vendor = gold
    pairs = [("a|b", "c"), ("a", "b|c"), ("a\\", "b|c"), ("a\\|b", "c"), ("plain", "too")]
    values = ", ".join(f"('{one}', '{other}')" for one, other in pairs)
    sql = f"SELECT t.* FROM (VALUES {values}) AS t(a, b), (SELECT DISTINCT 1 FROM silver.px)"
    vendor.models = [model("dim", sql, key=("a", "b"), kind="dimension", surrogate_key="id")]
    assert warehouse.run().errors == []
    assert warehouse.ask("SELECT count(DISTINCT id) FROM gold.dim") == [(len(pairs),)]
    assert warehouse.ask("SELECT id FROM gold.dim WHERE a = 'plain'") == [(low_half_of_md5("plain|too") >> 1,)]


def test_gold_alone_can_be_built(gold: tuple[Warehouse, FakeVendor]) -> None:
    warehouse, vendor = gold
    context = warehouse.run(options=RunOptions(only=Layer.SILVER))
    assert (context.files, context.gold_tables) == (0, 0)
    context = warehouse.run(options=RunOptions(only=Layer.BRONZE))
    assert (context.files, context.rows_seen) == (1, 0)
    context = warehouse.run(options=RunOptions(only=Layer.SILVER))
    assert (context.files, context.rows_seen, context.gold_tables) == (0, 2, 0)
    context = warehouse.run(options=RunOptions(only=Layer.GOLD))
    assert (context.rows_seen, context.gold_tables) == (0, 2)
    assert vendor.asked == ["prices/fake/eod"]


def test_a_model_takes_the_sources_that_are_there(gold: tuple[Warehouse, FakeVendor]) -> None:
    """The best is absent: it is taken when it comes. Columns are matched by name."""
    warehouse, vendor = gold
    vendor.entries.append(entry(dataset="best", silver_table="best", is_data=DataRules(may_be_empty=True)))
    vendor.says([], dataset="best")
    sources = {
        "prices": [
            GoldSource(table="silver.best", sql="SELECT date AS day, symbol FROM silver.best"),
            GoldSource(table="silver.px", sql="SELECT symbol, date AS day FROM silver.px"),
        ],
        "names": [GoldSource(table="silver.never"), GoldSource(sql="SELECT 'A' AS symbol, 'Alpha' AS name")],
    }
    sql = (
        "WITH newest AS (SELECT symbol, max(day) AS day, min(source_rank) AS rank FROM prices GROUP BY symbol) "
        "SELECT newest.*, name FROM newest LEFT JOIN names USING (symbol)"
    )
    vendor.models = [model("newest", sql, sources=sources)]
    assert warehouse.run().errors == []
    assert warehouse.ask("SELECT symbol, day, rank, name FROM gold.newest ORDER BY 1") == [
        ("A", dt.date(2024, 1, 1), 1, "Alpha"),
        ("B", dt.date(2024, 1, 2), 1, None),
    ]
    vendor.says([price("A", "2024-01-05")], dataset="best")
    assert warehouse.run(hours_later=48).errors == []
    assert warehouse.ask("SELECT symbol, day, rank FROM gold.newest ORDER BY 1") == [
        ("A", dt.date(2024, 1, 5), 0),
        ("B", dt.date(2024, 1, 2), 1),
    ]
    assert warehouse.run().gold_tables == 0, "nothing new, nothing built"


def test_a_model_waits_while_none_of_its_sources_is_there(gold: tuple[Warehouse, FakeVendor]) -> None:
    warehouse, vendor = gold
    vendor.models = [
        model(
            "later",
            "SELECT * FROM them",
            sources={"them": [GoldSource(table="silver.never")], "more": [GoldSource(sql="SELECT 1 AS a")]},
        )
    ]
    context = warehouse.run()
    assert (context.errors, context.gold_tables) == ([], 0)


@pytest.mark.parametrize("wrong", [{"table": "gold.x"}, {"table": "px"}, {}])
def test_a_source_is_a_silver_table(wrong: dict[str, str]) -> None:
    with pytest.raises(UsageError, match="gold source"):
        GoldSource(**wrong)


def test_sources_need_a_name_and_a_table() -> None:
    with pytest.raises(UsageError, match="names no table"):
        model("m", "SELECT * FROM a", sources={"a": []})
    with pytest.raises(UsageError, match="source"):
        model("m", "SELECT * FROM a", sources={"a b": [GoldSource(sql="SELECT 1")]})

"""Gold that is declared otherwise: what is concerned is built again and nothing else,
and one bad model costs only itself.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from terminal import Terminal
from warehouse import FakeVendor, Warehouse, entry, price
from web.pages import client_of, seen, site_of

from sbf_core.api import AcceptedRange, DataRules, ForeignKey, GoldModel, GoldSource, NotNull, hookimpl
from sbf_core.errors import UsageError
from sbf_core.reports.lineage import explain_gold
from sbf_core.runner.options import RunOptions
from sbf_core.vocabulary import Layer

LAST = "SELECT symbol, max(close) AS close, max(date) AS day FROM silver.px GROUP BY symbol"
TOP = "SELECT symbol, close FROM gold.last_price WHERE close > 1"
OTHER = "SELECT date, count(*) AS n FROM silver.px GROUP BY date"


def model(name: str, sql: str, key: Any = ("symbol",), **rest: Any) -> GoldModel:
    return GoldModel(name=name, key=key, sql=sql, **rest)


def usual() -> list[GoldModel]:
    return [model("top", TOP), model("last_price", LAST, date_column="day"), model("per_day", OTHER, key=("date",))]


@pytest.fixture
def gold(tmp_path: Path) -> tuple[Warehouse, FakeVendor]:
    """Three tables, one of which reads another; all of them are built."""
    vendor = FakeVendor(entry())
    vendor.models = usual()
    warehouse = Warehouse(tmp_path / "home", vendor)
    vendor.says([price("A", "2024-01-01", "1"), price("B", "2024-01-02", "2")])
    assert warehouse.run().gold_tables == 3
    return warehouse, vendor


def builds(warehouse: Warehouse) -> dict[str, list[tuple[Any, ...]]]:
    """What the ledger says of the builds of each table."""
    found: dict[str, list[tuple[Any, ...]]] = {}
    for name, *facts in warehouse.ask(
        "SELECT table_name, gold_build_id, status, rows_seen, rows_written, started_at "
        "FROM ops.gold_manifest ORDER BY ALL"
    ):
        found.setdefault(name, []).append(tuple(facts))
    return found


CHANGES = {
    "sql": (
        model("last_price", LAST.replace("max(close)", "max(close) + 1"), date_column="day"),
        {"last_price", "top"},
        "its SQL has changed",
    ),
    "key": (
        model("last_price", LAST, key=("symbol", "day"), date_column="day"),
        {"last_price", "top"},
        "the key was (symbol) and is (symbol, day)",
    ),
    "kind": (
        model("last_price", LAST, kind="dimension", date_column="day"),
        {"last_price"},
        "kind was fact and is dimension",
    ),
    "tests": (
        model("last_price", LAST, date_column="day", tests=(NotNull(column="close"),)),
        {"last_price"},
        "its tests have changed",
    ),
    "date_column": (model("last_price", LAST), {"last_price"}, "date_column was day and is none"),
    "surrogate_key": (
        model("last_price", LAST, date_column="day", surrogate_key="id"),
        {"last_price", "top"},
        "surrogate_key was none and is id",
    ),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_changed_model_is_built_again_with_what_hangs_on_it_and_nothing_else(
    gold: tuple[Warehouse, FakeVendor], monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    warehouse, vendor = gold
    changed, concerned, why = CHANGES[what]
    before = builds(warehouse)
    vendor.models[1] = changed
    sbf = Terminal(warehouse, monkeypatch)
    told = sbf.told("status")
    assert [(one["what"], one["detail"], one["fix"]) for one in told["problems"]] == [
        ("gold.last_price is stale", f"{why} since it was built", "sbf run --only gold")
    ]
    assert {one["table_name"]: one["state"] for one in told["gold"]} == {
        "last_price": "stale",
        "top": "current",
        "per_day": "current",
    }
    assert ("gold.last_price is stale", "bad") in [(one["check"], one["state"]) for one in sbf.told("doctor")["checks"]]
    context = warehouse.run(hours_later=1, options=RunOptions(only=Layer.GOLD))
    after = builds(warehouse)
    assert (context.errors, context.gold_tables) == ([], len(concerned))
    assert {name for name in after if after[name] != before[name]} == concerned
    assert sbf.told("status")["problems"] == []
    assert warehouse.run(hours_later=1).gold_tables == 0


def test_the_bounds_of_a_test_are_part_of_it(gold: tuple[Warehouse, FakeVendor]) -> None:
    warehouse, vendor = gold
    for high, errors in (
        (9, []),
        (1, ["gold.last_price: test accepted_range:close failed on 1 row; gold.last_price"]),
    ):
        vendor.models[1] = model(
            "last_price", LAST, date_column="day", tests=(AcceptedRange(column="close", high=high),)
        )
        assert warehouse.run(hours_later=1).errors == errors


def test_a_key_that_is_narrowed_doubles_no_row(tmp_path: Path) -> None:
    """Under the new key the old rows have one twice: they are no base for a delta."""
    vendor = FakeVendor(entry())
    warehouse = Warehouse(tmp_path / "home", vendor)
    vendor.models = [model("m", "SELECT symbol, date, close FROM silver.px", key=("symbol", "date"))]
    vendor.says([price("A", f"2024-01-0{day}", day) for day in (1, 2, 3)])
    warehouse.run()
    vendor.models = [
        model("m", "SELECT symbol, max(date) + 5 AS date, max(close) AS close FROM silver.px GROUP BY symbol")
    ]
    assert warehouse.run(hours_later=1).errors == []
    assert warehouse.ask("SELECT symbol, close FROM gold.m") == [("A", 3)]


def test_a_better_source_is_new_input_and_no_other_declaration(
    gold: tuple[Warehouse, FakeVendor], monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse, vendor = gold
    vendor.entries.append(entry(dataset="best", silver_table="best"))
    vendor.says([price("C", "2024-01-01")], dataset="best")
    sources = {"prices": [GoldSource(table="silver.best"), GoldSource(table="silver.px")]}
    vendor.models = [model("known", "SELECT DISTINCT symbol FROM prices", sources=sources)]
    warehouse.run(options=RunOptions(only=Layer.GOLD))
    assert warehouse.ask("SELECT count(*) FROM gold.known") == [(2,)]
    warehouse.run(hours_later=24, options=RunOptions(only=Layer.BRONZE))
    warehouse.run(options=RunOptions(only=Layer.SILVER))
    assert [one["what"] for one in Terminal(warehouse, monkeypatch).told("status")["problems"]] == []
    assert warehouse.run(options=RunOptions(only=Layer.GOLD)).gold_tables == 1
    assert warehouse.ask("SELECT count(*) FROM gold.known") == [(3,)]


BAD: dict[str, tuple[list[Any], set[str], list[str]]] = {
    "SQL that cannot be parsed": ([model("bad", "SELEC 1")], {"bad"}, ["gold.bad: not one SELECT: syntax error"]),
    "a table without its schema": (
        [model("bad", "SELECT * FROM px")],
        {"bad"},
        ["gold.bad: reads 'px', which is neither a silver nor a gold table; write silver.<table>"],
    ),
    "a table of a catalog": (
        [model("bad", "SELECT * FROM sbf.silver.px")],
        {"bad"},
        ["gold.bad: reads 'sbf.silver.px', which is neither a silver nor a gold table; write silver.<table>"],
    ),
    "a table named by a text": (
        [model("bad", "SELECT * FROM query_table('silver.px')")],
        {"bad"},
        [
            (
                "gold.bad: reads the function 'query_table', of which nobody can see what it depends on; "
                "write silver.<table>"
            )
        ],
    ),
    "a query in a text": (
        [model("bad", "SELECT * FROM Query('SELECT * FROM silver.px')")],
        {"bad"},
        ["gold.bad: reads the function 'query', of which nobody can see"],
    ),
    "what the engine has": (
        [model("bad", "SELECT symbol, (SELECT count(*) FROM duckdb_tables()) AS n FROM silver.px")],
        {"bad"},
        ["gold.bad: reads the function 'duckdb_tables', of which nobody can see"],
    ),
    "what the engine shows": (
        [model("bad", "SELECT * FROM (SHOW TABLES)")],
        {"bad"},
        ["gold.bad: reads what the engine knows of itself; write silver.<table>"],
    ),
    "an as-of of a catalog": (
        [model("bad", "SELECT * FROM sbf.silver.px_as_of(TIMESTAMP '2024-01-01')")],
        {"bad"},
        ["gold.bad: reads the function 'sbf.silver.px_as_of'"],
    ),
    "one name twice": (
        [model("bad", LAST), model("bad", LAST)],
        {"bad"},
        ["gold.bad: is declared 2 times, by plugin fake and by plugin fake; leave one of them"],
    ),
    "a circle": (
        [
            model("a", "SELECT * FROM gold.b"),
            model("b", "SELECT * FROM gold.a"),
            model("c", "SELECT * FROM gold.d"),
            model("d", "SELECT * FROM gold.c"),
        ],
        {"a", "b", "c", "d"},
        [f"gold.{name}: gold models read each other in a circle: gold." for name in "abcd"],
    ),
    "a model that reads itself": (
        [model("a", "SELECT * FROM gold.a")],
        {"a"},
        ["gold.a: gold models read each other in a circle: gold.a -> gold.a"],
    ),
    "a key against two columns": (
        [model("bad", LAST, tests=(ForeignKey(columns=("symbol", "day"), to="last_price", to_columns=("symbol",)),))],
        {"bad"},
        ["gold.bad: test foreign_key:symbol,day: 2 columns stand against 1 of gold.last_price"],
    ),
    "a wrong type in the list": (
        ["SELECT 1", 7],
        set(),
        [
            "plugin fake: build_gold answered int instead of GoldModel at place 2 of 5",
            "plugin fake: build_gold answered str instead of GoldModel at place 1 of 5; the others are built",
        ],
    ),
}


@pytest.mark.parametrize("what", BAD)
def test_one_bad_model_costs_only_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    """The others of its plugin are built, those that fail are told one by one, and each command goes on."""
    wrong, names, errors = BAD[what]
    vendor = FakeVendor(entry())
    vendor.models = [*wrong, *usual()]
    warehouse = Warehouse(tmp_path / "home", vendor)
    vendor.says([price("A", "2024-01-01", "1"), price("B", "2024-01-02", "2")])
    context = warehouse.run()
    assert (context.gold_tables, context.status) == (3, "partial"), context.errors
    assert len(context.errors) == len(errors)
    for line, words in zip(sorted(context.errors), errors, strict=True):
        assert line.startswith(words)
    assert {
        name for (name,) in warehouse.ask("SELECT table_name FROM ops.gold_manifest WHERE status = 'failed'")
    } == names
    sbf = Terminal(warehouse, monkeypatch)
    told = sbf.told("status")
    assert {one["what"] for one in told["problems"]} == {f"gold.{name} was not built" for name in names}
    assert {one["table_name"]: one["state"] for one in told["gold"]} == {
        "top": "current",
        "last_price": "current",
        "per_day": "current",
        **dict.fromkeys(names, "not built"),
    }
    assert sbf("impact", warehouse.bronze_files()[0]).out.splitlines()[-1].startswith("read by gold.")
    assert sbf("verify").code == 0
    pages = client_of(site_of(warehouse))
    assert (
        pages.get("/datasets/px?tab=gold").status_code
        == pages.get("/gold").status_code
        == pages.get("/").status_code
        == 200
    )
    again = warehouse.run(hours_later=24)
    assert (again.gold_tables, len(again.errors)) == (0, len(errors)), (
        "what is well is not built again, what is not is told again"
    )
    vendor.models = usual()
    assert warehouse.run(hours_later=1).errors == []


def test_a_test_that_is_none_is_refused_where_it_is_written() -> None:
    with pytest.raises(UsageError, match=r"a test is str, which is none; gold\.m; use NotNull"):
        model("m", LAST, tests=("not_null",))


def test_two_plugins_with_one_name_are_both_named(gold: tuple[Warehouse, FakeVendor]) -> None:
    warehouse, _ = gold

    class Second:
        @hookimpl
        def build_gold(self) -> list[GoldModel]:
            return [model("top", TOP), model("mine", LAST)]

    warehouse.plugins["second"] = Second()
    before = builds(warehouse)["top"]
    context = warehouse.run(hours_later=1)
    assert context.errors == ["gold.top: is declared 2 times, by plugin fake and by plugin second; leave one of them"]
    assert context.gold_tables == 1
    assert warehouse.ask("SELECT symbol FROM gold.top") == [("B",)], "the table stays"
    assert builds(warehouse)["top"][:1] == before


def test_a_stale_table_is_shown_as_it_is_and_not_explained_by_what_did_not_make_it(
    gold: tuple[Warehouse, FakeVendor], monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse, vendor = gold
    changed = model("last_price", "SELECT symbol AS name, 1 AS close FROM silver.px GROUP BY ALL", key=("name",))
    vendor.models[1] = changed
    page = seen(client_of(site_of(warehouse)).get("/gold/last_price").text).text
    assert "gold.last_price is stale" in page and "the key was (symbol) and is (name)" in page
    with warehouse.open() as cursor, pytest.raises(UsageError, match="built by another declaration"):
        explain_gold(cursor, [changed], table="gold.last_price", key="A", column="close")


def test_a_table_that_nobody_declares_is_left_over_and_stays(
    gold: tuple[Warehouse, FakeVendor], monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse, vendor = gold
    del vendor.models[2]
    warehouse.run(hours_later=24)
    sbf = Terminal(warehouse, monkeypatch)
    told = sbf.told("status")
    assert {one["table_name"]: (one["state"], one["why"]) for one in told["gold"]}["per_day"] == (
        "left",
        "no loaded plugin declares it any more",
    )
    assert told["problems"] == [], "it asks for nothing"
    assert warehouse.ask("SELECT count(*) FROM gold.per_day") == [(2,)]
    assert "left" in sbf("status").out
    monkeypatch.setattr(FakeVendor, "build_gold", hookimpl(lambda self: 1 / 0))
    left = {one["table_name"]: one for one in sbf.told("status")["gold"]}
    assert left["top"]["state"] == "left" and "ZeroDivisionError" in left["top"]["why"]


def test_a_table_without_rows_that_comes_is_built_over(tmp_path: Path) -> None:
    """A gold table that waits for a silver one is built when that is there, though it is empty."""
    vendor = FakeVendor(entry())
    vendor.models = [
        GoldModel(name="later", key=("symbol",), sql="SELECT o.symbol, count(*) AS n FROM silver.other AS o GROUP BY 1")
    ]
    warehouse = Warehouse(tmp_path / "home", vendor)
    vendor.says([price("A", "2024-01-01")])
    warehouse.run()
    assert warehouse.ask("SELECT count(*) FROM duckdb_tables() WHERE table_name = 'later'") == [(0,)]
    vendor.entries = [entry(), entry(dataset="other", silver_table="other", is_data=DataRules(may_be_empty=True))]
    vendor.says([], dataset="other")
    assert warehouse.run(hours_later=24).errors == []
    assert warehouse.ask("SELECT count(*) FROM gold.later") == [(0,)]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT Symbol FROM SILVER.Px",
        "WITH Mine AS (FROM Silver.PX) SELECT symbol FROM mINE",
        "SELECT p.symbol FROM silver.px AS p, range(1) AS r, unnest([1]) AS u",
        "SELECT symbol FROM Silver.Px_As_Of(TIMESTAMP '2100-01-01')",
    ],
)
def test_what_a_model_reads_is_seen_however_it_is_written(tmp_path: Path, sql: str) -> None:
    """Letters of either case are one name to the engine;
    a model whose input changed in silence told old numbers for ever.
    """
    vendor = FakeVendor(entry())
    vendor.models = [model("seen", f"SELECT DISTINCT symbol FROM ({sql})", key=("symbol",))]
    warehouse = Warehouse(tmp_path / "home", vendor)
    vendor.says([price("A", "2024-01-01")])
    assert warehouse.run().gold_tables == 1
    vendor.says([price("A", "2024-01-01"), price("B", "2024-01-01")])
    assert warehouse.run(hours_later=24).gold_tables == 1
    assert warehouse.ask("SELECT symbol FROM gold.seen ORDER BY ALL") == [("A",), ("B",)]
    assert warehouse.run(hours_later=1).gold_tables == 0

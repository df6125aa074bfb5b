"""Gold of which only what changed is computed: it is what the whole SELECT gives, whatever changed."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from warehouse import FakeVendor, Warehouse, entry, price

from sbf_core.api import AcceptedRange, ForeignKey, GoldModel, Unique
from sbf_core.duck.planner import planner
from sbf_core.gold import changed
from sbf_core.gold.declared import is_built_from, read_before, with_inputs
from sbf_core.gold.partition import Parts, find_parts, key_columns
from sbf_core.gold.repeatable import is_repeatable
from sbf_core.gold.sql_tree import tree_of
from sbf_core.gold.tables import columns_of
from sbf_core.runner.options import RunOptions
from sbf_core.vocabulary import Layer

#: More by hand: GOLD_EXAMPLES=200.
EXAMPLES = int(os.environ.get("GOLD_EXAMPLES", "3"))
P = "silver.px"
BOTH, SYMBOL, DAY = ("s", "d"), ("s",), ("d",)
#: A SELECT that gives s and d, and by which of the two it can be computed.
SHAPES: dict[str, tuple[str, tuple[str, ...] | None]] = {
    "rows": (f"SELECT symbol AS s, date AS d, close * 2 AS x FROM {P} WHERE volume > 5", BOTH),
    "a condition on the key": (f"SELECT symbol AS s, date AS d, close AS x FROM {P} WHERE date >= '2024-01-01'", BOTH),
    "one key only": (
        f"SELECT symbol AS s, date AS d, close AS x FROM {P} WHERE symbol = 'A' AND date > '2024-01-01'",
        DAY,
    ),
    "sums": (f"SELECT symbol AS s, date AS d, sum(close) AS x FROM {P} GROUP BY ALL", BOTH),
    "last day": (f"SELECT symbol AS s, max(date) AS d, sum(volume) AS x FROM {P} GROUP BY symbol", SYMBOL),
    "the day before": (
        f"SELECT symbol AS s, date AS d, lag(close) OVER (PARTITION BY symbol ORDER BY date) AS x FROM {P}",
        SYMBOL,
    ),
    "rank of a day": (
        f"SELECT symbol AS s, date AS d, rank() OVER (PARTITION BY date ORDER BY close) AS x FROM {P}",
        DAY,
    ),
    "best of each": (
        (
            f"SELECT symbol AS s, date AS d, close AS x FROM {P} "
            "QUALIFY row_number() OVER (PARTITION BY symbol, date ORDER BY volume) = 1"
        ),
        BOTH,
    ),
    "with names": (
        f"SELECT p.symbol AS s, p.date AS d, n.volume AS x FROM {P} AS p JOIN silver.names AS n USING (symbol)",
        BOTH,
    ),
    "names that may lack": (
        f"SELECT p.symbol AS s, p.date AS d, n.volume AS x FROM {P} AS p LEFT JOIN silver.names AS n USING (symbol)",
        BOTH,
    ),
    "beside itself": (
        (
            f"SELECT a.symbol AS s, a.date AS d, b.close AS x FROM {P} AS a JOIN {P} AS b "
            "ON a.symbol = b.symbol AND a.date = b.date"
        ),
        BOTH,
    ),
    "beside another of the day": (
        (
            f"SELECT a.symbol AS s, a.date AS d, b.close AS x FROM {P} AS a JOIN {P} AS b "
            "ON a.date = b.date AND b.symbol = 'B'"
        ),
        DAY,
    ),
    "the one before, by time": (
        (
            f"SELECT a.symbol AS s, a.date AS d, b.close AS x FROM {P} AS a ASOF LEFT JOIN {P} AS b "
            "ON a.symbol = b.symbol AND b.date < a.date"
        ),
        SYMBOL,
    ),
    "two after each other": (
        f"SELECT symbol AS s, date AS d, close AS x FROM {P} UNION ALL SELECT symbol || '!', date, close FROM {P}",
        DAY,
    ),
    "a common part": (
        (
            f"WITH c AS (SELECT symbol, date, close FROM {P}) SELECT a.symbol AS s, a.date AS d, b.close AS x "
            "FROM c AS a JOIN c AS b ON a.symbol = b.symbol AND a.date = b.date"
        ),
        BOTH,
    ),
    "all to one": (
        (
            f"SELECT coalesce(a.symbol, b.symbol) AS s, coalesce(a.date, b.date) AS d, b.close AS x FROM {P} AS a "
            f"FULL JOIN {P} AS b ON a.symbol = b.symbol AND a.date = b.date"
        ),
        BOTH,
    ),
    "a key of the model's own": (f"SELECT symbol AS s, date + 1 AS d, close AS x FROM {P}", SYMBOL),
    "not before a day": (
        f"SELECT symbol AS s, greatest(date, DATE '2024-01-03') AS d, max(close) AS x FROM {P} GROUP BY ALL",
        SYMBOL,
    ),
    "another type": (f"SELECT symbol AS s, CAST(date AS TIMESTAMP) AS d, close AS x FROM {P}", SYMBOL),
    "in small letters": (f"SELECT lower(symbol) AS s, date AS d, close AS x FROM {P}", DAY),
    "a constant beside": (
        (
            f"SELECT symbol AS s, date AS d, close AS x FROM {P} "
            f"UNION ALL SELECT 'Z', date, max(close) FROM {P} GROUP BY date"
        ),
        DAY,
    ),
    "one for all": (
        (
            f"WITH c AS (SELECT symbol, date, volume FROM {P}) SELECT symbol AS s, date AS d, sum(volume) AS x FROM c "
            "GROUP BY ALL UNION ALL SELECT 'B ', date, sum(volume) FROM c GROUP BY date"
        ),
        DAY,
    ),
    "and those of another table": (
        (
            f"SELECT symbol AS s, date AS d, close AS x FROM {P} UNION ALL SELECT symbol || '2', date, close "
            "FROM silver.names"
        ),
        BOTH,
    ),
    "all symbols beside one": (
        (
            f"SELECT n.symbol AS s, p.date AS d, n.volume + p.volume AS x FROM silver.names AS n, {P} AS p "
            "WHERE p.symbol = 'A'"
        ),
        DAY,
    ),
    "two alike, and one for all": (
        (
            f"WITH a AS (SELECT symbol, date, sum(close) AS c FROM {P} GROUP BY ALL), "
            f"b AS (SELECT symbol, date, sum(close) AS c FROM {P} WHERE symbol <> 'XYZ' GROUP BY ALL) "
            "SELECT a.symbol AS s, a.date AS d, a.c + b.c AS x FROM a JOIN b USING (symbol, date) "
            f"UNION ALL SELECT 'B!', date, sum(close) FROM {P} GROUP BY date"
        ),
        None,
    ),
    "names twice, and one for all": (
        (
            f"SELECT p.symbol AS s, p.date AS d, p.close + coalesce(n.c, 0) + coalesce(m.c, 0) AS x FROM {P} AS p "
            "LEFT JOIN (SELECT symbol, sum(close) AS c FROM silver.names GROUP BY 1) AS n USING (symbol) "
            "LEFT JOIN (SELECT symbol, sum(close) AS c FROM silver.names WHERE symbol <> 'CC' GROUP BY 1) AS m "
            f"USING (symbol) UNION ALL SELECT 'CC', date, sum(close) FROM {P} GROUP BY date"
        ),
        DAY,
    ),
    "days that are far": (
        (
            f"SELECT symbol AS s, date AS d, close + coalesce((SELECT sum(close) FROM {P} WHERE date > '2090-01-01'), "
            f"0) AS x FROM {P} WHERE date < '2090-01-01'"
        ),
        None,
    ),
    "numbers of rows": (f"SELECT symbol AS s, date AS d, rowid AS x FROM {P}", None),
    "share of all": (f"SELECT symbol AS s, date AS d, close / (SELECT sum(close) FROM {P}) AS x FROM {P}", None),
    "how many there are": (f"SELECT symbol AS s, date AS d, (SELECT count(*) FROM {P}) AS x FROM {P}", None),
    "the newest day": (
        f"SELECT symbol AS s, date AS d, close AS x FROM {P} WHERE date = (SELECT max(date) FROM {P})",
        None,
    ),
    "not the first": (
        (
            f"SELECT symbol AS s, date AS d, close AS x FROM {P} AS p WHERE EXISTS "
            f"(SELECT 1 FROM {P} AS q WHERE q.symbol = p.symbol AND q.date < p.date)"
        ),
        None,
    ),
    "the first hundred": (f"SELECT symbol AS s, date AS d, close AS x FROM {P} ORDER BY ALL LIMIT 100", None),
    "of the moment": (f"SELECT symbol AS s, date AS d, current_date AS x FROM {P}", None),
    "of the moment, in a macro": (f"SELECT symbol AS s, date AS d, ago(INTERVAL 1 DAY) AS x FROM {P}", None),
    "by chance": (f"SELECT symbol AS s, date AS d, random() AS x FROM {P}", None),
    "a sample": (f"SELECT symbol AS s, date AS d, close AS x FROM {P} TABLESAMPLE bernoulli(50%)", None),
    "by the name of the schema": (f"SELECT {P}.symbol AS s, px.date AS d, close AS x FROM {P}", None),
}


@pytest.fixture(scope="module")
def filled() -> Iterator[duckdb.DuckDBPyConnection]:
    """Tables with rows."""
    with duckdb.connect() as conn:
        conn.execute("CREATE SCHEMA silver; CREATE SCHEMA gold")
        conn.execute(
            f"CREATE TABLE {P} AS SELECT chr((65 + i % 26)::INTEGER) AS symbol, DATE '2024-01-01' + (i // 26)::INTEGER "
            "AS date, i::DECIMAL(18, 4) AS close, i % 9 AS volume, i AS _bronze_file_id FROM range(2600) AS r(i)"
        )
        conn.execute(f"CREATE TABLE silver.names AS FROM {P} WHERE date = '2024-01-01' AND symbol < 'F'")
        conn.execute("CREATE TABLE silver.numbered AS SELECT i::INTEGER AS n, i AS x FROM range(100) AS r(i)")
        yield conn


def parts_of(
    conn: duckdb.DuckDBPyConnection, sql: str, key: tuple[str, ...] = ("s", "d"), **tables: tuple[str, ...]
) -> Parts | None:
    """By what a SELECT can be computed, where some tables changed."""
    conn.execute(f"CREATE OR REPLACE TABLE gold.t AS {sql}")
    names = [f"silver.{name}" for name in ("px", "names", "numbered")]
    with planner({name: columns_of(conn, name) for name in names}) as planning:
        changed = {f"silver.{name}": columns for name, columns in (tables or {"px": ("symbol", "date")}).items()}
        return find_parts(planning, sql, key=key_columns(conn, "gold.t", key), changed=changed)


@pytest.mark.parametrize("shape", SHAPES)
def test_by_which_columns_a_select_can_be_computed(filled: duckdb.DuckDBPyConnection, shape: str) -> None:
    sql, columns = SHAPES[shape]
    parts = parts_of(filled, sql)
    assert (None if parts is None else parts.columns) == columns
    if parts is not None:
        assert parts.of_tables == {P: tuple({"s": "symbol", "d": "date"}[column] for column in parts.columns)}


def test_a_column_of_another_type_cuts_nothing(filled: duckdb.DuckDBPyConnection) -> None:
    for kind, columns in (("INTEGER", ("k",)), ("BIGINT", None)):
        parts = parts_of(filled, f"SELECT CAST(n AS {kind}) AS k, x FROM silver.numbered", ("k",), numbered=("n",))
        assert (None if parts is None else parts.columns) == columns


def test_each_table_that_changed_is_cut(filled: duckdb.DuckDBPyConnection) -> None:
    both: dict[str, tuple[str, ...]] = {"px": ("symbol", "date"), "names": ("symbol", "date")}
    for shape, columns in {
        "with names": SYMBOL,
        "names that may lack": SYMBOL,
        "and those of another table": DAY,
    }.items():
        parts = parts_of(filled, SHAPES[shape][0], **both)
        assert parts is not None
        assert parts.columns == columns
        assert set(parts.of_tables) == {P, "silver.names"}


@pytest.mark.parametrize("shape", [shape for shape, (_, columns) in SHAPES.items() if columns])
def test_a_part_is_what_the_whole_has_of_it(filled: duckdb.DuckDBPyConnection, shape: str) -> None:
    sql, _ = SHAPES[shape]
    parts = parts_of(filled, sql)
    assert parts is not None
    values = {"s": "chr((66 + n)::INTEGER)", "d": "DATE '2024-01-02' + n"}
    columns = ", ".join(f"{values[column]} AS p{n}" for n, column in enumerate(parts.columns))
    filled.execute(
        f"CREATE OR REPLACE TEMP TABLE changed_value AS SELECT {columns} "
        "FROM range(5) AS r(i), (SELECT i::INTEGER AS n)"
    )
    within = " AND ".join(f"v.p{n} = o.{column}" for n, column in enumerate(parts.columns))
    picked = "SELECT o.* FROM ({}) AS o WHERE EXISTS (FROM temp.changed_value AS v WHERE " + within + ") ORDER BY ALL"
    assert filled.execute(picked.format(parts.select)).fetchall() == filled.execute(picked.format(sql)).fetchall()


REPEATABLE = {
    "SELECT date_trunc('month', d), upper(s), sum(x) FROM silver.t GROUP BY ALL": True,
    "SELECT nullif(a, 1), split_part(s, ',', 1), list_sum([1, 2]) FROM silver.t": True,
    "SELECT now() FROM silver.t": False,
    "SELECT today() FROM silver.t": False,
    "SELECT CURRENT_TIMESTAMP FROM silver.t": False,
    "SELECT localtime FROM silver.t": False,
    "SELECT age(d) FROM silver.t": False,
    "SELECT ago(INTERVAL 2 DAY) FROM silver.t": False,
    "SELECT uuid() FROM silver.t": False,
    "SELECT getvariable('x') FROM silver.t": False,
    "SELECT current_setting('TimeZone') FROM silver.t": False,
    "SELECT a FROM silver.t WHERE random() < 0.5": False,
    "WITH c AS (SELECT gen_random_uuid() AS u) SELECT * FROM c": False,
    "SELECT sum(a) OVER (PARTITION BY b ORDER BY nextval('s')) FROM silver.t": False,
}


@pytest.mark.parametrize(("sql", "expected"), REPEATABLE.items())
def test_what_a_select_depends_on_besides_its_tables(sql: str, expected: bool) -> None:
    with duckdb.connect() as conn:
        assert is_repeatable(conn, tree_of(conn, sql)) is expected


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables of any size are looked at, and any share of them."""
    monkeypatch.setattr(changed, "ROWS_MIN", 0)
    monkeypatch.setattr(changed, "SHARE_MAX", 1.0)


def models_of(*shapes: str, **more: Any) -> list[GoldModel]:
    return [
        GoldModel(
            name=shape.replace(" ", "_").replace(",", "").replace("'", ""), key=("s", "d"), sql=SHAPES[shape][0], **more
        )
        for shape in shapes
    ]


def seen(warehouse: Warehouse) -> dict[str, int]:
    """How many rows the last build of each table computed."""
    return dict(
        warehouse.ask(
            "SELECT table_name, arg_max(rows_seen, gold_build_id) FROM ops.gold_manifest WHERE status = 'ok' GROUP BY 1"
        )
    )


def rows(warehouse: Warehouse, table: str, columns: str = "*") -> list[tuple[Any, ...]]:
    return warehouse.ask(f"SELECT {columns} FROM gold.{table} ORDER BY ALL")


def is_whole(warehouse: Warehouse, models: Sequence[GoldModel]) -> None:
    """Each gold table is what its SELECT gives."""
    for model in models:
        differing = warehouse.ask(
            f"(FROM gold.{model.name} EXCEPT ALL ({model.full_sql})) UNION ALL "
            f"(({model.full_sql}) EXCEPT ALL FROM gold.{model.name})"
        )
        assert differing == [], model.name


def usual_prices() -> list[dict[str, object]]:
    return [price(symbol, f"2024-01-0{day}", f"{ord(symbol)}.{day}") for symbol in "ABCD" for day in range(1, 6)]


def warehouse_of(tmp_path: Path, models: list[GoldModel], **changes: Any) -> tuple[Warehouse, FakeVendor]:
    vendor = FakeVendor(entry(**changes), entry(dataset="names", silver_table="names"))
    vendor.models = models
    warehouse = Warehouse(tmp_path / "home", vendor)
    vendor.says(usual_prices())
    vendor.says([price("A", "2024-01-01"), price("B", "2024-01-05")], dataset="names")
    context = warehouse.run()
    assert not context.failures, context.failures
    return warehouse, vendor


def say(warehouse: Warehouse, vendor: FakeVendor, *prices: dict[str, object], **more: Any) -> Any:
    vendor.says(prices)
    context = warehouse.run(hours_later=24, **more)
    assert not context.failures, context.failures
    return context


@pytest.mark.usefixtures("small")
def test_only_what_changed_is_computed(tmp_path: Path) -> None:
    models = models_of("rows", "sums", "the day before", "and those of another table")
    warehouse, vendor = warehouse_of(tmp_path, models)
    before = {"rows": 20, "sums": 20, "the_day_before": 20, "and_those_of_another_table": 22}
    assert seen(warehouse) == before
    say(warehouse, vendor, price("B", "2024-01-03", "7"), price("C", "2024-01-09", "8"))
    now = {"rows": 2, "sums": 2, "the_day_before": 11, "and_those_of_another_table": 2}
    assert seen(warehouse) == now, "of the day before: two symbols of five days, and a new day"
    is_whole(warehouse, models)
    assert (dt.date(2024, 1, 3), 14) in [(day, float(x)) for s, day, x in rows(warehouse, "rows") if s == "B"]


@pytest.mark.usefixtures("small")
def test_a_row_that_did_not_change_is_not_touched(tmp_path: Path) -> None:
    """Somebody's damage stays for ``sbf verify`` to find: nothing else says so well that a row was left alone."""
    models = models_of("rows")
    warehouse, vendor = warehouse_of(tmp_path, models)
    with warehouse.open(read_only=False) as cursor:
        cursor.execute("UPDATE gold.rows SET x = -1 WHERE s = 'A' AND d = '2024-01-01'")
    say(warehouse, vendor, price("B", "2024-01-03", "7"))
    assert [float(x) for s, day, x in rows(warehouse, "rows") if (s, day) == ("A", dt.date(2024, 1, 1))] == [-1]
    say(warehouse, vendor, price("A", "2024-01-01", "3"))
    is_whole(warehouse, models)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("how", ["force", "sql", "key", "an older sbf", "a payload that is told otherwise"])
def test_all_is_computed_where_nobody_can_tell(tmp_path: Path, how: str) -> None:
    models = models_of("rows")
    warehouse, vendor = warehouse_of(tmp_path, models)
    options = None
    if how == "force":
        options = RunOptions(force=True)
    if how == "sql":
        vendor.models = [GoldModel(name="rows", key=("s", "d"), sql=SHAPES["rows"][0].replace("* 2", "* 3"))]
    if how == "key":
        vendor.models = [GoldModel(name="rows", key=("d", "s"), sql=SHAPES["rows"][0])]
    if how == "an older sbf":
        with warehouse.open(read_only=False) as cursor:
            cursor.execute(
                "UPDATE ops.gold_watermarks SET inputs = array_to_string(string_split(inputs, chr(10))[:2], chr(10)) "
                "WHERE table_name = 'rows'"
            )
    if how == "a payload that is told otherwise":
        with warehouse.open(read_only=False) as cursor:
            cursor.execute(
                "UPDATE ops.promotion_manifest SET rows_written = rows_written + 1 WHERE silver_table = 'px'"
            )
    say(warehouse, vendor, price("B", "2024-01-03", "7"), options=options)
    assert seen(warehouse)["rows"] == 20
    is_whole(warehouse, vendor.models)


@pytest.mark.parametrize(("name", "value"), [("ROWS_MIN", 21), ("SHARE_MAX", 0.04)])
def test_a_small_table_and_one_that_changes_much_are_computed_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small: None, name: str, value: float
) -> None:
    monkeypatch.setattr(changed, name, value)
    models = models_of("rows")
    warehouse, vendor = warehouse_of(tmp_path, models)
    say(warehouse, vendor, price("B", "2024-01-03", "7"))
    assert seen(warehouse) == {"rows": 20}


def test_an_older_sbf_has_built_what_its_beginning_says() -> None:
    (model,) = models_of("rows")
    inputs = with_inputs(model, {P: "1@2024-01-01"})
    beginning = inputs.rpartition("\n")[0]
    assert is_built_from(inputs, inputs)
    assert is_built_from(beginning, inputs)
    assert not is_built_from(beginning[:-1], inputs)
    assert not is_built_from("", inputs)
    assert not is_built_from(None, inputs)
    assert read_before(inputs, model) == {P: "1@2024-01-01"}
    assert read_before(beginning, model) is None
    assert read_before(f"{beginning}\n" + inputs.rpartition("\n")[2].replace('"sql": "', '"sql": "0'), model) is None


@pytest.mark.usefixtures("small")
def test_rows_that_are_withdrawn_go(tmp_path: Path) -> None:
    models = models_of("rows", "sums", "last day")
    warehouse, vendor = warehouse_of(tmp_path, models, semantics="snapshot", shrink_share_max=0.9)
    vendor.says([each for each in usual_prices() if each["symbol"] != "C"])
    context = warehouse.run(hours_later=24)
    assert not context.failures
    assert seen(warehouse) == {"rows": 0, "sums": 0, "last_day": 0}
    assert [row for row in rows(warehouse, "rows") if row[0] == "C"] == []
    is_whole(warehouse, models)
    say(warehouse, vendor, *usual_prices())
    assert seen(warehouse) == {"rows": 5, "sums": 5, "last_day": 1}
    is_whole(warehouse, models)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(
    "shape", ["by the name of the schema", "numbers of rows", "days that are far", "of the moment"]
)
def test_a_select_that_cannot_be_cut_is_computed_whole(tmp_path: Path, shape: str) -> None:
    models = models_of(shape)
    warehouse, vendor = warehouse_of(tmp_path, models)
    say(warehouse, vendor, price("B", "2024-01-03", "7"))
    assert list(seen(warehouse).values()) == [20]


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("table", ["names", "px"])
def test_a_model_that_looks_back_is_computed_whole(tmp_path: Path, table: str) -> None:
    """What comes late changes what was known then, of keys whose current rows stay."""
    sql = (
        f"SELECT p.symbol AS s, p.date AS d, p.close AS x, n.close AS y FROM {P} AS p "
        f"LEFT JOIN silver.{table}_as_of(TIMESTAMP '2024-01-03') AS n ON n.symbol = p.symbol AND n.date = p.date"
    )
    models = [GoldModel(name="back", key=("s", "d"), sql=sql)]
    warehouse, vendor = warehouse_of(tmp_path, models)
    vendor.says([price("A", "2024-01-01", "9")], dataset="names")
    say(warehouse, vendor, price("B", "2024-01-03", "7"))
    assert seen(warehouse) == {"back": 20}
    is_whole(warehouse, models)


@pytest.mark.usefixtures("small")
def test_a_table_that_was_empty_is_one_that_changed(tmp_path: Path) -> None:
    sql = (
        f"SELECT p.symbol AS s, p.date AS d, n.close AS x FROM {P} AS p "
        "LEFT JOIN silver.names AS n USING (symbol, date)"
    )
    models = [GoldModel(name="beside", key=("s", "d"), sql=sql)]
    vendor = FakeVendor(entry(), entry(dataset="names", silver_table="names"))
    vendor.models = models
    warehouse = Warehouse(tmp_path / "home", vendor)
    vendor.says(usual_prices())
    vendor.says([price("A", "2024-01-01", "wrong"), price("D", "2024-01-05", "wrong")], dataset="names")
    warehouse.run()
    assert seen(warehouse) == {"beside": 20}
    vendor.says([price("A", "2024-01-01", "3"), price("D", "2024-01-05", "4")], dataset="names")
    say(warehouse, vendor, *usual_prices())
    assert seen(warehouse) == {"beside": 2}
    is_whole(warehouse, models)


@pytest.mark.usefixtures("small")
def test_a_table_over_another_gold_table_is_computed_by_what_changed_in_that(tmp_path: Path) -> None:
    models = [
        *models_of("rows"),
        GoldModel(name="above", key=("s", "d"), sql="SELECT s, d, sum(x) AS y FROM gold.rows GROUP BY s, d"),
        GoldModel(
            name="both",
            key=("s", "d"),
            sql=f"SELECT r.s, r.d, r.x, p.close FROM gold.rows AS r JOIN {P} AS p ON p.symbol = r.s AND p.date = r.d",
        ),
    ]
    warehouse, vendor = warehouse_of(tmp_path, models)
    say(warehouse, vendor, price("B", "2024-01-03", "7"))
    assert seen(warehouse) == {"rows": 1, "above": 1, "both": 1}
    is_whole(warehouse, models)
    say(warehouse, vendor, price("B", "2024-01-03", "7", 1))  # it leaves gold.rows
    assert seen(warehouse) == {"rows": 0, "above": 0, "both": 0}
    is_whole(warehouse, models)


@pytest.mark.usefixtures("small")
def test_a_table_that_was_not_built_with_its_source_is_computed_whole(tmp_path: Path) -> None:
    """It failed then, so what it lacks is more than what changed in this run."""
    above = GoldModel(
        name="above", key=("s", "d"), sql="SELECT s, d, x FROM gold.rows", tests=(AcceptedRange(column="x", high=900),)
    )
    models = [*models_of("rows"), above]
    warehouse, vendor = warehouse_of(tmp_path, models)
    vendor.says([price("B", "2024-01-03", "5000"), price("A", "2024-01-02", "8")])
    assert len(warehouse.run(hours_later=24).failures) == 1
    say(warehouse, vendor, price("B", "2024-01-03", "9"))
    assert seen(warehouse) == {"rows": 1, "above": 20}
    is_whole(warehouse, models)


@pytest.mark.usefixtures("small")
def test_tests_see_what_a_part_does_to_the_rest(tmp_path: Path) -> None:
    twice = GoldModel(name="t", key=("s", "d"), sql=SHAPES["rows"][0], tests=(Unique(columns=("x",)),))
    warehouse, vendor = warehouse_of(tmp_path, [twice])
    before = rows(warehouse, "t")
    vendor.says([price("B", "2024-01-03", "65.1")])  # what A has on the first day
    (failure,) = warehouse.run(hours_later=24).failures
    assert "unique:x failed on 1 row" in failure.what
    assert rows(warehouse, "t") == before
    assert warehouse.ask("SELECT test, failing_rows FROM ops.gold_tests WHERE failing_rows > 0") == [("unique:x", 1)]
    say(warehouse, vendor, price("B", "2024-01-03", "65.15"))
    is_whole(warehouse, [twice])


@pytest.mark.usefixtures("small")
def test_rows_that_did_not_change_are_missed_by_a_parent_that_goes(tmp_path: Path) -> None:
    parent = GoldModel(name="parent", key=("s", "d"), sql="SELECT symbol AS s, date AS d FROM silver.names")
    child = GoldModel(
        name="child",
        key=("s", "d"),
        sql=f"SELECT symbol AS s, date AS d, close AS x FROM {P} WHERE symbol < 'C' AND date < '2024-01-03'",
        tests=(ForeignKey(columns=("s", "d"), to="parent", to_columns=("s", "d")),),
    )
    listed = [price(symbol, f"2024-01-0{day}") for symbol in "AB" for day in (1, 2)]
    warehouse, vendor = warehouse_of(tmp_path, [parent])
    vendor.entries[1] = entry(dataset="names", silver_table="names", semantics="snapshot", shrink_share_max=0.9)
    vendor.says(listed, dataset="names")
    vendor.models = [parent, child]
    say(warehouse, vendor, price("A", "2024-01-01", "2"))
    vendor.says(listed[:-1], dataset="names")
    vendor.says([price("A", "2024-01-01", "3")])
    (failure,) = warehouse.run(hours_later=24).failures
    assert "failed on 1 row" in failure.what, "B of the second day, of which nothing was said"
    vendor.says(listed, dataset="names")
    say(warehouse, vendor, price("A", "2024-01-01", "4"))
    assert seen(warehouse)["child"] == 1
    is_whole(warehouse, [parent, child])


@pytest.mark.usefixtures("small")
def test_a_row_whose_key_would_become_null_fails_as_it_does_in_the_whole(tmp_path: Path) -> None:
    """It belongs to no part: the row of the other table is there as before, without one that it is joined to."""
    model = GoldModel(
        name="t",
        key=("s", "d"),
        sql=f"SELECT p.symbol AS s, p.date AS d, n.volume AS x FROM {P} AS p RIGHT JOIN silver.names AS n "
        "ON n.symbol = p.symbol AND n.date = p.date",
    )
    warehouse, vendor = warehouse_of(tmp_path, [model], semantics="snapshot", shrink_share_max=0.9)
    vendor.says([each for each in usual_prices() if (each["symbol"], each["date"]) != ("A", "2024-01-01")])
    (failure,) = warehouse.run(hours_later=24).failures
    assert "not_null:s failed on 1 row" in failure.what


@pytest.mark.usefixtures("small")
def test_a_surrogate_key_and_the_last_date_are_those_of_the_whole(tmp_path: Path) -> None:
    models = models_of("rows", surrogate_key="id", date_column="d")
    warehouse, vendor = warehouse_of(tmp_path, models)
    say(warehouse, vendor, price("B", "2024-01-03", "7"))
    assert seen(warehouse) == {"rows": 1}
    assert warehouse.ask("SELECT watermark_date FROM ops.gold_watermarks WHERE table_name = 'rows'") == [
        (dt.date(2024, 1, 5),)
    ]
    is_whole(warehouse, models)


CHANGES = st.lists(
    st.lists(
        st.tuples(
            st.sampled_from("ABCDE"), st.integers(1, 7), st.integers(0, 3), st.sampled_from((1, 10)), st.integers(0, 2)
        ),
        min_size=1,
        max_size=4,
        unique_by=lambda each: each[:2],
    ),
    min_size=1,
    max_size=5,
)


@settings(max_examples=EXAMPLES)
@given(changes=CHANGES, is_list=st.booleans())
def test_after_any_changes_gold_is_what_its_select_gives(
    tmp_path_factory: pytest.TempPathFactory, changes: list[list[tuple[str, int, int, int, int]]], is_list: bool
) -> None:
    """Also rows that come late: their payload was fetched before another that was promoted already."""
    models = [
        *models_of(*(shape for shape, (_, columns) in SHAPES.items() if columns)),
        GoldModel(name="above", key=("s", "d"), sql="SELECT s, d, count(*) AS n FROM gold.sums GROUP BY ALL"),
    ]
    patch = pytest.MonkeyPatch()
    patch.setattr(changed, "ROWS_MIN", 0)
    patch.setattr(changed, "SHARE_MAX", 1.0)
    try:
        more = {"semantics": "snapshot", "shrink_share_max": 1.0} if is_list else {}
        warehouse, vendor = warehouse_of(tmp_path_factory.mktemp("any"), models, **more)
        for step in changes:
            said = [price(symbol, f"2024-01-0{day}", str(close), volume) for symbol, day, close, volume, _ in step]
            vendor.says(said)
            hold = step[0][4] == 0
            warehouse.run(hours_later=24, options=RunOptions(only=Layer.BRONZE) if hold else None)
            if not hold:
                is_whole(warehouse, models)
        warehouse.run(hours_later=24)
        is_whole(warehouse, models)
    finally:
        patch.undo()

"""A whole warehouse as it was known at a moment, panels of many moments, and the proof that gold looks not ahead."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import random
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import duckdb
import pytest
from hang import HANG_SECONDS
from warehouse import START, FakeVendor, Warehouse, entry, price
from warm_sbf import WARM

import sbf_core
from sbf_core.api import GoldModel, GoldSource, UsageError
from sbf_core.fetching.progress import Silence
from sbf_core.home.home import Home
from sbf_core.reports.as_of import look_back
from sbf_core.reports.lookahead import LookedAhead, looks_ahead
from sbf_core.runner.options import RunOptions

FORCED = RunOptions(force=True)
#: Of random histories; most of them behind ``slow``.
SEEDS = [0, 1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(2, 12))]
LASTS = GoldModel(
    name="lasts",
    key=("symbol",),
    sql="SELECT symbol, max(date) AS date, arg_max(close, date) AS close FROM silver.px GROUP BY 1",
)
MEANS = GoldModel(
    name="means",
    key=("symbol",),
    sql="SELECT l.symbol, count(*) AS days, avg(p.close) AS mean, any_value(l.close) AS last "
    "FROM gold.lasts AS l JOIN silver.px AS p USING (symbol) GROUP BY 1",
)


def _rows(conn: duckdb.DuckDBPyConnection, table: str) -> list[tuple[Any, ...]]:
    return conn.execute(f"FROM {table} ORDER BY ALL").fetchall()


def _at(warehouse: Warehouse, moment: dt.datetime) -> duckdb.DuckDBPyConnection:
    """What ``sbf_core.open`` does, with the test's plugins."""
    conn = sbf_core.open(warehouse.home)
    look_back(warehouse.opened(), conn, moment)
    return conn


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("semantics", ["upsert", "snapshot"])
def test_each_moment_is_as_it_was(tmp_path: Path, semantics: str, seed: int) -> None:
    """Whatever was revised, closed or brought back since: silver, its history and gold are what they were when the run
    of that moment ended.
    """
    choice = random.Random(seed)
    vendor = FakeVendor(entry(semantics=semantics, shrink_share_max=1.0))
    vendor.models = [LASTS, MEANS]
    warehouse = Warehouse(tmp_path / "home", vendor)
    was: dict[dt.datetime, dict[str, list[tuple[Any, ...]]]] = {}
    tables = ("silver.px", "silver.px_history", "gold.lasts", "gold.means")
    for _ in range(5):
        vendor.says(
            [
                price(symbol, f"2024-01-0{day}", choice.choice(("1.5", "2", "2.5", "N/A")))
                for symbol in "AB"
                for day in range(1, 5)
                if choice.random() < 0.7
            ]
            or [price("A", "2024-01-01")]
        )
        warehouse.run(hours_later=24, options=FORCED)
        with warehouse.open() as cursor:
            was[warehouse.clock.now()] = {table: _rows(cursor, table) for table in tables}
    for moment, rows in was.items():
        with _at(warehouse, moment) as conn:
            for table in tables:
                assert _rows(conn, table) == rows[table], (moment, table)
            earlier = min(was)
            assert _rows(conn, f"silver.px_as_of(TIMESTAMP '{earlier:%Y-%m-%d %H:%M:%S}')") == was[earlier]["silver.px"]
    with _at(warehouse, START - dt.timedelta(hours=1)) as conn:
        assert _rows(conn, "silver.px") == _rows(conn, "silver.px_history") == []


@pytest.fixture(scope="module")
def revised(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """A close of the second that was known on the third, and revised on the fifth."""
    vendor = FakeVendor(entry())
    vendor.models = [LASTS, MEANS, attrs.evolve(LASTS, name="dated", key=("symbol", "date"), date_column="date",
        sql="SELECT symbol, date, close FROM silver.px")]  # fmt: skip
    warehouse = Warehouse(tmp_path_factory.mktemp("revised") / "home", vendor)
    vendor.says([price("A", "2024-01-01", "1"), price("A", "2024-01-02", "2")])
    warehouse.run()
    vendor.says([price("A", "2024-01-02", "3"), price("A", "2024-01-03", "4"), price("B", "2024-01-03", "9")])
    warehouse.run(hours_later=48)
    return warehouse


def test_open_takes_a_moment_or_a_day(revised: Warehouse) -> None:
    for given, count in (
        ("2024-01-02", 2), ("2024-01-01", 0), (dt.date(2024, 1, 4), 4), (START, 2),
        (START - dt.timedelta(seconds=1), 0), ("2024-01-02T13:00:00+01:00", 2), ("2024-01-02T12:59:59+01:00", 0),
    ):  # fmt: skip
        with sbf_core.open(revised.home, as_of=given) as conn:
            assert conn.execute("SELECT count(*) FROM silver.px").fetchone() == (count,), given
    for wrong in (dt.datetime(2024, 1, 2), "2024-01-02 13:00", "yesterday"):
        with pytest.raises(UsageError, match="as_of"):
            sbf_core.open(revised.home, as_of=wrong)


def test_what_is_now_stays_beside_it_and_nothing_can_be_written_there(revised: Warehouse) -> None:
    with sbf_core.open(revised.home) as now, _at(revised, START) as then, _at(revised, START) as again:
        assert [one.execute("SELECT count(*) FROM silver.px").fetchone() for one in (now, then, again)] == [
            (4,), (2,), (2,),
        ]  # fmt: skip
        then.execute("CREATE TABLE mine AS FROM gold.lasts")  # in memory
        assert _rows(then, "mine") == [("A", dt.date(2024, 1, 2), Decimal(2))]
        (name,) = then.execute(
            "SELECT DISTINCT database_name FROM duckdb_tables() WHERE schema_name = 'ops'"
        ).fetchone() or ("",)
        assert then.execute(f'SELECT count(*) FROM "{name}".silver.px').fetchone() == (4,)
        with pytest.raises(duckdb.Error):
            then.execute(f'DELETE FROM "{name}".silver.px')
        with pytest.raises(duckdb.Error):
            then.execute("COPY (SELECT 1) TO 'out.csv'")
        with pytest.raises(duckdb.Error):
            then.execute("ATTACH 'other.duckdb'")


def test_gold_that_could_not_be_made_then_says_why(tmp_path: Path) -> None:
    vendor = FakeVendor(entry(), entry(dataset="other", silver_table="other"))
    both = GoldModel(
        name="both", key=("symbol",), sql="SELECT DISTINCT symbol FROM silver.px JOIN silver.other USING (symbol)"
    )
    ranked = GoldModel(
        name="ranked", key=("symbol",), sql="SELECT symbol, source_rank FROM bars",
        sources={"bars": [GoldSource(table="silver.other"), GoldSource(table="silver.px")]},
    )  # fmt: skip
    vendor.models = [both, ranked]
    warehouse = Warehouse(tmp_path / "home", vendor)
    vendor.says([price("A", "2024-01-01")])
    vendor.says(RuntimeError("down"), dataset="other")
    warehouse.run()
    vendor.says([price("A", "2024-01-01")], dataset="other")
    warehouse.run(hours_later=24)
    vendor.models = [ranked, GoldModel(name="new", key=("symbol",), sql="SELECT symbol FROM silver.px")]
    with _at(warehouse, START) as conn:
        assert _rows(conn, "gold.ranked") == [("A", 1)]  # the better source came later
        assert _rows(conn, "gold.new") == [("A",)]
        for query in ("FROM gold.both", "SELECT count(*) FROM gold.both"):
            with pytest.raises(duckdb.Error, match=r"gold\.both cannot be made .* no loaded plugin declares it"):
                conn.execute(query).fetchall()
    with _at(warehouse, START + dt.timedelta(hours=24)) as conn:
        assert _rows(conn, "gold.ranked") == [("A", 0), ("A", 1)]
    with _at(warehouse, START - dt.timedelta(hours=24)) as conn:
        assert _rows(conn, "gold.ranked") == []


def _naive(conn: duckdb.DuckDBPyConnection, moments: list[dt.datetime], *, day: bool) -> list[tuple[Any, ...]]:
    """The same as a panel by what is promised, a moment at a time."""
    rows: list[tuple[Any, ...]] = []
    for moment in moments:
        at = f"TIMESTAMP '{moment:%Y-%m-%d %H:%M:%S.%f}'"
        newest = "WHERE date <= $1 QUALIFY row_number() OVER (PARTITION BY symbol ORDER BY date DESC) = 1"
        sql = f"SELECT {at}, symbol, date, close, volume FROM silver.px_as_of({at}) "
        rows += conn.execute(sql + (newest if day else ""), [moment.date()] if day else []).fetchall()
    return sorted(rows, key=repr)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("has_day", [True, False])
def test_a_panel_is_what_was_known_on_each_day(tmp_path: Path, seed: int, has_day: bool) -> None:
    """Late rows, revisions, rows of days to come, rows that the vendor took back and brought again."""
    choice = random.Random(seed)
    columns = entry().columns
    if not has_day:
        columns = tuple(attrs.evolve(one, row_date=False) for one in columns)
    vendor = FakeVendor(entry(semantics="snapshot", columns=columns, shrink_share_max=1.0))
    warehouse = Warehouse(tmp_path / "home", vendor)
    for _ in range(6):
        vendor.says(
            [
                price(symbol, f"2024-01-{day:02}", choice.choice(("1.5", "2")), choice.choice((1, 2)))
                for symbol, day in itertools.product("ABC", (1, 3, 5, 7, 9, 20))
                if choice.random() < 0.5
            ]
            or [price("A", "2024-01-01")]
        )
        warehouse.run(hours_later=choice.choice((1, 24, 30)), options=FORCED)
    moments = [START + dt.timedelta(hours=6 * step) for step in range(-4, 40)]
    with sbf_core.open(warehouse.home) as conn:
        told = sbf_core.panel(conn, "silver.px", [*moments, moments[3]]).fetchall()
        assert sorted(told, key=repr) == _naive(conn, moments, day=has_day)
        assert told == sorted(told, key=lambda row: (row[0], row[1], row[2]))


def test_a_panel_of_one_series(tmp_path: Path) -> None:
    """Nothing but the day tells its rows apart; a row that was taken back gives way to the one before it."""
    columns = tuple(attrs.evolve(one, key=False) if one.name == "symbol" else one for one in entry().columns)
    vendor = FakeVendor(entry(columns=columns, semantics="snapshot", shrink_share_max=1.0))
    warehouse = Warehouse(tmp_path / "home", vendor)
    for rows in (("01", "1"), ("02", "2")), (("01", "1"),), (("01", "5"), ("03", "3")):
        vendor.says([price("A", f"2024-01-{day}", close) for day, close in rows])
        warehouse.run(hours_later=24, options=FORCED)
    with sbf_core.open(warehouse.home) as conn:
        days = ["2024-01-02", "2024-01-03", "2024-01-04", "2024-01-05"]
        told = sbf_core.panel(conn, "px", days, columns=["close"]).fetchall()
    assert [(one[0].day, one[1].day, one[2]) for one in told] == [(3, 2, 2), (4, 1, 1), (5, 3, 3)]


def test_a_table_that_was_renamed_is_there_under_both_names(tmp_path: Path) -> None:
    vendor = FakeVendor(entry())
    warehouse = Warehouse(tmp_path / "home", vendor)
    vendor.says([price("A", "2024-01-01")])
    warehouse.run()
    vendor.entries = [entry(silver_table="bars", renamed_from=("silver.px",), keep_view=True)]
    vendor.models = [GoldModel(name="old", key=("symbol",), sql="SELECT symbol FROM silver.px")]
    vendor.says([price("B", "2024-01-01")])
    warehouse.run(hours_later=24)
    for moment, symbols in ((START, ["A"]), (START + dt.timedelta(hours=24), ["A", "B"])):
        with _at(warehouse, moment) as conn:
            for table in ("silver.bars", "silver.px", "gold.old"):
                assert sorted(row[0] for row in _rows(conn, table)) == symbols, (moment, table)


def test_a_panel_has_the_columns_that_were_asked_for(revised: Warehouse) -> None:
    with sbf_core.open(revised.home) as conn:
        told = sbf_core.panel(conn, "px", ["2024-01-02", "2024-01-04"], columns=["close"])
        assert told.columns == ["as_of", "symbol", "date", "close"]
        last = dt.time.max
        assert told.fetchall() == [
            (dt.datetime.combine(dt.date(2024, 1, 2), last), "A", dt.date(2024, 1, 2), Decimal(2)),
            (dt.datetime.combine(dt.date(2024, 1, 4), last), "A", dt.date(2024, 1, 3), Decimal(4)),
            (dt.datetime.combine(dt.date(2024, 1, 4), last), "B", dt.date(2024, 1, 3), Decimal(9)),
        ]
        for arguments, why in (
            (("pxx", ["2024-01-02"]), "no silver table 'pxx'"),
            (("px", []), "no moment"),
            (("px", ["soon"]), "is no moment"),
        ):
            with pytest.raises(UsageError, match=why):
                sbf_core.panel(conn, *arguments)  # type: ignore[arg-type]
        with pytest.raises(UsageError, match=r"px has no column 'closed'.*'close'"):
            sbf_core.panel(conn, "px", ["2024-01-02"], columns=["closed"])
    with _at(revised, START) as conn, pytest.raises(UsageError, match="open at one"):
        sbf_core.panel(conn, "px", ["2024-01-02"])


def _looked(home: Home, table: str, **options: Any) -> list[LookedAhead]:
    with home.reading() as database:
        return looks_ahead(
            home, database.cursor, table, **{"days": 12, "days_later": 0, "progress": Silence(), **options}
        )


def test_gold_that_says_of_a_day_what_was_not_known_is_found(revised: Warehouse) -> None:
    home = revised.opened()
    first, second, third = _looked(home, "gold.dated")
    assert (first.day, first.rows, first.unknown, first.changed) == (dt.date(2024, 1, 1), 1, 1, 0)
    assert (second.rows, second.unknown, second.changed) == (1, 0, 1)
    assert second.example == "symbol=A, date=2024-01-02: close is 3.0000, then it was 2.0000"
    assert (third.rows, third.unknown) == (2, 2) and third.example == "symbol=A, date=2024-01-03 was not known"
    assert [one.is_clean for one in _looked(home, "dated", days_later=1)] == [True, False, True]
    assert [one.is_clean for one in _looked(home, "dated", days_later=2)] == [True, True, True]
    assert [one.day for one in _looked(home, "dated", days=2)] == [dt.date(2024, 1, 1), dt.date(2024, 1, 3)]
    assert [one.day for one in _looked(home, "dated", days=1)] == [dt.date(2024, 1, 3)]
    with pytest.raises(UsageError, match=r"nothing says of which day a row of gold\.lasts is.*dated"):
        _looked(home, "lasts")
    with pytest.raises(UsageError, match=r"no gold table 'datedd'.*'dated'"):
        _looked(home, "datedd")


def test_a_row_that_is_gone_is_told(tmp_path: Path) -> None:
    vendor = FakeVendor(entry(semantics="snapshot", shrink_share_max=1.0))
    vendor.models = [
        GoldModel(name="dated", key=("symbol", "date"), date_column="date", sql="SELECT symbol, date FROM silver.px")
    ]
    warehouse = Warehouse(tmp_path / "home", vendor)
    vendor.says([price("A", "2024-01-02"), price("B", "2024-01-02")])
    warehouse.run()
    vendor.says([price("A", "2024-01-02")])
    warehouse.run(hours_later=24)
    (one,) = _looked(warehouse.opened(), "dated")
    assert (one.rows, one.unknown, one.changed, one.gone, one.is_clean) == (1, 0, 0, 1, False)


def test_the_command_line_asks_and_proves(tmp_path: Path) -> None:
    """``sbf sql --as-of`` over the same views, and an exit code for scripts."""

    def told(*words: str) -> Any:
        return WARM.run([*words, "--home", "home"], cwd=tmp_path, env={}, timeout=HANG_SECONDS)

    assert told("run", "--replay", "sample").returncode == 0
    count = "SELECT count(*) FROM silver.ecb_reference_rate"
    assert json.loads(told("sql", count, "--as-of", "2026-10-29", "--json").stdout)["rows"] == [{"count_star()": 0}]
    assert json.loads(told("sql", count, "--as-of", "2026-10-30", "--json").stdout)["rows"] != [{"count_star()": 0}]
    done = told("sql", "SELECT 1", "--as-of", "soon")
    assert done.returncode == 2 and "--as-of 'soon' is no moment" in done.stderr
    clean = told("lookahead", "fact_fx_rate", "--days", "1", "--json")
    assert clean.returncode == 0 and json.loads(clean.stdout)["is_clean"] is True
    ahead = told("lookahead", "fact_fx_rate", "--days", "2")
    assert ahead.returncode == 1 and ahead.stdout.endswith("On 1 of 2 days it says what was not known then.\n")

"""Which rows a chart draws: thinned, in their places, and each value a real one."""

from __future__ import annotations

import datetime as dt
import math
import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import attrs
import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sbf_core.api import Chart, UsageError
from sbf_core.charts.axis import Period, XKind
from sbf_core.charts.catalog import TableChart, chart_named
from sbf_core.charts.plotted_rows import BARS_MAX, POINTS_MAX, Plotted, plotted
from sbf_core.charts.table import all_rows_of_chart, table_of_chart
from sbf_core.charts.view import View

MONDAY = dt.date(2024, 1, 1)
TYPES = {
    "date": "DATE",
    "ticker": "VARCHAR",
    "close": "DOUBLE",
    "open": "DOUBLE",
    "high": "DOUBLE",
    "low": "DOUBLE",
    "moment": "TIMESTAMP",
    "year": "BIGINT",
}


@pytest.fixture
def cursor() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("CREATE SCHEMA gold; CREATE SCHEMA silver")
        yield connection


def fill(cursor: duckdb.DuckDBPyConnection, rows: Sequence[Mapping[str, Any]], table: str = "gold.t") -> None:
    cursor.execute(f"CREATE OR REPLACE TABLE {table} ({', '.join(f'{name} {kind}' for name, kind in TYPES.items())})")
    if rows:
        names = list(rows[0])
        cursor.executemany(
            f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join('?' for _ in names)})",
            [list(row.values()) for row in rows],
        )


def drawn(
    cursor: duckdb.DuckDBPyConnection,
    view: View | None = None,
    *,
    table: str = "gold.t",
    with_values: bool = False,
    **chart: Any,
) -> Plotted:
    usual: dict[str, Any] = {"name": "c", "x": "date", "y": "close", "series": "ticker"}
    return plotted(
        cursor, TableChart(table=table, chart=Chart(**{**usual, **chart}), types=TYPES), view, with_values=with_values
    )


def series(
    name: str, values: Sequence[float], *, first: dt.date = MONDAY, weekdays: bool = False
) -> list[dict[str, Any]]:
    days = [first + dt.timedelta(days=number) for number in range(len(values) * 2 if weekdays else len(values))]
    days = [day for day in days if not weekdays or day.weekday() < 5][: len(values)]
    return [{"date": day, "ticker": name, "close": value} for day, value in zip(days, values, strict=True)]


# lines


def test_up_to_two_thousand_points_are_drawn_as_they_are(cursor: duckdb.DuckDBPyConnection) -> None:
    fill(cursor, series("A", [math.sin(place) for place in range(POINTS_MAX)]))
    found = drawn(cursor)
    assert len(found.marks) == found.points == POINTS_MAX
    assert found.notes == ()


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 2**32), st.integers(POINTS_MAX + 1, POINTS_MAX * 4), st.integers(1, 5), st.sampled_from((3, 10_000))
)
def test_a_thinned_line_keeps_its_ends_and_its_peaks_and_makes_nothing_up(
    seed: int, count: int, lines: int, different: int
) -> None:
    dice = random.Random(seed)
    values = [float(dice.randrange(-different, different)) for _ in range(count)]
    with duckdb.connect() as cursor:
        cursor.execute("CREATE SCHEMA gold")
        cursor.execute(
            "CREATE TABLE gold.t AS SELECT DATE '1990-01-01' + CAST(i // ? AS INTEGER) AS date, "
            "'S' || (i % ?) AS ticker, v AS close FROM (SELECT unnest(?) AS v, unnest(range(?)) AS i)",
            [lines, lines, values, len(values)],
        )
        found = drawn(cursor, View(series=tuple(f"S{number}" for number in range(lines))))
        source = set(cursor.execute("SELECT date, ticker, close FROM gold.t").fetchall())
        ends = cursor.execute(
            "SELECT ticker, min(date), max(date), min(close), max(close) FROM gold.t GROUP BY 1"
        ).fetchall()
    kept = {(mark["x"], mark["s"], mark["y"]) for mark in found.marks}
    assert kept <= source
    assert len(found.marks) == len(kept) <= POINTS_MAX
    for name, first, last, least, most in ends:
        own = [mark for mark in found.marks if mark["s"] == name]
        assert (own[0]["x"], own[-1]["x"]) == (first, last)
        assert (min(mark["y"] for mark in own), max(mark["y"] for mark in own)) == (least, most)
    assert f"{len(found.marks):,} of {len(values):,}" in found.notes[0]


def test_the_same_rows_always_give_the_same_points(cursor: duckdb.DuckDBPyConnection) -> None:
    fill(cursor, series("A", [float(place % 7) for place in range(5000)]))
    assert [drawn(cursor).marks for _ in range(3)][1:] == [drawn(cursor).marks] * 2


def test_wherever_one_thinned_line_has_a_mark_every_line_has_its_value(cursor: duckdb.DuckDBPyConnection) -> None:
    fill(
        cursor,
        [
            *series("A", [math.sin(place / 9) for place in range(3000)]),
            *series("B", [math.cos(place / 7) for place in range(3000)]),
        ],
    )
    found = drawn(cursor, with_values=True)
    places = {mark["p"] for mark in found.marks}
    assert len(found.values) == 2 * len(places)
    truth = {(row[0], row[1]): row[2] for row in cursor.execute("SELECT date, ticker, close FROM gold.t").fetchall()}
    assert all(truth[value["x"], value["s"]] == value["y"] for value in found.values)


def test_sessions_leave_no_gap_for_a_weekend_and_time_does(cursor: duckdb.DuckDBPyConnection) -> None:
    fill(cursor, series("A", [1.0, 2.0, 3.0, 4.0, 5.0, 6.0], weekdays=True))
    assert [mark["p"] for mark in drawn(cursor, sessions=True).marks] == [0, 1, 2, 3, 4, 5]
    days = [mark["p"] for mark in drawn(cursor).marks]
    assert [later - earlier for earlier, later in zip(days, days[1:], strict=False)] == [1, 1, 1, 1, 3]


def test_a_tick_of_sessions_stands_at_the_first_session_of_its_period(cursor: duckdb.DuckDBPyConnection) -> None:
    fill(cursor, series("A", [1.0] * 300, weekdays=True))
    found = drawn(cursor, sessions=True)
    at = {mark["p"]: mark["x"] for mark in found.marks}
    for position, text in found.axis.ticks:
        assert at[position].strftime("%b %Y") == text or (
            at[position].strftime("%Y") == text and at[position].month == 1
        )
    assert found.axis.kind is XKind.SESSIONS
    assert 3 <= len(found.axis.ticks) <= 9


def test_lines_of_several_columns(cursor: duckdb.DuckDBPyConnection) -> None:
    fill(
        cursor,
        [
            {"date": MONDAY, "open": 1.0, "close": 2.0},
            {"date": MONDAY + dt.timedelta(days=1), "open": None, "close": 3.0},
        ],
    )
    found = drawn(cursor, y=("open", "close"), series="")
    assert [(mark["s"], mark["y"]) for mark in found.marks] == [("close", 2.0), ("open", 1.0), ("close", 3.0)]
    assert found.series == ("open", "close")


def test_lines_that_begin_with_one_hundred(cursor: duckdb.DuckDBPyConnection) -> None:
    fill(cursor, [*series("A", [50.0, 75.0]), *series("B", [2.0, 1.0]), *series("C", [0.0, 4.0])])
    found = drawn(cursor, View(indexed=True))
    assert [(mark["s"], mark["y"]) for mark in found.marks] == [("A", 100), ("B", 100), ("A", 150), ("B", 50)]
    assert found.notes == ("C: begins with zero or less, and is left out.",)


def test_what_cannot_be_drawn_is_told(cursor: duckdb.DuckDBPyConnection) -> None:
    fill(cursor, [*series("A", [1.0, math.inf, math.nan, 4.0]), *series("A", [3.0])])
    found = drawn(cursor)
    assert [mark["y"] for mark in found.marks] == [2.0, 4.0]
    assert found.notes == (
        "1 places have several rows; their mean is drawn.",
        "2 values are infinite or no number and are not drawn.",
    )


# which part


def test_a_stretch_holds_both_of_its_days(cursor: duckdb.DuckDBPyConnection) -> None:
    fill(
        cursor,
        [
            {"moment": dt.datetime(2024, 1, day, hour), "ticker": "A", "close": day}
            for day in (1, 2, 3)
            for hour in (0, 23)
        ],
    )
    found = drawn(cursor, View(since=dt.date(2024, 1, 2), until=dt.date(2024, 1, 2)), x="moment")
    assert [mark["x"] for mark in found.marks] == [dt.datetime(2024, 1, 2, 0), dt.datetime(2024, 1, 2, 23)]


def test_a_declared_stretch_holds_until_another_is_asked_for(cursor: duckdb.DuckDBPyConnection) -> None:
    fill(cursor, series("A", [1.0] * 100))
    assert len(drawn(cursor, days=9).marks) == 10
    assert len(drawn(cursor, View(since=MONDAY), days=9).marks) == 100
    assert drawn(cursor, days=9).view.since == MONDAY + dt.timedelta(days=90)


def test_series_are_those_asked_for_else_declared_else_the_fullest(cursor: duckdb.DuckDBPyConnection) -> None:
    fill(cursor, [row for number, name in enumerate("ABCDEFG") for row in series(name, [1.0] * (10 + number))])
    assert drawn(cursor).series == ("G", "F", "E", "D", "C")
    assert drawn(cursor, shown=("B", "nosuch")).series == ("B",)
    assert drawn(cursor, View(series=("A", "C")), shown=("B",)).series == ("A", "C")
    assert drawn(cursor).series_known == ("G", "F", "E", "D", "C", "B", "A")


def test_silver_is_drawn_as_it_was_known(cursor: duckdb.DuckDBPyConnection) -> None:
    fill(cursor, series("A", [1.0, 2.0]), "silver.t")
    cursor.execute(
        "CREATE MACRO silver.t_as_of(ts) AS TABLE SELECT * REPLACE (close * 10 AS close) "
        "FROM silver.t WHERE ts >= TIMESTAMP '2024-06-01'"
    )
    assert [mark["y"] for mark in drawn(cursor, View(as_of=dt.datetime(2024, 7, 1)), table="silver.t").marks] == [
        10.0,
        20.0,
    ]
    assert drawn(cursor, View(as_of=dt.datetime(2024, 5, 1)), table="silver.t").marks == []


@pytest.mark.parametrize(
    ("view", "chart", "code"),
    [
        ({"series": ("Z",)}, {}, "UNKNOWN_SERIES"), ({"series": ("A",)}, {"series": ""}, "SERIES"),
        ({"as_of": dt.datetime(2024, 1, 1)}, {}, "AS_OF"),
        ({"indexed": True}, {"kind": "bar"}, "INDEX"), ({"since": MONDAY}, {"x": "year"}, "STRETCH"),
        ({"series": ("A", "B")}, {"kind": "candles"}, "SERIES"),
    ],
)  # fmt: skip
def test_a_part_that_makes_no_sense_is_refused(
    cursor: duckdb.DuckDBPyConnection, view: dict[str, Any], chart: dict[str, Any], code: str
) -> None:
    fill(cursor, [{**row, "open": 1.0, "high": 1.0, "low": 1.0} for row in (*series("A", [1.0]), *series("B", [1.0]))])
    with pytest.raises(UsageError) as caught:
        drawn(cursor, View(**view), **chart)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("names", "chart", "told"),
    [
        ("ABC", {}, "it has C, A, B"),
        ("ABCDEFGHIJKL", {}, "it has C, A, B, D, E, F, G, H, I, J and 2 more, see `sbf sql 'SELECT"),
        ("ABC", {"y": ("close", "open"), "series": ""}, "it has close, open"),
        (
            "ABCDEFGHIJKL",
            {"kind": "heatmap", "y": "ticker", "value": "close", "series": ""},
            'it has C, A, B, D, E, F, G, H, I, J and 2 more, see `sbf sql \'SELECT DISTINCT "ticker" FROM gold."t"',
        ),
        ("", {}, "it has no rows"),
    ],
)
def test_a_series_that_is_not_there_is_told_with_those_that_are(
    cursor: duckdb.DuckDBPyConnection, names: str, chart: dict[str, Any], told: str
) -> None:
    fill(cursor, [row for name in names for row in series(name, [1.0, 2.0] if name == "C" else [1.0])])
    with pytest.raises(UsageError) as caught:
        drawn(cursor, View(series=("nowhere",)), **chart)
    assert caught.value.fix.startswith(told)
    assert caught.value.fix == told or "more" in told


def test_a_view_says_what_is_wrong_with_it() -> None:
    with pytest.raises(UsageError, match="ends before"):
        View(since=dt.date(2024, 2, 1), until=dt.date(2024, 1, 1))
    with pytest.raises(UsageError, match="9 series"):
        View(series=tuple("ABCDEFGHI"))


# bars, candles, heat maps


@pytest.mark.parametrize(("total", "wanted"), [("sum", 21.0), ("mean", 3.0), ("last", 6.0), ("largest", 6.0)])
def test_a_bar_of_a_longer_period_is_the_total_that_was_declared(
    cursor: duckdb.DuckDBPyConnection, total: str, wanted: float
) -> None:
    fill(cursor, series("A", [float(place % 7) for place in range(7 * 100)]))
    found = drawn(cursor, kind="bar", total=total)
    assert found.period is Period.WEEK
    assert {mark["y"] for mark in found.marks} == {wanted}
    assert len(found.marks) == 100
    assert "of a week" in found.notes[0]


def test_as_many_bars_as_have_room_are_drawn_as_they_are(cursor: duckdb.DuckDBPyConnection) -> None:
    fill(cursor, series("A", [1.0] * BARS_MAX))
    assert drawn(cursor, kind="bar").period is Period.ROW
    fill(cursor, series("A", [1.0] * (BARS_MAX + 1)))
    assert drawn(cursor, kind="bar").period is Period.WEEK


def test_bars_of_many_texts_say_how_many_are_left_out(cursor: duckdb.DuckDBPyConnection) -> None:
    fill(cursor, [{"ticker": f"T{number:03}", "close": 1.0} for number in range(75)])
    found = drawn(cursor, kind="bar", x="ticker", series="")
    assert [mark["x"] for mark in found.marks] == [f"T{number:03}" for number in range(60)]
    assert found.notes == ("The first 60 of 75 are drawn.",)
    assert found.axis.kind is XKind.TEXT


def test_a_candle_of_a_week_is_its_first_highest_lowest_and_last(cursor: duckdb.DuckDBPyConnection) -> None:
    days = [MONDAY + dt.timedelta(days=number) for number in range(700)]
    rows = [
        {
            "date": day,
            "ticker": "A",
            "open": place % 13 + 1.0,
            "high": place % 13 + 9.0,
            "low": place % 5 - 4.0,
            "close": place % 11 + 2.0,
        }
        for place, day in enumerate(days)
    ]
    fill(cursor, rows)
    found = drawn(cursor, kind="candles", y=(), sessions=True)
    assert found.period is Period.WEEK
    for mark in found.marks:
        week = [row for row in rows if mark["x"] <= row["date"] < mark["x"] + dt.timedelta(days=7)]
        wanted = (week[0]["open"], max(row["high"] for row in week), min(row["low"] for row in week), week[-1]["close"])
        assert (mark["open"], mark["high"], mark["low"], mark["close"]) == wanted
    assert [mark["p"] for mark in found.marks] == list(range(100))


def test_candles_that_cannot_be_drawn_are_told(cursor: duckdb.DuckDBPyConnection) -> None:
    good = {"date": MONDAY, "ticker": "A", "open": 1.0, "high": 2.0, "low": 0.5, "close": 1.5}
    fill(cursor, [good, {**good, "date": MONDAY + dt.timedelta(days=1), "high": math.inf}])
    found = drawn(cursor, kind="candles", y=())
    assert len(found.marks) == 1
    assert found.notes == ("1 values are infinite or no number and are not drawn.",)


def test_no_more_series_are_drawn_than_can_be_told_apart(cursor: duckdb.DuckDBPyConnection) -> None:
    fill(cursor, [row for name in "ABCDEFGHIJKL" for row in series(name, [1.0, 2.0])])
    assert drawn(cursor, shown=tuple("ABCDEFGHIJ")).series == tuple("ABCDEFGH")
    fill(cursor, [{"date": MONDAY, "open": 1.0, "high": 1.0, "low": 1.0, "close": 1.0, "year": 1}])
    assert len(drawn(cursor, y=("open", "high", "low", "close", "year"), series="").series) == 5


def test_a_heat_map_has_a_cell_for_each_period_and_row(cursor: duckdb.DuckDBPyConnection) -> None:
    fill(cursor, [*series("B", [1.0] * 400), *series("A", [-1.0] * 40)])
    found = drawn(cursor, kind="heatmap", y="ticker", value="close", series="")
    assert found.period is Period.MONTH
    assert found.series == ("A", "B")
    assert [(mark["q"], mark["y"]) for mark in found.marks][:3] == [(0, -31.0), (0, -9.0), (1, 31.0)]
    one = drawn(cursor, View(series=("B",)), kind="heatmap", y="ticker", value="close", series="")
    assert one.series == ("B",)


def test_a_heat_map_has_as_many_rows_and_columns_as_have_room(cursor: duckdb.DuckDBPyConnection) -> None:
    fill(
        cursor,
        [{"year": year, "ticker": f"T{number:02}", "close": 1.0} for number in range(45) for year in range(1900, 1960)],
    )
    found = drawn(cursor, kind="heatmap", x="year", y="ticker", value="close", series="")
    assert found.series == tuple(f"T{number:02}" for number in range(40))
    assert len(found.marks) == 40 * 48 <= POINTS_MAX
    assert found.notes == ("The first 48 of 60 are drawn.", "The first 40 of 45 rows are drawn; name others.")


def test_rows_for_a_specification_of_its_own_are_thinned_evenly(cursor: duckdb.DuckDBPyConnection) -> None:
    fill(cursor, series("A", [float(place) for place in range(5000)]))
    found = drawn(cursor, kind="own", spec={"mark": "point"}, columns=("low",))
    assert [mark["close"] for mark in found.marks[:3]] == [0.0, 3.0, 6.0]
    assert set(found.marks[0]) == {"date", "close", "ticker", "low"}
    assert len(found.marks) <= POINTS_MAX
    assert "one of 3" in found.notes[0]


@pytest.mark.parametrize("kind", ["line", "bar", "candles", "heatmap", "own"])
def test_an_empty_table_has_an_empty_chart(cursor: duckdb.DuckDBPyConnection, kind: str) -> None:
    fill(cursor, [])
    found = drawn(
        cursor,
        kind=kind,
        value="close",
        y="ticker" if kind == "heatmap" else "close",
        spec={"mark": "point"} if kind == "own" else {},
    )
    assert list(found.marks) == []
    assert table_of_chart(cursor, found, limit=10)[0].rows == ()


# the numbers beside a chart


def test_the_table_has_every_row_of_a_thinned_chart(cursor: duckdb.DuckDBPyConnection) -> None:
    fill(cursor, [*series("A", [float(place) for place in range(3000)]), *series("B", [1.0] * 10)])
    found = drawn(cursor)
    table, total = table_of_chart(cursor, found, limit=2, offset=2990)
    assert total == 3000
    assert table.headers == ("date", "A", "B")
    assert table.rows == (("2024-01-10", 9.0, 1.0), ("2024-01-09", 8.0, 1.0))
    names, parts = all_rows_of_chart(cursor, found)
    rows = [row for part in parts for row in part]
    assert names == ("date", "A", "B")
    assert len(rows) == 3000
    assert rows[0] == (MONDAY, 0.0, 1.0)


# names


def test_a_chart_is_found_by_its_id_or_its_name_and_gold_goes_first() -> None:
    chart = Chart(name="rates", x="date", y="close")
    known = [TableChart(table=table, chart=chart, types=TYPES) for table in ("silver.a", "gold.b", "silver.c")] + [
        TableChart(table="silver.a", chart=attrs.evolve(chart, name="own"), types=TYPES)
    ]
    assert chart_named("silver.c/rates", known).table == "silver.c"
    assert chart_named("c/rates", known).table == "silver.c"
    assert chart_named("rates", known).table == "gold.b"
    assert chart_named("own", known).table == "silver.a"
    with pytest.raises(UsageError, match="means 2 charts"):
        chart_named("rates", [known[0], known[2]])
    with pytest.raises(UsageError, match=r"did you mean 'gold\.b/rates'"):
        chart_named("gold.b/rate", known)

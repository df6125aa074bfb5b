"""Rows that an answer lacks although it speaks about their days: closed where that is declared,
told of where nothing is.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from warehouse import START, Warehouse, counts_add_up, entry, price

from sbf_core.api import DatasetKeymapEntry, RestRecipe, RunRequest, RunResult, UsageError, column, hookimpl
from sbf_core.care.rebuild import rebuild
from sbf_core.care.verify import Verification
from sbf_core.clock import FixedClock
from sbf_core.ops.rows import BronzeManifestRow
from sbf_core.runner.options import RunOptions
from sbf_core.runner.promotion_batches import batches, lacks_parts
from sbf_core.vocabulary import Layer

FIRST = dt.date(2023, 12, 20)
TICKERS = ["A", "B"]


class Holder:
    """Gives what it holds of the days and the ticker that it is asked for, in as many parts as it likes."""

    def __init__(self, **declared: Any) -> None:
        usual = {
            "scope": "per_ticker",
            "first_date": FIRST,
            "lookback_days": 8,
            "answers": "whole",
            "refresh_after_hours": 0,
        }
        self.entry = entry(**{**usual, **declared})
        self.rows: dict[tuple[str, str], int] = {}
        self.parts = 1
        self.torn: tuple[bytes, int] | None = None  # what stands before the second part, and how much of it comes
        self.more: list[dict[str, object]] = []
        self.clock = FixedClock(START)
        #: Each answer: ticker, first and last day, rows by day.
        self.answers: list[tuple[str, str, str, dict[str, int]]] = []

    @hookimpl
    def datasets(self) -> Sequence[DatasetKeymapEntry]:
        return [self.entry]

    @hookimpl
    def fetch(self, entry: DatasetKeymapEntry, request: RunRequest) -> list[RunResult]:
        ticker, first, last = request.ticker or "A", str(request.from_date), str(request.to_date)
        held = {
            day: value
            for (symbol, day), value in sorted(self.rows.items())
            if symbol == ticker and first <= day <= last
        }
        self.answers.append((ticker, first, last, held))
        rows = [*(price(ticker, day, volume=value) for day, value in held.items()), *self.more]
        return [
            RunResult(
                request=request,
                address=f"fake://{request.key}/{part}",
                payload=self.payload(rows, part),
                fetched_at=self.clock.now(),
            )
            for part in range(self.parts)
        ]

    def payload(self, rows: Sequence[object], part: int) -> bytes:
        whole = json.dumps(rows[part :: self.parts]).encode()
        return whole if self.torn is None or part != 1 else self.torn[0] + whole[: self.torn[1]]


def home(tmp_path: Path, **declared: Any) -> tuple[Warehouse, Holder]:
    vendor = Holder(**declared)
    warehouse = Warehouse(tmp_path / "home", vendor)
    vendor.clock = warehouse.clock
    return warehouse, vendor


def day(number: int) -> str:
    """Days before the first run are negative."""
    return str(START.date() + dt.timedelta(days=number))


def held(warehouse: Warehouse) -> dict[tuple[str, str], int]:
    return {
        (symbol, str(date)): volume
        for symbol, date, volume in warehouse.ask("SELECT symbol, date, volume FROM silver.px")
    }


def test_a_row_that_was_withdrawn_is_current_no_more_and_in_history(tmp_path: Path) -> None:
    warehouse, vendor = home(tmp_path)
    vendor.rows = {(ticker, day(number)): number for ticker in TICKERS for number in range(-10, 0)}
    warehouse.run(universe__tickers=TICKERS)
    moment = warehouse.clock.now()
    before = dict(vendor.rows)
    del vendor.rows["A", day(-3)], vendor.rows["A", day(-9)]  # one of them lies before the look-back
    context = warehouse.run(hours_later=24, universe__tickers=TICKERS)
    assert (context.errors, context.notes) == ([], [])
    assert held(warehouse) == {**vendor.rows, ("A", day(-9)): -9}
    (row,) = warehouse.ask(
        "SELECT symbol, CAST(date AS VARCHAR), known_to - known_from FROM silver.px_history WHERE NOT _deleted"
    )
    assert row == ("A", day(-3), dt.timedelta(days=1))
    known = warehouse.ask(
        f"SELECT symbol, CAST(date AS VARCHAR), volume FROM silver.px_as_of(TIMESTAMP '{moment:%Y-%m-%d %H:%M:%S}')"
    )
    assert {(symbol, date): volume for symbol, date, volume in known} == before
    assert warehouse.ask("SELECT sum(rows_closed) FROM ops.promotion_manifest") == [(1,)]
    vendor.rows["A", day(-3)] = 77
    warehouse.run(hours_later=24, universe__tickers=TICKERS)
    assert held(warehouse)["A", day(-3)] == 77
    counts_add_up(warehouse)


@pytest.mark.parametrize(("answers", "noted"), [(None, True), ("changes", False)])
def test_a_row_that_did_not_come_again_is_told_of_unless_answers_hold_changes(
    tmp_path: Path, answers: str | None, noted: bool
) -> None:
    recipe = RestRecipe(url="https://fake.example/{ticker}?from={from_date}&to={to_date}")
    warehouse, vendor = home(tmp_path, answers=answers, recipe=recipe)
    vendor.rows = {("A", day(number)): number for number in range(-10, 0)}
    assert warehouse.run(universe__tickers=["A"]).notes == []
    del vendor.rows["A", day(-3)], vendor.rows["A", day(-2)]
    notes = warehouse.run(hours_later=24, universe__tickers=["A"]).notes
    assert [("2 rows of days that were asked for did not come again" in note, day(-3) in note) for note in notes] == [
        (True, True)
    ] * noted
    assert len(held(warehouse)) == 10


def test_the_parts_of_an_answer_are_one_answer(tmp_path: Path) -> None:
    warehouse, vendor = home(tmp_path)
    vendor.rows = {("A", day(number)): number for number in range(-7, 0)}
    vendor.parts = 3
    warehouse.run(universe__tickers=["A"])
    assert held(warehouse) == vendor.rows
    del vendor.rows["A", day(-4)]
    warehouse.run(hours_later=24, universe__tickers=["A"])
    assert held(warehouse) == vendor.rows


@pytest.mark.parametrize("torn", [(b"", -9), (b"<html>", 0)], ids=["cut", "a page"])
def test_an_answer_of_which_a_part_cannot_be_read_closes_nothing(tmp_path: Path, torn: tuple[bytes, int]) -> None:
    warehouse, vendor = home(tmp_path)
    vendor.rows = {("A", day(number)): number for number in range(-7, 0)}
    vendor.parts, before = 3, dict(vendor.rows)
    warehouse.run(universe__tickers=["A"])
    vendor.rows["A", day(-7)] = 70
    vendor.torn = torn
    (error,) = warehouse.run(hours_later=24, universe__tickers=["A"]).errors
    assert "is cut short" in error or "starts with '<html>'" in error
    assert held(warehouse) == {**before, ("A", day(-7)): 70}
    vendor.torn = None
    del vendor.rows["A", day(-4)]
    warehouse.run(hours_later=24, universe__tickers=["A"])
    assert held(warehouse) == vendor.rows


def test_an_answer_that_lacks_too_much_is_refused(tmp_path: Path) -> None:
    warehouse, vendor = home(tmp_path, lookback_days=60, first_date=dt.date(2023, 11, 1), shrink_share_max=0.2)
    vendor.rows = {("A", day(number)): number for number in range(-40, 0)}
    warehouse.run(universe__tickers=["A"])
    before = dict(vendor.rows)
    vendor.rows = {key: value for key, value in before.items() if value % 2}
    (error,) = warehouse.run(hours_later=24, universe__tickers=["A"]).errors
    assert "20 of 40 rows are gone" in error
    assert held(warehouse) == before


def test_an_answer_without_a_row_closes_nothing(tmp_path: Path) -> None:
    rules = attrs.evolve(entry().is_data, may_be_empty=True)
    warehouse, vendor = home(tmp_path, is_data=rules)
    assert warehouse.run(universe__tickers=["A"]).notes == [], "there is no row that it speaks about"
    vendor.rows = {("A", day(-2)): 1}
    warehouse.run(hours_later=12, universe__tickers=["A"])
    vendor.rows = {}
    context = warehouse.run(hours_later=24, universe__tickers=["A"])
    assert context.errors == []
    (note,) = context.notes
    assert f"closes nothing: 1 row that it speaks about (symbol A, date {day(-2)}) stay as they are" in note
    assert held(warehouse) == {("A", day(-2)): 1}


def test_a_row_that_cannot_be_read_has_not_vanished(tmp_path: Path) -> None:
    warehouse, vendor = home(tmp_path, reject_share_max=1)
    vendor.rows = {("A", day(number)): number for number in (-3, -2)}
    warehouse.run(universe__tickers=["A"])
    before = dict(vendor.rows)
    del vendor.rows["A", day(-3)]
    vendor.more = [price("A", day(-3), volume="many")]
    assert warehouse.run(hours_later=24, universe__tickers=["A"]).rows_rejected == 1
    assert held(warehouse) == before
    vendor.more = [price("A", "some day")]
    (error,) = warehouse.run(hours_later=24, universe__tickers=["A"]).errors
    assert "nobody knows what is gone" in error


@attrs.frozen
class Tick:
    moment: dt.datetime = column(key=True, row_date=True, zone="America/New_York")
    price: int = column()


def test_the_day_of_a_moment_is_that_of_its_zone(tmp_path: Path) -> None:
    """21:00 in New York is the next day in UTC; it is no row of the days that were asked for."""
    warehouse, vendor = home(tmp_path, columns=Tick, scope="global")

    def run(rows: dict[str, int], since: int, until: int) -> list[tuple[int]]:
        vendor.more = [{"moment": moment, "price": value} for moment, value in rows.items()]
        days = RunOptions(since=dt.date(2023, 12, since), until=dt.date(2023, 12, until), force=True)
        assert warehouse.run(hours_later=1, options=days).errors == []
        return warehouse.ask("SELECT price FROM silver.px ORDER BY price")

    assert run({"2023-12-30T21:00:00": 1, "2023-12-31T09:00:00": 2}, 30, 31) == [(1,), (2,)]
    assert run({"2023-12-31T10:00:00": 3}, 31, 31) == [(1,), (3,)]
    assert run({"2023-12-30T10:00:00": 4}, 30, 30) == [(3,), (4,)]


@pytest.mark.parametrize(
    ("declared", "told"),
    [
        ({"semantics": "snapshot"}, "says so already"),
        ({"recipe": RestRecipe(url="https://fake.example/{ticker}")}, "asks for none"),
        (
            {"recipe": RestRecipe(url="https://fake.example/{ticker}?from={from_date}", tickers_per_request=5)},
            "tickers_per_request",
        ),
        ({"columns": [attrs.evolve(each, row_date=False) for each in entry().columns]}, "which day"),
        ({"answers": "everything"}, "answers 'everything'"),
    ],
)
def test_what_cannot_be_whole_is_refused(declared: dict[str, Any], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        Holder(**declared)


def manifest(
    number: int, ticker: str | None, first: int, last: int, *, part: int = 0, parts: int = 0
) -> BronzeManifestRow:
    return BronzeManifestRow(
        bronze_file_id=f"f{number}", run_id="r", domain="prices", source="fake", dataset="eod", ticker=ticker,
        from_date=dt.date(2024, 1, first), to_date=dt.date(2024, 1, last), address="", rel_path=f"p{number}",
        payload_hash="", content_length_bytes=1, extension="json", fetched_at=START + dt.timedelta(seconds=number),
        part=part, parts=parts,
    )  # fmt: skip


def test_answers_about_the_same_days_are_promoted_one_after_the_other() -> None:
    rows = [
        manifest(1, "A", 1, 9), manifest(2, "B", 1, 9), manifest(3, "A", 10, 12, part=1, parts=2),
        manifest(4, "C", 1, 9), manifest(5, "A", 10, 12, part=2, parts=2),
        manifest(6, "A", 12, 12), manifest(7, "B", 10, 11), manifest(8, None, 12, 12), manifest(9, None, 13, 13),
    ]  # fmt: skip
    found = [[row.bronze_file_id for row in batch] for batch in batches(Holder().entry, rows)]
    assert found == [["f1", "f2", "f4", "f3", "f5"], ["f6", "f7"], ["f8", "f9"]]
    assert lacks_parts(rows) == []
    assert [row.bronze_file_id for row in lacks_parts([row for row in rows if row.bronze_file_id != "f3"])] == ["f5"]
    assert [len(batch) for batch in batches(entry(), rows)] == [9], "where nothing is closed all go together"
    assert [len(batch) for batch in batches(entry(semantics="snapshot"), rows)] == [1, 1, 1, 2, 1, 1, 1, 1]


RUNS = st.lists(
    st.tuples(
        st.dictionaries(
            st.tuples(st.sampled_from(TICKERS), st.integers(-6, 6)), st.integers(0, 3), max_size=5
        ),  # new values
        st.sets(st.tuples(st.sampled_from(TICKERS), st.integers(-6, 6)), max_size=4),  # what is withdrawn
        st.integers(1, 2),  # parts
        st.sampled_from([True, True, False]),  # promoted at once
        st.integers(0, 2),  # days until then
    ),
    min_size=2,
    max_size=6,
)


@given(RUNS)
@settings(
    max_examples=8, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
)  # homes are too slow to shrink
def test_silver_is_what_the_answers_said(tmp_path_factory: pytest.TempPathFactory, runs: list[Any]) -> None:
    """A model: each answer settles its days of its ticker; in any order of fetching, promoting and making again."""
    warehouse, vendor = home(tmp_path_factory.mktemp("whole"), lookback_days=4)
    for values, withdrawn, parts, is_promoted, days in runs:
        vendor.rows |= {(ticker, day(number)): value for (ticker, number), value in values.items()}
        vendor.rows = {
            key: value
            for key, value in vendor.rows.items()
            if key not in {(ticker, day(number)) for ticker, number in withdrawn}
        }
        vendor.parts = parts if len(vendor.rows) > 1 else 1
        vendor.more = [
            price("A", "2023-12-20", volume=len(vendor.answers)),
            price("B", "2023-12-20", volume=len(vendor.answers)),
        ]
        warehouse.run(
            hours_later=24 * days + 1,
            universe__tickers=TICKERS,
            options=RunOptions(force=True, only=None if is_promoted else Layer.BRONZE),
        )
    warehouse.run(hours_later=1, options=RunOptions(only=Layer.SILVER))
    expected: dict[tuple[str, str], int] = {}
    for ticker, first, last, found in vendor.answers:
        gone = {
            key
            for key in expected
            if key[0] == ticker and first <= key[1] <= last and key[1] not in found and key[1] != "2023-12-20"
        }
        expected = {key: value for key, value in expected.items() if key not in gone} | {
            (ticker, each): value for each, value in found.items()
        }
    assert {key: value for key, value in held(warehouse).items() if key[1] != "2023-12-20"} == expected
    manager = warehouse.opened().plugins
    every = "SELECT symbol, date, volume, known_from, known_to, _deleted FROM silver.px_history ORDER BY ALL"
    history = warehouse.ask(every)
    assert Verification(warehouse.opened(manager)).run().findings == []
    rebuild(warehouse.opened(manager))
    assert warehouse.ask(every) == history
    counts_add_up(warehouse)

"""Days are asked for until they are final: a vendor whose bars move while their day is not over, and real homes."""

from __future__ import annotations

import datetime as dt
import json
import os
import sys
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))
from indexed_coverage import agrees
from warehouse import FakeVendor, Warehouse, entry

from sbf_core.api import Cadence, Column, DataRules, RunResult, hookimpl
from sbf_core.care.rebuild import rebuild
from sbf_core.ops.coverage import final_stretches
from sbf_core.plugin.manager import PluginManager
from sbf_core.runner.options import RunOptions
from sbf_core.vocabulary import Layer

COLUMNS = (Column(name="date", type="DATE", key=True, row_date=True), Column(name="close", type="BIGINT"))
FIRST = dt.date(2023, 12, 28)
#: More by hand: FINAL_EXAMPLES=2000.
EXAMPLES = int(os.environ.get("FINAL_EXAMPLES", "8"))


class Exchange(FakeVendor):
    """Has a bar for each day, whose close is the hours since its midnight, and the last one when its day is over."""

    def __init__(self, *entries: Any) -> None:
        super().__init__(*entries)
        self.spans: list[tuple[str, str]] = []
        self.days: set[dt.date] = set()
        self.down: set[dt.date] = set()
        self.extra: list[dict[str, object]] = []

    @hookimpl
    def fetch(self, entry: Any, request: Any) -> Any:
        assert self.clock is not None
        now = self.clock.now().replace(tzinfo=None)
        self.spans.append((f"{request.from_date:%m-%d}", f"{request.to_date:%m-%d}"))
        days = [
            request.from_date + dt.timedelta(days=number)
            for number in range((request.to_date - request.from_date).days + 1)
        ]
        self.days |= set(days)
        if self.down & set(days):
            return RunResult(
                request=request,
                address="fake://",
                extension="json",
                fetched_at=self.clock.now(),
                error="down",
                kind="http_status",
            )
        rows = [
            {
                "date": f"{day}",
                "close": min(24, int((now - dt.datetime(day.year, day.month, day.day)).total_seconds() // 3600)),
            }
            for day in days
        ]
        payload = json.dumps([*rows, *self.extra]).encode()
        return RunResult(
            request=request,
            address=f"fake://{request.from_date}/{request.to_date}",
            payload=payload,
            extension="json",
            fetched_at=self.clock.now(),
        )


def exchange(folder: Path, **declared: Any) -> tuple[Warehouse, Exchange]:
    usual = {"columns": COLUMNS, "first_date": FIRST, "is_data": DataRules(may_be_empty=True)}
    vendor = Exchange(entry(**{**usual, **declared}))
    return Warehouse(folder / "home", vendor), vendor


def closes(warehouse: Warehouse) -> dict[str, int]:
    return {f"{day:%m-%d}": close for day, close in warehouse.ask("SELECT date, close FROM silver.px ORDER BY 1")}


def final(warehouse: Warehouse, vendor: FakeVendor) -> list[tuple[str, str]]:
    with warehouse.open() as cursor:
        agrees(cursor, vendor.entries[0])
        return [
            (f"{each.first:%m-%d}", f"{each.last:%m-%d}")
            for each in final_stretches(cursor, vendor.entries[0]).get(None, ())
        ]


def test_a_bar_of_a_day_that_was_not_over_is_asked_for_again(tmp_path: Path) -> None:
    """At noon and the next morning: the final close is there, and the day is not asked for a third time."""
    warehouse, vendor = exchange(tmp_path)
    warehouse.run()
    assert closes(warehouse)["01-02"] == 12
    assert final(warehouse, vendor) == [("12-28", "12-31")]
    warehouse.run(hours_later=21)
    assert closes(warehouse) == {
        "12-28": 24,
        "12-29": 24,
        "12-30": 24,
        "12-31": 24,
        "01-01": 24,
        "01-02": 24,
        "01-03": 9,
    }
    warehouse.run(hours_later=48)
    warehouse.run(hours_later=24)
    assert vendor.spans == [("12-28", "01-02"), ("01-01", "01-03"), ("01-02", "01-05"), ("01-04", "01-06")]
    assert closes(warehouse)["01-05"] == 24


def test_the_same_is_known_after_a_rebuild(tmp_path: Path) -> None:
    warehouse, vendor = exchange(tmp_path)
    for hours in (0, 24, 48, 20):
        warehouse.run(hours_later=hours)
    before = final(warehouse, vendor), [item.steps for item in warehouse.runner(RunOptions(force=True)).plan().requests]
    manager = PluginManager(())
    manager.register(vendor, name="fake")
    rebuild(warehouse.opened(manager))
    assert (
        final(warehouse, vendor),
        [item.steps for item in warehouse.runner(RunOptions(force=True)).plan().requests],
    ) == before


def test_an_answer_without_news_covers_its_days(tmp_path: Path) -> None:
    """The same bytes as before are stored once; that they came again, when the day had settled, counts."""
    warehouse, vendor = exchange(tmp_path)
    until = RunOptions(since=FIRST, until=dt.date(2024, 1, 1))
    assert warehouse.run(options=until).files == 1
    assert final(warehouse, vendor) == [("12-28", "12-31")]
    assert warehouse.run(hours_later=30, options=until).files == 0
    assert final(warehouse, vendor) == [("12-28", "01-01")]


def test_a_row_of_days_to_come_steers_nothing(tmp_path: Path) -> None:
    warehouse, vendor = exchange(tmp_path)
    vendor.extra = [{"date": "2062-01-01", "close": 1}]
    for hours in (0, 24, 24):
        warehouse.run(hours_later=hours)
    assert vendor.spans == [("12-28", "01-02"), ("01-01", "01-03"), ("01-02", "01-04")]


def test_holes_are_filled_and_an_earlier_first_date_brings_what_is_missing(tmp_path: Path) -> None:
    warehouse, vendor = exchange(tmp_path)
    warehouse.run()
    warehouse.run(hours_later=48, options=RunOptions(since=dt.date(2024, 1, 4)))
    vendor.spans.clear()
    vendor.entries = [attrs.evolve(vendor.entries[0], first_date=dt.date(2023, 12, 20))]
    warehouse.run(hours_later=48)
    assert vendor.spans == [("12-20", "12-27"), ("01-01", "01-06")]
    assert list(closes(warehouse)) == [f"12-{day}" for day in range(20, 32)] + [f"01-{day:02}" for day in range(1, 7)]


def test_what_failed_or_was_refused_is_not_covered(tmp_path: Path) -> None:
    warehouse, vendor = exchange(tmp_path)
    vendor.down = {dt.date(2023, 12, 30)}
    assert warehouse.run().failed_requests == 1
    assert final(warehouse, vendor) == []
    vendor.down, vendor.extra = set(), [{"date": "2024-13-01"}] * 9
    assert warehouse.run(hours_later=1).errors
    assert final(warehouse, vendor) == []
    vendor.extra = []
    warehouse.run(hours_later=1, options=RunOptions(force=True, only=Layer.BRONZE))
    assert final(warehouse, vendor) == [], "fetched and not promoted"
    warehouse.run(hours_later=1)
    assert final(warehouse, vendor) == [("12-28", "12-31")]


def test_what_was_refused_is_not_covered_because_it_comes_again(tmp_path: Path) -> None:
    """The bytes are known, and so not kept once more; no row of them is anywhere."""
    vendor = FakeVendor(entry(columns=COLUMNS, first_date=FIRST))
    warehouse = Warehouse(tmp_path / "home", vendor)
    vendor.says([{"date": "?", "close": 1}])
    assert warehouse.run().errors
    assert warehouse.run(hours_later=240).unchanged_files == 1
    assert final(warehouse, vendor) == []
    vendor.says([{"date": "2023-12-28", "close": 1}])
    warehouse.run(hours_later=24)
    assert (closes(warehouse), final(warehouse, vendor)) == ({"12-28": 1}, [("12-28", "01-11")])
    assert warehouse.run(hours_later=24).unchanged_files == 1
    assert final(warehouse, vendor) == [("12-28", "01-12")], "it counts where what came last was taken"


@pytest.mark.parametrize(("settles", "zone", "last"), [
    (0, "", "01-01"), (0.5, "", "01-01"), (0.51, "", "12-31"), (1, "", "12-31"), (3, "", "12-29"),
    (0, "Asia/Tokyo", "01-01"), (0, "Pacific/Kiritimati", "01-02"), (0.5, "America/New_York", "12-31"),
])  # fmt: skip
def test_a_day_is_over_in_its_zone_and_settles_afterwards(tmp_path: Path, settles: float, zone: str, last: str) -> None:
    """Asked at noon of 2 January 2024, UTC: in Kiritimati, 14 hours ahead, it is the third."""
    moment = Column(name="date", type="TIMESTAMP", zone=zone or "UTC", date_format="%Y-%m-%d", key=True, row_date=True)
    warehouse, vendor = exchange(tmp_path, columns=(moment, COLUMNS[1]), settles_after_days=settles)
    warehouse.run()
    assert final(warehouse, vendor) == [("12-28", last)]


def test_a_day_whose_rows_come_days_later_settles_after_they_came(tmp_path: Path) -> None:
    """On the morning of the third day half of its rows are there."""
    columns = (*COLUMNS, Column(name="name", type="VARCHAR", key=True))
    vendor = FakeVendor(entry(columns=columns, first_date=FIRST, cadence=Cadence(min_age_days=3)))
    warehouse = Warehouse(tmp_path / "home", vendor)
    half = [{"date": "2023-12-30", "close": 1, "name": "A"}]
    for hours, rows in ((0, half), (24, [*half, {"date": "2023-12-30", "close": 2, "name": "B"}])):
        vendor.says(rows)
        assert warehouse.run(hours_later=hours).errors == []
    with warehouse.open() as cursor:
        assert [each.last for each in final_stretches(cursor, vendor.entries[0])[None]] == [dt.date(2023, 12, 29)]
        agrees(cursor, vendor.entries[0])
    plan = warehouse.runner().plan().requests[0].request
    assert plan.from_date == dt.date(2023, 12, 30)


@pytest.mark.parametrize(("asked_at", "last"), [
    ("2024-03-10T10:30", "03-08"), ("2024-03-10T11:00", "03-09"),
    ("2024-11-03T09:30", "11-01"), ("2024-11-03T10:00", "11-02"),
])  # fmt: skip
def test_a_day_settles_for_as_long_in_the_night_in_which_clocks_change(
    tmp_path: Path, asked_at: str, last: str
) -> None:
    """Six hours after midnight in New York it was seven by the clock, or five."""
    day = Column(name="date", type="DATE", zone="America/New_York", key=True, row_date=True)
    warehouse, vendor = exchange(tmp_path, columns=(day, COLUMNS[1]), settles_after_days=0.25)
    now = dt.datetime.fromisoformat(f"{asked_at}+00:00")
    warehouse.run(hours_later=(now - warehouse.clock.now()).total_seconds() / 3600)
    assert final(warehouse, vendor) == [("12-28", last)]


@settings(max_examples=EXAMPLES, deadline=None, derandomize=EXAMPLES == 12)
@given(
    st.lists(
        st.tuples(st.integers(1, 60), st.sampled_from(["", "", "", "since", "down", "rebuild"])), min_size=1, max_size=8
    ),
    st.sampled_from([0.0, 1.0, 2.5]),
)
def test_in_the_end_every_close_is_final_and_no_final_day_was_asked_for_again(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[int, str]], settles: float
) -> None:
    """Any order of runs, outages, back-fills and rebuilds."""
    warehouse, vendor = exchange(tmp_path_factory.mktemp("any"), settles_after_days=settles, refresh_after_hours=1)
    known: set[dt.date] = set()
    for hours, what in [*steps, (24 * 5, ""), (1, "")]:
        if what == "rebuild" and warehouse.home.exists() and warehouse.bronze_files():
            manager = PluginManager(())
            manager.register(vendor, name="fake")
            rebuild(warehouse.opened(manager))
            continue
        vendor.days.clear()
        vendor.down = {(warehouse.clock.now() + dt.timedelta(hours=hours)).date()} if what == "down" else set()
        since = FIRST + dt.timedelta(days=2) if what == "since" else None
        warehouse.run(hours_later=hours, options=RunOptions(since=since))
        now = warehouse.clock.now()
        assert what == "since" or not vendor.days & known, "a final day was asked for again"
        if warehouse.home.joinpath("sbf.duckdb").exists():
            with warehouse.open() as cursor:
                agrees(cursor, vendor.entries[0])
                for each in final_stretches(cursor, vendor.entries[0]).get(None, ()):
                    known |= {
                        each.first + dt.timedelta(days=number) for number in range((each.last - each.first).days + 1)
                    }
        assert all(dt.datetime.combine(day, dt.time(), dt.UTC) + dt.timedelta(days=1 + settles) <= now for day in known)
    over = [FIRST + dt.timedelta(days=number) for number in range((warehouse.clock.now().date() - FIRST).days)]
    assert {day for day, close in closes(warehouse).items() if close == 24} == {f"{day:%m-%d}" for day in over}

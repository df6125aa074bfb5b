"""A made vendor against the plan: whatever happens in between, silver ends as the vendor has it,
and what is final is left alone.

The vendor has two series of days without weekends. Its bars move until their day is over; rows come late, are
corrected, withdrawn, and divided by splits; one series is unknown at first; answers are cut at a cap, hold rows dated
ahead, fail for some days, or are cut off in the middle of a run. Runs end at any fault point, settings change, the
database is made again.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import sys
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))
from indexed_coverage import agrees
from warehouse import FakeVendor, Warehouse, counts_add_up, entry

from sbf_core import faults
from sbf_core.api import Column, DataRules, FetchSession, RestRecipe, RunRequest, RunResult, fetch_by_recipe, hookimpl
from sbf_core.care.rebuild import rebuild
from sbf_core.ops.coverage import final_stretches
from sbf_core.plugin.manager import PluginManager
from sbf_core.runner.options import RunOptions

#: More by hand: COVERAGE_EXAMPLES=2000.
EXAMPLES = int(os.environ.get("COVERAGE_EXAMPLES", "6"))
FIRST = dt.date(2023, 12, 20)
TICKERS = ("AAA", "BBB")
CAP = 6
DAY = dt.timedelta(days=1)
COLUMNS = (
    Column(name="symbol", type="VARCHAR", key=True, source="request.ticker"),
    Column(name="date", type="DATE", key=True, row_date=True),
    Column(name="close", type="BIGINT"),
)
DECLARED = entry(
    columns=COLUMNS, scope="per_ticker", members=TICKERS, first_date=FIRST, horizon=1, refresh_after_hours=1,
    lookback_days=7, answers="whole", restated="series", is_data=DataRules(may_be_empty=True, none_status=(404,)),
    reject_share_max=1.0, shrink_share_max=1.0, unknown_after_days=0.5,
    recipe=RestRecipe(url="https://fake.example/{ticker}?f={from_date}&t={to_date}", rows_max=CAP),
)  # fmt: skip


#: Where a run may end, from asking to the copy for readers.
POINTS = [
    point
    for point in faults.FAULT_POINTS
    if point.split(".")[0] in ("recover", "run", "fetch", "bronze", "journal", "manifest", "promote", "publish")
]


class Stopped(BaseException):
    """As if the process had been killed."""


class Exchange(FakeVendor):
    """What the vendor has, and what it answers."""

    def __init__(self) -> None:
        super().__init__(DECLARED)
        self.factor = dict.fromkeys(TICKERS, 1)
        self.lacking: set[tuple[str, dt.date]] = set()
        self.corrected: dict[tuple[str, dt.date], int] = {}
        self.unknown = {"BBB"}
        self.down: set[dt.date] = set()
        self.ahead = False
        self.stops_after = 10**9
        self.asked: set[tuple[str, dt.date]] = set()

    def rows(self, ticker: str, now: dt.datetime) -> dict[dt.date, int]:
        """The truth, up to now."""
        found = {}
        for number in range((now.date() - FIRST).days + 1 + 40):
            day = FIRST - DAY * 40 + DAY * number
            if (
                day <= now.date()
                and day.weekday() < 5
                and (ticker, day) not in self.lacking
                and ticker not in self.unknown
            ):
                hours = min(24, int((now - dt.datetime.combine(day, dt.time(), dt.UTC)).total_seconds() // 3600))
                found[day] = (
                    self.corrected.get((ticker, day), 1000 + day.toordinal() % 100 + (hours if hours < 24 else 0))
                    * self.factor[ticker]
                )
        return found

    @hookimpl
    def fetch(self, entry: Any, request: RunRequest, http: FetchSession) -> Any:
        return fetch_by_recipe(entry, request, _Answers(self))

    def answer(self, request: RunRequest, url: str) -> RunResult:
        assert self.clock is not None
        assert request.ticker is not None
        now = self.clock.now()
        first, last = (dt.date.fromisoformat(part.partition("=")[2]) for part in url.partition("?")[2].split("&"))
        days = {first + DAY * number for number in range((last - first).days + 1)}
        self.asked |= {(request.ticker, day) for day in days}
        self.stops_after -= 1
        if self.stops_after < 0:
            raise Stopped
        said = {"request": request, "address": url, "fetched_at": now}
        if self.down & days:
            return RunResult(**said, error="down", kind="http_status")  # type: ignore[arg-type]
        found = {day: close for day, close in self.rows(request.ticker, now).items() if first <= day <= last}
        if request.ticker in self.unknown:
            return RunResult(**said, kind="none", status_code=404)  # type: ignore[arg-type]
        rows = [{"date": f"{day}", "close": close} for day, close in sorted(found.items())][:CAP]
        if self.ahead and len(rows) < CAP - 1:
            rows.append({"date": "2062-01-01", "close": 1})
        return RunResult(**said, payload=json.dumps(rows).encode())  # type: ignore[arg-type]


@attrs.frozen
class _Answers:
    vendor: Exchange

    def get(self, request: RunRequest, url: str, **asking: Any) -> RunResult:
        del asking
        return self.vendor.answer(request, url)

    def read(self, request: RunRequest, path: str, **asking: Any) -> RunResult:
        raise NotImplementedError


WHAT = (
    "run",
    "run",
    "run",
    "run",
    "late",
    "correct",
    "withdraw",
    "split",
    "known",
    "down",
    "ahead",
    "stop",
    "earlier",
    "settings",
    "since",
    "kill",
    "kill",
    "rebuild",
)
STEPS = st.lists(
    st.tuples(st.sampled_from(WHAT), st.integers(1, 40), st.sampled_from(TICKERS), st.integers(0, 2)),
    min_size=4,
    max_size=16,
)


def change(vendor: Exchange, what: str, ticker: str, day: dt.date) -> None:
    """Something happens at the vendor, to a day of the last three."""
    if what == "late":
        vendor.lacking.discard((ticker, day))
    elif what == "withdraw":
        vendor.lacking.add((ticker, day))
    elif what == "correct":
        vendor.corrected[ticker, day] = 5000 + len(vendor.corrected)
    elif what == "split":
        vendor.factor[ticker] *= 2
    elif what == "known":
        vendor.unknown.discard(ticker)
    elif what == "ahead":
        vendor.ahead = not vendor.ahead


def declare(vendor: Exchange, what: str, number: int) -> None:
    """The declaration changes in what it says of days."""
    declared = vendor.entries[0]
    if what == "earlier":
        declared = attrs.evolve(declared, first_date=max(declared.first_date - DAY * 5, FIRST - DAY * 20))
    elif what == "settings":
        declared = attrs.evolve(declared, settles_after_days=(0.5, 1, 2)[number], lookback_days=(7, 5, 10)[number])
    vendor.entries = [declared]


def run(warehouse: Warehouse, vendor: Exchange, fault: str = "", **options: Any) -> None:
    vendor.asked.clear()
    faults.arm(fault)
    try:
        warehouse.runner(RunOptions(**options)).run()
    except (Stopped, RuntimeError) as stopped:
        assert fault or isinstance(stopped, Stopped), stopped
        vendor.stops_after = 10**9
        return  # the next run looks after it
    finally:
        faults.arm("")
    with warehouse.open() as cursor:
        agrees(cursor, vendor.entries[0])


def final_days(warehouse: Warehouse, vendor: Exchange) -> set[tuple[str, dt.date]]:
    if not (warehouse.home / "sbf.duckdb").exists():
        return set()
    with warehouse.open() as cursor:
        found = final_stretches(cursor, vendor.entries[0])
    return {
        (str(ticker), each.first + DAY * number)
        for ticker, stretches in found.items()
        for each in stretches
        for number in range((each.last - each.first).days + 1)
    }


@settings(max_examples=EXAMPLES, deadline=None, derandomize=EXAMPLES == 10)
@given(STEPS)
@example(
    [("since", 1, "AAA", 0), ("split", 1, "AAA", 0), ("run", 1, "AAA", 0), ("run", 1, "AAA", 0)]
)  # only first and last days are asked for after the split
@example(
    [
        ("stop", 36, "AAA", 0), ("run", 9, "AAA", 0), ("run", 9, "AAA", 0), ("split", 26, "AAA", 0),
        ("run", 27, "AAA", 0), ("run", 16, "AAA", 0), ("run", 23, "AAA", 0), ("run", 30, "AAA", 2),
        ("run", 6, "AAA", 2), ("earlier", 22, "BBB", 0), ("rebuild", 30, "BBB", 0), ("earlier", 6, "BBB", 2),
        ("withdraw", 13, "AAA", 1),
    ]
)  # pages of a run's second answer are, at the same moment, those of its first: the journal lacked them  # fmt: skip
def test_silver_ends_as_the_vendor_has_it(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int, str, int]]
) -> None:
    vendor = Exchange()
    warehouse = Warehouse(tmp_path_factory.mktemp("any") / "home", vendor)
    for what, hours, ticker, back in steps:
        warehouse.clock.advance(hours=hours)
        today = warehouse.clock.now().date()
        if what == "rebuild":
            if warehouse.home.exists() and warehouse.bronze_files():
                manager = PluginManager(())
                manager.register(vendor, name="fake")
                rebuild(warehouse.opened(manager))
                with warehouse.open() as cursor:
                    agrees(cursor, vendor.entries[0])
            continue
        declare(vendor, what, back)
        change(vendor, what, ticker, today - DAY * back)
        vendor.down = {today - DAY * back} if what == "down" else set()
        vendor.stops_after = back if what == "stop" else 10**9
        fault = f"{POINTS[(hours * 3 + back) % len(POINTS)]}:{1 + back}:raise" if what == "kill" else ""
        run(warehouse, vendor, fault, since=FIRST + DAY * 3 if what == "since" else None)
        if (warehouse.home / "sbf.duckdb").exists():
            counts_add_up(warehouse)
    vendor.unknown, vendor.down, vendor.ahead, vendor.stops_after = set(), set(), False, 10**9
    for _ in range(3):
        warehouse.clock.advance(hours=30)
        run(warehouse, vendor)
    first = vendor.entries[0].first_date
    for ticker in TICKERS:
        wanted = [(day, close) for day, close in vendor.rows(ticker, warehouse.clock.now()).items() if day >= first]
        assert warehouse.ask("SELECT date, close FROM silver.px WHERE symbol = ? ORDER BY 1", [ticker]) == wanted, (
            ticker
        )
    final, newest = (
        final_days(warehouse, vendor),
        dict(warehouse.ask("SELECT symbol, max(date) FROM silver.px GROUP BY 1")),
    )
    warehouse.clock.advance(hours=2)
    run(warehouse, vendor)
    again = {
        (ticker, day)
        for ticker, day in vendor.asked & final
        if day < newest[ticker] - DAY * vendor.entries[0].lookback_days
    }
    assert not again, "days that are final, and behind the look-back, were asked for again"

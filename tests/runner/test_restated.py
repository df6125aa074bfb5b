"""A split after an incremental load: the vendor divides all earlier prices, and only the last days are asked for."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import pytest
from warehouse import START, Warehouse, entry

from sbf_core.api import DatasetKeymapEntry, RestRecipe, RunRequest, RunResult, UsageError, hookimpl
from sbf_core.care.rebuild import rebuild
from sbf_core.care.verify import Verification
from sbf_core.clock import FixedClock
from sbf_core.runner.options import RunOptions

FIRST = dt.date(2023, 11, 1)
TICKERS = ["AAA", "BBB"]


class SplittingVendor:
    """Gives the days that were asked for; after a split all of the past is divided."""

    def __init__(self, **declared: Any) -> None:
        usual = {
            "scope": "per_ticker",
            "lookback_days": 7,
            "first_date": FIRST,
            "restated_column": "close",
            "refresh_after_hours": 20,
        }
        self.entry = entry(**{**usual, **declared})
        self.divisor = dict.fromkeys(TICKERS, Decimal(1))
        self.corrected: dict[tuple[str, str], str] = {}
        self.down_after = 10**9
        self.asked: list[tuple[str, dt.date, dt.date]] = []
        self.clock = FixedClock(START)

    @hookimpl
    def datasets(self) -> Sequence[DatasetKeymapEntry]:
        return [self.entry]

    @hookimpl
    def fetch(self, entry: DatasetKeymapEntry, request: RunRequest) -> RunResult:
        del entry
        assert request.ticker is not None
        assert request.from_date is not None
        assert request.to_date is not None
        self.asked.append((request.ticker, request.from_date, request.to_date))
        self.clock.advance(hours=1 / 3600)  # pieces of a series do not come at one moment
        address = f"fake://{request.key}?from={request.from_date}&to={request.to_date}"
        if len(self.asked) > self.down_after:
            return RunResult(
                request=request, address=address, fetched_at=self.clock.now(), error="down", kind="connect"
            )
        days = [
            request.from_date + dt.timedelta(days=number)
            for number in range((request.to_date - request.from_date).days + 1)
        ]
        rows = [
            {"symbol": request.ticker, "date": f"{day}", "close": self.close(request.ticker, day), "volume": 1}
            for day in days
            if day.weekday() < 5
        ]
        return RunResult(
            request=request, address=address, payload=json.dumps(rows).encode(), fetched_at=self.clock.now()
        )

    def close(self, ticker: str, day: dt.date) -> str:
        usual = (100 + Decimal((day - FIRST).days)) / self.divisor[ticker]
        return self.corrected.get((ticker, f"{day}"), f"{usual:.2f}")


def home(tmp_path: Path, **declared: Any) -> tuple[Warehouse, SplittingVendor]:
    vendor = SplittingVendor(**declared)
    warehouse = Warehouse(tmp_path / "home", vendor)
    vendor.clock = warehouse.clock
    assert warehouse.run(universe__tickers=TICKERS).errors == []
    vendor.asked.clear()
    return warehouse, vendor


def prices(warehouse: Warehouse, ticker: str) -> list[tuple[dt.date, Decimal]]:
    return warehouse.ask(f"SELECT date, close FROM silver.px WHERE symbol = '{ticker}' ORDER BY date")


def consistent(warehouse: Warehouse, vendor: SplittingVendor) -> bool:
    return all(
        close == Decimal(vendor.close(ticker, day)) for ticker in TICKERS for day, close in prices(warehouse, ticker)
    )


PIECES = [{}, {"recipe": RestRecipe(url="https://fake.example/{ticker}?from={from_date}&to={to_date}", chunk_days=20)}]


@pytest.mark.parametrize("declared", PIECES, ids=["at once", "in pieces"])
def test_a_split_has_the_history_of_that_ticker_fetched_again(tmp_path: Path, declared: dict[str, Any]) -> None:
    warehouse, vendor = home(tmp_path, **declared)
    before = prices(warehouse, "AAA")
    moment = warehouse.clock.now()
    vendor.divisor["AAA"] = Decimal(4)
    context = warehouse.run(hours_later=24, universe__tickers=TICKERS)
    assert context.errors == []
    assert consistent(warehouse, vendor)
    assert min(first for ticker, first, _ in vendor.asked if ticker == "AAA") == FIRST
    assert min(first for ticker, first, _ in vendor.asked if ticker == "BBB") > FIRST, "the other is as it was"
    assert [note for note in context.notes if "restated" in note] == [
        "prices/fake/eod/AAA: the vendor restated 3 settled rows by a factor of 0.25; all of it is fetched again"
    ]
    known = warehouse.ask(
        f"SELECT date, close FROM silver.px_as_of(TIMESTAMP '{moment:%Y-%m-%d %H:%M:%S}') "
        "WHERE symbol = 'AAA' ORDER BY date"
    )
    assert known == before, "what was known then is still known"
    vendor.asked.clear()
    again = warehouse.run(hours_later=24, universe__tickers=TICKERS)
    assert (again.errors, [note for note in again.notes if "restated" in note]) == ([], [])
    assert min(first for _, first, _ in vendor.asked) > FIRST, "once is enough"


@pytest.mark.parametrize("declared", PIECES, ids=["at once", "in pieces"])
def test_a_vendor_that_goes_down_in_the_middle_is_asked_again_by_the_next_run(
    tmp_path: Path, declared: dict[str, Any]
) -> None:
    warehouse, vendor = home(tmp_path, **declared)
    vendor.divisor["AAA"] = Decimal(10)
    vendor.down_after = 2 if not declared else 3
    assert warehouse.run(hours_later=24, universe__tickers=TICKERS).status == "partial"
    assert not consistent(warehouse, vendor)
    vendor.down_after = 10**9
    assert warehouse.run(hours_later=1, universe__tickers=TICKERS).errors == []
    assert consistent(warehouse, vendor)
    assert warehouse.ask("SELECT count(*) FROM ops.data_dates WHERE again_from IS NOT NULL") == [(0,)]


def test_a_second_split_is_seen_too(tmp_path: Path) -> None:
    warehouse, vendor = home(tmp_path)
    for divisor in (Decimal(2), Decimal(6)):
        vendor.divisor["BBB"] = divisor
        assert warehouse.run(hours_later=24 * 9, universe__tickers=TICKERS).errors == []
        assert consistent(warehouse, vendor)


def test_a_day_that_was_not_over_is_no_past(tmp_path: Path) -> None:
    """Today's bar at noon, and yesterday's before it settled, change as they like."""
    warehouse, vendor = home(tmp_path)
    vendor.corrected = {("AAA", "2024-01-02"): "80.00", ("BBB", "2024-01-01"): "80.00"}
    context = warehouse.run(hours_later=24, universe__tickers=TICKERS)
    assert context.rows_updated == 2
    assert [note for note in context.notes if "restated" in note] == []
    assert min(first for _, first, _ in vendor.asked) > FIRST


@pytest.mark.parametrize("declared", [{}, {"restated_column": "", "restated": "series"}], ids=["price", "series"])
def test_one_settled_row_is_enough(tmp_path: Path, declared: dict[str, Any]) -> None:
    """A vendor rounds: of a small dividend, or of a cheap share, only one row may show it."""
    warehouse, vendor = home(tmp_path, **declared)
    vendor.corrected = {("AAA", "2023-12-29"): "158.01", ("AAA", "2023-11-02"): "101.01"}
    context = warehouse.run(hours_later=24, universe__tickers=TICKERS)
    assert consistent(warehouse, vendor)
    (note,) = (note for note in context.notes if "restated" in note)
    assert note.startswith("prices/fake/eod/AAA: the vendor restated 1 settled row")
    assert ("by a factor" in note) == (not declared)
    assert min(first for ticker, first, _ in vendor.asked if ticker == "BBB") > FIRST


def test_a_run_fetches_no_more_series_again_than_it_may(tmp_path: Path) -> None:
    warehouse, vendor = home(tmp_path)
    vendor.divisor = dict.fromkeys(TICKERS, Decimal(2))
    context = warehouse.run(hours_later=24, universe__tickers=TICKERS, run__restated_max=1)
    assert [note for note in context.notes if "wait" in note] == [
        "1 restated series wait for the next run; run.restated_max is 1"
    ]
    assert sorted(ticker for ticker, first, _ in vendor.asked if first == FIRST) == ["AAA"]
    vendor.asked.clear()
    warehouse.run(hours_later=24, universe__tickers=TICKERS, run__restated_max=1)
    assert sorted(ticker for ticker, first, _ in vendor.asked if first == FIRST) == ["BBB"]
    assert consistent(warehouse, vendor)
    assert warehouse.ask("SELECT count(*) FROM ops.data_dates WHERE again_from IS NOT NULL") == [(0,)]


@pytest.mark.parametrize("declared", [{}, {"restated_column": "", "restated": "series"}, *PIECES[1:]])
@pytest.mark.parametrize("again", [False, True])
def test_a_split_of_a_series_that_was_taken_in_day_by_day(
    tmp_path: Path, declared: dict[str, Any], *, again: bool
) -> None:
    """Its rows were recorded before their days were final, and confirmed afterwards; so they are also where somebody
    fetched all of it meanwhile. Twice, and told once each."""
    warehouse, vendor = home(tmp_path, **declared)
    for divisor in (2, 6):
        for _ in range(15):
            warehouse.run(hours_later=24, universe__tickers=TICKERS)
        if again:
            warehouse.run(hours_later=1, universe__tickers=TICKERS, options=RunOptions(since=FIRST, force=True))
        vendor.divisor["AAA"] = Decimal(divisor)
        vendor.asked.clear()
        context = warehouse.run(hours_later=24, universe__tickers=TICKERS)
        assert consistent(warehouse, vendor)
        assert sum("the vendor restated" in note for note in context.notes) == 1
        assert min(first for ticker, first, _ in vendor.asked if ticker == "BBB") > FIRST
        vendor.asked.clear()
        assert not [
            note for note in warehouse.run(hours_later=24, universe__tickers=TICKERS).notes if "restated" in note
        ]
        assert min(first for _, first, _ in vendor.asked) > FIRST, "once"


def test_a_bar_that_moves_until_it_is_final_restates_nothing(tmp_path: Path) -> None:
    warehouse, vendor = home(tmp_path, restated_column="", restated="series")
    for number in range(10):
        day = (warehouse.clock.now() + dt.timedelta(days=1)).date()
        vendor.corrected = {("AAA", f"{day}"): f"{number}.5", ("AAA", f"{day - dt.timedelta(days=1)}"): f"{number}.75"}
        vendor.corrected |= {
            ("AAA", f"{day - dt.timedelta(days=back)}"): f"{number - back + 1}.75" for back in range(2, number + 2)
        }
        assert not [
            note for note in warehouse.run(hours_later=24, universe__tickers=TICKERS).notes if "restated" in note
        ]


def test_a_rebuild_ends_without_a_mark(tmp_path: Path) -> None:
    """It promotes the days before the split, the split, and the history that was fetched again:
    the mark would ask the vendor once more.
    """
    warehouse, vendor = home(tmp_path, **PIECES[1])
    vendor.divisor["AAA"] = Decimal(4)
    warehouse.run(hours_later=24, universe__tickers=TICKERS)
    manager = warehouse.opened().plugins
    rebuild(warehouse.opened(manager))
    assert consistent(warehouse, vendor)
    assert warehouse.ask("SELECT count(*) FROM ops.data_dates WHERE again_from IS NOT NULL") == [(0,)]
    assert Verification(warehouse.opened(manager)).run().findings == []


def test_a_dataset_that_was_renamed_asks_no_second_time(tmp_path: Path) -> None:
    """What was fetched again under the former name was fetched again."""
    warehouse, vendor = home(tmp_path, **PIECES[1])
    vendor.divisor["AAA"] = Decimal(4)
    warehouse.run(hours_later=24, universe__tickers=TICKERS)
    vendor.entry = attrs.evolve(vendor.entry, dataset="quotes", renamed_from=("prices/fake/eod",))
    vendor.asked.clear()
    context = warehouse.run(hours_later=24, universe__tickers=TICKERS)
    assert (context.errors, context.remade_tables) == ([], 1)
    assert [note for note in context.notes if "restated" in note] == []
    assert warehouse.ask("SELECT count(*) FROM ops.data_dates WHERE again_from IS NOT NULL") == [(0,)]
    assert min(first for _, first, _ in vendor.asked) > FIRST


def test_what_a_table_that_is_made_again_finds_restated_is_fetched_again(tmp_path: Path) -> None:
    """Nobody looked for it when the split came; the run that says so does it."""
    warehouse, vendor = home(tmp_path, restated_column="")
    vendor.divisor["AAA"] = Decimal(4)
    warehouse.run(hours_later=24, universe__tickers=TICKERS)
    assert not consistent(warehouse, vendor)
    vendor.entry = attrs.evolve(
        vendor.entry, restated_column="close", promote_version=2, dataset="quotes", renamed_from=("prices/fake/eod",)
    )
    context = warehouse.run(hours_later=24, universe__tickers=TICKERS)
    assert sum("all of it is fetched again" in note for note in context.notes) == 1
    assert consistent(warehouse, vendor)
    assert warehouse.ask("SELECT count(*) FROM ops.data_dates WHERE again_from IS NOT NULL") == [(0,)]


def test_an_earlier_first_date_asks_for_what_is_missing_although_the_past_was_restated_before(tmp_path: Path) -> None:
    warehouse, vendor = home(tmp_path, **PIECES[1])
    vendor.divisor["AAA"] = Decimal(4)
    warehouse.run(hours_later=24, universe__tickers=TICKERS)
    vendor.entry = attrs.evolve(vendor.entry, first_date=FIRST - dt.timedelta(days=10))
    vendor.asked.clear()
    context = warehouse.run(hours_later=24, universe__tickers=TICKERS)
    assert (context.remade_tables, [note for note in context.notes if "restated" in note]) == (1, [])
    assert consistent(warehouse, vendor)
    assert [
        (first, last)
        for ticker, first, last in vendor.asked
        if ticker == "AAA" and first < START.date() - dt.timedelta(days=9)
    ] == [(vendor.entry.first_date, FIRST - dt.timedelta(days=1))]


@pytest.mark.parametrize(
    ("declared", "told"),
    [
        ({"restated_column": "closing"}, "no column of numbers; .*'close'"),
        ({"restated_column": "symbol"}, "no column of numbers"),
        ({"lookback_days": 1}, "lookback_days is 1"),
        ({"settles_after_days": 5}, "lookback_days is 7"),
        ({"semantics": "append"}, "upsert"),
        ({"restated_column": "", "restated": "rows"}, "restated 'rows'"),
        ({"recipe": RestRecipe(url="https://fake.example/{ticker}")}, "asks for none"),
    ],
)
def test_declarations_that_could_not_see_a_split(declared: dict[str, Any], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        SplittingVendor(**declared)

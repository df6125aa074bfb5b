"""Back-fills in pieces, and first loads that stop in the middle."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest
from warehouse import START, Warehouse, entry, price

from sbf_core.api import DatasetKeymapEntry, FetchSession, RestRecipe, RunRequest, RunResult, hookimpl
from sbf_core.cli.outcome import run_and_tell
from sbf_core.runner.options import RunOptions


class Vendor:
    """Gives a row a month, and fails at the months that it is told."""

    def __init__(self) -> None:
        self.entry = entry(
            scope="per_ticker",
            first_date=dt.date(2023, 9, 1),
            recipe=RestRecipe(url="https://example.com/{ticker}/{from_date}", chunk_days=31),
        )
        self.asked: list[tuple[str | None, str]] = []
        self.broken: set[str] = set()

    @hookimpl
    def datasets(self) -> list[DatasetKeymapEntry]:
        return [self.entry]

    @hookimpl
    def fetch(self, request: RunRequest, http: FetchSession) -> RunResult:
        day = str(request.from_date)
        self.asked.append((request.ticker, day))
        error = "broken" if day in self.broken else None
        payload = b"" if error else json.dumps([price(str(request.ticker), day)]).encode()
        return RunResult(
            request=request,
            address=f"https://example.com/{request.ticker}/{day}",
            payload=payload,
            fetched_at=START,
            error=error,
        )


def test_a_first_load_goes_up_to_the_piece_that_fails_and_then_on_from_there(tmp_path: Path) -> None:
    """Later pieces would leave a gap that no watermark knows of."""
    vendor = Vendor()
    warehouse = Warehouse(tmp_path / "home", vendor)
    vendor.broken = {"2023-11-02"}
    context = warehouse.run(universe__tickers=("A",))
    assert vendor.asked == [("A", "2023-09-01"), ("A", "2023-10-02"), ("A", "2023-11-02")]
    assert (context.files, context.failed_requests, context.status) == (2, 1, "partial")
    assert warehouse.ask("SELECT max(coverage_to) FROM ops.watermarks") == [(dt.date(2023, 10, 2),)]
    vendor.asked, vendor.broken = [], set()
    assert warehouse.run(hours_later=24, universe__tickers=("A",)).errors == []
    assert [day for _, day in vendor.asked] == ["2023-10-03", "2023-11-03", "2023-12-04"]


def test_a_back_fill_that_was_stopped_goes_on_where_it_was(tmp_path: Path) -> None:
    vendor = Vendor()
    warehouse = Warehouse(tmp_path / "home", vendor)
    warehouse.run(universe__tickers=("A", "B"))
    vendor.asked, vendor.broken = [], {"2023-02-01"}
    back = RunOptions(since=dt.date(2023, 1, 1), until=dt.date(2023, 3, 31))
    vendor.entry = entry(scope="per_ticker", first_date=dt.date(2023, 1, 1), recipe=vendor.entry.recipe)
    warehouse.run(hours_later=24, options=back, universe__tickers=("A", "B"))
    assert sorted(vendor.asked) == [("A", "2023-01-01"), ("A", "2023-02-01"), ("B", "2023-01-01"), ("B", "2023-02-01")]
    vendor.asked, vendor.broken = [], set()
    planned = {
        item.request.ticker: item.why for item in warehouse.runner(back, universe__tickers=("A", "B")).plan().requests
    }
    assert planned == dict.fromkeys(("A", "B"), "back-fill goes on: 2 of 3 pieces are left")
    warehouse.run(hours_later=1, options=back, universe__tickers=("A", "B"))
    assert sorted(vendor.asked) == [("A", "2023-02-01"), ("A", "2023-03-04"), ("B", "2023-02-01"), ("B", "2023-03-04")]
    vendor.asked = []
    assert warehouse.run(hours_later=1, options=back, universe__tickers=("A", "B")).requests == 0
    forced = RunOptions(since=dt.date(2023, 1, 1), until=dt.date(2023, 3, 31), force=True)
    assert warehouse.run(hours_later=1, options=forced, universe__tickers=("A", "B")).unchanged_files == 6
    assert warehouse.ask("SELECT symbol, min(date) FROM silver.px GROUP BY 1 ORDER BY 1") == [
        ("A", dt.date(2023, 1, 1)),
        ("B", dt.date(2023, 1, 1)),
    ]


def test_days_that_came_lately_are_told_as_that(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Who asks for them once more, and gets none, need not wonder."""
    vendor = Vendor()
    warehouse = Warehouse(tmp_path / "home", vendor)
    days = {"since": dt.date(2023, 12, 1), "until": dt.date(2023, 12, 9)}
    asked = "What was asked for within 20 hours is not asked for again; --force asks anyway."
    for options, is_told in ((days, False), (days, True), ({}, False), ({**days, "force": True}, False)):
        runner = warehouse.runner(RunOptions(**options), universe__tickers=("A",))
        assert run_and_tell(runner, runner.home.settings, 0.0, as_json=False) == 0
        assert (asked in capsys.readouterr().out.splitlines()) == is_told
        warehouse.clock.advance(hours=1)


def test_the_ledger_says_which_days_were_asked_for(tmp_path: Path) -> None:
    vendor = Vendor()
    warehouse = Warehouse(tmp_path / "home", vendor)
    vendor.broken = {"2023-10-02"}
    warehouse.run(universe__tickers=("A",))
    rows = warehouse.ask("SELECT status, from_date, to_date FROM ops.file_ingestions WHERE kind = 'file' ORDER BY 2")
    assert rows == [
        ("ok", dt.date(2023, 9, 1), dt.date(2023, 10, 1)),
        ("failed", dt.date(2023, 10, 2), dt.date(2023, 11, 1)),
    ]

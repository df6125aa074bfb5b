"""A run from end to end: who is asked, for which tickers, and what stands in the ledger afterwards."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from warehouse import FakeVendor, Warehouse, counts_add_up, entry, price

from sbf_core.api import UniverseMember
from sbf_core.bronze.paths import decoded
from sbf_core.errors import UsageError
from sbf_core.runner.options import RunOptions

AWKWARD = (
    "BRK.B",
    "^GSPC",
    "EURUSD=X",
    "BF/B",
    "0005.HK",
    "CON",
    "NUL",
    "NA",
    "TRUE",
    "aapl",
    "AAPL",
    "1e3",
    "O'B;--",
    "%41",
    "Ö",
    "a b",
)


def test_awkward_tickers_come_back_exactly_everywhere(tmp_path: Path) -> None:
    vendor = FakeVendor(entry(scope="per_ticker"))
    warehouse = Warehouse(tmp_path / "home", vendor)
    for ticker in AWKWARD:
        vendor.says([price(ticker, "2024-01-01")], ticker=ticker)
    context = warehouse.run(universe__tickers=AWKWARD)
    assert (context.errors, context.tickers) == ([], AWKWARD)
    for table in (
        "SELECT symbol FROM silver.px",
        "SELECT ticker FROM ops.bronze_manifest",
        "SELECT ticker FROM ops.watermarks",
    ):
        assert {row[0] for row in warehouse.ask(table)} == set(AWKWARD)
    assert {decoded(path.split("/")[3]) for path in warehouse.bronze_files()} == set(AWKWARD)
    copy = Warehouse(tmp_path / "copy", vendor)
    assert copy.run(options=RunOptions(replay=str(warehouse.home))).rows_inserted == len(AWKWARD)
    assert copy.ask("SELECT symbol, close, known_from FROM silver.px ORDER BY 1") == warehouse.ask(
        "SELECT symbol, close, known_from FROM silver.px ORDER BY 1"
    )


def test_the_universe_of_a_plugin(tmp_path: Path) -> None:
    vendor = FakeVendor(entry(scope="per_ticker"))
    vendor.members = [UniverseMember(ticker="A"), UniverseMember(ticker="B", valid_to=dt.date(2020, 1, 1))]
    warehouse = Warehouse(tmp_path / "home", vendor)
    for ticker in ("A", "B"):
        vendor.says([price(ticker, "2024-01-01")], ticker=ticker)
    assert warehouse.run(universe__plugin="fake").tickers == ("A", "B")
    assert warehouse.run(universe__plugin="fake", universe__ticker_limit=1).tickers == ("A",)


def test_the_universe_of_a_query_over_what_a_run_filled(tmp_path: Path) -> None:
    listing = entry(dataset="list", silver_table="list")
    vendor = FakeVendor(listing, entry(scope="per_ticker"))
    warehouse = Warehouse(tmp_path / "home", vendor)
    vendor.says([price("X", "2024-01-01"), price("Y", "2024-01-01")], dataset="list")
    vendor.says([price("X", "2024-01-01")], ticker="X")
    vendor.says([price("Y", "2024-01-01")], ticker="Y")
    query = "SELECT symbol AS ticker FROM silver.list ORDER BY 1"
    context = warehouse.run(universe__query=query)
    assert (context.tickers, context.rows_inserted) == ((), 2), "what fills the table that is asked is fetched"
    assert any(
        "prices/fake/eod left out" in note
        for note in warehouse.runner(universe__query="SELECT symbol AS ticker FROM silver.list WHERE false")
        .plan()
        .notes
    )
    with pytest.raises(UsageError, match="the universe is empty"):
        Warehouse(warehouse.home, FakeVendor(entry(scope="per_ticker"))).run(
            universe__query="SELECT symbol AS ticker FROM silver.list WHERE false"
        )
    context = warehouse.run(hours_later=1, universe__query=query)
    assert (context.tickers, context.rows_inserted) == (("X", "Y"), 2)


def test_a_failed_request_is_on_record_and_asked_again(warehouse: Warehouse, vendor: FakeVendor) -> None:
    vendor.says(ConnectionError("no route"))
    context = warehouse.run()
    assert (context.status, context.failed_requests) == ("failed", 1)
    assert warehouse.ask("SELECT status, bronze_rows FROM ops.file_ingestions WHERE kind = 'file'") == [
        ("failed", None)
    ]
    vendor.says([price("A", "2024-01-01")])
    assert warehouse.run(hours_later=0.1).rows_inserted == 1
    counts_add_up(warehouse)


def test_a_back_fill_asks_for_its_days_and_leaves_the_watermark_right(warehouse: Warehouse, vendor: FakeVendor) -> None:
    vendor.says([price("A", "2023-06-01")])
    warehouse.run()
    vendor.says([price("A", "2021-06-01")])
    since, until = dt.date(2021, 1, 1), dt.date(2021, 12, 31)
    warehouse.run(hours_later=1, options=RunOptions(since=since, until=until))
    assert warehouse.ask("SELECT from_date, to_date FROM ops.bronze_manifest ORDER BY fetched_at DESC LIMIT 1") == [
        (since, until)
    ]
    assert warehouse.ask("SELECT coverage_from, coverage_to FROM ops.watermarks") == [
        (dt.date(2021, 6, 1), dt.date(2023, 6, 1))
    ]
    plan = warehouse.runner(RunOptions(force=True)).plan()
    assert plan.requests[0].request.from_date == dt.date(2023, 6, 2)


def test_a_plan_writes_nothing(warehouse: Warehouse) -> None:
    plan = warehouse.runner().plan()
    assert [(item.due, item.why) for item in plan.requests] == [(True, "never fetched")]
    assert not warehouse.home.exists()


def test_a_replay_says_which_address_is_missing(tmp_path: Path) -> None:
    vendor = FakeVendor(entry())
    warehouse = Warehouse(tmp_path / "home", vendor)
    vendor.says([price("A", "2024-01-01")])
    warehouse.run()

    class Other(FakeVendor):
        from sbf_core.api import hookimpl

        @hookimpl
        def fetch(self, request: object, http: object) -> object:
            return http.get(request, "https://example.com/elsewhere")  # type: ignore[attr-defined]

    copy = Warehouse(tmp_path / "copy", Other(entry()))
    context = copy.run(options=RunOptions(replay=str(warehouse.home)))
    assert context.errors == ["prices/fake/eod: the recording holds no answer of https://example.com/elsewhere"]


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (lambda: (one for one in ()), "answered generator instead of RunResult.*say `return list\\(\\.\\.\\.\\)`"),
        (lambda: 7, "answered int instead of RunResult.*; Bronze keeps what was fetched"),
    ],
)
def test_an_answer_that_is_no_result_is_told_with_what_helps(
    tmp_path: Path, answer: Callable[[], object], told: str
) -> None:
    class Odd(FakeVendor):
        from sbf_core.api import hookimpl

        @hookimpl
        def fetch(self, request: object, http: object) -> object:
            return answer()

    warehouse = Warehouse(tmp_path / "home", Odd(entry()))
    [error] = warehouse.run().errors
    assert re.search(told, error), error


def test_a_disk_that_is_nearly_full_is_said_so(
    warehouse: Warehouse, vendor: FakeVendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    import shutil
    import types

    from sbf_core.fetching.progress import Silence
    from sbf_core.fetching.run_progress import RunProgress

    notes: list[str] = []
    progress = Silence()
    monkeypatch.setattr(progress, "note", notes.append)
    vendor.says([price("A", "2024-01-01")])
    runner = warehouse.runner()
    runner._progress = RunProgress(progress)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: types.SimpleNamespace(free=5 << 20))
    runner.run()
    assert [note for note in notes if note.startswith("only 5 MiB are free at ")] != []


def test_a_clock_that_went_back_is_said_so(warehouse: Warehouse, vendor: FakeVendor) -> None:
    """What is fetched then counts as older than what is there, so the newer value of the two is not the current one."""
    vendor.says([price("A", "2024-01-02", close="5")])
    assert not [note for note in warehouse.run().notes if "clock" in note]
    assert not [note for note in warehouse.run(hours_later=24).notes if "clock" in note]
    vendor.says([price("A", "2024-01-02", close="7")])
    notes = [note for note in warehouse.run(hours_later=-30, options=RunOptions(force=True)).notes if "clock" in note]
    (newest,) = warehouse.ask("SELECT strftime(max(fetched_at), '%Y-%m-%d %H:%M') FROM ops.bronze_manifest")
    assert len(notes) == 1
    assert notes[0].startswith(f"prices/fake/eod: its newest payload is of {newest[0]}Z, and the clock here says ")

"""Several tickers in one request: planned anew each time,
and nothing is asked twice or left out because a universe changed.
"""

from __future__ import annotations

import datetime as dt
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import attrs
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "http"))
from faulty import FaultyVendor, answer
from hypothesis import given
from hypothesis import strategies as st
from warehouse import Declared, Warehouse, counts_add_up, entry, price

from sbf_core.api import DatasetKeymapEntry, RestRecipe, column
from sbf_core.care.digest import digest_tables
from sbf_core.errors import UsageError
from sbf_core.http.questions import filled
from sbf_core.ops.coverage import Stretch
from sbf_core.ops.rows import SeriesState
from sbf_core.plan.planner import PlanWishes, plan_requests
from sbf_core.runner.options import RunOptions
from sbf_core.runs.request import RunRequest

NOW = dt.datetime(2024, 6, 3, 12, tzinfo=dt.UTC)


def batched(
    url: str = "https://v.example/{ticker}?from={from_date}", *, most: int = 3, **more: object
) -> DatasetKeymapEntry:
    recipe = RestRecipe(url=url, tickers_per_request=most, class_mark="-")
    return entry(source="odd", silver_table="px", scope="per_ticker", recipe=recipe, lookback_days=2, **more)


def planned(
    tickers: list[str], states: dict[str, SeriesState], **more: object
) -> list[tuple[str | None, dt.date | None, bool]]:
    first = dt.date(2020, 1, 1)
    final = {
        ticker: [Stretch(first, state.coverage_to)]
        for key, state in states.items()
        if state.coverage_to
        for ticker in key.rpartition("/")[2].split(",")
    }
    items = plan_requests(
        [batched()],
        tickers=tickers,
        states=states,
        now=NOW,
        run_id="r",
        known=SimpleNamespace(final=lambda _: final, cursors=lambda _: {}),
        **more,
    )  # type: ignore[arg-type]
    return [(item.request.ticker, item.request.from_date, item.due) for item in items]


def fetched(hours_ago: float, covered: str) -> SeriesState:
    return SeriesState(
        checked_at=NOW - dt.timedelta(hours=hours_ago), to_date=NOW.date(), coverage_to=dt.date.fromisoformat(covered)
    )


def test_tickers_that_want_the_same_days_are_asked_for_together() -> None:
    first = dt.date(2020, 1, 1)
    assert planned(["A", "B", "C", "D"], {}) == [("A,B,C", first, True), ("D", first, True)]


def test_a_new_ticker_gets_its_history_and_the_others_their_days() -> None:
    states = {"prices/odd/eod/A,B,C": fetched(30, "2024-06-01"), "prices/odd/eod/D": fetched(30, "2024-06-01")}
    day = dt.date(2024, 5, 31)
    assert planned(["NEW", "A", "C", "D", "B"], states) == [
        ("NEW", dt.date(2020, 1, 1), True),
        ("A,C,D", day, True),
        ("B", day, True),
    ]


def test_what_was_in_two_batches_is_known_from_the_later_one() -> None:
    states = {"prices/odd/eod/A,B": fetched(100, "2024-05-01"), "prices/odd/eod/A,C": fetched(1, "2024-06-01")}
    assert planned(["A", "B", "C"], states, only_due=True) == [("B", dt.date(2024, 4, 30), True)]
    assert planned(["A", "B", "C"], dict(reversed(states.items())), only_due=True) == [
        ("B", dt.date(2024, 4, 30), True)
    ]


def test_a_back_fill_goes_on_behind_what_was_fetched_in_batches() -> None:
    day = dt.date(2024, 1, 1)
    wishes = PlanWishes(since=day, until=day, done=frozenset({("prices/odd/eod/A,B", day, day)}))
    assert [row[0] for row in planned(["A", "B", "C"], {}, wishes=wishes, only_due=True)] == ["C"]


@given(st.lists(st.text("ABCDEFG.^-", min_size=1, max_size=5), unique=True, max_size=40), st.integers(2, 7))
def test_each_ticker_is_asked_for_once(tickers: list[str], most: int) -> None:
    items = plan_requests([batched(most=most)], tickers=tickers, states={}, now=NOW, run_id="r")
    assert [ticker for item in items for ticker in item.request.tickers] == tickers
    assert all(len(item.request.tickers) == most for item in items[:-1])


def test_the_address_names_them_as_the_vendor_writes_them() -> None:
    recipe = RestRecipe(
        url="https://v.example/{ticker}",
        tickers_per_request=9,
        ticker_separator=";",
        class_mark="-",
        ticker_names={"^SPX": "^GSPC"},
    )
    request = RunRequest(run_id="r", domain="prices", source="odd", dataset="eod", ticker="AAPL,BRK.B,^SPX,A/U")
    assert filled(recipe.url, request, quoting=True, recipe=recipe) == "https://v.example/AAPL;BRK-B;%5EGSPC;A%2FU"


def rows(tickers: str, day: str, close: str = "1.5") -> bytes:
    return json.dumps([price(ticker, day, close) for ticker in tickers.split(",")]).encode()


def test_a_universe_that_changes_fetches_nothing_twice_and_loses_nothing(tmp_path: Path) -> None:
    with FaultyVendor() as vendor:
        warehouse = Warehouse(
            tmp_path / "home", Declared(batched(vendor.url("/t") + "/{ticker}?from={from_date}", most=100))
        )
        many = [f"T{number}" for number in range(80)]
        listed = ",".join(many)
        vendor.says(f"/t/{listed}", answer(rows(listed, "2024-01-01")))
        assert warehouse.run(universe__tickers=tuple(many)).files == 1
        assert all(len(part) < 60 for part in warehouse.bronze_files()[0].split("/"))
        vendor.says("/t/NEW", answer(rows("NEW", "2024-01-01")))
        there = [ticker for ticker in many if ticker != "T7"]
        vendor.says("/t/" + ",".join(there), answer(rows(",".join(there), "2024-01-02")))
        context = warehouse.run(hours_later=30, universe__tickers=("NEW", *there))
        assert (context.files, context.errors, context.rows_inserted) == (2, [], 80)
        assert [request["target"].partition("from=")[2] for request in vendor.requests["/t/NEW"]] == ["2020-01-01"]
        counts_add_up(warehouse)
        assert warehouse.run(universe__tickers=("T1", "NEW")).files == 0
        with warehouse.open() as cursor:
            before = [item.sha256 for item in digest_tables(cursor, keys={})]
        again = Warehouse(tmp_path / "again", Declared(warehouse.plugins["fake"].declared))  # type: ignore[attr-defined]
        context = again.run(options=RunOptions(replay=str(warehouse.home)))
        assert (context.files, context.errors) == (3, [])
        with again.open() as cursor:
            assert [item.sha256 for item in digest_tables(cursor, keys={})] == before


def test_what_the_vendor_has_not_changed_is_asked_with_its_mark_unless_a_batch_was_overtaken(tmp_path: Path) -> None:
    with FaultyVendor() as vendor:
        warehouse = Warehouse(tmp_path / "home", Declared(batched(vendor.url("/t") + "/{ticker}", most=2)))
        for tickers in ("A,B", "A,B", "A", "A,B"):
            vendor.says(
                f"/t/{tickers}",
                answer(rows(tickers, "2024-01-01", str(len(tickers))), headers=[("ETag", f'"{tickers}"')]),
            )
            warehouse.run(hours_later=30, universe__tickers=tuple(tickers.split(",")))
        assert [request.get("if-none-match") for request in vendor.requests["/t/A,B"]] == [None, '"A,B"', None]


def test_a_failure_of_many_is_told_in_one_short_line(tmp_path: Path) -> None:
    with FaultyVendor() as vendor:
        warehouse = Warehouse(tmp_path / "home", Declared(batched(vendor.url("/t") + "/{ticker}", most=100)))
        context = warehouse.run(universe__tickers=tuple(f"T{number}" for number in range(80)))
        assert context.errors == ["prices/odd/eod/T0 and 79 more: HTTP 404: the vendor says 'nothing here'"]


def test_late_payloads_of_other_batches_are_put_in_their_place(tmp_path: Path) -> None:
    """The payload of A alone was fetched between two of A and B, and promoted after them."""
    with FaultyVendor() as vendor:
        declared = batched(vendor.url("/t") + "/{ticker}", most=2)
        ordered, late = (Warehouse(tmp_path / name, Declared(declared)) for name in ("ordered", "late"))
        for hour, tickers, close in ((0, "A,B", "1.0"), (30, "A", "2.0"), (30, "A,B", "1.0")):
            vendor.says(f"/t/{tickers}", answer(rows(tickers, "2024-01-01", close)))
            ordered.run(hours_later=hour, universe__tickers=tuple(tickers.split(",")))
        current = "SELECT symbol, CAST(close AS DOUBLE) FROM silver.px ORDER BY ALL"
        assert ordered.ask(current) == [("A", 1.0), ("B", 1.0)], (
            "the same payload as the first is news after another of A"
        )
        assert late.run(options=RunOptions(replay=str(ordered.home)), universe__tickers=("B",)).files == 2
        assert late.run(options=RunOptions(replay=str(ordered.home))).files == 1
        history = "SELECT symbol, close, known_from, known_to FROM silver.px_history ORDER BY ALL"
        assert [(symbol, float(close)) for symbol, close, _, _ in late.ask(history)] == [("A", 1.0), ("A", 2.0)]
        assert ordered.ask(history) == late.ask(history)
        assert ordered.ask(current) == late.ask(current)


@attrs.frozen
class Sourced:
    """Rows that do not say whose they are."""

    symbol: str = column(key=True, source="request.ticker")


@pytest.mark.parametrize(
    ("more", "what"),
    [
        ({"semantics": "snapshot"}, "belongs to the scope per_ticker"),
        ({"scope": "global"}, "belongs to the scope per_ticker"),
        ({"columns": Sourced}, "request.ticker is several tickers"),
    ],
)
def test_what_cannot_come_in_batches_is_refused(more: dict[str, object], what: str) -> None:
    recipe = RestRecipe(url="https://v.example/{ticker}", tickers_per_request=3)
    with pytest.raises(UsageError, match=what):
        entry(**{"source": "odd", "scope": "per_ticker", "recipe": recipe, **more})


def test_batches_want_a_place_in_the_address() -> None:
    with pytest.raises(UsageError, match=r"tickers_per_request wants.*a key of one column"):
        RestRecipe(url="https://v.example/", tickers_per_request=3)

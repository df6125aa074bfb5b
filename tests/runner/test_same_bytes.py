"""The same bytes once more are no news, unless they answer another question, or another answer came between."""

from __future__ import annotations

import datetime as dt
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "http"))
from faulty import FaultyVendor, Script, answer
from warehouse import Declared, FakeVendor, Warehouse, entry, price

from sbf_core.api import Column, RestRecipe, RunResult, hookimpl
from sbf_core.runner.options import RunOptions
from sbf_core.vocabulary import Layer

RATES = (
    Column(name="day", type="DATE", key=True, row_date=True, source="request.from_date"),
    Column(name="rate", type="DOUBLE"),
)


class Addressed(FakeVendor):
    """Answers under the address of its recipe, by a function of the request."""

    def __init__(self, url: str, **declared: Any) -> None:
        recipe = RestRecipe(url=url, chunk_days=declared.pop("chunk_days", 0))
        self.declared = entry(**{"recipe": recipe, "refresh_after_hours": 0, **declared})
        super().__init__(attrs.evolve(self.declared, recipe=None))
        self.rows: list[Mapping[str, object]] = []

    @hookimpl
    def datasets(self) -> Any:
        return [self.declared]

    @hookimpl
    def fetch(self, entry: Any, request: Any) -> Any:
        assert self.clock is not None
        since, until = str(request.from_date), str(request.to_date)
        rows = [row for row in self.rows if "date" not in row or since <= str(row["date"])]
        return RunResult(
            request=request,
            address=self.declared.recipe.url.format(from_date=since, to_date=until),
            payload=json.dumps(rows).encode(),
            extension="json",
            fetched_at=self.clock.now(),
        )


def test_a_day_that_only_the_request_says_has_its_row_where_the_bytes_are_those_of_the_day_before(
    tmp_path: Path,
) -> None:
    vendor = Addressed(
        "https://example.com/?day={from_date}&to={to_date}", columns=RATES, first_date=dt.date(2024, 1, 1), chunk_days=1
    )
    vendor.rows = [{"rate": 1.5}]
    warehouse = Warehouse(tmp_path / "home", vendor)
    for hours in (0, 24, 24, 24):
        assert warehouse.run(hours_later=hours).errors == []
    assert warehouse.ask("SELECT day::VARCHAR, rate FROM silver.px ORDER BY 1") == [
        (f"2024-01-0{day}", 1.5) for day in range(1, 6)
    ]
    assert warehouse.run(hours_later=1).files == 0, "the same bytes of the same day are no news"


@pytest.mark.parametrize(
    ("answers", "renamed"),
    [(None, {}), ("whole", {}), (None, {"dataset": "bars", "renamed_from": ("prices/fake/eod",)})],
)
def test_what_an_address_gives_again_is_news_after_another_answer_about_the_same_days(
    tmp_path: Path, answers: str | None, renamed: dict[str, Any]
) -> None:
    """The vendor corrects a close, and takes that back: the first address gives its first bytes."""
    vendor = Addressed(
        "https://example.com/?from={from_date}&to={to_date}",
        first_date=dt.date(2023, 12, 20),
        lookback_days=5,
        answers=answers,
    )
    warehouse = Warehouse(tmp_path / "home", vendor)
    right = [price("A", "2023-12-30", "10"), price("A", "2024-01-01", "11")]
    vendor.rows = right
    warehouse.run()
    vendor.declared = attrs.evolve(vendor.declared, **renamed)
    vendor.rows = [price("A", "2023-12-30", "20"), price("A", "2024-01-01", "11")]
    warehouse.run(hours_later=24)
    closes = "SELECT CAST(close AS INT) FROM silver.px ORDER BY date"
    assert warehouse.ask(closes) == [(20,), (11,)]
    vendor.rows = right
    again = RunOptions(since=dt.date(2023, 12, 20), until=dt.date(2024, 1, 2))
    assert warehouse.run(hours_later=24, options=again).errors == []
    assert warehouse.ask(closes) == [(10,), (11,)]
    assert warehouse.run(hours_later=24, options=again).files == 0


def test_a_mark_is_sent_only_where_the_news_that_nothing_changed_is_enough(tmp_path: Path) -> None:
    """The address is the same all year, and the day of the row that of the request."""
    with FaultyVendor() as site:
        recipe = RestRecipe(url=site.url("/odd") + "/{year}")
        column = attrs.evolve(RATES[0], source="request.to_date")
        declared = entry(
            recipe=recipe, columns=(column, RATES[1]), first_date=dt.date(2024, 1, 1), refresh_after_hours=0
        )
        site.says("/odd/2024", answer(b'[{"rate": 1.5}]', headers=[("ETag", '"1"')]))
        warehouse = Warehouse(tmp_path / "home", Declared(declared))
        for hours in (0, 24, 1):
            assert warehouse.run(hours_later=hours).errors == []
        asked = [request.get("if-none-match") for request in site.requests["/odd/2024"]]
        assert asked == [None, None, '"1"']


class Marked(FaultyVendor):
    """Sends what a client that names its mark has already as 304."""

    def _script(self, target: str, headers: dict[str, str]) -> Script:
        self.requests[target].append(headers)
        if headers.get("if-none-match") == '"1"':
            return answer(status=304)
        return answer(json.dumps([price("A", "2024-01-01")]).encode(), headers=[("ETag", '"1"')])


def test_a_payload_that_is_not_what_was_recorded_is_asked_for_again_without_its_mark(tmp_path: Path) -> None:
    with Marked() as site:
        declared = entry(recipe=RestRecipe(url=site.url("/odd")), refresh_after_hours=0)
        warehouse = Warehouse(tmp_path / "home", Declared(declared))
        warehouse.run(options=RunOptions(only=Layer.BRONZE))
        (name,) = warehouse.bronze_files()
        (tmp_path / "home" / "bronze" / name).write_bytes(b"[]")
        (failed,) = warehouse.run(hours_later=1).errors
        assert "is not what was recorded" in failed
        assert warehouse.run(hours_later=1).files == 1
        assert warehouse.ask("SELECT count(*) FROM silver.px") == [(1,)]
        assert [request.get("if-none-match") for request in site.requests["/odd"]] == [None, '"1"', None]


def test_pieces_of_a_past_that_nothing_was_said_of_since_are_kept_once(tmp_path: Path) -> None:
    vendor = Addressed(
        "https://example.com/?from={from_date}&to={to_date}",
        first_date=dt.date(2023, 12, 1),
        lookback_days=3,
        chunk_days=10,
    )
    vendor.rows = [price("A", f"2023-12-{day:02}") for day in range(1, 32)]
    warehouse = Warehouse(tmp_path / "home", vendor)
    assert warehouse.run().files == 4
    assert warehouse.run(hours_later=24).files == 1
    again = RunOptions(since=dt.date(2023, 12, 1), until=dt.date(2023, 12, 20))
    assert warehouse.run(hours_later=24, options=again).files == 0


def test_a_row_that_was_dated_too_far_ahead_is_taken_when_its_day_is_near(tmp_path: Path) -> None:
    vendor = Addressed(
        "https://example.com/?from={from_date}&to={to_date}", horizon=1, reject_share_max=0.5, lookback_days=9
    )
    vendor.rows = [price("A", "2024-01-01"), price("A", "2024-01-02"), price("A", "2024-01-05")]
    warehouse = Warehouse(tmp_path / "home", vendor)
    for _ in range(4):
        assert warehouse.run(hours_later=24).errors == []
    assert [str(day) for (day,) in warehouse.ask("SELECT date FROM silver.px ORDER BY 1")] == [
        "2024-01-01",
        "2024-01-02",
        "2024-01-05",
    ]

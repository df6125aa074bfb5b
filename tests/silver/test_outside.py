"""Rows of days that nobody asked for are rejected with a reason, live and made again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import attrs
import pytest
from warehouse import FakeVendor, Warehouse, entry, price

from sbf_core.api import Column, RestRecipe, RunResult, hookimpl
from sbf_core.runner.options import RunOptions

#: The clock stands at noon of 2 January 2024, UTC.
DAYS = ("2019-12-31", "2020-01-01", "2024-01-02", "2024-01-03", "2024-01-04", "2062-01-01")
FROM = "https://example.com/?from={from_date}"
UNTIL = "https://example.com/?to={to_date}"
SPAN = FROM + "&to={to_date}"


class Answering(FakeVendor):
    """Has a recipe for its declaration, and answers without asking anybody."""

    @hookimpl
    def fetch(self, entry: Any, request: Any) -> Any:
        assert self.clock is not None
        return RunResult(
            request=request,
            address="fake://",
            payload=self.payloads["eod", None],
            extension="json",
            fetched_at=self.clock.now(),
        )  # type: ignore[arg-type]


def outcome(
    folder: Path, days: tuple[str, ...] = DAYS, options: RunOptions | None = None, **declared: Any
) -> tuple[list[str], list[tuple[str, str]]]:
    """The days in silver, and reason and day of each reject, the same after the table was made again."""
    given = entry(**{"horizon": 1, "reject_share_max": 1.0, **declared})
    vendor = Answering(given)
    warehouse = Warehouse(folder / "home", vendor)
    vendor.says([price("A", day) for day in days])
    assert warehouse.run(options=options).errors == []

    def seen() -> tuple[list[str], list[tuple[str, str]]]:
        rejects = warehouse.ask("SELECT reason, column_name, row_json FROM ops.rejects ORDER BY ALL")
        assert {column for _, column, _ in rejects} <= {"date"}
        kept = [str(day)[:10] for (day,) in warehouse.ask("SELECT date FROM silver.px ORDER BY 1")]
        return kept, [(reason, json.loads(row)["date"][:10]) for reason, _, row in rejects]

    live = seen()
    vendor.entries = [attrs.evolve(given, promote_version=2)]
    assert warehouse.run(hours_later=24 * 400, options=RunOptions(fetch=False)).remade_tables == 1
    assert seen() == live, "what was asked for counts, and not when it is read"
    return live


AHEAD = [("after_horizon", "2024-01-04"), ("after_horizon", "2062-01-01")]


EARLY = ("before_first_date", "2019-12-31")


@pytest.mark.parametrize(("declared", "rejects"), [
    ({"recipe": RestRecipe(url=SPAN)}, [*AHEAD, EARLY]),
    ({"recipe": RestRecipe(url=SPAN), "horizon": 0}, [("after_horizon", "2024-01-03"), *AHEAD, EARLY]),
    ({"recipe": RestRecipe(url=SPAN), "horizon": 2}, [*AHEAD[1:], EARLY]),
    ({"recipe": RestRecipe(url=SPAN), "horizon": "any"}, [EARLY]),
    ({"recipe": RestRecipe(url=UNTIL)}, AHEAD),
    ({"recipe": RestRecipe(url=FROM)}, [EARLY]),
    ({"recipe": RestRecipe(url="https://example.com/all")}, []),
    ({}, []),
], ids=str)  # fmt: skip
def test_a_row_of_no_day_that_was_asked_for(
    tmp_path: Path, declared: dict[str, Any], rejects: list[tuple[str, str]]
) -> None:
    """A whole file, and what a hook fetches, was asked for no certain days."""
    kept, found = outcome(tmp_path, **declared)
    assert found == rejects
    assert kept == [day for day in DAYS if day not in {day for _, day in rejects}]


def test_days_behind_the_last_that_was_asked_for(tmp_path: Path) -> None:
    """A back-fill of one day: what the vendor says of later days comes with the request for them."""
    until = RunOptions(since=entry().first_date, until=entry().first_date)
    kept, found = outcome(tmp_path, options=until, recipe=RestRecipe(url=SPAN))
    assert kept == ["2020-01-01"]
    assert [reason for reason, _ in found] == ["after_horizon"] * 4 + ["before_first_date"]
    assert outcome(tmp_path / "from", options=until, recipe=RestRecipe(url=FROM))[0] == list(DAYS[1:]), (
        "the address does not say until when"
    )


def test_moments_and_rows_without_a_day(tmp_path: Path) -> None:
    columns = (
        Column(name="symbol", type="VARCHAR", key=True),
        Column(name="date", type="TIMESTAMP", row_date=True, zone="UTC", nullable=True),
        Column(name="close", type="DOUBLE"), Column(name="volume", type="BIGINT", key=True),
    )  # fmt: skip
    vendor = Answering(entry(columns=columns, horizon=0, recipe=RestRecipe(url=UNTIL), reject_share_max=1.0))
    warehouse = Warehouse(tmp_path / "home", vendor)
    vendor.says(
        [
            price("A", day, volume=place)
            for place, day in enumerate(("2024-01-02T23:59:59.999999", "2024-01-03T00:00:00"))
        ]
        + [{"symbol": "A", "date": None, "close": 1, "volume": 9}]
    )
    assert warehouse.run().errors == []
    assert warehouse.ask("SELECT volume FROM silver.px ORDER BY 1") == [(0,), (9,)]
    assert warehouse.ask("SELECT reason FROM ops.rejects") == [("after_horizon",)]


def test_the_run_says_what_to_declare(tmp_path: Path) -> None:
    vendor = Answering(entry(horizon=1, recipe=RestRecipe(url=UNTIL)))
    warehouse = Warehouse(tmp_path / "home", vendor)
    vendor.says([price("A", f"2023-12-{day:02}") for day in range(1, 31)] + [price("A", "2062-01-01")])
    context = warehouse.run()
    assert context.errors == []
    (note,) = [note for note in context.notes if "rejected" in note]
    assert "after_horizon" in note and 'horizon="any"' in note, note


def test_a_snapshot_keeps_what_it_rejects(tmp_path: Path) -> None:
    """A row that is there but dated ahead is no row that is gone."""
    vendor = Answering(
        entry(
            horizon=1,
            recipe=RestRecipe(url=UNTIL),
            semantics="snapshot",
            reject_share_max=1.0,
            columns=(Column(name="symbol", type="VARCHAR", key=True), Column(name="date", type="DATE", row_date=True)),
        )
    )
    warehouse = Warehouse(tmp_path / "home", vendor)
    vendor.says([{"symbol": symbol, "date": "2024-01-01"} for symbol in "AB"])
    warehouse.run()
    vendor.says([{"symbol": "A", "date": "2024-01-02"}, {"symbol": "B", "date": "2062-01-01"}])
    assert warehouse.run(hours_later=24).errors == []
    assert [(symbol, str(day)) for symbol, day in warehouse.ask("SELECT symbol, date FROM silver.px ORDER BY 1")] == [
        ("A", "2024-01-02"),
        ("B", "2024-01-01"),
    ]

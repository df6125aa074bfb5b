"""Which requests are due, for which days, and why."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import attrs
from hypothesis import given
from hypothesis import strategies as st
from warehouse import START, entry

from sbf_core.api import Cadence, RestRecipe
from sbf_core.ops.coverage import Stretch, left_of, with_tail
from sbf_core.ops.rows import SeriesState
from sbf_core.plan.planned import PlannedRequest
from sbf_core.plan.planner import PlanWishes, plan_requests
from sbf_core.runs.request import RunRequest

DAY = dt.date(2024, 1, 2)


FIRST = dt.date(2020, 1, 1)


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


def planned(
    state: SeriesState | None = None,
    wishes: PlanWishes | None = None,
    *,
    final: Sequence[tuple[str, str]] = (("2020-01-01", "2023-12-31"),),
    **declared: Any,
) -> PlannedRequest:
    states = {} if state is None else {"prices/fake/eod": state}
    stretches = [Stretch(day(first), day(last)) for first, last in final] if state is not None else []
    (found,) = plan_requests(
        [entry(**declared)],
        tickers=(),
        states=states,
        now=START,
        run_id="r",
        wishes=wishes,
        known=SimpleNamespace(final=lambda _: {None: stretches}, cursors=lambda _: {}),
    )
    return found


def asked(item: PlannedRequest) -> list[tuple[str, str]]:
    return [(f"{step.from_date}", f"{step.to_date}") for step in item.steps]


def test_what_was_never_fetched_is_due_from_the_first_date() -> None:
    found = planned()
    assert (found.due, found.why) == (True, "never fetched")
    assert (found.request.from_date, found.request.to_date) == (dt.date(2020, 1, 1), DAY)


def test_a_request_for_other_days_is_the_same_otherwise() -> None:
    request = RunRequest(
        run_id="r", domain="d", source="s", dataset="x", discriminator="y", ticker="T", cursor="c",
        from_date=dt.date(2024, 1, 1), to_date=dt.date(2024, 1, 2),
    )  # fmt: skip
    first, last = dt.date(2020, 2, 3), dt.date(2020, 2, 4)
    assert all(getattr(request, field.name) for field in attrs.fields(RunRequest)), "each has a value of its own"
    assert request.of_days(first, last) == attrs.evolve(request, from_date=first, to_date=last)


def test_due_when_old_enough_and_from_the_day_after_what_is_covered() -> None:
    fresh = SeriesState(checked_at=START - dt.timedelta(hours=19.9), coverage_to=dt.date(2023, 12, 29))
    assert not planned(fresh).due
    assert "due after 20 h" in planned(fresh).why
    old = SeriesState(checked_at=START - dt.timedelta(hours=20), coverage_to=dt.date(2023, 12, 29))
    assert planned(old).due
    assert planned(old).request.from_date == dt.date(2023, 12, 30)
    assert planned(old, lookback_days=5).request.from_date == dt.date(2023, 12, 25)
    assert planned(old, lookback_days=5000).request.from_date == dt.date(2020, 1, 1)


OLD = SeriesState(checked_at=START - dt.timedelta(hours=30), coverage_to=DAY)
NEWEST = SeriesState(checked_at=START - dt.timedelta(hours=30), coverage_to=dt.date(2062, 1, 1))


def test_a_day_that_is_not_final_is_asked_for_again_whatever_silver_has() -> None:
    assert asked(planned(OLD)) == [("2024-01-01", "2024-01-02")]
    assert asked(planned(NEWEST)) == [("2024-01-01", "2024-01-02")]
    assert asked(planned(NEWEST, lookback_days=3)) == [("2023-12-31", "2024-01-02")]


def test_holes_are_asked_for_and_nothing_between_them() -> None:
    final = (("2020-01-03", "2021-06-30"), ("2021-07-03", "2023-12-30"))
    found = planned(OLD, final=final)
    assert asked(found) == [("2020-01-01", "2020-01-02"), ("2021-07-01", "2021-07-02"), ("2023-12-31", "2024-01-02")]
    assert (found.request.from_date, found.request.to_date) == (FIRST, DAY)
    assert found.why.endswith("; 3 stretches of days are not final")
    assert asked(planned(OLD, final=final, first_date=dt.date(2021, 7, 2))) == [
        ("2021-07-02", "2021-07-02"),
        ("2023-12-31", "2024-01-02"),
    ]
    whole = planned(OLD, final=final, recipe=RestRecipe(url="https://example.com/all"))
    assert asked(whole) == [("2024-01-02", "2024-01-02")], "an answer is the same whatever days are asked for"
    by_year = planned(OLD, final=final, recipe=RestRecipe(url="https://example.com/{year}"))
    assert asked(by_year) == [
        ("2020-01-01", "2020-01-02"),
        ("2021-07-01", "2021-07-02"),
        ("2023-12-31", "2023-12-31"),
        ("2024-01-01", "2024-01-02"),
    ]


def test_nothing_is_due_where_all_days_are_final() -> None:
    state = attrs.evolve(OLD, coverage_to=dt.date(2023, 12, 30))
    found = planned(state, cadence=Cadence(min_age_days=3))
    assert (found.due, found.why) == (False, "all days up to 2023-12-30 are final")
    forced = planned(state, PlanWishes(force=True), cadence=Cadence(min_age_days=3))
    assert (forced.due, asked(forced)) == (True, [("2023-12-30", "2023-12-30")])


def test_days_without_rows_behind_the_newest_are_asked_for_again() -> None:
    """Final or not: a row may be late."""
    assert asked(planned(attrs.evolve(OLD, coverage_to=dt.date(2023, 12, 20)))) == [("2023-12-21", "2024-01-02")]


@given(
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 9)), max_size=8),
    st.integers(0, 70),
    st.integers(0, 30),
    st.integers(0, 40),
)
def test_what_is_left_are_the_days_that_are_in_no_stretch(
    parts: list[tuple[int, int]], first: int, length: int, tail: int
) -> None:
    def days(stretches: Sequence[Stretch]) -> list[dt.date]:
        return [
            each.first + dt.timedelta(days=number)
            for each in stretches
            for number in range((each.last - each.first).days + 1)
        ]

    known = {place for begin, more in parts for place in range(begin, begin + more + 1)}
    final = [Stretch(FIRST + dt.timedelta(days=place), FIRST + dt.timedelta(days=place)) for place in sorted(known)]
    wanted = Stretch(FIRST + dt.timedelta(days=first), FIRST + dt.timedelta(days=first + length))
    left = left_of(wanted, final)
    assert days(left) == [each for each in days([wanted]) if (each - FIRST).days not in known]
    end = Stretch(max(wanted.first, wanted.last - dt.timedelta(days=tail)), wanted.last)
    both = with_tail(left, end)
    assert days(both) == sorted({*days(left), *days([end])})
    assert all(one.last + dt.timedelta(days=1) < other.first for one, other in pairwise(both))


def test_wishes_win() -> None:
    fresh = SeriesState(checked_at=START, coverage_to=DAY)
    assert planned(fresh, PlanWishes(force=True)).due
    back = planned(fresh, PlanWishes(since=dt.date(2021, 1, 1), until=dt.date(2021, 2, 1)))
    assert (back.due, back.request.from_date, back.request.to_date) == (True, dt.date(2021, 1, 1), dt.date(2021, 2, 1))
    assert planned(fresh, PlanWishes(since=dt.date(1999, 1, 1))).request.from_date == dt.date(2020, 1, 1)


def test_one_request_a_ticker() -> None:
    states = {"prices/fake/eod/A": SeriesState(checked_at=START)}
    found = plan_requests([entry(scope="per_ticker")], tickers=("A", "B"), states=states, now=START, run_id="r")
    assert [(item.request.ticker, item.due) for item in found] == [("A", False), ("B", True)]


@given(st.integers(0, 400), st.integers(0, 60), st.floats(0, 1000))
def test_a_window_never_starts_before_the_first_date_nor_leaves_a_gap(
    covered: int, lookback: int, hours: float
) -> None:
    last = dt.date(2020, 1, 1) + dt.timedelta(days=covered)
    state = SeriesState(checked_at=START - dt.timedelta(hours=hours), coverage_to=last)
    request = planned(state, lookback_days=lookback).request
    assert request.from_date is not None
    assert dt.date(2020, 1, 1) <= request.from_date <= last + dt.timedelta(days=1)

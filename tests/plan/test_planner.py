"""Which requests are due, for which days, and why."""

from __future__ import annotations

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st
from warehouse import START, entry

from sbf_core.ops.rows import SeriesState
from sbf_core.plan.planned import PlannedRequest
from sbf_core.plan.planner import PlanWishes, plan_requests

DAY = dt.date(2024, 1, 2)


def planned(state: SeriesState | None = None, wishes: PlanWishes | None = None, **declared: object) -> PlannedRequest:
    states = {} if state is None else {"prices/fake/eod": state}
    (found,) = plan_requests([entry(**declared)], tickers=(), states=states, now=START, run_id="r", wishes=wishes)
    return found


def test_what_was_never_fetched_is_due_from_the_first_date() -> None:
    found = planned()
    assert (found.due, found.why) == (True, "never fetched")
    assert (found.request.from_date, found.request.to_date) == (dt.date(2020, 1, 1), DAY)


def test_due_when_old_enough_and_from_the_day_after_what_is_covered() -> None:
    fresh = SeriesState(checked_at=START - dt.timedelta(hours=19.9), coverage_to=dt.date(2023, 12, 29))
    assert not planned(fresh).due
    assert "due after 20 h" in planned(fresh).why
    old = SeriesState(checked_at=START - dt.timedelta(hours=20), coverage_to=dt.date(2023, 12, 29))
    assert planned(old).due
    assert planned(old).request.from_date == dt.date(2023, 12, 30)
    assert planned(old, lookback_days=5).request.from_date == dt.date(2023, 12, 25)
    assert planned(old, lookback_days=5000).request.from_date == dt.date(2020, 1, 1)


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
def test_a_window_never_starts_before_the_first_date_nor_leaves_a_gap(covered: int, lookback: int, hours: float) -> None:
    last = dt.date(2020, 1, 1) + dt.timedelta(days=covered)
    state = SeriesState(checked_at=START - dt.timedelta(hours=hours), coverage_to=last)
    request = planned(state, lookback_days=lookback).request
    assert request.from_date is not None
    assert dt.date(2020, 1, 1) <= request.from_date <= last + dt.timedelta(days=1)

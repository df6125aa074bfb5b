"""When there can be something new: calendars, ages, seasons."""

from __future__ import annotations

import datetime as dt
import importlib.util
from pathlib import Path
from typing import Any

import pytest
from warehouse import FakeVendor, Warehouse, entry

from sbf_core.api import Cadence
from sbf_core.dataset.from_toml import entry_from_mapping
from sbf_core.errors import UsageError
from sbf_core.ops.rows import SeriesState
from sbf_core.plan.planned import PlannedRequest
from sbf_core.plan.planner import PlanWishes, plan_requests
from sbf_core.plan.sessions import last_news, session_test

has_calendars = importlib.util.find_spec("exchange_calendars") is not None
FRIDAY = dt.datetime(2024, 1, 5, 10, tzinfo=dt.UTC)


def planned(
    checked_at: dt.datetime, now: dt.datetime, *, wishes: PlanWishes | None = None, **declared: Any
) -> PlannedRequest:
    states = {"prices/fake/eod": SeriesState(checked_at=checked_at, coverage_to=checked_at.date())}
    (found,) = plan_requests(
        [entry(**{"refresh_after_hours": 12, **declared})],
        tickers=(),
        states=states,
        now=now,
        run_id="r",
        wishes=wishes,
    )
    return found


def later(days: float) -> dt.datetime:
    return FRIDAY + dt.timedelta(days=days)


@pytest.mark.parametrize(
    ("checked", "now", "due"),
    [
        (0, 1, True),  # Friday's rows came after ten in the morning
        (1.1, 2, False),  # asked on Saturday afternoon: there is nothing more until Monday
        (1.1, 2.5, False),
        (1.1, 3, True),
        (0, 0.4, False),  # the interval still holds
        (-10, 2, True),
    ],
)
def test_nothing_is_asked_on_days_off(checked: float, now: float, due: bool) -> None:
    found = planned(later(checked), later(now), cadence=Cadence(calendar="weekdays"))
    assert found.due is due, found.why
    assert planned(later(checked), later(now), cadence=Cadence(calendar="weekdays"), wishes=PlanWishes(force=True)).due
    if not due and now > 1:
        assert "nothing came after 2024-01-05 (weekdays)" in found.why


def test_rows_that_are_published_days_later_are_not_asked_for_before() -> None:
    cadence = Cadence(calendar="weekdays", min_age_days=2)
    assert planned(later(-3), later(0), cadence=cadence).request.to_date == dt.date(2024, 1, 3)
    assert planned(later(2.2), later(3), cadence=cadence).due, "Friday's came on Sunday, until noon of Monday"
    assert not planned(later(3.2), later(4), cadence=cadence).due, "Monday's will come on Wednesday"
    assert planned(later(3.2), later(5), cadence=cadence).due


@pytest.mark.parametrize(
    ("day", "seasons", "due"),
    [("2024-02-10", ("01-01/03-31",), True), ("2024-04-02", ("01-01/03-31",), False),
     ("2024-01-15", ("11-15/01-31",), True), ("2024-12-01", ("11-15/01-31",), True),
     ("2024-06-01", ("11-15/01-31", "06-01/06-01"), True), ("2024-06-02", ("11-15/01-31", "06-01/06-01"), False)],
)  # fmt: skip
def test_out_of_season_the_interval_is_longer(day: str, seasons: tuple[str, ...], due: bool) -> None:
    now = dt.datetime.fromisoformat(f"{day}T12:00:00+00:00")
    found = planned(now - dt.timedelta(days=1), now, cadence=Cadence(seasons=seasons))
    assert found.due is due
    assert ("out of season" in found.why) is not due
    assert planned(now - dt.timedelta(days=31), now, cadence=Cadence(seasons=seasons)).due


@pytest.mark.parametrize(
    "wrong",
    [
        {"calendar": "week days"},
        {"seasons": ("1-1/3-31",)},
        {"seasons": ("02-30/03-01",)},
        {"min_age_days": -1},
        {"off_season_hours": -1},
    ],
)
def test_cadences_that_are_none(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=r"calendar|season|negative"):
        Cadence(**wrong)


def test_a_cadence_from_toml() -> None:
    declared = {
        "domain": "a", "source": "b", "dataset": "c", "silver_table": "t",
        "columns": [{"name": "day", "type": "DATE", "key": True}],
        "cadence": {"calendar": "XNYS", "seasons": ["01-01/03-31"]},
    }  # fmt: skip
    assert entry_from_mapping(declared).cadence == Cadence(calendar="XNYS", seasons=("01-01/03-31",))
    with pytest.raises(UsageError, match="calender"):
        entry_from_mapping({**declared, "cadence": {"calender": "XNYS"}})


@pytest.mark.skipif(has_calendars, reason="the extra calendars is installed")
def test_an_exchange_without_its_library_is_told_before_anything_is_written(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path / "home", FakeVendor(entry(cadence=Cadence(calendar="XNYS"))))
    with pytest.raises(UsageError, match=r"XNYS needs a library.*sbf\[calendars\]"):
        warehouse.run()
    assert not (tmp_path / "home").exists()


@pytest.mark.skipif(not has_calendars, reason="the extra calendars is not installed: pip install exchange-calendars")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # what the library asks of pandas is its own affair
def test_holidays_of_an_exchange() -> None:
    thanksgiving = dt.datetime(2026, 11, 26, 18, tzinfo=dt.UTC)
    day, until = last_news(Cadence(calendar="XNYS"), thanksgiving) or (None, None)
    assert (day, until) == (dt.date(2026, 11, 25), dt.datetime(2026, 11, 26, 12, tzinfo=dt.UTC))
    assert session_test("XNYS")(dt.date(1950, 1, 3)), "before its calendar begins, weekdays"
    with pytest.raises(UsageError, match="no exchange 'XXXXX'"):
        session_test("XXXXX")

"""Datasets that cannot be asked for, and plugins that cannot be loaded: each costs itself, and is told in a line."""

from __future__ import annotations

import datetime as dt
import sys
import types
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from pyrate_limiter import Rate, validate_rate_list
from warehouse import FakeVendor, Warehouse, entry, price

from sbf_core.api import Cadence, RestRecipe
from sbf_core.dataset.limits import contradict
from sbf_core.dataset.recipe import limit_parts
from sbf_core.errors import UsageError
from sbf_core.plan import sessions
from sbf_core.plugin.manager import PluginManager
from sbf_core.runner.options import RunOptions


class _Unknown(ValueError):
    pass


class _Calendar:
    """As the library makes it: a week of July 2024 had a Saturday, which ``has_saturday`` says it knows."""

    weekmask = "1111100"

    def __init__(self, *, has_saturday: bool = True) -> None:
        self.first_session, self.last_session = dt.datetime(2020, 1, 1), dt.datetime(2030, 1, 1)
        self.special_weekmasks = [
            (None, dt.datetime(2020, 1, 6), "1111101"),
            (dt.datetime(2024, 7, 1), dt.datetime(2024, 7, 7), "1111110"),
        ]
        self._has_saturday = has_saturday

    def is_session(self, day: str) -> bool:
        return dt.date.fromisoformat(day).isoweekday() <= 5 or (self._has_saturday and day == "2024-07-06")


def _get_calendar(code: str) -> Any:
    if code == "XBAD":
        raise ValueError("Special dates [" + "Timestamp('2006-12-03 13:40:00+0000'), " * 1_000)
    if code == "XABS":
        raise NotImplementedError("implemented by subclasses")
    if code not in ("XGUT", "XLOS"):
        raise _Unknown(code)
    return _Calendar(has_saturday=code == "XGUT")


@pytest.fixture
def _library(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A stand-in for the library of the extra, which fails as it does with pandas 3."""
    library = types.ModuleType("exchange_calendars")
    library.get_calendar = _get_calendar  # type: ignore[attr-defined]
    library.errors = types.SimpleNamespace(InvalidCalendarName=_Unknown)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "exchange_calendars", library)
    sessions._made.cache_clear()
    yield
    sessions._made.cache_clear()


def two(tmp_path: Path, **odd: Any) -> tuple[Warehouse, FakeVendor]:
    """A healthy dataset and an odd one."""
    vendor = FakeVendor(entry(), entry(dataset="odd", silver_table="odd", **odd))
    for dataset in ("eod", "odd"):
        vendor.says([price("A", "2024-01-01")], dataset=dataset)
    return Warehouse(tmp_path / "home", vendor), vendor


CALENDARS = {
    "XBAD": "cannot make the calendar XBAD: ValueError: Special dates",
    "XABS": "cannot make the calendar XABS: NotImplementedError",
    "XNON": "there is no exchange 'XNON'",
    "XLOS": "makes the calendar XLOS without its sessions on weekends, such as 2020-01-05",
}


@pytest.mark.usefixtures("_library")
@pytest.mark.parametrize(("code", "told"), CALENDARS.items(), ids=CALENDARS)
def test_a_calendar_that_cannot_be_made_costs_its_dataset_only(tmp_path: Path, code: str, told: str) -> None:
    warehouse, _ = two(tmp_path, cadence=Cadence(calendar=code))
    plan = warehouse.runner().plan()
    assert any(told in note for note in plan.notes)
    context = warehouse.run()
    assert len(context.errors) == 1
    assert context.errors[0].startswith("prices/fake/odd: ") and told in context.errors[0]
    assert len(context.errors[0]) < 700
    assert warehouse.ask("SELECT symbol FROM silver.px") == [("A",)]
    with pytest.raises(UsageError, match=code):
        warehouse.run(options=RunOptions(select=("*:odd",)))


@pytest.mark.usefixtures("_library")
def test_a_calendar_with_its_sessions_on_weekends_is_taken(tmp_path: Path) -> None:
    warehouse, _ = two(tmp_path, cadence=Cadence(calendar="XGUT"))
    assert warehouse.run().errors == []


def test_limits_that_contradict_anothers_cost_their_dataset_only(tmp_path: Path) -> None:
    warehouse, vendor = two(tmp_path, recipe=RestRecipe(url="http://127.0.0.1:9/x", limits=("5/day",)))
    vendor.entries[0] = entry(recipe=RestRecipe(url="http://127.0.0.1:9/y", limits=("10/second",)))
    context = warehouse.run()
    assert context.errors == [
        (
            "prices/fake/odd: its limits 5/day contradict those of another dataset of fake: 10/second; "
            "a longer period must allow more, but less per "
            "second; plugin fake; the others go on"
        )
    ]
    assert warehouse.ask("SELECT symbol FROM silver.px") == [("A",)]


def test_limits_that_contradict_each_other_are_told(tmp_path: Path) -> None:
    warehouse, _ = two(tmp_path, recipe=RestRecipe(url="http://127.0.0.1:9/x", limits=("10/second", "5/day")))
    (error,) = warehouse.run().errors
    assert "its limits 10/second, 5/day contradict each other" in error


def test_limits_contradict_where_those_who_keep_them_say_so() -> None:
    limits = (
        "1/second",
        "5/second",
        "10/minute",
        "300/minute",
        "400/minute",
        "100/hour",
        "250/day",
        "86400/day",
        "500000/month",
    )
    for size in (1, 2, 3):
        for some in combinations(limits, size):
            parts = sorted({limit_parts(limit) for limit in some}, key=lambda part: part[1])
            rates = [Rate(allowed, seconds * 1000) for allowed, seconds in parts]
            assert contradict(some) is not validate_rate_list(rates), some


@pytest.mark.parametrize("named", [True, False])
def test_a_plugin_that_cannot_be_loaded_costs_itself_only(tmp_path: Path, named: bool) -> None:
    manager = PluginManager([EntryPoint(name="broken", value="no_such_module_anywhere", group="sbf.plugins")])
    vendor = FakeVendor(entry())
    vendor.says([price("A", "2024-01-01")])
    warehouse = Warehouse(tmp_path / "home", vendor)
    manager.register(vendor, name="healthy")
    options = RunOptions(plugins=("broken", "healthy") if named else None)
    runner = warehouse.runner()
    home = warehouse.opened(manager)
    runner = type(runner)(home, options)
    assert any("plugin broken is refused" in note for note in runner.plan().notes)
    context = runner.run()
    assert context.errors == [
        (
            "plugin broken is refused: ModuleNotFoundError: No module named 'no_such_module_anywhere'; "
            "mend or uninstall it; the others go on"
        )
    ]
    assert warehouse.ask("SELECT symbol FROM silver.px") == [("A",)]
    with pytest.raises(UsageError, match="plugin broken is refused"):
        _ = type(runner)(home, RunOptions(plugins=("broken",))).chosen
    left_out = type(runner)(home, RunOptions(plugins=options.plugins, exclude=("broken",)))
    assert left_out.plan().notes == ()

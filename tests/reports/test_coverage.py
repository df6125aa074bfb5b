"""Days by how they stand: asked, answered, empty, not final, failed and never asked for, apart."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from warehouse import FakeVendor, Warehouse, entry, price

from sbf_core.api import Cadence, DataRules, RestRecipe, RunResult, UniverseMember, hookimpl
from sbf_core.cli.commands.coverage import _days
from sbf_core.cli.commands.coverage import coverage as coverage_command
from sbf_core.errors import UsageError
from sbf_core.ops.coverage import Stretch
from sbf_core.reports import coverage
from sbf_core.reports.coverage import Covered, coverage_of, day_counts
from sbf_core.reports.overview import dataset_states
from sbf_core.runner.options import RunOptions
from sbf_core.universe.members import Membership, membership_of

TODAY = dt.date(2024, 1, 8)


class Vendor(FakeVendor):
    """Has a row of each ticker on the first day of each request, of some of them."""

    down = False
    has_rows = True
    breaks = False

    @hookimpl
    def fetch(self, entry: Any, request: Any) -> RunResult:
        assert self.clock is not None
        shared = {
            "request": request,
            "address": f"fake://{request.key}/{request.from_date}/{request.to_date}",
            "fetched_at": self.clock.now(),
        }
        if self.down:
            return RunResult(**shared, error="down", kind="http_status")
        if self.breaks:
            return RunResult(**shared, payload=b'[{"symbol": "A", "date": "?", "close": 1, "volume": 1}]')
        rows = [price(request.ticker or "A", str(request.from_date))] if self.has_rows else []
        return RunResult(**shared, payload=json.dumps(rows).encode())


def shown(warehouse: Warehouse, vendor: FakeVendor, **more: Any) -> list[tuple[str | None, str, str, int, str]]:
    with warehouse.open() as cursor:
        found = coverage_of(cursor, vendor.entries[0], **{"belonging": None, "today": TODAY, **more})
    return [(each.ticker, f"{each.first:%m-%d}", f"{each.last:%m-%d}", each.days, str(each.state)) for each in found]


def asked(first: int, last: int) -> RunOptions:
    return RunOptions(since=dt.date(2024, 1, first), until=dt.date(2024, 1, last), force=True)


def state_of(warehouse: Warehouse, vendor: FakeVendor) -> tuple[str, int, int, str]:
    with warehouse.open() as cursor:
        (one,) = dataset_states(cursor, vendor.entries, bronze=warehouse.home / "bronze", now=warehouse.clock.now())
    return one.state, one.refused, one.answered_since, one.why


def test_a_refused_payload_whose_days_came_later_needs_no_look(tmp_path: Path) -> None:
    vendor = Vendor(entry(first_date=dt.date(2024, 1, 1), is_data=DataRules(may_be_empty=True)))
    warehouse = Warehouse(tmp_path / "home", vendor)
    warehouse.clock.advance(hours=24 * 20)
    assert warehouse.run(options=asked(1, 10)).errors == []
    vendor.breaks = True
    assert warehouse.run(hours_later=1, options=asked(2, 9)).errors  # what came before says nothing of it
    assert state_of(warehouse, vendor) == ("failed", 1, 0, "1 payload could not be promoted")
    vendor.breaks = False
    for days, refused in (((8, 12), 1), ((1, 3), 1), ((3, 6), 1)):  # the 7th is open still
        warehouse.run(hours_later=1, options=asked(*days))
        assert state_of(warehouse, vendor)[:3] == ("failed", refused, 0)
    warehouse.run(hours_later=1, options=asked(6, 7))
    told = "1 refused payload, whose days a later answer has since brought"
    assert state_of(warehouse, vendor) == ("fresh", 0, 1, f"fetched 0.0 h ago, due after 20 h; {told}")
    vendor.breaks = True
    warehouse.run(hours_later=1, options=asked(11, 12))
    assert state_of(warehouse, vendor) == ("failed", 1, 1, f"1 payload could not be promoted; {told}")


@pytest.mark.parametrize("per_request", [1, 2])
def test_a_refused_payload_is_told_until_the_days_of_all_its_tickers_came(tmp_path: Path, per_request: int) -> None:
    recipe = RestRecipe(url="https://fake.example/?s={ticker}&f={from_date}", tickers_per_request=per_request)
    declared = entry(
        first_date=dt.date(2024, 1, 1),
        scope="per_ticker",
        members=("A", "B"),
        recipe=recipe if per_request > 1 else None,
    )
    vendor = Vendor(declared)
    warehouse = Warehouse(tmp_path / "home", vendor)
    vendor.breaks = True
    assert warehouse.run().errors
    assert state_of(warehouse, vendor)[:3] == ("failed", 2 // per_request, 0)
    vendor.breaks = False
    warehouse.run(hours_later=24)
    assert state_of(warehouse, vendor)[:3] == ("fresh", 0, 2 // per_request)


def test_a_payload_of_all_that_there_is_gives_way_to_any_later_one(tmp_path: Path) -> None:
    vendor = FakeVendor(entry(recipe=RestRecipe(url="https://fake.example/all")))
    warehouse = Warehouse(tmp_path / "home", vendor)
    vendor.says([{"symbol": "A"}])
    assert warehouse.run().errors
    warehouse.run(hours_later=24)
    assert state_of(warehouse, vendor)[:3] == ("failed", 1, 0)  # the same bytes
    vendor.says([price("A", "2024-01-01")])
    warehouse.run(hours_later=24)
    assert state_of(warehouse, vendor)[:3] == ("fresh", 0, 1)


def test_days_stand_apart(tmp_path: Path) -> None:
    vendor = Vendor(entry(first_date=dt.date(2023, 12, 30), is_data=DataRules(may_be_empty=True)))
    warehouse = Warehouse(tmp_path / "home", vendor)
    warehouse.clock.advance(hours=24 * 5)  # noon of 7 January
    vendor.down = True
    warehouse.run(options=asked(2, 4))
    vendor.down = False
    warehouse.run(options=asked(3, 3))
    vendor.has_rows = False
    warehouse.run(options=asked(6, 7))
    assert shown(warehouse, vendor) == [
        (None, "12-30", "01-01", 3, "never asked"),
        (None, "01-02", "01-02", 1, "failed"),
        (None, "01-03", "01-03", 1, "final"),
        (None, "01-04", "01-04", 1, "failed"),
        (None, "01-05", "01-05", 1, "never asked"),
        (None, "01-06", "01-07", 2, "not final"),
        (None, "01-08", "01-08", 1, "never asked"),
    ]
    warehouse.run(hours_later=48, options=asked(6, 7))
    assert shown(warehouse, vendor)[-2:] == [
        (None, "01-06", "01-07", 2, "empty"),
        (None, "01-08", "01-08", 1, "never asked"),
    ]


def test_tickers_that_were_never_asked_for_are_there(tmp_path: Path) -> None:
    vendor = Vendor(entry(scope="per_ticker", first_date=dt.date(2024, 1, 1), cadence=Cadence(min_age_days=4)))
    warehouse = Warehouse(tmp_path / "home", vendor)
    warehouse.clock.advance(hours=24 * 6)
    warehouse.run(universe__tickers=["B"])
    assert shown(warehouse, vendor, belonging=Membership(tickers=("A", "B"))) == [
        ("A", "01-01", "01-04", 4, "never asked"),
        ("B", "01-01", "01-02", 2, "final"),
        ("B", "01-03", "01-04", 2, "not final"),
    ]
    assert shown(warehouse, vendor, belonging=Membership(tickers=("B",)), ticker="A") == [
        ("A", "01-01", "01-04", 4, "never asked")
    ], "named, whether it belongs or not"
    assert shown(warehouse, vendor, today=dt.date(2023, 1, 1)) == []


def belonging(*members: tuple[str, int | None, int | None]) -> Membership:
    """Of tickers, with the first and the last day of January on which each belongs."""

    def day(number: int | None) -> dt.date | None:
        return None if number is None else dt.date(2024, 1, number)

    return membership_of([UniverseMember(ticker=one, valid_from=day(a), valid_to=day(z)) for one, a, z in members])


def test_days_on_which_a_ticker_does_not_belong_are_not_wanted(tmp_path: Path) -> None:
    vendor = Vendor(entry(scope="per_ticker", first_date=dt.date(2024, 1, 1), is_data=DataRules(may_be_empty=True)))
    warehouse = Warehouse(tmp_path / "home", vendor)
    warehouse.clock.advance(hours=24 * 10)
    warehouse.run(options=asked(2, 4), universe__tickers=["B"])
    vendor.down = True
    warehouse.run(options=asked(5, 5), universe__tickers=["B"])
    answered = [("B", "01-02", "01-04", 3, "final"), ("B", "01-05", "01-05", 1, "failed")]
    assert shown(warehouse, vendor, belonging=belonging(("A", 3, 4), ("A", 7, None), ("B", 4, 6))) == [
        ("A", "01-03", "01-04", 2, "never asked"),
        ("A", "01-07", "01-08", 2, "never asked"),
        *answered,
        ("B", "01-06", "01-06", 1, "never asked"),
    ]
    assert shown(warehouse, vendor, belonging=belonging(("A", 9, None))) == answered, "it left: what came is there"
    assert shown(warehouse, vendor, belonging=belonging(("B", 4, 6)), ticker="B") == [
        *answered,
        ("B", "01-06", "01-06", 1, "never asked"),
    ]
    assert shown(warehouse, vendor, belonging=belonging(), ticker="B") == answered
    assert shown(warehouse, vendor, belonging=belonging(("A", 9, None)), ticker="A") == []
    always = [("B", "01-01", "01-01", 1, "never asked"), *answered, ("B", "01-06", "01-08", 3, "never asked")]
    assert shown(warehouse, vendor) == always, "where nobody says who belongs, what was seen does"
    vendor.entries = [attrs.evolve(vendor.entries[0], members=("B", "C"))]
    assert shown(warehouse, vendor, belonging=belonging(("B", 4, 4))) == [
        *always,
        ("C", "01-01", "01-08", 8, "never asked"),
    ], "members of its own are not bound by the universe"


@given(st.lists(st.tuples(st.integers(1, 20), st.integers(0, 6)), max_size=4))
def test_never_asked_are_days_that_a_run_asks_for(spans: list[tuple[int, int]]) -> None:
    bounds = _islands(spans)[1]
    wanted = Stretch(dt.date.fromordinal(3), dt.date.fromordinal(18))
    answers = [Stretch(dt.date.fromordinal(6), dt.date.fromordinal(9))]
    found = coverage._states(wanted, answers, answers, answers, (), bounds=bounds)
    never = {
        day
        for first, last, state in found
        for day in range(first.toordinal(), last.toordinal() + 1)
        if state is Covered.NEVER_ASKED
    }
    assert never == {day for day in _islands(spans)[0] if 3 <= day <= 18} - {6, 7, 8, 9}


def told_of(warehouse: Warehouse, capsys: pytest.CaptureFixture[str], *, ticker: str | None = None) -> Any:
    """What the command says of the universe's days, with the plugins of a test."""
    _days(warehouse.opened(), name="px", ticker=ticker, as_json=True)
    (one,) = json.loads(capsys.readouterr().out)["datasets"]
    return [(each["ticker"], each["first"], each["days"], each["state"]) for each in one["stretches"]]


QUERY = (
    "SELECT 'A' AS ticker, DATE '2024-01-01' AS valid_from, NULL AS valid_to "
    "UNION ALL SELECT 'N', DATE '2023-12-01', DATE '2023-12-05'"
)


@pytest.mark.parametrize("source", ["", ".fake"])
@pytest.mark.parametrize(
    "given_by",
    [
        'file = "members.csv"',
        'plugin = "fake"',
        f'query = "{QUERY}"',
    ],
    ids=["file", "plugin", "query"],
)
def test_the_command_knows_the_universe_as_a_run_does(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], given_by: str, source: str
) -> None:
    first = dt.date(2023, 12, 1)
    vendor = Vendor(entry(scope="per_ticker", first_date=first))
    warehouse = Warehouse(tmp_path / "home", vendor)
    warehouse.run(options=RunOptions(since=first, until=first), universe__tickers=["B"])
    vendor.members = [
        UniverseMember(ticker="A", valid_from=dt.date(2024, 1, 1)),
        UniverseMember(ticker="N", valid_from=first, valid_to=dt.date(2023, 12, 5)),
    ]
    (warehouse.home / "members.csv").write_text("ticker,valid_from,valid_to\nA,2024-01-01,\nN,2023-12-01,2023-12-05\n")
    (warehouse.home / "sbf.toml").write_text(f"[universe{source}]\n{given_by}\n")
    told = [
        ("A", "2024-01-01", 2, "never asked"),
        ("B", "2023-12-01", 1, "final"),
        ("N", "2023-12-01", 5, "never asked"),
    ]
    assert told_of(warehouse, capsys) == told
    assert told_of(warehouse, capsys, ticker="N") == told[-1:]
    asked_for = {(one.request.ticker, str(one.request.from_date)) for one in warehouse.runner().plan().due}
    assert asked_for == {(ticker, day) for ticker, day, _, state in told if state == "never asked"}


def test_the_command_needs_no_universe(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """None is set, one that is set is empty, and one that is of no interest cannot be read."""
    vendor = Vendor(entry(scope="per_ticker", first_date=dt.date(2024, 1, 1)))
    warehouse = Warehouse(tmp_path / "home", vendor)
    warehouse.run(options=asked(1, 1), universe__tickers=["B"])
    seen, never = ("B", "2024-01-01", 1, "not final"), ("B", "2024-01-02", 1, "never asked")
    assert told_of(warehouse, capsys) == [seen, never]
    settings = warehouse.home / "sbf.toml"
    settings.write_text('[universe]\nquery = "SELECT ticker FROM silver.nowhere"\n')
    assert told_of(warehouse, capsys) == [seen]
    settings.write_text('[universe]\ntickers = ["A", "B"]\nticker_limit = 1\n')
    assert told_of(warehouse, capsys) == [("A", "2024-01-01", 2, "never asked"), seen], "as a run has it"
    settings.write_text('[universe]\nfile = "nowhere.csv"\n')
    with pytest.raises(UsageError, match="no such universe file"):
        told_of(warehouse, capsys)
    vendor.entries = [attrs.evolve(vendor.entries[0], members=("B",))]
    assert told_of(warehouse, capsys) == [seen, never]


def test_a_named_ticker_of_which_no_day_is_wanted(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path / "home", Vendor(entry(scope="per_ticker")))
    warehouse.run(universe__tickers=["B"])
    (warehouse.home / "members.csv").write_text("ticker,valid_from\nNEXT,2024-02-01\n")
    for source, command in (("", "`sbf universe`"), (".fake", "`sbf universe --source fake`")):
        (warehouse.home / "sbf.toml").write_text(f'[universe{source}]\nfile = "members.csv"\n')
        with pytest.raises(UsageError, match="no day of 'NEXT' is wanted") as told:
            _days(warehouse.opened(), name="px", ticker="NEXT", as_json=False)
        assert command in told.value.fix


def test_a_payload_that_was_refused_failed(tmp_path: Path) -> None:
    vendor = Vendor(entry(first_date=dt.date(2024, 1, 1)))
    vendor.has_rows = False
    warehouse = Warehouse(tmp_path / "home", vendor)
    assert warehouse.run(options=asked(1, 2)).errors
    assert shown(warehouse, vendor)[0] == (None, "01-01", "01-02", 2, "failed")


def test_a_payload_that_is_held_was_not_answered(tmp_path: Path) -> None:
    vendor = FakeVendor(entry(first_date=dt.date(2024, 1, 1)))
    warehouse = Warehouse(tmp_path / "home", vendor)
    vendor.says([price("A", "2024-01-01")])
    warehouse.run(options=asked(1, 1))
    vendor.says([{name: value for name, value in price("A", "2024-01-02").items() if name != "volume"}])
    warehouse.run(hours_later=1, options=asked(2, 2))
    assert warehouse.ask("SELECT status FROM ops.promotion_manifest ORDER BY finished_at") == [("ok",), ("held",)]
    assert shown(warehouse, vendor)[1] == (None, "01-02", "01-02", 1, "failed")


STRETCHES = st.lists(st.tuples(st.integers(1, 20), st.integers(0, 6)), max_size=4)


def _islands(pairs: list[tuple[int, int]]) -> tuple[set[int], list[Stretch]]:
    days = {day for first, more in pairs for day in range(first, first + more + 1)}
    starts = sorted(day for day in days if day - 1 not in days)
    ends = sorted(day for day in days if day + 1 not in days)
    return days, [Stretch(dt.date.fromordinal(a), dt.date.fromordinal(z)) for a, z in zip(starts, ends, strict=True)]


@given(STRETCHES, STRETCHES, STRETCHES, STRETCHES)
def test_each_wanted_day_stands_in_one_way(
    answered: list[tuple[int, int]],
    final: list[tuple[int, int]],
    rows: list[tuple[int, int]],
    failed: list[tuple[int, int]],
) -> None:
    """A model: sets of days. Final days and days with rows were answered."""
    (every, answers), (done, finals), (full, fulls), (bad, fails) = map(
        _islands, (answered + final + rows, final, rows, failed)
    )
    wanted = Stretch(dt.date.fromordinal(3), dt.date.fromordinal(18))
    found = coverage._states(wanted, finals, answers, fulls, fails, bounds=[wanted])
    states = [(day, state) for first, last, state in found for day in range(first.toordinal(), last.toordinal() + 1)]

    def right(day: int) -> Covered:
        if day in done:
            return Covered.FINAL if day in full else Covered.EMPTY
        return Covered.NOT_FINAL if day in every else Covered.FAILED if day in bad else Covered.NEVER_ASKED

    assert sorted(states) == [(day, right(day)) for day in range(3, 19)]


def test_the_command_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Over a home without a run; of a plugin that is installed."""
    home = str(tmp_path / "home")
    warehouse = Warehouse(tmp_path / "home", Vendor(entry()))
    warehouse.run()
    coverage_command("fred_observation", home, ticker="GDPC1", days=True)
    assert capsys.readouterr().out.splitlines()[1].split()[:2] == ["GDPC1", "1776-07-04"]
    coverage_command("", home)
    out = capsys.readouterr().out
    assert "days never asked" in out and "rates/treasury/par_yield_curve" in out and "ecb" not in out
    coverage_command("par_yield_curve", home, days=True, as_json=True)
    told = json.loads(capsys.readouterr().out)
    assert (told["datasets"][0]["dataset"], told["datasets"][0]["stretches"][0]["state"]) == (
        "rates/treasury/par_yield_curve",
        "never asked",
    )
    for name, ticker, word in (
        ("ecb_reference_rate", None, "names no days"),
        ("", "A", "needs a dataset"),
        ("fred_observation", "GDPC2", "did you mean 'GDPC1'"),
    ):
        with pytest.raises(UsageError, match=word):
            coverage_command(name, home, ticker=ticker, days=True)


def test_days_are_counted() -> None:
    stretch = coverage.CoveredStretch(
        ticker=None, first=dt.date(2024, 1, 1), last=dt.date(2024, 1, 3), state=Covered.EMPTY
    )
    assert day_counts([stretch, stretch])[Covered.EMPTY] == 6

"""Who is asked for, by source, and on which days."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from warehouse import START, FakeVendor, Warehouse, entry

from sbf_core.api import RestRecipe, RunResult, UniverseMember, UsageError, hookimpl
from sbf_core.cli.commands.universe import universe as universe_command
from sbf_core.plan.planner import PlanWishes, plan_requests
from sbf_core.runner.options import RunOptions
from sbf_core.settings.settings import Settings
from sbf_core.universe.members import Membership, membership_of

DAYS = st.integers(1, 28) | st.none()


def day(number: int | None) -> dt.date | None:
    return None if number is None else dt.date(2023, 12, number)


def member(ticker: str, first: int | None, last: int | None) -> UniverseMember:
    return UniverseMember(ticker=ticker, valid_from=day(first), valid_to=day(last))


@given(st.lists(st.tuples(st.sampled_from("AB"), DAYS, DAYS), max_size=6))
def test_days_of_membership_are_those_of_any_of_its_rows(rows: list[tuple[str, int | None, int | None]]) -> None:
    members = [member(*row) for row in rows]
    found = membership_of(members)
    assert list(found.tickers) == list(dict.fromkeys(one.ticker for one in members))
    for ticker in found.tickers:
        for number in range(1, 29):
            at = dt.date(2023, 12, number)
            spans = found.spans.get(ticker)
            belongs = spans is None or any(first <= at <= last for first, last in spans)
            assert belongs == any(one.ticker == ticker and one.holds_on(at) for one in members)
    for spans in found.spans.values():
        for (_, last), (first, _) in zip(spans, spans[1:], strict=False):
            assert last + dt.timedelta(days=1) < first, "they neither meet nor overlap"


def planned(
    universe: dict[str, Membership], *, wishes: PlanWishes | None = None, **declared: Any
) -> list[tuple[str | None, bool, list[tuple[str, str]]]]:
    declared = {
        "scope": "per_ticker",
        "first_date": dt.date(2023, 12, 1),
        "recipe": RestRecipe(url="https://example.com/{ticker}?f={from_date}"),
        **declared,
    }
    items = plan_requests(
        [entry(**declared)], tickers=("Z",), states={}, now=START, run_id="r", wishes=wishes, universe=universe
    )
    return [
        (item.request.ticker, item.due, [(str(step.from_date), str(step.to_date)) for step in item.steps])
        for item in items
    ]


def test_a_ticker_is_asked_for_only_for_days_on_which_it_belongs() -> None:
    universe = {
        "": membership_of([member("A", 5, 10), member("A", 20, None), member("B", None, None), member("C", None, 3)])
    }
    assert planned(universe) == [
        ("A", True, [("2023-12-05", "2023-12-10"), ("2023-12-20", "2024-01-02")]),
        ("B", True, [("2023-12-01", "2024-01-02")]),
        ("C", True, [("2023-12-01", "2023-12-03")]),
    ]
    later = PlanWishes(since=dt.date(2023, 12, 8))
    assert [due for _, due, _ in planned(universe, wishes=later)] == [True, True, False]
    assert planned(universe, wishes=later)[0][2] == [("2023-12-08", "2023-12-10"), ("2023-12-20", "2024-01-02")]
    assert [ticker for ticker, *_ in planned(universe, members=("M",))] == ["M"], "members of a dataset belong always"


def test_an_answer_of_all_days_is_asked_for_while_it_belongs_and_once_if_it_did() -> None:
    everything = RestRecipe(url="https://example.com/{ticker}")
    universe = {
        "": membership_of(
            [member("A", 1, None), member("GONE", 1, 5), UniverseMember(ticker="NEXT", valid_from=dt.date(2024, 2, 1))]
        )
    }
    assert [(ticker, due) for ticker, due, _ in planned(universe, recipe=everything)] == [
        ("A", True),
        ("GONE", True),
        ("NEXT", False),
    ]


def test_a_source_has_a_universe_of_its_own() -> None:
    universe = {"": Membership(tickers=("A", "B")), "fake": Membership(tickers=("B", "C"))}
    assert [ticker for ticker, *_ in planned(universe)] == ["B", "C"]
    assert [ticker for ticker, *_ in planned(universe, source="other")] == ["A", "B"]
    assert [ticker for ticker, *_ in planned({})] == ["Z"]


class Vendor(FakeVendor):
    """Knows every ticker."""

    @hookimpl
    def fetch(self, entry: Any, request: Any) -> Any:
        self.asked.append(request.key)
        assert self.clock is not None
        payload = f'[{{"symbol": "{request.ticker}", "date": "2024-01-01", "close": 1, "volume": 1}}]'.encode()
        return RunResult(request=request, address=f"fake://{request.key}", payload=payload, fetched_at=self.clock.now())


SETTINGS = """
[universe]
tickers = ["A", "B"]
[universe.small]
file = "few.csv"
[universe.asks]
query = "SELECT symbol AS ticker FROM silver.px WHERE symbol > 'A'"
"""


def test_settings_give_sources_their_universe(tmp_path: Path) -> None:
    vendor = Vendor(
        *(
            entry(source=source, scope="per_ticker", silver_table=table)
            for source, table in (("big", "px"), ("small", "py"), ("asks", "pz"))
        )
    )
    warehouse = Warehouse(tmp_path / "home", vendor)
    warehouse.home.mkdir()
    (warehouse.home / "sbf.toml").write_text(SETTINGS)
    (warehouse.home / "few.csv").write_text("ticker,valid_from,valid_to\nB,,\nOLD,2021-01-01,2022-12-31\n")
    warehouse.run()
    assert sorted(vendor.asked) == [
        "prices/big/eod/A",
        "prices/big/eod/B",
        "prices/small/eod/B",
        "prices/small/eod/OLD",
    ]
    vendor.asked.clear()
    warehouse.run(hours_later=24)
    assert sorted(vendor.asked) == ["prices/asks/eod/B", "prices/big/eod/A", "prices/big/eod/B", "prices/small/eod/B"]
    vendor.asked.clear()
    assert "prices/small/eod/B" in [item.request.key for item in warehouse.runner().plan().requests]
    warehouse.run(hours_later=24, universe__tickers=("C",))
    assert sorted(vendor.asked) == ["prices/asks/eod/C", "prices/big/eod/C", "prices/small/eod/C"], (
        "named for one run, for all of it"
    )


def test_a_source_with_its_own_universe_needs_no_other(tmp_path: Path) -> None:
    vendor = Vendor(
        entry(source="small", scope="per_ticker"), entry(source="big", scope="per_ticker", silver_table="py")
    )
    warehouse = Warehouse(tmp_path / "home", vendor)
    warehouse.home.mkdir()
    (warehouse.home / "sbf.toml").write_text('[universe.small]\ntickers = ["A"]\n')
    context = warehouse.run()
    assert vendor.asked == ["prices/small/eod/A"]
    assert any("prices/big/eod left out" in note for note in warehouse.runner().plan().notes), context.notes


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ('[universe.small]\nticker = ["A"]', "did you mean 'tickers'"),
        ("[universe.small]", "keep one of"),
        ('[universe.small]\ntickers = ["A"]\nplugin = "p"', "keep one of"),
        ("[universe.small]\ntickers = [1]", "write tickers"),
        ("[universe.small]\nfile = 1", "write file"),
        ('[universe.small]\nquery = ""', "write query"),
    ],
)
def test_what_is_no_universe_is_refused(tmp_path: Path, text: str, word: str) -> None:
    (tmp_path / "sbf.toml").write_text(text)
    with pytest.raises(UsageError) as told:
        Settings(tmp_path, environment={})
    assert word in f"{told.value}" and "[universe.small]" in told.value.where


def test_a_universe_of_no_source_is_refused(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path / "home", Vendor(entry(source="small", scope="per_ticker")))
    warehouse.home.mkdir()
    (warehouse.home / "sbf.toml").write_text('[universe.smal]\ntickers = ["A"]\n')
    with pytest.raises(UsageError, match="did you mean 'small'"):
        _ = warehouse.runner(RunOptions()).chosen


def test_the_command_shows_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = str(tmp_path)
    (tmp_path / "sbf.toml").write_text('[universe]\ntickers = ["A"]\n[universe.small]\ntickers = ["B", "C"]\n')
    universe_command(home, source="small")
    assert "2 members from a list of tickers" in capsys.readouterr().out
    universe_command(home)
    told = capsys.readouterr()
    assert "1 member from" in told.out and "sbf universe --source NAME" in told.err
    with pytest.raises(UsageError, match="did you mean 'small'"):
        universe_command(home, source="smal")

"""What a plan costs, and that no limit is ever passed, whoever asks."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hang import HANG_SECONDS
from warehouse import START, entry

from sbf_core.api import RestRecipe, UsageError
from sbf_core.dataset.recipe import limit_parts
from sbf_core.http.rate_use import rate_use
from sbf_core.http.rates import RateBook
from sbf_core.plan.forecast import forecast
from sbf_core.plan.planned import PlannedRequest, chunks
from sbf_core.plan.planner import PlanWishes, plan_requests
from sbf_core.runs.request import RunRequest


def requests_to(source: str, number: int, **more: object) -> list[PlannedRequest]:
    declared = entry(
        source=source,
        scope="per_ticker",
        recipe=RestRecipe(url="https://example.com/{ticker}", **more),  # type: ignore[arg-type]
    )
    return plan_requests([declared], tickers=[f"T{each}" for each in range(number)], states={}, now=START, run_id="")


def test_a_forecast_counts_what_is_due_and_what_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time_ns()
    monkeypatch.setattr(time, "time_ns", lambda: now)
    rates = tmp_path / "rates.sqlite"
    book = RateBook(rates)
    book.declare("a", ["100/minute", "250/day"])
    assert [book.take("a") for _ in range(50)] == [0.0] * 50
    book.close()
    planned = [*requests_to("a", 300, limits=("100/minute", "250/day"), connections=4), *requests_to("b", 80)]
    a, b = forecast(planned, rates=rates, answer_seconds={"b": 2.0})
    assert [(use.limit, use.used, use.allowed) for use in a.uses] == [("100/minute", 50, 100), ("250/day", 50, 250)]
    assert (a.requests, a.fits) == (300, False)
    assert a.seconds == pytest.approx((300 + 50 - 250) / 250 * 86400)
    assert (b.requests, b.fits, b.seconds, b.uses) == (80, True, 80 * 2.0 / 8, ())
    assert rate_use(tmp_path / "nothing.sqlite", "a", ["5/second"])[0].used == 0


def test_a_limit_holds_over_processes_and_runs(tmp_path: Path) -> None:
    """Four processes with four threads each ask as fast as they can: together they get what one would."""
    rates = tmp_path / "rates.sqlite"
    taker = (
        "import sys; from pathlib import Path; from concurrent.futures import ThreadPoolExecutor; "
        "from sbf_core.http.rates import RateBook\n"
        "book = RateBook(Path(sys.argv[1])); book.declare('a', ['2000/hour'])\n"
        "sys.stdin.readline()\n"
        "with ThreadPoolExecutor(4) as pool: "
        "print(sum(wait == 0 for wait in pool.map(lambda _: book.take('a'), range(700))))"
    )
    children = [
        subprocess.Popen(
            [sys.executable, "-c", taker, str(rates)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(4)
    ]
    began = time.time()
    for child in children:
        assert child.stdin is not None
        child.stdin.write("go\n")
        child.stdin.flush()
    assert sum(int(child.communicate(timeout=HANG_SECONDS)[0]) for child in children) == 2000
    book = RateBook(rates)
    book.declare("a", ["2000/hour"])
    wait = book.take("a")
    assert 3600 - (time.time() - began) - 1 < wait <= 3600, "until the first of them was an hour ago"


def test_a_clock_that_was_set_back_makes_nobody_wait_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    book = RateBook(tmp_path / "rates.sqlite")
    book.declare("a", ["2/second", "10/day"])
    now = time.time_ns()
    monkeypatch.setattr(time, "time_ns", lambda: now + 3600 * 10**9)
    assert [book.take("a") for _ in range(2)] == [0.0, 0.0]
    monkeypatch.setattr(time, "time_ns", lambda: now)
    assert 0 < book.take("a") < 1.1
    assert rate_use(tmp_path / "rates.sqlite", "a", ["10/day"])[0].used == 2


@pytest.mark.parametrize(
    "limits",
    [
        ("5/fortnight",), ("0/day",), ("many/day",), ("5 per day",), ("5/seconds",), ("5/0 seconds",), ("5/10 second",),
        ("5/10seconds",), ("5/ seconds",), ("\u0665/day",),
    ],
)  # fmt: skip
def test_limits_that_are_none_are_refused(limits: tuple[str, ...]) -> None:
    with pytest.raises(UsageError, match="is not known"):
        RestRecipe(url="https://example.com", limits=limits)


def test_limits_that_contradict_each_other_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="contradict each other"):
        RateBook(None).declare("a", ["100/second", "50/day"])


def request(first: str, last: str) -> RunRequest:
    return RunRequest(
        run_id="r",
        domain="prices",
        source="fake",
        dataset="eod",
        from_date=dt.date.fromisoformat(first),
        to_date=dt.date.fromisoformat(last),
    )


@pytest.mark.parametrize(
    ("url", "days", "first", "last", "wanted"),
    [
        ("{from_date}", 0, "2020-01-01", "2024-01-01", []),
        ("{from_date}", 366, "2024-01-01", "2024-12-31", [("2024-01-01", "2024-12-31")]),
        (
            "{from_date}",
            10,
            "2024-01-01",
            "2024-01-21",
            [("2024-01-01", "2024-01-10"), ("2024-01-11", "2024-01-20"), ("2024-01-21", "2024-01-21")],
        ),
        (
            "{year}",
            0,
            "2022-11-01",
            "2024-01-02",
            [("2022-11-01", "2022-12-31"), ("2023-01-01", "2023-12-31"), ("2024-01-01", "2024-01-02")],
        ),
        ("{from_date}", 1, "2024-01-02", "2024-01-01", []),
    ],
)
def test_a_long_stretch_is_asked_for_in_pieces(
    url: str, days: int, first: str, last: str, wanted: list[tuple[str, str]]
) -> None:
    declared = entry(recipe=RestRecipe(url=f"https://example.com/{url}", chunk_days=days))
    assert [(str(piece.from_date), str(piece.to_date)) for piece in chunks(declared, request(first, last))] == wanted


def test_a_back_fill_is_one_request_with_its_pieces() -> None:
    declared = entry(recipe=RestRecipe(url="https://example.com/{from_date}/{to_date}", chunk_days=100))
    (planned,) = plan_requests(
        [declared],
        tickers=(),
        states={},
        now=START,
        run_id="",
        wishes=PlanWishes(since=dt.date(2023, 1, 1), until=dt.date(2023, 12, 31)),
    )
    assert [len(planned.steps), planned.due, planned.request.from_date, planned.request.to_date] == [
        4,
        True,
        dt.date(2023, 1, 1),
        dt.date(2023, 12, 31),
    ]


@pytest.mark.parametrize(
    ("limit", "parts"), [("30/10 seconds", (30, 10)), ("1000/5 minutes", (1000, 300)), ("5/1 seconds", (5, 1))]
)
def test_a_limit_may_be_of_several_seconds(tmp_path: Path, limit: str, parts: tuple[int, int]) -> None:
    """As statistics offices have it."""
    assert limit_parts(limit) == parts
    book = RateBook(tmp_path / "rates.sqlite")
    book.declare("office", [limit, "100000/day"])
    assert [book.take("office") > 0 for _ in range(parts[0] + 1)] == [False] * parts[0] + [True]
    (use, _) = rate_use(tmp_path / "rates.sqlite", "office", [limit, "100000/day"])
    assert (use.used, use.allowed, use.period_seconds) == (parts[0], *parts)
    book.close()

"""Answers with an item for each ticker, some with rows, some without, as of vendors who identify instruments."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import pytest
import stamina
from pytest_httpserver import HTTPServer
from warehouse import Declared, Warehouse, counts_add_up
from werkzeug import Request, Response

from sbf_core.api import (
    DataRules,
    DatasetKeymapEntry,
    FetchSession,
    RequestBody,
    RestRecipe,
    RunRequest,
    RunResult,
    UsageError,
    column,
    hookimpl,
)
from sbf_core.care.rebuild import rebuild
from sbf_core.cli.outcome import run_and_tell
from sbf_core.failures import FailureKind
from sbf_core.runner.options import RunOptions
from sbf_core.runs.context import RunContext


@attrs.frozen
class Instrument:
    """What the vendor calls a ticker."""

    symbol: str = column(key=True, source="@^~", index_of="tickers")
    figi: str = column(key=True)
    name: str | None = column()


RULES = DataRules(item_none_fields=("warning",), item_error_fields=("error",))
Answer = Callable[[list[str]], Any]


class Vendor:
    """A server that answers for a list of tickers, and remembers which."""

    def __init__(self, server: HTTPServer) -> None:
        self.asked: list[list[str]] = []
        self.wrong: set[str] = set()
        self.unknown: set[str] = set()
        self.status = 200
        self.url = server.url_for("/mapping")
        self.items: Answer = lambda tickers: [self.item(one) for one in tickers]
        server.expect_request("/mapping", method="POST").respond_with_handler(self._answer)

    def item(self, ticker: str) -> dict[str, Any]:
        if ticker in self.wrong:
            return {"error": f"Invalid value {ticker}"}
        if ticker in self.unknown:
            return {"warning": "No identifier found."}
        return {"data": [{"figi": f"BBG-{ticker}-{number}", "name": ticker.lower()} for number in range(2)]}

    def _answer(self, request: Request) -> Response:
        tickers = [one["id"] for one in json.loads(request.get_data())]
        self.asked.append(tickers)
        if self.status != 200 and self.wrong & set(tickers):
            return Response(json.dumps({"message": "bad"}), status=self.status)
        return Response(json.dumps(self.items(tickers)), content_type="application/json")


@pytest.fixture
def vendor(httpserver: HTTPServer) -> Any:
    with stamina.set_testing(True, attempts=1, cap=True):
        yield Vendor(httpserver)


def declared(vendor: Vendor, most: int = 4, **changes: Any) -> DatasetKeymapEntry:
    usual: dict[str, Any] = {
        "domain": "instruments", "source": "figi", "dataset": "mapping", "silver_table": "px", "columns": Instrument,
        "scope": "per_ticker", "rows_at": "$[*].data[*]", "is_data": RULES,
        "recipe": RestRecipe(url=vendor.url, json=[{"idType": "TICKER", "id": "{ticker}"}], tickers_per_request=most),
    }  # fmt: skip
    return DatasetKeymapEntry(**{**usual, **changes})


def warehouse_of(home: Path, vendor: Vendor, **changes: Any) -> Warehouse:
    return Warehouse(home, Declared(declared(vendor, **changes)))


def symbols(warehouse: Warehouse) -> list[tuple[Any, ...]]:
    return warehouse.ask("SELECT symbol, count(*) FROM silver.px GROUP BY 1 ORDER BY 1")


def is_fine(context: RunContext) -> bool:
    return (context.status, context.errors) == ("ok", [])


def test_each_row_is_of_the_ticker_at_its_place(tmp_path: Path, vendor: Vendor) -> None:
    vendor.unknown = {"B"}
    warehouse = warehouse_of(tmp_path / "home", vendor)
    assert is_fine(warehouse.run(universe__tickers=tuple("ABCDEF")))
    assert sorted(vendor.asked) == [["A", "B", "C", "D"], ["E", "F"]]
    assert symbols(warehouse) == [(one, 2) for one in "ACDEF"]
    assert warehouse.ask("SELECT figi FROM silver.px WHERE symbol = 'D' ORDER BY 1") == [("BBG-D-0",), ("BBG-D-1",)]
    counts_add_up(warehouse)
    before = symbols(warehouse)
    rebuild(warehouse.opened())
    assert symbols(warehouse) == before
    again = warehouse_of(tmp_path / "again", vendor)
    assert is_fine(again.run(options=RunOptions(replay=str(warehouse.home))))
    assert symbols(again) == before


@pytest.mark.parametrize("status", [200, 400, 404, 422])
def test_one_wrong_ticker_costs_itself(tmp_path: Path, vendor: Vendor, status: int) -> None:
    vendor.status, vendor.wrong = status, {"F"}
    tickers = tuple("ABCDEFGH")
    warehouse = warehouse_of(tmp_path / "home", vendor, most=8)
    context = warehouse.run(universe__tickers=tickers)
    assert context.status == "partial"
    assert symbols(warehouse) == [(one, 2) for one in "ABCDEGH"]
    assert len(vendor.asked) == 7, "one of eight, by halves"
    (failure,) = context.failures
    assert failure.kind == (FailureKind.ERROR_NOTE if status == 200 else FailureKind.HTTP_STATUS)
    assert ("Invalid value F" if status == 200 else "F") in str(failure)
    vendor.wrong, vendor.asked = set(), []
    assert is_fine(warehouse.run(hours_later=1, universe__tickers=tickers))
    assert vendor.asked == [["F"]], "it alone is asked for again"


@pytest.mark.parametrize("status", [500, 401, 429])
def test_an_outage_is_not_asked_in_halves(tmp_path: Path, vendor: Vendor, status: int) -> None:
    vendor.status, vendor.wrong = status, {"A"}
    warehouse = warehouse_of(tmp_path / "home", vendor)
    warehouse.run(universe__tickers=tuple("ABCD"))
    assert {tuple(one) for one in vendor.asked} == {tuple("ABCD")}


@attrs.frozen
class Day:
    """A row of a ticker and a day."""

    symbol: str = column(key=True, source="@^~", index_of="tickers")
    day: dt.date = column(key=True, row_date=True)


def test_the_later_pieces_are_asked_for_without_the_wrong_ticker(tmp_path: Path, httpserver: HTTPServer) -> None:
    """Of a wrong one they would leave a gap; the others would wait for the next time that they are due."""
    asked: list[tuple[str, str]] = []
    wrong = {"B"}

    def answer(request: Request) -> Response:
        asked.append((request.args["of"], request.args["from"]))
        items = [
            {"error": "unknown"} if one in wrong else {"data": [{"day": request.args["from"]}]}
            for one in request.args["of"].split(",")
        ]
        return Response(json.dumps(items), content_type="application/json")

    httpserver.expect_request("/days").respond_with_handler(answer)
    url = httpserver.url_for("/days") + "?of={ticker}&from={from_date}&to={to_date}"
    entry = DatasetKeymapEntry(
        domain="instruments", source="figi", dataset="days", silver_table="px", columns=Day, scope="per_ticker",
        rows_at="$[*].data[*]", is_data=RULES, first_date=dt.date(2023, 12, 4), lookback_days=3,
        recipe=RestRecipe(url=url, tickers_per_request=4, chunk_days=10),
    )  # fmt: skip
    warehouse = Warehouse(tmp_path / "home", Declared(entry))
    context = warehouse.run(universe__tickers=tuple("ABCD"))
    assert asked == [
        ("A,B,C,D", "2023-12-04"), ("A,B", "2023-12-04"), ("C,D", "2023-12-04"), ("A", "2023-12-04"),
        ("B", "2023-12-04"), ("A,C,D", "2023-12-14"), ("A,C,D", "2023-12-24"),
    ]  # fmt: skip
    assert [str(failure).partition(":")[0] for failure in context.failures] == ["instruments/figi/days/B"]
    assert symbols(warehouse) == [("A", 3), ("C", 3), ("D", 3)]
    wrong.clear()
    asked.clear()
    assert is_fine(warehouse.run(hours_later=1, universe__tickers=tuple("ABCD")))
    assert asked == [("B", "2023-12-04"), ("B", "2023-12-14"), ("B", "2023-12-24")]


def test_a_vendor_who_refuses_everything_is_not_asked_for_each(tmp_path: Path, vendor: Vendor) -> None:
    """Halves, quarters and eighths, and one down to a ticker: then the question is wrong, and it is told once."""
    tickers = tuple(f"T{number:03}" for number in range(200))
    vendor.status, vendor.wrong = 400, set(tickers)
    warehouse = warehouse_of(tmp_path / "home", vendor, most=200)
    context = warehouse.run(universe__tickers=tickers)
    levels = [200, *[100] * 2, *[50] * 4, *[25] * 8]
    assert [len(asked) for asked in vendor.asked] == [*levels, 12, 6, 3, 1, 2, 1, 1, 3, 1, 2]
    assert len(context.errors) == 1
    assert context.errors[0].startswith("instruments/figi/mapping/T000 and 199 more: HTTP 400")


def test_a_wrong_ticker_that_comes_first_is_told(tmp_path: Path, vendor: Vendor) -> None:
    vendor.wrong = {"A"}
    context = warehouse_of(tmp_path / "home", vendor, most=2).run(universe__tickers=("A", "B"))
    assert [str(failure).partition(":")[0] for failure in context.failures] == ["instruments/figi/mapping/A"]


def test_several_wrong_tickers_cost_themselves(tmp_path: Path, vendor: Vendor) -> None:
    vendor.wrong = {"A", "H", "K"}
    warehouse = warehouse_of(tmp_path / "home", vendor, most=12)
    context = warehouse.run(universe__tickers=tuple("ABCDEFGHIJKL"))
    assert symbols(warehouse) == [(one, 2) for one in "BCDEFGIJL"]
    assert sum(failure.count for failure in context.failures) == 3


def test_so_many_wrong_tickers_are_looked_for(tmp_path: Path, vendor: Vendor) -> None:
    tickers = tuple(f"T{number:03}" for number in range(200))
    vendor.wrong = {ticker for number, ticker in enumerate(tickers) if number % 10 == 5}
    warehouse = warehouse_of(tmp_path / "home", vendor, most=200)
    assert warehouse.run(universe__tickers=tickers).status == "partial", "one in ten is wrong, and others come"
    assert len(vendor.asked) == 41
    came = [len(symbols(warehouse))]
    for _ in range(3):
        warehouse.run(hours_later=1, universe__tickers=tickers)
        came.append(len(symbols(warehouse)))
    assert came[0] > 0
    assert came == sorted(set(came)), "each run brings more"


def test_lists_are_not_asked_in_halves_once_that_was_vain(tmp_path: Path, vendor: Vendor) -> None:
    """As of a vendor whose quota is used up, and who says so with status 200."""
    tickers = tuple(f"T{number:03}" for number in range(400))
    vendor.items = lambda asked: {"note": "limit reached"}
    rules = attrs.evolve(RULES, error_fields=("note",))
    recipe = RestRecipe(url=vendor.url, json=[{"id": "{ticker}"}], tickers_per_request=100, connections=1)
    warehouse = warehouse_of(tmp_path / "home", vendor, is_data=rules, recipe=recipe)
    warehouse.run(universe__tickers=tickers)
    assert len(vendor.asked) == 25 + 3
    vendor.items, vendor.wrong = (lambda asked: [vendor.item(one) for one in asked]), {*tickers[:18], tickers[150]}
    vendor.asked.clear()
    warehouse.run(hours_later=1, universe__tickers=tickers)
    assert len(symbols(warehouse)) == 400 - 19, "where some come, the others are asked in halves"


def test_nothing_for_any_of_them_is_no_failure(
    tmp_path: Path, vendor: Vendor, capsys: pytest.CaptureFixture[str]
) -> None:
    vendor.unknown = {"A", "B"}
    warehouse = warehouse_of(tmp_path / "home", vendor)
    runner = warehouse.runner(universe__tickers=("A", "B"))
    assert run_and_tell(runner, runner.home.settings, 0.0, as_json=False) == 0
    assert "Nothing changed: there was nothing of what was asked for; no file" in capsys.readouterr().out
    vendor.asked.clear()
    warehouse.run(hours_later=48, universe__tickers=("A", "B"))
    assert vendor.asked == [], "not before unknown_after_days"


@pytest.mark.parametrize(
    ("items", "told"),
    [
        (lambda tickers: [{"data": []} for _ in tickers[1:]], "the answer has 3 items for 4 tickers"),
        (lambda tickers: [{"odd": 1} for _ in tickers], "neither rows nor why there are none: '{\"odd\": 1}'"),
    ],
)
def test_items_that_do_not_fit_are_no_data(tmp_path: Path, vendor: Vendor, items: Answer, told: str) -> None:
    vendor.items = items
    context = warehouse_of(tmp_path / "home", vendor).run(universe__tickers=tuple("ABCD"))
    assert any(told in str(failure) for failure in context.failures), context.failures
    assert context.files == 0
    assert context.status != "ok"


def test_the_items_that_a_hook_brings_are_counted_too(tmp_path: Path, vendor: Vendor) -> None:
    """Whoever asked, rows at the wrong place are of the wrong ticker."""
    extension = "json"

    class Hooked(Declared):
        @hookimpl
        def fetch(self, request: RunRequest, http: FetchSession) -> RunResult:
            body = RequestBody.of_json([{"id": one} for one in request.tickers])
            return http.get(request, vendor.url, body=body, extension=extension)

    warehouse = Warehouse(tmp_path / "home", Hooked(declared(vendor)))
    vendor.items = lambda tickers: [vendor.item(one) for one in tickers[1:]]
    (failure,) = warehouse.run(universe__tickers=tuple("ABCD")).failures
    assert "the answer has 3 items for 4 tickers" in str(failure)
    extension = "txt"
    (failure,) = warehouse.run(universe__tickers=tuple("ABCD")).failures
    assert "its items cannot be counted: it is txt, and no json" in str(failure)
    extension = "json"
    vendor.items, vendor.wrong = (lambda tickers: [vendor.item(one) for one in tickers]), {"D"}
    assert warehouse.run(universe__tickers=tuple("ABCD")).status == "partial"
    assert symbols(warehouse) == [("A", 2), ("B", 2), ("C", 2)]


def test_an_empty_list_of_rows_is_an_answer(tmp_path: Path, vendor: Vendor) -> None:
    vendor.items = lambda tickers: [{"data": [] if one == "B" else [{"figi": one}]} for one in tickers]
    warehouse = warehouse_of(tmp_path / "home", vendor)
    assert is_fine(warehouse.run(universe__tickers=("A", "B")))
    assert symbols(warehouse) == [("A", 1)]


@pytest.mark.parametrize("index", ["1.5", "-1", "7", "x", ""])
def test_an_index_of_no_ticker_rejects_its_row(tmp_path: Path, httpserver: HTTPServer, index: str) -> None:
    """An index that the vendor writes, in a field."""

    @attrs.frozen
    class Indexed:
        symbol: str = column(key=True, source="n", index_of="tickers")
        figi: str = column(key=True)

    rows = [{"n": "1", "figi": "x"}, {"n": index, "figi": "y"}]
    httpserver.expect_request("/flat").respond_with_json([{"data": rows}, {"data": []}])
    recipe = RestRecipe(url=httpserver.url_for("/flat") + "?of={ticker}", tickers_per_request=2)
    entry = DatasetKeymapEntry(
        domain="instruments", source="figi", dataset="flat", silver_table="px", columns=Indexed, scope="per_ticker",
        rows_at="$[*].data[*]", recipe=recipe, reject_share_max=1.0,
    )  # fmt: skip
    warehouse = Warehouse(tmp_path / "home", Declared(entry))
    warehouse.run(universe__tickers=("A", "B"))
    assert warehouse.ask("SELECT symbol, figi FROM silver.px") == [("B", "x")]
    assert warehouse.ask("SELECT count(*) FROM ops.rejects") == [(1,)]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"rows_at": "$"}, "items for each ticker want the scope per_ticker, and a rows_at with a wildcard"),
        ({"scope": "global"}, "items for each ticker want the scope per_ticker"),
        (
            {"recipe": RestRecipe(url="https://localhost/{ticker}", extension="json.gz")},
            "items for each ticker are counted in json, not in json.gz",
        ),
    ],
)
def test_what_does_not_go_together_is_refused(vendor: Vendor, changes: dict[str, Any], told: str) -> None:
    @attrs.frozen
    class Plain:
        figi: str = column(key=True)

    with pytest.raises(UsageError, match=told):
        declared(vendor, columns=Plain, **changes)


def test_an_item_may_be_the_row(tmp_path: Path, vendor: Vendor) -> None:
    @attrs.frozen
    class Row:
        symbol: str = column(key=True, source="@~", index_of="tickers")
        figi: str = column()

    vendor.items = lambda tickers: [{"figi": f"of {one}"} for one in tickers]
    warehouse = warehouse_of(tmp_path / "home", vendor, columns=Row, rows_at="$[*]", is_data=DataRules())
    assert is_fine(warehouse.run(universe__tickers=tuple("AB")))
    assert warehouse.ask("SELECT symbol, figi FROM silver.px ORDER BY 1") == [("A", "of A"), ("B", "of B")]
    vendor.items = lambda tickers: [{"figi": "of whom?"}]
    other = warehouse_of(tmp_path / "other", vendor, columns=Row, rows_at="$[*]", is_data=DataRules())
    assert "the answer has 1 item for 2 tickers" in str(other.run(universe__tickers=tuple("AB")).failures)


@pytest.mark.parametrize("more", [{"index_of": "rows"}, {"index_of": "tickers", "source": "request.ticker"}])
def test_an_index_is_one_of_tickers(vendor: Vendor, more: dict[str, Any]) -> None:
    @attrs.frozen
    class Odd:
        symbol: str = column(key=True, **{"source": "@^~", **more})

    with pytest.raises(UsageError, match="has index_of="):
        declared(vendor, columns=Odd)

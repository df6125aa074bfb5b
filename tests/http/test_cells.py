"""Vendors that limit the cells of a request: how it is cut, asked for in halves, kept, and asked for again."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import math
from pathlib import Path
from typing import Any

import pytest
from posting_vendor import Vendor, addresses, digests, is_fine, symbols, told, warehouse_of
from pytest_httpserver import HTTPServer
from warehouse import Warehouse, price
from werkzeug import Request, Response

from sbf_core.api import Cells, Cursor, RestRecipe, RunRequest, UsageError
from sbf_core.care.verify import Verification
from sbf_core.dataset.cells import cut
from sbf_core.dataset.from_toml import entry_from_mapping
from sbf_core.http.questions import filled, filled_body, parts_of
from sbf_core.plan.planned import PlannedRequest, chunks
from sbf_core.runner.options import RunOptions

REGIONS, SEXES = tuple(f"{number:02}" for number in range(1, 8)), ("1", "2", "1+2")
QUERY = {
    "query": [
        {"code": "Region", "selection": {"filter": "item", "values": ["{dim.region}"]}},
        {"code": "Kon", "selection": {"filter": "item", "values": ["{dim.sex}"]}},
    ],
    "response": {"format": "json"},
}


@pytest.fixture
def vendor(httpserver: HTTPServer) -> Vendor:
    return Vendor(httpserver)


class Office:
    """Answers with a row for each cell, and refuses more than it gives, as PX-Web does."""

    def __init__(self, vendor: Vendor, most: int = 10**9, *, status: int = 403, body: str = "") -> None:
        self.vendor, self.most, self.status, self.body = vendor, most, status, body
        self.given: list[tuple[str, str]] = []
        vendor.answer = self.answer

    def answer(self, request: Request) -> Response:
        asked = json.loads(request.get_data())["query"]
        cells = list(itertools.product(*(one["selection"]["values"] for one in asked)))
        if len(cells) > self.most:
            return Response(self.body, status=self.status)
        self.given += cells
        return told([price(f"{region}-{sex}", "2024-01-01") for region, sex in cells])

    @property
    def sizes(self) -> list[int]:
        asked = [json.loads(one.get_data())["query"] for one in self.vendor.asked]
        return [math.prod(len(one["selection"]["values"]) for one in each) for each in asked]


def cells(**changes: Any) -> Cells:
    return Cells(**{"cells_max": 10**6, "dimensions": {"region": REGIONS, "sex": SEXES}, **changes})


WHOLE = sorted(f"{region}-{sex}" for region in REGIONS for sex in SEXES)


def test_a_request_is_cut_by_the_product_of_its_dimensions(tmp_path: Path, vendor: Vendor) -> None:
    office = Office(vendor, 10)
    warehouse = warehouse_of(tmp_path / "home", vendor, json=QUERY, cells=cells(cells_max=10))
    assert is_fine(warehouse.run())
    assert office.sizes == [9, 9, 3], "as few as can be, each below the limit, in the order that is declared"
    assert sorted(office.given) == sorted(itertools.product(REGIONS, SEXES)), "each cell once"
    assert symbols(warehouse) == WHOLE
    assert Verification(warehouse.opened()).run().findings == []
    again = Warehouse(tmp_path / "again", *warehouse.plugins.values())
    assert is_fine(again.run(options=RunOptions(replay=str(warehouse.home))))
    assert digests(again) == digests(warehouse)


def test_a_value_at_the_end_changes_the_last_piece_alone() -> None:
    more = cells(cells_max=9, dimensions={"region": (*REGIONS, "99"), "sex": SEXES})
    before = list(cells(cells_max=9).pieces(tickers=1, periods=1))
    assert list(more.pieces(tickers=1, periods=1))[:-1] == before[:-1]


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (403, "", {"too_large_status": (403,)}),
        (413, "", {"too_large_status": (403, 413)}),
        (400, "Too many cells", {"too_large_texts": ("too MANY",)}),
        (200, '{"error": {"cells": 21}}', {"too_large_fields": ("error.cells",)}),
        (200, "Too many cells", {"too_large_texts": ("too many",)}),
    ],
)
def test_what_the_vendor_calls_too_large_is_asked_for_in_halves(
    tmp_path: Path, vendor: Vendor, status: int, body: str, said: dict[str, Any]
) -> None:
    office = Office(vendor, 5, status=status, body=body)
    warehouse = warehouse_of(tmp_path / "home", vendor, json=QUERY, cells=cells(**said))
    assert is_fine(warehouse.run())
    assert sorted(office.given) == sorted(itertools.product(REGIONS, SEXES)), "each cell once"
    assert len({one.get_data() for one in vendor.asked}) == len(vendor.asked), "nothing is asked for twice"
    refused = [size for size in office.sizes if size > office.most]
    assert refused == [21, 12, 6], "what is as large as what was refused is not asked for whole"
    assert symbols(warehouse) == WHOLE
    again = Warehouse(tmp_path / "again", *warehouse.plugins.values())
    assert is_fine(again.run(options=RunOptions(replay=str(warehouse.home))))
    assert addresses(again) == addresses(warehouse)
    assert symbols(again) == WHOLE


def test_a_single_cell_that_is_too_large_is_told_once(tmp_path: Path, vendor: Vendor) -> None:
    office = Office(vendor, 0, body="no more than 0 cells")
    warehouse = warehouse_of(tmp_path / "home", vendor, json=QUERY, cells=cells(too_large_status=(403,)))
    (error,) = warehouse.run().errors
    assert "the request asks for too much; the vendor says 'no more than 0 cells'" in error
    assert office.sizes == [21, 12, 6, 4, 2, 1]
    (row,) = warehouse.ask("SELECT error_kind, status FROM ops.file_ingestions WHERE kind = 'file'") or [("", "")]
    assert row


def test_one_part_that_fails_leaves_nothing_and_is_asked_for_anew(tmp_path: Path, vendor: Vendor) -> None:
    office = Office(vendor)
    first = office.answer
    vendor.answer = lambda request: Response("", status=404) if len(vendor.asked) == 2 else first(request)
    warehouse = warehouse_of(tmp_path / "home", vendor, json=QUERY, cells=cells(cells_max=10))
    (error,) = warehouse.run().errors
    assert "HTTP 404" in error
    assert addresses(warehouse) == []
    assert is_fine(warehouse.run())
    assert symbols(warehouse) == WHOLE
    assert len(addresses(warehouse)) == 3


def test_tickers_fill_what_the_dimensions_leave(tmp_path: Path, vendor: Vendor) -> None:
    template = {"ids": ["{ticker}"], "sex": ["{dim.sex}"]}

    def answer(request: Request) -> Response:
        asked = json.loads(request.get_data())
        return told([price(f"{one}", "2024-01-01") for one in asked["ids"]])

    vendor.answer = answer
    limit = Cells(cells_max=7, dimensions={"sex": SEXES})
    warehouse = warehouse_of(
        tmp_path / "home", vendor, json=template, cells=limit, tickers_per_request=100,
        declared={"scope": "per_ticker"},
    )  # fmt: skip
    assert is_fine(warehouse.run(universe__tickers=("A", "B", "C", "D", "E")))
    assert sorted(one["ids"] for one in vendor.bodies) == [["A", "B"], ["C", "D"], ["E"]]
    vendor.asked.clear()
    assert is_fine(warehouse.run())
    assert vendor.asked == [], "each ticker is known to be answered"


def test_a_list_of_tickers_that_is_too_large_is_halved_down_to_one(tmp_path: Path, vendor: Vendor) -> None:
    """Above 40 requests more, which is the bound where a ticker is wrong and not the number of them."""
    template = {"ids": ["{ticker}"], "sex": ["{dim.sex}"]}
    given: list[tuple[str, str]] = []

    def answer(request: Request) -> Response:
        asked = json.loads(request.get_data())
        if len(asked["ids"]) * len(asked["sex"]) > 3:
            return Response("", status=413)
        given.extend(itertools.product(asked["ids"], asked["sex"]))
        return told([price(one, "2024-01-01") for one in asked["ids"]])

    vendor.answer = answer
    limit = Cells(dimensions={"sex": SEXES}, too_large_status=(413,))
    warehouse = warehouse_of(
        tmp_path / "home", vendor, json=template, cells=limit, tickers_per_request=100,
        declared={"scope": "per_ticker"},
    )  # fmt: skip
    tickers = tuple(f"T{number:02}" for number in range(64))
    assert is_fine(warehouse.run(universe__tickers=tickers))
    assert sorted(given) == sorted(itertools.product(tickers, SEXES)), "each cell once"
    assert symbols(warehouse) == list(tickers)


def asked_of(first: str, last: str, **recipe: Any) -> RunRequest:
    return RunRequest(
        run_id="r", domain="d", source="s", dataset="e",
        from_date=dt.date.fromisoformat(first), to_date=dt.date.fromisoformat(last), **recipe,
    )  # fmt: skip


def declared(url: str, **recipe: Any) -> Any:
    from warehouse import entry

    return entry(recipe=RestRecipe(url=f"https://example.com/?{url}", **recipe))


@pytest.mark.parametrize(
    ("per", "most", "wanted"),
    [
        ("month", 6, [("2024-01-15", "2024-02-29"), ("2024-03-01", "2024-04-30"), ("2024-05-01", "2024-06-02")]),
        ("quarter", 3, [("2024-01-15", "2024-03-31"), ("2024-04-01", "2024-06-02")]),
        ("quarter", 6, [("2024-01-15", "2024-06-02")]),
        ("year", 3, [("2024-01-15", "2024-06-02")]),
        ("week", 30, [("2024-01-15", "2024-03-24"), ("2024-03-25", "2024-06-02")]),
        ("day", 300, [("2024-01-15", "2024-04-23"), ("2024-04-24", "2024-06-02")]),
    ],
)
def test_days_are_cut_where_their_periods_end(per: str, most: int, wanted: list[tuple[str, str]]) -> None:
    limit = Cells(cells_max=most, dimensions={"sex": SEXES}, per=per)
    one = declared("from={from_date}&to={to_date}&sex={dim.sex}", cells=limit)
    request = asked_of("2024-01-15", "2024-06-02")
    found = [(str(step.from_date), str(step.to_date)) for step in chunks(one, request) or (request,)]
    assert found == wanted
    planned = PlannedRequest(entry=one, request=request, due=True, why="", chain=chunks(one, request))
    for step in planned.steps:
        for part in parts_of(one.recipe, step):
            number = limit.periods(part.days.from_date, part.days.to_date) * len(part.lists["dim.sex"])
            assert number <= most


def test_days_are_halved_between_months(tmp_path: Path, vendor: Vendor) -> None:
    template = {"from": "{from_date}", "to": "{to_date}", "query": QUERY["query"][:1]}
    asked: list[tuple[str, str, int]] = []

    def answer(request: Request) -> Response:
        one = json.loads(request.get_data())
        values = one["query"][0]["selection"]["values"]
        months = int(one["to"][5:7]) - int(one["from"][5:7]) + 1 + 12 * (int(one["to"][:4]) - int(one["from"][:4]))
        if months * len(values) > 2:
            return Response("", status=403)
        asked.append((one["from"], one["to"], len(values)))
        return told([price(value, one["to"]) for value in values])

    vendor.answer = answer
    limit = Cells(dimensions={"region": ("1", "2")}, per="month", too_large_status=(403,))
    warehouse = warehouse_of(
        tmp_path / "home", vendor, json=template, cells=limit, declared={"first_date": dt.date(2023, 10, 5)}
    )
    assert is_fine(warehouse.run())
    assert asked == [
        *[("2023-10-05", "2023-11-30", 1)] * 2, *[("2023-12-01", "2024-01-02", 1)] * 2,
    ]  # fmt: skip


def test_dimensions_stand_in_addresses_and_in_other_bodies() -> None:
    limit = Cells(cells_max=10**6, dimensions={"geo": ("A&B", "ß"), "Year": ("2020",)}, separator="&geo=")
    recipe = RestRecipe(url="https://example.com/{dim.Year}?geo={dim.geo}", cells=limit)
    (part,) = parts_of(recipe, asked_of("2024-01-01", "2024-01-02"))
    url = filled(recipe.url, part.days, quoting=True, recipe=recipe, lists=part.lists)
    assert url == "https://example.com/2020?geo=A%26B&geo=%C3%9F"
    body = {"key": "{dim.geo}.{dim.Year}", "pairs": [{"g": "{dim.geo}", "y": "{dim.Year:number}"}]}
    limit = Cells(cells_max=10**6, dimensions={"geo": ("a", "b"), "Year": ("2020", "2021")}, separator="+")
    recipe = RestRecipe(url="https://example.com/", json=body, cells=limit)
    (part,) = parts_of(recipe, asked_of("2024-01-01", "2024-01-02"))
    assert filled_body(recipe, part.days, lists=part.lists).text == (
        '{"key":"a+b.2020+2021","pairs":[{"g":"a","y":2020},{"g":"b","y":2020},{"g":"a","y":2021},{"g":"b","y":2021}]}'
    )


@pytest.mark.parametrize("seed", range(4))
def test_a_cut_is_below_the_limit_and_near_the_fewest(seed: int) -> None:
    import random

    chance = random.Random(seed)
    for _ in range(150):
        lengths = tuple(chance.randint(1, 40) for _ in range(chance.randint(1, 4)))
        most = chance.randint(1, 400)
        pieces = cut(lengths, most)
        assert math.prod(pieces) <= most and all(
            1 <= piece <= all_ for piece, all_ in zip(pieces, lengths, strict=True)
        )
        number = math.prod(-(-all_ // piece) for piece, all_ in zip(pieces, lengths, strict=True))
        assert number <= 2 * -(-math.prod(lengths) // most)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"cells_max": 0}, "neither how many there may be nor how the vendor refuses more"),
        ({"per": "fortnight"}, "per 'fortnight' is not known"),
        ({"too_large_status": (429,)}, "too_large_status 429 cannot mean"),
        ({"too_large_status": (500,)}, "too_large_status 500 cannot mean"),
        ({"dimensions": {"a-b": ("1",)}}, "a name that cannot stand in braces"),
        ({"dimensions": {"a": ()}}, "dimension 'a' has no values"),
        ({"dimensions": {"a": ("1", "1")}}, "has a value twice"),
        ({"dimensions": {"a": (1,)}}, "a value that is no text"),
        ({"dimensions": {"a": "12"}}, "one text where several are expected"),
    ],
)
def test_limits_that_cannot_work_are_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        cells(**changes)
    assert caught.value.fix


@pytest.mark.parametrize(
    ("recipe", "said"),
    [
        ({"cells": cells()}, "the dimension 'region' is not asked for"),
        ({"json": QUERY}, r"holds \{dim.region\}; .*cells=Cells"),
        ({"json": QUERY, "cells": cells(per="month")}, "per 'month' counts days, and the recipe asks for none"),
        (
            {"json": {**QUERY, "c": "{cursor}"}, "cells": cells(), "cursor": Cursor(by="token", at="c")},
            "neither a token nor poll",
        ),
    ],
)
def test_a_recipe_asks_for_all_dimensions(recipe: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        RestRecipe(url="https://example.com/", **recipe)


@pytest.mark.parametrize(
    ("changes", "is_one"),
    [({}, True), ({"cells_max": 20}, False), ({"too_large_status": (403,)}, False)],
)
def test_a_snapshot_may_have_dimensions_where_one_request_asks_for_all(changes: dict[str, Any], is_one: bool) -> None:
    recipe = RestRecipe(url="https://example.com/", json=QUERY, cells=cells(**changes))
    assert recipe.makes_sets is not is_one


def test_cells_are_declared_in_toml(tmp_path: Path) -> None:
    one = entry_from_mapping(
        {
            "domain": "d", "source": "s", "dataset": "e", "silver_table": "t",
            "columns": [{"name": "region", "type": "VARCHAR", "key": True}],
            "recipe": {
                "url": "https://example.com/?r={dim.region}",
                "cells": {"cells_max": 5, "dimensions": {"region": ["1", "2"]}, "too_large_status": [403]},
            },
        }
    )  # fmt: skip
    wanted = Cells(cells_max=5, dimensions={"region": ("1", "2")}, too_large_status=(403,))
    assert isinstance(one.recipe, RestRecipe) and one.recipe.cells == wanted

"""What `sbf plan --addresses` shows is what the run asks, letter by letter, with keys as ``***``."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import Any

import pytest
from posting_vendor import Vendor, told, warehouse_of
from pytest_httpserver import HTTPServer
from warehouse import Declared, Warehouse, entry, price

from sbf_core.api import Cells, Cursor, DataRules, FileRecipe, Login, Pages, RestRecipe, Signature, SqlRecipe, hookimpl
from sbf_core.runner.runner import Runner

NAME, KEY = "PLAN_TEST_KEY", "k3y+that/nobody-may-see"
TICKERS = ("BRK.B", "A&B", "C", "Ä")


@pytest.fixture
def vendor(httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> Vendor:
    monkeypatch.setenv(NAME, KEY)
    one = Vendor(httpserver)
    one.answer = lambda request: told([price("A", "2024-01-01")])
    return one


def shown(runner: Runner) -> list[str]:
    plan = runner.plan()
    lines = [one for item in plan.due for one in runner.asks(item)]
    return [f"{one.method} {one.address} {one.body or ''}".strip() for one in lines]


def received(vendor: Vendor, masked: tuple[str, ...] = ()) -> list[str]:
    host = vendor.url.removesuffix("/odd")
    lines = []
    for one in vendor.asked:
        line = f"{one.method} {host}{one.environ['RAW_URI']} {one.get_data().decode()}".strip()
        for name in masked:
            line = re.sub(rf'(?<=[?&\s]{name}=)[^&\s]*|(?<="{name}":")[^"]*|(?<=<{name}>)[^<]*', "***", line)
        lines.append(line)
    return lines


PER_TICKER = {"scope": "per_ticker"}
SINCE = {"first_date": dt.date(2023, 12, 1)}
SHORT: dict[str, Any] = {"size": 5, "size_parameter": "n", "short_page_ends": True}
KEYS = {"key": NAME}
RECIPES: dict[str, tuple[dict[str, Any], dict[str, Any], tuple[str, ...]]] = {
    "a key in the query": (
        {"url": "?s={ticker}&from={from_date}", "secrets": {"apikey": NAME}}, PER_TICKER, ("apikey",),
    ),
    "a list of tickers": (
        {"url": "?s={ticker}&to={to_date}", "tickers_per_request": 3, "class_mark": "-", "ticker_separator": ";"},
        PER_TICKER, (),
    ),
    "years and periods": ({"url": "?y={year}&p={period}", "periods": ("a b", "q")}, SINCE, ()),
    "pieces of days": (
        {"url": "?f={from_date}&t={to_date}", "chunk_days": 10, "date_format": "ms"}, SINCE, (),
    ),
    "pages": (
        {"url": "?x=1", "pages": Pages(by="page", parameter="p", **SHORT)}, {}, (),
    ),
    "pages and a key in JSON": (
        {
            "json": {"id": "{ticker}", "year": "{year:number}", "n": 1.0}, "secret_body": {"auth.key": NAME},
            "pages": Pages(by="offset", parameter="at", first=0, in_body=True, **SHORT),
        },
        {"scope": "per_ticker", "first_date": dt.date(2024, 1, 1)}, ("key",),
    ),
    "a form": ({"form": {"a": "ß &", "t": "{to_date}"}, "secret_body": {"key": NAME}}, {}, ("key",)),
    "XML": (
        {"body": "<q><key>{secret.key}</key><i>{ticker}</i></q>", "content_type": "text/xml", "secret_body": KEYS},
        PER_TICKER, ("key",),
    ),
    "a post without body": ({"url": "?d={discriminator}", "method": "POST"}, {}, ()),
    "cells": (
        {
            "url": "?g={dim.g}", "json": {"g": ["{dim.g}"], "h": ["{dim.h}"]},
            "cells": Cells(cells_max=4, dimensions={"g": ("1", "2", "3"), "h": ("x&", "y")}),
        },
        {}, (),
    ),
    "a signature": (
        {
            "url": "?s={ticker}", "sign_in": Signature(
                secret=NAME, key=NAME, parameters={"signature": "{signature}", "ts": "{timestamp}"},
            ),
        },
        PER_TICKER, ("signature", "ts"),
    ),
    "a signed body": (
        {
            "form": {"a": "1"},
            "sign_in": Signature(secret=NAME, headers={"x": "{signature}"}, fields={"nonce": "{nonce}"}),
        },
        {}, ("nonce",),
    ),
    "a cursor": (
        {"url": "?a=1&since={cursor}", "cursor": Cursor(by="moment")}, {"is_data": DataRules(may_be_empty=True)}, (),
    ),
    "cells that changed since": (
        {
            "url": "?g={dim.g}&since={cursor}", "cursor": Cursor(by="moment"),
            "cells": Cells(cells_max=2, dimensions={"g": ("1", "2", "3")}, separator="+"),
        },
        {"is_data": DataRules(may_be_empty=True)}, (),
    ),
    "a first cursor": (
        {"url": "?a=1&since={cursor}", "cursor": Cursor(by="token", at="$[0].symbol")},
        {"is_data": DataRules(may_be_empty=True)}, (),
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", RECIPES)
def test_a_run_asks_what_the_plan_shows(tmp_path: Path, vendor: Vendor, kind: str) -> None:
    recipe, declared, masked = RECIPES[kind]
    url = vendor.url + recipe.get("url", "")
    one = entry(recipe=RestRecipe(**{**recipe, "url": url}), **declared)
    warehouse = Warehouse(tmp_path / "home", Declared(one))
    before = shown(warehouse.runner(universe__tickers=TICKERS))
    assert vendor.asked == [] and not (tmp_path / "home").exists()
    warehouse.run(universe__tickers=TICKERS)
    assert sorted(before) == sorted(received(vendor, masked)) and before
    assert "k3y" not in "".join(before) and "".join(before).count("***") == len(before) * len(masked)


def test_days_are_shown_where_they_are_asked_for(tmp_path: Path, vendor: Vendor) -> None:
    wanted = {
        "?x=1": (False, False),
        "?f={from_date}": (True, False),
        "?t={to_date}": (False, True),
        "?y={year}": (True, True),
    }
    for number, (query, days) in enumerate(wanted.items()):
        one = entry(recipe=RestRecipe(url=vendor.url + query))
        (item, *_) = Warehouse(tmp_path / str(number), Declared(one)).runner().plan().requests
        assert tuple(day is not None for day in item.asked_days) == days, query


class _Asks:
    """A plugin whose hook asks."""

    @hookimpl
    def datasets(self) -> Any:
        return [entry(recipe=None)]

    @hookimpl
    def fetch(self, entry: Any, request: Any, http: Any) -> Any:
        raise AssertionError


def test_what_a_hook_a_file_and_a_query_ask_is_named(tmp_path: Path) -> None:
    (line,) = shown(Warehouse(tmp_path / "a", _Asks()).runner())
    assert line == "HOOK what the hook fetch of plugin fake asks"
    one = entry(recipe=FileRecipe(path="in/{ticker}.csv"), scope="per_ticker")
    assert shown(Warehouse(tmp_path / "b", Declared(one)).runner(universe__tickers=("A",))) == ["READ in/A.csv"]
    query = SqlRecipe(connection="sqlite:shop.db", query="SELECT * FROM px WHERE day >= {from_date}")
    (line,) = shown(Warehouse(tmp_path / "c", Declared(entry(recipe=query))).runner())
    assert line.startswith("QUERY ") and "SELECT * FROM px" in line


def test_what_cannot_be_sent_is_told(tmp_path: Path, vendor: Vendor) -> None:
    warehouse = warehouse_of(tmp_path / "home", vendor, json={"a": "{ticker:number}"}, declared=PER_TICKER)
    lines = shown(warehouse.runner(universe__tickers=("1", "B")))
    assert lines[0] == f'POST {vendor.url} {{"a":1}}' and lines[1].startswith(
        "NONE it cannot be asked: 'B' is no number"
    )


def test_a_token_in_the_address_is_hidden_from_next_pages_too() -> None:
    sign_in = Login(url="https://example.com/login", json={}, secrets={"u": NAME}, parameter="token")
    recipe = RestRecipe(url="https://example.com/", secrets={"k": NAME}, sign_in=sign_in)
    assert recipe.hidden_parameters == {"token", "k"}

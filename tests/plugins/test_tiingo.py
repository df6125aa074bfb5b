"""Tiingo in the form of its documentation: no answer of it was at hand."""

from __future__ import annotations

import datetime as dt
import json
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

sys.path.insert(0, str(Path(__file__).parent))
from price_vendors import Here
from recorded import Recording
from warehouse import Warehouse

from sbf_core.api import UsageError
from sbf_core.testing.suite import conformance
from sbf_plugins.tiingo import plugin

OPTIONS = '[universe]\ntickers = ["AAPL"]\n[options.tiingo]\nplan = "free"\n'


def bar(day: str, close: float, adjusted: float, *, split: float = 1.0) -> dict[str, Any]:
    """A day, with the names and kinds of the documentation."""
    return {
        "date": f"{day}T00:00:00.000Z", "close": close, "high": close, "low": close, "open": close, "volume": 34893073,
        "adjClose": adjusted, "adjHigh": adjusted, "adjLow": adjusted, "adjOpen": adjusted, "adjVolume": 139572292,
        "divCash": 0.0, "splitFactor": split,
    }  # fmt: skip


DAYS = [bar("2020-08-28", 499.23, 121.0912345678901), bar("2020-08-31", 129.04, 125.2123456789012, split=4.0)]
ASKED = {"ticker": "AAPL", "first": dt.date(2020, 8, 28), "moment": dt.datetime(2020, 8, 31, tzinfo=dt.UTC)}


def test_prices_as_traded_and_adjusted(tmp_path: Path) -> None:
    recording = Recording(tmp_path, options=OPTIONS)
    recording.add("prices/tiingo/eod", json.dumps(DAYS).encode(), **ASKED)
    context = recording.run(plugins=("tiingo",))
    assert context.errors == []
    found = recording.ask(
        "SELECT date, close, volume, close_adjusted, volume_adjusted, dividend, split_factor "
        "FROM silver.tiingo_eod ORDER BY 1"
    )
    assert found == [
        (dt.date(2020, 8, 28), Decimal("499.23"), 34893073, 121.0912345678901, 139572292.0, Decimal(0), Decimal(1)),
        (dt.date(2020, 8, 31), Decimal("129.04"), 34893073, 125.2123456789012, 139572292.0, Decimal(0), Decimal(4)),
    ]


def test_a_ticker_that_is_not_known_costs_no_other(
    tmp_path: Path, httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a real socket: the days that are over are asked for, and the token goes along."""
    monkeypatch.setenv("TIINGO_API_TOKEN", "token-of-nobody")
    asked = []

    def say(request: Request) -> Response:
        assert request.args["token"] == "token-of-nobody"
        asked.append((request.path, request.args["startDate"], request.args["endDate"]))
        if "NONE" in request.path:
            return Response(
                '{"detail":"Error: Ticker \'NONE\' not found"}', status=404, content_type="application/json"
            )
        return Response(json.dumps([bar("2023-12-29", 10, 10)]), content_type="application/json")

    httpserver.expect_request("").respond_with_handler(say)
    (entry,) = plugin.datasets({"plan": "free", "since": dt.date(2023, 12, 1)})
    warehouse = Warehouse(tmp_path / "home", Here(entry, httpserver))  # on 2 January 2024
    assert warehouse.run(universe__tickers=("BRK/B", "NONE")).errors == []
    assert sorted(asked) == [(f"/tiingo/daily/{name}/prices", "2023-12-01", "2024-01-01") for name in ("BRK-B", "NONE")]
    assert warehouse.ask("SELECT symbol, date FROM silver.tiingo_eod") == [("BRK/B", dt.date(2023, 12, 29))]


def test_a_row_of_another_form_is_rejected_and_nothing_guessed(tmp_path: Path) -> None:
    """A moment that is no midnight in UTC, as if Tiingo had begun to write another zone."""
    recording = Recording(tmp_path, options=OPTIONS)
    days = [bar(f"2020-08-{day:02}", 1, 1) for day in range(1, 29)] + [bar("2020-08-31", 1, 1)]
    days[-1]["date"] = "2020-08-31T00:00:00-04:00"
    recording.add("prices/tiingo/eod", json.dumps(days).encode(), **{**ASKED, "first": dt.date(2020, 8, 1)})
    context = recording.run(plugins=("tiingo",))
    assert (context.rows_inserted, context.rows_rejected) == (28, 1)


def test_nothing_is_declared_before_a_plan_is_named() -> None:
    assert not plugin.datasets({})
    with pytest.raises(UsageError, match="plan 'gold' is not known"):
        plugin.datasets({"plan": "gold"})


def _recording(folder: Path) -> Path:
    recording = Recording(folder, options=OPTIONS)
    recording.add("prices/tiingo/eod", json.dumps(DAYS).encode(), **ASKED)
    return recording.folder


test_tiingo_conforms = conformance("tiingo", recording=_recording, options={"plan": "free"})

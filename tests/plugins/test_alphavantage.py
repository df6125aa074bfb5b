"""Alpha Vantage. What is recorded has bars of minutes; they are put under days here, with all else as it came."""

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
from recorded import Recording, entries, payload
from warehouse import Warehouse

from sbf_core.api import UsageError
from sbf_core.dataset.recipe import RestRecipe
from sbf_core.http.content import why_no_data
from sbf_core.testing.suite import conformance
from sbf_plugins.alphavantage import plugin

OPTIONS = '[universe]\ntickers = ["MSFT"]\n[options.alphavantage]\nplan = "free"\n'
MOMENT = dt.datetime(2017, 12, 19, 12, tzinfo=dt.UTC)
NAME = "Time Series (Daily)"


def in_days() -> bytes:
    """The recorded answer with its bars under days, newest first, as they are."""
    (row,) = entries(endpoint="alphavantage.time_series")
    document = json.loads(payload(row))
    bars = document.pop("Time Series (1min)")
    days = (dt.date(2017, 12, 18) - dt.timedelta(days=place) for place in range(len(bars)))
    return json.dumps(document | {NAME: dict(zip(map(str, days), bars.values(), strict=True))}, indent=4).encode()


def test_bars_under_their_days(tmp_path: Path) -> None:
    """Numbers are texts, names have numbers, the day is the name of the bar, and another object stands beside."""
    recording = Recording(tmp_path, options=OPTIONS)
    recording.add("prices/alphavantage/eod", in_days(), ticker="MSFT", moment=MOMENT)
    context = recording.run(plugins=("alphavantage",))
    assert context.errors == []
    told = json.loads(in_days())[NAME]
    assert (context.rows_inserted, context.rows_rejected) == (len(told), 0)
    found = recording.ask(
        "SELECT CAST(date AS VARCHAR), open, high, low, close, volume FROM silver.alphavantage_eod ORDER BY 1 DESC"
    )
    assert found == [(day, *(Decimal(text) for text in bar.values())) for day, bar in told.items()]


def test_bars_of_minutes_are_no_days(tmp_path: Path) -> None:
    (row,) = entries(endpoint="alphavantage.time_series")
    recording = Recording(tmp_path, options=OPTIONS)
    recording.add("prices/alphavantage/eod", payload(row), ticker="MSFT", moment=MOMENT)
    context = recording.run(plugins=("alphavantage",))
    assert context.errors != []
    assert context.rows_inserted == 0


@pytest.mark.parametrize(
    ("note", "kind"),
    [
        ({"Error Message": "Invalid API call."}, "error_note"),
        (
            {"Note": "Thank you for using Alpha Vantage! Our standard API call frequency is 5 calls per minute"},
            "error_note",
        ),
        ({"Information": "Our standard API rate limit is 25 requests per day."}, "error_note"),
        ({"Information": "Thank you for using Alpha Vantage! This is a premium endpoint."}, "plan"),
        ({"Meta Data": {}}, "not_data"),
        ({}, "empty"),
    ],
)
def test_a_note_with_status_200_is_no_data(note: dict[str, Any], kind: str) -> None:
    (entry,) = plugin.datasets({"plan": "free"})
    told = why_no_data(entry, json.dumps(note).encode(), "json")
    assert told is not None
    assert told[0] == kind


def test_a_note_that_repeats_the_key_leaves_it_nowhere(
    tmp_path: Path, httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = "AVKEY0123456789"
    monkeypatch.setenv("ALPHAVANTAGE_API_KEY", key)
    note = {
        "Information": f"We have detected your API key as {key} and our standard API rate limit is 25 requests per day."
    }

    def say(request: Request) -> Response:
        assert (request.args["apikey"], request.args["outputsize"]) == (key, "compact")
        return Response(json.dumps(note), content_type="application/json")

    httpserver.expect_request("/query").respond_with_handler(say)
    (entry,) = plugin.datasets({"plan": "free"})
    warehouse = Warehouse(tmp_path / "home", Here(entry, httpserver))
    context = warehouse.run(universe__tickers=("MSFT",))
    assert "We have detected your API key as ***" in " ".join(context.errors)
    assert not any(key.encode() in path.read_bytes() for path in (tmp_path / "home").rglob("*") if path.is_file())


def test_nothing_is_declared_before_a_plan_is_named() -> None:
    assert not plugin.datasets({})
    (entry,) = plugin.datasets({"plan": "75", "whole": True})
    assert isinstance(entry.recipe, RestRecipe)
    assert entry.recipe.limits == ("75/minute",)
    assert "outputsize=full" in entry.recipe.url
    for wrong, message in (
        ({"plan": "gold"}, "plan 'gold' is not known"),
        ({"plan": 75}, "option plan is int"),
        ({"plan": "free", "whole": True}, "the last 100 days only"),
    ):
        with pytest.raises(UsageError, match=message):
            plugin.datasets(wrong)


def _recording(folder: Path) -> Path:
    recording = Recording(folder, options=OPTIONS)
    recording.add("prices/alphavantage/eod", in_days(), ticker="MSFT", moment=MOMENT)
    return recording.folder


test_alphavantage_conforms = conformance("alphavantage", recording=_recording, options={"plan": "free"})

"""Polygon on the answers that its own client keeps as samples."""

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
from sbf_plugins.polygon import plugin

OPTIONS = '[universe]\ntickers = ["AAPL"]\n[options.polygon]\nplan = "free"\n'
ASKED = {"ticker": "AAPL", "first": dt.date(2005, 4, 1), "moment": dt.datetime(2005, 4, 4, tzinfo=dt.UTC)}


def recorded() -> bytes:
    (row,) = [row for row in entries(endpoint="polygon.v2.aggs.ticker") if "2005-04-01" in row["url"]]
    return payload(row)


def test_days_are_those_of_new_york(tmp_path: Path) -> None:
    """Midnight there is 05:00 UTC on 1 April 2005, and 04:00 on the 4th: clocks went forward in between."""
    recording = Recording(tmp_path, options=OPTIONS)
    recording.add("prices/polygon/eod", recorded(), **ASKED)
    context = recording.run(plugins=("polygon",))
    assert context.errors == []
    told = json.loads(recorded(), parse_float=Decimal)["results"]
    assert [dt.datetime.fromtimestamp(bar["t"] / 1000, dt.UTC).hour for bar in told] == [5, 4]
    found = recording.ask(
        "SELECT date, open, high, low, close, volume, vwap, trades, is_adjusted, symbol "
        "FROM silver.polygon_eod ORDER BY 1"
    )
    days = [dt.date(2005, 4, 1), dt.date(2005, 4, 4)]
    assert found == [
        (day, *(bar[name] for name in ("o", "h", "l", "c", "v", "vw", "n")), True, "AAPL")
        for day, bar in zip(days, told, strict=True)
    ]


def answer(*bars: tuple[dt.date, str], following: str = "") -> dict[str, Any]:
    rows = []
    for day, close in bars:
        midnight = int(dt.datetime(day.year, day.month, day.day, 5, tzinfo=dt.UTC).timestamp()) * 1000
        rows.append(dict.fromkeys("ohlc", close) | {"v": 1000, "t": midnight})
    told = {"ticker": "A", "resultsCount": len(rows), "adjusted": True, "status": "OK", "request_id": "x"}
    return told | ({"results": rows} if rows else {}) | ({"next_url": following} if following else {})


class Polygon(Here):
    fetch = staticmethod(plugin.fetch)


def test_pages_the_key_and_what_there_is_not(
    tmp_path: Path, httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a real socket: the next address wants the key again; a ticker without bars is no failure, and costs no other;
    the day that is not over is not asked for.
    """
    key = "polygon-key-of-nobody"
    monkeypatch.setenv("POLYGON_API_KEY", key)
    asked = []

    def say(request: Request) -> Response:
        assert request.args["apiKey"] == key
        asked.append(request.path.removeprefix("/v2/aggs/ticker/"))
        if "/NONE/" in request.path:
            return Response(json.dumps(answer()), content_type="application/json")
        if "cursor" in request.args and "/LOST/" in request.path:
            return Response(json.dumps(answer()), content_type="application/json")
        if "cursor" in request.args:
            return Response(json.dumps(answer((dt.date(2023, 12, 29), "11"))), content_type="application/json")
        following = httpserver.url_for(request.path) + "?cursor=abc"
        return Response(
            json.dumps(answer((dt.date(2023, 12, 28), "10"), following=following)), content_type="application/json"
        )

    httpserver.expect_request("").respond_with_handler(say)
    (entry,) = plugin.datasets({"plan": "free", "since": dt.date(2023, 12, 1)})
    warehouse = Warehouse(tmp_path / "home", Polygon(entry, httpserver))  # on 2 January 2024
    context = warehouse.run(universe__tickers=("BRK/B", "NONE"))
    assert context.errors == []
    days = "range/1/day/2023-12-01/2024-01-01"
    assert sorted(asked) == [f"BRK.B/{days}", f"BRK.B/{days}", f"NONE/{days}"]
    assert warehouse.ask("SELECT symbol, date, close FROM silver.polygon_eod ORDER BY 2") == [
        ("BRK/B", dt.date(2023, 12, 28), Decimal(10)), ("BRK/B", dt.date(2023, 12, 29), Decimal(11)),
    ]  # fmt: skip
    context = warehouse.run(universe__tickers=("LOST",))
    assert "page 2: holds no rows" in " ".join(context.errors), "the first had some: nothing would be their loss"
    assert not any(key.encode() in path.read_bytes() for path in (tmp_path / "home").rglob("*") if path.is_file())


@pytest.mark.parametrize(
    ("note", "kind"),
    [
        ({"status": "ERROR", "error": "Unknown API Key"}, "error_note"),
        ({"status": "NOT_AUTHORIZED", "message": "You are not entitled to this data."}, "plan"),
        ({"status": "ERROR", "resultsCount": 0}, "not_data"),
        ({"status": "OK", "resultsCount": 2}, "not_data"),
    ],
)
def test_notes_are_neither_data_nor_nothing(note: dict[str, Any], kind: str) -> None:
    (entry,) = plugin.datasets({"plan": "free"})
    content = json.dumps(note).encode()
    told = why_no_data(entry, content, "json")
    assert told is not None
    assert told[0] == kind
    assert not plugin._counts_none(content)


def test_nothing_is_declared_before_a_plan_is_named() -> None:
    assert not plugin.datasets({})
    for plan, limits in plugin.PLANS.items():
        (entry,) = plugin.datasets({"plan": plan})
        assert isinstance(entry.recipe, RestRecipe)
        assert entry.recipe.limits == limits
    with pytest.raises(UsageError, match="plan 'gold' is not known"):
        plugin.datasets({"plan": "gold"})


def _recording(folder: Path) -> Path:
    recording = Recording(folder, options=OPTIONS)
    recording.add("prices/polygon/eod", recorded(), **ASKED)
    return recording.folder


test_polygon_conforms = conformance("polygon", recording=_recording, options={"plan": "free"})

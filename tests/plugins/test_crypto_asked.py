"""Upbit on a socket: it knows an end and a number of bars, and no beginning."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import attrs
from price_vendors import Here
from pytest_httpserver import HTTPServer
from warehouse import Warehouse
from werkzeug import Request, Response

from sbf_plugins.crypto import plugin


def test_days_are_asked_for_piece_by_piece(tmp_path: Path, httpserver: HTTPServer) -> None:
    """Two hundred bars end each answer; those of days before the first one come, too, and do no harm."""
    asked: list[str] = []

    def answer(request: Request) -> Response:
        asked.append(request.args["to"])
        last = dt.date.fromisoformat(request.args["to"][:10])
        days = [last - dt.timedelta(days=back) for back in range(200)]
        bars = [
            {
                "market": request.args["market"],
                "candle_date_time_utc": f"{day}T00:00:00",
                **dict.fromkeys(("opening_price", "high_price", "low_price", "trade_price"), 1.5),
                "candle_acc_trade_price": 3.0,
                "candle_acc_trade_volume": 2.0,
            }
            for day in days
        ]
        return Response(json.dumps(bars), content_type="application/json")

    httpserver.expect_request("/v1/candles/days").respond_with_handler(answer)
    first = dt.date(2023, 1, 1)
    (entry,) = plugin.datasets({"upbit": ["BTC-KRW"], "since": first})
    warehouse = Warehouse(tmp_path / "home", Here(attrs.evolve(entry), httpserver))
    context = warehouse.run(run__plugins=("fake",))
    assert context.errors == []
    assert len(asked) == 2
    days = warehouse.ask("SELECT min(begin), max(begin), count(DISTINCT begin) FROM silver.upbit_bar_1d")
    ((low, high, count),) = days
    assert low.date() <= first
    assert count == (high - low).days + 1

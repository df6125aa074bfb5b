"""The Bank of Japan on what it really sent."""

from __future__ import annotations

import datetime as dt
import json
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

sys.path.insert(0, str(Path(__file__).parent))
from recorded import Recording, entries, payload, second_entries
from warehouse import Warehouse

from sbf_core.api import DatasetKeymapEntry, UsageError, hookimpl
from sbf_core.dataset.recipe import RestRecipe
from sbf_core.testing.suite import conformance
from sbf_plugins.boj import plugin

CODES = ["FXERD01", "FXERD04"]
OPTIONS = f"[options.boj]\nseries = {json.dumps(CODES)}\n"


def recorded() -> dict[str, tuple[bytes, dt.datetime]]:
    """By series the answer, and when it was asked for. That of FXERD04 holds the euro, too."""
    one = payload(second_entries(endpoint="boj.timeseries.data")[0])
    other = payload(entries(vendor="cb-boj")[0])
    return {
        "FXERD01": (one, dt.datetime(2025, 1, 31, 20, tzinfo=dt.UTC)),
        "FXERD04": (other, dt.datetime(2026, 3, 31, 20, tzinfo=dt.UTC)),
    }


def filled_recording(folder: Path) -> Recording:
    recording = Recording(folder, options=OPTIONS)
    for code, (content, moment) in recorded().items():
        recording.add("fx/boj/daily", content, ticker=code, first=moment.date().replace(day=1), moment=moment)
    return recording


def days(document: dict[str, Any]) -> list[tuple[str, str, Decimal | None, str]]:
    return [
        (series["SERIES_CODE"], str(day), value, series["UNIT"])
        for series in document["RESULTSET"]
        for day, value in zip(series["VALUES"]["SURVEY_DATES"], series["VALUES"]["VALUES"], strict=True)
    ]


def test_days_and_values_side_by_side(tmp_path: Path) -> None:
    """31 days of each month, NULL where the market was closed; two series of one answer stay apart."""
    recording = filled_recording(tmp_path)
    context = recording.run()
    assert context.errors == []
    told = [row for content, _ in recorded().values() for row in days(json.loads(content, parse_float=Decimal))]
    found = recording.ask("SELECT series, strftime(date, '%Y%m%d'), value, unit FROM silver.boj_daily")
    assert sorted(found, key=str) == sorted(
        (
            (code, day, None if value is None else Decimal(value).quantize(Decimal("1e-8")), unit)
            for code, day, value, unit in told
        ),
        key=str,
    )
    assert context.rows_rejected == 0
    assert recording.ask("SELECT value FROM silver.boj_daily WHERE series = 'FXERD04' AND date = '2026-03-02'") == [
        (Decimal("156.99"),)
    ]


def answer(code: str, values: dict[int, float | None], following: int | None = None) -> bytes:
    series = {
        "SERIES_CODE": code, "NAME_OF_TIME_SERIES": code, "UNIT": "Yen per U.S. Dollar", "FREQUENCY": "DAILY",
        "VALUES": {"SURVEY_DATES": list(values), "VALUES": list(values.values())},
    }  # fmt: skip
    return json.dumps({"STATUS": 200, "NEXTPOSITION": following, "RESULTSET": [series]}).encode()


def test_an_answer_that_goes_on_is_walked_to_its_end(tmp_path: Path, httpserver: HTTPServer) -> None:
    """On a real socket: NEXTPOSITION is where to go on, and null at the end; days to come are taken as they are."""
    asked = []

    def say(request: Request) -> Response:
        asked.append({name: request.args.get(name) for name in ("startPosition", "startDate", "endDate", "code", "db")})
        parts = {
            None: answer("FXERD04", {20240101: None, 20240102: 141.5}, 2),
            "2": answer("FXERD04", {20240131: None}),
        }
        return Response(parts[request.args.get("startPosition")], content_type="application/json")

    httpserver.expect_request("/api/v1/getDataCode").respond_with_handler(say)

    class Here:
        @hookimpl
        def datasets(self) -> list[DatasetKeymapEntry]:
            (entry,) = plugin.datasets({"series": ["FXERD04"], "since": dt.date(2024, 1, 15)})
            assert isinstance(entry.recipe, RestRecipe)
            url = entry.recipe.url.replace("https://www.stat-search.boj.or.jp", httpserver.url_for("").rstrip("/"))
            return [
                attrs.evolve(
                    entry, recipe=attrs.evolve(entry.recipe, url=url, limits=()), first_date=dt.date(2024, 1, 1)
                )
            ]

    warehouse = Warehouse(tmp_path / "home", Here())  # on 2 January 2024
    assert warehouse.run().errors == []
    months = {"startDate": "202401", "endDate": "202401", "code": "FXERD04", "db": "FM08"}
    assert asked == [{"startPosition": None, **months}, {"startPosition": "2", **months}]
    assert warehouse.ask("SELECT date, value FROM silver.boj_daily ORDER BY 1") == [
        (dt.date(2024, 1, 1), None), (dt.date(2024, 1, 2), Decimal("141.5")), (dt.date(2024, 1, 31), None),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "content",
    [
        b'{"STATUS":400,"MESSAGEID":"M181005E","MESSAGE":"Database name is missing or invalid."}',
        b'{"STATUS":200,"NEXTPOSITION":null,"RESULTSET":[]}',
    ],
)
def test_what_holds_no_series_is_no_data(tmp_path: Path, content: bytes) -> None:
    recording = Recording(tmp_path, options=OPTIONS)
    moment = dt.datetime(2026, 3, 31, 20, tzinfo=dt.UTC)
    recording.add("fx/boj/daily", content, ticker="FXERD04", first=dt.date(2026, 3, 1), moment=moment)
    assert recording.run().errors != []


def test_lists_of_unlike_length_cost_the_days_that_have_no_value(tmp_path: Path) -> None:
    """A value is never put on another day: what has none has none."""
    recording = Recording(tmp_path, options=OPTIONS)
    document = json.loads(answer("FXERD04", {20260302: 156.99, 20260303: 157.42}))
    document["RESULTSET"][0]["VALUES"]["VALUES"].pop()
    moment = dt.datetime(2026, 3, 31, 20, tzinfo=dt.UTC)
    content = json.dumps(document).encode()
    recording.add("fx/boj/daily", content, ticker="FXERD04", first=dt.date(2026, 3, 1), moment=moment)
    context = recording.run()
    found = [] if context.errors else recording.ask("SELECT value FROM silver.boj_daily ORDER BY date")
    assert found in ([], [(Decimal("156.99"),), (None,)])


def test_nothing_is_declared_before_series_are_named() -> None:
    assert not plugin.datasets({})
    (entry,) = plugin.datasets({"series": ["FXERD04"], "since": dt.date(2024, 1, 15)})
    assert entry.first_date == dt.date(2024, 1, 1), "whole months are asked for"
    with pytest.raises(UsageError, match="is no code"):
        plugin.datasets({"series": ["FXERD04&db=FM01"]})


def _recording(folder: Path) -> Path:
    return filled_recording(folder).folder


test_boj_conforms = conformance("boj", recording=_recording, options={"series": CODES})

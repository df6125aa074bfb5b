"""The World Bank's indicators: what it answered in 2013 (CC BY 4.0), and the form that it documents today."""

from __future__ import annotations

import datetime as dt
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

sys.path.insert(0, str(Path(__file__).parent))
from recorded import Recording, payload, second_entries
from warehouse import Warehouse

from sbf_core.api import DatasetKeymapEntry, UsageError, hookimpl
from sbf_core.http.content import why_no_data
from sbf_core.testing.suite import conformance
from sbf_plugins.worldbank import indicators, plugin

NAMES = ["SP.POP.TOTL", "NEER", "DPANUSSPF"]
OPTIONS = f"[options.worldbank]\nindicators = {json.dumps(NAMES)}\n"


def recorded() -> dict[str, bytes]:
    """By indicator the answer: of years, quarters and months."""
    answers = [payload(row) for row in second_entries(vendor="worldbank")]
    return {json.loads(answer)[1][0]["indicator"]["id"]: answer for answer in answers}


def filled_recording(folder: Path) -> Recording:
    recording = Recording(folder, options=OPTIONS)
    for name, answer in recorded().items():
        recording.add("macro/worldbank/indicators", answer, ticker=name)
    return recording


def test_values_of_years_quarters_and_months(tmp_path: Path) -> None:
    """Numbers that are texts, NULL where there is none, and each period as it is written."""
    recording = filled_recording(tmp_path)
    context = recording.run()
    assert context.errors == []
    told = [row for answer in recorded().values() for row in json.loads(answer)[1]]
    assert (context.rows_inserted, context.rows_rejected) == (len(told), 0)
    found = recording.ask("SELECT indicator, country, period, value, country_name FROM silver.worldbank_indicator")
    wanted = [
        (
            row["indicator"]["id"], row["country"]["id"], row["date"],
            None if row["value"] is None else float(row["value"]), row["country"]["value"],
        )
        for row in told
    ]  # fmt: skip
    assert sorted(found, key=str) == sorted(wanted, key=str)
    begun = (
        "SELECT DISTINCT period, frequency, period_begin FROM gold.fact_worldbank "
        "WHERE period IN ('2012', '2013Q3', '2013M08') ORDER BY 1"
    )
    assert recording.ask(begun) == [
        ("2012", "year", dt.date(2012, 1, 1)),
        ("2013M08", "month", dt.date(2013, 8, 1)),
        ("2013Q3", "quarter", dt.date(2013, 7, 1)),
    ]
    assert recording.ask("SELECT count(*) FROM gold.fact_worldbank") == [
        (sum(row["value"] is not None for row in told),)
    ]


def value(period: str, number: object, country: str = "AR") -> dict[str, Any]:
    """A row as version 2 writes it."""
    return {
        "indicator": {"id": "SP.POP.TOTL", "value": "Population, total"},
        "country": {"id": country, "value": country},
        "countryiso3code": "", "date": period, "value": number, "unit": "", "obs_status": "", "decimal": 0,
    }  # fmt: skip


def answer(*rows: dict[str, Any], page: int = 1, total: int | None = None) -> bytes:
    meta = {
        "page": page, "pages": 1, "per_page": 10000, "total": len(rows) if total is None else total,
        "sourceid": "2", "lastupdated": "2026-10-07",
    }  # fmt: skip
    return json.dumps([meta, list(rows)]).encode()


@pytest.mark.parametrize("period", ["2013Q5", "2013M13", "2013M8", "2013-08", "13", "YR2013"])
def test_a_period_of_another_form_is_put_on_no_day(tmp_path: Path, period: str) -> None:
    recording = Recording(tmp_path, options=OPTIONS)
    recording.add("macro/worldbank/indicators", answer(value(period, 1)), ticker="SP.POP.TOTL")
    context = recording.run()
    assert any("period_begin" in error for error in context.errors), context.errors
    assert recording.ask("SELECT period FROM silver.worldbank_indicator") == [(period,)]


@pytest.fixture
def entry() -> DatasetKeymapEntry:
    (only,) = plugin.datasets({"indicators": ["SP.POP.TOTL"], "countries": ["US", "DE"]})
    return only


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (
            b'[{"message":[{"id":"120","key":"Invalid value","value":"The provided parameter value is not valid"}]}]',
            "is not valid",
        ),
        (b'[{"page":0,"pages":0,"per_page":0,"total":0},null]', "is null"),
        (b'[{"page":1,"pages":1,"per_page":"50","total":0},[]]', "empty"),
    ],
)
def test_a_note_or_nothing_with_status_200_is_no_data(entry: DatasetKeymapEntry, content: bytes, why: str) -> None:
    told = why_no_data(entry, content, "json")
    assert told is not None
    assert why in told[1]


def test_all_pages_count_or_none(tmp_path: Path, httpserver: HTTPServer) -> None:
    """On a real socket: pages until the total that the first one states; a page short of it costs the indicator."""
    rows = [value(str(year), year * 1000.5) for year in range(1990, 1995)]
    asked, lost = [], []

    def say(request: Request) -> Response:
        asked.append((request.path, int(request.args["page"]), request.args["per_page"], request.args["format"]))
        page = int(request.args["page"])
        part = [] if page in lost else rows[3 * (page - 1) :][:3]
        return Response(answer(*part, page=page, total=len(rows)), content_type="application/json")

    httpserver.expect_request("/v2/country/US;DE/indicator/SP.POP.TOTL").respond_with_handler(say)

    class Here:
        @hookimpl
        def datasets(self) -> list[DatasetKeymapEntry]:
            import attrs

            made = indicators.entry(("US", "DE"), ("SP.POP.TOTL",))
            url = made.recipe.url.replace("https://api.worldbank.org", httpserver.url_for("").rstrip("/"))
            return [attrs.evolve(made, recipe=attrs.evolve(made.recipe, url=url, limits=()))]

    warehouse = Warehouse(tmp_path / "home", Here())
    lost.append(2)
    assert "5" in " ".join(warehouse.run().errors)
    lost.clear()
    asked.clear()
    assert warehouse.run(hours_later=1).errors == []
    assert [each[1:] for each in asked] == [(1, "10000", "json"), (2, "10000", "json")]
    assert warehouse.ask("SELECT period, value FROM silver.worldbank_indicator ORDER BY 1") == [
        (str(year), year * 1000.5) for year in range(1990, 1995)
    ]


def test_nothing_is_declared_before_indicators_are_named() -> None:
    assert not plugin.datasets({})
    assert not plugin.build_gold({})
    assert not plugin.datasets({"countries": ["US"]})
    for wrong, message in (
        ({"indicators": ["SP POP"]}, "'SP POP' is no code"),
        ({"indicators": ["A/B"]}, "'A/B' is no code"),
        ({"indicators": ["A"], "countries": ["US;DE"]}, "'US;DE' is no code"),
        ({"indicators": ["A"], "countries": []}, "no country"),
        ({"indicator": ["A"]}, "did you mean 'indicators'"),
    ):
        with pytest.raises(UsageError, match=message):
            plugin.datasets(wrong)


def _recording(folder: Path) -> Path:
    return filled_recording(folder).folder


test_worldbank_conforms = conformance(
    "worldbank",
    recording=_recording,
    options={"indicators": NAMES},
    exempt={"columns_are_filled": "the recorded answers are of version 1, which had fewer fields"},
)

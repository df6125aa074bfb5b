"""Narodowy Bank Polski on what it really sent."""

from __future__ import annotations

import datetime as dt
import json
import sys
from decimal import Decimal
from pathlib import Path

import attrs
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

sys.path.insert(0, str(Path(__file__).parent))
from recorded import Recording, entries, payload
from warehouse import Warehouse

from sbf_core.api import DatasetKeymapEntry, hookimpl
from sbf_core.dataset.recipe import RestRecipe
from sbf_core.testing.suite import conformance
from sbf_plugins.nbp import plugin

FIRST = dt.date(2026, 3, 1)
MOMENT = dt.datetime(2026, 3, 5, 14, tzinfo=dt.UTC)


def recorded(what: str) -> bytes:
    return payload(next(row for row in entries(vendor="cb-nbp") if what in row["file"]))


def filled_recording(folder: Path) -> Recording:
    recording = Recording(folder)
    for table in ("A", "B"):
        content = recorded(f"tables.{table}.")
        recording.add("fx/nbp/tables", content, period=table, first=FIRST, moment=MOMENT)
    recording.add("prices/nbp/gold_price", recorded("cenyzlota"), first=FIRST, moment=MOMENT)
    return recording


def test_both_tables_with_their_days(tmp_path: Path) -> None:
    """The day and the number of a table stand above its rates; eight decimals of the rupiah are kept."""
    recording = filled_recording(tmp_path)
    context = recording.run(plugins=("nbp",))
    assert context.errors == []
    tables = [each for table in "AB" for each in json.loads(recorded(f"tables.{table}."), parse_float=Decimal)]
    told = {
        (table["table"], table["effectiveDate"], rate["code"]): (rate["mid"], table["no"], rate["currency"])
        for table in tables
        for rate in table["rates"]
    }
    found = recording.ask(
        "SELECT table_name, CAST(date AS VARCHAR), currency, mid, table_number, name FROM silver.nbp_rate"
    )
    assert {row[:3]: row[3:] for row in found} == told
    assert len(found) == len(told) == 4 * 32 + 116
    rupiah = "SELECT mid FROM silver.nbp_rate WHERE currency = 'IDR' AND date = '2026-03-02'"
    assert recording.ask(rupiah) == [(Decimal("0.0002138500"),)]
    gold = recording.ask("SELECT CAST(date AS VARCHAR), price FROM silver.nbp_gold_price ORDER BY 1")
    assert gold == [(row["data"], row["cena"]) for row in json.loads(recorded("cenyzlota"), parse_float=Decimal)]


def test_it_is_asked_for_only_where_it_is_named() -> None:
    assert all(entry.opt_in for entry in plugin.datasets())


def test_a_stretch_without_a_table_is_no_failure(tmp_path: Path, httpserver: HTTPServer) -> None:
    """On a real socket: pieces of 93 days at most; 404 of a weekend; table A where B has none."""
    asked = []
    rates = [{"currency": "dolar amerykański", "code": "USD", "mid": 3.6056}]

    def say(request: Request) -> Response:
        table, first, last = request.path.strip("/").split("/")[-3:]
        asked.append((dt.date.fromisoformat(last) - dt.date.fromisoformat(first)).days + 1)
        if table == "B":
            return Response("404 NotFound - Not Found - Brak danych", status=404)
        day = [{"table": "A", "no": "1/A", "effectiveDate": first, "rates": rates}]
        return Response(json.dumps(day), content_type="application/json")

    httpserver.expect_request("").respond_with_handler(say)

    class Here:
        @hookimpl
        def datasets(self) -> list[DatasetKeymapEntry]:
            entry = plugin.datasets()[0]
            assert isinstance(entry.recipe, RestRecipe)
            url = entry.recipe.url.replace("https://api.nbp.pl", httpserver.url_for("").rstrip("/"))
            recipe = attrs.evolve(entry.recipe, url=url, limits=())
            return [attrs.evolve(entry, recipe=recipe, first_date=dt.date(2023, 6, 1), opt_in=False)]

    warehouse = Warehouse(tmp_path / "home", Here())
    assert warehouse.run().errors == []
    assert max(asked) == 93
    assert warehouse.ask("SELECT DISTINCT table_name, currency, mid FROM silver.nbp_rate") == [
        ("A", "USD", Decimal("3.6056000000"))
    ]


def _recording(folder: Path) -> Path:
    return filled_recording(folder).folder


test_nbp_conforms = conformance("nbp", recording=_recording)

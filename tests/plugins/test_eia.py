"""Flows of the EIA, on what it really sent (a work of the U.S. government)."""

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
from recorded import Recording, payload, second_entries
from warehouse import Warehouse

from sbf_core.api import DatasetKeymapEntry, UsageError, hookimpl
from sbf_core.dataset.recipe import RestRecipe
from sbf_core.testing.suite import conformance
from sbf_plugins.eia import plugin

OPTIONS = '[options.eia]\nauthorities = ["FPC"]\nsince = 2020-01-01\n'
ASKED = {"ticker": "FPC", "first": dt.date(2020, 1, 6), "moment": dt.datetime(2020, 1, 7, 9, tzinfo=dt.UTC)}


def recorded() -> bytes:
    return payload(second_entries(vendor="eia-v2")[0])


def test_flows_by_hours_of_utc(tmp_path: Path) -> None:
    """25 hours, all of them the other way: the sign is kept, and the hour is that of UTC."""
    recording = Recording(tmp_path, options=OPTIONS)
    recording.add("energy/eia/interchange", recorded(), **ASKED)
    context = recording.run(plugins=("eia",))
    assert context.errors == []
    told = json.loads(recorded())["response"]["data"]
    assert (context.rows_inserted, context.rows_rejected) == (len(told), 0)
    found = recording.ask(
        "SELECT strftime(hour, '%Y-%m-%dT%H'), source_authority, target_authority, energy, unit "
        "FROM silver.eia_interchange ORDER BY hour"
    )
    assert found == [
        (row["period"], row["fromba"], row["toba"], Decimal(row["value"]), "megawatthours") for row in told
    ]
    assert max(row[3] for row in found) < 0


def flow(hour: int, value: object, to: str = "FPL") -> dict[str, Any]:
    return {
        "period": f"2024-01-01T{hour:02}", "fromba": "FPC", "fromba-name": "Duke Energy Florida, Inc.",
        "toba": to, "toba-name": to, "value": value, "value-units": "megawatthours",
    }  # fmt: skip


@pytest.mark.parametrize("as_text", [False, True], ids=["numbers", "texts"])
def test_the_key_never_reaches_bronze_and_all_pages_count(
    tmp_path: Path, httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch, as_text: bool
) -> None:
    """On a real socket: the key goes along and comes back in the body, where it is masked; pages go on to the total.
    Versions differ in whether totals and values are numbers or texts.
    """
    key = "k3y-0f-eia-that-nobody-may-see"
    monkeypatch.setenv("EIA_API_KEY", key)
    rows = [flow(hour, str(-hour) if as_text else -hour) for hour in range(5)] + [flow(5, None)]
    asked = []

    def say(request: Request) -> Response:
        assert request.args["api_key"] == key
        offset = int(request.args["offset"])
        asked.append((offset, request.args["length"], request.args["facets[fromba][]"], request.args["start"]))
        total = str(len(rows)) if as_text else len(rows)
        told = {
            "response": {"warnings": [{"warning": "incomplete return"}], "total": total, "data": rows[offset:][:4]},
            "request": {"command": "/v2/x", "params": {"api_key": key, "frequency": "hourly"}},
        }
        return Response(json.dumps(told), content_type="application/json")

    httpserver.expect_request("/v2/electricity/rto/interchange-data/data/").respond_with_handler(say)

    class Here:
        @hookimpl
        def datasets(self) -> list[DatasetKeymapEntry]:
            (entry,) = plugin.datasets({"authorities": ["FPC"], "since": dt.date(2024, 1, 1)})
            assert isinstance(entry.recipe, RestRecipe)
            url = entry.recipe.url.replace("https://api.eia.gov", httpserver.url_for("").rstrip("/"))
            return [attrs.evolve(entry, recipe=attrs.evolve(entry.recipe, url=url, limits=()))]

    warehouse = Warehouse(tmp_path / "home", Here())  # on 2 January 2024
    assert warehouse.run().errors == []
    assert asked == [(0, "5000", "FPC", "2024-01-01T00"), (4, "5000", "FPC", "2024-01-01T00")]
    values = [(Decimal(-hour),) for hour in range(5)] + [(None,)]
    assert warehouse.ask("SELECT energy FROM silver.eia_interchange ORDER BY hour") == values
    kept = [path for path in (tmp_path / "home").rglob("*") if path.is_file()]
    payloads = [path for path in kept if path.suffix == ".json" and "bronze" in path.parts]
    assert all(b'"api_key": "***"' in path.read_bytes() for path in payloads)
    assert len(payloads) == 2
    assert not any(key.encode() in path.read_bytes() for path in kept)


def test_nothing_is_declared_before_authorities_are_named() -> None:
    assert not plugin.datasets({})
    with pytest.raises(UsageError, match="'Duke' is no code"):
        plugin.datasets({"authorities": ["Duke"]})


def _recording(folder: Path) -> Path:
    recording = Recording(folder, options=OPTIONS)
    recording.add("energy/eia/interchange", recorded(), **ASKED)
    return recording.folder


test_eia_conforms = conformance(
    "eia", recording=_recording, options={"authorities": ["FPC"], "since": dt.date(2020, 1, 1)}
)

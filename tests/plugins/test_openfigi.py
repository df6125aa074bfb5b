"""OpenFIGI's real answers: rows by the place of their ticker, and a ticker that it does not know."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import attrs
import pytest
from pytest_httpserver import HTTPServer
from recorded import Recording, later
from warehouse import Warehouse
from werkzeug import Request, Response

from sbf_core.api import DatasetKeymapEntry, RestRecipe, UsageError, hookimpl
from sbf_core.testing.suite import conformance
from sbf_plugins.openfigi import plugin as openfigi

ONE, TWO, ONE_UNKNOWN, TOO_MANY = (f"openfigi-r2-{number:03d}" for number in (1, 2, 3, 12))
EVERYWHERE = {"exchange": ""}


def jobs(*tickers: str) -> list[dict[str, str]]:
    return [{"idType": "TICKER", "idValue": ticker} for ticker in tickers]


def recorded(folder: Path) -> Path:
    recording = Recording(folder, options='[options.openfigi]\nexchange = ""\n')
    for tickers, payload_id in ((("IBM", "XRX"), TWO), (("IBM", "UNKNOWN_TICKER"), ONE_UNKNOWN)):
        body = json.dumps(jobs(*tickers), separators=(",", ":"))
        address = f"POST https://api.openfigi.com/v3/mapping {body}"
        recording.add("reference/openfigi/instruments", later(payload_id), ticker=",".join(tickers), address=address)
    return recording.folder


test_conformance = conformance("openfigi", recording=recorded, options=EVERYWHERE)


class Figi:
    """The bundled plugin at an address of our own, without limits."""

    def __init__(self, server: HTTPServer, **options: Any) -> None:
        self.server = server
        self.options = options
        self.asked: list[list[dict[str, str]]] = []
        self.answers: dict[tuple[str, ...], bytes] = {}
        server.expect_request("/v3/mapping", method="POST").respond_with_handler(self._answer)

    @hookimpl
    def datasets(self) -> list[DatasetKeymapEntry]:
        (entry,) = openfigi.datasets(self.options)
        assert isinstance(entry.recipe, RestRecipe)
        recipe = attrs.evolve(entry.recipe, url=self.server.url_for("/v3/mapping"), limits=())
        return [attrs.evolve(entry, recipe=recipe)]

    def _answer(self, request: Request) -> Response:
        asked = json.loads(request.get_data())
        self.asked.append(asked)
        content = self.answers.get(tuple(job["idValue"] for job in asked))
        if content is None:
            return Response(later(TOO_MANY), status=429, content_type="text/plain")
        return Response(content, content_type="application/json")


def run(warehouse: Warehouse, *tickers: str) -> Any:
    return warehouse.run(run__plugins=("fake",), universe__tickers=tickers)


def test_rows_are_of_the_ticker_at_their_place(tmp_path: Path, httpserver: HTTPServer) -> None:
    vendor = Figi(httpserver, **EVERYWHERE)
    vendor.answers["IBM", "XRX"] = later(TWO)
    warehouse = Warehouse(tmp_path / "home", vendor)
    context = run(warehouse, "IBM", "XRX")
    assert (context.errors, context.rows_rejected) == ([], 0)
    assert vendor.asked == [jobs("IBM", "XRX")]
    names = (
        "figi", "name", "ticker", "exchCode", "compositeFIGI", "shareClassFIGI", "marketSector", "securityType",
        "securityType2", "securityDescription",
    )  # fmt: skip
    wanted = [
        (symbol, *(row[name] for name in names))
        for symbol, item in zip(("IBM", "XRX"), json.loads(later(TWO)), strict=True)
        for row in item["data"]
    ]
    found = warehouse.ask(
        "SELECT symbol, figi, name, ticker, exchange, composite_figi, share_class_figi, market_sector, "
        "security_type, security_type2, description FROM silver.openfigi_instrument"
    )
    assert sorted(found, key=str) == sorted(wanted, key=str)
    assert len(found) == 73 + 19


def test_a_ticker_that_is_not_known_has_no_rows(tmp_path: Path, httpserver: HTTPServer) -> None:
    vendor = Figi(httpserver, **EVERYWHERE)
    vendor.answers["IBM", "UNKNOWN_TICKER"] = later(ONE_UNKNOWN)
    warehouse = Warehouse(tmp_path / "home", vendor)
    assert run(warehouse, "IBM", "UNKNOWN_TICKER").errors == []
    assert warehouse.ask("SELECT symbol, count(*) FROM silver.openfigi_instrument GROUP BY 1") == [("IBM", 73)]


def test_an_answer_with_an_item_too_few_is_refused(tmp_path: Path, httpserver: HTTPServer) -> None:
    vendor = Figi(httpserver, **EVERYWHERE)
    vendor.answers["IBM", "XRX"] = later(ONE)
    warehouse = Warehouse(tmp_path / "home", vendor)
    context = run(warehouse, "IBM", "XRX")
    assert context.errors != []
    assert context.rows_seen == 0


def test_the_exchange_goes_along_and_a_share_class_as_it_is_written_there(
    tmp_path: Path, httpserver: HTTPServer
) -> None:
    vendor = Figi(httpserver)
    vendor.answers["BRK/B",] = json.dumps([{"warning": "No identifier found."}]).encode()
    warehouse = Warehouse(tmp_path / "home", vendor)
    run(warehouse, "BRK.B")
    assert vendor.asked == [[{"idType": "TICKER", "idValue": "BRK/B", "exchCode": "US"}]]


@pytest.mark.parametrize(
    ("options", "tickers", "limits", "headers"),
    [({}, 10, ("25/minute",), {}), ({"key": True}, 100, ("4/second",), {"x-openfigi-apikey": "OPENFIGI_API_KEY"})],
)
def test_a_key_raises_the_limits(
    options: dict[str, Any], tickers: int, limits: tuple[str, ...], headers: dict[str, str]
) -> None:
    (entry,) = openfigi.datasets(options)
    assert isinstance(entry.recipe, RestRecipe)
    recipe = entry.recipe
    assert (recipe.tickers_per_request, recipe.limits, dict(recipe.secret_headers)) == (tickers, limits, headers)
    assert entry.opt_in


@pytest.mark.parametrize("code", ["{ticker}", "us", "U-S"])
def test_an_exchange_that_is_no_code(code: str) -> None:
    with pytest.raises(UsageError, match="is no code of an exchange"):
        openfigi.datasets({"exchange": code})

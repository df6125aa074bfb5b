"""The live session against real sockets: retries, refusals, secrets."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import stamina
from pytest_httpserver import HTTPServer
from warehouse import START, Declared, Warehouse, entry, price

from sbf_core.api import FileRecipe, RestRecipe
from sbf_core.clock import FixedClock
from sbf_core.errors import UsageError
from sbf_core.http.live import LiveSession
from sbf_core.http.vendor_session import VendorSession
from sbf_core.runs.request import RunRequest

REQUEST = RunRequest(run_id="r", domain="prices", source="fake", dataset="eod", ticker="BF/B")


@pytest.fixture
def session(tmp_path: Path) -> Iterator[VendorSession]:
    live = LiveSession(FixedClock(START), files=tmp_path)
    with stamina.set_testing(True, attempts=3):
        yield VendorSession(live, entry())
    live.close()


def test_an_answer_is_kept_byte_for_byte(session: VendorSession, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/a").respond_with_data(
        b"[\xff\r\n]" * 5000, headers={"ETag": '"1"', "Set-Cookie": "x=y"}
    )
    result = session.get(REQUEST, httpserver.url_for("/a"))
    assert (result.payload, result.status_code, result.error, result.fetched_at) == (
        b"[\xff\r\n]" * 5000,
        200,
        None,
        START,
    )
    assert result.headers["etag"] == '"1"'
    assert "set-cookie" not in result.headers
    assert httpserver.log[0][0].headers["accept-encoding"] == "gzip"


@pytest.mark.parametrize("status", [429, 500, 503])
def test_what_may_pass_is_tried_again(session: VendorSession, httpserver: HTTPServer, status: int) -> None:
    httpserver.expect_ordered_request("/a").respond_with_data("", status=status)
    httpserver.expect_ordered_request("/a").respond_with_data("[1]")
    assert session.get(REQUEST, httpserver.url_for("/a")).payload == b"[1]"


@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_what_is_final_is_not(session: VendorSession, httpserver: HTTPServer, status: int) -> None:
    httpserver.expect_request("/a").respond_with_data("<html>", status=status, headers={"Location": "/b"})
    result = session.get(REQUEST, httpserver.url_for("/a"))
    assert (result.error, result.ok, len(httpserver.log)) == (
        f"HTTP {status}" + (": the vendor wants a key" if status == 401 else ""),
        False,
        1,
    )


def test_nobody_there(session: VendorSession) -> None:
    assert session.get(REQUEST, "http://127.0.0.1:9/a").error == "no connection: Connection refused"


@pytest.mark.parametrize("status", [200, 403])
def test_secrets_are_sent_and_stay_out_of_the_record(
    session: VendorSession,
    httpserver: HTTPServer,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    status: int,
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("MY_KEY", "canary+/=")
    httpserver.expect_request("/a").respond_with_data("no" if status == 403 else "[1]", status=status)
    url = httpserver.url_for("/a") + "?x=1"
    result = session.get(REQUEST, url, secrets={"apikey": "MY_KEY"}, secret_headers={"x-key": "MY_KEY"})
    sent = httpserver.log[0][0]
    assert (sent.args["apikey"], sent.args["x"], sent.headers["x-key"]) == ("canary+/=", "1", "canary+/=")
    assert result.address == url
    assert "canary" not in repr(result)
    assert "canary" not in "".join(record.getMessage() for record in caplog.records if record.name != "werkzeug")
    with pytest.raises(UsageError, match="OTHER_KEY is not set"):
        session.get(REQUEST, url, secrets={"apikey": "OTHER_KEY"})


def test_a_declared_rest_dataset_needs_no_code(tmp_path: Path, httpserver: HTTPServer) -> None:
    recipe = RestRecipe(url=httpserver.url_for("/eod/") + "{ticker}?from={from_date}")
    warehouse = Warehouse(tmp_path / "home", Declared(entry(recipe=recipe, scope="per_ticker")))
    httpserver.expect_request("/eod/BF/B", query_string="from=2020-01-01").respond_with_json(
        [price("BF/B", "2024-01-01")]
    )
    httpserver.expect_request("/eod/GONE").respond_with_data("", status=404)
    context = warehouse.run(universe__tickers=("BF/B", "GONE"))
    assert context.errors == ["prices/fake/eod/GONE: HTTP 404"]
    assert warehouse.ask("SELECT symbol FROM silver.px") == [("BF/B",)]
    assert "/eod/BF%2FB?" in warehouse.ask("SELECT address FROM ops.bronze_manifest")[0][0]
    httpserver.clear()
    httpserver.expect_request("/eod/BF/B", query_string="from=2024-01-01").respond_with_json(
        [price("BF/B", "2024-01-02")]
    )
    httpserver.expect_request("/eod/GONE").respond_with_data("", status=404)
    assert warehouse.run(hours_later=24, universe__tickers=("BF/B", "GONE")).rows_inserted == 1


def test_a_declared_file_dataset_needs_no_code(tmp_path: Path) -> None:
    recipe = FileRecipe(path="{ticker}.csv")
    warehouse = Warehouse(tmp_path / "home", Declared(entry(recipe=recipe, scope="per_ticker")))
    (tmp_path / "home" / "files").mkdir(parents=True)
    (tmp_path / "home" / "files" / "A.csv").write_text("symbol,date,close,volume\nA,2024-01-01,1.5,\n")
    context = warehouse.run(universe__tickers=("A", "B"))
    assert context.rows_inserted == 1
    assert "B.csv: No such file" in context.errors[0]

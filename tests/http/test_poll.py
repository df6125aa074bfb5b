"""Vendors who say where to ask again until what was asked for is ready."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import stamina
from pytest_httpserver import HTTPServer
from warehouse import Declared, Warehouse, entry, price
from werkzeug import Request, Response

from sbf_core.api import Pages, Poll, RestRecipe, UsageError
from sbf_core.bronze.journal import journal_files, read_journal
from sbf_core.failures import FailureKind
from sbf_core.runner.options import RunOptions
from sbf_core.runs.context import RunContext

NAME, KEY = "POLL_TEST_KEY", "k3y-that-nobody-may-see"
ROWS = [price("A", "2024-01-01")]
Answer = Callable[[], Response]


class Exporter:
    """Makes an export ready after so many looks."""

    def __init__(self, server: HTTPServer) -> None:
        self.url = server.url_for("")
        self.looks = 2
        self.asked: list[Request] = []
        self.first: Answer = lambda: told({"job": {"status": "QUEUED"}, "links": {"status": "/jobs/7"}}, status=202)
        self.state: Callable[[bool], Response] = lambda ready: told(
            {"job": {"status": "DONE" if ready else "RUNNING"}, "data": "/files/7"}
        )
        server.expect_request("/export").respond_with_handler(lambda request: self._told(request, self.first))
        server.expect_request("/jobs/7").respond_with_handler(self._look)
        server.expect_request("/files/7").respond_with_handler(lambda request: self._told(request, lambda: told(ROWS)))

    def _told(self, request: Request, answer: Answer) -> Response:
        request.get_data()
        self.asked.append(request)
        return answer()

    def _look(self, request: Request) -> Response:
        self.asked.append(request)
        self.looks -= 1
        return self.state(self.looks < 0)

    @property
    def paths(self) -> list[str]:
        return [request.path for request in self.asked]


def told(value: object, *, status: int = 200, **headers: str) -> Response:
    headers = {name.replace("_", "-"): text for name, text in headers.items()}
    return Response(json.dumps(value), status=status, headers=headers, content_type="application/json")


@pytest.fixture
def exporter(httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv(NAME, KEY)
    with stamina.set_testing(True, attempts=1, cap=True):
        yield Exporter(httpserver)


def polling(**changes: Any) -> Poll:
    usual: dict[str, Any] = {
        "at": "links.status", "status_at": "job.status", "done": ("DONE",), "failed": ("FAILED",), "result_at": "data",
        "every_seconds": 0,
    }  # fmt: skip
    return Poll(**{**usual, **changes})


def warehouse_of(home: Path, exporter: Exporter, poll: Poll | None = None, **recipe: Any) -> Warehouse:
    usual: dict[str, Any] = {"url": f"{exporter.url}/export", "poll": poll or polling()}
    return Warehouse(home, Declared(entry(recipe=RestRecipe(**{**usual, **recipe}))))


def is_fine(context: RunContext) -> bool:
    return (context.status, context.errors) == ("ok", [])


def test_what_is_ready_is_kept_under_the_first_address(tmp_path: Path, exporter: Exporter) -> None:
    warehouse = warehouse_of(
        tmp_path / "home", exporter, json={"q": "all"}, secrets={"k": NAME}, secret_headers={"x-key": NAME}
    )
    assert is_fine(warehouse.run())
    assert exporter.paths == ["/export", "/jobs/7", "/jobs/7", "/jobs/7", "/files/7"]
    assert [request.method for request in exporter.asked] == ["POST", "GET", "GET", "GET", "GET"]
    assert {(request.args["k"], request.headers["x-key"]) for request in exporter.asked} == {(KEY, KEY)}
    assert warehouse.ask("SELECT symbol FROM silver.px") == [("A",)]
    lines = [line for path in journal_files(warehouse.home / "bronze") for line in read_journal(path)]
    assert [line.row.address for line in lines] == [f'POST {exporter.url}/export {{"q":"all"}}']
    again = warehouse_of(tmp_path / "again", exporter, json={"q": "all"}, secrets={"k": NAME})
    assert is_fine(again.run(options=RunOptions(replay=str(warehouse.home))))
    assert again.ask("SELECT symbol FROM silver.px") == [("A",)]
    assert len(exporter.asked) == 5, "a recording is ready"


def test_a_status_alone_may_say_it(tmp_path: Path, exporter: Exporter) -> None:
    """As RFC 9110 has it: 202 with a place to look at, then 200 with the data."""
    exporter.first = lambda: told({}, status=202, Location="/jobs/7")
    exporter.state = lambda ready: told(ROWS) if ready else told({}, status=202, Retry_After="0")
    poll = Poll(header="Location", every_seconds=0)
    warehouse = warehouse_of(tmp_path / "home", exporter, poll)
    assert is_fine(warehouse.run())
    assert exporter.paths == ["/export", "/jobs/7", "/jobs/7", "/jobs/7"]


def test_what_is_ready_at_once_is_not_waited_for(tmp_path: Path, exporter: Exporter) -> None:
    exporter.first = lambda: told({"job": {"status": "DONE"}, "data": f"{exporter.url}/files/7"})
    assert is_fine(warehouse_of(tmp_path / "home", exporter).run())
    assert exporter.paths == ["/export", "/files/7"]


@pytest.mark.parametrize(
    ("first", "state", "poll", "kind", "text"),
    [
        ({}, None, {}, FailureKind.NOT_DATA, "is not ready, and says no address"),
        (None, {"job": {"status": "FAILED"}}, {}, FailureKind.ERROR_NOTE, "the vendor says that it is 'FAILED'"),
        (None, {"job": {"status": "DONE"}}, {}, FailureKind.NOT_DATA, "no address of the data at data"),
        (None, {"job": {"status": "RUNNING"}}, {"most_seconds": 0.05, "every_seconds": 0.02}, FailureKind.TIMEOUT,
         "was not ready within 0.05 s"),
        ({"links": {"status": "https://elsewhere.example/7"}}, None, {}, FailureKind.REDIRECT, "'elsewhere.example'"),
        ({"links": {"status": "ftp://127.0.0.1/7"}}, None, {}, FailureKind.REDIRECT, "without https"),
        (None, {"job": {"status": "DONE"}, "data": "https://elsewhere.example/7"}, {}, FailureKind.REDIRECT, "none of"),
    ],
)  # fmt: skip
def test_what_never_is_ready_is_a_failure(
    tmp_path: Path, exporter: Exporter, first: Any, state: Any, poll: dict[str, Any], kind: FailureKind, text: str
) -> None:
    if first is not None:
        exporter.first = lambda: told(first, status=202)
    if state is not None:
        exporter.state = lambda ready: told(state)
    context = warehouse_of(tmp_path / "home", exporter, polling(**poll)).run()
    (failure,) = context.failures
    assert failure.kind == kind
    assert text in str(failure)
    assert (context.files, len(exporter.paths) < 20) == (0, True)


def test_an_answer_on_the_way_that_is_no_json(tmp_path: Path, exporter: Exporter) -> None:
    exporter.first = lambda: Response("<html>", status=202)
    (failure,) = warehouse_of(tmp_path / "home", exporter).run().failures
    assert "holds nothing that could be read at job.status" in str(failure)


@pytest.mark.parametrize("status", [404, 500])
def test_a_look_that_is_refused_is_a_failure(tmp_path: Path, exporter: Exporter, status: int) -> None:
    exporter.state = lambda ready: told({}, status=status)
    (failure,) = warehouse_of(tmp_path / "home", exporter).run().failures
    assert (failure.kind, str(status) in str(failure)) == (FailureKind.HTTP_STATUS, True)


def test_the_first_answer_may_be_refused(tmp_path: Path, exporter: Exporter) -> None:
    exporter.first = lambda: told({}, status=400)
    (failure,) = warehouse_of(tmp_path / "home", exporter).run().failures
    assert failure.kind == FailureKind.HTTP_STATUS
    assert exporter.paths == ["/export"]


def test_no_key_goes_to_a_place_that_the_vendor_chose(tmp_path: Path, exporter: Exporter) -> None:
    with HTTPServer() as other:
        seen: list[Request] = []

        def answer(request: Request) -> Response:
            seen.append(request)
            return told(ROWS)

        other.expect_request("/files/7").respond_with_handler(answer)
        place = other.url_for("/files/7")
        exporter.state = lambda ready: told({"job": {"status": "DONE"}, "data": place})
        warehouse = warehouse_of(tmp_path / "home", exporter, secrets={"k": NAME}, secret_headers={"x-key": NAME})
        assert is_fine(warehouse.run())
    assert KEY not in str(seen[0].args) + str(seen[0].headers)


def test_a_run_that_is_told_to_wait_too_long_gives_up_at_once(tmp_path: Path, exporter: Exporter) -> None:
    exporter.first = lambda: told({"links": {"status": "/jobs/7"}, "job": {}}, status=202, Retry_After="7000")
    (failure,) = warehouse_of(tmp_path / "home", exporter).run().failures
    assert failure.kind == FailureKind.TIMEOUT
    assert exporter.paths == ["/export"]


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"header": "Location"}, "stands in the answer or in a header"),
        ({"at": ""}, "stands in the answer or in a header"),
        ({"done": ()}, "status_at and done belong together"),
        ({"status_at": "", "done": ()}, "failed is one of the states"),
        ({"failed": ("DONE",)}, "'DONE' is done and failed"),
        ({"every_seconds": 700}, "lie between 0 and 3600"),
        ({"most_seconds": 1e9}, "lie between 0 and 3600"),
    ],
)
def test_what_does_not_go_together_is_refused(changes: dict[str, Any], text: str) -> None:
    with pytest.raises(UsageError) as error:
        polling(**changes)
    assert text in str(error.value)


def test_one_answer_is_waited_for_not_pages() -> None:
    with pytest.raises(UsageError, match="poll waits for one answer"):
        RestRecipe(url="https://x.example", poll=polling(), pages=Pages(by="link"))

"""Requests with a body: what is sent, what is kept of it, and that pages, keys and replays hold as for others."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import attrs
import pytest
import stamina
from posting_vendor import Vendor, addresses, digests, is_fine, symbols, told, warehouse_of
from pytest_httpserver import HTTPServer
from warehouse import Declared, FakeVendor, Warehouse, entry, price
from werkzeug import Request, Response

from sbf_core.api import (
    Cursor,
    DataRules,
    DatasetKeymapEntry,
    FetchSession,
    Pages,
    RequestBody,
    RestRecipe,
    RunRequest,
    RunResult,
    UsageError,
    hookimpl,
)
from sbf_core.care.verify import Verification
from sbf_core.runner.options import RunOptions

NAME, KEY = "POST_TEST_KEY", "k3y-that-nobody-may-see"
ROWS = [price(f"S{number:02}", "2024-01-01") for number in range(7)]


@pytest.fixture
def vendor(httpserver: HTTPServer) -> Vendor:
    return Vendor(httpserver)


@pytest.fixture(autouse=True)
def no_waits(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv(NAME, KEY)
    with stamina.set_testing(True, attempts=2, cap=True):
        yield


def test_json_is_sent_with_the_request_in_it(tmp_path: Path, vendor: Vendor) -> None:
    vendor.answer = lambda request: told(ROWS[:1])
    body = {"series": ["{ticker}"], "range": {"from": "{from_date}", "to": "{to_date}"}, "limit": 100, "é": None}
    warehouse = warehouse_of(tmp_path / "home", vendor, json=body, declared={"scope": "per_ticker"})
    assert is_fine(warehouse.run(universe__tickers=('A"B',)))
    (asked,) = vendor.asked
    assert (asked.method, asked.headers["content-type"]) == ("POST", "application/json")
    sent = '{"series":["A\\"B"],"range":{"from":"2020-01-01","to":"2024-01-02"},"limit":100,"é":null}'
    assert asked.get_data().decode() == sent
    assert addresses(warehouse) == [f"POST {vendor.url} {sent}"]
    assert Verification(warehouse.opened()).run().findings == []


def test_a_form_is_sent_as_html_sends_it(tmp_path: Path, vendor: Vendor) -> None:
    vendor.answer = lambda request: told(ROWS[:1])
    warehouse = warehouse_of(
        tmp_path / "home", vendor, form={"what": "a b&c", "day": "{to_date}"}, secret_body={"token": NAME}
    )
    assert is_fine(warehouse.run())
    (asked,) = vendor.asked
    assert asked.headers["content-type"] == "application/x-www-form-urlencoded"
    assert parse_qs(asked.get_data().decode()) == {"what": ["a b&c"], "day": ["2024-01-02"], "token": [KEY]}
    assert addresses(warehouse) == [f"POST {vendor.url} what=a+b%26c&day=2024-01-02"]


@pytest.mark.parametrize(
    ("content_type", "body", "sent"),
    [
        ("text/xml", "<q who='{ticker}'/>", "<q who='A&amp;&lt;B&quot;'/>"),
        ("application/json", '{ "q": "{ticker}" }', '{ "q": "A&<B\\"" }'),
        ("Text/XML; charset=UTF-8", "<q>é{ticker}</q>", "<q>éA&amp;&lt;B&quot;</q>"),
        ("application/JSON", '{ "q": "{ticker}" }', '{ "q": "A&<B\\"" }'),
        ("application/x-www-form-urlencoded", "q={ticker}&n=1", "q=A%26%3CB%22&n=1"),
        ("application/graphql", "{ eod(symbol: {ticker}) { close } }", '{ eod(symbol: A&<B") { close } }'),
    ],
)
def test_other_texts_are_filled_as_their_type_wants_it(
    tmp_path: Path, vendor: Vendor, content_type: str, body: str, sent: str
) -> None:
    vendor.answer = lambda request: told(ROWS[:1])
    warehouse = warehouse_of(
        tmp_path / "home", vendor, body=body, content_type=content_type, declared={"scope": "per_ticker"}
    )
    assert is_fine(warehouse.run(universe__tickers=('A&<B"',)))
    (asked,) = vendor.asked
    assert (asked.headers["content-type"], asked.get_data().decode()) == (content_type, sent)


def test_a_post_may_have_no_body(tmp_path: Path, vendor: Vendor) -> None:
    vendor.answer = lambda request: told(ROWS[:1])
    warehouse = warehouse_of(tmp_path / "home", vendor, method="POST")
    assert is_fine(warehouse.run())
    assert (vendor.asked[0].method, vendor.asked[0].get_data()) == ("POST", b"")
    assert "content-type" not in vendor.asked[0].headers, "some vendors refuse a type that they do not know"
    assert addresses(warehouse) == [f"POST {vendor.url}"]


def test_a_large_body_is_sent_without_a_warning(tmp_path: Path, vendor: Vendor) -> None:
    """A mebibyte in bytes; a warning is an error in tests, as in those of a plugin."""
    vendor.answer = lambda request: told(ROWS[:1])
    warehouse = warehouse_of(tmp_path / "home", vendor, json={"q": "é" * 600_000})
    assert is_fine(warehouse.run())
    assert vendor.bodies == [{"q": "é" * 600_000}]


def test_a_body_that_no_journal_holds_is_not_sent(tmp_path: Path, vendor: Vendor) -> None:
    """Else the vendor is asked in each run, and its answer lost each time."""
    warehouse = warehouse_of(tmp_path / "home", vendor, json={"q": "x" * 1_000_000})
    (error,) = warehouse.run().errors
    assert "more than 1,000,000 characters" in error and len(error) < 300
    assert vendor.asked == []


def test_elements_of_a_list_stand_once_for_each_ticker(tmp_path: Path, vendor: Vendor) -> None:
    """As OpenFIGI and the BLS want it: no separator, and several fields for each."""
    vendor.answer = lambda request: told([price(one["id"], "2024-01-01") for one in json.loads(request.get_data())])
    warehouse = warehouse_of(
        tmp_path / "home", vendor, json=[{"kind": "TICKER", "id": "{ticker}"}], tickers_per_request=2,
        declared={"scope": "per_ticker"},
    )  # fmt: skip
    assert is_fine(warehouse.run(universe__tickers=("A", "B", "C")))
    assert sorted(vendor.bodies, key=len) == [
        [{"kind": "TICKER", "id": "C"}],
        [{"kind": "TICKER", "id": "A"}, {"kind": "TICKER", "id": "B"}],
    ]
    assert symbols(warehouse) == ["A", "B", "C"]


NESTED: dict[str, tuple[Any, Any]] = {
    "a list within an element": (
        {"filters": [{"field": "symbol", "values": ["{ticker}", "INDEX"]}]},
        {"filters": [{"field": "symbol", "values": ["A", "B", "INDEX"]}]},
    ),
    "a list within a list": ([["{ticker}"], 1], [["A", "B"], 1]),
    "an element and a list within it": (
        [{"id": "{ticker}", "names": ["{ticker}", "x"]}],
        [{"id": "A", "names": ["A", "x"]}, {"id": "B", "names": ["B", "x"]}],
    ),
    "a name within an element": ([{"of": {"{ticker}": 1}}], [{"of": {"A": 1}}, {"of": {"B": 1}}]),
}


@pytest.mark.parametrize("nested", NESTED)
def test_of_lists_within_lists_the_innermost_has_an_element_for_each_ticker(
    tmp_path: Path, vendor: Vendor, nested: str
) -> None:
    """Else a vendor is asked for each of them several times, and may answer so."""
    template, wanted = NESTED[nested]
    vendor.answer = lambda request: told([price("A", "2024-01-01"), price("B", "2024-01-01")])
    warehouse = warehouse_of(
        tmp_path / "home", vendor, json=template, tickers_per_request=2, declared={"scope": "per_ticker"}
    )
    assert is_fine(warehouse.run(universe__tickers=("A", "B")))
    assert vendor.bodies == [wanted]


@pytest.mark.parametrize(("by", "first", "wanted"), [("page", 1, [1, 2, 3, 4]), ("offset", 0, [0, 3, 6, 7])])
def test_pages_are_asked_for_in_the_body(
    tmp_path: Path, vendor: Vendor, by: str, first: int, wanted: list[int]
) -> None:
    def answer(request: Request) -> Response:
        asked = json.loads(request.get_data())["paging"]
        begin = (asked["at"] - 1) * 3 if by == "page" else asked["at"]
        return told(ROWS[begin : begin + asked["size"]])

    vendor.answer = answer
    pages = Pages(by=by, parameter="paging.at", first=first, size=3, size_parameter="paging.size", in_body=True)
    warehouse = warehouse_of(tmp_path / "home", vendor, json={"q": "all"}, pages=pages)
    assert is_fine(warehouse.run())
    assert vendor.bodies == [{"q": "all", "paging": {"size": 3, "at": at}} for at in wanted]
    assert len(symbols(warehouse)) == 7
    assert len(set(addresses(warehouse))) == 3, "the page behind the last is not kept"


def test_a_cursor_goes_back_in_the_body_as_it_came(tmp_path: Path, vendor: Vendor) -> None:
    def answer(request: Request) -> Response:
        at = json.loads(request.get_data()).get("after", 0)
        return told({"rows": ROWS[at : at + 4], "next": at + 4 if at + 4 < len(ROWS) else None})

    vendor.answer = answer
    pages = Pages(by="cursor", parameter="after", next_at="next", in_body=True)
    warehouse = warehouse_of(tmp_path / "home", vendor, json={"q": 1}, pages=pages, declared={"rows_at": "rows"})
    assert is_fine(warehouse.run())
    assert vendor.bodies == [{"q": 1}, {"q": 1, "after": 4}], "a number stays one"
    assert len(symbols(warehouse)) == 7


@pytest.mark.parametrize(
    "written",
    ["1.50", "1.7e12", '"1.50"', "9007199254740993", "1e400", "0.12345678901234567890", "1e-99999999999999999999"],
)
def test_a_cursor_that_is_a_number_stays_one(tmp_path: Path, vendor: Vendor, written: str) -> None:
    def answer(request: Request) -> Response:
        rows, following = json.dumps(ROWS[len(vendor.asked) - 1 :][:1]), written if len(vendor.asked) == 1 else "null"
        return Response(f'{{"rows": {rows}, "next": {following}}}', content_type="application/json")

    vendor.answer = answer
    pages = Pages(by="cursor", parameter="after", next_at="next", in_body=True)
    warehouse = warehouse_of(tmp_path / "home", vendor, json={"q": 1}, pages=pages, declared={"rows_at": "rows"})
    assert is_fine(warehouse.run())
    assert [request.get_data().decode() for request in vendor.asked] == ['{"q":1}', f'{{"q":1,"after":{written}}}']


def test_a_form_takes_a_number_as_it_is_written(tmp_path: Path, vendor: Vendor) -> None:
    written = "0.12345678901234567890"

    def answer(request: Request) -> Response:
        rows, following = json.dumps(ROWS[len(vendor.asked) - 1 :][:1]), written if len(vendor.asked) == 1 else "null"
        return Response(f'{{"rows": {rows}, "next": {following}}}', content_type="application/json")

    vendor.answer = answer
    pages = Pages(by="cursor", parameter="after", next_at="next", in_body=True)
    warehouse = warehouse_of(tmp_path / "home", vendor, form={"q": "1"}, pages=pages, declared={"rows_at": "rows"})
    assert is_fine(warehouse.run())
    assert [request.get_data().decode() for request in vendor.asked] == ["q=1", f"q=1&after={written}"]


@pytest.mark.parametrize("written", ["NaN", "Infinity", "true", "[NaN]"])
def test_a_cursor_that_cannot_go_back_as_it_came_is_a_failure(tmp_path: Path, vendor: Vendor, written: str) -> None:
    rows = json.dumps(ROWS[:1])
    vendor.answer = lambda request: Response(f'{{"rows": {rows}, "next": {written}}}', content_type="application/json")
    pages = Pages(by="cursor", parameter="after", next_at="next", in_body=True)
    warehouse = warehouse_of(tmp_path / "home", vendor, json={"q": 1}, pages=pages, declared={"rows_at": "rows"})
    (error,) = warehouse.run().errors
    assert "holds nothing to go on with" in error
    assert len(vendor.asked) == 1


def test_pages_of_a_form_and_a_total_in_a_header(tmp_path: Path, vendor: Vendor) -> None:
    def answer(request: Request) -> Response:
        at = int(parse_qs(request.get_data().decode())["start"][0])
        return told(ROWS[at : at + 4], **{"X-Total": "7"})

    vendor.answer = answer
    pages = Pages(by="offset", parameter="start", first=0, total_header="X-Total", in_body=True)
    warehouse = warehouse_of(tmp_path / "home", vendor, form={"q": "all"}, pages=pages)
    assert is_fine(warehouse.run())
    assert [request.get_data().decode() for request in vendor.asked] == ["q=all&start=0", "q=all&start=4"]
    assert len(symbols(warehouse)) == 7


@pytest.mark.parametrize("kind", ["json", "form"])
def test_where_it_goes_on_stands_in_the_body(tmp_path: Path, vendor: Vendor, kind: str) -> None:
    """What the last answer gave to come back with; left out as long as there is nothing."""
    vendor.answer = lambda request: told({"rows": ROWS[:1], "seq": f"t{len(vendor.asked)}"})
    body: Any = {"q": "new", "since": "{cursor}"} if kind == "form" else {"q": {"since": "{cursor}"}, "k": ["{cursor}"]}
    warehouse = warehouse_of(
        tmp_path / "home", vendor, cursor=Cursor(by="token", at="seq"), **{kind: body},
        declared={"rows_at": "rows", "is_data": DataRules(may_be_empty=True)},
    )  # fmt: skip
    assert is_fine(warehouse.run())
    assert is_fine(warehouse.run(hours_later=24))
    sent = [request.get_data().decode() for request in vendor.asked]
    wanted = ["q=new", "q=new&since=t1"], ['{"q":{},"k":[]}', '{"q":{"since":"t1"},"k":["t1"]}']
    assert sent == wanted[kind == "json"]


def test_keys_in_a_body_are_sent_and_written_nowhere(tmp_path: Path, vendor: Vendor) -> None:
    vendor.answer = lambda request: told(ROWS[:1])
    warehouse = warehouse_of(tmp_path / "home", vendor, json={"q": 1}, secret_body={"auth.key": NAME})
    assert warehouse.opened().entries[0].key_names == (NAME,)
    assert is_fine(warehouse.run())
    assert vendor.bodies == [{"q": 1, "auth": {"key": KEY}}]
    for path in warehouse.home.rglob("*"):
        assert not path.is_file() or KEY.encode() not in path.read_bytes(), path


def test_a_refused_key_of_a_body_is_named(tmp_path: Path, vendor: Vendor) -> None:
    vendor.answer = lambda request: told({"error": "no"}, status=401)
    warehouse = warehouse_of(tmp_path / "home", vendor, json={"q": 1}, secret_body={"key": NAME})
    (error,) = warehouse.run().errors
    assert f"the vendor does not accept the key {NAME}" in error


def test_it_is_asked_again_with_its_body_where_the_vendor_fails(tmp_path: Path, vendor: Vendor) -> None:
    vendor.answer = lambda request: told(ROWS[:1], status=200 if len(vendor.asked) > 1 else 503)
    warehouse = warehouse_of(tmp_path / "home", vendor, json={"q": 1}, secret_body={"key": NAME})
    assert is_fine(warehouse.run())
    assert vendor.bodies == [{"q": 1, "key": KEY}] * 2


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_only_a_redirect_that_keeps_the_method_is_followed(tmp_path: Path, vendor: Vendor, status: int) -> None:
    """After any other a client asks by GET, and its answer, with status 200, would be taken for data."""
    vendor.answer = lambda request: Response(status=status, headers={"Location": vendor.server.url_for("/moved")})
    moved: list[Request] = []

    def handle(request: Request) -> Response:
        request.get_data()
        moved.append(request)
        return told(ROWS[:1])

    vendor.server.expect_request("/moved").respond_with_handler(handle)
    context = warehouse_of(tmp_path / "home", vendor, json={"q": 1}, secret_body={"key": NAME}).run()
    if status in (307, 308):
        assert is_fine(context)
        assert [(one.method, json.loads(one.get_data())) for one in moved] == [("POST", {"q": 1, "key": KEY})]
    else:
        assert moved == []
        assert f"redirects a POST with status {status}, which is refused" in context.errors[0]


def test_a_body_goes_to_no_place_that_the_vendor_chose(tmp_path: Path, vendor: Vendor) -> None:
    with HTTPServer() as elsewhere:
        elsewhere.expect_request("/there").respond_with_json(ROWS)
        vendor.answer = lambda request: Response(status=307, headers={"Location": elsewhere.url_for("/there")})
        context = warehouse_of(
            tmp_path / "home", vendor, json={"q": 1}, redirect_hosts=("localhost", "127.0.0.1")
        ).run()
        assert "to another place, which is refused" in context.errors[0]
        assert elsewhere.log == []


def test_it_is_replayed_and_made_again_as_any_other(tmp_path: Path, vendor: Vendor) -> None:
    def answer(request: Request) -> Response:
        asked = json.loads(request.get_data())
        return told([price(asked["of"], "2024-01-01", 10 * asked["page"])] if asked["page"] < 3 else [])

    vendor.answer = answer
    recipe: dict[str, Any] = {
        "json": {"of": "{ticker}"}, "pages": Pages(by="page", parameter="page", in_body=True),
        "secret_body": {"key": NAME},
    }  # fmt: skip
    declared = {"scope": "per_ticker", "on_duplicate": "last"}
    first = warehouse_of(tmp_path / "first", vendor, declared=declared, **recipe)
    assert is_fine(first.run(universe__tickers=("A", "B")))
    asked = len(vendor.asked)
    again = warehouse_of(tmp_path / "again", vendor, declared=declared, **recipe)
    context = again.run(options=RunOptions(replay=str(tmp_path / "first")), universe__tickers=("A", "B"))
    assert is_fine(context)
    assert len(vendor.asked) == asked, "a replay asks nobody"
    assert digests(again) == digests(first)
    assert sorted(addresses(again)) == sorted(addresses(first))
    assert first.run(universe__tickers=("A", "B")).requests == 0


@pytest.mark.parametrize("kind", ["post", "get"])
def test_an_answer_in_halves_is_replayed(tmp_path: Path, vendor: Vendor, kind: str) -> None:
    """The whole was too long and is not kept, so that a recording has the halves alone."""
    days = [f"2023-12-{day}" for day in range(24, 32)]

    def answer(request: Request) -> Response:
        asked = json.loads(request.get_data()) if kind == "post" else request.args
        return told([price("A", day) for day in days if asked["from"] <= day <= asked["to"]][:3])

    vendor.answer = answer
    recipe: dict[str, Any] = {"json": {"from": "{from_date}", "to": "{to_date}"}}
    if kind == "get":
        recipe = {"url": f"{vendor.url}?from={{from_date}}&to={{to_date}}"}
    whole = entry(
        recipe=RestRecipe(**{"url": vendor.url, "rows_max": 3, **recipe}), first_date=dt.date(2023, 12, 24),
        is_data=DataRules(may_be_empty=True),
    )  # fmt: skip
    first = Warehouse(tmp_path / "first", Declared(whole))
    assert is_fine(first.run())
    asked = len(vendor.asked)
    again = Warehouse(tmp_path / "again", Declared(whole))
    assert is_fine(again.run(options=RunOptions(replay=str(tmp_path / "first"))))
    assert (len(vendor.asked), again.ask("SELECT count(*) FROM silver.px")) == (asked, [(8,)])
    assert digests(again) == digests(first)
    assert isinstance(whole.recipe, RestRecipe)
    moved = attrs.evolve(whole, recipe=attrs.evolve(whole.recipe, url=whole.recipe.url.replace("/odd", "/b")))
    other = Warehouse(tmp_path / "other", Declared(moved))
    (error,) = other.run(options=RunOptions(replay=str(tmp_path / "first"))).errors
    assert "the recording holds no answer of" in error and "2023-12-24" in error and "2024-01-02" in error


@pytest.mark.parametrize("before", ["post", "get"])
def test_a_replay_answers_from_a_mirror(tmp_path: Path, vendor: Vendor, before: str) -> None:
    """Of the same question by POST elsewhere, and of the address that was asked by GET before."""
    vendor.answer = lambda request: told(ROWS[:2])
    body: dict[str, Any] = {"json": {"q": 1}}
    first = warehouse_of(tmp_path / "first", vendor, **(body if before == "post" else {}))
    assert is_fine(first.run())
    moved = RestRecipe(url="https://moved.example.com/", mirrors=(vendor.url,), **body)
    again = Warehouse(tmp_path / "again", Declared(entry(recipe=moved)))
    assert is_fine(again.run(options=RunOptions(replay=str(tmp_path / "first"))))
    assert addresses(again) == addresses(first), "the journal says where the bytes came from"


def test_a_mirror_answers_for_its_page_alone(tmp_path: Path, vendor: Vendor) -> None:
    def answer(request: Request) -> Response:
        at = json.loads(request.get_data())["p"]
        return told(ROWS[at - 1 : at] if at < 4 else [])

    vendor.answer = answer
    paged: dict[str, Any] = {"json": {"q": 1}, "pages": Pages(by="page", parameter="p", in_body=True)}
    assert is_fine(warehouse_of(tmp_path / "first", vendor, **paged).run())
    moved = RestRecipe(url="https://moved.example.com/", mirrors=(vendor.url,), **paged)
    again = Warehouse(tmp_path / "again", Declared(entry(recipe=moved)))
    assert is_fine(again.run(options=RunOptions(replay=str(tmp_path / "first"))))
    assert len(symbols(again)) == 3


def test_a_key_that_the_next_address_repeats_is_no_part_of_it(tmp_path: Path, vendor: Vendor) -> None:
    """Else a replay, which has no keys, asks for another address than the journal has."""

    def answer(request: Request) -> Response:
        following = None if request.query_string else f"{vendor.url}?token={KEY}&page=2"
        return told({"rows": ROWS[1:2] if request.query_string else ROWS[:1], "next": following})

    vendor.answer = answer
    recipe: dict[str, Any] = {
        "json": {"q": 1}, "secret_body": {"token": NAME}, "pages": Pages(by="next_url", next_at="next"),
    }  # fmt: skip
    first = warehouse_of(tmp_path / "first", vendor, declared={"rows_at": "rows"}, **recipe)
    assert is_fine(first.run())
    assert addresses(first) == [f'POST {vendor.url} {{"q":1}}', f'POST {vendor.url}?page=2 {{"q":1}}']
    again = warehouse_of(tmp_path / "again", vendor, declared={"rows_at": "rows"}, **recipe)
    assert is_fine(again.run(options=RunOptions(replay=str(tmp_path / "first"))))
    assert symbols(again) == symbols(first)


def test_the_news_that_nothing_changed_is_not_asked_of_a_post(tmp_path: Path, vendor: Vendor) -> None:
    vendor.answer = lambda request: told(ROWS[:1], ETag='"1"')
    warehouse = warehouse_of(tmp_path / "home", vendor, json={"q": 1})
    warehouse.run()
    warehouse.run(hours_later=24)
    assert len(vendor.asked) == 2
    assert not any("If-None-Match" in request.headers for request in vendor.asked)
    assert len(addresses(warehouse)) == 1, "the same bytes are kept once"


def test_days_and_years_in_a_body_cut_a_request_as_in_an_address(tmp_path: Path, vendor: Vendor) -> None:
    vendor.answer = lambda request: told([price("A", f"{json.loads(request.get_data())['year']}-01-01")])
    warehouse = warehouse_of(
        tmp_path / "home", vendor, json={"year": "{year}"}, declared={"first_date": dt.date(2022, 6, 1)}
    )
    assert is_fine(warehouse.run())
    assert [body["year"] for body in vendor.bodies] == ["2022", "2023", "2024"]
    assert warehouse.opened().entries[0].is_asked_by_days


class Posting(FakeVendor):
    """Asks by its own code."""

    url = ""
    mirrors: tuple[str, ...] = ()
    body: RequestBody | None = RequestBody.of_json({"q": "own"}, secrets={"key": NAME})

    @hookimpl
    def fetch(self, entry: DatasetKeymapEntry, request: RunRequest, http: FetchSession) -> RunResult:  # type: ignore[override]
        return http.get(request, self.url, body=self.body, mirrors=self.mirrors)


def test_a_hook_posts_through_http(tmp_path: Path, vendor: Vendor) -> None:
    vendor.answer = lambda request: told(ROWS[:1])
    plugin = Posting(entry())
    plugin.url = vendor.url
    warehouse = Warehouse(tmp_path / "home", plugin)
    assert is_fine(warehouse.run())
    assert vendor.bodies == [{"q": "own", "key": KEY}]
    assert addresses(warehouse) == [f'POST {vendor.url} {{"q":"own"}}']


def test_a_hook_that_posts_is_replayed_from_a_mirror(tmp_path: Path, vendor: Vendor) -> None:
    vendor.answer = lambda request: told(ROWS[:1])
    first = Posting(entry())
    first.url = vendor.url
    assert is_fine(Warehouse(tmp_path / "first", first).run())
    moved = Posting(entry())
    moved.url, moved.mirrors = "https://moved.example.com/", (vendor.url,)
    again = Warehouse(tmp_path / "again", moved)
    assert is_fine(again.run(options=RunOptions(replay=str(tmp_path / "first"))))
    assert len(vendor.asked) == 1


def test_what_is_known_of_a_get_says_nothing_of_a_post(tmp_path: Path, vendor: Vendor) -> None:
    """Of a dataset that was declared otherwise before."""
    vendor.answer = lambda request: told(ROWS[: len(vendor.asked)], ETag='"1"')
    for hours, recipe in ((0, {}), (24, {}), (48, {"form": {"q": "1"}})):
        warehouse = warehouse_of(tmp_path / "home", vendor, **recipe)
        assert is_fine(warehouse.run(hours_later=hours))
    assert [(one.method, "If-None-Match" in one.headers) for one in vendor.asked] == [
        ("GET", False), ("GET", True), ("POST", False),
    ]  # fmt: skip


ENDLESS: list[object] = []
ENDLESS.append(ENDLESS)

WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "two bodies": ({"json": {}, "form": {}}, "several bodies: json, form"),
    "a GET": ({"json": {}, "method": "GET"}, "a GET has no body"),
    "another method": ({"method": "PUT"}, "method 'PUT' is not known"),
    "no type": ({"body": "x"}, "body and content_type belong together"),
    "no body": ({"content_type": "text/xml"}, "body and content_type belong together"),
    "another charset": (
        {"body": "x", "content_type": "text/xml; charset=ISO-8859-1"},
        "names the charset ISO-8859-1, and bodies are sent in UTF-8",
    ),
    "a header more": ({"body": "x", "content_type": "text/xml\r\nX-Y: 1"}, "holds a character that a header cannot"),
    "a slip": ({"json": {"a": ["{tikcer}"]}}, "the body holds {tikcer}"),
    "a slip with a digit": ({"json": {"a": "{ticker1}"}}, "the body holds {ticker1}"),
    "how a day is written": ({"form": {"a": "{from_date:%Y}"}}, "the body holds {from_date:%Y}"),
    "how a text is written": ({"json": ["{ticker!r}"]}, "the body holds {ticker!r}"),
    "a brace that is not closed": (
        {"body": "<q>{ticker</q>", "content_type": "text/xml"},
        "the body holds {ticker</q>",
    ),
    "a brace behind others": ({"json": {"a": "{ticker}{year"}}, "the body holds {year"),
    "a slip in a name": ({"json": {"{tikcer}": 1}}, "the body holds {tikcer}"),
    "no JSON": ({"json": {"a": dt.date(2024, 1, 1)}}, "the body cannot be JSON"),
    "half a letter in JSON": ({"json": {"a": "\ud83d"}}, "half of a surrogate pair"),
    "half a letter in a form": ({"form": {"a": "\ud83d"}}, "half of a surrogate pair"),
    "a length of its own": ({"json": {}, "headers": {"Content-Length": "3"}}, "the header Content-Length says how"),
    "a coding of its own": ({"secret_headers": {"transfer-encoding": NAME}}, "the header transfer-encoding says how"),
    "a list in itself": ({"json": {"a": ENDLESS}}, "the body cannot be JSON"),
    "not a number": ({"json": {"a": float("nan")}}, "the body cannot be JSON"),
    "a number as name": ({"json": {"a": [{1: 2}]}}, "the body holds the name 1"),
    "a number in a form": ({"form": {"a": 1}}, "form holds what is no text"),
    "keys in a list": ({"json": [1], "secret_body": {"a": NAME}}, "secret_body: there are no fields"),
    "keys in a GET": ({"secret_body": {"a": NAME}}, "secret_body: there are no fields"),
    "keys where a value stands": (
        {"json": {"a": 1}, "secret_body": {"a.key": NAME}},
        "no object that could hold 'a.key'",
    ),
    "keys through a list": ({"json": {"a": [{}]}, "secret_body": {"a.key": NAME}}, "no object that could hold 'a.key'"),
    "keys within a key": ({"json": {}, "secret_body": {"a.key": NAME, "a": NAME}}, "no object that could hold 'a.key'"),
    "a key without name": ({"json": {}, "secret_body": {"a..b": NAME}}, "'a..b' names no field of the body"),
    "pages where a value stands": (
        {"json": {"p": "x"}, "pages": Pages(by="page", parameter="p.n", in_body=True)},
        "no object that could hold 'p.n'",
    ),
    "a size where a value stands": (
        {"json": {"p": 1}, "pages": Pages(by="page", parameter="n", size=5, size_parameter="p.s", in_body=True)},
        "no object that could hold 'p.s'",
    ),
    "a page that is a key": (
        {"form": {}, "pages": Pages(by="page", parameter="p", in_body=True), "secret_body": {"p": NAME}},
        "the field 'p' of the body takes a page and a key",
    ),
    "pages in a GET": ({"pages": Pages(by="page", parameter="p", in_body=True)}, "pages: there are no fields"),
    "a period that is none": ({"json": {"p": "{period}"}}, "periods belong together"),
    "a cursor that is none": ({"json": {"p": "{cursor}"}}, "cursor= belong together"),
    "tickers nowhere": ({"json": {"p": "x"}, "tickers_per_request": 5}, "wants {ticker} in the address or the body"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_declared_wrong_is_refused_at_once(wrong: str) -> None:
    declared, what = WRONG[wrong]
    with pytest.raises(UsageError) as caught:
        RestRecipe(url="https://example.com/", **declared)
    assert what in str(caught.value)
    assert caught.value.fix


def test_links_have_nothing_in_a_body() -> None:
    with pytest.raises(UsageError, match="have nothing in a body"):
        Pages(by="link", in_body=True)


def test_a_key_cannot_go_where_a_value_stands() -> None:
    with pytest.raises(UsageError, match=r"no object that could hold 'a\.key'"):
        RequestBody.of_json({"a": 1}).with_fields({"a.key": "x"})
    with pytest.raises(UsageError, match="the body is no JSON"):
        RequestBody(text='{"a":', content_type="application/json").with_fields({"key": "x"})
    with pytest.raises(UsageError, match="the field 'b' of the form is no text"):
        RequestBody.of_form({"a": "1", "b": None})  # type: ignore[dict-item]
    with pytest.raises(UsageError, match="half of a surrogate pair"):
        RequestBody(text="\ud800", content_type="text/plain")
    with pytest.raises(UsageError, match="bodies are sent in UTF-8"):
        RequestBody(text="é", content_type='text/plain;charset="latin-1"')
    with pytest.raises(UsageError, match="into JSON, into forms and into XML"):
        RequestBody(text="x", content_type="text/plain", secrets={"a": NAME})

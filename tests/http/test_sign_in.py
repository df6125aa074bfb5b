"""Tokens and logins: got once for all, kept nowhere, got anew when they are over; what is said where there is none."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import math
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs

import pytest
import stamina
from odd_plugins import fetch_with, run
from pytest_httpserver import HTTPServer
from signing_vendor import ROWS, SigningVendor, addresses, files_with, is_fine, told, warehouse_of
from warehouse import START, Declared, FakeVendor, Warehouse, entry
from werkzeug import Request, Response

from sbf_core.api import (
    ClientCredentials,
    DatasetKeymapEntry,
    FailureKind,
    FetchSession,
    Login,
    Pages,
    RefreshToken,
    RestRecipe,
    RunRequest,
    RunResult,
    Signature,
    UsageError,
    hookimpl,
)
from sbf_core.care.digest import digest_tables
from sbf_core.clock import FixedClock
from sbf_core.dataset.fingerprint import declaration_text
from sbf_core.dataset.from_toml import entry_from_mapping
from sbf_core.http.live import LiveSession
from sbf_core.http.redirects import Hop
from sbf_core.http.tokens import Tokens
from sbf_core.http.vendor_session import VendorSession
from sbf_core.runner.configured_datasets import configured
from sbf_core.runner.options import RunOptions
from sbf_core.secret import redacted

ID, SECRET, REFRESH = "SIGN_TEST_ID", "SIGN_TEST_SECRET", "SIGN_TEST_REFRESH"
KEYS = {ID: "cl1ent:of the tests", SECRET: "s3cret/that+nobody&may=see", REFRESH: "r3fresh-that-nobody-may-see"}


@pytest.fixture
def vendor(httpserver: HTTPServer) -> SigningVendor:
    return SigningVendor(httpserver)


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> Any:
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    with stamina.set_testing(True, attempts=2, cap=True):
        yield


@pytest.fixture
def silent_port() -> Iterator[int]:
    """Of a server that takes what it is sent, and answers nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


def credentials(vendor: SigningVendor, **more: Any) -> ClientCredentials:
    return ClientCredentials(token_url=vendor.token_url, client_id=ID, client_secret=SECRET, **more)


def refreshing(vendor: SigningVendor, **more: Any) -> RefreshToken:
    return RefreshToken(token_url=vendor.token_url, refresh_token=REFRESH, client_id=ID, client_secret=SECRET, **more)


def form_of(request: Request) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(request.get_data().decode()).items()}


def signed_in(tmp_path: Path, vendor: SigningVendor, sign_in: Any = None, **recipe: Any) -> Warehouse:
    return warehouse_of(tmp_path / "home", vendor.url, sign_in=sign_in or credentials(vendor), **recipe)


def test_a_token_goes_along_and_is_written_nowhere(tmp_path: Path, vendor: SigningVendor) -> None:
    warehouse = signed_in(tmp_path, vendor, credentials(vendor, scope="read all", audience="prices", extra={"a": "b"}))
    assert warehouse.opened().entries[0].key_names == (ID, SECRET)
    assert is_fine(warehouse.run())
    (token,) = vendor.tokens
    assert (token.method, token.headers["Content-Type"]) == ("POST", "application/x-www-form-urlencoded")
    assert form_of(token) == {"grant_type": "client_credentials", "scope": "read all", "audience": "prices", "a": "b"}
    assert vendor.asked[0].headers["Authorization"] == "Bearer t0ken-number-1-for-the-vendor"
    assert addresses(warehouse) == [vendor.url]
    assert files_with(warehouse.home, *KEYS.values(), "t0ken-number", token.headers["Authorization"][6:]) == []
    assert redacted("as t0ken-number-1-for-the-vendor was") == "as *** was"


@pytest.mark.parametrize(
    ("client_in", "basic", "fields"),
    [
        ("basic", "cl1ent%3Aof+the+tests:s3cret%2Fthat%2Bnobody%26may%3Dsee", {}),
        ("basic_unencoded", "cl1ent:of the tests:s3cret/that+nobody&may=see", {}),
        ("body", "", {"client_id": KEYS[ID], "client_secret": KEYS[SECRET]}),
    ],
)
def test_who_asks_is_told_as_the_vendor_wants_it(
    tmp_path: Path, vendor: SigningVendor, client_in: str, basic: str, fields: dict[str, str]
) -> None:
    assert is_fine(signed_in(tmp_path, vendor, credentials(vendor, client_in=client_in)).run())
    (token,) = vendor.tokens
    told_by = token.headers.get("Authorization", "Basic ").removeprefix("Basic ")
    assert base64.b64decode(told_by).decode() == basic
    assert form_of(token) == {"grant_type": "client_credentials", **fields}


def test_a_refresh_token_is_exchanged_for_tokens(tmp_path: Path, vendor: SigningVendor) -> None:
    warehouse = signed_in(tmp_path, vendor, refreshing(vendor, client_in="body"))
    assert is_fine(warehouse.run())
    assert form_of(vendor.tokens[0]) == {
        "grant_type": "refresh_token", "refresh_token": KEYS[REFRESH], "client_id": KEYS[ID],
        "client_secret": KEYS[SECRET],
    }  # fmt: skip
    assert warehouse.opened().entries[0].key_names == (REFRESH, ID, SECRET)
    assert files_with(warehouse.home, *KEYS.values(), "t0ken-number") == []


@pytest.mark.parametrize("kind", ["json", "form"])
def test_a_login_gives_the_token_of_a_session(tmp_path: Path, vendor: SigningVendor, kind: str) -> None:
    vendor.rows = lambda request: told(ROWS, status=200 if request.headers["X-Auth"] == "s3ssion-number-one" else 401)
    login = Login(
        url=vendor.token_url, secrets={"user": ID, "password": SECRET}, token_at="data.token", header="X-Auth",
        scheme="", **{kind: {"remember": "no"}},
    )  # fmt: skip
    warehouse = signed_in(tmp_path, vendor, login)
    vendor.gives = lambda request: told({"data": {"token": "s3ssion-number-one"}}, status=201)
    assert is_fine(warehouse.run())
    sent = vendor.tokens[0].get_data().decode()
    posted = json.loads(sent) if kind == "json" else form_of(vendor.tokens[0])
    assert posted == {"remember": "no", "user": KEYS[ID], "password": KEYS[SECRET]}
    assert files_with(warehouse.home, *KEYS.values(), "s3ssion-number-one") == []


def test_a_hundred_requests_at_once_ask_for_one_token(tmp_path: Path, vendor: SigningVendor) -> None:
    results = at_once(tmp_path, vendor, 100)
    assert [result.error for result in results] == [None] * 100
    assert (len(vendor.asked), len(vendor.tokens)) == (100, 1)


def test_those_who_wait_for_a_token_share_why_there_is_none(tmp_path: Path, vendor: SigningVendor) -> None:
    """Else each would ask a server that is down, one after the other."""
    vendor.gives = raw(b"", 500)
    results = at_once(tmp_path, vendor, 50)
    assert all("no token from localhost" in str(result.error) for result in results)
    assert (len(vendor.asked), len(vendor.tokens)) == (0, 2), "two attempts of one request"


def at_once(folder: Path, vendor: SigningVendor, number: int) -> list[RunResult]:
    """So many requests that begin before any of them has an answer."""
    live = LiveSession(FixedClock(START), files=folder)
    session = VendorSession(live, entry(recipe=RestRecipe(url=vendor.url, sign_in=credentials(vendor))))
    request = RunRequest(run_id="r", domain="prices", source="fake", dataset="eod")

    async def asked() -> list[RunResult]:
        return await asyncio.gather(*(session.ask(request, f"{vendor.url}?n={each}") for each in range(number)))

    results = live.loop.result(asked())
    live.close()
    return results


def test_datasets_of_one_vendor_share_a_token(tmp_path: Path, vendor: SigningVendor) -> None:
    def declared(name: str, sign_in: object) -> Declared:
        recipe = RestRecipe(url=f"{vendor.url}?of={name}", sign_in=sign_in)  # type: ignore[arg-type]
        return Declared(entry(dataset=name, silver_table=name, recipe=recipe))

    same = [declared(name, credentials(vendor)) for name in ("a", "b", "c")]
    other = declared("d", credentials(vendor, scope="other"))
    assert is_fine(Warehouse(tmp_path / "home", *same, other).run())
    assert sorted(form_of(token).get("scope", "") for token in vendor.tokens) == ["", "other"]


LIVES: dict[str, tuple[dict[str, Any], list[float], int]] = {
    # what the vendor says, seconds between the requests, tokens that are asked for
    "an hour": ({"expires_in": 3600}, [3500, 80], 2),
    "a text": ({"expires_in": "3600"}, [3500, 80], 2),
    "tiny": ({"expires_in": 10}, [5, 3, 2], 2),
    "nothing": ({"expires_in": 0}, [3600, 86400], 1),
    "less than nothing": ({"expires_in": -1}, [3600, 86400], 1),
    "absent": ({"expires_in": None}, [3600, 86400], 1),
    "no number": ({"expires_in": [1]}, [3600, 86400], 1),
    "endless": ({"expires_in": 1e300}, [3600, 86400], 1),
    "a moment": ({"expires_in": None, "expires_at": 1704200400}, [3500, 80], 2),
    "milliseconds": ({"expires_in": None, "expires_at": 1704200400000}, [3500, 80], 2),
    "a day and time": ({"expires_in": None, "expires_at": "2024-01-02T13:00:00Z"}, [3500, 80], 2),
    "past": ({"expires_in": None, "expires_at": 1}, [3600], 1),
    "both": ({"expires_in": 3600, "expires_at": 1704200400000 * 1000}, [3500, 80], 2),
}


@pytest.mark.parametrize("life", LIVES)
def test_a_token_lives_as_long_as_the_vendor_says(
    tmp_path: Path, vendor: SigningVendor, life: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the clock of the home, within one run: each page comes some time after the one before."""
    says, pauses, tokens = LIVES[life]
    vendor.gives = lambda request: vendor.fresh(request, **says)
    warehouse = signed_in(tmp_path, vendor, pages=Pages(by="page", parameter="p", first=0))

    def page(request: Request) -> Response:
        at = int(request.args["p"])
        if at < len(pauses):
            warehouse.clock.advance(hours=pauses[at] / 3600)
        return told([{**ROWS[0], "symbol": f"S{at}"}] if at <= len(pauses) else [])

    vendor.rows = page
    assert is_fine(warehouse.run())
    assert len(vendor.tokens) == tokens


def test_a_refused_token_is_got_anew_once(tmp_path: Path, vendor: SigningVendor) -> None:
    """Once for all the requests that it was refused to."""
    tickers = tuple(f"T{number}" for number in range(8))
    warehouse = signed_in(tmp_path, vendor, connections=8, declared={"scope": "per_ticker", "on_duplicate": "last"})
    assert is_fine(warehouse.run(universe__tickers=tickers[:1]))

    def rows(request: Request) -> Response:
        over = request.headers["Authorization"] == "Bearer t0ken-number-2-for-the-vendor"
        return told({"error": "over"}, status=401) if over else told(ROWS)

    vendor.rows = rows
    assert is_fine(warehouse.run(hours_later=24, universe__tickers=tickers, run__workers=8))
    assert len(vendor.tokens) == 3


def test_a_token_that_another_request_got_anew_is_used(tmp_path: Path, vendor: SigningVendor) -> None:
    """A refusal may come late, of a token that is gone already."""
    live = LiveSession(FixedClock(START), files=tmp_path)
    tokens, hop, deadline = Tokens(live, "fake", credentials(vendor)), Hop(url=vendor.url, headers={}), math.inf

    async def asked() -> list[str]:
        sent = [(await tokens.signed(hop, deadline=deadline))[0] for _ in range(2)]
        for one in sent:
            assert tokens.renews(one)
            sent = [*sent, (await tokens.signed(hop, deadline=deadline))[0]]
        return [one.headers["authorization"] for one in sent]

    told_by = live.loop.result(asked())
    live.close()
    assert told_by == [f"Bearer t0ken-number-{number}-for-the-vendor" for number in (1, 1, 2, 2)]
    assert len(vendor.tokens) == 2


def test_a_token_that_is_refused_twice_is_a_failure(tmp_path: Path, vendor: SigningVendor) -> None:
    vendor.rows = lambda request: told({"error": "no"}, status=401)
    warehouse = signed_in(tmp_path, vendor)
    context = warehouse.run()
    assert (len(vendor.asked), len(vendor.tokens)) == (2, 2)
    (failure,) = context.failures
    assert failure.what == f"HTTP 401: the vendor does not accept the key {ID}, {SECRET}"
    assert files_with(warehouse.home, *KEYS.values(), "t0ken-number") == []


def test_a_token_that_comes_back_is_taken_out_and_told_of_like_a_key(tmp_path: Path, vendor: SigningVendor) -> None:
    def rows(request: Request) -> Response:
        token = request.headers["Authorization"]
        return told({"rows": [{**ROWS[0], "volume": token}], "asked": token})

    vendor.rows = rows
    warehouse = signed_in(tmp_path, vendor, declared={"rows_at": "rows", "reject_share_max": 1.0})
    context = warehouse.run()
    assert any("the vendor repeats your key in its answer, at $.rows[*].volume" in note for note in context.notes)
    (payload,) = warehouse.bronze_files()
    assert files_with(warehouse.home, "t0ken-number") == [warehouse.home / "bronze" / payload]

    def refused(request: Request) -> Response:
        return told({"message": f"not {request.headers['Authorization']}"}, status=400)

    vendor.rows = refused
    context = warehouse.run(hours_later=24)
    assert "the vendor says" in context.errors[0]
    assert "***" in context.errors[0]
    assert "t0ken-number" not in context.errors[0]


def said(document: object, **more: Any) -> Callable[[Request], Response]:
    return lambda request: told(document, **more)


def raw(body: bytes, status: int = 200, **headers: str) -> Callable[[Request], Response]:
    return lambda request: Response(body, status=status, headers=headers)


REFUSED = f"gives no token for {ID}, {SECRET}"
NO_TOKEN: dict[str, tuple[Callable[[Request], Response], FailureKind, Sequence[str], int]] = {
    # what the server of tokens answers, the kind, words of the failure, how often it is asked for a first request
    "invalid_client": (
        said({"error": "invalid_client", "error_description": "No such client."}, status=401), FailureKind.SIGN_IN,
        ("HTTP 401: localhost", REFUSED, "it says invalid_client, No such client.; set " + f"{ID}, {SECRET} again"), 1,
    ),
    "invalid_scope": (
        said({"error": "invalid_scope"}, status=400), FailureKind.SIGN_IN, ("mend scope in its sign_in",), 1
    ),
    "error with 200": (said({"error": "bad_client"}), FailureKind.SIGN_IN, ("HTTP 200", REFUSED, "bad_client"), 1),
    "secret in the error": (
        lambda request: told({"error": "no", "error_description": f"not {KEYS[SECRET]}" + "x" * 999}, status=400),
        FailureKind.SIGN_IN, ("it says no, not ***xxx",), 1,
    ),
    "forbidden page": (raw(b"<html><title>No</title>", 403), FailureKind.SIGN_IN, ("HTTP 403", REFUSED), 1),
    "not there": (raw(b"", 404), FailureKind.SIGN_IN, ("HTTP 404", REFUSED), 1),
    "down": (raw(b"", 503), FailureKind.HTTP_STATUS, ("no token from localhost", "HTTP 503"), 2),
    "a page": (raw(b"<html>please log in</html>"), FailureKind.SIGN_IN, ("an answer that is no JSON",), 1),
    "empty": (raw(b""), FailureKind.SIGN_IN, ("an empty answer",), 1),
    "no object": (said(["t0ken-number"]), FailureKind.SIGN_IN, ("an answer without access_token",), 1),
    "without": (said({"token": "t0ken-number"}), FailureKind.SIGN_IN, ("an answer without access_token",), 1),
    "null": (said({"access_token": None}), FailureKind.SIGN_IN, ("an answer without access_token",), 1),
    "a number": (said({"access_token": 5}), FailureKind.SIGN_IN, ("a token at access_token that cannot be sent",), 1),
    "nothing": (said({"access_token": ""}), FailureKind.SIGN_IN, ("cannot be sent",), 1),
    "line breaks": (
        said({"access_token": "t0ken-number\r\nx-admin: yes-please"}), FailureKind.SIGN_IN, ("cannot be sent",), 1
    ),
    "no ASCII": (said({"access_token": "t0ken-number-é"}), FailureKind.SIGN_IN, ("cannot be sent",), 1),
    "long": (said({"access_token": "t0ken-number" * 2000}), FailureKind.SIGN_IN, ("cannot be sent",), 1),
    "to be signed with": (
        said({"access_token": "t0ken-number", "token_type": "DPoP"}), FailureKind.SIGN_IN, ("signed with",), 1
    ),
    "huge": (raw(b" " * 2 * 1024**2), FailureKind.SIGN_IN, ("no token from localhost", "more than"), 1),
    "deep": (raw(b"[" * 100_000), FailureKind.SIGN_IN, ("no JSON",), 1),
    "redirect": (raw(b"", 307, Location="/elsewhere"), FailureKind.SIGN_IN, ("it redirects",), 1),
}  # fmt: skip


@pytest.mark.parametrize("case", NO_TOKEN)
def test_why_there_is_no_token_is_told(tmp_path: Path, vendor: SigningVendor, case: str) -> None:
    vendor.gives, kind, words, asked = NO_TOKEN[case]
    warehouse = signed_in(tmp_path, vendor)
    context = warehouse.run()
    (failure,) = context.failures
    assert failure.kind is kind
    for word in words:
        assert word in failure.what
    assert len(failure.what) < 600
    assert (len(vendor.tokens), vendor.asked, context.status) == (asked, [], "failed")
    assert warehouse.bronze_files() == [], "it is no payload"
    assert files_with(warehouse.home, *KEYS.values(), "t0ken-number") == []


def test_a_refused_client_is_not_asked_for_again_in_this_run(tmp_path: Path, vendor: SigningVendor) -> None:
    vendor.gives = said({"error": "invalid_client"}, status=400)
    tickers = tuple(f"T{number}" for number in range(20))
    warehouse = signed_in(tmp_path, vendor, connections=4, declared={"scope": "per_ticker"})
    context = warehouse.run(universe__tickers=tickers)
    assert (len(vendor.tokens), len(vendor.asked)) == (1, 0)
    assert REFUSED in context.errors[0]


@pytest.mark.parametrize("case", ["huge", "a page", "redirect"])
def test_odd_answers_instead_of_a_token_open_the_breaker(tmp_path: Path, vendor: SigningVendor, case: str) -> None:
    """So many tickers do not ask for as many tokens."""
    vendor.gives = NO_TOKEN[case][0]
    tickers = tuple(f"T{number}" for number in range(20))
    warehouse = signed_in(tmp_path, vendor, connections=1, declared={"scope": "per_ticker"})
    warehouse.run(universe__tickers=tickers)
    assert (len(vendor.tokens), vendor.asked) == (1 if case == "redirect" else 5, [])


def test_a_server_of_tokens_that_is_down_is_an_outage(tmp_path: Path, vendor: SigningVendor) -> None:
    """The breaker opens; a run after it goes on."""
    vendor.gives = raw(b"", 500)
    tickers = tuple(f"T{number}" for number in range(20))
    warehouse = signed_in(tmp_path, vendor, connections=1, declared={"scope": "per_ticker", "on_duplicate": "last"})
    warehouse.run(universe__tickers=tickers)
    assert (len(vendor.tokens), len(vendor.asked)) == (10, 0), "five requests, two attempts each"
    vendor.gives = vendor.fresh
    assert is_fine(warehouse.run(universe__tickers=tickers))


def test_a_server_of_tokens_that_says_nothing_ends_with_the_deadline(
    tmp_path: Path, httpserver: HTTPServer, silent_port: int
) -> None:
    sign_in = ClientCredentials(token_url=f"http://127.0.0.1:{silent_port}/token", client_id=ID, client_secret=SECRET)
    warehouse = warehouse_of(tmp_path / "home", httpserver.url_for("/rows"), sign_in=sign_in, deadline_seconds=0.2)
    (failure,) = warehouse.run().failures
    assert failure.kind is FailureKind.DEADLINE
    assert failure.what.startswith("no token from 127.0.0.1")
    assert httpserver.log == []


def test_a_key_that_is_not_set_is_named_and_nobody_is_asked(
    tmp_path: Path, vendor: SigningVendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(SECRET)
    context = signed_in(tmp_path, vendor).run(options=RunOptions(plugins=("fake",)))
    assert f"the key {SECRET} is not set" in context.errors[0]
    home = signed_in(tmp_path, vendor).opened()
    assert configured(list(home.registry.datasets.values()), home.keys) == (
        [], [f"left out, because their keys are not set: fake ({SECRET})"]
    )  # fmt: skip
    assert (vendor.tokens, vendor.asked) == ([], [])


def test_no_redirect_carries_a_token(tmp_path: Path, vendor: SigningVendor) -> None:
    """Neither to another host nor to the same; where it is wanted there, the address is to be declared."""
    moved: list[Request] = []

    def handle(request: Request) -> Response:
        moved.append(request)
        return told(ROWS)

    with HTTPServer() as elsewhere:
        for server, place in ((vendor.server, "/moved"), (elsewhere, "/there")):
            server.expect_request(place).respond_with_handler(handle)
            vendor.rows = raw(b"", 307, Location=server.url_for(place))
            warehouse = warehouse_of(
                tmp_path / place.strip("/"), vendor.url, sign_in=credentials(vendor), redirect_hosts=("localhost",)
            )
            assert is_fine(warehouse.run())
    assert len(moved) == 2
    assert all("Authorization" not in request.headers for request in moved)
    vendor.server.expect_request("/locked").respond_with_json({}, status=401)
    vendor.rows = lambda request: Response(status=307, headers={"Location": "/locked"})
    context = warehouse_of(tmp_path / "locked", vendor.url, sign_in=credentials(vendor)).run()
    assert "the vendor redirects, where neither token nor signature goes along" in context.errors[0]
    assert len(vendor.tokens) == 3, "none is got anew for it"


def test_a_token_goes_to_the_place_of_its_recipe_only(tmp_path: Path, vendor: SigningVendor) -> None:
    """A next page that the vendor names elsewhere is asked for without."""
    with HTTPServer() as elsewhere:
        elsewhere.expect_request("/next").respond_with_json({"rows": [{**ROWS[0], "symbol": "S02"}]})
        vendor.rows = lambda request: told({"rows": ROWS, "next": elsewhere.url_for("/next")})
        warehouse = signed_in(
            tmp_path, vendor, pages=Pages(by="next_url", next_at="next"), redirect_hosts=("localhost",),
            declared={"rows_at": "rows"},
        )  # fmt: skip
        assert is_fine(warehouse.run())
        ((request, _),) = elsewhere.log
        assert "Authorization" not in request.headers


def test_a_replay_needs_no_key(tmp_path: Path, vendor: SigningVendor, monkeypatch: pytest.MonkeyPatch) -> None:
    first = warehouse_of(tmp_path / "first", vendor.url, sign_in=credentials(vendor))
    assert is_fine(first.run())
    for name in KEYS:
        monkeypatch.delenv(name)
    asked = len(vendor.asked) + len(vendor.tokens)
    again = warehouse_of(tmp_path / "again", vendor.url, sign_in=credentials(vendor))
    assert is_fine(again.run(options=RunOptions(replay=str(tmp_path / "first"))))
    assert len(vendor.asked) + len(vendor.tokens) == asked
    assert digests(again) == digests(first)
    assert addresses(again) == addresses(first)


def digests(warehouse: Warehouse) -> dict[str, str]:
    with warehouse.open() as cursor:
        return {item.table: item.sha256 for item in digest_tables(cursor, keys={})}


def test_what_changed_is_asked_for_with_another_token(tmp_path: Path, vendor: SigningVendor) -> None:
    """The address is as without: 304 and the same bytes are known again."""

    def rows(request: Request) -> Response:
        if request.headers.get("If-None-Match") == '"1"':
            return Response(status=304)
        return told(ROWS, ETag='"1"')

    vendor.rows = rows
    warehouse = signed_in(tmp_path, vendor)
    assert is_fine(warehouse.run())
    context = warehouse.run(hours_later=24)
    assert (is_fine(context), context.unchanged_files, len(vendor.tokens)) == (True, 1, 2)
    assert len(warehouse.bronze_files()) == 1


def test_signing_in_decides_no_rows(vendor: SigningVendor) -> None:
    without, signed = (
        entry(recipe=RestRecipe(url=vendor.url, sign_in=sign_in)) for sign_in in (None, credentials(vendor))
    )
    assert declaration_text(without) == declaration_text(signed)


class Hooked(FakeVendor):
    """Asks by its own code; its recipe says how to sign in."""

    places: Sequence[str] = ()

    @hookimpl
    def fetch(self, entry: DatasetKeymapEntry, request: RunRequest, http: FetchSession) -> Sequence[RunResult]:  # type: ignore[override]
        return [http.get(request, place) for place in self.places]


def test_a_hook_signs_in_as_its_recipe_says(tmp_path: Path, vendor: SigningVendor) -> None:
    with HTTPServer() as elsewhere:
        elsewhere.expect_request("/rows").respond_with_json([{**ROWS[0], "symbol": "S02"}])
        plugin = Hooked(entry(recipe=RestRecipe(url=vendor.url, sign_in=credentials(vendor))))
        plugin.places = [f"{vendor.url}?other=1", elsewhere.url_for("/rows")]
        assert is_fine(Warehouse(tmp_path / "home", plugin).run())
        assert vendor.asked[0].headers["Authorization"].startswith("Bearer ")
        assert "Authorization" not in elsewhere.log[0][0].headers


def test_a_hook_in_a_process_of_its_own_signs_in_without_seeing_a_key(
    tmp_path: Path, vendor: SigningVendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = f"assert not {{{ID!r}, {SECRET!r}}} & set(os.environ); return http.get(request, {vendor.url!r})"
    client = f"client_id={ID!r}, client_secret={SECRET!r}"
    recipe = f"RestRecipe(url={vendor.url!r}, sign_in=ClientCredentials(token_url={vendor.token_url!r}, {client}))"
    text = fetch_with(body).replace("first_date=", f"recipe={recipe}, first_date=")
    context = run(tmp_path, monkeypatch, text, plugins__isolate="all")
    assert is_fine(context)
    assert vendor.asked[0].headers["Authorization"] in vendor.valid


class FakeKeyring:
    """A keyring of the system, which can be locked."""

    errors = SimpleNamespace(KeyringError=OSError)

    def __init__(self, **stored: str) -> None:
        self.stored = dict(stored)
        self.locked_after = 99

    def get_password(self, service: str, name: str) -> str | None:
        return self.stored.get(name) if service == "sbf" else None

    def set_password(self, service: str, name: str, value: str) -> None:
        self.locked_after -= 1
        if self.locked_after < 0:
            raise OSError
        self.stored[name] = value


@pytest.fixture
def keyring(monkeypatch: pytest.MonkeyPatch) -> FakeKeyring:
    monkeypatch.delenv(REFRESH)
    kept = FakeKeyring(**{REFRESH: KEYS[REFRESH]})
    monkeypatch.setitem(sys.modules, "keyring", kept)
    return kept


def test_a_refresh_token_that_rotates_is_kept_before_it_is_used(
    tmp_path: Path, vendor: SigningVendor, keyring: FakeKeyring
) -> None:
    seen: list[str] = []
    vendor.gives = lambda request: vendor.fresh(request, refresh_token=f"r0tated-number-{len(vendor.tokens)}")

    def rows(request: Request) -> Response:
        seen.append(keyring.stored[REFRESH])
        return told(ROWS)

    vendor.rows = rows
    warehouse = signed_in(tmp_path, vendor, refreshing(vendor, rotates=True))
    assert is_fine(warehouse.run())
    assert is_fine(warehouse.run(hours_later=24))
    assert seen == ["r0tated-number-1", "r0tated-number-2"]
    assert [form_of(token)["refresh_token"] for token in vendor.tokens] == [KEYS[REFRESH], "r0tated-number-1"]
    assert files_with(warehouse.home, *KEYS.values(), "r0tated-number", "t0ken-number") == []
    assert redacted("r0tated-number-2") == "***"


def test_one_that_rotates_is_kept_though_the_other_token_is_of_no_use(
    tmp_path: Path, vendor: SigningVendor, keyring: FakeKeyring
) -> None:
    """The old one is void by then."""
    vendor.gives = said({"access_token": "t0ken number", "refresh_token": "r0tated-number-1"})
    context = signed_in(tmp_path, vendor, refreshing(vendor, rotates=True)).run()
    assert "cannot be sent" in context.errors[0]
    assert keyring.stored[REFRESH] == "r0tated-number-1"


def test_two_who_share_one_that_rotates_use_it_one_after_the_other(
    tmp_path: Path, vendor: SigningVendor, keyring: FakeKeyring
) -> None:
    """Datasets that want other scopes. Each refresh token is taken once."""
    spent: set[str] = set()

    def gives(request: Request) -> Response:
        refresh = form_of(request)["refresh_token"]
        if refresh in spent or refresh != keyring.stored[REFRESH]:
            return told({"error": "invalid_grant"}, status=400)
        spent.add(refresh)
        return vendor.fresh(request, refresh_token=f"r0tated-number-{len(spent)}")

    vendor.gives = gives
    plugins = [
        Declared(entry(dataset=name, silver_table=name, recipe=RestRecipe(
            url=f"{vendor.url}?of={name}", sign_in=refreshing(vendor, rotates=True, scope=name))))
        for name in ("a", "b", "c", "d")
    ]  # fmt: skip
    assert is_fine(Warehouse(tmp_path / "home", *plugins).run())
    assert len(spent) == 4


def test_one_that_rotates_is_refused_where_nobody_keeps_the_new_one(tmp_path: Path, vendor: SigningVendor) -> None:
    context = signed_in(tmp_path, vendor, refreshing(vendor, rotates=True)).run()
    assert (
        f"the key {REFRESH} is replaced by the vendor each time it is used, so it must lie in the keyring"
        in (context.errors[0])
    )
    assert f"keyring set sbf {REFRESH}" in context.errors[0]
    assert (vendor.tokens, vendor.asked) == ([], []), "the old one is not spent"


@pytest.mark.parametrize(("locked_after", "tokens"), [(0, 0), (1, 1)])
def test_a_keyring_that_does_not_keep_it_is_told_before_it_is_used(
    tmp_path: Path, vendor: SigningVendor, keyring: FakeKeyring, locked_after: int, tokens: int
) -> None:
    keyring.locked_after = locked_after
    vendor.gives = lambda request: vendor.fresh(request, refresh_token="r0tated-number-1")
    context = signed_in(tmp_path, vendor, refreshing(vendor, rotates=True)).run()
    assert f"the keyring does not keep the key {REFRESH}" in context.errors[0]
    assert (len(vendor.tokens), vendor.asked) == (tokens, [])


def test_a_new_refresh_token_that_nobody_declared_is_told(
    tmp_path: Path, vendor: SigningVendor, caplog: pytest.LogCaptureFixture
) -> None:
    vendor.gives = lambda request: vendor.fresh(request, refresh_token="r0tated-number-1")
    with caplog.at_level(logging.WARNING):
        assert is_fine(signed_in(tmp_path, vendor, refreshing(vendor)).run())
    assert f"gives a new refresh token for {REFRESH} each time" in caplog.text
    assert "r0tated" not in caplog.text


def test_a_used_up_refresh_token_says_how_to_go_on(tmp_path: Path, vendor: SigningVendor) -> None:
    vendor.gives = said({"error": "invalid_grant"}, status=400)
    context = signed_in(tmp_path, vendor, refreshing(vendor)).run()
    assert f"get a new refresh token from the vendor, and set {REFRESH}" in context.errors[0]


def in_toml(sign_in: dict[str, Any], url: str = "https://api.example.com/a") -> RestRecipe:
    declared = {
        "domain": "prices", "source": "toml", "dataset": "eod", "silver_table": "px",
        "columns": [{"name": "a", "type": "BIGINT", "key": True}], "recipe": {"url": url, "sign_in": sign_in},
    }  # fmt: skip
    recipe = entry_from_mapping(declared).recipe
    assert isinstance(recipe, RestRecipe)
    return recipe


def test_it_is_declared_in_toml_too() -> None:
    url = "https://auth.example.com/token"
    assert in_toml(
        {"kind": "client_credentials", "token_url": url, "client_id": "A", "client_secret": "B"}
    ).sign_in == (ClientCredentials(token_url=url, client_id="A", client_secret="B"))
    assert in_toml(
        {"kind": "refresh_token", "token_url": url, "client_id": "A", "refresh_token": "B", "rotates": True}
    ).sign_in == RefreshToken(token_url=url, client_id="A", refresh_token="B", rotates=True)
    assert in_toml({"kind": "login", "url": url, "json": {"a": [1]}, "secrets": {"user": "A"}}).sign_in == Login(
        url=url, json={"a": [1]}, secrets={"user": "A"}
    )
    assert in_toml({"kind": "signature", "secret": "B", "headers": {"sign": "{signature}"}}).sign_in == Signature(
        secret="B", headers={"sign": "{signature}"}
    )
    with pytest.raises(UsageError, match="sign_in 'oauth1' is not known"):
        in_toml({"kind": "oauth1"})


TOKEN = "https://auth.example.com/token"
SIGNED: dict[str, Any] = {"secret": "S", "headers": {"x": "{signature}"}}
WRONG: dict[str, tuple[Callable[[], object], str]] = {
    "http": (lambda: ClientCredentials(token_url="http://a.example/", client_id="A", client_secret="B"), "no https"),
    "no address": (lambda: ClientCredentials(token_url="https://[", client_id="A", client_secret="B"), "no https"),
    "a key in the address": (
        lambda: ClientCredentials(token_url="https://u:p@a.example/", client_id="A", client_secret="B"), "no https"
    ),
    "a placeholder": (lambda: Login(url="https://a.example/{ticker}", json={}, secrets={"a": "A"}), "no https"),
    "no names": (lambda: ClientCredentials(token_url=TOKEN, client_id="", client_secret=""), "names of keys"),
    "another place": (
        lambda: ClientCredentials(token_url=TOKEN, client_id="A", client_secret="B", client_in="query"), "client_in"
    ),
    "a header that is none": (
        lambda: ClientCredentials(token_url=TOKEN, client_id="A", client_secret="B", header="a b"), "header 'a b'"
    ),
    "a scheme that is none": (
        lambda: ClientCredentials(token_url=TOKEN, client_id="A", client_secret="B", scheme="a\nb"), "is none"
    ),
    "no text": (
        lambda: ClientCredentials(token_url=TOKEN, client_id="A", client_secret="B", extra={"a": 1}),  # type: ignore[dict-item]
        "no text",
    ),
    "no refresh token": (lambda: RefreshToken(token_url=TOKEN, refresh_token="", client_id="A"), "names of keys"),
    "two bodies": (lambda: Login(url=TOKEN, json={}, form={}, secrets={"a": "A"}), "json or form"),
    "no keys": (lambda: Login(url=TOKEN, json={}, secrets={}), "needs keys"),
    "keys in a list": (lambda: Login(url=TOKEN, json=[], secrets={"a": "A"}), "no object that could hold"),
    "a filled login": (lambda: Login(url=TOKEN, json={"a": "{ticker}"}, secrets={"a": "A"}), "no placeholders"),
    "a form of numbers": (
        lambda: Login(url=TOKEN, form={"a": 1}, secrets={"a": "A"}), "no text"  # type: ignore[dict-item]
    ),
    "nowhere": (lambda: RestRecipe(url="https://[", sign_in=Signature(**SIGNED)), "wants an https address"),
    "less than no time": (lambda: Login(url=TOKEN, json={}, secrets={"a": "A"}, lives_seconds=-1), "negative"),
    "no way": (lambda: RestRecipe(url="https://a.example/", sign_in="oauth"), "no way to sign in"),  # type: ignore[arg-type]
    "rows over http": (
        lambda: RestRecipe(url="http://a.example/", sign_in=Signature(**SIGNED)), "wants an https address"
    ),
    "any host": (
        lambda: RestRecipe(url="https://{ticker}.example/", sign_in=Signature(**SIGNED)), "host has no placeholder"
    ),
    "fields of nothing": (
        lambda: RestRecipe(url="https://a.example/", sign_in=Signature(**SIGNED, fields={"nonce": "{nonce}"})),
        "no fields in the body",
    ),
    "digest": (lambda: Signature(**SIGNED, digest="md5"), "digest 'md5' is not known"),
    "no secret": (lambda: Signature(secret="", headers={"x": "{signature}"}), "the key that signs"),
    "signed by nothing": (lambda: Signature(secret="S"), "goes nowhere"),
    "no key": (lambda: Signature(**SIGNED, message="{key}"), "has no name"),
    "a slip": (lambda: Signature(**SIGNED, message="{timestmp}"), "message holds {timestmp}"),
    "braces": (lambda: Signature(**SIGNED, message="{"), "braces"),
    "doubled braces": (lambda: Signature(**SIGNED, message="{{a}}"), "braces"),
    "formatted": (lambda: Signature(**SIGNED, message="{timestamp:>20}"), "braces"),
    "inner without": (lambda: Signature(**SIGNED, message="{inner}"), "message holds {inner}"),
    "signed in the body": (lambda: Signature(**SIGNED, fields={"s": "{signature}"}), "fields holds {signature}"),
}  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_declared_wrong_is_refused_at_once(wrong: str) -> None:
    declare, what = WRONG[wrong]
    with pytest.raises(UsageError) as caught:
        declare()
    assert what in str(caught.value)
    assert caught.value.fix


def test_a_token_in_the_address_of_a_next_page_is_not_recorded(tmp_path: Path, vendor: SigningVendor) -> None:
    def rows(request: Request) -> Response:
        if "page" in request.args:
            return told({"rows": [{**ROWS[0], "symbol": "S02"}]})
        token = request.headers["Authorization"].removeprefix("Bearer ")
        headers = {"Link": f'<{vendor.url}?page=2&access_token={token}>; rel="next"'}
        return told({"rows": ROWS}, **headers)

    vendor.rows = rows
    warehouse = signed_in(tmp_path, vendor, pages=Pages(by="link"), declared={"rows_at": "rows"})
    assert is_fine(warehouse.run())
    assert files_with(warehouse.home, "t0ken-number") == []
    assert addresses(warehouse) == [vendor.url, f"{vendor.url}?page=2&access_token=***"]

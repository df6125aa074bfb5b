"""Logins whose token comes in a cookie or a header, and goes along as a cookie or a parameter."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
import stamina
from pytest_httpserver import HTTPServer
from signing_vendor import ROWS, SigningVendor, files_with, is_fine, told, warehouse_of
from warehouse import Warehouse, entry
from werkzeug import Request, Response

from sbf_core.api import Login, RestRecipe, RunRequest, UsageError
from sbf_core.clock import FixedClock
from sbf_core.http.live import LiveSession
from sbf_core.http.redirects import Hop
from sbf_core.http.tokens import with_token
from sbf_core.http.vendor_session import VendorSession

SESSION = "s3ssion-number-one"
KEYS = {"EXAMPLE_USER": "us3r-of-the-tests", "EXAMPLE_PASSWORD": "passw0rd-of-the-tests"}


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> Any:
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    with stamina.set_testing(True, attempts=2, cap=True):
        yield


@pytest.fixture
def vendor(httpserver: HTTPServer) -> SigningVendor:
    return SigningVendor(httpserver)


def signed_in(tmp_path: Path, vendor: SigningVendor, declared: Login) -> Warehouse:
    return warehouse_of(tmp_path / "home", vendor.url, sign_in=declared)


def login(vendor: SigningVendor, **more: Any) -> Login:
    secrets = {"user": "EXAMPLE_USER", "password": "EXAMPLE_PASSWORD"}
    return Login(url=vendor.token_url, form={}, secrets=secrets, **more)


def sets(*cookies: str, status: int = 200, **headers: str) -> Any:
    def answer(request: Request) -> Response:
        del request
        response = Response("<p>welcome</p>", status=status, content_type="text/html", headers=headers)
        for one in cookies:
            response.headers.add("Set-Cookie", one)
        return response

    return answer


def guarded(vendor: SigningVendor, **wanted: str) -> None:
    """Rows are for those who send what is wanted."""

    def rows(request: Request) -> Response:
        sent = {**request.headers, **{f"?{name}": value for name, value in request.args.items()}}
        return told(ROWS, status=200 if all(sent.get(name) == value for name, value in wanted.items()) else 401)

    vendor.rows = rows


@pytest.mark.parametrize("status", [200, 302])
def test_a_cookie_is_the_session(tmp_path: Path, vendor: SigningVendor, status: int) -> None:
    """A vendor who leads to a page after the login has signed us in all the same; nobody goes there."""
    guarded(vendor, Cookie=f"SID={SESSION}")
    where = {"Location": "/welcome"} if status == 302 else {}
    vendor.gives = sets("theme=dark; Path=/", f"SID={SESSION}; Path=/; HttpOnly", status=status, **where)
    warehouse = signed_in(tmp_path, vendor, login(vendor, given_in="cookie", token_at="SID"))
    assert is_fine(warehouse.run())
    assert files_with(warehouse.home, *KEYS.values(), SESSION) == []


def test_a_header_of_the_answer_holds_the_token(tmp_path: Path, vendor: SigningVendor) -> None:
    guarded(vendor, Authorization=f"Bearer {SESSION}")
    vendor.gives = sets(**{"X-Auth-Token": SESSION})
    warehouse = signed_in(tmp_path, vendor, login(vendor, given_in="header", token_at="x-auth-token"))
    assert is_fine(warehouse.run())
    assert files_with(warehouse.home, SESSION) == []


def test_a_token_goes_as_a_parameter_that_nobody_records(tmp_path: Path, vendor: SigningVendor) -> None:
    guarded(vendor, **{"?token": SESSION})
    vendor.gives = lambda request: told({"token": SESSION})
    warehouse = signed_in(tmp_path, vendor, login(vendor, parameter="token"))
    assert is_fine(warehouse.run())
    assert warehouse.ask("SELECT address FROM ops.bronze_manifest") == [(vendor.url,)]
    assert files_with(warehouse.home, SESSION) == []


@pytest.mark.parametrize(
    ("given", "life", "logins"),
    [
        (f"SID={SESSION}", 0, 1),
        (f"SID={SESSION}; Max-Age=3600", 0, 2),
        (f"SID={SESSION}; Expires=Tue, 02 Jan 2024 13:00:00 GMT", 0, 2),
        (f"SID={SESSION}; Max-Age=36000; Expires=Tue, 02 Jan 2024 13:00:00 GMT", 0, 1),
        (f"SID={SESSION}; Max-Age=3600", 864_000, 1),
        (f"SID={SESSION}; Expires=some day", 0, 1),
    ],
)
def test_a_session_lives_as_long_as_its_cookie(
    vendor: SigningVendor, tmp_path: Path, given: str, life: float, logins: int
) -> None:
    """Two requests, the second one two hours later in the same session of sbf."""
    clock = FixedClock(dt.datetime(2024, 1, 2, 12, tzinfo=dt.UTC))
    vendor.gives = sets(given)
    declared = login(vendor, given_in="cookie", token_at="SID", lives_seconds=life)
    live = LiveSession(clock, files=tmp_path)
    session = VendorSession(live, entry(recipe=RestRecipe(url=vendor.url, sign_in=declared)))
    request = RunRequest(run_id="r", domain="prices", source="fake", dataset="eod")
    for number in range(2):
        result = live.loop.result(session.ask(request, f"{vendor.url}?n={number}"))
        assert result.error is None
        clock.advance(hours=2)
    live.close()
    assert len(vendor.tokens) == logins


def test_a_session_that_ended_is_begun_anew(tmp_path: Path, vendor: SigningVendor) -> None:
    given = iter(["s3ssion-number-one", "s3ssion-number-two"])
    vendor.gives = lambda request: sets(f"SID={next(given)}")(request)
    guarded(vendor, Cookie="SID=s3ssion-number-two")
    warehouse = signed_in(tmp_path, vendor, login(vendor, given_in="cookie", token_at="SID"))
    assert is_fine(warehouse.run())
    assert len(vendor.tokens) == 2


@pytest.mark.parametrize(
    ("gives", "what"),
    [
        (sets("theme=dark"), "an answer without the cookie SID"),
        (sets(status=302, Location="/login"), "it redirects"),
        (sets("SID=; Max-Age=0"), "an answer without the cookie SID"),
        (sets("SID=a b"), "cannot be sent"),
        (sets(f"SID={SESSION}", status=403), "gives no token"),
    ],
)
def test_an_answer_without_the_session_is_a_failure(
    tmp_path: Path, vendor: SigningVendor, gives: Any, what: str
) -> None:
    vendor.gives = gives
    context = signed_in(tmp_path, vendor, login(vendor, given_in="cookie", token_at="SID")).run()
    assert what in context.errors[0]
    assert vendor.asked == []


def test_cookies_of_the_recipe_stay(vendor: SigningVendor) -> None:
    declared = login(vendor, given_in="cookie", token_at="SID")
    hop = Hop(url="https://a.example/x", headers={"cookie": "lang=en; SID=old"})
    sent = with_token(hop, declared, SESSION)
    assert sent.headers["cookie"] == f"lang=en; SID={SESSION}"
    assert "cookie" in sent.secret_headers
    assert with_token(sent, declared, SESSION) == sent


@pytest.mark.parametrize(
    ("more", "what"),
    [
        ({"given_in": "page"}, "is not known"),
        ({"given_in": "cookie", "token_at": "a b"}, "no name of a cookie"),
        ({"given_in": "cookie", "header": "x-auth"}, "goes one way"),
        ({"given_in": "cookie", "parameter": "token"}, "of no cookie"),
        ({"parameter": "to ken"}, "no parameter"),
        ({"parameter": "token", "scheme": ""}, "goes one way"),
    ],
)
def test_what_cannot_be_declared(more: dict[str, Any], what: str) -> None:
    with pytest.raises(UsageError) as told_of:
        Login(url="https://a.example/login", form={}, secrets={"user": "A"}, **more)
    assert what in f"{told_of.value.what} {told_of.value.fix}"

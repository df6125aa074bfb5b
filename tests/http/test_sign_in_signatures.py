"""Signed requests, as several exchanges want them: each is verified by a vendor on a socket, by hand."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
import stamina
from pytest_httpserver import HTTPServer
from signing_vendor import ROWS, SigningVendor, addresses, files_with, is_fine, told, warehouse_of
from warehouse import START, Warehouse, entry
from werkzeug import Request, Response

from sbf_core.api import DataRules, DatasetKeymapEntry, FailureKind, Pages, RestRecipe, Signature, hookimpl
from sbf_core.http.redirects import Hop
from sbf_core.http.signing import signed_hop
from sbf_core.runner.options import RunOptions

KEY, SECRET = "SIGN_TEST_KEY", "SIGN_TEST_SECRET"
KEY_VALUE = "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A"
SECRETS = {
    "text": "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j",
    "base64": "kQH5HW/8p1uGOVjbgWA7FunAmGO8lsSUXNsu3eow76sz84Q18fWxnyRzBHCd3pd5nE9qa99HAZtuZuj6F1huXg==",
    "hex": "00ff10a7c3d9e8b1f0",
}
ERRORS = DataRules(error_fields=("msg",))
MILLISECONDS = str(int(START.timestamp() * 1000))
ISO = "2024-01-02T12:00:00.000Z"

BINANCE = Signature(
    key=KEY, secret=SECRET, message="{query}{body}", headers={"X-MBX-APIKEY": "{key}"},
    parameters={"timestamp": "{timestamp}", "signature": "{signature}"},
)  # fmt: skip
OKX = Signature(
    key=KEY, secret=SECRET, message="{timestamp}{method}{target}{body}", encoding="base64", timestamp="iso",
    headers={"OK-ACCESS-KEY": "{key}", "OK-ACCESS-SIGN": "{signature}", "OK-ACCESS-TIMESTAMP": "{timestamp}"},
)  # fmt: skip
COINBASE = Signature(
    key=KEY, secret=SECRET, secret_encoding="base64", encoding="base64", timestamp="s",
    headers={"CB-ACCESS-KEY": "{key}", "CB-ACCESS-SIGN": "{signature}", "CB-ACCESS-TIMESTAMP": "{timestamp}"},
)  # fmt: skip
BYBIT = Signature(
    key=KEY, secret=SECRET, message="{timestamp}{key}5000{query}{body}",
    headers={
        "X-BAPI-API-KEY": "{key}", "X-BAPI-TIMESTAMP": "{timestamp}", "X-BAPI-RECV-WINDOW": "5000",
        "X-BAPI-SIGN": "{signature}",
    },
)  # fmt: skip
KRAKEN = Signature(
    key=KEY, secret=SECRET, secret_encoding="base64", message="{path}{inner}", inner="{nonce}{body}", digest="sha512",
    encoding="base64", fields={"nonce": "{nonce}"}, headers={"API-Key": "{key}", "API-Sign": "{signature}"},
)  # fmt: skip
GATE = Signature(
    key=KEY, secret=SECRET, message="{method}\n{path}\n{query}\n{inner_hex}\n{timestamp}", inner="{body}",
    inner_digest="sha512", digest="sha512", timestamp="s",
    headers={"KEY": "{key}", "Timestamp": "{timestamp}", "SIGN": "{signature}"},
)  # fmt: skip
HEX = Signature(
    secret=SECRET, secret_encoding="hex", message="{host}|{nonce}", digest="sha384",
    parameters={"nonce": "{nonce}", "sig": "{signature}"},
)  # fmt: skip


def test_the_worked_example_of_binance() -> None:
    """SIGNED endpoint examples: as a query string, and as a body."""
    parameters = (
        "symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1&recvWindow=5000&timestamp=1499827319559"
    )
    wanted = "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71"
    assert hmac.new(SECRETS["text"].encode(), parameters.encode(), hashlib.sha256).hexdigest() == wanted
    before = parameters.removesuffix("&timestamp=1499827319559")
    sent = {"key": KEY_VALUE, "timestamp": "1499827319559", "nonce": "1"}
    hop = Hop(url=f"https://api.binance.com/api/v3/order?{before}", headers={})
    signed = signed_hop(hop, BINANCE, sent, SECRETS["text"].encode())
    assert signed.url == f"https://api.binance.com/api/v3/order?{parameters}&signature={wanted}"
    assert signed.headers["x-mbx-apikey"] == KEY_VALUE


def test_the_worked_example_of_kraken() -> None:
    """Of its guide on spot REST authentication; there the nonce stands first in the body."""
    nonce, rest = "1616492376594", "ordertype=limit&pair=XBTUSD&price=37500&type=buy&volume=1.25"
    wanted = "4/dpxb3iT4tp/ZCVEwSnEsLxx0bqyhLpdfOpc6fn7OR8+UClSV5n9E6aSS8MPtnRfp32bAb0nmbRn6H8ndwLUQ=="
    body, secret = f"nonce={nonce}&{rest}".encode(), base64.b64decode(SECRETS["base64"])
    inner = hashlib.sha256(nonce.encode() + body).digest()
    by_hand = hmac.new(secret, b"/0/private/AddOrder" + inner, hashlib.sha512).digest()
    assert base64.b64encode(by_hand).decode() == wanted
    url = "https://api.kraken.com/0/private/AddOrder"
    form = {"content-type": "application/x-www-form-urlencoded"}
    sent = {"key": "k", "timestamp": "1", "nonce": nonce}
    as_given = Signature(
        secret=SECRET, secret_encoding="base64", message="{path}{inner}", inner="{nonce}{body}", digest="sha512",
        encoding="base64", headers={"API-Sign": "{signature}"},
    )  # fmt: skip
    assert signed_hop(Hop(url=url, headers=form, body=body), as_given, sent, secret).headers["api-sign"] == wanted
    added = signed_hop(Hop(url=url, headers=form, body=rest.encode()), KRAKEN, sent, secret)
    assert added.body == f"{rest}&nonce={nonce}".encode()
    inner = hashlib.sha256(nonce.encode() + added.body).digest()
    by_hand = hmac.new(secret, b"/0/private/AddOrder" + inner, hashlib.sha512).digest()
    assert added.headers["api-sign"] == base64.b64encode(by_hand).decode()


def target(request: Request) -> str:
    query = request.query_string.decode()
    return f"{request.path}?{query}" if query else request.path


def mac(secret: bytes, message: str | bytes, digest: str, *, as_hex: bool) -> str:
    made = hmac.new(secret, message if isinstance(message, bytes) else message.encode(), digest)
    return made.hexdigest() if as_hex else base64.b64encode(made.digest()).decode()


def binance(request: Request) -> bool:
    signed, _, signature = request.query_string.decode().rpartition("&signature=")
    is_dated = dict(parse_qsl(signed))["timestamp"] == MILLISECONDS
    message = signed + request.get_data().decode()
    is_signed = signature == mac(SECRETS["text"].encode(), message, "sha256", as_hex=True)
    return is_dated and is_signed and request.headers["X-MBX-APIKEY"] == KEY_VALUE


def okx(request: Request) -> bool:
    message = ISO + request.method + target(request) + request.get_data().decode()
    wanted = mac(SECRETS["text"].encode(), message, "sha256", as_hex=False)
    return (request.headers["OK-ACCESS-SIGN"], request.headers["OK-ACCESS-TIMESTAMP"]) == (wanted, ISO)


def coinbase(request: Request) -> bool:
    seconds = MILLISECONDS[:-3]
    message = seconds + request.method + target(request) + request.get_data().decode()
    wanted = mac(base64.b64decode(SECRETS["base64"]), message, "sha256", as_hex=False)
    return (request.headers["CB-ACCESS-SIGN"], request.headers["CB-ACCESS-TIMESTAMP"]) == (wanted, seconds)


def bybit(request: Request) -> bool:
    message = f"{MILLISECONDS}{KEY_VALUE}5000{request.query_string.decode()}{request.get_data().decode()}"
    return request.headers["X-BAPI-SIGN"] == mac(SECRETS["text"].encode(), message, "sha256", as_hex=True)


def kraken(request: Request) -> bool:
    body = request.get_data()
    is_json = request.headers["Content-Type"] == "application/json"
    nonce = json.loads(body)["nonce"] if is_json else dict(parse_qsl(body.decode()))["nonce"]
    message = request.path.encode() + hashlib.sha256(nonce.encode() + body).digest()
    wanted = mac(base64.b64decode(SECRETS["base64"]), message, "sha512", as_hex=False)
    return request.headers["API-Sign"] == wanted


def gate(request: Request) -> bool:
    hashed = hashlib.sha512(request.get_data()).hexdigest()
    seconds = request.headers["Timestamp"]
    message = f"{request.method}\n{request.path}\n{request.query_string.decode()}\n{hashed}\n{seconds}"
    return request.headers["SIGN"] == mac(SECRETS["text"].encode(), message, "sha512", as_hex=True)


def as_hex(request: Request) -> bool:
    fields = dict(parse_qsl(request.query_string.decode()))
    message = f"{request.host}|{fields['nonce']}"
    return fields["sig"] == mac(bytes.fromhex(SECRETS["hex"]), message, "sha384", as_hex=True)


SCHEMES: dict[str, tuple[Signature, Any]] = {
    "binance": (BINANCE, binance), "okx": (OKX, okx), "coinbase": (COINBASE, coinbase), "bybit": (BYBIT, bybit),
    "kraken": (KRAKEN, kraken), "gate": (GATE, gate), "hex": (HEX, as_hex),
}  # fmt: skip
BODIES: dict[str, dict[str, Any]] = {
    "get": {}, "json": {"json": {"symbol": "{ticker}", "é": 1}}, "form": {"form": {"symbol": "{ticker}"}},
}  # fmt: skip


@pytest.fixture
def vendor(httpserver: HTTPServer) -> SigningVendor:
    return SigningVendor(httpserver)


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv(KEY, KEY_VALUE)
    monkeypatch.setenv(SECRET, SECRETS["text"])
    with stamina.set_testing(True, attempts=3, cap=True):
        yield


@pytest.mark.parametrize(
    ("scheme", "body"), [(scheme, body) for scheme in SCHEMES for body in BODIES if (scheme, body) != ("kraken", "get")]
)
def test_a_vendor_accepts_the_signature(
    tmp_path: Path, vendor: SigningVendor, monkeypatch: pytest.MonkeyPatch, scheme: str, body: str
) -> None:
    """Each attempt is signed anew, and nothing of it is kept: neither time nor nonce, signature nor key."""
    sign_in, verify = SCHEMES[scheme]
    monkeypatch.setenv(SECRET, SECRETS[sign_in.secret_encoding])

    def rows(request: Request) -> Response:
        if not verify(request):
            return told({"error": "Signature for this request is not valid."}, status=401)
        return told(ROWS, status=503 if len(vendor.asked) == 1 else 200)

    vendor.rows = rows
    url = f"{vendor.url}?s={{ticker}}&note=a%20b%2Fc"
    warehouse = warehouse_of(
        tmp_path / "home", url, sign_in=sign_in, **BODIES[body],
        declared={"scope": "per_ticker", "on_duplicate": "last"},
    )  # fmt: skip
    assert is_fine(warehouse.run(universe__tickers=("A&B",)))
    assert len(vendor.asked) == 2
    text = {"get": "", "json": ' {"symbol":"A&B","é":1}', "form": " symbol=A%26B"}[body]
    recorded = f"{'POST ' if text else ''}{vendor.url}?s=A%26B&note=a%20b%2Fc{text}"
    assert addresses(warehouse) == [recorded]
    assert files_with(warehouse.home, SECRETS[sign_in.secret_encoding], KEY_VALUE, MILLISECONDS) == []
    for name in (KEY, SECRET):
        monkeypatch.delenv(name)
    again = warehouse_of(
        tmp_path / "again", url, sign_in=sign_in, **BODIES[body],
        declared={"scope": "per_ticker", "on_duplicate": "last"},
    )  # fmt: skip
    replay = RunOptions(replay=str(tmp_path / "home"))
    assert is_fine(again.run(options=replay, universe__tickers=("A&B",)))
    assert (addresses(again), len(vendor.asked)) == ([recorded], 2)


def test_two_requests_have_two_nonces(tmp_path: Path, vendor: SigningVendor) -> None:
    sign_in = Signature(secret=SECRET, headers={"nonce": "{nonce}", "sign": "{signature}"}, message="{nonce}")
    warehouse = warehouse_of(
        tmp_path / "home", vendor.url, sign_in=sign_in, declared={"scope": "per_ticker", "on_duplicate": "last"}
    )
    assert is_fine(warehouse.run(universe__tickers=tuple("ABCDE")))
    nonces = sorted(int(request.headers["nonce"]) for request in vendor.asked)
    assert nonces == [int(MILLISECONDS) + number for number in range(5)]


def test_datasets_that_sign_otherwise_share_the_nonces_of_their_key(tmp_path: Path, vendor: SigningVendor) -> None:
    """The vendor counts them by key, whatever is signed."""

    class Exchange:
        @hookimpl
        def datasets(self) -> list[DatasetKeymapEntry]:
            signed = [
                Signature(secret=SECRET, headers={"nonce": "{nonce}", "sign": "{signature}"}, message=message)
                for message in ("{nonce}", "{nonce}{path}")
            ]
            return [
                entry(
                    dataset=f"eod{number}", silver_table=f"px{number}", recipe=RestRecipe(url=vendor.url, sign_in=each)
                )
                for number, each in enumerate(signed)
            ]

    assert is_fine(Warehouse(tmp_path / "home", Exchange()).run())
    assert sorted(int(request.headers["nonce"]) for request in vendor.asked) == [
        int(MILLISECONDS), int(MILLISECONDS) + 1
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("status", "date", "says"),
    [
        (400, "Tue, 02 Jan 2024 12:01:30 GMT", "the clock of this machine is 90 s behind the vendor's: set it"),
        (401, "Tue, 02 Jan 2024 11:59:00 GMT", "the clock of this machine is 60 s ahead of the vendor's: set it"),
        (200, "Tue, 02 Jan 2024 12:01:30 GMT", "the clock of this machine is 90 s behind the vendor's: set it"),
        (400, "Tue, 02 Jan 2024 12:00:00 GMT", "is the clock of this machine right?"),
        (400, "now", "is the clock of this machine right?"),
    ],
)
def test_a_vendor_that_finds_the_time_wrong_is_understood(
    tmp_path: Path, vendor: SigningVendor, status: int, date: str, says: str
) -> None:
    note = {"code": -1021, "msg": "Timestamp for this request is outside of the recvWindow."}
    vendor.rows = lambda request: told(note, status=status, Date=date)
    warehouse = warehouse_of(tmp_path / "home", vendor.url, sign_in=BINANCE, declared={"is_data": ERRORS})
    (failure,) = warehouse.run().failures
    assert says in failure.what


def test_other_refusals_say_nothing_of_time(tmp_path: Path, vendor: SigningVendor) -> None:
    vendor.rows = lambda request: told({"msg": "no such symbol"}, status=400, Date="Tue, 02 Jan 2024 12:01:30 GMT")
    context = warehouse_of(tmp_path / "home", vendor.url, sign_in=BINANCE).run()
    assert "clock" not in context.errors[0]


def test_a_next_page_is_recorded_without_what_signed_the_one_before(tmp_path: Path, vendor: SigningVendor) -> None:
    """Vendors build the next address of the one that they were asked for."""

    def rows(request: Request) -> Response:
        if not binance(request):
            return told({}, status=401)
        if "page" in request.args:
            return told({"rows": [{**ROWS[0], "symbol": "S02"}]})
        return told({"rows": ROWS, "next": f"{request.url}&page=2"})

    vendor.rows = rows
    warehouse = warehouse_of(
        tmp_path / "home", f"{vendor.url}?s=1", sign_in=BINANCE, pages=Pages(by="next_url", next_at="next"),
        declared={"rows_at": "rows"},
    )  # fmt: skip
    assert is_fine(warehouse.run())
    assert addresses(warehouse) == [f"{vendor.url}?s=1", f"{vendor.url}?s=1&page=2"]


def test_a_refused_signature_names_its_keys_and_is_not_made_again(tmp_path: Path, vendor: SigningVendor) -> None:
    vendor.rows = lambda request: told({"msg": "no"}, status=401)
    context = warehouse_of(tmp_path / "home", vendor.url, sign_in=BINANCE).run()
    assert context.failures[0].what == f"HTTP 401: the vendor does not accept the key {KEY}, {SECRET}"
    assert len(vendor.asked) == 1


@pytest.mark.parametrize("encoding", ["base64", "hex"])
def test_a_secret_that_is_not_written_as_declared_is_told(
    tmp_path: Path, vendor: SigningVendor, monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    monkeypatch.setenv(SECRET, "n0t-so-written")
    sign_in = Signature(secret=SECRET, secret_encoding=encoding, headers={"sign": "{signature}"})
    (failure,) = warehouse_of(tmp_path / "home", vendor.url, sign_in=sign_in).run().failures
    assert failure.kind is FailureKind.DECLARATION
    assert f"the key {SECRET} is not written in {encoding}" in failure.what
    assert vendor.asked == []


def test_a_redirect_is_not_signed(tmp_path: Path, vendor: SigningVendor) -> None:
    moved: list[Request] = []

    def handle(request: Request) -> Response:
        moved.append(request)
        return told(ROWS)

    vendor.server.expect_request("/moved").respond_with_handler(handle)
    vendor.rows = lambda request: Response(status=307, headers={"Location": "/moved"})
    assert is_fine(warehouse_of(tmp_path / "home", vendor.url, sign_in=OKX).run())
    assert not any(name.startswith("Ok-Access") for name in moved[0].headers.keys())  # noqa: SIM118


def test_a_recipe_may_send_further_keys_beside(
    tmp_path: Path, vendor: SigningVendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the passphrase of OKX."""
    monkeypatch.setenv("SIGN_TEST_PHRASE", "0pen-sesame")
    phrase = {"OK-ACCESS-PASSPHRASE": "SIGN_TEST_PHRASE"}
    warehouse = warehouse_of(tmp_path / "home", vendor.url, sign_in=OKX, secret_headers=phrase)
    assert is_fine(warehouse.run())
    assert vendor.asked[0].headers["OK-ACCESS-PASSPHRASE"] == "0pen-sesame"
    assert okx(vendor.asked[0])
    assert warehouse.opened().entries[0].key_names == ("SIGN_TEST_PHRASE", KEY, SECRET)

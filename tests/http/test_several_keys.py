"""Several keys of one vendor: used in turn, each with its own limits; one that is used up or refused is left out."""

from __future__ import annotations

import base64
import logging
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import stamina
from pytest_httpserver import HTTPServer
from signing_vendor import ROWS, SigningVendor, addresses, files_with, is_fine, told, warehouse_of
from warehouse import FakeVendor, Warehouse, entry
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
from sbf_core.dataset.from_toml import entry_from_mapping
from sbf_core.runner.configured_datasets import configured
from sbf_core.runner.options import RunOptions

NAMES = ("TURN_KEY", "TURN_KEY_2", "TURN_KEY_3")
KEYS = {name: f"turn-k3y-number-{number}" for number, name in enumerate(NAMES, start=1)}
FURTHER = tuple({NAMES[0]: name} for name in NAMES[1:])
DECLARED = {"scope": "per_ticker", "on_duplicate": "last"}


@pytest.fixture
def vendor(httpserver: HTTPServer) -> SigningVendor:
    return SigningVendor(httpserver)


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> Any:
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    with stamina.set_testing(True, attempts=2, cap=True):
        yield


def in_turn(home: Path, vendor: SigningVendor, **recipe: Any) -> Warehouse:
    usual = {"secrets": {"apikey": NAMES[0]}, "further_keys": FURTHER, "connections": 1, "declared": DECLARED}
    return warehouse_of(home, vendor.url, **{**usual, **recipe})


def tickers(number: int) -> dict[str, Any]:
    return {"universe__tickers": tuple(f"T{each:02}" for each in range(number))}


def keys_of(vendor: SigningVendor) -> Counter[str]:
    return Counter(request.args["apikey"][-1] for request in vendor.asked)


def only(key: str, otherwise: Callable[[], Response]) -> Callable[[Request], Response]:
    """One key is answered otherwise."""
    return lambda request: otherwise() if request.args["apikey"] == KEYS[key] else told(ROWS)


def test_keys_are_used_in_turn_and_written_nowhere(tmp_path: Path, vendor: SigningVendor) -> None:
    warehouse = in_turn(tmp_path / "home", vendor)
    assert warehouse.opened().entries[0].key_names == NAMES
    assert is_fine(warehouse.run(**tickers(6)))
    assert keys_of(vendor) == {"1": 2, "2": 2, "3": 2}
    assert set(addresses(warehouse)) == {vendor.url}
    assert files_with(warehouse.home, *KEYS.values()) == []


def test_limits_hold_for_each_key_alone(
    tmp_path: Path, vendor: SigningVendor, caplog: pytest.LogCaptureFixture
) -> None:
    warehouse = in_turn(tmp_path / "home", vendor, limits=("2/day",))
    context = warehouse.run(**tickers(8))
    assert keys_of(vendor) == {"1": 2, "2": 2, "3": 2}
    assert context.deferred_requests == 2
    told_by = [record.message for record in caplog.records if record.levelno == logging.WARNING]
    assert [message for message in told_by if NAMES[1] in message] == [
        f"The limits of the key {NAMES[1]} are used up; the others are used."
    ]
    assert warehouse.run(hours_later=24, **tickers(8)).deferred_requests == 8, "they are kept over runs"
    assert len(vendor.asked) == 6


def test_a_further_key_leaves_what_was_counted_with_the_first(tmp_path: Path, vendor: SigningVendor) -> None:
    alone = in_turn(tmp_path / "home", vendor, limits=("2/day",), further_keys=())
    assert is_fine(alone.run(**tickers(2)))
    more = in_turn(tmp_path / "home", vendor, limits=("2/day",), further_keys=FURTHER[:1])
    assert more.run(hours_later=24, **tickers(3)).deferred_requests == 1
    assert keys_of(vendor) == {"1": 2, "2": 2}


@pytest.mark.parametrize(("status", "says"), [(429, "is used up (HTTP 429)"), (401, "is refused (HTTP 401)")])
def test_a_key_that_is_used_up_or_refused_is_left_out_alone(
    tmp_path: Path, vendor: SigningVendor, caplog: pytest.LogCaptureFixture, status: int, says: str
) -> None:
    vendor.rows = only(NAMES[1], lambda: told({"error": "no"}, status=status))
    with caplog.at_level(logging.WARNING):
        assert is_fine(in_turn(tmp_path / "home", vendor).run(**tickers(9)))
    assert keys_of(vendor)["2"] == 1, "nobody waited for it, and it was not asked with again"
    assert [record.message for record in caplog.records if "The key" in record.message] == [
        f"The key {NAMES[1]} {says}; the others of its vendor are used."
    ]
    assert not any(value in caplog.text for value in KEYS.values())


def test_keys_that_are_all_refused_are_a_failure_that_names_them(tmp_path: Path, vendor: SigningVendor) -> None:
    vendor.rows = lambda request: told({"error": "no"}, status=401)
    context = in_turn(tmp_path / "home", vendor).run(**tickers(5))
    assert keys_of(vendor) == {"1": 1, "2": 1, "3": 1}
    assert context.failures[0].what == f"HTTP 401: the vendor does not accept the key {', '.join(NAMES)}"


def test_keys_that_are_all_used_up_wait_for_the_first_that_is_free(tmp_path: Path, vendor: SigningVendor) -> None:
    waits = dict(zip(KEYS.values(), ("7200", "3600", "600"), strict=True))
    vendor.rows = lambda request: told({}, status=429, **{"Retry-After": waits[request.args["apikey"]]})
    context = in_turn(tmp_path / "home", vendor).run(**tickers(4))
    assert keys_of(vendor) == {"1": 1, "2": 1, "3": 1}
    assert context.deferred_requests == 4
    assert "allows the next request in 0:10:00 only" in str(context)


@pytest.mark.parametrize("used_up", [0, 1])
def test_a_key_that_is_only_used_up_is_waited_for_beside_one_that_is_refused(
    tmp_path: Path, vendor: SigningVendor, used_up: int
) -> None:
    """In whatever order they say so; the other is free later."""
    refused, limited = told({}, status=401), told({}, status=429, **{"Retry-After": "600"})
    vendor.rows = lambda request: limited if request.args["apikey"] == KEYS[NAMES[used_up]] else refused
    context = in_turn(tmp_path / "home", vendor, further_keys=FURTHER[:1]).run(**tickers(3))
    assert keys_of(vendor) == {"1": 1, "2": 1}
    assert context.deferred_requests == 3
    assert "allows the next request in 0:10:00 only" in str(context)


@pytest.mark.parametrize("used_up", [0, 1])
def test_a_key_that_is_only_used_up_is_waited_for_beside_one_that_gets_no_token(
    tmp_path: Path, vendor: SigningVendor, used_up: int
) -> None:
    def gives(request: Request) -> Response:
        client = base64.b64decode(request.headers["Authorization"][6:]).decode().partition(":")[0]
        is_right = client == KEYS[NAMES[used_up]]
        return vendor.fresh(request) if is_right else told({"error": "invalid_client"}, status=401)

    vendor.gives = gives
    vendor.rows = lambda request: told({}, status=429, **{"Retry-After": "600"})
    sign_in = ClientCredentials(token_url=vendor.token_url, client_id=NAMES[0], client_secret=NAMES[0])
    warehouse = in_turn(tmp_path / "home", vendor, sign_in=sign_in, secrets={}, further_keys=FURTHER[:1])
    context = warehouse.run(**tickers(3))
    assert (len(vendor.tokens), len(vendor.asked)) == (2, 1)
    assert context.deferred_requests == 3


def test_keys_that_are_not_set_are_left_out(
    tmp_path: Path, vendor: SigningVendor, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delenv(NAMES[0])
    warehouse = in_turn(tmp_path / "home", vendor)
    with caplog.at_level(logging.INFO):
        assert is_fine(warehouse.run(**tickers(4)))
    assert keys_of(vendor) == {"2": 2, "3": 2}
    assert caplog.text.count(f"The key {NAMES[0]} is not set; the others of its vendor are used.") == 1
    home = warehouse.opened()
    assert configured(list(home.registry.datasets.values()), home.keys)[1] == []
    for name in NAMES[1:]:
        monkeypatch.delenv(name)
    assert configured(list(home.registry.datasets.values()), home.keys)[1] == [
        f"left out, because their keys are not set: fake ({NAMES[0]})"
    ]
    context = warehouse.run(hours_later=24, options=RunOptions(plugins=("fake",)), **tickers(1))
    assert context.failures[0].kind is FailureKind.DECLARATION
    assert f"the key {NAMES[0]} is not set" in context.failures[0].what


def test_keys_that_belong_together_stay_together(
    tmp_path: Path, vendor: SigningVendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TURN_USER", "us3r-one")
    monkeypatch.setenv("TURN_USER_2", "us3r-two")
    further = ({NAMES[0]: NAMES[1], "TURN_USER": "TURN_USER_2"},)
    warehouse = in_turn(tmp_path / "home", vendor, secret_headers={"x-user": "TURN_USER"}, further_keys=further)
    assert is_fine(warehouse.run(**tickers(4)))
    pairs = Counter((request.args["apikey"][-1], request.headers["X-User"]) for request in vendor.asked)
    assert pairs == {("1", "us3r-one"): 2, ("2", "us3r-two"): 2}


def test_each_account_signs_in_by_itself(tmp_path: Path, vendor: SigningVendor) -> None:
    sign_in = ClientCredentials(token_url=vendor.token_url, client_id=NAMES[0], client_secret=NAMES[2])
    further = ({NAMES[0]: NAMES[1]},)
    warehouse = in_turn(tmp_path / "home", vendor, secrets={}, sign_in=sign_in, further_keys=further)
    assert is_fine(warehouse.run(**tickers(6)))
    clients = {base64.b64decode(token.headers["Authorization"][6:]).decode() for token in vendor.tokens}
    assert clients == {f"{KEYS[name]}:{KEYS[NAMES[2]]}" for name in NAMES[:2]}
    assert len(vendor.tokens) == 2
    used = Counter(request.headers["Authorization"] for request in vendor.asked)
    assert sorted(used.values()) == [3, 3]
    assert warehouse.opened().entries[0].key_names == (NAMES[0], NAMES[2], NAMES[1])


def test_an_account_that_gets_no_token_is_left_out_alone(
    tmp_path: Path, vendor: SigningVendor, caplog: pytest.LogCaptureFixture
) -> None:
    def gives(request: Request) -> Response:
        is_second = KEYS[NAMES[1]] in request.get_data().decode()
        return told({"error": "invalid_client"}, status=401) if is_second else vendor.fresh(request)

    vendor.gives = gives
    sign_in = ClientCredentials(
        token_url=vendor.token_url, client_id=NAMES[0], client_secret=NAMES[2], client_in="body"
    )
    further = ({NAMES[0]: NAMES[1]},)
    with caplog.at_level(logging.WARNING):
        warehouse = in_turn(tmp_path / "home", vendor, secrets={}, sign_in=sign_in, further_keys=further)
        assert is_fine(warehouse.run(**tickers(6)))
    assert len(vendor.tokens) == 2
    assert f"The key {NAMES[1]} is not used any more: HTTP 401: localhost" in caplog.text
    assert KEYS[NAMES[1]] not in caplog.text


def test_a_place_that_gets_no_key_uses_up_none(
    tmp_path: Path, vendor: SigningVendor, caplog: pytest.LogCaptureFixture
) -> None:
    """A next page elsewhere, which the vendor chose."""
    with HTTPServer() as elsewhere:
        elsewhere.expect_request("/next").respond_with_json({}, status=401)
        vendor.rows = lambda request: told({"rows": ROWS, "next": elsewhere.url_for("/next")})
        warehouse = in_turn(
            tmp_path / "home", vendor, pages=Pages(by="next_url", next_at="next"), redirect_hosts=("localhost",),
            declared={**DECLARED, "rows_at": "rows"},
        )  # fmt: skip
        context = warehouse.run(**tickers(1))
    assert "HTTP 401: the vendor wants a key" in context.errors[0]
    assert (len(elsewhere.log), "is refused" in caplog.text) == (1, False)


def test_a_body_and_each_way_to_sign_in_take_other_keys(tmp_path: Path, vendor: SigningVendor) -> None:
    assert is_fine(
        in_turn(tmp_path / "home", vendor, secrets={}, json={"q": 1}, secret_body={"key": NAMES[0]}).run(**tickers(3))
    )
    assert sorted(request.get_data().decode()[-3] for request in vendor.asked) == ["1", "2", "3"]
    place = "https://a.example/"
    names = {"A": "A2", "B": "B2"}
    signature = Signature(secret="A", key="B", headers={"x": "{key}{signature}"})
    assert signature.renamed(names).key_names == ("B2", "A2")
    assert Login(url=place, json={}, secrets={"user": "A"}).renamed(names).key_names == ("A2",)
    assert RefreshToken(token_url=place, refresh_token="A", client_id="B").renamed(names).key_names == ("A2", "B2")


class Hooked(FakeVendor):
    """Asks by its own code, with the keys that its recipe declares."""

    url = ""

    @hookimpl
    def fetch(self, entry: DatasetKeymapEntry, request: RunRequest, http: FetchSession) -> Sequence[RunResult]:  # type: ignore[override]
        return [http.get(request, f"{self.url}?n={number}", secrets={"apikey": NAMES[0]}) for number in range(3)]


def test_a_hook_uses_them_in_turn_too(tmp_path: Path, vendor: SigningVendor) -> None:
    recipe = RestRecipe(url=vendor.url, secrets={"apikey": NAMES[0]}, further_keys=FURTHER)
    plugin = Hooked(entry(recipe=recipe, on_duplicate="last"))
    plugin.url = vendor.url
    numbers = iter(range(9))
    vendor.rows = lambda request: told([{**ROWS[0], "symbol": f"S{next(numbers)}"}])
    assert is_fine(Warehouse(tmp_path / "home", plugin).run())
    assert keys_of(vendor) == {"1": 1, "2": 1, "3": 1}


def test_they_are_declared_in_toml_too() -> None:
    recipe = {"url": "https://a.example/", "secrets": {"apikey": "A"}, "further_keys": [{"A": "B"}]}
    declared = {
        "domain": "prices", "source": "toml", "dataset": "eod", "silver_table": "px",
        "columns": [{"name": "a", "type": "BIGINT", "key": True}], "recipe": recipe,
    }  # fmt: skip
    assert entry_from_mapping(declared).key_sets == (("A",), ("B",))


@pytest.mark.parametrize(
    "further", [({"B": "C"},), ("A",), ({"A": "A"},), ({"A": "B"}, {"A": "B"}), ({"A": "B C"},), ({"A": ""},), ({},)]
)
def test_what_is_declared_wrong_is_refused_at_once(further: tuple[dict[str, str], ...]) -> None:
    with pytest.raises(UsageError, match=r"further_keys(: .*)? is no (other name for a key of it|list of names)"):
        RestRecipe(url="https://a.example/", secrets={"apikey": "A"}, further_keys=further)

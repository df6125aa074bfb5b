"""Bodies that say exactly what is meant: typed placeholders, cursors that are lists or objects, keys in XML."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from posting_vendor import Vendor, addresses, digests, is_fine, symbols, told, warehouse_of
from pytest_httpserver import HTTPServer
from warehouse import Warehouse, price
from werkzeug import Request, Response

from sbf_core.api import Cursor, DataRules, Pages, PayloadRefused, RequestBody, RestRecipe, RunRequest, UsageError
from sbf_core.care.verify import Verification
from sbf_core.http.questions import filled_body
from sbf_core.payload.token import token_of
from sbf_core.runner.options import RunOptions

NAME, KEY = "XML_TEST_KEY", """k3y<&>"that'nobody-may-see"""
ROWS = [price(f"S{number:02}", "2024-01-01") for number in range(3)]


@pytest.fixture
def vendor(httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> Vendor:
    monkeypatch.setenv(NAME, KEY)
    return Vendor(httpserver)


def sent_for(ticker: str, template: Any, **recipe: Any) -> str:
    request = RunRequest(
        run_id="r", domain="d", source="s", dataset="e", ticker=ticker,
        from_date=dt.date(2024, 1, 2), to_date=dt.date(2024, 1, 3),
    )  # fmt: skip
    return filled_body(RestRecipe(url="https://example.com/", json=template, **recipe), request).text


@pytest.mark.parametrize(
    ("ticker", "template", "sent"),
    [
        ("41690973", {"vectorId": "{ticker:number}", "latestN": 5}, '{"vectorId":41690973,"latestN":5}'),
        ("1.50", ["{ticker:number}", "{ticker}"], '[1.50,"1.50"]'),
        ("-0", "{ticker:number}", "-0"),
        ("12345678901234567890.00", {"a": 0.1, "b": "{ticker:number}"}, '{"a":0.1,"b":12345678901234567890.00}'),
        ("true", {"a": "{ticker:boolean}", "b": "{ticker}"}, '{"a":true,"b":"true"}'),
        ('["a", 1.0]', {"a": "{ticker:json}"}, '{"a":["a", 1.0]}'),
        ("null", {"a": "{ticker:json}"}, '{"a":null}'),
    ],
)
def test_a_typed_placeholder_is_of_its_type(ticker: str, template: Any, sent: str) -> None:
    assert sent_for(ticker, template) == sent


def test_moments_and_years_are_numbers_where_that_is_said() -> None:
    template = {"from": "{from_date:number}", "year": "{year:number}", "text": "{year}"}
    assert sent_for("A", template, date_format="ms") == '{"from":1704153600000,"year":2024,"text":"2024"}'


@pytest.mark.parametrize(
    ("ticker", "kind"),
    [("01", "number"), ("1,5", "number"), ("1 ", "number"), ("٣", "number"), ("", "number"), ("NaN", "number"),
     ("+1", "number"), ("True", "boolean"), ("1", "boolean"), ("{", "json"), ("", "json"), ("a", "json")],
)  # fmt: skip
def test_what_is_of_another_type_is_not_sent(ticker: str, kind: str) -> None:
    with pytest.raises(UsageError, match=rf"is no .*, which \{{ticker:{kind}\}} in the body wants"):
        sent_for(ticker, {"a": f"{{ticker:{kind}}}"})


def test_a_value_that_cannot_be_sent_fails_alone_and_by_name(tmp_path: Path, vendor: Vendor) -> None:
    vendor.answer = lambda request: told(ROWS[:1])
    warehouse = warehouse_of(
        tmp_path / "home", vendor, json={"id": "{ticker:number}"}, declared={"scope": "per_ticker"}
    )
    (error,) = warehouse.run(universe__tickers=("12", "B")).errors
    assert "'B' is no number" in error
    assert vendor.bodies == [{"id": 12}]


def test_numbers_in_a_list_stand_once_for_each_ticker(tmp_path: Path, vendor: Vendor) -> None:
    vendor.answer = lambda request: told(ROWS[:2])
    warehouse = warehouse_of(
        tmp_path / "home", vendor, json=[{"vectorId": "{ticker:number}"}], tickers_per_request=9,
        declared={"scope": "per_ticker"},
    )  # fmt: skip
    assert is_fine(warehouse.run(universe__tickers=("12", "7")))
    assert [one.get_data() for one in vendor.asked] == [b'[{"vectorId":12},{"vectorId":7}]']


@pytest.mark.parametrize(
    ("recipe", "told"),
    [
        ({"json": {"a": "no {ticker:number}"}}, r"\{ticker:number\}; .*; a type belongs to a value of json"),
        ({"json": {"{ticker:number}": 1}}, r"\{ticker:number\}; .*; a type belongs"),
        ({"form": {"a": "{ticker:number}"}}, r"\{ticker:number\}; .*; a type belongs"),
        ({"body": "<a>{ticker:number}</a>", "content_type": "text/xml"}, r"\{ticker:number\}; .*; a type belongs"),
        ({"json": {"a": "{tikcer:number}"}}, r"holds \{tikcer\}"),
        ({"json": {"a": "{ticker:integer}"}}, r"holds \{ticker:integer\}"),
        ({"json": {"a": "{secret.key}"}}, r"holds \{secret.key\}; .*; name the fields"),
        ({"json": {"a": "{secret.key:number}"}}, r"holds \{secret.key:number\}"),
    ],
)
def test_a_type_elsewhere_is_refused(recipe: dict[str, Any], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        RestRecipe(url="https://example.com/", **recipe)


CURSORS = {
    "a list, as Elasticsearch gives it": ("$.rows[-1].sort", "search_after", '[1704067200000,1.10,"é","-0",null]'),
    "an object, as DynamoDB gives it": ("last", "ExclusiveStartKey", '{"id":{"S":"a\\"b"},"n":{"N":"1.50"},"v":1.50}'),
}


@pytest.mark.parametrize("kind", CURSORS)
def test_a_cursor_that_is_a_list_or_an_object_goes_back_digit_by_digit(
    tmp_path: Path, vendor: Vendor, kind: str
) -> None:
    place, name, written = CURSORS[kind]

    def answer(request: Request) -> Response:
        row = json.dumps(ROWS[len(vendor.asked) - 1])
        given = written if len(vendor.asked) == 1 else "[]"
        return Response(
            f'{{"rows": [{row[:-1]}, "sort": {given}}}], "last": {given}}}', content_type="application/json"
        )

    vendor.answer = answer
    pages = Pages(by="cursor", parameter=name, next_at=place, in_body=True)
    warehouse = warehouse_of(tmp_path / "home", vendor, json={"q": 1.0}, pages=pages, declared={"rows_at": "rows"})
    assert is_fine(warehouse.run())
    assert [one.get_data().decode() for one in vendor.asked] == ['{"q":1.0}', f'{{"q":1.0,"{name}":{written}}}']
    again = Warehouse(tmp_path / "again", *warehouse.plugins.values())
    assert is_fine(again.run(options=RunOptions(replay=str(warehouse.home))))
    assert len(vendor.asked) == 2 and addresses(again) == addresses(warehouse)
    assert digests(again) == digests(warehouse)


@pytest.mark.parametrize(
    ("recipe", "in_body", "said"),
    [
        ({"form": {"q": "1"}}, True, "cannot be sent as it came: a form has neither lists nor objects"),
        ({}, False, "holds nothing to go on with"),
    ],
)
def test_a_list_goes_back_in_json_alone(
    tmp_path: Path, vendor: Vendor, recipe: dict[str, Any], in_body: bool, said: str
) -> None:
    vendor.answer = lambda request: Response(
        json.dumps({"rows": ROWS[:1], "next": [1]}), content_type="application/json"
    )
    pages = Pages(by="cursor", parameter="after", next_at="next", in_body=in_body)
    warehouse = warehouse_of(tmp_path / "home", vendor, **recipe, pages=pages, declared={"rows_at": "rows"})
    (error,) = warehouse.run().errors
    assert said in error
    assert len(vendor.asked) == 1


@pytest.mark.parametrize("written", ['["a",1.10,9007199254740993]', '{"k":{"N":"1.50"}}', '"a"', "1.50"])
def test_where_the_next_run_goes_on_may_be_any_json(tmp_path: Path, vendor: Vendor, written: str) -> None:
    def answer(request: Request) -> Response:
        row = json.dumps(ROWS[len(vendor.asked) - 1])
        return Response(f'{{"rows": [{row}], "next": {written}}}', content_type="application/json")

    vendor.answer = answer
    warehouse = warehouse_of(
        tmp_path / "home", vendor, json={"q": [], "after": "{cursor:json}"}, cursor=Cursor(by="token", at="next"),
        declared={"rows_at": "rows", "is_data": DataRules(may_be_empty=True)},
    )  # fmt: skip
    assert is_fine(warehouse.run())
    assert is_fine(warehouse.run(options=RunOptions(force=True)))
    assert [one.get_data().decode() for one in vendor.asked] == ['{"q":[]}', f'{{"q":[],"after":{written}}}']
    assert Verification(warehouse.opened()).run().findings == []
    assert len(symbols(warehouse)) == 2


@pytest.mark.parametrize(
    ("written", "said"), [("[NaN]", "is no JSON"), ('["\\ud83d"]', "half of a surrogate pair"), (None, "no cursor at")]
)
def test_what_no_body_can_hold_is_no_cursor(written: str | None, said: str) -> None:
    body = "{}" if written is None else f'{{"next": {written}}}'
    with pytest.raises(PayloadRefused, match=said):
        token_of(body.encode(), "next", as_json=True)
    assert token_of(b'{"next": [1.10]}', "next", as_json=True) == "[1.10]"
    assert token_of(b'{"next": null}', "next", as_json=True) == ""


XML = "<?xml version='1.0'?><q><key>{secret.token}</key><id n='{secret.token}'>{ticker}</id></q>"


def test_a_key_in_xml_is_escaped_and_on_no_record(tmp_path: Path, vendor: Vendor) -> None:
    def answer(request: Request) -> Response:
        root = ElementTree.fromstring(request.get_data())
        is_known = root.findtext("key") == KEY and root.find("id").attrib["n"] == KEY  # type: ignore[union-attr]
        said = [price(root.findtext("id") or "", "2024-01-01")] if is_known else {"error": root.findtext("key")}
        return told(said)

    vendor.answer = answer
    ticker = "{secret.token}"  # whoever names tickers gets no key by that
    warehouse = warehouse_of(
        tmp_path / "home", vendor, body=XML, content_type="text/xml", secret_body={"token": NAME},
        declared={"scope": "per_ticker"},
    )  # fmt: skip
    assert is_fine(warehouse.run(universe__tickers=(ticker,)))
    assert symbols(warehouse) == [ticker]
    (address,) = addresses(warehouse)
    assert address.endswith(f"<q><key></key><id n=''>{ticker}</id></q>")
    files = [path.read_bytes() for path in warehouse.home.rglob("*") if path.is_file()]
    assert not any(b"k3y" in content for content in files)
    again = Warehouse(tmp_path / "again", *warehouse.plugins.values())
    assert is_fine(again.run(options=RunOptions(replay=str(warehouse.home)), universe__tickers=(ticker,)))
    assert symbols(again) == [ticker]


def test_a_key_that_the_vendor_says_back_in_xml_is_masked(tmp_path: Path, vendor: Vendor) -> None:
    vendor.answer = lambda request: Response(request.get_data(), status=400, content_type="text/xml")
    warehouse = warehouse_of(
        tmp_path / "home", vendor, body="{secret.token} is <unknown>", content_type="text/xml",
        secret_body={"token": NAME},
    )  # fmt: skip
    (error,) = warehouse.run().errors
    assert "*** is <unknown>" in error and "k3y" not in error


@pytest.mark.parametrize(
    ("body", "content_type", "secrets", "told"),
    [
        ("<k>{secret.other}</k>", "text/xml", {"token": NAME}, r"\{secret.other\}, which is no key"),
        ("<k/>", "text/xml", {"token": NAME}, "the key 'token' has no place in the body"),
        ("k={secret.token}", "text/plain", {"token": NAME}, "how a key is written into 'text/plain' is not known"),
        ("<![CDATA[{secret.token}]]>", "text/xml", {"token": NAME}, "a CDATA section"),
        ("<!-- {ticker} -->", "application/soap+xml", {}, "a comment"),
    ],
)
def test_a_text_that_no_key_or_value_can_go_into_is_refused(
    body: str, content_type: str, secrets: dict[str, str], told: str
) -> None:
    with pytest.raises(UsageError, match=told) as caught:
        RestRecipe(url="https://example.com/", body=body, content_type=content_type, secret_body=secrets)
    assert caught.value.fix


@pytest.mark.parametrize(
    ("content_type", "template", "sent"),
    [
        (
            "text/xml",
            "<a>{secret.k}</a><b>{v}</b><c>{secret.k}</c>",
            "<a>1&lt;&quot;</a><b>&amp;é</b><c>1&lt;&quot;</c>",
        ),
        ("application/json", '["{secret.k}","{v}"]', '["1<\\"","&\\u00e9"]'),
        ("application/x-www-form-urlencoded", "k={secret.k}&v={v}", "k=1%3C%22&v=%26%C3%A9"),
    ],
)
def test_a_hook_writes_keys_into_texts_by_the_same_rule(content_type: str, template: str, sent: str) -> None:
    body = RequestBody.of_text(template, content_type=content_type, values={"v": "&é"}, secrets={"k": "NAME"})
    assert body.sent({"k": '1<"'}).decode() == sent
    assert "1" not in body.address("") and body.shown().count("***") == template.count("secret.k")

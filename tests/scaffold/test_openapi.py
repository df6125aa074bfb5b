"""Plugins from descriptions of services by OpenAPI: parameters, keys, pages and columns; and what is refused."""

from __future__ import annotations

import copy
import datetime as dt
import json
from typing import Any

import pytest
from plugin_author import Author, fills_silver
from pytest_httpserver import HTTPServer
from written import entry_of

from sbf_core.dataset.pages import Pages
from sbf_core.dataset.recipe import RestRecipe
from sbf_core.dataset.sign_in import ClientCredentials, RefreshToken
from sbf_core.errors import UsageError
from sbf_core.scaffold.openapi_document import description_of
from sbf_core.scaffold.openapi_proposal import NoOperation, chosen_operation, propose_openapi
from sbf_core.scaffold.proposal import Proposal, Sampled, Words

NOW = dt.datetime(2026, 11, 30, tzinfo=dt.UTC)
#: Shaped as the description of a vendor of prices is (Polygon's): days in the path, a wrapper, a next address.
PRICES: dict[str, Any] = {
    "openapi": "3.0.3",
    "info": {"title": "Prices", "version": "1", "termsOfService": "https://api.example.com/terms"},
    "servers": [{"url": "https://{region}.example.com/v2", "variables": {"region": {"default": "api"}}}],
    "security": [{"key": []}],
    "paths": {
        "/aggs/{stocksTicker}/{from}/{to}": {
            "parameters": [{"$ref": "#/components/parameters/ticker"}],
            "get": {
                "operationId": "aggs",
                "summary": "Daily bars",
                "parameters": [
                    {"name": "from", "in": "path", "required": True, "schema": {"type": "string", "format": "date"}},
                    {"name": "to", "in": "path", "required": True, "schema": {"type": "string", "format": "date"}},
                    {"name": "adjusted", "in": "query", "required": True,
                     "schema": {"type": "boolean", "default": True}},
                    {"name": "sort", "in": "query", "schema": {"type": "string", "enum": ["asc", "desc"]}},
                    {"name": "limit", "in": "query", "schema": {"type": "integer", "maximum": 5000}},
                ],
                "responses": {"200": {"content": {"application/json": {"schema": {
                    "$ref": "#/components/schemas/Bars"}}}}},
            },
        },
        "/status": {"get": {"operationId": "status", "responses": {"200": {"content": {"application/json": {
            "schema": {"type": "object", "properties": {"ok": {"type": "boolean"}}}}}}}}},
        "/exchanges": {"get": {"summary": "Exchanges\nof the world", "responses": {"200": {"content": {
            "application/json": {"schema": {"type": "array", "items": {"$ref": "#/components/schemas/Bar"}}}}}}}},
    },
    "components": {
        "securitySchemes": {"key": {"type": "apiKey", "in": "query", "name": "apiKey"}},
        "parameters": {"ticker": {"name": "stocksTicker", "in": "path", "required": True, "example": "AAPL",
                                  "schema": {"type": "string"}}},
        "schemas": {
            "Page": {"type": "object", "properties": {"next_url": {"type": "string", "format": "uri", "nullable": True},
                                                      "count": {"type": "integer"}}},
            "Bars": {"allOf": [{"$ref": "#/components/schemas/Page"}, {"type": "object", "required": ["results"],
                     "properties": {"results": {"type": "array", "items": {"$ref": "#/components/schemas/Bar"}}}}]},
            "Bar": {"type": "object", "required": ["day", "close", "volume"], "properties": {
                "day": {"type": "string", "format": "date", "description": "of the session"},
                "close": {"type": "string", "format": "decimal", "description": "Last price in\nUSD"},
                "volume": {"type": "integer", "format": "int64", "description": "Shares"},
                "vwap": {"type": "number", "nullable": True},
                "kind": {"type": "string", "enum": ["regular", "late"]},
                "flags": {"type": "array", "items": {"type": "string"}},
                "of": {"type": "object", "properties": {"mic": {"type": "string"}}},
                "secret": {"type": "string", "writeOnly": True},
            }},
        },
    },
}  # fmt: skip


def bytes_of(document: Any) -> bytes:
    return json.dumps(document).encode()


def proposed(document: Any, operation: str = "aggs", *, payload: Any = None, ticker: str = "") -> Proposal:
    description = description_of(bytes_of(document), where="https://docs.example.com/openapi.json")
    given = None if payload is None else Sampled(payload=bytes_of(payload), fetched_at=NOW)
    chosen = chosen_operation(description, operation)
    return propose_openapi(
        Words(name="bars"), description, chosen, ticker=ticker, given=given, url="", now=NOW, known={}
    )


def changed(document: Any, path: str, value: Any) -> Any:
    made = copy.deepcopy(document)
    *above, last = path.split(" ")
    here = made
    for step in above:
        here = here[step]
    here[last] = value
    return made


def test_an_operation_becomes_a_declaration() -> None:
    proposal = proposed(PRICES)
    recipe = proposal.recipe
    assert isinstance(recipe, RestRecipe)
    assert recipe.url == "https://api.example.com/v2/aggs/{ticker}/{from_date}/{to_date}?adjusted=true"
    assert recipe.secrets == {"apiKey": "BARS_API_KEY"}
    assert recipe.pages == Pages(by="next_url", next_at="next_url", size=5000, size_parameter="limit")
    assert proposal.per_ticker
    assert proposal.found.rows_at == "results"
    columns = {column.name: column for column in proposal.columns}
    assert [name for name, column in columns.items() if column.key] == ["ticker", "day"]
    assert columns["day"].row_date
    told = {name: (column.python, column.nullable, column.is_optional, column.doc) for name, column in columns.items()}
    assert told["day"] == ("dt.date", False, False, "of the session")
    assert told["close"] == ("Decimal", False, False, "Last price in USD")
    assert told["volume"] == ("int", False, False, "Shares")
    assert told["vwap"][1:3] == (True, True)
    assert told["kind"] == ("str", True, True, "one of regular, late")
    assert columns["of_mic"].source == "@.of.mic"
    assert "secret" not in columns
    assert "url: the server's region is 'api'; is that yours?" in proposal.doubts
    assert "flags: left out, it holds lists or objects" in proposal.doubts
    assert any("next_url is taken for the address of the next page" in doubt for doubt in proposal.doubts)
    assert any(doubt.startswith("sample: the recording is made up by the schema") for doubt in proposal.doubts)
    assert "`sort`" in proposal.notes
    assert entry_of(proposal).recipe == recipe


def test_a_real_answer_goes_before_the_schema() -> None:
    """Where the two differ, what came is declared, and the difference is told."""
    bars = [{"day": f"2024-01-{day:02d}", "close": "1.5", "volume": day + 0.5, "odd": "x"} for day in range(1, 25)]
    proposal = proposed(PRICES, payload={"results": bars, "count": 24})
    columns = {column.name: column for column in proposal.columns}
    assert columns["volume"].python == "Decimal"
    assert any("the description says int, and the sample has '1.5'" in one for one in columns["volume"].doubts)
    assert "the description does not name it" in columns["odd"].doubts
    assert columns["vwap"].is_empty and columns["vwap"].is_optional
    assert not any(doubt.startswith("sample: ") for doubt in proposal.doubts)


SCHEMES = {
    "header": ({"type": "apiKey", "in": "header", "name": "X-Key"}, "secret_headers", {"X-Key": "BARS_API_KEY"}),
    "bearer": ({"type": "http", "scheme": "bearer"}, "secret_headers", {"authorization": "BARS_API_KEY"}),
    "client": (
        {"type": "oauth2", "flows": {"clientCredentials": {"tokenUrl": "https://id.example.com/token", "scopes": {}}}},
        "sign_in",
        ClientCredentials(
            token_url="https://id.example.com/token", client_id="BARS_CLIENT_ID", client_secret="BARS_CLIENT_SECRET"
        ),
    ),
    "code": (
        {"type": "oauth2", "flows": {"authorizationCode": {"tokenUrl": "https://id.example.com/token", "scopes": {}}}},
        "sign_in",
        RefreshToken(
            token_url="https://id.example.com/token", refresh_token="BARS_REFRESH_TOKEN", client_id="BARS_CLIENT_ID",
            client_secret="BARS_CLIENT_SECRET",
        ),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SCHEMES)
def test_keys_are_declared(name: str) -> None:
    scheme, field, wanted = SCHEMES[name]
    proposal = proposed(changed(PRICES, "components securitySchemes key", scheme))
    recipe = proposal.recipe
    assert getattr(recipe, field) == wanted
    assert entry_of(proposal).recipe == recipe, "as it is written"


@pytest.mark.parametrize(
    "scheme",
    [{"type": "apiKey", "in": "cookie", "name": "sid"}, {"type": "openIdConnect", "openIdConnectUrl": "https://x"}, {}],
)
def test_keys_that_cannot_be_declared_are_told(scheme: Any) -> None:
    doubts = proposed(changed(PRICES, "components securitySchemes key", scheme)).doubts
    assert any(doubt.startswith("keys: key (") and "could not be declared" in doubt for doubt in doubts)


def with_parameters(*parameters: dict[str, Any], properties: dict[str, Any] | None = None) -> Any:
    """A document of 3.1 with these parameters, and these fields beside its rows."""
    item = {"type": "object", "properties": {"id": {"type": "string"}, "price": {"type": ["number", "null"]}}}
    schema = {"type": "object", "properties": {"items": {"type": "array", "items": item}, **(properties or {})}}
    answer = {"content": {"application/json": {"schema": schema}}}
    listed = [{"in": "query", "schema": {"type": "string"}, **one} for one in parameters]
    return {
        "openapi": "3.1.0", "info": {"title": "Items", "version": "1"}, "servers": [{"url": "https://api.example.com"}],
        "paths": {"/items": {"get": {"operationId": "items", "parameters": listed, "responses": {"200": answer}}}},
    }  # fmt: skip


INTEGER = {"type": "integer"}
PAGES: list[tuple[list[dict[str, Any]], dict[str, Any], Pages | None]] = [
    ([{"name": "cursor"}, {"name": "limit", "schema": {"type": "integer", "default": 50}}],
     {"meta": {"type": "object", "properties": {"next_cursor": {"type": ["string", "null"]}}}},
     Pages(by="cursor", parameter="cursor", next_at="meta.next_cursor", size=50, size_parameter="limit")),
    ([{"name": "pageToken"}], {"nextPageToken": {"type": "string"}},
     Pages(by="cursor", parameter="pageToken", next_at="nextPageToken")),
    ([{"name": "page", "schema": {"type": "integer", "minimum": 0}}, {"name": "per_page", "schema": INTEGER}],
     {"total": INTEGER}, Pages(by="page", parameter="page", first=0, size=100, size_parameter="per_page",
                               total_at="total")),
    ([{"name": "offset", "schema": INTEGER}], {}, Pages(by="offset", parameter="offset", first=0)),
    ([{"name": "page"}], {"links": {"type": "object", "properties": {"next": {"anyOf": [{"type": "string"},
                                                                                 {"type": "null"}]}}}},
     Pages(by="next_url", next_at="links.next")),
    ([{"name": "limit", "schema": INTEGER}], {}, None),
    ([], {"total": INTEGER}, None),
]  # fmt: skip


@pytest.mark.parametrize(("parameters", "properties", "wanted"), PAGES)
def test_pages(parameters: list[dict[str, Any]], properties: dict[str, Any], wanted: Pages | None) -> None:
    proposal = proposed(with_parameters(*parameters, properties=properties), "items")
    assert proposal.paging.pages == wanted
    assert entry_of(proposal).recipe == proposal.recipe, "as it is written"
    assert [doubt for doubt in proposal.doubts if doubt.startswith("pages: ")]


def test_a_header_that_links() -> None:
    document = with_parameters()
    document["paths"]["/items"]["get"]["responses"]["200"]["headers"] = {"Link": {"schema": {"type": "string"}}}
    assert proposed(document, "items").paging.pages == Pages(by="link")


def test_parameters() -> None:
    document = with_parameters(
        {"name": "updated_since", "schema": {"type": "string", "format": "date-time"}},
        {"name": "lang", "required": True, "schema": {"type": "string", "enum": ["en", "de"]}},
        {"name": "X-Client", "in": "header", "required": True, "schema": {"type": "string", "examples": ["sbf"]}},
        {"name": "board", "required": True},
        {"name": "apikey", "required": True},
        {"name": "sid", "in": "cookie", "required": True},
        {"name": "verbose", "schema": {"type": "boolean"}},
    )
    proposal = proposed(document, "items")
    recipe = proposal.recipe
    assert isinstance(recipe, RestRecipe)
    assert recipe.url == "https://api.example.com/items?updated_since={cursor}&lang=en&board=BOARD"
    assert recipe.headers == {"X-Client": "sbf"}
    assert recipe.secrets == {"apikey": "BARS_API_KEY"}
    assert not any("apikey" in doubt for doubt in proposal.doubts)
    assert recipe.cursor is not None
    assert "url: board is required, and the description has no example: 'BOARD' is made up" in proposal.doubts
    assert "url: the cookie sid is required, and no recipe sends one" in proposal.doubts
    assert "`sid`, `verbose`" in proposal.notes


def test_a_body_that_is_posted() -> None:
    document = with_parameters()
    item = document["paths"]["/items"]
    item["post"] = item.pop("get")
    schema = {"type": "object", "required": ["fields", "limit", "text"], "properties": {
        "fields": {"type": "array", "items": {"type": "string", "example": "id"}}, "limit": INTEGER,
        "text": {"type": "string", "default": "{a}"}, "not_sent": {"type": "string"}}}  # fmt: skip
    item["post"]["requestBody"] = {"content": {"application/json": {"schema": schema}}}
    proposal = proposed(document, "items")
    assert isinstance(proposal.recipe, RestRecipe)
    assert proposal.recipe.json == {"fields": ["id"], "limit": 1, "text": "{ a}"}
    assert proposal.address.startswith("POST https://api.example.com/items {")
    assert any(doubt.startswith("json: the body is that of the description") for doubt in proposal.doubts)


def test_the_operations_that_answer_lists() -> None:
    description = description_of(bytes_of(PRICES), where="x")
    with pytest.raises(NoOperation, match="2 operations answer a list") as refused:
        chosen_operation(description, "")
    assert [(one.operation.id, one.rows_at) for one in refused.value.listed] == [
        ("aggs", "results"), ("GET /exchanges", "")
    ]  # fmt: skip
    assert refused.value.listed[1].operation.title == "Exchanges"
    assert chosen_operation(description, "GET /status").id == "status"
    with pytest.raises(NoOperation) as unknown:
        chosen_operation(description, "agg")
    assert unknown.value.fix == "did you mean 'aggs'?"
    with pytest.raises(UsageError, match="status answers no list of objects"):
        proposed(PRICES, "status")


def bomb(depth: int) -> Any:
    """Each schema holds the next one twice."""
    names = [f"S{number}" for number in range(depth)]
    schemas: dict[str, Any] = {
        name: {"allOf": [{"$ref": f"#/components/schemas/{after}"}] * 2}
        for name, after in zip(names, names[1:], strict=False)
    }
    schemas[names[-1]] = {"type": "object", "properties": {"a": {"type": "string"}}}
    return schemas


REFUSED: list[tuple[Any, str]] = [
    (b"openapi: 3.0.0\ninfo:\n  title: x\n", "is YAML, and a description is read as JSON"),
    (b"# made by us\n---\nopenapi: '3.1.0'\n", "is YAML"),
    (b"<html>", "is no JSON"),
    (b"[" * 100_000, "is no JSON"),
    ({"swagger": "2.0"}, "is a description by Swagger 2.0"),
    ({"openapi": "4.0.0"}, "is no OpenAPI 3.0 or 3.1 (openapi is '4.0.0')"),
    ([], "is no OpenAPI 3.0 or 3.1"),
    (changed(PRICES, "components schemas Bar", {"$ref": "#/components/schemas/Bar"}), "leads in a circle"),
    (changed(PRICES, "components schemas Bar", {"$ref": "https://x.example.com/s.json"}), "leads out of the document"),
    (changed(PRICES, "components schemas Bar", {"$ref": "other.json#/Bar"}), "leads out of the document"),
    (changed(PRICES, "components schemas Bar", {"$ref": "#/components/schemas/None"}), "leads nowhere"),
    (changed(PRICES, "components schemas", {
        f"S{number}": {"$ref": f"#/components/schemas/S{number + 1}"} for number in range(50)
    } | {"Bars": {"$ref": "#/components/schemas/S0"}, "Bar": {}, "S50": {}}), "leads through more than 32 others"),
    (changed(PRICES, "components schemas", bomb(18) | {"Bars": {"$ref": "#/components/schemas/S0"}, "Bar": {}}),
     "repeat each other too often"),
]  # fmt: skip


@pytest.mark.parametrize(("document", "what"), REFUSED, ids=[what for _, what in REFUSED])
def test_what_is_refused(document: Any, what: str) -> None:
    content = document if isinstance(document, bytes) else bytes_of(document)
    with pytest.raises(UsageError) as refused:
        description = description_of(content, where="openapi.json")
        propose_openapi(
            Words(name="bars"), description, chosen_operation(description, "aggs"), ticker="", given=None, url="",
            now=NOW, known={},
        )  # fmt: skip
    assert what in refused.value.what
    assert refused.value.fix
    assert refused.value.where == "openapi.json"


def test_a_schema_that_holds_itself_ends() -> None:
    """A tree, as comments and categories are: no circle of references alone."""
    tree = {"type": "object", "properties": {"id": {"type": "string"}, "up": {"$ref": "#/components/schemas/Bar"},
            "down": {"type": "array", "items": {"$ref": "#/components/schemas/Bar"}}}}  # fmt: skip
    proposal = proposed(changed(PRICES, "components schemas Bar", tree))
    assert "@.up.id" in {column.source for column in proposal.columns}


def test_from_a_description_to_a_dataset(author: Author, httpserver: HTTPServer) -> None:
    """A description at an address, its only list, and a package whose sample fills silver."""
    document = with_parameters({"name": "limit", "schema": INTEGER}, properties={"total": INTEGER})
    document["servers"] = [{"url": httpserver.url_for("/v1")}]
    httpserver.expect_request("/openapi.json").respond_with_json(document)
    shown = author.new("items", "--from-openapi", httpserver.url_for("/openapi.json"), "--terms", "free")
    assert "20 rows of json, rows at items" in shown
    assert "unsure: sample: the recording is made up by the schema" in shown
    fills_silver(author, "items", 20)


def test_the_command_lists_operations_and_takes_a_payload(author: Author) -> None:
    (author.folder / "openapi.json").write_bytes(bytes_of(PRICES))
    done = author.sbf("plugins", "new", "bars", "--from-openapi", "openapi.json")
    assert done.returncode == 2
    assert "aggs            GET /aggs/{stocksTicker}/{from}/{to}  results  Daily bars" in done.stdout
    assert "2 operations answer a list; openapi.json; name one with --operation" in done.stderr
    bars = [{"day": f"2024-01-{day:02d}", "close": "1.5", "volume": day, "vwap": None} for day in range(1, 25)]
    (author.folder / "bars.json").write_bytes(bytes_of({"results": bars, "next_url": None}))
    shown = author.new(
        "bars", "--from-openapi", "openapi.json", "--operation", "aggs", "--from-file", "bars.json", "--ticker", "MSFT"
    )
    assert "24 rows of json, rows at results" in shown
    text = (author.folder / "sbf-bars" / "sbf_bars" / "plugin.py").read_text()
    assert 'close: Decimal = column(precision=18, scale=3, doc="Last price in USD")' in text
    assert 'secrets={"apiKey": "BARS_API_KEY"}' in text
    assert "BARS_API_KEY" in (author.folder / "sbf-bars" / "README.md").read_text()

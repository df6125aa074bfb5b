"""Plugins that begin with a POST, and with headers: bodies with placeholders, keys that are written nowhere."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from plugin_author import Author, is_sound
from pytest_httpserver import HTTPServer
from table_payloads import recorded_body
from werkzeug import Request, Response
from written import entry_of

from sbf_core.dataset.recipe import RestRecipe
from sbf_core.errors import UsageError
from sbf_core.scaffold.address import Template, template_of
from sbf_core.scaffold.from_payload import propose
from sbf_core.scaffold.posted import with_request
from sbf_core.scaffold.proposal import Proposal, Sampled, Words

NOW = dt.datetime(2026, 11, 30, tzinfo=dt.UTC)


def posted(
    body: Any = None, *, form: str = "", ticker: str = "", headers: tuple[str, ...] = (), url: str = ""
) -> Template:
    template = template_of(url or "https://api.example.com/v3/filter", name="mine")
    text = "" if body is None else json.dumps(body)
    return with_request(template, name="mine", ticker=ticker, post_json=text, post_form=form, headers=headers)


def proposed(template: Template, payload: bytes) -> Proposal:
    return propose(Words(name="mine"), Sampled(payload=payload, fetched_at=NOW), template=template, where="here")


def test_a_body_becomes_a_template() -> None:
    body = {"from": "2024-01-01", "to": "2024-01-31", "apiKey": "3f7a9c11d2", "q": {"series": ["GDP"], "text": "{x}"}}
    template = posted(body, ticker="GDP", headers=("Accept: text/csv", "X-OPENFIGI-APIKEY: abc", "Content-Type: a/b"))
    recipe = template.recipe()
    assert recipe.json == {"from": "{from_date}", "to": "{to_date}", "q": {"series": ["{ticker}"], "text": "{ x}"}}
    assert recipe.secret_body == {"apiKey": "MINE_API_KEY"}
    assert recipe.secret_headers == {"X-OPENFIGI-APIKEY": "MINE_X_OPENFIGI_APIKEY"}
    assert recipe.headers == {"Accept": "text/csv"}
    assert template.values == {"MINE_API_KEY": "3f7a9c11d2", "MINE_X_OPENFIGI_APIKEY": "abc"}
    assert (template.asks_days, template.from_date, template.ticker) == (True, dt.date(2024, 1, 1), "GDP")
    bars = [{"day": f"2024-01-{day:02d}", "close": day + 0.5} for day in range(1, 25)]
    proposal = proposed(template, json.dumps(bars).encode())
    sent = {"from": "2024-01-01", "to": "2024-01-31", "q": {"series": ["GDP"], "text": "{ x}"}}
    assert proposal.address == f"POST https://api.example.com/v3/filter {json.dumps(sent, separators=(',', ':'))}"
    entry = entry_of(proposal)
    assert isinstance(entry.recipe, RestRecipe)
    assert entry.recipe.json == recipe.json
    assert entry.key_columns == ("ticker", "day")


def test_a_form_and_days_that_stand_in_the_address() -> None:
    template = posted(form="page=1&limit=24&day=2024-01-02", url="https://api.example.com/x?from=20240101&to=20240131")
    recipe = template.recipe()
    assert recipe.url == "https://api.example.com/x?from={from_date}&to={to_date}"
    assert recipe.form == {"page": "1", "limit": "24", "day": "2024-01-02"}, "in another format, and days are asked"
    bars = [{"day": f"2024-01-{day:02d}", "close": day + 0.5} for day in range(1, 25)]
    doubts = proposed(template, json.dumps(bars).encode()).doubts
    wanted = "by='page', parameter='page', first=1, size=24, size_parameter='limit', in_body=True"
    assert any(wanted in doubt and "taken out of the body" in doubt for doubt in doubts)


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"post_json": "{", "post_form": ""}, "--post-json is no JSON"),
    ({"post_json": "@/nowhere", "post_form": ""}, "--post-json: /nowhere cannot be read: No such file"),
    ({"post_json": "{}", "post_form": "a=1"}, "a request has one body"),
    ({"post_json": "", "post_form": "a=1&a=2"}, "--post-form names a field twice"),
    ({"post_json": "", "post_form": "", "headers": ("nonsense",)}, "a header is no Name: value"),
    ({"post_json": '{"s": "GDPX"}', "post_form": "", "ticker": "GDP"}, "is neither in the address nor in the body"),
]  # fmt: skip


@pytest.mark.parametrize(("asked", "what"), WRONG, ids=[what for _, what in WRONG])
def test_what_makes_no_sense(asked: dict[str, Any], what: str) -> None:
    template = template_of("https://api.example.com/x", name="mine")
    with pytest.raises(UsageError, match=what):
        with_request(template, **{"name": "mine", "ticker": "", "headers": (), **asked})


def test_a_search_of_openfigi(author: Author, httpserver: HTTPServer) -> None:
    """What OpenFIGI answered to a POST, from a server on loopback; the plugin posts the same, and passes the kit."""
    answer = recorded_body("openfigi-r2-005")
    asked: list[tuple[str, Any, str]] = []

    def respond(request: Request) -> Response:
        asked.append((request.method, request.get_json(), request.headers.get("X-OPENFIGI-APIKEY", "")))
        return Response(answer, content_type="application/json")

    httpserver.expect_request("/v3/filter").respond_with_handler(respond)
    body = {"query": "SJIM1", "exchCode": "ICF"}
    shown = author.new(
        "futures", "--from-url", httpserver.url_for("/v3/filter"), "--post-json", json.dumps(body), "--header",
        "X-OPENFIGI-APIKEY: 3f7a9c11d2", "--header", "Accept: application/json", "--terms", "free",
    )  # fmt: skip
    assert asked == [("POST", body, "3f7a9c11d2")]
    assert "semantics: the rows have no date" in shown, "a universe is a snapshot"
    for path in (author.folder / "sbf-futures").rglob("*"):
        assert path.is_dir() or b"3f7a9c11d2" not in path.read_bytes(), path
    text = (author.folder / "sbf-futures" / "sbf_futures" / "plugin.py").read_text()
    assert 'json={"query": "SJIM1", "exchCode": "ICF"}' in text
    assert 'secret_headers={"X-OPENFIGI-APIKEY": "FUTURES_X_OPENFIGI_APIKEY"}' in text
    assert "FUTURES_X_OPENFIGI_APIKEY" in (author.folder / "sbf-futures" / "README.md").read_text()
    is_sound(author, "futures", 36)
    done = author.sbf("plugins", "new", "odd", "--from-file", "x.json", "--post-json", "{}")
    assert done.returncode == 2
    assert "--post-json belongs to --from-url" in done.stderr

"""Vendors asked for what they have, on loopback."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import attrs
import pytest
from pytest_httpserver import HTTPServer
from warehouse import entry
from werkzeug import Request, Response

from sbf_core.api import Offer, Pages, PayloadRefused, RestRecipe, UsageError, VendorSearch, checked_options, hookimpl
from sbf_core.cli.found_datasets import show_found
from sbf_core.home.home import Home
from sbf_core.plugin.manager import PluginManager
from sbf_core.reports.ask_vendors import ask_vendors, chosen_searches
from sbf_core.reports.catalogue import Item, State, Wanted, search
from sbf_core.reports.catalogue_of_home import Catalogue, catalogue_of
from sbf_core.settings.settings import Settings


def read(payload: bytes) -> list[Offer]:
    found = json.loads(payload)
    if "series" not in found:
        raise PayloadRefused("lists no series")
    return [Offer(id=each, title=f"Title {each}", options={"series": (each,)}) for each in found["series"]]


def home_with(folder: Path, *searches: VendorSearch) -> Catalogue:
    @hookimpl
    def datasets(options: Any) -> Any:
        series = checked_options(options, series=())["series"]
        recipe = RestRecipe(url="https://example.com/{ticker}")
        return [entry(source="plug", scope="per_ticker", members=series, recipe=recipe)] if series else []

    @hookimpl
    def offers() -> Any:
        return [Offer(id="far", title="Far away", asked_by="vendor"), *searches]

    module = ModuleType("plug")
    vars(module).update(datasets=datasets, offers=offers)
    manager = PluginManager([])
    manager.register(module, name="plug")
    return catalogue_of(Home(Settings(folder), plugins=manager))


def vendor(
    server: HTTPServer, path: str, *, name: str = "vendor", reads: Callable[[bytes], Any] = read, **more: Any
) -> VendorSearch:
    judges = more.pop("judges", False)
    recipe = RestRecipe(url=server.url_for(path), deadline_seconds=5, **more)
    return VendorSearch(name=name, title=name, recipe=recipe, read=reads, judges=judges)


def asked(catalogue: Catalogue, words: str, *names: str) -> Catalogue:
    chosen = chosen_searches(catalogue.searches, names or ("plug",))
    return catalogue.with_answers(*ask_vendors(catalogue.home, chosen, words))


def test_the_words_a_key_and_the_limits_of_the_vendor(
    tmp_path: Path, httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Request] = []

    def answer(request: Request) -> Response:
        seen.append(request)
        return Response(json.dumps({"series": ["A", "B"]}))

    httpserver.expect_request("/search").respond_with_handler(answer)
    one = vendor(httpserver, "/search?text={ticker}", secrets={"key": "PLUG_KEY"}, limits=("50/second",), judges=True)
    monkeypatch.setenv("PLUG_KEY", "a-key-of-the-vendor")
    catalogue = asked(home_with(tmp_path, one), "yield & curve")
    assert [dict(request.args) for request in seen] == [{"text": "yield & curve", "key": "a-key-of-the-vendor"}]
    assert catalogue.faults == []
    found = search(catalogue.items, Wanted(words="yield & curve"))  # the vendor has judged what fits
    assert [one.item.id for one in found] == ["A", "B"]
    assert catalogue.how(found[0].item).lines == ("[options.plug]", 'series = ["A"]')
    assert (tmp_path / "rates.sqlite").exists()  # a run counts on from here
    assert sorted(path.name for path in tmp_path.iterdir() if "rates" not in path.name) == []


def test_what_the_vendor_does_not_judge_is_judged_here(tmp_path: Path, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/list").respond_with_json({"series": ["CURVE", "OTHER", "far"]})
    catalogue = asked(home_with(tmp_path, vendor(httpserver, "/list")), "curve")
    assert [one.item.id for one in search(catalogue.items, Wanted(words="curve"))] == ["CURVE"]
    (far,) = (one for one in catalogue.items if one.id == "far")
    assert catalogue.how(far).lines  # the answer says how, and takes the place of the offer that did not


def test_an_answer_stands_beside_what_is_offered_otherwise(tmp_path: Path, httpserver: HTTPServer) -> None:
    """Who asks for the dimensions of a flow gets them, although some of it is offered; and the same comes once."""
    httpserver.expect_request("/list").respond_with_json({"series": ["A", "B", "far"]})
    catalogue = home_with(tmp_path, vendor(httpserver, "/list"))
    other = Offer(id="A", title="Some of A", options={"series": ("A.1",)})
    same = Offer(id="B", title="B as shipped", options={"series": ("B",)})
    record = catalogue.items[0].plugin
    shipped = [Item(plugin=record, state=State.OFFERED, what=one) for one in (other, same)]
    found = asked(attrs.evolve(catalogue, items=[*catalogue.items, *shipped]), "title").items
    assert [(one.id, one.title) for one in found] == [
        ("A", "Some of A"), ("B", "B as shipped"), ("A", "Title A"), ("far", "Title far"),
    ]  # fmt: skip


def test_all_pages_of_an_answer(tmp_path: Path, httpserver: HTTPServer) -> None:
    for page, series in ((1, ["A", "B"]), (2, ["C"])):
        httpserver.expect_request("/paged", query_string={"page": str(page)}).respond_with_json(
            {"total": 3, "series": series}
        )
    pages = Pages(by="page", parameter="page", first=1, size=2, total_at="total", items_at="series")
    catalogue = asked(home_with(tmp_path, vendor(httpserver, "/paged", pages=pages)), "title")
    assert [one.id for one in catalogue.items] == ["far", "A", "B", "C"]


def _fails(payload: bytes) -> Any:
    raise KeyError("series")


@pytest.mark.parametrize(
    ("path", "reads", "said"),
    [
        ("/gone", read, "404"),
        ("/wrong", read, "lists no series"),
        ("/right", _fails, "KeyError"),
        ("/right", lambda payload: ["x"], "gave str instead of Offer"),
        ("/right", lambda payload: None, "gave NoneType instead of Offer"),
        ("/right?key={ticker}", lambda payload: [Offer(id="", title="")], "has no id or no title"),
    ],
)
def test_a_vendor_that_fails_is_told_of_and_the_others_answer(
    tmp_path: Path, httpserver: HTTPServer, path: str, reads: Any, said: str
) -> None:
    httpserver.expect_request("/gone").respond_with_data("no", status=404)
    httpserver.expect_request("/wrong").respond_with_json({})
    httpserver.expect_request("/right").respond_with_json({"series": ["A"]})
    searches = vendor(httpserver, path, name="bad", reads=reads), vendor(httpserver, "/right", name="good")
    catalogue = asked(home_with(tmp_path, *searches), "title")
    assert [one.id for one in catalogue.items] == ["far", "A"]
    (fault,) = catalogue.faults
    assert said in str(fault)
    assert "bad" in str(fault)


def test_a_key_that_is_not_set_is_told_of(
    tmp_path: Path, httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PLUG_KEY", raising=False)
    one = vendor(httpserver, "/search?text={ticker}", secrets={"key": "PLUG_KEY"})
    (fault,) = asked(home_with(tmp_path, one), "words").faults
    assert "the key PLUG_KEY is not set" in str(fault)
    assert httpserver.log == []


def test_a_key_that_the_vendor_repeats_is_not_shown(
    tmp_path: Path, httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PLUG_KEY", "a-key-of-the-vendor")
    httpserver.expect_request("/right").respond_with_json({"series": ["a-key-of-the-vendor", "\x1b[2J\u202e"]})
    httpserver.expect_request("/wrong").respond_with_data("a-key-of-the-vendor is no key", status=403)
    both = (vendor(httpserver, f"/{name}", name=name, secrets={"key": "PLUG_KEY"}) for name in ("right", "wrong"))
    show_found(asked(home_with(tmp_path, *both), "title"), Wanted(words="title"), limit=5, as_json=False)
    told = capsys.readouterr()
    assert "left out: HTTP 403; wrong: " in told.err
    assert "a-key-of-the-vendor" not in told.out + told.err
    assert told.out.count("***") > 2
    assert "\x1b" not in told.out and "\u202e" not in told.out


def test_nobody_is_asked_without_being_named(tmp_path: Path, httpserver: HTTPServer) -> None:
    catalogue = home_with(tmp_path, vendor(httpserver, "/list"))
    assert list(catalogue.searches) == ["vendor"]
    assert httpserver.log == []
    with pytest.raises(UsageError, match=re.escape("there is no vendor 'vendr' that can be asked what it has")) as told:
        chosen_searches(catalogue.searches, ["vendr"])
    assert "did you mean 'vendor'" in str(told.value)
    with pytest.raises(UsageError, match="add --search WORDS"):
        asked(catalogue, " ")


def test_two_searches_of_one_name_are_refused(tmp_path: Path, httpserver: HTTPServer) -> None:
    catalogue = home_with(tmp_path, vendor(httpserver, "/a"), vendor(httpserver, "/b"))
    assert "two searches are called 'vendor'" in str(catalogue.faults[0])
    with pytest.raises(UsageError, match="search 'No Name' is not a name"):
        vendor(httpserver, "/a", name="No Name")

"""The catalogue: what is installed, and what plugins could fetch. No vendor is asked."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from sbf_core.dataset.about import Cost, Frequency
from sbf_core.dataset.regions import WORLD, names
from sbf_core.reports.catalogue import Found, State, advice, search, wanted_of
from sbf_core.reports.catalogue_of_home import Catalogue, catalogue_of
from sbf_core.reports.catalogue_words import advice_lines, how_text
from sbf_core.web.site import Site, number_asked

_PER_PAGE = 25
_PLACES_SHOWN = 3
_FILTERS = ("search", "region", "frequency", "cost", "terms")
_LOOKS = {State.READY: "good", State.KEYED: "warn", State.NAMED: "", State.OFFERED: ""}


def catalogue_page(site: Site, request: Request) -> Response:
    """What fits words, region, frequency, cost and terms, a page at a time; all where nothing is said."""
    asked = {name: request.query_params.get(name, "").strip() for name in _FILTERS}
    wanted = wanted_of(
        asked["search"], region=[asked["region"]], frequency=[asked["frequency"]], cost=[asked["cost"]],
        terms=asked["terms"],
    )  # fmt: skip
    catalogue = catalogue_of(site.home, wanted.words)
    found, page = search(catalogue.items, wanted), number_asked(request, "page")
    tables = {entry.id: entry.silver_table for entry in site.entries}
    kept = {name: text for name, text in asked.items() if text}
    return site.rendering.page(
        "catalogue.html",
        path="/catalogue",
        title="Catalogue",
        asked=asked,
        choices=[
            ("region", "Region", next(iter(wanted.regions), ""), _regions(catalogue, wanted.regions)),
            ("frequency", "Frequency", next(iter(wanted.frequencies), ""), [(one, one) for one in Frequency]),
            ("cost", "Cost", next(iter(wanted.costs), ""), [(one, one) for one in Cost]),
        ],
        found=[_shown(catalogue, one, tables) for one in found[(page - 1) * _PER_PAGE : page * _PER_PAGE]],
        total=len(found),
        page=page,
        pages=max(1, -(-len(found) // _PER_PAGE)),
        link="?" + urlencode({**kept, "page": ""}),
        advice=[] if found else advice_lines(advice(catalogue.items, wanted), wanted),
        searches=sorted(catalogue.searches),
        faults=catalogue.faults,
    )


def _regions(catalogue: Catalogue, chosen: tuple[str, ...]) -> list[tuple[str, str]]:
    """The regions that something is about, and the one that was chosen, with their names; groups first."""
    there = {code for item in catalogue.items for code in item.what.region} | {*chosen}
    named = ((code, names()[code]) for code in there)
    return sorted(named, key=lambda each: (each[0] != WORLD, each[0].isupper(), each[1]))


def _shown(catalogue: Catalogue, one: Found, tables: dict[str, str]) -> dict[str, Any]:
    item, how = one.item, catalogue.how(one.item)
    return {
        "title": item.title or item.id, "id": item.id, "plugin": item.plugin.name, "state": item.state,
        "look": _LOOKS[item.state], "about": [text for text in item.what.about.values() if text],
        "places": ", ".join(one.places[:_PLACES_SHOWN]), "terms": item.what.terms, "source_url": item.what.source_url,
        "table": tables.get(item.id, ""), "how": how_text(how), "lines": "\n".join(how.lines),
    }  # fmt: skip

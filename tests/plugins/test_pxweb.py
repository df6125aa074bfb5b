"""Tables of statistical offices on what Norway and Finland really sent, and in the documented forms of others.

pxweb-*.json: tests/mock/response_no.json and response_fi.json of github.com/stefur/pxwebpy at 39ecd0d, answers of
Statistics Norway and Statistics Finland (CC BY 4.0) that were indented there, and their contacts taken out.
"""

from __future__ import annotations

import datetime as dt
import itertools
import json
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import attrs
import pytest
from pytest_httpserver import HTTPServer
from recorded import Recording
from warehouse import Warehouse
from werkzeug import Request, Response

from sbf_core.api import DatasetKeymapEntry, UsageError, hookimpl
from sbf_core.dataset.recipe import RestRecipe
from sbf_core.testing.suite import conformance
from sbf_plugins.pxweb import plugin

NORWAY = "SSB/07221?Region=*&Boligtype=01+02+03&ContentsCode=Boligindeks&Tid=*"
FINLAND = (
    "STATFIN/StatFin/vaerak/statfin_vaerak_pxt_11rc.px?Vuosi=top:3&Sukupuoli=SSS+1+2&Ik%C3%A4=*&Tiedot=vaesto&as=age"
)
FILES = {NORWAY: "pxweb-ssb-07221.json", FINLAND: "pxweb-statfin-11rc.json"}


def sent(text: str) -> bytes:
    return Path(__file__).with_name(FILES[text]).read_bytes()


def filled(folder: Path, *texts: str, content: bytes = b"") -> Recording:
    recording = Recording(folder, options=f"[options.pxweb]\ntables = {json.dumps(list(texts))}\n")
    for entry, text in zip(plugin.datasets({"tables": list(texts)}), texts, strict=True):
        recording.add(entry.id, content or sent(text))
    return recording


test_pxweb_conforms = conformance(
    "pxweb", recording=lambda folder: filled(folder, NORWAY).folder, options={"tables": [NORWAY]}
)


def cells(document: dict[str, Any]) -> dict[tuple[str, ...], tuple[Decimal | None, str | None]]:
    """Of a cube, by codes: the value and the mark."""
    index = [document["dimension"][name]["category"]["index"] for name in document["id"]]
    codes = itertools.product(*(sorted(each, key=each.get) for each in index))
    status = document.get("status", {})
    values = [None if value is None else Decimal(value) for value in document["value"]]
    return {key: (value, status.get(str(place))) for place, (key, value) in enumerate(zip(codes, values, strict=True))}


@pytest.mark.parametrize(
    ("text", "table", "names"),
    [
        (NORWAY, "pxweb_ssb_07221", "region, boligtype, contentscode, tid"),
        (FINLAND, "pxweb_statfin_age", "vuosi, sukupuoli, ika, tiedot"),
    ],
)
def test_each_cell_that_an_office_sent(tmp_path: Path, text: str, table: str, names: str) -> None:
    recording = filled(tmp_path, text)
    assert recording.run(plugins=("pxweb",)).errors == []
    told = cells(json.loads(sent(text), parse_float=Decimal))
    found = recording.ask(f"SELECT {names}, value, status FROM silver.{table}")
    assert {row[:4]: row[4:] for row in found} == told
    assert len(found) == len(told)


def test_dots_are_no_value_and_codes_have_their_labels(tmp_path: Path) -> None:
    recording = filled(tmp_path, NORWAY)
    assert recording.run(plugins=("pxweb",)).errors == []
    query = "SELECT count(*), any_value(value) FROM silver.pxweb_ssb_07221 WHERE status = '..'"
    assert recording.ask(query) == [(24, None)]
    names = "SELECT DISTINCT region, region_name, updated FROM silver.pxweb_ssb_07221 WHERE region IN ('001', 'TOTAL')"
    moment = dt.datetime(2024, 1, 12, 7)
    assert sorted(recording.ask(names)) == [("001", "Oslo med Bærum", moment), ("TOTAL", "Hele landet", moment)]


def test_a_dimension_that_was_left_out_is_never_mixed(tmp_path: Path) -> None:
    """Its rows would have one key: they are rejected, and so many refuse the answer."""
    recording = filled(tmp_path, "SSB/07221?Region=*&ContentsCode=Boligindeks&Tid=*", content=sent(NORWAY))
    context = recording.run(plugins=("pxweb",))
    assert "duplicate_key" in " ".join(context.errors)
    assert recording.ask("SELECT count(*) FROM silver.pxweb_ssb_07221") == [(0,)]


def test_the_answer_of_denmark_is_the_first_version(tmp_path: Path) -> None:
    dimension = {
        "OMRÅDE": {"label": "region", "category": {"index": {"000": 0, "101": 1}, "label": {"000": "All", "101": "C"}}},
        "Tid": {"label": "time", "category": {"index": {"2025K1": 0}, "label": {"2025K1": "2025K1"}}},
        "id": ["OMRÅDE", "Tid"],
        "size": [2, 1],
        "role": {"time": ["Tid"]},
    }
    content = json.dumps({"dataset": {"dimension": dimension, "value": [12, None], "updated": "2025-05-12T06:00:00Z"}})
    text = "DST/FOLK1A?OMR%C3%85DE=*&Tid=*"
    recording = filled(tmp_path, text, content=content.encode())
    assert recording.run(plugins=("pxweb",)).errors == []
    found = recording.ask("SELECT omrade, omrade_name, tid, value FROM silver.pxweb_dst_folk1a ORDER BY 1")
    assert found == [("000", "All", "2025K1", Decimal(12)), ("101", "C", "2025K1", None)]


def test_what_an_office_is_asked(tmp_path: Path, httpserver: HTTPServer) -> None:
    """On a real socket: queries in the body, and codes in the address."""
    texts = [NORWAY, FINLAND, "SCB/AM/X?Kon=1%2B2&Tid=*", "DST/FOLK1A?Tid=2024+2025", "EUROSTAT/nama?geo=AL+AT&time=*"]
    asked: list[tuple[str, Any]] = []

    def say(request: Request) -> Response:
        asked.append((request.path, request.get_json(silent=True) or parse_qs(request.query_string.decode())))
        return Response(status=400)

    httpserver.expect_request("").respond_with_handler(say)

    class Here:
        @hookimpl
        def datasets(self) -> list[DatasetKeymapEntry]:
            made = []
            for entry in plugin.datasets({"tables": texts}):
                assert isinstance(entry.recipe, RestRecipe)
                host = "/".join(entry.recipe.url.split("/")[:3])
                url = entry.recipe.url.replace(host, httpserver.url_for("").rstrip("/"))
                made.append(attrs.evolve(entry, recipe=attrs.evolve(entry.recipe, url=url, limits=()), opt_in=False))
            return made

    Warehouse(tmp_path / "home", Here()).run()
    told = dict(asked)
    assert told["/api/v0/en/table/07221"]["query"][:2] == [
        {"code": "Region", "selection": {"filter": "all", "values": ["*"]}},
        {"code": "Boligtype", "selection": {"filter": "item", "values": ["01", "02", "03"]}},
    ]
    finland = told["/PXWeb/api/v1/en/StatFin/vaerak/statfin_vaerak_pxt_11rc.px"]
    assert finland["query"][0] == {"code": "Vuosi", "selection": {"filter": "top", "values": ["3"]}}
    assert (finland["query"][2]["code"], finland["response"]) == ("Ikä", {"format": "json-stat2"})
    assert told["/OV0104/v1/doris/en/ssd/AM/X"]["query"][0]["selection"]["values"] == ["1+2"]
    variables = [{"code": "Tid", "values": ["2024", "2025"]}]
    assert told["/v1/data"] == {"table": "FOLK1A", "format": "JSONSTAT", "lang": "en", "variables": variables}
    wanted = {"format": ["JSON"], "lang": ["EN"], "geo": ["AL", "AT"]}
    assert told["/eurostat/api/dissemination/statistics/1.0/data/nama"] == wanted


def test_what_an_answer_lacks_is_gone_but_of_the_last_periods() -> None:
    whole, moving = plugin.datasets({"tables": [NORWAY, FINLAND]})
    assert (whole.semantics, moving.semantics) == ("snapshot", "upsert")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("SSP/1?A=1", "there is no office 'SSP'"),
        ("SSB/?A=1", "'' is no table"),
        ("SSB/../x?A=1", "is no table"),
        ("SSB/07221", "names no dimension"),
        ("SSB/07221?A=1+1", "dimension 'A' is not said"),
        ("SSB/07221?A=", "dimension 'A' is not said"),
        ("SSB/07221?A=*+1", "has codes beside"),
        ("SSB/07221?A=1&a=2", "two dimensions would be the column 'a'"),
        ("SSB/07221?A=1&as=Æ", "can be no name"),
        ("DST/X?A=top:3", "knows no top:"),
        ("STATFIN/x.px?A=top:400&B=top:301", "asks for 120,400 cells, and Statistics Finland answers 120,000 at most"),
    ],
)
def test_what_says_nothing_is_refused(text: str, reason: str) -> None:
    with pytest.raises(UsageError) as caught:
        plugin.datasets({"tables": [text]})
    assert reason in str(caught.value)
    assert caught.value.fix


def test_names_that_no_column_can_have() -> None:
    (entry,) = plugin.datasets({"tables": ["SSB/1?value=1&%E5%B9%B4=2&Ann%C3%A9e=3&2x=4"]})
    keys = [column.name for column in entry.columns if column.key]
    assert keys == ["dim_value", "dim_1", "annee", "dim_2x"]
    assert not plugin.datasets({})

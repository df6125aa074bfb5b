"""What the bundled plugins offer: each can be had as it is told, and says where, how often and at what price."""

from __future__ import annotations

import gzip
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from recorded import FOLDER, LATER

from sbf_core.api import Offer, PayloadRefused, VendorSearch
from sbf_core.home.home import Home
from sbf_core.reports.catalogue import Item, State, Wanted, search, wanted_of
from sbf_core.reports.catalogue_of_home import Catalogue, catalogue_of
from sbf_core.reports.how_to_have import with_offer
from sbf_core.settings.settings import Settings
from sbf_plugins.fred import plugin as fred
from sbf_plugins.sdmx import plugin as sdmx

#: Flows that are listed so that a reader need not know how to write a key.
LIST = b"""<Structure xmlns="http://www.sdmx.org/resources/sdmxml/schemas/v2_1/message"><Structures><Dataflows>%s
</Dataflows>%s</Structures></Structure>"""


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    return catalogue_of(Home(Settings(tmp_path_factory.mktemp("home"))))


def bundled(catalogue: Catalogue) -> list[Item]:
    return [one for one in catalogue.items if one.plugin.distribution == "sbf"]


def test_every_dataset_and_offer_says_what_it_is_about(catalogue: Catalogue) -> None:
    """An offer of a flow without a key does not know how often: its office says it."""
    assert catalogue.faults == []
    entries = [one.what for one in bundled(catalogue)]
    for one in bundled(catalogue):
        if isinstance(one.what, Offer) and one.what.options:
            options = with_offer(one.plugin.options, one.what)
            plugins = catalogue.home.plugins
            entries += plugins.call(one.plugin, "datasets", doing="", safe="", options=options)
    may_be_silent = [one for one in entries if isinstance(one, Offer) or "sdmx" in one.tags]
    for one in entries:
        assert one.title, one.id
        assert one.region, one.id
        assert one.cost, one.id
        assert one.terms, one.id
        assert one.frequency or one in may_be_silent, one.id


def test_every_offer_can_be_had_as_it_is_told(catalogue: Catalogue) -> None:
    offers = [one for one in bundled(catalogue) if one.state is State.OFFERED]
    assert len(offers) > 250
    for one in offers:
        how = catalogue.how(one)
        assert how.fault is None, f"{one.id}: {how.fault}"
        if isinstance(one.what, Offer) and one.what.asked_by:
            assert one.what.asked_by in catalogue.searches
            continue
        written = tomllib.loads("\n".join(how.lines))
        assert written == {"options": {one.plugin.name: with_offer({}, one.what)}}, one.id  # and that was tried
        assert how.command.startswith(f"sbf run --plugins {one.plugin.name}")


def test_ids_are_of_one_offer_each(catalogue: Catalogue) -> None:
    offers = [(one.plugin.name, one.id) for one in bundled(catalogue) if one.state is State.OFFERED]
    twice = {one for one in offers if offers.count(one) > 1}
    assert twice == {("sdmx", "BIS/WS_CBPOL")}  # by day and by month


@pytest.mark.parametrize(
    ("words", "filters", "first"),
    [
        ("yield curve", {}, "rates/treasury/par_yield_curve"),
        ("yield curve", {"region": ["EZ"]}, "ECB/YC"),
        ("inflation", {"region": ["brazil"]}, "433"),
        ("gdp", {"cost": ["free"], "frequency": ["quarter"], "region": ["europe"]}, "EUROSTAT/namq_10_gdp"),
        ("industry portfolios", {}, "10_Industry_Portfolios"),
        ("commitments of traders", {"terms": "public domain"}, "positions/cftc/legacy_futures"),
        ("policy rates", {"region": ["world"]}, "BIS/WS_CBPOL"),
        ("vix", {}, "VIX"),
        ("bitcoin", {"region": ["US"]}, "binance_us/BTC-USDT"),
        ("tiingo", {}, "prices/tiingo/eod"),
        ("members sp500", {"cost": ["paid"]}, "reference/fmp/sp500_constituents"),
    ],
)
def test_what_people_look_for_stands_first(
    catalogue: Catalogue, words: str, filters: dict[str, Any], first: str
) -> None:
    assert search(catalogue.items, wanted_of(words, **filters))[0].item.id == first


def searches(plugin: Any, words: str) -> dict[str, VendorSearch]:
    given = plugin.offers(words) if plugin is sdmx else plugin.offers()
    return {one.name: one for one in given if isinstance(one, VendorSearch)}


def recording(folder: Path, pattern: str) -> bytes:
    path = next(folder.glob(pattern), None)
    if path is None:
        pytest.skip(f"no recording {pattern} in {folder.name}")
    return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()


def test_a_recorded_list_of_flows() -> None:
    found = searches(sdmx, "policy")["bis"].read(recording(LATER, "bis/bis.structure__*"))
    assert len(found) == 32
    by_id = {one.id: one for one in found}
    assert by_id["BIS/WS_CBPOL"].title == "Central bank policy rates"
    assert (by_id["BIS/WS_CBPOL"].asked_by, by_id["BIS/WS_CBPOL"].region) == ("bis", ("world",))


def test_a_recorded_structure_gives_the_lines() -> None:
    asked = searches(sdmx, "istat/47_850")["istat"]
    assert (
        asked.recipe.url
        == "https://esploradati.istat.it/SDMXWS/rest/dataflow/all/47_850/latest?references=datastructure"
    )
    (found,) = asked.read(recording(LATER, "istat/istat.rest.dataflow__*"))
    names = "FREQ=.REF_AREA=.DATA_TYPE=.TYPE_SOCIO_EDUC_SERVICE=.TYPE_MANAGEMENT=.HOLDER_SECTOR_PUBPRIV="
    assert found.options["flows"] == (f"ISTAT/47_850/{names}",)
    assert found.title == "Socio-educational services for infancy day-care"
    (entry,) = sdmx.datasets({"flows": list(found.options["flows"])})
    assert entry.id == "statistics/istat/flow_47_850"


#: A flow whose name is too long, as a table has it.
CUT = "flow_an_extremely_long_name_of_a_flow_tha"
DIMENSIONS = (
    b'<DataStructures><DataStructure id="X"><DataStructureComponents><DimensionList>'
    b'<Dimension position="2" id="AREA"/><Dimension position="1"><ConceptIdentity><Ref id="FREQ"/></ConceptIdentity>'
    b'</Dimension><TimeDimension position="3" id="PER"/></DimensionList></DataStructureComponents></DataStructure>'
    b"</DataStructures>"
)


@pytest.mark.parametrize(
    ("flow", "text"),
    [
        ("EXR", "ECB/EXR/FREQ=.AREA=?time=PER"),
        ("ABC,EXR,1.0", "ECB/ABC,EXR,1.0/FREQ=.AREA=?time=PER"),
        (
            "AN_EXTREMELY_LONG_NAME_OF_A_FLOW_THAT_IS_NO_TABLE",
            f"ECB/AN_EXTREMELY_LONG_NAME_OF_A_FLOW_THAT_IS_NO_TABLE/FREQ=.AREA=?time=PER&as={CUT}",
        ),
    ],
)
def test_dimensions_in_the_order_of_the_office(flow: str, text: str) -> None:
    (found,) = searches(sdmx, f"ECB/{flow}")["ecb"].read(LIST % (b"", DIMENSIONS))
    assert found.options["flows"] == (text,)
    assert "write codes" in found.note
    assert sdmx.datasets({"flows": [text]})


def test_flows_of_other_agencies_and_languages() -> None:
    flows = (
        b'<Dataflow id="A" agencyID="ECB"><Name xml:lang="fr">Taux</Name><Name xml:lang="en">Rates  of\n it</Name>'
        b"</Dataflow>"
        b'<Dataflow id="B" agencyID="ECB.DISS"><Name>B of it</Name></Dataflow><Dataflow id="C" agencyID="ECB"/>'
        b'<Dataflow id="no/name" agencyID="ECB"/>'
    )
    found = searches(sdmx, "")["ecb"].read(LIST % (flows, b""))
    assert [(one.id, one.title) for one in found] == [
        ("ECB/A", "Rates of it"), ("ECB/ECB.DISS,B", "B of it"), ("ECB/C", "C"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("words", "payload", "said"),
    [
        ("", b"<!DOCTYPE x [<!ENTITY a 'b'>]><Structure/>", "document type declaration"),
        ("", b"<html/>", "no SDMX structure message but <html>"),
        ("", b"<Structure>", "no element found"),
        ("", b"", "no SDMX structure message"),
        ("ECB/EXR", LIST % (b"", b""), "no data structures"),
        ("ECB/EXR", LIST % (b"", DIMENSIONS + DIMENSIONS), "dimensions of 2 data structures"),
    ],
)
def test_what_is_no_answer_is_refused(words: str, payload: bytes, said: str) -> None:
    with pytest.raises(PayloadRefused, match=re.escape(said)):
        searches(sdmx, words)["ecb"].read(payload)


def test_a_recorded_search_of_fred() -> None:
    asked = searches(fred, "")["fred"]
    assert asked.judges
    found = asked.read(recording(FOLDER, "fred/fred.series.search__*"))
    assert len(found) == 16
    assert (found[0].id, found[0].frequency, found[0].cost) == ("BBKMCLA", ("month",), "free with key")
    assert dict(found[0].options) == {"series": ("BBKMCLA",)}
    assert fred.USUAL[0] in with_offer({}, found[0])["series"]  # it takes nothing away
    with pytest.raises(PayloadRefused, match="lists no series"):
        asked.read(b"{}")


def test_who_adds_a_series_keeps_the_usual_ones() -> None:
    shipped = [one for one in fred.offers() if isinstance(one, Offer)]
    assert len(shipped) > 80
    assert all(with_offer({}, one)["series"][:6] == list(fred.USUAL) for one in shipped)


def test_no_word_of_a_list_is_empty(catalogue: Catalogue) -> None:
    assert len(search(catalogue.items, Wanted())) == len(catalogue.items)

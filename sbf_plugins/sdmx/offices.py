"""The statistics offices whose SDMX service is known here: where it is, and how it wants to be asked.

What the README says of an office, and of where that was seen, is held against this table by a test.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from urllib.parse import urlsplit

import attrs

from sbf_core.api import Csv, SdmxCsv, SdmxJson, SdmxMl, UsageError

_PLACE = re.compile(r"https?://[A-Za-z0-9.:\[\]_/-]+[A-Za-z0-9\]]")

_CSV_1 = "application/vnd.sdmx.data+csv;version=1.0.0"
_CSV_2 = "application/vnd.sdmx.data+csv;version=2.0.0"
_GENERIC = "application/vnd.sdmx.genericdata+xml;version=2.1"
_SPECIFIC = "application/vnd.sdmx.structurespecificdata+xml;version=2.1"
_JSON_1 = "application/vnd.sdmx.data+json;version=1.0.0"


@attrs.frozen(kw_only=True)
class Asked:
    """How an office is asked for one format.

    Attributes:
        form: how the answer is written.
        accept: the media type that is sent as the header Accept; empty: the office looks at the address.
        query: what the address holds for it.
        shows_deletions: asked for what changed, the answer says what was deleted.
        has_labels: the answer holds the names of codes beside them.
    """

    form: Csv | SdmxCsv | SdmxJson | SdmxMl
    accept: str = ""
    query: str = ""
    shows_deletions: bool = False
    has_labels: bool = False


def _xml(accept: str = _GENERIC) -> Asked:
    return Asked(form=SdmxMl(), accept=accept, shows_deletions=True)


def _json(accept: str = _JSON_1, *, query: str = "") -> Asked:
    return Asked(form=SdmxJson(), accept=accept, query=query, shows_deletions=True, has_labels=True)


def _csv(accept: str = _CSV_1, *, query: str = "") -> Asked:
    return Asked(form=SdmxCsv(), accept=accept, query=query)


def _formats(value: Mapping[str, Asked]) -> Mapping[str, Asked]:
    return MappingProxyType(dict(value))


@attrs.frozen(kw_only=True)
class Office:
    """One service.

    Attributes:
        title: the office, for readers.
        region: what most of its data are about.
        data: address of data, with ``{flow}`` and ``{key}``.
        structure: address that lists the dimensions of a flow in their order, with ``{agency}`` and ``{flow}``.
        listing: address that lists all flows; empty: none is known.
        agency: whose flows they are where a flow names no agency.
        formats: how it is asked, by ``csv``, ``xml`` and ``json``; the first is the usual one.
        knows_updated_after: it can be asked for what changed since a moment.
        limits: how often it may be asked; what the office says, else what is polite.
        terms: of use.
        source_url: where the office describes the service.
    """

    title: str
    region: str
    data: str
    structure: str
    listing: str = ""
    agency: str
    formats: Mapping[str, Asked] = attrs.field(converter=_formats)
    knows_updated_after: bool = False
    limits: tuple[str, ...] = ("2/second",)
    terms: str
    source_url: str


NO_HOSTS: Mapping[str, str] = MappingProxyType({})


def hosts_of(texts: Iterable[str]) -> dict[str, str]:
    """``data-api.ecb.europa.eu=https://mirror.example.org`` by host.

    Raises ``UsageError`` for what is no host of an office, or no address.
    """
    known = sorted({urlsplit(address).netloc for each in OFFICES.values() for address in (each.data, each.structure)})
    hosts = {}
    for text in texts:
        host, _, address = text.partition("=")
        if host not in known or not _PLACE.fullmatch(address):
            fix = 'write the office\'s host and what stands in its place, "data-api.ecb.europa.eu=https://mirror.example.org"'
            what = f"{text!r} names no host of an office" if host not in known else f"{address!r} is no address"
            raise UsageError(what, where="[options.sdmx] hosts", fix=fix, code="OPTION")
        hosts[host] = address
    return hosts


def at_host(url: str, hosts: Mapping[str, str]) -> str:
    """An address, at the place that was named for its host."""
    parts = urlsplit(url)
    place = hosts.get(parts.netloc)
    return url if place is None else place + url.partition(parts.netloc)[2]


OFFICES: Mapping[str, Office] = MappingProxyType(
    {
        "ECB": Office(
            title="European Central Bank",
            region="EZ",
            data="https://data-api.ecb.europa.eu/service/data/{flow}/{key}",
            structure="https://data-api.ecb.europa.eu/service/dataflow/{agency}/{flow}?references=descendants",
            listing="https://data-api.ecb.europa.eu/service/dataflow/ECB",
            agency="ECB",
            # a CSV of its own: its first column is KEY, and it has no ACTION
            formats={
                "csv": Asked(form=Csv(), query="format=csvdata"),
                "xml": _xml(),
                "json": _json("application/vnd.sdmx.data+json;version=1.0.0-wd"),
            },
            knows_updated_after=True,
            terms="Source: ECB. Free reuse with the source named.",
            source_url="https://data.ecb.europa.eu/help/api/data",
        ),
        "EUROSTAT": Office(
            title="Eurostat",
            region="EU",
            data="https://ec.europa.eu/eurostat/api/dissemination/sdmx/2.1/data/{flow}/{key}",
            structure="https://ec.europa.eu/eurostat/api/dissemination/sdmx/2.1/dataflow/{agency}/{flow}"
            "?references=descendants",
            listing="https://ec.europa.eu/eurostat/api/dissemination/sdmx/2.1/dataflow/ESTAT/all?detail=allstubs",
            agency="ESTAT",
            formats={"csv": _csv("", query="format=SDMX-CSV"), "xml": _xml("")},
            terms="Source: Eurostat. Reuse with the source named (Commission Decision 2011/833/EU).",
            source_url="https://ec.europa.eu/eurostat/web/user-guides/data-browser/api-data-access",
        ),
        "OECD": Office(
            title="Organisation for Economic Co-operation and Development",
            region="world",
            data="https://sdmx.oecd.org/public/rest/data/{flow}/{key}",
            structure="https://sdmx.oecd.org/public/rest/dataflow/{agency}/{flow}/latest?references=descendants",
            listing="https://sdmx.oecd.org/public/rest/dataflow/all",
            agency="OECD",
            formats={
                "csv": Asked(form=SdmxCsv(), accept=_CSV_2, shows_deletions=True),
                "xml": _xml(),
                "json": _json(),
            },
            knows_updated_after=True,
            limits=("1/second", "60/hour"),
            terms="OECD terms and conditions (mostly CC BY 4.0).",
            source_url="https://www.oecd.org/en/data/insights/data-explainers/2024/09/api.html",
        ),
        "BIS": Office(
            title="Bank for International Settlements",
            region="world",
            data="https://stats.bis.org/api/v1/data/{flow}/{key}",
            structure="https://stats.bis.org/api/v1/dataflow/{agency}/{flow}/latest?references=descendants",
            listing="https://stats.bis.org/api/v1/dataflow/BIS/all/latest",
            agency="BIS",
            formats={"csv": _csv(), "xml": _xml(), "json": _json()},
            knows_updated_after=True,
            terms="BIS terms: reuse with the source named.",
            source_url="https://stats.bis.org/api-doc/v1/",
        ),
        "IMF": Office(
            title="International Monetary Fund",
            region="world",
            data="https://api.imf.org/external/sdmx/2.1/data/{flow}/{key}",
            structure="https://api.imf.org/external/sdmx/2.1/dataflow/{agency}/{flow}/latest?references=descendants",
            listing="https://api.imf.org/external/sdmx/2.1/dataflow",
            agency="all",
            formats={"xml": _xml(_SPECIFIC), "csv": _csv()},
            terms="IMF terms of use.",
            source_url="https://data.imf.org/en/Resource-Pages/IMF-API",
        ),
        "WORLDBANK": Office(
            title="World Bank, World Development Indicators",
            region="world",
            data="https://api.worldbank.org/v2/sdmx/rest/data/{flow}/{key}",
            structure="https://api.worldbank.org/v2/sdmx/rest/datastructure/{agency}/{flow}/1.0/?references=children",
            agency="WB",
            formats={"xml": _xml()},
            terms="CC BY 4.0, source: World Bank.",
            source_url="https://datahelpdesk.worldbank.org/knowledgebase/articles/1886701-sdmx-api-queries",
        ),
        "WITS": Office(
            title="World Bank, World Integrated Trade Solution",
            region="world",
            data="https://wits.worldbank.org/API/V1/SDMX/V21/rest/data/{flow}/{key}",
            structure="https://wits.worldbank.org/API/V1/SDMX/V21/rest/dataflow/{agency}/{flow}/latest?references=all",
            listing="https://wits.worldbank.org/API/V1/SDMX/V21/rest/dataflow/WBG_WITS",
            agency="WBG_WITS",
            formats={"xml": _xml("")},
            terms="CC BY 4.0, source: World Bank, WITS.",
            source_url="https://wits.worldbank.org/witsapiintro.aspx",
        ),
        "ISTAT": Office(
            title="Istituto nazionale di statistica",
            region="IT",
            data="https://esploradati.istat.it/SDMXWS/rest/data/{flow}/{key}",
            structure="https://esploradati.istat.it/SDMXWS/rest/dataflow/{agency}/{flow}/latest"
            "?references=datastructure",
            listing="https://esploradati.istat.it/SDMXWS/rest/dataflow/IT1",
            agency="all",
            formats={"xml": _xml(), "csv": _csv()},
            limits=("4/minute",),  # who asks more than five times a minute is shut out for a day
            terms="CC BY, source: Istat.",
            source_url="https://www.istat.it/en/classifications-and-tools/sdmx-web-service/",
        ),
        "INSEE": Office(
            title="Institut national de la statistique et des études économiques",
            region="FR",
            data="https://bdm.insee.fr/series/sdmx/data/{flow}/{key}",
            structure="https://bdm.insee.fr/series/sdmx/datastructure/{agency}/{flow}?references=children",
            listing="https://bdm.insee.fr/series/sdmx/dataflow/FR1",
            agency="FR1",
            # its updatedAfter cuts the history of a value, and is no question for what changed
            formats={"xml": _xml()},
            limits=("30/minute",),
            terms="Licence ouverte (Etalab), source: INSEE.",
            source_url="https://www.insee.fr/en/information/2868055",
        ),
        "BUNDESBANK": Office(
            title="Deutsche Bundesbank",
            region="DE",
            data="https://api.statistiken.bundesbank.de/rest/data/{flow}/{key}",
            structure="https://api.statistiken.bundesbank.de/rest/metadata/dataflow/{agency}/{flow}"
            "?references=descendants",
            listing="https://api.statistiken.bundesbank.de/rest/metadata/dataflow/BBK",
            agency="BBK",
            formats={"xml": _xml(), "json": _json()},
            terms="Source: Deutsche Bundesbank. Reuse with the source named.",
            source_url="https://www.bundesbank.de/en/statistics/time-series-databases/help-for-sdmx-web-service/"
            "web-service-interface-data",
        ),
        "NORGESBANK": Office(
            title="Norges Bank",
            region="NO",
            data="https://data.norges-bank.no/api/data/{flow}/{key}",
            structure="https://data.norges-bank.no/api/dataflow/{agency}/{flow}?references=descendants",
            listing="https://data.norges-bank.no/api/dataflow/NB",
            agency="NB",
            # a CSV of its own, with attributes among the dimensions
            formats={
                "csv": Asked(form=Csv(), query="format=csvdata"),
                "xml": _xml(),
                "json": _json("", query="format=sdmx-json"),
            },
            terms="Norwegian Licence for Open Government Data (NLOD), source: Norges Bank.",
            source_url="https://www.norges-bank.no/en/topics/Statistics/open-data/",
        ),
        "BOI": Office(
            title="Bank of Israel",
            region="IL",
            data="https://edge.boi.gov.il/FusionEdgeServer/sdmx/v2/data/dataflow/BOI.STATISTICS/{flow}/1.0/{key}",
            structure="https://edge.boi.gov.il/FusionEdgeServer/sdmx/v2/structure/dataflow/{agency}/{flow}/1.0"
            "?references=descendants",
            agency="BOI.STATISTICS",
            formats={"xml": _xml(), "csv": Asked(form=Csv(), query="format=csv")},
            terms="Bank of Israel terms of use.",
            source_url="https://www.boi.org.il/en/economic-roles/statistics/",
        ),
        "ABS": Office(
            title="Australian Bureau of Statistics",
            region="AU",
            data="https://data.api.abs.gov.au/rest/data/{flow}/{key}",
            structure="https://data.api.abs.gov.au/rest/dataflow/{agency}/{flow}/latest?references=descendants",
            listing="https://data.api.abs.gov.au/rest/dataflow/ABS",
            agency="ABS",
            formats={"csv": _csv("application/vnd.sdmx.data+csv"), "xml": _xml()},
            terms="CC BY 4.0, source: ABS.",
            source_url="https://www.abs.gov.au/about/data-services/application-programming-interfaces-apis/"
            "data-api-user-guide",
        ),
        "NBB": Office(
            title="National Bank of Belgium",
            region="BE",
            data="https://nsidisseminate-stat.nbb.be/rest/data/{flow}/{key}",
            structure="https://nsidisseminate-stat.nbb.be/rest/dataflow/{agency}/{flow}/latest?references=descendants",
            listing="https://nsidisseminate-stat.nbb.be/rest/dataflow/BE2",
            agency="BE2",
            formats={"csv": _csv(), "xml": _xml()},
            terms="NBB.Stat terms of use.",
            source_url="https://dataexplorer.nbb.be/",
        ),
    }
)
"""By the word that a flow begins with."""

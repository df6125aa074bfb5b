"""Plugins that begin with what another plugin proposes: flows of statistics offices by their names, on what offices
really sent, from a server on loopback in the place of their hosts.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from importlib.metadata import EntryPoint, PathDistribution
from pathlib import Path
from typing import Any

import pytest
from plugin_author import Author, is_sound
from pytest_httpserver import HTTPServer
from table_payloads import recorded_body
from werkzeug import Request, Response
from written import entry_of

from sbf_core.api import Csv, DataRules, ProposedDataset, RestRecipe, UsageError
from sbf_core.clock import SystemClock
from sbf_core.errors import PluginFault, SbfError
from sbf_core.plugin import proposals
from sbf_core.scaffold.from_plugin import propose_from_plugin
from sbf_core.scaffold.proposal import Proposal, Words
from sbf_core.scaffold.sdmx_structure import structure_of
from sbf_plugins.sdmx.proposals import proposed

TODAY = dt.date(2026, 11, 30)


class Office:
    """A server that answers at the paths of offices; what was asked, in order."""

    def __init__(self, server: HTTPServer) -> None:
        self.server = server
        self.asked: list[str] = []
        self.bodies: dict[str, bytes] = {}
        server.expect_request(re.compile(".*")).respond_with_handler(self._answer)

    def _answer(self, request: Request) -> Response:
        self.asked.append(request.full_path.rstrip("?"))
        body = next((body for path, body in self.bodies.items() if path in self.asked[-1]), None)
        return Response(b"", status=404) if body is None else Response(body, content_type="application/xml")

    def hosts(self, *names: str) -> list[str]:
        return [f"{name}={self.server.url_for('').rstrip('/')}" for name in names]


@pytest.fixture
def office(httpserver: HTTPServer) -> Office:
    return Office(httpserver)


def at(office: Office, text: str, host: str) -> Proposal:
    offered = proposed(text, options={"hosts": office.hosts(host)}, today=TODAY)
    return propose_from_plugin(Words(name="rates"), offered, clock=SystemClock())


def structure(*dimensions: str, codes: str = "", attributes: str = "") -> bytes:
    """A structure message of 2.1 with these dimensions, of which the first has a concept and codes."""
    listed = "".join(
        f'<s:Dimension id="{name}" position="{place}"><s:ConceptIdentity><Ref id="{name}"/></s:ConceptIdentity>'
        f'<s:LocalRepresentation><s:Enumeration><Ref id="CL_{name}"/></s:Enumeration></s:LocalRepresentation>'
        "</s:Dimension>"
        for place, name in enumerate(dimensions, start=1)
    )
    concept = f'<s:Concept id="{dimensions[0]}"><c:Name>Its name</c:Name></s:Concept>'
    text = (
        '<m:Structure xmlns:m="m" xmlns:s="s" xmlns:c="c"><m:Structures>'
        f'<s:Codelist id="CL_{dimensions[0]}">{codes}</s:Codelist><s:ConceptScheme>{concept}</s:ConceptScheme>'
        f'<s:DataStructure id="DSD"><c:Name>A flow</c:Name><s:DimensionList>{listed}<s:TimeDimension id="TIME_PERIOD"/>'
        f'</s:DimensionList><s:MeasureList><s:PrimaryMeasure id="OBS_VALUE"/></s:MeasureList>'
        f"<s:AttributeList>{attributes}</s:AttributeList></s:DataStructure>"
        "</m:Structures></m:Structure>"
    )
    return text.encode()


def message(**series: str) -> bytes:
    """A structure-specific message of 2.1: two years of months of one series."""
    held = " ".join(f'{name}="{code}"' for name, code in series.items())
    months = [f"{2023 + number // 12}-{number % 12 + 1:02d}" for number in range(24)]
    rows = "".join(f'<Obs TIME_PERIOD="{month}" OBS_VALUE="1.{place}5"/>' for place, month in enumerate(months))
    data = f'<m:DataSet action="Replace"><Series {held}>{rows}</Series></m:DataSet>'
    return f'<m:StructureSpecificData xmlns:m="m">{data}</m:StructureSpecificData>'.encode()


EXR = ("FREQ", "CURRENCY", "CURRENCY_DENOM", "EXR_TYPE", "EXR_SUFFIX")
RATES = message(FREQ="M", CURRENCY="USD", CURRENCY_DENOM="EUR", EXR_TYPE="SP00", EXR_SUFFIX="A", UNIT_MULT="0")
POLICY = message(FREQ="M", REF_AREA="CH")


ECB = "data-api.ecb.europa.eu"


def test_a_flow_of_the_ecb_by_its_name_alone(author: Author, office: Office) -> None:
    """``--from-sdmx ECB/EXR``, literally: all dimensions are columns, and what changed is asked for."""
    told = structure(*EXR, attributes='<s:Attribute id="UNIT_MULT"/><s:Attribute id="NOTE"/>')
    office.bodies = {"/dataflow/ECB/EXR": told, "/data/": RATES}
    (author.folder / "sbf-data").mkdir()
    hosts = ", ".join(f'"{host}"' for host in office.hosts(ECB))
    (author.folder / "sbf-data" / "sbf.toml").write_text(f"[options.sdmx]\nhosts = [{hosts}]\n")
    shown = author.new("rates", "--from-sdmx", "ECB/EXR")
    year = SystemClock().now().year - 1
    assert office.asked == [
        "/service/dataflow/ECB/EXR?references=descendants",
        f"/service/data/EXR/all?startPeriod={year}-01-01&updatedAfter=1970-01-01T23%3A00%3A00Z",
    ]
    assert "unsure: url: only a part is asked for, as the whole is too large for a sample" in shown
    text = (author.folder / "sbf-rates" / "sbf_rates" / "plugin.py").read_text()
    for line in (
        'currency_denom: str = column(key=True, source="CURRENCY_DENOM")',
        'period: str = column(key=True, source="TIME_PERIOD")',
        "updatedAfter={cursor}",
        'cursor=Cursor(by="moment", overlap_seconds=3600)',
        'members=("all",)',
        "is_data=DataRules(may_be_empty=True, none_status=(404,))",
        'doc="to be multiplied by ten to the power of unit_mult"',
        'deleted: str | None = column(source="action", optional=True, missing=(',
        'domain="statistics", source="ecb"',
        'title="A flow"',
        'terms="Source: ECB. Free reuse with the source named."',
    ):
        assert line in text, text
    is_sound(author, "rates", 24)
    assert author.sbf("plugins", "new", "other", "--from", "sdmx:ECB/EXR").returncode == 0


def test_what_the_ecb_really_sent(office: Office) -> None:
    office.bodies = {"/dataflow/": recorded_body("ecb-sdmx-r2-002"), "/data/": recorded_body("ecb-sdmx-r2-001")}
    proposal = at(office, "ECB/EXR", ECB)
    assert len(proposal.found.rows) == 252
    assert {"title", "unit", "obs_status", "deleted"} < {
        column.name for column in proposal.columns if not column.is_empty
    }
    assert entry_of(proposal).title == "Exchange Rates"


def test_a_key_says_what_is_asked_for_and_what_periods_are(office: Office) -> None:
    office.bodies = {"/dataflow/": structure(*EXR), "/data/": RATES}
    proposal = at(office, "ECB/EXR/M.USD.EUR.SP00.A", ECB)
    assert office.asked[1].startswith("/service/data/EXR/M.USD.EUR.SP00.A?updatedAfter=")
    columns = {column.name: column for column in proposal.columns}
    assert (columns["period"].python, columns["period"].row_date) == ("dt.date", True)
    assert not any(doubt.startswith("url: ") for doubt in proposal.doubts)
    entry = entry_of(proposal)
    assert (entry.members, entry.horizon) == (("M.USD.EUR.SP00.A",), "any")
    several = at(office, "ECB/EXR/M+D.USD.EUR.SP00.A", ECB)
    assert next(column.python for column in several.columns if column.name == "period") == "str", "days and months"
    whole = entry_of(at(office, "ECB/EXR/FREQ=M.USD.EUR.SP00.A?ask=whole&format=xml&since=1999", ECB))
    assert isinstance(whole.recipe, RestRecipe)
    assert (str(whole.semantics), whole.recipe.cursor) == ("snapshot", None)
    assert whole.recipe.url.endswith("/{ticker}?startPeriod=1999")


#: By office: the flow, its host, the recorded answer, how many observations; each has a structure that fits it.
OFFICES: dict[str, tuple[str, str, str, tuple[str, ...], int]] = {
    "OECD": ("OECD/OECD,TOURISM?format=json&ask=whole", "sdmx.oecd.org", "oecd-sdmx-r2-003",
             ("COUNTRY", "VARIABLE"), 0),
    "BIS": ("BIS/WS_CBPOL?format=xml", "stats.bis.org", "bis-r2-001", ("FREQ", "REF_AREA"), 3),
    "EUROSTAT": ("EUROSTAT/cdh_e_fos?format=xml", "ec.europa.eu", "eurostat-sdmx-r2-004",
                 ("FREQ", "UNIT", "Y_GRAD", "FOS07", "GEO"), 672),
    "INSEE": ("INSEE/CNA-2010-CONSO-SI-A17", "bdm.insee.fr", "insee-sdmx-r2-002",
              ("SECT-INST", "OPERATION", "PRODUIT", "PRIX"), 2),
    "IMF": ("IMF/WEO", "api.imf.org", "imf-sdmx-r2-002", ("COUNTRY", "INDICATOR", "FREQUENCY"), 1),
    "NBB": ("NBB/TEST_DATASET?format=xml", "nsidisseminate-stat.nbb.be", "nbb-sdmx-r2-001",
            ("SUBJECT", "LOCATION", "FREQUENCY"), 200),
    "WITS": ("WITS/TARIFF_TRAINS", "wits.worldbank.org", "worldbank-sdmx-r2-001",
             ("FREQ", "REPORTER", "PARTNER", "PRODUCTCODE", "DATATYPE"), 1),
    "NORGESBANK": ("NORGESBANK/EXR", "data.norges-bank.no", "cb-nb-0339",
                   ("FREQ", "BASE_CUR", "QUOTE_CUR", "TENOR"), 266),
}  # fmt: skip


@pytest.mark.parametrize("name", OFFICES)
def test_what_other_offices_sent(office: Office, name: str) -> None:
    text, host, payload_id, dimensions, count = OFFICES[name]
    office.bodies = {"/data/": recorded_body(payload_id), "references=": structure(*dimensions)}
    proposal = at(office, text, host)
    assert count in (0, len(proposal.found.rows))
    keys = [column.source for column in proposal.columns if column.key]
    assert keys == [*dimensions, "TIME_PERIOD"]
    entry = entry_of(proposal)
    assert entry.terms
    assert entry.source == name.lower()


def test_names_of_codes_are_told(office: Office) -> None:
    """As documentation of the columns, and as a table in the README."""
    codes = "".join(
        f'<s:Code id="{code}"><c:Name>{title}</c:Name></s:Code>' for code, title in (("M", "Monthly"), ("D", "Daily"))
    )
    told = structure_of(structure("FREQ", "REF_AREA", codes=codes), where="x")
    assert told.codes == {"FREQ": {"M": "Monthly", "D": "Daily"}}
    office.bodies = {"/data/": POLICY, "references=": structure("FREQ", "REF_AREA", codes=codes)}
    proposal = at(office, "BIS/WS_CBPOL/M.CH?format=xml", "stats.bis.org")
    assert next(column.doc for column in proposal.columns if column.name == "freq") == "Its name: M Monthly"
    assert "| Its name (`FREQ`) | `M` | Monthly |" in proposal.notes
    with pytest.raises(UsageError, match="FREQ has no code 'X'") as refused:
        at(office, "BIS/WS_CBPOL/X.CH?format=xml", "stats.bis.org")
    assert refused.value.fix == "its codes are M, D"
    with pytest.raises(UsageError, match="has 1 parts, and DSD has 2 dimensions") as short:
        at(office, "BIS/WS_CBPOL/M?format=xml", "stats.bis.org")
    assert short.value.fix is not None
    assert short.value.fix.endswith("e.g. M.")


def test_less_is_asked_for_where_the_whole_is_too_large_and_more_where_there_is_nothing(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sbf_core.scaffold.fetch_once.SAMPLE_BYTES_MAX", 1024**2)
    large, small = b" " * 2 * 1024**2, POLICY
    office.bodies = {
        "references=": structure("FREQ", "REF_AREA"),
        "startPeriod=2025-01-01": large,
        "startPeriod": small,
    }
    proposal = at(office, "BIS/WS_CBPOL", "stats.bis.org")
    assert [re.findall(r"startPeriod=([\d-]+)", one) for one in office.asked[1:]] == [["2025-01-01"], ["2026-10-01"]]
    assert any("only a part is asked for" in doubt for doubt in proposal.doubts)
    office.asked.clear()
    office.bodies = {"references=": structure("FREQ", "REF_AREA"), "/all?updatedAfter": small}
    proposal = at(office, "BIS/WS_CBPOL", "stats.bis.org")
    assert len(office.asked) == 3, "this year has nothing; the whole has"
    assert not any("only a part is asked for" in doubt for doubt in proposal.doubts)
    office.bodies = {"references=": structure("FREQ", "REF_AREA"), "/": large}
    with pytest.raises(UsageError, match="too large for a sample") as refused:
        at(office, "BIS/WS_CBPOL", "stats.bis.org")
    assert refused.value.fix == "let less through: name codes in the key, or since="


WRONG = {
    "ECX/EXR": ("there is no office 'ECX'", "use one of ECB"),
    "ECB": ("is no OFFICE/FLOW/KEY", "write e.g."),
    "ECB/EXR/D.U SD": ("'U SD' is no part of a key", "write codes with +"),
    "ECB/EXR?periods=days": ("periods= is for flows in sbf.toml", "since=, format=, ask= remain"),
    "ECB/EXR?format=pdf": ("format is 'pdf'", "csv|xml|json"),
    "INSEE/X?format=csv": ("gives no csv", "format=xml"),
    "ECB/EXR?since=1.1.2000": ("since is '1.1.2000'", "2010-01-31"),
}


@pytest.mark.parametrize("text", WRONG)
def test_what_is_wrong_is_refused_with_what_to_write(text: str) -> None:
    with pytest.raises(UsageError) as refused:
        proposed(text, options={}, today=TODAY)
    assert WRONG[text][0] in refused.value.what
    assert WRONG[text][1] in str(refused.value.fix)
    assert refused.value.where == "--from-sdmx"


def test_hosts_that_are_none() -> None:
    for host in ("x.example.com=http://127.0.0.1", "data-api.ecb.europa.eu", "data-api.ecb.europa.eu=ftp://x"):
        with pytest.raises(UsageError) as refused:
            proposed("ECB/EXR", options={"hosts": [host]}, today=TODAY)
        assert refused.value.where == "[options.sdmx] hosts"


def with_proposer(monkeypatch: pytest.MonkeyPatch, function: Any) -> None:
    """A plugin ``mine`` that an installed package brings."""

    class Point(EntryPoint):
        def load(self) -> Any:
            return function

    monkeypatch.setattr(proposals, "entry_points", lambda group: [Point("mine", "x:y", group)])


def test_any_plugin_can_propose(monkeypatch: pytest.MonkeyPatch, httpserver: HTTPServer) -> None:
    """One that speaks no SDMX: the columns come from the answer."""
    lines = "".join(f"2024-01-{day:02d};{day},5\n" for day in range(1, 29))
    httpserver.expect_request("/series/GDP").respond_with_data(f"day;value\n{lines}", content_type="text/csv")

    def propose(text: str, *, options: Mapping[str, Any], today: dt.date) -> ProposedDataset:
        assert (options, today) == ({"a": 1}, TODAY)
        url = httpserver.url_for("/series/") + "{ticker}"
        return ProposedDataset(
            recipe=RestRecipe(url=url, extension="csv"), source="bank", member=text, title="GDP of a bank",
            format=Csv(delimiter=";", decimal=","), is_data=DataRules(none_status=(404,)), terms="free",
        )  # fmt: skip

    with_proposer(monkeypatch, propose)
    with pytest.raises(UsageError, match="plugin 'mine' is blocked in the settings"):
        proposals.proposed("mine", "GDP", options={}, today=TODAY, block=("mine",))
    assert list(proposals.proposers()) == ["mine"]
    offered = proposals.proposed("mine", "GDP", options={"a": 1}, today=TODAY)
    proposal = propose_from_plugin(Words(name="gdp"), offered, clock=SystemClock())
    entry = entry_of(proposal)
    assert (entry.source, entry.members, entry.title, entry.key_columns) == (
        "bank", ("GDP",), "GDP of a bank", ("ticker", "day")
    )  # fmt: skip
    assert entry.format == Csv(delimiter=";", decimal=",")
    assert entry.is_data.none_status == (404,)


@pytest.mark.parametrize(
    ("function", "kind", "what"),
    [
        (lambda text, **_: None, PluginFault, "its proposal is NoneType, and no ProposedDataset"),
        (lambda text, **_: 1 / 0, PluginFault, "ZeroDivisionError: division by zero"),
        (lambda text: None, PluginFault, "unexpected keyword argument"),
    ],
)
def test_a_plugin_that_proposes_nonsense(
    monkeypatch: pytest.MonkeyPatch, function: Any, kind: type[SbfError], what: str
) -> None:
    with_proposer(monkeypatch, function)
    with pytest.raises(kind) as fault:
        proposals.proposed("mine", "GDP", options={}, today=TODAY)
    assert what in fault.value.what
    with pytest.raises(UsageError, match="no plugin 'mina' proposes datasets"):
        proposals.proposed("mina", "GDP", options={}, today=TODAY)


def test_two_packages_of_one_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    points = []
    for package in ("bank-a", "bank-b"):
        info = tmp_path / f"{package}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1\n")
        point = EntryPoint("bank", "x:y", proposals.GROUP)
        vars(point).update(dist=PathDistribution(info))
        points.append(point)
    monkeypatch.setattr(proposals, "entry_points", lambda group: points)
    with pytest.raises(UsageError, match="two packages propose datasets as 'bank': bank-a and bank-b"):
        proposals.proposed("bank", "x", options={}, today=TODAY)


def test_a_proposal_that_contradicts_itself() -> None:
    recipe = RestRecipe(url="https://example.com/{ticker}")
    for facts in ({}, {"member": "a", "begins_narrow": True}, {"member": "a", "source": "No Name"}):
        with pytest.raises(UsageError):
            ProposedDataset(**{"recipe": recipe, "source": "bank", **facts})

"""``sbf plugins new --from-sdmx``: dimensions and attributes come from the office's data structure, and not from a look
at a sample.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from plugin_author import Author, is_whole
from pytest_httpserver import HTTPServer
from table_payloads import recorded_body
from werkzeug import Request, Response

from sbf_core.errors import UsageError
from sbf_core.scaffold.proposal import Proposal, Sampled, Words
from sbf_core.scaffold.sdmx_proposal import propose_sdmx
from sbf_core.scaffold.sdmx_structure import DataStructure, structure_of

MESSAGE = '<m:Structure xmlns:m="m" xmlns:s="s" xmlns:c="c"><m:Structures>{}</m:Structures></m:Structure>'
STRUCTURE = MESSAGE.format(
    '<s:Dataflow id="RATES"><c:Name xml:lang="de">Kurse</c:Name><c:Name xml:lang="en">Rates of a bank</c:Name>'
    '<s:Structure><Ref id="DSD" class="DataStructure"/></s:Structure></s:Dataflow>'
    '<s:DataStructure id="DSD"><c:Name>A structure</c:Name><s:DataStructureComponents>'
    '<s:AttributeList><s:Attribute id="UNIT"/><s:Attribute id="OBS_STATUS"/><s:Attribute id="NOTE"/></s:AttributeList>'
    '<s:DimensionList><s:Dimension id="CURRENCY" position="2"/><s:Dimension position="1"><s:ConceptIdentity>'
    '<Ref id="FREQ" class="Concept"/></s:ConceptIdentity></s:Dimension><s:TimeDimension id="TIME_PERIOD"/>'
    '</s:DimensionList><s:MeasureList><s:PrimaryMeasure id="OBS_VALUE"/></s:MeasureList>'
    "</s:DataStructureComponents></s:DataStructure>"
)
#: An attribute stands among the dimensions, as Norges Bank writes it, and ``DECIMALS`` is of no structure.
DATA = (
    "FREQ,CURRENCY,UNIT,DECIMALS,TIME_PERIOD,OBS_VALUE,OBS_STATUS\n"
    + "".join(f"M,USD,USD,4,2024-{month:02d},1.0{month},A\n" for month in range(1, 13))
    + "M,007,XXX,4,2024-01,NaN,M\n"
)


def proposed(structure: str | bytes, data: str | bytes, **words: str) -> Proposal:
    given = structure.encode() if isinstance(structure, str) else structure
    sample = data.encode() if isinstance(data, str) else data
    told = structure_of(given, where="structure")
    moment = dt.datetime(2026, 11, 30, tzinfo=dt.UTC)
    return propose_sdmx(
        Words(name="rates", **words),
        Sampled(payload=sample, fetched_at=moment),
        told,
        template=None,
        where="data",
    )


def test_the_components_of_a_structure() -> None:
    """By their positions, by the id of the concept where they have none, with the flow's name in English."""
    assert structure_of(STRUCTURE.encode(), where="x") == DataStructure(
        id="DSD",
        title="Rates of a bank",
        dimensions=("FREQ", "CURRENCY"),
        time="TIME_PERIOD",
        measure="OBS_VALUE",
        attributes=("UNIT", "OBS_STATUS", "NOTE"),
    )


def test_what_istat_and_the_ecb_really_send() -> None:
    istat = structure_of(recorded_body("istat-r2-001"), where="x")
    assert istat.title == "Socio-educational services for infancy day-care"
    assert istat.dimensions == (
        "FREQ", "REF_AREA", "DATA_TYPE", "TYPE_SOCIO_EDUC_SERVICE", "TYPE_MANAGEMENT", "HOLDER_SECTOR_PUBPRIV"
    )  # fmt: skip
    assert (istat.time, istat.measure, istat.attributes[0]) == ("TIME_PERIOD", "OBS_VALUE", "OBS_STATUS")
    ecb = structure_of(recorded_body("ecb-sdmx-r2-002"), where="x")
    assert ecb.dimensions == ("FREQ", "CURRENCY", "CURRENCY_DENOM", "EXR_TYPE", "EXR_SUFFIX")
    assert {"TITLE", "UNIT", "OBS_STATUS", "COLLECTION"} < set(ecb.attributes)
    for payload_id in ("bis-r2-002", "imf-sdmx-r2-003"):  # dataflows without their structures
        with pytest.raises(UsageError, match="holds no data structure with components"):
            structure_of(recorded_body(payload_id), where="x")
    with pytest.raises(UsageError, match="is no SDMX structure message but <GenericData>"):
        structure_of(recorded_body("ecb-sdmx-r2-001"), where="x")


def test_dimensions_are_the_key_whatever_stands_beside_them(loaded: Callable[[Proposal], list[dict[str, Any]]]) -> None:
    proposal = proposed(STRUCTURE, DATA)
    assert [column.name for column in proposal.columns if column.key] == ["freq", "currency", "period"]
    assert proposal.words.title == "Rates of a bank"
    rows = loaded(proposal)
    assert list(rows[0]) == ["freq", "currency", "period", "value", "unit", "obs_status"], "NOTE is a comment"
    assert rows[0] == {
        "freq": "M", "currency": "USD", "period": dt.date(2024, 1, 1), "value": Decimal("1.01"), "unit": "USD",
        "obs_status": "A",
    }  # fmt: skip
    assert (rows[-1]["currency"], rows[-1]["value"]) == ("007", None)
    assert "period: all periods of the sample are months; a text (str) takes all kinds" in proposal.doubts
    months = [dt.date(2000 + number // 12, number % 12 + 1, 1) for number in range(300)]
    lines = [f"M,USD,USD,4,{day:%Y-%m},1,A\n" for day in months if day.weekday() < 5]
    head = DATA.partition("\n")[0] + "\n"
    assert not proposed(STRUCTURE, head + "".join(lines)).weekdays_only, "first days of months say nothing of weekends"


@pytest.mark.parametrize(
    ("structure", "data", "what"),
    [
        ("<html/>", DATA, "is no SDMX structure message but <html>"),
        ("no xml", DATA, "is no SDMX structure message: syntax error"),
        ("<!DOCTYPE a [<!ENTITY b 'c'>]><a/>", DATA, "with a document type declaration"),
        (MESSAGE.format(""), DATA, "holds no data structure with components"),
        (STRUCTURE.replace("</m:Structures>", STRUCTURE.partition("<m:Structures>")[2]), DATA, ""),
        (STRUCTURE.replace('<s:PrimaryMeasure id="OBS_VALUE"/>', '<s:Measure id="A"/><s:Measure id="B"/>'), DATA,
         "measures A, B, and a row has one value"),
        (STRUCTURE, DATA.replace("CURRENCY", "CUR"), "no observation has CURRENCY, of the structure DSD"),
        (STRUCTURE, DATA.replace(",1.0", ",,1.0"), "is no row: ragged"),
        (STRUCTURE, DATA.partition("\n")[0], "the message has no observation"),
        (STRUCTURE, "<html/>", "is no SDMX-ML data message but <html>"),
        (STRUCTURE, "{}", "is no SDMX-JSON data message"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(structure: str, data: str, what: str) -> None:
    if not what:
        structure = MESSAGE.format(STRUCTURE.partition("<m:Structures>")[2].partition("</m:Structures>")[0] * 2)
        what = "holds 2 data structures with components"
    with pytest.raises(UsageError) as refused:
        proposed(structure, data)
    assert what in refused.value.what
    assert refused.value.fix


def test_a_flow_of_istat_from_two_addresses(author: Author, httpserver: HTTPServer) -> None:
    """What Istat sent, at the addresses at which it did, from a server on loopback."""
    bodies = {
        "/SDMXWS/rest/dataflow/all/47_850/latest": recorded_body("istat-r2-001"),
        "/SDMXWS/rest/data/47_850/A.001001+001002.AUTP.ALL.ALL.1": recorded_body("istat-r2-002"),
    }
    asked: list[str] = []

    def answer(request: Request) -> Response:
        asked.append(request.full_path.rstrip("?"))
        return Response(bodies[request.path], content_type="application/xml")

    for path in bodies:
        httpserver.expect_request(path).respond_with_handler(answer)
    structure, data = map(httpserver.url_for, bodies)
    shown = author.new(
        "services", "--from-url", data, "--from-sdmx", structure + "?references=datastructure", "--domain", "people",
        "--terms", "CC BY, source: Istat",
    )  # fmt: skip
    count = recorded_body("istat-r2-002").count(b"<generic:Obs>")
    assert asked == [
        "/SDMXWS/rest/dataflow/all/47_850/latest?references=datastructure",
        "/SDMXWS/rest/data/47_850/A.001001+001002.AUTP.ALL.ALL.1",
    ]
    assert f"{count} rows of xml" in shown
    text = (author.folder / "sbf-services" / "sbf_services" / "plugin.py").read_text()
    assert 'ref_area: str = column(key=True, source="REF_AREA")' in text
    assert "format=SdmxMl()" in text
    assert '# note_ds: str | None = column(source="NOTE_DS", optional=True)' in text
    assert 'title="Socio-educational services for infancy day-care"' in text
    is_whole(author, "services", count)
    rows = author.rows("SELECT ref_area, year(period) AS y, value FROM silver.services ORDER BY 1, 2 LIMIT 2")
    assert [(row["ref_area"], row["y"], Decimal(row["value"])) for row in rows] == [
        ("001001", 2013, Decimal(0)), ("001001", 2014, Decimal(20))
    ]  # fmt: skip


def test_rates_of_the_ecb_from_two_files(author: Author) -> None:
    (author.folder / "dsd.xml").write_bytes(recorded_body("ecb-sdmx-r2-002"))
    (author.folder / "data.xml").write_bytes(recorded_body("ecb-sdmx-r2-001"))
    author.new("rates", "--from-file", "data.xml", "--from-sdmx", "dsd.xml", "--domain", "fx", "--terms", "free")
    is_whole(author, "rates", 252)


def test_a_flow_as_csv_and_what_is_told_of_wrong_options(author: Author, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/dsd").respond_with_data(STRUCTURE, content_type="application/xml")
    httpserver.expect_request("/data").respond_with_data("DATAFLOW," + DATA.replace("\nM", "\nB:R(1.0),M"))
    data, structure = httpserver.url_for("/data"), httpserver.url_for("/dsd")
    for options, what in (
        (["--from-sdmx", structure], "--from-sdmx says what the columns are, of data that --from-url or --from-file"),
        (["--from-url", data, "--from-sdmx", structure, "--key", "a"], "without --key, --row-date and --rows-at"),
        (["--from-url", data, "--from-sdmx", "ECB/EXR"], "'ECB/EXR' is neither an address nor a file"),
        (["--from-url", data, "--from-sdmx", httpserver.url_for("/none")], "the address gives no payload"),
        (["--from-url", data, "--from-sdmx", data], "is no SDMX structure message"),
    ):
        done = author.sbf("plugins", "new", "rates", *options)
        assert done.returncode == 2
        assert what in done.stderr
        assert not Path(author.folder / "sbf-rates").exists()
    author.new("rates", "--from-url", data, "--from-sdmx", structure, "--domain", "fx", "--terms", "free")
    assert "format=SdmxCsv()" in (author.folder / "sbf-rates" / "sbf_rates" / "plugin.py").read_text()
    is_whole(author, "rates", 13)

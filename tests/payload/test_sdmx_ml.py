"""SDMX-ML: generic or structure-specific, by series or flat, and what deletes is never a value."""

from __future__ import annotations

import collections
import re
from pathlib import Path

import pytest
from table_payloads import recorded_body, records_of, rows_of

from sbf_core.dataset.columns import Column
from sbf_core.dataset.formats_of_statistics import SdmxMl
from sbf_core.errors import PayloadRefused

GENERIC = (
    '<m:GenericData xmlns:m="m" xmlns:g="g">'
    "<m:Header><m:Prepared>2024-05-01</m:Prepared>"
    '<m:Structure dimensionAtObservation="{at}"/></m:Header>'
    "{body}</m:GenericData>"
)
SPECIFIC = (
    '<m:StructureSpecificData xmlns:m="m" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
    "{body}</m:StructureSpecificData>"
)


def generic(body: str, at: str = "TIME_PERIOD") -> str:
    return GENERIC.format(body=f"<m:DataSet>{body}</m:DataSet>", at=at)


def values(kind: str, **named: str) -> str:
    return (
        f"<g:{kind}>"
        + "".join(f'<g:Value id="{name}" value="{value}"/>' for name, value in named.items())
        + f"</g:{kind}>"
    )


def test_graduates_of_eurostat(tmp_path: Path) -> None:
    body = recorded_body("eurostat-sdmx-r2-004")
    found = rows_of(
        tmp_path, SdmxMl(), body, "UNIT", "Y_GRAD", "FOS07", "GEO", "TIME_PERIOD", "value", "OBS_STATUS", "action"
    )
    assert len(found) == body.count(b"<generic:Obs>") == 672
    assert found[0] == ("PC", "TOTAL", "FOS1", "AT", "2009", "NaN", "na", "Append")
    assert collections.Counter(row[5] == "NaN" for row in found)[True] == body.count(b'value="NaN"') == 426
    assert collections.Counter(row[6] for row in found)["na"] == body.count(b'id="OBS_STATUS" value="na"')


def test_an_answer_that_is_to_come_later_is_no_data(tmp_path: Path) -> None:
    with pytest.raises(
        PayloadRefused,
        match="tells an error in its footer: 413 Due to the large query the response will be written to a file",
    ):
        records_of(tmp_path, SdmxMl(), recorded_body("eurostat-sdmx-r2-001"), "value")


@pytest.mark.parametrize(
    ("payload_id", "fields", "count", "first"),
    [
        ("eurostat-sdmx-r2-003", ("GEO", "TIME_PERIOD", "OBS_VALUE", "OBS_FLAG"), 43, ("AL", "2017", "9820.6", "e")),
        ("ecb-sdmx-r2-001", ("CURRENCY", "TIME_PERIOD", "value", "OBS_STATUS", "UNIT_MULT", "validFromDate"), 252,
         ("USD", "1999-01", "1.16078", "A", "0", "2020-01-16T08:16:20.341+01:00")),
    ],
)  # fmt: skip
def test_generic_messages(
    tmp_path: Path, payload_id: str, fields: tuple[str, ...], count: int, first: tuple[str, ...]
) -> None:
    body = recorded_body(payload_id)
    found = rows_of(tmp_path, SdmxMl(), body, *fields)
    assert len(found) == len(re.findall(rb"<\w+:Obs>", body)) == count
    assert found[0] == first


def _id(vendor: str, part: str) -> str:
    import json

    from table_payloads import _DATA

    manifest = _DATA / "recorded2" / "MANIFEST.jsonl"
    if not manifest.exists():
        pytest.skip("no recorded payloads")
    rows = [json.loads(line) for line in manifest.read_text(encoding="utf-8").splitlines()]
    return next(row["id"] for row in rows if row["vendor"] == vendor and part in row["file"])


def test_holidays_of_the_bundesbank_have_no_value(tmp_path: Path) -> None:
    body = recorded_body(_id("cb-bbk", "sdmx.data"))
    found = rows_of(tmp_path, SdmxMl(), body, "TIME_PERIOD", "value", "OBS_STATUS")
    assert (len(found), sum(row[1] is None for row in found)) == (214, 66)
    assert {row[2] for row in found if row[1] is None} == {"K"}


def test_version_2_0_of_the_national_bank_of_belgium(tmp_path: Path) -> None:
    found = rows_of(
        tmp_path,
        SdmxMl(),
        recorded_body(_id("nbb-sdmx", "sdmx20")),
        "SUBJECT",
        "LOCATION",
        "TIME_PERIOD",
        "value",
        "TIME_FORMAT",
    )
    assert len(found) == 200
    assert found[0] == ("LOCSTL04", "AUS", "1966-02", "98.68823", "P1M")


def test_the_structure_specific_form_of_the_imf(tmp_path: Path) -> None:
    body = recorded_body(_id("imf-sdmx", "CompactData"))
    found = rows_of(tmp_path, SdmxMl(), body, "FREQ", "COMMODITY", "UNIT_MEASURE", "TIME_PERIOD", "value", "prepared")
    assert len(found) == len(re.findall(rb"<Obs ", body))
    assert found[0][:2] == ("M", "PZINC")
    first = re.search(rb'<Obs TIME_PERIOD="([^"]+)" OBS_VALUE="([^"]+)"', body)
    assert first is not None
    assert found[0][3:5] == (first[1].decode(), first[2].decode())
    assert found[0][5] == "2025-01-09T12:59:18"


@pytest.mark.parametrize("vendor", ["istat", "insee-sdmx", "cb-boi", "cb-nb", "bis", "worldbank-sdmx"])
def test_other_offices(tmp_path: Path, vendor: str) -> None:
    body = recorded_body(
        _id(vendor, "series__" if vendor == "insee-sdmx" else "data__" if vendor == "istat" else ".data")
    )
    observations = len(re.findall(rb"<(?:\w+:)?Obs[ >]", body))
    found = rows_of(tmp_path, SdmxMl(), body, "TIME_PERIOD", "value")
    assert len(found) == observations > 0
    assert all(row[0] for row in found)


def test_all_dimensions_at_the_observation(tmp_path: Path) -> None:
    observation = (
        "<g:Obs>"
        + values("ObsKey", GEO="007", TIME_PERIOD="2024")
        + '<g:ObsValue value="1.10"/>'
        + values("Attributes", STATUS="p")
        + "</g:Obs>"
    )
    assert rows_of(
        tmp_path, SdmxMl(), generic(observation, "AllDimensions"), "GEO", "TIME_PERIOD", "OBS_VALUE", "STATUS"
    ) == [("007", "2024", "1.10", "p")]
    flat = SPECIFIC.format(
        body='<m:DataSet action="Replace" xsi:type="x"><Obs GEO="007" TIME_PERIOD="2024" OBS_VALUE="1.10"/></m:DataSet>'
    )
    assert rows_of(tmp_path, SdmxMl(), flat, "GEO", "value", "action") == [("007", "1.10", "Replace")]


def test_another_dimension_at_the_observation(tmp_path: Path) -> None:
    body = (
        "<g:Series>"
        + values("SeriesKey", TIME_PERIOD="2024")
        + '<g:Obs><g:ObsDimension value="NA"/><g:ObsValue value="1"/></g:Obs></g:Series>'
    )
    assert rows_of(tmp_path, SdmxMl(), generic(body, "GEO"), "GEO", "TIME_PERIOD", "value") == [("NA", "2024", "1")]


def test_a_group_holds_for_the_series_of_its_part_of_the_key(tmp_path: Path) -> None:
    body = (
        "<m:DataSet>"
        '<Group xsi:type="g" GEO="A" TITLE="of A"/>'
        + "".join(f'<Series FREQ="M" GEO="{geo}"><Obs TIME_PERIOD="2024" OBS_VALUE="1"/></Series>' for geo in "AB")
        + "</m:DataSet>"
    )
    assert rows_of(tmp_path, SdmxMl(), SPECIFIC.format(body=body), "GEO", "TITLE") == [("A", "of A"), ("B", None)]


def test_a_deletion_is_refused_until_a_column_takes_the_action(tmp_path: Path) -> None:
    body = SPECIFIC.format(
        body='<m:DataSet action="Append"><Series GEO="A"><Obs TIME_PERIOD="2023" OBS_VALUE="1"/></Series></m:DataSet>'
        '<m:DataSet action="Delete"><Series GEO="A"><Obs TIME_PERIOD="2022"/></Series><Series GEO="B"/></m:DataSet>'
    )
    with pytest.raises(PayloadRefused, match="holds deletions"):
        records_of(tmp_path, SdmxMl(), body, "GEO", "value")
    found = records_of(tmp_path, SdmxMl(), body, "action", "GEO", "TIME_PERIOD", "value")
    assert [tuple(record.values) for record in found] == [
        ("Append", "A", "2023", "1"),
        ("Delete", "A", "2022", None),
        ("Delete", "B", None, None),
    ]
    assert [record.place for record in found] == [
        "series 1 observation 1",
        "series 1 observation 1",
        "series 2 observation 0",
    ]


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("<html><body/></html>", "no SDMX-ML data message but <html>"),
        ('{"a": 1}', "is no SDMX-ML"),
        (generic("<g:Series>")[:90], "is no SDMX-ML"),
        (
            generic("<g:Obs>" + values("ObsKey", GEO="A") + '<g:ObsValue value="1"/></g:Obs>'),
            "no field 'SEX'; it has 'prepared', 'action', 'GEO', 'OBS_VALUE', 'value'",
        ),
    ],
)
def test_what_is_no_such_message_is_refused(tmp_path: Path, body: str, why: str) -> None:
    with pytest.raises(PayloadRefused, match=why):
        records_of(tmp_path, SdmxMl(), body, "SEX")


def test_a_field_that_no_observation_has_may_be_optional(tmp_path: Path) -> None:
    sex = Column(name="sex", type="VARCHAR", nullable=True, optional=True)
    assert rows_of(
        tmp_path, SdmxMl(), generic('<g:Obs><g:ObsDimension value="2024"/></g:Obs>'), sex, "TIME_PERIOD"
    ) == [(None, "2024")]
    assert records_of(tmp_path, SdmxMl(), generic(""), "SEX") == []

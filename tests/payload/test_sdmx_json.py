"""SDMX-JSON: keys are positions in the codes of the same message, and what deletes is never a value."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from table_payloads import recorded_body, records_of, rows_of

from sbf_core.dataset.columns import Column
from sbf_core.dataset.formats_of_statistics import SdmxJson
from sbf_core.errors import PayloadRefused

EXR = ("FREQ", "CURRENCY", "CURRENCY.name", "TIME_PERIOD", "value", "OBS_STATUS", "TITLE", "action")


def component(name: str, *codes: str, **more: Any) -> dict[str, Any]:
    return {"id": name, "values": [{"id": code, "name": code.title()} for code in codes], **more}


def message(*datasets: dict[str, Any], **structure: Any) -> str:
    """A message of 2.0: place and item in the key of a series, the year at the observation."""
    described: dict[str, Any] = {
        "dimensions": {
            "dataSet": [component("FREQ", "A", keyPosition=0)],
            "series": [component("GEO", "NA", "007", keyPosition=1), component("ITEM", "x", "y", keyPosition=2)],
            "observation": [component("TIME_PERIOD", "2022", "2023", keyPosition=3)],
        },
        "measures": {"observation": [{"id": "OBS_VALUE"}]},
        "attributes": {
            "dataSet": [component("UNIT", "EUR")],
            "series": [component("TITLE", "first", "second")],
            "observation": [component("STATUS", "p", "e", default="A"),
                            {"id": "NOTE", "format": {"dataType": "String"}}],
        },
        **structure,
    }  # fmt: skip
    return json.dumps(
        {"meta": {"prepared": "2024-05-01T10:00:00Z"}, "data": {"structures": [described], "dataSets": list(datasets)}}
    )


def series(*values: Any, key: str = "0:1", action: str = "Replace", **more: Any) -> dict[str, Any]:
    observations = {str(place): value for place, value in enumerate(values)}
    return {"structure": 0, "action": action, "series": {key: {"observations": observations, **more}}}


@pytest.mark.parametrize("payload_id", ["ecb-sdmx-r2-003", "ecb-sdmx-r2-004"])
def test_rates_of_the_ecb_flat_and_by_series(tmp_path: Path, payload_id: str) -> None:
    """Both messages say the same."""
    assert rows_of(tmp_path, SdmxJson(), recorded_body(payload_id), *EXR) == [
        ("D", "NZD", "New Zealand dollar", "2013-01-18", "1.5931", "A", "New Zealand dollar (NZD)", "Information"),
        ("D", "NZD", "New Zealand dollar", "2013-01-21", "1.5925", "A", "New Zealand dollar (NZD)", "Information"),
        ("D", "RUB", "Russian rouble", "2013-01-18", "40.3426", "A", "Russian rouble (RUB)", "Information"),
        ("D", "RUB", "Russian rouble", "2013-01-21", "40.3000", "A", "Russian rouble (RUB)", "Information"),
    ]


def test_quarterly_accounts_of_the_oecd(tmp_path: Path) -> None:
    fields = ("LOCATION", "SUBJECT", "TIME_PERIOD", "OBS_VALUE", "UNIT", "POWERCODE", "OBS_STATUS", "prepared")
    found = rows_of(tmp_path, SdmxJson(), recorded_body("oecd-sdmx-r2-002"), *fields)
    assert len(found) == 5 * 12
    assert found[0] == ("AUS", "B1_GE", "2009-Q1", "1321158.283224", "AUD", "6", None, "2019-09-17T01:11:32.7663652Z")
    assert found[-1][:4] == ("CHL", "B1_GE", "2011-Q4", "120601874.99935")


def test_all_dimensions_at_the_observation(tmp_path: Path) -> None:
    found = rows_of(tmp_path, SdmxJson(), recorded_body("oecd-sdmx-r2-001"), "LOCATION", "IND", "PER", "value")
    assert len(found) == 7
    assert found[0] == ("AUS", "5CLAT", "INI", "11.963615756565")
    assert found[-1] == ("OME", "17CCL", "CHJ", "22.0969285714286")


def test_a_position_in_an_attribute_without_codes_is_no_guess(tmp_path: Path) -> None:
    """The OECD lists two attributes, the first without codes, and gives one position:
    which one it means is not said.
    """
    found = records_of(tmp_path, SdmxJson(), recorded_body("oecd-sdmx-r2-001"), "value", "TIME_FORMAT")
    assert [record.fault for record in found] == ["", "bad_index", "", "bad_index", "", "bad_index", ""]
    assert found[1].raw == "[-2.13889095389401,0]"


def test_tourism_has_nulls_and_one_unit_for_all(tmp_path: Path) -> None:
    body = recorded_body("oecd-sdmx-r2-003")
    found = rows_of(tmp_path, SdmxJson(), body, "COUNTRY", "VARIABLE", "TIME_PERIOD", "value", "OBS_STATUS", "UNIT")
    document = json.loads(body)
    series_of = document["dataSets"][0]["series"]
    assert len(found) == sum(len(each["observations"]) for each in series_of.values()) == 4604
    assert sum(row[3] is None for row in found) == 1
    assert {row[5] for row in found} == {"NBR"}
    codes = [each["values"] for each in document["structure"]["dimensions"]["series"]]
    years = document["structure"]["dimensions"]["observation"][0]["values"]
    at = "3:5" if "3:5" in series_of else next(iter(series_of))
    first, second = (int(part) for part in at.split(":"))
    expected = {years[int(key)]["id"]: value[0] for key, value in series_of[at]["observations"].items()}
    got = {row[2]: row[3] for row in found if row[:2] == (codes[0][first]["id"], codes[1][second]["id"])}
    assert {year: None if value is None else float(value) for year, value in got.items()} == expected


def test_attributes_of_every_level_and_defaults(tmp_path: Path) -> None:
    text = message(series([1.10, 1, "a note"], [None], attributes=[1]))
    fields = ("GEO", "ITEM", "TIME_PERIOD", "value", "STATUS", "STATUS.name", "NOTE", "TITLE", "UNIT", "prepared")
    assert rows_of(tmp_path, SdmxJson(), text.replace("1.1,", "1.10,"), *fields) == [
        ("NA", "y", "2022", "1.10", "e", "E", "a note", "second", "EUR", "2024-05-01T10:00:00Z"),
        ("NA", "y", "2023", None, "A", None, None, "second", "EUR", "2024-05-01T10:00:00Z"),
    ]
    assert records_of(tmp_path, SdmxJson(), text, "value")[1].place == '$.dataSets[0].series["0:1"].observations["1"]'


def test_several_measures_have_no_value_of_their_own(tmp_path: Path) -> None:
    two = message(series([7, "8.50", 0]), measures={"observation": [{"id": "LOW"}, {"id": "HIGH"}]})
    assert rows_of(tmp_path, SdmxJson(), two, "LOW", "HIGH", "STATUS") == [("7", "8.50", "p")]
    with pytest.raises(PayloadRefused, match="no field 'value'; it has 'LOW', 'HIGH'"):
        records_of(tmp_path, SdmxJson(), two, "value")


def test_attributes_of_groups_of_dimensions(tmp_path: Path) -> None:
    attributes = {"dimensionGroup": [component("UNIT", "EUR", "USD", default="?"), {"id": "MORE"}]}
    groups = {"0:0::": [1], ":0:1:1": [None, "both"]}
    text = message({**series([1], [2]), "dimensionGroupAttributes": groups}, attributes=attributes)
    assert rows_of(tmp_path, SdmxJson(), text, "TIME_PERIOD", "UNIT", "MORE") == [
        ("2022", "USD", None),
        ("2023", "USD", "both"),
    ]
    other = message({**series([1], key="1:1"), "dimensionGroupAttributes": groups}, attributes=attributes)
    assert rows_of(tmp_path, SdmxJson(), other, "UNIT", "MORE") == [("?", None)]


def test_several_values_are_a_list_of_json(tmp_path: Path) -> None:
    text = message(series([1, [0, 1], {"en": "Text", "fr": "Texte é"}]))
    assert rows_of(tmp_path, SdmxJson(), text, "STATUS", "NOTE") == [('["p","e"]', '{"en":"Text","fr":"Texte é"}')]


def test_a_deletion_is_refused_until_a_column_takes_the_action(tmp_path: Path) -> None:
    text = message(series([1]), series([], action="Delete"), {"action": "Delete", "series": {"1:0": {}}})
    with pytest.raises(PayloadRefused, match='holds deletions; declare a column with source="action"'):
        records_of(tmp_path, SdmxJson(), text, "GEO", "value")
    assert rows_of(tmp_path, SdmxJson(), text, "action", "GEO", "ITEM", "TIME_PERIOD", "value") == [
        ("Replace", "NA", "y", "2022", "1"),
        ("Delete", "NA", "y", "2022", None),
        ("Delete", "007", "x", None, None),
    ]


@pytest.mark.parametrize(
    ("dataset", "fault"),
    [
        (series([1, 2]), "bad_index"),
        (series([1, -1]), "bad_index"),
        (series([1, "p"]), "bad_index"),
        (series([1], key="0:2"), "bad_index"),
        (series([1], key="0"), "bad_index"),
        (series([1], key="0:-1"), "bad_index"),
        (series([1], attributes=[2]), "bad_index"),
        (series([]), "ragged"),
        (series(1), "ragged"),
        (series([1, 0, "note", 0]), "ragged"),
    ],
)
def test_what_names_no_code_costs_one_row(tmp_path: Path, dataset: dict[str, Any], fault: str) -> None:
    (found,) = records_of(tmp_path, SdmxJson(), message(dataset), "value", "STATUS", "TITLE")
    assert found.fault == fault
    assert set(found.values) == {None}


def test_positions_of_annotations_are_no_values(tmp_path: Path) -> None:
    assert rows_of(
        tmp_path, SdmxJson(), message(series([1, 0, "note", 0]), annotations=[{"text": "hm"}]), "value", "NOTE"
    ) == [("1", "note")]


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ('{"message": "down for maintenance"}', "no SDMX-JSON data message: structures is not there"),
        ('{"errors": [{"code": 413, "title": "too large"}], "data": {}}', "tells 1 errors: 413 too large"),
        ("[]", r"\$ is a list"),
        (
            message(series([1])).replace('"structure": 0', '"structure": 1'),
            "data set 0 of which no one structure is told",
        ),
        (message(series([1]), measures={"observation": [{"id": "GEO"}]}), "the component 'GEO' at two places"),
        (message(series([1]) | {"attributes": {}}), "attributes of the data set that do not fit its structure: ragged"),
        (
            message(series([1]) | {"dimensionGroupAttributes": {"0:0": [1]}}),
            "group of dimensions '0:0' where there are 4",
        ),
        (message(series([1])).replace('"TITLE"', '"UNIT"'), "the component 'UNIT' at two places"),
        (message(series([1], [2])).replace('"1": [2]', '"0": [2]'), "the name '0' twice"),
    ],
)
def test_what_is_no_such_message_is_refused(tmp_path: Path, body: str, why: str) -> None:
    with pytest.raises(PayloadRefused, match=why):
        records_of(tmp_path, SdmxJson(), body, "value")


def test_each_data_set_has_its_structure(tmp_path: Path) -> None:
    document = json.loads(message(series([1]), {**series([2]), "structure": 1}))
    other = json.loads(json.dumps(document["data"]["structures"][0]).replace('"NA"', '"ZZ"'))
    document["data"]["structures"].append(other)
    assert rows_of(tmp_path, SdmxJson(), json.dumps(document), "GEO", "value") == [("NA", "1"), ("ZZ", "2")]
    for each in document["data"]["dataSets"]:
        del each["structure"]
    with pytest.raises(PayloadRefused, match="no one structure"):
        records_of(tmp_path, SdmxJson(), json.dumps(document), "value")
    document["data"]["structures"][0]["dataSets"], document["data"]["structures"][1]["dataSets"] = [1], [0]
    assert rows_of(tmp_path, SdmxJson(), json.dumps(document), "GEO", "value") == [("ZZ", "1"), ("NA", "2")]


def test_no_data_set_is_no_row_and_a_field_may_be_optional(tmp_path: Path) -> None:
    assert records_of(tmp_path, SdmxJson(), message(), "GEO") == []
    sex = Column(name="sex", type="VARCHAR", nullable=True, optional=True, source="SEX")
    assert rows_of(tmp_path, SdmxJson(), message(series([1])), sex, "value") == [(None, "1")]
    with pytest.raises(PayloadRefused, match="no field 'SEX'"):
        records_of(tmp_path, SdmxJson(), message(series([1])), "SEX")

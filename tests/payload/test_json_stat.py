"""JSON-stat: each cell of the cube with its own ids and its own digits, or a refusal that says what does not fit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from table_payloads import recorded_body, records_of, rows_of

from sbf_core.dataset.columns import Column
from sbf_core.dataset.formats_of_statistics import JsonStat
from sbf_core.errors import PayloadRefused, UsageError

FIELDS = ("geo", "time", "value")


def cube(**changes: Any) -> dict[str, Any]:
    """Two places by three years."""
    usual: dict[str, Any] = {
        "version": "2.0", "class": "dataset", "id": ["geo", "time"], "size": [2, 3], "updated": "2024-05-01",
        "value": [1, 2, 3, 4, 5, 6],
        "dimension": {
            "geo": {"label": "Place", "category": {"index": ["NA", "007"], "label": {"NA": "Namibia", "007": "Bond"}}},
            "time": {"category": {"index": {"2024": 2, "2022": 0, "2023": 1}}},
        },
    }  # fmt: skip
    return {name: value for name, value in {**usual, **changes}.items() if value is not ...}


def dumped(**changes: Any) -> str:
    return json.dumps(cube(**changes))


def test_rates_of_banco_de_portugal(tmp_path: Path) -> None:
    body = recorded_body("cb-bdp-0299")
    document = json.loads(body)
    found = rows_of(tmp_path, JsonStat(), body, "12", "12.label", "reference_date", "value", "status", "70.label")
    sizes = document["size"]
    assert len(found) == sizes[0] * sizes[-1] == len(document["value"])
    # an independent walk: the currency varies slowest, the day fastest, all else has one category
    days = document["dimension"]["reference_date"]["category"]["index"]
    currencies = document["dimension"]["12"]["category"]
    expected = [
        (code, currencies["label"][code], day, str(document["value"][place * len(days) + at]), "F", "Portuguese Escudo")
        for place, code in enumerate(currencies["index"])
        for at, day in enumerate(days)
    ]
    assert found == expected


def test_cells_come_in_row_major_order_with_ids(tmp_path: Path) -> None:
    assert rows_of(tmp_path, JsonStat(), dumped(), *FIELDS) == [
        ("NA", "2022", "1"), ("NA", "2023", "2"), ("NA", "2024", "3"), ("007", "2022", "4"), ("007", "2023", "5"),
        ("007", "2024", "6"),
    ]  # fmt: skip
    assert rows_of(tmp_path, JsonStat(), dumped(), "geo.label", "time.label", "updated")[0] == (
        "Namibia",
        None,
        "2024-05-01",
    )
    assert records_of(tmp_path, JsonStat(), dumped(), "value")[4].place == "$.value[4]"


def test_numbers_keep_their_digits_and_a_null_is_no_value(tmp_path: Path) -> None:
    text = dumped().replace("[1, 2, 3, 4, 5, 6]", '[1.10, 12345678901234567890.123456, null, "..", 1e-11, NaN]')
    assert [row[0] for row in rows_of(tmp_path, JsonStat(), text, "value")] == [
        "1.10",
        "12345678901234567890.123456",
        None,
        "..",
        "1e-11",
        "NaN",
    ]


def test_a_sparse_cube_gives_the_cells_that_it_has(tmp_path: Path) -> None:
    sparse = dumped(value={"5": 6.50, "1": None}, status={"0": "c", "5": "p"})
    assert rows_of(tmp_path, JsonStat(), sparse, *FIELDS, "status") == [
        ("NA", "2022", None, "c"),
        ("NA", "2023", None, None),
        ("007", "2024", "6.5", "p"),
    ]


def test_one_status_for_all_and_one_for_each(tmp_path: Path) -> None:
    assert {row[0] for row in rows_of(tmp_path, JsonStat(), dumped(status="e"), "status")} == {"e"}
    assert [row[0] for row in rows_of(tmp_path, JsonStat(), dumped(status=[None, "e", *"abcd"]), "status")] == [
        None,
        "e",
        *"abcd",
    ]


def test_one_category_needs_no_index(tmp_path: Path) -> None:
    one = cube(size=[1, 3], value=[1, 2, 3])
    one["dimension"]["geo"]["category"] = {"label": {"NA": "Namibia"}}
    assert rows_of(tmp_path, JsonStat(), json.dumps(one), "geo", "geo.label")[0] == ("NA", "Namibia")


def test_the_form_of_version_1(tmp_path: Path) -> None:
    body = cube()
    body["dimension"] |= {"id": body.pop("id"), "size": body.pop("size")}
    assert len(rows_of(tmp_path, JsonStat(), json.dumps({"dataset": body}), *FIELDS)) == 6


def test_of_a_collection_one_is_wanted(tmp_path: Path) -> None:
    both = {
        "class": "collection",
        "link": {"item": [cube(label="one"), cube(label="two", value=[9] * 6), {"class": "dataset", "href": "else"}]},
    }
    assert {row[0] for row in rows_of(tmp_path, JsonStat(dataset="two"), json.dumps(both), "value")} == {"9"}
    with pytest.raises(PayloadRefused, match="holds 2 datasets: 'one', 'two'"):
        records_of(tmp_path, JsonStat(), json.dumps(both), "value")
    with pytest.raises(PayloadRefused, match="no JSON-stat with a dataset 'three'"):
        records_of(tmp_path, JsonStat(dataset="three"), json.dumps(both), "value")


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (dumped(value=[1, 2, 3]), "3 of value where its dimensions make 6 cells"),
        (dumped(value=[1, 2, 3, 4, 5, 6, 7]), "7 of value"),
        (dumped(status=["a"]), "1 of status"),
        (dumped(value={"6": 1}), "value at '6', which is none of its 6 cells"),
        (dumped(value={"-1": 1}), "value at '-1'"),
        (dumped(value={"01": 1}), "value at '01'"),
        (dumped(value=7), "value is a number, no object"),
        (dumped(status=7), "status that is a number"),
        (dumped(size=[2, 2]), "3 categories of dimension 'time' where size says 2"),
        (dumped(size=[2]), "2 dimensions in id and 1 in size"),
        (dumped(id=["geo", "age"]), "dimension.age is not there"),
        (dumped(dimension=...), "no JSON-stat with a dataset"),
        (
            dumped().replace('"2023": 1', '"2023": 0'),
            "3 of value|names the categories of dimension 'time'|2 categories",
        ),
        (dumped().replace('"2023": 1', '"2023": 3'), "names the categories of dimension 'time' twice, or not all"),
        (dumped().replace('"007"]', '"NA"]'), "names the categories of dimension 'geo' twice"),
        ('{"message": "down for maintenance"}', "no JSON-stat with a dataset in it: it has message"),
        ("[]", r"\$ is a list, no object"),
        ("<html>", "is no JSON"),
        (dumped().replace('"class"', '"version": 1, "class"'), "the name 'version' twice"),
        ("", "is empty"),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path: Path, body: str, why: str) -> None:
    with pytest.raises(PayloadRefused, match=why):
        records_of(tmp_path, JsonStat(), body, "value")


def test_a_declared_dimension_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(PayloadRefused, match=r"no field 'sex'; it has 'geo', 'time', 'geo.label'"):
        records_of(tmp_path, JsonStat(), dumped(), "sex")
    sex = Column(name="sex", type="VARCHAR", nullable=True, optional=True)
    place = Column(name="place", type="VARCHAR", also=("region", "geo"))
    assert rows_of(tmp_path, JsonStat(), dumped(), sex, place)[0] == (None, "NA")
    with pytest.raises(UsageError):
        JsonStat(decimal=";")

"""The path language: what is taken, what is refused by name, and where paths lead."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sbf_core.dataset.json_path import check_paths, rows_path, source_path
from sbf_core.dataset.json_steps import Index, Name, RowIndex, Wildcard
from sbf_core.errors import PayloadRefused, UsageError
from sbf_core.payload.json_walk import nodes, value_at, walk

REFUSED = {
    "$..price": "descendants",
    "$[?@.a]": "filters",
    "$[1:2]": "slices",
    "$[:2]": "slices",
    "$['a','b']": "unions",
    "$[0, 1]": "unions",
    "$.": "a name or * is expected",
    "$[01]": "] is expected",
    "$[-0]": "a quoted name, an index or",
    "$['a": "not closed",
    "$['\\x']": "escape",
    "$['\\ud800']": "surrogate",
    "$[9007199254740992]": "too large",
    "$.a ": "not expected",
    "$a": "not expected",
    "$[length(@)]": "a quoted name, an index or",
    "$.1a": "a name or * is expected",
}


@pytest.mark.parametrize("path", REFUSED)
def test_what_is_not_supported_is_refused_by_name(path: str) -> None:
    for parse in (rows_path, source_path):
        with pytest.raises(UsageError, match=REFUSED[path].replace("*", r"\*")) as refused:
            parse(path)
        assert refused.value.code == "PATH"
        assert "supported are $, names" in refused.value.fix


def test_names_with_dots_are_a_list() -> None:
    assert rows_path("data.items").segments == (Name("data"), Name("items"), Wildcard(list_only=True))
    assert rows_path("").segments == (Wildcard(list_only=True),)
    assert rows_path("$.data['items'][*]").segments == (Name("data"), Name("items"), Wildcard())


@pytest.mark.parametrize("rows_at", ["data..items", ".data", "data[0]", "data[*]", "data.*"])
def test_names_that_look_like_a_path_are_refused(rows_at: str) -> None:
    with pytest.raises(UsageError, match="neither names"):
        rows_path(rows_at)


@pytest.mark.parametrize("source", ["close", "Adj Close", "a.b c", "x[0]", "*", "~", "a$b", "été", ""])
def test_a_plain_source_is_one_name(source: str) -> None:
    assert source_path(source).field == source


def test_sources_lead_from_the_document_the_row_and_its_parents() -> None:
    assert source_path("$.meta.as_of").from_root
    assert source_path("@.rate.buy").segments == (Name("rate"), Name("buy"))
    assert source_path("@['x']").field == "x"
    assert source_path("@[-1]").segments == (Index(-1),)
    assert source_path("@^^.id").up == 2
    assert (source_path("@^~").up, source_path("@^~").is_key) == (1, True)
    assert source_path("$.chart.close[#]").segments[-1] == RowIndex()


@pytest.mark.parametrize(
    "source", ["@.a[*]", "@.*", "@~.a", "@^.a~", "@.a[$.fields]", "@.a[$.fields:x]", "@id", "$id", "@.a[#"]
)
def test_a_source_takes_one_value(source: str) -> None:
    with pytest.raises(UsageError):
        source_path(source)


def test_a_field_named_like_a_path_is_written_as_one() -> None:
    with pytest.raises(UsageError, match=r"@\['@id'\]"):
        source_path("@id")
    assert source_path("@['@id']").field == "@id"


@pytest.mark.parametrize(
    ("rows_at", "source", "word"),
    [
        ("$.a[*]", "@^.id", "has 1 wildcard;"),
        ("$.a[*].b[*]", "@^^~", "has 2 wildcards"),
        ("$", "@~", "has no wildcard"),
        ("$", "$.a[#]", "has no wildcard"),
        ("$.a[*]", "@[@^.names:'x']", "has 1 wildcard;"),
    ],
)
def test_a_source_must_be_within_reach(rows_at: str, source: str, word: str) -> None:
    with pytest.raises(UsageError, match=word) as refused:
        check_paths(rows_at, ["close", source], where="dataset x")
    assert refused.value.where == "dataset x"
    check_paths("$.a[*].b[*].c[*]", [source])


DOCUMENT: dict[str, Any] = {
    "data": {"items": [{"a": 1}, {"a": 2}]},
    "by": {"x y": [1, 2], "z": [3]},
    "none": None,
    "empty": [],
}


def test_places_are_normalized_paths() -> None:
    assert list(walk(DOCUMENT, "data.items")) == [("$.data.items[0]", {"a": 1}), ("$.data.items[1]", {"a": 2})]
    assert list(walk(DOCUMENT, "$.by.*[*]")) == [("$.by['x y'][0]", 1), ("$.by['x y'][1]", 2), ("$.by.z[0]", 3)]
    assert list(walk(DOCUMENT, "$.data.items[-1]")) == [("$.data.items[1]", {"a": 2})]
    assert [place for place, _ in nodes(DOCUMENT, rows_path("$[*]").segments)] == [
        "$.data",
        "$.by",
        "$.none",
        "$.empty",
    ]


@pytest.mark.parametrize(
    ("rows_at", "there"),
    [
        ("data.rows", "is an object with the names 'items'"),
        ("data", "is an object"),
        ("none", "is null"),
        ("$.none", "is null"),
        ("$.data.items[5]", "is a list of 2"),
        ("$.by.*.q[*]", "none of the 2 values"),
        ("", "is an object with the names 'data', 'by', 'none', 'empty'"),
    ],
)
def test_where_no_rows_are_it_is_said_what_is_there(rows_at: str, there: str) -> None:
    with pytest.raises(PayloadRefused, match="holds no rows at") as refused:
        list(walk(DOCUMENT, rows_at))
    assert there in str(refused.value)


@pytest.mark.parametrize("rows_at", ["empty", "$.empty[*]", "$.empty.*"])
def test_an_empty_list_has_no_rows_and_is_no_error(rows_at: str) -> None:
    assert list(walk(DOCUMENT, rows_at)) == []


def test_lists_within_rows_may_be_empty_or_lacking() -> None:
    document = {"accounts": [{"id": 1, "trades": []}, {"id": 2}, {"id": 3, "trades": None}]}
    assert list(walk(document, "$.accounts[*].trades[*]")) == []


def test_a_value_is_found_by_names_or_path() -> None:
    assert value_at(DOCUMENT, "data.items") == DOCUMENT["data"]["items"]
    assert value_at(DOCUMENT, "$.data.items[1].a") == 2
    assert value_at(DOCUMENT, "data.gone.a") is None
    assert value_at(DOCUMENT, "") is DOCUMENT
    assert value_at(json.loads('{"a": "{\\"b\\": 1}"}'), "$.a!.b") == "1"

"""Whether what came with a status of 200 is data, for each kind of payload."""

from __future__ import annotations

import json
import tracemalloc

import pytest
from warehouse import entry, price

from sbf_core.api import DataRules
from sbf_core.http.content import why_no_data

PAGE = b"<!doctype html>\n<html><head><title>Maintenance</title></head></html>"
LONG = json.dumps([price("A", "2024-01-01")] * 500).encode()
XML = b"<?xml version='1.0'?><rates><r/></rates>"
GOOD = {
    "json": b'[{"symbol": "A"}]', "json with a mark": b'\xef\xbb\xbf[{"symbol": "A"}]', "json long": LONG,
    "csv": b"symbol,date,close\nA,2024-01-01,1\n", "csv with a mark": b"\xef\xbb\xbfsymbol,date\nA,2024-01-01\n",
    "csv quoted": b'"Symbol","date"\n"A, B","2024-01-01"', "tsv": b"symbol\tdate\nA\t2024-01-01\n", "xml": XML,
    "zip": b"PK\x03\x04rest", "parquet": b"PAR1rest", "csv.gz": b"\x1f\x8brest", "txt": b"anything",
}  # fmt: skip
BAD = {
    "json": [
        (PAGE, "not_data"), (b"<html>", "not_data"), (b"Too many", "not_data"),
        (b"{}", "empty"), (b"", "empty"), (b"\xff\xfe[\x00]\x00", "not_data"),
    ],
    "csv": [
        (PAGE, "not_data"), (b"Exceeded the limit", "not_data"), (b"No data", "not_data"), (b"symbol,date\n", "empty"),
        (b"symbol,date", "empty"), (b'{"error": 1}', "not_data"), (b"symbol;date\r\nA;2024-01-01\r\n", "not_data"),
    ],
    "xml": [(PAGE, "not_data"), (b"  <!-- hello --> <HTML>", "not_data"), (b"error", "not_data"), (b" ", "empty")],
    "zip": [(PAGE, "not_data"), (b"error", "not_data")],
    "parquet": [(b"PK\x03\x04", "not_data")],
    "csv.gz": [(b"symbol,date\n", "not_data")],
    "txt": [(b"", "empty")],
}  # fmt: skip


@pytest.mark.parametrize("name", GOOD)
def test_data_is_data(name: str) -> None:
    assert why_no_data(entry(), GOOD[name], name.split()[0]) is None
    assert why_no_data(entry(), GOOD[name], name.split()[0], as_declared=False) is None


@pytest.mark.parametrize(
    ("extension", "body", "kind"), [(extension, body, kind) for extension, cases in BAD.items() for body, kind in cases]
)
def test_what_is_no_data_is_told(extension: str, body: bytes, kind: str) -> None:
    found = why_no_data(entry(), body, extension)
    assert found is not None
    assert found[0] == kind


@pytest.mark.parametrize(
    ("extension", "body"),
    [
        ("json", LONG[:-40]),
        ("json", b'[{"symbol": "A"'),
        ("csv", b"symbol,date,close\nA,2024-01-01,1\nB,20"),
        ("xml", XML[:-9]),
    ],
)
def test_a_payload_that_may_be_cut_is_read_to_its_end(extension: str, body: bytes) -> None:
    found = why_no_data(entry(), body, extension, may_be_cut=True)
    assert found is not None
    assert found[0] == "truncated"
    whole = {"json": LONG, "csv": GOOD["csv"], "xml": XML}[extension]
    assert why_no_data(entry(), whole, extension, may_be_cut=True) is None


def test_an_empty_answer_is_data_where_that_is_declared() -> None:
    declared = entry(is_data=DataRules(may_be_empty=True))
    for body, extension in (
        (b"[]", "json"),
        (b"{}", "json"),
        (b"null", "json"),
        (b"", "json"),
        (b"symbol,date\n", "csv"),
    ):
        assert why_no_data(declared, body, extension) is None
    assert why_no_data(declared, PAGE, "json") is not None


def test_rows_below_a_path() -> None:
    declared = entry(rows_at="data.items")
    assert why_no_data(declared, b'{"data": {"items": [{"symbol": "A"}]}}', "json") is None
    assert why_no_data(declared, b'{"data": {"items": []}}', "json") == ("empty", "the answer is empty (no rows)")
    assert why_no_data(declared, b'{"data": {"items": null}}', "json") == ("empty", "the answer is empty (no rows)")
    assert why_no_data(declared, b'{"message": "busy"}', "json") == (
        "not_data",
        "holds no rows at 'data.items': $ is an object with the names 'message': '{\"message\": \"busy\"}'",
    )


def test_a_large_table_is_not_copied_for_a_look() -> None:
    payload = b"symbol,date,close\n" + b"A,2024-01-02,1.5\n" * 1_000_000
    tracemalloc.start()
    try:
        assert why_no_data(entry(), payload, "csv", may_be_cut=True) is None
        assert tracemalloc.get_traced_memory()[1] < len(payload) // 10
    finally:
        tracemalloc.stop()

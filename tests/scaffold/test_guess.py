"""What a payload tells of itself: rows, types, key, date; and what is only said with a doubt."""

from __future__ import annotations

import datetime as dt
import io
import json
import zipfile
from decimal import Decimal
from typing import Any

import pytest
from recorded import entries, payload

from sbf_core.errors import UsageError
from sbf_core.scaffold.address import Template, template_of
from sbf_core.scaffold.from_payload import propose
from sbf_core.scaffold.guess import GuessedColumn, guess_columns
from sbf_core.scaffold.naming import as_name
from sbf_core.scaffold.proposal import Proposal, Sampled, Words
from sbf_core.scaffold.row_search import find_rows

NOW = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)


def guessed(values: list[Any], *, csv: bool = False) -> GuessedColumn:
    (column,) = guess_columns([{"x": value} for value in values], empty_is_missing=csv).columns
    return column


def proposed(content: bytes, *, template: Template | None = None, **asked: Any) -> Proposal:
    return propose(
        Words(name="mine"), Sampled(payload=content, fetched_at=NOW), template=template, where="here", **asked
    )


@pytest.mark.parametrize(
    ("values", "hint", "more"),
    [
        ([1, 2] * 10, "int", {}),
        ([1, None] * 20, "int | None", {}),
        ([True, False] * 20, "bool", {}),
        ([Decimal("1.25"), 2] * 20, "Decimal", {"scale": 4}),
        ([Decimal("7.8245000000000005")] * 20, "float", {}),
        (["1.5", "2"] * 20, "Decimal", {"scale": 3}),
        (["1.5", "N/A"] * 20, "Decimal | None", {"missing": ("N/A",)}),
        (["1.5", "."] * 20, "Decimal | None", {"missing": (".",)}),
        (["007", "840"] * 20, "str", {}),
        (["2024-02-29"] * 20, "dt.date", {"date_format": ""}),
        (["20240229"] * 20, "dt.date", {"date_format": "%Y%m%d"}),
        (["29.02.2024"] * 20, "dt.date", {"date_format": "%d.%m.%Y"}),
        (["21 May 2026"] * 20, "dt.date", {"date_format": "%d %b %Y"}),
        (["02/29/2024"] * 20, "dt.date", {"date_format": "%m/%d/%Y"}),
        (["29/02/2024"] * 20, "dt.date", {"date_format": "%d/%m/%Y"}),
        (["2024-02-29T10:00:00Z"] * 20, "dt.datetime", {}),
        (["2024-02-29T10:00:00.123+02:00"] * 20, "dt.datetime", {}),
        (["true", "False"] * 20, "bool", {}),
        (["Y", "N"] * 20, "str", {}),
        (["2024-02-30"] * 20, "str", {}),
        (["", "a"] * 20, "str", {"missing": ()}),
        ([10**30] * 20, "float", {}),
    ],
)
def test_types(values: list[Any], hint: str, more: dict[str, Any]) -> None:
    column = guessed(values)
    assert column.hint == hint
    for name, value in more.items():
        assert getattr(column, name) == value


@pytest.mark.parametrize(
    ("values", "doubt"),
    [
        ([None, None], "no value in the sample"),
        ([1, "a"], "texts and numbers are mixed"),
        ([True, 1], "true, false and numbers are mixed"),
        ([1, 2, 3], "whole numbers only, and few different ones"),
        (
            [Decimal("1.25"), Decimal("1.5")],
            "at most 2 decimals in few different values; more than 4 would be rejected",
        ),
        (["1.234", "7.891"], "1.234 is taken as 1.234; with decimal=',', thousands='.' it would be 1234"),
        (["1,234", "7,891"], "1,234 is taken as 1234; with decimal=',' it would be 1.234"),
        (["1,5", "1.2,5"], "numbers with marks that fit no one reading: a text as it is"),
        (["2024-02-29 10:00"], 'no zone is written: zone="UTC" is a guess'),
        (["2024-02-29T10:00:00Z", "2024-02-29T10:00:00"], 'some have no zone: zone="UTC" is a guess for those'),
        (["31.12.24"], "years of two digits"),
        (["ab ", "c"], "blanks around it are taken off"),
        (["ab ", "c", "d"], "some have blanks around them: trim=True?"),
        (["ab", "-"], "'-' taken as no value"),
        (["01/02/2024"], "%d/%m/%Y would fit, too"),
        (["1.5", "ND"], "'ND' taken as no value"),
    ],
)
def test_what_is_not_sure_is_said(values: list[Any], doubt: str) -> None:
    assert any(doubt in said for said in guessed(values).doubts), guessed(values)


def test_in_csv_nothing_is_no_value() -> None:
    column = guessed(["1.5", ""] * 20, csv=True)
    assert (column.hint, column.missing, column.doubts) == (
        "Decimal | None",
        (),
        ("at most 1 decimals in few different values; more than 3 would be rejected",),
    )


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("weightedAverageShsOut", "weighted_average_shs_out"),
        ("3 Mo", "n3_mo"),
        ("Exchange rate", "exchange_rate"),
        ("group", "group_value"),
        ("№", "field"),
        ("CcyNm_EN", "ccy_nm_en"),
        ("class", "class_value"),
    ],
)
def test_names(text: str, name: str) -> None:
    assert as_name(text) == name
    assert as_name(text, taken={name}) == f"{name}_2"


def rows(count: int, **more: Any) -> list[dict[str, Any]]:
    return [
        {
            "day": str(dt.date(2024, 1, 1) + dt.timedelta(days=number // 3)),
            "code": "ABC"[number % 3],
            "price": number + 0.5,
            **more,
        }
        for number in range(count)
    ]


def roles(proposal: Proposal) -> tuple[list[str], str]:
    return [column.name for column in proposal.columns if column.key], next(
        (column.name for column in proposal.columns if column.row_date), ""
    )


def test_a_key_with_the_date_of_the_row() -> None:
    proposal = proposed(json.dumps({"meta": {"n": 2}, "data": {"items": rows(60)}}).encode())
    assert proposal.found.rows_at == "data.items"
    assert roles(proposal) == (["day", "code"], "day")
    assert proposal.doubts == []


def test_a_date_among_others_is_no_part_of_the_key() -> None:
    found = [{"symbol": f"S{number}", "listed": f"20{number:02d}-01-01"} for number in range(30)]
    assert roles(proposed(json.dumps(found).encode())) == (["symbol"], "")


def test_in_a_small_sample_a_key_is_a_doubt() -> None:
    assert "code: the key is unique in the 6 rows of the sample" in proposed(json.dumps(rows(6)).encode()).doubts


def test_key_and_date_can_be_named() -> None:
    content = json.dumps(rows(6, other="2024-05-05")).encode()
    assert roles(proposed(content, key=("code", "day"), row_date="other")) == (["day", "code"], "other")
    for asked, words in (
        ({"key": ("cod",)}, "--key: there is no column 'cod'; here; did you mean 'code'?"),
        ({"key": ("code",)}, "code does not make a row unique: A comes twice"),
        ({"row_date": "price"}, "price is no date: '0.5'"),
    ):
        with pytest.raises(UsageError) as caught:
            proposed(content, **asked)
        assert words in str(caught.value)


def test_a_second_list_is_a_doubt_and_can_be_named() -> None:
    content = json.dumps({"a": rows(6), "b": rows(3)}).encode()
    assert proposed(content).doubts[0] == "rows_at: b is a list, too"
    assert len(proposed(content, rows_at="b").found.rows) == 3
    with pytest.raises(UsageError, match="there is no list at 'c'; here; lists are at 'a', 'b'"):
        proposed(content, rows_at="c")


def test_elements_of_xml_can_be_named() -> None:
    """Which of two kinds of elements are the rows."""
    parts = "".join(
        f'<line no="{number}" text="a{number}">'
        f'<part code="b{number}" size="1"/><part code="c{number}" size="2"/></line>'
        for number in range(12)
    )
    content = f"<all>{parts}</all>".encode()
    assert proposed(content).found.tag == "part"
    assert proposed(content).doubts[0] == "rows: the elements line look like rows, too"
    assert roles(proposed(content, rows_at="line")) == (["no"], "")
    with pytest.raises(UsageError, match="no elements 'row' look like rows; here; those that do: line, part"):
        proposed(content, rows_at="row")


def test_fields_that_differ_only_in_case_are_two() -> None:
    proposal = proposed(json.dumps(rows(30, Code="x")).encode())
    assert [(column.name, column.source) for column in proposal.columns] == [
        ("day", "day"),
        ("code", "code"),
        ("price", "price"),
        ("code_2", "Code"),
    ]


def zipped(files: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in files.items():
            archive.writestr(
                zipfile.ZipInfo(name), content
            )  # of 1980: what a test is called must not hang on the clock
    return stream.getvalue()


BAD = [
    (b"", "the payload is empty"),
    (b" \n", "the payload is empty"),
    (b"<!DOCTYPE html><html></html>", "this is an HTML page"),
    (b"[1, 2", "this is cut short: it ends after 5 characters"),
    (b"[1, b]", "this is no JSON at character 5"),
    (b"[]", "the list holds no rows"),
    (b'{"data": []}', "the list at 'data' holds no rows"),
    (b'{"error": "no"}', "the vendor says 'no'"),
    (b'{"errors": 3}', "the payload holds no list of rows: 'errors': str"),
    (b"[1, 2]", "the payload holds no list of rows: a list of values"),
    (
        b'[{"day": "2024-01-01", "a": [{"a": 1}, {"a": 2}], "b": [{"a": 1}, {"a": 2}]}]',
        "the rows are nested: 'a' of each holds a list of rows, and not it alone",
    ),
    (
        b'[{"day": "2024-01-01", "a": [{"b": [{"c": 1}, {"c": 2}, {"c": 3}]}, {"b": []}]}]',
        "the rows are nested: 'b' of each holds a list of rows, each with a list of rows",
    ),
    (b'[{"a": 1, "a": 2}]', "an object holds a name twice"),
    (b'{"structure": {}, "dataSets": []}', "this is SDMX-JSON"),
    (b'{"class": "dataset", "id": [], "size": [], "value": []}', "this is JSON-stat"),
    (b'[{"a": 1.5}, {"a": 2.5}]', "no key can be found"),
    (b"hello\nworld\n", "this is no JSON, XML or CSV, it begins with 'hello'"),
    (b"a,b\n", "there is a header and no row"),
    (b"a,b\n1,2,3\n", "line 2 has 3 fields, the header has 2"),
    (b"a,b\n1,2\n3,4,5\n6,7\n", "line 3 has another number of fields than the header, which has 2"),
    (b"a,b\n1,2\na,b\n6,7\n", "line 3 is the header again"),
    (b"\xff\xfea\x00,\x00b\x00\n\x00\x01", "the text is no utf-16: byte"),
    (b"<a><b/></a>", "no elements of this XML look like rows"),
    (b"<a><b></a>", "this is no XML"),
    (b'<!DOCTYPE a [<!ENTITY x "y">]><a/>', "XML with entities is refused"),
    (b"PK\x03\x04", "the payload is no zip"),
    (b"PAR1....", "Parquet is not looked into"),
    (b"\x1f\x8b\x08", "the payload is packed and cannot be unpacked"),
    (zipped({"a.pdf": b"%PDF"}), "the zip holds no CSV, JSON or XML: a.pdf"),
    (zipped({"[Content_Types].xml": b"<a/>", "xl/workbook.xml": b"<a/>"}), "an Excel workbook is not looked into"),
]


@pytest.mark.parametrize(("content", "words"), BAD, ids=[words for _, words in BAD])
def test_what_cannot_be_declared_is_refused_with_one_line(content: bytes, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        proposed(content)
    line = caught.value.line()
    assert words in line
    assert caught.value.fix or "entities" in line
    assert "\n" not in line


def test_delimiters() -> None:
    for mark in ",;\t":
        found = find_rows(f"a{mark}b\n1{mark}2\n".encode(), where="here")
        assert found.rows == ({"a": "1", "b": "2"},)
        assert found.extension == ("tsv" if mark == "\t" else "csv")


ADDRESSES = [
    (
        "https://api.x.com/eod?from=2024-01-02&to=2024-01-31&fmt=json",
        "https://api.x.com/eod?from={from_date}&to={to_date}&fmt=json",
        "x",
    ),
    (
        "https://data.bank.gov.uk/a?startDate=20240102&endDate=20240131",
        "https://data.bank.gov.uk/a?startDate={from_date}&endDate={to_date}",
        "bank",
    ),
    (
        "https://api.nbp.pl/api/cenyzlota/2024-01-02/2024-01-31/?format=json",
        "https://api.nbp.pl/api/cenyzlota/{from_date}/{to_date}/?format=json",
        "nbp",
    ),
    ("https://cbu.uz/json/all/2024-01-31/", "https://cbu.uz/json/all/{to_date}/", "cbu"),
    ("https://api.cnb.cz/daily-year?lang=EN&year=2026", "https://api.cnb.cz/daily-year?lang=EN&year={year}", "cnb"),
    ("https://x.org/a?id=20240102", "https://x.org/a?id=20240102", "x"),
    ("https://x.org/a?from=2024-01-02&to=20240131", "https://x.org/a?from={from_date}&to=20240131", "x"),
    ("http://127.0.0.1:8000/a?json&sort=day", "http://127.0.0.1:8000/a?json&sort=day", "local"),
]


@pytest.mark.parametrize(("url", "template", "source"), ADDRESSES)
def test_days_in_an_address_become_placeholders(url: str, template: str, source: str) -> None:
    found = template_of(url, name="mine")
    assert (found.url, found.source) == (template, source)


@pytest.mark.parametrize(
    ("query", "url", "sent"),
    [
        ("updated_since=2024-01-31T10:30:00Z&limit=5", "updated_since={cursor}&limit=5", "2024-01-31T10:30:00Z"),
        ("modifiedAfter=2024-01-31T10:30", "modifiedAfter={cursor}", "2024-01-31T10:30"),
        ("updated_at[gte]=2024-01-31T10:30:00.250Z", "updated_at[gte]={cursor}", "2024-01-31T10:30:00.000Z"),
        ("lastUpdatedFrom=2024-01-31T10:30:00+00:00", "lastUpdatedFrom={cursor}", "2024-01-31T10:30:00+00:00"),
        ("min_changed=1706697000", "min_changed={cursor}", "1706697000"),
        ("since_modified=1706697000123", "since_modified={cursor}", "1706697000000"),
        ("changed_since=2024-01-31", "changed_since={cursor}", "2024-01-31"),
    ],
)
def test_what_changed_since_a_moment_becomes_a_cursor(query: str, url: str, sent: str) -> None:
    found = template_of(f"https://x.org/a?{query}", name="mine")
    assert found.url == f"https://x.org/a?{url}"
    assert found.changes is not None
    assert found.changes.cursor.sent(found.changes.place) == sent, "as much as was asked for, or more"
    assert not found.asks_days


@pytest.mark.parametrize(
    "query",
    [
        "since=2024-01-31",
        "updated=2024-01-31T10:30:00Z",
        "updated_since=2024-13-41",
        "updated_since=2024-01-31T10:30+02",
    ],
)
def test_what_is_no_cursor(query: str) -> None:
    assert template_of(f"https://x.org/a?{query}", name="mine").changes is None


def test_days_go_before_a_cursor() -> None:
    found = template_of("https://x.org/a?from=2024-01-02&updated_since=2024-01-31T10:30:00Z", name="mine")
    assert found.url == "https://x.org/a?from={from_date}&updated_since=2024-01-31T10:30:00Z"
    assert found.changes is None
    assert "url: updated_since stays as it is" in found.doubts[0]


def test_a_key_in_an_address_becomes_a_secret_and_is_nowhere_else() -> None:
    found = template_of("https://x.org/a?apikey=3f7a9c11&date=2024-01-02", name="oil")
    assert found.url == "https://x.org/a?date={to_date}"
    assert found.secrets == {"apikey": "OIL_API_KEY"}
    assert found.values == {"OIL_API_KEY": "3f7a9c11"}
    assert "3f7a9c11" not in repr(found)
    assert found.one_day and found.to_date == dt.date(2024, 1, 2)


def test_a_ticker_in_an_address() -> None:
    found = template_of("https://x.org/eod/AAPL?limit=5", name="mine", ticker="AAPL")
    assert found.url == "https://x.org/eod/{ticker}?limit=5"
    proposal = proposed(
        json.dumps([{"day": f"2024-01-{number:02d}", "close": 1.5} for number in range(1, 25)]).encode(), template=found
    )
    assert roles(proposal) == (["ticker", "day"], "day")


def test_rows_that_name_no_day_take_the_one_that_was_asked_for() -> None:
    found = template_of("https://x.org/rates?fecha=2024-01-31", name="mine")
    proposal = proposed(
        json.dumps([{"code": f"C{number}", "rate": 1.5} for number in range(30)]).encode(), template=found
    )
    assert roles(proposal) == (["day", "code"], "day")
    assert any("the rows name no day" in doubt for doubt in proposal.doubts)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("ftp://x", "is no address"),
        ("https://", "is no address"),
        ("https://u:p@x.org/", "a user and a password"),
        ("https://x.org/{a}", "braces"),
        ("nonsense", "is no address"),
    ],
)
def test_what_is_no_address(url: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        template_of(url, name="mine")


def test_rows_of_weekdays_only_are_a_cadence() -> None:
    days = [dt.date(2024, 1, 1) + dt.timedelta(days=number) for number in range(60)]
    for kept, wanted in (
        ([day for day in days if day.weekday() < 5], True),
        (days, False),
        ([day for day in days[:20] if day.weekday() < 5], False),
    ):
        assert proposed(json.dumps([{"day": str(day), "rate": 1.5} for day in kept]).encode()).weekdays_only is wanted


REAL = {
    "cb-nbu": (["exchangedate", "cc"], "exchangedate", ""),
    "cb-cnb": (["valid_for", "currency_code"], "valid_for", "rates"),
    "cb-mma": (["date"], "date", ""),
    "cb-boe": (["date", "symbol"], "date", ""),
    "cb-nb": (["base_cur", "time_period"], "time_period", ""),
    "cb-rb": (["series_id", "date"], "date", ""),
    "cb-hkma": (["end_of_day"], "end_of_day", "result.records"),
    "cb-bnr": (["currency", "date"], "date", ""),
    "cb-cbu": (["code", "date"], "date", ""),
}


@pytest.mark.parametrize("vendor", REAL)
def test_what_central_banks_send(vendor: str) -> None:
    key, row_date, rows_at = REAL[vendor]
    for row in entries(vendor=vendor):
        proposal = proposed(payload(row))
        assert (sorted(roles(proposal)[0]), roles(proposal)[1], proposal.found.rows_at) == (
            sorted(key),
            row_date,
            rows_at,
        )

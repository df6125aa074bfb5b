"""Lists of folders as web servers make them: pages of Apache 2.4.71, nginx 1.22.1 and lighttpd 1.4.69, as they came."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from sbf_core.errors import DatasetFailure
from sbf_core.http.http_listing import child_of, listed_in
from sbf_core.http.http_mark import HttpMark, vendor_conditions

HERE = "https://files.example.com/pub/drops/"
ODD = "b c&d#é%20'\"<1>_20240102.csv"
LISTS = Path(__file__).with_name("lists")


@pytest.mark.parametrize(
    ("page", "kind", "facts"),
    [
        ("nginx.html", "text/html", "02-Jan-2024_03:04_2"),
        ("nginx.json", "application/json", "Tue,_02_Jan_2024_03:04:05_GMT_2"),
        ("apache_table.html", "text/html;charset=ISO-8859-1", "2024-01-02_03:04_2"),
        ("apache_pre.html", "text/html;charset=ISO-8859-1", "2024-01-02_03:04_2"),
        ("apache_plain.html", "text/html;charset=ISO-8859-1", ""),
        ("lighttpd.html", "text/html", "2024-Jan-02_03:04:05_0.1K_application/octet-stream"),
    ],
)
def test_a_list_says_what_is_in_a_folder(page: str, kind: str, facts: str) -> None:
    listed = listed_in((LISTS / page).read_bytes(), HERE, kind)
    assert {(one.file.name, one.is_folder) for one in listed} == {
        ("sub dir", True), (ODD, False), ("x_20240101.csv", False),
    }  # fmt: skip
    assert {one.file.name: one.file.listing for one in listed}["x_20240101.csv"] == facts


@pytest.mark.parametrize(
    ("href", "child"),
    [
        ("x.csv", ("x.csv", False)),
        ("./x.csv", ("x.csv", False)),
        ("/pub/drops/x.csv", ("x.csv", False)),
        ("https://files.example.com/pub/drops/x.csv#top", ("x.csv", False)),
        ("//files.example.com/pub/drops/a/x.csv", ("a/x.csv", False)),
        ("../drops/x.csv", ("x.csv", False)),
        ("  x.csv\n", ("x.csv", False)),
        ("a%20b/", ("a b", True)),
        ("caf%e9.csv", ("caf\udce9.csv", False)),
        ("", None),
        ("./", None),
        ("../", None),
        ("/", None),
        ("/pub/dropsy/x.csv", None),
        ("../other/x.csv", None),
        ("%2e%2e/%2e%2e/secret.csv", None),
        ("..%2f..%2fsecret.csv", None),
        ("a%2fb.csv", None),
        ("x%00.csv", None),
        ("?C=N;O=D", None),
        ("x.csv?version=2", None),
        ("http://files.example.com/pub/drops/x.csv", None),
        ("https://files.example.com:8443/pub/drops/x.csv", None),
        ("https://elsewhere.example.com/pub/drops/x.csv", None),
        ("https://a@files.example.com/pub/drops/x.csv", None),
        ("https://[::1/pub/drops/x.csv", None),
        ("javascript:void(0)", None),
        ("mailto:a@example.com", None),
        ("file:///pub/drops/x.csv", None),
    ],
)
def test_no_link_leads_out_of_the_folder(href: str, child: tuple[str, bool] | None) -> None:
    assert child_of(HERE, HERE, href) == child


def test_links_start_from_where_the_page_says() -> None:
    page = '<base href="/pub/"><p><a href="drops/x.csv">x</a><p><a href="y.csv">y</a><a>no link</a>'
    assert [one.file.name for one in listed_in(page.encode(), HERE, "text/html")] == ["x.csv"]


def test_a_row_with_several_files_says_nothing_of_any() -> None:
    page = '<tr><a href="x.csv">x</a> <a href="y.csv">y</a> 2024-01-02 03:04</tr><br><a href="z.csv">z</a> 5 hours ago'
    assert [(one.file.name, one.file.listing) for one in listed_in(page.encode(), HERE, "text/html")] == [
        ("x.csv", ""), ("y.csv", ""), ("z.csv", ""),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("page", "told"),
    [
        (b'<?xml version="1.0"?><ListBucketResult><Contents/></ListBucketResult>', "it is a bucket of an object store"),
        (b'{"files": ["x.csv"]}', "its JSON is no list of files as nginx makes it"),
        (b"[1, 2]", "its JSON is no list of files as nginx makes it"),
        (b"x.csv\ny.csv\n", "it answers with no list of files"),
        (b"", "it answers with no list of files"),
    ],
)
def test_what_is_no_list_is_refused(page: bytes, told: str) -> None:
    with pytest.raises(DatasetFailure) as error:
        listed_in(page, HERE, "")
    assert told in str(error.value)


def test_a_mark_says_when_a_list_can_be_relied_on() -> None:
    now = dt.datetime(2024, 1, 2, 12, 0, 0, tzinfo=dt.UTC)
    said = {"date": "Fri, 01 Dec 2023 10:00:30 GMT", "etag": 'W/"a b"'}  # another clock than ours
    young = HttpMark.read("x", {**said, "last-modified": "Fri, 01 Dec 2023 10:00:00 GMT"}, now)
    assert young.sure_at == now + dt.timedelta(seconds=32)
    old = HttpMark.read("x", {**said, "last-modified": "Fri, 01 Dec 2023 09:00:00 GMT"}, now)
    assert old.sure_at is not None and old.sure_at < now
    assert HttpMark.read("x", said, now).sure_at is None
    for mark in (young, old, HttpMark.read("", said, now), HttpMark()):
        assert HttpMark.of(mark.text) == mark
    assert vendor_conditions({"if-none-match": young.text}) == {"if-none-match": 'W/"a b"'}
    assert vendor_conditions({"if-none-match": "x -", "if-modified-since": "y"}) == {"if-modified-since": "y"}

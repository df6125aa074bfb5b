"""Texts, counts and typed moments to days and moments in UTC: exact, or a reject that says why."""

from __future__ import annotations

import datetime as dt
import itertools
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pytest
from silver.cast_table import DOTTED, cast, column_of, connect

from sbf_core.dataset.columns import Column
from sbf_core.dataset.date_formats import parse_date_format
from sbf_core.silver.cast import known_from_expression

NEW_YORK = "America/New_York"


@pytest.fixture(scope="module")
def conn() -> duckdb.DuckDBPyConnection:
    return connect()


def outcome(conn: duckdb.DuckDBPyConnection, column: Column, text: str, **facts: Any) -> str | None:
    """The value as text, or the kind of its reject."""
    [(value, reason)] = cast(conn, column, [text], **facts)
    assert value is None or reason is None
    return reason or value


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("2024-02-29", "2024-02-29"), (" 2024-02-29\t", "2024-02-29"), ("0001-01-01", "0001-01-01"),
        ("9999-12-31", "9999-12-31"), ("2023-02-29", "unparsable"), ("2024-13-01", "unparsable"),
        ("2024-00-10", "unparsable"), ("24-01-01", "unparsable"), ("01/02/2024", "unparsable"),
        ("2024/01/02", "unparsable"), ("20240102", "unparsable"), ("2024-1-002", "unparsable"),
        ("2024-1-2", "unparsable"), ("2024-01-02T10:00:00", "unparsable"), ("2024-01-02 (BC)", "unparsable"),
        ("infinity", "unparsable"), ("epoch", "unparsable"), ("10000-01-01", "unparsable"),
        ("0000-01-01", "unparsable"), ("-001-01-01", "unparsable"), ("2024-W01-1", "unparsable"),
    ],
)  # fmt: skip
def test_a_day_is_written_in_one_way(conn: duckdb.DuckDBPyConnection, text: str, right: str) -> None:
    assert outcome(conn, column_of("DATE"), text) == right


@pytest.mark.parametrize(
    ("text", "zoned", "zoneless"),
    [
        ("2024-03-09T09:30:00Z", "2024-03-09 09:30:00", None),
        ("2024-03-09 09:30:00-05:00", "2024-03-09 14:30:00", None),
        ("2024-03-09T09:30+0530", "2024-03-09 04:00:00", None), ("2024-03-09T09:30:00+14", "2024-03-08 19:30:00", None),
        ("2024-03-09T09:30:00-00:00", "2024-03-09 09:30:00", None),
        ("2024-02-29T23:59:59.5Z", "2024-02-29 23:59:59.5", None),
        ("2024-03-09T09:30:00.1234560000Z", "2024-03-09 09:30:00.123456", None),
        ("2024-03-09T09:30:00.1234567Z", "too_precise", None), ("2024-03-09T09:30:00.0000000001", "too_precise", None),
        ("2024-03-09T09:30:00", "2024-03-09 14:30:00", "no_zone"),
        ("2024-03-09 09:30", "2024-03-09 14:30:00", "no_zone"),
        ("2024-03-10T01:59:59.999999", "2024-03-10 06:59:59.999999", "no_zone"),
        ("2024-03-10T02:30:00", "skipped_hour", "no_zone"), ("2024-03-10T03:00:00", "2024-03-10 07:00:00", "no_zone"),
        ("2024-11-03T00:59:59", "2024-11-03 04:59:59", "no_zone"), ("2024-11-03T01:30:00", "repeated_hour", "no_zone"),
        ("2024-11-03T02:00:00", "2024-11-03 07:00:00", "no_zone"), ("2024-03-09", "unparsable", None),
        ("2024-02-30T10:00:00Z", "unparsable", None), ("2024-02-30T10:00:00", "unparsable", None),
        ("2024-03-09T24:00:00Z", "unparsable", None), ("2024-03-09T09:30:60Z", "unparsable", None),
        ("2024-03-09T09:60:00Z", "unparsable", None), ("2024-03-09T9:30:00Z", "unparsable", None),
        ("2024-03-09T09:30:00.Z", "unparsable", None), ("2024-03-09T09:30:00 Z", "unparsable", None),
        ("2024-03-09T09:30:00EST", "unparsable", None), ("2024-03-09T09:30:00+24", "unparsable", None),
        ("2024-03-09T09Z", "unparsable", None), ("20240309T093000Z", "unparsable", None),
        ("2024-03-09T09:30:00+05:3", "unparsable", None), ("09:30:00", "unparsable", None), ("now", "unparsable", None),
        ("infinity", "unparsable", None), ("0000-06-01T00:00:00Z", "out_of_range", None),
        ("0001-01-01T00:00:00+01", "out_of_range", None), ("0001-01-01T00:00:00Z", "0001-01-01 00:00:00", None),
        ("9999-12-31T23:59:59.999999Z", "9999-12-31 23:59:59.999999", None),
        ("9999-12-31T23:59:59-01:00", "out_of_range", None), ("9999-12-31T22:00:00", "out_of_range", "no_zone"),
        ("10000-01-01T00:00:00Z", "unparsable", None), ("\u00a02024-03-09T09:30:00Z ", "2024-03-09 09:30:00", None),
        (" 2024-03-09T09:30:00 ", "2024-03-09 14:30:00", "no_zone"),
    ],
)  # fmt: skip
def test_a_moment_is_an_instant_or_rejected(
    conn: duckdb.DuckDBPyConnection, text: str, zoned: str, zoneless: str | None
) -> None:
    assert outcome(conn, column_of("TIMESTAMP", zone=NEW_YORK), text) == zoned
    assert outcome(conn, column_of("TIMESTAMP"), text) == (zoneless or zoned)


def test_utc_is_a_zone_like_others(conn: duckdb.DuckDBPyConnection) -> None:
    texts = ["2024-03-10T02:30:00", "2024-03-10T02:30:00+01", "9999-12-31T23:59:59", "2024-03-10T02:30:00.1234567"]
    for zone in ("UTC", "Etc/UTC"):
        found = [reason or value for value, reason in cast(conn, column_of("TIMESTAMP", zone=zone), texts)]
        assert found == ["2024-03-10 02:30:00", "2024-03-10 01:30:00", "9999-12-31 23:59:59", "too_precise"]


def test_fold_says_which_of_two_hours_is_meant(conn: duckdb.DuckDBPyConnection) -> None:
    texts = [
        "2024-11-03T01:30:00",
        "2024-11-03 01:00",
        "2024-11-03T02:00:00",
        "2024-03-10T02:30:00",
        "2024-11-03T01:30:00-05:00",
    ]
    for fold, hour in (("first", 5), ("last", 6)):
        found = [
            reason or value for value, reason in cast(conn, column_of("TIMESTAMP", zone=NEW_YORK, fold=fold), texts)
        ]
        assert found == [
            f"2024-11-03 0{hour}:30:00",
            f"2024-11-03 0{hour}:00:00",
            "2024-11-03 07:00:00",
            "skipped_hour",
            "2024-11-03 06:30:00",
        ]


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("2024-01-01T00:00:00.123456789Z", "2024-01-01 00:00:00.123456789"),
        ("2024-01-01T00:00:00.1Z", "2024-01-01 00:00:00.1"),
        ("2024-01-01T00:00:00.0000000010Z", "2024-01-01 00:00:00.000000001"),
        ("2024-01-01T00:00:00.1234567891Z", "too_precise"),
        ("2024-01-01T00:00:00.123456789", "2024-01-01 05:00:00.123456789"),
        ("2024-03-10T02:30:00.000000001", "skipped_hour"),
        ("1969-12-31T23:59:59.999999999Z", "1969-12-31 23:59:59.999999999"),
        ("1677-09-22T00:00:00.000000001Z", "1677-09-22 00:00:00.000000001"),
        ("1677-09-21T23:59:59.999999999Z", "out_of_range"),
        ("2262-04-11T23:47:16.854775806Z", "2262-04-11 23:47:16.854775806"),
        ("2262-04-11T23:47:16.854775807Z", "out_of_range"), ("1600-01-01T00:00:00Z", "out_of_range"),
        ("2024-02-30T00:00:00.5Z", "unparsable"), ("2024-01-01", "unparsable"),
    ],
)  # fmt: skip
def test_nanoseconds_are_kept_where_they_are_declared(conn: duckdb.DuckDBPyConnection, text: str, right: str) -> None:
    assert outcome(conn, column_of("TIMESTAMP_NS", zone=NEW_YORK), text) == right


@pytest.mark.parametrize(
    ("form", "text", "right"),
    [
        ("%d.%m.%Y", "31.12.2024", "2024-12-31"), ("%d.%m.%Y", "1.2.2024", "2024-02-01"),
        ("%d.%m.%Y", "31.12.24", "unparsable"), ("%d.%m.%Y", "29.02.2023", "unparsable"),
        ("%d.%m.%Y", "31.04.2024", "unparsable"), ("%d.%m.%Y", "1. 2.2024", "unparsable"),
        ("%d.%m.%Y", "1.2.2024x", "unparsable"), ("%d.%m.%Y", "2024-12-31", "unparsable"),
        ("%d.%m.%Y", "001.2.2024", "unparsable"), ("%d.%m.%Y", " 1.2.2024 ", "2024-02-01"),
        ("%d.%m.%Y", "01.01.0000", "out_of_range"), ("%d.%m.%y", "01.02.69", "1969-02-01"),
        ("%d.%m.%y", "01.02.68", "2068-02-01"), ("%d.%m.%y", "01.02.2024", "unparsable"),
        ("%Y%m%d", "20240115", "2024-01-15"), ("%Y%m%d", "2024115", "unparsable"),
        ("%d-%b-%Y", "06-OCT-2008", "2008-10-06"), ("%d-%b-%Y", "6-may-2008", "2008-05-06"),
        ("%d-%b-%Y", "06-October-2008", "unparsable"), ("%d-%b-%Y", "06-Okt-2008", "unparsable"),
        ("%B %d, %Y", "December 1, 2024", "2024-12-01"), ("%B %d, %Y", "Dec 1, 2024", "unparsable"),
        ("%a, %d %b %Y", "Mon, 01 Jan 2024", "2024-01-01"), ("%a, %d %b %Y", "Tue, 01 Jan 2024", "unparsable"),
        ("%A %d.%m.%y", "monday 1.1.24", "2024-01-01"), ("%Y-%j", "2024-366", "2024-12-31"),
        ("%Y-%j", "2023-366", "unparsable"), ("%Y-%j", "2024-000", "unparsable"), ("%Y%j", "2024032", "2024-02-01"),
        ("%Y%j", "202432", "unparsable"), ("%Y-%m", "2024-03", "2024-03-01"), ("%Y", "2024", "2024-01-01"),
        ("%Y%m", "192607", "1926-07-01"), ("%d/%m/%Y %H:%M", "01/02/2024 23:59", "2024-02-01"),
        ("%d/%m/%Y %H:%M", "01/02/2024 24:00", "unparsable"), ("%Y年%m月%d日", "2024年3月9日", "2024-03-09"),
        ("%d%%%m|%Y", "01%02|2024", "2024-02-01"),
        ("%d.%m.%Y %H:%M:%S.%f", "01.02.2024 10:00:00.1234567891", "2024-02-01"),
    ],
)  # fmt: skip
def test_a_day_of_a_declared_format(conn: duckdb.DuckDBPyConnection, form: str, text: str, right: str) -> None:
    assert outcome(conn, column_of("DATE", date_format=form), text) == right


@pytest.mark.parametrize(
    ("form", "zone", "text", "right"),
    [
        ("%d/%m/%Y %H:%M:%S", NEW_YORK, "10/03/2024 02:30:00", "skipped_hour"),
        ("%d/%m/%Y %H:%M:%S", NEW_YORK, "3/11/2024 1:30:00", "repeated_hour"),
        ("%d/%m/%Y %H:%M:%S", NEW_YORK, "09/03/2024 09:30:00", "2024-03-09 14:30:00"),
        ("%d/%m/%Y %H:%M:%S %z", "", "10/03/2024 23:30:00 -0500", "2024-03-11 04:30:00"),
        ("%d/%m/%Y %H:%M:%S %z", "", "10/03/2024 23:30:00 +05:30", "2024-03-10 18:00:00"),
        ("%d/%m/%Y %H:%M:%S %z", "", "10/03/2024 23:30:00 Z", "2024-03-10 23:30:00"),
        ("%d/%m/%Y %H:%M:%S %z", "", "10/03/2024 23:30:00", "unparsable"),
        ("%d/%m/%Y %H:%M:%S %z", "", "2024-03-10T23:30:00Z", "unparsable"),
        ("%d/%m/%Y %H:%M:%S %z", "", "10/03/2024 23:30:00 EST", "unparsable"),
        ("%m/%d/%Y %I:%M %p", "UTC", "3/9/2024 12:05 AM", "2024-03-09 00:05:00"),
        ("%m/%d/%Y %I:%M %p", "UTC", "3/9/2024 12:05 pm", "2024-03-09 12:05:00"),
        ("%m/%d/%Y %I:%M %p", "UTC", "3/9/2024 13:05 PM", "unparsable"),
        ("%m/%d/%Y %I:%M %p", "UTC", "3/9/2024 0:05 AM", "unparsable"),
        ("%Y%m%dT%H%M%S.%f", "UTC", "20240309T093000.5", "2024-03-09 09:30:00.5"),
        ("%Y%m%dT%H%M%S.%f", "UTC", "20240309T093000.123456000", "2024-03-09 09:30:00.123456"),
        ("%Y%m%dT%H%M%S.%f", "UTC", "20240309T093000.1234567", "too_precise"),
        ("%Y-%m-%d %H:%M:%S.%g", "UTC", "2024-03-09 09:30:00.1234", "unparsable"),
        ("%Y-%m-%d %I:%M:%S.%f %p", "UTC", "2024-03-09 09:30:00.25 PM", "2024-03-09 21:30:00.25"),
        ("%Y-%m-%d", "UTC", "2024-03-09", "2024-03-09 00:00:00"),
        ("%a, %d %b %Y %H:%M:%S GMT", "UTC", "Sat, 09 Mar 2024 09:30:00 GMT", "2024-03-09 09:30:00"),
        ("%a, %d %b %Y %H:%M:%S GMT", "UTC", "Sat, 09 Mar 2024 09:30:00 EST", "unparsable"),
        ("%Y-%m-%d %H:%M:%S", "UTC", "2024-03-09 09:30:60", "unparsable"),
        ("%m/%d/%Y %I:%M %p", "UTC", "2024-03-09T09:30:00.1234567", "unparsable"),
        ("%Y%m%dT%H%M%S.%f", "UTC", "2024-03-09T09:30:00.1234567", "unparsable"),
    ],
)  # fmt: skip
def test_a_moment_of_a_declared_format(
    conn: duckdb.DuckDBPyConnection, form: str, zone: str, text: str, right: str
) -> None:
    assert outcome(conn, column_of("TIMESTAMP", date_format=form, zone=zone), text) == right


def test_nanoseconds_of_a_declared_format(conn: duckdb.DuckDBPyConnection) -> None:
    texts = ["20240309T093000.123456789", "20240309T093000.5", "20240309T093000.1234567891"]
    found = [
        reason or value
        for value, reason in cast(conn, column_of("TIMESTAMP_NS", date_format="%Y%m%dT%H%M%S.%n", zone="UTC"), texts)
    ]
    assert found == ["2024-03-09 09:30:00.123456789", "2024-03-09 09:30:00.5", "unparsable"]


def test_an_offset_in_the_format_of_a_day_needs_the_zone_of_the_day(conn: duckdb.DuckDBPyConnection) -> None:
    form, text = "%d/%m/%Y %H:%M %z", "10/03/2024 23:30 -0500"
    for zone, day in (("UTC", "2024-03-11"), (NEW_YORK, "2024-03-11"), ("America/Los_Angeles", "2024-03-10")):
        assert outcome(conn, column_of("DATE", date_format=form, zone=zone), text) == day


@pytest.mark.parametrize(
    ("form", "word"),
    [
        ("%Y-%m-%d %H:%M %Z", "%Z"), ("%Y %U", "%U"), ("%G-W%V-%u", "%G"), ("%c", "%c"), ("%x", "%x"),
        ("%Y-%m-%d %w", "%w"), ("%Y-%m-%d %Q", "%Q"), ("%Y-%m-%d %", "%"), ("%d.%m", "no year"), ("%Y %y", "two years"),
        ("%Y-%m-%d-%d", "twice"), ("%Y %m %b", "two months"), ("%Y-%j-%d", "%j"), ("%Y-%m-%d %I:%M", "%I and %p"),
        ("%Y-%m-%d %H:%M %p", "%I and %p"), ("%Y-%m-%d %M", "an hour"), ("%Y-%m-%d %H %S", "minutes"),
        ("%Y-%m-%d %H:%M.%f", "seconds"), ("%Y-%d", "a month"), ("%a %Y-%m", "a whole date"), ("%Y%-m%d", "%-m"),
        ("%H %I %p %Y", "two hours"), ("%Y-%m-%d %H:%M:%S.%f%n", "two fractions"),
    ],
)  # fmt: skip
def test_what_a_format_cannot_say_exactly_is_refused_when_it_is_declared(form: str, word: str) -> None:
    with pytest.raises(ValueError, match=word.replace("%", "%")):
        parse_date_format(form)


@pytest.mark.parametrize(
    ("unit", "text", "micro", "nano", "day"),
    [
        ("s", "1385579841.8818", "2013-11-27 19:17:21.8818", "2013-11-27 19:17:21.8818", "2013-11-27"),
        ("s", "0", "1970-01-01 00:00:00", "1970-01-01 00:00:00", "1970-01-01"),
        ("s", "-0.0000001", "too_precise", "1969-12-31 23:59:59.9999999", "1969-12-31"),
        ("s", "-1", "1969-12-31 23:59:59", "1969-12-31 23:59:59", "1969-12-31"),
        ("s", "1.385579841e9", "2013-11-27 19:17:21", "2013-11-27 19:17:21", "2013-11-27"),
        ("s", "253402300799", "9999-12-31 23:59:59", "out_of_range", "9999-12-31"),
        ("s", "253402300800", "out_of_range", "out_of_range", "out_of_range"),
        ("s", "1764000000000", "out_of_range", "out_of_range", "out_of_range"),
        ("s", "1e99999999999999999999", "out_of_range", "out_of_range", "out_of_range"),
        ("ms", "0e999", "1970-01-01 00:00:00", "1970-01-01 00:00:00", "1970-01-01"),
        ("s", "-0.00E99999999999999999999", "1970-01-01 00:00:00", "1970-01-01 00:00:00", "1970-01-01"),
        ("s", "0e-99999999999999999999", "1970-01-01 00:00:00", "1970-01-01 00:00:00", "1970-01-01"),
        ("s", "soon", "unparsable", "unparsable", "unparsable"),
        ("s", "2024-01-01", "unparsable", "unparsable", "unparsable"),
        ("ms", "1764000000000", "2025-11-24 16:00:00", "2025-11-24 16:00:00", "2025-11-24"),
        ("ms", "1764000000000.0005", "too_precise", "2025-11-24 16:00:00.0000005", "2025-11-24"),
        ("us", "1764000000000001", "2025-11-24 16:00:00.000001", "2025-11-24 16:00:00.000001", "2025-11-24"),
        ("us", "1764000000000000.5", "too_precise", "2025-11-24 16:00:00.0000005", "2025-11-24"),
        ("ns", "1764000000000000001", "too_precise", "2025-11-24 16:00:00.000000001", "2025-11-24"),
        ("ns", "1764000000000000000", "2025-11-24 16:00:00", "2025-11-24 16:00:00", "2025-11-24"),
        ("ns", "-1", "too_precise", "1969-12-31 23:59:59.999999999", "1969-12-31"),
        ("ns", "9223372036854775806", "too_precise", "2262-04-11 23:47:16.854775806", "2262-04-11"),
        ("ns", "9223372036854775807", "too_precise", "out_of_range", "2262-04-11"),
        ("ns", "1.5", "too_precise", "too_precise", "1970-01-01"), ("ns", "", None, None, None),
    ],
)  # fmt: skip
def test_a_count_since_1970_is_exact(
    conn: duckdb.DuckDBPyConnection, unit: str, text: str, micro: str, nano: str, day: str
) -> None:
    found = [outcome(conn, column_of(kind, epoch=unit), text) for kind in ("TIMESTAMP", "TIMESTAMP_NS", "DATE")]
    assert found == [micro, nano, day]


def test_the_day_of_a_count_is_that_of_the_zone(conn: duckdb.DuckDBPyConnection) -> None:
    assert outcome(conn, column_of("DATE", epoch="s", zone=NEW_YORK), "1704067200") == "2023-12-31"
    assert outcome(conn, column_of("DATE", epoch="s", zone="Asia/Tokyo"), "1704034800") == "2024-01-01"
    assert cast(conn, column_of("DATE", epoch="ms"), ["1764000000000", "17640.5"], of="DOUBLE") == [
        ("2025-11-24", None),
        ("1970-01-01", None),
    ]
    assert cast(conn, column_of("TIMESTAMP", epoch="ms"), ["1764000000000"], of="BIGINT") == [
        ("2025-11-24 16:00:00", None)
    ]


def test_a_count_has_the_marks_of_numbers(conn: duckdb.DuckDBPyConnection) -> None:
    column = column_of("TIMESTAMP", epoch="s")
    assert cast(conn, column, ["1,5", "1.234", "1.5"], marks=DOTTED) == [
        ("1970-01-01 00:00:01.5", None),
        ("1970-01-01 00:20:34", None),
        (None, "unparsable"),
    ]
    assert cast(conn, column, ["1.5"], of="DOUBLE", marks=DOTTED) == [("1970-01-01 00:00:01.5", None)]


TYPED = [
    # type, value, column, moments_are_utc, outcome
    ("DATE", "'2024-01-02'", column_of("DATE"), False, "2024-01-02"),
    ("DATE", "'infinity'", column_of("DATE"), False, "not_finite"),
    ("DATE", "'0001-01-01 (BC)'", column_of("DATE"), False, "out_of_range"),
    ("DATE", "'2024-01-02'", column_of("TIMESTAMP"), False, "no_zone"),
    ("DATE", "'2024-01-02'", column_of("TIMESTAMP"), True, "no_zone"),
    ("DATE", "'2024-01-02'", column_of("TIMESTAMP", zone=NEW_YORK), False, "2024-01-02 05:00:00"),
    ("TIMESTAMP", "'2024-01-02 09:30'", column_of("TIMESTAMP"), False, "no_zone"),
    ("TIMESTAMP", "'2024-01-02 09:30'", column_of("TIMESTAMP"), True, "2024-01-02 09:30:00"),
    ("TIMESTAMP", "'2024-01-02 09:30'", column_of("TIMESTAMP", zone=NEW_YORK), True, "2024-01-02 09:30:00"),
    ("TIMESTAMP", "'2024-01-02 09:30'", column_of("TIMESTAMP", zone=NEW_YORK), False, "2024-01-02 14:30:00"),
    ("TIMESTAMP", "'2024-03-10 02:30'", column_of("TIMESTAMP", zone=NEW_YORK), False, "skipped_hour"),
    ("TIMESTAMP", "'2024-11-03 01:30'", column_of("TIMESTAMP", zone=NEW_YORK), False, "repeated_hour"),
    ("TIMESTAMP", "'infinity'", column_of("TIMESTAMP", zone=NEW_YORK), False, "not_finite"),
    ("TIMESTAMP", "'10000-01-01'", column_of("TIMESTAMP"), True, "out_of_range"),
    ("TIMESTAMP", "'2024-01-02 09:30:00.000001'", column_of("TIMESTAMP_NS"), True, "2024-01-02 09:30:00.000001"),
    ("TIMESTAMP", "'1600-01-02'", column_of("TIMESTAMP_NS"), True, "out_of_range"),
    ("TIMESTAMP", "'2024-01-02'", column_of("DATE"), False, "2024-01-02"),
    ("TIMESTAMP", "'2024-01-02 09:30'", column_of("DATE"), False, "no_zone"),
    ("TIMESTAMP", "'2024-01-02 23:30'", column_of("DATE", zone=NEW_YORK), False, "2024-01-02"),
    ("TIMESTAMP", "'2024-01-02 03:30'", column_of("DATE", zone=NEW_YORK), True, "2024-01-01"),
    ("TIMESTAMP", "'2024-01-02'", column_of("DATE"), True, "2024-01-02"),
    ("TIMESTAMP WITH TIME ZONE", "'2024-01-02 09:30:00+02'", column_of("TIMESTAMP"), False, "2024-01-02 07:30:00"),
    (
        "TIMESTAMP WITH TIME ZONE",
        "'2024-01-02 09:30:00+02'",
        column_of("TIMESTAMP", zone=NEW_YORK),
        False,
        "2024-01-02 07:30:00",
    ),
    ("TIMESTAMP WITH TIME ZONE", "'infinity'", column_of("TIMESTAMP"), False, "not_finite"),
    ("TIMESTAMP WITH TIME ZONE", "'2024-01-02 00:00:00+00'", column_of("DATE"), False, "no_zone"),
    ("TIMESTAMP WITH TIME ZONE", "'2024-01-02 03:00:00+00'", column_of("DATE", zone=NEW_YORK), False, "2024-01-01"),
    ("TIMESTAMP_NS", "'2024-01-02 09:30:00.000000001'", column_of("TIMESTAMP"), True, "too_precise"),
    ("TIMESTAMP_NS", "'2024-01-02 09:30:00.000001'", column_of("TIMESTAMP"), True, "2024-01-02 09:30:00.000001"),
    (
        "TIMESTAMP_NS",
        "'1969-12-31 23:59:59.999999999'",
        column_of("TIMESTAMP_NS"),
        True,
        "1969-12-31 23:59:59.999999999",
    ),
    ("TIMESTAMP_NS", "'1969-12-31 23:59:59.999999999'", column_of("TIMESTAMP"), True, "too_precise"),
    (
        "TIMESTAMP_NS",
        "'2024-01-02 09:30:00.000000001'",
        column_of("TIMESTAMP_NS", zone=NEW_YORK),
        False,
        "2024-01-02 14:30:00.000000001",
    ),
    ("TIMESTAMP_NS", "'infinity'", column_of("TIMESTAMP_NS"), True, "not_finite"),
    ("TIMESTAMP_MS", "'2024-01-02 09:30:00.123'", column_of("TIMESTAMP"), True, "2024-01-02 09:30:00.123"),
    ("TIMESTAMP_S", "'2024-01-02 09:30:00'", column_of("TIMESTAMP", zone=NEW_YORK), False, "2024-01-02 14:30:00"),
    ("TIME", "'09:30'", column_of("TIMESTAMP", zone="UTC"), False, "unparsable"),
    ("INTEGER", "20240102", column_of("DATE", date_format="%Y%m%d"), False, "2024-01-02"),
    ("INTEGER", "19724", column_of("DATE"), False, "unparsable"),
    ("DOUBLE", "1.5", column_of("TIMESTAMP", zone="UTC"), False, "unparsable"),
    ("TIMESTAMP", "'2024-01-02'", column_of("DATE", missing=("2024-01-02 00:00:00",)), False, None),
    ("DATE", "'9999-12-31'", column_of("DATE", missing=("9999-12-31",)), False, None),
]


@pytest.mark.parametrize(("of", "value", "column", "utc", "right"), TYPED)
def test_typed_moments(
    conn: duckdb.DuckDBPyConnection, of: str, value: str, column: Column, utc: bool, right: str | None
) -> None:
    [(found, reason)] = cast(conn, column, [value], of=of, moments_are_utc=utc)
    assert (reason or found) == right


def test_markers_that_look_like_moments(conn: duckdb.DuckDBPyConnection) -> None:
    assert cast(conn, column_of("DATE", missing=("9999-12-31",)), ["9999-12-31", " 9999-12-31 ", "9999-12-30"]) == [
        (None, None),
        (None, None),
        ("9999-12-30", None),
    ]
    column = column_of("TIMESTAMP", missing=("0001-01-01T00:00:00Z", "1900-01-01 00:00:00"), zone="UTC")
    assert cast(conn, column, ["0001-01-01T00:00:00Z", "1900-01-01 00:00:00"]) == [(None, None), (None, None)]
    column = column_of("DATE", missing=("00.00.0000", "01.01.1900"), date_format="%d.%m.%Y")
    assert cast(conn, column, ["00.00.0000", "01.01.1900", "02.01.1900"]) == [
        (None, None),
        (None, None),
        ("1900-01-02", None),
    ]


#: Zones whose rules are old enough to be the same in every time zone database, with an odd one of each kind:
#: half an hour, a day left out, no changes.
ZONES = (NEW_YORK, "Europe/Berlin", "Europe/London", "Asia/Tokyo", "Asia/Kolkata", "Australia/Lord_Howe",
         "America/Sao_Paulo", "Pacific/Apia", "Asia/Kathmandu", "America/St_Johns")  # fmt: skip


def instants(zone: str, local: dt.datetime) -> list[dt.datetime]:
    """The instants, UTC without a zone, at which clocks of a zone show a local time, by Python's own rules."""
    found = set()
    for fold in (0, 1):
        instant = local.replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(dt.UTC)
        if instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None) == local:
            found.add(instant.replace(tzinfo=None))
    return sorted(found)


def changes(zone: str) -> list[dt.datetime]:
    """The instants of the changes of a zone from 1970 to 2037, by halving."""
    rules = ZoneInfo(zone)

    def offset(moment: dt.datetime) -> dt.timedelta | None:
        return moment.replace(tzinfo=dt.UTC).astimezone(rules).utcoffset()

    found = []
    for low, high in itertools.pairwise(dt.datetime(1970, 1, 1) + dt.timedelta(days=7 * week) for week in range(3540)):
        if offset(low) != offset(high):
            while high - low > dt.timedelta(seconds=1):
                middle = low + (high - low) // 2
                low, high = (middle, high) if offset(middle) == offset(low) else (low, middle)
            found.append(high.replace(microsecond=0))
    return found


@pytest.mark.parametrize("zone", ZONES)
def test_local_time_is_settled_as_python_settles_it(conn: duckdb.DuckDBPyConnection, zone: str) -> None:
    steps = [
        dt.timedelta(seconds=seconds)
        for seconds in (
            -90_000,
            -86_400,
            -7200,
            -3601,
            -3600,
            -1801,
            -1800,
            -1,
            0,
            1,
            1799,
            1800,
            3599,
            3600,
            7200,
            86_400,
            90_000,
        )
    ]
    points = {dt.datetime(1970, 1, 1) + dt.timedelta(days=37 * step, minutes=97 * step) for step in range(600)}
    for change in changes(zone):
        for side in (-1, 1):
            offset = (change + dt.timedelta(seconds=side)).replace(tzinfo=dt.UTC).astimezone(ZoneInfo(zone)).utcoffset()
            assert offset is not None
            points |= {change + offset + step for step in steps}
    locals_ = sorted(points)
    texts = [local.isoformat(" ") for local in locals_]
    for fold in ("", "first", "last"):
        found = cast(conn, column_of("TIMESTAMP", zone=zone, fold=fold), texts)
        for local, (value, reason) in zip(locals_, found, strict=True):
            right = instants(zone, local)
            if not right:
                assert (value, reason) == (None, "skipped_hour"), local
            elif len(right) == 2 and not fold:
                assert (value, reason) == (None, "repeated_hour"), local
            else:
                assert (value, reason) == (right[0 if fold == "first" else -1].isoformat(" "), None), local


def test_the_sessions_zone_changes_nothing() -> None:
    conn = connect()
    asked = [
        (column_of("TIMESTAMP", zone=NEW_YORK), ["2024-03-09T09:30:00", "2024-03-09T09:30:00Z"], "VARCHAR"),
        (column_of("TIMESTAMP", date_format="%d/%m/%Y %H:%M %z"), ["09/03/2024 09:30 +0100"], "VARCHAR"),
        (column_of("DATE", date_format="%d/%m/%Y %H:%M %z", zone="Asia/Tokyo"), ["09/03/2024 23:30 +0100"], "VARCHAR"),
        (column_of("TIMESTAMP_NS"), ["2024-03-09T09:30:00.000000001Z"], "VARCHAR"),
        (column_of("DATE", epoch="s", zone="Asia/Tokyo"), ["1704034800"], "VARCHAR"),
        (column_of("TIMESTAMP"), ["TIMESTAMPTZ '2024-03-09 09:30:00+01'"], "TIMESTAMP WITH TIME ZONE"),
        (column_of("DATE", zone="Asia/Tokyo"), ["TIMESTAMPTZ '2024-03-09 23:30:00+01'"], "TIMESTAMP WITH TIME ZONE"),
    ]
    right = [cast(conn, column, values, of=of) for column, values, of in asked]
    conn.execute("SET TimeZone = 'Pacific/Auckland'")
    assert [cast(conn, column, values, of=of) for column, values, of in asked] == right


def known(conn: duckdb.DuckDBPyConnection, column: Column, value: str) -> str:
    """From when a row with this value was known, as text."""
    found = conn.execute(
        f"SELECT CAST({known_from_expression(column, 's.v')} AS VARCHAR) FROM (SELECT {value} AS v) AS s"
    ).fetchone()
    assert found is not None
    return str(found[0])


@pytest.mark.parametrize(
    ("known_at", "zone", "day", "right"),
    [
        ("end of day", "", "2024-01-02", "2024-01-03 00:00:00"),
        ("start of day", "", "2024-01-02", "2024-01-02 00:00:00"), ("16:30", "", "2024-01-02", "2024-01-02 16:30:00"),
        ("end of day", NEW_YORK, "2024-01-02", "2024-01-03 05:00:00"),
        ("end of day", NEW_YORK, "2024-03-10", "2024-03-11 04:00:00"),
        ("16:30", NEW_YORK, "2024-07-02", "2024-07-02 20:30:00"),
        ("02:30", NEW_YORK, "2024-03-10", "2024-03-10 07:00:00"),
        ("03:00", NEW_YORK, "2024-03-10", "2024-03-10 07:00:00"),
        ("01:30", NEW_YORK, "2024-11-03", "2024-11-03 06:30:00"),
        ("end of day", "America/Sao_Paulo", "2018-11-03", "2018-11-04 03:00:00"),
        ("00:30", "America/Sao_Paulo", "2018-11-04", "2018-11-04 03:00:00"),
        ("end of day", "Pacific/Apia", "2011-12-29", "2011-12-30 10:00:00"),
        ("16:30", "Pacific/Apia", "2011-12-30", "2011-12-30 10:00:00"),
        ("start of day", "America/Havana", "2023-11-05", "2023-11-05 05:00:00"),
        ("02:15", "Australia/Lord_Howe", "2024-10-06", "2024-10-05 15:30:00"),
        ("end of day", "Asia/Tokyo", "2024-01-02", "2024-01-02 15:00:00"),
    ],
)  # fmt: skip
def test_from_when_a_day_was_known(
    conn: duckdb.DuckDBPyConnection, known_at: str, zone: str, day: str, right: str
) -> None:
    assert known(conn, column_of("DATE", known_at=known_at, zone=zone), f"DATE '{day}'") == right


def test_a_day_is_never_known_too_early(conn: duckdb.DuckDBPyConnection) -> None:
    for zone, known_at in itertools.product(ZONES, ("end of day", "start of day", "02:15")):
        days = [dt.date(2005, 1, 1) + dt.timedelta(days=step) for step in range(6000)]
        conn.execute("CREATE OR REPLACE TEMP TABLE days AS SELECT unnest(CAST(? AS DATE[])) AS v", [days])
        sql = known_from_expression(column_of("DATE", known_at=known_at, zone=zone), "d.v")
        for day, found in conn.execute(f"SELECT d.v, {sql} FROM days AS d").fetchall():
            shift = {"end of day": dt.timedelta(days=1), "start of day": dt.timedelta(0)}.get(
                known_at, dt.timedelta(hours=2, minutes=15)
            )
            local = dt.datetime.combine(day, dt.time()) + shift
            right = instants(zone, local)
            if right:
                assert found == right[-1], (zone, local)
            else:
                # what is shown at the first moment behind the gap is later than asked,
                # and a moment before it is earlier
                shown = found.replace(tzinfo=dt.UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None)
                before = (
                    (found - dt.timedelta(seconds=1))
                    .replace(tzinfo=dt.UTC)
                    .astimezone(ZoneInfo(zone))
                    .replace(tzinfo=None)
                )
                assert before < local < shown, (zone, local)


def test_from_when_a_moment_was_known(conn: duckdb.DuckDBPyConnection) -> None:
    assert known(conn, column_of("TIMESTAMP"), "TIMESTAMP '2024-01-02 09:30:00.123456'") == "2024-01-02 09:30:00.123456"
    for text, right in {
        "2024-01-02 09:30:00.123456001": "2024-01-02 09:30:00.123457",
        "2024-01-02 09:30:00.123456": "2024-01-02 09:30:00.123456",
        "1969-12-31 23:59:59.999999001": "1970-01-01 00:00:00",
        "1969-12-31 23:59:59.999998999": "1969-12-31 23:59:59.999999",
    }.items():
        assert known(conn, column_of("TIMESTAMP_NS"), f"TIMESTAMP_NS '{text}'") == right

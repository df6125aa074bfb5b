"""Texts to types against plain Python: ``cast_oracle``."""

from __future__ import annotations

import datetime as dt
import os
import re
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from properties.cast_oracle import BLANKS, value_of
from silver.cast_table import COMMA, COMMA_GROUPS, DOTTED, POINT, cast, column_of, connect

from sbf_core.dataset.formats import Csv

CONN = connect()
#: More by hand: CAST_EXAMPLES=2000.
EXAMPLES = int(os.environ.get("CAST_EXAMPLES", "20"))
PROPERTY = settings(
    max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=EXAMPLES == 20
)


# Numbers --------------------------------------------------------------------------------------------------------------

digits = (
    st.text("0123456789", max_size=25)
    | st.text("09", min_size=18, max_size=60)
    | st.sampled_from(["9223372036854775807", "9223372036854775808", "0" * 50])
)
exponents = st.integers(-60, 60).map(str) | st.sampled_from(
    ["+07", "-0", "400000000", "-400000000", "9" * 25, "-" + "9" * 25]
)


@st.composite
def numbers(draw: st.DrawFn) -> str:
    """What a number may look like, and what nearly is one."""
    mark = draw(st.sampled_from([".", ".", ","]))
    whole = draw(digits)
    if draw(st.integers(0, 3)) == 0:
        group = draw(st.sampled_from(",. '_"))
        whole = group.join([whole[:3], *(whole[at : at + 3] for at in range(3, min(len(whole), 12), 3))])
    text = draw(st.sampled_from(["", "", "-", "+", "+-"])) + whole
    if draw(st.booleans()):
        text += mark + draw(digits)
    if draw(st.integers(0, 2)) == 0:
        text += draw(st.sampled_from("eE")) + draw(exponents)
    blank = st.text(BLANKS, max_size=2)
    return draw(blank) + text + draw(blank)


noise = st.text("0123456789+-.,eE_ naift\t\u00a0'x", max_size=12)
number_texts = st.lists(numbers() | noise | st.floats().map(repr) | st.integers().map(str), min_size=1, max_size=40)


@pytest.mark.parametrize(
    "kind", ["BIGINT", "DECIMAL(18,6)", "DECIMAL(38,0)", "DECIMAL(38,20)", "DECIMAL(38,38)", "DECIMAL(5,2)", "DOUBLE"]
)
@pytest.mark.parametrize("marks", [POINT, COMMA, DOTTED, COMMA_GROUPS], ids=["point", "comma", "dotted", "groups"])
def test_numbers_are_what_decimal_says(kind: str, marks: Csv) -> None:
    @PROPERTY
    @given(number_texts)
    def check(texts: list[str]) -> None:
        for text, (value, reason) in zip(texts, cast(CONN, column_of(kind), texts, marks=marks), strict=True):
            right, why = value_of(column_of(kind), text, marks.decimal, marks.thousands)
            if why is not None or right is None:
                assert (value, reason) == (None, why), text
            else:
                assert reason is None and value is not None, (text, reason)
                if kind == "DOUBLE":
                    assert float(value).hex() == right.hex(), text
                else:
                    assert Decimal(value) == right, text

    check()


@PROPERTY
@given(st.lists(noise | numbers(), min_size=1, max_size=40), st.sampled_from(["-999", "0", "1.5", "nan", "n/a"]))
def test_a_marker_is_no_value_in_every_type(texts: list[str], marker: str) -> None:
    texts = [*texts, marker, f" {marker}\t"]
    for kind in ("BIGINT", "DECIMAL(18,6)", "DOUBLE", "BOOLEAN"):
        plain, marked = cast(CONN, column_of(kind), texts), cast(CONN, column_of(kind, missing=(marker,)), texts)
        for text, without, found in zip(texts, plain, marked, strict=True):
            assert found == ((None, None) if text.strip(BLANKS) == marker else without), (kind, text)


# Moments --------------------------------------------------------------------------------------------------------------

ZONES = ("", "UTC", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kolkata")
changes = st.sampled_from(
    [
        dt.datetime(2024, 3, 10, 2),
        dt.datetime(2024, 11, 3, 1),
        dt.datetime(2024, 3, 31, 2),
        dt.datetime(2024, 10, 27, 2),
        dt.datetime(2024, 4, 7, 1, 30),
    ]
)
moments = st.datetimes(dt.datetime(1971, 1, 1), dt.datetime(2037, 12, 31)) | st.tuples(
    changes, st.integers(-7200, 7200)
).map(lambda pair: pair[0] + dt.timedelta(seconds=pair[1]))


@st.composite
def iso_texts(draw: st.DrawFn) -> str:
    """ISO 8601 in many spellings, some of which are none."""
    moment = draw(moments | st.datetimes())
    text = moment.strftime("%m-%d") if draw(st.integers(0, 40)) == 0 else f"{moment.year:04}-{moment:%m-%d}"
    text += draw(st.sampled_from(["T", " ", "T", " ", "t", "  "])) + moment.strftime("%H:%M")
    if draw(st.integers(0, 3)):
        text += draw(st.sampled_from([f":{moment:%S}", f":{moment:%S}", f":{moment:%S}", ":60"]))
        text += draw(st.just("") | st.text("0123456789", max_size=11).map(lambda fraction: f".{fraction}"))
    text += draw(
        st.sampled_from(["", "", "Z", "+00:00", "-05:00", "+0530", "+14", "-00:00", "+24:00", " Z", "z", "+5"])
    )
    return draw(st.sampled_from(["", "", " "])) + text


def nanoseconds(text: str) -> int:
    """Nanoseconds since 1970 of a moment as the engine writes it."""
    moment, _, fraction = text.partition(".")
    since = dt.datetime.fromisoformat(moment) - dt.datetime(1970, 1, 1)
    return (since.days * 86_400 + since.seconds) * 10**9 + int(fraction.ljust(9, "0") or 0)


@pytest.mark.parametrize("kind", ["TIMESTAMP", "TIMESTAMP_NS"])
@pytest.mark.parametrize("zone", ZONES)
def test_moments_are_what_zoneinfo_says(kind: str, zone: str) -> None:
    @PROPERTY
    @given(st.lists(iso_texts(), min_size=1, max_size=30), st.sampled_from(["", "first", "last"]))
    def check(texts: list[str], fold: str) -> None:
        fold = fold if zone else ""
        for text, (value, reason) in zip(texts, cast(CONN, column_of(kind, zone=zone, fold=fold), texts), strict=True):
            if zone not in ("", "UTC") and not 1970 <= int((text.strip() + "0000")[:4].replace("-", "0")) <= 2037:
                continue  # time zone databases differ there
            right, why = value_of(column_of(kind, zone=zone, fold=fold), text)
            if isinstance(right, dt.datetime):
                right = nanoseconds(str(right))
            assert (value and nanoseconds(value), reason) == (right, why), text

    check()


@PROPERTY
@given(st.lists(st.dates().map(str) | st.text("0123456789-/ ", max_size=11), min_size=1, max_size=40))
def test_days_are_what_datetime_says(texts: list[str]) -> None:
    for text, (value, reason) in zip(texts, cast(CONN, column_of("DATE"), texts), strict=True):
        right, why = value_of(column_of("DATE"), text)
        assert (value, reason) == (right and str(right), why), text


FORMATS = (
    "%d.%m.%Y",
    "%d.%m.%y",
    "%Y%m%d",
    "%d-%b-%Y",
    "%B %d, %Y",
    "%Y-%j",
    "%a, %d %b %Y",
    "%m/%d/%Y %I:%M %p",
    "%Y%m%d%H%M%S",
    "%d/%m/%y %H:%M:%S",
    "%A %d %B %Y",
    "%H:%M %d.%m.%Y",
)


@pytest.mark.parametrize("form", FORMATS)
def test_formats_are_read_as_they_are_written(form: str) -> None:
    @PROPERTY
    @given(
        st.lists(
            st.tuples(
                moments,
                st.sampled_from([str, str.upper, str.lower]),
                st.integers(-1, 25),
                st.sampled_from("0123456789. -/x"),
                st.booleans(),
            ),
            min_size=1,
            max_size=30,
        )
    )
    def check(drawn: list[tuple[dt.datetime, object, int, str, bool]]) -> None:
        texts = []
        for moment, letters, place, letter, is_bare in drawn:
            text = letters(moment.strftime(form))  # type: ignore[operator]
            if is_bare and re.search("[^0-9]", form.replace("%", "")):
                text = re.sub(r"(?<![0-9])0([0-9])(?![0-9])", r"\1", text)
            if place >= 0:
                text = text[:place] + letter + text[place + 1 :]
            texts.append(text)
        for (moment, _, place, _, is_bare), text, (value, reason) in zip(
            drawn, texts, cast(CONN, column_of("TIMESTAMP", date_format=form, zone="UTC"), texts), strict=True
        ):
            try:
                right = dt.datetime.strptime(text.strip(BLANKS), form)
            except ValueError:
                right = None
            if value is not None:  # what is taken, Python takes, for the same moment
                assert right is not None and value == right.isoformat(" ").removesuffix(".000000"), text
            elif place < 0 and not is_bare:  # what is written by the format is taken
                raise AssertionError((moment, text, reason))

    check()


@PROPERTY
@given(
    st.lists(
        st.decimals(allow_nan=False, allow_infinity=False, places=7, min_value=-(10**13), max_value=10**13)
        | st.integers(-(10**20), 10**20).map(Decimal),
        min_size=1,
        max_size=30,
    )
)
def test_counts_are_what_decimal_says(values: list[Decimal]) -> None:
    texts = [str(value) for value in values]
    for unit, power in (("s", 9), ("ms", 6), ("us", 3), ("ns", 0)):
        found = {kind: cast(CONN, column_of(kind, epoch=unit), texts) for kind in ("TIMESTAMP", "TIMESTAMP_NS", "DATE")}
        for place, value in enumerate(values):
            count = int(value.scaleb(7)) * 10**power  # in 10 ** -7 nanoseconds
            for kind, step, low, high in (
                ("TIMESTAMP", 10**10, -62_135_596_800 * 10**16, 253_402_300_800 * 10**16 - 1),
                ("TIMESTAMP_NS", 10**7, -9_223_286_400 * 10**16, (2**63 - 2) * 10**7),
            ):
                got, reason = found[kind][place]
                if count % step:
                    assert (got, reason) in [(None, "too_precise"), (None, "out_of_range")], (kind, unit, value)
                elif not low <= count <= high:
                    assert (got, reason) == (None, "out_of_range"), (kind, unit, value)
                else:
                    assert reason is None and got is not None and nanoseconds(got) * 10**7 == count, (kind, unit, value)
            day, reason = found["DATE"][place]
            days = count // (86_400 * 10**16)
            try:
                right = str(dt.date(1970, 1, 1) + dt.timedelta(days=days))
            except OverflowError:
                right = None
            assert (day, reason) == (right, None if right else "out_of_range"), (unit, value)

"""Ticks of time: few, round, and within."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sbf_core.charts.axis import TICKS_MAX, Period, XAxis, XKind, period_label, position_of, ticks_between


@settings(deadline=None)
@given(st.dates(dt.date(1, 1, 1), dt.date(9999, 12, 31)), st.dates(dt.date(1, 1, 1), dt.date(9999, 12, 31)))
def test_ticks_of_days_are_few_and_within(one: dt.date, other: dt.date) -> None:
    first, last = min(one, other), max(one, other)
    ticks = ticks_between(first, last)
    assert len(ticks) <= TICKS_MAX
    assert all(first <= moment <= last for moment, _ in ticks)
    assert [moment for moment, _ in ticks] == sorted({moment for moment, _ in ticks})
    if 10 < (last - first).days < 36_500:
        assert len(ticks) >= 2


@settings(deadline=None)
@given(
    st.datetimes(dt.datetime(1900, 1, 1), dt.datetime(2100, 1, 1)),
    st.timedeltas(dt.timedelta(), dt.timedelta(days=4000)),
)
def test_ticks_of_moments_are_few_and_within(first: dt.datetime, length: dt.timedelta) -> None:
    ticks = ticks_between(first, first + length)
    assert len(ticks) <= TICKS_MAX
    assert all(position_of(first) - 1 <= position_of(moment) <= position_of(first + length) for moment, _ in ticks)


@pytest.mark.parametrize(
    ("first", "last", "texts"),
    [
        ((2024, 1, 1), (2024, 1, 4), ["1 Jan", "2 Jan", "3 Jan", "4 Jan"]),
        ((2024, 1, 3), (2024, 2, 20), ["8 Jan", "15 Jan", "22 Jan", "29 Jan", "5 Feb", "12 Feb", "19 Feb"]),
        (
            (2023, 11, 15), (2024, 7, 1),
            ["Dec 2023", "Jan 2024", "Feb 2024", "Mar 2024", "Apr 2024", "May 2024", "Jun 2024", "Jul 2024"],
        ),
        (
            (2022, 12, 30), (2024, 10, 2),
            ["2023", "Apr 2023", "Jul 2023", "Oct 2023", "2024", "Apr 2024", "Jul 2024", "Oct 2024"],
        ),
        ((1999, 1, 4), (2026, 10, 30), ["2000", "2005", "2010", "2015", "2020", "2025"]),
    ],
)  # fmt: skip
def test_ticks_are_round(first: tuple[int, int, int], last: tuple[int, int, int], texts: list[str]) -> None:
    assert [text for _, text in ticks_between(dt.date(*first), dt.date(*last))] == texts


@pytest.mark.parametrize(
    ("moment", "period", "text"),
    [
        (dt.date(2024, 5, 1), Period.ROW, "2024-05-01"),
        (dt.date(2024, 5, 6), Period.WEEK, "week of 2024-05-06"), (dt.date(2024, 5, 1), Period.MONTH, "2024-05"),
        (dt.date(2024, 4, 1), Period.QUARTER, "2024-Q2"), (dt.date(2024, 1, 1), Period.YEAR, "2024"),
        (dt.datetime(2024, 5, 1, 13), Period.HOUR, "2024-05-01 13:00"),
        (dt.datetime(2024, 5, 1), Period.ROW, "2024-05-01"),
        (dt.datetime(2024, 5, 1, 13, 30), Period.ROW, "2024-05-01 13:30"),
    ],
)  # fmt: skip
def test_a_period_is_called_by_its_beginning(moment: dt.date, period: Period, text: str) -> None:
    assert period_label(moment, period) == text


def test_a_place_between_the_ends() -> None:
    axis = XAxis(kind=XKind.TIME, low=10, high=20)
    assert (axis.share(10), axis.share(15), axis.share(20)) == (0, 0.5, 1)
    assert XAxis(kind=XKind.TIME, low=10, high=10).share(10) == 0.5

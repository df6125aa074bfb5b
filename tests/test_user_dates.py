"""Days and moments are written in one way, for every command, page, setting and file."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbf_core.errors import UsageError
from sbf_core.reports.form_days import day_of, moment_of
from sbf_core.user_dates import day, moment

NO_DAYS = [
    "",
    "20240131",
    "2024-W05-3",
    "2024-031",
    "2024-02-30",
    "2024-1-31",
    " 2024-01-31",
    "2024-01-31T00:00",
    "\uff12\uff10\uff12\uff14-01-31",
    "0000-01-01",
    "soon",
]


@given(st.dates())
def test_a_day(value: dt.date) -> None:
    assert day(value.isoformat()) == value
    assert day_of(f" {value.isoformat()} ") == value
    assert moment(value.isoformat()) == dt.datetime.combine(value, dt.time.max, dt.UTC)


@pytest.mark.parametrize("text", NO_DAYS)
def test_what_is_no_day(text: str) -> None:
    with pytest.raises(UsageError, match=r"^--since '.*' is no day; tickers.csv; write YYYY-MM-DD$") as raised:
        day(text, what="--since", where="tickers.csv")
    assert raised.value.code == "DATE"


@given(
    st.datetimes(
        min_value=dt.datetime(2, 1, 1),
        max_value=dt.datetime(9998, 1, 1),
        timezones=st.builds(dt.timezone, st.integers(-1439, 1439).map(lambda minutes: dt.timedelta(minutes=minutes))),
    )
)
def test_a_moment(value: dt.datetime) -> None:
    text = value.isoformat()
    assert moment(text) == value
    assert moment(text).tzinfo is dt.UTC
    assert moment_of(text) == value.astimezone(dt.UTC).replace(tzinfo=None)
    assert moment(text.replace("T", " ")) == value


@pytest.mark.parametrize(
    "text",
    [
        "20240131T180000Z",
        "2024-01-31T18Z",
        "2024-01-31T25:00Z",
        "2024-01-31T18:00+25:00",
        "2024-01-31T18:00:00,5Z",
        "0001-01-01T00:00+01:00",
        *NO_DAYS[:5],
        "2024-W05-3T18:00Z",
    ],
)
def test_what_is_no_moment(text: str) -> None:
    with pytest.raises(UsageError, match="is no moment; write 2026-01-31 or 2026-01-31T18:00:00Z"):
        moment(text)


def test_a_time_without_an_offset_would_be_guessed() -> None:
    with pytest.raises(UsageError, match="has no time zone; write 2026-01-31T18:00:00Z"):
        moment("2024-01-31T18:00", what="--replay-until")
    assert day_of(" ") is None
    assert moment_of("") is None

"""Of which days rows must be there by now."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any

import pytest

from sbf_core.api import Cadence, ExpectedBy, UsageError
from sbf_core.dataset.expected_by import Every
from sbf_core.plan.deadlines import missed_since, passed_deadline


def _at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("expected", "cadence", "now", "first", "at"),
    [
        # Monday 16:59 in Berlin: those of Friday; 17:00: its own
        ({"calendar": "weekdays"}, {}, "2026-11-30T15:59:59", "2026-11-27", "2026-11-27T16:00"),
        ({"calendar": "weekdays"}, {}, "2026-11-30T16:00:00", "2026-11-30", "2026-11-30T16:00"),
        ({}, {"calendar": "weekdays"}, "2026-11-29T20:00:00", "2026-11-27", "2026-11-27T16:00"),
        ({}, {}, "2026-11-29T20:00:00", "2026-11-29", "2026-11-29T16:00"),
        # the zone's day has begun, UTC's has not
        ({"zone": "Asia/Tokyo", "hour": "00:30"}, {}, "2026-11-29T15:30:00", "2026-11-30", "2026-11-29T15:30"),
        # rows of a day come later: what is declared goes before the age of the cadence
        ({"days_later": 2}, {}, "2026-11-29T20:00:00", "2026-11-27", "2026-11-29T16:00"),
        ({}, {"min_age_days": 1}, "2026-11-29T20:00:00", "2026-11-28", "2026-11-29T16:00"),
        ({"days_later": 0}, {"min_age_days": 9}, "2026-11-29T20:00:00", "2026-11-29", "2026-11-29T16:00"),
        # of each month, 15 days after its end
        ({"every": "month", "days_later": 15}, {}, "2026-12-15T16:00:00", "2026-11-01", "2026-12-15T16:00"),
        ({"every": "month", "days_later": 15}, {}, "2026-12-15T15:59:00", "2026-10-01", "2026-11-15T16:00"),
        ({"every": "week"}, {}, "2026-11-29T16:00:00", "2026-11-23", "2026-11-29T16:00"),
        ({"every": "quarter", "days_later": 45}, {}, "2026-11-29T16:00:00", "2026-07-01", "2026-11-14T16:00"),
        ({"every": "year", "days_later": 90}, {}, "2026-11-29T16:00:00", "2025-01-01", "2026-03-31T15:00"),
        # an hour that the zone skips is the one behind it
        (
            {"zone": "America/New_York", "hour": "02:30"}, {}, "2026-03-08T07:30:00", "2026-03-08", "2026-03-08T07:30",
        ),
    ],
)  # fmt: skip
def test_the_newest_stretch_whose_rows_must_be_there(
    expected: dict[str, Any], cadence: dict[str, Any], now: str, first: str, at: str
) -> None:
    declared = ExpectedBy(**{"hour": "17:00", "zone": "Europe/Berlin", **expected})
    passed = passed_deadline(declared, Cadence(**cadence), _at(now))
    assert passed is not None
    assert (f"{passed.first}", passed.at) == (first, _at(at))


@pytest.mark.parametrize(
    ("newest", "since"),
    [
        ("2026-11-26", "2026-11-27T16:00"),
        ("2026-11-24", "2026-11-25T16:00"),
        ("2026-11-20", "2026-11-23T16:00"),
        (None, "2026-11-30T16:00"),
    ],
)
def test_late_since_the_first_day_that_lacks(newest: str | None, since: str) -> None:
    declared = ExpectedBy(hour="17:00", zone="Europe/Berlin", calendar="weekdays")
    now = _at("2026-11-30T18:00")
    passed = passed_deadline(declared, Cadence(), now)
    assert passed is not None
    last = None if newest is None else dt.date.fromisoformat(newest)
    assert missed_since(declared, Cadence(), last, passed).at == _at(since)


def test_rows_within_a_month_are_rows_of_it() -> None:
    declared = ExpectedBy(hour="17:00", zone="UTC", every="month", days_later=15)
    now = _at("2026-11-30T18:00")
    passed = passed_deadline(declared, Cadence(), now)
    assert passed is not None and passed.first == dt.date(2026, 10, 1)
    assert missed_since(declared, Cadence(), dt.date(2026, 7, 15), passed).first == dt.date(2026, 8, 1)


def test_what_was_never_is_late_for_two_years_at_most() -> None:
    declared = ExpectedBy(hour="17:00", zone="UTC")
    passed = passed_deadline(declared, Cadence(), _at("2026-11-30T18:00"))
    assert passed is not None
    first = missed_since(declared, Cadence(), dt.date(1999, 1, 1), passed).first
    assert dt.date(2024, 11, 20) < first < dt.date(2024, 12, 10)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({}, "neither an hour nor within how many hours"),
        ({"hour": "25:00", "zone": "UTC"}, "'25:00' is no hour"),
        ({"hour": "9:00", "zone": "UTC"}, "'9:00' is no hour"),
        ({"hour": "09:00"}, "an hour without a zone"),
        ({"hour": "09:00", "zone": "Europe/Nowhere"}, "is no time zone"),
        ({"within_hours": 4, "zone": "UTC"}, "say nothing without an hour"),
        ({"within_hours": 4, "every": "month"}, "say nothing without an hour"),
        ({"hour": "09:00", "zone": "UTC", "calendar": "every now and then"}, "is no calendar"),
        ({"hour": "09:00", "zone": "UTC", "calendar": "XNYS", "every": "week"}, "a calendar has days"),
        ({"hour": "09:00", "zone": "UTC", "days_later": -1}, "days_later is -1"),
        ({"hour": "09:00", "zone": "UTC", "every": "fortnight"}, "every 'fortnight' is not known"),
        ({"within_hours": 0}, "within_hours is 0"),
        ({"within_hours": math.nan}, "within_hours is nan"),
    ],
)
def test_what_says_nothing_or_too_much_is_refused(said: dict[str, Any], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        ExpectedBy(**said)


def test_every_stretch_can_be_declared() -> None:
    for every in Every:
        passed = passed_deadline(ExpectedBy(hour="00:00", zone="UTC", every=every), Cadence(), _at("2026-03-01T00:00"))
        assert passed is not None and passed.at <= _at("2026-03-01T00:00") and passed.first <= passed.last

"""Time is UTC, wherever the machine stands."""

from __future__ import annotations

import datetime as dt
import time

import pytest

from sbf_core.clock import SystemClock, clock_of_process, from_naive_utc, to_naive_utc


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="Windows sets no zone for a process")
@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Kathmandu", "UTC"])
def test_a_moment_is_the_same_in_every_zone(monkeypatch: pytest.MonkeyPatch, zone: str) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        moment = dt.datetime(2024, 3, 10, 7, 30, tzinfo=dt.UTC)
        assert to_naive_utc(moment) == dt.datetime(2024, 3, 10, 7, 30)
        assert to_naive_utc(moment.astimezone(dt.timezone(dt.timedelta(hours=-5)))) == dt.datetime(2024, 3, 10, 7, 30)
        assert from_naive_utc(to_naive_utc(moment)) == moment
        assert SystemClock().now().utcoffset() == dt.timedelta(0)
    finally:
        monkeypatch.undo()
        time.tzset()


def test_a_test_may_stop_the_clock_and_nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SBF_NOW", "2024-01-02T12:00:00+00:00")
    assert isinstance(clock_of_process(), SystemClock)
    monkeypatch.setenv("SBF_TESTING", "1")
    assert clock_of_process().now() == dt.datetime(2024, 1, 2, 12, tzinfo=dt.UTC)

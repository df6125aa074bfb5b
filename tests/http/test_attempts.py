"""When a vendor is asked again, and when it is left alone."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace

import pytest

from sbf_core.http.attempts import retry_after_seconds
from sbf_core.http.vendor import Breaker

NOW = dt.datetime(2024, 1, 2, 12, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("2", 2.0), ("0", 1.0), (" 30 ", 30.0), ("86400", 86_400.0), ("99999999999999999999", 999_999_999.0),
        ("Tue, 02 Jan 2024 12:00:10 GMT", 10.0), ("Tue, 02 Jan 2024 11:00:00 GMT", 1.0),
        ("Tuesday, 02-Jan-24 12:00:10 GMT", 10.0), ("Tue Jan  2 12:00:10 2024", 10.0),
        ("", None), ("soon", None), ("-5", None), ("1.5", None), ("٣", None), ("Tue, 99 Jan 2024", None),
    ],
)  # fmt: skip
def test_what_retry_after_asks_for(value: str, seconds: float | None) -> None:
    assert retry_after_seconds(value, now=NOW) == seconds


def test_a_breaker_opens_after_failures_in_a_row_and_closes_after_a_trial_that_works() -> None:
    breaker = Breaker(failures_max=3, pause_seconds=3600)
    for _ in range(2):
        breaker.failed("HTTP 503")
    breaker.succeeded()
    for _ in range(3):
        assert breaker.refusal() == ""
        breaker.failed("HTTP 503")
    assert breaker.refusal() == "HTTP 503"
    patient = Breaker(failures_max=3, pause_seconds=0)
    for _ in range(3):
        patient.failed("HTTP 503")
    assert patient.refusal() == "", "after the pause one request tries"
    patient.succeeded()
    patient.failed("HTTP 503")
    assert patient.refusal() == ""


def test_only_one_request_tries_while_a_breaker_is_open(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr("sbf_core.http.vendor.time", SimpleNamespace(monotonic=lambda: now[0]))
    breaker = Breaker(failures_max=1, pause_seconds=60)
    breaker.failed("no connection")
    assert breaker.refusal() == "no connection"
    now[0] += 60
    assert [breaker.refusal() for _ in range(3)] == ["", "no connection", "no connection"]
    breaker.failed("no connection")
    now[0] += 59
    assert breaker.refusal() == "no connection"


def test_a_refused_key_closes_a_vendor_for_the_run() -> None:
    breaker = Breaker(pause_seconds=0)
    breaker.failed("HTTP 401", for_good=True)
    assert breaker.refusal() == "HTTP 401"

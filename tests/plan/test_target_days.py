"""Days of TARGET, against every day of which the ECB has given rates."""

from __future__ import annotations

import csv
import datetime as dt
import io
import zipfile

import pytest
from recorded import FOLDER

from sbf_core.dataset.cadence import Cadence
from sbf_core.plan.sessions import last_news, session_test
from sbf_core.plan.target_days import is_target_day

RATES = FOLDER / "ecb" / "ecb.eurofxref-hist.zip__2026-10-30__73db2158.zip"


def test_the_ecb_gave_rates_of_these_days_and_of_no_other() -> None:
    if not RATES.exists():
        pytest.skip("the ECB's whole history lies in ../shared, which is not here")
    with zipfile.ZipFile(RATES) as archive:
        rows = csv.reader(io.StringIO(archive.read("eurofxref-hist.csv").decode()))
        next(rows)
        given = {dt.date.fromisoformat(row[0]) for row in rows}
    first, last = min(given), max(given)
    assert (first, last, len(given)) == (dt.date(1999, 1, 4), dt.date(2026, 10, 30), 7126)
    days = [first + dt.timedelta(days=number) for number in range((last - first).days + 1)]
    assert {day for day in days if is_target_day(day)} == given


@pytest.mark.parametrize(
    ("day", "is_open"),
    [
        ("1998-12-25", True), ("1999-04-02", True), ("1999-12-31", False), ("2000-12-26", False), ("2001-12-31", False),
        ("2024-03-29", False), ("2024-04-01", False), ("2024-05-01", False), ("2024-05-09", True), ("2024-12-24", True),
        ("2025-04-18", False), ("2038-04-26", False), ("2049-04-16", False), ("2076-04-17", False),
    ],
)  # fmt: skip
def test_closing_days(day: str, is_open: bool) -> None:
    assert is_target_day(dt.date.fromisoformat(day)) is is_open


def test_a_cadence_by_it_needs_no_library() -> None:
    cadence = Cadence(calendar="TARGET")
    assert cadence.exchange == ""
    assert session_test("TARGET") is is_target_day
    on_easter_monday = dt.datetime(2026, 4, 6, 12, tzinfo=dt.UTC)
    assert last_news(cadence, on_easter_monday) == (dt.date(2026, 4, 2), dt.datetime(2026, 4, 3, 12, tzinfo=dt.UTC))

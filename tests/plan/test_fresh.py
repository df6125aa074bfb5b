"""What is told for all series at once is what the planner finds one by one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from warehouse import START, entry

from sbf_core.api import Cadence, RestRecipe
from sbf_core.clock import from_naive_utc
from sbf_core.ops.asked import LedgerOfAsking
from sbf_core.ops.rows import SeriesState
from sbf_core.plan.fresh import fresh_of
from sbf_core.plan.planner import plan_requests

ENTRIES = (
    entry(),
    entry(dataset="b", silver_table="b", refresh_after_hours=2),
    entry(dataset="c", silver_table="c", scope="per_ticker"),
    entry(dataset="d", silver_table="d", scope="per_ticker", unknown_after_days=3, refresh_after_hours=5),
    entry(dataset="e", silver_table="e", scope="per_ticker", members=("M", "N"), cadence=Cadence(calendar="weekdays")),
    entry(dataset="f", silver_table="f", scope="per_ticker",
          cadence=Cadence(seasons=("06-01/08-31",), off_season_hours=100)),
    entry(
        dataset="g", silver_table="g", scope="per_ticker",
        recipe=RestRecipe(url="https://example.com/{ticker}", tickers_per_request=2),
    ),
)  # fmt: skip
KEYS = [
    entry.key(ticker)
    for entry in ENTRIES
    for ticker in ((None,) if str(entry.scope) == "global" else entry.members or ("A", "B"))
]
STATE = st.none() | st.tuples(st.integers(-3, 110), st.booleans(), st.sampled_from([False, False, False, True]))


@pytest.fixture(scope="module")
def conn() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        opened.execute(
            "CREATE SCHEMA ops; "
            "CREATE TABLE ops.data_dates (key VARCHAR, checked_at TIMESTAMP, again_from DATE, unknown_since TIMESTAMP)"
        )
        yield opened


@settings(max_examples=60, deadline=None)
@given(st.lists(STATE, min_size=len(KEYS), max_size=len(KEYS)), st.integers(0, 6))
def test_fresh_is_not_due_and_what_is_not_due_is_fresh(
    conn: duckdb.DuckDBPyConnection, given_states: list[tuple[int, bool, bool] | None], days: int
) -> None:
    now = START + dt.timedelta(days=days, minutes=30)
    conn.execute("DELETE FROM ops.data_dates")
    states = {}
    for key, state in zip(KEYS, given_states, strict=True):
        if state is not None:
            hours, unknown, again = state
            checked = (now - dt.timedelta(hours=hours, minutes=1)).replace(tzinfo=None)
            row = [key, checked, dt.date(2020, 1, 1) if again else None, checked if unknown else None]
            conn.execute("INSERT INTO ops.data_dates VALUES (?, ?, ?, ?)", row)
            moment = from_naive_utc(checked)
            states[key] = SeriesState(
                checked_at=moment,
                again_from=row[2],  # type: ignore[arg-type]
                unknown_since=moment if unknown else None,
            )
    wanted = [fresh_of(each, tickers=("A", "B"), universe=None, now=now) for each in ENTRIES]
    fresh = LedgerOfAsking(conn).fresh([one for one in wanted if one is not None], now)
    for each in ENTRIES:
        due = plan_requests([each], tickers=("A", "B"), states=states, now=now, run_id="r", only_due=True)
        if each.dataset == "g":
            assert each.key(None) not in fresh, "batches are told one by one"
        elif each.scope == "per_ticker" or states.get(each.key(None), SeriesState()).unknown_since is None:
            assert (each.key(None) in fresh) == (not due), each.id


def test_without_tickers_nothing_is_due(conn: duckdb.DuckDBPyConnection) -> None:
    wanted = [fresh_of(ENTRIES[2], tickers=(), universe=None, now=START)]
    assert LedgerOfAsking(conn).fresh([one for one in wanted if one is not None], START) == {ENTRIES[2].key(None)}

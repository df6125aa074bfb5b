"""The short way into an empty table, on which nothing is staged, gives what the long way gives."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs
import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from warehouse import FakeVendor, Warehouse, counts_add_up, entry, price

from sbf_core.api import Column, DataRules, DatasetKeymapEntry, RestRecipe, RunResult, column, hookimpl
from sbf_core.silver import judging, promotion, straight
from sbf_core.silver.judging import keys_twice
from sbf_core.vocabulary import Semantics

NEVER = 1 << 60
HEAD = "symbol,date,close,volume\n"
Says = Mapping[str, str | Sequence[Mapping[str, object]]]


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Of each batch that was tried on the short way whether it went through; payloads of any size are tried."""
    seen: list[bool] = []
    take, leave = promotion.take_straight, promotion.leave_straight

    def tried(conn: duckdb.DuckDBPyConnection, *given: Any) -> None:
        seen.append(False)
        take(conn, *given)

    def left(conn: duckdb.DuckDBPyConnection) -> None:
        seen[-1] = True
        leave(conn)

    monkeypatch.setattr(promotion, "take_straight", tried)
    monkeypatch.setattr(promotion, "leave_straight", left)
    monkeypatch.setattr(straight, "BYTES_MIN", 0)
    return seen


def filled(home: Path, runs: Sequence[Says], **changes: Any) -> Warehouse:
    """A warehouse after some runs, in each of which tickers have these payloads."""
    tickers = tuple(dict.fromkeys(ticker for says in runs for ticker in says))
    vendor = FakeVendor(entry(**{"scope": "per_ticker", "members": tickers, "reject_share_max": 1, **changes}))
    warehouse = Warehouse(home, vendor)
    for says in runs:
        for ticker, payload in says.items():
            vendor.extension = "csv" if isinstance(payload, str) else "json"
            vendor.says(payload, ticker=ticker)
        warehouse.run(hours_later=25)
    return warehouse


def held(warehouse: Warehouse) -> list[list[tuple[Any, ...]]]:
    """All that a promotion leaves, but for names that are drawn and moments of the work."""
    counted = "t.rows_seen, t.rows_inserted, t.rows_updated, t.rows_unchanged, t.rows_rejected"
    of_file = "JOIN ops.bronze_manifest AS b ON b.bronze_file_id = t."
    queries = (
        f"SELECT t.* EXCLUDE (_bronze_file_id, _run_id), b.ticker FROM silver.px AS t {of_file}_bronze_file_id",
        f"SELECT t.* EXCLUDE (_bronze_file_id, _run_id), b.ticker FROM silver.px_history AS t {of_file}_bronze_file_id",
        f"SELECT t.status, t.error, {counted}, b.ticker FROM ops.promotion_manifest AS t {of_file}bronze_file_id",
        f"SELECT t.reason, t.column_name, t.row_json, b.fetched_at FROM ops.rejects AS t {of_file}bronze_file_id",
        "SELECT t.ticker, t.coverage_from, t.coverage_to FROM ops.watermarks AS t",
        "SELECT t.field, t.change, b.ticker FROM ops.schema_drift AS t " + of_file + "bronze_file_id",
    )
    counts_add_up(warehouse)
    return [sorted(warehouse.ask(query), key=repr) for query in queries]


def both(tmp_path: Path, runs: Sequence[Says], **changes: Any) -> list[list[tuple[Any, ...]]]:
    """What the short way leaves, or the long one after it, which must be what the long way leaves by itself."""
    tried = held(filled(tmp_path / "tried", runs, **changes))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(straight, "BYTES_MIN", NEVER)
        assert held(filled(tmp_path / "long", runs, **changes)) == tried
    return tried


def csv(*rows: str, head: str = HEAD) -> str:
    return head + "".join(f"{row}\n" for row in rows)


def test_plain_rows_of_an_empty_table_are_not_staged(tmp_path: Path, taken: list[bool]) -> None:
    said = {"A": csv("a,2024-01-01,1.5,7", "a,2024-01-02,,8"), "B": csv("b,2024-01-01,2.25,")}
    rows = both(tmp_path, [said])[0]
    assert taken == [True]
    assert len(rows) == 3


def test_so_are_those_of_the_batches_behind_it(
    tmp_path: Path, taken: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sbf_core.runner.promotion_batches.BATCH_FILES", 1)
    said = {name: csv(f"{name},2024-01-01,1.5,7", f"{name},2024-01-02,1.5,8") for name in "ABC"}
    assert len(both(tmp_path, [said])[0]) == 6
    assert taken == [True, True, True]


@pytest.mark.parametrize("batch", [1, 3])
def test_a_key_of_another_payload_is_seen(
    tmp_path: Path, taken: list[bool], monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    """Which of the two counts is drawn, so this is not compared with the long way."""
    monkeypatch.setattr("sbf_core.runner.promotion_batches.BATCH_FILES", batch)
    said = {"A": csv("a,2024-01-01,1.5,7"), "B": csv("a,2024-01-01,1.5,7"), "C": csv("a,2024-01-01,1.5,7")}
    current, history, files = held(filled(tmp_path / "home", [said]))[:3]
    assert taken == ([True, False] if batch == 1 else [False])  # and it is not tried again
    assert (len(current), len(history)) == (1, 0)
    assert sum(row[5] for row in files) == 2


#: What must be judged, in the payload of B beside one that is plain.
JUDGED: dict[str, str | Sequence[Mapping[str, object]]] = {
    "a key twice with other values": csv("b,2024-01-01,1.5,7", "b,2024-01-01,2.5,7"),
    "a row twice": csv("b,2024-01-01,1.5,7", "b,2024-01-01,1.5,7"),
    "a word in a number": csv("b,2024-01-01,1.5,seven"),
    "a number with blanks": csv("b,2024-01-01,1.5, 7"),
    "a marker": csv("b,2024-01-01,N/A,7"),
    "too many decimals": csv("b,2024-01-01,1.23456,7"),
    "no key": csv(",2024-01-01,1.5,7"),
    "no such day": csv("b,2024-02-30,1.5,7"),
    "a field too many": csv("b,2024-01-01,1.5,7,8"),
    "no rows": csv(),
}


@pytest.mark.parametrize("kind", JUDGED)
def test_what_must_be_judged_is(tmp_path: Path, taken: list[bool], kind: str) -> None:
    both(tmp_path, [{"A": csv("a,2024-01-01,1.5,7"), "B": JUDGED[kind]}])
    assert True not in taken


def test_a_text_that_the_engine_may_have_printed_itself_is_read_again(tmp_path: Path, taken: list[bool]) -> None:
    vendor = FakeVendor(entry(columns=(Column(name="symbol", type="VARCHAR", key=True),)))
    vendor.says('[{"symbol": 1.50}, {"symbol": "b"}]')
    warehouse = Warehouse(tmp_path / "home", vendor)
    warehouse.run()
    assert warehouse.ask("SELECT symbol FROM silver.px ORDER BY 1") == [("1.50",), ("b",)]
    assert taken == [False]


class Asked(FakeVendor):
    """Has a recipe for its declaration, and answers without asking anybody."""

    @hookimpl
    def fetch(self, entry: DatasetKeymapEntry, request: Any) -> RunResult:
        assert self.clock is not None
        answer = self.payloads["eod", None]
        assert isinstance(answer, bytes)
        return RunResult(
            request=request, address="fake://", payload=answer, extension="json", fetched_at=self.clock.now()
        )


@pytest.mark.parametrize("may_be_empty", [True, False])
def test_a_payload_without_rows_is_seen(tmp_path: Path, taken: list[bool], may_be_empty: bool) -> None:
    said = {"A": [price("A", "2024-01-02")], "B": []}
    files = both(tmp_path, [said], is_data=DataRules(may_be_empty=may_be_empty))[2]
    assert [row[0] for row in files] == (["ok", "ok"] if may_be_empty else ["failed", "ok"])
    assert taken == [False]


def test_days_that_nobody_asked_for_are_rejected(tmp_path: Path, taken: list[bool]) -> None:
    recipe = RestRecipe(url="https://example.com/?to={to_date}")
    vendor = Asked(entry(horizon=1, reject_share_max=1, recipe=recipe))
    vendor.says([price("A", "2024-01-02"), price("A", "2062-01-01")])
    warehouse = Warehouse(tmp_path / "home", vendor)
    assert warehouse.run().rows_rejected == 1
    assert warehouse.ask("SELECT reason FROM ops.rejects") == [("after_horizon",)]
    assert taken == [False]


def test_a_second_run_is_compared_with_what_stands(tmp_path: Path, taken: list[bool]) -> None:
    first = {"A": csv("a,2024-01-01,1.5,7", "a,2024-01-02,1.5,7")}
    second = {"A": csv("a,2024-01-02,2.5,7", "a,2024-01-03,1.5,7")}
    current, history = both(tmp_path, [first, second])[:2]
    assert taken == [True]  # the table is not empty any more
    assert (len(current), len(history)) == (3, 1)


def test_what_is_appended_once_goes_straight_and_a_rewrite_is_rejected(tmp_path: Path, taken: list[bool]) -> None:
    runs = [{"A": csv("a,2024-01-01,1.5,7")}, {"A": csv("a,2024-01-01,2.5,7")}]
    rejects = both(tmp_path, runs, semantics=Semantics.APPEND)[3]
    assert taken == [True]
    assert [row[0] for row in rejects] == ["append_only"]


def test_of_some_snapshots_only_the_first_is_tried(tmp_path: Path, taken: list[bool]) -> None:
    """It finds no row that it could close; each that follows may."""
    runs = [
        {"A": csv("a,2024-01-01,1.5,7", "a,2024-01-02,1.5,7"), "B": csv("b,2024-01-01,1.5,7")},
        {"A": csv("a,2024-01-02,2.5,7"), "B": csv("b,2024-01-01,1.5,7", "b,2024-01-02,1.5,7")},
    ]
    history = both(tmp_path, runs, semantics=Semantics.SNAPSHOT)[1]
    assert taken == [True]
    assert len(history) == 3, "one closed, with its end, and one revised"


def test_answers_that_are_whole_are_never_tried(tmp_path: Path, taken: list[bool]) -> None:
    """Several may come in one batch, and the second may close what the first brought."""
    recipe = RestRecipe(url="https://x.example/{ticker}?from={from_date}", extension="csv")
    runs = [{"A": csv("a,2024-01-01,1.5,7")}]
    both(tmp_path, runs, answers="whole", recipe=recipe)
    assert taken == []


def test_a_snapshot_with_a_row_that_is_judged_takes_the_long_way(tmp_path: Path, taken: list[bool]) -> None:
    runs = [{"A": csv("a,2024-01-01,1.5,7", "a,2024-01-02,x,7")}, {"A": csv("a,2024-01-02,2.5,7")}]
    rejects = both(tmp_path, runs, semantics=Semantics.SNAPSHOT)[3]
    assert taken == [False]
    assert [row[0] for row in rejects] == ["unparsable"]


def test_payloads_of_two_runs_are_not_tried_together(tmp_path: Path, taken: list[bool]) -> None:
    """A rebuild has them in one batch, and their keys are nearly always the same."""
    from sbf_core.care.rebuild import rebuild

    runs = [{"A": csv("a,2024-01-01,1.5,7")}, {"A": csv("a,2024-01-01,2.5,7")}]
    warehouse = filled(tmp_path / "home", runs)
    before = held(warehouse)
    taken.clear()
    rebuild(warehouse.opened())
    assert held(warehouse) == before
    assert taken == []


@attrs.frozen
class Twice:
    """Rows of which some may be there twice."""

    a: str = column(key=True)
    day: dt.date = column(key=True, row_date=True)
    b: int = column(key=True)


@pytest.mark.parametrize("columns", [("a", "day", "b"), ("day",), ("a", "b")])
@pytest.mark.parametrize("few", [False, True])
def test_keys_that_are_twice_are_seen_by_days_as_by_hashes(
    monkeypatch: pytest.MonkeyPatch, columns: tuple[str, ...], few: bool
) -> None:
    """Days of bits, where there may be as many as are held, and else hashes."""
    monkeypatch.setattr(judging, "_DAYS_ROWS_MIN", 0)
    if few:
        monkeypatch.setattr(judging, "_DAYS_BITS_MAX", 10)
    declared = [column for column in entry(columns=Twice).columns if column.name in columns]
    dataset = entry(columns=declared)
    rows = "VALUES ('x', DATE '2024-01-01', 1), ('x', DATE '2024-01-02', 2), ('y', DATE '1923-12-31', 3)"
    with duckdb.connect() as conn:
        for more, twice in (("('z', DATE '2062-12-31', 4)", 0), ("('x', DATE '2024-01-02', 2)", 1)):
            conn.execute(
                f"CREATE OR REPLACE TABLE stage AS SELECT v.*, CAST(NULL AS VARCHAR) AS _reason, "
                f"CAST(NULL AS VARCHAR) AS _outcome FROM ({rows}, {more}) AS v(a, day, b)"
            )
            assert keys_twice(conn, dataset, rows=4) == twice
            conn.execute("UPDATE stage SET _reason = 'unparsable:b' WHERE rowid = 1")
            assert keys_twice(conn, dataset, rows=4) == 0  # a row that is rejected is none


TEXTS = st.sampled_from(["1.5", "2.25", "-7", "", " 3", "N/A", "1e3", "x", "0.00001", '"4"'])
ROWS = st.lists(
    st.tuples(st.sampled_from("ab"), st.sampled_from(["2024-01-01", "2024-01-02", "2024-01-03"]), TEXTS, TEXTS),
    max_size=4,
)


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(runs=st.lists(st.dictionaries(st.sampled_from("AB"), ROWS, min_size=1), min_size=1, max_size=2))
def test_any_payloads_give_the_same_both_ways(
    tmp_path_factory: pytest.TempPathFactory, taken: list[bool], runs: list[dict[str, list[tuple[str, ...]]]]
) -> None:
    said = [{ticker: csv(*(ticker + ",".join(row) for row in rows)) for ticker, rows in each.items()} for each in runs]
    both(tmp_path_factory.mktemp("homes"), said)

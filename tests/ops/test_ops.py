"""The ledger: written through the facade only, in whole transactions, again and again to the same effect."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import attrs
import duckdb
import pytest
from warehouse import START, FakeVendor, Warehouse, entry, price

from sbf_core.clock import FixedClock
from sbf_core.duck.bootstrap import DuckDbBootstrap
from sbf_core.duck.config import DuckDbConfig
from sbf_core.failures import Failure, FailureKind
from sbf_core.ops.bulk import columns_as_json, few_or_many, rows_relation
from sbf_core.ops.recoveries import RecoveredRun
from sbf_core.ops.rows import BronzeManifestRow, FailedFetch
from sbf_core.ops.service import OpsService
from sbf_core.runs.request import RunRequest
from sbf_core.runs.result import RunResult
from sbf_core.secret import Secret

QUERIES = [
    "SELECT run_id, started_at, finished_at, status FROM ops.file_ingestions ORDER BY started_at DESC LIMIT 5;",
    (
        "SELECT run_id, COUNT(*) AS bronze_files FROM ops.file_ingestions WHERE bronze_rows IS NOT NULL "
        "GROUP BY run_id ORDER BY bronze_files DESC;"
    ),
    "SELECT run_id, COUNT(*) AS bronze_files FROM ops.bronze_manifest GROUP BY run_id ORDER BY bronze_files DESC;",
    "SELECT status, COUNT(*) AS count FROM ops.promotion_manifest GROUP BY status;",
    "SELECT status, COUNT(*) AS count FROM ops.gold_manifest GROUP BY status;",
]
REQUEST = RunRequest(
    run_id="r1", domain="prices", source="fake", dataset="eod", ticker="A", to_date=dt.date(2024, 1, 2)
)
RESULT = RunResult(request=REQUEST, address="fake://a", payload=b"[]", fetched_at=START)
ROW = BronzeManifestRow.of(RESULT, rel_path="prices/fake/eod/A/x.json", payload_hash="f" * 64, content_length_bytes=2)


@pytest.fixture
def ops(tmp_path: Path) -> Iterator[OpsService]:
    service = OpsService.over(DuckDbBootstrap(DuckDbConfig(home=tmp_path)).open(), clock=FixedClock(START))
    yield service
    service.close()


def rows(ops: OpsService, query: str) -> list[tuple[object, ...]]:
    return ops.cursor().execute(query).fetchall()


def test_the_four_queries_of_the_design(tmp_path: Path) -> None:
    vendor = FakeVendor(entry(scope="per_ticker"))
    warehouse = Warehouse(tmp_path / "home", vendor)
    for ticker in ("A", "B"):
        vendor.says([price(ticker, "2024-01-01")], ticker=ticker)
    run_id = warehouse.run(universe__tickers=("A", "B")).run_id
    answers = [warehouse.ask(query) for query in QUERIES]
    assert answers[0][0][0] == run_id
    assert answers[1] == answers[2] == [(run_id, 2)]
    assert answers[3] == [("ok", 2)]
    assert answers[4] == []
    assert warehouse.ask("SELECT kind, count(*) FROM ops.file_ingestions GROUP BY 1 ORDER BY 1") == [
        ("file", 2),
        ("run", 1),
    ]


def test_recording_twice_is_recording_once(ops: OpsService) -> None:
    other = FailedFetch(request=REQUEST, address="fake://b", fetched_at=START, status="failed", error="HTTP 500")
    for _ in range(2):
        ops.record_fetched([ROW], [other])
        ops.insert_bronze_manifest(
            result=RESULT, rel_path=Path(ROW.rel_path), payload_hash=ROW.payload_hash, content_length_bytes=2
        )
    assert rows(ops, "SELECT count(*) FROM ops.bronze_manifest") == [(1,)]
    assert rows(ops, "SELECT status, error FROM ops.file_ingestions ORDER BY 1") == [
        ("failed", "HTTP 500"),
        ("fetched", None),
    ]
    assert ops.load_promotable_rows() == [ROW]


def test_a_failed_request_does_not_move_the_data_date(ops: OpsService) -> None:
    ops.record_fetched([], [FailedFetch(request=REQUEST, address="", fetched_at=START, status="failed", error="no")])
    assert ops.get_data_date(REQUEST.key) is None
    ops.record_fetched([], [FailedFetch(request=REQUEST, address="", fetched_at=START, status="unchanged")])
    assert ops.get_data_date(REQUEST.key) == dt.date(2024, 1, 2)
    ops.upsert_data_date(key=REQUEST.key, to_date=dt.date(2024, 1, 9))
    assert ops.get_data_date(REQUEST.key) == dt.date(2024, 1, 9)


def test_of_several_answers_of_a_series_the_latest_says_when_it_was_looked_at(ops: OpsService) -> None:
    later = attrs.evolve(REQUEST, to_date=dt.date(2024, 1, 5))
    answers = [(later, START + dt.timedelta(days=3)), (REQUEST, START)]
    ops.record_fetched(
        [],
        [
            FailedFetch(request=request, address="", fetched_at=moment, status="unchanged")
            for request, moment in answers
        ],
    )
    assert ops.get_data_date(REQUEST.key) == dt.date(2024, 1, 5)
    assert ops.load_series_states()[REQUEST.key].checked_at == START + dt.timedelta(days=3)


def test_promotion_manifest_and_watermark_one_by_one(ops: OpsService) -> None:
    ops.record_fetched([ROW], [])
    for _ in range(2):
        ops.start_promotion_manifest(ROW)
    assert ops.load_promotable_rows() == [ROW]
    ops.finish_promotion_manifest(ROW, status="ok", rows_seen=2, rows_written=1, error=None)
    assert ops.load_promotable_rows() == []
    assert rows(ops, "SELECT status, rows_seen, rows_written FROM ops.promotion_manifest") == [("ok", 2, 1)]
    conn = ops.cursor()
    assert ops.get_watermark(conn, ROW, entry()) is None
    for day in (5, 7):
        ops.upsert_watermark(conn, ROW, entry(), coverage_from=dt.date(2024, 1, 1), coverage_to=dt.date(2024, 1, day))
    assert ops.get_watermark(conn, ROW, entry()) == dt.date(2024, 1, 7)
    assert rows(ops, "SELECT count(*) FROM ops.watermarks") == [(1,)]


def test_gold_manifest_and_watermark_one_by_one(ops: OpsService) -> None:
    conn = ops.cursor()
    for _ in range(2):
        ops.start_gold_manifest(conn, gold_build_id=1, table_name="t")
    ops.finish_gold_manifest(
        conn, gold_build_id=1, table_name="t", status="ok", rows_seen=1, rows_written=1, error_message=None
    )
    assert rows(ops, "SELECT gold_build_id, table_name, status FROM ops.gold_manifest") == [(1, "t", "ok")]
    assert ops.get_gold_watermark(conn, table_name="t") is None
    for day in (1, 2):
        ops.upsert_gold_watermark(conn, table_name="t", watermark_date=dt.date(2024, 1, day))
    assert ops.get_gold_watermark(conn, table_name="t") == dt.date(2024, 1, 2)


def test_a_run_is_opened_and_closed(ops: OpsService) -> None:
    context = ops.start_run(ticker_limit=0)
    assert rows(ops, "SELECT status FROM ops.file_ingestions") == [("running",)]
    context.failures.append(Failure(kind=FailureKind.OTHER, what="one failed"))
    context.files = 1
    for _ in range(2):
        ops.finish_run(context)
    assert rows(ops, "SELECT kind, status, error FROM ops.file_ingestions") == [("run", "partial", "one failed")]


def test_dead_runs_are_closed_as_interrupted(ops: OpsService) -> None:
    context = ops.start_run(ticker_limit=0)
    assert ops.recovery.unclean_runs() == {context.run_id}
    ops.recovery.record_recovery([RecoveredRun(run_id=context.run_id)], files_quarantined=0)
    assert ops.recovery.unclean_runs() == set()
    assert rows(ops, "SELECT status FROM ops.file_ingestions") == [("interrupted",)]


def test_a_conflict_is_tried_again(ops: OpsService, monkeypatch: pytest.MonkeyPatch) -> None:
    import stamina

    attempts = []

    def in_the_way(conn: duckdb.DuckDBPyConnection, rows: object) -> None:
        attempts.append(rows)
        if len(attempts) < 3:
            raise duckdb.TransactionException("Conflict on update!")

    monkeypatch.setattr(ops._repo, "upsert_data_dates", in_the_way)
    with stamina.set_testing(True, attempts=5):
        ops.record_fetched([ROW], [])
    assert len(attempts) == 3
    assert rows(ops, "SELECT count(*) FROM ops.bronze_manifest") == [(1,)]


def test_a_ledger_that_cannot_be_written_fails_the_work(ops: OpsService, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(conn: object, rows: object) -> None:
        raise duckdb.IOException("no")

    monkeypatch.setattr(ops._repo, "upsert_data_dates", broken)
    with pytest.raises(duckdb.IOException):
        ops.record_fetched([ROW], [])
    assert rows(ops, "SELECT count(*) FROM ops.bronze_manifest") == [(0,)]


def test_one_row_is_kept_as_many_are() -> None:
    """Bound value by value, or in one text: no key gets into the ledger, and times are UTC."""
    key = Secret("k3y-of-a-vendor")
    types = {"text": "VARCHAR", "at": "TIMESTAMP", "day": "DATE", "n": "INTEGER", "none": "VARCHAR", "is_it": "BOOLEAN"}
    moment = dt.datetime(2024, 1, 2, 3, 4, 5, 6, tzinfo=dt.timezone(dt.timedelta(hours=2)))
    for text in ("plain", "half \ud83d", f"https://x/?apikey={key.reveal()}", "quote ' and \""):
        row = {"text": text, "at": moment, "day": dt.date(2024, 1, 2), "n": 1, "none": None, "is_it": True}
        columns = {name: [value] for name, value in row.items()}
        relation, values = few_or_many(types, columns)
        with duckdb.connect() as conn:
            alone = conn.execute(f"FROM {relation}", values).fetchall()
            as_many = conn.execute(f"FROM {rows_relation(types)}", [columns_as_json(columns)]).fetchall()
        assert alone == as_many
        assert key.reveal() not in alone[0][0]

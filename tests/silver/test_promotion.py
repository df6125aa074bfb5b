"""Bronze to Silver: what lands, what is rejected, what is remembered."""

from __future__ import annotations

import datetime as dt
import itertools
import json
from decimal import Decimal
from pathlib import Path

import attrs
import duckdb
import pytest
from warehouse import START, FakeVendor, Price, Warehouse, counts_add_up, entry, price

from sbf_core.api import (
    Csv,
    DataRules,
    DatasetKeymapEntry,
    FetchSession,
    Json,
    ParseRows,
    PromotionBatch,
    RunRequest,
    RunResult,
    SelectRows,
    column,
    hookimpl,
)
from sbf_core.ops.service import OpsService
from sbf_core.plugin.manager import PluginManager
from sbf_core.runner.options import RunOptions
from sbf_core.testing.scratch import ScratchHome, ScratchRecording

NOW = "SELECT symbol, date, close, volume FROM silver.px ORDER BY ALL"


def at(hours: float) -> dt.datetime:
    return (START + dt.timedelta(hours=hours)).replace(tzinfo=None)


def test_a_payload_becomes_typed_rows_with_their_file_and_times(warehouse: Warehouse, vendor: FakeVendor) -> None:
    vendor.says([price("A", "2024-01-01", "185.64"), price("A", "2024-01-02", "N/A", None)])
    context = warehouse.run()
    assert (context.rows_seen, context.rows_inserted, context.status) == (2, 2, "ok")
    assert warehouse.ask(NOW) == [
        ("A", dt.date(2024, 1, 1), Decimal("185.6400"), 10),
        ("A", dt.date(2024, 1, 2), None, None),
    ]
    times = warehouse.ask("SELECT DISTINCT known_from, recorded_at, _run_id FROM silver.px")
    assert times == [(at(0), at(0), context.run_id)]
    assert warehouse.ask(
        "SELECT count(*) FROM silver.px SEMI JOIN ops.bronze_manifest ON _bronze_file_id = bronze_file_id"
    ) == [(2,)]
    counts_add_up(warehouse)


def test_a_revised_value_supersedes_the_old_one_and_both_can_be_asked_for(
    warehouse: Warehouse, vendor: FakeVendor
) -> None:
    vendor.says([price("A", "2024-01-01", "4.10"), price("B", "2024-01-01", "1")])
    warehouse.run()
    vendor.says([price("A", "2024-01-01", "4.15"), price("B", "2024-01-01", "1")])
    context = warehouse.run(hours_later=24)
    assert (context.rows_updated, context.rows_unchanged) == (1, 1)
    assert warehouse.ask("SELECT close FROM silver.px WHERE symbol = 'A'") == [(Decimal("4.1500"),)]
    assert warehouse.ask("SELECT close, known_from, known_to FROM silver.px_history") == [
        (Decimal("4.1000"), at(0), at(24))
    ]
    asked = "SELECT close FROM silver.px_as_of(?) WHERE symbol = 'A'"
    moment = dt.timedelta(microseconds=1)
    assert warehouse.ask(asked, [at(0) - moment]) == []
    assert warehouse.ask(asked, [at(0)]) == [(Decimal("4.1000"),)]
    assert warehouse.ask(asked, [at(24) - moment]) == [(Decimal("4.1000"),)]
    assert warehouse.ask(asked, [at(24)]) == [(Decimal("4.1500"),)]
    counts_add_up(warehouse)


def test_the_same_rows_again_write_nothing_to_silver(warehouse: Warehouse, vendor: FakeVendor) -> None:
    vendor.says([price("A", "2024-01-01")])
    warehouse.run()
    vendor.says(json.dumps([price("A", "2024-01-01")], indent=1))  # other bytes, same rows
    context = warehouse.run(hours_later=24)
    assert (context.files, context.rows_unchanged, context.rows_inserted + context.rows_updated) == (1, 1, 0)
    assert warehouse.ask("SELECT count(*) FROM silver.px_history") == [(0,)]
    assert warehouse.ask("SELECT known_from FROM silver.px") == [(at(0),)]


def test_equal_bytes_are_not_even_kept_twice(warehouse: Warehouse, vendor: FakeVendor) -> None:
    vendor.says([price("A", "2024-01-01")])
    warehouse.run()
    before = warehouse.bronze_files()
    context = warehouse.run(hours_later=24)
    assert (context.requests, context.files, context.unchanged_files) == (1, 0, 1)
    assert warehouse.bronze_files() == before


def test_a_value_that_comes_back_is_a_version_of_its_own(warehouse: Warehouse, vendor: FakeVendor) -> None:
    for hours, close in ((0, "1"), (24, "2"), (24, "1")):
        vendor.says([price("A", "2024-01-01", close)])
        warehouse.run(hours_later=hours)
    assert warehouse.ask("SELECT close, known_from, known_to FROM silver.px_history ORDER BY known_from") == [
        (Decimal("1.0000"), at(0), at(24)),
        (Decimal("2.0000"), at(24), at(48)),
    ]
    assert warehouse.ask("SELECT close, known_from FROM silver.px") == [(Decimal("1.0000"), at(48))]


BAD = [
    ("2024-01-01", "abc", 1, "unparsable", "close"),
    ("2024-01-01", "1.23456", 1, "too_precise", "close"),
    ("2024-01-01", "1e20", 1, "out_of_range", "close"),
    ("2024-01-01", True, 1, "unparsable", "close"),
    ("2024-01-01", "1", 1.5, "not_an_integer", "volume"),
    ("2024-01-01", "1", 2**70, "out_of_range", "volume"),
    ("2024-01-01", "1", "1_000", "unparsable", "volume"),
    ("2024-01-01", "1", "0x10", "unparsable", "volume"),
    ("2024-02-30", "1", 1, "unparsable", "date"),
    ("2024-01-05T10:00:00", "1", 1, "unparsable", "date"),
    ("20240105", "1", 1, "unparsable", "date"),
    ("01/05/2024", "1", 1, "unparsable", "date"),
    ("infinity", "1", 1, "unparsable", "date"),
    (None, "1", 1, "missing_key", "date"),
]


@pytest.mark.parametrize("large", [False, True], ids=["small", "large"])
@pytest.mark.parametrize(("date", "close", "volume", "reason", "name"), BAD)
def test_what_does_not_fit_is_rejected_with_its_reason(
    warehouse: Warehouse,
    vendor: FakeVendor,
    date: object,
    close: object,
    volume: object,
    reason: str,
    name: str,
    large: bool,
) -> None:
    """Small payloads are read joined, large ones as they are; the outcome is the same."""
    good = [price(f"S{number:05d}", "2024-01-01") for number in range(1200 if large else 30)]
    vendor.says([*good, {"symbol": "BAD", "date": date, "close": close, "volume": volume}])
    context = warehouse.run()
    assert context.errors == []
    assert warehouse.ask("SELECT reason, column_name FROM ops.rejects") == [(reason, name)]
    assert (context.rows_inserted, context.rows_rejected) == (len(good), 1)
    assert "BAD" in warehouse.ask("SELECT row_json FROM ops.rejects")[0][0]
    counts_add_up(warehouse)


FITS = [
    ("12.5000", Decimal("12.5")),
    ("12.500000", Decimal("12.5")),
    (12.5, Decimal("12.5")),
    (1e2, Decimal(100)),
    ("-0.0001", Decimal("-0.0001")),
    (7, Decimal(7)),
]


@pytest.mark.parametrize(("written", "value"), FITS)
def test_what_fits_exactly_is_taken(warehouse: Warehouse, vendor: FakeVendor, written: object, value: Decimal) -> None:
    vendor.says([price("A", "2024-01-01", written)])
    warehouse.run()
    assert warehouse.ask("SELECT close FROM silver.px") == [(value,)]


def test_decimals_that_a_double_cannot_hold_keep_every_digit(tmp_path: Path) -> None:
    @attrs.frozen
    class Exact:
        id: int = column(key=True)
        value: Decimal = column(precision=38, scale=20)

    vendor = FakeVendor(entry(columns=Exact))
    warehouse = Warehouse(tmp_path / "home", vendor)
    vendor.says('[{"id": 1, "value": 0.12345678901234567890}, {"id": 2, "value": 123456789012345678.5}]')
    context = warehouse.run()
    assert context.errors == []
    assert warehouse.ask("SELECT value FROM silver.px ORDER BY id") == [
        (Decimal("0.12345678901234567890"),),
        (Decimal("123456789012345678.5"),),
    ]


FLOATS = [("true", "unparsable"), ("NaN", "not_finite"), ("1e400", "not_finite"), ('"abc"', "unparsable")]


@pytest.mark.parametrize(("written", "reason"), FLOATS)
def test_floats_take_no_booleans_and_no_infinities(tmp_path: Path, written: str, reason: str) -> None:
    @attrs.frozen
    class Loose:
        id: int = column(key=True)
        value: float | None = column()

    vendor = FakeVendor(entry(columns=Loose, reject_share_max=0.5))
    warehouse = Warehouse(tmp_path / "home", vendor)
    vendor.says(f'[{{"id": 1, "value": {written}}}, {{"id": 2, "value": 2.5}}, {{"id": 3}}]')
    assert warehouse.run().errors == []
    assert warehouse.ask("SELECT id, value FROM silver.px ORDER BY id") == [(2, 2.5), (3, None)]
    assert warehouse.ask("SELECT reason, column_name FROM ops.rejects") == [(reason, "value")]


def test_a_moment_with_a_zone_is_brought_to_utc(tmp_path: Path) -> None:
    @attrs.frozen
    class Moment:
        id: int = column(key=True)
        moment: dt.datetime = column()

    vendor = FakeVendor(entry(columns=Moment, reject_share_max=1))
    warehouse = Warehouse(tmp_path / "home", vendor)
    vendor.says(
        [
            {"id": 1, "moment": "2024-01-05T10:00:00+02:00"},
            {"id": 2, "moment": "2024-01-05T10:00:00Z"},
            {"id": 3, "moment": "2024-01-05 10:00:00"},
        ]
    )
    warehouse.run()
    assert [row[0].hour for row in warehouse.ask("SELECT moment FROM silver.px ORDER BY id")] == [8, 10]
    assert warehouse.ask("SELECT reason, column_name FROM ops.rejects") == [("no_zone", "moment")]


def test_too_large_a_share_of_rejects_refuses_the_payload_and_nothing_of_it_lands(
    warehouse: Warehouse, vendor: FakeVendor
) -> None:
    vendor.says([price("A", "2024-01-01")])
    warehouse.run()
    vendor.says([price("A", "2024-01-01", "9"), price("B", "nonsense")])
    context = warehouse.run(hours_later=24)
    assert context.status == "partial"
    assert "1 of 2 rows rejected (50.0%, 5.0% are allowed)" in context.errors[0]
    assert warehouse.ask(NOW) == [("A", dt.date(2024, 1, 1), Decimal("1.5000"), 10)]
    assert warehouse.ask("SELECT status, rows_seen, rows_rejected FROM ops.promotion_manifest ORDER BY started_at") == [
        ("ok", 1, 0),
        ("failed", 2, 2),
    ]
    assert warehouse.ask("SELECT reason FROM ops.rejects ORDER BY 1") == [("file_refused",), ("unparsable",)]
    counts_add_up(warehouse)


def test_of_reasons_that_are_as_frequent_always_the_same_is_told(warehouse: Warehouse, vendor: FakeVendor) -> None:
    """Which one the engine met first is chance."""
    wrong = [price("A", "nonsense"), price("", "2024-01-01"), price("B", "2024-01-01", "much")]
    told = set()
    for order in itertools.permutations(wrong):
        vendor.says([price("C", "2024-01-01"), *order])
        told |= {warehouse.run(hours_later=24).errors[0].partition("mostly ")[2].partition(";")[0]}
    assert told == {"unparsable:date"}, told


def test_a_row_twice_counts_once_and_a_contradiction_is_rejected(tmp_path: Path) -> None:
    vendor = FakeVendor(entry(reject_share_max=0.9))
    warehouse = Warehouse(tmp_path / "home", vendor)
    vendor.says(
        [
            price("A", "2024-01-01"),
            price("A", "2024-01-01"),
            price("B", "2024-01-01", "1"),
            price("B", "2024-01-01", "2"),
            price("C", "2024-01-01"),
        ]
    )
    context = warehouse.run()
    assert warehouse.ask("SELECT symbol FROM silver.px ORDER BY 1") == [("A",), ("C",)]
    assert (context.rows_seen, context.rows_inserted, context.rows_unchanged, context.rows_rejected) == (5, 2, 1, 2)
    assert warehouse.ask("SELECT DISTINCT reason FROM ops.rejects") == [("duplicate_key",)]
    counts_add_up(warehouse)


@pytest.mark.parametrize(("rule", "kept"), [("first", "1.0000"), ("last", "2.0000")])
def test_a_contradiction_can_be_settled_by_the_declared_rule(tmp_path: Path, rule: str, kept: str) -> None:
    vendor = FakeVendor(entry(reject_share_max=0.9, on_duplicate=rule))
    warehouse = Warehouse(tmp_path / "home", vendor)
    vendor.says([price("B", "2024-01-01", "1"), price("B", "2024-01-01", "2")])
    context = warehouse.run()
    assert warehouse.ask("SELECT close FROM silver.px") == [(Decimal(kept),)]
    assert (context.rows_inserted, context.rows_rejected) == (1, 1)
    counts_add_up(warehouse)


BROKEN = [
    "",
    "null",
    "{}",
    '{"error": "limit reached"}',
    "<html>captcha</html>",
    '[{"symbol": "X", "date": "2024',
    '[]} {"f": "x", "r": []',
    '"Too Many Requests"',
    '[{"symbol":1},',
    "[1, 2]",
]


@pytest.mark.parametrize("broken", BROKEN)
def test_one_bad_payload_in_a_batch_costs_only_itself(tmp_path: Path, broken: str) -> None:
    tickers = [f"T{number:03d}" for number in range(120)]
    vendor = FakeVendor(entry(scope="per_ticker"))
    warehouse = Warehouse(tmp_path / "home", vendor)
    for ticker in tickers:
        vendor.says([price(ticker, "2024-01-01")], ticker=ticker)
    vendor.says(broken, ticker="T050")
    context = warehouse.run(universe__tickers=tuple(tickers))
    assert context.rows_inserted == len(tickers) - 1
    assert len(context.errors) == 1
    assert "T050" in context.errors[0]
    assert warehouse.ask("SELECT status, count(*) FROM ops.promotion_manifest GROUP BY ALL ORDER BY 1") == [
        ("failed", 1),
        ("ok", 119),
    ]
    assert len(warehouse.bronze_files()) == 120  # Bronze keeps what came, also what is no data
    counts_add_up(warehouse)


def test_a_payload_cannot_put_rows_under_another_file(tmp_path: Path) -> None:
    """Small payloads are joined into one file; one that closes its wrapper and opens another is refused."""
    vendor = FakeVendor(entry(scope="per_ticker"))
    warehouse = Warehouse(tmp_path / "home", vendor)
    vendor.says([price("GOOD", "2024-01-01")], ticker="GOOD")
    vendor.says(
        '[{"symbol":"EVIL","date":"2024-01-01"}]}\n{"r":[{"symbol":"EVIL2","date":"2024-01-01"}]', ticker="EVIL"
    )
    context = warehouse.run(universe__tickers=("GOOD", "EVIL"))
    assert warehouse.ask("SELECT symbol FROM silver.px") == [("GOOD",)]
    assert "EVIL" in context.errors[0]


def test_an_empty_list_is_a_failure_unless_it_is_declared(tmp_path: Path) -> None:
    for number, (rules, status) in enumerate(((DataRules(), "partial"), (DataRules(may_be_empty=True), "ok"))):
        vendor = FakeVendor(entry(is_data=rules))
        warehouse = Warehouse(tmp_path / f"home{number}", vendor)
        vendor.says([])
        context = warehouse.run()
        assert (context.status, context.rows_seen, context.files) == (status, 0, 1)
        assert ["holds no rows" in error for error in context.errors] == [True] * (status == "partial")


def test_rows_below_an_envelope(tmp_path: Path) -> None:
    for number, padding in enumerate((0, 70_000)):
        vendor = FakeVendor(entry(rows_at="data.items"))
        warehouse = Warehouse(tmp_path / f"home{number}", vendor)
        vendor.says(json.dumps({"meta": "x" * padding, "data": {"count": 1, "items": [price("A", "2024-01-01")]}}))
        assert warehouse.run().errors == []
        assert warehouse.ask("SELECT symbol FROM silver.px") == [("A",)]
        vendor.says(json.dumps({"meta": "x" * padding, "note": "slow down"}))
        context = warehouse.run(hours_later=24)
        assert "no rows at 'data.items'" in context.errors[0]


def test_new_and_missing_fields_are_recorded_as_drift(warehouse: Warehouse, vendor: FakeVendor) -> None:
    vendor.says([{**price("A", "2024-01-01"), "currency": "USD"}])
    warehouse.run()
    vendor.says([{"symbol": "A", "date": "2024-01-02", "close": "1"}])
    context = warehouse.run(hours_later=24, run__drift="tell")
    assert context.status == "ok"
    found = warehouse.ask("SELECT field, change, examples FROM ops.schema_drift ORDER BY 1")
    assert found == [("currency", "added", "USD"), ("volume", "missing", "")]


def test_snapshots_close_what_vanished_and_remember_what_came_back(tmp_path: Path) -> None:
    vendor = FakeVendor(entry(semantics="snapshot"))
    warehouse = Warehouse(tmp_path / "home", vendor)
    for hours, symbols in ((0, "AB"), (24, "B"), (24, "AB")):
        vendor.says([price(symbol, "2024-01-01") for symbol in symbols])
        assert warehouse.run(hours_later=hours).errors == []
    asked = "SELECT symbol FROM silver.px_as_of(?) ORDER BY 1"
    assert [warehouse.ask(asked, [at(hours)]) for hours in (0, 23, 24, 47, 48)] == [
        [("A",), ("B",)],
        [("A",), ("B",)],
        [("B",)],
        [("B",)],
        [("A",), ("B",)],
    ]
    recorded = "SELECT symbol FROM silver.px_as_of(?, ?) ORDER BY 1"
    assert warehouse.ask(recorded, [at(100), at(24)]) == [("B",)]
    assert warehouse.ask(recorded, [at(100), at(1)]) == [("A",), ("B",)]
    assert warehouse.ask("SELECT symbol FROM silver.px ORDER BY 1") == [("A",), ("B",)]
    counts_add_up(warehouse)


def test_append_never_rewrites(tmp_path: Path) -> None:
    vendor = FakeVendor(entry(semantics="append", reject_share_max=0.9))
    warehouse = Warehouse(tmp_path / "home", vendor)
    vendor.says([price("A", "2024-01-01", "1")])
    warehouse.run()
    vendor.says([price("A", "2024-01-01", "2"), price("B", "2024-01-01", "1")])
    context = warehouse.run(hours_later=24)
    assert (context.rows_inserted, context.rows_updated, context.rows_rejected) == (1, 0, 1)
    assert warehouse.ask("SELECT symbol, close FROM silver.px ORDER BY 1") == [("A", Decimal(1)), ("B", Decimal(1))]
    assert warehouse.ask("SELECT reason FROM ops.rejects") == [("append_only",)]
    counts_add_up(warehouse)


@attrs.frozen
class Vintage:
    """A value and the day on which the vendor published it."""

    series: str = column(key=True)
    value: Decimal = column(precision=18, scale=4)
    published: dt.date = column(known_from=True)


def test_one_payload_may_hold_a_chain_of_versions(tmp_path: Path) -> None:
    vendor = FakeVendor(entry(columns=Vintage))
    warehouse = Warehouse(tmp_path / "home", vendor)
    rows = [("2020-03-01", 3), ("2020-01-01", 1), ("2020-02-01", 1)]
    vendor.says([{"series": "GDP", "value": value, "published": day} for day, value in rows])
    context = warehouse.run()
    assert (context.rows_inserted, context.rows_updated, context.rows_unchanged) == (1, 2, 0)
    asked = "SELECT value FROM silver.px_as_of(?)"
    days = (
        dt.datetime(2020, 1, 1, 23),
        dt.datetime(2020, 1, 2),
        dt.datetime(2020, 3, 1, 23),
        dt.datetime(2020, 3, 2),
    )  # a day of publication holds from its end
    assert [warehouse.ask(asked, [day]) for day in days] == [[], [(Decimal(1),)], [(Decimal(1),)], [(Decimal(3),)]]
    assert (
        warehouse.ask("SELECT value FROM silver.px_as_of(?, ?)", [days[-1], at(-1)]) == []
    )  # the warehouse knew nothing before it fetched
    counts_add_up(warehouse)


def test_what_was_published_earlier_but_comes_late_is_put_in_its_place(tmp_path: Path) -> None:
    vendor = FakeVendor(entry(columns=Vintage))
    warehouse = Warehouse(tmp_path / "home", vendor)
    vendor.says([{"series": "GDP", "value": 3, "published": "2020-03-01"}])
    warehouse.run()
    vendor.says([{"series": "GDP", "value": 2, "published": "2020-02-01"}])
    warehouse.run(hours_later=24)
    assert warehouse.ask("SELECT value FROM silver.px") == [(Decimal(3),)]
    assert warehouse.ask("SELECT value, known_from, known_to FROM silver.px_history") == [
        (Decimal(2), dt.datetime(2020, 2, 2), dt.datetime(2020, 3, 2))
    ]
    vendor.says(
        [
            {"series": "GDP", "value": 2, "published": "2020-02-01"},
            {"series": "GDP", "value": 3, "published": "2020-03-01"},
        ]
    )
    context = warehouse.run(hours_later=24)
    assert context.rows_unchanged == 2
    counts_add_up(warehouse)


class LateVendor(FakeVendor):
    """Its answers can be dated back, as an adopted or copied payload is."""

    behind = dt.timedelta(0)

    @hookimpl
    def fetch(self, entry: DatasetKeymapEntry, request: object) -> object:
        result = super().fetch(entry, request)
        return attrs.evolve(result, fetched_at=result.fetched_at - self.behind)


def test_a_payload_that_arrives_late_does_not_replace_what_younger_ones_said(tmp_path: Path) -> None:
    """Values 1 at 0 h, 1 again at 48 h, and late 2 at 24 h: the truth at 48 h stays 1,
    although its repetition was never stored.
    """
    vendor = LateVendor(entry())
    warehouse = Warehouse(tmp_path / "home", vendor)
    vendor.says([price("A", "2024-01-01", "1")])
    warehouse.run()
    vendor.says([price("A", "2024-01-01", "1"), price("B", "2024-01-01", "1")])
    warehouse.run(hours_later=48)
    vendor.says([price("A", "2024-01-01", "2")])
    vendor.behind = dt.timedelta(hours=48)
    warehouse.run(hours_later=24)
    asked = "SELECT close FROM silver.px_as_of(?) WHERE symbol = 'A'"
    assert [warehouse.ask(asked, [at(hours)])[0][0] for hours in (0, 23, 24, 47, 48, 100)] == [1, 1, 2, 2, 1, 1]
    counts_add_up(warehouse)


def test_a_plugin_can_answer_with_a_select(tmp_path: Path) -> None:
    class Renaming(FakeVendor):
        @hookimpl
        def promote(self, batch: PromotionBatch) -> SelectRows:
            assert batch.fields == ("sym", "day", "px")
            return SelectRows("SELECT _file, sym AS symbol, day AS date, px AS close, '5' AS volume FROM batch")

    vendor = Renaming(entry())
    vendor.extension = "csv"
    warehouse = Warehouse(tmp_path / "home", vendor)
    vendor.says("sym,day,px\nA,2024-01-01,1.5\nB,2024-01-01,\n")
    assert warehouse.run().errors == []
    assert warehouse.ask(NOW) == [("A", dt.date(2024, 1, 1), Decimal("1.5"), 5), ("B", dt.date(2024, 1, 1), None, 5)]


REFUSED_SQL = [
    "SELECT 1; SELECT 2",
    "DELETE FROM ops.bronze_manifest",
    "SELECT * FROM batch) AS x; DROP TABLE ops.rejects; SELECT * FROM (SELECT 1",
    "WITH gone AS (DELETE FROM ops.bronze_manifest RETURNING *) SELECT * FROM gone",
    "SELECT symbol FROM batch",
    "ATTACH 'x.duckdb'",
    "SELECT",
]


@pytest.mark.parametrize("sql", REFUSED_SQL)
def test_a_select_that_is_more_than_one_is_refused_and_writes_nothing(tmp_path: Path, sql: str) -> None:
    class Hostile(FakeVendor):
        @hookimpl
        def promote(self) -> SelectRows:
            return SelectRows(sql)

    vendor = Hostile(entry())
    vendor.extension = "csv"
    warehouse = Warehouse(tmp_path / "home", vendor)
    vendor.says("symbol,date,close,volume\nA,2024-01-01,1.5,1\n")
    context = warehouse.run()
    assert len(context.errors) == 1
    assert warehouse.ask("SELECT count(*) FROM ops.bronze_manifest") == [(1,)]
    assert warehouse.ask("SELECT count(*) FROM ops.rejects") == [(0,)]


def test_a_plugin_can_answer_with_rows_and_one_bad_payload_costs_only_itself(tmp_path: Path) -> None:
    def parse(payload: bytes) -> list[dict[str, object]]:
        symbol, close = payload.decode().split("=")
        return [{"symbol": symbol, "date": dt.date(2024, 1, 1), "close": Decimal(close), "volume": None}]

    class Parsing(FakeVendor):
        @hookimpl
        def promote(self) -> ParseRows:
            return ParseRows(parse)

    vendor = Parsing(entry(scope="per_ticker"))
    vendor.extension = "txt"
    warehouse = Warehouse(tmp_path / "home", vendor)
    vendor.says(b"A=1.5", ticker="A")
    vendor.says(b"nothing", ticker="B")
    context = warehouse.run(universe__tickers=("A", "B"))
    assert warehouse.ask("SELECT symbol, close FROM silver.px") == [("A", Decimal("1.5"))]
    assert len(context.errors) == 1
    assert "/B/" in context.errors[0]


def test_a_failed_payload_is_promoted_again_only_when_forced(warehouse: Warehouse, vendor: FakeVendor) -> None:
    vendor.says([price("A", "nonsense")])
    assert warehouse.run().status == "partial"
    assert warehouse.run(hours_later=1).status == "ok"
    context = warehouse.run(options=RunOptions(force=True))
    assert context.status == "partial"
    assert warehouse.ask("SELECT count(*) FROM ops.promotion_manifest") == [(1,)]
    counts_add_up(warehouse)


def test_what_was_said_of_a_failed_payload_goes_once_it_is_promoted(tmp_path: Path) -> None:
    class Moody(FakeVendor):
        closes = ("1", "nonsense")

        @hookimpl
        def promote(self, entry: DatasetKeymapEntry, batch: PromotionBatch) -> ParseRows:
            return ParseRows(
                lambda payload: [
                    price(name, "2024-01-01", close) for name, close in zip("AB", self.closes, strict=True)
                ]
            )

    vendor = Moody(entry())
    warehouse = Warehouse(tmp_path / "home", vendor)
    vendor.says(b"any")
    assert warehouse.run().status == "partial"
    assert warehouse.ask("SELECT count(*) FROM ops.rejects") == [(2,)]
    vendor.closes = ("1", "2")
    assert warehouse.run(options=RunOptions(force=True)).errors == []
    assert warehouse.ask("SELECT status, rows_seen, rows_written FROM ops.promotion_manifest") == [("ok", 2, 2)]
    assert warehouse.ask("SELECT count(*) FROM ops.rejects") == [(0,)]
    counts_add_up(warehouse)


def test_a_column_that_is_added_is_filled_from_old_payloads_too(warehouse: Warehouse, vendor: FakeVendor) -> None:
    vendor.says([{**price("A", "2024-01-01"), "currency": "EUR"}])
    warehouse.run()

    @attrs.frozen
    class Wider(Price):
        currency: str | None = column()

    vendor.entries = [entry(columns=Wider)]
    vendor.says([{**price("A", "2024-01-02"), "currency": "USD"}])
    assert warehouse.run(hours_later=24).errors == []
    rows = warehouse.ask("SELECT date, currency FROM silver.px_as_of(?) ORDER BY 1", [at(24)])
    assert rows == [(dt.date(2024, 1, 1), "EUR"), (dt.date(2024, 1, 2), "USD")]


def test_watermarks_equal_what_silver_holds(tmp_path: Path) -> None:
    vendor = FakeVendor(entry(scope="per_ticker"))
    warehouse = Warehouse(tmp_path / "home", vendor)
    for hours, days in ((0, ("2024-01-05", "2024-01-03")), (24, ("2024-01-08",))):
        for ticker in ("A", "B"):
            vendor.says([price(ticker, day) for day in days], ticker=ticker)
        warehouse.run(hours_later=hours, universe__tickers=("A", "B"))
        held = "SELECT symbol, min(date), max(date) FROM silver.px GROUP BY 1 ORDER BY 1"
        assert warehouse.ask(
            "SELECT ticker, coverage_from, coverage_to FROM ops.watermarks ORDER BY 1"
        ) == warehouse.ask(held)


def test_rows_and_their_record_are_kept_together_or_not_at_all(
    warehouse: Warehouse, vendor: FakeVendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*arguments: object, **named: object) -> None:
        raise duckdb.IOException("the ledger cannot be written")

    vendor.says([price("A", "2024-01-01")])
    with monkeypatch.context() as patch:
        patch.setattr(OpsService, "record_promoted", broken)
        context = warehouse.run()
    assert "the ledger cannot be written" in context.errors[0]
    assert warehouse.ask("SELECT count(*) FROM silver.px") == [(0,)]
    assert warehouse.ask("SELECT count(*) FROM ops.watermarks") == [(0,)]
    context = warehouse.run(hours_later=1)
    assert (context.requests, context.rows_inserted) == (0, 1)
    assert warehouse.ask("SELECT coverage_to FROM ops.watermarks") == [(dt.date(2024, 1, 1),)]


def test_a_run_that_died_after_its_journal_loses_nothing(
    warehouse: Warehouse, vendor: FakeVendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def died(*arguments: object, **named: object) -> None:
        raise KeyboardInterrupt

    vendor.says([price("A", "2024-01-01")])
    with monkeypatch.context() as patch:
        patch.setattr(OpsService, "record_fetched", died)
        patch.setattr(OpsService, "finish_run", lambda self, summary: None)
        with pytest.raises(KeyboardInterrupt):
            warehouse.run()
    assert warehouse.ask("SELECT count(*) FROM ops.bronze_manifest") == [(0,)]
    context = warehouse.run(hours_later=1)
    assert (context.requests, context.rows_inserted) == (0, 1)
    assert warehouse.ask("SELECT status FROM ops.file_ingestions WHERE kind = 'run' ORDER BY started_at") == [
        ("interrupted",),
        ("ok",),
    ]
    assert len(warehouse.bronze_files()) == 1


@attrs.frozen
class Observation:
    """A payload that does not say of what it is."""

    ticker: str = column(key=True, source="request.ticker")
    series_id: str = column(source="request.discriminator")
    asked_to: dt.date = column(source="request.to_date")
    date: dt.date = column(key=True, row_date=True)
    close: Decimal | None = column(precision=18, scale=4)


@pytest.mark.parametrize("extension", ["json", "csv"])
def test_what_was_asked_for_can_fill_columns(tmp_path: Path, extension: str) -> None:
    vendor = FakeVendor(entry(columns=Observation, scope="per_ticker", discriminator="GDP"))
    vendor.extension = extension
    vendor.says(
        '[{"date": "2024-01-01", "close": 1.5, "ticker": "WRONG"}]'
        if extension == "json"
        else "date,close,ticker\n2024-01-01,1.5,WRONG\n",
        ticker="A/B",
    )
    warehouse = Warehouse(tmp_path / "home", vendor)
    assert warehouse.run(universe__tickers=("A/B",)).errors == []
    assert warehouse.ask("SELECT ticker, series_id, asked_to, date, close FROM silver.px") == [
        ("A/B", "GDP", START.date(), dt.date(2024, 1, 1), Decimal("1.5"))
    ]
    assert warehouse.ask("SELECT field, change FROM ops.schema_drift") == [("ticker", "added")]


def test_a_snapshot_that_lost_most_of_its_rows_is_refused(tmp_path: Path) -> None:
    """Ten of forty are sent: the others did not vanish, the vendor did not send them."""
    vendor = FakeVendor(entry(semantics="snapshot"))
    warehouse = Warehouse(tmp_path / "home", vendor)
    rows = [price(f"S{number:02}", "2024-01-01") for number in range(40)]
    vendor.says(rows)
    assert warehouse.run().errors == []
    vendor.says(rows[:10])
    context = warehouse.run(hours_later=24)
    assert "30 of 40 rows are gone (75.0%, 50.0% are allowed)" in context.errors[0]
    assert context.rows_rejected == 10
    assert warehouse.ask("SELECT count(*) FROM silver.px") == [(40,)]
    counts_add_up(warehouse)
    vendor.says(rows[:20])
    assert warehouse.run(hours_later=24).errors == []
    assert warehouse.ask("SELECT count(*) FROM silver.px") == [(20,)]
    believed = FakeVendor(entry(semantics="snapshot", shrink_share_max=1))
    other = Warehouse(tmp_path / "other", believed)
    for number in (40, 1):
        believed.says(rows[:number])
        assert other.run(hours_later=24).errors == []
    assert other.ask("SELECT count(*) FROM silver.px") == [(1,)]


def test_csv_may_be_separated_by_semicolons(tmp_path: Path) -> None:
    """As much of Europe writes it, where that is declared; a file with commas is refused then, and told."""
    vendor = FakeVendor(entry(dataset="eod", scope="per_ticker", format=Csv(delimiter=";")))
    vendor.extension = "csv"
    warehouse = Warehouse(tmp_path / "home", vendor)
    vendor.says('symbol;date;close;volume\n"A;1";2024-01-01;1.5;1\n', ticker="A")
    vendor.says('symbol,date,close,volume\n"B;1",2024-01-01,2.5,2\n', ticker="B")
    errors = warehouse.run(universe__tickers=("A", "B")).errors
    assert len(errors) == 1
    assert "declare format=Csv(delimiter=',')" in errors[0]
    assert warehouse.ask("SELECT symbol, close FROM silver.px ORDER BY 1") == [("A;1", Decimal("1.5"))]


def test_a_row_for_a_payload_that_is_not_there_is_not_lost_in_silence(tmp_path: Path) -> None:
    class Forging(FakeVendor):
        @hookimpl
        def promote(self) -> SelectRows:
            return SelectRows(
                "SELECT CASE symbol WHEN 'B' THEN 'aaaaaaaaaaaa' ELSE _file END AS _file, * EXCLUDE (_file) FROM batch"
            )

    vendor = Forging(entry())
    vendor.extension = "csv"
    warehouse = Warehouse(tmp_path / "home", vendor)
    vendor.says("symbol,date,close,volume\nA,2024-01-01,1.5,1\nB,2024-01-01,1.5,1\n")
    (error,) = warehouse.run().errors
    assert "promote gave a row whose _file is no payload of the batch" in error
    assert warehouse.ask("SELECT count(*) FROM silver.px") == [(0,)]


@pytest.mark.parametrize("second", ["2.5", "1.5"])
def test_payloads_of_one_moment_end_alike_in_any_order(tmp_path: Path, second: str) -> None:
    """Two recordings of one moment, promoted together, one after the other, and the other way round;
    of other values, and of the same.
    """
    moments = {
        "x": price("A", "2024-01-01", "1.5"),
        "y": price("A", "2024-01-01", second, 11 if second == "2.5" else 10),
    }
    found = []
    for order in (("xy",), ("x", "y"), ("y", "x")):
        home = ScratchHome(tmp_path / "-".join(order), _plugins())
        for step in order:
            recording = ScratchRecording(tmp_path / f"r-{'-'.join(order)}-{step}")
            for name in step:
                request = RunRequest(run_id=f"r{name}", domain="prices", source="fake", dataset="eod")
                payload = json.dumps([moments[name]], indent=" xy".index(name)).encode()
                recording.add(
                    [
                        RunResult(
                            request=request,
                            address=f"https://x.org/{name}",
                            payload=payload,
                            fetched_at=dt.datetime(2024, 1, 2, tzinfo=dt.UTC),
                        )
                    ]
                )
            assert home.replay(recording.close()).errors == []
        found.append({table: digest.sha256 for table, digest in home.digests("silver.").items()})
    assert found[0] == found[1] == found[2]
    assert len(found[0]) == 2


class _Replayed(FakeVendor):
    """Asks for whichever of the two the recording holds."""

    @hookimpl
    def fetch(self, request: RunRequest, http: FetchSession) -> RunResult:  # type: ignore[override]
        return next(result for name in "xy" if (result := http.get(request, f"https://x.org/{name}")).ok)


def _plugins() -> PluginManager:
    manager = PluginManager(())
    manager.register(_Replayed(entry()), name="fake")
    return manager


@pytest.mark.parametrize("order", [("old", "new"), ("new", "old"), ("both",)])
def test_one_value_of_one_publication_is_of_the_payload_that_brought_it_first(
    tmp_path: Path, order: tuple[str, ...]
) -> None:
    """The vendor states since when it is known, and repeats it: whichever payload comes first,
    the row is of the older one.
    """

    @attrs.frozen
    class Filed(Price):
        filed: dt.date = column(known_from=True)

    class Filing(FakeVendor):
        @hookimpl
        def fetch(self, request: RunRequest, http: FetchSession) -> RunResult:  # type: ignore[override]
            return next(result for name in ("old", "new") if (result := http.get(request, f"https://x.org/{name}")).ok)

    manager = PluginManager(())
    manager.register(Filing(entry(columns=Filed)), name="fake")
    home = ScratchHome(tmp_path / "home", manager)
    for step in order:
        recording = ScratchRecording(tmp_path / f"recording-{step}")
        for name, day in (("old", 2), ("new", 3)):
            if step in (name, "both"):
                request = RunRequest(run_id=name, domain="prices", source="fake", dataset="eod")
                payload = json.dumps([{**price("A", "2024-01-01"), "filed": "2024-01-01"}], indent=day).encode()
                recording.add(
                    [
                        RunResult(
                            request=request,
                            address=f"https://x.org/{name}",
                            payload=payload,
                            fetched_at=dt.datetime(2024, 1, day, tzinfo=dt.UTC),
                        )
                    ]
                )
        assert home.replay(recording.close()).errors == []
    assert home.ask("SELECT recorded_at FROM silver.px") == [(dt.datetime(2024, 1, 2),)]
    assert home.ask("SELECT count(*) FROM silver.px_history") == [(0,)]


def test_fields_that_differ_only_in_case_are_different_fields(tmp_path: Path) -> None:
    @attrs.frozen
    class Quote:
        ticker: str = column(key=True, source="T")
        stamp: int = column(source="t")

    for number, (text, extension) in enumerate(
        (('[{"T":"AAA","t":1},{"T":"BBB","t":2}]', "json"), ("T,t\nAAA,1\nBBB,2\n", "csv"))
    ):
        vendor = FakeVendor(entry(columns=Quote))
        vendor.extension = extension
        warehouse = Warehouse(tmp_path / f"home{number}", vendor)
        vendor.says(text)
        assert warehouse.run().errors == []
        assert warehouse.ask("SELECT ticker, stamp FROM silver.px ORDER BY 1") == [("AAA", 1), ("BBB", 2)]


@pytest.mark.parametrize("count", [3, 2000], ids=["small", "large"])
@pytest.mark.parametrize("extension", ["csv", "json"])
def test_folders_whose_names_look_like_partitions_change_no_value(tmp_path: Path, extension: str, count: int) -> None:
    """The engine takes a folder ``name=value`` for a column, and lets it win over one of the payload."""
    vendor = FakeVendor(entry())
    vendor.extension = extension
    warehouse = Warehouse(tmp_path / "symbol=Q" / "c0=9" / "f0=1" / "close=7" / "home", vendor)
    rows = [price(f"S{number:04d}", "2024-01-01") for number in range(count)]
    vendor.says(
        "symbol,date,close,volume\n" + "".join(f"{row['symbol']},2024-01-01,1.5,10\n" for row in rows)
        if extension == "csv"
        else rows
    )
    assert warehouse.run().errors == []
    assert warehouse.ask("SELECT count(DISTINCT symbol), min(symbol), min(close), max(close) FROM silver.px") == [
        (count, "S0000", Decimal("1.5"), Decimal("1.5"))
    ]


class Selecting(FakeVendor):
    """Gives the rows of a payload by a SELECT."""

    @hookimpl
    def promote(self, entry: DatasetKeymapEntry, batch: PromotionBatch) -> SelectRows:
        if "document" in batch.fields:
            return SelectRows(
                "SELECT b._file, b.r->>'id' AS id, b.r->>'day' AS day, b.r->>'amt' AS amt "
                "FROM (SELECT _file, unnest(CAST(document AS JSON[])) AS r FROM batch) AS b"
            )
        if "note" not in batch.fields:
            return SelectRows("SELECT b._file, NULL AS id, NULL AS day, NULL AS amt FROM batch AS b WHERE false")
        return SelectRows("SELECT b.* REPLACE (b.note || '!' AS note) FROM batch AS b")


@attrs.frozen
class Noted:
    """Rows with an amount that may be NULL."""

    id: str = column(key=True)
    day: dt.date = column(key=True)
    amt: Decimal | None = column(precision=9, scale=2)


@pytest.mark.parametrize(("rule", "wanted"), [("first", ("1.00", "1500.00")), ("last", (None, None))])
@pytest.mark.parametrize("vendor_class", [FakeVendor, Selecting])
def test_which_row_of_a_payload_comes_first_is_what_the_payload_says(
    tmp_path: Path, vendor_class: type[FakeVendor], rule: str, wanted: tuple[str | None, ...]
) -> None:
    """Live and read again, alone and with other payloads: a join of the engine may give rows in another order."""
    declared = entry(
        columns=Noted,
        on_duplicate=rule,
        reject_share_max=1.0,
        format=Json(thousands=","),
        is_data=DataRules(may_be_empty=True),
    )
    vendor = vendor_class(declared)
    warehouse = Warehouse(tmp_path / "home", vendor)
    first = [
        ("B", "2024-01-01", "x", "n"),
        ("A", "2024-01-02", "N/A", None),
        ("A", "2024-01-01", "1", "m"),
        ("A", "2024-01-01", None, "m"),
    ]
    later = [
        ("A", "2024-01-02", "x", "m"),
        ("A", "2024-01-02", "1,500", "m"),
        ("A", "2024-02-30", "1", "n"),
        ("A", "2024-01-02", None, "n"),
    ]
    for rows in (first, [], later):
        vendor.says(
            [
                {"grade": "h", "day": day, "note": note, "id": name, "alt": "x", "amt": amount}
                for name, day, amount, note in rows
            ]
        )
        assert warehouse.run(hours_later=24).errors == []
    expected = [
        (dt.date(2024, 1, 1 + place), None if amount is None else Decimal(amount))
        for place, amount in enumerate(wanted)
    ]
    assert warehouse.ask("SELECT day, amt FROM silver.px ORDER BY 1") == expected
    vendor.entries = [attrs.evolve(declared, promote_version=2)]
    assert warehouse.run(hours_later=24).remade_tables == 1
    assert warehouse.ask("SELECT day, amt FROM silver.px ORDER BY 1") == expected


def test_a_row_that_must_not_be_written_again_is_rejected_as_often_as_it_is_stated(tmp_path: Path) -> None:
    """The second of two equal rows is unchanged beside the first; not beside one that is rejected."""
    vendor = FakeVendor(entry(semantics="append", reject_share_max=1.0))
    warehouse = Warehouse(tmp_path / "home", vendor)
    vendor.says([price("A", "2024-01-01", "1"), price("A", "2024-01-01", "1")])
    context = warehouse.run()
    assert (context.rows_inserted, context.rows_unchanged, context.rows_rejected) == (1, 1, 0)
    vendor.says(
        [
            price("A", "2024-01-01", "2"),
            price("A", "2024-01-01", "2"),
            price("B", "2024-01-01", "3"),
            price("B", "2024-01-01", "3"),
        ]
    )
    context = warehouse.run(hours_later=24)
    assert (context.rows_inserted, context.rows_unchanged, context.rows_rejected) == (1, 1, 2)
    assert warehouse.ask("SELECT reason, count(*) FROM ops.rejects GROUP BY 1") == [("append_only", 2)]
    counts_add_up(warehouse)

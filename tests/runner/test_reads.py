"""Datasets that read the payloads of another one: fetched once, stored once, counted once."""

from __future__ import annotations

import datetime as dt
import json
import re
import shutil
from pathlib import Path
from typing import Any

import attrs
import pytest
from pytest_httpserver import HTTPServer
from reading import BIDS, Bond, answer, bid_with_note, bids, bonds, digests, is_sound, two
from warehouse import FakeVendor, Warehouse

from sbf_core.api import (
    Cadence,
    DataRules,
    DatasetKeymapEntry,
    ForEach,
    GoldModel,
    Pages,
    RestRecipe,
    SelectRows,
    UsageError,
    column,
    hookimpl,
)
from sbf_core.care.findings import FindingKind
from sbf_core.care.rebuild import rebuild
from sbf_core.care.repair import Repair
from sbf_core.care.verify import Verification
from sbf_core.failures import FailureKind
from sbf_core.reports import datasets as dataset_reports
from sbf_core.reports import overview, payload
from sbf_core.reports.lineage import impact
from sbf_core.runner.options import RunOptions


@attrs.frozen
class Issuer:
    """Who is asked for."""

    ticker: str = column(key=True, source="request.ticker")
    name: str = column(source="$.issuer.name")
    seen: int = column(source="$.issuer.seen")


def test_two_tables_of_one_answer(tmp_path: Path) -> None:
    warehouse, vendor = two(tmp_path)
    context = warehouse.run()
    assert context.errors == []
    assert vendor.asked == ["bonds/odd/auctions"]
    assert warehouse.ask("SELECT isin, CAST(rate AS VARCHAR) FROM silver.bonds ORDER BY 1") == [
        ("X0", "1.5000"),
        ("X1", "2.5000"),
    ]
    assert warehouse.ask("SELECT isin, bidder, amount FROM silver.bids ORDER BY ALL") == sorted(BIDS)
    assert (context.files, context.rows_seen, context.rows_inserted) == (1, 5, 5)
    assert len(warehouse.bronze_files()) == 1
    # the acceptance queries count payloads, and each once
    sql = "SELECT run_id, COUNT(*) AS bronze_files FROM ops.{} GROUP BY run_id ORDER BY bronze_files DESC"
    assert warehouse.ask(sql.format("file_ingestions WHERE bronze_rows IS NOT NULL")) == [(context.run_id, 1)]
    assert warehouse.ask(sql.format("bronze_manifest")) == [(context.run_id, 1)]
    assert warehouse.ask("SELECT status, count(*) FROM ops.promotion_manifest GROUP BY status") == [("ok", 1)]
    assert warehouse.ask("SELECT silver_table, status, rows_seen, rows_inserted FROM ops.readings") == [
        ("bids", "ok", 3, 3)
    ]
    assert warehouse.ask("SELECT count(*) FROM silver.bids JOIN ops.bronze_manifest USING (_bronze_file_id)".replace(
        "USING (_bronze_file_id)", "ON _bronze_file_id = bronze_file_id"
    )) == [(3,)]  # fmt: skip
    is_sound(warehouse)
    assert warehouse.run().rows_seen == 0
    assert vendor.asked == ["bonds/odd/auctions"]


def test_each_table_has_revisions_of_its_own(tmp_path: Path) -> None:
    warehouse, vendor = two(tmp_path, semantics="snapshot")
    warehouse.run()
    vendor.says(answer("1.5", "2.6", bid=[("X0", "ann", 5), ("X1", "ann", 2)]), dataset="auctions")
    context = warehouse.run(hours_later=48)
    assert context.errors == []
    assert (context.rows_updated, context.rows_unchanged) == (2, 2)
    assert warehouse.ask("SELECT count(*) FROM silver.bonds_history") == [(1,)]
    assert warehouse.ask("SELECT isin, bidder, amount FROM silver.bids ORDER BY ALL") == [
        ("X0", "ann", 5),
        ("X1", "ann", 2),
    ]
    known = "SELECT isin, bidder, amount FROM silver.bids_as_of(TIMESTAMP '2024-01-03') ORDER BY ALL"
    assert warehouse.ask(known) == sorted(BIDS)
    is_sound(warehouse)


def test_a_further_table_is_made_of_what_came_before(tmp_path: Path) -> None:
    vendor = FakeVendor(bonds())
    warehouse = Warehouse(tmp_path / "home", vendor)
    for day, rate in enumerate(("1.5", "1.6", "1.7")):
        vendor.says(answer(rate, bid=[("X0", "ann", day)]), dataset="auctions")
        warehouse.run(hours_later=24)
    vendor.entries.append(bids())
    context = warehouse.run(options=RunOptions(fetch=False))
    assert context.errors == []
    assert warehouse.ask("SELECT amount FROM silver.bids") == [(2,)]
    assert warehouse.ask("SELECT amount FROM silver.bids_history ORDER BY known_from") == [(0,), (1,)]
    assert warehouse.ask("SELECT count(*), sum(rows_seen) FROM ops.readings") == [(3, 3)]
    is_sound(warehouse)


def test_one_table_that_cannot_read_costs_itself(tmp_path: Path) -> None:
    warehouse, vendor = two(tmp_path)
    vendor.says(answer("1.5", "2.5", bid=[("X0", "ann", "five")] * 3), dataset="auctions")
    context = warehouse.run()
    assert [(failure.dataset, failure.kind) for failure in context.failures] == [
        ("bonds/odd/bids", FailureKind.REJECTS)
    ]
    assert warehouse.ask("SELECT count(*) FROM silver.bonds") == [(2,)]
    assert warehouse.ask("SELECT status FROM ops.readings") == [("failed",)]
    assert warehouse.ask("SELECT status FROM ops.promotion_manifest") == [("ok",)]
    assert warehouse.ask("SELECT DISTINCT silver_table FROM ops.rejects") == [("bids",)]
    assert Verification(warehouse.opened()).run().findings == []
    with warehouse.open() as cursor:
        states = overview.dataset_states(
            cursor, warehouse.opened().entries, bronze=warehouse.home / "bronze", now=warehouse.clock.now()
        )
        problems = overview.problems_of_run(cursor, context.run_id, "partial")
    assert {one.id: one.state for one in states} == {"bonds/odd/auctions": "fresh", "bonds/odd/bids": "failed"}
    assert any("bonds/odd/bids" in one.what for one in problems)
    # and the other way round
    vendor.says(answer("dear", bid=BIDS), dataset="auctions")
    context = warehouse.run(hours_later=24)
    assert [failure.dataset for failure in context.failures] == ["bonds/odd/auctions"]
    assert warehouse.ask("SELECT count(*) FROM silver.bids") == [(3,)]
    assert Verification(warehouse.opened()).run().findings == []
    # what failed is read again where that is asked for
    vendor.entries[1] = bids(reject_share_max=1.0)
    warehouse.run(options=RunOptions(fetch=False, force=True))
    assert warehouse.ask("SELECT status, count(*) FROM ops.readings GROUP BY 1") == [("ok", 2)]
    assert Verification(warehouse.opened()).run().findings == []


def test_rejects_of_one_table_stay_when_the_other_is_made_again(tmp_path: Path) -> None:
    warehouse, vendor = two(tmp_path, reject_share_max=1.0)
    vendor.says(answer("1.5", "dear", bid=[*BIDS, ("X2", "bob", "much")]), dataset="auctions")
    vendor.entries[0] = bonds(reject_share_max=1.0)
    warehouse.run()
    both = [("bids", 1), ("bonds", 1)]
    rejects = "SELECT silver_table, count(*) FROM ops.rejects GROUP BY 1 ORDER BY 1"
    assert warehouse.ask(rejects) == both
    vendor.entries[0] = bonds(reject_share_max=1.0, promote_version=2)
    assert "silver.bonds was made again" in str(warehouse.run(options=RunOptions(fetch=False)).notes)
    assert warehouse.ask(rejects) == both
    vendor.entries[1] = bids(reject_share_max=1.0, promote_version=2)
    assert "silver.bids was made again" in str(warehouse.run(options=RunOptions(fetch=False)).notes)
    assert warehouse.ask(rejects) == both
    assert warehouse.ask("SELECT count(*) FROM ops.promotion_manifest") == [(1,)]
    is_sound(warehouse)


def test_a_table_is_made_again_alone(tmp_path: Path) -> None:
    warehouse, vendor = two(tmp_path)
    warehouse.run()
    vendor.says(answer("3.5", bid=[("X0", "ann", 6)]), dataset="auctions")
    warehouse.run(hours_later=24)
    stamp = "SELECT started_at FROM ops.promotion_manifest ORDER BY 1"
    before = warehouse.ask(stamp)
    vendor.entries[1] = bids(on_duplicate="last")
    context = warehouse.run(hours_later=1, options=RunOptions(fetch=False))
    assert context.remade_tables == 1
    assert warehouse.ask(stamp) == before
    assert warehouse.ask("SELECT count(*), count(DISTINCT bronze_file_id) FROM ops.readings") == [(2, 2)]
    assert warehouse.ask("SELECT amount FROM silver.bids WHERE bidder = 'ann' AND isin = 'X0'") == [(6,)]
    assert warehouse.ask("SELECT count(*) FROM ops.file_ingestions WHERE kind = 'reading'") == [(2,)]
    is_sound(warehouse)


def test_a_table_is_renamed_and_the_owner_too(tmp_path: Path) -> None:
    warehouse, vendor = two(tmp_path)
    warehouse.run()
    vendor.entries[1] = bids(silver_table="offers", renamed_from=("silver.bids",))
    assert warehouse.run(options=RunOptions(fetch=False)).errors == []
    assert warehouse.ask("SELECT count(*) FROM silver.offers") == [(3,)]
    assert warehouse.ask("SELECT DISTINCT silver_table FROM ops.readings") == [("offers",)]
    is_sound(warehouse)
    vendor.entries[0] = bonds(dataset="sales", renamed_from=("bonds/odd/auctions",))
    vendor.entries[1] = bids(
        dataset="offers", silver_table="offers", renamed_from=("silver.bids", "bonds/odd/bids"),
        reads="bonds/odd/sales",
    )  # fmt: skip
    assert warehouse.run(options=RunOptions(fetch=False)).errors == []
    assert warehouse.ask("SELECT dataset_id FROM ops.watermarks ORDER BY 1") == [
        ("bonds/odd/offers",),
        ("bonds/odd/sales",),
    ]
    vendor.says(answer("1.5", bid=[("X0", "ann", 8)]), dataset="sales")
    assert warehouse.run(hours_later=24).errors == []
    assert warehouse.ask("SELECT amount FROM silver.offers WHERE isin = 'X0' AND bidder = 'ann'") == [(8,)]
    is_sound(warehouse)


def test_the_former_name_of_the_owner_is_enough(tmp_path: Path) -> None:
    warehouse, vendor = two(tmp_path)
    warehouse.run()
    vendor.entries[0] = bonds(dataset="sales", renamed_from=("bonds/odd/auctions",))
    assert warehouse.run(options=RunOptions(fetch=False)).errors == []
    assert warehouse.ask("SELECT count(*) FROM silver.bids") == [(3,)]


def test_held_payloads_are_released_for_their_table_alone(tmp_path: Path) -> None:
    warehouse, vendor = two(tmp_path, columns=bid_with_note())
    rows = json.loads(answer("1.5"))
    rows["bids"] = [{"isin": "X0", "bidder": "ann", "amount": 1, "note": "good"}]
    vendor.says(json.dumps(rows), dataset="auctions")
    assert warehouse.run().errors == []
    del rows["bids"][0]["note"]
    rows["bids"][0]["amount"] = 2
    vendor.says(json.dumps(rows), dataset="auctions")
    context = warehouse.run(hours_later=24)
    assert [(one.kind, one.dataset) for one in context.failures] == [(FailureKind.HELD, "bonds/odd/bids")]
    assert warehouse.ask("SELECT amount FROM silver.bids") == [(1,)]
    assert warehouse.ask("SELECT status, count(*) FROM ops.readings GROUP BY 1 ORDER BY 1") == [("held", 1), ("ok", 1)]
    options = RunOptions(fetch=False, accept=True, ids=("bonds/odd/auctions",))
    warehouse.run(options=options)
    assert warehouse.ask("SELECT amount FROM silver.bids") == [(1,)]
    assert warehouse.run(options=RunOptions(fetch=False, accept=True, ids=("bonds/odd/bids",))).errors == []
    assert warehouse.ask("SELECT amount, note FROM silver.bids") == [(2, None)]
    is_sound(warehouse)


def test_what_is_released_for_one_table_still_waits_for_the_other(tmp_path: Path) -> None:
    @attrs.frozen
    class WithNote(Bond):
        note: str | None = column()

    warehouse, vendor = two(tmp_path, columns=bid_with_note())
    vendor.entries[0] = bonds(columns=WithNote)
    rows = json.loads(answer("1.5"))
    rows["bids"] = [{"isin": "X0", "bidder": "ann", "amount": 1, "note": "good"}]
    rows["bonds"][0]["note"] = "fine"
    vendor.says(json.dumps(rows), dataset="auctions")
    assert warehouse.run().errors == []
    for each in ("bids", "bonds"):
        del rows[each][0]["note"]
    rows["bonds"][0]["rate"] = "9.5"
    vendor.says(json.dumps(rows), dataset="auctions")
    assert [one.kind for one in warehouse.run(hours_later=24).failures] == [FailureKind.HELD] * 2
    warehouse.run(options=RunOptions(fetch=False, accept=True, ids=("bonds/odd/bids",)))
    vendor.entries[0] = bonds(columns=WithNote, promote_version=2)
    context = warehouse.run(options=RunOptions(fetch=False))
    assert context.remade_tables == 1
    assert [(one.kind, one.dataset) for one in context.failures] == [(FailureKind.HELD, "bonds/odd/auctions")]
    assert warehouse.ask("SELECT CAST(rate AS VARCHAR), note FROM silver.bonds") == [("1.5000", "fine")]
    assert warehouse.ask("SELECT note FROM silver.bids") == [(None,)]
    assert Verification(warehouse.opened()).run().findings == []


def test_of_another_plugin(tmp_path: Path) -> None:
    owner, reader = FakeVendor(bonds()), FakeVendor(bids(source="mine"))
    owner.says(answer("1.5", bid=BIDS), dataset="auctions")
    warehouse = Warehouse(tmp_path / "home", owner, reader)
    context = warehouse.run()
    assert context.errors == []
    assert (owner.asked, reader.asked) == (["bonds/odd/auctions"], [])
    assert warehouse.ask("SELECT count(*) FROM silver.bids") == [(3,)]
    is_sound(warehouse)
    # alone it reads what is there, and asks nobody
    owner.says(answer("1.6", bid=[("X0", "ann", 50)]), dataset="auctions")
    context = warehouse.run(hours_later=24, run__plugins=("fake1",))
    assert context.errors == []
    plan = warehouse.runner(run__plugins=("fake1",)).plan()
    assert plan.requests == ()
    assert plan.notes == ("bonds/mine/bids reads what is there: bonds/odd/auctions is not part of this run",)
    assert owner.asked == ["bonds/odd/auctions"]
    assert warehouse.run(run__plugins=("fake",)).errors == []
    assert warehouse.ask("SELECT count(*) FROM ops.readings") == [(1,)]
    assert warehouse.run(run__plugins=("fake1",)).errors == []
    assert warehouse.ask("SELECT amount FROM silver.bids WHERE bidder = 'ann' AND isin = 'X0'") == [(50,)]
    # without the other plugin it is told, its table stays, and is not lost in a rebuild
    del warehouse.plugins["fake"]
    context = warehouse.run(hours_later=1)
    assert [(one.kind, one.dataset) for one in context.failures] == [(FailureKind.DECLARATION, "bonds/mine/bids")]
    assert "which no loaded plugin declares" in context.errors[0]
    before = digests(warehouse)
    done = rebuild(warehouse.opened())
    assert done.in_place
    assert any("bonds/mine/bids cannot be made again" in note for note in done.context.notes)
    assert digests(warehouse) == before
    report = Verification(warehouse.opened()).run()
    assert report.findings == []
    assert any("silver.bids was not compared" in note for note in report.notes)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"recipe": RestRecipe(url="https://x.test/a")}, "recipe says how they are asked for"),
        ({"restated": "series", "lookback_days": 9}, "restated says how they are asked for"),
        ({"reads": "bonds/odd"}, "reads 'bonds/odd' is no identity"),
        ({"reads": "bonds/odd/bids"}, "it reads its own payloads"),
        ({"reads": "", "payloads_of": ("a/b/c",)}, "payloads_of is filled in by sbf"),
    ],
)
def test_what_cannot_be_declared(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        bids(**changes)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"first_date": dt.date(2020, 1, 1)}, "first_date says how they are asked for"),
        ({"cadence": Cadence(min_age_days=3)}, "cadence says how they are asked for"),
        ({"scope": "per_ticker"}, "scope says how they are asked for"),
        ({"reads": "bonds/odd/offers"}, "fetches nothing itself; .*bonds/odd/auctions"),
        ({"reads": "bonds/odd/auction"}, "which no loaded plugin declares; .*bonds/odd/auctions"),
        ({"answers": "whole"}, "answers"),
    ],
)
def test_what_does_not_go_with_the_other_dataset(tmp_path: Path, changes: dict[str, Any], told: str) -> None:
    further = bids(dataset="offers", silver_table="offers")
    warehouse, _ = two(tmp_path, further, **changes)
    if "answers" in changes:
        warehouse.plugins["fake"].entries[0] = bonds(recipe=RestRecipe(url="https://x.test/a"))  # type: ignore[attr-defined]
        warehouse.plugins["fake"].says(answer("1"), dataset="auctions")  # type: ignore[attr-defined]
    context = warehouse.run(options=RunOptions(fetch="answers" not in changes))
    assert [(one.kind, one.dataset) for one in context.failures] == [(FailureKind.DECLARATION, "bonds/odd/bids")]
    assert re.search(told, context.errors[0]), context.errors[0]


def test_per_ticker_it_is_of_the_ticker_that_was_asked_for(tmp_path: Path) -> None:
    issuers = DatasetKeymapEntry(
        domain="bonds", source="odd", dataset="issuers", silver_table="issuers", columns=Issuer, rows_at="$",
        reads="bonds/odd/auctions", semantics="snapshot",
    )  # fmt: skip
    vendor = FakeVendor(bonds(scope="per_ticker", members=("AA", "BB")), issuers)
    warehouse = Warehouse(tmp_path / "home", vendor)
    vendor.says(answer("1", name="Alpha"), dataset="auctions", ticker="AA")
    vendor.says(answer("1", "2", name="Beta"), dataset="auctions", ticker="BB")
    context = warehouse.run()
    assert context.errors == []
    assert warehouse.ask(
        "SELECT * EXCLUDE (_bronze_file_id, _run_id, known_from, recorded_at) FROM silver.issuers ORDER BY 1"
    ) == [
        ("AA", "Alpha", 1),
        ("BB", "Beta", 2),
    ]
    vendor.says(answer("1", "2", "3", name="Beta"), dataset="auctions", ticker="BB")
    assert warehouse.run(hours_later=24).errors == []
    assert warehouse.ask("SELECT ticker, seen FROM silver.issuers ORDER BY 1") == [("AA", 1), ("BB", 3)]
    assert warehouse.ask("SELECT series_key FROM ops.watermarks WHERE silver_table = 'issuers' ORDER BY 1") == [
        ("bonds/odd/issuers/AA",),
        ("bonds/odd/issuers/BB",),
    ]
    is_sound(warehouse)


def test_its_own_rules_add_to_the_others(tmp_path: Path) -> None:
    warehouse, vendor = two(tmp_path, is_data=DataRules(may_be_empty=True))
    vendor.entries[0] = bonds(is_data=DataRules(error_fields=("Note",)))
    vendor.says(answer("1.5"), dataset="auctions")
    assert warehouse.run().errors == []
    resolved = warehouse.opened().registry.datasets["bonds/odd/bids"].entry
    assert resolved.is_data == DataRules(error_fields=("Note",), may_be_empty=True)
    vendor.entries[1] = bids()
    resolved = warehouse.opened().registry.datasets["bonds/odd/bids"].entry
    assert resolved.is_data == DataRules(error_fields=("Note",))


def test_for_each_of_its_rows(tmp_path: Path) -> None:
    @attrs.frozen
    class Person:
        bidder: str = column(key=True, source="request.ticker")
        seat: str = column()

    people = DatasetKeymapEntry(
        domain="bonds", source="odd", dataset="people", silver_table="people", columns=Person, scope="per_ticker",
        for_each=ForEach(query="SELECT DISTINCT bidder FROM silver.bids", key=("bidder",)),
    )  # fmt: skip
    warehouse, vendor = two(tmp_path, people)
    vendor.says([{"seat": "1"}], dataset="people", ticker="ann")
    vendor.says([{"seat": "2"}], dataset="people", ticker="bob")
    context = warehouse.run()
    assert context.errors == []
    assert vendor.asked == ["bonds/odd/auctions", "bonds/odd/people/ann", "bonds/odd/people/bob"]
    assert warehouse.ask("SELECT bidder, seat FROM silver.people ORDER BY 1") == [("ann", "1"), ("bob", "2")]
    is_sound(warehouse)


def test_for_each_of_its_rows_where_the_other_is_asked_for_each_too(tmp_path: Path) -> None:
    """Who reads the rows of a payload comes after the dataset that fetches it, which itself comes late."""

    @attrs.frozen
    class Seed:
        house: str = column(key=True)

    @attrs.frozen
    class Person:
        bidder: str = column(key=True, source="request.ticker")
        seat: str = column()

    seeds = DatasetKeymapEntry(
        domain="bonds", source="odd", dataset="seeds", silver_table="seeds", columns=Seed,
    )  # fmt: skip
    houses = ForEach(query="SELECT house FROM silver.seeds", key=("house",))
    people = DatasetKeymapEntry(
        domain="bonds", source="odd", dataset="people", silver_table="people", columns=Person, scope="per_ticker",
        for_each=ForEach(query="SELECT DISTINCT bidder FROM silver.bids", key=("bidder",)),
    )  # fmt: skip
    vendor = FakeVendor(people, bids(), bonds(scope="per_ticker", for_each=houses), seeds)
    warehouse = Warehouse(tmp_path / "home", vendor)
    vendor.says([{"house": "H"}], dataset="seeds")
    vendor.says(answer("1.5", bid=BIDS), dataset="auctions", ticker="H")
    vendor.says([{"seat": "1"}], dataset="people", ticker="ann")
    vendor.says([{"seat": "2"}], dataset="people", ticker="bob")
    context = warehouse.run()
    assert context.errors == []
    assert warehouse.ask("SELECT bidder, seat FROM silver.people ORDER BY 1") == [("ann", "1"), ("bob", "2")]


def test_gold_of_a_further_table_is_built_when_it_has_news(tmp_path: Path) -> None:
    warehouse, vendor = two(tmp_path)
    sql = "SELECT b.isin, sum(b.amount) AS amount FROM silver.bids AS b GROUP BY 1"
    vendor.models = [GoldModel(name="fact_bids", key=("isin",), sql=sql)]
    assert warehouse.run().gold_tables == 1
    assert warehouse.ask("SELECT * FROM gold.fact_bids ORDER BY 1") == [("X0", 12), ("X1", 1)]
    vendor.says(answer("1.5", "9.5", bid=BIDS), dataset="auctions")  # bonds alone
    assert warehouse.run(hours_later=24).gold_tables == 0
    vendor.says(answer("1.5", "9.5", bid=[("X1", "ann", 2)]), dataset="auctions")
    assert warehouse.run(hours_later=24).gold_tables == 1
    assert warehouse.ask("SELECT * FROM gold.fact_bids ORDER BY 1") == [("X0", 12), ("X1", 2)]
    is_sound(warehouse)


def test_its_hook_reads(tmp_path: Path) -> None:
    class Hooked(FakeVendor):
        @hookimpl
        def promote(self, entry: DatasetKeymapEntry, batch: Any) -> Any:
            if entry.dataset == "auctions":
                return None
            assert entry.scope == "global"
            rows = 'from_json(document->\'bids\', \'[{"isin": "VARCHAR", "bidder": "VARCHAR", "amount": "VARCHAR"}]\')'
            return SelectRows(f"SELECT _file, unnest({rows}, recursive := true) FROM batch")

    vendor = Hooked(bonds(), bids())
    vendor.says(answer("1.5", bid=BIDS), dataset="auctions")
    warehouse = Warehouse(tmp_path / "home", vendor)
    assert warehouse.run().errors == []
    assert warehouse.ask("SELECT count(*) FROM silver.bids") == [(3,)]
    is_sound(warehouse)


def test_what_is_lost_or_doubled_is_found_and_put_right(tmp_path: Path) -> None:
    warehouse, vendor = two(tmp_path)
    warehouse.run()
    vendor.says(answer("3.5", bid=[("X0", "ann", 6)]), dataset="auctions")
    warehouse.run(hours_later=24)
    whole = digests(warehouse)
    first = "(SELECT min(bronze_file_id) FROM ops.readings)"
    harms = {
        f"DELETE FROM ops.readings WHERE bronze_file_id = {first}": "PROMOTION_MISSING",
        f"INSERT INTO ops.readings FROM ops.readings WHERE bronze_file_id = {first}": "RECORD_TWICE",
        "DELETE FROM ops.file_ingestions WHERE kind = 'reading'": "INGESTION_DIFFERS",
        "UPDATE ops.readings SET rows_inserted = rows_inserted + 1, rows_seen = rows_seen + 1": "INGESTION_DIFFERS",
        "DELETE FROM silver.bids": "ROW_DIFFERS",
        "UPDATE ops.readings SET bronze_file_id = 'aaaaaaaaaaaa'": "PROMOTION_UNKNOWN",
    }
    for harm, kind in harms.items():
        with warehouse.open(read_only=False) as cursor:
            cursor.execute(harm)
        found = Verification(warehouse.opened()).run().findings
        assert FindingKind[kind] in {one.kind for one in found}, harm
        repaired = Repair(warehouse.opened()).run()
        assert repaired.after == (), harm
        assert digests(warehouse) == whole, harm
        assert Verification(warehouse.opened()).run().findings == [], harm


def test_a_damaged_payload_is_told_by_both_and_comes_back(tmp_path: Path) -> None:
    warehouse, vendor = two(tmp_path)
    warehouse.run()
    whole = digests(warehouse)
    (path,) = (warehouse.home / "bronze" / name for name in warehouse.bronze_files())
    kept = tmp_path / "kept"
    shutil.copytree(warehouse.home / "bronze", kept / "bronze")
    path.chmod(0o600)
    path.write_bytes(path.read_bytes()[:-1] + b" ")
    vendor.entries[1] = bids(promote_version=2)
    context = warehouse.run(options=RunOptions(fetch=False))
    assert [one.dataset for one in context.failures] == ["bonds/odd/bids"]
    assert digests(warehouse) == whole
    assert Repair(warehouse.opened(), sources=[kept]).run().after == ()
    assert warehouse.run(options=RunOptions(fetch=False)).errors == []
    assert digests(warehouse) == whole


def test_what_is_told_of_a_payload(tmp_path: Path) -> None:
    warehouse, _ = two(tmp_path)
    warehouse.run()
    entries = warehouse.opened().entries
    with warehouse.open() as cursor:
        (file_id,) = cursor.execute("SELECT bronze_file_id FROM ops.bronze_manifest").fetchone()
        facts = payload.payload_facts(cursor, warehouse.home / "bronze", file_id, compared=False)
        assert [row["table_name"] for row in facts.readings.records] == ["bids"]
        assert [one.silver_table for one in impact(cursor, (), file_id).tables] == ["bonds", "bids"]
        (row,) = dataset_reports.payloads_of(cursor, entries[1], limit=5).records
        assert (row["seen"], row["status"]) == (3, "ok")
        assert dataset_reports.count_payloads(cursor, entries[1]) == 1


def test_it_becomes_a_dataset_of_its_own_and_back(tmp_path: Path) -> None:
    warehouse, vendor = two(tmp_path)
    warehouse.run()
    vendor.entries[1] = bids(reads="")
    vendor.says(answer("1", bid=BIDS[:2]), dataset="bids")
    context = warehouse.run(hours_later=1)
    assert [one.kind for one in context.failures] == [FailureKind.HELD]  # its rows would go
    assert warehouse.ask("SELECT count(*) FROM silver.bids") == [(3,)]
    rebuild(warehouse.opened(), accept=True)
    warehouse.run(hours_later=1)
    assert warehouse.ask("SELECT count(*) FROM silver.bids") == [(2,)]
    assert warehouse.ask("SELECT count(*) FROM ops.readings") == [(0,)]
    is_sound(warehouse)
    vendor.entries[1] = bids()
    context = warehouse.run(hours_later=1, options=RunOptions(fetch=False))
    assert context.errors == []
    assert warehouse.ask("SELECT count(*) FROM silver.bids") == [(3,)]
    is_sound(warehouse)


def test_pages_and_replay(tmp_path: Path, httpserver: HTTPServer) -> None:
    pages = [answer("1", bid=BIDS[:1]), answer("2", bid=BIDS[1:]), answer()]
    for number, page in enumerate(pages, 1):
        httpserver.expect_request("/list", query_string={"page": str(number)}).respond_with_data(
            page.replace("X0", f"X{number - 1}") if number == 2 else page, content_type="application/json"
        )
    recipe = RestRecipe(
        url=httpserver.url_for("/list"), pages=Pages(by="page", parameter="page", size=1, items_at="bonds")
    )

    class Vendor:
        @hookimpl
        def datasets(self) -> list[DatasetKeymapEntry]:
            rules = DataRules(may_be_empty=True)
            return [bonds(recipe=recipe, is_data=rules), bids()]

    warehouse = Warehouse(tmp_path / "home", Vendor())
    context = warehouse.run()
    assert context.files == 2, context.errors  # an empty page is none
    assert warehouse.ask("SELECT count(*) FROM silver.bids") == [(3,)]
    other = Warehouse(tmp_path / "other", Vendor())
    replayed = other.run(options=RunOptions(replay=str(warehouse.home / "bronze")))
    assert replayed.errors == []
    assert digests(other) == digests(warehouse)
    is_sound(other)

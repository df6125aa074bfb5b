"""A declaration that changes: the table is the one that it would always have made, or waits and says so."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import attrs
import pytest
from warehouse import FakeVendor, Warehouse, counts_add_up, entry, price

from sbf_core.api import Column, DatasetKeymapEntry, GoldModel, Json, ParseRows, SelectRows, hookimpl
from sbf_core.care.rebuild import rebuild
from sbf_core.care.rebuild_tables import TableRebuild
from sbf_core.care.repair import Repair
from sbf_core.care.verify import Verification
from sbf_core.failures import FailureKind
from sbf_core.home.home import Home
from sbf_core.plugin.manager import PluginManager
from sbf_core.reports.overview import dataset_states
from sbf_core.reports.stale_tables import problems_of_tables
from sbf_core.runner.options import RunOptions
from sbf_core.runner.runner import Runner
from sbf_core.runs.context import RunContext
from sbf_core.settings.settings import Settings
from sbf_core.silver.stale import PUT_BACK
from sbf_core.vocabulary import Layer

SYMBOL = Column(name="symbol", type="VARCHAR", key=True)
DATE = Column(name="date", type="DATE", key=True, row_date=True)
CLOSE = Column(name="close", type="DECIMAL(18,4)", nullable=True, missing=("N/A",))
VOLUME = Column(name="volume", type="BIGINT", nullable=True)
USUAL = (SYMBOL, DATE, CLOSE, VOLUME)
NO_FETCH = RunOptions(fetch=False)
#: What the vendor sent, hour by hour: a row is revised, one is new, one comes back as it was, one is gone.
PAYLOADS = (
    [price("A", "2024-01-01", "1", 10), price("B", "2024-01-01", "2", 20), price("B", "2024-01-02", "7", 20)],
    [price("A", "2024-01-01", "1.5", 10), price("B", "2024-01-01", "2", 20), price("B", "2024-01-02", "7", 21)],
    [price("A", "2024-01-01", "1", 11), price("A", "2024-01-02", "4", 12), price("B", "2024-01-02", "7", 21)],
)


class Quick(Warehouse):
    """No copies for readers, nothing forced to the disk: these are about rows."""

    def runner(self, options: RunOptions | None = None, **flags: Any) -> Runner:
        return super().runner(options, **{"run__publish": "no", "bronze__fsync": "none", "duckdb__threads": 1, **flags})


class Other(FakeVendor):
    """A plugin whose hook reads the volume in thousands from its second version on."""

    @hookimpl
    def promote(self, entry: DatasetKeymapEntry, batch: Any) -> Any:
        if entry.promote_version == 1:
            return None
        return ParseRows(lambda payload: [{**row, "volume": row["volume"] * 1000} for row in json.loads(payload)])


def declared(columns: Sequence[Column] = USUAL, **changes: Any) -> DatasetKeymapEntry:
    return entry(**{"columns": columns, "reject_share_max": 0.5, "refresh_after_hours": 0.5, **changes})


def without(name: str, *more: Column) -> tuple[Column, ...]:
    return (*(column for column in USUAL if column.name != name), *more)


def home(
    folder: Path, declaration: DatasetKeymapEntry, *, kind: type[FakeVendor] = FakeVendor, payloads: int = len(PAYLOADS)
) -> tuple[FakeVendor, Warehouse]:
    """A home that got payloads, one an hour."""
    vendor = kind(declaration)
    warehouse = Quick(folder, vendor)
    for rows in PAYLOADS[:payloads]:
        vendor.says(rows, dataset=declaration.dataset)
        warehouse.run(hours_later=1)
    return vendor, warehouse


def rows_of(warehouse: Warehouse, table: str = "px") -> list[list[tuple[Any, ...]]]:
    """Everything that must not depend on when the declaration came: rows, history, counts, rejects, watermark."""
    every = "* EXCLUDE (_bronze_file_id, _run_id)"
    queries = (
        f"SELECT {every} FROM silver.{table} ORDER BY ALL", f"SELECT {every} FROM silver.{table}_history ORDER BY ALL",
        ("SELECT m.fetched_at, p.status, p.rows_seen, p.rows_inserted, p.rows_updated, p.rows_unchanged, "
         "p.rows_rejected, p.rows_closed, p.silver_table "
         "FROM ops.promotion_manifest AS p JOIN ops.bronze_manifest AS m USING (bronze_file_id) ORDER BY ALL"),
        "SELECT reason, column_name, row_json FROM ops.rejects ORDER BY ALL",
        "SELECT coverage_from, coverage_to FROM ops.watermarks",
    )  # fmt: skip
    with warehouse.open() as cursor:
        return [cursor.execute(query).fetchall() for query in queries]


def settings_of(warehouse: Warehouse) -> Settings:
    return Settings(warehouse.home, flags={"run.publish": "no"}, environment={})


def manager_of(vendor: FakeVendor) -> PluginManager:
    manager = PluginManager(())
    manager.register(vendor, name="fake")
    return manager


def made_again(vendor: FakeVendor, warehouse: Warehouse, *, accept: bool, hours: int = 1) -> RunContext:
    warehouse.clock.advance(hours=hours)
    settings = settings_of(warehouse)
    return TableRebuild(Home(settings, clock=warehouse.clock, plugins=manager_of(vendor)), [vendor.entries[0].id]).run(
        accept=accept
    )


def made_anew(vendor: FakeVendor, warehouse: Warehouse) -> RunContext:
    warehouse.clock.advance(hours=1)
    return rebuild(Home(settings_of(warehouse), clock=warehouse.clock, plugins=manager_of(vendor))).context


def test_repair_keeps_the_watermark_of_a_renamed_dataset(tmp_path: Path) -> None:
    renamed = declared(dataset="bars", renamed_from=("prices/fake/eod",))
    vendor, warehouse = home(tmp_path / "home", declared())
    vendor.entries = [renamed]
    warehouse.run(hours_later=1, options=NO_FETCH)
    marks = warehouse.ask("SELECT * EXCLUDE (updated_at) FROM ops.watermarks")
    with warehouse.open(read_only=False) as cursor:
        cursor.execute("UPDATE ops.watermarks SET coverage_to = coverage_to + 1")
    repaired = Repair(Home(settings_of(warehouse), clock=warehouse.clock, plugins=manager_of(vendor))).run()
    assert ([finding.kind for finding in repaired.before], repaired.after) == (["watermark_differs"], ())
    assert warehouse.ask("SELECT * EXCLUDE (updated_at) FROM ops.watermarks") == marks


def is_sound(vendor: FakeVendor, warehouse: Warehouse) -> None:
    report = Verification(Home(settings_of(warehouse), clock=warehouse.clock, plugins=manager_of(vendor))).run()
    assert report.findings == []
    assert report.tables_checked == report.tables
    counts_add_up(warehouse)
    assert list((warehouse.home / "staging").iterdir()) == []


CHANGES: dict[str, DatasetKeymapEntry] = {
    "the key is widened": declared((SYMBOL, DATE, CLOSE, attrs.evolve(VOLUME, nullable=False, key=True))),
    "a type is changed": declared(without("close", attrs.evolve(CLOSE, type="DOUBLE"))),
    "a column is renamed": declared(without("close", attrs.evolve(CLOSE, name="price", renamed_from=("close",)))),
    "a column is removed": declared(without("volume")),
    "a nullable column is added": declared(
        (*USUAL, Column(name="shares", type="BIGINT", nullable=True, source="volume"))
    ),
    "a required column is added": declared((*USUAL, Column(name="shares", type="BIGINT", source="volume"))),
    "a column may not be null any more": declared(without("volume", attrs.evolve(VOLUME, nullable=False))),
    "a source is changed": declared(without("volume", attrs.evolve(VOLUME, source="close", type="DOUBLE"))),
    "the columns are in another order": declared((DATE, SYMBOL, VOLUME, CLOSE)),
    "rows are written once": declared(semantics="append"),
    "the dataset is renamed": declared(dataset="bars", renamed_from=("prices/fake/eod",)),
    "the table is renamed": declared(silver_table="bars", renamed_from=("silver.px",)),
    "both are renamed": declared(dataset="bars", silver_table="bars", renamed_from=("prices/fake/eod", "silver.px")),
    "no value is written otherwise": declared(without("close", attrs.evolve(CLOSE, missing=("1",)))),
    "the hook reads otherwise": declared(promote_version=2),
}  # fmt: skip


@pytest.mark.parametrize("what", CHANGES)
def test_the_table_is_as_if_the_declaration_had_always_been_so(tmp_path: Path, what: str) -> None:
    change = CHANGES[what]
    vendor, warehouse = home(tmp_path / "changed", declared(), kind=Other)
    before = rows_of(warehouse)
    vendor.entries = [change]
    is_untouched = Verification(Home(settings_of(warehouse), clock=warehouse.clock, plugins=manager_of(vendor))).run()
    assert is_untouched.findings == []
    assert "its declaration has changed since it was made" in is_untouched.notes[0]
    assert rows_of(warehouse) == before
    context = warehouse.run(hours_later=1, options=NO_FETCH)
    assert (context.errors, context.remade_tables) == ([], 1)
    always_vendor, always = home(tmp_path / "always", change, kind=Other)
    assert rows_of(warehouse, change.silver_table) == rows_of(always, change.silver_table)
    is_sound(vendor, warehouse)
    assert warehouse.run(hours_later=1, options=NO_FETCH).remade_tables == 0
    for each, place in ((vendor, warehouse), (always_vendor, always)):  # and so it goes on
        each.says([price("A", "2024-01-02", "5", 12)], dataset=change.dataset)
        assert place.run(hours_later=1 if place is warehouse else 3).errors == []
    assert rows_of(warehouse, change.silver_table) == rows_of(always, change.silver_table)


NARROW = declared((SYMBOL, attrs.evolve(DATE, key=False), CLOSE, VOLUME))


def day_by_day(folder: Path) -> tuple[FakeVendor, Warehouse]:
    """A home whose payloads hold one day each, so that a key without the day
    would let the days supersede each other.
    """
    vendor = FakeVendor(declared())
    warehouse = Quick(folder, vendor)
    for day in (1, 2):
        vendor.says([price("A", f"2024-01-0{day}"), price("B", f"2024-01-0{day}")])
        warehouse.run(hours_later=1)
    return vendor, warehouse


def test_a_narrowed_key_waits_for_its_user(tmp_path: Path) -> None:
    """What was once two days of a symbol would be one row: nobody said that the other may go."""
    vendor, warehouse = day_by_day(tmp_path / "home")
    before = rows_of(warehouse)
    vendor.entries = [NARROW]
    for _ in range(2):
        context = warehouse.run(hours_later=1, options=NO_FETCH)
        (error,) = context.errors
        assert error.startswith(
            "prices/fake/eod: it is held, and its table is as it was: "
            "the key was (symbol, date) and is (symbol); 2 of 4 current rows would go; accept that with "
        )
        assert error.endswith("`sbf rebuild prices/fake/eod --accept`, or put the declaration back")
        assert rows_of(warehouse) == before
    vendor.says([price("A", "2024-01-03", "9", 1)])
    assert warehouse.run(hours_later=1).rows_seen == 0, "it is fetched, and waits"
    vendor.entries = [declared()]
    assert warehouse.run(hours_later=1, options=NO_FETCH).rows_inserted == 1, "the declaration was put back"
    vendor.entries = [NARROW]
    assert warehouse.run(hours_later=1, options=NO_FETCH).errors != []
    assert made_again(vendor, warehouse, accept=False).remade_tables == 0
    assert made_again(vendor, warehouse, accept=True).remade_tables == 1
    assert warehouse.ask("SELECT symbol, date::VARCHAR FROM silver.px ORDER BY 1") == [
        ("A", "2024-01-03"),
        ("B", "2024-01-02"),
    ]
    is_sound(vendor, warehouse)


def test_a_whole_database_waits_for_the_same_reason_as_its_table(tmp_path: Path) -> None:
    """A declaration that folds versions may have fewer rows and a shorter history; one whose rows would go, not."""
    vendor, warehouse = day_by_day(tmp_path / "home")
    settings, before = Settings(warehouse.home, environment={}), rows_of(warehouse)
    manager = PluginManager(())
    manager.register(vendor, name="fake")
    vendor.entries = [NARROW]
    again = rebuild(Home(settings, clock=warehouse.clock, plugins=manager))
    why = "the key was (symbol, date) and is (symbol)"
    assert again.lost == (f"silver.px: {why}; 2 of 4 current rows would go",)
    assert again.set_aside is None
    assert rows_of(warehouse) == before
    warehouse.run(hours_later=1, options=NO_FETCH)  # from now on it is on record that it waits
    again = rebuild(Home(settings, clock=warehouse.clock, plugins=manager))
    assert [failure.kind for failure in again.context.failures] == [FailureKind.HELD]
    assert (again.lost, again.in_place, again.context.status) == ((), True, "failed")
    assert rows_of(warehouse) == before
    assert rebuild(Home(settings, clock=warehouse.clock, plugins=manager), accept=True).lost == ()
    assert warehouse.ask("SELECT count(*) FROM silver.px") == [(2,)]


def test_a_declaration_that_needs_no_history_is_no_loss(tmp_path: Path) -> None:
    vendor, warehouse = home(tmp_path / "home", declared())
    manager = PluginManager(())
    manager.register(vendor, name="fake")
    rows = len(rows_of(warehouse)[1])
    vendor.entries = [declared(without("volume"))]
    again = rebuild(warehouse.opened(manager))
    assert again.lost == () and again.set_aside is not None
    assert len(rows_of(warehouse)[1]) < rows
    is_sound(vendor, warehouse)


def test_a_declaration_that_takes_too_little_waits(tmp_path: Path) -> None:
    vendor, warehouse = home(tmp_path / "home", declared())
    before = rows_of(warehouse)
    vendor.entries = [declared(without("close", attrs.evolve(CLOSE, type="DATE", missing=())))]
    (error,) = warehouse.run(hours_later=1, options=NO_FETCH).errors
    assert error.startswith(
        "prices/fake/eod: it is held, and its table is as it was: "
        'column close: missing was ["N/A"] and is the default; column close: type was DECIMAL(18,4) and is DATE; '
        "the declaration takes 0 of the 9 rows that the old one took, mostly unparsable of close; accept that with "
    )
    assert rows_of(warehouse) == before


LAST = Column(name="last", type="DECIMAL(18,4)", source="close", also=("c",))
#: What a column was, and its new name; nobody says that it is the same one.
RENAMED: dict[str, tuple[Column, str]] = {
    "a column that must be there": (attrs.evolve(CLOSE, nullable=False, missing=()), "price"),
    "a column that may be null": (CLOSE, "price"),
    "a part of the key": (SYMBOL, "ticker"),
    "a column of another field": (LAST, "price"),
}


@pytest.mark.parametrize("what", RENAMED)
def test_a_column_that_is_called_otherwise_is_told_with_what_to_declare(tmp_path: Path, what: str) -> None:
    column, name = RENAMED[what]
    rest = without(column.source_name)
    vendor, warehouse = home(tmp_path / "home", declared((*rest, column)))
    before = rows_of(warehouse)
    new = attrs.evolve(column, name=name, source="", also=())
    vendor.entries = [declared((*rest, new))]
    context = warehouse.run(hours_later=1, options=NO_FETCH)
    (text,) = context.errors or context.notes[:1]
    assert f"column {name} is new (if it was called {column.name}, declare " in text
    assert f"; column {column.name} is no longer declared" in text
    if not column.nullable:
        assert "the declaration takes 0 of the 9 rows that the old one took, as 3 payloads are refused: none of" in text
        assert rows_of(warehouse) == before
    declare = text.partition(f"(if it was called {column.name}, declare ")[2].partition("); column ")[0]
    vendor.entries = [declared((*rest, attrs.evolve(new, **eval(f"dict({declare})"))))]
    assert warehouse.run(hours_later=1, options=NO_FETCH).errors == []
    assert rows_of(warehouse) == before


def test_a_rebuild_that_is_asked_for_tells_what_is_declared_otherwise(tmp_path: Path) -> None:
    vendor, warehouse = home(tmp_path / "home", declared())
    vendor.entries = [declared((*USUAL, Column(name="shares", type="BIGINT")))]
    (error,) = made_again(vendor, warehouse, accept=False).errors
    assert "its table is as it was: column shares is new; the declaration takes 0 of the 9 rows" in error
    assert "as 3 payloads are refused: none of its 3 rows has 'shares'" in error


def test_a_table_of_an_older_release_is_not_stale_where_nothing_was_declared_otherwise(tmp_path: Path) -> None:
    """It wrote a default into each column, or did not know an option of today."""
    vendor, warehouse = home(tmp_path / "home", declared())
    with warehouse.open(read_only=False) as cursor:
        (text,) = cursor.execute("SELECT declaration FROM ops.table_declarations").fetchone()
        facts = json.loads(text)
        facts["columns"] = [{**column, "epoch": ""} for column in facts["columns"]]
        older = ["0123456789abcdef", json.dumps(facts, sort_keys=True)]
        cursor.execute("UPDATE ops.table_declarations SET fingerprint = ?, declaration = ?", older)
    report = Verification(Home(settings_of(warehouse), clock=warehouse.clock, plugins=manager_of(vendor))).run()
    assert report.notes == []
    context = warehouse.run(hours_later=1, options=NO_FETCH)
    assert (context.errors, context.notes, context.remade_tables) == ([], [], 0)
    vendor.entries = [declared(without("volume"))]
    context = warehouse.run(hours_later=1, options=NO_FETCH)
    assert context.notes[0] == "silver.px was made again from 3 payloads: column volume is no longer declared"


def test_a_user_may_wait(tmp_path: Path) -> None:
    vendor, warehouse = home(tmp_path / "home", declared())
    before = rows_of(warehouse)
    vendor.entries = [declared((*USUAL, Column(name="shares", type="BIGINT", nullable=True, source="volume")))]
    vendor.says([price("C", "2024-01-01")])
    context = warehouse.run(hours_later=1, options=RunOptions(remake=False))
    assert context.errors == []
    assert context.notes == ["silver.px of prices/fake/eod is stale, and waits: column shares is new"]
    assert rows_of(warehouse) == before
    assert warehouse.run(hours_later=1, options=NO_FETCH).rows_inserted == 1


def test_rejected_rows_come_back_with_a_better_declaration(tmp_path: Path) -> None:
    vendor = FakeVendor(declared())
    warehouse = Quick(tmp_path / "home", vendor)
    vendor.says([price("A", "2024-01-01"), price("B", "2024-01-01", "n/v"), price("C", "2024-01-01")])
    assert warehouse.run().rows_rejected == 1
    vendor.entries = [declared(without("close", attrs.evolve(CLOSE, missing=("n/v",))))]
    assert warehouse.run(hours_later=1, options=NO_FETCH).errors == []
    assert warehouse.ask("SELECT symbol, close FROM silver.px WHERE symbol = 'B'") == [("B", None)]
    assert warehouse.ask("SELECT * FROM ops.rejects") == []
    is_sound(vendor, warehouse)


# renamed tables


def test_a_renamed_table_is_compared_with_what_it_was(tmp_path: Path) -> None:
    vendor, warehouse = day_by_day(tmp_path / "home")
    before = rows_of(warehouse)
    vendor.entries = [attrs.evolve(NARROW, silver_table="bars", renamed_from=("silver.px",))]
    (error,) = warehouse.run(hours_later=1, options=NO_FETCH).errors
    assert "2 of 4 current rows would go" in error
    assert rows_of(warehouse) == before


def test_a_table_under_a_former_name_is_stale_although_no_payload_is_of_the_new_identity(tmp_path: Path) -> None:
    """Its rows would be in no table that anybody fills."""
    vendor, warehouse = home(tmp_path / "home", declared())
    vendor.entries = [declared(dataset="bars", silver_table="bars", renamed_from=("silver.px",))]
    vendor.says(PAYLOADS[0], dataset="bars")
    (error,) = warehouse.run(hours_later=1).errors
    assert "the declaration takes 0 of the 9 rows" in error
    assert warehouse.ask("SELECT count(*) FROM silver.px") == [(4,)]
    vendor.entries = [declared(dataset="bars", silver_table="bars", renamed_from=("silver.px", "prices/fake/eod"))]
    assert warehouse.run(hours_later=1, options=NO_FETCH).errors == []
    assert warehouse.ask("SELECT count(*) FROM ops.promotion_manifest WHERE silver_table = 'bars'") == [(4,)]


@pytest.mark.parametrize("how", ["made again", "all made again", "new"])
def test_a_view_under_the_former_name_stays_however_the_table_is_made(tmp_path: Path, how: str) -> None:
    renamed = declared(silver_table="bars", renamed_from=("silver.px",), keep_view=True)
    vendor, warehouse = home(tmp_path / "home", declared(), payloads=0 if how == "new" else 3)
    vendor.entries = [renamed]
    vendor.says(PAYLOADS[0])
    assert (made_anew(vendor, warehouse) if how == "all made again" else warehouse.run(hours_later=1)).errors == []
    assert warehouse.ask("FROM silver.px ORDER BY ALL") == warehouse.ask("FROM silver.bars ORDER BY ALL") != []


def test_gold_over_the_view_follows_the_table(tmp_path: Path) -> None:
    vendor, warehouse = home(tmp_path / "home", declared(), payloads=1)
    vendor.models = [
        GoldModel(
            name="last",
            key=("symbol",),
            sql="SELECT p.symbol, max(p.close) AS top FROM silver.px AS p GROUP BY p.symbol",
        )
    ]
    warehouse.run(hours_later=1, options=NO_FETCH)
    vendor.entries = [declared(silver_table="bars", renamed_from=("silver.px",), keep_view=True)]
    vendor.says([price("A", "2024-01-05", "99")])
    assert warehouse.run(hours_later=1).gold_tables == 1
    assert warehouse.ask("SELECT top FROM gold.last WHERE symbol = 'A'") == [(99,)]
    is_sound(vendor, warehouse)
    assert warehouse.run(hours_later=1, options=NO_FETCH).gold_tables == 0


# payloads that are the dataset's no more


def test_rows_do_not_go_because_their_payloads_are_forgotten(tmp_path: Path) -> None:
    """Also where the share of rejects may be any: they are not rejected, nobody reads them."""
    vendor, warehouse = home(tmp_path / "home", declared(reject_share_max=1.0))
    vendor.entries = [declared(reject_share_max=1.0, dataset="bars")]
    (error,) = warehouse.run(hours_later=1, options=NO_FETCH).errors
    assert "4 of 4 current rows would go" in error
    assert (
        'it has the payloads of prices/fake/eod no more (to keep them, declare renamed_from=("prices/fake/eod",))'
        in error
    )
    assert warehouse.ask("SELECT count(*) FROM silver.px") == [(4,)]
    vendor.entries = [declared(dataset="bars", renamed_from=("prices/fake/eod",))]
    assert warehouse.run(hours_later=1, options=NO_FETCH).errors == []
    assert warehouse.ask("SELECT count(*) FROM silver.px") == [(4,)]


def test_payloads_that_were_let_go_may_be_promoted_again(tmp_path: Path) -> None:
    vendor, warehouse = home(tmp_path / "home", declared())
    before = rows_of(warehouse)
    vendor.entries = [declared(dataset="bars")]
    vendor.says([price("C", "2024-01-01")], dataset="bars")
    assert warehouse.run(hours_later=1).errors != []
    made_again(vendor, warehouse, accept=True)
    assert warehouse.ask("SELECT count(*) FROM silver.px") == [(0,)]
    assert warehouse.ask("SELECT count(*) FROM ops.promotion_manifest") == [(0,)], (
        "what is in no table was not promoted"
    )
    held = warehouse.ask("SELECT count(*) FROM ops.coverage WHERE dataset_id = 'prices/fake/eod'")
    assert held == [(0,)], "and no day of it is answered"
    is_sound(vendor, warehouse)
    assert warehouse.run(hours_later=1, options=NO_FETCH).rows_inserted == 1
    vendor.entries = [declared()]
    made_again(vendor, warehouse, accept=True)
    assert warehouse.run(hours_later=1, options=NO_FETCH).errors == []
    assert rows_of(warehouse) == before
    is_sound(vendor, warehouse)


# what is at work beside it


def test_a_changed_declaration_does_not_stop_other_layers(tmp_path: Path) -> None:
    vendor, warehouse = home(tmp_path / "home", declared())
    before = rows_of(warehouse)
    vendor.entries = [declared(without("volume"))]
    vendor.says(PAYLOADS[1] + [price("C", "2024-01-01")])
    assert warehouse.run(hours_later=1, options=RunOptions(only=Layer.BRONZE)).errors == []
    assert rows_of(warehouse) == before
    assert len(warehouse.bronze_files()) == 4


class Selecting(FakeVendor):
    """A plugin whose hook is a SELECT over the fields."""

    @hookimpl
    def promote(self, entry: DatasetKeymapEntry, batch: Any) -> Any:
        return SelectRows("SELECT b.* FROM batch AS b")


def test_no_row_is_lost_where_the_engine_may_be_wrong_and_a_hook_selects(tmp_path: Path) -> None:
    """A text such as 2.5 may be a number that the engine wrote anew: such a payload is read exactly, not rejected."""
    vendor = Selecting(declared(format=Json(thousands=",")))
    warehouse = Quick(tmp_path / "home", vendor)
    vendor.says([price("A", "2024-01-01", "2.5"), price("B", "2024-01-01", 1.25), price("C", "2024-01-01", "1,500.5")])
    context = warehouse.run()
    assert (context.rows_inserted, context.rows_rejected) == (3, 0)
    assert warehouse.ask("SELECT close::VARCHAR FROM silver.px ORDER BY 1") == [
        ("1.2500",),
        ("1500.5000",),
        ("2.5000",),
    ]


@pytest.mark.parametrize("damage", ["gone", "cut"])
@pytest.mark.parametrize("way", ["put back", "without it"])
def test_a_stale_table_with_a_lost_payload_leads_to_what_helps(tmp_path: Path, damage: str, way: str) -> None:
    """A run cannot make it again, and would say so each time: nothing leads there."""
    vendor = FakeVendor(declared())
    warehouse = Quick(tmp_path / "home", vendor)
    for hour, rows in enumerate(PAYLOADS):
        vendor.says(rows)
        warehouse.run(hours_later=hour)
    bronze = warehouse.home / "bronze"
    shutil.copytree(bronze, tmp_path / "copy")
    lost = min(bronze.rglob("*.json"))
    lost.unlink() if damage == "gone" else lost.write_bytes(b"[]")
    vendor.entries = [declared((*USUAL, Column(name="more", type="VARCHAR", nullable=True, optional=True)))]

    def told() -> tuple[str, str, str]:
        with warehouse.open() as cursor:
            problems = problems_of_tables(cursor, vendor.entries, bronze)
            (state,) = dataset_states(cursor, vendor.entries, bronze=bronze, now=warehouse.clock.now())
        return problems[0].fix if problems else "", problems[0].detail if problems else "", state.why

    fix, detail, why = told()
    assert fix == "sbf repair --from BACKUP"
    for text in (detail, why, *warehouse.runner(NO_FETCH).plan().notes):
        assert f"payload {lost.relative_to(bronze).as_posix()} is gone, or was changed; {PUT_BACK}" in text
    assert any(PUT_BACK in note for note in Verification(warehouse.opened()).run().notes)
    (failure,) = warehouse.run(options=NO_FETCH).failures
    assert (failure.fix, failure.what) == (PUT_BACK, "its table cannot be made again")
    if way == "put back":
        assert Repair(warehouse.opened(), sources=[tmp_path / "copy"]).run().after == ()
        assert told()[0] == "sbf run"
        assert warehouse.run(options=NO_FETCH).remade_tables == 1
    else:
        rebuild(warehouse.opened(), accept=True)
    assert told()[0] == ""
    with warehouse.open() as cursor:
        assert cursor.execute("SELECT count(more), count(*) FROM silver.px").fetchone() == (0, 4)

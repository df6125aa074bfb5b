"""What readers see of a ledger that an older sbf wrote is what its migration will make of it."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path
from typing import Any

import duckdb
import pytest
from older_release import back_to_schema
from terminal import Terminal
from warehouse import FakeVendor, Warehouse, entry, price

import sbf_core
from sbf_core.care.verify import Verification
from sbf_core.duck.bootstrap import DuckDbBootstrap
from sbf_core.duck.migrate import latest_version, ops_tables
from sbf_core.ops.service import OpsService

WORDS = [
    ("status",), ("runs",), ("runs", "last"), ("plan",), ("datasets",), ("datasets", "eod"), ("coverage",),
    ("coverage", "eod"), ("coverage", "other"), ("rejects", "eod"), ("digest",), ("verify",), ("clean",),
    ("revisions", "eod", "symbol=A,date=2024-01-01"), ("explain", "silver.px", "symbol=A,date=2024-01-01", "close"),
    ("sql", "SELECT series_key FROM ops.bronze_manifest"), ("sql", "FROM ops.cursors"),
]  # fmt: skip
#: The last schema whose rows do not name dataset and series.
WITHOUT_IDENTITIES = 7

#: The schema since which a table says which text its macros have.
_WITH_MACROS = 11


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """A home with payloads, a failure, a reject and a discriminator that has a slash."""
    vendor = FakeVendor(
        entry(scope="per_ticker"),
        entry(scope="per_ticker", dataset="other", silver_table="other", discriminator="D.USD/X"),
    )
    warehouse = Warehouse(tmp_path_factory.mktemp("older") / "home", vendor)
    for dataset, close in (("eod", "2"), ("other", "x")):
        vendor.says([price("A", "2024-01-01", "1"), price("A", "2024-01-02", close)], dataset=dataset, ticker="A")
        vendor.says(ValueError("the vendor is down"), dataset=dataset, ticker="B")
    warehouse.run(universe__tickers=("A", "B"))
    return warehouse


def as_of_release(filled: Warehouse, tmp_path: Path, version: int) -> Warehouse:
    """A copy of a home as the release of some schema left it, without a copy for readers."""
    older = Warehouse(tmp_path / "home", *filled.plugins.values())
    shutil.copytree(filled.home, older.home)
    older.clock.advance(seconds=(filled.clock.now() - older.clock.now()).total_seconds())
    shutil.rmtree(older.home / "published")
    with duckdb.connect(str(older.home / "sbf.duckdb")) as conn:
        back_to_schema(conn, version)
    return older


def ledger(cursor: duckdb.DuckDBPyConnection) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of all tables of ``ops``, but for the record of the migrations."""
    return {
        name: cursor.execute(f"SELECT * FROM ops.{name} ORDER BY ALL").fetchall()
        for name in sorted(ops_tables(latest_version()) - {"schema_migrations"})
    }


@pytest.mark.parametrize("version", range(1, latest_version()))
def test_readers_see_what_the_migration_makes(filled: Warehouse, tmp_path: Path, version: int) -> None:
    older = as_of_release(filled, tmp_path, version)
    before = (older.home / "sbf.duckdb").read_bytes()
    with older.open() as cursor:
        seen = ledger(cursor)
        named = cursor.execute(
            "SELECT DISTINCT dataset_id, series_key FROM ops.bronze_manifest ORDER BY ALL"
        ).fetchall()
        assert cursor.execute("SELECT current_database()").fetchall() == [("sbf",)]
    assert named == [
        ("prices/fake/eod", "prices/fake/eod/A"),
        ("prices/fake/other@D.USD/X", "prices/fake/other@D.USD/X/A"),
    ]
    assert (older.home / "sbf.duckdb").read_bytes() == before, "it was read"
    with older.open(read_only=False) as cursor:
        assert ledger(cursor) == seen
    if version < _WITH_MACROS:  # the next run writes macros of older releases anew, and no migration does
        assert {row[-1] for row in seen["table_declarations"]} <= {1}
    if version == latest_version() - 1:
        with filled.open() as cursor:
            written = ledger(cursor) | {"coverage": seen["coverage"]}  # says again what the others say
        assert written == seen, "nothing that a run writes now is other than what its migration makes"


@pytest.mark.parametrize("version", [1, 4, latest_version() - 1])
def test_every_reading_command_reads_an_older_release(
    filled: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: int
) -> None:
    terminal = Terminal(as_of_release(filled, tmp_path, version), monkeypatch)
    said = {words: terminal(*words) for words in WORDS}
    wrong = {words: one.err for words, one in said.items() if one.code not in (0, 1) or "Traceback" in one.err}
    assert wrong == {}


def test_a_reader_that_shares_the_instance_sees_the_same(filled: Warehouse, tmp_path: Path) -> None:
    """DuckDB gives one instance to all who read a file in one process, and only the first can put anything over it."""
    older = as_of_release(filled, tmp_path, 1)
    with older.open() as first, older.open() as second:
        assert ledger(first) == ledger(second)
        assert ledger(second)["cursors"] == []


def test_what_is_promoted_again_to_be_compared_comes_from_the_older_ledger(filled: Warehouse, tmp_path: Path) -> None:
    """It is copied between databases, by names that no search path changes."""
    older = as_of_release(filled, tmp_path, WITHOUT_IDENTITIES)
    report = Verification(older.opened()).run()
    assert report.findings == []
    assert report.tables_checked == 2


def test_who_opens_a_warehouse_in_python_gets_the_ledger_as_it_is(filled: Warehouse, tmp_path: Path) -> None:
    """Nobody could show a further cursor of his the views, and through them he could write into them."""
    older = as_of_release(filled, tmp_path, WITHOUT_IDENTITIES)
    with contextlib.closing(sbf_core.open(older.home)) as connection, older.open() as cursor:
        for each in (connection, connection.cursor()):
            assert each.execute("SELECT count(*) FROM ops.bronze_manifest").fetchone() == (2,)
            with pytest.raises(duckdb.BinderException):
                each.execute("SELECT series_key FROM ops.bronze_manifest")
            with pytest.raises(duckdb.Error, match="read-only"):
                each.execute("DELETE FROM ops.bronze_manifest")
        assert ledger(cursor)["bronze_manifest"] != []


def test_long_reads_on_cursors_of_their_own_see_the_same(filled: Warehouse, tmp_path: Path) -> None:
    older = as_of_release(filled, tmp_path, WITHOUT_IDENTITIES)
    bootstrap = DuckDbBootstrap(older.opened().config, read_only=True).open()
    try:
        rows = list(OpsService.over(bootstrap).recorded.of(["prices/fake/eod"]))
    finally:
        bootstrap.close()
    assert [row.key for row in rows] == ["prices/fake/eod/A"]

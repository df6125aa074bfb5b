"""`sbf clean`: what nothing needs is shown with its size, and goes when it is asked for; what is needed never goes."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from terminal import Terminal
from warehouse import FakeVendor, Warehouse, entry, price

from sbf_core.api import GoldModel, hookimpl
from sbf_core.duck.bootstrap import DuckDbBootstrap
from sbf_core.duck.config import DuckDbConfig
from sbf_core.errors import HomeLocked

SUM = "SELECT symbol, count(*) AS n FROM silver.px GROUP BY symbol"


def payload_bytes(home: Path) -> dict[str, bytes]:
    """Everything in Bronze, journals too."""
    return {
        path.relative_to(home).as_posix(): path.read_bytes() for path in (home / "bronze").rglob("*") if path.is_file()
    }


@pytest.fixture
def full(tmp_path: Path) -> Warehouse:
    """A home with something of each kind that can be left over."""
    vendor = FakeVendor(entry(), entry(dataset="old", silver_table="old"))
    vendor.models = [GoldModel(name="sums", key=("symbol",), sql=SUM), GoldModel(name="gone", key=("symbol",), sql=SUM)]
    warehouse = Warehouse(tmp_path / "home", vendor)
    vendor.says([price("A", "2024-01-01")])
    vendor.says([price("O", "2024-01-01")], dataset="old")
    assert warehouse.run(run__publish="yes").errors == []
    home = warehouse.home
    (home / "backups").mkdir()
    for name, content in (
        ("backups/sbf-before-rebuild-20240101T000000Z.duckdb", b"x" * 300_000),
        ("backups/sbf-before-rebuild-20240101T000000Z.duckdb.wal", b"y" * 100),
        ("backups/sbf-schema4-20240101T000000Z.duckdb", b"z"),
        ("backups/sbf-schema4-20240102T000000Z.duckdb.tmp", b"z"), ("backups/mine.duckdb", b"the user's own"),
        ("staging/rows.parquet", b"12345"), ("published/sbf-20230101T000000Z-aaaaaa.duckdb", b"old"),
        ("published/gold/sums-20230101.parquet", b"old"),
        ("quarantine/no_data/prices/a.json", b"[]"), ("quarantine/orphan/b.json", b"[]"),
        ("scratch/verify-dead/made.duckdb", b"123"), ("scratch/verify-dead.lock", b""),
    ):  # fmt: skip
        path = home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    del vendor.entries[1], vendor.models[1]
    return warehouse


@pytest.fixture
def sbf(full: Warehouse, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    return Terminal(full, monkeypatch)


FILES = {
    "backups/sbf-before-rebuild-20240101T000000Z.duckdb": ("backup", 300_100),
    "backups/sbf-schema4-20240101T000000Z.duckdb": ("backup", 1),
    "backups/sbf-schema4-20240102T000000Z.duckdb.tmp": ("backup", 1),
    "scratch/verify-dead": ("scratch", 3),
    "staging/rows.parquet": ("scratch", 5),
    "published/sbf-20230101T000000Z-aaaaaa.duckdb": ("published", 3),
    "published/gold/sums-20230101.parquet": ("published", 3),
}
NAMED = {"quarantine/no_data": ("quarantine", 2), "quarantine/orphan": ("quarantine", 2)}


def test_what_is_left_over_is_shown_and_stays(sbf: Terminal, full: Warehouse) -> None:
    before = sorted(full.home.rglob("*"))
    told = sbf.told("clean")
    assert {one["name"]: (one["kind"], one["byte_count"]) for one in told["left_over"] if one["rows"] is None} == {
        **FILES,
        **NAMED,
    }
    assert {one["name"]: (one["kind"], one["rows"]) for one in told["left_over"] if one["rows"] is not None} == {
        "silver.old": ("silver", 1),
        "gold.gone": ("gold", 1),
    }
    assert {one["name"] for one in told["left_over"] if one["is_chosen"]} == set(FILES)
    assert (told["removed"], told["byte_count"]) == (False, sum(size for _, size in FILES.values()))
    said = sbf("clean").out
    assert said.endswith(
        "`sbf clean --yes` removes 7 things, 0.3 MB.\nWhat only --quarantine removes stays.\n"
        "What only --tables removes stays.\n"
    )
    assert "set aside by a rebuild" in said and "no loaded plugin fills it" in said
    assert sorted(full.home.rglob("*")) == before


def test_yes_removes_what_nothing_needs_and_nothing_else(sbf: Terminal, full: Warehouse) -> None:
    kept, rows = payload_bytes(full.home), full.ask("SELECT * FROM silver.px")
    said = sbf("clean", "--yes")
    assert (said.code, said.out.splitlines()[-3:]) == (
        0,
        [
            "Removed 7 things, 0.3 MB.",
            "What only --quarantine removes was left.",
            "What only --tables removes was left.",
        ],
    )
    assert not any((full.home / name).exists() for name in FILES)
    assert not (full.home / "backups/sbf-before-rebuild-20240101T000000Z.duckdb.wal").exists()
    assert (full.home / "backups/mine.duckdb").read_bytes() == b"the user's own"
    assert (full.home / "quarantine/no_data/prices/a.json").exists()
    assert payload_bytes(full.home) == kept
    assert full.ask("SELECT * FROM silver.px") == rows
    assert full.ask("SELECT count(*) FROM silver.old") == [(1,)]
    assert list((full.home / "published").glob("gold/*.parquet")), "what the views read is needed"
    assert not sbf.told("clean")["byte_count"]
    assert full.run(hours_later=24).errors == []
    assert sbf("verify").code == 0


def test_quarantine_and_tables_go_when_they_are_named(sbf: Terminal, full: Warehouse) -> None:
    told = sbf.told("clean", "--yes", "--quarantine", "--tables")
    assert told["removed"] and {one["name"] for one in told["left_over"]} == {*FILES, *NAMED, "silver.old", "gold.gone"}
    assert full.ask("SELECT table_name FROM duckdb_tables() WHERE schema_name IN ('silver', 'gold') ORDER BY 1") == [
        ("px",),
        ("px_history",),
        ("sums",),
    ]
    assert full.ask("SELECT count(*) FROM duckdb_functions() WHERE function_name = 'old_as_of'") == [(0,)]
    assert list((full.home / "quarantine").iterdir()) == []
    assert sbf("clean").out == "Nothing is left over.\n"
    assert [one["table_name"] for one in sbf.told("status")["gold"]] == ["sums"], "what is gone is not told for ever"
    assert sbf("verify").code == 0
    assert full.run(hours_later=1).errors == []


def test_a_table_that_was_removed_comes_back_with_its_plugin(sbf: Terminal, full: Warehouse) -> None:
    before = full.ask("SELECT * FROM silver.old")
    sbf("clean", "--yes", "--tables")
    vendor = full.plugins["fake"]
    assert isinstance(vendor, FakeVendor)
    vendor.entries.append(entry(dataset="old", silver_table="old"))
    vendor.models.append(GoldModel(name="gone", key=("symbol",), sql=SUM))
    context = full.run(hours_later=1)
    assert (context.errors, context.remade_tables, context.gold_tables) == ([], 1, 1)
    assert full.ask("SELECT * FROM silver.old") == before
    assert sbf("verify").code == 0


def test_a_table_that_waits_for_its_new_name_is_needed(sbf: Terminal, full: Warehouse) -> None:
    vendor = full.plugins["fake"]
    assert isinstance(vendor, FakeVendor)
    vendor.entries.append(entry(dataset="old", silver_table="newer", renamed_from=("silver.old",)))
    assert "silver.old" not in {one["name"] for one in sbf.told("clean", "--yes", "--tables")["left_over"]}
    assert full.ask("SELECT count(*) FROM silver.old") == [(1,)]


def test_a_view_goes_with_the_table_that_it_reads(sbf: Terminal, full: Warehouse) -> None:
    with full.open(read_only=False) as cursor:
        cursor.execute("CREATE VIEW silver.older AS FROM silver.old; CREATE VIEW silver.mine AS FROM silver.px")
    sbf("clean", "--yes", "--tables")
    assert full.ask("SELECT view_name FROM duckdb_views() WHERE schema_name = 'silver'") == [("mine",)]


def test_tables_stay_where_a_plugin_cannot_say_what_is_its_own(
    sbf: Terminal, full: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FakeVendor, "build_gold", hookimpl(lambda self: 1 / 0))
    said = sbf("clean", "--yes", "--tables")
    assert said.code == 2 and "which tables are left over is not known" in said.err and "ZeroDivisionError" in said.err
    assert full.ask("SELECT count(*) FROM gold.gone") == [(1,)]
    assert all((full.home / name).exists() for name in FILES), "nothing was removed"
    monkeypatch.setattr("sbf_core.plugin.manager.PluginManager._register", lambda *arguments: 1 / 0)
    said = sbf("clean", "--yes", "--tables")
    assert said.code == 2 and "plugin fake is refused" in said.err


def test_nothing_goes_while_a_run_is_at_work(sbf: Terminal, full: Warehouse) -> None:
    """Another process holds the home; what it may need is not called left over, and nothing is removed."""
    script = (
        "import sys; from sbf_core.duck.bootstrap import DuckDbBootstrap; "
        "from sbf_core.duck.config import DuckDbConfig\n"
        "b = DuckDbBootstrap(DuckDbConfig(home=sys.argv[1])).open(); print('open', flush=True); "
        "sys.stdin.read(); b.close()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(full.home)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None and other.stdin is not None
        assert other.stdout.readline() == "open\n"
        said = sbf("clean", "--yes", "--quarantine")
        assert said.code == HomeLocked.exit_code and "is in use" in said.err
        shown = {one["name"] for one in sbf.told("clean")["left_over"]}
        assert "staging/rows.parquet" not in shown and "backups/sbf-schema4-20240101T000000Z.duckdb" in shown
        other.stdin.close()
    assert all((full.home / name).exists() for name in {**FILES, **NAMED})


def test_without_a_database_nothing_is_sure_to_be_left_over(sbf: Terminal, full: Warehouse) -> None:
    (full.home / "sbf.duckdb").unlink()
    shutil.rmtree(full.home / "published")
    assert sbf("clean").code == 2
    said = sbf("clean", "--yes")
    assert said.code == 2 and "there is no database" in said.err
    assert (full.home / "backups/sbf-before-rebuild-20240101T000000Z.duckdb").exists()
    assert not (full.home / "sbf.duckdb").exists(), "none was made"


def test_a_copy_that_this_very_call_made_stays(sbf: Terminal, full: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    """Opening an older database migrates it, and makes a copy first: that is the one that may be needed."""
    wrote = DuckDbBootstrap.open

    def migrating(self: DuckDbBootstrap, **options: float) -> DuckDbBootstrap:
        opened = wrote(self, **options)
        if not self.read_only:
            (DuckDbConfig(home=full.home).backups / "sbf-schema5-20240103T000000Z.duckdb").write_bytes(b"new")
        return opened

    monkeypatch.setattr(DuckDbBootstrap, "open", migrating)
    sbf("clean", "--yes")
    assert sorted(path.name for path in (full.home / "backups").iterdir()) == [
        "mine.duckdb",
        "sbf-schema5-20240103T000000Z.duckdb",
    ]


def test_links_are_not_followed(sbf: Terminal, full: Warehouse, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "precious").write_bytes(b"x" * 1000)
    (full.home / "staging" / "link").symlink_to(elsewhere)
    told = {one["name"]: one["byte_count"] for one in sbf.told("clean", "--yes")["left_over"]}
    assert told["staging/link"] < 1000
    assert (elsewhere / "precious").exists() and not (full.home / "staging" / "link").is_symlink()

"""`sbf verify` finds every damage and nothing else; `sbf repair` puts right what can be put right,
and deletes nothing.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import figures
import pytest
from hang import HANG_SECONDS
from warehouse import FakeVendor, Once, Warehouse, entry, price

import sbf_core
from sbf_core.bronze.journal import journal_files
from sbf_core.care.backup import back_up, restore_files
from sbf_core.care.digest import digest_tables
from sbf_core.care.findings import FindingKind as Kind
from sbf_core.care.rebuild import rebuild
from sbf_core.care.repair import Repair
from sbf_core.care.verify import Verification
from sbf_core.care.verify_report import VerifyReport
from sbf_core.errors import UsageError
from sbf_core.gold.model import GoldModel
from sbf_core.home.home import Home
from sbf_core.plugin.manager import PluginManager
from sbf_core.runner.options import RunOptions
from sbf_core.settings.settings import Settings
from sbf_core.vocabulary import Layer

TICKERS = tuple(f"T{number:03}" for number in range(500))


def manager_of(warehouse: Warehouse) -> PluginManager:
    manager = PluginManager(())
    for name, plugin in warehouse.plugins.items():
        manager.register(plugin, name=name)
    return manager


def verify(warehouse: Warehouse, **options: float) -> VerifyReport:
    return Verification(warehouse.opened(), **options).run()


def kinds(warehouse: Warehouse) -> list[str]:
    return [finding.kind for finding in verify(warehouse).findings]


def repair(warehouse: Warehouse, *sources: Path) -> list[str]:
    """What is left after a repair."""
    repaired = Repair(
        warehouse.opened(),
        sources=sources,
    ).run()
    return [finding.kind for finding in repaired.after]


def digests(warehouse: Warehouse, home: Path | None = None) -> dict[str, str]:
    other = Warehouse(home or warehouse.home)
    with other.open() as cursor:
        return {item.table: item.sha256 for item in digest_tables(cursor, keys={})}


def all_bytes(home: Path) -> set[str]:
    """The hash of every payload and quarantined file: what must never become less."""
    folders = (home / "bronze", home / "quarantine")
    files = [
        path for folder in folders for path in folder.rglob("*") if path.is_file() and "_journal" not in path.parts
    ]
    return {hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with 1,000 payloads: two for each of 500 tickers, the second with a revision."""
    return make(tmp_path_factory.mktemp("made") / "home", TICKERS).home


def make(home: Path, tickers: tuple[str, ...]) -> Warehouse:
    warehouse = warehouse_at(home)
    vendor = warehouse.plugins["fake"]
    assert isinstance(vendor, FakeVendor)
    for day, hours in ((0, 0), (1, 48)):
        for number, ticker in enumerate(tickers):
            rows = [
                price(ticker, "2024-01-01", f"{number + 10 * day}.25"),
                price(ticker, f"2024-01-0{2 + day}", "2.5"),
                price(ticker, "2024-02-30"),
            ]
            vendor.says(rows, ticker=ticker)
        warehouse.run(hours_later=hours, universe__tickers=tickers)
    return warehouse


def warehouse_at(home: Path) -> Warehouse:
    vendor = FakeVendor(entry(scope="per_ticker", reject_share_max=0.5))
    vendor.models = [GoldModel(name="fact_px", key=("symbol", "date"), sql="SELECT symbol, date, close FROM silver.px")]
    warehouse = Warehouse(home, vendor)
    warehouse.clock.advance(hours=1000)
    return warehouse


@pytest.fixture
def thousand(made: Path, tmp_path: Path) -> Warehouse:
    shutil.copytree(made, tmp_path / "home")
    shutil.rmtree(tmp_path / "home" / "published")  # its views lead to the other home
    return warehouse_at(tmp_path / "home")


@pytest.fixture(scope="module")
def small_once(tmp_path_factory: pytest.TempPathFactory) -> Once:
    warehouse = make(tmp_path_factory.mktemp("small") / "small", ("AAA", "bbb", "C.C"))
    assert verify(warehouse).findings == []
    return Once(warehouse)


@pytest.fixture
def small(small_once: Once) -> Warehouse:
    return small_once.again()


def edit(path: Path, change: Callable[[bytes], bytes]) -> None:
    path.chmod(0o600)
    path.write_bytes(change(path.read_bytes()))
    path.chmod(0o400)


def flip_bit(content: bytes) -> bytes:
    return bytes([content[0] ^ 1]) + content[1:]


def test_a_hundred_random_damages_in_a_thousand_files(thousand: Warehouse, tmp_path: Path) -> None:
    """Each series is damaged once, so that each finding has one cause.
    With a backup at hand all of it can be put right.
    """
    back_up(Settings(thousand.home, environment={}).config, tmp_path / "backup", clock=thousand.clock)
    whole = digests(thousand)
    seed = random.SystemRandom().randrange(1 << 30)
    print(f"seed {seed}")
    source = random.Random(seed)
    bronze = thousand.home / "bronze"
    names = source.sample(TICKERS, 120)
    first, second = {}, {}
    for name in thousand.bronze_files():
        ticker = name.split("/")[3]
        (second if ticker in first else first)[ticker] = name
    wanted: list[tuple[str, str]] = []
    changes = {
        "bit": flip_bit, "byte": lambda content: b"#" + content[1:], "truncated": lambda content: content[:-1],
        "emptied": lambda content: b"", "appended": lambda content: content + b" ",
    }  # fmt: skip
    for name, change in zip(names[:50], list(changes.values()) * 10, strict=True):
        path = source.choice((first, second))[name]
        edit(bronze / path, change)
        wanted.append((Kind.PAYLOAD_CHANGED, path))
    for one, other in zip(names[50:58:2], names[51:58:2], strict=True):
        a, b = bronze / first[one], bronze / first[other]
        kept = a.read_bytes()
        edit(a, lambda _, b=b: b.read_bytes())
        edit(b, lambda _, kept=kept: kept)
        wanted += [(Kind.PAYLOAD_CHANGED, first[one]), (Kind.PAYLOAD_CHANGED, first[other])]
    for name in names[58:68]:
        (bronze / second[name]).unlink()
        wanted.append((Kind.PAYLOAD_MISSING, second[name]))
    for name in names[68:76]:
        target = bronze / first[name]
        elsewhere = thousand.home / f"elsewhere-{name}"
        target.rename(elsewhere)
        target.symlink_to(elsewhere)
        wanted.append((Kind.PAYLOAD_NO_FILE, first[name]))
    for name in names[76:84]:
        extra = str(Path(first[name]).with_name("20240101T000000000000Z-0123456789ab.json"))
        (bronze / extra).write_text("[]")
        wanted.append((Kind.FILE_UNKNOWN, extra))
    with thousand.open(read_only=False) as cursor:
        for name in names[84:92]:
            cursor.execute(
                "UPDATE silver.px SET close = close + 1 WHERE symbol = ? AND date = DATE '2024-01-01'", [name]
            )
            wanted.append((Kind.ROW_DIFFERS, f"silver.px ({name}, 2024-01-01)"))
        for name in names[92:95]:
            cursor.execute("UPDATE silver.px_history SET close = 0 WHERE symbol = ?", [name])
            wanted.append((Kind.ROW_DIFFERS, f"silver.px_history ({name}, 2024-01-01, '2024-02-13 04:00:00')"))
        for name in names[95:102]:
            cursor.execute("UPDATE ops.watermarks SET coverage_to = coverage_to + 1 WHERE ticker = ?", [name])
            wanted.append((Kind.WATERMARK_DIFFERS, f"prices/fake/eod/{name}"))
        for name in names[102:109]:
            cursor.execute(
                (
                    "DELETE FROM ops.promotion_manifest USING ops.bronze_manifest m "
                    "WHERE m.bronze_file_id = promotion_manifest.bronze_file_id AND m.rel_path = ?"
                ),
                [second[name]],
            )
            wanted.append((Kind.PROMOTION_MISSING, second[name]))
        for name in names[109:112]:
            cursor.execute(
                "UPDATE ops.bronze_manifest SET payload_hash = repeat('0', 64) WHERE rel_path = ?", [first[name]]
            )
            wanted += [(Kind.RECORD_DIFFERS, first[name]), (Kind.INGESTION_DIFFERS, first[name])]
        for name in names[112:115]:
            cursor.execute(
                "UPDATE ops.file_ingestions SET rows_inserted = rows_inserted + 1 WHERE rel_path = ?", [first[name]]
            )
            wanted.append((Kind.INGESTION_DIFFERS, first[name]))
    before = all_bytes(thousand.home)
    found = [(finding.kind, finding.subject) for finding in verify(thousand).findings]
    assert sorted(found) == sorted(wanted)
    assert len(wanted) >= 100
    figures.add("damages found", len(wanted))
    assert repair(thousand, tmp_path / "backup") == []
    assert digests(thousand) == whole
    assert before <= all_bytes(thousand.home)


def test_rows_that_claim_another_series_are_found_and_put_right(small: Warehouse) -> None:
    """Plans and gaps are made of it, and no journal has it to be compared with."""
    wanted = small.ask("SELECT rel_path, series_key FROM ops.file_ingestions WHERE kind = 'file' ORDER BY ALL")
    with small.open(read_only=False) as cursor:
        cursor.execute("UPDATE ops.bronze_manifest SET series_key = 'x' WHERE ticker = 'AAA'")
        cursor.execute("UPDATE ops.file_ingestions SET dataset_id = 'x', series_key = 'x/AAA' WHERE ticker = 'bbb'")
        cursor.execute("UPDATE ops.watermarks SET series_key = NULL WHERE ticker = 'C.C'")
    assert set(kinds(small)) >= {Kind.RECORD_DIFFERS, Kind.INGESTION_DIFFERS, Kind.WATERMARK_DIFFERS}
    assert repair(small) == []
    assert small.ask("SELECT rel_path, series_key FROM ops.file_ingestions WHERE kind = 'file' ORDER BY ALL") == wanted
    assert small.ask("SELECT series_key FROM ops.watermarks WHERE ticker = 'C.C'") == [("prices/fake/eod/C.C",)]


def test_an_edited_journal_is_found_and_written_again(small: Warehouse) -> None:
    journal = journal_files(small.home / "bronze")[0]
    edit(journal, lambda content: content.replace(b'"status_code":null', b'"status_code":200', 1))
    journal.chmod(0o600)
    assert kinds(small) == [Kind.JOURNAL_BROKEN]
    assert repair(small) == []
    assert (small.home / "quarantine" / "damaged" / "_journal" / journal.name).exists()


@pytest.mark.parametrize("damage", ["gone", "last line", "torn"])
def test_a_journal_that_lost_something(small: Warehouse, damage: str) -> None:
    journal = journal_files(small.home / "bronze")[0]
    content = journal.read_bytes()
    if damage == "gone":
        journal.unlink()
    elif damage == "last line":
        journal.write_bytes(b"".join(content.splitlines(keepends=True)[:-1]))
    else:
        journal.write_bytes(content[:-20])
    assert kinds(small) == [
        {"gone": Kind.JOURNAL_MISSING, "last line": Kind.NOT_JOURNALLED, "torn": Kind.JOURNAL_BROKEN}[damage]
    ]
    assert repair(small) == []


def test_swapped_files_come_back_from_each_other(small: Warehouse) -> None:
    one, other = (small.home / "bronze" / name for name in small.bronze_files()[:2])
    kept = one.read_bytes()
    edit(one, lambda _: other.read_bytes())
    edit(other, lambda _: kept)
    assert kinds(small) == [Kind.PAYLOAD_CHANGED] * 2
    assert repair(small) == []
    assert one.read_bytes() == kept


def test_a_lost_payload_comes_back_from_a_backup_and_only_from_there(small: Warehouse, tmp_path: Path) -> None:
    wanted = digests(small)
    back_up(Settings(small.home, environment={}).config, tmp_path / "backup", clock=small.clock)
    lost = small.home / "bronze" / small.bronze_files()[0]
    edit(lost, flip_bit)
    assert repair(small) == [Kind.PAYLOAD_MISSING], "the damaged bytes are in quarantine, and the loss stays on record"
    assert repair(small) == [Kind.PAYLOAD_MISSING]
    assert repair(small, tmp_path / "backup") == []
    assert digests(small) == wanted


@pytest.mark.parametrize("first", ["repaired", "lost", "damaged"])
def test_a_payload_that_comes_again_has_one_record(tmp_path: Path, first: str) -> None:
    """A replay brings a lost payload back, with the name that it had:
    it is one payload, of the run that kept it first.
    """
    home = tmp_path / "home"
    settings, asked = Settings(home, environment={}), {"plugins": ["iso4217", "bls"], "replay": "sample"}
    number = sbf_core.run(home, **asked).files
    wanted = digests(Warehouse(home))
    payload = next((home / "bronze").rglob("*.zip"))
    edit(payload, flip_bit)
    if first == "repaired":
        assert [finding.kind for finding in Repair(Home(settings)).run().after] == [Kind.PAYLOAD_MISSING]
    else:
        for path in (home / "sbf.duckdb", *(home / "published").glob("*.*")):
            path.unlink()  # the new database asks for what it lacks
        if first == "lost":
            payload.unlink()
    sbf_core.run(home, **asked)
    if first == "damaged":  # it was adopted as it is, and waits for its bytes
        assert [finding.kind for finding in Repair(Home(settings)).run().after] == [Kind.PAYLOAD_MISSING]
        sbf_core.run(home, **asked)
    assert Repair(Home(settings)).run().after == ()
    assert Verification(Home(settings)).run().findings == []
    assert Warehouse(home).ask("SELECT count(*), count(DISTINCT rel_path) FROM ops.bronze_manifest") == [
        (number, number)
    ]
    assert digests(Warehouse(home)) == wanted
    assert rebuild(Home(settings)).lost == ()
    assert digests(Warehouse(home)) == wanted
    assert Verification(Home(settings)).run().findings == []
    if first != "lost":
        assert list((home / "quarantine" / "damaged").rglob("*.zip")), "the damaged bytes are kept"


def test_a_copied_journal_is_no_run(small: Warehouse) -> None:
    journal = journal_files(small.home / "bronze")[0]
    shutil.copy(journal, journal.with_name("20300101T000000Z-abcdef.jsonl"))
    (finding,) = verify(small).findings
    assert (finding.kind, finding.detail) == (Kind.FILE_UNKNOWN, f"is a copy of the journal of run {journal.stem}")
    for _ in range(2):
        context = small.run(hours_later=1, options=RunOptions(fetch=False))
        assert [
            f"is a copy of the journal of run {journal.stem}; `sbf repair` moves it aside" in error
            for error in context.errors
        ] == [True]
    assert small.ask("SELECT count(*) FROM ops.recoveries") == [(0,)]
    assert repair(small) == []
    assert small.run(hours_later=1, options=RunOptions(fetch=False)).errors == []


def test_edited_tables_are_made_again(small: Warehouse) -> None:
    wanted = digests(small)
    with small.open(read_only=False) as cursor:
        cursor.execute("UPDATE silver.px SET close = 1")
        cursor.execute("DELETE FROM silver.px_history")
    assert set(kinds(small)) == {Kind.ROW_DIFFERS}
    assert repair(small) == []
    assert digests(small) == wanted


@pytest.mark.parametrize("table", ["silver.px", "silver.px_history"])
def test_a_table_that_is_gone_is_made_again(small: Warehouse, table: str) -> None:
    wanted = digests(small)
    with small.open(read_only=False) as cursor:
        cursor.execute(f"DROP TABLE {table}")
    assert Kind.ROW_DIFFERS in kinds(small)
    assert repair(small) == []
    assert digests(small) == wanted


def test_payloads_that_wait_are_no_damage(tmp_path: Path) -> None:
    vendor = FakeVendor(entry())
    warehouse = Warehouse(tmp_path / "home", vendor)
    vendor.says([price("A", "2024-01-01")])
    warehouse.run(options=RunOptions(only=Layer.BRONZE))
    assert verify(warehouse).findings == []
    warehouse.run()
    vendor.says([price("A", "2024-01-01", "7")])
    warehouse.run(hours_later=48, options=RunOptions(only=Layer.BRONZE))
    assert verify(warehouse).findings == []


def test_an_edited_gold_table_is_found_and_built_again(small: Warehouse) -> None:
    wanted = digests(small)
    with small.open(read_only=False) as cursor:
        cursor.execute("UPDATE gold.fact_px SET close = 1 WHERE symbol = 'AAA' AND date = DATE '2024-01-02'")
    assert kinds(small) == [Kind.GOLD_DIFFERS]
    assert repair(small) == []
    assert digests(small) == wanted


def test_a_table_whose_payloads_are_lost_is_not_emptied(small: Warehouse) -> None:
    with small.open(read_only=False) as cursor:
        cursor.execute("UPDATE silver.px SET close = 1 WHERE symbol = 'bbb'")
    rows = small.ask("SELECT count(*) FROM silver.px")
    (small.home / "bronze" / small.bronze_files()[0]).unlink()  # of AAA
    assert set(repair(small)) == {Kind.PAYLOAD_MISSING, Kind.ROW_DIFFERS}
    assert small.ask("SELECT count(*) FROM silver.px") == rows


def test_a_promotion_that_lost_its_record_is_done_again(small: Warehouse) -> None:
    wanted = digests(small)
    with small.open(read_only=False) as cursor:
        cursor.execute("DELETE FROM ops.promotion_manifest")
    assert set(kinds(small)) == {Kind.PROMOTION_MISSING}
    assert repair(small) == []
    assert digests(small) == wanted


def test_records_that_stand_twice_or_alone(small: Warehouse) -> None:
    with small.open(read_only=False) as cursor:
        cursor.execute("INSERT INTO ops.bronze_manifest FROM ops.bronze_manifest LIMIT 1")
        cursor.execute("INSERT INTO ops.promotion_manifest FROM ops.promotion_manifest LIMIT 1")
        cursor.execute(
            "INSERT INTO ops.promotion_manifest SELECT * REPLACE ('nobody' AS bronze_file_id) "
            "FROM ops.promotion_manifest LIMIT 1"
        )
    assert {Kind.RECORD_TWICE, Kind.PROMOTION_UNKNOWN} <= set(kinds(small))
    assert repair(small) == []


def test_a_sample_goes_round(small: Warehouse) -> None:
    """Every payload and table is looked at within as many passes as the share says."""
    units = [*small.bronze_files(), "silver.px", "gold.fact_px"]
    seen: list[int] = []
    lasts = []
    for _ in range(12):
        report = verify(small, sample_percent=40)  # 4 of 8 units
        seen.append(report.payloads_checked + report.tables_checked)
        lasts.append(json.loads((small.home / "verify.json").read_text())["last"])
        assert report.findings == []
    assert seen == [4] * 12
    assert lasts == [sorted(units[:6])[3], units[-1]] * 6
    for _ in range(8):
        report = verify(small, sample_percent=30)  # 3 of 8: parts that begin with tables and end with payloads, too
        assert (report.payloads_checked + report.tables_checked, report.findings) == (3, [])
    edit(small.home / "bronze" / small.bronze_files()[-1], flip_bit)
    assert [Kind.PAYLOAD_CHANGED] in [
        [finding.kind for finding in verify(small, sample_percent=25).findings] for _ in range(4)
    ]


def test_a_pass_that_is_out_of_time_goes_on_where_it_stopped(small: Warehouse) -> None:
    report = verify(small, seconds_max=0)  # out of time wherever it looks
    assert not report.whole
    assert json.loads((small.home / "verify.json").read_text())["last"] == small.bronze_files()[-1]
    report = verify(small, seconds_max=HANG_SECONDS)
    assert report.whole


def test_a_database_that_rots_on_the_disk_is_found(small: Warehouse) -> None:
    """Nobody wrote it, its time is the same, and readers have a good copy: its bytes are compared all the same."""
    database = small.home / "sbf.duckdb"
    times = database.stat()
    content = bytearray(database.read_bytes())
    content[len(content) // 2] ^= 1
    database.write_bytes(content)
    os.utime(database, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert kinds(small) == [Kind.DATABASE_CHANGED]


def test_verify_changes_nothing(small: Warehouse) -> None:
    before = {path: path.read_bytes() for path in small.home.rglob("*") if path.is_file()}
    verify(small)
    assert {path: path.read_bytes() for path in small.home.rglob("*") if path.is_file()} == before


# rebuild


def test_a_lost_database_comes_back_from_bronze_alone(small: Warehouse, tmp_path: Path) -> None:
    wanted = digests(small)
    marks = small.ask("SELECT * EXCLUDE (updated_at) FROM ops.watermarks ORDER BY ALL")
    manifest = small.ask("SELECT * FROM ops.bronze_manifest ORDER BY ALL")
    counts = small.ask(
        "SELECT bronze_file_id, status, rows_seen, rows_inserted, rows_updated, rows_unchanged, rows_rejected "
        "FROM ops.promotion_manifest ORDER BY ALL"
    )
    settings = Settings(small.home, environment={})
    (small.home / "sbf.duckdb").rename(tmp_path / "kept.duckdb")
    with pytest.raises(UsageError, match=r"the database is gone, but Bronze is there; .*run `sbf rebuild`"):
        verify(small)
    (tmp_path / "kept.duckdb").rename(small.home / "sbf.duckdb")
    for damage in (
        lambda path: path.unlink(),
        lambda path: path.write_bytes(b"x" * 5000),
        lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
        lambda path: None,
    ):
        damage(small.home / "sbf.duckdb")
        rebuilt = rebuild(Home(settings, clock=small.clock, plugins=manager_of(small)))
        assert rebuilt.context.errors == []
        assert digests(small) == wanted
        assert verify(small).findings == []
    assert small.ask("SELECT * EXCLUDE (updated_at) FROM ops.watermarks ORDER BY ALL") == marks
    assert small.ask("SELECT * FROM ops.bronze_manifest ORDER BY ALL") == manifest
    assert (
        small.ask(
            "SELECT bronze_file_id, status, rows_seen, rows_inserted, rows_updated, rows_unchanged, rows_rejected "
            "FROM ops.promotion_manifest ORDER BY ALL"
        )
        == counts
    )
    assert [
        run[0] for run in small.ask("SELECT status FROM ops.file_ingestions WHERE kind = 'run' ORDER BY started_at")
    ] == ["rebuilt", "rebuilt", "ok"]
    assert len(list((small.home / "backups").iterdir())) == 1, "the last database is kept"


@pytest.mark.parametrize("damage", ["gone", "edited"])
def test_a_rebuild_never_loses_what_was_known_although_as_many_rows_are_there(tmp_path: Path, damage: str) -> None:
    """A value of a payload that is gone, and that a later one brings again: the rows are as many, the past is not."""
    vendor = FakeVendor(entry())
    warehouse = Warehouse(tmp_path / "home", vendor)
    for hours, rows in enumerate((["1"], ["2"], ["2", "5"])):
        vendor.says([price("A", f"2024-01-0{day}", close) for day, close in enumerate(rows, start=1)])
        assert warehouse.run(hours_later=24 if hours else 0).errors == []
        if hours == 1:
            then = warehouse.clock.now().replace(tzinfo=None)
            lost = warehouse.home / "bronze" / max(warehouse.bronze_files())
    known = "SELECT date, close FROM silver.px_as_of(?) ORDER BY 1"
    wanted = warehouse.ask(known, [then])
    if damage == "gone":
        lost.unlink()
    else:
        edit(lost, lambda content: content.replace(b'"2"', b'"3"'))
    for accept in (False, True):
        rebuilt = rebuild(warehouse.opened(), accept=accept)
        if accept:
            assert rebuilt.lost == ()
            assert warehouse.ask(known, [then]) != wanted
        else:
            assert rebuilt.lost == (
                f"silver.px: what a payload brought would go: {lost.relative_to(warehouse.home / 'bronze').as_posix()}",
            )
            assert warehouse.ask(known, [then]) == wanted


def test_a_rebuild_never_replaces_more_by_less(small: Warehouse, tmp_path: Path) -> None:
    """A payload and its line in the journal are gone: the new database would lack its rows, and nothing is replaced."""
    wanted, settings = digests(small), Settings(small.home, environment={})
    before = (small.home / "sbf.duckdb").read_bytes()
    journal = journal_files(small.home / "bronze")[-1]
    kept = journal.read_bytes()
    journal.unlink()
    for path in small.ask("SELECT rel_path FROM ops.bronze_manifest WHERE run_id = ?", [journal.stem]):
        (small.home / "bronze" / path[0]).rename(tmp_path / Path(path[0]).name)
    rebuilt = rebuild(Home(settings, clock=small.clock, plugins=manager_of(small)))
    assert rebuilt.set_aside is None
    assert rebuilt.lost and all("would go" in line for line in rebuilt.lost)
    assert digests(small) == wanted
    assert (small.home / "sbf.duckdb").read_bytes() == before
    assert not list((small.home / "scratch").iterdir()), "the new one is thrown away"
    journal.parent.mkdir(exist_ok=True)
    replaced = rebuild(Home(settings, clock=small.clock, plugins=manager_of(small)), accept=True)
    assert replaced.lost == () and replaced.set_aside is not None
    assert digests(small) != wanted
    assert replaced.set_aside.read_bytes() == before
    copy = json.loads((small.home / "published" / "current.json").read_text())
    assert copy["run_id"] == replaced.context.run_id, "readers get the new one"
    assert kept


def test_a_rebuild_elsewhere_touches_nothing_and_depends_on_no_order(small: Warehouse, tmp_path: Path) -> None:
    wanted = digests(small)
    other = tmp_path / "other"
    shutil.copytree(small.home / "bronze", other / "bronze", copy_function=shutil.copyfile)
    journals = journal_files(other / "bronze")
    for number, path in enumerate(reversed(journals)):  # names and times of files must not matter
        path.rename(path.with_name(f"{number}.jsonl"))
    with journals[-1].with_name("0.jsonl").open("ab") as journal:
        journal.write(b'{"chain":"torn')
    (other / "bronze" / "prices" / ".20240102T120000000000Z-0123456789ab.json.tmp").write_text("[")
    (other / "bronze" / "prices" / "20240102T120000000000Z-0123456789ab.json").write_text("[]")
    before = {path: path.read_bytes() for path in other.rglob("*") if path.is_file()}
    rebuild(
        Home(Settings(other, environment={}), clock=small.clock, plugins=manager_of(small)), into=tmp_path / "again"
    )
    assert digests(small, tmp_path / "again") == wanted
    assert {path: path.read_bytes() for path in other.rglob("*") if path.is_file()} == before
    with pytest.raises(UsageError, match="there is a database already"):
        rebuild(
            Home(Settings(other, environment={}), clock=small.clock, plugins=manager_of(small)), into=tmp_path / "again"
        )


def test_an_older_database_takes_in_what_it_missed(small: Warehouse, tmp_path: Path) -> None:
    shutil.copyfile(small.home / "sbf.duckdb", tmp_path / "old.duckdb")
    vendor = small.plugins["fake"]
    assert isinstance(vendor, FakeVendor)
    for ticker in ("AAA", "bbb", "C.C"):
        vendor.says([price(ticker, "2024-01-07", "9.5")], ticker=ticker)
    small.run(hours_later=48, universe__tickers=("AAA", "bbb", "C.C"))
    wanted = digests(small)
    shutil.copyfile(tmp_path / "old.duckdb", small.home / "sbf.duckdb")
    assert Kind.NOT_RECORDED in kinds(small)
    small.run(universe__tickers=("AAA", "bbb", "C.C"))
    assert digests(small) == wanted
    assert verify(small).findings == []


def test_what_a_dead_run_left_half_written_goes_to_quarantine(small: Warehouse) -> None:
    folder = (small.home / "bronze" / small.bronze_files()[0]).parent
    names = {
        ".20240101T000000000000Z-0123456789ab.json.tmp": "half_written",
        "20240101T000000000000Z-0123456789ab.json": "orphan",
        "notes.txt": "",
    }
    for name in names:
        (folder / name).write_text("[")
    with small.open(read_only=False) as cursor:
        cursor.execute(
            "INSERT INTO ops.file_ingestions (run_id, kind, subject, started_at, status) "
            "VALUES ('dead', 'run', '', TIMESTAMP '2024-01-01', 'running')"
        )
    small.run(universe__tickers=("AAA",))
    moved = small.ask("SELECT reason, original_path, content_length_bytes FROM ops.quarantine ORDER BY 1")
    assert [(reason, Path(path).name, number) for reason, path, number in moved] == [
        (reason, name, 1) for name, reason in names.items() if reason
    ]
    assert (folder / "notes.txt").exists(), "it is nothing that a run leaves: verify names it"
    assert kinds(small) == [Kind.FILE_UNKNOWN]
    small.run()
    assert len(small.ask("FROM ops.quarantine")) == 2
    assert repair(small) == []


def test_bronze_without_a_journal_is_not_rebuilt(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no journal"):
        rebuild(Home(Settings(tmp_path / "home", environment={})))


# backup


def test_a_backup_is_a_home(small: Warehouse, tmp_path: Path) -> None:
    wanted = digests(small)
    config = Settings(small.home, environment={}).config
    report = back_up(config, tmp_path / "backup", clock=small.clock)
    assert (report.payloads, report.payloads_copied, report.database) == (6, 6, "current")
    assert back_up(config, tmp_path / "backup", clock=small.clock).payloads_copied == 0
    restore_files(tmp_path / "backup", Settings(tmp_path / "new", environment={}).config)
    other = Warehouse(tmp_path / "new", small.plugins["fake"])
    assert digests(other) == wanted
    assert verify(other).findings == []


def test_a_backup_of_a_home_whose_last_run_was_killed(tmp_path: Path) -> None:
    """What the run had committed is in the log of the database; a backup has it."""
    script = (
        "import os, sys; from pathlib import Path; sys.path.insert(0, 'tests'); from warehouse import *\n"
        "vendor = FakeVendor(entry()); warehouse = Warehouse(Path(sys.argv[1]), vendor); "
        "vendor.says([price('A', '2024-01-01')])\n"
        "from sbf_core import faults\nfaults.arm('run.finished:1:kill'); warehouse.run()"
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path / "home")], cwd=Path(__file__).resolve().parents[2])
    assert (tmp_path / "home" / "sbf.duckdb.wal").exists()
    vendor = FakeVendor(entry())
    config = Settings(tmp_path / "home", environment={}).config
    assert back_up(config, tmp_path / "backup", clock=Warehouse(tmp_path / "x").clock).database == "current"
    restore_files(tmp_path / "backup", Settings(tmp_path / "new", environment={}).config)
    new = Warehouse(tmp_path / "new", vendor)
    assert new.ask("SELECT symbol FROM silver.px") == [("A",)]
    assert [run[0] for run in new.ask("SELECT status FROM ops.file_ingestions WHERE kind = 'run'")] == ["ok"]


@pytest.mark.parametrize("target", ["home", "home/inside", "full"])
def test_a_backup_goes_nowhere_else(small: Warehouse, tmp_path: Path, target: str) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "a.txt").write_text("mine")
    folder = small.home if target == "home" else small.home / "inside" if target == "home/inside" else tmp_path / "full"
    with pytest.raises(UsageError):
        back_up(Settings(small.home, environment={}).config, folder, clock=small.clock)
    assert (tmp_path / "full" / "a.txt").read_text() == "mine"


def test_a_restore_wants_a_whole_backup_and_an_empty_home(small: Warehouse, tmp_path: Path) -> None:
    config = Settings(small.home, environment={}).config
    with pytest.raises(UsageError, match="this is no backup"):
        restore_files(tmp_path, Settings(tmp_path / "new", environment={}).config)
    back_up(config, tmp_path / "backup", clock=small.clock)
    with pytest.raises(UsageError, match="holds data already"):
        restore_files(tmp_path / "backup", config)
    facts = tmp_path / "backup" / "backup.json"
    facts.write_text(facts.read_text().replace("true", "false"))
    with pytest.raises(UsageError, match="never finished"):
        restore_files(tmp_path / "backup", Settings(tmp_path / "new", environment={}).config)

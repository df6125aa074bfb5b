"""A home whose small payloads are packed: it holds the same rows, and is verified, repaired and copied as any other."""

from __future__ import annotations

import datetime as dt
import gzip
import json
import os
import shutil
import zipfile
from collections.abc import Callable, Iterable, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import attrs
import duckdb
import pytest
from warehouse import START, FakeVendor, Once, Warehouse, entry, price

from sbf_core.api import DataRules, DatasetKeymapEntry, ParseRows, PromotionBatch, SelectRows, hookimpl
from sbf_core.bronze.file_reader import read_payload
from sbf_core.bronze.journal import journal_files, read_journal
from sbf_core.bronze.pack_format import PACKED_BYTES_MAX
from sbf_core.care.backup import back_up, restore_files
from sbf_core.care.digest import digest_tables
from sbf_core.care.findings import FindingKind as Kind
from sbf_core.care.rebuild import rebuild
from sbf_core.care.repair import Repair
from sbf_core.care.verify import Verification
from sbf_core.clock import FixedClock
from sbf_core.duck.bootstrap import DuckDbBootstrap
from sbf_core.errors import DamageFound
from sbf_core.ops.service import OpsService
from sbf_core.recovery.dead_runs import recover
from sbf_core.reports.lineage import explain_silver
from sbf_core.reports.payload import payload_facts
from sbf_core.runner.options import RunOptions
from sbf_core.settings.settings import Settings
from sbf_core.vocabulary import Layer

TICKERS = ("AAA", "BBB", "CCC")


def filled(home: Path, small: str, *, days: int = 2) -> Warehouse:
    """Three tickers on two days, the second with a revision each."""
    vendor = FakeVendor(entry(scope="per_ticker", reject_share_max=0.5))
    warehouse = Warehouse(home, vendor)
    for day in range(days):
        for number, ticker in enumerate(TICKERS):
            rows = [price(ticker, "2024-01-01", f"{number + 10 * day}.50"), price(ticker, f"2024-01-0{2 + day}")]
            vendor.says([*rows, price(ticker, "2024-02-30")], ticker=ticker)
        warehouse.run(hours_later=48 * day, universe__tickers=TICKERS, bronze__small=small)
    return warehouse


@pytest.fixture(scope="module")
def packed_once(tmp_path_factory: pytest.TempPathFactory) -> Once:
    return Once(filled(tmp_path_factory.mktemp("packed") / "home", "packs"))


@pytest.fixture
def packed(packed_once: Once) -> Warehouse:
    return packed_once.again()


def packs(warehouse: Warehouse) -> list[Path]:
    return sorted((warehouse.home / "bronze").rglob("*.warc"))


def digests(warehouse: Warehouse) -> dict[str, str]:
    with warehouse.open() as cursor:
        return {item.table: item.sha256 for item in digest_tables(cursor, keys={})}


def findings(warehouse: Warehouse) -> list[tuple[str, str]]:
    return [(one.kind, one.subject) for one in Verification(warehouse.opened()).run().findings]


def kinds(warehouse: Warehouse) -> set[str]:
    return {kind for kind, _ in findings(warehouse)}


def repair(warehouse: Warehouse, *sources: Path) -> set[str]:
    return {one.kind for one in Repair(warehouse.opened(), sources=sources).run().after}


def recovered(warehouse: Warehouse) -> None:
    bootstrap = DuckDbBootstrap(warehouse.opened().config).open()
    recover(OpsService.over(bootstrap, clock=warehouse.clock), warehouse.opened().config, everything=True)
    bootstrap.close()


def rewrite(path: Path, content: bytes) -> None:
    path.chmod(0o600)
    path.write_bytes(content)


def swap(path: Path, old: bytes, new: bytes) -> None:
    content = path.read_bytes()
    assert old in content and len(old) == len(new)
    rewrite(path, content.replace(old, new, 1))


def test_a_home_of_packs_holds_the_rows_of_a_home_of_files(packed: Warehouse, tmp_path: Path) -> None:
    files = filled(tmp_path / "files", "files")
    assert digests(packed) == digests(files)
    assert [path.name for path in packs(packed)] == sorted(path.name for path in packs(packed))
    assert len(packs(packed)) == 2, "one a run"
    assert packed.bronze_files() == [path.relative_to(packed.home / "bronze").as_posix() for path in packs(packed)]
    silver = "SELECT _bronze_file_id FROM silver.px ORDER BY ALL"
    assert [row[0] for row in packed.ask(silver)] == [row[0] for row in files.ask(silver)], "a payload has one id"
    assert findings(packed) == []


def test_it_is_made_again_from_its_packs(packed: Warehouse) -> None:
    before = digests(packed)
    rebuild(packed.opened())
    assert digests(packed) == before
    assert findings(packed) == []
    assert packed.ask("SELECT count(*), count(DISTINCT pack) FROM ops.bronze_manifest WHERE pack <> ''") == [(6, 2)]


def test_files_and_packs_live_in_one_home(tmp_path: Path) -> None:
    """The setting may change from run to run: what was kept stays as it is."""
    warehouse = filled(tmp_path / "home", "files", days=1)
    vendor = warehouse.plugins["fake"]
    assert isinstance(vendor, FakeVendor)
    for hours, small in ((24, "packs"), (48, "files"), (72, "packs")):
        for ticker in TICKERS:
            vendor.says([price(ticker, "2024-01-01", f"{hours}.5")], ticker=ticker)
        warehouse.run(hours_later=24, universe__tickers=TICKERS, bronze__small=small)
    assert warehouse.ask("SELECT pack <> '', count(*) FROM ops.bronze_manifest GROUP BY 1 ORDER BY 1") == [
        (False, 6), (True, 6),
    ]  # fmt: skip
    before = digests(warehouse)
    rebuild(warehouse.opened())
    assert digests(warehouse) == before
    assert findings(warehouse) == []


@pytest.mark.parametrize("ahead", [0, 25, 1000])
def test_an_answer_of_before_that_comes_once_more_is_not_kept_twice(tmp_path: Path, ahead: int) -> None:
    """Of a source that says itself when its answers were made, also ahead of us: the first one again, after another."""
    kept = {}
    first = START + dt.timedelta(hours=ahead)
    for small in ("files", "packs", "both"):
        vendor = FakeVendor(entry())
        warehouse = Warehouse(tmp_path / small, vendor)
        for number, (close, moment) in enumerate((("1", first), ("2", first + dt.timedelta(hours=1)), ("1", first))):
            vendor.says([price("AAA", "2024-01-01", close)])
            vendor.clock = FixedClock(moment)
            how = ("packs", "packs", "files")[number] if small == "both" else small
            warehouse.run(hours_later=24, options=RunOptions(force=True), bronze__small=how)
        journals = [read_journal(path) for path in journal_files(warehouse.home / "bronze")]
        kept[small] = [line.row.rel_path for lines in journals for line in lines]
        assert findings(warehouse) == []
    assert kept["packs"] == kept["files"] == kept["both"]
    assert len(kept["packs"]) == 2


class Slow(FakeVendor):
    """Takes an hour to answer, and says itself when its answer was made."""

    moment = START

    @hookimpl
    def fetch(self, entry: DatasetKeymapEntry, request: Any) -> Any:
        assert self.clock is not None
        self.clock.advance(hours=1)
        return attrs.evolve(super().fetch(entry, request), fetched_at=self.moment)


def test_what_a_hook_dates_within_the_run_may_have_come_before(tmp_path: Path) -> None:
    """As after the clock of the machine was set back."""
    vendor = Slow(entry())
    warehouse = Warehouse(tmp_path / "home", vendor)
    for hours, close, after in ((0, "1", 0.5), (24, "2", 24.5), (0, "1", 0.5)):
        warehouse.clock = vendor.clock = FixedClock(START + dt.timedelta(hours=hours))
        vendor.moment = START + dt.timedelta(hours=after)
        vendor.says([price("AAA", "2024-01-01", close)])
        warehouse.run(options=RunOptions(force=True), bronze__small="packs")
    journals = [read_journal(path) for path in journal_files(warehouse.home / "bronze")]
    assert len([line for lines in journals for line in lines]) == 2
    assert findings(warehouse) == []


DAMAGES: dict[str, tuple[Callable[[Path], object], set[str]]] = {
    "the head of the pack": (lambda pack: swap(pack, b"software: sbf", b"software: sbg"), {Kind.PAYLOAD_CHANGED}),
    "the head of a record": (lambda pack: swap(pack, b"WARC-Block", b"WARC-Clock"), {Kind.PAYLOAD_CHANGED}),
    "a payload": (lambda pack: swap(pack, b'"AAA"', b'"AAB"'), {Kind.PAYLOAD_CHANGED}),
    "what follows it": (lambda pack: swap(pack, b"]\r\n\r\nWARC", b"]\r\n\n\nWARC"), {Kind.PAYLOAD_CHANGED}),
    "its end is cut": (lambda pack: rewrite(pack, pack.read_bytes()[:-9]), {Kind.PAYLOAD_MISSING}),
    "all but its head is cut": (lambda pack: rewrite(pack, pack.read_bytes()[:99]), {Kind.PAYLOAD_MISSING}),
    "it is gone": (lambda pack: pack.unlink(), {Kind.PAYLOAD_MISSING}),
    "bytes behind it": (lambda pack: rewrite(pack, pack.read_bytes() + b"more"), {Kind.PACK_LONGER}),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_each_damage_is_found_and_put_right_from_a_backup(packed: Warehouse, tmp_path: Path, damage: str) -> None:
    before, wanted = digests(packed), DAMAGES[damage][1]
    back_up(packed.opened().config, tmp_path / "backup", clock=packed.clock)
    DAMAGES[damage][0](packs(packed)[0])
    assert kinds(packed) == wanted
    assert repair(packed, tmp_path / "backup") == set()
    assert findings(packed) == []
    rebuild(packed.opened())
    assert (digests(packed), findings(packed)) == (before, [])


@pytest.mark.skipif(os.name != "posix", reason="links need no privilege on POSIX only")
def test_a_link_in_the_place_of_a_pack_is_not_followed(packed: Warehouse, tmp_path: Path) -> None:
    pack = packs(packed)[0]
    shutil.move(pack, tmp_path / "elsewhere.warc")
    pack.symlink_to(tmp_path / "elsewhere.warc")
    assert kinds(packed) == {Kind.FILE_UNKNOWN, Kind.PAYLOAD_MISSING}
    row = next(line.row for path in journal_files(packed.home / "bronze") for line in read_journal(path))
    with pytest.raises(DamageFound, match="a link stands on the way"):
        read_payload(packed.home / "bronze", row)


def test_without_a_backup_it_is_said_which_payloads_are_lost(packed: Warehouse) -> None:
    swap(packs(packed)[0], b'"BBB"', b'"BBC"')
    (found,) = findings(packed)
    assert found[0] == Kind.PAYLOAD_CHANGED
    assert "/BBB/" in found[1]
    assert repair(packed) == {Kind.PAYLOAD_CHANGED}
    assert b'"BBC"' in packs(packed)[0].read_bytes(), "nothing is deleted"


def test_a_payload_whose_head_alone_is_damaged_is_put_back_from_its_own_pack(packed: Warehouse) -> None:
    swap(
        packs(packed)[0],
        b"WARC-Target-URI: file:///prices/fake/eod/BBB",
        b"WARC-Target-URI: file:///prices/fake/eod/XXX",
    )
    assert repair(packed) == set()
    own = [path for path in packed.bronze_files() if path.endswith(".json")]
    assert len(own) == 1 and "/BBB/" in own[0]


def test_payloads_are_found_anywhere_in_another_pack(packed: Warehouse, tmp_path: Path) -> None:
    """Also in a folder that is no home, and whose packs are called otherwise."""
    (tmp_path / "rescued").mkdir()
    shutil.copy(packs(packed)[0], tmp_path / "rescued" / "x.warc")
    folder = tmp_path / "rescued" / "a" / "_packs"
    folder.mkdir(parents=True)
    (tmp_path / "rescued" / "x.warc").rename(folder / "b-1.warc")
    packs(packed)[0].unlink()
    assert kinds(packed) == {Kind.PAYLOAD_MISSING}
    assert repair(packed, tmp_path / "rescued") == set()


def test_other_bytes_in_the_place_of_a_payload_that_was_put_back_are_found(packed: Warehouse, tmp_path: Path) -> None:
    back_up(packed.opened().config, tmp_path / "backup", clock=packed.clock)
    swap(packs(packed)[0], b'"AAA"', b'"AAB"')
    assert repair(packed, tmp_path / "backup") == set()
    (own,) = [path for path in packed.bronze_files() if path.endswith(".json")]
    rewrite(packed.home / "bronze" / own, b"[]")
    assert findings(packed) == [(Kind.PAYLOAD_CHANGED, own)]
    assert repair(packed, tmp_path / "backup") == set()


def test_what_a_crash_left_behind_goes_to_quarantine_and_twice_is_once(packed: Warehouse) -> None:
    pack, stray = packs(packed)[0], packs(packed)[0].with_name("r9-001.warc")
    whole = pack.read_bytes()
    rewrite(pack, whole + b"half of a rec")
    stray.write_bytes(b"WARC/1.1\r\n")
    for _ in range(2):
        recovered(packed)
    assert pack.read_bytes() == whole
    assert not stray.exists()
    quarantine = packed.home / "quarantine"
    kept = {path.relative_to(quarantine).parts[0]: path.read_bytes() for path in quarantine.rglob("*.warc")}
    assert kept == {"half_written": b"half of a rec", "orphan": b"WARC/1.1\r\n"}
    assert findings(packed) == []


def test_a_backup_grows_and_makes_the_same_home(packed: Warehouse, tmp_path: Path) -> None:
    config, backup = packed.opened().config, tmp_path / "backup"
    first = back_up(config, backup, clock=packed.clock)
    assert (first.payloads, first.payloads_copied) == (6, 6)
    assert back_up(config, backup, clock=packed.clock).payloads_copied == 0
    new = Settings(tmp_path / "new", environment={}).config
    assert restore_files(backup, new).payloads_copied == 6
    other = Warehouse(tmp_path / "new", *packed.plugins.values())
    other.clock.advance(hours=1000)
    assert (digests(other), findings(other)) == (digests(packed), [])


def test_a_backup_of_a_pack_that_grows_meanwhile_holds_what_its_journals_name(
    packed: Warehouse, tmp_path: Path
) -> None:
    config, backup, pack = packed.opened().config, tmp_path / "backup", packs(packed)[1]
    whole = pack.read_bytes()
    rewrite(pack, whole + b"what a run has just begun to write")
    back_up(config, backup, clock=packed.clock)
    there = backup / "bronze" / pack.relative_to(packed.home / "bronze")
    assert there.read_bytes() == whole


@pytest.mark.parametrize("of_backup", [False, True])
def test_a_damaged_pack_is_not_copied(packed: Warehouse, tmp_path: Path, of_backup: bool) -> None:
    config, backup = packed.opened().config, tmp_path / "backup"
    if of_backup:
        back_up(config, backup, clock=packed.clock)
    pack = packs(packed)[0]
    there = backup / "bronze" / pack.relative_to(packed.home / "bronze") if of_backup else pack
    swap(there, b'"CCC"', b'"CCD"')
    with pytest.raises(DamageFound, match="nor in its pack"):
        if of_backup:
            restore_files(backup, Settings(tmp_path / "new", environment={}).config)
        else:
            back_up(config, backup, clock=packed.clock)


def test_a_payload_that_was_put_back_is_backed_up(packed: Warehouse, tmp_path: Path) -> None:
    before = digests(packed)
    back_up(packed.opened().config, tmp_path / "one", clock=packed.clock)
    swap(packs(packed)[0], b'"CCC"', b'"CCD"')
    assert repair(packed, tmp_path / "one") == set()
    back_up(packed.opened().config, tmp_path / "two", clock=packed.clock)
    restore_files(tmp_path / "two", Settings(tmp_path / "new", environment={}).config)
    other = Warehouse(tmp_path / "new", *packed.plugins.values())
    other.clock.advance(hours=1000)
    rebuild(other.opened())
    assert (digests(other), findings(other)) == (before, [])


@pytest.mark.parametrize("damage", ["its end is cut", "the head of a record", "the head of the pack", "a payload"])
def test_a_home_that_was_mended_is_backed_up_whole(packed: Warehouse, tmp_path: Path, damage: str) -> None:
    """The files beside a damaged pack, and what is left of it; again into the same folder, and into a new one."""
    before = digests(packed)
    back_up(packed.opened().config, tmp_path / "one", clock=packed.clock)
    DAMAGES[damage][0](packs(packed)[0])
    assert repair(packed, tmp_path / "one") == set()
    for name in ("one", "two"):
        back_up(packed.opened().config, tmp_path / name, clock=packed.clock)
        assert back_up(packed.opened().config, tmp_path / name, clock=packed.clock).payloads_copied == 0
        restore_files(tmp_path / name, Settings(tmp_path / f"of-{name}", environment={}).config)
        other = Warehouse(tmp_path / f"of-{name}", *packed.plugins.values())
        other.clock.advance(hours=1000)
        assert (digests(other), findings(other)) == (before, [])
        rebuild(other.opened())
        assert digests(other) == before


def test_a_payload_whose_head_is_damaged_is_backed_up_as_a_file(packed: Warehouse, tmp_path: Path) -> None:
    """Its bytes are right, so the backup need not fail; and the new home is in order."""
    DAMAGES["the head of a record"][0](packs(packed)[0])
    back_up(packed.opened().config, tmp_path / "backup", clock=packed.clock)
    restore_files(tmp_path / "backup", Settings(tmp_path / "new", environment={}).config)
    other = Warehouse(tmp_path / "new", *packed.plugins.values())
    other.clock.advance(hours=1000)
    assert (digests(other), findings(other)) == (digests(packed), [])


@pytest.mark.parametrize("name", ["x.warc", "_packs/other.bak", "../packs.old"])
def test_a_pack_that_was_renamed_is_found_by_what_is_in_it(packed: Warehouse, name: str) -> None:
    pack = packs(packed)[0]
    target = (pack.parent.parent / name).resolve()
    pack.rename(target)
    assert repair(packed) == set()
    assert findings(packed) == []


def test_payloads_of_equal_bytes_are_put_back_at_once(tmp_path: Path) -> None:
    vendor = FakeVendor(entry(scope="per_ticker", is_data=DataRules(may_be_empty=True)))
    warehouse = Warehouse(tmp_path / "home", vendor)
    for ticker in TICKERS:
        vendor.says([], ticker=ticker)
    warehouse.run(universe__tickers=TICKERS)
    for path in (warehouse.home / "bronze" / "prices").rglob("*.json"):
        path.rename(path.with_name(f"moved-{path.name}"))
    assert repair(warehouse) == set()


@pytest.mark.parametrize("offset", ["pack_offset - 400", "2000000", "9223372036854775807"])
def test_recovery_cuts_no_pack_for_what_the_ledger_says(packed: Warehouse, offset: str) -> None:
    """It may have been changed by others; the journals say where a pack ends, those that are whole."""
    before = {path: path.read_bytes() for path in packs(packed)}
    with packed.open(read_only=False) as cursor:
        cursor.execute(f"UPDATE ops.bronze_manifest SET pack_offset = {offset} WHERE pack <> ''")
        cursor.execute("UPDATE ops.file_ingestions SET status = 'running' WHERE kind = 'run'")
    packed.run(hours_later=1, options=RunOptions(only=Layer.SILVER))
    assert {path: path.read_bytes() for path in packs(packed)} == before
    if offset.isdigit() and len(offset) > 16:  # nothing that sbf can have written
        with pytest.raises(DamageFound, match="make it again with `sbf rebuild`"):
            repair(packed)
        rebuild(packed.opened())
    else:
        assert repair(packed) == set()
    assert findings(packed) == []


def test_recovery_cuts_no_pack_whose_journal_is_damaged(packed: Warehouse) -> None:
    pack, journal = packs(packed)[0], journal_files(packed.home / "bronze")[0]
    before, lines = pack.read_bytes(), journal.read_bytes().splitlines(keepends=True)
    assert len(lines) == 3
    journal.write_bytes(lines[0] + lines[1].replace(b'"BBB"', b'"BBC"') + lines[2])
    recovered(packed)
    assert pack.read_bytes() == before


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
def test_a_pipe_in_the_place_of_a_pack_is_not_waited_for(packed: Warehouse) -> None:
    row = read_journal(journal_files(packed.home / "bronze")[0])[0].row
    packs(packed)[0].unlink()
    os.mkfifo(packed.home / "bronze" / row.pack)
    with pytest.raises(DamageFound, match="cannot be read"):
        read_payload(packed.home / "bronze", row)


def test_a_folder_at_the_path_of_a_packed_payload_is_a_finding(tmp_path: Path) -> None:
    """Also one that is as large as the payload; it is read from the pack meanwhile."""
    vendor = FakeVendor(entry())
    warehouse = Warehouse(tmp_path / "home", vendor)
    vendor.says(json.dumps([price("AAA", "2024-01-01")]).ljust(tmp_path.stat().st_size))
    warehouse.run(bronze__small="packs")
    row = read_journal(journal_files(warehouse.home / "bronze")[0])[0].row
    (warehouse.home / "bronze" / row.rel_path).mkdir(parents=True)
    assert read_payload(warehouse.home / "bronze", row)
    assert findings(warehouse) == [(Kind.PAYLOAD_CHANGED, row.rel_path)]
    assert repair(warehouse) == set()


def test_a_value_is_explained_down_to_its_pack(packed: Warehouse) -> None:
    with packed.open() as cursor:
        bronze = packed.home / "bronze"
        entries = packed.opened().entries
        origin = explain_silver(cursor, bronze, entries, table="px", key="BBB,2024-01-01", column="close")
        facts = payload_facts(cursor, bronze, origin.payload["bronze_file_id"], compared=True)
    assert (origin.place.where, origin.place.raw) == ("$[0].close", "11.50")
    assert packed.home / "bronze" / origin.payload["pack"] == packs(packed)[1]
    assert json.loads(facts.text)[0]["close"] == "11.50"
    assert f"in {origin.payload['pack']}, from byte " in facts.note
    assert any(line.startswith("+") and "11.50" in line for line in facts.difference)


def test_an_explanation_says_that_a_pack_is_damaged_or_gone(packed: Warehouse) -> None:
    def noted() -> tuple[str, str]:
        with packed.open() as cursor:
            bronze, entries = packed.home / "bronze", packed.opened().entries
            origin = explain_silver(cursor, bronze, entries, table="px", key="BBB,2024-01-01", column="close")
            facts = payload_facts(cursor, bronze, origin.payload["bronze_file_id"], compared=False)
        return origin.place.note, facts.note

    swap(packs(packed)[1], b'"BBB"', b'"BBC"')
    assert all("not the bytes that were recorded" in note for note in noted())
    packs(packed)[1].unlink()
    assert all("cannot be read" in note for note in noted())


class Parsing(FakeVendor):
    """Its payloads are read by its own code."""

    @hookimpl
    def promote(self, entry: DatasetKeymapEntry, batch: PromotionBatch) -> Any:
        assert all(Path(file.path).exists() for file in batch.files), "a hook may open them"
        if entry.dataset == "eod":
            return ParseRows(parse)
        return SelectRows(
            "SELECT _file, unnest(CAST(document AS JSON[]))->>'$.symbol' AS symbol, '2024-01-01' AS date, "
            "'1' AS close, '2' AS volume FROM batch"
        )


def parse(payload: bytes) -> Iterable[Mapping[str, object]]:
    return json.loads(payload)  # type: ignore[no-any-return]


def zipped(content: bytes) -> bytes:
    into = BytesIO()
    with zipfile.ZipFile(into, "w") as archive:
        archive.writestr(zipfile.ZipInfo("rows.csv"), content)
    return into.getvalue()


CSV = b"symbol,date,close,volume\nAAA,2024-01-01,1.10,7\nBBB,2024-01-01,2,8\n"
DOUBTFUL = b'[{"symbol": "AAA", "date": "2024-01-01", "close": 1.10, "volume": 3}]'


def parquet(folder: Path) -> bytes:
    sql = "SELECT 'AAA' AS symbol, DATE '2024-01-01' AS date, 1.10::DECIMAL(9,2) AS close, 7 AS volume"
    duckdb.sql(f"COPY ({sql}) TO '{folder / 'x.parquet'}'")
    return (folder / "x.parquet").read_bytes()


WAYS: dict[str, tuple[str, Callable[[Path], bytes], dict[str, Any]]] = {
    "csv": ("csv", lambda _: CSV, {}),
    "csv, gzipped": ("csv.gz", lambda _: gzip.compress(CSV, mtime=0), {}),
    "csv, zipped": ("zip", lambda _: zipped(CSV), {}),
    "json, plain": ("json", lambda _: json.dumps([price("AAA", "2024-01-01", 2)]).encode(), {}),
    "json, read exactly": ("json", lambda _: DOUBTFUL, {}),
    "json, as large as any": ("json", lambda _: DOUBTFUL.replace(b"1.10", b"1.5").rjust(PACKED_BYTES_MAX), {}),
    "json, rejected rows": ("json", lambda _: DOUBTFUL.replace(b"2024-01-01", b"2024-02-30"), {"reject_share_max": 1}),
    "json, no rows": ("json", lambda _: b"{}", {}),
    "json, cut": ("json", lambda _: DOUBTFUL[:-9], {}),
    "parquet": ("parquet", parquet, {}),
}


@pytest.mark.parametrize("way", WAYS)
def test_each_way_of_reading_gives_the_same_from_a_pack(tmp_path: Path, way: str) -> None:
    extension, content, changes = WAYS[way]
    told = []
    for small in ("files", "packs"):
        vendor = FakeVendor(entry(**changes))
        vendor.extension = extension
        vendor.says(content(tmp_path))
        warehouse = Warehouse(tmp_path / small, vendor)
        context = warehouse.run(bronze__small=small)
        assert bool(packs(warehouse)) == (small == "packs")
        reasons = warehouse.ask("SELECT reason, row_json FROM ops.rejects ORDER BY ALL")
        failed = warehouse.ask("SELECT status, rows_seen, error FROM ops.promotion_manifest")
        told.append((context.status, [str(one) for one in context.failures], reasons, failed, digests(warehouse)))
        assert not list((warehouse.home / "staging").iterdir())
    assert told[0] == told[1]


@pytest.mark.parametrize("dataset", ["eod", "other"])
def test_hooks_are_given_packed_payloads_as_files(tmp_path: Path, dataset: str) -> None:
    told = []
    for small in ("files", "packs"):
        vendor = Parsing(entry(dataset=dataset))
        vendor.says([price("AAA", "2024-01-01")], dataset=dataset)
        warehouse = Warehouse(tmp_path / small, vendor)
        assert warehouse.run(bronze__small=small).failures == []
        told.append((warehouse.ask("SELECT symbol, close, volume FROM silver.px"), digests(warehouse)))
    assert told[0] == told[1]
    assert len(told[0][0]) == 1

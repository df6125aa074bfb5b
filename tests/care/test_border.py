"""What comes from outside is checked at the border:
journals, ledgers, backups and recordings that sbf did not write lead nowhere.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import pytest
from warehouse import START, FakeVendor, Once, Warehouse, entry, price

from sbf_core.bronze import journal_file
from sbf_core.bronze.archive import BronzeArchive
from sbf_core.bronze.file_reader import check_payload, read_payload, stored_of
from sbf_core.bronze.file_writer import BronzeFileWriter
from sbf_core.bronze.journal import (
    journal_files,
    journal_path,
    read_journal,
    read_journal_start,
    rewrite_journal,
    salvaged_lines,
)
from sbf_core.care.backup import back_up, restore_files
from sbf_core.care.findings import FindingKind
from sbf_core.care.put_back import put_back, set_damaged_aside
from sbf_core.care.repair import Repair
from sbf_core.care.verify import Verification
from sbf_core.duck.bootstrap import DuckDbBootstrap
from sbf_core.duck.config import DuckDbConfig
from sbf_core.errors import DamageFound, SbfError, UsageError
from sbf_core.home.home import Home
from sbf_core.plugin.manager import PluginManager
from sbf_core.reports.payload import payload_facts
from sbf_core.runs.request import RunRequest
from sbf_core.runs.result import RunResult
from sbf_core.safe_paths import inside, why_outside
from sbf_core.settings.settings import Settings

OUTSIDE = (
    "../out.json", "a/../../out.json", "/out.json", "//host/share/out.json", "C:/out.json", "C:out.json",
    "a\\..\\out.json", "a/./b.json", "a//b.json", "", "a/b/", "a/CON/b.json", "a/nul.json", "a/COM1", "a/b.json.",
    ".hidden/b.json", "a b.json", "a/b.json\0", "a/b\n.json", "a/b:stream", "~/b.json", "PROGRA~1/b.json", "é.json",
    "a/" + "b" * 256, "a/" * 600 + "b",
)  # fmt: skip
FINE = (
    "prices/x/eod/AAPL/20240102T030405000678Z-0123456789ab.json",
    "a/b@%40/~a~a~p~l/_global+2-0123456789ab.csv.gz",
    "a/%43ON/b",
    "a/A..B/b",
)
posix = pytest.mark.skipif(os.name != "posix", reason="links need no privilege on POSIX only")


@pytest.mark.parametrize("path", OUTSIDE)
def test_a_path_that_leads_elsewhere_on_any_system_is_refused(tmp_path: Path, path: str) -> None:
    assert why_outside(path)
    with pytest.raises(DamageFound, match="leads out of its folder") as caught:
        inside(tmp_path, path)
    assert caught.value.fix


@pytest.mark.parametrize("path", FINE)
def test_a_path_that_sbf_makes_is_taken(tmp_path: Path, path: str) -> None:
    assert why_outside(path) == ""
    assert inside(tmp_path, path) == tmp_path / path


@posix
def test_no_link_is_followed_on_the_way(tmp_path: Path) -> None:
    (tmp_path / "home" / "a").mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "home" / "a" / "b").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(DamageFound, match="a link stands on the way"):
        inside(tmp_path / "home", "a/b/c.json")
    (tmp_path / "link").symlink_to(tmp_path / "home")
    assert inside(tmp_path / "link", "a/c.json") == tmp_path / "link" / "a" / "c.json", (
        "the folder itself may be one of the user's"
    )


@pytest.fixture(scope="module")
def small_once(tmp_path_factory: pytest.TempPathFactory) -> Once:
    vendor = FakeVendor(entry(scope="per_ticker"))
    warehouse = Warehouse(tmp_path_factory.mktemp("small") / "small", vendor)
    for ticker in ("AAA", "BBB"):
        vendor.says([price(ticker, "2024-01-01")], ticker=ticker)
    warehouse.run(universe__tickers=("AAA", "BBB"))
    return Once(warehouse)


@pytest.fixture
def small(small_once: Once) -> Warehouse:
    return small_once.again()


def crafted(bronze: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change the first line of the journal, and chain it as sbf does."""
    from sbf_core.bronze.journal import _FIRST_CHAIN, _chained

    path = journal_files(bronze)[0]
    chain, texts = _FIRST_CHAIN, []
    for number, raw in enumerate(path.read_text().splitlines()):
        line = json.loads(raw)["line"]
        if not number:
            change(line)
        text = json.dumps(line, ensure_ascii=True, sort_keys=True, separators=(",", ":"))
        chain = _chained(chain, text)
        texts.append(f'{{"chain":"{chain}","line":{text}}}\n')
    path.write_text("".join(texts))


def as_found(root: Path) -> dict[str, str]:
    return {str(path.relative_to(root)): path.read_text() if path.is_file() else "" for path in sorted(root.rglob("*"))}


CHANGES: dict[str, Callable[[dict[str, Any]], object]] = {
    **{f"path {path[:40]!r}": (lambda line, path=path: line.update(rel_path=path)) for path in OUTSIDE},
    "path in the place of a journal": lambda line: line.update(rel_path="_journal/x.json"),
    "no text": lambda line: line.update(rel_path=7),
    "a list": lambda line: line.update(rel_path=["a"]),
    "id": lambda line: line.update(bronze_file_id="../../x"),
    "run": lambda line: line.update(run_id="../../x"),
    "domain": lambda line: line.update(domain=".."),
    "dataset": lambda line: line.update(dataset="a/../../b"),
    "extension": lambda line: line.update(extension="json/../../x"),
    "hash": lambda line: line.update(payload_hash="x"),
    "size": lambda line: line.update(content_length_bytes=-1),
    "size in words": lambda line: line.update(content_length_bytes="many"),
    "size beyond": lambda line: line.update(content_length_bytes=10**30),
    "no size": lambda line: line.pop("content_length_bytes"),
    "ticker": lambda line: line.update(ticker=5),
    "part": lambda line: line.update(part=True),
    "never": lambda line: line.update(fetched_at="0001-01-01T00:00:00+14:00"),
    "no zone": lambda line: line.update(fetched_at="2024-01-01T00:00:00"),
    "half a letter": lambda line: line.update(address="\ud800"),
    "headers": lambda line: line.update(headers={"etag": 5}),
    "masked": lambda line: line.update(masked=[5]),
    "unknown field": lambda line: line.update(surprise="x"),
    "elapsed": lambda line: line.update(elapsed_seconds=float("inf")),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_a_crafted_line_is_damage_wherever_a_journal_is_read(small: Warehouse, tmp_path: Path, name: str) -> None:
    crafted(small.home / "bronze", CHANGES[name])
    path = journal_files(small.home / "bronze")[0]
    with pytest.raises(DamageFound, match="damaged at line 1"):
        read_journal(path)
    assert read_journal_start(path)[0] == []
    assert len(salvaged_lines(path)) == 1, "the other one"
    with pytest.raises(DamageFound):
        BronzeArchive(small.home)


def test_a_crafted_backup_is_refused_before_anything_is_written(small: Warehouse, tmp_path: Path) -> None:
    config = Settings(small.home, environment={}).config
    back_up(config, tmp_path / "backup", clock=small.clock)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "payload.json").write_text("mine")
    crafted(tmp_path / "backup" / "bronze", lambda line: line.update(rel_path="../../../out/payload.json"))
    before = as_found(tmp_path / "out")
    new = tmp_path / "deep" / "new"
    with pytest.raises(DamageFound, match="leads out of Bronze"):
        restore_files(tmp_path / "backup", Settings(new, environment={}).config)
    assert as_found(tmp_path / "out") == before
    assert not new.exists()


def manager_of(warehouse: Warehouse) -> PluginManager:
    manager = PluginManager(())
    for name, plugin in warehouse.plugins.items():
        manager.register(plugin, name=name)
    return manager


def test_a_crafted_journal_in_a_home_is_found_and_mended(small: Warehouse, tmp_path: Path) -> None:
    crafted(small.home / "bronze", lambda line: line.update(rel_path="../../out.json"))
    settings = Settings(small.home, environment={})
    report = Verification(Home(settings, clock=small.clock, plugins=manager_of(small))).run()
    assert FindingKind.JOURNAL_BROKEN in {finding.kind for finding in report.findings}
    repaired = Repair(Home(settings, clock=small.clock, plugins=manager_of(small))).run()
    assert repaired.after == ()
    assert not (tmp_path / "out.json").exists()


def test_a_crafted_journal_that_the_ledger_does_not_know_stops_no_run(small: Warehouse, tmp_path: Path) -> None:
    """As after a restore of a backup with another journal in it."""
    journal = journal_files(small.home / "bronze")[0]
    shutil.copy(journal, journal.with_name("20230101T000000Z-aaaaaa.jsonl"))
    crafted(small.home / "bronze", lambda line: line.update(rel_path="../../out.json"))
    context = small.run(hours_later=48, universe__tickers=("AAA", "BBB"))
    assert any("damaged at line 1" in text for text in (*context.errors, *context.notes)), (
        context.errors,
        context.notes,
    )
    assert not (tmp_path / "out.json").exists()


@pytest.mark.parametrize(
    ("column", "value"),
    [("rel_path", "../../out.json"), ("bronze_file_id", "../../x"), ("run_id", "../x"), ("extension", "a/../b")],
)
def test_a_crafted_ledger_is_damage(small: Warehouse, tmp_path: Path, column: str, value: str) -> None:
    (tmp_path / "out.json").write_text("mine")
    with small.open(read_only=False) as cursor:
        cursor.execute(f"UPDATE ops.bronze_manifest SET {column} = ? WHERE ticker = 'AAA'", [value])
    for care in (Verification, Repair):
        with pytest.raises(DamageFound, match="the ledger is damaged") as caught:
            care(small.opened(manager_of(small))).run()
        assert "sbf rebuild" in str(caught.value)
    assert (tmp_path / "out.json").read_text() == "mine"


def test_a_page_shows_no_file_outside_of_bronze(small: Warehouse, tmp_path: Path) -> None:
    (tmp_path / "out.json").write_text("mine")
    with small.open(read_only=False) as cursor:
        cursor.execute("UPDATE ops.bronze_manifest SET rel_path = '../../out.json' WHERE ticker = 'AAA'")
    (file_id,) = small.ask("SELECT bronze_file_id FROM ops.bronze_manifest WHERE ticker = 'AAA'")[0]
    with small.open() as cursor, pytest.raises(DamageFound, match="leads out"):
        payload_facts(cursor, small.home / "bronze", file_id, compared=False)


@pytest.mark.parametrize("reading", [read_payload, check_payload])
def test_a_declared_length_that_is_not_that_of_the_file_is_refused_unread(
    small: Warehouse, reading: Callable[..., object]
) -> None:
    bronze = small.home / "bronze"
    row = read_journal(journal_files(bronze)[0])[0].row
    path = bronze / row.rel_path
    path.chmod(0o600)
    with path.open("r+b") as file:
        file.truncate(1 << 40)  # a terabyte that takes no room
    with pytest.raises(DamageFound, match="bytes instead of"):
        reading(bronze, row)


def test_a_backup_with_a_payload_of_another_length_is_refused_unread(small: Warehouse, tmp_path: Path) -> None:
    back_up(Settings(small.home, environment={}).config, tmp_path / "backup", clock=small.clock)
    path = next(path for path in (tmp_path / "backup" / "bronze").rglob("*.json"))
    path.chmod(0o600)
    with path.open("r+b") as file:
        file.truncate(1 << 40)
    with pytest.raises(DamageFound, match="not what its journal says"):
        restore_files(tmp_path / "backup", Settings(tmp_path / "new", environment={}).config)


def test_a_line_of_absurd_length_is_refused_unread(small: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    bronze = small.home / "bronze"
    path = journal_files(bronze)[0]
    whole = path.read_bytes()
    with path.open("ab") as file:
        file.truncate(len(whole) + 3 * journal_file.LINE_BYTES_MAX)
    pieces: list[int] = []
    monkeypatch.setattr(journal_file.Path, "read_bytes", lambda self: pieces.append(1) or b"")
    with pytest.raises(DamageFound, match="at line 3: it is longer than 8 MiB"):
        read_journal(path)
    assert pieces == []


def test_lines_around_an_absurdly_long_one_are_salvaged(small: Warehouse) -> None:
    path = journal_files(small.home / "bronze")[0]
    first, second = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(first + b"x" * (journal_file.LINE_BYTES_MAX + 10) + b"\n" + second)
    assert sorted(line.row.ticker or "" for line in salvaged_lines(path)) == ["AAA", "BBB"]
    repaired = Repair(small.opened(manager_of(small))).run()
    assert repaired.after == ()


def test_brackets_without_end_are_damage(small: Warehouse) -> None:
    path = journal_files(small.home / "bronze")[0]
    path.write_bytes(b'{"line":' + b"[" * 200_000 + b"\n")
    with pytest.raises(DamageFound, match="damaged at line 1"):
        read_journal(path)


@pytest.mark.parametrize(
    "facts",
    [b"[]", b"7", b"{}", b'{"complete": true}', b'{"made_at": 1, "complete": true}',
     b'{"made_at": "x", "complete": "yes"}', b"[" * 50_000, b" " * 70_000,
     b'{"made_at": "x", "complete": true, "database_file": "../../x.duckdb"}'],
)  # fmt: skip
def test_facts_of_a_backup_that_sbf_did_not_write(small: Warehouse, tmp_path: Path, facts: bytes) -> None:
    back_up(Settings(small.home, environment={}).config, tmp_path / "backup", clock=small.clock)
    (tmp_path / "backup" / "backup.json").write_bytes(facts)
    with pytest.raises(UsageError, match="no backup that can be read") as caught:
        restore_files(tmp_path / "backup", Settings(tmp_path / "new", environment={}).config)
    assert caught.value.fix


@posix
@pytest.mark.parametrize(
    "place", ["bronze", "bronze/_journal", "bronze/prices", "sbf-1.duckdb", "sbf.toml", "backup.json"]
)
def test_no_link_in_a_backup_is_followed(small: Warehouse, tmp_path: Path, place: str) -> None:
    (small.home / "sbf.toml").write_text("")
    back_up(Settings(small.home, environment={}).config, tmp_path / "backup", clock=small.clock)
    (tmp_path / "backup" / place).rename(tmp_path / "elsewhere")
    (tmp_path / "backup" / place).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(SbfError) as caught:
        restore_files(tmp_path / "backup", Settings(tmp_path / "new", environment={}).config)
    assert caught.value.exit_code in (2, 3)
    assert "link" in str(caught.value)


@posix
def test_links_in_quarantine_are_left_where_they_are(small: Warehouse, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "mine.txt").write_text("mine")
    kept = small.home / "quarantine" / "foreign"
    kept.mkdir(parents=True)
    (kept / "folder").symlink_to(tmp_path / "elsewhere")
    (kept / "file.txt").write_text("kept")
    back_up(Settings(small.home, environment={}).config, tmp_path / "backup", clock=small.clock)
    restore_files(tmp_path / "backup", Settings(tmp_path / "new", environment={}).config)
    for root in (tmp_path / "backup", tmp_path / "new"):
        assert [path.name for path in (root / "quarantine").rglob("*") if path.is_file()] == ["file.txt"]


@posix
def test_nothing_is_moved_or_taken_through_a_link(small: Warehouse, tmp_path: Path) -> None:
    config = Settings(small.home, environment={}).config
    row = read_journal(journal_files(config.bronze)[0])[0].row
    (tmp_path / "other").mkdir()
    shutil.move(config.bronze / "prices", tmp_path / "elsewhere")
    (tmp_path / "other" / "prices").symlink_to(tmp_path / "elsewhere")
    assert put_back(config, {row.rel_path: stored_of(row)}, sources=[tmp_path / "other"]) == []
    (config.bronze / "prices").symlink_to(tmp_path / "elsewhere")
    before = as_found(tmp_path / "elsewhere")
    with pytest.raises(DamageFound, match="a link stands on the way"):
        set_damaged_aside(config, [row.rel_path])
    assert as_found(tmp_path / "elsewhere") == before


@pytest.mark.parametrize("run_id", ["../x", "a/b", "", "CON"])
def test_the_id_of_a_run_names_no_file_elsewhere(tmp_path: Path, run_id: str) -> None:
    with pytest.raises(DamageFound, match="the id of a run"):
        journal_path(tmp_path, run_id)


def test_a_recording_with_a_crafted_line_answers_nothing(small: Warehouse, tmp_path: Path) -> None:
    crafted(small.home / "bronze", lambda line: line.update(rel_path="../../out.json"))
    new = Warehouse(tmp_path / "new", FakeVendor(entry(scope="per_ticker")))
    from sbf_core.runner.options import RunOptions

    with pytest.raises(DamageFound, match="leads out of Bronze") as caught:
        new.run(options=RunOptions(replay=str(small.home)))
    assert caught.value.exit_code == 3


def test_a_dataset_is_no_folder_that_a_system_forbids() -> None:
    for changes in ({"domain": "con"}, {"source": "nul"}, {"dataset": "lpt1"}):
        with pytest.raises(UsageError, match="can be no folder"):
            entry(**changes)


def test_what_was_kept_before_is_read_as_it_was(small: Warehouse, tmp_path: Path) -> None:
    """A line comes back as it was written, with what is masked."""
    lines = read_journal(journal_files(small.home / "bronze")[0])
    lines = [attrs.evolve(line, masked=("a.b",), headers={"etag": "x"}) for line in lines]
    path = journal_path(tmp_path, "20240101T000000Z-1")
    path.parent.mkdir()
    rewrite_journal(path, lines)
    assert read_journal(path) == lines


def test_a_database_that_came_with_a_backup_is_looked_at(small: Warehouse, tmp_path: Path) -> None:
    """A run over a restored ledger with a crafted row ends with its code and a fix, and reads nothing outside."""
    with small.open(read_only=False) as cursor:
        cursor.execute("UPDATE ops.bronze_manifest SET rel_path = '../../out.json' WHERE ticker = 'AAA'")
        cursor.execute("DELETE FROM ops.promotion_manifest")
    with pytest.raises(DamageFound, match="the ledger is damaged"):
        small.run(hours_later=48, universe__tickers=("AAA", "BBB"))
    DuckDbBootstrap(Settings(small.home, environment={}).config).open().close()


def _result(**changes: Any) -> RunResult:
    request = RunRequest(
        run_id="r1",
        domain="prices",
        source="x",
        dataset="eod",
        ticker=changes.pop("ticker", "AAPL"),
        cursor=changes.pop("cursor", ""),
    )
    return RunResult(
        request=request, payload=b"[1]", fetched_at=START, **{"address": "https://example.com/a", **changes}
    )


@pytest.mark.parametrize(
    "changes",
    [{"headers": {"etag": "\udcff\ud800"}}, {"headers": {"link": "\udcff" * 100_000}},
     {"headers": {"etag": "é" * 490_000}}, {"ticker": ",".join(f"T{number}" for number in range(100_000))},
     {"cursor": "é" * 900_000}, {"address": "https://example.com/" + "\u2028" * 900_000}],
    ids=["bytes that are no letters", "long header", "long mark", "many tickers", "long cursor", "long address"],
)  # fmt: skip
def test_what_is_written_is_read_again(tmp_path: Path, changes: dict[str, Any]) -> None:
    writer = BronzeFileWriter(DuckDbConfig(home=tmp_path, fsync="none"))
    result = _result(**changes)
    writer.write(result)
    writer.close()
    (line,) = read_journal(journal_files(tmp_path / "bronze")[0])
    assert (line.row.request, line.row.address, line.headers) == (result.request, result.address, result.headers)


@pytest.mark.parametrize(
    "changes", [{"headers": {"etag": 5}}, {"headers": {"link": "x" * 1_000_001}}, {"elapsed_seconds": float("nan")},
                {"status_code": "200"}, {"address": "x" * 2_000_000}],
    ids=["no text", "too long", "no time", "no status", "no address"],
)  # fmt: skip
def test_what_could_not_be_read_again_is_not_written(changes: dict[str, Any]) -> None:
    with pytest.raises(UsageError) as caught:
        _result(**changes)
    assert caught.value.code == "RESULT"


def test_a_folder_of_a_backup_that_cannot_be_read_is_no_empty_one(
    small: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = Settings(small.home, environment={}).config
    (config.quarantine / "foreign").mkdir(parents=True)
    (config.quarantine / "foreign" / "file.txt").write_text("kept")
    real = os.scandir

    def scandir(path: Any) -> Any:
        if str(path).endswith("foreign"):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    with pytest.raises(PermissionError):
        back_up(config, tmp_path / "backup", clock=small.clock)

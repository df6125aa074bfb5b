"""Files that are too large for memory: copied and hashed on the way, and otherwise as any other payload."""

from __future__ import annotations

import datetime as dt
import hashlib
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from warehouse import START, Declared, FakeVendor, Warehouse, entry

from sbf_core import faults
from sbf_core.api import FileRecipe, RunRequest, RunResult, hookimpl
from sbf_core.bronze import large_payload
from sbf_core.bronze.file_writer import BronzeFileWriter
from sbf_core.duck.config import DuckDbConfig
from sbf_core.errors import DamageFound, EnvironmentFault, UsageError
from sbf_core.failures import FailureKind
from sbf_core.fetching import key_notes
from sbf_core.http import local_files
from sbf_core.secret import Secret
from sbf_core.silver import inspection

HEAD = b"symbol,date,close,volume\n"


def rows_of(number: int) -> bytes:
    return b"".join(
        b"S%d,%s,1.%d,\n" % (row % 7, (dt.date(2023, 1, 1) + dt.timedelta(days=row // 7)).isoformat().encode(), row)
        for row in range(number)
    )


@pytest.fixture(autouse=True)
def small_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of some kilobytes are large, and have many pieces."""
    monkeypatch.setattr(local_files, "_READ_BYTES_MAX", 1000)
    monkeypatch.setattr(local_files, "_HEAD_BYTES", 200)
    monkeypatch.setattr(large_payload, "_PIECE_BYTES", 97)
    monkeypatch.setattr(large_payload, "_SYNC_EACH_BYTES", 500)


@pytest.fixture(params=["each", "batch", "none"])
def fsync(request: pytest.FixtureRequest) -> str:
    return str(request.param)


class Files:
    """A home whose one dataset is a file of the user's."""

    def __init__(self, home: Path, **declared: Any) -> None:
        self.warehouse = Warehouse(home, Declared(entry(recipe=FileRecipe(path="px.csv"), **declared)))
        self.path = home / "files" / "px.csv"
        self.path.parent.mkdir(parents=True)

    def run(self, content: bytes | None = None, **flags: Any) -> Any:
        if content is not None:
            self.path.write_bytes(content)
        return self.warehouse.run(hours_later=24, **flags)

    def payloads(self) -> list[bytes]:
        return [(self.warehouse.home / "bronze" / name).read_bytes() for name in self.warehouse.bronze_files()]


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path / "home")


def test_it_is_kept_byte_for_byte_under_its_own_hash(tmp_path: Path, fsync: str) -> None:
    files = Files(tmp_path / "home")
    content = HEAD + rows_of(300)
    context = files.run(content, bronze__fsync=fsync)
    assert (context.rows_inserted, context.errors) == (300, [])
    assert files.payloads() == [content]
    manifest = files.warehouse.ask("SELECT payload_hash, content_length_bytes, rel_path FROM ops.bronze_manifest")
    assert manifest == [(hashlib.sha256(content).hexdigest(), len(content), files.warehouse.bronze_files()[0])]


def test_it_is_named_as_a_small_one_is(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    files.run(HEAD + rows_of(300))
    other = Files(files.warehouse.home.with_name("other"))
    monkeypatch.setattr(local_files, "_READ_BYTES_MAX", 1 << 30)
    other.run(HEAD + rows_of(300))
    assert other.warehouse.bronze_files() == files.warehouse.bronze_files()
    asked = "SELECT * EXCLUDE (run_id, elapsed_seconds) FROM ops.bronze_manifest"
    assert other.warehouse.ask(asked) == files.warehouse.ask(asked)


def test_the_same_bytes_once_more_are_no_news_and_are_not_copied(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    files.run(HEAD + rows_of(300))
    monkeypatch.delattr(large_payload, "write_all")
    assert files.run().files == 0
    assert len(files.payloads()) == 1


def test_other_bytes_of_the_same_size_are_news(files: Files) -> None:
    first = HEAD + rows_of(300)
    second = first.replace(b",1.5,", b",7.5,")
    assert len(first) == len(second) and first != second
    files.run(first)
    assert files.run(second).rows_updated == 1
    assert files.payloads() == [first, second]


def test_a_file_that_another_program_writes_meanwhile_is_not_taken(
    files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = large_payload.write_all

    def grown(handle: int, piece: memoryview, *, point: str) -> None:
        write(handle, piece, point=point)
        with files.path.open("ab") as file:
            file.write(b"S1,2025-01-0")
            file.truncate(4000)

    with monkeypatch.context() as patched:
        patched.setattr(large_payload, "write_all", grown)
        context = files.run(HEAD + rows_of(100))
    assert [failure.kind for failure in context.failures] == [FailureKind.FILE]
    assert "px.csv: it changed while it was read; run again when nothing writes it" in context.errors[0]
    assert files.payloads() == []
    assert files.run(HEAD + rows_of(100)).rows_inserted == 100


def test_a_file_that_is_gone_before_it_is_copied_costs_only_itself(
    files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = large_payload._opened

    def gone(source: Path) -> Any:
        source.unlink()
        return opened(source)

    monkeypatch.setattr(large_payload, "_opened", gone)
    context = files.run(HEAD + rows_of(100))
    assert [failure.kind for failure in context.failures] == [FailureKind.FILE]
    assert "No such file" in context.errors[0]


@pytest.mark.parametrize(
    ("content", "inserted", "error"),
    [
        (HEAD + b"\n" * 2000 + rows_of(3), 3, ""),  # whose beginning has no row
        (HEAD + b"\n" * 2000, 0, "the answer is empty (a header and no rows)"),
        (b"<html><title>Down</title>" + b" " * 2000, 0, "an HTML page: 'Down'"),
        (b"a,b\n" * 1000, 0, "its first line names no declared column"),
    ],
)
def test_it_is_judged_as_a_small_one_is(files: Files, content: bytes, inserted: int, error: str) -> None:
    context = files.run(content)
    assert context.rows_inserted == inserted
    assert [error in line for line in context.errors] == [True] * bool(error)
    kept = [path for path in (files.warehouse.home / "quarantine").rglob("*") if path.suffix == ".csv"]
    assert [path.read_bytes() for path in kept] == [content] * bool(error)


def test_a_crash_in_its_middle_leaves_nothing_that_lasts(files: Files) -> None:
    faults.arm("bronze.half:5:full")
    try:
        with pytest.raises(EnvironmentFault, match="a payload cannot be written"):
            files.run(HEAD + rows_of(300))
    finally:
        faults.arm("")
    assert len(files.warehouse.bronze_files()) == 1, "what was written until then"
    assert files.run().rows_inserted == 300
    assert files.payloads() == [HEAD + rows_of(300)]


@pytest.mark.parametrize("damaged", [b"\xff" * 2000, b"x" * 2000])
def test_a_damaged_one_is_damage_whatever_the_look_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damaged: bytes
) -> None:
    monkeypatch.setattr(inspection, "READ_BYTES_MAX", 1000)
    writer = BronzeFileWriter(DuckDbConfig(home=tmp_path / "home"))
    asked = RunRequest(run_id="r", domain="prices", source="fake", dataset="eod")
    payload = (HEAD + rows_of(300))[:2000]
    row = writer.publish(
        [writer.stage(RunResult(request=asked, address="a", payload=payload, extension="csv", fetched_at=START))]
    )[0]
    writer.close()
    bronze = tmp_path / "home" / "bronze"
    place = bronze / row.rel_path
    place.chmod(0o600)
    place.write_bytes(damaged)
    with pytest.raises(DamageFound, match="a payload is not what was recorded"):
        inspection.inspect(entry(), row, bronze=bronze, staging=tmp_path, fresh=False)


def test_it_is_never_whole_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(large_payload, "_PIECE_BYTES", 1 << 16)
    source = tmp_path / "big.csv"
    source.write_bytes(b"x" * (8 << 20))
    asked = RunRequest(run_id="r", domain="prices", source="fake", dataset="eod")
    result = RunResult(request=asked, address="big.csv", payload_file=source, extension="csv", fetched_at=START)
    writer = BronzeFileWriter(DuckDbConfig(home=tmp_path / "home"))
    tracemalloc.start()
    try:
        staged = writer.stage(result)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()
    assert staged.line.row.payload_hash == hashlib.sha256(b"x" * (8 << 20)).hexdigest()
    assert writer.publish([staged])[0].content_length_bytes == 8 << 20
    writer.close()


class Bulk(FakeVendor):
    """Its hook answers with files that it wrote itself, one a part."""

    def __init__(self, *sources: Path) -> None:
        super().__init__(entry())
        self.sources = sources

    @hookimpl
    def fetch(self, entry: Any, request: Any) -> Any:
        return [
            RunResult(request=request, address=source.name, payload_file=source, extension="csv", fetched_at=START)
            for source in self.sources
        ]


def test_a_hook_may_name_files_which_stay_where_they_are(tmp_path: Path) -> None:
    rows = rows_of(60).splitlines(keepends=True)
    sources = (tmp_path / "one.csv", tmp_path / "other.csv")
    for source, part in zip(sources, (rows[:40], rows[40:]), strict=True):
        source.write_bytes(HEAD + b"".join(part))
    warehouse = Warehouse(tmp_path / "home", Bulk(*sources))
    assert warehouse.run().rows_inserted == 60
    assert all(source.exists() for source in sources)
    assert warehouse.run(hours_later=24).files == 0
    sources[1].unlink()
    assert [failure.kind for failure in warehouse.run(hours_later=24).failures] == [FailureKind.FILE]


def test_a_key_is_found_where_two_pieces_meet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_notes, "_PARSED_BYTES_MAX", 50)
    Secret("q7Zk2mW9xT", name="BULK_KEY")
    asked = RunRequest(run_id="r", domain="prices", source="fake", dataset="eod")
    source = tmp_path / "bulk.csv"
    result = RunResult(request=asked, address="a", payload_file=source, extension="csv", fetched_at=START)
    for before in range(35, 60):
        source.write_bytes(b"x" * before + b"q7Zk2mW9xT" + b"y" * 200)
        assert key_notes.where_key_is([result], ("BULK_KEY",)) == "some place"
    source.write_bytes(b"x" * 400)
    assert key_notes.where_key_is([result], ("BULK_KEY",)) == ""
    source.unlink()
    assert key_notes.where_key_is([result], ("BULK_KEY",)) == ""


def test_a_result_has_one_payload(tmp_path: Path) -> None:
    asked = RunRequest(run_id="r", domain="prices", source="fake", dataset="eod")
    for given in ({"payload_file": tmp_path / "a", "payload": b"x"}, {"payload_file": Path("a")}):
        with pytest.raises(UsageError, match="RunResult holds payload_file, and"):
            RunResult(request=asked, address="a", fetched_at=START, **given)
    with pytest.raises(UsageError, match="says that there is none"):
        RunResult(request=asked, address="a", fetched_at=START, payload_file=tmp_path / "a", not_modified=True)
    (tmp_path / "a").write_bytes(b"abc")
    result = RunResult(request=asked, address="a", fetched_at=START, payload_file=tmp_path / "a")
    assert (result.has_payload, result.whole_payload()) == (True, b"abc")

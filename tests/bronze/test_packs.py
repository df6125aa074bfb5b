"""Small payloads in packs: each byte for byte in its place, found, checked and healed alone."""

from __future__ import annotations

import datetime as dt
import email.parser
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import attrs
import pytest

from sbf_core.bronze import file_writer, pack_writer
from sbf_core.bronze.archive import BronzeArchive
from sbf_core.bronze.file_reader import check_payload, read_payload
from sbf_core.bronze.file_writer import BronzeFileWriter
from sbf_core.bronze.journal import journal_files, read_journal
from sbf_core.bronze.journal_line import JournalLine, as_line, as_text
from sbf_core.bronze.pack_format import PACKED_BYTES_MAX, payloads_in
from sbf_core.duck.config import DuckDbConfig
from sbf_core.errors import DamageFound, EnvironmentFault
from sbf_core.ops.pack_place import why_no_place
from sbf_core.ops.rows import BronzeManifestRow
from sbf_core.runs.request import RunRequest
from sbf_core.runs.result import RunResult

NOW = dt.datetime(2024, 1, 2, 3, 4, 5, 678, tzinfo=dt.UTC)


def answer(
    payload: bytes, *, ticker: str = "AAPL", dataset: str = "eod", run_id: str = "r1", part: int = 0
) -> RunResult:
    request = RunRequest(run_id=run_id, domain="prices", source="x", dataset=dataset, ticker=ticker)
    return RunResult(
        request=request, address=f"https://example.com/{part}", payload=payload, fetched_at=NOW, part=part,
        parts=part and 3,
    )  # fmt: skip


@pytest.fixture
def config(tmp_path: Path) -> DuckDbConfig:
    return DuckDbConfig(home=tmp_path, small="packs")


@pytest.fixture
def writer(config: DuckDbConfig) -> Iterator[BronzeFileWriter]:
    with closing(BronzeFileWriter(config)) as opened:
        yield opened


def kept(writer: BronzeFileWriter, *results: RunResult) -> list[BronzeManifestRow]:
    return writer.publish([writer.stage(result) for result in results])


def packs(config: DuckDbConfig) -> list[Path]:
    return sorted(config.bronze.rglob("*.warc"))


def lines(config: DuckDbConfig) -> list[JournalLine]:
    return [line for path in journal_files(config.bronze) for line in read_journal(path)]


def damage(path: Path, old: bytes, new: bytes) -> None:
    content = path.read_bytes()
    assert len(old) == len(new)
    assert content.count(old) == 1
    path.chmod(0o600)
    path.write_bytes(content.replace(old, new))


def test_small_payloads_are_packed_and_large_ones_are_files(config: DuckDbConfig, writer: BronzeFileWriter) -> None:
    payloads = [b"", b"[1]", bytes(range(256)) * 3, b"WARC/1.1\r\nContent-Length: 1\r\n\r\nx\r\n\r\n"]
    payloads += [b"x" * PACKED_BYTES_MAX, b"y" * (PACKED_BYTES_MAX + 1)]
    rows = kept(writer, *(answer(payload, ticker=f"T{number}") for number, payload in enumerate(payloads)))
    assert [read_payload(config.bronze, row) for row in rows] == payloads
    assert [bool(row.pack) for row in rows] == [True] * 5 + [False]
    assert {row.pack for row in rows[:5]} == {"prices/x/eod/_packs/r1-001.warc"}
    assert [path.name for path in config.bronze.rglob("*.*") if path.is_file()].count("r1-001.warc") == 1
    assert not [row for row in rows[:5] if (config.bronze / row.rel_path).exists()]
    assert [line.row for line in lines(config)] == rows
    for line in lines(config):
        assert as_line(json.loads(as_text(line))) == line


def test_a_pack_is_a_warc_file(config: DuckDbConfig, writer: BronzeFileWriter) -> None:
    """Read as ISO 28500 says, by nothing of ours."""
    payloads = [b"[1]", b"\r\n\r\nWARC/1.1\r\n", b"a,b\n1,2\n"]
    rows = kept(writer, *(answer(payload, ticker=f"T{number}") for number, payload in enumerate(payloads)))
    content, records = packs(config)[0].read_bytes(), []
    while content:
        version, _, rest = content.partition(b"\r\n")
        assert version == b"WARC/1.1"
        head, _, rest = rest.partition(b"\r\n\r\n")
        fields = email.parser.HeaderParser().parsestr(head.decode("ascii"))
        size = int(fields["Content-Length"])
        assert rest[size : size + 4] == b"\r\n\r\n"
        records.append((fields, rest[:size]))
        content = rest[size + 4 :]
    about, *packed = records
    assert about[0]["WARC-Type"] == "warcinfo"
    assert about[0]["WARC-Filename"] == "r1-001.warc"
    assert [body for _, body in packed] == payloads
    assert len({fields["WARC-Record-ID"] for fields, _ in records}) == 4
    for (fields, body), row in zip(packed, rows, strict=True):
        assert fields["WARC-Type"] == "resource"
        assert fields["WARC-Date"] == "2024-01-02T03:04:05.000678Z"
        assert fields["WARC-Target-URI"] == f"file:///{row.rel_path}"
        assert fields["WARC-Block-Digest"] == f"sha256:{hashlib.sha256(body).hexdigest()}"
    assert list(payloads_in(packs(config)[0].read_bytes())) == payloads


def test_batches_go_on_with_the_pack_of_their_run_and_dataset(config: DuckDbConfig, writer: BronzeFileWriter) -> None:
    one = kept(writer, answer(b"[1]"), answer(b"[2]", dataset="other"))
    two = kept(writer, answer(b"[3]", ticker="B"), answer(b"[4]", run_id="r2"))
    assert [row.pack for row in (*one, *two)] == [
        f"prices/x/{name}" for name in ("eod/_packs/r1-001.warc", "other/_packs/r1-001.warc", "eod/_packs/r1-001.warc",
                                         "eod/_packs/r2-001.warc")
    ]  # fmt: skip
    assert [read_payload(config.bronze, row) for row in (*one, *two)] == [b"[1]", b"[2]", b"[3]", b"[4]"]
    writer.close()
    if os.name == "posix":
        assert {path.stat().st_mode & 0o777 for path in packs(config)} == {0o400}


def test_a_full_pack_is_followed_by_another(
    config: DuckDbConfig, writer: BronzeFileWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pack_writer, "PACK_BYTES_MAX", 40_000)
    rows = kept(writer, *(answer(bytes([65 + number]) * 9_000, ticker=f"T{number}") for number in range(9)))
    assert [path.name for path in packs(config)] == [f"r1-00{number}.warc" for number in (1, 2, 3)]
    assert all(path.stat().st_size <= 40_000 for path in packs(config))
    for row in rows:
        check_payload(config.bronze, row)


def test_a_process_leaves_packs_of_another_alone(config: DuckDbConfig, writer: BronzeFileWriter) -> None:
    kept(writer, answer(b"[1]"))
    before = packs(config)[0].read_bytes()
    with closing(BronzeFileWriter(config)) as other:
        row = kept(other, answer(b"[2]", ticker="B"))[0]
    assert row.pack == "prices/x/eod/_packs/r1-002.warc"
    assert packs(config)[0].read_bytes() == before


def test_parts_of_a_set_stand_together_in_the_journal(config: DuckDbConfig, writer: BronzeFileWriter) -> None:
    """Whether each is a file or in a pack: else a crash between them could not be told from a whole set."""
    large = b"x" * (PACKED_BYTES_MAX + 1)
    rows = kept(
        writer, answer(b"[1]", part=1), answer(large, part=2), answer(b"[3]", part=3), answer(b"[9]", ticker="B")
    )
    assert [line.row.part for line in lines(config)] == [1, 2, 3, 0]
    assert [line.row for line in lines(config)] == rows


def test_write_keeps_a_file(config: DuckDbConfig, writer: BronzeFileWriter) -> None:
    """Its caller is told a path, and no pack."""
    path, _, _ = writer.write(answer(b"[1]"))
    assert (config.bronze / path).read_bytes() == b"[1]"
    assert packs(config) == []


def test_the_same_payload_is_not_kept_twice(config: DuckDbConfig, writer: BronzeFileWriter) -> None:
    row = kept(writer, answer(b"[1]"))[0]
    assert kept(writer, answer(b"[1]")) == [row]
    with closing(BronzeFileWriter(config)) as later:
        staged = [later.stage(answer(b"[1]")), later.stage(answer(b"[2]", ticker="B"))]
        again = later.publish(staged, recorded={row.rel_path: row})
    assert again[0].rel_path == row.rel_path
    assert len(lines(config)) == 2


def test_a_file_that_is_there_stays_a_file(config: DuckDbConfig, writer: BronzeFileWriter) -> None:
    """Of a home whose payloads were files until now."""
    with closing(BronzeFileWriter(attrs.evolve(config, small="files"))) as before:
        row = kept(before, answer(b"[1]"))[0]
    assert kept(writer, answer(b"[1]")) == [row]
    assert packs(config) == []


def test_a_payload_that_is_damaged_in_its_pack_comes_again_as_a_file(
    config: DuckDbConfig, writer: BronzeFileWriter
) -> None:
    row, other = kept(writer, answer(b'["one"]'), answer(b'["two"]', ticker="B"))
    damage(packs(config)[0], b"one", b"0ne")
    with pytest.raises(DamageFound, match=r"r1-001\.warc, 7 bytes from byte") as caught:
        read_payload(config.bronze, row)
    assert row.rel_path in str(caught.value)
    assert read_payload(config.bronze, other) == b'["two"]'
    with closing(BronzeFileWriter(config)) as later:
        later.publish([later.stage(answer(b'["one"]'))], recorded={row.rel_path: row})
    assert (config.bronze / row.rel_path).read_bytes() == b'["one"]'
    assert read_payload(config.bronze, row) == b'["one"]'


def test_a_pack_that_is_gone_is_damage_and_no_crash(config: DuckDbConfig, writer: BronzeFileWriter) -> None:
    row = kept(writer, answer(b"[1]"))[0]
    packs(config)[0].unlink()
    with pytest.raises(DamageFound, match="cannot be read"):
        read_payload(config.bronze, row)


def test_a_recording_may_be_of_packs(config: DuckDbConfig, writer: BronzeFileWriter) -> None:
    kept(writer, answer(b"[1]"))
    archive = BronzeArchive(config.home)
    (vintage,) = archive.vintages
    assert archive.result(vintage.lines[0], vintage.request).payload == b"[1]"


def test_what_no_journal_names_is_never_in_the_middle_of_a_pack(
    config: DuckDbConfig, writer: BronzeFileWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the disk fails between a pack and its journal, the next payload begins another pack."""
    kept(writer, answer(b"[1]"))

    def full(_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(file_writer, "sync_all", full)
        with pytest.raises(EnvironmentFault, match="No space left"):
            kept(writer, answer(b"[2]", ticker="B"))
    row = kept(writer, answer(b"[3]", ticker="C"))[0]
    assert row.pack == "prices/x/eod/_packs/r1-002.warc"
    assert read_payload(config.bronze, row) == b"[3]"


def test_a_pack_that_another_program_writes_is_left_alone(config: DuckDbConfig, writer: BronzeFileWriter) -> None:
    kept(writer, answer(b"[1]"))
    with packs(config)[0].open("ab") as other:
        other.write(b"x")
    with pytest.raises(EnvironmentFault, match="another program"):
        kept(writer, answer(b"[2]", ticker="B"))


@pytest.mark.parametrize(
    ("pack", "offset"),
    [
        ("", 1), ("../_packs/r1-001.warc", 5), ("/prices/x/eod/_packs/r1-001.warc", 5), ("prices/x/eod/r1-001.warc", 5),
        ("prices/x/other/_packs/r1-001.warc", 5), ("prices/x/eod/_packs/r1.warc", 5),
        ("prices/_packs/r1-001.warc", 5), ("prices/x/eod/_packs/r1-001.warc", 2**40),
        ("prices/x/eod/_packs/r1-001.warc", 0), ("prices/x/eod/_packs/r1-001.warc", -5),
        ("prices/x/eod/_packs/..-1.warc/../../../r-1.warc", 5),
    ],
)  # fmt: skip
def test_a_place_that_sbf_never_gave_is_refused(
    config: DuckDbConfig, writer: BronzeFileWriter, pack: str, offset: int
) -> None:
    row = kept(writer, answer(b"[1]"))[0]
    assert why_no_place(row.pack, row.pack_offset, row.rel_path, 3) == ""
    assert row.why_unsafe == ""
    assert attrs.evolve(row, pack=pack, pack_offset=offset).why_unsafe


def test_payloads_are_found_behind_damage(config: DuckDbConfig, writer: BronzeFileWriter) -> None:
    kept(writer, *(answer(f'["{name}"]'.encode(), ticker=name) for name in "ABC"))
    content = packs(config)[0].read_bytes()
    cut = content.replace(b"Content-Length: 5", b"Content-Length: 6", 1)
    assert list(payloads_in(cut)) == [b'["B"]', b'["C"]']
    assert list(payloads_in(content[:-9])) == [b'["A"]', b'["B"]']

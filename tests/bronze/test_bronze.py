"""Payloads on disk: names, bytes, journal, and the way back."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
from contextlib import closing
from pathlib import Path

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbf_core.bronze import journal
from sbf_core.bronze.archive import BronzeArchive
from sbf_core.bronze.file_reader import read_payload
from sbf_core.bronze.file_writer import BronzeFileWriter
from sbf_core.bronze.journal import cut_torn_tail, journal_files, journal_path, read_journal, settled, torn_tail
from sbf_core.bronze.journal_line import JournalLine, checked
from sbf_core.bronze.paths import decoded, encoded, payload_path
from sbf_core.duck.config import DuckDbConfig
from sbf_core.errors import DamageFound, EnvironmentFault, PayloadRefused, UsageError
from sbf_core.ops.rows import BronzeManifestRow
from sbf_core.runs.request import RunRequest
from sbf_core.runs.result import RunResult
from sbf_core.secret import Secret

NOW = dt.datetime(2024, 1, 2, 3, 4, 5, 678, tzinfo=dt.UTC)
DEVICES = {"CON", "PRN", "AUX", "NUL", *(f"{name}{number}" for name in ("COM", "LPT") for number in range(10))}


def result(
    payload: bytes = b"[1]",
    *,
    ticker: str | None = "AAPL",
    address: str = "https://example.com/a",
    moment: dt.datetime = NOW,
    run_id: str = "r1",
) -> RunResult:
    request = RunRequest(
        run_id=run_id,
        domain="prices",
        source="x",
        dataset="eod",
        ticker=ticker,
        from_date=dt.date(2024, 1, 1),
        to_date=dt.date(2024, 1, 2),
    )
    return RunResult(
        request=request, address=address, payload=payload, fetched_at=moment, status_code=200, headers={"etag": "é"}
    )


@given(st.text(min_size=1, max_size=64))
def test_names_come_back(text: str) -> None:
    try:
        name = encoded(text)
    except (UsageError, UnicodeEncodeError):
        return
    assert decoded(name) == text
    assert name.isascii()
    assert not set(name) & set('<>:"/\\|?*\0 ')
    assert not name.startswith(".")
    assert not name.endswith(".")
    assert name.split(".")[0].upper() not in DEVICES


@given(st.text(min_size=1, max_size=20), st.text(min_size=1, max_size=20))
def test_no_two_names_collide_on_a_disk_that_ignores_case(one: str, other: str) -> None:
    try:
        names = encoded(one), encoded(other)
    except (UsageError, UnicodeEncodeError):
        return
    assert (names[0].casefold() == names[1].casefold()) == (one == other)


NAMES = {
    "AAPL": "AAPL", "aapl": "~a~a~p~l", "BRK.B": "BRK.B", "^GSPC": "%5EGSPC", "EURUSD=X": "EURUSD%3DX",
    "BF/B": "BF%2FB", "CON": "%43ON", "nul": "~n~u~l", "NUL.TXT": "%4EUL.TXT", "../x": "%2E.%2F~x",
    "_global": "%5F~g~l~o~b~a~l", "A.": "A%2E", "é": "%C3%A9", "e\u0301": "~e%CC%81",
}  # fmt: skip


@pytest.mark.parametrize(("text", "name"), NAMES.items())
def test_names_that_have_bitten_others(text: str, name: str) -> None:
    assert encoded(text) == name
    assert decoded(name) == text


def test_a_name_that_is_too_long_is_refused() -> None:
    with pytest.raises(UsageError, match="300 bytes"):
        encoded("A" * 300)


@pytest.mark.parametrize("name", ["%zz", "aapl", "CON", "%41"])
def test_what_encoding_never_makes_is_not_decoded(name: str) -> None:
    with pytest.raises(ValueError, match="no encoded name"):
        decoded(name)


def test_bytes_are_kept_exactly(tmp_path: Path) -> None:
    config = DuckDbConfig(home=tmp_path)
    payload = bytes(range(256)) * 3 + b"\r\n"
    path, payload_hash, length = BronzeFileWriter(config).write(result(payload))
    assert path.as_posix() == f"prices/x/eod/AAPL/20240102T030405000678Z-{payload_hash[:12]}.json"
    assert (config.bronze / path).read_bytes() == payload
    assert (payload_hash, length) == (hashlib.sha256(payload).hexdigest(), len(payload))
    if os.name == "posix":
        assert (config.bronze / path).stat().st_mode & 0o777 == 0o400
    assert not list(config.bronze.rglob("*.tmp"))


@pytest.mark.parametrize("policy", ["none", "batch", "each"])
def test_a_batch_is_journalled_in_order_and_read_back(tmp_path: Path, policy: str) -> None:
    config = DuckDbConfig(home=tmp_path, fsync=policy)
    writer = BronzeFileWriter(config)
    rows = writer.publish([writer.stage(result(str(number).encode(), ticker=f"T{number}")) for number in range(10)])
    writer.close()
    lines = read_journal(journal_path(config.bronze, "r1"))
    assert [line.row for line in lines] == rows
    assert dict(lines[0].headers) == {"etag": "é"}
    assert [read_payload(config.bronze, row) for row in rows] == [str(number).encode() for number in range(10)]


def test_writing_the_same_again_changes_nothing(tmp_path: Path) -> None:
    config = DuckDbConfig(home=tmp_path)
    first = BronzeFileWriter(config).write(result())
    assert BronzeFileWriter(config).write(result()) == first
    assert len(read_journal(journal_path(config.bronze, "r1"))) == 1


def test_two_answers_with_the_same_bytes_at_one_moment_are_two_payloads(tmp_path: Path) -> None:
    """A clock may stand still for milliseconds; a vendor says ``[]`` of two stretches of days meanwhile."""
    writer = BronzeFileWriter(DuckDbConfig(home=tmp_path))
    one, other = (result(address=f"https://example.com/{name}") for name in ("a", "b"))
    rows = writer.publish([writer.stage(one), writer.stage(other)])
    rows += writer.publish([writer.stage(one)])
    assert [row.address[-1] for row in rows] == ["a", "b", "a"]
    assert rows[0] == rows[2]
    assert rows[1].fetched_at == NOW + dt.timedelta(microseconds=1)
    assert len({row.bronze_file_id for row in rows}) == len(list(tmp_path.glob("bronze/prices/**/*.json"))) == 2


def test_a_damaged_payload_that_comes_again_is_set_aside(tmp_path: Path) -> None:
    config = DuckDbConfig(home=tmp_path)
    path, _, _ = BronzeFileWriter(config).write(result())
    target = config.bronze / path
    target.chmod(0o600)
    target.write_bytes(b"[2]")
    again, payload_hash, _ = BronzeFileWriter(config).write(result())
    assert (again, hashlib.sha256(target.read_bytes()).hexdigest()) == (path, payload_hash)
    assert (config.quarantine / "damaged" / path).read_bytes() == b"[2]"


def test_an_error_is_no_payload(tmp_path: Path) -> None:
    with pytest.raises(PayloadRefused):
        BronzeFileWriter(DuckDbConfig(home=tmp_path)).write(attrs.evolve(result(), payload=b"", error="HTTP 404"))


def test_a_place_that_cannot_be_written_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "bronze").write_text("a file where the folder should be")
    with pytest.raises(EnvironmentFault, match="cannot be written"):
        BronzeFileWriter(DuckDbConfig(home=tmp_path)).write(result())


@pytest.mark.parametrize("damage", ["edit", "swap", "drop"])
def test_a_journal_that_was_changed_is_found_out(tmp_path: Path, damage: str) -> None:
    config = DuckDbConfig(home=tmp_path)
    writer = BronzeFileWriter(config)
    writer.publish([writer.stage(result(str(number).encode(), ticker=f"T{number}")) for number in range(3)])
    writer.close()
    path = journal_path(config.bronze, "r1")
    lines = path.read_bytes().splitlines(keepends=True)
    if damage == "edit":
        lines[1] = lines[1].replace(b'"T1"', b'"T9"')
    elif damage == "swap":
        lines[0], lines[1] = lines[1], lines[0]
    else:
        del lines[1]
    path.write_bytes(b"".join(lines))
    with pytest.raises(DamageFound, match="damaged at line"):
        read_journal(path)


def test_a_torn_last_line_is_what_a_crash_leaves(tmp_path: Path) -> None:
    config = DuckDbConfig(home=tmp_path)
    BronzeFileWriter(config).write(result())
    path = journal_path(config.bronze, "r1")
    with path.open("ab") as journal:
        journal.write(b'{"chain":"12')
    assert len(read_journal(path)) == 1


def test_a_payload_that_changed_is_found_out(tmp_path: Path) -> None:
    config = DuckDbConfig(home=tmp_path)
    writer = BronzeFileWriter(config)
    row = writer.publish([writer.stage(result())])[0]
    target = config.bronze / row.rel_path
    target.chmod(0o600)
    target.write_bytes(b"[3]")
    with pytest.raises(DamageFound, match="not what was recorded"):
        read_payload(config.bronze, row)
    target.unlink()
    with pytest.raises(DamageFound, match="cannot be read"):
        read_payload(config.bronze, row)


def test_a_folder_answers_again_vintage_by_vintage(tmp_path: Path) -> None:
    config = DuckDbConfig(home=tmp_path)
    writer = BronzeFileWriter(config)
    day = dt.timedelta(days=1)
    writer.publish([writer.stage(result(b"new", moment=NOW + day, run_id="r2"))])
    writer.publish([writer.stage(result(b"old")), writer.stage(result(b"page 2", address="https://example.com/b"))])
    archive = BronzeArchive(tmp_path)
    assert [len(vintage.lines) for vintage in archive.vintages] == [2, 1]
    assert archive.result(archive.vintages[1].lines[0], archive.vintages[1].request).payload == b"new"
    assert archive.tickers(archive.dataset_ids) == ("AAPL",)
    assert archive.tickers(()) == ()
    assert len(BronzeArchive(tmp_path / "bronze", until=NOW).vintages) == 1
    with pytest.raises(UsageError, match="no Bronze journal"):
        BronzeArchive(tmp_path / "files")


def test_paths_sort_by_time() -> None:
    request = RunRequest(run_id="r", domain="a", source="b", dataset="c", discriminator="GDP/real")
    paths = [
        payload_path(request, fetched_at=NOW + dt.timedelta(hours=hours), payload_hash="f" * 64, extension="csv")
        for hours in (0, 9, 200)
    ]
    assert paths == sorted(paths)
    assert paths[0].startswith("a/b/c@GDP%2F~r~e~a~l/_global/")


def test_a_set_of_which_a_crash_left_only_some_lines_is_no_part_of_the_journal(tmp_path: Path) -> None:
    """The journal is cut at every byte: what is settled is the single payload, and the set only as a whole."""
    config = DuckDbConfig(home=tmp_path / "home")
    writer = BronzeFileWriter(config)
    alone = result(payload=b"[0]")
    pages = [
        attrs.evolve(result(payload=f"[{number}]".encode()), address=f"a{number}", part=number, parts=3)
        for number in (1, 2, 3)
    ]
    writer.publish([writer.stage(each) for each in (alone, *pages)])
    writer.close()
    (path,) = journal_files(config.bronze)
    content = path.read_bytes()
    first = content.index(b"\n") + 1
    for length in range(len(content) + 1):
        wanted = 0 if length < first else len(content) if length == len(content) else first
        assert len(settled(content[:length])) == wanted, length
    path.write_bytes(content[:-5])
    assert [line.row.part for line in read_journal(path)] == [0]
    cut_torn_tail(path)
    assert path.read_bytes() == content[:first]


def set_of(*parts: int, of: int, address: str = "https://example.com/p", ticker: str = "AAPL") -> list[RunResult]:
    return [
        attrs.evolve(result(f"[{part}]".encode(), ticker=ticker, address=f"{address}{part}"), part=part, parts=of)
        for part in parts
    ]


@pytest.mark.parametrize("parts", [(2,), (2, 3), (1, 3)])
def test_what_no_crash_leaves_stays_in_the_journal(tmp_path: Path, parts: tuple[int, ...]) -> None:
    """Of a set that a crash cut the first lines are there, one behind the other; nothing else is taken for one."""
    with closing(BronzeFileWriter(DuckDbConfig(home=tmp_path))) as writer:
        other = [result(f"[{number + 7}]".encode(), ticker="MSFT") for number in range(3)]
        writer.publish([writer.stage(item) for item in [*other, *set_of(*parts, of=4)]])
    (path,) = journal_files(DuckDbConfig(home=tmp_path).bronze)
    assert torn_tail(path) == b""
    assert len(read_journal(path)) == 3 + len(parts)


def test_a_torn_set_takes_no_line_of_another_with_it(tmp_path: Path) -> None:
    with closing(BronzeFileWriter(DuckDbConfig(home=tmp_path))) as writer:
        items = [*set_of(1, 2, of=2, ticker="MSFT"), *set_of(1, of=2)]
        writer.publish([writer.stage(item) for item in items])
    (path,) = journal_files(DuckDbConfig(home=tmp_path).bronze)
    assert [line.row.ticker for line in read_journal(path)] == ["MSFT", "MSFT"]


def test_a_set_longer_than_the_end_that_is_read_is_cut_off_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "_END_BYTES", 3_000)
    with closing(BronzeFileWriter(DuckDbConfig(home=tmp_path, fsync="none"))) as writer:
        items = [result(ticker="MSFT"), *set_of(*range(1, 41), of=50)]
        writer.publish([writer.stage(item) for item in items])
    (path,) = journal_files(DuckDbConfig(home=tmp_path).bronze)
    assert [line.row.ticker for line in read_journal(path)] == ["MSFT"]


@pytest.mark.parametrize(
    "said",
    [
        {"status_code": 10**30}, {"status_code": 2**63},
        {"status_code": True}, {"status_code": -1}, {"status_code": "200"},
        {"part": None}, {"part": "1"}, {"parts": 10**30}, {"part": 5, "parts": 2},
        {"part": 0, "parts": 2}, {"part": -1}, {"part": True, "parts": 2},
        {"kind": None}, {"kind": 7}, {"not_modified": 1}, {"not_modified": True},
        {"kind": "none"}, {"evidence": "text"}, {"masked": "key"}, {"masked": (1,)},
        {"elapsed_seconds": float("inf")}, {"elapsed_seconds": 10**400},
        {"elapsed_seconds": True}, {"headers": {"a": 1}},
        {"fetched_at": dt.datetime.max.replace(tzinfo=dt.timezone(dt.timedelta(hours=-5)))},
        {"fetched_at": dt.datetime(2024, 1, 1)}, {"extension": "../x"},
    ],
)  # fmt: skip
def test_what_no_journal_can_hold_is_refused_where_it_is_said(said: dict[str, object]) -> None:
    with pytest.raises(UsageError, match=r"RunResult"):
        attrs.evolve(result(), **said)  # type: ignore[arg-type]


def test_half_a_letter_in_what_is_only_told_is_shown_as_an_escape(tmp_path: Path) -> None:
    """A surrogate without its other half is in no file, no database and on no terminal."""
    half = "\ud83d"
    told = attrs.evolve(result(), address=f"fake://{half}", headers={half: half, "etag": half}, masked=(half,))
    with closing(BronzeFileWriter(DuckDbConfig(home=tmp_path))) as writer:
        writer.write(told)
    (path,) = journal_files(DuckDbConfig(home=tmp_path).bronze)
    (line,) = read_journal(path)
    assert (line.row.address, line.headers, line.masked) == (
        "fake://\\ud83d",
        {"\\ud83d": "\\ud83d", "etag": "\\ud83d"},
        ("\\ud83d",),
    )
    assert attrs.evolve(result(b""), error=f"so {half}").error == "so \\ud83d"


def test_a_line_that_could_not_be_read_again_is_not_written(tmp_path: Path) -> None:
    with closing(BronzeFileWriter(DuckDbConfig(home=tmp_path))) as writer:
        with pytest.raises(PayloadRefused, match="could not be read again"):
            writer.stage(attrs.evolve(result(), request=attrs.evolve(result().request, cursor="\ud83d")))
        writer.write(result())
    (path,) = journal_files(DuckDbConfig(home=tmp_path).bronze)
    assert len(read_journal(path)) == 1


def test_a_line_from_which_a_key_was_taken_says_the_same_or_is_not_written(tmp_path: Path) -> None:
    Secret("WV7BQX93LR")
    with closing(BronzeFileWriter(DuckDbConfig(home=tmp_path))) as writer:
        with pytest.raises(PayloadRefused, match=r"could not be read again: its path .*\*\*\*"):
            writer.stage(result(ticker="WV7BQX93LR"))  # it stands in the path, too
        writer.write(result(address="https://example.com/a?key=WV7BQX93LR"))
    (path,) = journal_files(DuckDbConfig(home=tmp_path).bronze)
    assert [line.row.address for line in read_journal(path)] == ["https://example.com/a?key=***"]


@pytest.mark.parametrize("path", ["../a.json", "_journal/r1.jsonl", "/a.json"])
def test_a_line_that_leads_out_of_bronze_is_not_written(path: str) -> None:
    row = BronzeManifestRow.of(result(), rel_path="a/b.json", payload_hash="0" * 64, content_length_bytes=1)
    assert json.loads(checked(JournalLine(row=row, headers={})))["rel_path"] == "a/b.json"
    with pytest.raises(PayloadRefused, match="could not be read again"):
        checked(JournalLine(row=attrs.evolve(row, rel_path=path), headers={}))


def test_a_key_that_is_learnt_after_a_payload_was_staged_is_in_no_journal(tmp_path: Path) -> None:
    config = DuckDbConfig(home=tmp_path)
    with closing(BronzeFileWriter(config)) as writer:
        staged = writer.stage(result(address="https://example.com/a?key=Zq81LmT4vX"))
        Secret("Zq81LmT4vX")
        writer.publish([staged])
    assert "key=***" in journal_path(config.bronze, "r1").read_text()
    assert "Zq81LmT4vX" not in journal_path(config.bronze, "r1").read_text()

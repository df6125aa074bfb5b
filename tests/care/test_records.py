"""Journals against the manifest: what is compared as a text is what the journal says, and whatever differs is found."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest

from sbf_core.bronze.file_reader import stored_of
from sbf_core.bronze.journal import JournalWriter, journal_files, rewrite_journal, settled, torn_tail
from sbf_core.bronze.journal_line import JournalLine, as_text
from sbf_core.care import journal_checks as records
from sbf_core.care.findings import FindingKind
from sbf_core.care.journal_checks import compare_records
from sbf_core.duck.bootstrap import DuckDbBootstrap
from sbf_core.duck.config import DuckDbConfig
from sbf_core.ops.rows import BronzeManifestRow, bronze_file_id
from sbf_core.ops.service import OpsService

MOMENT = dt.datetime(2024, 1, 2, 3, 4, 5, 678, tzinfo=dt.UTC)
PACK = "prices/x/eod/_packs/r1-001.warc"
PLAIN: list[dict[str, Any]] = [
    {},
    {"fetched_at": MOMENT.replace(microsecond=0)},
    {"fetched_at": MOMENT.replace(microsecond=120_000)},
    {"ticker": None, "discriminator": "GDP/real"},
    {"elapsed_seconds": 0.1},
    {"elapsed_seconds": 1e-07},
    {"elapsed_seconds": 123456.789},
    {"from_date": dt.date(1, 1, 1), "to_date": dt.date(9999, 12, 31)},
    {"from_date": None, "to_date": None, "status_code": 200, "part": 1, "parts": 2},
    {"cursor": "2024-01-01T00:00:00+00:00", "etag": "W/", "last_modified": "Tue, 02 Jan 2024 03:04:05 GMT"},
    {"address": "https://example.com/?a=1&b='x'", "content_length_bytes": 2**40},
    {"pack": PACK, "pack_offset": 417},
    {"pack": PACK, "pack_offset": 2**24, "status_code": 200, "part": 1, "parts": 2, "etag": "W/"},
]
ESCAPED: list[dict[str, Any]] = [{"ticker": "É"}, {"etag": '"quoted"'}, {"address": "back\\slash"}, {"ticker": "\x7f"}]


def row_of(number: int, **changes: Any) -> BronzeManifestRow:
    path = f"prices/x/eod/A/20240102T030405{number:06}Z-{'a' * 12}.json"
    row = BronzeManifestRow(
        bronze_file_id=bronze_file_id(path), run_id="r1", domain="prices", source="x", dataset="eod", ticker="A",
        from_date=dt.date(2024, 1, 1), to_date=dt.date(2024, 1, 2), address="https://example.com/a", rel_path=path,
        payload_hash="a" * 64, content_length_bytes=3, extension="json", fetched_at=MOMENT,
    )  # fmt: skip
    return attrs.evolve(row, **changes)


@pytest.fixture
def ops(tmp_path: Path) -> Iterator[OpsService]:
    bootstrap = DuckDbBootstrap(DuckDbConfig(home=tmp_path / "home", fsync="none")).open()
    yield OpsService.over(bootstrap)
    bootstrap.close()


@pytest.fixture
def bronze(tmp_path: Path) -> Path:
    return tmp_path / "home" / "bronze"


def journal(bronze: Path, lines: list[JournalLine], *, run_id: str = "r1") -> Path:
    writer = JournalWriter(bronze, run_id, durable=False)
    writer.append(lines)
    writer.close()
    return writer.path


@pytest.mark.parametrize("headers", [{}, {"etag": 'a"b', "b": "é"}])
def test_the_text_of_a_row_is_that_of_its_line(ops: OpsService, headers: dict[str, str]) -> None:
    """Else each line would be read with care, which costs ten times as much, and nobody would see it."""
    rows = [row_of(number, **changes) for number, changes in enumerate(PLAIN)]
    ops.record_fetched(rows, [])
    texts = ops.recorded.journal_texts([row.rel_path for row in rows])
    for row in rows:
        head, tail = texts[row.rel_path]
        written = json.dumps(headers, sort_keys=True, separators=(",", ":"))
        assert f"{head}{written}{tail}" == as_text(JournalLine(row=row, headers=headers))


def test_what_is_the_same_is_no_finding(ops: OpsService, bronze: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "_LINES_AT_ONCE", 4)
    rows = [row_of(number, **changes) for number, changes in enumerate([*PLAIN, *ESCAPED])]
    journal(
        bronze,
        [JournalLine(row=row, headers={"a": "é"} if row.part else {}, masked=("x",) * row.parts) for row in rows],
    )
    ops.record_fetched(rows, [])
    found = compare_records(bronze, ops.recorded)
    assert (found.findings, found.lines) == ((), {})
    assert found.expected == {row.rel_path: stored_of(row) for row in rows}


@pytest.mark.parametrize(
    "changes",
    [
        {"ticker": "B"}, {"ticker": None}, {"address": "other"}, {"payload_hash": "b" * 64},
        {"content_length_bytes": 4}, {"status_code": 404}, {"fetched_at": MOMENT + dt.timedelta(microseconds=1)},
        {"elapsed_seconds": 0.5}, {"part": 1, "parts": 1}, {"etag": ""}, {"last_modified": "x"}, {"cursor": "x"},
        {"from_date": None}, {"to_date": dt.date(2024, 1, 3)}, {"run_id": "r2"},
        {"domain": "other"}, {"source": "y"}, {"dataset": "other"}, {"discriminator": "d"}, {"extension": "csv"},
        {"pack": PACK, "pack_offset": 1},
    ],
)  # fmt: skip
@pytest.mark.parametrize("usual", [{}, {"address": "é"}])
def test_whatever_differs_is_found(
    ops: OpsService, bronze: Path, changes: dict[str, Any], usual: dict[str, Any]
) -> None:
    row = row_of(1, **usual)
    other = attrs.evolve(row, **changes)
    journal(bronze, [JournalLine(row=row_of(0), headers={}), JournalLine(row=other, headers={})])
    ops.record_fetched([row_of(0), row], [])
    found = compare_records(bronze, ops.recorded)
    assert [(one.kind, one.subject) for one in found.findings] == [(FindingKind.RECORD_DIFFERS, row.rel_path)]
    assert found.findings[0].detail == (
        "journal and manifest differ in "
        f"{', '.join(name for name in attrs.fields_dict(BronzeManifestRow) if name in changes)}"
    )
    assert found.lines[row.rel_path].row == other
    assert found.expected[row.rel_path] == stored_of(other)


@pytest.mark.parametrize("at_once", [1, 2, 5000])
def test_of_two_lines_of_one_payload_the_first_one_counts(
    ops: OpsService, bronze: Path, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr("sbf_core.care.journal_checks._LINES_AT_ONCE", at_once)
    row = row_of(0)
    later, others = attrs.evolve(row, ticker="B"), attrs.evolve(row, payload_hash="b" * 64)
    ops.record_fetched([row], [])
    for lines, kinds in (
        ((row, later), []), ((later, row), [FindingKind.RECORD_DIFFERS]),
        ((later, row, row), [FindingKind.RECORD_DIFFERS]), ((row, others), [FindingKind.RECORD_TWICE]),
        ((later, others), [FindingKind.RECORD_DIFFERS, FindingKind.RECORD_TWICE]),
    ):  # fmt: skip
        rewrite_journal(journal(bronze, []), [JournalLine(row=one, headers={}) for one in lines])
        assert sorted(one.kind for one in compare_records(bronze, ops.recorded).findings) == sorted(kinds)


@pytest.mark.parametrize("damage", ["text", "headers", "kind"])
def test_a_line_that_sbf_did_not_write_is_damage(ops: OpsService, bronze: Path, damage: str) -> None:
    rows = [row_of(number) for number in range(3)]
    path = journal(bronze, [JournalLine(row=row, headers={}) for row in rows])
    ops.record_fetched(rows, [])
    was, now = {
        "text": (b'"ticker":"A"', b'"ticker":"B"'),
        "headers": (b'"headers":{}', b'"headers":{"a":1}'),
        "kind": (b'"part":0', b'"part":false'),
    }[damage]
    if damage == "text":
        path.write_bytes(path.read_bytes().replace(was, now, 1))
    else:  # whoever changes it may follow the chain, too
        from sbf_core.bronze.journal import _chained

        chain, changed = "0" * 64, []
        for raw in path.read_bytes().splitlines():
            text = raw[83:-1].replace(was, now).decode()
            chain = _chained(chain, text)
            changed.append(f'{{"chain":"{chain}","line":{text}}}\n')
        path.write_text("".join(changed))
    found = compare_records(bronze, ops.recorded)
    assert [(one.kind, one.subject) for one in found.findings] == [(FindingKind.JOURNAL_BROKEN, "_journal/r1.jsonl")]
    assert "line 1" in found.findings[0].detail


def test_the_end_of_a_long_journal_says_what_is_torn(bronze: Path) -> None:
    """Only its end is read, and of a set that is longer than that, more of it."""
    rows = [row_of(0), *(row_of(number, part=number, parts=300) for number in range(1, 301))]
    path = journal(bronze, [JournalLine(row=row, headers={}) for row in rows])
    content = path.read_bytes()
    assert len(content) > 2 * 65_536
    for length in (len(content), len(content) - 1, len(content) - 700, content.index(b"\n") + 1, 5, 0):
        path.write_bytes(content[:length])
        assert torn_tail(path) == content[len(settled(content[:length])) : length]
    assert journal_files(bronze) == [path]

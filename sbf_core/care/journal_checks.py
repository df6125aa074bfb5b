"""Journals against the ledger's manifest, some lines at a time: most lines say what the manifest says,
and are let go.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import attrs

from sbf_core.bronze.file_reader import stored_of
from sbf_core.bronze.journal import NO_LINE, damaged_line, each_line, journal_files, run_of_copy, torn_tail
from sbf_core.bronze.journal_line import JournalLine, as_line
from sbf_core.bronze.paths import JOURNAL_FOLDER
from sbf_core.bronze.stored import Stored
from sbf_core.care.findings import Finding, FindingKind
from sbf_core.errors import DamageFound
from sbf_core.ops.recorded import RecordedPayloads
from sbf_core.ops.rows import BronzeManifestRow
from sbf_core.value import Value

_LINES_AT_ONCE = 5000
#: Both sides keep times to the microsecond and floats exactly.
_COMPARED = tuple(name for name in attrs.fields_dict(BronzeManifestRow) if name != "bronze_file_id")
_PATH = b'"rel_path":"'


@attrs.frozen(kw_only=True)
class Records(Value):
    """What journals and manifest say of payloads.

    Attributes:
        expected: hash, size and place per path below Bronze; where both know a payload, the journal is believed: it
            stands beside it.
        lines: per path what the journals say, where the manifest does not say the same.
        findings: what is wrong with the journals themselves, and where the two disagree.
    """

    expected: dict[str, Stored]
    lines: dict[str, JournalLine]
    findings: tuple[Finding, ...]


@attrs.frozen
class _Line(Value):
    """One line of a journal as a text: its journal, its number there, and the path that it seems to be of."""

    journal: Path
    number: int
    text: bytes
    path: str


def compare_records(bronze: Path, recorded: RecordedPayloads) -> Records:
    """Read all journals, follow their chains, and compare them with the manifest, payload by payload."""
    return _Comparison(bronze, recorded).run()


class _Comparison:
    def __init__(self, bronze: Path, recorded: RecordedPayloads) -> None:
        self._recorded = recorded
        self._folder = bronze / JOURNAL_FOLDER
        files = journal_files(bronze)
        #: By name, whose journal somebody copied there.
        self._copies = {path.name: run_id for path in files if (run_id := run_of_copy(path))}
        self._files = [path for path in files if path.name not in self._copies]
        self._findings: list[Finding] = []
        self._lines: dict[str, JournalLine] = {}
        #: Per journal what its first damage is.
        self._damages: dict[Path, str] = {}

    def run(self) -> Records:
        expected: dict[str, Stored] = {}
        for path, payload_hash, byte_count, pack, offset in self._recorded.sizes():
            if path in expected:
                self._find(FindingKind.RECORD_TWICE, path, "stands in the manifest twice")
            expected[path] = Stored(payload_hash, byte_count, pack, offset)
        unseen = set(expected)
        each = self._each()
        while some := list(islice(each, _LINES_AT_ONCE)):
            self._compare(some, expected, unseen)
        for journal, damage in self._damages.items():
            self._find(FindingKind.JOURNAL_BROKEN, f"{JOURNAL_FOLDER}/{journal.name}", damage.partition(";")[0])
        self._find_strangers()
        self._find_different()
        self._find_unseen(unseen)
        for path, line in self._lines.items():
            expected[path] = stored_of(line.row)
        return Records(expected=expected, lines=self._lines, findings=tuple(self._findings))

    def _find(self, kind: FindingKind, subject: str, detail: str) -> None:
        self._findings.append(Finding(kind=kind, subject=subject, detail=detail))

    def _each(self) -> Iterator[_Line]:
        """The lines of all journals, each up to the first damage."""
        for journal in self._files:
            try:
                for number, (_, text) in enumerate(each_line(journal), start=1):
                    if journal in self._damages:
                        break
                    start = text.rfind(_PATH) + len(_PATH)
                    yield _Line(journal, number, text, text[start : text.find(b'"', start)].decode("ascii", "replace"))
                if journal not in self._damages and torn_tail(journal):
                    self._damages[journal] = "its last line is cut off"
            except DamageFound as error:
                self._damages.setdefault(journal, str(error))

    def _compare(self, some: Sequence[_Line], expected: Mapping[str, Stored], unseen: set[str]) -> None:
        """Of two lines of one payload, which was lost and came again, the first counts."""
        texts = self._recorded.journal_texts([line.path for line in some if line.path in unseen])
        others: list[_Line] = []
        odd: set[str] = set()
        for line in some:
            if line.path in unseen and line.path not in odd and _is_same(line.text, texts.get(line.path)):
                unseen.discard(line.path)
            else:
                others.append(line)
                odd.add(line.path)
        parsed = self._parsed(others)
        rows = (
            {row.rel_path: row for row in self._recorded.rows([parsed_line.row.rel_path for parsed_line in parsed])}
            if parsed
            else {}
        )
        for parsed_line in parsed:
            path = parsed_line.row.rel_path
            known = self._lines.get(path)
            if known is not None or (path in expected and path not in unseen):
                before = expected[path] if known is None else stored_of(known.row)
                self._compare_again(parsed_line, before.payload_hash)
                continue
            unseen.discard(path)
            if path not in rows or _different(parsed_line.row, rows[path]):
                self._lines[path] = parsed_line

    def _compare_again(self, line: JournalLine, payload_hash: str) -> None:
        if line.row.payload_hash != payload_hash:
            what = f"the journal of run {line.row.run_id} names other bytes than an earlier one"
            self._find(FindingKind.RECORD_TWICE, line.row.rel_path, what)

    def _parsed(self, others: Sequence[_Line]) -> list[JournalLine]:
        """Lines that are read with care; of a journal those before the first that sbf did not write."""
        parsed: list[JournalLine] = []
        broken: set[Path] = set()
        for line in others:
            if line.journal in broken:
                continue
            try:
                parsed.append(as_line(json.loads(line.text)))
            except NO_LINE as error:
                broken.add(line.journal)
                self._damages[line.journal] = str(damaged_line(line.number, error, where=str(line.journal)))
        return parsed

    def _find_different(self) -> None:
        """Payloads that the manifest does not know, or knows otherwise than their journal."""
        for paths in _some(self._lines):
            rows = {row.rel_path: row for row in self._recorded.rows(paths)}
            for path in paths:
                if path not in rows:
                    self._find(FindingKind.NOT_RECORDED, path, "the manifest does not know it")
                    continue
                different = _different(self._lines[path].row, rows[path])
                if different:
                    self._find(
                        FindingKind.RECORD_DIFFERS, path, "journal and manifest differ in " + ", ".join(different)
                    )

    def _find_unseen(self, unseen: Collection[str]) -> None:
        """Payloads on record that no journal knows."""
        runs, broken = {path.stem for path in self._files}, {path.stem for path in self._damages}
        without: set[str] = set()
        for paths in _some(unseen):
            for path, run_id in {row.rel_path: row.run_id for row in self._recorded.rows(paths)}.items():
                if run_id not in runs:
                    without.add(run_id)
                elif run_id not in broken:
                    self._find(FindingKind.NOT_JOURNALLED, path, f"the journal of run {run_id} does not know it")
        for run_id in sorted(without):
            self._find(
                FindingKind.JOURNAL_MISSING, f"{JOURNAL_FOLDER}/{run_id}.jsonl", "the ledger knows payloads of this run"
            )

    def _find_strangers(self) -> None:
        names = {path.name for path in self._files}
        for path in sorted(self._folder.iterdir()) if self._folder.is_dir() else ():
            if path.name not in names:
                original = self._copies.get(path.name)
                what = f"is a copy of the journal of run {original}" if original else "no journal"
                self._find(FindingKind.FILE_UNKNOWN, f"{JOURNAL_FOLDER}/{path.name}", what)


def _different(one: BronzeManifestRow, other: BronzeManifestRow) -> list[str]:
    return [name for name in _COMPARED if getattr(one, name) != getattr(other, name)]


def _some(paths: Iterable[str]) -> Iterator[list[str]]:
    each = iter(paths)
    while some := list(islice(each, _LINES_AT_ONCE)):
        yield some


def _is_same(text: bytes, wanted: tuple[str, str] | None) -> bool:
    """Whether a line is, letter by letter, what the journal has to say of a row of the manifest;
    headers stand in it alone.
    """
    if wanted is None or not text.isascii():
        return False
    head, tail = wanted
    written = text.decode("ascii")
    if not (written.startswith(head) and written.endswith(tail)):
        return False
    headers = written[len(head) : len(written) - len(tail)]
    return headers == "{}" or _are_headers(headers)


def _are_headers(text: str) -> bool:
    try:
        headers: Any = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return (
        isinstance(headers, dict)
        and all(isinstance(value, str) for value in headers.values())
        and json.dumps(headers, ensure_ascii=True, sort_keys=True, separators=(",", ":")) == text
    )

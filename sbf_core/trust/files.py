"""Files against journals against the ledger's manifest."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import attrs

from sbf_core.bronze.journal import journal_files, read_journal_start, torn_tail
from sbf_core.bronze.journal_line import JournalLine
from sbf_core.bronze.listing import payload_files, relative
from sbf_core.bronze.paths import JOURNAL_FOLDER
from sbf_core.duck.config import DuckDbConfig
from sbf_core.duck.publish import current_publication
from sbf_core.ops.rows import BronzeManifestRow
from sbf_core.trust.findings import Finding, FindingKind
from sbf_core.whole_file import file_hash, small_file

_THREADS = 4
#: Reading one costs more than hashing it.
_SMALL_BYTES = 65_536
#: Both sides keep times to the microsecond and floats exactly.
_COMPARED = tuple(name for name in attrs.fields_dict(BronzeManifestRow) if name != "bronze_file_id")


@attrs.frozen(kw_only=True)
class Journals:
    """Every journal of a Bronze folder.

    Attributes:
        lines: per path below Bronze what the journals say.
        broken: runs whose journal is damaged, so that it does not say everything.
        runs: runs that have a journal.
        findings: what is wrong with the journals themselves.
    """

    lines: Mapping[str, JournalLine]
    broken: frozenset[str]
    runs: frozenset[str]
    findings: tuple[Finding, ...]


def read_journals(bronze: Path) -> Journals:
    """Read all journals and follow their chains."""
    lines: dict[str, JournalLine] = {}
    findings: list[Finding] = []
    broken: set[str] = set()
    files = journal_files(bronze)
    for path in files:
        subject = f"{JOURNAL_FOLDER}/{path.name}"
        found, damage = read_journal_start(path)
        if not damage and torn_tail(path):
            damage = "its last line is cut off"
        if damage:
            findings.append(Finding(kind=FindingKind.JOURNAL_BROKEN, subject=subject, detail=damage.partition(";")[0]))
            broken.add(path.stem)
        lines.update({line.row.rel_path: line for line in found})
    names = {path.name for path in files}
    folder = bronze / JOURNAL_FOLDER
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.name not in names:
            findings.append(Finding(kind=FindingKind.FILE_UNKNOWN, subject=f"{JOURNAL_FOLDER}/{path.name}", detail="no journal"))
    return Journals(lines=lines, broken=frozenset(broken), runs=frozenset(path.stem for path in files), findings=tuple(findings))


def compare_records(journals: Journals, manifest: Sequence[BronzeManifestRow]) -> Iterator[Finding]:
    """Journals against the manifest, payload by payload."""
    recorded: dict[str, BronzeManifestRow] = {}
    for row in manifest:
        if row.rel_path in recorded:
            yield Finding(kind=FindingKind.RECORD_TWICE, subject=row.rel_path, detail="stands in the manifest twice")
        recorded[row.rel_path] = row
    without: set[str] = set()
    for path, row in recorded.items():
        line = journals.lines.get(path)
        if line is not None:
            different = [name for name in _COMPARED if getattr(line.row, name) != getattr(row, name)]
            if different:
                yield Finding(kind=FindingKind.RECORD_DIFFERS, subject=path, detail="journal and manifest differ in " + ", ".join(different))
        elif row.run_id not in journals.runs:
            without.add(row.run_id)
        elif row.run_id not in journals.broken:
            yield Finding(kind=FindingKind.NOT_JOURNALLED, subject=path, detail=f"the journal of run {row.run_id} does not know it")
    for run_id in sorted(without):
        yield Finding(kind=FindingKind.JOURNAL_MISSING, subject=f"{JOURNAL_FOLDER}/{run_id}.jsonl", detail="the ledger knows payloads of this run")
    for path in journals.lines:
        if path not in recorded:
            yield Finding(kind=FindingKind.NOT_RECORDED, subject=path, detail="the manifest does not know it")


def database_changed(config: DuckDbConfig) -> list[Finding]:
    """The database file against the copy for readers, which is the same, byte for byte, as long as no run has written."""
    copy = current_publication(config)
    if copy is None or not copy.is_current or file_hash(config.database) == file_hash(copy.path):
        return []
    still = current_publication(config)
    if still is None or not still.is_current:
        return []  # a run began meanwhile
    return [Finding(kind=FindingKind.DATABASE_CHANGED, subject=config.database.name, detail="differs from the copy that the last run left; run `sbf rebuild`")]


@attrs.frozen(kw_only=True)
class Listed:
    """What a look at the folder found.

    Attributes:
        findings: files that are missing, unknown, or no files.
        there: paths of payloads that are there and can be read.
    """

    findings: tuple[Finding, ...]
    there: tuple[str, ...]


def compare_listing(bronze: Path, expected: Mapping[str, tuple[str, int]], *, quarantined: frozenset[str]) -> Listed:
    """The names in the folder against the payloads that should be there.

    Args:
        bronze: the folder.
        expected: hash and size per path.
        quarantined: paths of payloads that repair has moved aside, so that their absence is known.
    """
    findings: list[Finding] = []
    there: list[str] = []
    seen: set[str] = set()
    for entry in payload_files(bronze):
        path = relative(bronze, entry)
        if path not in expected:
            findings.append(Finding(kind=FindingKind.FILE_UNKNOWN, subject=path, detail="neither journal nor manifest knows it"))
            continue
        seen.add(path)
        if entry.is_file(follow_symlinks=False):
            there.append(path)
        else:
            findings.append(Finding(kind=FindingKind.PAYLOAD_NO_FILE, subject=path, detail="a link, not a file" if entry.is_symlink() else "no regular file"))
    for path in sorted(expected.keys() - seen):
        detail = "its damaged bytes are in quarantine" if path in quarantined else "the file is gone"
        findings.append(Finding(kind=FindingKind.PAYLOAD_MISSING, subject=path, detail=detail))
    return Listed(findings=tuple(findings), there=tuple(sorted(there)))


def check_contents(bronze: Path, paths: Sequence[str], expected: Mapping[str, tuple[str, int]]) -> list[Finding]:
    """The bytes of some payloads against what was recorded."""
    small = [path for path in paths if expected[path][1] <= _SMALL_BYTES]
    large = [path for path in paths if expected[path][1] > _SMALL_BYTES]
    findings = [_changed(bronze, path, *expected[path]) for path in small]
    if large:  # over small ones threads only wait for each other
        with ThreadPoolExecutor(_THREADS) as pool:
            findings += pool.map(lambda path: _changed(bronze, path, *expected[path]), large)
    return [finding for finding in findings if finding is not None]


def _changed(bronze: Path, path: str, payload_hash: str, byte_count: int) -> Finding | None:
    full = f"{bronze}{os.sep}{path}"
    if byte_count <= _SMALL_BYTES:  # one byte more would be read of a file that is longer
        content = small_file(full, byte_count)
        same_size, found_hash = len(content) == byte_count, hashlib.sha256(content).hexdigest()
    else:
        same_size = Path(full).stat().st_size == byte_count
        found_hash = file_hash(full) if same_size else ""
    if not same_size:
        size = Path(full).stat().st_size
        return Finding(kind=FindingKind.PAYLOAD_CHANGED, subject=path, detail=f"{size} bytes instead of {byte_count}")
    if found_hash != payload_hash:
        return Finding(kind=FindingKind.PAYLOAD_CHANGED, subject=path, detail="other bytes of the same number")
    return None


def expected_payloads(journals: Journals, manifest: Sequence[BronzeManifestRow]) -> dict[str, tuple[str, int]]:
    """Hash and size per path; where both know a payload, the journal is believed, because it stands beside it."""
    rows = [*manifest, *(line.row for line in journals.lines.values())]
    return {row.rel_path: (row.payload_hash, row.content_length_bytes) for row in rows}

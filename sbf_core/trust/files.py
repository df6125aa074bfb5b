"""Files against journals against the ledger's manifest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import attrs
import duckdb

from sbf_core.bronze.journal import journal_files, read_journal_start, torn_tail
from sbf_core.bronze.journal_line import JournalLine
from sbf_core.bronze.listing import payload_files, relative
from sbf_core.bronze.paths import JOURNAL_FOLDER
from sbf_core.duck.config import DuckDbConfig
from sbf_core.ops.rows import BronzeManifestRow
from sbf_core.trust.findings import Finding, FindingKind
from sbf_core.whole_file import file_hash

_THREADS = 4
_HEADER_BYTES = 3 * 4096
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
    runs = {path.stem for path in files}
    for path in files:
        subject = f"{JOURNAL_FOLDER}/{path.name}"
        found, damage = read_journal_start(path)
        original = found[0].row.run_id if found else path.stem
        if original != path.stem and original in runs:
            detail = f"is a copy of the journal of run {original}"
            findings.append(Finding(kind=FindingKind.FILE_UNKNOWN, subject=subject, detail=detail))
            continue
        if not damage and torn_tail(path):
            damage = "its last line is cut off"
        if damage:
            findings.append(Finding(kind=FindingKind.JOURNAL_BROKEN, subject=subject, detail=damage.partition(";")[0]))
            broken.add(path.stem)
        for line in found:
            first = lines.setdefault(line.row.rel_path, line)  # it came again: the run that kept it first has its record
            if first.row.payload_hash != line.row.payload_hash:
                detail = f"stands in the journals of the runs {first.row.run_id} and {line.row.run_id}, with other bytes"
                findings.append(Finding(kind=FindingKind.RECORD_TWICE, subject=line.row.rel_path, detail=detail))
    names = {path.name for path in files}
    folder = bronze / JOURNAL_FOLDER
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.name not in names:
            findings.append(Finding(kind=FindingKind.FILE_UNKNOWN, subject=f"{JOURNAL_FOLDER}/{path.name}", detail="no journal"))
    return Journals(lines=lines, broken=frozenset(broken), runs=frozenset(runs), findings=tuple(findings))


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


def bytes_behind(config: DuckDbConfig, conn: duckdb.DuckDBPyConnection) -> list[Finding]:
    """Bytes behind the last block of the database: DuckDB writes none there, and cuts the file at each checkpoint.

    A run that died may leave some, until the next one: then nothing is said. The form of the file: three headers of
    4,096 bytes, then blocks of one size (https://duckdb.org/docs/stable/internals/storage.html).
    """
    if config.holder.exists() or config.database.with_name(f"{config.database.name}.wal").exists():
        return []
    sizes = conn.execute("SELECT block_size, total_blocks FROM pragma_database_size() WHERE database_name = current_database()").fetchone()
    assert sizes is not None
    body = config.database.stat().st_size - _HEADER_BYTES
    behind = body - sizes[0] * sizes[1]
    if behind < 0:  # free blocks at the end are cut off, and still counted
        behind = body % sizes[0]
    if not behind:
        return []
    detail = f"{behind} bytes behind its last block are not DuckDB's; `sbf rebuild` writes it anew"
    return [Finding(kind=FindingKind.DATABASE_CHANGED, subject=config.database.name, detail=detail)]


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

    def check(path: str) -> Finding | None:
        payload_hash, byte_count = expected[path]
        full = bronze / path
        size = full.stat().st_size
        if size != byte_count:
            return Finding(kind=FindingKind.PAYLOAD_CHANGED, subject=path, detail=f"{size} bytes instead of {byte_count}")
        if file_hash(full) != payload_hash:
            return Finding(kind=FindingKind.PAYLOAD_CHANGED, subject=path, detail="other bytes of the same number")
        return None

    with ThreadPoolExecutor(_THREADS) as pool:
        return [finding for finding in pool.map(check, paths) if finding is not None]


def expected_payloads(journals: Journals, manifest: Sequence[BronzeManifestRow]) -> dict[str, tuple[str, int]]:
    """Hash and size per path; where both know a payload, the journal is believed, because it stands beside it."""
    rows = [*manifest, *(line.row for line in journals.lines.values())]
    return {row.rel_path: (row.payload_hash, row.content_length_bytes) for row in rows}

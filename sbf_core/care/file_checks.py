"""Files against what journals and manifest say of them."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import attrs
import duckdb

from sbf_core.atomic_file import file_hash, small_file
from sbf_core.bronze.listing import payload_files, relative
from sbf_core.bronze.stored import Stored, is_record_whole, put_back_bytes
from sbf_core.care.findings import Finding, FindingKind
from sbf_core.counted import counted
from sbf_core.duck.config import DuckDbConfig
from sbf_core.value import Value

_THREADS = 4
_HEADER_BYTES = 3 * 4096
#: Reading one costs more than hashing it.
_SMALL_BYTES = 65_536


def bytes_behind(config: DuckDbConfig, conn: duckdb.DuckDBPyConnection) -> list[Finding]:
    """Bytes behind the last block of the database: DuckDB writes none there, and cuts the file at each checkpoint.

    A run that died may leave some, until the next one: then nothing is said. The form of the file: three headers of
    4,096 bytes, then blocks of one size (https://duckdb.org/docs/stable/internals/storage.html).
    """
    if config.holder.exists() or config.database.with_name(f"{config.database.name}.wal").exists():
        return []
    sizes = conn.execute(
        "SELECT block_size, total_blocks FROM pragma_database_size() WHERE database_name = current_database()"
    ).fetchone()
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
class Listed(Value):
    """What a look at the folder found.

    Attributes:
        findings: files that are missing, unknown, or no files.
        there: paths of payloads that are there and can be read.
    """

    findings: tuple[Finding, ...]
    there: tuple[str, ...]


def compare_listing(bronze: Path, expected: Mapping[str, Stored], *, quarantined: frozenset[str]) -> Listed:
    """The names in the folder against the payloads that should be there.

    Args:
        bronze: the folder.
        expected: hash, size and place per path.
        quarantined: paths of payloads that repair has moved aside, so that their absence is known.
    """
    findings: list[Finding] = []
    there: list[str] = []
    seen: set[str] = set()
    ends = _pack_ends(expected)
    sizes: dict[str, int] = {}
    for entry in payload_files(bronze):
        path = relative(bronze, entry)
        is_file = entry.is_file(follow_symlinks=False)
        if path in ends and is_file:
            sizes[path] = entry.stat().st_size
        elif path not in expected:
            what = "no file, in the place of a pack" if path in ends else "neither journal nor manifest knows it"
            findings.append(Finding(kind=FindingKind.FILE_UNKNOWN, subject=path, detail=what))
        elif is_file:
            seen.add(path)
            there.append(path)
        else:
            seen.add(path)
            detail = "a link, not a file" if entry.is_symlink() else "no regular file"
            findings.append(Finding(kind=FindingKind.PAYLOAD_NO_FILE, subject=path, detail=detail))
    for path in sorted(expected.keys() - seen):
        stored = expected[path]
        if stored.pack and stored.end <= sizes.get(stored.pack, -1):
            there.append(path)
            continue
        detail = "its damaged bytes are in quarantine" if path in quarantined else _why_missing(stored, sizes)
        findings.append(Finding(kind=FindingKind.PAYLOAD_MISSING, subject=path, detail=detail))
    for pack, size in sizes.items():
        if size > ends[pack]:
            detail = f"{counted(size - ends[pack], 'byte')} behind the last payload that a journal names"
            findings.append(Finding(kind=FindingKind.PACK_LONGER, subject=pack, detail=detail))
    return Listed(findings=tuple(findings), there=tuple(sorted(there)))


def _pack_ends(expected: Mapping[str, Stored]) -> dict[str, int]:
    """Where the last payload of each pack ends."""
    ends: dict[str, int] = {}
    for stored in expected.values():
        if stored.pack:
            ends[stored.pack] = max(stored.end, ends.get(stored.pack, 0))
    return ends


def _why_missing(stored: Stored, sizes: Mapping[str, int]) -> str:
    if not stored.pack:
        return "the file is gone"
    return f"its pack {stored.pack} {'ends before it' if stored.pack in sizes else 'is gone'}"


def check_contents(bronze: Path, paths: Sequence[str], expected: Mapping[str, Stored]) -> list[Finding]:
    """The bytes of some payloads against what was recorded."""
    small = [path for path in paths if expected[path].byte_count <= _SMALL_BYTES]
    large = [path for path in paths if expected[path].byte_count > _SMALL_BYTES]
    findings = [_changed(bronze, path, expected[path]) for path in small]
    if large:  # over small ones threads only wait for each other
        with ThreadPoolExecutor(_THREADS) as pool:
            findings += pool.map(lambda path: _changed(bronze, path, expected[path]), large)
    return [finding for finding in findings if finding is not None]


def _changed(bronze: Path, path: str, stored: Stored) -> Finding | None:
    if stored.pack:
        return _changed_in_pack(bronze, path, stored)
    full, byte_count = f"{bronze}{os.sep}{path}", stored.byte_count
    if byte_count <= _SMALL_BYTES:  # one byte more would be read of a file that is longer
        content = small_file(full, byte_count)
        same_size, found_hash = len(content) == byte_count, hashlib.sha256(content).hexdigest()
    else:
        same_size = Path(full).stat().st_size == byte_count
        found_hash = file_hash(full) if same_size else ""
    if not same_size:
        size = Path(full).stat().st_size
        return Finding(kind=FindingKind.PAYLOAD_CHANGED, subject=path, detail=f"{size} bytes instead of {byte_count}")
    if found_hash != stored.payload_hash:
        return Finding(kind=FindingKind.PAYLOAD_CHANGED, subject=path, detail="other bytes of the same number")
    return None


def _changed_in_pack(bronze: Path, path: str, stored: Stored) -> Finding | None:
    """A payload whose record in its pack is damaged may have been put back as a file of its own."""
    if os.path.lexists(f"{bronze}{os.sep}{path}"):
        if put_back_bytes(bronze, path, stored) is not None:
            return None
        detail = f"stands beside {stored.pack}, which holds the payload, and has other bytes"
        return Finding(kind=FindingKind.PAYLOAD_CHANGED, subject=path, detail=detail)
    try:
        if is_record_whole(bronze, path, stored):
            return None
    except FileNotFoundError:
        pass  # it is gone since it was listed
    detail = f"its record in {stored.pack}, at byte {stored.offset:,}, is not what was written"
    return Finding(kind=FindingKind.PAYLOAD_CHANGED, subject=path, detail=detail)

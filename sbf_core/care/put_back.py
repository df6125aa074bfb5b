"""Put payloads and journals back: from other places where the same bytes are, and from what the ledger knows."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from sbf_core.atomic_file import file_hash, write_whole
from sbf_core.bronze.journal import journal_path, rewrite_journal, salvaged_lines
from sbf_core.bronze.journal_line import JournalLine
from sbf_core.bronze.listing import payload_files
from sbf_core.bronze.paths import JOURNAL_FOLDER
from sbf_core.bronze.quarantine import QuarantineReason, copy_to_quarantine, move_to_quarantine
from sbf_core.duck.config import DuckDbConfig
from sbf_core.errors import DamageFound
from sbf_core.ops.rows import BronzeManifestRow
from sbf_core.safe_paths import inside


def set_damaged_aside(config: DuckDbConfig, paths: Iterable[str]) -> None:
    """Move what stands in the place of payloads, and is not what was recorded, to quarantine."""
    for path in paths:
        folder, _, name = path.rpartition("/")
        place = (
            inside(config.bronze, folder) if folder else config.bronze
        ) / name  # a link in its own place is moved, one on the way is not followed
        if os.path.lexists(place):
            move_to_quarantine(config.quarantine, place, original=path, reason=QuarantineReason.DAMAGED)


def set_foreign_aside(config: DuckDbConfig, paths: Iterable[str]) -> None:
    """Move files that nobody knows to quarantine."""
    for path in paths:
        if os.path.lexists(config.bronze / path):
            move_to_quarantine(config.quarantine, config.bronze / path, original=path, reason=QuarantineReason.FOREIGN)


def put_back(config: DuckDbConfig, wanted: Mapping[str, str], *, sources: Sequence[Path]) -> list[str]:
    """Copy payloads from where their bytes are found: first at the same path of a source, then anywhere in it.

    Args:
        config: where the home is.
        wanted: path below Bronze to SHA-256.
        sources: Bronze folders of other homes or backups, and the quarantine.

    Returns:
        The paths that are whole again.
    """
    restored: list[str] = []
    missing = dict(wanted)
    for source in sources:
        for path, payload_hash in list(missing.items()):
            if _holds(source, path, payload_hash):
                write_whole(inside(config.bronze, path), (source / path).read_bytes(), mode=0o400)
                restored.append(path)
                del missing[path]
        by_hash = {payload_hash: path for path, payload_hash in missing.items()}
        for entry in payload_files(source) if by_hash else ():
            if not entry.is_file(follow_symlinks=False):
                continue
            path = by_hash.get(file_hash(Path(entry.path)), "")
            if path in missing:
                write_whole(inside(config.bronze, path), Path(entry.path).read_bytes(), mode=0o400)
                restored.append(path)
                del missing[path]
    return sorted(restored)


def _holds(bronze: Path, path: str, payload_hash: str) -> bool:
    """Whether a Bronze folder has these bytes in that place, without a link on the way."""
    try:
        place = inside(bronze, path)
    except DamageFound:
        return False
    return place.is_file() and file_hash(place) == payload_hash


def write_journal_again(config: DuckDbConfig, run_id: str, recorded: Sequence[BronzeManifestRow]) -> int:
    """A whole journal from what can be read of a damaged one and from what the ledger knows;
    returns its number of lines.

    The ledger is believed before a line whose checksum is wrong. A line that the ledger does not know counts where its
    payload is there with the hash that the line names.
    """
    path = journal_path(config.bronze, run_id)
    salvaged: dict[str, JournalLine] = {}
    if os.path.lexists(path) and not path.is_symlink() and not path.is_file():  # a folder, or a pipe
        move_to_quarantine(
            config.quarantine, path, original=f"{JOURNAL_FOLDER}/{path.name}", reason=QuarantineReason.DAMAGED
        )
    elif path.exists():
        copy_to_quarantine(
            config.quarantine, path, original=f"{JOURNAL_FOLDER}/{path.name}", reason=QuarantineReason.DAMAGED
        )
        salvaged = {line.row.rel_path: line for line in salvaged_lines(path)}
    lines: dict[str, JournalLine] = {}
    for row in recorded:
        known = salvaged.get(row.rel_path)
        lines[row.rel_path] = JournalLine(
            row=row, headers=known.headers if known else {}, masked=known.masked if known else ()
        )
    for rel_path, line in salvaged.items():
        if rel_path not in lines and _holds(config.bronze, rel_path, line.row.payload_hash):
            lines[rel_path] = line
    rewrite_journal(path, list(lines.values()))
    return len(lines)

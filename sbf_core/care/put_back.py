"""Put payloads and journals back: from other places where the same bytes are, and from what the ledger knows."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from sbf_core.atomic_file import file_hash
from sbf_core.bronze.file_reader import stored_of
from sbf_core.bronze.journal import journal_path, rewrite_journal, salvaged_lines
from sbf_core.bronze.journal_line import JournalLine
from sbf_core.bronze.listing import payload_files
from sbf_core.bronze.pack_format import looks_like_pack, payloads_in
from sbf_core.bronze.paths import JOURNAL_FOLDER
from sbf_core.bronze.quarantine import QuarantineReason, copy_to_quarantine, move_to_quarantine
from sbf_core.bronze.stored import Stored, is_right, packed_bytes
from sbf_core.duck.config import DuckDbConfig
from sbf_core.errors import DamageFound
from sbf_core.many_files import FileCopies
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


def put_back(config: DuckDbConfig, wanted: Mapping[str, Stored], *, sources: Sequence[Path]) -> list[str]:
    """Copy payloads from where their bytes are found: first at the same place of a source, then anywhere in it. Each
    becomes a file of its own.

    Args:
        config: where the home is.
        wanted: what is recorded of payloads, by path below Bronze.
        sources: Bronze folders of other homes or backups, and the quarantine.

    Returns:
        The paths that are whole again.
    """
    restored: list[str] = []
    missing = dict(wanted)
    copies = FileCopies(mode=0o400)

    def put(path: str, payload: bytes) -> None:
        copies.put(payload, str(inside(config.bronze, path)))
        restored.append(path)
        del missing[path]

    for source in (config.bronze, *sources):
        for path, stored in list(missing.items()):
            payload = _found(source, path, stored)
            if payload is not None:
                put(path, payload)
        if source == config.bronze:
            continue  # what is in another place there is another payload
        by_hash: dict[str, list[str]] = {}
        for path, stored in missing.items():
            by_hash.setdefault(stored.payload_hash, []).append(path)
        for entry in payload_files(source) if by_hash else ():
            if entry.is_file(follow_symlinks=False):
                for payload_hash, payload in _payloads_of(Path(entry.path), wanted=by_hash):
                    for path in by_hash[payload_hash]:
                        if path in missing:
                            put(path, payload)
    copies.finish()
    return sorted(restored)


def _found(bronze: Path, path: str, stored: Stored) -> bytes | None:
    """The bytes of a payload where a Bronze folder has it, as a file of its own or in its pack; no link is followed."""
    try:
        place = inside(bronze, path)
        if place.is_file() and file_hash(place) == stored.payload_hash:
            return place.read_bytes()
        payload = packed_bytes(bronze, stored) if stored.pack else b""
    except (DamageFound, FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None
    return payload if stored.pack and is_right(stored, payload) else None


def _payloads_of(path: Path, *, wanted: Collection[str]) -> Iterator[tuple[str, bytes]]:
    """What is wanted of a file, with its hash: all of it, or payloads that are packed in it."""
    whole = file_hash(path)
    if whole in wanted:
        yield whole, path.read_bytes()
    elif looks_like_pack(path):  # whatever it is called now
        for payload in payloads_in(path.read_bytes()):
            payload_hash = hashlib.sha256(payload).hexdigest()
            if payload_hash in wanted:
                yield payload_hash, payload


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
        if rel_path not in lines and _found(config.bronze, rel_path, stored_of(line.row)) is not None:
            lines[rel_path] = line
    rewrite_journal(path, list(lines.values()))
    return len(lines)

"""Payloads back from disk, checked against what was recorded."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

from sbf_core.atomic_file import file_hash, small_file
from sbf_core.bronze.stored import Stored, is_right, packed_bytes, put_back_bytes
from sbf_core.errors import DamageFound, SbfError, environment_fault
from sbf_core.ops.rows import BronzeManifestRow
from sbf_core.safe_paths import place_inside

#: What reads a larger one for a page takes longer than a reader waits.
_HASHED_FOR_READERS_MAX = 64 * 1024**2


def read_payload(bronze: Path, row: BronzeManifestRow, *, known: set[str] | None = None) -> bytes:
    """The exact bytes of a payload; for ``known`` see ``place_inside``.

    Raises:
        DamageFound: the file is missing or not what was recorded.
        EnvironmentFault: the system does not let it be read.
    """
    if row.pack:
        return _read_packed(bronze, row, known)
    place, facts = place_inside(bronze, row.rel_path, known)
    try:
        _check_size(place, facts, row)
        payload = small_file(place, row.content_length_bytes)
    except OSError as error:
        raise _unreadable(error, place) from error
    _compare(hashlib.sha256(payload).hexdigest(), row, place)
    return payload


def read_fresh(bronze: Path, row: BronzeManifestRow) -> bytes:
    """As ``read_payload``, of a payload that this process has written: the hash of a file need not be checked again."""
    if row.pack:
        return read_payload(bronze, row)
    return small_file(own_place(bronze, row), row.content_length_bytes)


def own_place(bronze: Path, row: BronzeManifestRow) -> str:
    """Where a payload is, or would be, that is a file of its own; as objects paths cost more than the files."""
    return f"{bronze}{os.sep}{row.rel_path.replace('/', os.sep)}"


def stored_of(row: BronzeManifestRow) -> Stored:
    """What is recorded of the bytes of a payload."""
    return Stored(row.payload_hash, row.content_length_bytes, row.pack, row.pack_offset)


def _read_packed(bronze: Path, row: BronzeManifestRow, known: set[str] | None) -> bytes:
    stored, place = stored_of(row), f"{bronze}{os.sep}{row.pack.replace('/', os.sep)}"
    lost: OSError | None = None
    try:
        payload = packed_bytes(bronze, stored, known=known)
        if is_right(stored, payload):
            return payload
    except OSError as error:
        lost = error
    try:
        payload_again = put_back_bytes(bronze, row.rel_path, stored, known=known)
    except OSError as error:
        raise _unreadable(error, own_place(bronze, row)) from error
    if payload_again is not None:
        return payload_again
    if lost is not None:
        raise _unreadable(lost, place) from lost
    raise DamageFound(
        f"a payload is not what was recorded: {row.rel_path}",
        where=f"{place}, {row.content_length_bytes} bytes from byte {row.pack_offset}",
        fix="run `sbf verify`",
    )


def check_payload(bronze: Path, row: BronzeManifestRow) -> None:
    """Whether a payload is what was recorded; a large one is not held in memory. Raises as ``read_payload`` does."""
    if row.pack:
        read_payload(bronze, row)
        return
    place, facts = place_inside(bronze, row.rel_path)
    try:
        _check_size(place, facts, row)
        actual_hash = file_hash(place)
    except OSError as error:
        raise _unreadable(error, place) from error
    _compare(actual_hash, row, place)


def why_other_bytes(place: Path, payload_hash: str, byte_count: int) -> str:
    """What readers of a payload are to be told where it is not what was recorded; empty where it is, where it cannot be
    read, and where it is too large to be hashed for one page and has its size.
    """
    try:
        size = place.stat().st_size
        same = size == byte_count and (size > _HASHED_FOR_READERS_MAX or file_hash(place) == payload_hash)
    except OSError:
        return ""
    return "" if same else "these are not the bytes that were recorded; see `sbf verify`"


def _check_size(place: str, facts: os.stat_result | None, row: BronzeManifestRow) -> None:
    """Before a byte of it is read: what is no file may never end, and another size says that the bytes are others."""
    if facts is None or getattr(facts, "st_reparse_tag", False):  # e.g. a file of a cloud disk, which is in place
        facts = Path(place).stat()
    if not stat.S_ISREG(facts.st_mode):
        raise DamageFound("in the place of a payload is no file", where=place, fix="run `sbf verify`")
    if facts.st_size != row.content_length_bytes:
        what = f"a payload is not what was recorded: {facts.st_size} bytes instead of {row.content_length_bytes}"
        raise DamageFound(what, where=place, fix="run `sbf verify`")


def _unreadable(error: OSError, place: str) -> SbfError:
    if isinstance(error, (FileNotFoundError, IsADirectoryError, NotADirectoryError)):
        return DamageFound(f"a payload cannot be read: {error.strerror}", where=place, fix="run `sbf verify`")
    return environment_fault(error, doing="a payload cannot be read", where=place)


def _compare(actual_hash: str, row: BronzeManifestRow, place: str) -> None:
    if actual_hash != row.payload_hash:
        raise DamageFound("a payload is not what was recorded", where=place, fix="run `sbf verify`")

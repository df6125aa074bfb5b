"""The form of a pack: many small payloads in one file, each byte for byte.

A pack is a WARC file (ISO 28500:2017, https://iipc.github.io/warc-specifications/), so that other programs can list
and unpack it. Its first record says what the file is; then follows one record a payload, of the type ``resource``:
a head, the payload, and two empty lines. A head says nothing that path, hash and size of the payload do not say, so
that every byte of a pack can be checked.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

#: A pack that has reached this size gets no further payload.
PACK_BYTES_MAX = 16 * 1024**2
#: Larger payloads are files of their own.
PACKED_BYTES_MAX = 64 * 1024
#: What follows each record.
TRAILER = b"\r\n\r\n"
#: As ``bronze.paths`` writes the moment of a payload.
_STAMP = re.compile(r"(....)(..)(..)T(..)(..)(..)(.{6})Z-")
_TYPES = {
    "json": "application/json", "csv": "text/csv", "xml": "application/xml", "txt": "text/plain",
    "html": "text/html", "zip": "application/zip",
}  # fmt: skip
_RECORD = re.compile(
    rb"WARC/1\.1\r\nWARC-Type: resource\r\n(?:[A-Za-z-]+: [^\r\n]{0,4096}\r\n){1,20}?"
    rb"Content-Length: ([0-9]{1,9})\r\n\r\n"
)
_BEGIN = b"WARC/1.1\r\n"
_ABOUT = b"software: sbf\r\nformat: WARC File Format 1.1\r\n"


def pack_head(pack: str, first: str) -> bytes:
    """The record that a pack begins with; ``first`` is the path of its first payload."""
    name = pack.rpartition("/")[2]
    return (
        f"WARC/1.1\r\nWARC-Type: warcinfo\r\nWARC-Record-ID: {_record_id(pack)}\r\nWARC-Date: {_date(first)}\r\n"
        f"WARC-Filename: {name}\r\nContent-Type: application/warc-fields\r\nContent-Length: {len(_ABOUT)}\r\n\r\n"
    ).encode() + _ABOUT + TRAILER  # fmt: skip


def record_head(rel_path: str, payload_hash: str, byte_count: int) -> bytes:
    """What stands before a payload: ``rel_path`` is its path below Bronze."""
    kind = _TYPES.get(rel_path.rpartition(".")[2], "application/octet-stream")
    return (
        f"WARC/1.1\r\nWARC-Type: resource\r\nWARC-Record-ID: {_record_id(rel_path)}\r\nWARC-Date: {_date(rel_path)}\r\n"
        f"WARC-Target-URI: file:///{rel_path}\r\nContent-Type: {kind}\r\n"
        f"WARC-Block-Digest: sha256:{payload_hash}\r\nContent-Length: {byte_count}\r\n\r\n"
    ).encode()


def looks_like_pack(path: Path) -> bool:
    """Whether a file begins as a pack does, and is no larger than one can be."""
    with path.open("rb") as file:
        return file.read(len(_BEGIN)) == _BEGIN and path.stat().st_size <= 2 * PACK_BYTES_MAX


def payloads_in(pack: bytes) -> Iterator[bytes]:
    """The payloads that can be found in the bytes of a pack, whatever a journal says; those behind damage, too."""
    at = 0
    while (head := _RECORD.search(pack, at)) is not None:
        end = head.end() + int(head[1])
        is_whole = pack[end : end + len(TRAILER)] == TRAILER
        if is_whole:
            yield pack[head.end() : end]
        at = end if is_whole else head.end()


def _record_id(path: str) -> str:
    """A UUID of the eighth version (RFC 9562), made of the path, so that the same payload has the same one anywhere."""
    digits = hashlib.sha256(path.encode()).hexdigest()
    variant = "89ab"[int(digits[16], 16) & 3]
    parts = (digits[:8], digits[8:12], f"8{digits[13:16]}", f"{variant}{digits[17:20]}", digits[20:32])
    return f"<urn:uuid:{'-'.join(parts)}>"


def _date(rel_path: str) -> str:
    found = _STAMP.match(rel_path.rpartition("/")[2])
    if found is None:
        return "1970-01-01T00:00:00Z"
    year, month, day, hour, minute, second, fraction = found.groups()
    return f"{year}-{month}-{day}T{hour}:{minute}:{second}.{fraction}Z"

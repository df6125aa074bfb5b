"""Where the bytes of a payload are: in a file of its own, or in a pack; and where they were put back."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import attrs

from sbf_core.atomic_file import small_file
from sbf_core.bronze.pack_format import TRAILER, pack_head, record_head
from sbf_core.safe_paths import inside, place_inside
from sbf_core.value import Value

_PACK_HEAD_BYTES_MAX = 2048


@attrs.frozen
class Stored(Value):
    """What is recorded of the bytes of a payload.

    Attributes:
        payload_hash: SHA-256, 64 hex digits.
        byte_count: how many they are.
        pack: the pack that holds them, below Bronze; empty: a file of their own.
        offset: of the first of them in the pack.
    """

    payload_hash: str
    byte_count: int
    pack: str = ""
    offset: int = 0

    @property
    def end(self) -> int:
        """Where the record ends in the pack."""
        return self.offset + self.byte_count + len(TRAILER)


def is_right(stored: Stored, payload: bytes) -> bool:
    """Whether bytes are those of a payload."""
    return len(payload) == stored.byte_count and hashlib.sha256(payload).hexdigest() == stored.payload_hash


def packed_bytes(bronze: Path, stored: Stored, *, known: set[str] | None = None) -> bytes:
    """The bytes that stand in the place of a packed payload, be it fewer than there should be.

    Raises:
        OSError: the pack cannot be read.
        DamageFound: the way to it leads elsewhere.
    """
    return _piece(place_inside(bronze, stored.pack, known)[0], stored.offset, stored.byte_count)


def put_back_bytes(bronze: Path, rel_path: str, stored: Stored, *, known: set[str] | None = None) -> bytes | None:
    """The bytes of a packed payload that were put back as a file of their own, because the pack has them no longer;
    None where there are none that are right.
    """
    place, facts = place_inside(bronze, rel_path, known)
    if facts is None or not stat.S_ISREG(facts.st_mode) or facts.st_size != stored.byte_count:
        return None
    payload = small_file(place, stored.byte_count)
    return payload if is_right(stored, payload) else None


def seems_there(bronze: Path, rel_path: str, stored: Stored, *, known: set[str] | None = None) -> bool:
    """Whether a payload is there, by the size of its file, or of its pack.

    Raises:
        OSError: neither is there, or can be looked at.
        DamageFound: the way to it leads elsewhere.
    """
    if stored.pack:
        _, facts = place_inside(bronze, stored.pack, known)
        if facts is not None and facts.st_size >= stored.end:
            return True
    return Path(place_inside(bronze, rel_path, known)[0]).stat().st_size == stored.byte_count


def is_there(bronze: Path, rel_path: str, stored: Stored) -> bool:
    """As ``seems_there``; False where neither can be found."""
    try:
        return seems_there(bronze, rel_path, stored)
    except (FileNotFoundError, NotADirectoryError):
        return False


def is_record_whole(bronze: Path, rel_path: str, stored: Stored) -> bool:
    """Whether the record of a packed payload is byte for byte what was written, with its head, and before the first one
    that of the pack. Raises ``OSError``.
    """
    head = _head_of(rel_path, stored)
    begin = stored.offset - len(head)
    record = _piece(f"{bronze}{os.sep}{stored.pack}", begin, stored.end - begin) if begin >= 0 else b""
    return _is_whole(record, head, stored)


def is_record_whole_in(pack: bytes, rel_path: str, stored: Stored) -> bool:
    """The same, of the bytes of a pack."""
    head = _head_of(rel_path, stored)
    begin = stored.offset - len(head)
    return begin >= 0 and _is_whole(pack[begin : stored.end], head, stored)


def _head_of(rel_path: str, stored: Stored) -> bytes:
    head = record_head(rel_path, stored.payload_hash, stored.byte_count)
    begin = stored.offset - len(head)
    if 0 < begin < _PACK_HEAD_BYTES_MAX and begin == len(of_pack := pack_head(stored.pack, rel_path)):
        return of_pack + head
    return head


def _is_whole(record: bytes, head: bytes, stored: Stored) -> bool:
    return (
        len(record) == len(head) + stored.byte_count + len(TRAILER)
        and record.startswith(head)
        and record.endswith(TRAILER)
        and is_right(stored, record[len(head) : -len(TRAILER)])
    )


@contextmanager
def as_file(bronze: Path, rel_path: str, stored: Stored) -> Iterator[Path]:
    """A payload as a file to look into: its own, or one that is there meanwhile with the bytes that the pack holds, be
    they right or not; the pack, where it cannot be read.

    Raises ``DamageFound`` where the way to it leads elsewhere.
    """
    if not stored.pack:
        yield inside(bronze, rel_path)
        return
    try:
        payload = packed_bytes(bronze, stored)
        if not is_right(stored, payload):
            payload = put_back_bytes(bronze, rel_path, stored) or payload
    except OSError:
        again = put_back_bytes(bronze, rel_path, stored)
        if again is None:
            yield inside(bronze, stored.pack)
            return
        payload = again
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / rel_path.rpartition("/")[2]
        place.write_bytes(payload)
        yield place


def _piece(path: str, offset: int, byte_count: int) -> bytes:
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0))
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):  # a pipe would wait for whoever writes into it
            raise FileNotFoundError(errno.ENOENT, "it is no file", path)
        os.lseek(handle, offset, os.SEEK_SET)
        piece = os.read(handle, byte_count)
        while len(piece) < byte_count and (more := os.read(handle, byte_count - len(piece))):
            piece += more
        return piece
    finally:
        os.close(handle)

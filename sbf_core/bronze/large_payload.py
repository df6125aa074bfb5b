"""A payload that is too large for memory: from its file to a temporary one, hashed on the way."""

from __future__ import annotations

import hashlib
import os
import stat
from concurrent.futures import Future, ThreadPoolExecutor
from io import FileIO
from pathlib import Path

from sbf_core.atomic_file import CAN_SYNC_LATER, file_hash, write_all
from sbf_core.errors import PayloadRefused

_PIECE_BYTES = 1 << 20
#: The disk is asked to keep what is written while more of it comes: at the end there is little to wait for.
_SYNC_EACH_BYTES = 64 << 20


class SourceRefused(PayloadRefused):
    """A file cannot be taken as it is: it cannot be read, is none, or another program writes it."""


def copy_payload(source: Path, handle: int, *, durable: bool) -> tuple[str, int]:
    """Copy a file into an open one.

    Args:
        source: it must stay as it is meanwhile.
        handle: what it is written to.
        durable: have the disk keep it soon; who needs to know that it does asks for it at the end.

    Returns:
        The SHA-256 of the bytes, and how many they are.

    Raises:
        SourceRefused: the file cannot be read, is none, or changed meanwhile.
        OSError: it cannot be written.
    """
    # one thread to hash, for pieces come in their order; another one waits for the disk
    with _opened(source) as file, ThreadPoolExecutor(1) as hasher, ThreadPoolExecutor(1) as syncer:
        before = os.fstat(file.fileno())
        if not stat.S_ISREG(before.st_mode):
            raise _refused(source, "it is no file")
        digest, count, unsynced = hashlib.sha256(), 0, 0
        hashing: list[Future[None] | None] = [None, None]
        syncing: Future[None] | None = None
        pieces = [memoryview(bytearray(_PIECE_BYTES)) for _ in hashing]
        turn = 0
        while True:
            waited_for = hashing[turn]
            if waited_for is not None:
                waited_for.result()  # its piece is free again
            size = _read_into(file, pieces[turn], source)
            if not size:
                break
            piece = pieces[turn][:size]
            hashing[turn] = hasher.submit(digest.update, piece)
            write_all(handle, piece, point="bronze.half")
            count, unsynced = count + size, unsynced + size
            if durable and CAN_SYNC_LATER and unsynced >= _SYNC_EACH_BYTES and (syncing is None or syncing.done()):
                syncing, unsynced = syncer.submit(os.fsync, handle), 0
            turn = 1 - turn
        for waited_for in (*hashing, syncing):
            if waited_for is not None:
                waited_for.result()
        after = os.fstat(file.fileno())
        if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns) or count != after.st_size:
            raise _refused(source, "it changed while it was read; run again when nothing writes it")
        return digest.hexdigest(), count


def hash_source(source: Path) -> str:
    """The SHA-256 of a file's bytes. Raises ``SourceRefused``."""
    try:
        return file_hash(source)
    except OSError as error:
        raise _refused(source, error.strerror or str(error)) from error


def _opened(source: Path) -> FileIO:
    try:
        return source.open("rb", buffering=0)
    except OSError as error:
        raise _refused(source, error.strerror or str(error)) from error


def _read_into(file: FileIO, piece: memoryview, source: Path) -> int:
    try:
        return file.readinto(piece)
    except OSError as error:
        raise _refused(source, error.strerror or str(error)) from error


def _refused(source: Path, why: str) -> SourceRefused:
    return SourceRefused(f"file {source}: {why}")

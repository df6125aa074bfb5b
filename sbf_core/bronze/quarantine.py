"""Files that must not stay in Bronze: moved aside with a record, never deleted.

A file goes to ``<home>/quarantine/<reason>/<its path below Bronze>``, so that the place says everything that the
record in the ledger says, and a crash between the two loses nothing.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

import attrs

from sbf_core.atomic_file import file_hash, write_whole
from sbf_core.value import Value

#: ``#2`` behind a name says that the place was taken; no encoded name holds a ``#``.
_COPY = re.compile(r"#[0-9]+$")


class QuarantineReason(StrEnum):
    """Why a file was moved."""

    #: A temporary file: a crash stopped its writing.
    HALF_WRITTEN = "half_written"
    #: A payload without a line in any journal: a crash came before the line.
    ORPHAN = "orphan"
    #: The cut-off last line of a journal.
    TORN_LINE = "torn_line"
    #: Nothing that sbf wrote.
    FOREIGN = "foreign"
    #: What a vendor sent with a status of 200 although it is no data.
    NO_DATA = "no_data"
    #: Not the bytes that were recorded.
    DAMAGED = "damaged"
    #: The database and its log: a crash left a block that cannot be read.
    DAMAGED_DATABASE = "damaged_database"


@attrs.frozen(kw_only=True)
class QuarantinedFile(Value):
    """One file in quarantine.

    Attributes:
        quarantine_path: where it is, below the quarantine folder, with ``/``.
        original_path: where it was, below Bronze, with ``/``.
        reason: why it was moved.
        payload_hash: SHA-256 of its bytes, 64 hex digits; of the target's name for a symbolic link.
        content_length_bytes: its size.
    """

    quarantine_path: str
    original_path: str
    reason: str
    payload_hash: str
    content_length_bytes: int


def _free_place(folder: Path, original: str) -> Path:
    target = folder / original
    number = 1
    while os.path.lexists(target):
        number += 1
        target = folder / f"{original}#{number}"
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return target


def move_to_quarantine(quarantine: Path, path: Path, *, original: str, reason: QuarantineReason) -> Path:
    """Move a file; returns its new place. A name that is taken gets a number: nothing is overwritten."""
    target = _free_place(quarantine / reason, original)
    try:
        path.rename(target)
    except OSError:
        shutil.move(path, target)  # another file system
    return target


def put_in_quarantine(quarantine: Path, content: bytes, *, original: str, reason: QuarantineReason) -> Path:
    """Write bytes that are about to be taken out of a file; returns their place.

    The same bytes are not written twice.
    """
    before = quarantine / reason / original
    if before.is_file() and before.read_bytes() == content:
        return before
    target = _free_place(quarantine / reason, original)
    write_whole(target, content)
    return target


def copy_to_quarantine(quarantine: Path, path: Path, *, original: str, reason: QuarantineReason) -> Path:
    """Copy a file of any size that is about to be written again; returns its place.

    The same bytes are not kept twice.
    """
    before = quarantine / reason / original
    if (
        before.is_file()
        and before.stat().st_size == path.lstat().st_size
        and not path.is_symlink()
        and file_hash(before) == file_hash(path)
    ):
        return before
    target = _free_place(quarantine / reason, original)
    fresh = target.with_name(f".{target.name}.tmp")
    fresh.unlink(missing_ok=True)
    shutil.copyfile(path, fresh, follow_symlinks=False)
    if not fresh.is_symlink():
        fresh.chmod(0o600)
    fresh.replace(target)
    return target


def _facts(path: Path) -> tuple[str, int]:
    if path.is_symlink():
        name = os.fsencode(path.readlink())
        return hashlib.sha256(name).hexdigest(), len(name)
    if not path.is_file():
        return hashlib.sha256().hexdigest(), 0  # a pipe or a device: it has no bytes of its own
    return file_hash(path), path.stat().st_size


def quarantined_files(quarantine: Path, *, known: frozenset[str] = frozenset()) -> Iterator[QuarantinedFile]:
    """Every file in quarantine but those whose ``quarantine_path`` is known, in the order of their paths."""
    for path in sorted(quarantine.rglob("*")):
        place = path.relative_to(quarantine).as_posix()
        if place in known or (path.is_dir() and not path.is_symlink()):
            continue
        reason, _, original = place.partition("/")
        payload_hash, byte_count = _facts(path)
        yield QuarantinedFile(
            quarantine_path=place,
            original_path=_COPY.sub("", original),
            reason=reason,
            payload_hash=payload_hash,
            content_length_bytes=byte_count,
        )

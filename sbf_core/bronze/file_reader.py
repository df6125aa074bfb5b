"""Payloads back from disk, checked against what was recorded."""

from __future__ import annotations

import hashlib
import stat
from pathlib import Path

from sbf_core.errors import DamageFound, SbfError, environment_fault
from sbf_core.inside import inside
from sbf_core.ops.rows import BronzeManifestRow


def read_payload(bronze: Path, row: BronzeManifestRow) -> bytes:
    """The exact bytes of a payload.

    Raises:
        DamageFound: the file is missing or not what was recorded.
        EnvironmentFault: the system does not let it be read.
    """
    path = inside(bronze, row.rel_path)
    try:
        _check_size(path, row)
        payload = path.read_bytes()
    except OSError as error:
        raise _unreadable(error, path) from error
    _compare(hashlib.sha256(payload).hexdigest(), row, path)
    return payload


def check_payload(bronze: Path, row: BronzeManifestRow) -> None:
    """Whether a payload is what was recorded, without holding it in memory. Raises as ``read_payload`` does."""
    path = inside(bronze, row.rel_path)
    try:
        _check_size(path, row)
        with path.open("rb") as stream:
            found = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise _unreadable(error, path) from error
    _compare(found, row, path)


def _check_size(path: Path, row: BronzeManifestRow) -> None:
    """Before a byte of it is read: what is no file may never end, and another size says that the bytes are others."""
    facts = path.stat()
    if not stat.S_ISREG(facts.st_mode):
        raise DamageFound("in the place of a payload is no file", where=str(path), fix="run `sbf verify`")
    if facts.st_size != row.content_length_bytes:
        what = f"a payload is not what was recorded: {facts.st_size} bytes instead of {row.content_length_bytes}"
        raise DamageFound(what, where=str(path), fix="run `sbf verify`")


def _unreadable(error: OSError, path: Path) -> SbfError:
    if isinstance(error, (FileNotFoundError, IsADirectoryError, NotADirectoryError)):
        return DamageFound(f"a payload cannot be read: {error.strerror}", where=str(path), fix="run `sbf verify`")
    return environment_fault(error, doing="a payload cannot be read", where=str(path))


def _compare(found: str, row: BronzeManifestRow, path: Path) -> None:
    if found != row.payload_hash:
        raise DamageFound("a payload is not what was recorded", where=str(path), fix="run `sbf verify`")

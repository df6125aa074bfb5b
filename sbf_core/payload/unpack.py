"""Wrappings: the bytes of a payload that came as zip or gzip, unpacked into a file.

Sources: APPNOTE.TXT of PKWARE for zip, RFC 1952 for gzip, which may have several members.
"""

from __future__ import annotations

import gzip
import zipfile
import zlib
from fnmatch import fnmatchcase
from pathlib import Path
from typing import IO

from sbf_core.duck.engine_errors import is_inputs_fault
from sbf_core.errors import PayloadRefused, environment_fault

#: What is unpacked may not be larger, nor this many times larger than what was packed.
UNPACKED_BYTES_MAX = 2 * 1024**3
UNPACKED_RATIO_MAX = 200
#: Below this size the ratio says nothing: a short text of one letter shrinks more.
_FREE_BYTES = 1 << 20
_STEP_BYTES = 1 << 20
GZIP, ZIP, TAR = ".gz", "zip", "tar"


def is_packed(extension: str) -> bool:
    """Whether payloads of this kind are unpacked before they are read."""
    return extension == ZIP or extension.endswith(GZIP)


def unpacked(path: Path, extension: str, *, member: str, target: Path) -> tuple[Path, str]:
    """Unpack a payload, where it is packed.

    Args:
        path: the payload.
        extension: what it is stored as: ``zip``, one that ends with ``.gz``, or another, which is not packed.
        member: for a zip, the name of the wanted file in it, or a pattern such as ``*.csv``; empty: the only one.
        target: the file to write, without its extension.

    Returns:
        Where the bytes are, and their extension.

    Raises:
        PayloadRefused: it is cut, no such archive, a bomb, or holds no or several such files.
        EnvironmentFault: the disk has no room for it.
    """
    try:
        if extension == ZIP:
            return _unzipped(path, member, target)
        if extension.endswith(GZIP):
            return _gunzipped(path, extension.removesuffix(GZIP), target)
    except (zipfile.BadZipFile, EOFError, NotImplementedError, OSError, RuntimeError, zlib.error) as error:
        if not is_inputs_fault(error):  # the payload may be fine: it stays to be promoted
            raise environment_fault(error, doing="a payload cannot be unpacked", where=str(target.parent)) from error
        raise PayloadRefused(f"is packed and cannot be unpacked: {error}") from error
    return path, extension


def check_unpacked_size(archive: zipfile.ZipFile, path: Path) -> None:
    """Raise ``PayloadRefused`` where the parts of an archive that is read as a whole would be too much together, by its
    own word.
    """
    byte_count, packed_bytes = sum(info.file_size for info in archive.infolist()), path.stat().st_size
    if byte_count > bytes_most(path):
        raise PayloadRefused(f"unpacks to {byte_count:,} bytes from {packed_bytes:,}, which is refused as a bomb")


def _unzipped(path: Path, member: str, target: Path) -> tuple[Path, str]:
    with zipfile.ZipFile(path) as archive:
        files = [info for info in archive.infolist() if not info.is_dir()]
        wanted = [info for info in files if not member or info.filename == member] or [
            info for info in files if fnmatchcase(info.filename, member)
        ]
        if len(wanted) != 1:
            names = ", ".join(info.filename for info in files[:8])
            what = "none of them is" if not wanted else f"{len(wanted)} of them are"
            raise PayloadRefused(
                f"the zip holds {len(files)} files, {what} {member or 'the one'!r}: {names}",
                fix="declare member=, the name of one of them or a pattern",
            )
        extension = wanted[0].filename.rpartition(".")[2].lower() if "." in wanted[0].filename else ""
        out = _in(target, extension)
        with archive.open(wanted[0]) as packed:
            copied(packed, out, most=bytes_most(path), packed_bytes=path.stat().st_size)
    return out, extension


def _gunzipped(path: Path, extension: str, target: Path) -> tuple[Path, str]:
    out = _in(target, extension)
    with gzip.open(path, "rb") as packed:  # reads all members, and refuses bytes behind them
        copied(packed, out, most=bytes_most(path), packed_bytes=path.stat().st_size)
    return out, extension


def _in(target: Path, extension: str) -> Path:
    return target.with_name(f"{target.name}.{extension}" if extension else target.name)


def bytes_most(path: Path) -> int:
    """The most that a packed payload may unpack to."""
    return min(UNPACKED_BYTES_MAX, max(_FREE_BYTES, UNPACKED_RATIO_MAX * path.stat().st_size))


def copied(packed: IO[bytes] | gzip.GzipFile, out: Path, *, most: int, packed_bytes: int) -> int:
    """Copy under a cap; returns how many bytes there are. What a zip says of its own sizes is not believed.

    Raises:
        PayloadRefused: they are more.
    """
    written = 0
    with out.open("wb") as plain:
        while piece := packed.read(_STEP_BYTES):
            written += len(piece)
            if written > most:
                raise PayloadRefused(
                    f"unpacks to more than {most:,} bytes from {packed_bytes:,}, which is refused as a bomb"
                )
            plain.write(piece)
    return written

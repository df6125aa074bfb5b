"""Archives with many members: each is written into a file of our own choosing, and read like a payload.

Sources: APPNOTE.TXT of PKWARE for zip, POSIX 1003.1 (pax) for tar, by what Python has.
"""

from __future__ import annotations

import gzip
import io
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import IO

import attrs

from sbf_core.dataset.archive import Archive
from sbf_core.dataset.name_pattern import matches
from sbf_core.duck.engine_errors import is_inputs_fault
from sbf_core.errors import PayloadRefused, environment_fault, printable
from sbf_core.payload.unpack import GZIP, TAR, ZIP, bytes_most, copied, is_packed, unpacked
from sbf_core.value import Value

#: Of more members there is no archive of data.
_MEMBERS_MAX = 100_000
_NAMES_SHOWN = 5


@attrs.frozen(kw_only=True)
class Member(Value):
    """A member that was unpacked.

    Attributes:
        name: in the archive.
        path: the file.
        extension: of its bytes.
    """

    name: str
    path: Path
    extension: str


@attrs.frozen(kw_only=True)
class _Packed(Value):
    """A member as it is in the archive; ``why_not`` says why it is no plain file."""

    name: str
    why_not: str
    opened: Callable[[], IO[bytes]]


def members_of(path: Path, extension: str, archive: Archive, *, target: Path) -> list[Member]:
    """Unpack the members of an archive that are wanted, in the order of their names.

    Args:
        path: the archive.
        extension: what it is stored as.
        archive: says which members are wanted.
        target: the files are called so, with a number behind.

    Raises:
        PayloadRefused: it is cut, no archive, a bomb, or holds no such member, or one that is no plain file.
        EnvironmentFault: the disk has no room for it.
    """
    most, packed_bytes = bytes_most(path), path.stat().st_size
    if extension not in (ZIP, TAR) and is_packed(extension):
        path, extension = unpacked(path, extension, member="", target=target.with_name(f"{target.name}.archive"))
    try:
        with _opened(path, extension) as packed:
            wanted = _wanted(packed, archive)
            found = []
            for number, one in enumerate(wanted):
                ending = one.name.rpartition("/")[2].rpartition(".")[2].lower() if "." in one.name else ""
                out = target.with_name(f"{target.name}.m{number}.{ending}")
                with one.opened() as plain:
                    most -= copied(plain, out, most=most, packed_bytes=packed_bytes)
                found.append(Member(name=one.name, path=out, extension=ending))
    except (zipfile.BadZipFile, tarfile.TarError, EOFError, NotImplementedError, OSError, RuntimeError, zlib.error,
            UnicodeError) as error:  # fmt: skip
        if not is_inputs_fault(error):  # the payload may be fine: it stays to be promoted
            raise environment_fault(error, doing="a payload cannot be unpacked", where=str(target.parent)) from error
        raise PayloadRefused(f"is packed and cannot be unpacked: {error}") from error
    kinds = sorted({one.extension for one in found})
    if len(kinds) > 1:
        what = f"holds files of several kinds: {', '.join(kind or 'without an ending' for kind in kinds)}"
        raise PayloadRefused(what, fix='declare which: archive=Archive(names="**/*.csv")')
    return found


@contextmanager
def _opened(path: Path, extension: str) -> Iterator[list[_Packed]]:
    if extension == ZIP:
        with zipfile.ZipFile(path) as packed:
            yield [_of_zip(packed, info) for info in packed.infolist() if not info.is_dir()]
    elif extension == TAR:
        with tarfile.open(path, "r:") as plain:
            yield [_of_tar(plain, info) for info in plain if not info.isdir()]
    else:
        raise PayloadRefused(f"is stored as {extension}, which is no archive", fix='extension="zip", or "tar.gz"')


def _of_zip(packed: zipfile.ZipFile, info: zipfile.ZipInfo) -> _Packed:
    is_link = stat.S_ISLNK(info.external_attr >> 16)
    why_not = "is a link" if is_link else "is encrypted" if info.flag_bits & 1 else ""
    return _Packed(name=info.filename, why_not=why_not, opened=lambda: packed.open(info))


def _of_tar(plain: tarfile.TarFile, info: tarfile.TarInfo) -> _Packed:
    def opened() -> IO[bytes]:
        file = plain.extractfile(info)
        assert file is not None
        return file

    return _Packed(name=info.name, why_not="" if info.isreg() else "is a link or a device", opened=opened)


def _wanted(packed: Sequence[_Packed], archive: Archive) -> list[_Packed]:
    if len(packed) > _MEMBERS_MAX:
        raise PayloadRefused(f"holds {len(packed):,} files, {_MEMBERS_MAX:,} are taken")
    wanted = sorted(
        (one for one in packed if matches(one.name.split("/"), archive.pattern)), key=lambda each: each.name
    )
    if not wanted:
        names = ", ".join(printable(one.name) for one in packed[:_NAMES_SHOWN])
        what = f"holds {len(packed):,} files, and none of them is {archive.names!r}: {names}"
        raise PayloadRefused(what, fix="mend names of the archive")
    for one, other in pairwise(wanted):
        if one.name == other.name:
            raise PayloadRefused(f"holds two files that are called {printable(one.name)!r}")
    odd = next((one for one in wanted if one.why_not), None)
    if odd is not None:
        raise PayloadRefused(f"holds {printable(odd.name)!r}, which {odd.why_not}", fix="leave it out by names")
    unnamed = next((one for one in wanted if archive.values(one.name) is None), None)
    if unnamed is not None:
        what = f"holds {printable(unnamed.name)!r}, which parts={archive.parts!r} does not match with all its groups"
        raise PayloadRefused(what, fix="mend parts, or leave it out by names")
    return wanted


def packed_again(members: Mapping[str, bytes], extension: str) -> bytes:
    """An archive of some members; for tests of plugins."""
    out = io.BytesIO()
    if extension == ZIP:
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
            for name, content in members.items():
                packed.writestr(name, content)
        return out.getvalue()
    with tarfile.open(fileobj=out, mode="w") as plain:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            plain.addfile(info, io.BytesIO(content))
    return gzip.compress(out.getvalue(), mtime=0) if extension.endswith(GZIP) else out.getvalue()

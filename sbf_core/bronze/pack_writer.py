"""Small payloads into packs, some at once: one file to write and to wait for, instead of one for each."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from contextlib import suppress

import attrs

from sbf_core.atomic_file import make_folder, write_all
from sbf_core.bronze.pack_format import PACK_BYTES_MAX, TRAILER, pack_head, record_head
from sbf_core.faults import fault_point
from sbf_core.ops.pack_place import pack_path
from sbf_core.value import Entity, Value

_BINARY = getattr(os, "O_BINARY", 0)
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | _BINARY
#: More than a head and what follows the payload take.
_HEAD_BYTES_MAX = 4096
_MORE = os.O_WRONLY | os.O_APPEND | _BINARY


@attrs.frozen(kw_only=True)
class ToPack(Value):
    """A payload that is to be packed.

    Attributes:
        folder: of its dataset, below Bronze.
        run_id: the run that fetched it.
        rel_path, payload_hash, payload: the path that it has below Bronze, its SHA-256, and its bytes.
    """

    folder: str
    run_id: str
    rel_path: str
    payload_hash: str
    payload: bytes


@attrs.frozen
class PackPlace(Value):
    """Where a packed payload begins: the pack, below Bronze, and the offset of its first byte."""

    pack: str
    offset: int


@attrs.define(eq=False)
class _Pack(Entity):
    """A pack that more may be appended to: what is in the file, and what is still to be written."""

    path: str
    in_file: int = 0
    byte_count: int = 0
    pending: list[bytes] = attrs.field(factory=list)

    def add(self, item: ToPack) -> PackPlace:
        head = record_head(item.rel_path, item.payload_hash, len(item.payload))
        if not self.byte_count:
            head = pack_head(self.path, item.rel_path) + head
        place = PackPlace(self.path, self.byte_count + len(head))
        self.pending += [head, item.payload, TRAILER]
        self.byte_count = place.offset + len(item.payload) + len(TRAILER)
        return place


class PackWriter:
    """Appends payloads to the packs of their datasets and runs. Not for several threads at once.

    What it has written counts once a journal says so: bytes behind the last payload that a journal names are what a
    crash left.

    Args:
        root: the Bronze folder.
        sync_each: wait until the disk has what was appended, where whoever calls cannot ask for it later.
    """

    def __init__(self, root: str, *, sync_each: bool = False) -> None:
        self._root = root
        self._sync_each = sync_each
        self._last: dict[tuple[str, str], _Pack] = {}
        self._numbers: dict[tuple[str, str], int] = {}
        self._written: list[str] = []

    def append(self, items: Sequence[ToPack]) -> tuple[list[PackPlace], list[str], list[str]]:
        """Append payloads; the disk is not asked to keep them yet.

        Returns:
            The place of each, in their order; then what to sync: the packs, and the folders that hold new names.

        Raises:
            OSError: the disk; then ``abandon`` the packs, for how far it came nobody knows.
        """
        named: list[str] = []
        changed: dict[str, _Pack] = {}
        places = []
        for item in items:
            pack = self._pack_for(item, named)
            changed[pack.path] = pack
            places.append(pack.add(item))
        for pack in changed.values():
            self._write(pack)
        return places, [f"{self._root}/{path}" for path in changed], named

    def abandon(self) -> None:
        """Nothing more goes into the packs that were begun."""
        self._last.clear()

    def close(self) -> None:
        """What was written is not to be written again."""
        for path in self._written:
            with suppress(OSError):  # they are durable, and that is all that was promised
                os.chmod(path, 0o400)
        self._written.clear()
        self.abandon()

    def _pack_for(self, item: ToPack, named: list[str]) -> _Pack:
        of = (item.folder, item.run_id)
        pack = self._last.get(of)
        if pack is not None and pack.byte_count + len(item.payload) + _HEAD_BYTES_MAX <= PACK_BYTES_MAX:
            return pack
        number = self._numbers.get(of, 0) + 1
        while os.path.lexists(f"{self._root}/{(path := pack_path(*of, number))}"):  # of a process that died
            number += 1
        self._numbers[of] = number
        pack = self._last[of] = _Pack(path)
        folder = f"{self._root}/{path.rpartition('/')[0]}"
        named += [*make_folder(folder), folder]
        return pack

    def _write(self, pack: _Pack) -> None:
        path = f"{self._root}/{pack.path}"
        handle = os.open(path, _MORE if pack.in_file else _NEW, 0o600)
        try:
            if os.fstat(handle).st_size != pack.in_file:
                raise OSError(errno.EIO, "another program has written to it", path)
            if not pack.in_file:
                self._written.append(path)
            fault_point("pack.created")
            content = b"".join(pack.pending)
            pack.pending.clear()
            write_all(handle, content, point="pack.half")
            fault_point("pack.written")
            if self._sync_each:
                os.fsync(handle)
        finally:
            os.close(handle)
        pack.in_file = pack.byte_count

"""The payloads that journals name, from one Bronze folder into another: files one by one, packs as a whole."""

from __future__ import annotations

import stat
from collections.abc import Mapping, Sequence
from os import stat_result
from pathlib import Path
from typing import TypeGuard

import attrs

from sbf_core.atomic_file import file_hash, small_file
from sbf_core.bronze.file_reader import stored_of
from sbf_core.bronze.journal import lines_of
from sbf_core.bronze.paths import JOURNAL_FOLDER
from sbf_core.bronze.stored import Stored, is_record_whole_in, is_right
from sbf_core.errors import DamageFound
from sbf_core.many_files import FileCopies
from sbf_core.safe_paths import place_inside
from sbf_core.value import Entity

#: Path below Bronze, and what is recorded of the bytes.
Named = tuple[str, Stored]


def named_payloads(journals: Mapping[str, bytes]) -> list[Named]:
    """The payloads that journals name, folder by folder.

    One that stands in two, because it was lost and came again, is that of the first.

    Args:
        journals: name of the file to its content.

    Raises:
        DamageFound: a line of a journal cannot be read, or leads elsewhere.
    """
    payloads: dict[str, Stored] = {}
    for name, content in sorted(journals.items()):
        for line in lines_of(content, where=f"{JOURNAL_FOLDER}/{name}"):
            payloads.setdefault(line.row.rel_path, stored_of(line.row))
    return sorted(payloads.items(), key=lambda named: named[0])


def copy_payloads(source: Path, target: Path, payloads: Sequence[Named], *, trusting: bool) -> tuple[int, int]:
    """Copy the payloads that the target lacks.

    Args:
        source: the Bronze folder that has them.
        target: the one that gets them.
        payloads: see ``named_payloads``.
        trusting: what is in the target, of the right size, was checked when it was copied.

    Returns:
        Payloads copied, bytes copied.

    Raises:
        DamageFound: a payload is not what its journal says.
    """
    copying = _Copying(source, target, trusting=trusting)
    packed: dict[str, list[Named]] = {}
    try:
        for path, stored in payloads:
            if stored.pack:
                packed.setdefault(stored.pack, []).append((path, stored))
            else:
                copying.file(path, stored)
        for pack, members in packed.items():
            copying.pack(pack, members)
    finally:
        copying.copies.finish()
    return copying.payloads, copying.byte_count


@attrs.define(eq=False, init=False)
class _Copying(Entity):
    source: Path
    target: Path
    trusting: bool
    copies: FileCopies
    payloads: int
    byte_count: int
    ways_here: set[str]
    ways_there: set[str]

    def __init__(self, source: Path, target: Path, *, trusting: bool) -> None:
        self.source, self.target, self.trusting = source, target, trusting
        self.copies, self.payloads, self.byte_count = FileCopies(mode=0o400), 0, 0
        self.ways_here, self.ways_there = set(), set()

    def file(self, path: str, stored: Stored, *, payload: bytes | None = None) -> None:
        """A payload that is a file of its own, or was put back as one, or becomes one: then its bytes are given."""
        there, facts = place_inside(self.target, path, self.ways_there)
        size, sha256 = stored.byte_count, stored.payload_hash
        if _is_file(facts, size) and (self.trusting or file_hash(there) == sha256):
            return
        if payload is not None:
            self.copies.put(payload, there)
            self.payloads += 1
            self.byte_count += size
            return
        here, given = place_inside(self.source, path, self.ways_here)
        if not _is_file(given, size) or not self.copies.add(here, there, sha256=sha256, byte_count=size):
            in_pack = f", nor in its pack {stored.pack}" if stored.pack else ""
            raise DamageFound(
                f"a payload is missing or not what its journal says{in_pack}",
                where=str(self.source / path),
                fix="run `sbf verify`",
            )
        self.payloads += 1
        self.byte_count += size

    def pack(self, pack: str, members: Sequence[Named]) -> None:
        """A pack up to the last of its payloads that is named, and files of those whose record in it is not whole."""
        end = max(stored.end for _, stored in members)
        there, facts = place_inside(self.target, pack, self.ways_there)
        here, given = place_inside(self.source, pack, self.ways_here)
        size = min(given.st_size, end) if _is_regular(given) else 0
        had = facts.st_size if _is_regular(facts) else 0
        own = {path for path, _ in members if place_inside(self.source, path, self.ways_here)[1] is not None}
        if self.trusting and had >= size:
            for path, stored in members:
                if path in own or stored.end > size:
                    self.file(path, stored)
            return
        content = small_file(here, size)[:size] if size else b""
        for path, stored in members:
            if path in own or not is_record_whole_in(content, path, stored):
                payload = content[stored.offset : stored.offset + stored.byte_count]
                self.file(path, stored, payload=payload if path not in own and is_right(stored, payload) else None)
            elif stored.end > had:
                self.payloads += 1
                self.byte_count += stored.byte_count
        if content:
            self.copies.put(content, there)


def _is_regular(facts: stat_result | None) -> TypeGuard[stat_result]:
    return facts is not None and stat.S_ISREG(facts.st_mode)


def _is_file(facts: stat_result | None, size: int) -> bool:
    return _is_regular(facts) and facts.st_size == size

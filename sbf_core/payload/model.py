"""What the formats of this room share: what is asked of a payload, what a first look at it found, and its records.

A format reads payloads in two ways. ``select`` is SQL that the engine runs over many payloads at once: for what a cheap
look has shown to be regular,
so that the engine has nothing to decide. ``records`` is Python over one payload, exact in every case, which says of
each record where it stands and
what is wrong with it: for everything else. Both give the same rows.
"""

from __future__ import annotations

import io
from collections.abc import Hashable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, Protocol

import attrs

from sbf_core.dataset.columns import Column
from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.dataset.format_list import Format
from sbf_core.unicode_text import escaped
from sbf_core.value import Value

#: Columns that every relation of payloads has, before the slots.
FILE, PLACE, FAULT = "_file", "_place", "_fault"
#: The fault of a row of ``select`` whose payload must be read by ``records``.
DOUBTFUL = "doubtful"


@attrs.frozen(kw_only=True)
class Slot(Value):
    """One field that is wanted of each record. Its column in a relation of payloads is ``name`` (``f0``, ``f1`` ...),
    which no vendor chose.

    Attributes:
        name: ``f`` and its number.
        column: the declared column that it fills.
    """

    name: str
    column: Column

    @property
    def sources(self) -> tuple[str, ...]:
        """Names, or paths, of the field in the payload: the first that a payload has is taken."""
        return self.column.source_names


@attrs.frozen(kw_only=True)
class Reading(Value):
    """What is wanted of the payloads of a dataset, and how they are written.

    Attributes:
        entry: the dataset.
        format: its declared format, or that of the extension.
        slots: the wanted fields in order; columns that take what was asked for have none.
    """

    entry: DatasetKeymapEntry
    format: Format
    slots: tuple[Slot, ...]

    @property
    def rows_at(self) -> str:
        """Where the rows are, in JSON."""
        return self.entry.rows_at


def slots_of(entry: DatasetKeymapEntry) -> tuple[Slot, ...]:
    """The slots of a dataset's columns."""
    return tuple(
        Slot(name=f"f{place}", column=column)
        for place, column in enumerate(column for column in entry.columns if not column.from_request)
    )


@attrs.frozen(kw_only=True)
class PayloadFile(Value):
    """The bytes of one payload, unpacked.

    Attributes:
        file_id: its id in the manifest.
        place: ``path`` as a text: where the bytes are, the payload itself, or what was unpacked of it.
        extension: of the bytes, e.g. ``csv`` for the member of a zip.
        byte_count: how many there are.
        held: the bytes, where they are few and at hand. Those of a pack are in no file of their own until one is asked
            for.
    """

    file_id: str
    place: str = attrs.field(alias="path", converter=str)
    extension: str
    byte_count: int
    held: bytes | None = attrs.field(default=None, eq=False, repr=False)

    @property
    def path(self) -> Path:
        """Where the bytes are, as a file: where there is none yet, it is written."""
        path = Path(self.place)
        if self.held is not None and not path.exists():
            path.write_bytes(self.held)
        return path

    def opened(self) -> BinaryIO:
        """The bytes, to be read."""
        return self.path.open("rb") if self.held is None else io.BytesIO(self.held)


def _told(fields: Sequence[str]) -> tuple[str, ...]:
    return tuple(map(escaped, fields))


@attrs.frozen(kw_only=True)
class Look(Value):
    """What a cheap look at a payload found.

    Attributes:
        file: the payload.
        is_regular: ``select`` may read it; else only ``records`` can.
        layout: payloads of one layout can be read by one ``select``, e.g. the names of a CSV header.
        record_count: how many records it has, counted without the engine; None where that is not known.
        fields: names of its fields, or of those of its first record; empty where they are not known.
        payload: the bytes, where they are few and were read anyway.
    """

    file: PayloadFile
    is_regular: bool
    layout: Hashable = ()
    record_count: int | None = None
    fields: tuple[str, ...] = attrs.field(default=(), converter=_told)
    payload: bytes | None = None


class Digits(str):
    """The digits of a value that is no text, such as a number of JSON: its point is a point, whatever mark the texts
    have.
    """

    __slots__ = ()


@attrs.frozen
class Record(Value):
    """One record of a payload, with its texts exactly as they are written.

    Attributes:
        place: where it stands: ``line 7`` or ``$.data[3]``.
        values: one text for each slot, None for no value. Numbers are the vendor's own digits; where the payload
            tells them from texts, they are ``Digits``.
        fault: a short stable word where it is no row, e.g. ``ragged`` or ``field_twice``; with ``:column`` where
            one column is concerned. Then it is rejected.
        raw: of a faulty record, what stands there, for the reject; short.
    """

    place: str
    values: Sequence[str | None]
    fault: str = ""
    raw: str = ""


class FormatReader(Protocol):
    """One format. A module of this room gives one as ``READER``."""

    def look(self, reading: Reading, file: PayloadFile, payload: bytes | None, *, staging: Path) -> Look:
        """A cheap look, once a payload.

        Args:
            reading: what is wanted.
            file: the payload.
            payload: its bytes, where they were read already.
            staging: takes a copy that is easier to read; the look then names it as its file.

        Raises:
            PayloadRefused: it is not of this format, or of another layout than declared; the text says what to declare.
        """

    def select(self, reading: Reading, looks: Sequence[Look], staging: Path, *, typed: bool = False) -> str:
        """SQL of one relation over regular payloads: ``_file``, ``_place``, ``_fault``, ``_raw`` and the slots.

        A row with the fault ``doubtful`` holds a text that the engine may have written itself: its payload is read
        again by ``records``.

        Args:
            reading: what is wanted.
            looks: regular payloads.
            staging: takes files that the engine is to read.
            typed: the engine may read a field as a double where that gives what its text says; the statement fails
                where a text is no number.
        """

    def types(self, reading: Reading, looks: Sequence[Look], *, typed: bool = False) -> Mapping[str, str]:
        """The types of the columns of that relation, where they are known without asking the engine; else nothing."""

    def records(self, reading: Reading, file: PayloadFile) -> Iterator[Record]:
        """Every record of one payload, read exactly. Raises ``PayloadRefused`` as ``look`` does, also half-way: then
        none of them counts.
        """

"""Fields that payloads have and that say "no value" in every row."""

from __future__ import annotations

import tempfile
from pathlib import Path

import attrs

from sbf_core.dataset.columns import Column
from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.errors import PayloadRefused
from sbf_core.payload.formats import reader_of, reading_of
from sbf_core.payload.model import PayloadFile
from sbf_core.payload.unpack import unpacked
from sbf_core.testing.subject import Subject


def is_unsaid(subject: Subject, entry: DatasetKeymapEntry, column: Column) -> bool:
    """Whether a column is empty because its field, which is there, holds nothing but its words for "no value": then the
    source is the vendor's name.
    """
    if not column.missing or column.from_request or subject.has("promote"):
        return False
    with tempfile.TemporaryDirectory() as folder:
        for number, vintage in enumerate(subject.of(entry)):
            result = subject.archive.result(vintage.lines[0], vintage.request)
            packed = Path(folder) / f"payload-{number}"
            packed.write_bytes(result.payload)
            plain, kind = unpacked(packed, result.extension, member=entry.member, target=packed.with_suffix(".plain"))
            reading = reading_of(entry, kind)
            if reading is None:
                return False
            slots = tuple(slot for slot in reading.slots if slot.column.name == column.name)
            file = PayloadFile(file_id="payload", path=plain, extension=kind, byte_count=plain.stat().st_size)
            try:
                for record in reader_of(reading.format.kind).records(attrs.evolve(reading, slots=slots), file):
                    if any(value in column.missing for value in record.values):
                        return True
            except PayloadRefused:
                return False
    return False

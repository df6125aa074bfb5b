"""Parquet (https://parquet.apache.org/docs/file-format): fields have types of their own, and the engine's reader is
exact.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from sbf_core.duck.identifiers import literal_list
from sbf_core.duck.parquet_writer import rows_as_texts
from sbf_core.errors import DatasetFailure, PayloadRefused
from sbf_core.payload.model import Look, PayloadFile, Reading, Record
from sbf_core.payload.records_only import places_of
from sbf_core.payload.relation import owner_of

_MAGIC = b"PAR1"


class ParquetReader:
    """See ``FormatReader``. The engine names fields by the schema, so payloads of one schema are read together."""

    def look(self, reading: Reading, file: PayloadFile, payload: bytes | None, *, staging: Path) -> Look:
        """Magic bytes at both ends (file format specification), and the fields of the schema."""
        with file.path.open("rb") as stream:
            head = stream.read(4)
            stream.seek(max(0, file.byte_count - 4))
            tail = stream.read(4)
        if head != _MAGIC or tail != _MAGIC:
            raise PayloadRefused(
                f"is no Parquet but starts with {head!r}" if head != _MAGIC else "is Parquet that was cut"
            )
        return Look(file=file, is_regular=True)

    def select(self, reading: Reading, looks: Sequence[Look], staging: Path, *, typed: bool = False) -> str:
        """Every field by the vendor's name and with its own type; ``slots_from`` picks the wanted ones."""
        reader = (
            f"read_parquet({literal_list([look.file.place for look in looks])}, hive_partitioning=false, "
            f"filename='_path')"
        )
        owner = owner_of(reading, looks, "r._path")
        return f"SELECT {owner.file_id} AS _file, r.* EXCLUDE (_path) FROM {reader} AS r{owner.join}"

    def types(self, reading: Reading, looks: Sequence[Look], *, typed: bool = False) -> Mapping[str, str]:
        """See ``FormatReader.types``."""
        return {}

    def records(self, reading: Reading, file: PayloadFile) -> Iterator[Record]:
        """Every row, its values as texts, for who asks where one stands; a promotion has no need of it."""
        try:
            with rows_as_texts(file.path) as (names, rows):
                places = places_of(reading.slots, names)
                for number, texts in enumerate(rows, start=1):
                    yield Record(f"row {number}", [None if place is None else texts[place] for place in places])
        except PayloadRefused:
            raise
        except DatasetFailure as error:
            raise PayloadRefused(f"is no Parquet that can be read: {error.what}") from None


READER = ParquetReader()

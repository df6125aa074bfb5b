"""JSON (RFC 8259), one document a payload, its rows and values where the paths of ``json_path`` lead.

``json_text`` reads JSON exactly, ``json_walk`` follows paths in it, ``json_records`` gives the records of a payload;
``json_look`` decides whether the engine may read a payload by the SQL of ``json_sql``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from sbf_core.payload import json_look, json_records, json_sql
from sbf_core.payload.model import Look, PayloadFile, Reading, Record


class JsonReader:
    """See ``FormatReader``."""

    def look(self, reading: Reading, file: PayloadFile, payload: bytes | None, *, staging: Path) -> Look:
        """Refuses pages, notes, other encodings and what begins otherwise than ``rows_at`` needs."""
        return json_look.look(reading, file, payload)

    def select(self, reading: Reading, looks: Sequence[Look], staging: Path, *, typed: bool = False) -> str:
        """A row with the fault ``doubtful`` may be written otherwise; ``records`` reads its payload then."""
        return json_sql.select(reading, looks, staging)

    def types(self, reading: Reading, looks: Sequence[Look], *, typed: bool = False) -> Mapping[str, str]:
        """See ``FormatReader.types``."""
        return {}

    def records(self, reading: Reading, file: PayloadFile) -> Iterator[Record]:
        """Also for what no look finds regular."""
        return json_records.records(reading, file)


READER = JsonReader()

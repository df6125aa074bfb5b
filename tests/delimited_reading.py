"""Delimited payloads read in both ways, without a warehouse."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import attrs
import duckdb

from sbf_core.dataset.columns import Column
from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.dataset.formats import Csv
from sbf_core.payload.delimited import READER
from sbf_core.payload.model import Look, PayloadFile, Reading, Record, Slot


def reading_of(csv: Csv, columns: Sequence[str | Column]) -> Reading:
    """What is wanted: fields as text, without a key, as a payload's reader sees them."""
    declared = tuple(
        Column(name=f"c{place}", type="VARCHAR", source=given) if isinstance(given, str) else given
        for place, given in enumerate(columns)
    )
    entry = DatasetKeymapEntry(
        domain="d",
        source="s",
        dataset="t",
        silver_table="t",
        columns=[Column(name="k", type="VARCHAR", key=True)],
        format=csv,
    )
    return Reading(
        entry=entry,
        format=csv,
        slots=tuple(Slot(name=f"f{place}", column=column) for place, column in enumerate(declared)),
    )


@attrs.define(eq=False)
class Bench:
    """A folder for payloads, and an engine."""

    folder: Path
    conn: duckdb.DuckDBPyConnection = attrs.Factory(duckdb.connect)
    count: int = 0

    def file(self, content: bytes) -> PayloadFile:
        """A payload."""
        self.count += 1
        path = self.folder / f"p{self.count % 50}.csv"
        path.write_bytes(content)
        return PayloadFile(file_id=f"id{self.count}", path=path, extension="csv", byte_count=len(content))

    def look(self, reading: Reading, file: PayloadFile, *, in_memory: bool = True) -> Look:
        """The reader's look."""
        return READER.look(reading, file, file.path.read_bytes() if in_memory else None, staging=self.folder)

    def records(self, reading: Reading, file: PayloadFile) -> list[Record]:
        """All records."""
        return list(READER.records(reading, file))

    def selected(self, reading: Reading, looks: Sequence[Look]) -> list[tuple[str | None, ...]]:
        """What the engine makes of regular payloads: file id and values, in order."""
        self.conn.execute("CREATE OR REPLACE TEMP TABLE batch_file (bronze_file_id VARCHAR, path VARCHAR)")
        self.conn.executemany(
            "INSERT INTO batch_file VALUES (?, ?)", [(look.file.file_id, str(look.file.path)) for look in looks]
        )
        rows = self.conn.execute(READER.select(reading, looks, self.folder)).fetchall()
        assert all(row[1:4] == (None, None, None) for row in rows)
        return [(row[0], *row[4:]) for row in rows]


def bench() -> Bench:
    """A bench in a folder of its own, for as long as the process lives."""
    return Bench(folder=Path(tempfile.mkdtemp()))

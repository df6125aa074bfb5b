"""Both ways of reading JSON payloads, for tests: what the engine gives where a look allows it, and the records."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pytest

from sbf_core.dataset.columns import Column
from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.dataset.formats import Json
from sbf_core.payload.json import READER
from sbf_core.payload.model import DOUBTFUL, Look, PayloadFile, Reading, Record, slots_of

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"


def reading(*sources: str | tuple[str, str] | Column, rows_at: str = "", form: Json | None = None) -> Reading:
    """What is wanted: sources, or pairs of source and type, or columns.
    The first is the key; the others may be NULL.
    """
    columns = []
    for number, source in enumerate(sources):
        if isinstance(source, Column):
            columns.append(source)
            continue
        name, sql_type = (source, "VARCHAR") if isinstance(source, str) else source
        columns.append(
            Column(
                name=f"c{number}",
                type=sql_type,
                key=number == 0,
                nullable=number > 0,
                source=name,
                epoch="s" if sql_type in ("DATE", "TIMESTAMP") else "",
            )
        )
    entry = DatasetKeymapEntry(domain="d", source="s", dataset="x", silver_table="t", columns=columns, rows_at=rows_at)
    return Reading(entry=entry, format=form or Json(), slots=slots_of(entry))


def payload_file(folder: Path, content: bytes | str, name: str = "one") -> PayloadFile:
    """A payload on the disk."""
    path = folder / f"{name}.json"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return PayloadFile(file_id=name, path=path, extension="json", byte_count=path.stat().st_size)


def records(wanted: Reading, folder: Path, content: bytes | str) -> list[Record]:
    """The records of a payload."""
    return list(READER.records(wanted, payload_file(folder, content)))


def values(wanted: Reading, folder: Path, content: bytes | str) -> list[tuple[str | None, ...]]:
    """The values of a payload without faults."""
    found = records(wanted, folder, content)
    assert not [record for record in found if record.fault]
    return [tuple(record.values) for record in found]


def looked(wanted: Reading, folder: Path, content: bytes | str, name: str = "one", *, large: bool = False) -> Look:
    """The look at a payload; ``large``: as if it were too large to be joined with others."""
    file = payload_file(folder, content, name)
    found = READER.look(wanted, file, None, staging=folder)
    return (
        found
        if not large
        else type(found)(
            **{key: getattr(found, key) for key in ("file", "is_regular", "layout", "record_count", "fields")}
        )
    )


@contextmanager
def engine(files: Sequence[PayloadFile]) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection with the table of the batch's files."""
    with _database().cursor() as conn:
        conn.execute("CREATE OR REPLACE TEMP TABLE batch_file (bronze_file_id VARCHAR, path VARCHAR)")
        conn.executemany("INSERT INTO batch_file VALUES (?, ?)", [[file.file_id, str(file.path)] for file in files])
        yield conn


@cache
def _database() -> duckdb.DuckDBPyConnection:
    return duckdb.connect()


def selected(wanted: Reading, folder: Path, looks: Sequence[Look]) -> list[tuple[Any, ...]] | None:
    """Rows of the engine, each with its file id; None where records are read: a payload is not regular,
    a row doubtful, or the engine refuses.
    """
    if not all(look.is_regular for look in looks):
        return None
    with engine([look.file for look in looks]) as conn:
        try:
            rows = conn.execute(
                f"SELECT _fault, * EXCLUDE (_fault, _place, _raw) FROM ({READER.select(wanted, looks, folder)})"
            ).fetchall()
        except duckdb.Error:
            return None
    return None if any(row[0] == DOUBTFUL for row in rows) else [row[1:] for row in rows]


def recorded(vendor_file: str) -> bytes:
    """The body of a recorded payload by its id; the test is skipped where the recordings are not."""
    for folder in (SHARED / "recorded", SHARED / "recorded2"):
        if not (folder / "MANIFEST.jsonl").exists():
            pytest.skip("the recorded payloads of vendors are not here; they are not shipped with the project")
        for line in (folder / "MANIFEST.jsonl").read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            if row["id"] == vendor_file:
                body = (folder / row["file"]).read_bytes()
                return gzip.decompress(body) if row["file_compression"] == "gzip" else body
    raise LookupError(vendor_file)

"""Payloads of the formats that only Python reads, as a test asks for them: one format, some fields, some bytes."""

from __future__ import annotations

import gzip
import importlib
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import duckdb
import pytest
from warehouse import entry

from sbf_core.dataset.columns import Column
from sbf_core.errors import PayloadRefused
from sbf_core.payload.model import DOUBTFUL, PayloadFile, Reading, Record, Slot

_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


def recorded_body(payload_id: str, ending: str = "") -> bytes:
    """The body of a recorded payload of a vendor, of the member with that ending where it is a zip;
    skips the test where there is none.
    """
    for folder in ("recorded", "recorded2"):
        manifest = _DATA / folder / "MANIFEST.jsonl"
        if not manifest.exists():
            pytest.skip("the recorded payloads of vendors are not here; they are not shipped with the project")
        for line in manifest.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            if row["id"] == payload_id:
                content = (_DATA / folder / row["file"]).read_bytes()
                content = gzip.decompress(content) if row["file_compression"] == "gzip" else content
                return member(content, ending) if row["file"].endswith(".zip") else content
    raise AssertionError(f"no payload {payload_id}")


def member(content: bytes, ending: str = "") -> bytes:
    """The member of a zip whose name ends so."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(ending)]
        return archive.read(name)


def wanted(*fields: str | Column) -> tuple[Slot, ...]:
    """Slots of texts that may be absent of value, by the vendor's names, or of columns as they are."""
    columns = [
        Column(name=f"c{place}", type="VARCHAR", nullable=True, source=field) if isinstance(field, str) else field
        for place, field in enumerate(fields)
    ]
    return tuple(Slot(name=f"f{place}", column=column) for place, column in enumerate(columns))


def records_of(folder: Path, declared: Any, content: bytes | str, *fields: str | Column) -> list[Record]:
    """Every record of a payload."""
    payload = content.encode() if isinstance(content, str) else content
    path = folder / "payload"
    path.write_bytes(payload)
    file = PayloadFile(file_id="1", path=path, extension="", byte_count=len(payload))
    reading = Reading(entry=entry(), format=declared, slots=wanted(*fields))
    reader = importlib.import_module(f"sbf_core.payload.{declared.kind}").READER
    look = reader.look(reading, file, None, staging=folder)
    selected = _selected(folder, reader, reading, look) if look.is_regular else None
    assert selected is None or declared.kind == "sdmx_csv"
    try:
        found = list(reader.records(reading, file))
    except PayloadRefused:
        assert selected is None, "what is refused must be doubtful where the engine reads it"
        raise
    assert selected is None or selected == [tuple(record.values) for record in found]
    assert selected is None or not [record for record in found if record.fault]
    assert look.record_count in (None, len(found))
    return found


def _selected(folder: Path, reader: Any, reading: Reading, look: Any) -> list[tuple[str | None, ...]] | None:
    """What the engine makes of a payload; None where a row is doubtful, so that it is read again."""
    conn = duckdb.connect()
    conn.execute("CREATE TABLE batch_file AS SELECT ? AS bronze_file_id, ? AS path", ["1", str(look.file.path)])
    rows = conn.execute(reader.select(reading, [look], folder)).fetchall()
    assert {row[2] for row in rows} <= {None, DOUBTFUL}
    return None if any(row[2] for row in rows) else [row[4:] for row in rows]


def rows_of(folder: Path, declared: Any, content: bytes | str, *fields: str | Column) -> list[tuple[str | None, ...]]:
    """The values of every record of a payload that has no faulty ones."""
    found = records_of(folder, declared, content, *fields)
    assert not [record for record in found if record.fault]
    return [tuple(record.values) for record in found]

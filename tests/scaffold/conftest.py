"""The sample of a new plugin, read as its own ``plugin.py`` declares it:
by the readers of payloads and the casts, without a home.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import pytest
from plugin_author import Author
from written import entry_of

from sbf_core.duck.identifiers import quoted_list
from sbf_core.payload.formats import reader_of, reading_of
from sbf_core.payload.model import PayloadFile, Record
from sbf_core.payload.unpack import unpacked
from sbf_core.scaffold.proposal import Proposal
from sbf_core.silver.cast import checked_select
from sbf_core.silver.hook_rows import records_source
from sbf_core.silver.parsing import write_records


@pytest.fixture
def loaded(tmp_path: Path) -> Callable[[Proposal], list[dict[str, Any]]]:
    """``loaded(proposal)`` gives the typed rows of its sample."""
    return lambda proposal: load(proposal, tmp_path)


def load(proposal: Proposal, folder: Path) -> list[dict[str, Any]]:
    """The typed rows of the sample; fails where one of them is rejected, or where a regular look counts others."""
    entry = entry_of(proposal)
    packed = folder / "payload"
    packed.write_bytes(proposal.samples[0].payload)
    path, extension = unpacked(packed, proposal.extension, member=entry.member, target=folder / "plain")
    reading = reading_of(entry, extension)
    assert reading is not None, f"{extension} says no format, and none is declared"
    reader = reader_of(reading.format.kind)
    file = PayloadFile(file_id="sample", path=path, extension=extension, byte_count=path.stat().st_size)
    counts: list[int] = []

    def counted() -> Any:
        for record in reader.records(reading, file):
            counts.append(1)
            assert isinstance(record, Record)
            yield record

    look = reader.look(reading, file, None, staging=folder)
    errors, _ = write_records(
        [("sample", partial(counted))], reading.slots, folder / "records.ndjson", decimal=reading.format.decimal
    )
    assert errors == {}
    assert look.record_count in (None, len(counts))
    names = [slot.name for slot in reading.slots]
    rows = checked_select(
        entry,
        f"({records_source(names, folder / 'records.ndjson')})",
        dict.fromkeys(names, "VARCHAR"),
        marks=reading.format,
    )
    with duckdb.connect() as conn:
        conn.execute("SET TimeZone = 'UTC'")
        bad = conn.execute(
            f"SELECT s._reason, count(*), min(s._row) FROM ({rows}) AS s WHERE s._reason IS NOT NULL GROUP BY 1"
        ).fetchall()
        assert bad == []
        found = conn.execute(f"SELECT {quoted_list(entry.column_types, prefix='s.')} FROM ({rows}) AS s")
        listed = [column[0] for column in found.description or ()]
        return [dict(zip(listed, row, strict=True)) for row in found.fetchall()]


@pytest.fixture
def author(tmp_path: Path) -> Author:
    return Author(tmp_path)

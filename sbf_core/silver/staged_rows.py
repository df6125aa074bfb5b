"""A relation of typed rows as the table ``stage`` wants it, and what columns a relation has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb

from sbf_core.clock import to_naive_utc
from sbf_core.dataset.columns import Column
from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.duck.identifiers import literal, quoted
from sbf_core.payload.formats import reader_of
from sbf_core.payload.model import Look, Reading
from sbf_core.payload.relation import slots_from
from sbf_core.silver.cast import ORDER, checked_select, is_ordered, known_from_expression, plain_select
from sbf_core.silver.cast_steps import Marks
from sbf_core.silver.reading import BatchFile
from sbf_core.silver.source import coded, with_request

#: The first slot: a relation that has it has slots, another has the vendor's names.
_FIRST_SLOT = "f0"


def described(conn: duckdb.DuckDBPyConnection, source: str) -> dict[str, str]:
    """Columns of a relation and their types."""
    return {row[0]: row[1] for row in conn.execute(f"DESCRIBE {source}").fetchall()}


def selected(
    reading: Reading, looks: Sequence[Look], staging: Path, *, typed: bool = False
) -> tuple[str, Mapping[str, str]]:
    """A relation of regular payloads, and the types of its columns where they are known without asking the engine."""
    reader = reader_of(reading.format.kind)
    return reader.select(reading, looks, staging, typed=typed), reader.types(reading, looks, typed=typed)


def rows_of(
    conn: duckdb.DuckDBPyConnection,
    entry: DatasetKeymapEntry,
    reading: Reading,
    source: str,
    known: Mapping[str, str],
    *,
    plainly: bool,
    alone: BatchFile | None = None,
) -> str:
    """SQL of the rows of ``stage`` over a relation of payloads, whose types may be ``known``; for ``alone`` see
    ``with_times``.
    """
    fields = known or described(conn, source)
    if reading.slots and _FIRST_SLOT not in fields:  # the vendor's own names
        source, fields = slots_from(reading, fields, source)
    return judged_rows(entry, source, fields, marks=reading.format, moments_are_utc=False, plainly=plainly, alone=alone)


def judged_rows(
    entry: DatasetKeymapEntry,
    source: str,
    types: Mapping[str, str],
    *,
    marks: Marks,
    moments_are_utc: bool,
    plainly: bool = False,
    alone: BatchFile | None = None,
) -> str:
    """The same over a relation with slots, see ``checked_select`` and, where all is ``plainly`` written,
    ``plain_select``.
    """
    ordered = numbered(source) if is_ordered(entry) else source
    extended, asked = with_request(entry, ordered)
    relation, known = f"({extended})", {**types, **asked}
    if plainly:
        rows = plain_select(entry, relation, known, marks=marks)
    else:
        rows = checked_select(entry, relation, known, marks=marks, moments_are_utc=moments_are_utc)
    return with_times(entry, rows, alone=alone)


def numbered(source: str) -> str:
    """A relation of payloads with the number of each row: any join above may give them in another order."""
    return f"SELECT n.*, row_number() OVER () AS {ORDER} FROM ({source}) AS n"


def _value(column: Column) -> str:
    own = f"s.{quoted(column.name)}"
    return f"nullif({own}, s.{quoted(column.cut_at)}) AS {quoted(column.name)}" if column.cut_at else own


def with_times(entry: DatasetKeymapEntry, rows: str, *, alone: BatchFile | None = None) -> str:
    """Rows with their payload, its run, the times of it, and room for what is said of them.

    Args:
        entry: the dataset.
        rows: a relation of them.
        alone: the payload that all of them are of, where it is one that sbf reads: then nothing has to be looked up.
    """
    names = ", ".join(_value(column) for column in entry.columns)
    published = next((column for column in entry.columns if column.known_from), None)
    if alone is None:
        # An inner join would lose rows that a plugin's SELECT gives for other payloads; what is never selected, the
        # optimizer never looks at.
        file_id = "coalesce(b.file_code, error('promote gave a row whose _file is no payload of the batch'))"
        run_id, fetched_at, is_context = "b.run_code", "b.fetched_at", "b.is_context"
        join = " LEFT JOIN batch_file AS b ON s._file = b.bronze_file_id"
    else:
        file_id, run_id = (coded(name, [name]) for name in (alone.row.bronze_file_id, alone.row.run_id))
        fetched_at = f"TIMESTAMP {literal(to_naive_utc(alone.row.fetched_at).isoformat())}"
        is_context, join = "true" if alone.is_context else "false", ""
    known_from = (
        fetched_at
        if published is None
        else f"coalesce({known_from_expression(published, 's.' + quoted(published.name))}, {fetched_at})"
    )
    order = f" ORDER BY s.{ORDER}" if is_ordered(entry) else ""
    return (
        f"SELECT {names}, {file_id} AS _bronze_file_id, {run_id} AS _run_id, {known_from} AS known_from, "
        f"{fetched_at} AS recorded_at, "
        f"{is_context} AS _context, s._reason, s._row, CAST(NULL AS VARCHAR) AS _outcome FROM ({rows}) AS s"
        f"{join}{order}"
    )

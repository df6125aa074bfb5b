"""A relation of typed rows as the table ``stage`` wants it, and what columns a relation has."""

from __future__ import annotations

import duckdb

from sbf_core.dataset.columns import Column
from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.duck.identifiers import quoted
from sbf_core.silver.cast import ORDER, is_ordered, known_from_expression


def described(conn: duckdb.DuckDBPyConnection, source: str) -> dict[str, str]:
    """Columns of a relation and their types."""
    return {row[0]: row[1] for row in conn.execute(f"DESCRIBE {source}").fetchall()}


def numbered(source: str) -> str:
    """A relation of payloads with the number of each row: any join above may give them in another order."""
    return f"SELECT n.*, row_number() OVER () AS {ORDER} FROM ({source}) AS n"


def _value(column: Column) -> str:
    own = f"s.{quoted(column.name)}"
    return f"nullif({own}, s.{quoted(column.cut_at)}) AS {quoted(column.name)}" if column.cut_at else own


def with_times(entry: DatasetKeymapEntry, rows: str) -> str:
    """Rows with their payload, its run, the times of it, and room for what is said of them."""
    names = ", ".join(_value(column) for column in entry.columns)
    published = next((column for column in entry.columns if column.known_from), None)
    known_from = (
        "b.fetched_at"
        if published is None
        else f"coalesce({known_from_expression(published, 's.' + quoted(published.name))}, b.fetched_at)"
    )
    # An inner join would lose rows that a plugin's SELECT gives for other payloads; what is never selected, the
    # optimizer never looks at.
    file_id = "coalesce(b.file_code, error('promote gave a row whose _file is no payload of the batch'))"
    order = f" ORDER BY s.{ORDER}" if is_ordered(entry) else ""
    return (
        f"SELECT {names}, {file_id} AS _bronze_file_id, b.run_code AS _run_id, {known_from} AS known_from, "
        "b.fetched_at AS recorded_at, "
        f"b.is_context AS _context, s._reason, s._row, CAST(NULL AS VARCHAR) AS _outcome FROM ({rows}) AS s LEFT JOIN "
        f"batch_file AS b ON s._file = b.bronze_file_id{order}"
    )

"""SQL that reads a batch of payloads: the temporary table ``batch_file``, and what was asked for beside each row."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.duck.identifiers import literal, quoted
from sbf_core.ops.bulk import insert_rows
from sbf_core.silver.inspection import Inspected

_FILE_TYPES = {
    "bronze_file_id": "VARCHAR", "path": "VARCHAR", "run_id": "VARCHAR", "ticker": "VARCHAR", "discriminator": "VARCHAR",
    "from_date": "DATE", "to_date": "DATE", "fetched_at": "TIMESTAMP", "is_context": "BOOLEAN",
    "part": "INTEGER", "parts": "INTEGER",
}  # fmt: skip


def make_batch_file(conn: duckdb.DuckDBPyConnection, items: Sequence[Inspected]) -> None:
    """The temporary table ``batch_file``: one row a payload, with the path that the engine is to read.

    ``file_code`` and ``run_code`` are the ids once more, as a number in the table and a text to whoever reads it: so
    they stand beside each row in ``stage``.
    """
    columns = [f"{name} {sql_type}" for name, sql_type in _FILE_TYPES.items()]
    for code, name, ids in (
        ("file_code", "bronze_file_id", [item.file_id for item in items]),
        ("run_code", "run_id", [item.file.row.run_id for item in items]),
    ):
        kind = f"ENUM({', '.join(literal(each) for each in dict.fromkeys(ids))})" if ids else "VARCHAR"
        columns.append(f"{code} {kind} GENERATED ALWAYS AS (CAST({name} AS {kind}))")
    conn.execute(f"CREATE OR REPLACE TEMP TABLE batch_file ({', '.join(columns)})")
    rows = [
        {
            "bronze_file_id": item.file_id, "path": item.file.path if item.look is None else item.look.file.place, "run_id": item.file.row.run_id,
            "ticker": item.file.row.ticker, "discriminator": item.file.row.discriminator,
            "from_date": item.file.row.from_date, "to_date": item.file.row.to_date, "fetched_at": item.file.row.fetched_at, "is_context": item.file.is_context,
            "part": item.file.row.part, "parts": item.file.row.parts,
        }
        for item in items
    ]  # fmt: skip
    insert_rows(conn, "batch_file", _FILE_TYPES, rows)


def with_request(entry: DatasetKeymapEntry, source: str) -> tuple[str, dict[str, str]]:
    """A relation with what was asked for beside each row, if the dataset declares columns of it; and the types of
    these.
    """
    wanted = sorted({column.source for column in entry.columns if column.from_request})
    if not wanted:
        return source, {}
    names = ", ".join(f"b.{name.removeprefix('request.')} AS {quoted(name)}" for name in wanted)
    joined = (
        f"SELECT given.*, {names} FROM ({source}) AS given LEFT JOIN batch_file AS b ON given._file = b.bronze_file_id"
    )
    return joined, {name: _FILE_TYPES[name.removeprefix("request.")] for name in wanted}

"""SQL that reads a batch of payloads as the relation ``batch``: ``_file`` and the fields."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import duckdb

from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.duck.identifiers import literal, literal_list, quoted, quoted_list
from sbf_core.ops.bulk import insert_rows
from sbf_core.silver.inspection import Inspected
from sbf_core.silver.parsing import write_parsed_rows
from sbf_core.silver.reading import ParseRows, WrittenRows

_FILE_TYPES = {
    "bronze_file_id": "VARCHAR", "path": "VARCHAR", "run_id": "VARCHAR", "ticker": "VARCHAR", "discriminator": "VARCHAR",
    "from_date": "DATE", "to_date": "DATE", "fetched_at": "TIMESTAMP", "is_context": "BOOLEAN",
}  # fmt: skip
_OBJECT_BYTES_USUAL = 1 << 24
_JOINED_OBJECT_BYTES_MAX = 1 << 20


def make_batch_file(conn: duckdb.DuckDBPyConnection, items: Sequence[Inspected]) -> None:
    """The temporary table ``batch_file``: one row a payload."""
    conn.execute(f"CREATE OR REPLACE TEMP TABLE batch_file ({', '.join(f'{name} {sql_type}' for name, sql_type in _FILE_TYPES.items())})")
    rows = [
        {
            "bronze_file_id": item.file.row.bronze_file_id, "path": item.file.path, "run_id": item.file.row.run_id,
            "ticker": item.file.row.ticker, "discriminator": item.file.row.discriminator,
            "from_date": item.file.row.from_date, "to_date": item.file.row.to_date, "fetched_at": item.file.row.fetched_at, "is_context": item.file.is_context,
        }
        for item in items
    ]  # fmt: skip
    insert_rows(conn, "batch_file", _FILE_TYPES, rows)


def with_request(entry: DatasetKeymapEntry, source: str) -> str:
    """A relation with what was asked for beside each row, if the dataset declares columns of it."""
    wanted = {column.source for column in entry.columns if column.from_request}
    if not wanted:
        return source
    names = ", ".join(f"f.{name.removeprefix('request.')} AS {quoted(name)}" for name in sorted(wanted))
    return f"SELECT given.*, {names} FROM ({source}) AS given LEFT JOIN batch_file AS f ON given._file = f.bronze_file_id"


def _by_path(reader: str) -> str:
    return f"SELECT f.bronze_file_id AS _file, r.* EXCLUDE (filename) FROM {reader} AS r JOIN batch_file AS f ON f.path = r.filename"


def _paths(items: Iterable[Inspected]) -> str:
    return literal_list([item.file.path for item in items])


def delimited_source(items: Sequence[Inspected], extension: str) -> str:
    """Delimited text with a header line: every field as text. Files with one header are read in one go.

    ``csv`` is separated by commas, or by semicolons where the header has more of them, as much of Europe writes it.
    """
    layouts: dict[str, list[Inspected]] = {}
    for item in items:
        layouts.setdefault(item.layout, []).append(item)
    parts = [
        _by_path(f"read_csv({_paths(group)}, all_varchar=true, header=true, filename=true, delim={literal(_delimiter(header, extension))}, quote='\"', escape='\"')")
        for header, group in layouts.items()
    ]
    return " UNION ALL BY NAME ".join(f"({part})" for part in parts)


def _delimiter(header: str, extension: str) -> str:
    return "\t" if extension == "tsv" else ";" if header.count(";") > header.count(",") else ","


def parquet_source(items: Sequence[Inspected]) -> str:
    """Parquet: every field with its own type."""
    return _by_path(f"read_parquet({_paths(items)}, filename=true)")


def document_source(items: Sequence[Inspected]) -> str:
    """JSON for a plugin's own SELECT: one row a payload, the whole of it in ``document``."""
    return f"SELECT f.bronze_file_id AS _file, CAST(r.content AS JSON) AS document FROM read_text({_paths(items)}) AS r JOIN batch_file AS f ON f.path = r.filename"


def json_field_types(entry: DatasetKeymapEntry, *, careful: bool) -> dict[str, str]:
    """How the engine reads the declared fields: floats as such, everything else as text, to be cast strictly afterwards."""
    return {
        column.source_name: "DOUBLE" if column.type == "DOUBLE" and not careful and not column.missing else "VARCHAR"
        for column in entry.columns
        if not column.from_request
    }


def _nested_shape(entry: DatasetKeymapEntry, fields: Mapping[str, str]) -> str:
    shape = "STRUCT(" + ", ".join(f"{quoted(name)} {sql_type}" for name, sql_type in fields.items()) + ")[]"
    for step in reversed(entry.rows_at.split(".")[1:] if entry.rows_at else []):
        shape = f"STRUCT({quoted(step)} {shape})"
    return shape


def json_source(entry: DatasetKeymapEntry, items: Sequence[Inspected], fields: Mapping[str, str], *, staging: Path) -> str:
    """JSON with declared fields. Small payloads are joined into one file, large ones are read as they are."""
    small = [item for item in items if item.payload is not None]
    large = [item for item in items if item.payload is None]
    parts = []
    if large:
        parts.append(_large_json(entry, large, fields))
    if small:
        parts.append(_joined_json(entry, small, fields, staging))
    return " UNION ALL BY NAME ".join(f"({part})" for part in parts)


def _object_bytes(items: Sequence[Inspected]) -> int:
    """The engine's buffer for one JSON value. It takes several of them at once, so no larger than the payloads need."""
    return max(_OBJECT_BYTES_USUAL, *(2 * item.file.row.content_length_bytes for item in items))


def _large_json(entry: DatasetKeymapEntry, items: Sequence[Inspected], fields: Mapping[str, str]) -> str:
    if not entry.rows_at:
        columns = "{" + ", ".join(f"{literal(name)}: {literal(sql_type)}" for name, sql_type in fields.items()) + "}"
        return _by_path(f"read_json({_paths(items)}, columns={columns}, format='array', filename=true, maximum_object_size={_object_bytes(items)})")
    first, _, rest = entry.rows_at.partition(".")
    rows = ".".join(quoted(step) for step in (first, *(rest.split(".") if rest else ())))
    columns = f"{{{literal(first)}: {literal(_nested_shape(entry, fields))}}}"
    reader = f"read_json({_paths(items)}, columns={columns}, format='unstructured', filename=true, maximum_object_size={_object_bytes(items)})"
    return f"SELECT _file, u.* FROM (SELECT f.bronze_file_id AS _file, unnest(r.{rows}) AS u FROM {reader} AS r JOIN batch_file AS f ON f.path = r.filename)"


def _joined_json(entry: DatasetKeymapEntry, items: Sequence[Inspected], fields: Mapping[str, str], staging: Path) -> str:
    """Small payloads as objects ``{<secret>: file id, "r": payload}`` of one file.

    A payload that closes its object and opens another could put rows under a wrong file. It cannot know the secret,
    so its object has no file id, and the query fails; the batch is then read file by file.
    """
    target = staging / "joined.ndjson"
    secret = secrets.token_hex(8)
    opening = f'{{"{secret}":"%s","r":'.encode()
    with target.open("wb", buffering=1 << 20) as joined:
        for item in items:
            assert item.payload is not None
            joined.write(opening % item.file.row.bronze_file_id.encode())
            joined.write(item.payload)
            joined.write(b"}\n")
    shape = _nested_shape(entry, fields)
    if entry.rows_at:
        shape = f"STRUCT({quoted(entry.rows_at.partition('.')[0])} {shape})"
    rows = ".".join(["r", *(quoted(step) for step in (entry.rows_at.split(".") if entry.rows_at else []))])
    columns = f"{{{literal(secret)}: 'VARCHAR', 'r': {literal(shape)}}}"
    reader = f"read_json({literal(str(target))}, columns={columns}, format='unstructured', maximum_object_size={_JOINED_OBJECT_BYTES_MAX})"
    owned = f"CASE WHEN {quoted(secret)} IS NULL THEN error('a payload is more than one JSON value') ELSE true END"
    return f"SELECT _file, u.* FROM (SELECT {quoted(secret)} AS _file, unnest({rows}) AS u FROM (SELECT * FROM {reader} WHERE {owned}))"


def parsed_source(plan: ParseRows | WrittenRows, items: Sequence[Inspected], names: Sequence[str], *, staging: Path) -> tuple[str, dict[str, str]]:
    """Rows that a plugin's ``parse`` gives, as text; and per file id the error of those it could not parse."""
    target = staging / "parsed.ndjson"
    if isinstance(plan, WrittenRows):
        target, errors = plan.path, dict(plan.errors)
    else:
        errors = write_parsed_rows(plan.parse, [(item.file.row.bronze_file_id, item.file.path) for item in items], target)
    columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in dict.fromkeys(("_file", *names)))
    return f"SELECT {quoted_list(dict.fromkeys(('_file', *names)))} FROM read_json({literal(str(target))}, columns={{{columns}}}, format='newline_delimited')", errors

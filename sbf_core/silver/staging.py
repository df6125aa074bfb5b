"""Payloads to the temporary table ``stage``: typed, checked, each row with its file and its times."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import attrs
import duckdb

from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.duck.disk import is_disk_fault
from sbf_core.duck.identifiers import quoted_list
from sbf_core.errors import PayloadRefused, PluginFault
from sbf_core.silver.cast import checked_select
from sbf_core.silver.inspection import Inspected, exact_copy, refusal, rows_are_there
from sbf_core.silver.reading import AskPlan, ParseRows, PromotionBatch, SelectRows, WrittenRows
from sbf_core.silver.source import (
    delimited_source,
    document_source,
    json_field_types,
    json_source,
    make_batch_file,
    parquet_source,
    parsed_source,
    with_request,
)


@attrs.frozen(kw_only=True)
class Staged:
    """What staging gave.

    Attributes:
        items: the payloads that are in ``stage``.
        errors: per file id why a payload is not.
        fields: field names that the payloads hold.
    """

    items: tuple[Inspected, ...]
    errors: dict[str, str]
    fields: tuple[str, ...]


def stage_batch(
    conn: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry, items: Sequence[Inspected], *, staging: Path, ask_plan: AskPlan
) -> Staged:
    """Fill ``stage`` and ``batch_file``; a payload that cannot be read is left out, and costs only itself.

    The batch is read in one go. When that fails, payloads that are no JSON are left out and the numbers of the others are read as text; only
    when that fails too is each payload tried alone.

    Raises:
        PluginFault: the plugin's SELECT is not one SELECT, or lacks ``_file``.
    """
    prepared = [exact_copy(item, staging) if item.exact else item for item in items]
    if prepared:
        try:
            return _stage_all(conn, entry, prepared, staging=staging, ask_plan=ask_plan)
        except (duckdb.Error, PayloadRefused) as error:
            _unless_disk(error)
            prepared = [attrs.evolve(item, careful=True) for item in prepared]
    errors = _no_json(prepared)
    prepared = [item for item in prepared if item.file.row.bronze_file_id not in errors]
    if prepared:
        try:
            staged = _stage_all(conn, entry, prepared, staging=staging, ask_plan=ask_plan)
            return attrs.evolve(staged, errors={**errors, **staged.errors})
        except (duckdb.Error, PayloadRefused) as error:
            _unless_disk(error)  # else one of them is bad in a way that only the engine sees
    return _stage_one_by_one(conn, entry, prepared, errors, staging=staging, ask_plan=ask_plan)


def _unless_disk(error: Exception) -> None:
    """A full disk is no fault of a payload."""
    if is_disk_fault(error):
        raise error


def _no_json(items: Sequence[Inspected]) -> dict[str, str]:
    """Per file id why a JSON payload is none."""
    errors = {}
    for item in items:
        if item.extension == "json":
            try:
                json.loads(item.payload if item.payload is not None else Path(item.file.path).read_bytes())
            except (ValueError, RecursionError) as error:
                errors[item.file.row.bronze_file_id] = f"no JSON: {error or type(error).__name__}"
    return errors


def _stage_one_by_one(
    conn: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry, items: Sequence[Inspected], errors: dict[str, str], *, staging: Path, ask_plan: AskPlan
) -> Staged:
    """Find the payloads that can be staged, and stage them together."""
    good: list[Inspected] = []
    for item in items:
        try:
            alone = _stage_all(conn, entry, [item], staging=staging, ask_plan=ask_plan)
        except (duckdb.Error, PayloadRefused) as error:
            _unless_disk(error)
            errors[item.file.row.bronze_file_id] = _first_line(error)
            continue
        errors.update(alone.errors)
        good.extend(alone.items)
    if not good:
        make_batch_file(conn, [])
        _empty_stage(conn, entry)
        return Staged(items=(), errors=errors, fields=())
    staged = _stage_all(conn, entry, good, staging=staging, ask_plan=ask_plan)
    return attrs.evolve(staged, errors={**errors, **staged.errors})


def _first_line(error: Exception) -> str:
    return refusal(error).split("\n", maxsplit=1)[0][:400]


def _stage_all(
    conn: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry, items: Sequence[Inspected], *, staging: Path, ask_plan: AskPlan
) -> Staged:
    make_batch_file(conn, items)
    extension = items[0].extension
    errors: dict[str, str] = {}
    if ask_plan is None:
        source = _declared_source(entry, items, extension, staging)
    else:
        fields = _make_batch_view(conn, items, extension)
        plan = ask_plan(PromotionBatch(files=tuple(item.file for item in items), extension=extension, fields=fields))
        if isinstance(plan, (ParseRows, WrittenRows)):
            names = [column.source_name for column in entry.columns if not column.from_request]
            source, errors = parsed_source(plan, items, names, staging=staging)
        else:
            source = _checked_plugin_select(conn, plan)
    fields = _fill_stage(conn, entry, source, trim=extension in ("csv", "tsv"))
    kept = tuple(item for item in items if item.file.row.bronze_file_id not in errors)
    if extension == "json" and ask_plan is None:
        errors.update(_rowless(conn, entry, kept))
        fields = tuple(dict.fromkeys(name for item in items for name in item.fields))
    kept = tuple(item for item in kept if item.file.row.bronze_file_id not in errors)
    return Staged(items=kept, errors=errors, fields=fields)


def _declared_source(entry: DatasetKeymapEntry, items: Sequence[Inspected], extension: str, staging: Path) -> str:
    if extension == "json":
        return json_source(entry, items, json_field_types(entry, careful=any(item.careful for item in items)), staging=staging)
    if extension in ("csv", "tsv"):
        return delimited_source(items, extension)
    if extension == "parquet":
        return parquet_source(items)
    raise PluginFault(f"payloads of the kind {extension!r} need the hook promote", where=entry.id)


def _make_batch_view(conn: duckdb.DuckDBPyConnection, items: Sequence[Inspected], extension: str) -> tuple[str, ...]:
    if extension in ("csv", "tsv"):
        source = delimited_source(items, extension)
    elif extension == "parquet":
        source = parquet_source(items)
    elif extension == "json":
        source = document_source(items)
    else:
        return ()
    conn.execute(f"CREATE OR REPLACE TEMP VIEW batch AS {source}")
    return tuple(row[0] for row in conn.execute("DESCRIBE batch").fetchall() if row[0] != "_file")


def _checked_plugin_select(conn: duckdb.DuckDBPyConnection, plan: object) -> str:
    if not isinstance(plan, SelectRows):
        raise PluginFault(f"promote answered {type(plan).__name__}", fix="answer SelectRows(...) or ParseRows(...)")
    sql = plan.sql.strip().rstrip(";")
    wrapped = f"SELECT * FROM ({sql}\n) AS answer"
    for text in (sql, wrapped):
        try:
            statements = conn.extract_statements(text)
        except duckdb.Error as error:
            raise PluginFault(f"promote's SQL cannot be parsed: {str(error).splitlines()[0]}") from error
        if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
            raise PluginFault("promote's SQL is not one SELECT")
    if "_file" not in _describe(conn, wrapped):
        raise PluginFault("promote's SELECT does not give _file", fix="pass the column _file of batch on")
    return wrapped


def _describe(conn: duckdb.DuckDBPyConnection, source: str) -> dict[str, str]:
    return {row[0]: row[1] for row in conn.execute(f"DESCRIBE {source}").fetchall()}


def _fill_stage(conn: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry, source: str, *, trim: bool) -> tuple[str, ...]:
    fields = _describe(conn, source)
    extended = with_request(entry, source)
    rows = checked_select(entry, f"({extended})", fields if extended == source else _describe(conn, extended), trim=trim)
    conn.execute(f"CREATE OR REPLACE TEMP TABLE stage AS {_with_times(entry, rows)}")
    return tuple(name for name in fields if name != "_file")


def _with_times(entry: DatasetKeymapEntry, rows: str) -> str:
    names = quoted_list(entry.column_types, prefix="s.")
    published = entry.known_from_column
    known_from = f"coalesce(CAST(s.{quoted_list([published])} AS TIMESTAMP), f.fetched_at)" if published else "f.fetched_at"
    # An inner join would lose rows that a plugin's SELECT gives for other payloads; what is never selected, the optimizer never looks at.
    file_id = "coalesce(f.bronze_file_id, error('promote gave a row whose _file is no payload of the batch'))"
    return (
        f"SELECT {names}, {file_id} AS _bronze_file_id, f.run_id AS _run_id, {known_from} AS known_from, f.fetched_at AS recorded_at, "
        f"f.is_context AS _context, s._reason, s._row, CAST(NULL AS VARCHAR) AS _outcome FROM ({rows}) AS s LEFT JOIN batch_file AS f ON s._file = f.bronze_file_id"
    )


def _empty_stage(conn: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry) -> None:
    nothing = checked_select(entry, "(SELECT CAST(NULL AS VARCHAR) AS _file WHERE false)", {}, trim=False)
    conn.execute(f"CREATE OR REPLACE TEMP TABLE stage AS {_with_times(entry, nothing)}")


def _rowless(conn: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry, items: Sequence[Inspected]) -> dict[str, str]:
    """JSON payloads without rows that hold no empty list either, with the reason: a note or an error, no data."""
    found = conn.execute("SELECT bronze_file_id FROM batch_file ANTI JOIN stage ON bronze_file_id = _bronze_file_id").fetchall()
    empty = {file_id for (file_id,) in found}
    suspects = [item for item in items if item.file.row.bronze_file_id in empty]
    return {
        item.file.row.bronze_file_id: f"holds no rows at {entry.rows_at!r}" for item in suspects if not rows_are_there(entry, item.file.path)
    }

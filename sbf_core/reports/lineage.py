"""The way of a number back to its payload, and the way of a payload to everything that it changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs
import duckdb

from sbf_core.bronze.file_reader import why_other_bytes
from sbf_core.bronze.stored import Stored, as_file
from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.duck.identifiers import quoted, quoted_list
from sbf_core.errors import UsageError, nearest
from sbf_core.gold.declared import stale_gold
from sbf_core.gold.model import GoldModel
from sbf_core.gold.order import tables_read
from sbf_core.home.gold_models import gold_over
from sbf_core.reports.datasets import dataset_named, has_rows, key_named, key_of, revisions
from sbf_core.reports.row_place import Place, place_in_payload
from sbf_core.reports.stale_tables import as_it_is
from sbf_core.reports.table import FactTable, table_of
from sbf_core.value import Value

_INPUT_ROWS_MAX = 20
#: Into which tables a payload was promoted, the one first for which it was fetched.
_PROMOTED_INTO = """
SELECT silver_table, rows_rejected FROM (
    SELECT 0 AS place, silver_table, rows_rejected FROM ops.promotion_manifest WHERE bronze_file_id = ? UNION ALL
    SELECT 1, silver_table, rows_rejected FROM ops.readings WHERE bronze_file_id = ?
) ORDER BY place, silver_table
"""
_PAYLOAD = """
SELECT m.bronze_file_id, m.rel_path AS payload, m.payload_hash AS sha256, m.run_id, m.fetched_at, m.address,
    m.status_code AS http, m.from_date, m.to_date, m.extension, m.content_length_bytes AS bytes,
    m.pack, m.pack_offset
FROM ops.bronze_manifest AS m WHERE m.bronze_file_id = ?
"""
_NAMED = (
    "SELECT bronze_file_id, rel_path FROM ops.bronze_manifest "
    "WHERE bronze_file_id = ? OR rel_path = ? OR starts_with(payload_hash, lower(?)) ORDER BY 2"
)
_HASH_DIGITS_MIN = 4
_CANDIDATES_SHOWN = 5


@attrs.frozen(kw_only=True)
class SilverOrigin(Value):
    """Where a silver value came from.

    Attributes:
        entry: the dataset.
        key: of its row.
        column, value: what was asked for.
        versions: every version of the row, oldest first.
        payload: what the ledger says of the payload that brought the current one.
        place: where it stands in the payload.
    """

    entry: DatasetKeymapEntry
    key: Mapping[str, Any]
    column: str
    value: Any
    versions: FactTable
    payload: Mapping[str, Any]
    place: Place


@attrs.frozen(kw_only=True)
class GoldInput(Value):
    """Rows that a gold row was made of.

    Attributes:
        table: ``silver.x`` or ``gold.x``.
        by: columns of the key by which they belong to the row; none: all rows of the table.
        count: how many.
        rows: the first of them.
    """

    table: str
    by: tuple[str, ...]
    count: int
    rows: FactTable


@attrs.frozen(kw_only=True)
class GoldOrigin(Value):
    """Where a gold value came from.

    Attributes:
        model: the declaration, as its plugin gives it now, over the sources that are there.
        key: of its row.
        column, value: what was asked for.
        inputs: the tables that the SQL reads, with their rows that share the key. They are found by the names of
            columns: sbf does not follow a value through expressions.
    """

    model: GoldModel
    key: Mapping[str, Any]
    column: str
    value: Any
    inputs: tuple[GoldInput, ...]


def explain_silver(
    cursor: duckdb.DuckDBPyConnection,
    bronze: Path,
    entries: Iterable[DatasetKeymapEntry],
    *,
    table: str,
    key: str,
    column: str,
) -> SilverOrigin:
    """Where a silver value came from.

    Args:
        cursor: reads.
        bronze: the folder of the payloads.
        entries: the datasets.
        table: a silver table, or another name of its dataset.
        key: as for ``revisions``.
        column: a column of the table.

    Raises:
        UsageError: there is no such dataset, row or column.
        DamageFound: the path of its payload leads out of Bronze.
    """
    entry = as_it_is(cursor, dataset_named(table, entries))
    if column not in entry.column_types:
        raise UsageError(
            f"{entry.id} has no column {column!r}",
            fix=nearest(column, entry.column_types) or "columns are " + ", ".join(entry.column_types),
            code="UNKNOWN_COLUMN",
        )
    wanted = key_of(entry, key)
    if not has_rows(cursor, entry):
        raise UsageError(f"there is nothing of {entry.id} yet", fix="run `sbf run`", code="NO_ROWS")
    versions = revisions(cursor, entry, wanted)
    condition = " AND ".join(f"t.{quoted(name)} = CAST(? AS {entry.column_types[name]})" for name in entry.key_columns)
    result = table_of(
        cursor,
        f"SELECT t.* FROM silver.{quoted(entry.silver_table)} AS t WHERE {condition}",
        [wanted[name] for name in entry.key_columns],
    )
    if not result.rows:
        gone = " now; it was once: see `sbf revisions`" if versions.rows else ""
        raise UsageError(
            f"{entry.id} has no row with the key {key!r}{gone}", fix="look for it with `sbf sql`", code="UNKNOWN_KEY"
        )
    row = result.records[0]
    payload = table_of(cursor, _PAYLOAD, [row["_bronze_file_id"]]).records[0]
    stored = Stored(payload["sha256"], payload["bytes"], payload["pack"], payload["pack_offset"])
    with as_file(bronze, payload["payload"], stored) as path:
        changed = why_other_bytes(path, stored.payload_hash, stored.byte_count)
        its_key = {name: row[name] for name in entry.key_columns}
        extension = payload["extension"]
        place = Place(note=changed) if changed else place_in_payload(path, extension, entry, its_key, column)
    return SilverOrigin(
        entry=entry, key=wanted, column=column, value=row[column], versions=versions, payload=payload, place=place
    )


def explain_gold(
    cursor: duckdb.DuckDBPyConnection, models: Sequence[GoldModel], *, table: str, key: str, column: str
) -> GoldOrigin:
    """Where a gold value came from: the SQL, and the rows of its inputs that share the key.

    Raises:
        UsageError: there is no such table, row or column.
    """
    name = table.removeprefix("gold.")
    model = next((one for one in models if one.name == name), None)
    if model is None:
        raise UsageError(
            f"no installed plugin builds gold.{name}",
            fix=nearest(name, [one.name for one in models]) or "see `sbf status`",
            code="UNKNOWN_TABLE",
        )
    types = _columns(cursor, f"gold.{name}")
    if not types:
        raise UsageError(f"gold.{name} was not built yet", fix="run `sbf run --only gold`", code="NO_ROWS")
    for stale in stale_gold(cursor, [model]):
        what = (
            f"gold.{name} was built by another declaration, "
            f"so what is declared now does not explain it: {'; '.join(stale.why)}"
        )
        raise UsageError(what, fix="build it again first: `sbf run --only gold`", code="STALE")
    if column not in types:
        raise UsageError(
            f"gold.{name} has no column {column!r}",
            fix=nearest(column, types) or "columns are " + ", ".join(types),
            code="UNKNOWN_COLUMN",
        )
    wanted = key_named(model.key, key, what=f"gold.{name}")
    condition = " AND ".join(f"t.{quoted(part)} = CAST(? AS {types[part]})" for part in model.key)
    try:
        result = table_of(
            cursor,
            f"SELECT t.{quoted(column)} FROM gold.{quoted(name)} AS t WHERE {condition}",
            [wanted[part] for part in model.key],
        )
    except duckdb.ConversionException as error:
        raise UsageError(
            f"a value of the key does not fit: {str(error).splitlines()[0]}", where=f"gold.{name}", code="KEY"
        ) from error
    if not result.rows:
        raise UsageError(
            f"gold.{name} has no row with the key {key!r}", fix="look for it with `sbf sql`", code="UNKNOWN_KEY"
        )
    reads = sorted(tables_read(cursor, model.sql, where=f"gold.{name}"))
    inputs = tuple(_input(cursor, source, wanted) for source in reads if _columns(cursor, source))
    return GoldOrigin(model=model, key=wanted, column=column, value=result.rows[0][0], inputs=inputs)


def _columns(cursor: duckdb.DuckDBPyConnection, table: str) -> dict[str, str]:
    schema, _, name = table.partition(".")
    query = (
        "SELECT column_name, data_type FROM duckdb_columns() "
        "WHERE database_name = current_database() AND schema_name = ? AND table_name = ? ORDER BY column_index"
    )
    return dict(cursor.execute(query, [schema, name]).fetchall())


def _input(cursor: duckdb.DuckDBPyConnection, table: str, key: Mapping[str, str]) -> GoldInput:
    types = _columns(cursor, table)
    by = tuple(name for name in key if name in types)
    schema, _, name = table.partition(".")
    source = f"{schema}.{quoted(name)} AS t"
    where = " WHERE " + " AND ".join(f"CAST(t.{quoted(part)} AS VARCHAR) = ?" for part in by) if by else ""
    values = [key[part] for part in by]
    counted = cursor.execute(f"SELECT count(*) FROM {source}{where}", values).fetchone()
    shown = quoted_list((column for column in types if not column.startswith("_")), prefix="t.")
    rows = table_of(
        cursor, f"SELECT {shown} FROM {source}{where} ORDER BY ALL LIMIT {_INPUT_ROWS_MAX if by else 0}", values
    )
    return GoldInput(table=table, by=by, count=counted[0] if counted else 0, rows=rows)


@attrs.frozen(kw_only=True)
class TableImpact(Value):
    """What a payload changed in one silver table.

    Attributes:
        silver_table: its name, without schema.
        current: rows of the table that it brought and that still hold.
        superseded: rows that it brought and that were superseded since.
        rejected: rows of it that were rejected.
    """

    silver_table: str
    current: int
    superseded: int
    rejected: int


@attrs.frozen(kw_only=True)
class Impact(Value):
    """What a payload changed.

    Attributes:
        payload: what the ledger says of it.
        tables: where its rows went, first the table of the dataset that fetched it; empty where it was not promoted.
        gold: gold tables that read one of the tables, directly or through others.
    """

    payload: Mapping[str, Any]
    tables: tuple[TableImpact, ...]
    gold: tuple[str, ...]


def impact(cursor: duckdb.DuckDBPyConnection, models: Sequence[GoldModel], name: str) -> Impact:
    """What a payload changed.

    Args:
        cursor: reads.
        models: the gold models, over the sources that are there.
        name: its path, its id, or the beginning of its hash.

    Raises:
        UsageError: there is no such payload, or several.
    """
    short = name.removeprefix("bronze/")
    rows = cursor.execute(_NAMED, [short, short, short if len(short) >= _HASH_DIGITS_MIN else "-"]).fetchall()
    if len(rows) != 1:
        raise _no_one_payload(name, [path for _, path in rows])
    payload = table_of(cursor, _PAYLOAD, [rows[0][0]]).records[0]
    tables = tuple(
        _impact_on(cursor, table, rows[0][0], rejected or 0)
        for table, rejected in cursor.execute(_PROMOTED_INTO, [rows[0][0], rows[0][0]]).fetchall()
        if table
    )
    gold = [name for one in tables for name in gold_over(cursor, models, f"silver.{one.silver_table}")]
    return Impact(payload=payload, tables=tables, gold=tuple(dict.fromkeys(gold)))


def _impact_on(cursor: duckdb.DuckDBPyConnection, table: str, file_id: str, rejected: int) -> TableImpact:
    names = (table, f"{table}_history") if _columns(cursor, f"silver.{table}") else ()
    current, superseded = [_brought(cursor, f"silver.{quoted(one)}", file_id) for one in names] or [0, 0]
    return TableImpact(silver_table=table, current=current, superseded=superseded, rejected=rejected)


def _no_one_payload(name: str, paths: Sequence[str]) -> UsageError:
    """None has this name, or several hashes begin so."""
    fix = "write its path below bronze, e.g. of `sbf runs last`"
    if paths:
        what = f"the hashes of {len(paths):,} payloads begin with {name!r}"
        more = ", ..." if len(paths) > _CANDIDATES_SHOWN else ""
        where = ", ".join(paths[:_CANDIDATES_SHOWN]) + more
        return UsageError(what, where=where, fix="write more of the hash, or one of these", code="UNKNOWN_PAYLOAD")
    if len(name) < _HASH_DIGITS_MIN:
        return UsageError(
            f"{name!r} is too short for the beginning of a hash",
            fix=f"write {_HASH_DIGITS_MIN} digits or more; or {fix}",
            code="UNKNOWN_PAYLOAD",
        )
    return UsageError(f"there is no payload {name!r}", fix=fix, code="UNKNOWN_PAYLOAD")


def _brought(cursor: duckdb.DuckDBPyConnection, table: str, file_id: str) -> int:
    row = cursor.execute(f"SELECT count(*) FROM {table} AS t WHERE t._bronze_file_id = ?", [file_id]).fetchone()
    return row[0] if row else 0

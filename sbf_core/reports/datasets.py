"""What is kept of the datasets: payloads, columns with their ranges,
coverage by ticker and time, and the revisions of one key.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import duckdb

from sbf_core.dataset.columns import Column
from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.duck.identifiers import literal, quoted, quoted_list
from sbf_core.errors import UsageError, nearest
from sbf_core.ops.promotions import promotions_of
from sbf_core.reports.table import FactTable, table_of
from sbf_core.silver.tables import tables_there

_PAYLOADS = """
SELECT m.fetched_at, m.ticker, m.from_date, m.to_date, m.content_length_bytes AS bytes, p.status, p.rows_seen AS seen,
    p.rows_inserted AS inserted, p.rows_updated AS updated, p.rows_rejected AS rejected,
    left(m.payload_hash, 12) AS hash, m.rel_path AS payload, p.error, m.bronze_file_id
FROM (SELECT * FROM ops.bronze_manifest WHERE list_contains(?, dataset_id)
    ORDER BY fetched_at DESC, rel_path LIMIT ? OFFSET ?) AS m
LEFT JOIN {promotions} AS p USING (bronze_file_id) ORDER BY m.fetched_at DESC, m.rel_path
"""
PERIODS = ("year", "quarter", "month")


def dataset_named(name: str, entries: Iterable[DatasetKeymapEntry]) -> DatasetKeymapEntry:
    """A dataset by its identity, its table or its name at the source.

    Raises:
        UsageError: none is meant, or several.
    """
    known = list(entries)
    table = name.removeprefix("silver.")
    matches = (
        [entry for entry in known if entry.id == name]
        or [entry for entry in known if entry.silver_table == table]
        or [entry for entry in known if entry.dataset == name]
    )
    if len(matches) == 1:
        return matches[0]
    if matches:
        raise UsageError(
            f"{name!r} means {len(matches)} datasets",
            fix="write one of " + ", ".join(entry.id for entry in matches),
            code="UNKNOWN_DATASET",
        )
    hint = nearest(name, [text for entry in known for text in (entry.id, entry.silver_table, entry.dataset)])
    raise UsageError(f"there is no dataset {name!r}", fix=hint or "see `sbf datasets`", code="UNKNOWN_DATASET")


def has_rows(cursor: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry) -> bool:
    """Whether the silver table of a dataset is there."""
    return tables_there(cursor, entry.silver_table)


def payloads_of(
    cursor: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry, *, limit: int, offset: int = 0
) -> FactTable:
    """Its payloads, newest first, with what became of them."""
    sql = _PAYLOADS.format(promotions=promotions_of(entry))
    return table_of(cursor, sql, [list(entry.payload_ids), limit, offset])


def count_payloads(cursor: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry) -> int:
    """How many payloads there are of it."""
    query = "SELECT count(*) FROM ops.bronze_manifest WHERE list_contains(?, dataset_id)"
    row = cursor.execute(query, [list(entry.payload_ids)]).fetchone()
    return row[0] if row else 0


def columns_of_table(cursor: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry) -> FactTable:
    """Its columns with role, unit and doc, and what they hold: nulls, smallest and largest value."""
    if not has_rows(cursor, entry):
        counted: Mapping[str, tuple[object, ...]] = {}
    else:
        # one pass over the table: three values for each column
        columns = [f"t.{quoted(name)}" for name in entry.column_types]
        parts = ", ".join(
            f"count(*) - count({name}), CAST(min({name}) AS VARCHAR), CAST(max({name}) AS VARCHAR)" for name in columns
        )
        values = cursor.execute(f"SELECT {parts} FROM silver.{quoted(entry.silver_table)} AS t").fetchone() or ()
        counted = {name: tuple(values[3 * place : 3 * place + 3]) for place, name in enumerate(entry.column_types)}
    rows = tuple(
        (
            column.name,
            column.type,
            _role(column),
            *(counted.get(column.name) or (None, None, None)),
            column.unit,
            column.doc,
        )
        for column in entry.columns
    )
    return FactTable(("column", "type", "role", "nulls", "smallest", "largest", "unit", "doc"), rows)


def _role(column: Column) -> str:
    return ", ".join(
        word
        for word, holds in (("key", column.key), ("row date", column.row_date), ("known from", column.known_from))
        if holds
    )


def coverage(cursor: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry, *, by: str, ticker_column: str) -> FactTable:
    """How many rows there are, by ticker and period, one column a period.

    Args:
        cursor: reads.
        entry: a dataset with a row date.
        by: ``year``, ``quarter`` or ``month``.
        ticker_column: a column of the key by which rows are told apart; empty for none.

    Raises:
        UsageError: the dataset has no row date.
    """
    day = entry.row_date_column
    if day is None:
        raise UsageError(
            f"{entry.id} has no date of a row, so it covers no time", fix="see `sbf datasets NAME`", code="NO_DATE"
        )
    what = f"t.{quoted(ticker_column)}" if ticker_column else literal("")
    shown = {
        "year": "strftime({d}, '%Y')",
        "quarter": "strftime({d}, '%Y-Q') || quarter({d})",
        "month": "strftime({d}, '%Y-%m')",
    }[by].format(d=f"t.{quoted(day)}")
    counted = cursor.execute(
        f"SELECT CAST({what} AS VARCHAR), {shown}, count(*) "
        f"FROM silver.{quoted(entry.silver_table)} AS t GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    periods = sorted({period for _, period, _ in counted})
    cells = {(name, period): count for name, period, count in counted}
    names = sorted({name for name, _, _ in counted})
    rows = tuple((name, *(cells.get((name, period), 0) for period in periods)) for name in names)
    return FactTable((ticker_column or "rows", *periods), rows)


def ticker_column(entry: DatasetKeymapEntry) -> str:
    """The column of the key that tells series apart:
    the one that is asked for, else the first that is no date; empty for none.
    """
    keys = [column for column in entry.columns if column.key and not column.row_date]
    asked = [column.name for column in keys if column.source == "request.ticker"]
    texts = [column.name for column in keys if column.type == "VARCHAR"]
    return (asked or texts or [""])[0]


def key_of(entry: DatasetKeymapEntry, text: str) -> dict[str, str]:
    """The key of a dataset as a user writes it; see ``key_named``."""
    return key_named(entry.key_columns, text, what=entry.id)


def key_named(columns: Sequence[str], text: str, *, what: str) -> dict[str, str]:
    """A key as a user writes it: ``currency=USD,date=2024-01-02``, or the values alone in the order of the key.

    Args:
        columns: of the key.
        text: what the user wrote.
        what: whose key it is, for messages.

    Raises:
        UsageError: a column of the key is missing, or another is named.
    """
    parts = [part.strip() for part in text.split(",")]
    fix = "write " + ",".join(f"{name}=..." for name in columns)
    if all("=" in part for part in parts):
        key = {name.strip(): value.strip() for name, _, value in (part.partition("=") for part in parts)}
        wrong = next((name for name in key if name not in columns), None)
        if wrong is not None:
            raise UsageError(
                f"{wrong!r} is no column of the key of {what}", fix=nearest(wrong, columns) or fix, code="KEY"
            )
    else:
        key = dict(zip(columns, parts, strict=True)) if len(parts) == len(columns) else {}
    if set(key) != set(columns):
        raise UsageError(f"this is no key of {what}: {text!r}", fix=fix, code="KEY")
    return key


def own_header(entry: DatasetKeymapEntry, name: str) -> str:
    """What a column that stands beside those of a dataset is called:
    ``name``, or ``_name`` where the dataset has one of that name.
    """
    return f"_{name}" if name in entry.column_types else name


def revisions(cursor: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry, key: Mapping[str, str]) -> FactTable:
    """Every version of one key, oldest first: its values, since and until when they were known, when they were
    recorded, and the payload that brought them.

    The columns that the table itself does not have are called as ``own_header`` says.

    Raises:
        UsageError: a value does not fit its column.
    """
    values = [column.name for column in entry.columns if not column.key]
    condition = " AND ".join(f"t.{quoted(name)} = CAST(? AS {entry.column_types[name]})" for name in entry.key_columns)
    table, history = f"silver.{quoted(entry.silver_table)}", f"silver.{quoted(entry.silver_table + '_history')}"
    shown = "".join(f"{name}, " for name in [quoted_list(values, prefix="v.")] if values)
    both = (
        "SELECT t.* EXCLUDE (_run_id), CAST(NULL AS TIMESTAMP) AS known_to, false AS _deleted "
        f"FROM {table} AS t WHERE {condition} "
        f"UNION ALL BY NAME SELECT t.* EXCLUDE (_run_id) FROM {history} AS t WHERE {condition}"
    )
    state, payload, file_id = (quoted(own_header(entry, name)) for name in ("state", "payload", "bronze_file_id"))
    query = (
        f"SELECT {shown}v.known_from, v.known_to, v.recorded_at, "
        "CASE WHEN v._deleted THEN 'gone' WHEN v.known_to IS NULL THEN 'current' ELSE 'superseded' END "
        f"AS {state}, m.rel_path AS {payload}, m.bronze_file_id AS {file_id} "
        f"FROM ({both}) AS v LEFT JOIN ops.bronze_manifest AS m ON m.bronze_file_id = v._bronze_file_id "
        "ORDER BY v.known_from, v.recorded_at, v.known_to NULLS LAST"
    )
    parameters = [key[name] for name in entry.key_columns]
    try:
        return table_of(cursor, query, [*parameters, *parameters])
    except duckdb.ConversionException as error:
        raise UsageError(
            f"a value of the key does not fit: {str(error).splitlines()[0]}", where=entry.id, code="KEY"
        ) from error

"""Rows of one dataset, as they are now or as they were known at a moment: filtered, sorted, page by page."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import attrs
import duckdb

from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.duck.identifiers import quoted, quoted_list
from sbf_core.errors import UsageError, nearest
from sbf_core.reports.table import FactTable, table_of
from sbf_core.value import Value


@attrs.frozen(kw_only=True)
class RowsWanted(Value):
    """Which rows.

    Attributes:
        as_of: as they were known then, UTC; None for now.
        filters: text by column: a value, ``>value``, ``<value``, ``>=``, ``<=``, or part of a text.
        sort: a column; empty: the key.
        descending: the other way round.
        page: the first is 1.
        size: rows of a page.
    """

    as_of: dt.datetime | None = None
    filters: Mapping[str, str] = attrs.field(factory=dict)
    sort: str = ""
    descending: bool = False
    page: int = 1
    size: int = 50


@attrs.frozen(kw_only=True)
class RowsFound(Value):
    """A page of rows.

    Attributes:
        table: the rows, with the id of the payload that brought each in the last column.
        more: whether there is another page.
        total: how many rows there are in all.
    """

    table: FactTable
    more: bool
    total: int


def rows_of(cursor: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry, wanted: RowsWanted) -> RowsFound:
    """A page of the rows of a dataset.

    Raises:
        UsageError: there is no such column, or a value does not fit its column.
    """
    source = f"silver.{quoted(entry.silver_table)}"
    parameters: list[Any] = []
    if wanted.as_of is not None:
        source = f"silver.{quoted(entry.silver_table + '_as_of')}(CAST(? AS TIMESTAMP))"
        parameters.append(wanted.as_of)
    conditions = []
    for name, text in wanted.filters.items():
        if text.strip():
            condition, value = _condition(entry, name, text.strip())
            conditions.append(condition)
            parameters.append(value)
    where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    names = [_known(entry, wanted.sort)] if wanted.sort else []
    order = ", ".join(
        f"t.{quoted(name)} {'DESC' if wanted.descending else 'ASC'} NULLS LAST"
        for name in (*names, *(key for key in entry.key_columns if key not in names))
    )
    shown = quoted_list((*entry.column_types, "known_from", "recorded_at", "_bronze_file_id"), prefix="t.")
    try:
        counted = cursor.execute(f"SELECT count(*) FROM {source} AS t {where}", parameters).fetchone()
        total = counted[0] if counted else 0
        offset = (wanted.page - 1) * wanted.size
        page = table_of(
            cursor,
            f"SELECT {shown} FROM {source} AS t {where} ORDER BY {order} LIMIT {wanted.size} OFFSET {offset}",
            parameters,
        )
    except duckdb.ConversionException as error:
        raise UsageError(
            f"a value does not fit its column: {str(error).splitlines()[0]}", where=entry.id, code="FILTER"
        ) from error
    return RowsFound(table=page, more=offset + wanted.size < total, total=total)


def _known(entry: DatasetKeymapEntry, name: str) -> str:
    names = [*entry.column_types, "known_from", "recorded_at"]
    if name not in names:
        raise UsageError(
            f"{entry.id} has no column {name!r}",
            fix=nearest(name, names) or "columns are " + ", ".join(names),
            code="COLUMN",
        )
    return name


def _condition(entry: DatasetKeymapEntry, name: str, text: str) -> tuple[str, str]:
    column = f"t.{quoted(_known(entry, name))}"
    kind = entry.column_types.get(name, "TIMESTAMP")
    for sign in (">=", "<=", ">", "<", "="):
        if text.startswith(sign):
            return f"{column} {sign} CAST(? AS {kind})", text.removeprefix(sign).strip()
    if kind == "VARCHAR":
        return f"contains(lower({column}), lower(?))", text
    return f"{column} = CAST(? AS {kind})", text

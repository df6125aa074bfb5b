"""Fields that a vendor added, dropped or renamed."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.duck.identifiers import quoted
from sbf_core.silver.tables import current_table

_SHOWN_MAX = 5


def fields_by_name(entry: DatasetKeymapEntry) -> list[tuple[str, ...]]:
    """For each column that takes a field by its name: the names that it may have. Columns with a path are left out."""
    return [
        column.source_names
        for column in entry.columns
        if not column.from_request and column.source_name[:1] not in ("$", "@")
    ]


def notes_of_emptied(
    conn: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry, fields: Sequence[str]
) -> tuple[str, ...]:
    """What a user should know before the rows in ``stage`` are taken in: a column that has values, and to which none of
    them brings one.

    Args:
        conn: with the payloads in ``stage``.
        entry: their dataset.
        fields: the names that the payloads hold; nothing is told where they are not known.
    """
    known = {name for names in fields_by_name(entry) for name in names}
    unknown = [name for name in fields if name not in known]
    suspects = [
        column
        for column in entry.columns
        if column.nullable
        and not column.from_request
        and column.source_name[:1] not in ("$", "@")
        and not set(column.source_names) & set(fields)
    ]
    if not fields or not suspects:
        return ()
    filled = ", ".join(
        f"(SELECT count(*) FROM (SELECT 1 FROM {{table}} AS t WHERE t.{quoted(column.name)} IS NOT NULL LIMIT 1))"
        for column in suspects
    )
    in_stage = conn.execute("SELECT " + filled.format(table="stage")).fetchone()
    in_table = conn.execute("SELECT " + filled.format(table=current_table(entry))).fetchone()
    assert in_stage is not None
    assert in_table is not None
    gone = [column for column, here, there in zip(suspects, in_stage, in_table, strict=True) if there and not here]
    others = ", ".join(repr(name) for name in unknown[:_SHOWN_MAX])
    hint = (
        f"; fields that are not declared: {others}; if it was renamed, declare also= for the column" if others else ""
    )
    return tuple(
        f"no row has the field {column.source_name!r} any more, so {column.name} is emptied where rows came{hint}"
        for column in gone
    )

"""Where the rows of a table or a query come from: the datasets below it, with their terms."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import duckdb

from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.gold.model import GoldModel
from sbf_core.gold.order import planned, tables_read


def datasets_below(
    conn: duckdb.DuckDBPyConnection,
    sql: str,
    models: Sequence[GoldModel],
    entries: Iterable[DatasetKeymapEntry],
) -> tuple[list[DatasetKeymapEntry], list[str]]:
    """The datasets whose silver a SELECT reads, directly or through gold, in the order of their identities.

    Args:
        conn: parses.
        sql: one SELECT; tables have their schema.
        models: the gold models, over the sources that are there.
        entries: the datasets.

    Returns:
        The datasets, and the tables of which no loaded plugin says where they come from.

    Raises:
        UsageError: it is no SELECT, or reads what nobody can see in it.
    """
    by_table = {f"silver.{entry.silver_table}".lower(): entry for entry in entries}
    reads: Mapping[str, Iterable[str]] = planned(conn, models).reads
    found: dict[str, DatasetKeymapEntry] = {}
    unknown: set[str] = set()
    seen: set[str] = set()
    left = set(tables_read(conn, sql, where="the query"))
    while left:
        table = left.pop()
        if table in seen:
            continue
        seen.add(table)
        of_silver = by_table.get(table) or by_table.get(table.removesuffix("_history"))
        if of_silver is not None:
            found[of_silver.id] = of_silver
        elif table in reads:
            left |= set(reads[table])
        else:
            unknown.add(table)
    return [found[name] for name in sorted(found)], sorted(unknown)

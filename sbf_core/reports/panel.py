"""A panel over a silver table of an open warehouse."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import duckdb

from sbf_core.dataset.fingerprint import columns_as_made
from sbf_core.errors import UsageError, nearest
from sbf_core.ops.made_tables import made_tables
from sbf_core.silver.panel import panel_sql


def panel_of(
    conn: duckdb.DuckDBPyConnection,
    table: str,
    moments: Sequence[dt.datetime],
    *,
    columns: Sequence[str] | None,
) -> duckdb.DuckDBPyRelation:
    """See ``sbf_core.panel``.

    Raises:
        UsageError: there is no such table or column, no moment, or the warehouse is open as it was known then.
    """
    name = table.removeprefix("silver.")
    try:
        made = made_tables(conn)
    except duckdb.CatalogException:
        what, fix = "a panel looks at many moments, and this warehouse is open at one", "sbf_core.open(home)"
        raise UsageError(what, where="sbf_core.panel", fix=fix, code="PANEL") from None
    if name not in made:
        fix = nearest(name, made) or "silver tables are " + ", ".join(sorted(made))
        raise UsageError(f"there is no silver table {name!r}", where="sbf_core.panel", fix=fix, code="UNKNOWN_TABLE")
    if not moments:
        raise UsageError("no moment is given", where="sbf_core.panel", fix='["2026-01-31"]', code="PANEL")
    declared = columns_as_made(made[name].text)
    names = [column.name for column in declared]
    stray = next((one for one in columns or () if one not in names), None)
    if stray is not None:
        fix = nearest(stray, names) or "columns are " + ", ".join(names)
        raise UsageError(f"{name} has no column {stray!r}", where="sbf_core.panel", fix=fix, code="UNKNOWN_COLUMN")
    keys = [column.name for column in declared if column.key]
    wanted = names if columns is None else [*keys, *(one for one in columns if one not in keys)]
    at_name = "_as_of" if "as_of" in names else "as_of"
    return conn.sql(panel_sql(name, declared, moments, wanted=wanted, at_name=at_name))

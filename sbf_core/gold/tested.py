"""What the tests of a gold table look at: all that may have changed, and not more."""

from __future__ import annotations

import duckdb

from sbf_core.duck.identifiers import quoted
from sbf_core.gold.changed import Changes
from sbf_core.gold.model import ForeignKey, GoldModel, GoldTest, NotNull, Unique
from sbf_core.gold.tables import number


def failing_rows(
    conn: duckdb.DuckDBPyConnection, model: GoldModel, changes: Changes | None, *, is_written: bool
) -> dict[str, int]:
    """How many rows fail each test that can be made before, or only after, the table was written; by its name.

    Args:
        conn: with the temporary table ``candidate``: the rows of the SELECT, or of the part that changed.
        model: the table.
        changes: that part; None if it was computed whole.
        is_written: whether the table holds the rows of ``candidate``.
    """
    failed: dict[str, int] = {}
    for test in model.all_tests:
        needs_table = changes is not None and _needs_table(test, changes)
        if needs_table == is_written:
            looked_at = "candidate" if changes is None else _looked_at(model, test, changes)
            failed[test.name] = number(conn, f"SELECT count(*) FROM ({test.failing(looked_at)})")
    return failed


def _needs_table(test: GoldTest, changes: Changes) -> bool:
    """Whether rows that did not change can fail a test because of those that did."""
    if isinstance(test, Unique):
        return not set(test.columns) >= set(changes.columns)
    return isinstance(test, ForeignKey) and f"gold.{test.to}".lower() in changes.changed


def _looked_at(model: GoldModel, test: GoldTest, changes: Changes) -> str:
    table = f"gold.{quoted(model.name)}"
    if isinstance(test, NotNull) and test.column in changes.columns:
        return f"({model.full_sql})"  # a row with NULL there is in no part
    if not _needs_table(test, changes):
        return "candidate"
    if isinstance(test, Unique):
        same = " AND ".join(f"c.{quoted(column)} IS NOT DISTINCT FROM t.{quoted(column)}" for column in test.columns)
        return f"(SELECT t.* FROM {table} AS t WHERE EXISTS (FROM candidate AS c WHERE {same}))"
    return table

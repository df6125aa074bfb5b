"""Gold tables: how each stands, and the rows, tests and builds of one."""

from __future__ import annotations

import attrs
import duckdb

from sbf_core.duck.identifiers import quoted
from sbf_core.errors import UsageError
from sbf_core.gold.tables import table_exists
from sbf_core.reports.table import FactTable, table_of
from sbf_core.value import Value

_GOLD = """
SELECT table_name, arg_max(status, started_at) AS status, arg_max(rows_seen, started_at) FILTER (status = 'ok') AS rows,
    max(finished_at) FILTER (status = 'ok') AS built_at, arg_max(coalesce(error_message, ''), started_at) AS error
FROM ops.gold_manifest GROUP BY 1 ORDER BY 1
"""
_TESTS = """
SELECT test, status, failing_rows, tested_at FROM ops.gold_tests
WHERE table_name = ? AND gold_build_id = (SELECT max(gold_build_id) FROM ops.gold_tests WHERE table_name = ?)
ORDER BY test
"""
_BUILDS = """
SELECT started_at, status, rows_seen AS rows, rows_written AS written,
    date_diff('millisecond', started_at, finished_at) / 1000 AS seconds, error_message AS error
FROM ops.gold_manifest WHERE table_name = ? ORDER BY started_at DESC LIMIT 10
"""


@attrs.frozen(kw_only=True)
class GoldFacts(Value):
    """One gold table.

    Attributes:
        rows: some of its rows.
        total: how many there are.
        tests: those of its last build.
        builds: the last ten.
    """

    rows: FactTable
    total: int
    tests: FactTable
    builds: FactTable


def gold_tables(cursor: duckdb.DuckDBPyConnection) -> FactTable:
    """Every gold table that was ever built: how its last build ended, its rows, when it was built."""
    return table_of(cursor, _GOLD)


def check_gold_table(cursor: duckdb.DuckDBPyConnection, name: str) -> None:
    """Raise ``UsageError`` where there is no such gold table."""
    if not table_exists(cursor, f"gold.{name}"):
        raise UsageError(f"there is no gold table {name!r}", fix="see the list of gold tables", code="UNKNOWN_TABLE")


def gold_table(cursor: duckdb.DuckDBPyConnection, name: str, *, limit: int, offset: int = 0) -> GoldFacts:
    """One gold table.

    Args:
        cursor: reads.
        name: without its schema.
        limit: so many rows at most.
        offset: so many are left out before.

    Raises:
        UsageError: there is none.
    """
    check_gold_table(cursor, name)
    table = f"gold.{quoted(name)}"
    counted = cursor.execute(f"SELECT count(*) FROM {table}").fetchone()
    rows = table_of(cursor, f"SELECT t.* FROM {table} AS t ORDER BY ALL LIMIT {limit} OFFSET {offset}")
    return GoldFacts(
        rows=rows,
        total=counted[0] if counted else 0,
        tests=table_of(cursor, _TESTS, [name, name]),
        builds=table_of(cursor, _BUILDS, [name]),
    )

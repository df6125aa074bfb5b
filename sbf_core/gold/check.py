"""Which gold tables were built from the present state of their inputs, so that their SELECT must give them again."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from sbf_core.errors import UsageError
from sbf_core.gold.declared import is_built_from, with_inputs
from sbf_core.gold.model import GoldModel
from sbf_core.gold.order import tables_read, versions_read
from sbf_core.gold.tables import table_exists
from sbf_core.ops.service import OpsService


def settled_models(
    conn: duckdb.DuckDBPyConnection, ops: OpsService, models: Sequence[GoldModel]
) -> list[tuple[GoldModel, frozenset[str]]]:
    """Models whose table is there and has no new input, each with the tables that it reads (``schema.table``).

    One whose SQL is not one SELECT has built nothing.
    """
    versions = ops.load_table_versions(conn)
    settled = []
    for model in models:
        try:
            reads = tables_read(conn, model.sql, where=f"gold.{model.name}")
        except UsageError:
            continue
        links = frozenset(f"gold.{test.to}" for test in model.tests if hasattr(test, "to"))
        if not table_exists(conn, f"gold.{model.name}") or not all(table_exists(conn, table) for table in reads):
            continue
        inputs = with_inputs(model, versions_read(reads | links, versions))
        if is_built_from(ops.gold_inputs(conn, table_name=model.name), inputs):
            settled.append((model, reads))
    return settled

"""The gold models of the installed plugins, as a run would build them now."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from sbf_core.errors import SbfError
from sbf_core.gold.model import GoldModel
from sbf_core.gold.order import tables_read
from sbf_core.ops.queries import load_table_versions
from sbf_core.plugin.manager import PluginManager


def installed_models(cursor: duckdb.DuckDBPyConnection, manager: PluginManager) -> list[GoldModel]:
    """The models of all plugins over the sources that are there; a plugin whose hook fails gives none, as in a run."""
    models: list[GoldModel] = []
    for record in manager.records.values():
        if not record.loaded or not manager.has(record, "build_gold"):
            continue
        try:
            answer = manager.call(record, "build_gold", doing="gold models", safe="nothing was written", options=record.options)
        except SbfError:
            continue
        models.extend(model for model in (answer if isinstance(answer, (list, tuple)) else [answer]) if isinstance(model, GoldModel))
    filled = load_table_versions(cursor).keys()
    return [model.over(filled) for model in models]


def gold_over(cursor: duckdb.DuckDBPyConnection, models: Sequence[GoldModel], table: str) -> tuple[str, ...]:
    """Gold tables, with their schema, that read a table, directly or through others."""
    reads = {f"gold.{model.name}": tables_read(cursor, model.sql, where=f"gold.{model.name}") for model in models}
    found: set[str] = set()
    reached = {table, f"{table}_history"}
    while more := {name for name, sources in reads.items() if name not in found and sources & reached}:
        found |= more
        reached |= more
    return tuple(sorted(found))

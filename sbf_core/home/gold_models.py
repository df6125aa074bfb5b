"""The gold models of the installed plugins, as a run would build them now."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import duckdb

from sbf_core.errors import SbfError
from sbf_core.gold.answer import sorted_out
from sbf_core.gold.model import GoldModel
from sbf_core.gold.order import planned
from sbf_core.ops.queries import load_table_versions
from sbf_core.plugin.manager import PluginManager
from sbf_core.value import Value


@attrs.frozen(kw_only=True)
class KnownModels(Value):
    """The gold models of the installed plugins.

    Attributes:
        models: those of all plugins that answered, over the sources that are there.
        faulty: plugins of which nobody knows what they declare, because something is wrong with them, each with the
            reason.
        blocked: plugins that the settings block.
    """

    models: tuple[GoldModel, ...]
    faulty: tuple[str, ...]
    blocked: tuple[str, ...]

    @property
    def silent(self) -> tuple[str, ...]:
        """Plugins whose tables look as if nobody declared them, each with the reason."""
        return (*self.faulty, *self.blocked)


def known_models(cursor: duckdb.DuckDBPyConnection, manager: PluginManager) -> KnownModels:
    """The models of all plugins, and which plugins gave none because something is wrong with them."""
    models: list[GoldModel] = []
    faulty: list[str] = []
    blocked: list[str] = []
    for record in manager.records.values():
        if record.state == "asleep":
            continue
        if not record.loaded:
            told = f"plugin {record.name} is {record.state}: {record.reason}"
            (blocked if record.state == "blocked" else faulty).append(told)
            continue
        if not manager.has(record, "build_gold"):
            continue
        try:
            answer = manager.call(
                record, "build_gold", doing="gold models", safe="nothing was written", options=record.options
            )
        except SbfError as error:
            faulty.append(str(error))
            continue
        models.extend(sorted_out(answer)[0])
    filled = load_table_versions(cursor).keys()
    return KnownModels(
        models=tuple(model.over(filled) for model in models), faulty=tuple(faulty), blocked=tuple(blocked)
    )


def gold_over(cursor: duckdb.DuckDBPyConnection, models: Sequence[GoldModel], table: str) -> tuple[str, ...]:
    """Gold tables, with their schema, that read a table, directly or through others."""
    reads = planned(cursor, models).reads
    readers: set[str] = set()
    reached = {table, f"{table}_history"}
    while more := {name for name, sources in reads.items() if name not in readers and sources & reached}:
        readers |= more
        reached |= more
    return tuple(sorted(readers))

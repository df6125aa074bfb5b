"""Gold tables as they stand against what is declared: built so, declared otherwise since, or left over."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import duckdb

from sbf_core.gold.declared import stale_gold
from sbf_core.home.gold_models import KnownModels
from sbf_core.reports.gold import gold_tables
from sbf_core.reports.problem import Problem
from sbf_core.reports.table import FactTable
from sbf_core.value import Value

_THERE = """
SELECT table_name FROM duckdb_tables() WHERE database_name = current_database() AND schema_name = 'gold' ORDER BY 1
"""
_NOT_DECLARED = "no loaded plugin declares it any more"


@attrs.frozen(kw_only=True)
class GoldStates(Value):
    """How gold tables stand.

    Attributes:
        table: a row for each: how its last build ended, and ``state`` (``current``, ``stale``, ``left`` where no loaded
            plugin declares it, ``not built``) with ``why``.
        problems: the stale ones, each with what to do.
    """

    table: FactTable
    problems: tuple[Problem, ...]


def gold_states(cursor: duckdb.DuckDBPyConnection, known: KnownModels) -> GoldStates:
    """Every gold table that is there, or was built and is declared still."""
    there = {name for (name,) in cursor.execute(_THERE).fetchall()}
    declared = {model.name for model in known.models}
    stale = {one.table: "; ".join(one.why) for one in stale_gold(cursor, known.models) if one.table in there}
    built = gold_tables(cursor)
    rows = []
    for row in built.rows:
        name = row[0]
        if name not in there and name not in declared:
            continue  # it was removed
        state, why = "current", ""
        if name in stale:
            state, why = "stale", stale[name]
        elif name not in declared:
            state, why = "left", _why_left(known.silent)
        elif name not in there:
            state = "not built"
        *facts, error = row
        rows.append((*facts, state, why, error))
    *names, last = built.headers
    problems = tuple(
        Problem(
            what=f"gold.{name} is stale",
            detail=f"{why} since it was built",
            fix="sbf run --only gold",
            href=f"/gold/{name}",
        )
        for name, why in stale.items()
    )
    return GoldStates(table=FactTable((*names, "state", "why", last), tuple(rows)), problems=problems)


def left_gold(cursor: duckdb.DuckDBPyConnection, known: KnownModels) -> list[str]:
    """Gold tables, without schema, that no loaded plugin declares."""
    declared = {model.name for model in known.models}
    return [name for (name,) in cursor.execute(_THERE).fetchall() if name not in declared]


def _why_left(silent: Sequence[str]) -> str:
    return "; ".join((_NOT_DECLARED, *silent))

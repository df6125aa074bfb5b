"""All gold tables as their SQL gives them over silver as it was known at one moment."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

import duckdb

from sbf_core.duck.engine_errors import ENGINE_ERRORS, first_line
from sbf_core.duck.identifiers import literal, quoted
from sbf_core.gold.model import GoldModel
from sbf_core.gold.order import planned
from sbf_core.gold.tables import table_exists


def look_back(
    conn: duckdb.DuckDBPyConnection, models: Sequence[GoldModel], *, database: str, there: AbstractSet[str]
) -> dict[str, str]:
    """Make views ``gold.<t>`` over the views of silver. A table that cannot be made so says why when it is asked.

    Args:
        conn: on a database with the views of silver, which may be written.
        models: of all plugins.
        database: the warehouse, as SQL names it.
        there: the gold tables that are built in it, without schema.

    Returns:
        Why tables that are built cannot be made so, by their name without schema.
    """
    conn.execute("CREATE SCHEMA gold")
    plan = planned(conn, models)
    why = dict.fromkeys(there, "no loaded plugin declares it") | dict(plan.faults)
    for model in plan.order:
        reads = sorted(plan.reads[f"gold.{model.name}"])
        absent = next((table for table in reads if not table_exists(conn, table)), None)
        if absent is not None:
            why[model.name] = f"{absent} was not there"
            continue
        try:
            conn.execute(f"CREATE VIEW gold.{quoted(model.name)} AS {model.full_sql}")
            why.pop(model.name, None)
        except ENGINE_ERRORS as error:
            why[model.name] = first_line(error)
    lacking = {name: why[name] for name in sorted(there & why.keys())}
    for name, reason in lacking.items():
        told = literal(f"gold.{name} cannot be made as it was known then: {reason}")
        conn.execute(
            f"CREATE VIEW gold.{quoted(name)} AS FROM {database}.gold.{quoted(name)} WHERE error({told}) IS NULL"
        )
    return lacking

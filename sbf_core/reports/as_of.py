"""A whole warehouse as it was known at one moment: silver, and gold by its SQL over that."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import attrs
import duckdb

from sbf_core.dataset.columns import Column
from sbf_core.dataset.fingerprint import columns_as_made
from sbf_core.duck.in_memory import use_in_memory
from sbf_core.errors import UsageError
from sbf_core.gold import looking_back as of_gold
from sbf_core.home.home import Home
from sbf_core.ops.made_tables import made_tables
from sbf_core.silver import looking_back as of_silver
from sbf_core.user_dates import moment as moment_of
from sbf_core.value import Value

_THERE = (
    "SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = current_database() "
    "AND schema_name IN ('silver', 'gold')"
)

#: Views of tables under their former names, over the names of now.
_FORMER = (
    "SELECT sql FROM duckdb_views() WHERE database_name = current_database() AND schema_name = 'silver' "
    "AND NOT internal ORDER BY view_name"
)


@attrs.frozen(kw_only=True)
class LookedBack(Value):
    """What ``look_back`` made.

    Attributes:
        database: the warehouse as it is now, as SQL names it.
        lacking: why gold tables cannot be made as they were known then, by their name without schema.
    """

    database: str
    lacking: Mapping[str, str]


def moment_given(given: dt.datetime | dt.date | str) -> dt.datetime:
    """A moment as programs give it; a day means its end in UTC, as everywhere.

    Raises:
        UsageError: it is none, or a time without a zone, which would be guessed.
    """
    if isinstance(given, str):
        return moment_of(given, what="as_of")
    if not isinstance(given, dt.datetime):
        return dt.datetime.combine(given, dt.time.max, dt.UTC)
    if given.utcoffset() is None:
        raise UsageError(
            f"as_of {given} has no time zone", fix="dt.datetime(2026, 1, 31, 18, tzinfo=dt.UTC)", code="DATE"
        )
    return given.astimezone(dt.UTC)


def look_back(home: Home, conn: duckdb.DuckDBPyConnection, moment: dt.datetime) -> LookedBack:
    """From then on the tables of silver and gold are, on this connection, as they were known at a moment.

    They are views in a database in memory; what the warehouse holds now has the name of its file before it.

    Args:
        home: whose plugins say how gold is made.
        conn: on the warehouse, which is only read.
        moment: aware.

    Raises:
        UsageError: the plugins contradict each other.
    """
    there: dict[str, set[str]] = {"silver": set(), "gold": set()}
    for schema, name in conn.execute(_THERE).fetchall():
        there[schema].add(name)
    tables: dict[str, tuple[Column, ...]] = {
        table: columns_as_made(made.text)
        for table, made in made_tables(conn).items()
        if {table, f"{table}_history"} <= there["silver"]
    }
    models = home.gold_models(conn).models
    former = [sql for (sql,) in conn.execute(_FORMER).fetchall()]
    database = use_in_memory(conn)
    of_silver.look_back(conn, database, tables, moment)
    for sql in former:
        conn.execute(sql)
    lacking = of_gold.look_back(conn, models, database=database, there=there["gold"])
    return LookedBack(database=database, lacking=lacking)

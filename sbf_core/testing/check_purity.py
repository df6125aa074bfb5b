"""Checks that what a plugin says depends on what it is given, and on nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from sbf_core.testing.outcome import Note, Problem
from sbf_core.testing.subject import Subject

#: The same at every call, although DuckDB counts them among those that are not: they answer from the schema, the type,
#: or the time zone, which is always UTC.
_HARMLESS = frozenset(
    {"error", "current_schema", "current_schemas", "current_database", "timezone", "make_timestamptz"}
)
#: Since 2.0.1 what takes a moment with a zone counts as changing, because the zone is a setting; here it is UTC. The
#: other forms of such a function do not change.
_CHANGING = """
SELECT DISTINCT function_name FROM duckdb_functions() WHERE stability <> 'CONSISTENT' AND NOT (
    stability = 'CONSISTENT_WITHIN_QUERY' AND coalesce(list_bool_or(list_transform(parameter_types,
        lambda kind: kind LIKE '%TIME ZONE%' OR kind LIKE '%TIMESTAMPTZ%')), false))
"""
#: Written without brackets these look like columns.
_WORDS = frozenset({"current_date", "current_time", "current_timestamp", "localtime", "localtimestamp"})
#: DuckDB counts this one among those that are always the same.
_CLOCKS = frozenset({"current_localtimestamp", "current_localtime"})


def promote_is_pure(subject: Subject) -> Iterator[Problem | Note]:
    """Hooks look at no clock, throw no dice, and use no network, file or program; neither does their SQL.

    Every hook but ``fetch`` is watched while the recording is replayed. What a logger or an import does is not counted.
    Without this a rebuild cannot give the same rows.
    """
    if subject.recorded:
        _ = subject.filled  # so that the hooks were called
    for what in subject.manager.watch.of("datasets", "promote", "build_gold", "universe_members"):
        yield Problem(what)
    for sql in sorted(subject.manager.watch.selects):
        for name in changing_functions(subject, sql):
            yield Problem(f"the SQL of promote calls {name}(), which is not the same at another time")
    if not subject.has("promote"):
        yield Note("read as declared")


def changing_functions(subject: Subject, sql: str) -> list[str]:
    """Functions in a SELECT whose answer depends on more than their arguments."""
    with subject.filled.home.reading() as cursor:
        row = cursor.execute("SELECT json_serialize_sql(?)", [sql]).fetchone()
        assert row is not None
        called = set(_functions(json.loads(row[0])))
        rows = cursor.execute(_CHANGING).fetchall()
    return sorted(called & ({name for (name,) in rows} | _WORDS | _CLOCKS) - _HARMLESS)


def _functions(node: Any) -> Iterator[str]:
    if isinstance(node, list):
        for item in node:
            yield from _functions(item)
    elif isinstance(node, dict):
        if node.get("class") == "FUNCTION":
            yield str(node.get("function_name", "")).lower()
        elif (
            node.get("class") == "COLUMN_REF"
            and [str(name).lower() for name in node.get("column_names", ())][-1] in _WORDS
        ):
            yield str(node["column_names"][-1]).lower()
        for value in node.values():
            yield from _functions(value)

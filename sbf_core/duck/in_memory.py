"""A database in memory beside one that is only read."""

from __future__ import annotations

import itertools

import duckdb

from sbf_core.duck.identifiers import quoted

_NUMBERS = itertools.count(1)


def use_in_memory(connection: duckdb.DuckDBPyConnection) -> str:
    """Attach an empty database in memory, which names without a database mean from then on.

    It is the connection's alone: all who read one file in one process share what is attached, so each has a name of its
    own.

    Args:
        connection: on a database that is only read.

    Returns:
        The name, quoted, of the database that names meant before.
    """
    row = connection.execute("SELECT current_database()").fetchone()
    assert row is not None
    name = quoted(f"in_memory_{next(_NUMBERS)}")
    connection.execute(f"ATTACH ':memory:' AS {name} (READ_WRITE)")
    connection.execute(f"USE {name}")
    return quoted(row[0])

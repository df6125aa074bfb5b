"""One question in SQL, checked before it is asked."""

from __future__ import annotations

import duckdb

from sbf_core.duck.engine_errors import ENGINE_ERRORS, first_line
from sbf_core.errors import UsageError

_ALLOWED = (duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN)


def check_question(cursor: duckdb.DuckDBPyConnection, text: str) -> None:
    """That a text is one SELECT or EXPLAIN. Raises ``UsageError`` where it is not."""
    try:
        statements = cursor.extract_statements(text)
    except ENGINE_ERRORS as error:
        raise UsageError(f"the query cannot be parsed: {first_line(error)}", code="SQL") from error
    if len(statements) != 1:
        raise UsageError(f"{len(statements)} statements were given", fix="give one SELECT", code="SQL")
    if statements[0].type not in _ALLOWED:
        raise UsageError(f"{statements[0].type.name} is not allowed here", fix="give one SELECT", code="SQL")

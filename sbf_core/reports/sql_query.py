"""One query in SQL, checked before it is asked, and its answer as the engine says it."""

from __future__ import annotations

from typing import Any

import attrs
import duckdb

from sbf_core.duck.engine_errors import ENGINE_ERRORS, first_line
from sbf_core.errors import UsageError
from sbf_core.value import Value

#: Python has a value for each of these that is another: a month of 30 days, microseconds.
_OTHERWISE = ("INTERVAL", "TIMESTAMP_NS", "TIME_NS")
#: For what is not finite in these Python has another value, such as the last day of the year 9999, or JSON has none.
_MAY_BE_INFINITE = ("DATE", "TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP WITH TIME ZONE", "DOUBLE", "FLOAT")
_ALLOWED = (duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN)


def check_query(cursor: duckdb.DuckDBPyConnection, text: str) -> None:
    """That a text is one SELECT or EXPLAIN. Raises ``UsageError`` where it is not."""
    try:
        statements = cursor.extract_statements(text)
    except ENGINE_ERRORS as error:
        raise UsageError(f"the query cannot be parsed: {first_line(error)}", code="SQL") from error
    if len(statements) != 1:
        raise UsageError(f"{len(statements)} statements were given", fix="give one SELECT", code="SQL")
    if statements[0].type not in _ALLOWED:
        raise UsageError(f"{statements[0].type.name} is not allowed here", fix="give one SELECT", code="SQL")


@attrs.frozen(kw_only=True)
class Answer(Value):
    """What a query gives.

    Attributes:
        headers: names of its columns; one may stand twice.
        rows: their values. Where Python would have another one, such as for an interval of months, nanoseconds or
            infinity, it is the engine's text.
        more: whether there are further rows.
    """

    headers: list[str]
    rows: list[tuple[Any, ...]]
    more: bool


def asked(cursor: duckdb.DuckDBPyConnection, text: str, *, limit: int, nested: bool) -> Answer:
    """Ask a query that was checked.

    Args:
        cursor: on the database.
        text: one SELECT or EXPLAIN.
        limit: rows at most; 0 for all.
        nested: lists and structs are values; else they are the engine's texts, too.

    Raises:
        duckdb.Error: it fails.
    """
    (statement,) = cursor.extract_statements(text)
    if statement.type is duckdb.StatementType.EXPLAIN:
        result = cursor.execute(text)
        return Answer(headers=[column[0] for column in result.description], rows=result.fetchall(), more=False)
    query = cursor.sql(unended(text))
    kinds, headers = [str(kind) for kind in query.types], list(query.columns)
    shown, infinite = [], []
    for place, kind in enumerate(kinds, start=1):
        is_nested = kind.endswith("]") or "(" in kind.removeprefix("DECIMAL(")
        as_text = any(other in kind for other in _OTHERWISE) or (is_nested and not nested)
        shown.append(f"CAST(#{place} AS VARCHAR)" if as_text else f"#{place}")
        if kind in _MAY_BE_INFINITE:
            infinite.append((place - 1, f"CASE WHEN NOT isfinite(#{place}) THEN CAST(#{place} AS VARCHAR) END"))
    plain = query.project(", ".join([*shown, *(sql for _, sql in infinite)])) if len(headers) else query
    rows = (plain.limit(limit + 1) if limit else plain).fetchall()
    more = bool(limit) and len(rows) > limit
    places = [place for place, _ in infinite]
    return Answer(
        headers=headers, rows=[_told(row, len(headers), places) for row in (rows[:limit] if limit else rows)], more=more
    )


def unended(text: str) -> str:
    """A statement without a semicolon behind it, and the comments there: more may be asked of it."""
    raw = text.encode()
    end = len(raw)
    for place, kind in reversed(duckdb.tokenize(text)):
        if raw[place : place + 1] == b";":
            end = place
        elif kind != duckdb.token_type.comment:
            break
    return raw[:end].decode()


def _told(row: tuple[Any, ...], width: int, places: list[int]) -> tuple[Any, ...]:
    """A row without the texts behind it, which stand in the place of what is not finite."""
    texts = row[width:]
    if not any(text is not None for text in texts):
        return row[:width]
    told = list(row[:width])
    for place, text in zip(places, texts, strict=True):
        told[place] = told[place] if text is None else text
    return tuple(told)

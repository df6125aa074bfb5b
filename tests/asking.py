"""What a database holds, by an engine that the process keeps: one of its own costs each question 25 ms."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import duckdb

from sbf_core.duck.identifiers import literal
from sbf_core.duck.migrate import latest_version, schema_version

Rows = list[tuple[Any, ...]]
Answer = TypeVar("Answer")
_ONE_AT_A_TIME = threading.Lock()


@cache
def _engine() -> duckdb.DuckDBPyConnection:
    engine = duckdb.connect(":memory:", config={"threads": "1", "preserve_insertion_order": "false"})
    engine.execute("SET GLOBAL TimeZone = 'UTC'")
    return engine


def rows_of(database: Path, query: str, parameters: Sequence[object], *, otherwise: Callable[[], Rows]) -> Rows:
    """The rows of a query that only reads; see ``answer_of``."""
    return answer_of(database, lambda engine: engine.execute(query, list(parameters)).fetchall(), otherwise=otherwise)


def answer_of(
    database: Path, question: Callable[[duckdb.DuckDBPyConnection], Answer], *, otherwise: Callable[[], Answer]
) -> Answer:
    """What a question that only reads gives.

    Args:
        database: the file.
        question: is given a connection on which names without a database mean this one.
        otherwise: answers, or says why not, where the file cannot be attached or its ledger is none of now.
    """
    with _ONE_AT_A_TIME:
        engine = _engine()
        try:
            engine.execute(f"ATTACH {literal(str(database))} AS asked (READ_ONLY)")
        except duckdb.Error:
            return otherwise()
        try:
            engine.execute("USE asked")
            if schema_version(engine) == latest_version():
                return question(engine)
        finally:
            engine.execute("USE memory; DETACH asked")
    return otherwise()

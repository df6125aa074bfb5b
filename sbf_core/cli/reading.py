"""The database for commands that only read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import duckdb

from sbf_core.duck.bootstrap import DuckDbBootstrap
from sbf_core.settings.settings import Settings


@contextmanager
def reading(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    """A read-only cursor; raises ``HomeLocked`` while a run holds the home."""
    bootstrap = DuckDbBootstrap(settings.config, read_only=True).open(wait_seconds=settings["run.wait_seconds"])
    try:
        yield bootstrap.cursor()
    finally:
        bootstrap.close()


def table_of(cursor: duckdb.DuckDBPyConnection, query: str, parameters: list[Any] | None = None) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Column names and rows of a query."""
    found = cursor.execute(query, parameters or [])
    return [column[0] for column in found.description], found.fetchall()

"""The database for commands that only read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import duckdb

from sbf_core.cli.render import tell
from sbf_core.duck.bootstrap import DuckDbBootstrap
from sbf_core.duck.publish import current_publication
from sbf_core.errors import HomeLocked, SbfError
from sbf_core.settings.settings import Settings


@contextmanager
def reading(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    """A read-only cursor on the newest state that can be read without meeting a run.

    That is the copy for readers where it is current, else the database itself, else, while a run holds that, the
    copy that the last run left. Raises ``HomeLocked`` where a run is at work and there is no copy.
    """
    bootstrap = _open(settings)
    try:
        yield bootstrap.cursor()
    finally:
        bootstrap.close()


def _open(settings: Settings) -> DuckDbBootstrap:
    copy = current_publication(settings.config)
    if copy is not None and copy.is_current:
        try:
            return DuckDbBootstrap(settings.config, read_only=True, database=copy.path).open()
        except SbfError:
            pass  # replaced by a newer one just now
    try:
        return DuckDbBootstrap(settings.config, read_only=True).open(wait_seconds=settings["run.wait_seconds"])
    except HomeLocked as error:
        copy = current_publication(settings.config)
        if copy is None:
            raise
        tell(f"sbf: note: {error.what}; this is the state of run {copy.run_id}, published {copy.published_at}")
        return DuckDbBootstrap(settings.config, read_only=True, database=copy.path).open()


def table_of(cursor: duckdb.DuckDBPyConnection, query: str, parameters: list[Any] | None = None) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Column names and rows of a query."""
    found = cursor.execute(query, parameters or [])
    return [column[0] for column in found.description], found.fetchall()

"""The database for commands that only read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from sbf_core.cli.render import tell
from sbf_core.duck.reading import open_for_reading
from sbf_core.settings.settings import Settings


@contextmanager
def reading(settings: Settings, *, scratch: Path | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """A read-only cursor on the newest state that can be read.

    Args:
        settings: of the home.
        scratch: a folder that it may write.

    Raises:
        HomeLocked: a run is at work, and there is no copy for readers.
    """
    bootstrap, copy = open_for_reading(settings.config, wait_seconds=settings["run.wait_seconds"], scratch=scratch)
    if copy is not None:
        tell(f"sbf: note: a run is at work; this is the state of run {copy.run_id}, published {copy.published_at}")
    try:
        yield bootstrap.cursor()
    finally:
        bootstrap.close()

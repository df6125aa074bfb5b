"""The database for commands that only read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from sbf_core.cli.render import tell
from sbf_core.home.home import Home


@contextmanager
def reading(home: Home, *, scratch: Path | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """A read-only cursor on the newest state that can be read; where that is an older copy, the user is told.

    Args:
        home: the home.
        scratch: a folder that the cursor may write.

    Raises:
        HomeLocked: a run is at work, and there is no copy for readers.
    """
    with home.reading(scratch=scratch) as database:
        if database.older is not None:
            run, at = database.older.run_id, database.older.published_at
            tell(f"sbf: note: a run is at work; this is the state of run {run}, published {at}")
        yield database.cursor

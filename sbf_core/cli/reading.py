"""The database for commands that only read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import duckdb

from sbf_core.cli.render import tell
from sbf_core.errors import HomeLocked
from sbf_core.home.home import Home
from sbf_core.runs.live import LiveRun, read_live


def run_at_work(home: Home) -> LiveRun | None:
    """The run that says of itself that it is at work."""
    live = read_live(home.config.live)
    return live if live is not None and live.status == "running" else None


def how_far(live: LiveRun, home: Home) -> str:
    """How far a run is that is at work, or that it has gone silent."""
    if live.is_silent(home.clock.now()):
        return f"run {live.run_id} went silent; `sbf run` goes on from there"
    steps = f": {live.stage}, {live.done} of {live.total} steps" if live.stage else ""
    return f"run {live.run_id} is at work{steps}"


@contextmanager
def reading(home: Home, *, scratch: Path | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """A read-only cursor on the newest state that can be read; where that is an older copy, the user is told.

    Args:
        home: the home.
        scratch: a folder that the cursor may write.

    Raises:
        HomeLocked: a run is at work, and there is no copy for readers; it says how far that run is.
    """
    with ExitStack() as stack:
        try:
            database = stack.enter_context(home.reading(scratch=scratch))
        except HomeLocked as error:
            live = run_at_work(home)
            if live is None or live.is_silent(home.clock.now()):  # then somebody else has the home
                raise
            raise HomeLocked(f"{error.what}; {how_far(live, home)}", where=error.where, fix=error.fix) from error
        if database.older is not None:
            run, at = database.older.run_id, database.older.published_at
            tell(f"sbf: note: a run is at work; this is the state of run {run}, published {at}")
        yield database.cursor

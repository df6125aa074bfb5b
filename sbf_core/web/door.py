"""The copy for readers, kept open between requests and changed for the next one when a run leaves it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import attrs
import duckdb

from sbf_core.duck.bootstrap import DuckDbBootstrap
from sbf_core.duck.config import DuckDbConfig
from sbf_core.duck.publish import Publication, current_publication
from sbf_core.duck.reading import open_for_reading
from sbf_core.errors import SbfError

#: Nearly all pages get on with this, and the process stays small. Less fails with a ledger of a million rows.
_MEMORY = "40MB"
#: For a page that sorts millions of rows.
_MEMORY_ROOMY = "512MB"
_THREADS = 2
#: A copy may be replaced between the moment when its name is read and the moment when it is opened.
_TRIES = 5
_WAIT_FOR_READERS_SECONDS = 10.0


@attrs.define(eq=False)
class _Held:
    """An open copy, and how many requests read it."""

    bootstrap: DuckDbBootstrap
    path: Path
    readers: int = 0
    is_old: bool = False

    def close_if_unused(self) -> None:
        if self.is_old and not self.readers:
            self.bootstrap.close()


class Door:
    """The way of all pages to the warehouse. It never holds the database itself open.

    Args:
        config: where the home is.
    """

    def __init__(self, config: DuckDbConfig) -> None:
        self.config = attrs.evolve(config, memory_limit=_MEMORY, threads=_THREADS)
        self._held: _Held | None = None
        self._lock = threading.Condition()
        self._roomy_for: Path | None = None
        self._leaving: _Held | None = None

    @property
    def is_roomy(self) -> bool:
        """Whether pages read with more memory now."""
        return self._roomy_for is not None

    def make_room(self) -> None:
        """Read with more memory until the next run leaves another copy."""
        with self._lock:
            held = self._held
            if held is None or self._roomy_for == held.path:
                return
            self._roomy_for = held.path
            self._let_go()
            self._leaving = held if held.readers else None

    def _wait_for_those_who_leave(self) -> None:
        """One process opens a file in one way only: before it is opened with more memory, those who read it with less must have finished."""
        leaving = self._leaving
        if leaving is not None and self._lock.wait_for(lambda: not leaving.readers, timeout=_WAIT_FOR_READERS_SECONDS):
            self._leaving = None

    def publication(self) -> Publication | None:
        """The copy that pages read; None where runs leave none."""
        return current_publication(self.config)

    @contextmanager
    def reading(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A cursor on the newest copy; where runs leave none, on the database for as long as this takes.

        Raises:
            UsageError: there is no warehouse yet.
            HomeLocked: the first run is at work.
        """
        held = self._current()
        if held is None:
            bootstrap, _ = open_for_reading(self.config)
            try:
                yield bootstrap.cursor()
            finally:
                bootstrap.close()
            return
        try:
            yield held.bootstrap.cursor()
        finally:
            with self._lock:
                held.readers -= 1
                held.close_if_unused()
                self._lock.notify_all()

    def _current(self) -> _Held | None:
        """The newest copy, with one reader more; None where there is none."""
        with self._lock:
            self._wait_for_those_who_leave()
            for _ in range(_TRIES):
                copy = current_publication(self.config)
                if copy is None:
                    self._let_go()
                    return None
                if self._held is None or self._held.path != copy.path:
                    try:
                        self._roomy_for = copy.path if self._roomy_for == copy.path else None
                        config = attrs.evolve(self.config, memory_limit=_MEMORY_ROOMY) if self.is_roomy else self.config
                        fresh = DuckDbBootstrap(config, read_only=True, database=copy.path).open()
                    except SbfError:  # replaced just now: there is a newer one
                        continue
                    self._let_go()
                    self._held = _Held(fresh, copy.path)
                break
            if self._held is not None:  # if the newest cannot be opened, what is open is still good
                self._held.readers += 1
            return self._held

    def _let_go(self) -> None:
        held, self._held = self._held, None
        if held is not None:
            held.is_old = True
            held.close_if_unused()

    def close(self) -> None:
        """Close what is open."""
        with self._lock:
            self._let_go()

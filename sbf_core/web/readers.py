"""What pages read, kept open between requests: the copy for readers,
or the database itself where runs leave no copy.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path

import attrs
import duckdb

from sbf_core.duck.bootstrap import DuckDbBootstrap
from sbf_core.duck.config import DuckDbConfig
from sbf_core.duck.publish import Publication, current_publication
from sbf_core.errors import SbfError
from sbf_core.value import Entity, Value

#: Nearly all pages get on with this, and the process stays small. Less fails with a ledger of a million rows.
_MEMORY = "40MB"
#: For a page that sorts millions of rows.
_MEMORY_ROOMY = "512MB"
_THREADS = 2
#: All readers share that memory, and more of them at once are no faster on so few threads.
_READERS_AT_ONCE = 4
#: A copy may be replaced between the moment when its name is read and the moment when it is opened.
_TRIES = 5
_WAIT_FOR_READERS_SECONDS = 10.0
#: The database itself, unlike a copy, keeps runs out. Readers that follow each other without end leave it after so
#: long, for a while in which a run that waits looks twice whether it may begin.
_TURN_SECONDS = 2.0
_PAUSE_SECONDS = 0.2


@attrs.frozen
class _State(Value):
    """A file, and which state of it: a copy never changes, the database has a time of its last change."""

    path: Path
    changed_ns: int = 0

    @property
    def is_copy(self) -> bool:
        return not self.changed_ns


@attrs.define(eq=False)
class _Held(Entity):
    """An open file, and how many requests read it."""

    bootstrap: DuckDbBootstrap
    state: _State
    is_roomy: bool
    readers: int = 0
    is_old: bool = False
    opened: float = attrs.field(factory=time.monotonic)

    def close_if_unused(self) -> None:
        if self.is_old and not self.readers:
            self.bootstrap.close()


class Readers:
    """The way of all pages to the warehouse: one open file for all of them, opened by one of them at a time.

    The database itself is held open only while somebody reads it, and a copy all the time.

    Args:
        config: where the home is.
    """

    def __init__(self, config: DuckDbConfig) -> None:
        self.config = attrs.evolve(config, memory_limit=_MEMORY, threads=_THREADS)
        self._held: _Held | None = None
        self._lock = threading.Condition()
        self._places = threading.BoundedSemaphore(_READERS_AT_ONCE)
        self._roomy_for: _State | None = None
        self._closed_until = 0.0

    @property
    def is_roomy(self) -> bool:
        """Whether pages read with more memory now."""
        return self._roomy_for is not None

    def make_room(self) -> None:
        """Read with more memory until the next run leaves another state."""
        with self._lock:
            self._roomy_for = self._newest() if self._held is None else self._held.state

    def publication(self) -> Publication | None:
        """The copy that pages read; None where runs leave none."""
        return current_publication(self.config)

    @contextmanager
    def reading(self, *, as_long_as_it_takes: bool = False) -> Iterator[duckdb.DuckDBPyConnection]:
        """A cursor of its own on the newest copy; where runs leave none, on the database.

        Args:
            as_long_as_it_takes: for downloads, which last as long as their reader likes: they take no place of a page.

        Raises:
            UsageError: there is no warehouse yet.
            HomeLocked: a run is at work, and there is no copy.
        """
        with nullcontext() if as_long_as_it_takes else self._places:
            held = self._entered()
            try:
                with held.bootstrap.new_cursor() as cursor:
                    yield cursor
            finally:
                self._leave(held)

    def _newest(self) -> _State:
        copy = current_publication(self.config)
        if copy is not None:
            return _State(copy.path)
        try:
            return _State(self.config.database, self.config.database.stat().st_mtime_ns)
        except OSError:
            return _State(self.config.database, 1)  # who opens it says what is wrong

    def _entered(self) -> _Held:
        """The newest state that can be read, with one reader more."""
        with self._lock:
            held = self._current()
            held.readers += 1
            return held

    def _leave(self, held: _Held) -> None:
        with self._lock:
            held.readers -= 1
            if not held.readers and not held.state.is_copy and held is self._held:
                self._let_go()
            held.close_if_unused()
            self._lock.notify_all()

    def _current(self) -> _Held:
        fault: SbfError | None = None
        for _ in range(_TRIES):
            state = self._newest()
            if self._roomy_for != state:
                self._roomy_for = None
            if self._is_open(state):
                assert self._held is not None
                return self._held
            try:
                return self._open(state)
            except SbfError as error:
                fault = error
                if self._newest() == state:
                    break
        if self._held is not None:  # if the newest cannot be opened, what is open is still good
            return self._held
        assert fault is not None
        raise fault

    def _is_open(self, state: _State) -> bool:
        """Whether pages may read what is open.

        What has to be opened anew is closed first, once its last reader has finished.
        """
        while True:
            held = self._held
            if held is None or held.state != state:
                pause = 0.0 if state.is_copy else self._closed_until - time.monotonic()
                if pause <= 0:
                    return False
                self._lock.wait(pause)
                continue
            turn_is_over = not state.is_copy and time.monotonic() - held.opened > _TURN_SECONDS
            if held.is_roomy == self.is_roomy and not turn_is_over:
                return True
            if not self._lock.wait_for(partial(self._has_no_readers, held), timeout=_WAIT_FOR_READERS_SECONDS):
                return True  # rather than two ways into one file, which one process cannot have
            if turn_is_over:
                self._closed_until = time.monotonic() + _PAUSE_SECONDS
            if held is self._held:
                self._let_go()

    def _has_no_readers(self, held: _Held) -> bool:
        return not held.readers or held is not self._held

    def _open(self, state: _State) -> _Held:
        is_roomy = self.is_roomy
        config = attrs.evolve(self.config, memory_limit=_MEMORY_ROOMY) if is_roomy else self.config
        fresh = DuckDbBootstrap(config, read_only=True, database=state.path if state.is_copy else None).open()
        self._let_go()
        self._held = _Held(fresh, state, is_roomy)
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

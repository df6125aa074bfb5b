"""SqlQueries in SQL, each answered by a process of its own that is stopped when it takes too long."""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import attrs

from sbf_core.child.environment import bare_environment
from sbf_core.child.group import ChildProcess
from sbf_core.errors import UsageError
from sbf_core.reports.table import FactTable

SECONDS_MAX = 5.0
START_SECONDS_MAX = 60.0
#: What its process says when it begins with a question.
BEGUN = b"begun\n"
ROWS_MAX = 1000
_CHARACTERS_MAX = 20_000
_AT_ONCE = 2
_HISTORY = 30
#: So many runs in a row may put a newer copy in the place of the one that is to be asked.
_COPIES_MAX = 5


@attrs.frozen(kw_only=True)
class Answer:
    """What a question gave.

    Attributes:
        table: its rows.
        more: whether there were more than are shown.
    """

    table: FactTable
    more: bool


class SqlQueries:
    """Asks, and remembers what was asked since the pages were opened.

    Args:
        home: of the warehouse.
        seconds_max: how long an answer may take, from when its process begins with it.
        start_seconds_max: how long such a process may take to start; a busy machine is no fault of a question.
    """

    def __init__(
        self, home: Path, *, seconds_max: float = SECONDS_MAX, start_seconds_max: float = START_SECONDS_MAX
    ) -> None:
        self._home = home
        self._seconds_max = seconds_max
        self._start_seconds_max = start_seconds_max
        self._lock = threading.Lock()
        self._running: set[ChildProcess] = set()
        self._is_closed = False
        self._places = threading.BoundedSemaphore(_AT_ONCE)
        self._history: deque[str] = deque(maxlen=_HISTORY)

    @property
    def history(self) -> list[str]:
        """What was asked, the last question first; each once."""
        return list(dict.fromkeys(reversed(self._history)))

    def ask(
        self, query: str, *, database: Path, newest: Callable[[], Path | None] | None = None, limit: int = ROWS_MAX
    ) -> Answer:
        """The answer to one question.

        Args:
            query: one SELECT.
            database: the copy that is asked.
            newest: which one is to be asked where a run has put another in its place before it was opened.
            limit: how many rows are given at most.

        Raises:
            UsageError: it is no question, fails, takes too long or needs too much.
        """
        if len(query) > _CHARACTERS_MAX:
            raise UsageError(f"the query has {len(query):,} characters", fix="use `sbf sql -`", code="SQL")
        self._history.append(query)
        if not self._places.acquire(timeout=self._seconds_max):
            raise UsageError(f"{_AT_ONCE} questions are being answered", fix="wait for them", code="SQL")
        try:
            for _ in range(_COPIES_MAX):
                answer = self._answer(query, database, limit)
                if answer is not None:
                    return answer
                other = newest() if newest is not None else None
                if other is None or other == database:
                    break
                database = other
            raise UsageError("the copy that is asked gave way to a newer one", fix="ask again", code="SQL")
        finally:
            self._places.release()

    def _answer(self, query: str, database: Path, limit: int) -> Answer | None:
        """None where the copy is not there any more."""
        wanted = {
            "home": str(self._home),
            "database": str(database),
            "query": query,
            "limit": limit,
            "cpu_seconds": int(self._seconds_max) + 1,
        }
        process = ChildProcess("sbf_core.web.sql_process", environment=bare_environment(), output=_nobody_reads)
        with self._lock:
            self._running.add(process)
            if self._is_closed:
                process.end()
        try:
            with process.source:
                said, code, was_late = self._heard(process, json.dumps(wanted).encode())
        finally:
            process.end()
            with self._lock:
                self._running.discard(process)
        if was_late:
            raise UsageError(was_late, fix="ask for less, or use `sbf sql`, which waits", code="SQL_TIME")
        try:
            answer = json.loads(said)
        except ValueError as error:
            what = f"the question was stopped (exit code {code}): it needed more memory or time than it may have"
            raise UsageError(what, fix="ask for less, or use `sbf sql`", code="SQL_LIMIT") from error
        if "gone" in answer:
            return None
        if "error" in answer:
            raise UsageError(str(answer["error"]), code="SQL")
        return Answer(
            table=FactTable(tuple(answer["headers"]), tuple(tuple(row) for row in answer["rows"])), more=answer["more"]
        )

    def _heard(self, process: ChildProcess, wanted: bytes) -> tuple[bytes, int, str]:
        """What a process answers, its exit code, and what took too long:
        the time of a question counts from when it says that it begins.
        """
        process.write(
            wanted, seconds_max=self._start_seconds_max
        )  # where it has ended already, what it does not say tells that
        with suppress(OSError):
            process.target.close()
        began, is_early = _within(self._start_seconds_max, process, process.source.readline)
        if not is_early:
            return b"", 0, f"the question could not begin within {self._start_seconds_max:g} s: the machine is busy"
        said, is_early = _within(self._seconds_max, process, process.source.read) if began == BEGUN else (began, True)
        late = "" if is_early else f"the answer took longer than {self._seconds_max:g} s"
        return said, process.ended(), late

    def close(self) -> None:
        """Stop what is being answered."""
        with self._lock:
            self._is_closed = True
            for process in self._running:
                process.end()


def _nobody_reads(_: bytes) -> None:
    """What such a process writes beside its answer."""


def _within(seconds: float, process: ChildProcess, hear: Callable[[], bytes]) -> tuple[bytes, bool]:
    """What a process says, and whether it did so in time; else it is ended."""
    is_over = threading.Event()

    def stop() -> None:
        is_over.set()
        process.end()

    timer = threading.Timer(seconds, stop)
    timer.daemon = True
    timer.start()
    try:
        return hear(), not is_over.is_set()
    finally:
        timer.cancel()

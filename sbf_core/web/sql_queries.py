"""SqlQueries in SQL, each answered by a process of its own that is stopped when it takes too long."""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path

import attrs

from sbf_core.child.conversation import Conversation, ProcessOver, ProcessSilent
from sbf_core.child.environment import bare_environment
from sbf_core.child.group import ChildProcess
from sbf_core.errors import UsageError
from sbf_core.reports.table import FactTable
from sbf_core.value import Value
from sbf_core.web.sql_process import BEGUN

SECONDS_MAX = 5.0
START_SECONDS_MAX = 60.0
ROWS_MAX = 1000
_CHARACTERS_MAX = 20_000
_AT_ONCE = 2
_HISTORY = 30
#: So many runs in a row may put a newer copy in the place of the one that is to be asked.
_COPIES_MAX = 5


@attrs.frozen(kw_only=True)
class Answer(Value):
    """What a query gave.

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
        start_seconds_max: how long such a process may take to start; a busy machine is no fault of a query.
    """

    def __init__(
        self, home: Path, *, seconds_max: float = SECONDS_MAX, start_seconds_max: float = START_SECONDS_MAX
    ) -> None:
        self._home = home
        self._seconds_max = seconds_max
        self._start_seconds_max = start_seconds_max
        self._lock = threading.Lock()
        self._running: set[Conversation] = set()
        self._is_closed = False
        self._places = threading.BoundedSemaphore(_AT_ONCE)
        self._history: deque[str] = deque(maxlen=_HISTORY)

    @property
    def history(self) -> list[str]:
        """What was asked, the last query first; each once."""
        return list(dict.fromkeys(reversed(self._history)))

    def ask(
        self, query: str, *, database: Path, newest: Callable[[], Path | None] | None = None, limit: int = ROWS_MAX
    ) -> Answer:
        """The answer to one query.

        Args:
            query: one SELECT.
            database: the copy that is asked.
            newest: which one is to be asked where a run has put another in its place before it was opened.
            limit: how many rows are given at most.

        Raises:
            UsageError: it is no query, fails, takes too long or needs too much.
        """
        if len(query) > _CHARACTERS_MAX:
            raise UsageError(f"the query has {len(query):,} characters", fix="use `sbf sql -`", code="SQL")
        self._history.append(query)
        if not self._places.acquire(timeout=self._seconds_max):
            raise UsageError(f"{_AT_ONCE} queries are being answered", fix="wait for them", code="SQL")
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
        child = ChildProcess("sbf_core.web.sql_process", environment=bare_environment(), output=_nobody_reads)
        process = Conversation(child)
        with self._lock:
            self._running.add(process)
            if self._is_closed:
                process.end()
        try:
            answer = json.loads(self._heard(process, json.dumps(wanted).encode()))
        except ProcessOver as over:
            what = f"the query was stopped (exit code {over.code}): it needed more memory or time than it may have"
            raise UsageError(what, fix="ask for less, or use `sbf sql`", code="SQL_LIMIT") from None
        finally:
            process.end()
            with self._lock:
                self._running.discard(process)
        if "gone" in answer:
            return None
        if "error" in answer:
            raise UsageError(str(answer["error"]), code="SQL")
        return Answer(
            table=FactTable(tuple(answer["headers"]), tuple(tuple(row) for row in answer["rows"])), more=answer["more"]
        )

    def _heard(self, process: Conversation, wanted: bytes) -> bytes:
        """What a process answers. The time of a query counts from when it says that it begins."""
        seconds, what = self._start_seconds_max, "the query could not begin within {:g} s: the machine is busy"
        try:
            process.say(wanted, seconds_max=seconds)
            said = process.hear(seconds_max=seconds)
            if said == BEGUN:
                seconds, what = self._seconds_max, "the answer took longer than {:g} s"
                said = process.hear(seconds_max=seconds)
        except ProcessSilent:
            fix = "ask for less, or use `sbf sql`, which waits"
            raise UsageError(what.format(seconds), fix=fix, code="SQL_TIME") from None
        return said

    def close(self) -> None:
        """Stop what is being answered."""
        with self._lock:
            self._is_closed = True
            for process in self._running:
                process.end()


def _nobody_reads(_: bytes) -> None:
    """What such a process writes beside its answer."""

"""Questions in SQL, each answered by a process of its own that is stopped when it takes too long."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections import deque
from pathlib import Path

import attrs

from sbf_core.errors import UsageError
from sbf_core.facts.table import FactTable

SECONDS_MAX = 5.0
ROWS_MAX = 1000
_CHARACTERS_MAX = 20_000
_AT_ONCE = 2
_HISTORY = 30
#: A process that answers a question or draws gets no keys along: of the environment only what Python needs to start.
_VARIABLES = ("PATH", "PYTHONPATH", "PYTHONHOME", "SYSTEMROOT", "TEMP", "TMP", "TMPDIR", "HOME", "USERPROFILE", "LANG", "LC_ALL")


def bare_environment() -> dict[str, str]:
    """What a process of the pages gets along."""
    return {name: os.environ[name] for name in _VARIABLES if name in os.environ}


@attrs.frozen(kw_only=True)
class Answer:
    """What a question gave.

    Attributes:
        table: its rows.
        more: whether there were more than are shown.
    """

    table: FactTable
    more: bool


class Questions:
    """Asks, and remembers what was asked since the pages were opened.

    Args:
        home: of the warehouse.
        seconds_max: how long an answer may take.
    """

    def __init__(self, home: Path, *, seconds_max: float = SECONDS_MAX) -> None:
        self._home = home
        self._seconds_max = seconds_max
        self._places = threading.BoundedSemaphore(_AT_ONCE)
        self._history: deque[str] = deque(maxlen=_HISTORY)

    @property
    def history(self) -> list[str]:
        """What was asked, the last question first; each once."""
        return list(dict.fromkeys(reversed(self._history)))

    def ask(self, query: str, *, database: Path, limit: int = ROWS_MAX) -> Answer:
        """The answer to one question.

        Raises:
            UsageError: it is no question, fails, takes too long or needs too much.
        """
        if len(query) > _CHARACTERS_MAX:
            raise UsageError(f"the query has {len(query):,} characters", fix="use `sbf sql -`", code="SQL")
        self._history.append(query)
        if not self._places.acquire(timeout=self._seconds_max):
            raise UsageError(f"{_AT_ONCE} questions are being answered", fix="wait for them", code="SQL")
        try:
            return self._answer(query, database, limit)
        finally:
            self._places.release()

    def _answer(self, query: str, database: Path, limit: int) -> Answer:
        wanted = {"home": str(self._home), "database": str(database), "query": query, "limit": limit, "cpu_seconds": int(self._seconds_max) + 1}
        environment = bare_environment()
        command = [sys.executable, "-m", "sbf_core.web.sql_child"]
        try:
            done = subprocess.run(  # noqa: S603 - our own module
                command, input=json.dumps(wanted).encode(), capture_output=True, timeout=self._seconds_max, env=environment, check=False
            )  # fmt: skip
        except subprocess.TimeoutExpired as error:
            raise UsageError(f"the answer took longer than {self._seconds_max:g} s", fix="ask for less, or use `sbf sql`, which waits", code="SQL_TIME") from error
        try:
            answer = json.loads(done.stdout)
        except ValueError as error:
            what = f"the question was stopped (exit code {done.returncode}): it needed more memory or time than it may have"
            raise UsageError(what, fix="ask for less, or use `sbf sql`", code="SQL_LIMIT") from error
        if "error" in answer:
            raise UsageError(str(answer["error"]), code="SQL")
        return Answer(table=FactTable(tuple(answer["headers"]), tuple(tuple(row) for row in answer["rows"])), more=answer["more"])

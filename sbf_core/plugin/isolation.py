"""Plugins in processes of their own: one that hangs is stopped, one that eats memory dies alone, none sees the database or a key."""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import IO, Any

from sbf_core.errors import PluginFault, SbfError
from sbf_core.http.session import FetchSession
from sbf_core.plugin.channel import receive, send
from sbf_core.plugin.limits import Isolation
from sbf_core.plugin.manager import PluginRecord
from sbf_core.plugin.worker import error_message, error_of

_START_SECONDS_MAX = 60.0


class _Process:
    """One process and its messages."""

    def __init__(self, record: PluginRecord, limits: Isolation) -> None:
        assert record.point is not None
        self._limits = limits
        self._child = subprocess.Popen([sys.executable, "-m", "sbf_core.plugin.worker"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=_environment(limits.hidden))
        self._messages: queue.Queue[Any] = queue.Queue()
        threading.Thread(target=self._listen, name="sbf-plugin", daemon=True).start()
        self.say((record.point.name, record.point.value, limits.memory_bytes, sys.path, dict(record.options)))
        ready = self.hear(_START_SECONDS_MAX)
        if ready[0] == "error":
            self.stop()
            raise error_of(ready)

    @property
    def _out(self) -> IO[bytes]:
        assert self._child.stdin is not None
        return self._child.stdin

    def _listen(self) -> None:
        assert self._child.stdout is not None
        while True:
            try:
                self._messages.put(receive(self._child.stdout))
            except (EOFError, OSError, ValueError):
                self._messages.put(None)
                return
            except Exception as error:
                self._messages.put(error_message(error))

    def say(self, message: object) -> None:
        try:
            send(self._out, message)
        except OSError:
            raise self._ended() from None

    def hear(self, seconds_max: float | None = None) -> tuple[Any, ...]:
        limit = self._limits.answer_seconds_max if seconds_max is None else seconds_max
        try:
            message = self._messages.get(timeout=limit)
        except queue.Empty:
            self.stop()
            raise PluginFault(f"did not answer for {limit:g} s and was stopped", fix="raise plugins.answer_seconds_max if it needs longer") from None
        if message is None:
            raise self._ended()
        answer: tuple[Any, ...] = message
        return answer

    def _ended(self) -> PluginFault:
        code = self._child.wait()
        self.stop()
        return PluginFault(f"its process ended with code {code}", fix="raise plugins.memory_mebibytes if it needs more memory")

    def stop(self) -> None:
        """End it, whatever it does."""
        self._child.kill()
        self._child.wait()
        for stream in (self._child.stdin, self._child.stdout):
            if stream is not None:
                with suppress(OSError):
                    stream.close()


class IsolatedPlugin:
    """The processes of one plugin: as many as there are threads that ask at once.

    Args:
        record: the plugin.
        limits: what a process may use.
    """

    def __init__(self, record: PluginRecord, limits: Isolation) -> None:
        self._record = record
        self._limits = limits
        self._idle: list[_Process] = []
        self._all: list[_Process] = []
        self._lock = threading.Lock()

    def _taken(self) -> _Process:
        with self._lock:
            if self._idle:
                return self._idle.pop()
        process = _Process(self._record, self._limits)
        with self._lock:
            self._all.append(process)
        return process

    def ask(self, question: tuple[Any, ...], session: FetchSession | None = None, answers: Mapping[str, Callable[[], Any]] | None = None) -> tuple[Any, ...]:
        """Ask for one answer; what the hook asks of ``http`` meanwhile is answered by ``session``, what it asks of its batch by ``answers``.

        Raises:
            PluginFault: the hook raised, hung, or its process died. Other errors of sbf are raised as they were.
        """
        process = self._taken()
        try:
            process.say(question)
            while True:
                answer = process.hear()
                if answer[0] in ("get", "read") and session is not None:
                    process.say(_asked(session, answer))
                elif answers and answer[0] in answers:
                    process.say(_told(answers[answer[0]]))
                else:
                    break
        except SbfError:
            process.stop()
            raise
        with self._lock:
            self._idle.append(process)
        if answer[0] == "error":
            raise error_of(answer)
        return answer

    def close(self) -> None:
        """End all processes, also those that are at work."""
        with self._lock:
            for process in self._all:
                process.stop()
            self._idle.clear()
            self._all.clear()


def _asked(session: FetchSession, question: tuple[Any, ...]) -> tuple[Any, ...]:
    what, request, address, options = question
    try:
        return "result", (session.get if what == "get" else session.read)(request, address, **options)
    except Exception as error:  # it is the plugin that must hear of it
        return error_message(error)


def _told(answer: Callable[[], Any]) -> tuple[Any, ...]:
    try:
        return "result", answer()
    except SbfError as error:
        return error_message(error)


def _environment(hidden: frozenset[str]) -> dict[str, str]:
    """The variables of this process without the keys that plugins declare."""
    return {name: value for name, value in os.environ.items() if name not in hidden}

"""Plugins in processes of their own: one that hangs is stopped with all that it started, one that eats memory dies
alone, none sees the database or a key.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Mapping
from typing import Any

from sbf_core.child.conversation import Conversation, ProcessOver, ProcessSilent
from sbf_core.child.environment import environment_without
from sbf_core.child.group import ChildProcess
from sbf_core.errors import OutOfMemory, PluginFault, SbfError
from sbf_core.http.session import FetchSession
from sbf_core.plugin.limits import Isolation
from sbf_core.plugin.output import PluginOutput
from sbf_core.plugin.record import PluginRecord
from sbf_core.plugin.values import packed, unpacked
from sbf_core.plugin.worker import error_message, error_of

_WORKER = "sbf_core.plugin.worker"
#: What a hook may ask of its session.
_OF_SESSION = frozenset({"get", "read", "recorded"})


class _Process:
    """One process and what it says."""

    def __init__(self, record: PluginRecord, limits: Isolation, output: PluginOutput) -> None:
        assert record.point is not None
        self._limits = limits
        memory = limits.memory_bytes
        environment = environment_without(limits.hidden)
        child = ChildProcess(_WORKER, environment=environment, memory_bytes=memory, output=output.take)
        self._conversation = Conversation(child)
        self.say((record.point.name, record.point.value, memory, sys.path, dict(record.options)))
        seconds = limits.import_seconds_max
        ready = self._heard(seconds, f"was not imported within {seconds:g} s", "raise plugins.import_seconds_max")
        if ready[0] == "error":
            self.stop()
            raise error_of(ready)

    def say(self, message: object) -> None:
        try:
            self._conversation.say(packed(message), seconds_max=self._limits.answer_seconds_max)
        except (ProcessOver, ProcessSilent) as error:
            raise self._fault(error, *self._no_answer()) from None

    def hear(self) -> tuple[Any, ...]:
        return self._heard(self._limits.answer_seconds_max, *self._no_answer())

    def _no_answer(self) -> tuple[str, str]:
        return f"did not answer for {self._limits.answer_seconds_max:g} s", "raise plugins.answer_seconds_max"

    def _heard(self, seconds_max: float, what: str, fix: str) -> tuple[Any, ...]:
        try:
            answer: tuple[Any, ...] = unpacked(self._conversation.hear(seconds_max=seconds_max))
        except (ProcessOver, ProcessSilent) as error:
            raise self._fault(error, what, fix) from None
        except SbfError:
            raise
        except Exception as error:  # what it sent cannot be read
            raise error_of(error_message(error)) from error
        return answer

    @staticmethod
    def _fault(error: ProcessOver | ProcessSilent, what: str, fix: str) -> PluginFault:
        if isinstance(error, ProcessSilent):
            return PluginFault(f"{what} and was stopped", fix=f"{fix} if it needs longer")
        return PluginFault(
            f"its process ended with code {error.code}", fix="raise plugins.memory_mebibytes if it needs more memory"
        )

    def stop(self) -> None:
        """End it and all that it started, whatever they do."""
        self._conversation.end()

    def drain(self) -> None:
        """What it printed is kept by now, once it was stopped."""
        self._conversation.drain()


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
        self._output = PluginOutput(record.name, limits.logs, bytes_max=limits.output_bytes_max)

    def _taken(self) -> _Process:
        with self._lock:
            if self._idle:
                return self._idle.pop()
        process = _Process(self._record, self._limits, self._output)
        with self._lock:
            self._all.append(process)
        return process

    def ask(
        self,
        question: tuple[Any, ...],
        session: FetchSession | None = None,
        answers: Mapping[str, Callable[[], Any]] | None = None,
    ) -> tuple[Any, ...]:
        """Ask for one answer; what the hook asks of ``http`` meanwhile is answered by ``session``, what it asks of its
        batch by ``answers``.

        Raises:
            PluginFault: the hook raised, hung, or its process died. Other errors of sbf are raised as they were.
            OutOfMemory: the process has no more; it is ended, and the next question has a new one.
        """
        process = self._taken()
        try:
            process.say(question)
            while True:
                answer = process.hear()
                if answer[0] in _OF_SESSION and session is not None:
                    process.say(_asked(session, answer))
                elif answers and answer[0] in answers:
                    process.say(_told(answers[answer[0]]))
                else:
                    break
        except SbfError:
            process.stop()
            raise
        fault = error_of(answer) if answer[0] == "error" else None
        if isinstance(fault, OutOfMemory):
            process.stop()
        else:
            with self._lock:
                self._idle.append(process)
        if fault is not None:
            raise fault
        return answer

    def close(self) -> None:
        """End all processes, also those that are at work."""
        with self._lock:
            for process in self._all:
                process.stop()
            for process in self._all:
                process.drain()
            self._output.close()
            self._idle.clear()
            self._all.clear()


def _asked(session: FetchSession, question: tuple[Any, ...]) -> tuple[Any, ...]:
    what, request, address, options = question
    try:
        return "result", getattr(session, what)(request, address, **options)
    except Exception as error:  # it is the plugin that must hear of it
        return error_message(error)


def _told(answer: Callable[[], Any]) -> tuple[Any, ...]:
    try:
        return "result", answer()
    except SbfError as error:
        return error_message(error)

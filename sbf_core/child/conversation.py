"""A process of ours that is asked and answers: with plugins, with the SQL of a page, with charts."""

from __future__ import annotations

import queue
import threading
import time
from contextlib import suppress

from sbf_core.child.group import ChildProcess
from sbf_core.child.messages import framed, receive

#: What left the group of a process may keep its pipes open; it is not waited for.
_LAST_WORDS_SECONDS = 1.0


class ProcessSilent(Exception):
    """It neither read nor answered in time, and was ended with all that it started."""


class ProcessOver(Exception):
    """It is gone with all that it started.

    Attributes:
        code: its exit code, below zero for a signal.
    """

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Conversation:
    """Messages with a process, which reads them from its standard input and writes them to its standard output.

    Args:
        child: the process, which nobody else reads, writes or ends.
    """

    def __init__(self, child: ChildProcess) -> None:
        self._child = child
        self._heard: queue.SimpleQueue[bytes | MemoryError | None] = queue.SimpleQueue()
        listener = threading.Thread(target=self._listen, name="sbf-child-answers", daemon=True)
        try:
            listener.start()
        except RuntimeError:  # the system gives no thread
            self._child.end()
            raise

    def _listen(self) -> None:
        with suppress(OSError), self._child.source as source:
            while True:
                try:
                    self._heard.put(receive(source))
                except (EOFError, OSError, ValueError):
                    break
                except MemoryError as error:  # half of a message is read: no other can be found behind it
                    self._heard.put(error)
                    break
        self._heard.put(None)

    def say(self, content: bytes, *, seconds_max: float) -> None:
        """Send one message. Raises ``ProcessSilent`` where it is not read in time, ``ProcessOver``."""
        began = time.monotonic()
        if not self._child.write(framed(content), seconds_max=seconds_max):
            if time.monotonic() - began >= seconds_max:
                raise ProcessSilent
            raise self._over()

    def hear(self, *, seconds_max: float) -> bytes:
        """The next message. Raises ``ProcessSilent``, ``ProcessOver``, ``MemoryError`` where it is too large for us."""
        try:
            answer = self._heard.get(timeout=seconds_max)
        except queue.Empty:
            self._child.end()
            raise ProcessSilent from None
        if answer is None:
            self._heard.put(None)  # whoever asks again hears it, too
            raise self._over()
        if isinstance(answer, MemoryError):
            raise answer
        return answer

    def _over(self) -> ProcessOver:
        code = self._child.ended()
        self.drain()
        return ProcessOver(code)

    def has_ended(self) -> bool:
        """Whether it is over."""
        return self._child.has_ended()

    def end(self) -> None:
        """End it and all that it started, whatever they do. May be called again."""
        self._child.end()

    def drain(self) -> None:
        """Wait until what it wrote to standard error has been passed on; call it behind ``end``."""
        self._child.drain(_LAST_WORDS_SECONDS)

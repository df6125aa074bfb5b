"""The standard streams of a command: always there, and no work fails because a line for the user cannot be told."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable
from typing import Any

_NUMBERS = {"stdin": (0, "r"), "stdout": (1, "w"), "stderr": (2, "w")}


def open_closed() -> None:
    """Open what the caller closed (``sbf status >&-``, a daemon, a scheduler) as if it were the null device.

    Call it first: the next file that is opened, such as a database, would have the number of a stream, and whatever
    writes to that stream would write into the file.
    """
    while (number := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(number, True)
    os.close(number)
    for name, (number, mode) in _NUMBERS.items():
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(
            errors="backslashreplace"
        )  # a table for people; what programs read is exact, see ``cli/render``
    sys.stdout = _Told(sys.stdout, unheard=BrokenPipeError)
    sys.stderr = _Told(sys.stderr, unheard=OSError)


class NotTold(OSError):
    """What stdout is led to takes no more of it."""


class _Told:
    """A stream that may end before the work does: what is written then is let go.

    For stdout that is a reader which went away (``sbf status | head -1``), for stderr a full disk, too: on stderr
    stands nothing that a program relies on. Of stdout that is ``NotTold``.
    """

    def __init__(self, stream: Any, *, unheard: type[OSError]) -> None:
        self._stream = stream
        self._unheard = unheard
        self._is_over = False

    def write(self, text: str | bytes) -> int:
        """Write what can be written."""
        self._try(lambda: self._stream.write(text))
        return len(text)

    def flush(self) -> None:
        """Give on what can be given on."""
        self._try(self._stream.flush)

    def _try(self, act: Callable[[], object]) -> None:
        if self._is_over:
            return
        try:
            act()
        except self._unheard:
            self._is_over = self._unheard is BrokenPipeError
        except OSError as error:
            raise NotTold(error.errno, error.strerror) from error

    @property
    def buffer(self) -> _Told:
        """The same for bytes."""
        return _Told(self._stream.buffer, unheard=self._unheard)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

"""The standard streams of a command: always there, and nothing fails because a line for the user cannot be told."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import Any

_NUMBERS = {"stdin": (0, "r"), "stdout": (1, "w"), "stderr": (2, "w")}


def open_closed() -> None:
    """Open what the caller closed (``sbf status >&-``, a daemon, a scheduler) as if it were the null device. Call it first:
    the next file that is opened, such as a database, would have the number of a stream, and whatever writes to that
    stream would write into the file.
    """
    while (number := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(number, True)
    os.close(number)
    for name, (number, mode) in _NUMBERS.items():
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115
    sys.stderr = _Told(sys.stderr)


class _Told:
    """A stream on which nobody relies: a full disk, or a reader that went away, costs the line and not the work."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write what can be written."""
        with suppress(OSError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Give on what can be given on."""
        with suppress(OSError):
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

"""Stopping: once ends the work in order, twice ends the process at once. Both leave what the next run puts right."""

from __future__ import annotations

import os
import signal
import sys
import threading
from types import FrameType


class _Asked:
    """The signal that asked the process to stop; 0 for none."""

    number = 0
    installed = False


def install() -> None:
    """Take over Ctrl-C and SIGTERM. Call it in the main thread of a command."""
    _Asked.installed = True
    for name in ("SIGINT", "SIGTERM", "SIGBREAK"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), _stop)


def _stop(number: int, frame: FrameType | None) -> None:
    del frame
    if _Asked.number:
        os._exit(128 + number)
    _Asked.number = number
    if number == signal.SIGTERM:
        raise SystemExit(128 + number)
    raise KeyboardInterrupt


def asked_to_stop() -> int:
    """The signal that asked the process to stop, or 0."""
    return _Asked.number


def is_from_user(error: BaseException) -> bool:
    """Whether an interrupt comes from a signal; code that raises ``KeyboardInterrupt`` by itself is just broken."""
    if not isinstance(error, (KeyboardInterrupt, SystemExit)):
        return False
    if _Asked.installed:
        return _Asked.number != 0
    return isinstance(error, KeyboardInterrupt) and threading.current_thread() is threading.main_thread()


def leave(code: int) -> None:
    """End the process with an exit code, without waiting for threads that a signal left in the middle of a request."""
    sys.stdout.flush()
    sys.stderr.flush()
    if _Asked.number:
        os._exit(code)
    sys.exit(code)

"""Stopping: once ends the work in order, twice ends the process at once. Both leave what the next run puts right."""

from __future__ import annotations

import atexit
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
    """End the process with an exit code, without waiting for threads that a signal left in the middle of a request.

    Where no other thread is at work, the interpreter is not taken apart object by object: that takes 30 ms of every command.
    """
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BrokenPipeError:  # its reader went away; nothing is left to be told
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    if not _Asked.number and any(thread is not threading.main_thread() and not thread.daemon for thread in threading.enumerate()):
        sys.exit(code)
    if not _Asked.number:
        atexit._run_exitfuncs()  # what libraries and plugins asked to be done at the end
    os._exit(code)

"""Stopping: once ends the work in order, twice ends the process at once. Both leave what the next run puts right."""

from __future__ import annotations

import _thread
import atexit
import os
import signal
import sys
import threading
import time
import weakref
from contextlib import suppress
from types import FrameType
from typing import ClassVar

INTERRUPTED = "sbf: interrupted; the next run goes on from here"
#: What a warehouse holds is its owner's business: rights of new files, in a process that is sbf's command.
OWNER_ALONE = 0o077
_LOOK_AGAIN_SECONDS = 0.02
#: How long threads of others may go on when a command has done its work, and what libraries want done at the end.
_LAST_SECONDS = 5.0
#: At import: while code of a plugin runs, ``os._exit`` is not what it was.
_exit = os._exit


class _Asked:
    """The signal that asked the process to stop; 0 for none.

    One that came while a module was being loaded waits until it is.
    """

    number = 0
    installed = False
    #: Whose threads they are that code of others left.
    owners: ClassVar[weakref.WeakKeyDictionary[threading.Thread, str]] = weakref.WeakKeyDictionary()
    waiting = 0
    is_reminder = False


def install() -> None:
    """Take over Ctrl-C and SIGTERM. Call it in the main thread of a command. Calling it again does nothing."""
    if _Asked.installed:
        return
    _Asked.installed = True
    for name in ("SIGINT", "SIGTERM", "SIGBREAK"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), _stop)


def _stop(number: int, frame: FrameType | None) -> None:
    is_reminder, _Asked.is_reminder = _Asked.is_reminder, False
    if _Asked.number or (_Asked.waiting and not is_reminder):
        _exit(128 + number)
    if _loads_a_module(frame):  # an error in there aborts the process where the module is not Python's
        _Asked.waiting = number
        reminder = threading.Timer(_LOOK_AGAIN_SECONDS, _remind, [number])
        reminder.daemon = True
        with suppress(RuntimeError):  # the system gives no thread: then now
            reminder.start()
            return
    _Asked.number = number
    if number == signal.SIGTERM:
        raise SystemExit(128 + number)
    raise KeyboardInterrupt


def _loads_a_module(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False


def _remind(number: int) -> None:
    _Asked.is_reminder = True
    _thread.interrupt_main(signal.Signals(number))


def asked_to_stop() -> int:
    """The signal that asked the process to stop, or 0."""
    return _Asked.number


def heed() -> None:
    """The signal has been heeded: to be asked is how this command ends, and no failure of it."""
    _Asked.number = 0


def are_ours() -> bool:
    """Whether signals are handled by sbf, as they are in its command;
    other programs have uses of their own for them.
    """
    return _Asked.installed


def left_by(thread: threading.Thread, owner: str) -> None:
    """Remember who began a thread, so that ``leave`` does not wait for it."""
    _Asked.owners[thread] = owner


def is_from_user(error: BaseException) -> bool:
    """Whether an interrupt comes from a signal; code that raises ``KeyboardInterrupt`` by itself is just broken."""
    if not isinstance(error, (KeyboardInterrupt, SystemExit)):
        return False
    if _Asked.installed:
        return _Asked.number != 0
    return isinstance(error, KeyboardInterrupt) and threading.current_thread() is threading.main_thread()


def leave(code: int) -> None:
    """End the process with an exit code. The work is done: nobody's threads and processes are waited for without end.

    The interpreter is not taken apart object by object: that takes 30 ms of every command. Threads that plugins left
    are told by their plugin; those of whom nobody knows get a moment to end. Processes that were begun here by
    ``multiprocessing``, which sbf does not use, are ended: the interpreter would wait for them.
    """
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:  # its reader went away, or its disk is full; nothing is left to be told
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    if not _Asked.number:
        _end_others()
        last = threading.Timer(_LAST_SECONDS, _exit, (code,))
        last.daemon = True
        try:
            last.start()
        except RuntimeError:  # the system gives no thread: nobody would end what takes for ever
            _exit(code)
        atexit._run_exitfuncs()  # what libraries and plugins asked to be done at the end
    _exit(code)


def _end_others() -> None:
    """Threads and processes that would keep the interpreter from ending."""
    until = time.monotonic() + _LAST_SECONDS
    for thread in threading.enumerate():
        if thread is threading.main_thread() or thread.daemon:
            continue
        owner = _Asked.owners.get(thread)
        if owner is None:
            thread.join(max(until - time.monotonic(), 0))
        if thread.is_alive():
            whose = f"plugin {owner} left" if owner else "there is"
            _say(f"sbf: note: {whose} a thread {thread.name!a} that is still at work; it was not waited for")
    library = sys.modules.get("multiprocessing")
    for child in library.active_children() if library is not None else ():
        _say(f"sbf: note: a plugin left a process {child.name!a} that is still at work; it was ended")
        child.kill()


def _say(text: str) -> None:
    with suppress(OSError, ValueError):
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()

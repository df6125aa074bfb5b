"""Code of plugins in the process of sbf: for how long it may run, and that it may not end the process.

A plugin is imported here, and says here what it declares. An import or a hook that takes too long is interrupted; one
that calls ``os._exit`` gets an exception in its place; threads that it leaves are remembered by its name, so that a
command can end without them. What kills the process from outside of Python (``os.abort``, a signal to itself, a fault
in a library) ends the command with the exit code of that.
"""

from __future__ import annotations

import contextvars
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn, TypeVar

import attrs

from sbf_core import signals
from sbf_core.errors import PluginFault
from sbf_core.value import Value

T = TypeVar("T")
#: Code that does not heed the interruption is interrupted again, and the command ends when even that did not help.
_AGAIN_SECONDS = 1.0
_LAST_SECONDS = 5.0
_truly_exit = os._exit
_truly_start = threading.Thread.start


@attrs.frozen(kw_only=True)
class HookLimits(Value):
    """How long code of plugins may run in the process of sbf.

    Attributes:
        import_seconds_max: for its import.
        answer_seconds_max: for a hook that declares something: ``datasets``, ``build_gold``, ``offers``,
            ``universe_members``.
    """

    import_seconds_max: float = 60.0
    answer_seconds_max: float = 300.0


class EndsProcess(BaseException):
    """What code of a plugin meets that calls ``os._exit``."""


class _TookTooLong(BaseException):
    """What code of a plugin meets in the main thread when its time is over."""


class _Here(threading.local):
    """Whether this thread runs code of a plugin, and whose."""

    depth = 0
    owner = ""


_here = _Here()
_lock = threading.Lock()
_guarded = 0
_own_pid = 0


def _refuse_exit(status: int) -> NoReturn:
    """In the place of ``os._exit``. Other threads, and processes that were forked meanwhile, end as they wish."""
    if _here.depth and os.getpid() == _own_pid:
        raise EndsProcess(f"os._exit({status!r}), which would end sbf itself")
    _truly_exit(status)


def _start(thread: threading.Thread) -> None:
    """In the place of ``Thread.start``: what a plugin begins is known by its name,
    and not what others begin meanwhile.
    """
    _truly_start(thread)
    if _here.owner:
        signals.left_by(thread, _here.owner)


@contextmanager
def exit_refused(owner: str = "") -> Iterator[None]:
    """Inside, this thread cannot end the process with ``os._exit``,
    and the threads that it begins are the ``owner``'s.
    """
    global _guarded, _own_pid
    with _lock:
        _guarded += 1
        _own_pid = os.getpid()
        os._exit = _refuse_exit
        threading.Thread.start = _start  # type: ignore[assignment,method-assign]
    before, _here.owner = _here.owner, owner
    _here.depth += 1
    try:
        yield
    finally:
        _here.depth -= 1
        _here.owner = before
        if signals.are_ours():
            os.umask(signals.OWNER_ALONE)  # a library may have set one for files of its own
        with _lock:
            _guarded -= 1
            if not _guarded:
                os._exit = _truly_exit
                threading.Thread.start = _truly_start  # type: ignore[method-assign]


def bounded(call: Callable[[], T], *, owner: str, what: str, seconds_max: float, fix: str) -> T:
    """Call code of a plugin, for so long and no longer.

    Args:
        call: the code.
        owner: the plugin, for threads that it leaves.
        what: what is called, e.g. ``its import``.
        seconds_max: how long it may take.
        fix: what to do where it rightly needs longer.

    Raises:
        PluginFault: it took longer. Where it runs in another thread than the main one (on Windows, in programs that are
            not sbf's command) it is left alone then, and goes on in vain. What it raises itself is raised.
    """
    try:
        with exit_refused(owner):
            in_main = threading.current_thread() is threading.main_thread()
            if (
                in_main
                and signals.are_ours()
                and hasattr(signal, "setitimer")
                and not signal.getitimer(signal.ITIMER_REAL)[0]
            ):
                return _in_main_thread(call, owner=owner, what=what, seconds_max=seconds_max)
            return _in_thread_of_its_own(call, owner=owner, seconds_max=seconds_max)
    except _TookTooLong:
        raise PluginFault(f"{what} did not end within {seconds_max:g} s and was stopped", fix=fix) from None


def _in_main_thread(call: Callable[[], T], *, owner: str, what: str, seconds_max: float) -> T:
    """An alarm interrupts it, whatever it waits for.

    What catches even that, or waits outside of Python, ends the command.
    """
    is_running = True

    def interrupt(number: int, frame: FrameType | None) -> None:
        del number, frame
        if is_running:
            raise _TookTooLong

    usual = signal.signal(signal.SIGALRM, interrupt)
    _last_resort.watch(f"plugin {owner}: {what}", seconds_max)
    signal.setitimer(signal.ITIMER_REAL, seconds_max, _AGAIN_SECONDS)
    try:
        return call()
    finally:
        is_running = False
        signal.setitimer(signal.ITIMER_REAL, 0)
        _last_resort.forget()
        signal.signal(signal.SIGALRM, usual)


def _in_thread_of_its_own(call: Callable[[], T], *, owner: str, seconds_max: float) -> T:
    answer: list[T] = []
    raised: list[BaseException] = []
    context = contextvars.copy_context()

    def work() -> None:
        try:
            with exit_refused(owner):
                answer.append(context.run(call))
        except BaseException as error:  # the thread that waits raises it
            raised.append(error)

    thread = threading.Thread(target=work, name=f"plugin {owner}", daemon=True)
    thread.start()
    thread.join(seconds_max)
    if raised:
        raise raised[0]
    if not answer:
        raise _TookTooLong
    return answer[0]


class _LastResort:
    """Ends the command when code of a plugin cannot be interrupted. One thread, begun with the first code that runs."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._until: float | None = None
        self._text = ""

    def watch(self, what: str, seconds_max: float) -> None:
        with self._changed:
            self._until = time.monotonic() + seconds_max + _LAST_SECONDS
            self._text = f"{what} did not end within {seconds_max:g} s, and cannot be stopped"
            if self._thread is None:
                self._thread = threading.Thread(target=self._wait, name="sbf-last-resort", daemon=True)
                self._thread.start()
            else:
                self._changed.notify()

    def forget(self) -> None:
        with self._changed:
            self._until = None

    def _wait(self) -> None:
        with self._changed:
            while True:
                left = None if self._until is None else self._until - time.monotonic()
                if left is not None and left <= 0:
                    fault = PluginFault(self._text, fix="block the plugin, or uninstall it")
                    sys.stderr.write(f"{fault.line()}\n")
                    sys.stderr.flush()
                    _truly_exit(fault.exit_code)
                self._changed.wait(left)


_last_resort = _LastResort()

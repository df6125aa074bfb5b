"""What a plugin's hooks do besides answering: clocks, chance, networks, files, other programs.

Two sources: Python's audit events (PEP 578) tell of sockets, files and programs; a profile function sees each call of a
built-in function, and so each look at a clock and each throw of dice, also those inside the standard library.
"""

from __future__ import annotations

import datetime as dt
import gc
import os
import random
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import FrameType, ModuleType
from typing import Any

import attrs

from sbf_core.plugin.manager import PluginManager
from sbf_core.plugin.record import PluginRecord
from sbf_core.silver.reading import ParseRows, SelectRows
from sbf_core.value import Entity

_NETWORK = frozenset({"socket.connect", "socket.sendto", "socket.getaddrinfo", "socket.gethostbyname", "socket.bind"})
_PROGRAMS = frozenset({"subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork"})
_CLOCKS = frozenset(
    {"time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "localtime", "gmtime", "ctime", "asctime"}
)
_NOW = frozenset({"now", "utcnow", "today"})
#: What these do is not the plugin's: a log line has a time, an import may do anything.
_NOT_THEIRS = ("logging", "importlib", "_frozen_importlib", "sbf_core.", "warnings")
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_here = threading.local()
_installed = threading.Lock()


@attrs.define(eq=False)
class Watch(Entity):
    """What hooks did.

    Attributes:
        done: pairs of a hook and what it did to the world, e.g. ``("promote", "wrote a file: a.csv")``.
        looked: pairs of a hook and where it looked, e.g. ``("promote", "looked at a clock: time.time")``.
        selects: the SQL of ``promote``.
    """

    done: set[tuple[str, str]] = attrs.field(factory=set)
    looked: set[tuple[str, str]] = attrs.field(factory=set)
    selects: set[str] = attrs.field(factory=set)

    def of(self, *hooks: str) -> list[str]:
        """What some of the hooks did, and where they looked, in words."""
        return sorted(f"{hook} {what}" for hook, what in self.done | self.looked if hook in hooks)

    def acts_of(self, *hooks: str) -> list[str]:
        """What some of the hooks did, in words; a clock and dice they may look at."""
        return sorted(f"{hook} {what}" for hook, what in self.done if hook in hooks)


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    watch: Watch | None = getattr(_here, "watch", None)
    if watch is None:
        return
    if event in _NETWORK:
        watch.done.add((_here.hook, f"used the network: {event}"))
        raise ConnectionRefusedError("a test of a plugin reaches no network")
    if event in _PROGRAMS:
        watch.done.add((_here.hook, f"started a program: {arguments[0]}"))
    elif event == "open" and _is_writing(arguments) and not _is_excused(sys._getframe(1)):
        watch.done.add((_here.hook, f"wrote a file: {arguments[0]}"))


def _is_writing(arguments: tuple[Any, ...]) -> bool:
    _, mode, flags = arguments
    return bool(mode and set(mode) & set("wax+")) or (mode is None and isinstance(flags, int) and bool(flags & _WRITES))


def _profile(frame: FrameType, event: str, called: Any) -> None:
    if event != "c_call":
        return
    what = _impure(called)
    if what and not _is_excused(frame):
        _here.watch.looked.add((_here.hook, what))


def _impure(called: Any) -> str:
    name, owner = getattr(called, "__name__", ""), getattr(called, "__self__", None)
    if name in _NOW and isinstance(owner, type) and issubclass(owner, dt.date):
        return f"looked at a clock: {owner.__name__}.{name}"
    if name in _CLOCKS and owner is time:
        return f"looked at a clock: time.{name}"
    if isinstance(owner, random.Random) and name in ("random", "getrandbits"):
        return f"threw dice: random.{name}"
    if name == "urandom" and isinstance(owner, ModuleType):
        return "threw dice: os.urandom"
    return ""


def _is_excused(frame: FrameType | None) -> bool:
    """Whether the call was made by something that is not the plugin's to answer for, on the way from its hook."""
    collected = [
        getattr(callback, "__code__", None) for callback in gc.callbacks
    ]  # Python calls them anywhere, e.g. hypothesis's, which looks at a clock
    while frame is not None:
        module = str(frame.f_globals.get("__name__", ""))
        if module == __name__ or module.startswith("pluggy"):  # the hook was called from here
            return False
        if module.startswith(_NOT_THEIRS) or frame.f_code in collected:
            return True
        frame = frame.f_back
    return False


@contextmanager
def _watching(watch: Watch, hook: str) -> Iterator[None]:
    before = getattr(_here, "watch", None), getattr(_here, "hook", ""), sys.getprofile()
    _here.watch, _here.hook = watch, hook
    sys.setprofile(_profile)
    try:
        yield
    finally:
        sys.setprofile(before[2])
        _here.watch, _here.hook = before[0], before[1]


_hooked: list[bool] = []


class WatchedManager(PluginManager):
    """Plugins of which one is watched.

    Args:
        name: the plugin to watch.
        plugin: the plugin itself, where no package brings it; else all that are installed are loaded.
        options: what the settings say to each plugin, by its name.
    """

    def __init__(
        self, name: str, plugin: object | None = None, *, options: Mapping[str, Mapping[str, Any]] | None = None
    ) -> None:
        with _installed:
            if not _hooked:
                sys.addaudithook(
                    _audit
                )  # for good: Python cannot take one out again; it looks at threads that are in a hook only
                _hooked.append(True)
        self.watch = Watch()
        self._watched = name
        super().__init__(None if plugin is None else (), options=options, named=None)
        if plugin is not None:
            self.register(plugin, name=name)

    def call(self, record: PluginRecord, hook: str, *, doing: str, safe: str, **arguments: Any) -> Any:
        """See ``PluginManager.call``."""
        if record.name != self._watched:
            return super().call(record, hook, doing=doing, safe=safe, **arguments)
        answer = super().call(record, hook, doing=doing, safe=safe, **arguments)
        if isinstance(answer, SelectRows):
            self.watch.selects.add(answer.sql)
        return ParseRows(self._watched_parse(answer)) if isinstance(answer, ParseRows) else answer

    def _answer(self, record: PluginRecord, hook: str, call: Callable[[], Any]) -> Any:
        if record.name != self._watched:
            return super()._answer(record, hook, call)

        def watched() -> Any:  # in whatever thread it is called
            with _watching(self.watch, hook):
                return call()

        return super()._answer(record, hook, watched)

    def _watched_parse(self, plan: ParseRows) -> Any:
        def parse(payload: bytes) -> Iterable[Mapping[str, object]]:
            with _watching(self.watch, "promote"):
                return list(plan.parse(payload))

        return parse

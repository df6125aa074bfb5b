"""A process of ours and all that it starts, which end together.

On Linux and macOS it leads a session, and with it a process group, of its own; on Windows it is in a job. What leaves
that group on purpose (``setsid``) is not found again, but keeps nobody waiting: no reading of a pipe is waited for.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from io import FileIO
from typing import IO, Any

from sbf_core.child.windows_job import Job

#: How long a process that has closed its pipe may take to end by itself, so that its exit code can be told.
_LAST_SECONDS = 2.0
_LOOK_SECONDS = 0.005
_CHUNK_BYTES = 1 << 16


class ChildProcess:
    """``python -m MODULE`` with pipes to its standard input and output.

    Args:
        module: what runs, e.g. ``sbf_core.plugin.worker``.
        environment: its variables.
        memory_bytes: what it may use at most on Windows; elsewhere it limits itself, see ``child.limits``. 0: no limit.
        output: is given what it and all that it starts write to standard error, in pieces, by a thread of its own;
            None: that goes where ours goes.
    """

    def __init__(
        self,
        module: str,
        *,
        environment: Mapping[str, str],
        memory_bytes: int = 0,
        output: Callable[[bytes], None] | None = None,
    ) -> None:
        error = None if output is None else subprocess.PIPE
        group: dict[str, Any] = {"start_new_session": True}
        if sys.platform == "win32":
            group = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
        self._process = subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-m", module],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=error, env=dict(environment), bufsize=0, **group,
        )  # fmt: skip
        self._job = Job(self._process, memory_bytes=memory_bytes)
        self._lock = threading.Lock()
        self._is_over = False
        self._pump: threading.Thread | None = None
        if output is not None:
            pump = threading.Thread(target=self._pass_on, args=(output,), name="sbf-child-output", daemon=True)
            try:
                pump.start()
            except RuntimeError:  # the system gives no thread
                self.end()
                raise
            self._pump = pump

    @property
    def pid(self) -> int:
        """Its id, and on POSIX that of its group."""
        return self._process.pid

    @property
    def source(self) -> FileIO:
        """What it answers: its standard output, without a buffer.

        Only one thread may read it, and that one closes it.
        """
        assert isinstance(self._process.stdout, FileIO)
        return self._process.stdout

    @property
    def target(self) -> IO[bytes]:
        """What it is asked: its standard input, without a buffer."""
        assert self._process.stdin is not None
        return self._process.stdin

    def write(self, content: bytes, *, seconds_max: float) -> bool:
        """Write to ``target``; one that does not read for ``seconds_max`` is ended. Returns whether all was written."""
        timer = None
        if len(content) > _CHUNK_BYTES // 2:  # less fits into any pipe, and a timer is a thread
            timer = threading.Timer(seconds_max, self.end)
            timer.daemon = True
            timer.start()
        try:
            left = memoryview(content)
            while left:
                left = left[self.target.write(left) :]
        except (OSError, ValueError):  # it is gone, or its pipe is closed
            return False
        finally:
            if timer is not None:
                timer.cancel()
        return True

    def end(self) -> int:
        """End it and all that it started; returns its exit code, below zero for a signal. May be called again."""
        with self._lock:
            if not self._is_over:
                self._is_over = True
                self._end_group()
                with suppress(OSError):
                    self.target.close()
        return self._process.wait()

    def ended(self) -> int:
        """The exit code of a process that has closed its pipe: it is given a moment to end by itself. Ends the rest."""
        until = time.monotonic() + _LAST_SECONDS
        while not self._is_over and not self.has_ended() and time.monotonic() < until:
            time.sleep(_LOOK_SECONDS)
        return self.end()

    def drain(self, seconds_max: float) -> None:
        """Wait until what it wrote to standard error has been passed on; call it behind ``end``."""
        if self._pump is not None:
            self._pump.join(seconds_max)

    def has_ended(self) -> bool:
        """Whether the process is over. It is not waited for: its id, which names the group, must stay its own."""
        if not hasattr(os, "waitid"):
            return self._process.poll() is not None
        try:
            return os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
        except ChildProcessError:
            return True

    def _end_group(self) -> None:
        if sys.platform == "win32":
            self._job.end()
        else:
            with suppress(ProcessLookupError, PermissionError):  # macOS says so of a group whose processes are all over
                os.killpg(self._process.pid, signal.SIGKILL)
        self._process.kill()

    def _pass_on(self, output: Callable[[bytes], None]) -> None:
        stream = self._process.stderr
        assert stream is not None
        with suppress(OSError, ValueError), stream:
            while chunk := stream.read(_CHUNK_BYTES):
                output(chunk)

"""A program that is not ours, run to its end: with limits, and with all that it starts."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import attrs

from sbf_core.child.windows_job import Job
from sbf_core.value import Value

_CHUNK_BYTES = 1 << 16
_LAST_WORDS_BYTES = 4096
_LAST_SECONDS = 1.0
_LOOK_SECONDS = 0.01


@attrs.frozen(kw_only=True)
class Limits(Value):
    """What a program may use: seconds until its end, bytes that it writes to standard output, bytes of memory."""

    seconds: float
    output_bytes: int
    memory_bytes: int


@attrs.frozen(kw_only=True)
class Ended(Value):
    """How a program ended.

    Attributes:
        code: its exit code, below zero for a signal.
        said: the end of what it wrote to standard error.
        limit: which limit ended it: ``seconds``, ``output``, or none.
    """

    code: int
    said: str
    limit: str = ""


def run_command(
    command: Sequence[str], output: Path, *, folder: Path, environment: Mapping[str, str], limits: Limits,
    handed: Sequence[int] = (),
) -> Ended:  # fmt: skip
    """Run a program; what it writes to standard output goes to a file. It reads nothing.

    Args:
        command: the program, as a whole path, and its arguments.
        output: the file.
        folder: where it runs.
        environment: its variables.
        limits: what it may use.
        handed: open files that it gets, too, by their numbers; not on Windows.

    Raises:
        OSError: it cannot be started.
    """
    group: dict[str, Any] = {"start_new_session": True, "pass_fds": tuple(handed)}
    if sys.platform == "win32":
        group = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    process = subprocess.Popen(  # noqa: S603 - what the user declared
        list(command), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0,
        env=dict(environment), cwd=folder, **group,
    )  # fmt: skip
    job = Job(process, memory_bytes=limits.memory_bytes)
    _limit_memory(process.pid, limits.memory_bytes)
    watched = _Watched(process, job, limits.seconds)
    last: deque[bytes] = deque(maxlen=2)
    assert process.stdout is not None and process.stderr is not None
    listener = threading.Thread(target=_keep_last, args=(process.stderr, last), name="sbf-command-errors", daemon=True)
    is_large = False
    try:
        listener.start()
        watched.start()
        with output.open("wb") as target:
            left = limits.output_bytes
            while chunk := process.stdout.read(_CHUNK_BYTES):
                left -= len(chunk)
                if left < 0:
                    is_large = True
                    break
                target.write(chunk)
        if not is_large:
            watched.wait()
    finally:
        watched.end()
        code = process.wait()
        listener.join(_LAST_SECONDS)
        process.stdout.close()
    said = b"".join(last)[-_LAST_WORDS_BYTES:].decode("utf-8", "replace")
    return Ended(code=code, said=said, limit="output" if is_large else "seconds" if watched.is_late else "")


class _Watched:
    """A process with all that it starts: ended when its time is over, and a moment after the process itself has ended,
    whoever still holds its pipes.
    """

    def __init__(self, process: subprocess.Popen[bytes], job: Job, seconds: float) -> None:
        self._process = process
        self._job = job
        self._until = time.monotonic() + seconds
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="sbf-command", daemon=True)
        self.is_late = False

    def start(self) -> None:
        """Watch from now on."""
        self._thread.start()

    def wait(self) -> None:
        """Until it has ended; one that has closed its output may go on until its time is over."""
        while not self._has_ended() and not self.is_late:
            time.sleep(_LOOK_SECONDS)

    def end(self) -> None:
        """End all of it, and watch no more."""
        self._is_over.set()
        self._end_group()
        if self._thread.ident is not None:
            self._thread.join()

    def _watch(self) -> None:
        while not self._is_over.wait(_LOOK_SECONDS):
            if time.monotonic() >= self._until:
                self.is_late = True
                break
            if self._has_ended():
                self._is_over.wait(_LAST_SECONDS)
                break
        self._end_group()

    def _has_ended(self) -> bool:
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
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
        self._process.kill()


def _keep_last(stream: IO[bytes], last: deque[bytes]) -> None:
    with suppress(OSError, ValueError), stream:
        while chunk := stream.read(_LAST_WORDS_BYTES):
            last.append(chunk)


def _limit_memory(pid: int, byte_count: int) -> None:
    """Bound its address space, where another process can: on Linux."""
    with suppress(ImportError, AttributeError, OSError, ValueError):
        import resource

        resource.prlimit(pid, resource.RLIMIT_AS, (byte_count, byte_count))

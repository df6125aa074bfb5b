"""Commands of ours, each in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from sbf_core.errors import EnvironmentFault


def own_command(words: Sequence[str], folder: Path) -> list[str]:
    """A command of ours for the home in a folder, by this very Python, whatever lies in the working folder."""
    return [sys.executable, "-P", "-m", "sbf_core", *words, "--home", str(folder)]


def run_own(command: Sequence[str], on_line: Callable[[str], None] | None = None) -> int:
    """The exit code of a command of ours. A signal to this process ends it in order, and is raised when it has ended.

    Args:
        command: its words.
        on_line: takes each line that it prints; it writes where this process does when absent.

    Raises:
        EnvironmentFault: the system starts no process.
    """
    output, errors = (None, None) if on_line is None else (subprocess.PIPE, subprocess.STDOUT)
    try:
        process: subprocess.Popen[bytes] = subprocess.Popen(  # noqa: S603 - a command of ours
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=errors
        )
    except OSError as error:
        raise EnvironmentFault(f"no process can be started: {error.strerror}", where=command[0]) from error
    with process:
        try:
            for line in process.stdout or ():
                assert on_line is not None
                on_line(line.decode("utf-8", "replace").rstrip())
            return process.wait()
        except (KeyboardInterrupt, SystemExit):
            with suppress(OSError):
                process.terminate()  # it ends its requests in order; what it has lies in Bronze
            process.communicate()
            raise

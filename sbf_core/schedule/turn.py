"""One turn: run what is due, then tell whom sbf.toml names."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import attrs

from sbf_core.errors import EnvironmentFault, HomeLocked
from sbf_core.home.home import Home
from sbf_core.value import Value

#: The home is busy: nothing is wrong, and the next turn finds what is due.
BUSY = HomeLocked.exit_code


@attrs.frozen(kw_only=True)
class Turn(Value):
    """How a turn went.

    Attributes:
        run: exit code of `sbf run`.
        alert: exit code of `sbf alert`; None where there is no rule.
    """

    run: int
    alert: int | None

    @property
    def exit_code(self) -> int:
        """0 where all went well, or where somebody else had the home; else that of the first that did not."""
        return next((code for code in (self.run, self.alert or 0) if code not in (0, BUSY)), 0)


def command_of(words: Sequence[str], folder: Path) -> list[str]:
    """A command of ours for the home in a folder, by this very Python, whatever lies in the working folder."""
    return [sys.executable, "-P", "-m", "sbf_core", *words, "--home", str(folder)]


def take_turn(home: Home, log: logging.Logger | None) -> Turn:
    """Run and alert, each in a process of its own: what they load and use is given back.

    Args:
        home: the warehouse.
        log: takes their lines; they write where this process does when absent.

    Raises:
        EnvironmentFault: the system starts no process.
    """
    code = _done(command_of(["run"], home.folder), log)
    return Turn(run=code, alert=_done(command_of(["alert"], home.folder), log) if home.settings.alerts else None)


def _done(command: Sequence[str], log: logging.Logger | None) -> int:
    """The exit code of a command. A signal to this process ends it in order, and is raised when it has ended."""
    output, errors = (None, None) if log is None else (subprocess.PIPE, subprocess.STDOUT)
    try:
        process: subprocess.Popen[bytes] = subprocess.Popen(  # noqa: S603 - a command of ours
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=errors
        )
    except OSError as error:
        raise EnvironmentFault(f"no process can be started: {error.strerror}", where=command[0]) from error
    with process:
        try:
            for line in process.stdout or ():
                assert log is not None
                log.info(line.decode("utf-8", "replace").rstrip())
            return process.wait()
        except (KeyboardInterrupt, SystemExit):
            with suppress(OSError):
                process.terminate()  # it ends its requests in order; what it has lies in Bronze
            process.communicate()
            raise

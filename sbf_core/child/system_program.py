"""Programs of the system, asked for a short answer."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence

from sbf_core.errors import EnvironmentFault

_SECONDS_MAX = 60


def ask_program(command: Sequence[str], *, given: str = "", absent: Sequence[str] | None = None, fix: str = "") -> str:
    """What a program of the system prints.

    Args:
        command: its words.
        given: what it reads.
        absent: where it fails and says one of these, there is nothing, and the answer is empty; so it is where there is
            no such program. With none of them every failure means that.
        fix: what to do where there is no such program.

    Raises:
        EnvironmentFault: it is not there, or says that it failed.
    """
    try:
        done = subprocess.run(  # noqa: S603 - programs of the system, named by our code
            command, input=given, capture_output=True, text=True, encoding="utf-8", errors="surrogateescape",
            timeout=_SECONDS_MAX, check=False, env=os.environ | {"LC_ALL": "C"},
        )  # fmt: skip
    except FileNotFoundError as error:
        if absent is not None:
            return ""
        raise EnvironmentFault(f"there is no program {command[0]}", fix=fix) from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EnvironmentFault(f"{command[0]} cannot be asked: {error}") from error
    if not done.returncode:
        return done.stdout
    said = " ".join((done.stderr or done.stdout).split())
    if absent is not None and (not absent or any(words in said for words in absent)):
        return ""
    raise EnvironmentFault(f"{command[0]} says: {said or f'exit code {done.returncode}'}")

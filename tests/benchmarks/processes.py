"""What a command costs as a process of its own."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Mapping


def measured(
    command: list[str], environment: Mapping[str, str], *, cwd: str | None = None
) -> tuple[float, float, float]:
    """Seconds of wall and of processor, and the peak of its memory in MB.
    Ends the benchmark where the command fails.
    """
    began = time.perf_counter()
    child = subprocess.Popen(command, env=dict(environment), cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert child.stderr is not None
    told = child.stderr.read()
    _, status, used = os.wait4(child.pid, 0)
    if status:
        raise SystemExit(told.decode())
    return time.perf_counter() - began, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024

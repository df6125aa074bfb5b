"""What a command costs as a process of its own, and a plugin for it to find."""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple


class Cost(NamedTuple):
    """Of a command with the children that it waited for."""

    wall: float
    """Seconds."""
    cpu: float
    """Seconds of the processor, of user and system."""
    peak: float
    """The most memory of one of its processes, in MB."""
    written: float = 0.0
    """MB that it made dirty for the file system; what it overwrites before it reaches the disk counts too."""


def measured(command: Sequence[str], environment: Mapping[str, str], *, cwd: str | None = None) -> Cost:
    """What a command costs. Ends the benchmark where the command fails."""
    began = time.perf_counter()
    child = subprocess.Popen(command, env=dict(environment), cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert child.stderr is not None
    told = child.stderr.read()
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    wall = time.perf_counter() - began
    if status:
        raise SystemExit(f"{list(command)[:4]} failed: {told.decode()[-3000:]}")
    return Cost(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, used.ru_oublock * 512 / 1e6)


def middle(costs: Sequence[Cost]) -> Cost:
    """The median of each."""
    return Cost(*(statistics.median(column) for column in zip(*costs, strict=True)))


def install_plugin(site: Path, name: str, code: str) -> None:
    """Put a plugin of one module into a folder as pip would; commands find it once the folder is in PYTHONPATH."""
    info = site / f"sbf_{name}-0.dist-info"
    info.mkdir(parents=True, exist_ok=True)
    (site / f"sbf_{name}.py").write_text(code)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: sbf-{name}\nVersion: 0\n")
    (info / "entry_points.txt").write_text(f"[sbf.plugins]\n{name} = sbf_{name}\n")

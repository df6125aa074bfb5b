"""What a command costs as a process of its own, and a plugin for it to find."""

from __future__ import annotations

import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple


class Cost(NamedTuple):
    """Of a command with the children that it waited for."""

    wall: float
    """Seconds."""
    cpu: float
    """Seconds of the processor, of user and system."""
    peak: float = 0.0
    """The most memory of one of its processes, in MB."""
    written: float = 0.0
    """MB that it made dirty for the file system; what it overwrites before it reaches the disk counts too."""
    user: float = 0.0
    """Of the seconds of the processor what was not spent in the system, whose part depends on what the file system did
    before."""


#: Begins a command, and tells its status and what it cost. A process between, because the most memory of a process
#: begins at what the one had that began it, and the benchmark itself holds the engine and numbers.
BETWEEN = """
import os, sys, time
quiet = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
began = time.perf_counter()
_, status, used = os.wait4(os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ, file_actions=quiet), 0)
print(status, time.perf_counter() - began, used.ru_utime + used.ru_stime, used.ru_maxrss, used.ru_oublock,
      used.ru_utime)
"""


def measured(command: Sequence[str], environment: Mapping[str, str], *, cwd: str | None = None) -> Cost:
    """What a command costs. Ends the benchmark where the command fails."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", BETWEEN, *command],
        env=dict(environment), cwd=cwd, capture_output=True, text=True,
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(f"{command[0]} could not be begun: {done.stderr[-3000:]}")
    status, wall, cpu, peak, blocks, user = map(float, done.stdout.split())
    if status:
        shown = " ".join(word if len(word) < 80 else "..." for word in command)
        raise SystemExit(f"{shown[:400]} failed: {done.stderr[-3000:]}")
    return Cost(wall, cpu, peak / 1024, blocks * 512 / 1e6, user)


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

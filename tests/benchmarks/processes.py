"""What a command costs as a process of its own, and a plugin for it to find."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path


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


def install_plugin(site: Path, name: str, code: str) -> None:
    """Put a plugin of one module into a folder as pip would; commands find it once the folder is in PYTHONPATH."""
    info = site / f"sbf_{name}-0.dist-info"
    info.mkdir(parents=True, exist_ok=True)
    (site / f"sbf_{name}.py").write_text(code)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: sbf-{name}\nVersion: 0\n")
    (info / "entry_points.txt").write_text(f"[sbf.plugins]\n{name} = sbf_{name}\n")

"""On what a benchmark ran: the machine, and the versions of everything that was measured."""

from __future__ import annotations

import datetime as dt
import os
import platform
import subprocess
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def facts() -> dict[str, str]:
    """What is told above the table."""
    return {
        "day": dt.datetime.now(dt.UTC).date().isoformat(),
        "machine": f"{os.cpu_count()} cores, {_memory_gib():.0f} GiB, {_system()}",
        "python": platform.python_version(),
        "duckdb": version("duckdb"),
        "sbf": f"{version('sbf')} ({_commit()})",
    }


def told(found: Mapping[str, str], peers: Mapping[str, str]) -> str:
    """The lines above the table."""
    head = f"{found['day']}, {found['machine']}, Python {found['python']}, DuckDB {found['duckdb']}, sbf {found['sbf']}"
    beside = "; ".join(f"{name}: {versions}" for name, versions in peers.items())
    return head + (f"\nPeers: {beside}" if beside else "")


def _memory_gib() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)


def _system() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"] + f", kernel {platform.release()}"
    except OSError:
        return platform.platform()


def _commit() -> str:
    def git(*words: str) -> str:
        return subprocess.run(["git", "-C", str(ROOT), *words], capture_output=True, text=True).stdout.strip()

    return (git("rev-parse", "--short", "HEAD") or "no commit") + (" with changes" if git("status", "--short") else "")

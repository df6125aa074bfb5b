"""Environments of the peers, made below the folder of a benchmark: pinned versions from the usual index."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

#: What is installed for each.
PACKAGES: Mapping[str, tuple[str, ...]] = {
    "dlt": ("dlt[duckdb]==1.31.0", "duckdb==2.0.1", "orjson==3.13.0", "pyarrow==26.0.1"),
    "ducklake": ("duckdb==1.5.5", "duckdb-extension-ducklake==1.5.5"),
    "arcticdb": ("arcticdb==6.28.2", "pandas==2.3.3"),
    "polars": ("polars==2.1.0",),
}


def installed(folder: Path, names: Iterable[str]) -> dict[str, Path]:
    """The Python of each; one that cannot be installed is told in a line, and left out."""
    found = {}
    for name in names:
        home = folder / f"peer-{name}"
        python = home / "bin" / "python"
        told = "" if (home / "whole").exists() else _install(home, python, PACKAGES[name])
        if told:
            print(f"{name} is left out: {told}", file=sys.stderr, flush=True)
        else:
            found[name] = python
    return found


def _install(home: Path, python: Path, packages: Iterable[str]) -> str:
    """What went wrong, in a line."""
    print(f"installing {', '.join(packages)} ...", file=sys.stderr, flush=True)
    for command in (
        [sys.executable, "-m", "venv", "--clear", str(home)],
        [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check", *packages],
    ):
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            return (done.stderr.strip() or done.stdout.strip() or "no word why").splitlines()[-1]
    (home / "whole").touch()
    return ""

"""A folder of many drops in which nothing is new: ``python drops.py FOLDER [--files N] [--reps N]``.

Loads each file once by ``sbf run``, then measures ``sbf plan`` and ``sbf run`` with nothing new, as commands of their
own, and ``sbf plan`` of the same plugin over a folder of one file, so that the start of the program is known.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from processes import Cost, measured, middle

PLUGIN = """
from sbf_core.api import Column, DatasetKeymapEntry, FileRecipe, hookimpl

COLUMNS = [Column(name="symbol", type="VARCHAR", key=True), Column(name="date", type="DATE", key=True, row_date=True),
           Column(name="close", type="DOUBLE")]


@hookimpl
def datasets():
    recipe = FileRecipe(path="drops/*.csv", each="file")
    return [DatasetKeymapEntry(domain="prices", source="bench", dataset="drops", silver_table="drops", columns=COLUMNS,
                               scope="per_ticker", recipe=recipe)]
"""


def installed(folder: Path) -> dict[str, str]:
    """The plugin in a folder, and the variables with which it is found."""
    (folder / "bench_drops.py").write_text(PLUGIN, encoding="utf-8")
    info = folder / "bench_drops-1.0.dist-info"
    info.mkdir(exist_ok=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: bench-drops\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[sbf.plugins]\nbench_drops = bench_drops\n")
    return {**os.environ, "PYTHONPATH": str(folder)}


def loaded(home: Path, files: int, environment: dict[str, str]) -> None:
    """A home whose folder holds so many files, each of which was read."""
    drops = home / "files" / "drops"
    drops.mkdir(parents=True)
    for number in range(files):
        (drops / f"{number:05}.csv").write_text(f"symbol,date,close\nS{number},2026-11-30,{number}.5\n")
    measured(command("run", home), environment)


def command(name: str, home: Path) -> list[str]:
    """A command of sbf over a home."""
    return [sys.executable, "-m", "sbf_core", name, "--home", str(home), "--plugins", "bench_drops"]


def main() -> None:
    """Measure in turns."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--reps", type=int, default=5)
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    environment = installed(asked.folder)
    homes = {"many": asked.folder / "many", "one": asked.folder / "one"}
    loaded(homes["many"], asked.files, environment)
    loaded(homes["one"], 1, environment)
    costs: dict[tuple[str, str], list[Cost]] = {}
    for _ in range(asked.reps):
        for which, home in homes.items():
            for name in ("plan", "run"):
                costs.setdefault((name, which), []).append(measured(command(name, home), environment))
    for (name, which), found in costs.items():
        cost = middle(found)
        print(f"sbf {name}, {which}: wall {cost.wall:.2f} s, CPU {cost.cpu:.2f} s, {cost.peak:.0f} MB")


if __name__ == "__main__":
    main()

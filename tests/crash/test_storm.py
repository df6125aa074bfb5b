"""Many at one home: runs, readers, checks and backups, in threads and in processes;
in the end the rows are those of one run.
"""

from __future__ import annotations

import os
import random
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from hang import HANG_SECONDS
from world import World, digests

#: One of these commands at a time in each of the threads that start processes.
COMMANDS = (
    ("run", "--force"),
    ("run",),
    ("status",),
    ("verify",),
    ("digest",),
    ("sql", "SELECT count(*) FROM silver.world_eod"),
    ("backup",),
    ("rebuild",),
    ("clean", "--yes"),
)
#: What a notebook does, in a process with three threads of it:
#: runs, looks, and reads files of the home as a copy would.
NOTEBOOK = """
import random, sys, threading, time, warnings
from pathlib import Path
import duckdb, sbf_core
from sbf_core.errors import DamageFound, HomeLocked
warnings.simplefilter("ignore")
home, seed, until = Path(sys.argv[1]), int(sys.argv[2]), time.monotonic() + float(sys.argv[3])
wrong = []
def work(number):
    choice = random.Random(seed * 100 + number)
    while time.monotonic() < until and not wrong:
        try:
            what = choice.randrange(3)
            if what == 0:
                context = sbf_core.run(home, force=choice.random() < 0.5)
                if context.status != "ok":
                    wrong.append(repr(context.errors))
            elif what == 1:
                with sbf_core.open(home) as warehouse:
                    if warehouse.execute("SELECT count(*) > 0 FROM silver.world_eod").fetchone() != (True,):
                        wrong.append("the rows are gone")
            else:
                for name in ("sbf.duckdb", "sbf.lock", "holder.json"):
                    if (home / name).exists():
                        (home / name).open("rb").close()
        except (HomeLocked, FileNotFoundError):
            pass
        except BaseException as error:
            wrong.append(f"{type(error).__name__}: {error}")
threads = [threading.Thread(target=work, args=(number,)) for number in range(3)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
print("\\n".join(wrong))
sys.exit(1 if wrong else 0)
"""


def storm(world: World, home: Path, *, seconds: float, seed: int, processes: int, notebooks: int) -> Counter[str]:
    """Do it; what came of the commands, counted."""
    until, told, wrong = time.monotonic() + seconds, Counter[str](), list[str]()

    def commands(number: int) -> None:
        choice = random.Random(seed * 1000 + number)
        while time.monotonic() < until and not wrong:
            command = choice.choice(COMMANDS)
            arguments = (*command, str(home.with_name(f"backup-{number}"))) if command[0] == "backup" else command
            done = world.sbf(home, *arguments)
            told[f"{command[0]} {done.returncode}"] += 1
            if done.returncode not in (0, 4):
                wrong.append(f"{arguments}: exit {done.returncode}\n{done.stdout[-500:]}{done.stderr[-1500:]}")

    threads = [threading.Thread(target=commands, args=(number,)) for number in range(processes)]
    books = [world.program(home, NOTEBOOK, str(home), str(seed + number), str(seconds)) for number in range(notebooks)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for book in books:
        out, err = book.communicate(timeout=HANG_SECONDS)
        told[f"notebook {book.returncode}"] += 1
        if book.returncode:
            wrong.append(out + err)
    assert wrong == []
    return told


def _weathered(tmp_path: Path, *, seconds: float, seed: int, processes: int, notebooks: int) -> Counter[str]:
    world = World(tmp_path / "world")
    home, calm = tmp_path / "home", tmp_path / "calm"
    world.first_day(home)
    world.first_day(calm)
    told = storm(world, home, seconds=seconds, seed=seed, processes=processes, notebooks=notebooks)
    for place in (home, calm):
        done = world.sbf(place, "run", "--force")
        assert done.returncode == 0, done.stderr
    assert digests(home) == digests(calm)
    assert world.findings(home) == []
    return told


def test_a_short_storm(tmp_path: Path) -> None:
    told = _weathered(tmp_path, seconds=6, seed=1, processes=2, notebooks=1)
    assert told["notebook 0"] == 1


@pytest.mark.slow
def test_a_storm_of_a_hundred_seconds(tmp_path: Path) -> None:
    seed = int(os.environ.get("STORM_SEED", "20261128"))
    told = _weathered(tmp_path, seconds=100, seed=seed, processes=4, notebooks=2)
    print(f"seed {seed}: {dict(sorted(told.items()))}")
    assert told["notebook 0"] == 2
    assert sum(count for name, count in told.items() if name.startswith("run")) > 3

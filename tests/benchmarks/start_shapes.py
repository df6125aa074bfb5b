"""Runs with nothing due, beside ``import duckdb``: of a large universe as ``planning.py`` has it, and of the sample."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Iterator

import planning
from processes import measured
from readings import LIMIT, OURS, Reading, Setting

TICKERS, DATASETS = 10_000, 20
#: A start takes a third of a second, so that more of them are asked for: each says less.
TIMES = 5


def plan(setting: Setting) -> Iterator[Reading]:
    """A ledger that knows each of 200,000 series."""
    share = 1.0 if setting.seed == 1 else random.Random(setting.seed).uniform(0.9, 1.1)
    folder, letter = setting.folder / "planning", chr(ord("T") - 1 + setting.seed % 7)
    home = planning.made(folder, round(TICKERS * share * setting.part), DATASETS, letter)
    for _ in range(setting.reps):
        yield Reading("plan", "run", OURS, planning.cost_of(["run"], folder, home))
        if setting.with_limit:
            yield Reading("plan", "run", LIMIT, planning.bare_engine())


def nothing(setting: Setting) -> Iterator[Reading]:
    """The sample, which has no seed."""
    home = setting.folder / "nothing-due"
    shutil.rmtree(home, ignore_errors=True)
    command, environment = [setting.sbf, "run", "--replay", "sample"], {**os.environ, "SBF_HOME": str(home)}
    for _ in range(2):
        measured(command, environment)
    for _ in range(setting.reps * TIMES):
        yield Reading("nothing", "run", OURS, measured(command, environment))
        if setting.with_limit:
            yield Reading("nothing", "run", LIMIT, planning.bare_engine())
    shutil.rmtree(home)

"""Payloads that lie in a folder, read by a FileRecipe: cold and rebuild, beside the limit of ``shapes.py``."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import shapes
from processes import measured
from readings import OURS, Reading, Setting

HERE = Path(__file__).resolve().parent


def csv(setting: Setting) -> Iterator[Reading]:
    """Delimited text; beside it what Polars takes to read it, as a floor."""
    for reading in _readings("csv", setting):
        yield reading
        if "polars" in setting.peers and (reading.who, reading.stage) == (OURS, "cold"):
            size = shapes.sized("csv", seed=setting.seed, part=setting.part)
            script, source = HERE / "peers" / "polars_files.py", shapes.payloads(setting.folder, size)
            command = [str(setting.peers["polars"]), str(script), str(source), ",".join(shapes.numbers(size))]
            yield Reading("csv", "cold", "polars", measured(command, os.environ))


def wide(setting: Setting) -> Iterator[Reading]:
    """JSON of sixty columns."""
    yield from _readings("wide", setting)


def _readings(shape: str, setting: Setting) -> Iterator[Reading]:
    size = shapes.sized(shape, seed=setting.seed, part=setting.part)
    programs, reps, limit = {OURS: setting.sbf}, setting.reps, setting.with_limit
    for stage, who, cost in shapes.in_turns(setting.folder, size, programs, reps, with_limit=limit):
        yield Reading(shape, stage, who, cost)

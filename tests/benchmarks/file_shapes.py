"""Payloads that lie in a folder, read by a FileRecipe: cold and rebuild, beside the limit of ``shapes.py``."""

from __future__ import annotations

from collections.abc import Iterator

import shapes
from readings import OURS, Reading, Setting


def csv(setting: Setting) -> Iterator[Reading]:
    """Delimited text."""
    yield from _readings("csv", setting)


def wide(setting: Setting) -> Iterator[Reading]:
    """JSON of sixty columns."""
    yield from _readings("wide", setting)


def _readings(shape: str, setting: Setting) -> Iterator[Reading]:
    size = shapes.sized(shape, seed=setting.seed, part=setting.part)
    programs, reps, limit = {OURS: setting.sbf}, setting.reps, setting.with_limit
    for stage, who, cost in shapes.in_turns(setting.folder, size, programs, reps, with_limit=limit):
        yield Reading(shape, stage, who, cost)

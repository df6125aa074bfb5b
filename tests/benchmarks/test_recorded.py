"""No shape costs more, beside its limit, than was recorded: ``pytest -m benchmark tests/benchmarks``.

Quick sizes, and seconds of the processor, so that a busy machine does not lie: what else runs makes both of a pair
slower. Where a line is worse it is measured again, and judged by all pairs together.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
import recorded_ratios
from catalogue import SHAPES
from command_line import QUICK, read
from readings import Setting, lines

PART, PAIRS, ROUNDS = QUICK[1], 3, 3


@pytest.mark.benchmark
@pytest.mark.parametrize("shape", SHAPES)
def test_a_shape_costs_no_more_than_recorded(shape: str) -> None:
    known, readings = recorded_ratios.read(PART), []
    # Not in pytest's folder, which may lie in memory: forcing files to the disk is a part of what was recorded.
    with tempfile.TemporaryDirectory(prefix="sbf-benchmark-") as folder:
        for _ in range(ROUNDS):
            readings += read([shape], Setting(Path(folder), known["seed"], PART, PAIRS))
            told = [text for line in lines(readings).values() if (text := recorded_ratios.worse(line, known))]
            if not told:
                return
    pytest.fail("\n".join([*told, f"recorded on {known['machine']}, sbf {known['sbf']}"]))

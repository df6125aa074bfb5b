"""What a shape of the benchmark is given, and what it gives back: readings, one for each command that was measured."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from processes import Cost, middle

OURS, LIMIT = "sbf", "limit"


class Setting(NamedTuple):
    """How to measure."""

    folder: Path
    seed: int = 1
    part: float = 1.0
    """Of the sizes: a tenth where it shall be quick."""
    reps: int = 3
    peers: Mapping[str, Path] = {}
    """The Python of each peer's own environment."""
    with_limit: bool = True

    @property
    def sbf(self) -> str:
        """The command of this environment."""
        return str(Path(sys.executable).parent / "sbf")


class Reading(NamedTuple):
    """Of one command, once."""

    shape: str
    stage: str
    who: str
    cost: Cost


Shape = Callable[[Setting], Iterator[Reading]]


class Line:
    """Of the table: everything that was read of one stage of a shape."""

    def __init__(self, shape: str, stage: str) -> None:
        self.shape, self.stage = shape, stage
        self.costs: dict[str, list[Cost]] = {}

    def middle(self, who: str) -> Cost | None:
        """The medians, where this one was measured."""
        return middle(self.costs[who]) if who in self.costs else None

    def ratio(self, over: str = OURS, under: str = LIMIT, *, of: str = "cpu") -> float | None:
        """The median of what pairs that were measured one after the other have."""
        pairs = zip(self.costs.get(over, ()), self.costs.get(under, ()), strict=False)
        found = [getattr(one, of) / getattr(other, of) for one, other in pairs if getattr(other, of)]
        return statistics.median(found) if found else None


def lines(readings: Iterable[Reading]) -> dict[tuple[str, str], Line]:
    """The lines of the table in the order in which they were first read."""
    found: dict[tuple[str, str], Line] = {}
    for shape, stage, who, cost in readings:
        found.setdefault((shape, stage), Line(shape, stage)).costs.setdefault(who, []).append(cost)
    return found

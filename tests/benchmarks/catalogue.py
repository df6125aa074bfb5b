"""The shapes that ``python -m tests.benchmarks`` knows: who measures them, how a line is called, what its goal is."""

from __future__ import annotations

from typing import NamedTuple

import file_shapes
from readings import Shape


class Told(NamedTuple):
    """About a line of the table."""

    title: str
    goal: str = ""
    above: bool = False
    """Whether what counts is the difference: the other one is a part of what ours does."""


SHAPES: dict[str, Shape] = {
    "csv": file_shapes.csv,
    "wide": file_shapes.wide,
}
#: What ``limit`` is of a shape, for the notes under the table.
LIMITS = {
    "csv": "a program that keeps, hashes and forces each payload to the disk, and reads all by one `read_csv`",
    "wide": "the same with `read_json`",
}
TITLES = {
    "csv": "CSV, 2,000 x 1,250",
    "wide": "JSON, 400 x 500, 60 columns",
}
GOALS = {
    ("csv", "cold"): "1.15",
    ("wide", "cold"): "1.15",
}
#: Where what counts is the difference.
ABOVE = {"nothing"}


def told(shape: str, stage: str) -> Told:
    """About a line."""
    return Told(TITLES.get(shape, shape), GOALS.get((shape, stage), ""), shape in ABOVE)

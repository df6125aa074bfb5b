"""The shapes that ``python -m tests.benchmarks`` knows: who measures them, how a line is called, what its goal is."""

from __future__ import annotations

import care_shapes
import file_shapes
import history_shapes
import served_shapes
import small_datasets
import start_shapes
from readings import Shape

SHAPES: dict[str, Shape] = {
    "csv": file_shapes.csv,
    "wide": file_shapes.wide,
    "medium": served_shapes.medium,
    "small": served_shapes.small,
    "many": served_shapes.many,
    "packed": served_shapes.packed,
    "days": history_shapes.days,
    "gold": history_shapes.gold,
    "plan": start_shapes.plan,
    "care": care_shapes.care,
    "datasets": small_datasets.datasets,
    "nothing": start_shapes.nothing,
}
TITLES = {
    "csv": "CSV, 2,000 x 1,250",
    "wide": "JSON, 400 x 500, 60 columns",
    "medium": "JSON over HTTP, 2,000 x 1,250",
    "small": "JSON over HTTP, 200 x 250",
    "many": "JSON over HTTP, 10,000 x 5",
    "packed": "the same, in packs",
    "days": "5 million rows, 1 % changes a day",
    "gold": "the same with a gold table of all rows",
    "scan": "adding up the 5 million as they were",
    "plan": "10,000 tickers x 20 datasets, nothing due",
    "care": "20,000 small payloads",
    "datasets": "300 datasets of one CSV of 20 KB",
    "nothing": "nothing due, the sample",
}
#: What *limit* is, for the notes under the table.
_KEPT = "a program that keeps, hashes and forces each payload, and reads all by one `read_csv` or `read_json`"
_ASKED = "a program that asks over eight connections, keeps, hashes and forces each answer, and merges all at once"
_CLOSED = "a program that keeps the files, closes the rows that change and adds the new ones; gold is merged by key"
_START = "`import duckdb` and nothing else, so the ratio says how large the start is"
LIMITS = {
    "csv": _KEPT, "wide": _KEPT,
    "medium": _ASKED, "small": _ASKED, "many": _ASKED, "packed": _ASKED,
    "days": _CLOSED, "gold": _CLOSED,
    "scan": "sbf itself, adding up the same two columns as they are",
    "plan": _START, "nothing": _START,
    "care": "a program that reads and hashes each payload, copies and forces each, or reads all into one typed table",
    "datasets": "a program that keeps, hashes and forces each file, and reads each into a table of its own",
}  # fmt: skip
GOALS = {
    ("csv", "cold"): "1.15", ("csv", "rebuild"): "1.15",
    ("wide", "cold"): "1.15", ("wide", "rebuild"): "1.15",
    ("medium", "cold"): "1.05", ("medium", "increment"): "1.15", ("medium", "rebuild"): "1.15",
    ("small", "cold"): "1.2", ("small", "increment"): "1.3", ("small", "rebuild"): "1.3",
    ("many", "cold"): "1.2", ("many", "increment"): "1.2", ("many", "rebuild"): "1.5",
    ("packed", "cold"): "0.8", ("packed", "increment"): "0.8", ("packed", "rebuild"): "1.2",
    ("days", "a day"): "CPU 2.5 s, 12 MB written",
    ("gold", "a day"): "CPU 5 s, 20 MB written",
    ("scan", "as of"): "1.2",
    ("plan", "run"): "0.8 s, 150 MB",
    ("datasets", "first run"): "4",
    ("nothing", "run"): "0.10 s above",
}  # fmt: skip
#: Where what counts is the difference to the limit, which is a part of what ours does.
ABOVE = {"nothing", "plan"}

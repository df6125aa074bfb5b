"""The command ``python -m tests.benchmarks``: what was asked for, measured, told."""

from __future__ import annotations

import argparse
import compileall
import json
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import machine
import recorded_ratios
from catalogue import SHAPES
from peer_environments import PACKAGES, installed
from readings import Line, Reading, Setting, lines
from report_table import table

PEERS = tuple(PACKAGES)
#: How often a shape is measured, and which part of its size: fully, quickly.
FULL, QUICK = (3, 1.0), (1, 0.1)


def _listed(known: Sequence[str], text: str) -> list[str]:
    names = [name for name in text.split(",") if name]
    for name in names:
        if name not in known:
            raise argparse.ArgumentTypeError(f"{name} is none of {', '.join(known)}")
    return names


def parsed(words: Sequence[str]) -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks")
    everyone = ("limit", *PEERS)
    parser.add_argument("--against", type=lambda text: _listed(everyone, text), default=["limit"], metavar="NAMES",
                        help=f"any of {','.join(everyone)}")  # fmt: skip
    parser.add_argument("--shapes", type=lambda text: _listed(list(SHAPES), text), default=list(SHAPES),
                        metavar="NAMES", help=f"any of {','.join(SHAPES)}")  # fmt: skip
    parser.add_argument("--seed", type=int, default=1, help="another has other numbers, symbols and sizes")
    parser.add_argument("--quick", action="store_true", help="a tenth of the sizes, once")
    parser.add_argument("--folder", type=Path, help="for payloads, homes and environments of peers, which stay there")
    parser.add_argument("--reps", type=int, help="how often each is measured")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything that was read")
    parser.add_argument("--record", action="store_true", help="keep the ratios in recorded.json")
    asked = parser.parse_args(words)
    reps, asked.part = QUICK if asked.quick else FULL
    asked.reps = asked.reps or reps
    if asked.record and "limit" not in asked.against:
        parser.error("--record keeps ratios to the limit, which --against leaves out")
    return asked


def read(shapes: Sequence[str], setting: Setting, failed: list[str] | None = None) -> Iterator[Reading]:
    """Measure, and say how far it is. A shape that fails ends it, or is told and added to ``failed``.

    What Python compiles of us is made before: no user pays for it each time. The user's own settings have no part.
    """
    for name in [name for name in os.environ if name.startswith("SBF_") or name == "PYTHONDONTWRITEBYTECODE"]:
        del os.environ[name]
    for package in ("sbf_core", "sbf_plugins"):
        compileall.compile_dir(machine.ROOT / package, quiet=1)
    for shape in shapes:
        _say(f"{shape} ...")
        try:
            for reading in SHAPES[shape](setting):
                wall, cpu, peak, written, _ = reading.cost
                _say(
                    f"  {reading.stage:14} {reading.who:9} wall {wall:7.2f} s  cpu {cpu:7.2f} s  peak {peak:5.0f} MB  "
                    f"written {written:6.1f} MB"
                )
                yield reading
        except SystemExit as error:
            if failed is None:
                raise
            _say(f"{shape} is left out: {error}")
            failed.append(shape)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main(words: Sequence[str] | None = None) -> int:
    """Measure what was asked for, and print the table."""
    asked, facts = parsed(sys.argv[1:] if words is None else words), machine.facts()
    with tempfile.TemporaryDirectory(prefix="sbf-benchmark-") as scratch:
        folder = asked.folder or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        peers = installed(folder.resolve(), [name for name in asked.against if name in PEERS])
        limit = "limit" in asked.against
        setting = Setting(folder.resolve(), asked.seed, asked.part, asked.reps, peers, with_limit=limit)
        failed: list[str] = []
        found = lines(read(asked.shapes, setting, failed))
        for each in failed:
            found = {place: line for place, line in found.items() if place[0] != each}
    print(machine.told(facts, {name: ", ".join(PACKAGES[name]) for name in peers}))
    print(f"Seed {asked.seed}, {'a tenth of the sizes, ' if asked.quick else ''}medians of {asked.reps}, in turns.\n")
    print(table(found.values(), list(peers)))
    if asked.record:
        recorded_ratios.keep(asked.part, {**facts, "seed": asked.seed, "reps": asked.reps}, found.values())
    if asked.json:
        asked.json.write_text(json.dumps({**facts, "seed": asked.seed, "lines": _plain(found.values())}, indent=1))
    return 1 if failed else 0


def _plain(found: Sequence[Line]) -> list[dict[str, object]]:
    return [
        {
            "shape": line.shape,
            "stage": line.stage,
            **{who: [c._asdict() for c in costs] for who, costs in line.costs.items()},
        }
        for line in found
    ]

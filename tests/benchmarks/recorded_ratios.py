"""The ratios of the last ``--record``, of full sizes and of quick ones, and what is worse than they are."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from processes import middle
from readings import LIMIT, OURS, Line

FILE = Path(__file__).resolve().parent / "recorded.json"
#: So much worse may a ratio be. In turns on a busy machine medians of three pairs differ by 2 to 8 %.
SHARE = 0.15
#: Seconds of the processor that ours must have more as well. The start of an interpreter with the engine differs by 10
#: to 20 ms from one time to the next, of ours and of the limit, which is a sixth of the smallest lines here: such a
#: line would be told as worse for nothing. What costs each run less than this is seen by the lines of larger shapes.
FLOOR = 0.04
#: Lines that say nothing when they are quick. What copying costs is the file system's work, which takes between one and
#: five times as long, depending on what was deleted before; a scan of 500,000 rows takes a millisecond.
UNSTEADY = {("care", "backup"), ("scan", "as of")}


def kind(part: float) -> str:
    """Under which name figures of such sizes are kept."""
    return "full" if part == 1 else "quick"


def read(part: float, file: Path = FILE) -> dict[str, Any]:
    """What was recorded of such sizes; nothing where nothing was."""
    found = json.loads(file.read_text()) if file.exists() else {}
    return dict(found.get(kind(part), {}))


def keep(part: float, facts: Mapping[str, object], lines: Iterable[Line], file: Path = FILE) -> None:
    """Record; lines that were not measured now stay as they were, each with its own day."""
    whole = json.loads(file.read_text()) if file.exists() else {}
    ratios = dict(whole.get(kind(part), {}).get("lines", {}))
    for line in lines:
        ratio = line.ratio()
        if ratio is not None:
            ours, limit = middle(line.costs[OURS]), middle(line.costs[LIMIT])
            ratios[name(line)] = {
                "ratio": round(ratio, 3), "sbf": round(ours.cpu, 4), "limit": round(limit.cpu, 4), "day": facts["day"]
            }  # fmt: skip
    whole[kind(part)] = {**facts, "lines": ratios}
    file.write_text(json.dumps(whole, indent=2, sort_keys=True) + "\n")


def name(line: Line) -> str:
    """Of a line, in the record."""
    return f"{line.shape}, {line.stage}"


def worse(line: Line, known: Mapping[str, Any]) -> str:
    """What is to be told of a line that is worse than recorded; nothing of others."""
    ratio, before = line.ratio(), known.get("lines", {}).get(name(line))
    if ratio is None or before is None or (line.shape, line.stage) in UNSTEADY:
        return ""
    ours, limit = middle(line.costs[OURS]), middle(line.costs[LIMIT])
    more = (ratio - before["ratio"]) * limit.cpu
    if ratio <= before["ratio"] * (1 + SHARE) or more <= FLOOR:
        return ""
    return (
        f"{name(line)}: {ratio:.2f} times the limit's CPU, recorded {before['ratio']:.2f} on {before['day']}: "
        f"{ratio / before['ratio'] - 1:.0%} more ({ours.cpu:.2f} s against {limit.cpu:.2f} s; "
        f"then {before['sbf']:.2f} s against {before['limit']:.2f} s)"
    )

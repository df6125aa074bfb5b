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
#: Lines that make a thousand files and more: on ext4 that takes between one and four times as long in the system,
#: depending on what was deleted before. Seen in three quick runs of five pairs: the ratio of all seconds 1.7, 2.4 and
#: 3.9, of those outside of the system 2.5, 2.5 and 2.8. Others are judged by all: the system counts its share in ticks,
#: so that user seconds of short commands are less sure.
BY_USER = {(shape, stage) for shape in ("many", "packed") for stage in ("cold", "increment")}


def judged_by(line: Line) -> str:
    """Which seconds."""
    return "user" if (line.shape, line.stage) in BY_USER else "cpu"


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
        of = judged_by(line)
        ratio = line.ratio(of=of)
        if ratio is not None:
            ours, limit = (getattr(middle(line.costs[who]), of) for who in (OURS, LIMIT))
            ratios[name(line)] = {
                "ratio": round(ratio, 3), "of": of, "sbf": round(ours, 4), "limit": round(limit, 4), "day": facts["day"]
            }  # fmt: skip
    whole[kind(part)] = {**facts, "lines": ratios}
    file.write_text(json.dumps(whole, indent=2, sort_keys=True) + "\n")


def name(line: Line) -> str:
    """Of a line, in the record."""
    return f"{line.shape}, {line.stage}"


def worse(line: Line, known: Mapping[str, Any]) -> str:
    """What is to be told of a line that is worse than recorded; nothing of others."""
    of = judged_by(line)
    ratio, before = line.ratio(of=of), known.get("lines", {}).get(name(line))
    if ratio is None or before is None or before["of"] != of or (line.shape, line.stage) in UNSTEADY:
        return ""
    ours, limit = (getattr(middle(line.costs[who]), of) for who in (OURS, LIMIT))
    more = (ratio - before["ratio"]) * limit
    if ratio <= before["ratio"] * (1 + SHARE) or more <= FLOOR:
        return ""
    return (
        f"{name(line)}: {ratio:.2f} times the limit's {of} seconds, recorded {before['ratio']:.2f} on {before['day']}: "
        f"{ratio / before['ratio'] - 1:.0%} more ({ours:.2f} s against {limit:.2f} s; "
        f"then {before['sbf']:.2f} s against {before['limit']:.2f} s)"
    )

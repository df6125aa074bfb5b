"""The Markdown table of a benchmark."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from catalogue import ABOVE, GOALS, LIMITS, TITLES
from processes import Cost
from readings import LIMIT, OURS, Line
from recorded_ratios import judged_by


def table(lines: Iterable[Line], peers: Sequence[str]) -> str:
    """One line a stage; a column for each peer that was measured."""
    found = list(lines)
    heads = ["shape", "stage", "sbf wall / CPU s", "limit wall / CPU s", "sbf / limit, CPU", "goal"]
    heads += [
        "peak MB, sbf / limit",
        "MB written, sbf / limit",
        *(f"{peer} wall / CPU s, its wall / sbf, MB written" for peer in peers),
    ]
    rows = [_row(line, peers) for line in found]
    rows_of_table = "\n".join("| " + " | ".join(row) + " |" for row in [heads, ["---"] * len(heads), *rows])
    shapes = dict.fromkeys(line.shape for line in found)
    notes = [
        f"- limit of {', '.join(shape for shape in shapes if LIMITS.get(shape) == text)}: {text}"
        for text in dict.fromkeys(LIMITS[shape] for shape in shapes if shape in LIMITS)
    ]
    return "\n".join([rows_of_table, "", *notes])


def _row(line: Line, peers: Sequence[str]) -> list[str]:
    title, goal = TITLES.get(line.shape, line.shape), GOALS.get((line.shape, line.stage), "")
    ours, limit = line.middle(OURS), line.middle(LIMIT)
    return [
        title, line.stage, _seconds(ours), _seconds(limit), _ratio(line), goal,
        f"{_whole(ours, 'peak')} / {_whole(limit, 'peak')}", f"{_whole(ours, 'written')} / {_whole(limit, 'written')}",
        *(_beside(line, peer) for peer in peers),
    ]  # fmt: skip


def _seconds(cost: Cost | None) -> str:
    """Of what takes milliseconds with more digits."""
    digits = 4 if cost and cost.wall < 0.05 else 2
    return f"{cost.wall:.{digits}f} / {cost.cpu:.{digits}f}" if cost else ""


def _whole(cost: Cost | None, what: str) -> str:
    value = getattr(cost, what) if cost else 0
    return f"{value:.0f}" if value else ""


def _ratio(line: Line) -> str:
    ratio, ours, limit = line.ratio(), line.middle(OURS), line.middle(LIMIT)
    if ratio is None or ours is None or limit is None:
        return ""
    if judged_by(line) == "user":
        return f"**{ratio:.2f}** (user seconds {line.ratio(of='user') or 0:.2f})"
    above = f" ({ours.cpu - limit.cpu:.3f} s above)" if line.shape in ABOVE else ""
    return f"**{ratio:.2f}**{above}"


def _beside(line: Line, peer: str) -> str:
    ratio, written = line.ratio(peer, OURS, of="wall"), _whole(line.middle(peer), "written")
    return _seconds(line.middle(peer)) + (f", x {ratio:.1f}" if ratio else "") + (f", {written} MB" if written else "")

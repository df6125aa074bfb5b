"""The Markdown table of a benchmark."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from catalogue import LIMITS, told
from processes import Cost
from readings import LIMIT, OURS, Line


def table(lines: Iterable[Line], peers: Sequence[str]) -> str:
    """One line a stage; a column for each peer that was measured."""
    found = list(lines)
    heads = ["shape", "stage", "sbf wall / CPU s", "limit wall / CPU s", "sbf / limit, CPU", "goal"]
    heads += [
        "peak MB, sbf / limit",
        "MB written, sbf / limit",
        *(f"{peer} wall / CPU s, its wall / sbf" for peer in peers),
    ]
    rows = [_row(line, peers) for line in found]
    text = "\n".join("| " + " | ".join(row) + " |" for row in [heads, ["---"] * len(heads), *rows])
    notes = [
        f"- {shape}: limit is {LIMITS[shape]}"
        for shape in dict.fromkeys(line.shape for line in found)
        if shape in LIMITS
    ]
    return "\n".join([text, "", *notes])


def _row(line: Line, peers: Sequence[str]) -> list[str]:
    about, ours, limit = told(line.shape, line.stage), line.middle(OURS), line.middle(LIMIT)
    return [
        about.title, line.stage, _seconds(ours), _seconds(limit), _ratio(line), about.goal,
        f"{_whole(ours, 'peak')} / {_whole(limit, 'peak')}", f"{_whole(ours, 'written')} / {_whole(limit, 'written')}",
        *(_beside(line, peer) for peer in peers),
    ]  # fmt: skip


def _seconds(cost: Cost | None) -> str:
    return f"{cost.wall:.2f} / {cost.cpu:.2f}" if cost else ""


def _whole(cost: Cost | None, what: str) -> str:
    value = getattr(cost, what) if cost else 0
    return f"{value:.0f}" if value else ""


def _ratio(line: Line) -> str:
    ratio, ours, limit = line.ratio(), line.middle(OURS), line.middle(LIMIT)
    if ratio is None or ours is None or limit is None:
        return ""
    above = f" ({ours.cpu - limit.cpu:.3f} s above)" if told(line.shape, line.stage).above else ""
    return f"**{ratio:.2f}**{above}"


def _beside(line: Line, peer: str) -> str:
    ratio = line.ratio(peer, OURS, of="wall")
    return _seconds(line.middle(peer)) + (f", x {ratio:.1f}" if ratio else "")

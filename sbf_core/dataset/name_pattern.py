"""Patterns of names of files: ``*``, ``?`` and ``[...]`` in a name, ``**`` for folders at any depth."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase


def matches(steps: Sequence[str], pattern: Sequence[str]) -> bool:
    """Whether the steps of a name are those of a pattern. Names with a dot in front are found only by one with it."""
    if not pattern:
        return not steps
    wanted, *rest = pattern
    if wanted == "**":
        is_below = bool(steps) and not steps[0].startswith(".") and matches(steps[1:], pattern)
        return matches(steps, rest) or is_below
    return bool(steps) and _is_one(steps[0], wanted) and matches(steps[1:], rest)


def leads_on(steps: Sequence[str], pattern: Sequence[str], *, is_link: bool = False) -> bool:
    """Whether files that a pattern finds may be below a folder. ``**`` goes down no link."""
    if not pattern or not steps:
        return bool(pattern)
    wanted, *rest = pattern
    if wanted == "**":
        goes_down = not steps[0].startswith(".") and not (is_link and len(steps) == 1)
        is_below = goes_down and leads_on(steps[1:], pattern, is_link=is_link)
        return is_below or leads_on(steps, rest, is_link=is_link)
    return bool(rest) and _is_one(steps[0], wanted) and leads_on(steps[1:], rest, is_link=is_link)


def _is_one(step: str, wanted: str) -> bool:
    return (wanted.startswith(".") or not step.startswith(".")) and fnmatchcase(step, wanted)

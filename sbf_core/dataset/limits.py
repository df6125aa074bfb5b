"""Limits of a vendor that hold together."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from sbf_core.dataset.recipe import limit_parts


def contradict(limits: Iterable[str]) -> bool:
    """Whether one of some limits, such as ``250/day``, makes another meaningless: a longer period must allow more, but
    not more per second. Raises ``UsageError`` for a limit that is none.
    """
    parts = sorted({limit_parts(limit) for limit in limits}, key=lambda part: part[1])
    return any(
        seconds <= shorter or allowed <= fewer or allowed * shorter > fewer * seconds
        for (fewer, shorter), (allowed, seconds) in pairwise(parts)
    )

"""How much of each vendor's limits is used: read from the file that ``RateBook`` writes, without writing to it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import attrs

from sbf_core.dataset.recipe import limit_parts
from sbf_core.value import Value


@attrs.frozen(kw_only=True)
class RateUse(Value):
    """One limit and what is used of it.

    Attributes:
        limit: as declared, e.g. ``250/day``.
        allowed: requests in the period.
        used: requests in the last such period.
        period_seconds: its length.
    """

    limit: str
    allowed: int
    used: int
    period_seconds: int


def rate_use(path: Path, source: str, limits: Sequence[str]) -> list[RateUse]:
    """Each limit of a vendor with what is used of it, shortest period first."""
    uses = []
    for limit in sorted(set(limits), key=lambda limit: limit_parts(limit)[1]):
        allowed, seconds = limit_parts(limit)
        since = time.time_ns() // 1_000_000 - seconds * 1000
        uses.append(
            RateUse(limit=limit, allowed=allowed, used=_requests_since(path, source, since), period_seconds=seconds)
        )
    return uses


def _requests_since(path: Path, source: str, milliseconds: int) -> int:
    if not path.exists():
        return 0
    import sqlite3  # only a plan looks into it

    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
            row = connection.execute(
                f'SELECT count(*) FROM "{source}" WHERE item_timestamp > ?', (milliseconds,)
            ).fetchone()
    except sqlite3.OperationalError:  # the vendor was never asked
        return 0
    return int(row[0])

"""What a tool answers: JSON text without keys, of a length that a model can read."""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from sbf_core.reports.table import FactTable
from sbf_core.secret import redacted

#: Longer answers take a client long to read, and fill what a model can keep.
CHARACTERS_MAX = 50_000
_TEXT_MAX = 2_000


def answer(**content: Any) -> str:
    """One JSON object."""
    return redacted(json.dumps({name: _plain(value) for name, value in content.items()}, ensure_ascii=False))


def answer_of(table: FactTable, *, more: bool, **content: Any) -> str:
    """One JSON object with ``columns`` and ``rows``, as many of them as fit; ``more`` says that there are others.

    Args:
        table: the rows.
        more: there were others already.
        content: what else is said.
    """
    rows = [_plain(list(row)) for row in table.rows]
    left = CHARACTERS_MAX
    for at, row in enumerate(rows):
        left -= len(json.dumps(row, ensure_ascii=False))
        if left < 0 and at:
            rows, more = rows[:at], True
            break
    return answer(columns=list(table.headers), rows=rows, more=more, **content)


def _plain(value: Any) -> Any:
    """A value as JSON has it: exact numbers and moments are text, and what JSON does not know is, too."""
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, dt.datetime):
        return value.isoformat() + ("Z" if value.tzinfo is None else "")
    if isinstance(value, (dt.date, dt.time)):
        return value.isoformat()
    if isinstance(value, (bytes, bytearray)):
        return value.hex()[:_TEXT_MAX]
    if isinstance(value, Mapping):
        return {str(name): _plain(inner) for name, inner in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(inner) for inner in value]
    text = str(value)
    return text if len(text) <= _TEXT_MAX else f"{text[:_TEXT_MAX]}..."

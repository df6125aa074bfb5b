"""The bars of Kraken, of which the last one is still running."""

from __future__ import annotations

import json
from collections.abc import Iterator

from sbf_core.api import PayloadRefused

_FIELDS = ("begin", "open", "high", "low", "close", "vwap", "volume", "trades")


def parse(payload: bytes) -> Iterator[dict[str, object]]:
    """Rows of one answer. ``last`` is the newest bar that is over; the list stands under a name of Kraken's own.

    Raises:
        PayloadRefused: an answer of another form, or one that does not say which bars are over.
    """
    document = json.loads(payload, parse_float=str)
    if document.get("error"):
        raise PayloadRefused(f"Kraken says {json.dumps(document['error'])[:200]}")
    result = document.get("result") or {}
    lists = [value for name, value in result.items() if name != "last" and isinstance(value, list)]
    last = result.get("last")
    if len(lists) != 1 or type(last) is not int:
        raise PayloadRefused(f"{len(lists)} lists of bars and 'last' {last!r}, expected one list and a number")
    for bar in lists[0]:
        if len(bar) != len(_FIELDS):
            raise PayloadRefused(f"a bar of {len(bar)} values, expected {len(_FIELDS)}")
        yield {**dict(zip(_FIELDS, bar, strict=True)), "is_final": bar[0] <= last}

"""Answers that list what there is, and hold no rows themselves."""

from __future__ import annotations

import json
from collections.abc import Sequence


def is_listing(answer: object, fields: Sequence[str]) -> bool:
    """Whether an answer of JSON has one of some names at its top."""
    return isinstance(answer, dict) and not answer.keys().isdisjoint(fields)


def lists(body: bytes, fields: Sequence[str]) -> bool:
    """As ``is_listing``, of the bytes of a payload. What is no JSON has no names."""
    if not any(json.dumps(name).encode() in body or name.encode() in body for name in fields):
        return False  # nearly every payload: it is not read for that
    try:
        return is_listing(json.loads(body), fields)
    except (ValueError, RecursionError):
        return False

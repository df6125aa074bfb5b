"""Numbers with their nouns, for lines that a person reads."""

from __future__ import annotations


def counted(number: float, one: str, many: str = "") -> str:
    """``1 payload``, ``2,400 payloads``, ``0.5 days``; ``many`` where an s at the end does not make it."""
    shown = f"{number:,}" if isinstance(number, int) else f"{number:g}"
    return f"{shown} {one if number == 1 else many or one + 's'}"

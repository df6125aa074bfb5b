"""Numbers with their nouns, for lines that a person reads."""

from __future__ import annotations


def noun(number: float, one: str, many: str = "") -> str:
    """``payload`` for 1, ``payloads`` for others; ``many`` where an s at the end does not make it."""
    return one if number == 1 else many or one + "s"


def counted(number: float, one: str, many: str = "") -> str:
    """``1 payload``, ``2,400 payloads``, ``0.5 days``; see ``noun``."""
    shown = f"{number:,}" if isinstance(number, int) else f"{number:g}"
    return f"{shown} {noun(number, one, many)}"

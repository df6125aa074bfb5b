"""The name of a series that is made of parts, as the row of a query or the name of a file."""

from __future__ import annotations

from collections.abc import Sequence

#: Before the name of a part, in placeholders; in sources of columns ``request.`` stands before it.
EACH = "each."
#: Between the parts.
PART_SEPARATOR = "|"
#: As ``runs.request.TICKER_SEPARATOR``, which stands above this room.
_TICKER_SEPARATOR = ","
#: Letters that separate, and the one that escapes them; the last is put back last.
_ESCAPES = ((PART_SEPARATOR, "%7C"), (_TICKER_SEPARATOR, "%2C"), ("%", "%25"))


def series_of(parts: Sequence[str]) -> str:
    """The name of a series: its parts in their order; no two series share one."""
    return PART_SEPARATOR.join(_escaped(part) for part in parts)


def parts_of(series: str) -> list[str]:
    """The parts of the name of a series."""
    return [unescaped(part) for part in series.split(PART_SEPARATOR)]


def unescaped(part: str) -> str:
    """A part as it was given."""
    for letter, escape in _ESCAPES:
        part = part.replace(escape, letter)
    return part


def _escaped(part: str) -> str:
    for letter, escape in reversed(_ESCAPES):
        part = part.replace(letter, escape)
    return part

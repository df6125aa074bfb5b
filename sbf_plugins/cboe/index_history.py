"""Histories of indices: ``DATE,OPEN,HIGH,LOW,CLOSE``, or ``DATE`` and one column that is called as the index."""

from __future__ import annotations

from collections.abc import Iterator

from sbf_core.api import PayloadRefused

_PRICES = ["OPEN", "HIGH", "LOW", "CLOSE"]


def parse(payload: bytes) -> Iterator[dict[str, object]]:
    """A row a day.

    Raises:
        PayloadRefused: the header is another one, or a line has more or fewer fields than it.
    """
    try:
        header, *lines = payload.decode("ascii").splitlines() or [""]
    except UnicodeDecodeError as error:
        raise PayloadRefused(f"is no history: {error.reason} at byte {error.start}") from error
    first, *names = [name.strip() for name in header.split(",")]
    if first != "DATE" or (names != _PRICES and (len(names) != 1 or names[0] in ("", *_PRICES))):
        raise PayloadRefused(
            f"begins with {header[:80]!r}, and not with DATE,OPEN,HIGH,LOW,CLOSE or DATE and one value"
        )
    columns = ["date", *(name.lower() for name in names)] if names == _PRICES else ["date", "close"]
    for number, line in enumerate(lines, start=2):
        fields = [field.strip() for field in line.split(",")]
        if len(fields) == len(columns):
            yield dict(zip(columns, fields, strict=True))
        elif line.strip():
            raise PayloadRefused(f"has {len(fields)} fields on line {number}, and {len(columns)} in its header")

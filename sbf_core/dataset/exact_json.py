"""JSON that goes back as it came: a number keeps the digits in which it is written."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


class AsWritten(str):
    """A value as a text of JSON, which stands for it in a body; that of a number in addresses and forms, too."""

    __slots__ = ()

    @property
    def is_number(self) -> bool:
        """Whether it is a number."""
        return self[:1] in "-0123456789"


def with_digits(text: str | bytes) -> Any:
    """A JSON document with its numbers as they are written. Raises ``ValueError`` and ``RecursionError``."""
    return json.loads(text, parse_float=AsWritten, parse_int=AsWritten)


def json_text(value: object) -> str:
    """A JSON value as a text without blanks, in the order in which its names are given.

    Raises:
        TypeError, ValueError, RecursionError: it is none.
    """
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return _exact(value) if _holds_written(value) else text


def _holds_written(value: object) -> bool:
    if isinstance(value, Mapping):
        return any(map(_holds_written, value.values()))
    return any(map(_holds_written, value)) if isinstance(value, (list, tuple)) else isinstance(value, AsWritten)


def _exact(value: object) -> str:
    if isinstance(value, AsWritten):
        return str(value)
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{json_text(name)}:{_exact(inner)}" for name, inner in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(map(_exact, value)) + "]"
    return json.dumps(value, ensure_ascii=False, allow_nan=False)

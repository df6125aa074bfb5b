"""Keys that never show: a value that prints as ``***``, and texts without any key that this process has used."""

from __future__ import annotations

import base64
import json
from typing import NoReturn
from urllib.parse import quote, quote_plus

_SHOWN = "***"
#: Shorter values would take ordinary words out of messages.
_CHARACTERS_MIN = 4
#: Every form of every key that was used, the longest first.
_forms: tuple[str, ...] = ()


class Secret:
    """A key. It is used with ``reveal()`` where it must be sent, and nowhere else.

    Args:
        value: the key. From now on ``redacted`` takes it out of texts.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value
        _remember(value)

    def reveal(self) -> str:
        """The key itself."""
        return self._value

    def __repr__(self) -> str:
        return _SHOWN

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not pickled")


def _remember(value: str) -> None:
    global _forms
    if len(value) < _CHARACTERS_MIN:
        return
    raw = value.encode()
    found = {value, quote(value), quote(value, safe=""), quote_plus(value), json.dumps(value)[1:-1], raw.hex(), raw.hex().upper(), repr(value)[1:-1]}
    for encoded in (base64.b64encode(raw), base64.urlsafe_b64encode(raw)):
        found |= {encoded.decode(), encoded.decode().rstrip("=")}
    _forms = tuple(sorted({*_forms, *found}, key=len, reverse=True))


def redacted(text: str) -> str:
    """``text`` without any key that this process has used, in whatever usual form."""
    for form in _forms:
        if form in text:
            text = text.replace(form, _SHOWN)
    return text

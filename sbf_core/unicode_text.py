r"""What a text may hold: letters that UTF-8 has.

JSON can spell half of a surrogate pair (``"\ud83d"``), and Python keeps it in a text; no file, no database and no
terminal can. So each text from outside is looked at where it enters: what is needed word for word is refused, what is
only told is written with an escape in the half's place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import cast

import attrs


def is_unicode(text: str) -> bool:
    """Whether a text holds no half of a surrogate pair."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def escaped(text: str) -> str:
    r"""A text to be told, each half of a surrogate pair shown as an escape such as ``\ud83d``.

    Done twice it changes nothing.
    """
    return text if is_unicode(text) else text.encode("utf-8", "backslashreplace").decode("utf-8")


def half_letter_in(value: object) -> str:
    """Where a text in a declaration holds half of a surrogate pair:
    names of fields as ``columns.title``; empty where none does.
    """
    if _is_whole(value):
        return ""
    return next((path for path, text in _texts_of(value, "") if not is_unicode(text)), "")


def _is_whole(value: object) -> bool:
    """Whether no text within holds one, without saying where: each declaration is asked at each start."""
    kind = type(value)
    if kind is str:
        return is_unicode(cast("str", value))
    if value is None or kind is bool or kind is int:
        return True
    if isinstance(value, (list, tuple, set, frozenset)):
        return all(map(_is_whole, value))
    names = _field_names(kind)  # type: ignore[arg-type]  # mypy takes the hash of its instances for its own
    if names:
        return all(_is_whole(getattr(value, name)) for name in names)
    return all(is_unicode(text) for _, text in _texts_of(value, ""))


@cache
def _field_names(kind: type) -> tuple[str, ...]:
    return tuple(field.name for field in attrs.fields(kind)) if attrs.has(kind) else ()


def _texts_of(value: object, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _texts_of(name, path)
            yield from _texts_of(inner, path)
    elif isinstance(value, (list, tuple, set, frozenset)):
        for inner in value:
            yield from _texts_of(inner, path)
    elif attrs.has(type(value)):
        for field in attrs.fields(cast("type[attrs.AttrsInstance]", type(value))):
            yield from _texts_of(getattr(value, field.name), f"{path}.{field.name}" if path else field.name)

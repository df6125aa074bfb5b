"""The values of a row, where the sources of columns lead."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sbf_core.dataset.json_steps import Name, Position, RowIndex, Segment, SourcePath, Wildcard
from sbf_core.errors import PayloadRefused
from sbf_core.payload.json_text import Number, Unwritable, minified
from sbf_core.payload.json_walk import ABSENT, Row, Unreachable, child, kind_of, nodes
from sbf_core.unicode_text import is_unicode

Getter = Callable[[Any, Row], Any]


def getter(source: SourcePath) -> Getter:
    """What gives the value of a source for a document and a row of it; ``None`` for null, ``ABSENT`` where there is
    none.

    The getter raises ``Unreachable`` where only that row has it wrong, ``PayloadRefused`` where the payload has.
    """
    up = source.up
    if source.is_key:
        return lambda document, row: _key(row.trail[-1 - up].key)
    name = source.field
    if name is not None:
        wanted = Name(name)
        return lambda document, row: child(row.value, wanted)
    steps = [_stepper(segment, source) for segment in source.segments]

    def get(document: Any, row: Row) -> Any:
        value = document if source.from_root else row.trail[-1 - up].value if up else row.value
        for take in steps:
            if value is None:
                return ABSENT
            value = take(document, row, value)
            if value is ABSENT:
                return value
        return value

    return get


def _key(key: str | int) -> str:
    return key if isinstance(key, str) else Number(key)


def _stepper(segment: Segment, source: SourcePath) -> Callable[[Any, Row, Any], Any]:
    if isinstance(segment, RowIndex):
        return lambda document, row, value: _beside(row, value, source)
    if isinstance(segment, Position):
        find = _finder(segment)
        return lambda document, row, value: _at_position(find(document, row), value)
    return lambda document, row, value: child(value, segment)


def _beside(row: Row, value: Any, source: SourcePath) -> Any:
    last = row.trail[-1]
    if last.within is None or not isinstance(last.key, int):
        raise PayloadRefused(f"{source.text!r} takes the index of a row, and the rows are named, not in a list")
    if not isinstance(value, list):
        raise PayloadRefused(f"{source.text!r} is no list but {kind_of(value)}")
    if len(value) != last.within:
        raise PayloadRefused(
            f"parallel arrays of different length: {len(value)} values at {source.text!r}, {last.within} rows"
        )
    return value[last.key]


def _finder(segment: Position) -> Callable[[Any, Row], tuple[int | None, int]]:
    """What gives the place of the name in the header, and the length of that. The header of a document is looked
    through once.
    """
    header = segment.header
    kept: list[tuple[Any, tuple[int | None, int]]] = []

    def find(document: Any, row: Row) -> tuple[int | None, int]:
        start = document if header.from_root else row.trail[-1 - header.up].value if header.up else row.value
        if kept and kept[-1][0] is start:
            return kept[-1][1]
        names = [node for _, node in nodes(start, header.segments)]
        if not any(isinstance(step, Wildcard) for step in header.segments):
            names = names[0] if names and isinstance(names[0], list) else []
        if names.count(segment.name) > 1:
            raise PayloadRefused(f"the header at {header.text!r} holds the name {segment.name!r} twice")
        place_and_width = (names.index(segment.name) if segment.name in names else None, len(names))
        kept[:] = [(start, place_and_width)]
        return place_and_width

    return find


def _at_position(place_and_width: tuple[int | None, int], value: Any) -> Any:
    position, width = place_and_width
    if not isinstance(value, list) or len(value) != width:
        raise Unreachable("ragged")
    return ABSENT if position is None else value[position]


def is_absent(value: Any) -> bool:
    """Whether a getter found no value, not even null."""
    return value is ABSENT


def text_of(value: Any) -> str | None:
    """A value as a text: of a number its ``Digits``, of an object or list its JSON without blanks.

    Raises:
        Unreachable: it has none; the fault is ``key_twice``, ``no_json`` or ``not_unicode``.
    """
    if value is None or value is ABSENT:
        return None
    if isinstance(value, str):
        text = value
    elif value is True or value is False:
        return "true" if value else "false"
    else:
        try:
            text = minified(value)
        except Unwritable as fault:
            raise Unreachable(str(fault)) from None
    if not is_unicode(text):
        raise Unreachable("not_unicode")
    return text

"""From a JSON document to its rows and their values, along the paths of ``json_path``.

A document is what ``json.loads`` gives, or ``json_text`` with the digits of its numbers. Places are normalized paths
(RFC 9535, 2.7) with dots before plain names: ``$.data[3]``, ``$['BRK.B']``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import attrs

from sbf_core.dataset.json_path import rows_path, value_path
from sbf_core.dataset.json_steps import Decode, Index, Name, RowsPath, Segment, Wildcard, step
from sbf_core.errors import PayloadRefused, excerpt
from sbf_core.payload.json_text import Number, Twice, decoded
from sbf_core.value import Value


@attrs.frozen(slots=True)
class Level(Value):
    """What one wildcard of ``rows_at`` selected.

    Attributes:
        key: its name, or its index as a number.
        value: it.
        within: how many values the list has that it is in; None for an object.
    """

    key: str | int
    value: Any
    within: int | None


@attrs.frozen(slots=True)
class Row(Value):
    """One row: its place, its value, and what each wildcard selected on the way, the outermost first."""

    place: str
    value: Any
    trail: tuple[Level, ...]


class Unreachable(Exception):
    """A value that cannot be taken; the argument is the fault, as a record has it."""


def kind_of(value: Any) -> str:
    """What a value is, in words of JSON."""
    if isinstance(value, dict):
        return "an object with the names " + ", ".join(map(repr, list(value)[:5])) if value else "an empty object"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"the number {value}" if isinstance(value, (Number, int, float)) else f"the text {excerpt(str(value), 40)!r}"


def walk(document: Any, rows_at: str) -> Iterator[tuple[str, Any]]:
    """The rows of a document with their places.

    Raises:
        PayloadRefused: nothing is at ``rows_at``, or something that holds no rows. A list without elements is no such
            thing.
        UsageError: ``rows_at`` is no path.
    """
    return ((row.place, row.value) for row in rows_of(document, rows_path(rows_at)))


def value_at(document: Any, path: str) -> Any:
    """The value at a path from ``$``, or at names with dots between; None where there is none. An empty path is the
    document.
    """
    value = document
    for segment in value_path(path):
        value = child(value, segment)
        if value is ABSENT:
            return None
    return value


def nodes(document: Any, segments: Sequence[Segment]) -> Iterator[tuple[str, Any]]:
    """What RFC 9535 says that a path selects, with places: nothing where a step leads nowhere."""
    return ((row.place, row.value) for row in _select(document, segments, "$", ()))


class _Absent:
    """The value where there is none, which ``null`` is not."""


ABSENT = _Absent()


def child(value: Any, segment: Segment) -> Any:
    """The value one step on; ``ABSENT`` where there is none. Raises ``Unreachable`` where it cannot be taken."""
    if isinstance(segment, Name):
        if isinstance(value, dict):
            if isinstance(value, Twice) and segment.name in value.names:
                raise Unreachable("key_twice")
            return value.get(segment.name, ABSENT)
        return ABSENT
    if isinstance(segment, Index):
        if isinstance(value, list) and -len(value) <= segment.index < len(value):
            return value[segment.index]
        return ABSENT
    assert isinstance(segment, Decode)
    if value is None:
        return ABSENT
    if not isinstance(value, str) or isinstance(value, Number):
        raise Unreachable("no_json")
    try:
        return decoded(value)
    except PayloadRefused:
        raise Unreachable("no_json") from None


def _select(value: Any, segments: Sequence[Segment], place: str, trail: tuple[Level, ...]) -> Iterator[Row]:
    for number, segment in enumerate(segments):
        if isinstance(segment, Wildcard):
            rest = segments[number + 1 :]
            for key, inner, within in _children(value, place):
                level = (*trail, Level(key, inner, within))
                if rest:
                    yield from _select(inner, rest, place + step(key), level)
                else:
                    yield Row(place + step(key), inner, level)
            return
        try:
            inner = child(value, segment)
        except Unreachable as fault:
            raise _outside(fault, segment, place) from None
        if inner is ABSENT:
            return
        if isinstance(segment, Index):
            place += step(segment.index % len(value))
        else:
            place += step(segment.name) if isinstance(segment, Name) else "!"
        value = inner
    yield Row(place, value, trail)


def _outside(fault: Unreachable, segment: Segment, place: str) -> PayloadRefused:
    if isinstance(segment, Name):
        return PayloadRefused(f"the object at {place} holds the name {segment.name!r} twice")
    return PayloadRefused(f"holds no text with JSON in it at {place}")


def _children(value: Any, place: str) -> Iterator[tuple[str | int, Any, int | None]]:
    if isinstance(value, list):
        count = len(value)
        for index, inner in enumerate(value):
            yield index, inner, count
    elif isinstance(value, dict):
        if isinstance(value, Twice):
            raise PayloadRefused(f"the object at {place} holds the name {min(value.names)!r} twice")
        for name, inner in value.items():
            yield name, inner, None


def rows_of(document: Any, path: RowsPath) -> Iterator[Row]:
    """The rows; see ``walk``."""
    first = next(
        (number for number, segment in enumerate(path.segments) if isinstance(segment, Wildcard)), len(path.segments)
    )
    start = next(_select(document, path.segments[:first], "$", ()), None)
    if start is None:
        raise nothing_there(path, _deepest(document, path.segments[:first]))
    if first == len(path.segments):
        if start.value is None:
            raise nothing_there(path, f"{start.place} is null")
        yield start
        return
    wildcard = path.segments[first]
    assert isinstance(wildcard, Wildcard)
    if not isinstance(start.value, list if wildcard.list_only else (list, dict)):
        raise nothing_there(path, f"{start.place} is {kind_of(start.value)}")
    seen = False
    for row in _select(start.value, path.segments[first:], start.place, ()):
        seen = True
        yield row
    if not seen and len(start.value) and not _is_emptied(start.value, path.segments[first:]):
        raise nothing_there(path, f"none of the {len(start.value)} values at {start.place} has them")


def _is_emptied(value: Any, segments: Sequence[Segment]) -> bool:
    """Whether there are no rows because a list of rows, or an object of them, is there and empty."""
    last = max(number for number, segment in enumerate(segments) if isinstance(segment, Wildcard))
    holders = [row.value for row in _select(value, segments[:last], "$", ())]
    return any(isinstance(holder, (list, dict)) and not holder for holder in holders)


def _deepest(document: Any, segments: Sequence[Segment]) -> str:
    """What is there instead, at the last step that leads somewhere."""
    for count in range(len(segments) - 1, -1, -1):
        row = next(_select(document, segments[:count], "$", ()), None)
        if row is not None:
            return f"{row.place} is {kind_of(row.value)}"
    return "$ is " + kind_of(document)


def nothing_there(path: RowsPath, there: str) -> PayloadRefused:
    """No rows where they were declared."""
    shown = path.text or "$[*]"
    return PayloadRefused(f"holds no rows at {shown!r}: {there}", fix="declare rows_at, where the rows are")

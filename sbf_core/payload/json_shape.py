"""The paths of a dataset as types of the engine: which values are wanted of a JSON document, as one nested type for
``read_json``.
"""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from sbf_core.dataset.json_path import rows_path, source_path
from sbf_core.dataset.json_steps import Index, Name, RowsPath, Segment, SourcePath, Wildcard
from sbf_core.duck.identifiers import quoted
from sbf_core.payload.by_identity import by_identity
from sbf_core.payload.model import Reading, Slot
from sbf_core.value import Value


@attrs.frozen
class Layout(Value):
    """What payloads that one ``select`` reads have in common.

    Attributes:
        kinds: for each wildcard of ``rows_at``, ``[`` where it goes over a list and ``{`` where it goes over an object.
        is_careful: DOUBLE columns are read as text, because the engine would take ``true`` for a number.
    """

    kinds: str
    is_careful: bool = False


class Node:
    """What is wanted of one value of the document."""

    def __init__(self) -> None:
        self.names: dict[str, Node] = {}
        self.element: Node | None = None
        self.member: Node | None = None
        self.leaves: set[str] = set()

    def child(self, segment: Segment) -> Node | None:
        """What a step leads to; None for a step that the engine cannot follow."""
        if isinstance(segment, Name):
            return self.names.setdefault(segment.name, Node())
        if isinstance(segment, Index):
            self.element = self.element or Node()
            return self.element
        return None

    def walk(self, segments: Sequence[Segment]) -> Node | None:
        """What several steps lead to."""
        node: Node | None = self
        for segment in segments:
            node = node.child(segment) if node is not None else None
        return node

    def shape(self) -> str | None:
        """Its type for the engine; None where it would have to be two things at once, or has names that the engine
        takes for one.
        """
        if bool(self.names) + (self.element is not None) + (self.member is not None) + bool(self.leaves) != 1:
            return None
        if self.leaves:
            return "DOUBLE" if self.leaves == {"DOUBLE"} else "VARCHAR"
        if self.element is not None:
            inner = self.element.shape()
            return inner and f"{inner}[]"
        if self.member is not None:
            inner = self.member.shape()
            return inner and f"MAP(VARCHAR, {inner})"
        if "" in self.names or len({name.lower() for name in self.names}) < len(self.names):
            return None
        shapes = {name: node.shape() for name, node in self.names.items()}
        return (
            None
            if None in shapes.values()
            else "STRUCT(" + ", ".join(f"{quoted(name)} {shape}" for name, shape in shapes.items()) + ")"
        )


@attrs.frozen
class Choice(Value):
    """One source of a slot: the level that it is read at (0 is the document), and the steps from there, or the key of
    the level.
    """

    level: int
    segments: tuple[Segment, ...]
    is_key: bool = False


@attrs.frozen
class Compiled(Value):
    """The paths of a reading, for payloads of one layout."""

    parts: tuple[tuple[Segment, ...], ...]
    kinds: str
    choices: tuple[tuple[Choice, ...], ...]
    root: Node


@by_identity
def compiled(reading: Reading, layout: Layout) -> Compiled | None:
    """The paths of a reading as the engine can follow them; None where it cannot."""
    path = rows_path(reading.rows_at)
    parts = _parts(path)
    if parts is None or len(layout.kinds) != len(parts) - 1:
        return None
    root = Node()
    levels = [root]
    for part, kind in zip(parts, layout.kinds, strict=False):
        holder = levels[-1].walk(part)
        if holder is None:
            return None
        inner = Node()
        if kind == "[":
            holder.element = inner
        else:
            holder.member = inner
        levels.append(inner)
    slots: list[tuple[Choice, ...]] = []
    for slot in reading.slots:
        choices = tuple(_choice(source_path(source), parts) for source in slot.sources)
        if len({(choice.level, choice.is_key) for choice in choices}) > 1:
            return None  # of a value that may be of the row or from elsewhere, nothing tells what the row was
        for choice in choices:
            if choice.is_key:
                continue
            node = levels[choice.level].walk(choice.segments)
            if node is None:
                return None
            node.leaves.add("DOUBLE" if is_read_as_double(slot, reading, layout) else "VARCHAR")
        slots.append(choices)
    if not levels[-1].walk(parts[-1]) or root.shape() is None:
        return None
    return Compiled(parts, layout.kinds, tuple(slots), root)


def _parts(path: RowsPath) -> tuple[tuple[Segment, ...], ...] | None:
    parts: list[list[Segment]] = [[]]
    for segment in path.segments:
        if isinstance(segment, Wildcard):
            parts.append([])
        elif isinstance(segment, (Name, Index)):
            parts[-1].append(segment)
        else:
            return None
    return tuple(tuple(part) for part in parts)


def _choice(source: SourcePath, parts: Sequence[tuple[Segment, ...]]) -> Choice:
    last = len(parts) - 1
    if source.from_root:
        return Choice(0, source.segments)
    return Choice(last - source.up, source.segments if source.up else (*parts[-1], *source.segments), source.is_key)


def reads_doubles(reading: Reading) -> bool:
    """Whether a payload without ``true`` and ``false`` would be read with fields as DOUBLE."""
    return any(is_read_as_double(slot, reading, Layout("")) for slot in reading.slots)


def is_read_as_double(slot: Slot, reading: Reading, layout: Layout) -> bool:
    """Whether the engine itself makes a double of the field."""
    has_marks = reading.format.decimal != "." or bool(reading.format.thousands)
    return slot.column.type == "DOUBLE" and not layout.is_careful and not slot.column.missing and not has_marks

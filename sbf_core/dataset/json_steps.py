"""The steps that paths in JSON are made of; ``json_path`` says what they mean and how they are written."""

from __future__ import annotations

import re

import attrs

from sbf_core.value import Value

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@attrs.frozen
class Name(Value):
    """The value of that name in an object."""

    name: str


@attrs.frozen
class Index(Value):
    """The element of a list, from its end where it is negative."""

    index: int


@attrs.frozen
class Wildcard(Value):
    """Every element of a list or every value of an object. ``list_only``: an object will not do."""

    list_only: bool = False


@attrs.frozen
class RowIndex(Value):
    """``[#]``: the element at the index of the row."""


@attrs.frozen
class Decode(Value):
    """``!``: the text, read as JSON."""


@attrs.frozen
class Position(Value):
    """``[$.fields:'ticker']``: the element at the place that a name has in a header."""

    header: SourcePath
    name: str


Segment = Name | Index | Wildcard | RowIndex | Decode | Position


@attrs.frozen(kw_only=True)
class RowsPath(Value):
    """Where the rows are.

    Attributes:
        text: as it was declared.
        segments: the steps from the document to the rows.
    """

    text: str
    segments: tuple[Segment, ...]

    @property
    def wildcards(self) -> int:
        """How many wildcards it has: so many levels of rows there are."""
        return sum(isinstance(segment, Wildcard) for segment in self.segments)


@attrs.frozen(kw_only=True)
class SourcePath(Value):
    """Where the value of a column is.

    Attributes:
        text: as it was declared.
        from_root: from the document, not from the row.
        up: from the row: how many parents up.
        is_key: the name or the index of that row, no value of it.
        segments: the steps from there.
    """

    text: str
    from_root: bool = False
    up: int = 0
    is_key: bool = False
    segments: tuple[Segment, ...] = ()

    @property
    def field(self) -> str | None:
        """The name, where it is a field of the row and no more."""
        first = self.segments[0] if len(self.segments) == 1 else None
        return (
            first.name if isinstance(first, Name) and not self.from_root and not self.up and not self.is_key else None
        )


def step(name: str | int) -> str:
    """One step of a normalized path: ``.name`` where the name is plain, ``['any name']`` else, ``[3]`` for an index."""
    if isinstance(name, int):
        return f"[{name}]"
    if _PLAIN.fullmatch(name):
        return f".{name}"
    shown = name.replace("\\", "\\\\").replace("'", "\\'")
    return "['" + "".join(letter if letter >= " " else f"\\u{ord(letter):04x}" for letter in shown) + "']"

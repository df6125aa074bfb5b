"""Where things are in JSON: a small part of RFC 9535 for ``rows_at`` and for the sources of columns, and what we add to
it.

Of RFC 9535 (JSONPath): ``$``, names (``.name``, ``['any name']``, ``["x"]``), indexes (``[0]``, ``[-1]``) and wildcards
(``.*``, ``[*]``). Filters, slices, descendants, unions and functions are refused by name.

``rows_at`` is such a path, and each value that it selects is one row: ``$.data[*]`` the elements of a list,
``$.quotes.*`` the values of an object, ``$`` the whole document as one row. Names with dots between and no ``$``, as in
``data.items``, name a list: the same as ``$.data.items[*]``, but no object will do. An empty text is the list that the
payload is.

A source is the name of a field of the row, as it stands, unless it begins with ``$`` or ``@``:

==========================  ===========================================================================================
``close``, ``a.b c``        the field of that name
``@.rate.buy``, ``@[0]``    from the row: a nested field, a place in a row that is a list; ``@`` is the row
``$.meta.as_of``            from the document
``@^.id``                   from the parent row: what the wildcard before the last selected; ``@^^`` is its parent
``@~``, ``@^~``             the name (or, in a list, the index) of the row, or of the parent row
``[#]``                     the element at the index of the row in a list beside the rows: ``$.chart.close[#]``
``[$.fields:'ticker']``     the element where ``ticker`` stands in ``$.fields``: rows that are lists under a header
``!``                       reads a text as JSON, and goes on in it: ``@.payload!.price``
==========================  ===========================================================================================

``!`` may stand in ``rows_at``, too. The last four are ours and not of RFC 9535.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from sbf_core.counted import counted
from sbf_core.dataset.json_steps import (
    Decode,
    Index,
    Name,
    Position,
    RowIndex,
    RowsPath,
    Segment,
    SourcePath,
    Wildcard,
)
from sbf_core.errors import UsageError

#: The exact range of whole numbers in a double, which RFC 9535 bounds indexes by.
_INDEX_MAX = 2**53 - 1
_BLANKS = " \t\n\r"
_WHOLE = re.compile(r"0|-?[1-9][0-9]*")
#: A name behind a dot: ASCII's letters, digits behind the first, ``_``, and all beyond ASCII but halves of pairs; said
#: by what it is not, for sets of a million letters take five milliseconds to compile.
_MEMBER = re.compile(r"[^\x00-@\[-^`{-\x7f\ud800-\udfff][^\x00-/:-@\[-^`{-\x7f\ud800-\udfff]*")
_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "/": "/", "\\": "\\"}
_SUPPORTED = "supported are $, names (.name, ['any name']), indexes ([0], [-1]) and wildcards ([*], .*)"


@lru_cache(maxsize=1024)
def rows_path(rows_at: str) -> RowsPath:
    """The path of the rows. Raises ``UsageError`` (code ``PATH``) for what is not supported."""
    if rows_at.startswith("$"):
        return RowsPath(text=rows_at, segments=_Reader(rows_at, 1).all_segments(allowed=(Decode,), wildcards=True))
    names = rows_at.split(".") if rows_at else []
    odd = next((name for name in names if not name or any(mark in name for mark in "[]*")), None)
    if odd is not None:
        what = f"rows_at {rows_at!r} is neither names with dots between nor a path"
        raise UsageError(what, fix="write a path from the document, e.g. $.data['any name'][*]", code="PATH")
    return RowsPath(text=rows_at, segments=(*(Name(name) for name in names), Wildcard(list_only=True)))


@lru_cache(maxsize=4096)
def source_path(source: str) -> SourcePath:
    """The path of a column's source. Raises ``UsageError`` (code ``PATH``) for what is not supported."""
    if source[:1] not in ("$", "@"):
        return SourcePath(text=source, segments=(Name(source),))
    reader = _Reader(source, 0)
    try:
        path = reader.anchored(extensions=True)
        reader.end()
    except UsageError as error:
        raise UsageError(
            error.what, fix=f"{error.fix}; a field of the row that is named so is written @[{source!r}]", code="PATH"
        ) from None
    return path


@lru_cache(maxsize=256)
def value_path(text: str) -> tuple[Segment, ...]:
    """The steps to one value of a document, e.g. a cursor: a path from ``$``, or names with dots between. Raises as
    ``source_path``.
    """
    if text.startswith("$"):
        return _Reader(text, 1).all_segments(allowed=(Decode,), wildcards=False)
    return tuple(Name(name) for name in text.split(".")) if text else ()


def check_paths(rows_at: str, sources: Iterable[str], *, where: str = "") -> None:
    """Raise ``UsageError`` (code ``PATH``) unless the paths are supported, and the sources can be reached from such
    rows.
    """
    try:
        rows = rows_path(rows_at)
        for source in sources:
            _check_source(source_path(source), rows)
    except UsageError as error:
        raise UsageError(error.what, where=where, fix=error.fix, code="PATH") from None


def _check_source(source: SourcePath, rows: RowsPath) -> None:
    levels = rows.wildcards
    if source.up and source.up >= levels:
        what = (
            f"source {source.text!r} goes {source.up} up, and rows_at {rows.text!r} has {counted(levels, 'wildcard')}"
        )
        raise UsageError(
            what,
            fix="a parent row is what a wildcard before the last one selected, e.g. $.accounts[*].trades[*]",
            code="PATH",
        )
    if not levels and (source.is_key or any(isinstance(segment, RowIndex) for segment in source.segments)):
        what = f"source {source.text!r} asks for the name or index of a row, and rows_at {rows.text!r} has no wildcard"
        raise UsageError(what, fix="end rows_at with [*]", code="PATH")
    for segment in source.segments:
        if isinstance(segment, Position):
            _check_source(segment.header, rows)


class _Reader:
    """Reads one path, letter by letter."""

    def __init__(self, text: str, at: int) -> None:
        self.text = text
        self.at = at

    def refuse(self, what: str) -> UsageError:
        return UsageError(f"path {self.text!r}: {what} at letter {self.at + 1}", fix=_SUPPORTED, code="PATH")

    def here(self) -> str:
        return self.text[self.at : self.at + 1]

    def take(self, mark: str) -> bool:
        if self.text.startswith(mark, self.at):
            self.at += len(mark)
            return True
        return False

    def blanks(self) -> None:
        while self.here() and self.here() in _BLANKS:
            self.at += 1

    def end(self) -> None:
        if self.at < len(self.text):
            raise self.refuse(f"{self.here()!r} is not expected")

    def all_segments(self, *, allowed: tuple[type, ...], wildcards: bool) -> tuple[Segment, ...]:
        segments = self.segments(extensions=True)
        self.end()
        for segment in segments:
            if not isinstance(segment, (Name, Index, *allowed, *((Wildcard,) if wildcards else ()))):
                raise UsageError(f"path {self.text!r} leads to no single place", fix=_SUPPORTED, code="PATH")
        return segments

    def anchored(self, *, extensions: bool) -> SourcePath:
        start = self.at
        if self.take("$"):
            steps = self.segments(extensions=extensions)
            return SourcePath(
                text=self.text[start : self.at], from_root=True, segments=self._without_wildcards(steps, extensions)
            )
        if not self.take("@"):
            raise self.refuse("$ or @ is expected")
        up = 0
        while self.take("^"):
            up += 1
        if self.take("~"):
            return SourcePath(text=self.text[start : self.at], up=up, is_key=True)
        steps = self.segments(extensions=extensions)
        return SourcePath(text=self.text[start : self.at], up=up, segments=self._without_wildcards(steps, extensions))

    def _without_wildcards(self, segments: tuple[Segment, ...], extensions: bool) -> tuple[Segment, ...]:
        if extensions and any(isinstance(segment, Wildcard) for segment in segments):
            raise UsageError(
                f"source {self.text!r} has a wildcard, and a column takes one value",
                fix="wildcards belong to rows_at",
                code="PATH",
            )
        return segments

    def segments(self, *, extensions: bool) -> tuple[Segment, ...]:
        segments: list[Segment] = []
        while True:
            start = self.at
            self.blanks()
            if self.take(".."):
                raise self.refuse("descendants (..) are not supported")
            if self.take("."):
                segments.append(self._member())
            elif self.take("["):
                segments.append(self._bracket(extensions))
            elif extensions and self.take("!"):
                segments.append(Decode())
            else:
                self.at = start  # blanks before the end are no part of a path
                return tuple(segments)

    def _member(self) -> Segment:
        if self.take("*"):
            return Wildcard()
        name = _MEMBER.match(self.text, self.at)
        if name is None:
            raise self.refuse("a name or * is expected behind the dot; other names are written ['any name']")
        self.at = name.end()
        return Name(name[0])

    def _bracket(self, extensions: bool) -> Segment:
        self.blanks()
        segment = self._selector(extensions)
        self.blanks()
        if self.here() == ",":
            raise self.refuse("unions ([a, b]) are not supported")
        if self.here() == ":" and isinstance(segment, Index):
            raise self.refuse("slices ([1:2]) are not supported")
        if not self.take("]"):
            raise self.refuse("] is expected")
        return segment

    def _selector(self, extensions: bool) -> Segment:
        mark = self.here()
        if mark == "?":
            raise self.refuse("filters ([?...]) are not supported")
        if mark == ":":
            raise self.refuse("slices ([1:2]) are not supported")
        if self.take("*"):
            return Wildcard()
        if mark and mark in "'\"":
            return Name(self._quoted())
        if extensions and self.take("#"):
            return RowIndex()
        if extensions and mark and mark in "$@":
            header = self.anchored(extensions=False)
            self.blanks()
            if not self.take(":"):
                raise self.refuse("':' and a quoted name are expected behind the path of the header")
            self.blanks()
            return Position(header, self._quoted())
        number = _WHOLE.match(self.text, self.at)
        if number is None:
            raise self.refuse("a quoted name, an index or * is expected")
        self.at = number.end()
        if abs(int(number[0])) > _INDEX_MAX:
            raise self.refuse("an index is too large")
        return Index(int(number[0]))

    def _quoted(self) -> str:
        quote = self.here()
        if not quote or quote not in "'\"":
            raise self.refuse("a quoted name is expected")
        self.at += 1
        letters: list[str] = []
        while True:
            letter = self.here()
            if not letter:
                raise self.refuse("the quote is not closed")
            if letter < " " or "\ud800" <= letter <= "\udfff":
                raise self.refuse(f"{letter!r} may not stand in a name")
            self.at += 1
            if letter == quote:
                return "".join(letters)
            letters.append(self._escape(quote) if letter == "\\" else letter)

    def _escape(self, quote: str) -> str:
        letter = self.here()
        self.at += 1
        if letter == quote:
            return quote
        if letter and letter in _ESCAPES:
            return _ESCAPES[letter]
        if letter != "u":
            raise self.refuse("the escape is not known")
        unit = self._unit()
        if 0xDC00 <= unit <= 0xDFFF:
            raise self.refuse("half of a surrogate pair is no letter")
        if 0xD800 <= unit <= 0xDBFF:
            low = self._unit() if self.take("\\u") else 0
            if not 0xDC00 <= low <= 0xDFFF:
                raise self.refuse("half of a surrogate pair is no letter")
            return chr(0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00))
        return chr(unit)

    def _unit(self) -> int:
        digits = re.compile("[0-9A-Fa-f]{4}").match(self.text, self.at)
        if digits is None:
            raise self.refuse("four hexadecimal digits are expected")
        self.at = digits.end()
        return int(digits[0], 16)

"""The records of delimited text as plain Python reads them, by ``docs/reference/formats.md``. Nothing of
``sbf_core.payload`` is used: a walk over letters.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Sequence

import attrs

from sbf_core.dataset.columns import Column
from sbf_core.dataset.formats import Csv

_AROUND_NAMES = " \t\r\n\v\f"
Texts = tuple[str | None, ...]


class Refused(Exception):
    """The whole payload is refused; the argument says why, for whoever looks at a failure."""


@attrs.frozen
class Found:
    """One record.

    Attributes:
        place: where it stands.
        texts: one for each column; empty where there is a fault.
        fault: why it is no row, and the column if there is one.
        numbers: places of texts that are numbers of JSON.
    """

    place: str
    texts: Texts = ()
    fault: str = ""
    column: str | None = None
    numbers: frozenset[int] = frozenset()


def text_records(csv: Csv, columns: Sequence[Column], payload: bytes) -> list[Found]:
    """Every record. Raises ``Refused``."""
    return list(_Reader(csv, columns, _decoded(payload, csv.encoding)).records())


def _decoded(payload: bytes, encoding: str) -> str:
    name = codecs.lookup(encoding).name
    marks = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
    marked = next((family for mark, family in marks.items() if payload.startswith(mark)), "")
    if marked and marked != name:
        raise Refused("another mark")
    if name == "utf-16" and not marked and payload:
        raise Refused("no mark")
    try:
        return payload.decode(name).removeprefix("\ufeff")
    except UnicodeError:
        raise Refused("encoding") from None


@attrs.frozen
class _Field:
    text: str
    is_quoted: bool
    end: int  # of the field itself
    behind: int  # where the next one, or the next record, begins
    ends_record: bool


class _Reader:
    def __init__(self, csv: Csv, columns: Sequence[Column], text: str) -> None:
        self.csv = csv
        self.columns = columns
        self.text = text
        self.end = len(text)

    # Lines: LF, CR LF and CR each end one.

    def line_end(self, at: int) -> int:
        """How long the line end is that stands there; 0 where there is none."""
        if self.text[at : min(at + 2, self.end)] == "\r\n":
            return 2
        return 1 if at < self.end and self.text[at] in "\r\n" else 0

    def behind_line(self, at: int) -> tuple[str, int]:
        """The rest of a line, and where the next begins."""
        stop = at
        while stop < self.end and not self.line_end(stop):
            stop += 1
        return self.text[at:stop], stop + self.line_end(stop)

    def line_count(self, start: int, stop: int) -> int:
        """Line ends between two places."""
        count, at = 0, start
        while at < stop:
            count += bool(self.line_end(at))
            at += self.line_end(at) or 1
        return count

    def is_comment(self, line: str) -> bool:
        return bool(self.csv.comment) and line.startswith(self.csv.comment)

    def is_blank(self, line: str) -> bool:
        return self.csv.delimiter not in line and not line.strip(" \t")

    def cut_footer(self) -> None:
        """Lines below the last row, blank ones and comments not counted."""
        lines, at = [], 0
        while at < self.end:
            line, behind = self.behind_line(at)
            lines.append((line, at))
            at = behind
        for _ in range(self.csv.footer_rows):
            while True:
                if not lines:
                    raise Refused("no footer")
                line, at = lines.pop()
                self.end = at
                if line.strip(" \t") and not self.is_comment(line):
                    break

    # Fields: wholly in quotes, or without a quote.

    def field(self, at: int) -> _Field | None:
        """The field that begins there; None where a quote does not enclose it."""
        quote = self.csv.quote
        if quote and at < self.end and self.text[at] == quote:
            closed = self.quoted(at)
            return None if closed is None else self.ended(*closed, is_quoted=True)
        stop = at
        while stop < self.end and not self.line_end(stop) and not self.text.startswith(self.csv.delimiter, stop):
            if quote and self.text[stop] == quote:
                return None
            stop += 1
        return self.ended(self.text[at:stop], stop, is_quoted=False)

    def quoted(self, at: int) -> tuple[str, int] | None:
        """What stands in quotes, and where they are closed; None where they are not."""
        quote, escape, inside = self.csv.quote, self.csv.escape, ""
        at += 1
        while at < self.end:
            letter, following = self.text[at], self.text[at + 1 : min(at + 2, self.end)]
            if letter == escape and letter != quote:
                if not following:
                    return None
                inside += following if following in (quote, escape) else letter + following
                at += 2
            elif letter == quote:
                if escape == quote and following == quote:
                    inside += quote
                    at += 2
                else:
                    return inside, at + 1
            else:
                inside += letter
                at += 1
        return None

    def ended(self, text: str, at: int, *, is_quoted: bool) -> _Field | None:
        """A field with what ends it; None where something else stands there."""
        if at < self.end and self.text.startswith(self.csv.delimiter, at):
            return _Field(text, is_quoted, at, at + len(self.csv.delimiter), False)
        if at >= self.end or self.line_end(at):
            return _Field(text, is_quoted, at, at + self.line_end(at), True)
        return None

    def fields(self, at: int) -> tuple[list[_Field], int | None]:
        """The fields of a record, and where a damaged one begins."""
        found: list[_Field] = []
        while True:
            one = self.field(at)
            if one is None:
                return found, at
            found.append(one)
            at = one.behind
            if one.ends_record:
                return found, None

    # The payload.

    def header(self) -> tuple[list[str], int, int]:
        """Names, where the first record begins, and on which line."""
        at, line = 0, 1
        for _ in range(self.csv.skip_rows):
            if at >= self.end:
                raise Refused("too few lines")
            at, line = self.behind_line(at)[1], line + 1
        if isinstance(self.csv.header, tuple):
            return list(self.csv.header), at, line
        while at < self.end:
            raw, behind = self.behind_line(at)
            if not self.is_comment(raw) and not self.is_blank(raw):
                found, damaged = self.fields(at)
                if damaged is not None:
                    raise Refused("header")
                return (
                    [one.text.strip(_AROUND_NAMES) for one in found],
                    found[-1].behind,
                    line + self.line_count(at, found[-1].behind),
                )
            at, line = behind, line + 1
        raise Refused("no header")

    def places(self, names: list[str]) -> list[int | None]:
        """For each column where its field is."""
        found: list[int | None] = []
        for column in self.columns:
            name = next((name for name in (column.source or column.name, *column.also) if name in names), None)
            if name is None and not column.optional:
                raise Refused(f"lacks {column.source}")
            if name is not None and names.count(name) > 1:
                raise Refused(f"{name} twice")
            found.append(None if name is None else names.index(name))
        if all(place is None for place in found):
            raise Refused("no field at all")
        return found

    def records(self) -> Iterator[Found]:
        self.cut_footer()
        names, at, line = self.header()
        places = self.places(names)
        found: list[tuple[int, list[_Field] | None]] = []  # None: damaged
        blank: list[tuple[int, list[_Field] | None]] = []
        has_breaks = False
        while at < self.end:
            raw, behind = self.behind_line(at)
            if self.is_comment(raw):
                at, line = behind, line + 1
            elif not raw or (len(names) > 1 and self.is_blank(raw)):
                if len(names) == 1:  # a row without a value, if a row follows
                    blank.append((line, [_Field("", False, at, behind, True)]))
                at, line = behind, line + 1
            else:
                found += blank
                blank.clear()
                fields, damaged = self.fields(at)
                if damaged is None:
                    found.append((line, fields))
                    breaks = self.line_count(at, fields[-1].end)
                    has_breaks = has_breaks or (breaks > 0 and len(fields) == len(names))
                    at, line = fields[-1].behind, line + self.line_count(at, fields[-1].end) + 1
                else:
                    count, at = self.lost(at, damaged, has_breaks)
                    found += [(line + number, None) for number in range(count)]
                    line += count
        widths = {len(fields) if fields is not None and len(fields) != len(names) else 0 for _, fields in found}
        if len(widths) == 1 and 0 not in widths:
            raise Refused("another width")
        for number, fields_ in found:
            yield self.record(f"line {number}", fields_, names, places)

    def lost(self, at: int, damaged: int, has_breaks: bool) -> tuple[int, int]:
        """How many lines damage costs: that on which the record begins to that which shows the damage. Where no record
        above has a line break, no text can go on over lines, and it shows at the field.
        """
        shown = damaged
        if has_breaks and self.text.startswith(self.csv.quote, damaged) and damaged < self.end:
            closed = self.quoted(damaged)
            shown = self.end if closed is None else closed[1]
        count = 0
        while True:
            at, count = self.behind_line(at)[1], count + 1
            if at > shown or at >= self.end:
                return count, at

    def record(self, place: str, fields: list[_Field] | None, names: list[str], places: list[int | None]) -> Found:
        if fields is None:
            return Found(place, fault="bad_quote")
        if len(fields) != len(names):
            return Found(place, fault="ragged")
        if [one.text.strip(_AROUND_NAMES) for one in fields] == names:
            return Found(place, fault="header_again")
        texts: list[str | None] = []
        for at in places:
            one = None if at is None else fields[at]
            is_none = one is None or not one.text or (one.text in self.csv.null and not one.is_quoted)
            texts.append(None if one is None or is_none else one.text)
        return Found(place, tuple(texts))

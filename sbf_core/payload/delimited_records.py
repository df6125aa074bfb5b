"""Delimited text read exactly, a record at a time, with its line number and what is wrong with it.

What damage costs: a record with a quote that does not enclose a field is lost, and reading goes on behind the line that
it begins on, so an open quote does not take the rest of the file with it. Where records above have line breaks within
quotes, the lines up to the one that shows the damage may be a part of its text: then each of them is rejected too, for
no line of a text may become a row.
"""

from __future__ import annotations

import mmap
import re
from collections.abc import Iterator, Sequence

import attrs

from sbf_core.errors import PayloadRefused
from sbf_core.payload.delimited_dialect import AROUND_NAMES, LINE, LINE_END, Dialect, Head, shown
from sbf_core.payload.model import Record
from sbf_core.secret import redacted_bytes
from sbf_core.value import Entity

RAGGED, BAD_QUOTE, HEADER_AGAIN = "ragged", "bad_quote", "header_again"
_RAW_BYTES = 4096


@attrs.define(eq=False)
class RecordReader(Entity):
    """The records of one text.

    Args:
        dialect: how it is written.
        data: it, as UTF-8.
        head: what stands above its records.
        wanted: for each value of a record the place of its field, None where the text lacks it.
    """

    dialect: Dialect
    data: bytes | mmap.mmap
    head: Head
    wanted: Sequence[int | None]
    _breaks_in_quotes: bool = False
    _widths: set[int] = attrs.Factory(set)
    _record_count: int = 0
    _null: frozenset[str | None] = frozenset()

    def __attrs_post_init__(self) -> None:
        self._null = frozenset(text.decode() for text in self.dialect.null)

    def __iter__(self) -> Iterator[Record]:
        """Every record. Raises ``PayloadRefused`` at the end where all have another number of fields than names."""
        at, line, end = self.head.start, self.head.line, self.head.end
        plain_line, comment, width = self.dialect.plain_line, self.dialect.comment, len(self.head.names)
        delimiter = self.dialect.csv.delimiter
        blank_lines: list[int] = []
        while at < end:
            if comment and self.data[at : at + len(comment)] == comment:
                at, line = self._behind_line(at), line + 1
                continue
            plain = plain_line.match(self.data, at, end)
            if plain is None:
                records, at, line = self._quoted_record(at, line)
            else:
                raw = plain[1].decode()
                fields = raw.split(delimiter)
                at, line = plain.end(), line + 1
                if len(fields) == 1 and self.dialect.is_blank(plain[1], width):
                    if width == 1:
                        blank_lines.append(line - 1)
                    continue
                records = (self._record(line - 1, fields, None, raw),)
            for empty in blank_lines:
                yield self._record(empty, [""], None, "")
            blank_lines.clear()
            yield from records
        self._refuse_another_width()

    def _record(self, line: int, fields: Sequence[str], in_quotes: Sequence[str] | None, raw: str) -> Record:
        """One record. ``in_quotes`` holds what stood in quotes, or empty texts; None where there are no quotes."""
        self._record_count += 1
        names = self.head.names
        if len(fields) != len(names):
            self._widths.add(len(fields))
            return Record(f"line {line}", (None,) * len(self.wanted), RAGGED, shown(raw))
        self._widths.add(0)
        if fields[0].strip(AROUND_NAMES) == names[0] and tuple(field.strip(AROUND_NAMES) for field in fields) == names:
            return Record(f"line {line}", (None,) * len(self.wanted), HEADER_AGAIN, shown(raw))
        null = self._null
        values: list[str | None] = []
        for at in self.wanted:
            value = None if at is None else fields[at]
            is_null = value in null and not (value and in_quotes is not None and at is not None and in_quotes[at])
            values.append(None if is_null else value)
        return Record(f"line {line}", values)

    def _quoted_record(self, at: int, line: int) -> tuple[Sequence[Record], int, int]:
        """A record whose first line holds quotes: what it gives, where the next begins, and on which line."""
        whole = self.dialect.record.match(self.data, at, self.head.end)
        if whole is None:
            return self._damaged(at, line)
        parts = self.dialect.field.findall(self.data, at, whole.end(1))
        if len(parts) > 1 and not parts[-2][2]:
            parts.pop()  # nothing, behind the last field
        in_quotes = [self.dialect.unescaped(part[0]).decode() if part[0] else "" for part in parts]
        fields = [quoted or part[1].decode() for quoted, part in zip(in_quotes, parts, strict=True)]
        breaks = len(LINE_END.findall(whole[1]))
        self._breaks_in_quotes = self._breaks_in_quotes or (breaks > 0 and len(fields) == len(self.head.names))
        raw = (redacted_bytes(whole[1]) if len(whole[1]) > _RAW_BYTES else whole[1])[:_RAW_BYTES].decode(
            "utf-8", "replace"
        )
        return (self._record(line, fields, in_quotes, raw),), whole.end(), line + breaks + 1

    def _damaged(self, at: int, line: int) -> tuple[Sequence[Record], int, int]:
        """A record with a quote that does not enclose a field."""
        seen_at = at
        while match := self.dialect.field.match(self.data, seen_at, self.head.end):
            seen_at = match.end()
        field_at = seen_at
        if self._breaks_in_quotes and self.data[field_at : field_at + len(self.dialect.quote)] == self.dialect.quote:
            closed = self.dialect.quoted.match(self.data, field_at, self.head.end)
            seen_at = self.head.end if closed is None else closed.end()
        lost: list[Record] = []
        while True:
            behind = self._behind_line(at)
            self._record_count += 1
            self._widths.add(0)
            raw = shown(self.data[at : min(behind, at + _RAW_BYTES)].decode("utf-8", "replace"))
            lost.append(Record(f"line {line}", (None,) * len(self.wanted), BAD_QUOTE, raw))
            at, line = behind, line + 1
            if at > seen_at or at >= self.head.end:
                return lost, at, line

    def _behind_line(self, at: int) -> int:
        match: re.Match[bytes] | None = LINE.match(self.data, at, self.head.end)
        assert match is not None  # it matches an empty line too
        return match.end()

    def _refuse_another_width(self) -> None:
        if len(self._widths) != 1 or 0 in self._widths:
            return
        width, names = next(iter(self._widths)), self.head.names
        rows = "its one row has" if self._record_count == 1 else f"each of its {self._record_count} rows has"
        fields = "field" if len(names) == 1 else "fields"
        what = f"its header names {len(names)} {fields} ({', '.join(names[:12])}), and {rows} {width}"
        fix = 'declare delimiter=, or all names: header=("date", "open", ...) with skip_rows=1'
        raise PayloadRefused(what, fix=fix)

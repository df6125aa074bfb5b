"""The grammar of delimited text as a dialect declares it, over UTF-8 bytes, and what stands above its first record.

RFC 4180, with these additions: LF, CR LF and CR each end a line, also in one text; a field is wholly in quotes or has
none in it; lines that are empty, or hold nothing but blanks, are no records. With one field an empty line is a record
without a value, as in the RFC, unless only such lines follow.
"""

from __future__ import annotations

import re
from functools import cached_property, lru_cache

import attrs

from sbf_core.dataset.formats import Csv
from sbf_core.errors import PayloadRefused
from sbf_core.payload.text import Utf8Text
from sbf_core.value import Entity, Value

#: What a line of the payload is cut to in a message.
RAW_CHARS_MAX = 200
LINE_END = re.compile(rb"\r\n|\n|\r")
LINE = re.compile(rb"[^\r\n]*+(\r\n|\n|\r|\Z)")
#: Blanks around a name of the header mean nothing. Those of Unicode are letters.
AROUND_NAMES = " \t\r\n\v\f"
_BLANKS = b" \t"
#: A header, or a first line, is no longer than this.
_FIRST_BYTES = 1 << 20


def shown(raw: str) -> str:
    """A piece of a payload for a message: cut, and with the line ends as they are."""
    text = raw[: 2 * RAW_CHARS_MAX].rstrip("\r\n")
    return text if len(text) <= RAW_CHARS_MAX else text[: RAW_CHARS_MAX - 3] + "..."


@attrs.frozen(kw_only=True, eq=False, slots=False)
class Dialect(Entity):
    """A declared dialect as bytes and patterns.

    Attributes:
        csv: as declared.
        delimiter, quote, escape, comment: the same as UTF-8.
        null: unquoted texts that are no value; the empty one among them.
    """

    csv: Csv
    delimiter: bytes
    quote: bytes
    escape: bytes
    comment: bytes
    null: frozenset[bytes]

    @property
    def doubles(self) -> bool:
        """Whether a quote within quotes is written twice."""
        return bool(self.quote) and self.escape == self.quote

    @cached_property
    def field(self) -> re.Pattern[bytes]:
        """One field and its end: what stands in quotes (group 1) or without (group 2), then what ends it (group 3)."""
        end = rb"(" + re.escape(self.delimiter) + rb"|\r\n|\n|\r|\Z)"
        in_quotes = self._in_quotes if self.quote else rb"(?!)()"
        return re.compile(rb"(?:" + in_quotes + rb"|(" + self._plain + rb"))" + end, re.DOTALL)

    @cached_property
    def record(self) -> re.Pattern[bytes]:
        """A record in which every quote encloses a field (group 1), and its line end."""
        delimiter = re.escape(self.delimiter)
        quote = re.escape(self.quote)
        field = rb"(?:" + quote + self._inside + quote + rb"|" + self._plain + rb")"
        return re.compile(rb"(" + field + rb"(?:" + delimiter + field + rb")*+)(?:\r\n|\n|\r|\Z)", re.DOTALL)

    @cached_property
    def quoted(self) -> re.Pattern[bytes]:
        """A field in quotes, whatever stands behind it."""
        return re.compile(self._in_quotes, re.DOTALL)

    @cached_property
    def plain_line(self) -> re.Pattern[bytes]:
        """A line without quotes (group 1) and its end (group 2)."""
        quote = re.escape(self.quote)
        return re.compile(rb"([^\r\n" + quote + rb"]*+)(\r\n|\n|\r|\Z)")

    @property
    def _plain(self) -> bytes:
        delimiter, quote = re.escape(self.delimiter), re.escape(self.quote)
        if len(self.delimiter) == 1:
            return rb"[^\r\n" + delimiter + quote + rb"]*+"
        return rb"(?:(?!" + delimiter + rb")[^\r\n" + quote + rb"])*+"

    @property
    def _in_quotes(self) -> bytes:
        quote = re.escape(self.quote)
        return quote + rb"(" + self._inside + rb")" + quote

    @property
    def _inside(self) -> bytes:
        quote, escape = re.escape(self.quote), re.escape(self.escape)
        if self.doubles:
            return rb"[^" + quote + rb"]*+(?:" + quote * 2 + rb"[^" + quote + rb"]*+)*+"
        if self.escape:
            return rb"[^" + quote + escape + rb"]*+(?:" + escape + rb".[^" + quote + escape + rb"]*+)*+"
        return rb"[^" + quote + rb"]*+"

    def unescaped(self, inside: bytes) -> bytes:
        """What stood within quotes, without the escapes.

        An escape that is no quote, before anything but a quote or itself, is a letter.
        """
        if self.doubles:
            return inside.replace(self.quote * 2, self.quote)
        if not self.escape or self.escape not in inside:
            return inside
        escape, quote = re.escape(self.escape), re.escape(self.quote)
        return re.sub(escape + rb"([" + quote + escape + rb"])", rb"\1", inside)

    def is_blank(self, line: bytes, field_count: int) -> bool:
        """Whether a line without its end is no record for holding nothing."""
        return not line or (field_count > 1 and self.delimiter not in line and not line.strip(_BLANKS))


@lru_cache(maxsize=64)
def dialect_of(csv: Csv) -> Dialect:
    """The patterns of a declared dialect."""
    null = frozenset((b"", *(text.encode() for text in csv.null)))
    quote = csv.quote.encode()
    return Dialect(
        csv=csv,
        delimiter=csv.delimiter.encode(),
        quote=quote,
        escape=csv.escape.encode() if quote else b"",
        comment=csv.comment.encode(),
        null=null,
    )


@attrs.frozen(kw_only=True)
class Head(Value):
    """What stands above the first record, and where the records end.

    Attributes:
        names: of the fields, without blanks around them.
        header_at: where the header line begins; of a text without one, its first record.
        start: where the first record begins.
        end: where the last one ends: before the footer.
        line: number of the line at ``start``, counted from 1.
        line_end: of the header line, or of the first one of a text without; empty where there is none.
        is_plain: whether the engine's way to skip lines comes to ``start`` as well: the header is one line, nothing
            above it holds quotes, and all those lines end alike.
    """

    names: tuple[str, ...]
    header_at: int
    start: int
    end: int
    line: int
    line_end: bytes
    is_plain: bool


def head_of(dialect: Dialect, text: Utf8Text) -> Head:
    """Find the header and the footer.

    Raises:
        PayloadRefused: there is no header line, or it is damaged.
    """
    csv = dialect.csv
    end = _above_footer(dialect, text)
    at, line, ends = text.start, 1, set[bytes]()
    for _ in range(csv.skip_rows):
        match = LINE.match(text.data, at, end)
        if match is None or at >= end:
            what = f"has {line - 1} lines, and skip_rows={csv.skip_rows} is declared"
            raise PayloadRefused(what, fix="declare the number of lines above the header")
        ends.add(match[1])
        at, line = match.end(), line + 1
    above = at
    if isinstance(csv.header, tuple):
        first = LINE_END.search(text.data, at, min(end, at + _FIRST_BYTES))
        line_end = first[0] if first else b""
        has_quote = bool(dialect.quote) and dialect.quote in text.data[text.start : at]
        is_plain = ends <= {line_end} and not has_quote
        return Head(names=csv.header, header_at=at, start=at, end=end, line=line, line_end=line_end, is_plain=is_plain)
    while at < end:
        match = LINE.match(text.data, at, end)
        assert match is not None
        raw = match[0].rstrip(b"\r\n")
        is_comment = bool(dialect.comment) and raw.startswith(dialect.comment)
        if not is_comment and not dialect.is_blank(raw, 2):
            break
        ends.add(match[1])
        above = at = match.end()
        line += 1
    else:
        raise PayloadRefused("is empty: it has no header line", fix="nothing to declare: the vendor sent no table")
    if dialect.quote and dialect.quote in raw:
        fields, at = header_fields(dialect, text.data[at : min(end, at + _FIRST_BYTES)], at, line)
    else:
        fields, at = _bare_fields(raw, dialect.delimiter), match.end()
    header = text.data[above:at]
    line_count = len(LINE_END.findall(header))
    found_end = next((mark for mark in (b"\r\n", b"\n", b"\r") if header.endswith(mark)), b"")
    ends.add(found_end)
    has_quote = bool(dialect.quote) and dialect.quote in text.data[text.start : above]
    return Head(
        names=fields,
        header_at=above,
        start=at,
        end=end,
        line=line + line_count,
        line_end=found_end,
        is_plain=line_count <= 1 and len(ends) == 1 and not has_quote,
    )


@lru_cache(maxsize=256)
def _bare_fields(raw: bytes, delimiter: bytes) -> tuple[str, ...]:
    """The names in a header line without quotes and line end: thousands of payloads have the same."""
    return tuple(name.decode().strip(AROUND_NAMES) for name in raw.split(delimiter))


def header_fields(dialect: Dialect, data: bytes, at: int, line: int) -> tuple[tuple[str, ...], int]:
    """The names in a header that begins ``data``, and where it ends, given where ``data`` begins."""
    names, place = [], 0
    while True:
        match = dialect.field.match(data, place)
        if match is None:
            first = LINE.match(data)
            raw = shown(first[0].decode("utf-8", "replace")) if first else ""
            what = f"its header, line {line}, has a quote that does not enclose a field: {raw}"
            raise PayloadRefused(what, fix="declare quote= and escape= as the vendor writes them, or skip_rows=")
        value = dialect.unescaped(match[1]) if match[1] is not None else match[2]
        names.append(value.decode().strip(AROUND_NAMES))
        place = match.end()
        if match[3] != dialect.delimiter:
            return tuple(names), at + place


def _above_footer(dialect: Dialect, text: Utf8Text) -> int:
    """Where the footer begins: as many lines from the end as are declared, blank ones and comments not counted."""
    end = len(text.data)
    for _ in range(dialect.csv.footer_rows):
        while True:
            stop = end
            if stop > text.start and text.data[stop - 1 : stop] == b"\n":
                stop -= 1
            if stop > text.start and text.data[stop - 1 : stop] == b"\r":
                stop -= 1
            above = (text.data.rfind(b"\n", text.start, stop), text.data.rfind(b"\r", text.start, stop))
            begin = max(*above, text.start - 1) + 1
            line = text.data[begin:stop]
            if end <= text.start:
                what = f"has fewer lines than footer_rows={dialect.csv.footer_rows}"
                raise PayloadRefused(what, fix="declare the number of lines below the last row")
            end = begin
            if line.strip(_BLANKS) and not (dialect.comment and line.startswith(dialect.comment)):
                break
    return end

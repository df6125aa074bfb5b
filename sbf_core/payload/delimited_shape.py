r"""Whether delimited text is so regular that the engine's reader has nothing to decide, and how many records it has.

The count does not go through that reader.

The text is taken in pieces cut where records end. Of each piece two things are looked at, by operations on all of it:

* what stands outside of quotes, without every byte that is no delimiter and no line end, must be exactly ``,,\n`` over
  and over for three fields;
* a quoted field must have a delimiter, a line end or the end of the piece on either side.

Then each record has as many fields as the header, no quote is open, and the records are counted by their line ends.
"""

from __future__ import annotations

import re
from functools import lru_cache
from operator import itemgetter

import attrs

from sbf_core.payload.delimited_dialect import Dialect, Head
from sbf_core.payload.text import Utf8Text, holds, refused_byte, utf8_part
from sbf_core.value import Entity, Value

#: A record that is not seen to end within this is left to Python: the engine has a limit of 2,000,000 bytes a line.
_PIECE_BYTES = 1 << 19
#: As many are looked at together: the processor has them at hand while all is looked for in them.
_SLICE_BYTES = 1 << 17
_ORDINARY = ord("x")
_LONG_STRETCH_BYTES = 16
_FIRST, _LAST = itemgetter(slice(0, 1)), itemgetter(slice(-1, None))


@attrs.frozen(kw_only=True)
class Shape(Value):
    """A regular text.

    Attributes:
        record_count: how many records it has.
        breaks_in_quotes: whether a field holds a line end.
        is_bare: nothing stands in quotes, and no text holds ``_`` or ``+-``, which the engine overlooks in numbers.
    """

    record_count: int
    breaks_in_quotes: bool
    is_bare: bool


@attrs.frozen(kw_only=True)
class _Tables(Value):
    """What ``bytes.translate`` is given: bytes to leave out for the skeleton, and each byte as what it is."""

    left_out: bytes
    classes: bytes


@lru_cache(maxsize=64)
def _tables(delimiter: bytes, quote: bytes) -> _Tables:
    kept = delimiter + b"\r\n\0"
    classes = bytes(byte if byte in kept + quote else _ORDINARY for byte in range(256))
    return _Tables(left_out=bytes(byte for byte in range(256) if byte not in kept), classes=classes)


def shape_of(dialect: Dialect, text: Utf8Text, head: Head, line_end: bytes, end: int) -> Shape | None:
    """The shape of the records up to ``end``; None where they are not regular, and for dialects that only Python reads.

    Raises:
        PayloadRefused: a byte is not of the encoding.
    """
    if len(dialect.delimiter) != 1 or line_end == b"\r":
        return None
    if not line_end:
        return Shape(record_count=0, breaks_in_quotes=False, is_bare=True) if head.start >= end else None
    names = tuple(name.encode() for name in head.names)
    check = _Check(dialect=dialect, names=names, line_end=line_end, encoding=dialect.csv.encoding)
    rest, at = b"", head.start
    for piece in text.slices(head.start, end, min(_SLICE_BYTES, _PIECE_BYTES)):
        piece = rest + piece
        cut = check.cut(piece)
        if cut == 0 and len(piece) > _PIECE_BYTES:
            return None
        if cut and not check.is_regular(piece[:cut], at if text.is_original else None):
            return None
        rest, at = piece[cut:], at + cut
    if rest and not check.is_regular(rest, at if text.is_original else None):
        return None
    return Shape(record_count=check.record_count, breaks_in_quotes=check.breaks_in_quotes, is_bare=check.is_bare)


@attrs.define(kw_only=True, eq=False)
class _Check(Entity):
    dialect: Dialect
    names: tuple[bytes, ...]
    line_end: bytes
    encoding: str
    record_count: int = 0
    breaks_in_quotes: bool = False
    is_bare: bool = True
    _needle: bytes = b""

    def __attrs_post_init__(self) -> None:
        plain = [name for name in self.names if not self.dialect.quote or self.dialect.quote not in name]
        self._needle = max(plain, key=len, default=b"")

    def cut(self, piece: bytes) -> int:
        """Behind the last line end with an even number of quotes above it; 0 where there is none."""
        at, quote = piece.rfind(b"\n"), self.dialect.quote
        if at < 0 or not quote or quote not in piece:
            return at + 1
        odd = piece.count(quote, 0, at) % 2
        while odd:
            above = piece.rfind(b"\n", 0, at)
            if above < 0:
                return 0
            odd = (odd + piece.count(quote, above, at)) % 2
            at = above
        return at + 1

    def is_regular(self, piece: bytes, at: int | None) -> bool:
        """Whether a piece that begins with a record holds regular records only.

        ``at`` is where it stands in the payload, None if it was decoded.
        """
        if at is not None and not piece.isascii():
            try:
                piece.decode(utf8_part(self.encoding))
            except UnicodeDecodeError as error:
                raise refused_byte(at + error.start, error, self.encoding) from None
        if b"\0" in piece or self._has_odd_line(piece) or self._may_hold_header(piece):
            return False
        self.is_bare = self.is_bare and b"_" not in piece and not holds(piece, b"+-")
        dialect, outside = self.dialect, piece
        tables = _tables(dialect.delimiter, dialect.quote)
        if dialect.quote and dialect.quote in piece:
            self.is_bare = False
            segments = piece.split(dialect.quote)
            if len(segments) % 2 == 0 or (not dialect.doubles and dialect.escape and dialect.escape in piece):
                return False
            stretches = segments[::2]
            outside = dialect.quote.join(stretches)
            if not self._is_well_quoted(stretches, outside, tables.classes):
                return False
            inside = b"".join(segments[1::2])
            self.breaks_in_quotes = self.breaks_in_quotes or b"\n" in inside or b"\r" in inside
        is_pair = self.line_end == b"\r\n"
        lines = outside.replace(b"\r\n", b"\n") if is_pair else outside
        skeleton = lines.translate(None, tables.left_out)
        count = skeleton.count(b"\n")
        if is_pair and len(outside) - len(lines) != count:
            return False  # an LF alone; a CR alone stays in the skeleton
        row = dialect.delimiter * (len(self.names) - 1)
        wanted = (row + b"\n") * count
        if not piece.endswith(b"\n"):
            wanted += row
            count += 1
        if skeleton != wanted:
            return False
        self.record_count += count
        return True

    def _is_well_quoted(self, stretches: list[bytes], outside: bytes, classes: bytes) -> bool:
        """Whether each quoted field stands between delimiters or line ends.

        ``stretches`` is the text outside of quotes; an empty one between two others is a quote within quotes.
        ``outside`` is the same, with a quote for what stood in quotes. Their number says which is quicker to check.
        """
        dialect, quote = self.dialect, self.dialect.quote
        if not dialect.doubles and quote * 2 in outside:
            return False
        if len(outside) > _LONG_STRETCH_BYTES * len(stretches):
            before, behind = set(map(_LAST, stretches[:-1])), set(map(_FIRST, stretches[1:]))
            return before <= {b"", dialect.delimiter, b"\n"} and behind <= {b"", dialect.delimiter, b"\r", b"\n"}
        marks, ordinary = outside.translate(classes), bytes((_ORDINARY,))
        return ordinary + quote not in marks and quote + ordinary not in marks and b"\r" + quote not in marks

    def _has_odd_line(self, piece: bytes) -> bool:
        """A comment; or, with one field, a line that is empty. Both may stand within quotes: no matter."""
        comment = self.dialect.comment
        if comment and (piece.startswith(comment) or b"\n" + comment in piece):
            return True
        return len(self.names) == 1 and (piece.startswith((b"\n", b"\r")) or b"\n\n" in piece or b"\n\r" in piece)

    def _may_hold_header(self, piece: bytes) -> bool:
        """Whether a record may repeat the header: nearly never, since its longest name would have to stand there."""
        if self._needle and not holds(piece, self._needle):
            return False
        if not self._needle:
            return True
        return self._header.search(piece) is not None

    @property
    def _header(self) -> re.Pattern[bytes]:
        return _header_pattern(self.names, self.dialect.delimiter, self.dialect.quote)


@lru_cache(maxsize=256)
def _header_pattern(names: tuple[bytes, ...], delimiter: bytes, quote: bytes) -> re.Pattern[bytes]:
    around = rb"[\s" + re.escape(quote) + rb"]*"
    written = (name.replace(quote, quote * 2) if quote else name for name in names)
    fields = re.escape(delimiter).join(around + re.escape(name) + around for name in written)
    return re.compile(rb"(?:\A|\n)" + fields + rb"(?:[\r\n]|\Z)")

"""Formats of payloads, as declared on a dataset: nothing of them is ever sniffed.

``DatasetKeymapEntry(format=Csv(delimiter=";", decimal=","))``. Without one the extension says it: ``json`` is ``Json()``, ``csv`` and ``csv.gz`` are
``Csv()``, ``tsv`` is ``Csv(delimiter="\\t")``, ``parquet`` is ``Parquet()``. How each is read is told in ``sbf_core/payload``, one module a format.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable
from typing import ClassVar

import attrs

from sbf_core.errors import UsageError
from sbf_core.vocabulary import texts


def _names(value: bool | Iterable[str]) -> bool | tuple[str, ...]:
    return value if isinstance(value, bool) else texts(value)


def check_encoding(encoding: str) -> None:
    """Raise ``UsageError`` for an encoding that Python does not know as one of texts."""
    try:
        known = codecs.lookup(encoding)
        "".encode(known.name)
    except (LookupError, ValueError):
        known = None
    if known is None:
        raise UsageError(f"encoding {encoding!r} is not known", fix="write a name such as utf-8, latin-1, cp1252 or utf-16", code="FORMAT")


def check_marks(decimal: str, thousands: str) -> None:
    """Raise ``UsageError`` unless the marks within numbers can be told apart."""
    if decimal not in (".", ","):
        raise UsageError(f"decimal {decimal!r} is not known", fix="use '.' or ','", code="FORMAT")
    if thousands not in ("", ".", ",", "'", " ", "_", "\u00a0", "\u202f", "\u2019") or thousands == decimal:
        raise UsageError(f"thousands {thousands!r} is not known, or the same as decimal", fix="use one of . , ' _ and blanks, or leave it out", code="FORMAT")


@attrs.frozen(kw_only=True)
class Json:
    """JSON, one value a payload (RFC 8259).

    Attributes:
        decimal, thousands: marks of numbers that stand as texts; numbers of JSON always have a point.
    """

    kind: ClassVar[str] = "json"
    decimal: str = "."
    thousands: str = ""

    def __attrs_post_init__(self) -> None:
        check_marks(self.decimal, self.thousands)


@attrs.frozen(kw_only=True)
class Csv:
    """Delimited text. The defaults are RFC 4180 with a comma, and nothing else.

    Attributes:
        delimiter: between fields, one character.
        quote: around fields that hold delimiters, quotes or line breaks; empty: a quote is a letter like any other.
        escape: before a quote within quotes: the quote itself (doubled), or a backslash.
        comment: lines that begin with it, outside of quotes, are no rows; empty: there are none.
        encoding: name of the encoding, e.g. ``utf-8``, ``cp1252``. A byte that is none refuses the payload. A byte order mark of UTF-8 is taken off.
        header: whether the first line (behind ``skip_rows``) names the fields; or, for a file without such a line, the names.
        skip_rows: lines above the header.
        footer_rows: lines below the last row, blank ones not counted.
        null: unquoted texts that mean "no value" in every column, beside each column's own ``missing``.
        decimal, thousands: marks in numbers.
    """

    kind: ClassVar[str] = "csv"
    delimiter: str = ","
    quote: str = '"'
    escape: str = '"'
    comment: str = ""
    encoding: str = "utf-8"
    header: bool | tuple[str, ...] = attrs.field(default=True, converter=_names)
    skip_rows: int = 0
    footer_rows: int = 0
    null: tuple[str, ...] = attrs.field(default=(), converter=texts)
    decimal: str = "."
    thousands: str = ""

    def __attrs_post_init__(self) -> None:
        if len(self.delimiter) != 1 or self.delimiter in '\r\n"' or len(self.quote) > 1 or self.delimiter == self.quote:
            raise UsageError(f"delimiter {self.delimiter!r} and quote {self.quote!r} cannot be told apart, or are no single characters", fix="Csv(delimiter=';')", code="FORMAT")
        if self.escape not in ("", self.quote, "\\"):
            raise UsageError(f"escape {self.escape!r} is not known", fix="use the quote itself, or a backslash", code="FORMAT")
        if len(self.comment) > 1 or (self.comment and self.comment in (self.delimiter, self.quote)):
            raise UsageError(f"comment {self.comment!r} is no single character of its own", fix="Csv(comment='#')", code="FORMAT")
        if self.header is False:
            raise UsageError("a file without a header needs names for its fields", fix='header=("date", "open", "close")', code="FORMAT")
        if self.skip_rows < 0 or self.footer_rows < 0:
            raise UsageError("skip_rows and footer_rows cannot be negative", code="FORMAT")
        check_encoding(self.encoding)
        check_marks(self.decimal, self.thousands)


@attrs.frozen(kw_only=True)
class Parquet:
    """Parquet: fields have types of their own, which must fit the declared ones."""

    kind: ClassVar[str] = "parquet"
    decimal: ClassVar[str] = "."
    thousands: ClassVar[str] = ""


Format = Json | Csv | Parquet
